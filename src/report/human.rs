//! The report for the person at the terminal: each credential with where it is and what to do, then how the scan went.
//!
//! The last lines always say whether the scan was complete. Zero findings are told in words with what was scanned, and a
//! scan of nothing is never told as a clean one.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{self, Write};

use super::escape::terminal;
use super::text::{bytes, columns, counted, cut, cut_round, duration, grouped, wrapped};
use super::{Options, emptiness, owner, place, severity_name, worst_first};
use crate::finding::{
    Confidence, Finding, IdentityStatus, Liveness, Occurrence, Report, Severity, SourceKind, Summary,
};

/// How many places of a credential are shown.
const MOST_PLACES: usize = 5;
/// How many errors or warnings are shown.
const MOST_PROBLEMS: usize = 20;
/// The reason of those that were found and are less sure than was asked for.
const BELOW_CONFIDENCE: &str = "below-min-confidence";
/// How many bytes of an excerpt are looked at; more is never shown.
const LONGEST_EXCERPT: usize = 16 * 1024;

const BOLD: &str = "\x1b[1m";
const DIM: &str = "\x1b[2m";
const GREEN: &str = "\x1b[1;32m";
const YELLOW: &str = "\x1b[1;33m";
const RED: &str = "\x1b[1;31m";
const BLUE: &str = "\x1b[1;34m";
const PATH: &str = "\x1b[36m";
const RESET: &str = "\x1b[0m";

pub(super) fn write(report: &Report, options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    let mut page = Page { output, colour: options.colour, width: options.width.max(40) };
    for finding in worst_first(report) {
        page.finding(finding, options)?;
    }
    page.closing(report, options)
}

/// Where the lines go and how they may look.
struct Page<'a> {
    output: &'a mut dyn Write,
    colour: bool,
    width: usize,
}

