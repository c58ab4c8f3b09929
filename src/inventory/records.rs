//! Questions to the inventory: the effective records, what finds them, what is covered, where each field comes from. Every
//! lookup by a value is one of an index, whatever the size of the store.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, Params, Row, params};
use serde::de::DeserializeOwned;

use super::effective::{self, parse};
pub use super::ingest::{Change, ImportedFile, Ingested, RecordKind, What, ingest, ingest_all, preview};
use super::keys::KeyKind;
use super::model::{Coverage, CredentialRecord, Hint, IdentityRecord, Observation, Person};
use super::types::is_ai_provider;
use crate::error::Result;
use crate::store::Store;

/// The most records that one key gives. A key that names more names no credential, but an account.
pub const MOST_BY_KEY: usize = 256;
/// The most events that one key gives, the newest.
pub const MOST_OBSERVATIONS: usize = 10_000;

/// Which identities to list; what is not set does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The provider's slug.
    pub provider: Option<String>,
    /// The account at the provider.
    pub account: Option<String>,
    /// The owner, by id or by any alias.
    pub owner: Option<String>,
    /// The environment.
    pub environment: Option<String>,
    /// The AI system.
    pub ai_system: Option<String>,
    /// Only what belongs to AI: an agent, a part of an AI system, or at a provider that serves AI workloads.
    pub ai: bool,
}

/// A file that was imported.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ImportRecord {
    /// What it speaks for.
    pub source: String,
    /// The importer's name.
    pub kind: String,
    /// The file's name, as given.
    pub file: String,
    /// SHA-256 of its bytes, in hexadecimal digits.
    pub sha256: String,
    /// When it was written.
    pub as_of: String,
    /// When it was imported.
    pub imported_at: String,
    /// How many records and events of it were taken.
    pub rows: u64,
    /// How many rows and fields of it were refused.
    pub rejected: u64,
}

/// Returns a person by id, else by an alias (in any case) that only one person has: of a shared one, nobody knows who it is.
///
/// # Errors
/// A store that cannot be read.
pub fn person(store: &Store, id_or_alias: &str) -> Result<Option<Person>> {
    store.read(|connection| person_in(connection, id_or_alias))
}

fn person_in(connection: &Connection, id_or_alias: &str) -> rusqlite::Result<Option<Person>> {
    if let Some(known) = one(connection, "SELECT body FROM person WHERE id = ?1", [id_or_alias])? {
        return Ok(Some(known));
    }
    let mut people: Vec<Person> = records(
        connection,
        "SELECT body FROM person WHERE id IN (SELECT person FROM alias WHERE alias = ?1) LIMIT 2",
        [id_or_alias],
    )?;
    Ok(people.pop().filter(|_| people.is_empty()))
}

/// Returns every person, by id.
///
/// # Errors
/// A store that cannot be read.
pub fn people(store: &Store) -> Result<Vec<Person>> {
    store.read(|connection| records(connection, "SELECT body FROM person ORDER BY id", []))
}

/// Returns an identity by id.
///
/// # Errors
/// A store that cannot be read.
pub fn identity(store: &Store, id: &str) -> Result<Option<IdentityRecord>> {
    store.read(|connection| one(connection, "SELECT body FROM identity WHERE id = ?1", [id]))
}

/// Returns a credential by id. Where no source names its provider, its type does.
///
/// # Errors
/// A store that cannot be read.
pub fn credential(store: &Store, id: &str) -> Result<Option<CredentialRecord>> {
    store.read(|connection| one(connection, "SELECT body FROM credential WHERE id = ?1", [id]))
}

/// Returns the identities that fit, by id.
///
/// # Errors
/// A store that cannot be read.
pub fn identities(store: &Store, filter: &Filter) -> Result<Vec<IdentityRecord>> {
    store.read(|connection| {
        let owners = filter.owner.as_deref().map(|owner| names_of(connection, owner)).transpose()?;
        let owners = owners.map(|owners| serde_json::Value::from_iter(owners).to_string());
        let found: Vec<IdentityRecord> = records(
            connection,
            "SELECT body FROM identity WHERE (?1 IS NULL OR provider = ?1) AND (?2 IS NULL OR account = ?2) \
             AND (?3 IS NULL OR lower(owner) IN (SELECT value FROM json_each(?3))) \
             AND (?4 IS NULL OR environment = ?4) AND (?5 IS NULL OR ai_system = ?5) ORDER BY id",
            params![filter.provider, filter.account, owners, filter.environment, filter.ai_system],
        )?;
        Ok(found.into_iter().filter(|found| !filter.ai || is_ai(found)).collect())
    })
}

