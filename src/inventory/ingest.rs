//! Takes a batch into the store, in one transaction: the claims of its source are replaced, and the effective records that
//! they touch are made anew. The same batch again changes nothing, and the order of batches of different sources does not
//! matter.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{CachedStatement, Transaction, params};

use super::batch::{Batch, Rank, Rejected};
use super::claims::{self, Fields};
use super::effective;
use super::prepare::{self, Prepared};
use super::times;
use crate::error::{Error, Result};
use crate::store::Store;

/// The file that a batch was read from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportedFile {
    /// Its name, as given.
    pub name: String,
    /// SHA-256 of its bytes, in lower-case hexadecimal digits.
    pub sha256: String,
    /// Whether a batch without records may replace one with records. A list that shrinks to nothing is more often cut off
    /// than true.
    pub may_be_empty: bool,
}

/// The kinds of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum RecordKind {
    Person,
    Identity,
    Credential,
}

impl RecordKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Person, Self::Identity, Self::Credential];

    /// Returns the name under which the store keeps it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Identity => "identity",
            Self::Credential => "credential",
        }
    }

    /// Returns the kind of that name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// What became of an effective record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum What {
    Added,
    Changed,
    Removed,
}

impl What {
    /// Returns the name under which the store keeps it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }

    /// Returns what has that name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        [Self::Added, Self::Changed, Self::Removed].into_iter().find(|what| what.name() == name)
    }
}

/// What an import did to one effective record.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Change {
    /// The record's kind.
    pub kind: RecordKind,
    /// The record's id.
    pub id: String,
    /// What became of it.
    pub what: What,
    /// The fields that changed, where it did.
    pub fields: Vec<String>,
}

/// What an import did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ingested {
    /// How many effective records are new.
    pub added: usize,
    /// How many differ from before.
    pub changed: usize,
    /// How many are gone, since no source names them any more.
    pub removed: usize,
    /// The rows and fields that were refused, by the importer and here.
    pub rejected: Vec<Rejected>,
    /// The changes, one a record.
    pub changes: Vec<Change>,
    /// Whether the list was said to be whole and is kept as incomplete, since rows of it were refused.
    pub coverage_lost: bool,
}

/// Takes a batch into the store, all or nothing.
///
/// # Errors
/// A batch without a usable time, older than the one that the store has of its source, or empty where that had records;
/// a store that cannot be written. Then nothing changed.
pub fn ingest(store: &mut Store, batch: &Batch, file: &ImportedFile, now: Timestamp) -> Result<Ingested> {
    let prepared = checked(batch, now)?;
    let outcome = store.write_unless(|transaction| apply(transaction, &prepared, file, now))?;
    outcome.map_err(|reason| refused(batch, reason))
}

/// Takes several batches into the store in the order given, all or none.
///
/// # Errors
/// As [`ingest`], for the first batch that is refused.
pub fn ingest_all(store: &mut Store, batches: &[(Batch, ImportedFile)], now: Timestamp) -> Result<Vec<Ingested>> {
    let prepared = checked_all(batches, now)?;
    store.write_unless(|transaction| apply_all(transaction, &prepared, batches, now))?
}

/// Tells what [`ingest_all`] would do, and does nothing.
///
/// # Errors
/// As [`ingest_all`].
pub fn preview(store: &mut Store, batches: &[(Batch, ImportedFile)], now: Timestamp) -> Result<Vec<Ingested>> {
    let prepared = checked_all(batches, now)?;
    store.try_out(|transaction| apply_all(transaction, &prepared, batches, now))?
}

fn checked_all(batches: &[(Batch, ImportedFile)], now: Timestamp) -> Result<Vec<Prepared>> {
    batches.iter().map(|(batch, _)| checked(batch, now)).collect()
}

fn apply_all(
    transaction: &Transaction<'_>,
    prepared: &[Prepared],
    batches: &[(Batch, ImportedFile)],
    now: Timestamp,
) -> rusqlite::Result<Result<Vec<Ingested>>> {
    let mut done = Vec::new();
    for (prepared, (batch, file)) in prepared.iter().zip(batches) {
        match apply(transaction, prepared, file, now)? {
            Ok(ingested) => done.push(ingested),
            Err(reason) => return Ok(Err(refused(batch, reason))),
        }
    }
    Ok(Ok(done))
}

