//! The claims of rows, and how those of several rows about one record become one within a batch.

use std::collections::HashMap;

use super::super::batch::{Batch, Rank};
use super::super::model::{CredentialRecord, IdentityRecord, Observation, Person};
use super::Kind;

/// How many entries the lists of several rows add up to at the most.
const MOST_ENTRIES: usize = 1024;

/// What one row says.
#[derive(Debug, Default)]
pub(super) struct Claims {
    /// The account of the list that the row is of.
    pub(super) account: Option<String>,
    /// The project of the list, where each project has a list of its own.
    pub(super) container: Option<String>,
    pub(super) people: Vec<Person>,
    pub(super) identities: Vec<IdentityRecord>,
    pub(super) credentials: Vec<CredentialRecord>,
    pub(super) observations: Vec<Observation>,
}

impl Claims {
    /// How many records it makes.
    pub(super) fn records(&self) -> usize {
        self.people.len() + self.identities.len() + self.credentials.len()
    }
}

/// A batch in the making, and where each record stands in it.
pub(super) struct Gathered {
    pub(super) batch: Batch,
    people: HashMap<String, usize>,
    identities: HashMap<String, usize>,
    credentials: HashMap<String, usize>,
}

impl Gathered {
    /// Starts an empty batch; its source and time are known at the end.
    pub(super) fn new(kind: Kind) -> Self {
        Self {
            batch: Batch::new("", kind.name(), "", Rank::Imported),
            people: HashMap::new(),
            identities: HashMap::new(),
            credentials: HashMap::new(),
        }
    }

    /// Adds what a row says; returns what is to be told of it.
    pub(super) fn add(&mut self, claims: Claims, is_log: bool) -> Vec<String> {
        for person in claims.people {
            self.person(person);
        }
        for identity in claims.identities {
            self.identity(identity);
        }
        self.batch.observations.extend(claims.observations);
        let credentials = claims.credentials.into_iter();
        credentials.filter_map(|credential| self.credential(credential, is_log)).collect()
    }

    fn person(&mut self, person: Person) {
        let Some(place) = self.people.get(&person.id) else {
            self.people.insert(person.id.clone(), self.batch.people.len());
            return self.batch.people.push(person);
        };
        let known = &mut self.batch.people[*place];
        known.name = person.name.or(known.name.take());
        known.email = person.email.or(known.email.take());
        known.status = person.status.or(known.status.take());
        add_new(&mut known.aliases, person.aliases);
    }

    fn identity(&mut self, identity: IdentityRecord) {
        let Some(place) = self.identities.get(&identity.id) else {
            self.identities.insert(identity.id.clone(), self.batch.identities.len());
            return self.batch.identities.push(identity);
        };
        add_up(&mut self.batch.identities[*place], identity);
    }

    /// Adds a credential; returns what is to be told where another of that id says something else.
    fn credential(&mut self, mut credential: CredentialRecord, is_log: bool) -> Option<String> {
        let Some(place) = self.credentials.get(&credential.id) else {
            self.credentials.insert(credential.id.clone(), self.batch.credentials.len());
            self.batch.credentials.push(credential);
            return None;
        };
        let known = &mut self.batch.credentials[*place];
        if is_log {
            known.last_used = later(known.last_used.take(), credential.last_used.take());
            add_new(&mut known.scopes, credential.scopes);
            return None;
        }
        if *known == credential {
            return None;
        }
        if known.record_id == credential.record_id {
            *known = credential;
            return Some("says something else of a credential than an earlier row; the later row counts".into());
        }
        // Two records of the provider under one id of ours: each has the provider's own id as well.
        let (provider, record) = (credential.provider.clone().unwrap_or_default(), credential.record_id.clone()?);
        let own = format!("{provider}:{record}");
        if own == credential.id {
            return None;
        }
        credential.id = own;
        self.credential(credential, is_log)
    }
}

/// Adds what a later row says of the same identity: what it says counts, and what it does not say stays.
fn add_up(known: &mut IdentityRecord, later_row: IdentityRecord) {
    macro_rules! take {
        ($($field:ident),*) => { $(if later_row.$field.is_some() { known.$field = later_row.$field; })* };
    }
    take!(
        kind,
        name,
        provider,
        account,
        container,
        environment,
        owner,
        backup_owner,
        team,
        created_by,
        owner_access,
        purpose,
        privilege,
        interactive_use,
        created,
        last_rotated,
        expires,
        status
    );
    known.last_used = later(known.last_used.take(), later_row.last_used);
    add_new(&mut known.scopes, later_row.scopes);
    add_new(&mut known.reaches, later_row.reaches);
    add_new(&mut known.consumers, later_row.consumers);
    known.external_ids.extend(later_row.external_ids);
}

/// Adds entries that are new, up to a number that no honest list reaches: each is compared with all.
fn add_new(known: &mut Vec<String>, more: Vec<String>) {
    for entry in more {
        if known.len() < MOST_ENTRIES && !known.contains(&entry) {
            known.push(entry);
        }
    }
}

/// Returns the later of two times; `never` is before all.
pub(super) fn later(left: Option<String>, right: Option<String>) -> Option<String> {
    match (left, right) {
        (Some(left), Some(right)) if left == "never" => Some(right),
        (Some(left), Some(right)) if right == "never" => Some(left),
        (left, right) => left.max(right),
    }
}
