//! JUnit XML: one failing test case a place, grouped by detector, so that a build server shows findings as tests.
//!
//! A scan that was not complete is an `error`, and a complete one without findings is one passing case: an empty file would
//! be taken for a step that did not run.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::escape::markup;
use super::{Options, confidence_name, emptiness, place, severity_name, worst_first};
use crate::finding::{Finding, Occurrence, Report};

pub(super) fn write(report: &Report, options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    let findings = worst_first(report);
    let mut suites: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        suites.entry(&finding.detector).or_default().push(finding);
    }
    let failures: usize = report.findings.iter().map(|finding| finding.occurrences.len()).sum();
    let errors = usize::from(!is_done(report));
    let seconds = report.summary.seconds;
    writeln!(output, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        output,
        "<testsuites name=\"credtrace\" tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" time=\"{seconds:.3}\">",
        failures + 1
    )?;
    for (detector, findings) in suites {
        suite(detector, &findings, options, output)?;
    }
    scan_suite(report, output)?;
    writeln!(output, "</testsuites>")
}

fn suite(detector: &str, findings: &[&Finding], options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    let count: usize = findings.iter().map(|finding| finding.occurrences.len()).sum();
    let detector = markup(detector);
    writeln!(output, "  <testsuite name=\"{detector}\" tests=\"{count}\" failures=\"{count}\" errors=\"0\">")?;
    for finding in findings {
        for occurrence in &finding.occurrences {
            case(finding, occurrence, options, output)?;
        }
    }
    writeln!(output, "  </testsuite>")
}

fn case(finding: &Finding, occurrence: &Occurrence, options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    let rule = options.rule(finding);
    let path = place::shown(occurrence);
    let place = format!("{path}:{}:{}", occurrence.line, occurrence.column);
    let message = format!(
        "{} {} ({} severity, {} confidence)",
        rule.name,
        finding.redacted,
        severity_name(finding.severity),
        confidence_name(finding.confidence)
    );
    let (name, class, file) = (markup(&place), markup(&finding.detector), markup(&path));
    let line = occurrence.line;
    writeln!(output, "    <testcase name=\"{name}\" classname=\"{class}\" file=\"{file}\" line=\"{line}\">")?;
    let (message, kind) = (markup(&message), severity_name(finding.severity));
    write!(output, "      <failure message=\"{message}\" type=\"{kind}\">{name}")?;
    write!(output, "\n{}", markup(&finding.fingerprint))?;
    if let Some((label, text)) = super::human::verdict_on(finding) {
        write!(output, "\n{label} {}", markup(&text))?;
    }
    if let Some(console) = &rule.console {
        write!(output, "\nRevoke it: {}", markup(console))?;
    }
    writeln!(output, "</failure>\n    </testcase>")
}

/// Whether all that was asked was done. A range or an index that adds nothing is done; a scan for nothing is none.
fn is_done(report: &Report) -> bool {
    report.summary.complete && report.summary.detectors > 0
}

fn scan_suite(report: &Report, output: &mut dyn Write) -> io::Result<()> {
    let errors = usize::from(!is_done(report));
    writeln!(output, "  <testsuite name=\"scan\" tests=\"1\" failures=\"0\" errors=\"{errors}\">")?;
    write!(output, "    <testcase name=\"the scan is complete\" classname=\"credtrace\"")?;
    let empty = emptiness(&report.summary);
    if let (0, Some(reason)) = (errors, empty) {
        writeln!(output, ">\n      <system-out>{reason}</system-out>\n    </testcase>")?;
    } else if errors == 0 {
        writeln!(output, "/>")?;
    } else {
        let message = if report.summary.complete { empty.unwrap_or_default() } else { "NOT COMPLETE" };
        write!(output, ">\n      <error message=\"{message}\" type=\"incomplete\">")?;
        for error in &report.summary.errors {
            writeln!(output, "{}", markup(error))?;
        }
        writeln!(output, "</error>\n    </testcase>")?;
    }
    writeln!(output, "  </testsuite>")
}