fn refused(batch: &Batch, reason: String) -> Error {
    Error::Inventory { subject: batch.source.clone(), reason }
}

/// Prepares a batch whose time is neither unreadable nor to come; a time to come would shut out all later imports.
fn checked(batch: &Batch, now: Timestamp) -> Result<Prepared> {
    let as_of = times::normalised(&batch.as_of).map_err(|reason| refused(batch, format!("as_of {reason}")))?;
    let tomorrow = now.saturating_add(SignedDuration::from_hours(24)).unwrap_or(now);
    if times::is_older(&times::written(tomorrow), &as_of) {
        return Err(refused(
            batch,
            format!("as_of {as_of} lies in the future; say when it was exported with --as-of DATE"),
        ));
    }
    prepare::prepare(batch, as_of).map_err(|reason| refused(batch, reason))
}

/// Does it, or says why it is refused before anything was written.
fn apply(
    transaction: &Transaction<'_>,
    prepared: &Prepared,
    file: &ImportedFile,
    now: Timestamp,
) -> rusqlite::Result<Result<Ingested, String>> {
    let mut touched = match prepared.adds_up {
        true => BTreeSet::new(),
        false => known_claims(transaction, &prepared.source)?,
    };
    if let Some(reason) = refusal(transaction, prepared, file, touched.len())? {
        return Ok(Err(reason));
    }
    write_claims(transaction, prepared)?;
    touched.extend(prepared.claims.keys().cloned());
    let mut changes = Vec::new();
    for (kind, id) in &touched {
        changes.extend(recompute(transaction, *kind, id)?);
    }
    replace_coverage(transaction, prepared)?;
    replace_changes(transaction, &prepared.source, &changes)?;
    add_observations(transaction, prepared)?;
    note_import(transaction, prepared, file, now)?;
    let count = |what| changes.iter().filter(|change| change.what == what).count();
    Ok(Ok(Ingested {
        added: count(What::Added),
        changed: count(What::Changed),
        removed: count(What::Removed),
        rejected: prepared.rejected.clone(),
        changes,
        coverage_lost: prepared.coverage_lost,
    }))
}

