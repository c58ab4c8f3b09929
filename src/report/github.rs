//! Workflow commands of GitHub Actions: one annotation a place, then a line that says how the scan went.
//!
//! A workflow shows ten annotations of a level and step; the worst come first, and each credential's first place comes
//! before any second one.

use std::io::{self, Write};

use super::escape::{annotation_message, annotation_property};
use super::{Options, confidence_name, place, severity_name, worst_first};
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
    let (command, end) = match (summary.complete, summary.blobs_scanned) {
        (false, _) => ("error", "NOT COMPLETE: there may be more in what could not be scanned"),
        (true, 0) => ("warning", "nothing was scanned: this is no clean result"),
        (true, _) => ("notice", "the scan is complete"),
    };
    let count = findings.len();
    writeln!(output, "::{command} title=credtrace::{count} credentials in {places} places; {end}")
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
    let name = options.rule(finding).name;
    let next = options.rule(finding).console.map(|url| format!(" Revoke it at {url}.")).unwrap_or_default();
    let message = format!(
        "{name} {} ({} severity, {} confidence). {}{next}",
        finding.redacted,
        severity_name(finding.severity),
        confidence_name(finding.confidence),
        finding.fingerprint,
    );
    writeln!(
        output,
        "::{command} file={},line={},col={},title={}::{}",
        annotation_property(&place::shown(occurrence)),
        occurrence.line,
        occurrence.column,
        annotation_property(&name),
        annotation_message(&message),
    )
}
