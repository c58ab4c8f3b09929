//! Which AI systems there are, which identities they act as, which credentials those have, and what they reach: the graph
//! that `report` draws. What scans found stands at its credential, or by itself where no record is linked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::card::PersonCard;
use super::reader::Reader;
use super::standing;
use crate::error::Result;
use crate::finding::{Finding, IdentityStatus, Liveness};
use crate::identity::remembered;
use crate::inventory::model::{CredentialRecord, IdentityRecord};
use crate::inventory::records::{self, Filter};

/// The graph.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct AiMap {
    /// The AI systems by name; identities without one come last, under no name.
    pub systems: Vec<System>,
    /// What scans found and no identity is linked to.
    pub unlinked: Vec<MapCredential>,
    /// How much there is in all.
    pub totals: Totals,
}

/// How much a map holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Totals {
    pub systems: usize,
    pub identities: usize,
    pub credentials: usize,
    pub reached: usize,
    pub unowned: usize,
    pub leaked: usize,
    pub live: usize,
}

/// One AI system.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct System {
    /// Its name; nothing for the identities that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What it acts as.
    pub identities: Vec<MapIdentity>,
}

/// One identity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MapIdentity {
    /// The record.
    pub identity: IdentityRecord,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonCard>,
    /// Its credentials.
    pub credentials: Vec<MapCredential>,
    /// What it reaches, sorted.
    pub reaches: Vec<String>,
}

impl MapIdentity {
    /// Whether nobody who is there answers for it.
    pub fn is_unowned(&self) -> bool {
        self.owner.as_ref().is_none_or(PersonCard::has_left)
    }
}

impl MapIdentity {
    /// How soon it has to be looked at: live leaks, other leaks, nobody who answers.
    fn urgency(&self) -> (usize, usize, bool) {
        let leaks = || self.credentials.iter().filter_map(|credential| credential.leak.as_ref());
        let live = leaks().filter(|leak| leak.is_live()).count();
        let open = leaks().filter(|leak| !leak.is_live() && leak.state != Liveness::Dead).count();
        (live, open, self.is_unowned())
    }
}

/// One credential.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct MapCredential {
    /// The record's id; nothing for what was found without a record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The sort: a detector's id or the provider's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// The name, the provider's id, or the redacted form.
    pub label: String,
    /// What the record says of its state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it ends, or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// When it was last used, or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
    /// How scans found it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leak: Option<Leak>,
}

/// How a credential was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leak {
    /// The fingerprint.
    pub fingerprint: String,
    /// In how many places.
    pub places: u64,
    /// Whether it works.
    pub state: Liveness,
}

impl Leak {
    /// Whether the provider says that it works.
    pub fn is_live(&self) -> bool {
        matches!(self.state, Liveness::Live | Liveness::Limited)
    }
}

/// Makes the map of the identities that fit.
///
/// # Errors
/// A store that cannot be read.
pub fn map(reader: &Reader<'_>, filter: &Filter) -> Result<AiMap> {
    let mut leaks = Leaks::of(reader)?;
    let mut credentials: BTreeMap<String, Vec<CredentialRecord>> = BTreeMap::new();
    for record in reader.credentials()? {
        if let Some(identity) = &record.identity {
            credentials.entry(identity.clone()).or_default().push(record);
        }
    }
    let mut systems: BTreeMap<String, System> = BTreeMap::new();
    for identity in records::identities(reader.store(), filter)? {
        let records = credentials.remove(&identity.id).unwrap_or_default();
        let node = node(reader, identity, &records, &mut leaks)?;
        let name = node.identity.ai_system.clone();
        let system = systems.entry(name.clone().unwrap_or_default()).or_default();
        system.name = name;
        system.identities.push(node);
    }
    for system in systems.values_mut() {
        // What has to be looked at stands first; within that, the order of ids stays.
        system.identities.sort_by_key(|node| std::cmp::Reverse(node.urgency()));
    }
    let nameless = systems.remove("");
    let systems: Vec<System> = systems.into_values().chain(nameless).collect();
    let is_whole = *filter == Filter::default() || *filter == Filter { ai: true, ..Filter::default() };
    let unlinked = if is_whole { leaks.unlinked } else { Vec::new() };
    let totals = totals(&systems, &unlinked);
    Ok(AiMap { systems, unlinked, totals })
}