fn known_claims(transaction: &Transaction<'_>, source: &str) -> rusqlite::Result<BTreeSet<(RecordKind, String)>> {
    let mut statement = transaction.prepare_cached("SELECT kind, id FROM claim WHERE source = ?1")?;
    let rows = statement.query_map([source], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    let known = |(kind, id): (String, String)| RecordKind::from_name(&kind).map(|kind| (kind, id));
    rows.filter_map(|row| row.map(known).transpose()).collect()
}

fn refusal(
    transaction: &Transaction<'_>,
    prepared: &Prepared,
    file: &ImportedFile,
    known: usize,
) -> rusqlite::Result<Option<String>> {
    // What a log saw stays true, however old; only lists grow stale.
    if prepared.adds_up {
        return Ok(None);
    }
    let newest: Option<String> = transaction
        .prepare_cached("SELECT max(as_of) FROM import WHERE source = ?1")?
        .query_row([&prepared.source], |row| row.get(0))?;
    if let Some(newest) = newest.filter(|newest| times::is_older(&prepared.as_of, newest)) {
        return Ok(Some(format!(
            "is of {}, older than the one of {newest} that the inventory has; nothing was changed. If its date is wrong, say \
             --as-of DATE",
            prepared.as_of
        )));
    }
    if prepared.claims.is_empty() && known > 0 && !file.may_be_empty {
        return Ok(Some(format!(
            "holds no usable record, while the inventory has {known} of this source; nothing was changed. If that is right, say \
             --allow-empty"
        )));
    }
    Ok(None)
}

/// Replaces the claims of a list. Those of a log stay, and of two pieces that name one record the newer counts.
fn write_claims(transaction: &Transaction<'_>, prepared: &Prepared) -> rusqlite::Result<()> {
    if !prepared.adds_up {
        transaction.prepare_cached("DELETE FROM claim WHERE source = ?1")?.execute([&prepared.source])?;
    }
    let mut insert = transaction.prepare_cached(
        "INSERT INTO claim (kind, id, source, rank, as_of, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
         ON CONFLICT (kind, id, source) DO UPDATE SET rank = ?4, as_of = ?5, body = ?6 \
         WHERE (?5, ?6) > (as_of, body)",
    )?;
    let rank = rank_number(prepared.rank);
    for ((kind, id), fields) in &prepared.claims {
        insert.execute(params![kind.name(), id, prepared.source, rank, prepared.as_of, effective::body(fields)])?;
    }
    Ok(())
}

fn rank_number(rank: Rank) -> i64 {
    rank as i64
}

/// Makes an effective record of what all sources say now.
fn recompute(transaction: &Transaction<'_>, kind: RecordKind, id: &str) -> rusqlite::Result<Option<Change>> {
    let claims = effective::claims_of(transaction, kind, id)?;
    let old = effective::stored(transaction, kind, id)?;
    let change = |what, fields| Some(Change { kind, id: id.to_owned(), what, fields });
    if claims.is_empty() {
        if old.is_none() {
            return Ok(None);
        }
        effective::remove(transaction, kind, id)?;
        return Ok(change(What::Removed, Vec::new()));
    }
    let fields = effective::joined(kind, &claims).fields;
    let body = effective::body(&fields);
    if old.as_ref() == Some(&body) {
        return Ok(None);
    }
    effective::write(transaction, kind, id, &fields, &body)?;
    Ok(match old {
        None => change(What::Added, Vec::new()),
        Some(old) => change(What::Changed, claims::differences(&effective::parse(&old)?, &fields)),
    })
}

fn replace_coverage(transaction: &Transaction<'_>, prepared: &Prepared) -> rusqlite::Result<()> {
    transaction.prepare_cached("DELETE FROM coverage WHERE source = ?1")?.execute([&prepared.source])?;
    let mut insert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO coverage (provider, account, source, file, as_of, complete) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for entry in &prepared.coverage {
        let values = params![entry.provider, entry.account, prepared.source, entry.source, entry.as_of, entry.complete];
        insert.execute(values)?;
    }
    Ok(())
}

fn replace_changes(transaction: &Transaction<'_>, source: &str, changes: &[Change]) -> rusqlite::Result<()> {
    transaction.prepare_cached("DELETE FROM change WHERE source = ?1")?.execute([source])?;
    let mut insert: CachedStatement<'_> = transaction
        .prepare_cached("INSERT INTO change (source, kind, id, what, fields) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for change in changes {
        let fields = serde_json::Value::from(change.fields.clone()).to_string();
        insert.execute(params![source, change.kind.name(), change.id, change.what.name(), fields])?;
    }
    Ok(())
}

/// Adds what a log saw. Logs are exported in pieces, so an earlier piece is not taken away.
fn add_observations(transaction: &Transaction<'_>, prepared: &Prepared) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached(
        "INSERT OR REPLACE INTO observation (source, event, key_kind, key_value, action, target, actor, address, at) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )?;
    for seen in &prepared.observations {
        insert.execute(params![
            prepared.source,
            seen.event,
            seen.key_kind,
            seen.key_value,
            seen.action,
            seen.target,
            seen.actor,
            seen.address,
            seen.at
        ])?;
    }
    Ok(())
}

fn note_import(
    transaction: &Transaction<'_>,
    prepared: &Prepared,
    file: &ImportedFile,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let rows = prepared.claims.len() + prepared.observations.len();
    transaction
        .prepare_cached(
            "INSERT INTO import (source, kind, file, sha256, as_of, imported_at, rows, rejected) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            prepared.source,
            prepared.kind,
            file.name,
            file.sha256,
            prepared.as_of,
            times::written(now),
            rows as i64,
            prepared.rejected.len() as i64
        ])?;
    Ok(())
}

/// Claims of a batch by kind and id.
pub(super) type ClaimsByRecord = BTreeMap<(RecordKind, String), Fields>;
