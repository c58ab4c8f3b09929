//! Workflow commands of GitHub Actions: one annotation a place, then a line that says how the scan went.
//!
//! A workflow shows ten annotations of a level and step; the worst come first, and each credential's first place comes
//! before any second one.

use std::io::{self, Write};

use super::escape::{annotation_message, annotation_property};
use super::text::counted;
use super::{Options, RuleInfo, confidence_name, emptiness, place, severity_name, whether_it_works, worst_first};
use crate::finding::{Finding, Occurrence, Report, Severity};

/// How many annotations are written; a host shows far fewer and keeps none beyond.
const MOST_ANNOTATIONS: usize = 1_000;

pub(super) fn write(report: &Report, options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    let findings = worst_first(report);
    let firsts = findings.iter().filter_map(|finding| finding.occurrences.first().map(|first| (finding, first)));
    let others =
        findings.iter().flat_map(|finding| finding.occurrences.iter().skip(1).map(move |other| (finding, other)));
    for (finding, occurrence) in firsts.chain(others).take(MOST_ANNOTATIONS) {
        annotation(finding, occurrence, options, output)?;
    }
    let summary = &report.summary;
    for (command, texts) in [("error", &summary.errors), ("warning", &summary.warnings)] {
        for text in texts.iter().take(MOST_ANNOTATIONS) {
            writeln!(output, "::{command} title=credtrace::{}", annotation_message(text))?;
        }
    }
    let places: usize = findings.iter().map(|finding| finding.occurrences.len()).sum();
    let left_out = places.saturating_sub(MOST_ANNOTATIONS);
    if left_out > 0 {
        writeln!(output, "::warning title=credtrace::{left_out} more places are not annotated")?;
    }
    let (command, end) = match (summary.complete, emptiness(summary)) {
        (false, _) => ("error", "NOT COMPLETE: there may be more in what could not be scanned."),
        (true, Some(nothing)) => ("warning", nothing),
        (true, None) => ("notice", "The scan is complete."),
    };
    let credentials = counted(findings.len() as u64, "credential", "credentials");
    let places = counted(places as u64, "place", "places");
    writeln!(output, "::{command} title=credtrace::{credentials} in {places}. {end}")
}

fn annotation(
    finding: &Finding,
    occurrence: &Occurrence,
    options: &Options<'_>,
    output: &mut dyn Write,
) -> io::Result<()> {
    let command = match finding.severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "notice",
    };
    let rule = options.rule(finding);
    let message = message(finding, occurrence, &rule);
    let message = annotation_message(&message);
    let title = annotation_property(&rule.name);
    let path = place::shown(occurrence);
    if path.starts_with('<') {
        // A message or standard input is no file that an annotation could stand in.
        return writeln!(output, "::{command} title={title}::{}: {message}", annotation_message(&path));
    }
    let (file, line, column) = (annotation_property(&path), occurrence.line, occurrence.column);
    writeln!(output, "::{command} file={file},line={line},col={column},title={title}::{message}")
}

fn message(finding: &Finding, occurrence: &Occurrence, rule: &RuleInfo) -> String {
    let mut message = format!(
        "{} {} ({} severity, {} confidence)",
        rule.name,
        finding.redacted,
        severity_name(finding.severity),
        confidence_name(finding.confidence),
    );
    message.push_str(whether_it_works(finding));
    if let Some(commit) = &occurrence.commit {
        message.push_str(&format!(", commit {}", commit.chars().take(8).collect::<String>()));
    }
    if occurrence.in_head == Some(false) {
        message.push_str(", no longer in HEAD but still in the history");
    }
    message.push_str(&format!(". {}", finding.fingerprint));
    if let Some(console) = &rule.console {
        message.push_str(&format!(" Revoke it at {console}"));
    }
    message
}
