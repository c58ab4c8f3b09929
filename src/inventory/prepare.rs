//! Makes a batch ready for the store: what says nothing is left out, join keys are brought into one form, and what an
//! inventory must not hold is refused, each with its reason.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::batch::{Batch, Rank, Rejected};
use super::claims::{self, Fields};
use super::guard::{self, Sighting};
use super::import::Kind;
use super::ingest::{ClaimsByRecord, RecordKind};
use super::keys::{KeyKind, normalised};
use super::model::{Coverage, Observation};
use super::{times, types};

/// The longest id, in bytes.
const LONGEST_ID: usize = 512;

/// A batch that is ready for the store.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) source: String,
    pub(super) kind: String,
    pub(super) as_of: String,
    pub(super) rank: Rank,
    pub(super) claims: ClaimsByRecord,
    pub(super) coverage: Vec<Coverage>,
    pub(super) observations: Vec<Observation>,
    pub(super) rejected: Vec<Rejected>,
    /// Whether a list was said to be whole and is not, since rows of it were refused.
    pub(super) coverage_lost: bool,
    /// Whether it is a piece of a log, which adds to the earlier pieces; a list replaces the earlier one.
    pub(super) adds_up: bool,
}

/// Makes a batch ready.
///
/// # Errors
/// A batch without a source; an engine that does not open.
pub(super) fn prepare(batch: &Batch, as_of: String) -> Result<Prepared, String> {
    if batch.source.trim().is_empty() {
        return Err("a batch must name its source".into());
    }
    let mut rows = Rows { claims: BTreeMap::new(), rejected: batch.rejected.clone(), lost: batch.rejected.len() };
    rows.add_all(RecordKind::Person, &batch.people);
    rows.add_all(RecordKind::Identity, &batch.identities);
    rows.add_all(RecordKind::Credential, &batch.credentials);
    let observations = rows.observations(&batch.observations);
    let observations = rows.without_secrets(observations)?;
    let (coverage, coverage_lost) = rows.coverage(batch, &as_of);
    Ok(Prepared {
        source: batch.source.clone(),
        kind: batch.kind.clone(),
        as_of,
        rank: batch.rank,
        claims: rows.claims,
        coverage,
        observations,
        rejected: rows.rejected,
        coverage_lost,
        adds_up: is_log(batch),
    })
}

/// Whether a batch tells of use. Logs are exported in pieces, and what one piece saw stays true.
fn is_log(batch: &Batch) -> bool {
    let kind = batch.kind.parse::<Kind>();
    kind.is_ok_and(Kind::is_log) || (batch.coverage.is_empty() && !batch.observations.is_empty())
}

/// The rows that stand so far.
struct Rows {
    claims: ClaimsByRecord,
    rejected: Vec<Rejected>,
    /// How many whole rows were refused, by the importer or here.
    lost: usize,
}

impl Rows {
    fn add_all<T: Serialize>(&mut self, kind: RecordKind, records: &[T]) {
        for (number, record) in records.iter().enumerate() {
            let Ok(Value::Object(mut fields)) = serde_json::to_value(record) else { continue };
            claims::tidy(&mut fields);
            if let Err((place, reason)) = self.add(kind, number, fields) {
                self.lost += 1;
                self.rejected.push(Rejected { place, reason });
            }
        }
    }

    /// Adds a row, or says which row is refused and why.
    fn add(&mut self, kind: RecordKind, number: usize, mut fields: Fields) -> Result<(), (String, String)> {
        let id = fields.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if id.is_empty() || id.len() > LONGEST_ID || id.chars().any(char::is_control) {
            let place = format!("{} {}", kind.name(), number + 1);
            return Err((place, format!("id must have 1 to {LONGEST_ID} bytes without control characters")));
        }
        let place = format!("{} {id}", kind.name());
        if kind == RecordKind::Credential {
            self.normalise_join(&place, &mut fields);
        }
        claims::sort_lists(&mut fields, "");
        match self.claims.entry((kind, id)) {
            Entry::Vacant(vacant) => {
                vacant.insert(fields);
                Ok(())
            }
            Entry::Occupied(mut known) => claims::unite(known.get_mut(), &fields).map_err(|field| {
                (place, format!("is given twice and differs in {field}; the first stands. Give each its own id"))
            }),
        }
    }

    /// Brings the join keys of a credential into one form; a key that cannot be kept is left out and named.
    fn normalise_join(&mut self, place: &str, fields: &mut Fields) {
        let Some(Value::Object(join)) = fields.get_mut("join") else { return };
        let lists = [
            ("fp", KeyKind::Fingerprint),
            ("digests", KeyKind::Digest),
            ("ids", KeyKind::Id),
            ("public_ids", KeyKind::PublicId),
            ("account", KeyKind::Account),
        ];
        for (name, kind) in lists {
            let Some(Value::Array(list)) = join.get_mut(name) else { continue };
            list.retain_mut(|entry| match normalised(kind, entry.as_str().unwrap_or_default()) {
                Ok(key) => {
                    *entry = Value::from(key);
                    true
                }
                Err(reason) => {
                    let reason = format!("join.{name} {reason}; the record is kept without it");
                    self.rejected.push(Rejected { place: place.to_owned(), reason });
                    false
                }
            });
        }
        self.check_hint(place, fields);
        claims::tidy(fields);
    }

