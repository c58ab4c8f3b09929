//! The record of what was done, kept so that a later change of it can be seen: each event's hash covers the hash before it.
//!
//! [`append`] is for every part that does something worth proving later: a scan that ended, a link that a person decided, a
//! list that was imported, a credential that was enrolled or revoked. [`check`] reads such a record and says where it was
//! edited, cut or put into another order; [`bundle`] puts the record together with what it is about.
//!
//! A chain proves that nothing *inside* it was changed. It does not stop someone who writes the whole of it anew: for that its
//! last hash has to be kept where that person cannot write, such as a signed git tag.

pub mod bundle;
pub mod bundle_check;
pub mod check;
mod event;
mod form;
pub mod matrix;
pub mod pseudonyms;

use std::io;

use jiff::Timestamp;
use rusqlite::{Connection, Row};
use serde_json::Value;

pub use self::event::{Event, FIRST_PREVIOUS, MOST_BYTES};

use crate::error::{Error, Result};
use crate::store::Store;

/// What was done, as `action` of an event. Other parts add no words of their own, so that a reader knows them all.
pub mod action {
    /// A scan ended; `data` says what it read and what it skipped.
    pub const SCANNED: &str = "scan-done";
    /// A provider's list or a hand-kept file was imported.
    pub const IMPORTED: &str = "inventory-imported";
    /// The fingerprint of a credential was enrolled.
    pub const ENROLLED: &str = "credential-enrolled";
    /// A person accepted a link.
    pub const LINK_ACCEPTED: &str = "link-accepted";
    /// A person rejected a link.
    pub const LINK_REJECTED: &str = "link-rejected";
    /// A provider was asked whether a credential works.
    pub const VERIFIED: &str = "credential-verified";
    /// A credential was revoked at its provider, or the attempt failed; `data` says which.
    pub const REVOKED: &str = "credential-revoked";
    /// A runbook was made for a finding.
    pub const RUNBOOK: &str = "runbook-made";
    /// A bundle of evidence was written.
    pub const EXPORTED: &str = "evidence-exported";
}

/// Adds an event to the record of a store and returns it with its number and hash.
///
/// `actor` is the person or account that did it, `action` one of [`action`], `subject` what it was done to (a fingerprint, an
/// id, a file), and `data` an object with what else is worth proving. None of them may hold a secret. A number that is no
/// integer is kept as text, because its digits may differ after it was read again.
///
/// # Errors
/// A store that cannot be written, or an event of more than a mebibyte.
pub fn append(
    store: &mut Store,
    actor: &str,
    action: &str,
    subject: &str,
    data: &Value,
    now: Timestamp,
) -> Result<Event> {
    let path = store.path().to_owned();
    let data = form::settled(data);
    let event = store.write(|transaction| {
        let (last, prev) = last(transaction)?;
        let event = Event::following(last, &prev, now, actor, action, subject, data);
        if event.line().len() <= MOST_BYTES {
            insert(transaction, &event)?;
        }
        Ok(event)
    })?;
    if event.line().len() > MOST_BYTES {
        let reason = format!("an event ({action}) of more than {MOST_BYTES} bytes is not recorded; name less in it");
        return Err(Error::Store { path, reason });
    }
    Ok(event)
}

/// The number and hash of the last event; 0 and [`FIRST_PREVIOUS`] where there is none.
fn last(connection: &Connection) -> rusqlite::Result<(u64, String)> {
    let query = "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1";
    let row = connection.query_row(query, [], |row| Ok((number(row, 0)?, row.get(1)?)));
    match row {
        Err(rusqlite::Error::QueryReturnedNoRows) => Ok((0, FIRST_PREVIOUS.to_owned())),
        row => row,
    }
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, i64>(column)?.unsigned_abs())
}

fn insert(connection: &Connection, event: &Event) -> rusqlite::Result<()> {
    let seq = i64::try_from(event.seq).unwrap_or(i64::MAX);
    connection.execute(
        "INSERT INTO event (seq, time, actor, action, subject, data, prev, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            seq,
            &event.time,
            &event.actor,
            &event.action,
            &event.subject,
            form::canonical(&event.data),
            &event.prev,
            &event.hash,
        ),
    )?;
    Ok(())
}

/// Returns all events of a store, oldest first, as they stand there: [`check::check`] says whether they are what was written.
///
/// # Errors
/// A store that cannot be read.
pub fn read(store: &Store) -> Result<Vec<Event>> {
    store.read(|connection| {
        let mut query =
            connection.prepare("SELECT seq, time, actor, action, subject, data, prev, hash FROM event ORDER BY seq")?;
        let events = query.query_map([], |row| {
            let data: String = row.get(5)?;
            Ok(Event {
                seq: number(row, 0)?,
                time: row.get(1)?,
                actor: row.get(2)?,
                action: row.get(3)?,
                subject: row.get(4)?,
                // The table takes JSON alone; what was put there past the table shows as an edit.
                data: serde_json::from_str(&data).unwrap_or(Value::Null),
                prev: row.get(6)?,
                hash: row.get(7)?,
            })
        })?;
        events.collect()
    })
}

/// Writes events as `events.jsonl`: each in its canonical form, one a line.
///
/// # Errors
/// What the writer says.
pub fn write(events: &[Event], output: &mut dyn io::Write) -> io::Result<()> {
    events.iter().try_for_each(|event| writeln!(output, "{}", event.line()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn moment(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).expect("a time")
    }

    #[test]
    fn events_are_numbered_and_each_names_the_hash_before_it() {
        let mut store = Store::in_memory().expect("a store");
        let first =
            append(&mut store, "ana", action::SCANNED, "web", &json!({"findings": 2}), moment(0)).expect("kept");
        let second = append(&mut store, "ana", action::LINK_ACCEPTED, "b3k1:x", &json!({}), moment(1)).expect("kept");
        assert_eq!((first.seq, first.prev.as_str(), second.seq), (1, FIRST_PREVIOUS, 2));
        assert_eq!(second.prev, first.hash);
        assert_eq!(read(&store).expect("read"), [first, second]);
    }

    #[test]
    fn a_fraction_is_kept_as_text_so_that_it_reads_the_same_again() {
        let mut store = Store::in_memory().expect("a store");
        let data = json!({"score": 0.1 + 0.2, "list": [1, {"b": 2, "a": 1.5}]});
        let event = append(&mut store, "ana", action::LINK_ACCEPTED, "x", &data, moment(0)).expect("kept");
        assert_eq!(event.data, json!({"score": "0.30000000000000004", "list": [1, {"a": "1.5", "b": 2}]}));
        assert_eq!(read(&store).expect("read")[0].reckoned_hash(), event.hash);
    }

    #[test]
    fn an_event_too_long_to_be_read_again_is_refused_and_not_kept() {
        let mut store = Store::in_memory().expect("a store");
        let data = json!({ "text": "x".repeat(MOST_BYTES) });
        let error = append(&mut store, "ana", action::IMPORTED, "x", &data, moment(0)).expect_err("too long");
        assert!(error.to_string().contains("not recorded"), "{error}");
        assert!(read(&store).expect("read").is_empty());
    }
}