fn node(
    reader: &Reader<'_>,
    identity: IdentityRecord,
    records: &[CredentialRecord],
    leaks: &mut Leaks,
) -> Result<MapIdentity> {
    let owner = identity.owner.as_deref().map(|owner| PersonCard::of(reader, owner)).transpose()?;
    let found = leaks.by_identity.remove(&identity.id).unwrap_or_default();
    let mut nodes: Vec<MapCredential> = records.iter().map(credential).collect();
    let mut rest = Vec::new();
    for finding in found {
        let place = records.iter().position(|record| is_of(&finding, record));
        match place {
            Some(place) if nodes[place].leak.is_none() => nodes[place].leak = Some(leak(&finding)),
            _ => rest.push(found_alone(&finding)),
        }
    }
    nodes.extend(rest);
    let mut reaches = identity.reaches.clone();
    reaches.sort();
    reaches.dedup();
    Ok(MapIdentity { identity, owner, credentials: nodes, reaches })
}

fn credential(record: &CredentialRecord) -> MapCredential {
    let label = record.name.as_ref().or(record.record_id.as_ref()).unwrap_or(&record.id);
    MapCredential {
        id: Some(record.id.clone()),
        sort: record.sort.clone(),
        label: label.clone(),
        status: record.status.clone(),
        expires: record.expires.clone(),
        last_used: record.last_used.clone(),
        leak: None,
    }
}

fn found_alone(finding: &Finding) -> MapCredential {
    MapCredential {
        sort: Some(finding.detector.clone()),
        label: finding.redacted.clone(),
        leak: Some(leak(finding)),
        ..MapCredential::default()
    }
}

fn leak(finding: &Finding) -> Leak {
    Leak {
        fingerprint: finding.fingerprint.clone(),
        places: finding.occurrences.len() as u64,
        state: finding.verification.state,
    }
}

/// Whether a finding is the credential of a record.
fn is_of(finding: &Finding, record: &CredentialRecord) -> bool {
    let linked = finding.identity.credential.as_ref().and_then(|linked| linked.record_id.as_ref());
    record.join.fp.contains(&finding.fingerprint) || (linked.is_some() && linked == record.record_id.as_ref())
}

/// What scans found, by the identity it is linked to.
struct Leaks {
    by_identity: BTreeMap<String, Vec<Finding>>,
    unlinked: Vec<MapCredential>,
}

impl Leaks {
    fn of(reader: &Reader<'_>) -> Result<Self> {
        let mut leaks = Self { by_identity: BTreeMap::new(), unlinked: Vec::new() };
        for mut finding in remembered::all(reader.store())? {
            finding.identity = standing::link_of(reader, &finding)?;
            match finding.identity.id.clone().filter(|_| finding.identity.status == IdentityStatus::Linked) {
                Some(id) => leaks.by_identity.entry(id).or_default().push(finding),
                None => leaks.unlinked.push(found_alone(&finding)),
            }
        }
        Ok(leaks)
    }
}

fn totals(systems: &[System], unlinked: &[MapCredential]) -> Totals {
    let identities: Vec<&MapIdentity> = systems.iter().flat_map(|system| &system.identities).collect();
    let credentials: Vec<&MapCredential> =
        identities.iter().flat_map(|identity| &identity.credentials).chain(unlinked).collect();
    let leaks = || credentials.iter().filter_map(|credential| credential.leak.as_ref());
    Totals {
        systems: systems.iter().filter(|system| system.name.is_some()).count(),
        identities: identities.len(),
        credentials: credentials.len(),
        reached: identities.iter().flat_map(|identity| &identity.reaches).collect::<BTreeSet<_>>().len(),
        unowned: identities.iter().filter(|identity| identity.is_unowned()).count(),
        leaked: leaks().count(),
        live: leaks().filter(|leak| leak.is_live()).count(),
    }
}
