//! What people decided of a link: a decision wins over every tier, and is kept with who made it, when and why.
//!
//! Decisions are never changed or removed; of two on the same record the newer counts. Telling who decides is the command's
//! task, and linking by them is [`super::link`]'s.

use jiff::Timestamp;
use rusqlite::{Row, params};
use serde::Serialize;
use serde_json::json;

use super::evidence::{self, action};
use super::remembered;
use crate::error::{Error, Result};
use crate::inventory::keys::{self, KeyKind};
use crate::inventory::{records, times};
use crate::store::Store;

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is this one.
    Accept,
    /// It is not this one.
    Reject,
}

impl Verdict {
    /// Returns the word under which the store keeps it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
        }
    }
}

/// What a decision is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A credential's record, by its id.
    Credential(String),
    /// An identity, by its id.
    Identity(String),
}

/// A decision on one fingerprint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The credential that was found.
    pub fingerprint: String,
    /// The record that it is or is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// The identity that it belongs to or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// What was decided.
    pub verdict: Verdict,
    /// Who decided.
    pub who: String,
    /// Why.
    pub why: String,
    /// When, in RFC 3339.
    pub at: String,
}

impl Decision {
    /// Whether it is about this record or this identity.
    pub fn is_about(&self, credential: &str, identity: Option<&str>) -> bool {
        match &self.credential {
            Some(decided) => decided == credential,
            None => self.identity.as_deref().is_some_and(|decided| Some(decided) == identity),
        }
    }

    fn same_subject(&self, other: &Self) -> bool {
        self.credential == other.credential && self.identity == other.identity
    }
}

/// Keeps a decision, and adds it to the record of what was done. What it names must be in the inventory.
///
/// # Errors
/// An unknown credential or identity, text that is no fingerprint, an empty reason, or a store that cannot be written.
pub fn decide(
    store: &mut Store,
    fingerprint: &str,
    subject: &Subject,
    verdict: Verdict,
    (who, why): (&str, &str),
    now: Timestamp,
) -> Result<Decision> {
    let why = why.trim();
    if why.is_empty() {
        return Err(Error::Usage("--reason must say why; it is kept with the decision".into()));
    }
    if !is_fingerprint(fingerprint) {
        return Err(Error::Usage("that is no fingerprint; copy it from a report (b3k1:k1-...:...)".into()));
    }
    let (credential, identity) = known(store, fingerprint, subject)?;
    let decision = Decision {
        fingerprint: fingerprint.to_owned(),
        credential,
        identity,
        verdict,
        who: who.to_owned(),
        why: why.replace(char::is_control, " "),
        at: times::written(now),
    };
    store.write(|transaction| {
        transaction.execute(
            "INSERT INTO decision (fingerprint, credential, identity, verdict, who, why, at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                decision.fingerprint,
                decision.credential,
                decision.identity,
                decision.verdict.name(),
                decision.who,
                decision.why,
                decision.at
            ],
        )
    })?;
    let action = match verdict {
        Verdict::Accept => action::LINK_ACCEPTED,
        Verdict::Reject => action::LINK_REJECTED,
    };
    let data = json!({"credential": decision.credential, "identity": decision.identity, "why": decision.why});
    evidence::append(store, who, action, fingerprint, &data, now)?;
    Ok(decision)
}

/// Returns the ids of a subject: of a credential also its identity's, for those who read decisions later. A credential may
/// be named as a report names it, by the provider's id.
fn known(store: &Store, fingerprint: &str, subject: &Subject) -> Result<(Option<String>, Option<String>)> {
    let unknown = |what: &str, id: &str| {
        Error::Usage(format!("the inventory has no {what} {id:?}; `credtrace inventory list` names them all"))
    };
    match subject {
        Subject::Credential(id) => {
            let mut record = records::credential(store, id)?;
            if record.is_none() {
                let provider = remembered::by_fingerprint(store, fingerprint)?.and_then(|finding| finding.provider);
                let named = provider.map(|provider| format!("{provider}:{id}"));
                for key in [Some(id.clone()), named].into_iter().flatten() {
                    let Ok(key) = keys::normalised(KeyKind::Id, &key) else { continue };
                    record = record.or(records::credentials_by_key(store, KeyKind::Id, &key)?.pop());
                }
            }
            let record = record.ok_or_else(|| unknown("credential", id))?;
            Ok((Some(record.id), record.identity))
        }
        Subject::Identity(id) => {
            let record = records::identity(store, id)?.ok_or_else(|| unknown("identity", id))?;
            Ok((None, Some(record.id)))
        }
    }
}

/// Whether a text is a keyed fingerprint of ours.
pub fn is_fingerprint(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    matches!(parts[..], ["b3k1", key, digits]
        if key.starts_with("k1-") && digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

/// Returns every decision, the newest first.
///
/// # Errors
/// A store that cannot be read.
pub fn list(store: &Store) -> Result<Vec<Decision>> {
    store.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT fingerprint, credential, identity, verdict, who, why, at FROM decision ORDER BY id DESC",
        )?;
        statement.query_map([], decision)?.collect()
    })
}

/// Returns the decisions on a fingerprint that count: of those on the same record the newest, the newest first.
///
/// # Errors
/// A store that cannot be read.
pub fn on(store: &Store, fingerprint: &str) -> Result<Vec<Decision>> {
    let all: Vec<Decision> = store.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT fingerprint, credential, identity, verdict, who, why, at FROM decision \
             WHERE fingerprint = ?1 ORDER BY id DESC",
        )?;
        statement.query_map([fingerprint], decision)?.collect()
    })?;
    let mut counting: Vec<Decision> = Vec::new();
    for decision in all {
        if !counting.iter().any(|newer| newer.same_subject(&decision)) {
            counting.push(decision);
        }
    }
    Ok(counting)
}

fn decision(row: &Row<'_>) -> rusqlite::Result<Decision> {
    let verdict: String = row.get(3)?;
    Ok(Decision {
        fingerprint: row.get(0)?,
        credential: row.get(1)?,
        identity: row.get(2)?,
        verdict: if verdict == Verdict::Accept.name() { Verdict::Accept } else { Verdict::Reject },
        who: row.get(4)?,
        why: row.get(5)?,
        at: row.get(6)?,
    })
}
