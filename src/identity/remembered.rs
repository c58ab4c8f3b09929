//! What scans with an inventory found, redacted, by fingerprint: for the questions that are asked later, when the report is
//! gone. The store never gets a secret, also where the report was asked to show them.

use aho_corasick::AhoCorasick;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde_json::Value;

use crate::error::Result;
use crate::finding::Finding;
use crate::inventory::times;
use crate::store::Store;

/// Keeps findings, all or none: a known one is replaced by what is known of it now.
///
/// # Errors
/// A store that cannot be written.
pub fn keep(store: &mut Store, findings: &[Finding], now: Timestamp) -> Result<()> {
    let mask = Mask::of(findings);
    let now = times::written(now);
    store.write(|transaction| {
        let mut statement = transaction.prepare_cached(
            "INSERT INTO finding (fingerprint, body, first_at, last_at) VALUES (?1, ?2, ?3, ?3) \
             ON CONFLICT (fingerprint) DO UPDATE SET body = ?2, last_at = max(last_at, ?3)",
        )?;
        for finding in findings {
            statement.execute(params![finding.fingerprint, mask.body(finding)?, now])?;
        }
        Ok(())
    })
}

/// Returns all that is kept, by fingerprint.
///
/// # Errors
/// A store that cannot be read.
pub fn all(store: &Store) -> Result<Vec<Finding>> {
    store.read(|connection| {
        let mut statement = connection.prepare_cached("SELECT body FROM finding ORDER BY fingerprint")?;
        let rows = statement.query_map([], |row| parse(row.get_ref(0)?.as_str()?))?;
        rows.collect()
    })
}

/// Returns what is kept of one fingerprint.
///
/// # Errors
/// A store that cannot be read.
pub fn by_fingerprint(store: &Store, fingerprint: &str) -> Result<Option<Finding>> {
    store.read(|connection| {
        let mut statement = connection.prepare_cached("SELECT body FROM finding WHERE fingerprint = ?1")?;
        statement.query_row([fingerprint], |row| parse(row.get_ref(0)?.as_str()?)).optional()
    })
}

fn parse(text: &str) -> rusqlite::Result<Finding> {
    serde_json::from_str(text)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into()))
}

/// Takes shown secrets out of everything that is kept. A report that shows secrets leaves them in paths and authors too.
struct Mask {
    shown: Option<(AhoCorasick, Vec<String>)>,
}

impl Mask {
    fn of(findings: &[Finding]) -> Self {
        let shown: Vec<(&String, &String)> = findings
            .iter()
            .filter_map(|finding| Some((finding.secret.as_ref()?, &finding.redacted)))
            .filter(|(secret, _)| !secret.is_empty())
            .collect();
        if shown.is_empty() {
            return Self { shown: None };
        }
        let redacted = shown.iter().map(|(_, redacted)| (*redacted).clone()).collect();
        let found = AhoCorasick::builder()
            .match_kind(aho_corasick::MatchKind::LeftmostLongest)
            .build(shown.iter().map(|(secret, _)| secret))
            .expect("secrets are far fewer than an automaton may have states");
        Self { shown: Some((found, redacted)) }
    }

    fn body(&self, finding: &Finding) -> rusqlite::Result<String> {
        let mut finding = finding.clone();
        finding.secret = None;
        if self.shown.is_some() {
            // The bytes of a path could give away what is masked in its text.
            finding.occurrences.iter_mut().for_each(|place| place.path_bytes_b64 = None);
        }
        let fault = |error: serde_json::Error| rusqlite::Error::ToSqlConversionFailure(error.into());
        let mut body = serde_json::to_value(&finding).map_err(fault)?;
        if let Some((secrets, redacted)) = &self.shown {
            mask_texts(&mut body, &|text| secrets.replace_all(text, redacted));
        }
        serde_json::to_string(&body).map_err(fault)
    }
}

fn mask_texts(value: &mut Value, mask: &dyn Fn(&str) -> String) {
    match value {
        Value::String(text) => *text = mask(text),
        Value::Array(values) => values.iter_mut().for_each(|value| mask_texts(value, mask)),
        Value::Object(fields) => fields.values_mut().for_each(|value| mask_texts(value, mask)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::testing;

    #[test]
    fn what_is_kept_is_redacted_and_found_again() {
        let mut store = Store::in_memory().expect("a store");
        let secret = ["sk-", "proj-", &"Ab3".repeat(30)].concat();
        let mut finding = testing::finding("openai-project-key", "openai", secret.as_bytes());
        finding.secret = Some(secret.clone());
        finding.occurrences[0].path = format!("notes-{secret}.txt");
        finding.occurrences[0].author = Some(format!("A <{secret}@example.com>"));
        let now = Timestamp::UNIX_EPOCH;
        keep(&mut store, &[finding.clone()], now).expect("kept");
        keep(&mut store, &[finding.clone()], now).expect("kept again");

        let kept = all(&store).expect("read");
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].secret, None);
        let text = serde_json::to_string(&kept).expect("text");
        let variable = secret.trim_start_matches("sk-proj-");
        assert!(!(0..=variable.len() - 9).any(|at| text.contains(&variable[at..at + 9])), "{text}");
        let again = by_fingerprint(&store, &finding.fingerprint).expect("read").expect("kept");
        assert_eq!(again.detector, finding.detector);
        assert_eq!(by_fingerprint(&store, "b3k1:other").expect("read"), None);
    }

    #[test]
    fn a_later_scan_replaces_what_an_earlier_one_said() {
        let mut store = Store::in_memory().expect("a store");
        let mut finding = testing::finding("openai-project-key", "openai", b"x");
        keep(&mut store, &[finding.clone()], Timestamp::UNIX_EPOCH).expect("kept");
        finding.identity.id = Some("nhi-bot".into());
        keep(&mut store, &[finding.clone()], Timestamp::UNIX_EPOCH).expect("kept");
        assert_eq!(all(&store).expect("read"), [finding]);
    }
}