/// Whether an identity belongs to AI.
pub fn is_ai(identity: &IdentityRecord) -> bool {
    identity.ai_system.is_some()
        || identity.kind.as_deref() == Some("agent")
        || identity.provider.as_deref().is_some_and(is_ai_provider)
}

/// Returns every name of a person, in lower case.
fn names_of(connection: &Connection, id_or_alias: &str) -> rusqlite::Result<BTreeSet<String>> {
    let mut names = BTreeSet::from([id_or_alias.to_lowercase()]);
    if let Some(person) = person_in(connection, id_or_alias)? {
        let all = [Some(person.id), person.email].into_iter().flatten().chain(person.aliases);
        names.extend(all.map(|name| name.to_lowercase()));
    }
    Ok(names)
}

/// Returns the credentials of an identity, by id.
///
/// # Errors
/// A store that cannot be read.
pub fn credentials_of(store: &Store, identity: &str) -> Result<Vec<CredentialRecord>> {
    store.read(|connection| {
        records(connection, "SELECT body FROM credential WHERE identity = ?1 ORDER BY id", [identity])
    })
}

/// Returns the credentials that a join key names, by id, [`MOST_BY_KEY`] at the most. `value` is in the form of
/// [`super::keys::normalised`]. A record id and an account count with the provider before them, also where only the
/// record's own fields say them. For [`KeyKind::ExternalId`], the credentials of the identities that are called so.
///
/// # Errors
/// A store that cannot be read.
pub fn credentials_by_key(store: &Store, kind: KeyKind, value: &str) -> Result<Vec<CredentialRecord>> {
    const BY_KEY: &str = "SELECT credential.body FROM join_key JOIN credential ON credential.id = join_key.credential \
        WHERE join_key.kind = ?1 AND join_key.value = ?2 ORDER BY join_key.credential LIMIT ?3";
    const BY_EXTERNAL_ID: &str = "SELECT credential.body FROM external_id \
        JOIN credential ON credential.identity = external_id.identity \
        WHERE ?1 = ?1 AND external_id.value = ?2 ORDER BY credential.id LIMIT ?3";
    let query = if kind == KeyKind::ExternalId { BY_EXTERNAL_ID } else { BY_KEY };
    store.read(|connection| records(connection, query, params![kind.name(), value, MOST_BY_KEY as i64]))
}

/// Returns how many credentials a join key names.
///
/// # Errors
/// A store that cannot be read.
pub fn count_by_key(store: &Store, kind: KeyKind, value: &str) -> Result<u64> {
    count(store, "SELECT count(*) FROM join_key WHERE kind = ?1 AND value = ?2", params![kind.name(), value])
}

/// Whether the inventory has any key of a kind that begins so: `hmsl:` costs a digest of every value, and need not be
/// reckoned where no record has one.
///
/// # Errors
/// A store that cannot be read.
pub fn has_keys(store: &Store, kind: KeyKind, prefix: &str) -> Result<bool> {
    // The index is walked from the prefix on: the first key at or after it tells.
    let query = "SELECT value FROM join_key WHERE kind = ?1 AND value >= ?2 ORDER BY value LIMIT 1";
    let first: Option<String> = store.read(|connection| {
        connection.prepare_cached(query)?.query_row([kind.name(), prefix], |row| row.get(0)).optional()
    })?;
    Ok(first.is_some_and(|first| first.starts_with(prefix)))
}

/// Returns the identities that are called so elsewhere: `spiffe:spiffe://acme.example/rag`.
///
/// # Errors
/// A store that cannot be read.
pub fn identities_by_external_id(store: &Store, value: &str) -> Result<Vec<IdentityRecord>> {
    store.read(|connection| {
        records(
            connection,
            "SELECT identity.body FROM external_id JOIN identity ON identity.id = external_id.identity \
             WHERE external_id.value = ?1 ORDER BY identity.id LIMIT 256",
            [value],
        )
    })
}