    fn check_hint(&mut self, place: &str, fields: &mut Fields) {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let (sort, provider) = (text("type"), text("provider"));
        let hint = fields.get("join").and_then(|join| join.get("hint"));
        let Some(hint) = hint else { return };
        let part = |name: &str| hint.get(name).and_then(Value::as_str).unwrap_or_default();
        let (head, tail) = (part("head"), part("tail"));
        let checked = match head.len() + tail.len() {
            0 => Err("shows nothing".into()),
            _ => guard::hint(sort, provider.or_else(|| sort.and_then(types::provider_of)), head, tail),
        };
        let Err(reason) = checked else { return };
        if let Some(Value::Object(join)) = fields.get_mut("join") {
            join.remove("hint");
        }
        let reason = format!("join.hint {reason}; the record is kept without it");
        self.rejected.push(Rejected { place: place.to_owned(), reason });
    }

    /// Takes out whole credentials: the field that holds one, the record whose id is one, the event.
    fn without_secrets(&mut self, events: Vec<Observation>) -> Result<Vec<Observation>, String> {
        let sightings = guard::whole_secrets(&self.claims, &events).map_err(|error| error.to_string())?;
        let mut bad_events = BTreeSet::new();
        for sighting in sightings {
            let (place, reason) = match sighting {
                Sighting::Event(place, detector) => {
                    bad_events.insert(place);
                    (format!("event {}", place + 1), format!("holds what looks like a whole {detector}; it is refused"))
                }
                Sighting::Record(kind, id, field, detector) => self.take_out(kind, id, &field, &detector),
            };
            self.rejected.push(Rejected { place, reason });
        }
        let kept = events.into_iter().enumerate().filter(|(place, _)| !bad_events.contains(place));
        Ok(kept.map(|(_, seen)| seen).collect())
    }

    fn take_out(&mut self, kind: RecordKind, id: String, field: &str, detector: &str) -> (String, String) {
        if field == "id" {
            self.lost += usize::from(self.claims.remove(&(kind, id)).is_some());
            let reason = format!("its id holds what looks like a whole {detector}; the record is refused");
            return (format!("a {}", kind.name()), reason);
        }
        let place = format!("{} {id}", kind.name());
        if let Some(fields) = self.claims.get_mut(&(kind, id)) {
            let (outer, inner) = field.split_once('.').unwrap_or((field, ""));
            match fields.get_mut(outer) {
                // Below the second level everything goes, and so does a name that is a credential itself.
                Some(Value::Object(entries)) if outer == "join" => {
                    entries.remove(inner.split('.').next().unwrap_or_default());
                }
                _ => {
                    fields.remove(outer);
                }
            }
            claims::tidy(fields);
        }
        let field = if field.starts_with("external_ids.") { "external_ids" } else { field };
        (place, format!("{field} holds what looks like a whole {detector}; the record is kept without it"))
    }

    fn observations(&mut self, observations: &[Observation]) -> Vec<Observation> {
        let mut kept = Vec::with_capacity(observations.len());
        for seen in observations {
            match observation(seen) {
                Ok(seen) => kept.push(seen),
                Err(reason) => {
                    self.rejected.push(Rejected { place: format!("event {}", kept.len() + 1), reason });
                }
            }
        }
        kept
    }

    /// Returns what the batch is a list of. A provider's list of which rows were refused is not whole: a leaked value may be
    /// one of those.
    fn coverage(&self, batch: &Batch, as_of: &str) -> (Vec<Coverage>, bool) {
        let lost = batch.rank == Rank::Imported && self.lost > 0;
        let mut any_lost = false;
        let entries = batch.coverage.iter().map(|entry| {
            any_lost |= lost && entry.complete;
            Coverage {
                provider: entry.provider.trim().to_ascii_lowercase(),
                account: entry.account.trim().to_owned(),
                as_of: times::normalised(&entry.as_of).unwrap_or_else(|_| as_of.to_owned()),
                complete: entry.complete && !lost,
                source: entry.source.clone(),
            }
        });
        let entries = entries.collect();
        (entries, any_lost)
    }
}

fn observation(seen: &Observation) -> Result<Observation, String> {
    let kind = KeyKind::from_name(&seen.key_kind).ok_or("is of no known kind of key")?;
    let key_value = normalised(kind, &seen.key_value).map_err(|reason| format!("its key {reason}"))?;
    let at = times::normalised(&seen.at).map_err(|reason| format!("its time {reason}"))?;
    if seen.event.is_empty() || seen.event.len() > LONGEST_ID {
        return Err(format!("its id must have 1 to {LONGEST_ID} bytes"));
    }
    Ok(Observation { key_kind: kind.name().into(), key_value, at, ..seen.clone() })
}
