//! What an identity reaches: what the inventory declares and what logs show, kept apart, with the other places and
//! credentials through which the same hands can reach it.
//!
//! A declaration is a promise and a log is a fact, and neither stands for the other: where no log was imported the answer
//! says so instead of showing nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::card::IdentityCard;
use super::reader::Reader;
use super::standing;
use super::who::Found;
use crate::error::Result;
use crate::finding::Finding;
use crate::identity::remembered;
use crate::inventory::model::{IdentityRecord, Observation};

/// How many sorts of use an answer lists.
const MOST_USES: usize = 200;
/// How many addresses and actors are named for each.
const MOST_NAMED: usize = 8;

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Blast {
    /// The identity with its people and all its credentials.
    pub identity: IdentityCard,
    /// What the inventory says that it may do.
    pub declared: Declared,
    /// What logs show that it did.
    pub observed: Observed,
    /// Where scans found a credential of it.
    pub found: Vec<Found>,
    /// The oldest date at which one of those places had it, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposed_since: Option<String>,
    /// Other identities that share its AI system or its reach.
    pub neighbours: Vec<Neighbour>,
}

/// What the inventory says that an identity may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the fields are those of IdentityRecord")]
pub struct Declared {
    pub privilege: Option<String>,
    pub needs: Option<String>,
    pub environment: Option<String>,
    pub scopes: Vec<String>,
    pub reaches: Vec<String>,
    pub data_classes: Vec<String>,
    pub consumers: Vec<String>,
}

impl Declared {
    /// Whether the inventory says nothing at all of what it may reach.
    pub fn is_silent(&self) -> bool {
        self.privilege.is_none() && self.scopes.is_empty() && self.reaches.is_empty() && self.data_classes.is_empty()
    }
}

impl From<&IdentityCard> for Declared {
    fn from(card: &IdentityCard) -> Self {
        let identity = &card.identity;
        let of_credentials = card.credentials.iter().flat_map(|record| &record.scopes);
        let scopes: BTreeSet<&String> = identity.scopes.iter().chain(of_credentials).collect();
        Self {
            privilege: identity.privilege.clone(),
            needs: identity.needs.clone(),
            environment: identity.environment.clone(),
            scopes: scopes.into_iter().cloned().collect(),
            reaches: identity.reaches.clone(),
            data_classes: identity.data_classes.clone(),
            consumers: identity.consumers.clone(),
        }
    }
}

/// What logs show.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// The logs that were looked into, of whatever identity they speak. None means that nothing can be said of use.
    pub logs: Vec<Log>,
    /// How many events name a credential of the identity.
    pub events: u64,
    /// How many of them came after the credential was exposed.
    pub since_exposure: u64,
    /// The events, by action and target, the most frequent first.
    pub uses: Vec<Use>,
    /// How many further sorts of use there are.
    pub more_uses: u64,
}

/// A log that was looked into.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Log {
    /// Its source.
    pub source: String,
    /// How many events it has.
    pub events: u64,
    /// Its first event, in RFC 3339.
    pub from: String,
    /// Its last event, in RFC 3339.
    pub to: String,
}

/// One sort of use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Use {
    /// What was done.
    pub action: String,
    /// To what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How often.
    pub count: u64,
    /// First.
    pub first: String,
    /// Last.
    pub last: String,
    /// From where, the first few.
    pub addresses: Vec<String>,
    /// By whom, as the log says, the first few.
    pub actors: Vec<String>,
    /// Whether reach is declared and this target is none of it.
    pub undeclared: bool,
}

/// An identity that is close to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Neighbour {
    /// Its id.
    pub id: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the two share.
    pub shares: Vec<String>,
}

/// Answers what an identity reaches. `extra` holds events of a log that is not in the store, by the log's name.
///
/// # Errors
/// A store that cannot be read.
pub fn blast(reader: &Reader<'_>, identity: IdentityRecord, extra: &[(String, Vec<Observation>)]) -> Result<Blast> {
    let card = IdentityCard::of(reader, identity)?;
    let declared = Declared::from(&card);
    let findings = findings_of(reader, &card)?;
    let exposed_since = findings.iter().filter_map(|finding| finding.first_seen.clone()).min();
    let keys = keys_of(&card);
    let mut events = reader.observations(&keys)?;
    let mut logs = logs_of(reader)?;
    for (name, all) in extra {
        logs.extend(log_of(name, all));
        events.extend(all.iter().filter(|event| is_of(event, &keys)).cloned());
    }
    let neighbours = neighbours(reader, &card.identity)?;
    let observed = observed(logs, &events, &declared, exposed_since.as_deref());
    let found = findings.iter().map(Found::from).collect();
    Ok(Blast { identity: card, declared, observed, found, exposed_since, neighbours })
}

