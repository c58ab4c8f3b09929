//! The effective records in the store, with the tables that find them: aliases, join keys, hints, ids elsewhere.

use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::claims::{self, Claim, Fields, Joined};
use super::ingest::RecordKind;
use super::keys::{KeyKind, jwt_key, normalised};
use super::model::JwtClaims;
use super::types;

/// Returns the claims of a record, sorted: the one that decides first.
pub(super) fn claims_of(connection: &Connection, kind: RecordKind, id: &str) -> rusqlite::Result<Vec<Claim>> {
    let mut statement =
        connection.prepare_cached("SELECT source, rank, as_of, body FROM claim WHERE kind = ?1 AND id = ?2")?;
    let rows = statement.query_map([kind.name(), id], |row| {
        let fields = parse(row.get_ref(3)?.as_str()?)?;
        Ok(Claim { source: row.get(0)?, rank: row.get(1)?, as_of: row.get(2)?, fields })
    })?;
    let mut claims = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    claims::sort(&mut claims);
    Ok(claims)
}

/// Joins sorted claims and adds what follows from them.
pub(super) fn joined(kind: RecordKind, claims: &[Claim]) -> Joined {
    let mut joined = claims::join(claims);
    if kind == RecordKind::Credential && !joined.fields.contains_key("provider") {
        let provider = joined.fields.get("type").and_then(Value::as_str).and_then(types::provider_of);
        if let Some(provider) = provider {
            joined.fields.insert("provider".into(), Value::from(provider));
            joined.deciders.extend(joined.deciders.get("type").copied().map(|place| ("provider".to_owned(), place)));
        }
    }
    joined
}

/// Writes a record as text; equal records give equal text.
pub(super) fn body(fields: &Fields) -> String {
    // Maps of this crate are sorted, and a map of strings, numbers and lists always has a written form.
    serde_json::to_string(fields).unwrap_or_default()
}

/// Reads a record from the store's text.
pub(super) fn parse<T: serde::de::DeserializeOwned>(text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into()))
}

fn table_query(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Person => "SELECT body FROM person WHERE id = ?1",
        RecordKind::Identity => "SELECT body FROM identity WHERE id = ?1",
        RecordKind::Credential => "SELECT body FROM credential WHERE id = ?1",
    }
}

/// Returns the text of an effective record.
pub(super) fn stored(connection: &Connection, kind: RecordKind, id: &str) -> rusqlite::Result<Option<String>> {
    connection.prepare_cached(table_query(kind))?.query_row([id], |row| row.get(0)).optional()
}

/// Removes an effective record and what finds it.
pub(super) fn remove(connection: &Connection, kind: RecordKind, id: &str) -> rusqlite::Result<()> {
    let statement = match kind {
        RecordKind::Person => "DELETE FROM person WHERE id = ?1",
        RecordKind::Identity => "DELETE FROM identity WHERE id = ?1",
        RecordKind::Credential => "DELETE FROM credential WHERE id = ?1",
    };
    connection.prepare_cached(statement)?.execute([id]).map(|_| ())
}

/// Writes an effective record and what finds it.
pub(super) fn write(
    connection: &Connection,
    kind: RecordKind,
    id: &str,
    fields: &Fields,
    body: &str,
) -> rusqlite::Result<()> {
    match kind {
        RecordKind::Person => write_person(connection, id, fields, body),
        RecordKind::Identity => write_identity(connection, id, fields, body),
        RecordKind::Credential => write_credential(connection, id, fields, body),
    }
}

fn text<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.get(name).and_then(Value::as_str)
}

fn list<'a>(fields: &'a Fields, name: &str) -> impl Iterator<Item = &'a str> {
    fields.get(name).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn write_person(connection: &Connection, id: &str, fields: &Fields, body: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached("INSERT INTO person (id, body) VALUES (?1, ?2) ON CONFLICT (id) DO UPDATE SET body = ?2")?
        .execute([id, body])?;
    connection.prepare_cached("DELETE FROM alias WHERE person = ?1")?.execute([id])?;
    let mut insert = connection.prepare_cached("INSERT OR IGNORE INTO alias (alias, person) VALUES (?1, ?2)")?;
    for alias in [id].into_iter().chain(text(fields, "email")).chain(list(fields, "aliases")) {
        insert.execute([alias, id])?;
    }
    Ok(())
}

