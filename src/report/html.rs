//! One self-contained page that can be mailed or kept: no script, no request, nothing but text and one style.
//!
//! The policy in the head forbids everything but that style, which it names by a nonce taken from the report, so that even
//! a fault in the escaping would leave a page that does nothing. Only addresses from detector files become links.

use std::io::{self, Write};

use super::escape::markup;
use super::{Options, human, jsonl, owner, place, severity_name, worst_first};
use crate::finding::{Finding, Occurrence, Report};

/// How many places of a credential are open at first; the others unfold.
const OPEN_PLACES: usize = 5;
/// How many places of a credential are written at all.
const MOST_PLACES: usize = 1_000;
/// How many columns of an excerpt are shown.
const EXCERPT_WIDTH: usize = 160;

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--dim:#767676}\
body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem}\
h1{font-size:1.4rem}h2{font-size:1.05rem;margin:0}code,pre{font:13px/1.45 ui-monospace,monospace;overflow-wrap:anywhere}\
article{border:1px solid var(--line);border-left:.4rem solid var(--mark);border-radius:.3rem;padding:.8rem 1rem;margin:1rem 0}\
.critical{--mark:#b3003b}.high{--mark:#d9480f}.medium{--mark:#c99700}.low{--mark:#3b78c2}\
.severity{text-transform:uppercase;font-size:.8rem;font-weight:700}.dim{color:var(--dim)}\
pre{margin:.2rem 0 .2rem 1rem;white-space:pre-wrap}li{margin:.3rem 0}\
.verdict{padding:.6rem 1rem;border-radius:.3rem;border:1px solid var(--line);border-left:.4rem solid #d9480f}\
.verdict.clean{border-left-color:#2b8a3e}";

pub(super) fn write(report: &Report, options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    let nonce = nonce(report)?;
    writeln!(output, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(
        output,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'nonce-{nonce}'; \
         base-uri 'none'; form-action 'none'\">"
    )?;
    writeln!(output, "<meta name=\"referrer\" content=\"no-referrer\">")?;
    writeln!(output, "<meta name=\"viewport\" content=\"width=device-width\">\n<title>credtrace report</title>")?;
    writeln!(output, "<style nonce=\"{nonce}\">{STYLE}</style>\n</head>\n<body>\n<h1>credtrace report</h1>")?;
    summary(report, options, output)?;
    for finding in worst_first(report) {
        self::finding(finding, options, output)?;
    }
    writeln!(output, "</body>\n</html>")
}

/// Returns a value that nobody can foresee who wrote what was scanned: a hash over the whole report with its keyed parts.
fn nonce(report: &Report) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new_derive_key("credtrace 2026-11 html nonce v1");
    jsonl::write(report, &mut hasher)?;
    Ok(hasher.finalize().to_hex()[..32].to_owned())
}

fn summary(report: &Report, options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    let summary = &report.summary;
    let (clean, verdict) = human::verdict(report);
    let class = if clean { "verdict clean" } else { "verdict" };
    writeln!(output, "<div class=\"{class}\"><strong>{}</strong><br>", markup(&verdict))?;
    writeln!(output, "{}", markup(&human::scanned(summary)))?;
    for (label, counts) in [("Skipped:", &summary.skipped), ("Found but not reported:", &summary.suppressed)] {
        if let Some(list) = human::tally(counts) {
            writeln!(output, "<br>{label} {}", markup(&list))?;
        }
    }
    for (label, texts) in [("Errors", &summary.errors), ("Warnings", &summary.warnings)] {
        if !texts.is_empty() {
            writeln!(output, "<details open><summary>{label}: {}</summary><ul>", texts.len())?;
            for text in texts {
                writeln!(output, "<li>{}</li>", markup(text))?;
            }
            writeln!(output, "</ul></details>")?;
        }
    }
    writeln!(output, "<br><span class=\"dim\">credtrace {}</span></div>", markup(options.version))
}

fn finding(finding: &Finding, options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    let rule = options.rule(finding);
    let severity = severity_name(finding.severity);
    writeln!(output, "<article class=\"{severity}\">")?;
    writeln!(output, "<h2><span class=\"severity\">{severity}</span> {}</h2>", markup(&rule.name))?;
    writeln!(output, "<code>{}</code><br>", markup(&finding.redacted))?;
    writeln!(
        output,
        "<span class=\"dim\">{} &middot; <code>{}</code></span>",
        markup(&human::facts(finding, &rule.name, &rule.provider_name)),
        markup(&finding.fingerprint)
    )?;
    if let Some((label, text)) = human::verdict_on(finding) {
        writeln!(output, "<br><strong>{label}</strong> {}", markup(&text))?;
    }
    if let Some(told) = owner::belonging(finding) {
        writeln!(output, "<br><strong>{}</strong> {}", told.label, markup(&told.text))?;
        for text in told.why.iter().chain(&told.rivals) {
            writeln!(output, "<br><span class=\"dim\">{}</span>", markup(text))?;
        }
    }
    places(finding, output)?;
    for (label, url) in [("Revoke it", &rule.console), ("How to rotate it", &rule.rotate)] {
        // Anything but a web address stays text.
        if let Some(url) = url.as_ref().filter(|url| url.starts_with("https://")) {
            writeln!(output, "<a rel=\"noreferrer noopener\" href=\"{}\">{label}</a>", markup(url))?;
        }
    }
    writeln!(output, "</article>")
}

fn places(finding: &Finding, output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "<ul>")?;
    for occurrence in finding.occurrences.iter().take(OPEN_PLACES) {
        place(finding, occurrence, output)?;
    }
    writeln!(output, "</ul>")?;
    let more = finding.occurrences.len().saturating_sub(OPEN_PLACES);
    if more == 0 {
        return Ok(());
    }
    writeln!(output, "<details><summary>{more} more places</summary><ul>")?;
    for occurrence in finding.occurrences.iter().take(MOST_PLACES).skip(OPEN_PLACES) {
        place(finding, occurrence, output)?;
    }
    let left_out = finding.occurrences.len().saturating_sub(MOST_PLACES);
    if left_out > 0 {
        writeln!(output, "<li>{left_out} further places are not listed here</li>")?;
    }
    writeln!(output, "</ul></details>")
}

fn place(finding: &Finding, occurrence: &Occurrence, output: &mut dyn Write) -> io::Result<()> {
    let path = place::shown(occurrence);
    write!(output, "<li><code>{}:{}:{}</code>", markup(&path), occurrence.line, occurrence.column)?;
    let excerpt = human::excerpt(&occurrence.excerpt, &finding.redacted, EXCERPT_WIDTH);
    if !excerpt.is_empty() {
        write!(output, "<pre>{}</pre>", markup(&excerpt))?;
    }
    writeln!(output, "<span class=\"dim\">{}</span></li>", markup(&human::history(occurrence)))
}
