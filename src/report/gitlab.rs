//! GitLab's secret-detection report, one vulnerability an occurrence.
//!
//! GitLab follows a vulnerability by its first identifier and its place. Ours names detector and credential, so that the
//! same key in two files is two places of one thing. Neither authors nor secrets are written.

use std::io::{self, Write};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::escape::{markdown_code, terminal, write_json};
use super::{Options, RuleInfo, confidence_name, emptiness, place, whether_it_works, worst_first};
use crate::finding::{Finding, Occurrence, Report, Severity};

/// The version of the report format, and where it is described.
const VERSION: &str = "15.2.1";
const SCHEMA: &str = "https://gitlab.com/gitlab-org/security-products/security-report-schemas/-/raw/v15.2.1/dist/secret-detection-report-format.json";
/// What stands for the commit of text that is in none.
const NO_COMMIT: &str = "0000000000000000000000000000000000000000";
/// The greatest length of a name, in characters; GitLab refuses a report with a longer one.
const LONGEST_NAME: usize = 255;

pub(super) fn write(report: &Report, options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    write!(output, "{{\"version\":\"{VERSION}\",\"schema\":\"{SCHEMA}\",\"scan\":")?;
    write_json(output, &scan(report, options))?;
    // One vulnerability at a time: all of them as values would take many times the report's size.
    output.write_all(b",\"vulnerabilities\":[")?;
    let mut first = true;
    for finding in worst_first(report) {
        for (index, occurrence) in finding.occurrences.iter().enumerate() {
            output.write_all(if first { b"\n" } else { b",\n" })?;
            first = false;
            write_json(output, &vulnerability(finding, index, occurrence, options))?;
        }
    }
    output.write_all(b"]}\n")
}

fn scan(report: &Report, options: &Options<'_>) -> Value {
    let summary = &report.summary;
    let tool = json!({
        "id": "credtrace",
        "name": "credtrace",
        "version": options.version,
        "vendor": {"name": "credtrace"},
    });
    let elapsed = SignedDuration::try_from_secs_f64(summary.seconds).unwrap_or_default();
    let started = options.finished.checked_sub(elapsed).unwrap_or(options.finished);
    let message = |level: &str, text: &str| json!({"level": level, "value": terminal(text)});
    let errors = summary.errors.iter().map(|text| message("fatal", text));
    let warnings = summary.warnings.iter().map(String::as_str).chain(emptiness(summary));
    let messages: Vec<Value> = errors.chain(warnings.map(|text| message("warn", text))).collect();
    json!({
        "analyzer": tool,
        "scanner": tool,
        "type": "secret_detection",
        "start_time": seconds(started),
        "end_time": seconds(options.finished),
        "status": if summary.complete { "success" } else { "failure" },
        "messages": messages,
    })
}