/// Returns the hints of a provider whose tail is one of `tails`, each with the credential's id. The caller gives each ending
/// of the leaked value (tails have 8 characters at the most) and compares the head. The provider may be empty: of records
/// that name none.
///
/// # Errors
/// A store that cannot be read.
pub fn hints_by_tail(store: &Store, provider: &str, tails: &[&str]) -> Result<Vec<(Hint, String)>> {
    store.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT head, tail, credential FROM hint WHERE provider = ?1 AND tail = ?2 AND tail <> '' \
             ORDER BY head, credential",
        )?;
        let mut found = Vec::new();
        for tail in tails {
            for row in statement.query_map([provider, tail], hint)? {
                found.push(row?);
            }
        }
        Ok(found)
    })
}

/// Returns the hints of a provider that show a beginning alone, which is one of `heads`, each with the credential's id.
///
/// # Errors
/// A store that cannot be read.
pub fn hints_by_head(store: &Store, provider: &str, heads: &[&str]) -> Result<Vec<(Hint, String)>> {
    store.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT head, tail, credential FROM hint WHERE provider = ?1 AND tail = '' AND head = ?2 ORDER BY credential",
        )?;
        let mut found = Vec::new();
        for head in heads {
            for row in statement.query_map([provider, head], hint)? {
                found.push(row?);
            }
        }
        Ok(found)
    })
}

fn hint(row: &Row<'_>) -> rusqlite::Result<(Hint, String)> {
    Ok((Hint { head: row.get(0)?, tail: row.get(1)?, source: None }, row.get(2)?))
}

/// Returns how many credentials of a sort the inventory has, of one account or of all. It counts along an index: who asks
/// for many findings keeps the answer.
///
/// # Errors
/// A store that cannot be read.
pub fn count_of_sort(store: &Store, provider: &str, sort: Option<&str>, account: Option<&str>) -> Result<u64> {
    match (sort, account) {
        (None, None) => count(store, "SELECT count(*) FROM credential WHERE provider = ?1", [provider]),
        (None, Some(account)) => {
            count(store, "SELECT count(*) FROM credential WHERE provider = ?1 AND account = ?2", [provider, account])
        }
        (Some(sort), None) => {
            count(store, "SELECT count(*) FROM credential WHERE provider = ?1 AND type = ?2", [provider, sort])
        }
        (Some(sort), Some(account)) => count(
            store,
            "SELECT count(*) FROM credential WHERE provider = ?1 AND type = ?2 AND account = ?3",
            [provider, sort, account],
        ),
    }
}

/// Returns how many credentials of a provider nothing recognises but an account: their lists show neither hint nor digest
/// nor an id that stands in the value. A value that is found nowhere may be one of them.
///
/// # Errors
/// A store that cannot be read.
pub fn count_unrecognisable(store: &Store, provider: &str) -> Result<u64> {
    count(
        store,
        "SELECT count(*) FROM credential WHERE provider = ?1 \
         AND NOT EXISTS (SELECT 1 FROM hint WHERE hint.credential = credential.id) \
         AND NOT EXISTS (SELECT 1 FROM join_key WHERE join_key.credential = credential.id \
                         AND join_key.kind IN ('fp', 'digest', 'public-id', 'jwt'))",
        [provider],
    )
}

/// Returns of which accounts of a provider the inventory has a list, the newest first.
///
/// # Errors
/// A store that cannot be read.
pub fn coverage(store: &Store, provider: &str) -> Result<Vec<Coverage>> {
    all_coverage(store, Some(provider))
}

/// Returns of what the inventory has lists, of one provider or of all.
///
/// # Errors
/// A store that cannot be read.
pub fn all_coverage(store: &Store, provider: Option<&str>) -> Result<Vec<Coverage>> {
    store.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT provider, account, as_of, complete, file, source FROM coverage WHERE ?1 IS NULL OR provider = ?1 \
             ORDER BY provider, as_of DESC, account, source",
        )?;
        let rows = statement.query_map([provider], |row| {
            let (file, source): (String, String) = (row.get(4)?, row.get(5)?);
            Ok(Coverage {
                provider: row.get(0)?,
                account: row.get(1)?,
                as_of: row.get(2)?,
                complete: row.get(3)?,
                source: if file.is_empty() { source } else { file },
            })
        })?;
        rows.collect()
    })
}