fn write_identity(connection: &Connection, id: &str, fields: &Fields, body: &str) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO identity (id, provider, account, owner, environment, ai_system, body) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO UPDATE SET \
             provider = ?2, account = ?3, owner = ?4, environment = ?5, ai_system = ?6, body = ?7",
        )?
        .execute(params![
            id,
            text(fields, "provider"),
            text(fields, "account"),
            text(fields, "owner"),
            text(fields, "environment"),
            text(fields, "ai_system"),
            body
        ])?;
    connection.prepare_cached("DELETE FROM external_id WHERE identity = ?1")?.execute([id])?;
    let mut insert =
        connection.prepare_cached("INSERT OR IGNORE INTO external_id (value, identity) VALUES (?1, ?2)")?;
    let elsewhere = fields.get("external_ids").and_then(Value::as_object).into_iter().flatten();
    for (system, value) in elsewhere {
        let key = value.as_str().and_then(|value| normalised(KeyKind::ExternalId, &format!("{system}:{value}")).ok());
        key.map_or(Ok(0), |key| insert.execute([key.as_str(), id]))?;
    }
    Ok(())
}

fn write_credential(connection: &Connection, id: &str, fields: &Fields, body: &str) -> rusqlite::Result<()> {
    let provider = text(fields, "provider");
    connection
        .prepare_cached(
            "INSERT INTO credential (id, identity, provider, account, type, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
             ON CONFLICT (id) DO UPDATE SET identity = ?2, provider = ?3, account = ?4, type = ?5, body = ?6",
        )?
        .execute(params![
            id,
            text(fields, "identity"),
            provider,
            text(fields, "account"),
            text(fields, "type"),
            body
        ])?;
    connection.prepare_cached("DELETE FROM join_key WHERE credential = ?1")?.execute([id])?;
    connection.prepare_cached("DELETE FROM hint WHERE credential = ?1")?.execute([id])?;
    let mut insert =
        connection.prepare_cached("INSERT OR IGNORE INTO join_key (kind, value, credential) VALUES (?1, ?2, ?3)")?;
    for (kind, key) in keys_of(fields) {
        insert.execute([kind.name(), key.as_str(), id])?;
    }
    let hint = fields.get("join").and_then(|join| join.get("hint")).and_then(Value::as_object);
    let Some(hint) = hint else { return Ok(()) };
    let (head, tail) = (text(hint, "head").unwrap_or_default(), text(hint, "tail").unwrap_or_default());
    connection
        .prepare_cached("INSERT OR IGNORE INTO hint (provider, tail, head, credential) VALUES (?1, ?2, ?3, ?4)")?
        .execute([provider.unwrap_or_default(), tail, head, id])?;
    Ok(())
}

/// Returns the join keys of a credential: those that it states, and those that follow from its provider.
fn keys_of(fields: &Fields) -> Vec<(KeyKind, String)> {
    let mut keys = Vec::new();
    let join = fields.get("join").and_then(Value::as_object);
    let stated = [
        (KeyKind::Fingerprint, "fp"),
        (KeyKind::Digest, "digests"),
        (KeyKind::Id, "ids"),
        (KeyKind::PublicId, "public_ids"),
        (KeyKind::Account, "account"),
    ];
    for (kind, name) in stated {
        keys.extend(join.into_iter().flat_map(|join| list(join, name)).map(|value| (kind, value.to_owned())));
    }
    if let Some(provider) = text(fields, "provider") {
        for (kind, name) in [(KeyKind::Id, "record_id"), (KeyKind::Account, "account")] {
            let key = text(fields, name).and_then(|value| normalised(kind, &format!("{provider}:{value}")).ok());
            keys.extend(key.map(|key| (kind, key)));
        }
    }
    let claims = join.and_then(|join| join.get("jwt")).cloned();
    let claims = claims.and_then(|claims| serde_json::from_value::<JwtClaims>(claims).ok());
    keys.extend(claims.as_ref().and_then(jwt_key).map(|key| (KeyKind::Jwt, key)));
    keys
}