/// Writes a time as GitLab wants it: in UTC, to the second, without a zone.
fn seconds(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn vulnerability(finding: &Finding, index: usize, occurrence: &Occurrence, options: &Options<'_>) -> Value {
    let rule = options.rule(finding);
    let name: String = rule.name.chars().take(LONGEST_NAME).collect();
    let console = rule.console.as_ref().map(|url| format!(" at {url}")).unwrap_or_default();
    json!({
        "id": identifier(finding, index),
        "category": "secret_detection",
        "name": name,
        "description": format!(
            "{name} {} ({} confidence){} stands in plain text.",
            markdown_code(&finding.redacted),
            confidence_name(finding.confidence),
            match whether_it_works(finding) {
                "" => String::new(),
                words => format!("{words},"),
            }
        ),
        "severity": severity(finding.severity),
        "solution": format!("Revoke the credential{console}, then remove it."),
        "raw_source_code_extract": terminal(&finding.redacted),
        "location": location(occurrence),
        "identifiers": [
            {"type": "credtrace_detector", "name": name, "value": finding.detector},
            {"type": "credtrace_fingerprint", "name": "credtrace fingerprint", "value": finding.fingerprint},
            {"type": "cwe", "name": "CWE-798", "value": "798", "url": "https://cwe.mitre.org/data/definitions/798.html"},
        ],
        "links": links(&rule),
    })
}

fn links(rule: &RuleInfo) -> Vec<Value> {
    [("How to rotate it", &rule.rotate), ("About it", &rule.help)]
        .into_iter()
        .filter_map(|(label, url)| Some((label, url.as_ref().filter(|url| url.starts_with("https://"))?)))
        .map(|(label, url)| json!({"name": label, "url": url}))
        .collect()
}

fn location(occurrence: &Occurrence) -> Value {
    let mut commit = json!({"sha": occurrence.commit.as_deref().map_or(NO_COMMIT.into(), terminal)});
    if let Some(date) = &occurrence.date {
        commit["date"] = json!(terminal(date));
    }
    json!({
        "file": String::from_utf8_lossy(&place::relative(occurrence)),
        "start_line": occurrence.line,
        "end_line": occurrence.line,
        "commit": commit,
    })
}

/// Returns an id that is the same for the same occurrence in the same order.
fn identifier(finding: &Finding, index: usize) -> String {
    super::sarif::guid(&format!("{}:{index}", finding.fingerprint))
}

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
        Severity::Critical => "Critical",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Format;
    use crate::report::tests::{finding, hostile_report, report, written};

    /// What GitLab's validator requires of the parts that are written, reduced from version 15.2.1 of its schema.
    fn required() -> Value {
        let text = json!({"type": "string", "minLength": 1});
        let tool = json!({
            "required": ["id", "name", "version", "vendor"],
            "properties": {"id": text, "name": text, "version": text, "vendor": {"required": ["name"]}},
        });
        let time = json!({"type": "string", "pattern": "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}$"});
        let url = json!({"type": "string", "pattern": "^(https?|ftp)://.+"});
        json!({
            "required": ["scan", "version", "vulnerabilities"],
            "properties": {
                "schema": url,
                "version": {"pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$"},
                "scan": {
                    "required": ["analyzer", "scanner", "start_time", "end_time", "status", "type"],
                    "properties": {
                        "analyzer": tool,
                        "scanner": tool,
                        "start_time": time,
                        "end_time": time,
                        "status": {"enum": ["success", "failure"]},
                        "type": {"const": "secret_detection"},
                        "messages": {"items": {
                            "required": ["level", "value"],
                            "properties": {"level": {"enum": ["info", "warn", "fatal"]}, "value": text},
                        }},
                    },
                },
                "vulnerabilities": {"items": {
                    "required": ["id", "identifiers", "location"],
                    "properties": {
                        "id": text,
                        "name": {"type": "string", "maxLength": 255},
                        "severity": {"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
                        "solution": {"type": "string", "maxLength": 7000},
                        "identifiers": {"minItems": 1, "items": {
                            "required": ["type", "name", "value"],
                            "properties": {"type": text, "name": text, "value": text, "url": url},
                        }},
                        "links": {"items": {"required": ["url"], "properties": {"url": url}}},
                        "location": {
                            "required": ["commit"],
                            "properties": {
                                "file": {"type": "string"},
                                "start_line": {"type": "number"},
                                "commit": {"required": ["sha"], "properties": {"sha": text}},
                            },
                        },
                        "raw_source_code_extract": {"type": "string"},
                    },
                }},
            },
        })
    }

    #[test]
    fn every_report_is_one_that_gitlab_takes() {
        let validator = jsonschema::validator_for(&required()).expect("a valid schema");
        for report in [hostile_report(), report(vec![finding()]), report(vec![])] {
            let document = serde_json::from_slice(&written(&report, Format::Gitlab)).expect("JSON");
            let faults: Vec<String> = validator.iter_errors(&document).map(|fault| fault.to_string()).collect();
            assert!(faults.is_empty(), "{faults:#?}");
        }
        assert!(!validator.is_valid(&json!({"version": "15", "scan": {}, "vulnerabilities": []})));
    }

    #[test]
    fn a_vulnerability_has_what_gitlab_requires() {
        let mut output = Vec::new();
        let finished: Timestamp = "2026-11-22T12:00:00Z".parse().expect("a time");
        let options = Options { finished, ..Options::default() };
        let mut scanned = report(vec![finding()]);
        scanned.summary.seconds = 90.4;
        write(&scanned, &options, &mut output).expect("a vector takes all");
        let document: Value = serde_json::from_slice(&output).expect("JSON");
        assert_eq!(document["scan"]["start_time"], "2026-11-22T11:58:29");
        assert_eq!(document["scan"]["end_time"], "2026-11-22T12:00:00");
        assert_eq!(document["scan"]["status"], "success");
        let first = &document["vulnerabilities"][0];
        assert_eq!(first["severity"], "High");
        assert_eq!(first["location"]["file"], "src/agents/client.py");
        assert_eq!(first["location"]["start_line"], 12);
        assert_eq!(first["identifiers"][0]["value"], "anthropic-api-key");
        assert_eq!(first["raw_source_code_extract"], "sk-ant-api03-…igAA");
        assert_eq!(first["id"].as_str().expect("an id").len(), 36);
    }
}
