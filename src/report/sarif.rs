//! SARIF 2.1.0, as code scanning reads it: one result an occurrence, worst first, and no more than a code host takes.
//!
//! A code host follows an alert by `partialFingerprints`, so ours must survive lines that move and runs on other machines.
//! The keyed fingerprint does not (a build server without a shared key makes a new one for each run); the detector, the
//! redacted form, the path and the occurrence's number among its equals do. Neither authors nor secrets are written.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};

use super::taxonomies::Taxonomies;
use super::{
    Options, confidence_name, emptiness, escape, kind_name, place, severity_name, whether_it_works, worst_first,
};
use crate::finding::{Confidence, Finding, Occurrence, Report, Severity};

/// Where the format is described.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// How many results a code host takes in one run; with more it refuses the whole file.
const MOST_RESULTS: usize = 25_000;
/// How many errors or warnings become notifications.
const MOST_NOTIFICATIONS: usize = 1_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: String,
    name: String,
    short_description: Value,
    full_description: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    help_uri: Option<String>,
    help: Value,
    default_configuration: Value,
    properties: Value,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult {
    rule_id: String,
    rule_index: usize,
    level: &'static str,
    message: Value,
    locations: [Value; 1],
    correlation_guid: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    fingerprints: BTreeMap<&'static str, String>,
    partial_fingerprints: BTreeMap<&'static str, String>,
    rank: f64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    taxa: Vec<Value>,
    properties: Value,
}

pub(super) fn write(report: &Report, options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    let findings = worst_first(report);
    let rules = rules(&findings, options);
    let taxonomies = Taxonomies::of(&findings);
    let results = Results {
        taxonomies: &taxonomies,
        rules: rules.iter().enumerate().map(|(index, rule)| (rule.id.as_str(), index)).collect(),
        options,
        lasting_key: report.summary.fingerprint_key != "ephemeral",
        alike: HashMap::new(),
    }
    .all(&findings);
    let total = findings.iter().map(|finding| finding.occurrences.len()).sum();
    let mut document = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "credtrace", "version": options.version, "rules": rules}},
            "invocations": [invocation(report, results.len(), total)],
            // Columns are counted in bytes, which SARIF cannot say; byteOffset and byteLength are exact.
            "columnKind": "unicodeCodePoints",
            "redactionTokens": ["…"],
            "results": results,
        }],
    });
    let known = taxonomies.all();
    if !known.is_empty() {
        document["runs"][0]["taxonomies"] = json!(known);
    }
    escape::write_json(output, &document)?;
    output.write_all(b"\n")
}

/// Returns one rule a detector that occurs, by id. Its severity is the worst of its findings.
fn rules(findings: &[&Finding], options: &Options<'_>) -> Vec<Rule> {
    let mut worst: BTreeMap<&str, &Finding> = BTreeMap::new();
    for finding in findings {
        // Findings come worst first, so the first of a detector decides.
        worst.entry(&finding.detector).or_insert(finding);
    }
    worst.into_values().map(|finding| rule(finding, options)).collect()
}

fn rule(finding: &Finding, options: &Options<'_>) -> Rule {
    let info = options.rule(finding);
    let of_provider = if info.provider_name.is_empty() || info.name.contains(&info.provider_name) {
        String::new()
    } else {
        format!(" of {}", info.provider_name)
    };
    let mut steps =
        vec!["Revoke the credential first: removing it from the code or the history does not end it.".to_owned()];
    steps.extend(info.console.iter().map(|url| format!("Revoke it at {url}.")));
    steps.extend(info.rotate.iter().map(|url| format!("How to rotate it: {url}.")));
    let plain = steps.join(" ");
    let markdown = steps.iter().map(|step| format!("- {step}\n")).collect::<String>();
    let mut tags = vec!["security", "secret", "external/cwe/cwe-798"];
    if finding.ai {
        tags.push("ai");
    }
    Rule {
        id: finding.detector.clone(),
        name: info.name.clone(),
        short_description: json!({"text": format!("{} in plain text", info.name)}),
        full_description: json!({"text": format!(
            "A credential ({}{of_provider}) stands in plain text, where everyone who can read the text can use it.",
            info.name
        )}),
        help_uri: info.help.or(info.rotate).filter(|url| url.starts_with("https://")),
        help: json!({"text": plain, "markdown": markdown}),
        default_configuration: json!({"level": level(finding.severity)}),
        properties: json!({
            "security-severity": security_severity(finding.severity),
            "precision": precision(finding.confidence),
            "kind": kind_name(finding.kind),
            "tags": tags,
        }),
    }
}

/// Makes results, and numbers those that are alike.
struct Results<'a> {
    rules: HashMap<&'a str, usize>,
    options: &'a Options<'a>,
    /// Whether fingerprints mean something beyond this run.
    lasting_key: bool,
    alike: HashMap<String, usize>,
    taxonomies: &'a Taxonomies,
}

