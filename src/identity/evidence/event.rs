//! One event of the record, and the hash by which the next one holds on to it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::form;
use crate::inventory::times;

/// What the first event names as the hash before it: 64 zeros.
pub const FIRST_PREVIOUS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
/// How long the canonical form of an event may be, in bytes.
pub const MOST_BYTES: usize = 1 << 20;

/// Something that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its number, counted from 1 without a gap.
    pub seq: u64,
    /// When it was recorded, in RFC 3339.
    pub time: String,
    /// Who did it.
    pub actor: String,
    /// What was done: one of [`super::action`].
    pub action: String,
    /// To what it was done.
    pub subject: String,
    /// What else is worth proving.
    pub data: Value,
    /// The hash of the event before it; [`FIRST_PREVIOUS`] for the first.
    pub prev: String,
    /// BLAKE3 over `prev` and the canonical JSON of all other fields but this one, as 64 lower-case hexadecimal digits.
    pub hash: String,
}

impl Event {
    /// Makes the event after the one with number `last` and hash `prev`. The data must be in its settled form.
    pub(super) fn following(
        last: u64,
        prev: &str,
        now: Timestamp,
        actor: &str,
        action: &str,
        subject: &str,
        data: Value,
    ) -> Self {
        let mut event = Self {
            seq: last.saturating_add(1),
            time: times::written(now),
            actor: actor.to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            data,
            prev: prev.to_owned(),
            hash: String::new(),
        };
        event.hash = event.reckoned_hash();
        event
    }

    /// Returns the hash that the fields give; it is [`Event::hash`] unless one of them was changed.
    pub fn reckoned_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(self.prev.as_bytes());
        hasher.update(form::canonical(&self.covered()).as_bytes());
        hasher.finalize().to_hex().to_string()
    }

    /// What the hash covers beside `prev`.
    fn covered(&self) -> Value {
        json!({
            "action": self.action, "actor": self.actor, "data": self.data,
            "seq": self.seq, "subject": self.subject, "time": self.time,
        })
    }

    /// Returns the one line that stands for the event in `events.jsonl`.
    pub fn line(&self) -> String {
        let mut whole = self.covered();
        whole["prev"] = self.prev.clone().into();
        whole["hash"] = self.hash.clone().into();
        form::canonical(&whole)
    }
}