/// Returns the remembered findings that are linked to an identity or have the fingerprint of one of its credentials.
///
/// # Errors
/// A store that cannot be read.
pub fn findings_of(reader: &Reader<'_>, card: &IdentityCard) -> Result<Vec<Finding>> {
    let fingerprints: BTreeSet<&String> = card.credentials.iter().flat_map(|record| &record.join.fp).collect();
    let mut found = Vec::new();
    for mut finding in remembered::all(reader.store())? {
        finding.identity = standing::link_of(reader, &finding)?;
        let linked = finding.identity.id.as_deref() == Some(card.identity.id.as_str());
        if linked || fingerprints.contains(&finding.fingerprint) {
            found.push(finding);
        }
    }
    Ok(found)
}

/// Returns the keys by which a log may name an identity or one of its credentials.
fn keys_of(card: &IdentityCard) -> Vec<(String, String)> {
    let mut keys: BTreeSet<(String, String)> = BTreeSet::new();
    for record in &card.credentials {
        let join = &record.join;
        for (kind, values) in [("digest", &join.digests), ("id", &join.ids), ("public-id", &join.public_ids)] {
            keys.extend(values.iter().map(|value| (kind.to_owned(), value.clone())));
        }
    }
    for (system, value) in &card.identity.external_ids {
        keys.insert(("external-id".into(), format!("{system}:{value}")));
        keys.insert(("external-id".into(), value.clone()));
    }
    keys.into_iter().collect()
}

fn is_of(event: &Observation, keys: &[(String, String)]) -> bool {
    keys.iter().any(|(kind, value)| *kind == event.key_kind && *value == event.key_value)
}

fn logs_of(reader: &Reader<'_>) -> Result<Vec<Log>> {
    let logs = reader.logs()?.into_iter();
    Ok(logs.map(|(source, events, from, to)| Log { source, events, from, to }).collect())
}

fn log_of(name: &str, events: &[Observation]) -> Option<Log> {
    let from = events.iter().map(|event| &event.at).min()?.clone();
    let to = events.iter().map(|event| &event.at).max()?.clone();
    Some(Log { source: name.to_owned(), events: events.len() as u64, from, to })
}

fn observed(logs: Vec<Log>, events: &[Observation], declared: &Declared, exposed: Option<&str>) -> Observed {
    let mut uses: BTreeMap<(String, Option<String>), Use> = BTreeMap::new();
    for event in events {
        let entry = uses.entry((event.action.clone(), event.target.clone())).or_insert_with(|| Use {
            action: event.action.clone(),
            target: event.target.clone(),
            first: event.at.clone(),
            undeclared: is_undeclared(event, declared),
            ..Use::default()
        });
        entry.count += 1;
        entry.first = entry.first.clone().min(event.at.clone());
        entry.last = entry.last.clone().max(event.at.clone());
        for (names, name) in [(&mut entry.addresses, &event.address), (&mut entry.actors, &event.actor)] {
            if let Some(name) = name.as_ref().filter(|name| !names.contains(name) && names.len() < MOST_NAMED) {
                names.push(name.clone());
            }
        }
    }
    let mut uses: Vec<Use> = uses.into_values().collect();
    uses.sort_by(|left, right| right.undeclared.cmp(&left.undeclared).then(right.count.cmp(&left.count)));
    let more_uses = uses.len().saturating_sub(MOST_USES) as u64;
    uses.truncate(MOST_USES);
    let since = |event: &&Observation| exposed.is_some_and(|exposed| is_after(&event.at, exposed));
    let since_exposure = events.iter().filter(since).count() as u64;
    Observed { logs, events: events.len() as u64, since_exposure, uses, more_uses }
}

/// Whether a time is at or after another; both in RFC 3339 with any offset.
fn is_after(time: &str, start: &str) -> bool {
    match (time.parse::<jiff::Timestamp>(), start.parse::<jiff::Timestamp>()) {
        (Ok(time), Ok(start)) => time >= start,
        _ => time >= start,
    }
}

/// Whether reach is declared and no part of it names the event's target.
fn is_undeclared(event: &Observation, declared: &Declared) -> bool {
    let Some(target) = event.target.as_ref().map(|target| target.to_ascii_lowercase()) else { return false };
    let named = |reach: &String| {
        let reach = reach.to_ascii_lowercase();
        let resource = reach.split_once(':').map_or(reach.as_str(), |(_, resource)| resource);
        target.contains(resource) || resource.contains(&target)
    };
    !declared.reaches.is_empty() && !declared.reaches.iter().any(named)
}

/// Returns the identities that share the AI system or something that is reached.
fn neighbours(reader: &Reader<'_>, identity: &IdentityRecord) -> Result<Vec<Neighbour>> {
    let mut neighbours = Vec::new();
    for other in reader.identities()? {
        if other.id == identity.id {
            continue;
        }
        let mut shares: Vec<String> = Vec::new();
        if let Some(system) = other.ai_system.as_ref().filter(|system| identity.ai_system.as_ref() == Some(system)) {
            shares.push(format!("AI system {system}"));
        }
        shares.extend(other.reaches.iter().filter(|reach| identity.reaches.contains(reach)).cloned());
        if !shares.is_empty() {
            neighbours.push(Neighbour { id: other.id, name: other.name, shares });
        }
    }
    Ok(neighbours)
}