impl Results<'_> {
    /// Returns at most [`MOST_RESULTS`] results: of every finding the first place before of any the second, so that what
    /// is left out is a further place of a credential that is named.
    fn all(mut self, findings: &[&Finding]) -> Vec<SarifResult> {
        let firsts = findings.iter().filter_map(|finding| finding.occurrences.first().map(|first| (*finding, first)));
        let others =
            findings.iter().flat_map(|finding| finding.occurrences.iter().skip(1).map(|other| (*finding, other)));
        firsts.chain(others).take(MOST_RESULTS).map(|(finding, occurrence)| self.one(finding, occurrence)).collect()
    }

    fn one(&mut self, finding: &Finding, occurrence: &Occurrence) -> SarifResult {
        let uri = place::uri(occurrence);
        let identity = alike(finding, &uri);
        let number = self.alike.entry(identity.clone()).and_modify(|number| *number += 1).or_insert(1);
        let line_hash = format!("{identity}:{number}");
        let lasting = self.lasting_key.then(|| ("credtrace/credential/v1", finding.fingerprint.clone()));
        SarifResult {
            rule_id: finding.detector.clone(),
            rule_index: self.rules.get(finding.detector.as_str()).copied().unwrap_or(0),
            level: level(finding.severity),
            message: json!({"text": message(finding, occurrence, self.options)}),
            locations: [location(occurrence, &uri)],
            correlation_guid: guid(&finding.fingerprint),
            fingerprints: lasting.into_iter().collect(),
            // The first name is the one that GitHub follows alerts by.
            partial_fingerprints: [
                ("primaryLocationLineHash", line_hash.clone()),
                ("credtrace/occurrence/v1", line_hash),
            ]
            .into(),
            rank: rank(finding.confidence),
            taxa: self.taxonomies.taxa(finding),
            properties: properties(finding, occurrence),
        }
    }
}

/// Returns a hash of what tells an occurrence from others without its line and without a key.
fn alike(finding: &Finding, uri: &str) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("credtrace 2026-11 occurrence v1");
    for part in [&finding.detector, &finding.redacted, uri] {
        hasher.update(part.as_bytes());
        hasher.update(b"\0");
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

fn message(finding: &Finding, occurrence: &Occurrence, options: &Options<'_>) -> String {
    let mut text = format!("{} ({})", options.rule(finding).name, finding.redacted);
    text.push_str(whether_it_works(finding));
    if let Some(commit) = &occurrence.commit {
        text.push_str(&format!(", introduced by commit {}", &commit.chars().take(12).collect::<String>()));
    }
    if occurrence.in_head == Some(false) {
        text.push_str(", no longer in HEAD but still in the history");
    }
    text.push_str(match finding.occurrences.len() {
        0 | 1 => ".",
        _ => "; it occurs in other places too.",
    });
    escape::sarif_message(&text).into_owned()
}

fn location(occurrence: &Occurrence, uri: &str) -> Value {
    let uri = if uri.is_empty() { "%3Cunnamed%3E" } else { uri };
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
        "region": {
            "startLine": occurrence.line.max(1),
            "startColumn": occurrence.column.max(1),
            "byteOffset": occurrence.start,
            "byteLength": occurrence.end.saturating_sub(occurrence.start),
        },
    }})
}

fn properties(finding: &Finding, occurrence: &Occurrence) -> Value {
    let mut properties = json!({
        "security-severity": security_severity(finding.severity),
        "severity": severity_name(finding.severity),
        "confidence": confidence_name(finding.confidence),
        "redacted": finding.redacted,
        "source": occurrence.source,
        "verification": finding.verification.state,
        "identityStatus": finding.identity.status,
    });
    let optional = [
        ("provider", &finding.provider),
        ("commit", &occurrence.commit),
        ("date", &occurrence.date),
        ("identity", &finding.identity.id),
        ("team", &finding.identity.team),
    ];
    for (name, value) in optional {
        // An inventory may use addresses as ids, and a report for a code host holds none.
        if let Some(value) = value.as_ref().filter(|value| !value.contains('@')) {
            properties[name] = json!(value);
        }
    }
    if let Some(link) = link(finding) {
        properties["credtrace/link"] = link;
    }
    if let Some(in_head) = occurrence.in_head {
        properties["inHead"] = json!(in_head);
    }
    if !finding.provider_candidates.is_empty() {
        properties["providerCandidates"] = json!(finding.provider_candidates);
    }
    if !finding.identity_findings.is_empty() {
        properties["identityFindings"] = json!(finding.identity_findings);
    }
    properties
}

/// Returns what the link to the inventory rests on; without words of the inventory, which may name people.
fn link(finding: &Finding) -> Option<Value> {
    let identity = &finding.identity;
    let tier = identity.tier?;
    let candidates: Vec<_> = identity.candidates.iter().filter_map(|candidate| candidate.record_id.as_ref()).collect();
    Some(json!({
        "tier": tier,
        "score": identity.score,
        "candidates": candidates,
        "asOf": identity.as_of,
        "environment": identity.environment,
        "aiSystem": identity.ai_system,
    }))
}

