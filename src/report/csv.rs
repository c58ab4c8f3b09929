//! A table for spreadsheets: one occurrence a row, the worst first, every field guarded against formulas.
//!
//! A row is always one line. Reports with more to say (identity, account, errors) are the JSON ones; that a scan was not
//! complete, or of nothing, is said in a last row all the same, so that a short table is not taken for a clean one.

use std::borrow::Cow;
use std::io::{self, Write};

use super::escape::csv_field;
use super::{Options, confidence_name, emptiness, kind_name, owner, place, severity_name, worst_first};
use crate::finding::{Finding, Occurrence, Report};

const COLUMNS: [&str; 24] = [
    "severity",
    "confidence",
    "detector",
    "name",
    "provider",
    "kind",
    "redacted",
    "fingerprint",
    "verification",
    "identity_status",
    "identity",
    "owner",
    "link_tier",
    "link_score",
    "source",
    "path",
    "line",
    "column",
    "commit",
    "author",
    "date",
    "in_head",
    "versions",
    "path_bytes_b64",
];

pub(super) fn write(report: &Report, options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    let with_secret = report.findings.iter().any(|finding| finding.secret.is_some());
    let last = if with_secret { ",secret" } else { "" };
    write!(output, "{}{last}\r\n", COLUMNS.join(","))?;
    for finding in worst_first(report) {
        for occurrence in &finding.occurrences {
            let mut fields = fields(finding, occurrence, options);
            if with_secret {
                fields.push(Cow::Borrowed(finding.secret.as_deref().unwrap_or_default()));
            }
            row(output, &fields)?;
        }
    }
    let fault = match report.summary.complete {
        true => emptiness(&report.summary).map(Cow::Borrowed),
        false => Some(Cow::Owned(format!("NOT COMPLETE: {}", report.summary.errors.join("; ")))),
    };
    fault.map_or(Ok(()), |fault| {
        let mut fields = vec![Cow::Borrowed(""); COLUMNS.len() + usize::from(with_secret)];
        fields[0] = fault;
        row(output, &fields)
    })
}

fn row(output: &mut dyn Write, fields: &[Cow<'_, str>]) -> io::Result<()> {
    for (index, field) in fields.iter().enumerate() {
        write!(output, "{}{}", if index == 0 { "" } else { "," }, csv_field(field))?;
    }
    output.write_all(b"\r\n")
}

fn fields<'a>(finding: &'a Finding, occurrence: &'a Occurrence, options: &Options<'_>) -> Vec<Cow<'a, str>> {
    let text = |text: &'a Option<String>| Cow::Borrowed(text.as_deref().unwrap_or_default());
    let provider = match &finding.provider {
        Some(provider) => Cow::Borrowed(provider.as_str()),
        None => Cow::Owned(finding.provider_candidates.join(" or ")),
    };
    vec![
        Cow::Borrowed(severity_name(finding.severity)),
        Cow::Borrowed(confidence_name(finding.confidence)),
        Cow::Borrowed(&finding.detector),
        Cow::Owned(options.rule(finding).name),
        provider,
        Cow::Borrowed(kind_name(finding.kind)),
        Cow::Borrowed(&finding.redacted),
        Cow::Borrowed(&finding.fingerprint),
        word(&finding.verification.state),
        word(&finding.identity.status),
        text(&finding.identity.name),
        Cow::Borrowed(owner_id(finding)),
        Cow::Borrowed(finding.identity.tier.map_or("", owner::tier_name)),
        Cow::Owned(finding.identity.score.map(|score| format!("{score:.3}")).unwrap_or_default()),
        word(&occurrence.source),
        place::shown(occurrence),
        Cow::Owned(occurrence.line.to_string()),
        Cow::Owned(occurrence.column.to_string()),
        text(&occurrence.commit),
        text(&occurrence.author),
        text(&occurrence.date),
        Cow::Owned(occurrence.in_head.map(|in_head| in_head.to_string()).unwrap_or_default()),
        Cow::Owned(occurrence.versions.map(|versions| versions.to_string()).unwrap_or_default()),
        text(&occurrence.path_bytes_b64),
    ]
}

/// Returns the owner as other tables name a person: the address, else the id.
fn owner_id(finding: &Finding) -> &str {
    let owner = finding.identity.owner.as_ref();
    owner.and_then(|owner| owner.email.as_deref().or(owner.id.as_deref())).unwrap_or_default()
}

/// Returns the word by which JSON knows a value without fields, so that all formats agree.
fn word(value: &impl serde::Serialize) -> Cow<'static, str> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Cow::Owned(word),
        _ => Cow::Borrowed(""),
    }
}