impl Page<'_> {
    fn paint<'t>(&self, style: &str, text: &'t str) -> Cow<'t, str> {
        if self.colour { Cow::Owned(format!("{style}{text}{RESET}")) } else { Cow::Borrowed(text) }
    }

    /// Writes a text in lines that fit, each after `indent` spaces; the text is escaped already.
    fn lines(&mut self, indent: usize, style: &str, text: &str) -> io::Result<()> {
        for line in wrapped(text, self.width - indent) {
            let line = if style.is_empty() { Cow::Borrowed(line.as_str()) } else { self.paint(style, &line) };
            writeln!(self.output, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    /// Writes a label and a text whose further lines stand under its first.
    fn labelled(&mut self, indent: usize, style: &str, label: &str, text: &str) -> io::Result<()> {
        let hanging = indent + columns(label) + 1;
        let lines = wrapped(text, self.width.saturating_sub(hanging));
        let first = lines.first().map_or("", String::as_str);
        writeln!(self.output, "{:indent$}{} {first}", "", self.paint(style, label))?;
        lines.iter().skip(1).try_for_each(|line| writeln!(self.output, "{:hanging$}{line}", ""))
    }

    fn finding(&mut self, finding: &Finding, options: &Options<'_>) -> io::Result<()> {
        let rule = options.rule(finding);
        let severity = severity_name(finding.severity).to_uppercase();
        let severity = self.paint(severity_style(finding.severity), &severity).into_owned();
        let name = terminal(&rule.name).into_owned();
        writeln!(self.output, "{severity}  {}", self.paint(BOLD, &name))?;
        let value = terminal(finding.secret.as_deref().unwrap_or(&finding.redacted)).into_owned();
        writeln!(self.output, "  {}", self.paint(BOLD, &value))?;
        self.lines(2, "", &facts(finding, &rule.name, &rule.provider_name))?;
        writeln!(self.output, "  {}", self.paint(DIM, &terminal(&finding.fingerprint)))?;
        self.other_halves(finding)?;
        self.verdict(finding)?;
        self.identity(finding)?;
        writeln!(self.output)?;
        self.places(finding)?;
        self.next_steps(rule.console.as_deref(), rule.rotate.as_deref())?;
        writeln!(self.output)
    }

    fn other_halves(&mut self, finding: &Finding) -> io::Result<()> {
        for half in &finding.companions {
            let text = format!("{} {}", half.detector, half.fingerprint);
            self.labelled(2, DIM, "Stands with:", &terminal(&text))?;
        }
        Ok(())
    }

    fn verdict(&mut self, finding: &Finding) -> io::Result<()> {
        let style = match finding.verification.state {
            Liveness::Live | Liveness::Limited => RED,
            Liveness::Dead => GREEN,
            Liveness::Canary | Liveness::Refused | Liveness::Unknown | Liveness::NotChecked => YELLOW,
        };
        verdict_on(finding).map_or(Ok(()), |(label, text)| self.labelled(2, style, label, &terminal(&text)))
    }

    fn identity(&mut self, finding: &Finding) -> io::Result<()> {
        let style = match finding.identity.status {
            IdentityStatus::Linked => GREEN,
            IdentityStatus::Shadow => RED,
            IdentityStatus::Suggested | IdentityStatus::Account | IdentityStatus::Tie => YELLOW,
            IdentityStatus::NotCovered | IdentityStatus::NoInventory => DIM,
        };
        let Some(told) = owner::belonging(finding) else { return Ok(()) };
        self.labelled(2, style, told.label, &terminal(&told.text))?;
        if let Some(why) = &told.why {
            self.labelled(4, DIM, "why:", &terminal(why))?;
        }
        told.rivals.iter().try_for_each(|rival| self.labelled(4, DIM, "or:", &terminal(rival)))
    }

    fn places(&mut self, finding: &Finding) -> io::Result<()> {
        let mut places: Vec<&Occurrence> = finding.occurrences.iter().collect();
        // What is still in HEAD can be removed by a person today; it comes first.
        places.sort_by_key(|place| place.in_head == Some(false));
        let mut last = String::new();
        for occurrence in places.iter().take(MOST_PLACES) {
            let excerpt = excerpt(&occurrence.excerpt, &finding.redacted, self.width - 6);
            // The same line in a copy of the file says nothing new.
            self.place(occurrence, if excerpt == last { "" } else { &excerpt })?;
            last = excerpt;
        }
        let more = places.len().saturating_sub(MOST_PLACES) as u64;
        if more > 0 {
            let text =
                format!("... and {} (--format jsonl names them all)", counted(more, "more place", "more places"));
            self.lines(2, DIM, &text)?;
        }
        Ok(())
    }

    fn place(&mut self, occurrence: &Occurrence, excerpt: &str) -> io::Result<()> {
        let path = place::shown(occurrence);
        // A path is never wrapped or shortened: it is there to be opened.
        let path = terminal(&path).into_owned();
        writeln!(self.output, "  {}:{}:{}", self.paint(PATH, &path), occurrence.line, occurrence.column)?;
        if !excerpt.is_empty() {
            writeln!(self.output, "      {excerpt}")?;
        }
        self.lines(6, DIM, &history(occurrence))
    }

    fn next_steps(&mut self, console: Option<&str>, rotate: Option<&str>) -> io::Result<()> {
        if console.is_some() || rotate.is_some() {
            writeln!(self.output)?;
        }
        for (label, url) in [("Revoke it:", console), ("How to rotate:", rotate)] {
            if let Some(url) = url {
                writeln!(self.output, "  {} {}", self.paint(BOLD, label), terminal(url))?;
            }
        }
        Ok(())
    }

    fn closing(&mut self, report: &Report, options: &Options<'_>) -> io::Result<()> {
        let summary = &report.summary;
        self.problems(YELLOW, "warning:", &summary.warnings)?;
        self.problems(RED, "error:", &summary.errors)?;
        let (style, verdict) = verdict_of(report);
        self.lines(0, style, &verdict)?;
        self.lines(0, "", &scanned(summary))?;
        for (label, counts) in [("Skipped:", &summary.skipped), ("Found but not reported:", &summary.suppressed)] {
            if let Some(list) = tally(counts) {
                self.labelled(0, YELLOW, label, &list)?;
            }
        }
        if summary.suppressed.contains_key(BELOW_CONFIDENCE) {
            self.lines(0, DIM, "--min-confidence low reports what is below-min-confidence as well.")?;
        }
        if report.findings.is_empty() {
            return Ok(());
        }
        self.lines(0, "", "Revoke a credential before you remove it: whoever read the text still has it.")?;
        if report.findings.iter().all(|finding| finding.verification.state == Liveness::NotChecked) {
            self.lines(0, DIM, "No provider was asked whether they still work.")?;
        }
        if summary.fingerprint_key == "ephemeral" {
            let text = "The fingerprints are of this run alone: there was no place to keep their key.";
            self.lines(0, YELLOW, text)?;
        }
        // A command is not wrapped: it is there to be copied.
        for line in options.accept_hint.unwrap_or_default().lines() {
            writeln!(self.output, "{}", self.paint(DIM, &terminal(line)))?;
        }
        Ok(())
    }

    fn problems(&mut self, style: &str, label: &str, texts: &[String]) -> io::Result<()> {
        for text in texts.iter().take(MOST_PROBLEMS) {
            self.labelled(0, style, label, &terminal(text))?;
        }
        let more = texts.len().saturating_sub(MOST_PROBLEMS);
        if more > 0 {
            self.labelled(0, style, label, &format!("... and {more} more (--format jsonl lists them all)"))?;
        }
        if !texts.is_empty() {
            writeln!(self.output)?;
        }
        Ok(())
    }
}

fn severity_style(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => RED,
        Severity::Medium => YELLOW,
        Severity::Low => BLUE,
    }
}

/// Tells whether a credential works, as a label and a text that is not escaped; nothing where nobody was asked.
pub(super) fn verdict_on(finding: &Finding) -> Option<(&'static str, String)> {
    let (label, usual) = match finding.verification.state {
        Liveness::Live => ("LIVE:", "the provider accepts it"),
        Liveness::Limited => ("LIVE within limits:", "the provider accepts it"),
        Liveness::Dead => ("Dead:", "the provider does not accept it"),
        Liveness::Canary => ("Canary:", "a trap; using it alarms its owner"),
        Liveness::Refused => ("Not asked:", "it may belong to several providers"),
        Liveness::Unknown => ("Unknown whether it works:", "the answer decides nothing"),
        Liveness::NotChecked if finding.verification.reason.is_some() => ("Not asked:", ""),
        Liveness::NotChecked => return None,
    };
    let mut text = finding.verification.reason.clone().unwrap_or_else(|| usual.to_owned());
    for (fact, value) in &finding.verification.account {
        text.push_str(&format!("; {fact} {value}"));
    }
    Some((label, text))
}

/// Tells provider, confidence, encodings and ages in one sentence.
pub(super) fn facts(finding: &Finding, name: &str, provider_name: &str) -> String {
    let mut parts = Vec::new();
    if !finding.provider_candidates.is_empty() {
        let candidates: Vec<_> = finding.provider_candidates.iter().map(|slug| terminal(slug)).collect();
        parts.push(format!("may belong to {}", candidates.join(", ")));
    } else if !provider_name.is_empty() && !name.to_lowercase().contains(&provider_name.to_lowercase()) {
        parts.push(terminal(provider_name).into_owned());
    }
    let sure = match finding.confidence {
        Confidence::High => "high confidence",
        Confidence::Medium => "medium confidence",
        Confidence::Low => "low confidence (it may be something else)",
    };
    parts.push(sure.to_owned());
    if !finding.decoded.is_empty() {
        let encodings: Vec<_> = finding.decoded.iter().map(|encoding| terminal(encoding)).collect();
        parts.push(format!("decoded from {}", encodings.join(" in ")));
    }
    if let Some(first) = &finding.first_seen {
        parts.push(format!("exposed since {}", terminal(day(first))));
    }
    parts.join(", ")
}

/// Returns the masked line without its indentation, with the credential in sight.
pub(super) fn excerpt(line: &str, redacted: &str, width: usize) -> String {
    let found = line.find(redacted).filter(|_| !redacted.is_empty()).unwrap_or(0);
    let mut start = found.saturating_sub(LONGEST_EXCERPT / 2);
    let mut end = line.len().min(start + LONGEST_EXCERPT);
    while !line.is_char_boundary(start) {
        start += 1;
    }
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let near = terminal(line[start..end].trim()).into_owned();
    let redacted = terminal(redacted);
    let focus = near.find(redacted.as_ref()).unwrap_or(0);
    cut_round(&near, focus, redacted.len(), width)
}

/// Tells how a place came to be: commit, author and date for git, ticket and writer for an export.
pub(super) fn history(occurrence: &Occurrence) -> String {
    let mut parts = Vec::new();
    if let Some(commit) = &occurrence.commit {
        let verb = if occurrence.path.starts_with('<') { "commit" } else { "introduced by" };
        let mut text = format!("{verb} {}", terminal(&short(commit)));
        if let Some(author) = &occurrence.author {
            text.push_str(&format!(" {}", cut(&terminal(name_of(author)), 40)));
        }
        if let Some(date) = &occurrence.date {
            text.push_str(&format!(" {}", terminal(day(date))));
        }
        parts.push(text);
    } else if let (SourceKind::Git, Some(blob)) = (occurrence.source, &occurrence.blob) {
        parts.push(format!("blob {}", terminal(&short(blob))));
    }
    match (occurrence.source, occurrence.in_head) {
        (SourceKind::Index, _) => parts.push("in the index".into()),
        (_, Some(true)) => parts.push("still in HEAD".into()),
        (_, Some(false)) => parts.push("no longer in HEAD".into()),
        (_, None) => {}
    }
    if let Some(versions) = occurrence.versions.filter(|versions| *versions > 1) {
        parts.push(format!("{} versions", grouped(versions)));
    }
    if let Some(context) = &occurrence.context {
        let context = [("in", &context.ticket), ("by", &context.by), ("at", &context.at)];
        parts.extend(
            context
                .iter()
                .filter_map(|(word, text)| text.as_ref().map(|text| format!("{word} {}", cut(&terminal(text), 60)))),
        );
    }
    parts.join(", ")
}

/// Returns the name of `Name <address>`, or the address where there is no name.
fn name_of(author: &str) -> &str {
    let name = author.split(" <").next().unwrap_or(author).trim();
    if name.is_empty() { author.trim() } else { name }
}

/// Returns the date of a time in RFC 3339, and any other text as it is.
fn day(time: &str) -> &str {
    time.split_once('T').map_or(time, |(day, _)| day)
}

fn short(id: &str) -> String {
    id.chars().take(8).collect()
}

/// Returns whether a report is clean, and the sentence that says so.
pub(super) fn verdict(report: &Report) -> (bool, String) {
    let (style, verdict) = verdict_of(report);
    (style == GREEN, verdict)
}

/// Returns the sentence that decides, and its colour. Only a complete scan of something without findings is green.
fn verdict_of(report: &Report) -> (&'static str, String) {
    let summary = &report.summary;
    let undone = match summary.errors.len() as u64 {
        0 => "NOT COMPLETE".to_owned(),
        errors => format!("NOT COMPLETE ({})", counted(errors, "error", "errors")),
    };
    if !report.findings.is_empty() {
        let found = found(&report.findings);
        return match summary.complete {
            true => (RED, format!("{found} The scan is complete.")),
            false => (RED, format!("{undone}: {found} There may be more in what could not be scanned.")),
        };
    }
    match (summary.complete, emptiness(summary)) {
        (true, None) => (GREEN, "No credential was found. The scan is complete.".into()),
        (true, Some(nothing)) => (YELLOW, nothing.into()),
        (false, Some(nothing)) => (RED, format!("{undone}. {nothing}")),
        (false, None) => {
            (RED, format!("{undone}: no credential was found in what could be scanned, but not everything could."))
        }
    }
}

/// Counts findings by severity: `3 credentials in 7 places: 1 critical, 2 low.`
fn found(findings: &[Finding]) -> String {
    let places: usize = findings.iter().map(|finding| finding.occurrences.len()).sum();
    let by_severity = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low].map(|severity| {
        let count = findings.iter().filter(|finding| finding.severity == severity).count() as u64;
        (count > 0).then(|| format!("{} {}", grouped(count), severity_name(severity)))
    });
    format!(
        "{} in {}: {}.",
        counted(findings.len() as u64, "credential", "credentials"),
        counted(places as u64, "place", "places"),
        by_severity.into_iter().flatten().collect::<Vec<_>>().join(", ")
    )
}

pub(super) fn scanned(summary: &Summary) -> String {
    format!(
        "Scanned {} ({}) in {} with {}.",
        counted(summary.blobs_scanned, "file, blob or message", "files, blobs and messages"),
        bytes(summary.bytes_scanned),
        duration(summary.seconds),
        counted(summary.detectors, "detector", "detectors"),
    )
}

/// Lists the reasons that occurred: `2 baseline, 1 inline`.
pub(super) fn tally(counts: &BTreeMap<String, u64>) -> Option<String> {
    let reasons: Vec<String> = counts
        .iter()
        .filter(|count| *count.1 > 0)
        .map(|(reason, count)| format!("{} {}", grouped(*count), terminal(reason)))
        .collect();
    (!reasons.is_empty()).then(|| reasons.join(", "))
}