/// Tells how the scan went: what failed, what to know, and how many results were left out.
fn invocation(report: &Report, written: usize, total: usize) -> Value {
    let summary = &report.summary;
    let mut notifications = Vec::new();
    let notify = |level: &str, text: &str| json!({"level": level, "message": {"text": escape::sarif_message(text)}});
    if written < total {
        notifications.push(notify(
            "warning",
            &format!("{} of {total} results are left out: a code host takes {MOST_RESULTS}.", total - written),
        ));
    }
    notifications.extend(emptiness(summary).map(|nothing| notify("warning", nothing)));
    for (level, texts) in [("error", &summary.errors), ("warning", &summary.warnings)] {
        notifications.extend(texts.iter().take(MOST_NOTIFICATIONS).map(|text| notify(level, text)));
        if let Some(more) = texts.len().checked_sub(MOST_NOTIFICATIONS).filter(|more| *more > 0) {
            notifications.push(notify(level, &format!("... and {more} more.")));
        }
    }
    for (what, counts) in [("skipped", &summary.skipped), ("suppressed", &summary.suppressed)] {
        let reasons: BTreeSet<String> =
            counts.iter().filter(|count| *count.1 > 0).map(|(reason, count)| format!("{count} {reason}")).collect();
        if !reasons.is_empty() {
            let list = reasons.into_iter().collect::<Vec<_>>().join(", ");
            notifications.push(notify("note", &format!("{what}: {list}")));
        }
    }
    json!({"executionSuccessful": summary.complete, "toolExecutionNotifications": notifications})
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low => "note",
    }
}

/// Returns the number by which GitHub sorts: over 9.0 is critical, from 7.0 high, from 4.0 medium.
fn security_severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low => "2.0",
    }
}

fn precision(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::High => "very-high",
        Confidence::Medium => "high",
        Confidence::Low => "low",
    }
}

fn rank(confidence: Confidence) -> f64 {
    match confidence {
        Confidence::High => 95.0,
        Confidence::Medium => 70.0,
        Confidence::Low => 30.0,
    }
}

/// Returns a GUID (in the form of version 5, the newest that the standard's schema admits) that is the same for the same fingerprint.
pub(super) fn guid(fingerprint: &str) -> String {
    let hash = blake3::derive_key("credtrace 2026-11 correlation guid v1", fingerprint.as_bytes());
    let hex: String = hash[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-5{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Format;
    use crate::report::tests::{finding, occurrence, report, written};

    fn document(report: &Report) -> Value {
        serde_json::from_slice(&written(report, Format::Sarif)).expect("valid JSON")
    }

    fn line_hashes(report: &Report) -> Vec<Value> {
        let document = document(report);
        let results = document["runs"][0]["results"].as_array().expect("results");
        results.iter().map(|result| result["partialFingerprints"]["primaryLocationLineHash"].clone()).collect()
    }

    #[test]
    fn fingerprints_survive_moved_lines_and_other_keys() {
        let mut first = report(vec![finding()]);
        first.summary.fingerprint_key = "ephemeral".into();
        let mut second = first.clone();
        second.findings[0].occurrences[0].line += 40;
        second.findings[0].fingerprint = "b3k1:k1-ffffffff:00".into();
        assert_eq!(line_hashes(&first), line_hashes(&second));
        second.findings[0].occurrences[0].path = "elsewhere.py".into();
        assert_ne!(line_hashes(&first), line_hashes(&second));
        assert!(document(&first)["runs"][0]["results"][0].get("fingerprints").is_none());
    }

    #[test]
    fn equal_occurrences_have_their_own_fingerprints() {
        let twice = report(vec![finding(), finding()]);
        let hashes = line_hashes(&twice);
        assert_ne!(hashes[0], hashes[1]);
    }

    #[test]
    fn what_exceeds_the_limit_is_counted() {
        let mut many = report(vec![finding(), finding()]);
        many.findings[0].occurrences = (0..30_000).map(|line| Occurrence { line, ..occurrence() }).collect();
        many.findings[1].detector = "other".into();
        let document = document(&many);
        let run = &document["runs"][0];
        let results = run["results"].as_array().expect("results");
        assert_eq!(results.len(), 25_000);
        assert_eq!(results[1]["ruleId"], "other", "each credential is named before any is named twice");
        assert_eq!(
            run["invocations"][0]["toolExecutionNotifications"][0]["message"]["text"],
            "5001 of 30001 results are left out: a code host takes 25000."
        );
    }

    #[test]
    fn an_incomplete_scan_is_no_success() {
        let mut incomplete = report(vec![]);
        incomplete.summary.complete = false;
        incomplete.summary.errors = vec!["a.zip: damaged".into()];
        let document = document(&incomplete);
        let invocation = &document["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        assert_eq!(invocation["toolExecutionNotifications"][0]["level"], "error");
    }
}