/// Returns the use that logs show of a key, the newest first, [`MOST_OBSERVATIONS`] at the most.
///
/// # Errors
/// A store that cannot be read.
pub fn observations(store: &Store, kind: KeyKind, value: &str) -> Result<Vec<Observation>> {
    store.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT event, key_kind, key_value, action, target, actor, address, at FROM observation \
             WHERE key_kind = ?1 AND key_value = ?2 ORDER BY at DESC, source, event LIMIT ?3",
        )?;
        let rows = statement.query_map(params![kind.name(), value, MOST_OBSERVATIONS as i64], |row| {
            Ok(Observation {
                event: row.get(0)?,
                key_kind: row.get(1)?,
                key_value: row.get(2)?,
                action: row.get(3)?,
                target: row.get(4)?,
                actor: row.get(5)?,
                address: row.get(6)?,
                at: row.get(7)?,
            })
        })?;
        rows.collect()
    })
}

/// Returns of each field of a record (`owner`, `join.hint`, `external_ids.spiffe`) which source decided it, and how new
/// that is; of a list that adds up, the first of its sources. Empty where there is no such record.
///
/// # Errors
/// A store that cannot be read.
pub fn provenance(store: &Store, kind: RecordKind, id: &str) -> Result<BTreeMap<String, (String, String)>> {
    store.read(|connection| {
        let claims = effective::claims_of(connection, kind, id)?;
        let deciders = effective::joined(kind, &claims).deciders;
        let named = |(field, place): (String, usize)| {
            claims.get(place).map(|claim| (field, (claim.source.clone(), claim.as_of.clone())))
        };
        Ok(deciders.into_iter().filter_map(named).collect())
    })
}

/// Returns what was imported, the newest import first.
///
/// # Errors
/// A store that cannot be read.
pub fn imports(store: &Store) -> Result<Vec<ImportRecord>> {
    store.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT source, kind, file, sha256, as_of, imported_at, rows, rejected FROM import ORDER BY id DESC",
        )?;
        let rows = statement.query_map([], |row| {
            Ok(ImportRecord {
                source: row.get(0)?,
                kind: row.get(1)?,
                file: row.get(2)?,
                sha256: row.get(3)?,
                as_of: row.get(4)?,
                imported_at: row.get(5)?,
                rows: row.get::<_, i64>(6)?.unsigned_abs(),
                rejected: row.get::<_, i64>(7)?.unsigned_abs(),
            })
        })?;
        rows.collect()
    })
}

/// Returns what the last import of a source did, by kind and id.
///
/// # Errors
/// A store that cannot be read.
pub fn last_changes(store: &Store, source: &str) -> Result<Vec<Change>> {
    store.read(|connection| {
        let mut statement = connection.prepare_cached("SELECT kind, id, what, fields FROM change WHERE source = ?1")?;
        let rows = statement.query_map([source], |row| {
            let (kind, what): (String, String) = (row.get(0)?, row.get(2)?);
            Ok(RecordKind::from_name(&kind)
                .zip(What::from_name(&what))
                .zip(Some((row.get(1)?, row.get::<_, String>(3)?))))
        })?;
        let mut changes = Vec::new();
        for row in rows {
            let Some(((kind, what), (id, fields))) = row? else { continue };
            changes.push(Change { kind, id, what, fields: parse(&fields)? });
        }
        changes.sort_by(|left, right| (left.kind, &left.id).cmp(&(right.kind, &right.id)));
        Ok(changes)
    })
}

/// Reads one record.
fn one<T: DeserializeOwned>(connection: &Connection, query: &str, values: impl Params) -> rusqlite::Result<Option<T>> {
    connection.prepare_cached(query)?.query_row(values, |row| parse(row.get_ref(0)?.as_str()?)).optional()
}

/// Reads records.
fn records<T: DeserializeOwned>(connection: &Connection, query: &str, values: impl Params) -> rusqlite::Result<Vec<T>> {
    let mut statement = connection.prepare_cached(query)?;
    let rows = statement.query_map(values, |row| parse(row.get_ref(0)?.as_str()?))?;
    rows.collect()
}

fn count(store: &Store, query: &str, values: impl Params) -> Result<u64> {
    let number =
        |connection: &Connection| connection.prepare_cached(query)?.query_row(values, |row| row.get::<_, i64>(0));
    Ok(store.read(number)?.unsigned_abs())
}
