//! An identity with the people who answer for it, looked up once for all answers.

use serde::Serialize;

use super::reader::Reader;
use crate::error::Result;
use crate::inventory::model::{CredentialRecord, IdentityRecord, Person};
use crate::inventory::records;

/// A person as answers name them: what the inventory knows, or the bare name that a record has.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct PersonCard {
    /// The id in the inventory, or the name that the record has.
    pub id: String,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `active`, `left` or `leave`; nothing where the inventory does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The id of the manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// Whether the inventory has a record of the person.
    pub known: bool,
}

impl PersonCard {
    /// Looks a person up by any of their names.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn of(reader: &Reader<'_>, name: &str) -> Result<Self> {
        let bare = || Self { id: name.to_owned(), ..Self::default() };
        Ok(records::person(reader.store(), name)?.map_or_else(bare, |person| Self::from(&person)))
    }

    /// Whether the inventory says that the person has gone.
    pub fn has_left(&self) -> bool {
        self.status.as_deref() == Some("left")
    }

    /// Whether the person can be reached: not gone and not on leave.
    pub fn is_here(&self) -> bool {
        !matches!(self.status.as_deref(), Some("left" | "leave"))
    }

    /// Returns the name with the address: `Ana <ana@acme.example>`.
    pub fn in_words(&self) -> String {
        let address = self.email.as_deref().or_else(|| self.id.contains('@').then_some(self.id.as_str()));
        match (&self.name, address) {
            (Some(name), Some(address)) => format!("{name} <{address}>"),
            (Some(name), None) => format!("{name} ({})", self.id),
            (None, _) => self.id.clone(),
        }
    }
}

impl From<&Person> for PersonCard {
    fn from(person: &Person) -> Self {
        Self {
            id: person.id.clone(),
            name: person.name.clone(),
            email: person.email.clone().or_else(|| person.id.contains('@').then(|| person.id.clone())),
            status: person.status.clone(),
            team: person.team.clone(),
            manager: person.manager.clone(),
            known: true,
        }
    }
}

/// An identity with its people and credentials.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IdentityCard {
    /// The record.
    pub identity: IdentityRecord,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<PersonCard>,
    /// Who answers in the owner's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup: Option<PersonCard>,
    /// The manager of the owner, or of the backup where the owner has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<PersonCard>,
    /// The team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Whom to tell: as the record says, else the owner's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Its credentials.
    pub credentials: Vec<CredentialRecord>,
}

impl IdentityCard {
    /// Looks up who belongs to an identity.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn of(reader: &Reader<'_>, identity: IdentityRecord) -> Result<Self> {
        let person = |name: &Option<String>| name.as_deref().map(|name| PersonCard::of(reader, name)).transpose();
        let (owner, backup) = (person(&identity.owner)?, person(&identity.backup_owner)?);
        let manager = [&owner, &backup].into_iter().flatten().find_map(|person| person.manager.clone());
        let manager = person(&manager)?;
        let team = identity.team.clone().or_else(|| owner.as_ref().and_then(|owner| owner.team.clone()));
        let credentials = records::credentials_of(reader.store(), &identity.id)?;
        let mut card = Self { identity, owner, backup, manager, team, contact: None, credentials };
        card.contact = card.told_contact();
        Ok(card)
    }

    fn told_contact(&self) -> Option<String> {
        let plan = self.identity.revoke.as_ref().and_then(|plan| plan.contact.clone());
        let people = [&self.owner, &self.backup, &self.manager].into_iter().flatten();
        plan.or_else(|| people.filter(|person| person.is_here()).find_map(|person| person.email.clone()))
    }

    /// Returns the identity's name with its id: `Support bot (nhi-support-bot)`.
    pub fn in_words(&self) -> String {
        in_words(&self.identity)
    }
}

/// Returns an identity's name with its id.
pub fn in_words(identity: &IdentityRecord) -> String {
    match &identity.name {
        Some(name) if *name != identity.id => format!("{name} ({})", identity.id),
        _ => identity.id.clone(),
    }
}
