//! What a person who leaves leaves behind: every identity that they own, stand in for, pay for or made, with who could take
//! it over and what has to be done.

use serde::Serialize;

use super::card::PersonCard;
use super::check::is_over;
use super::reader::{Reader, Role};
use super::standing;
use crate::error::{Error, Result};
use crate::finding::{Finding, Liveness};
use crate::inventory::model::{CredentialRecord, IdentityRecord, Person};
use crate::inventory::records;

/// What a person leaves behind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Offboarding {
    /// The person.
    pub person: PersonCard,
    /// Their identities, those that they own first.
    pub items: Vec<Item>,
}

/// One identity that a person leaves behind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// The identity's id.
    pub identity: String,
    /// Its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What the person is to it.
    pub roles: Vec<Role>,
    /// Its credentials that still count.
    pub credentials: Vec<String>,
    /// The fingerprints of those that scans found.
    pub leaked: Vec<String>,
    /// Who could answer for it next: the backup, else the manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub successor: Option<PersonCard>,
    /// What has to be done, in this order.
    pub tasks: Vec<String>,
}

/// Lists what a person leaves behind.
///
/// # Errors
/// A person whom the inventory does not know under any name, or a store that cannot be read.
pub fn offboard(reader: &Reader<'_>, name: &str) -> Result<Offboarding> {
    let known = records::person(reader.store(), name)?;
    let person = known.unwrap_or_else(|| Person { id: name.to_owned(), ..Person::default() });
    let findings = standing::findings(reader)?;
    let mut items = Vec::new();
    for (identity, roles) in reader.identities_of_person(&person)? {
        if !is_over(identity.status.as_deref()) {
            items.push(item(reader, &person, &identity, roles, &findings)?);
        }
    }
    let card = PersonCard::of(reader, name)?;
    if items.is_empty() && !card.known {
        let reason = "the inventory knows nobody of that name; `credtrace inventory list` shows owners".into();
        return Err(Error::Inventory { subject: name.to_owned(), reason });
    }
    items.sort_by(|left, right| (&left.roles, &left.identity).cmp(&(&right.roles, &right.identity)));
    Ok(Offboarding { person: card, items })
}

fn item(
    reader: &Reader<'_>,
    person: &Person,
    identity: &IdentityRecord,
    roles: Vec<Role>,
    findings: &[Finding],
) -> Result<Item> {
    let records = records::credentials_of(reader.store(), &identity.id)?;
    let credentials = records.iter().filter(|record| !is_over(record.status.as_deref())).map(named).collect();
    let own: Vec<&Finding> = findings.iter().filter(|found| found.identity.id.as_ref() == Some(&identity.id)).collect();
    let successor = successor(reader, person, identity)?;
    let tasks = tasks(identity, &roles, &own, successor.as_ref());
    let leaked = own.iter().map(|found| found.fingerprint.clone()).collect();
    Ok(Item {
        identity: identity.id.clone(),
        name: identity.name.clone(),
        roles,
        credentials,
        leaked,
        successor,
        tasks,
    })
}

fn named(record: &CredentialRecord) -> String {
    record.name.as_ref().map_or_else(|| record.id.clone(), |name| format!("{name} ({})", record.id))
}

/// Returns who is there and could answer next: the backup, else the manager of who leaves.
fn successor(reader: &Reader<'_>, person: &Person, identity: &IdentityRecord) -> Result<Option<PersonCard>> {
    for name in [&identity.backup_owner, &person.manager].into_iter().flatten() {
        let card = PersonCard::of(reader, name)?;
        if card.is_here() && card.id != person.id {
            return Ok(Some(card));
        }
    }
    Ok(None)
}

fn tasks(
    identity: &IdentityRecord,
    roles: &[Role],
    leaked: &[&Finding],
    successor: Option<&PersonCard>,
) -> Vec<String> {
    let mut tasks = Vec::new();
    for found in leaked {
        let works = matches!(found.verification.state, Liveness::Live | Liveness::Limited);
        let known = if works { "works and was found" } else { "was found" };
        tasks.push(format!("{} {known} by a scan: `credtrace runbook {}`", found.redacted, found.fingerprint));
    }
    if identity.kind.as_deref() == Some("human") {
        tasks.push("end it: it is the person's own".into());
        return tasks;
    }
    if roles.contains(&Role::Owner) {
        tasks.push(match successor {
            Some(next) => format!("name a new owner; {} could be", next.in_words()),
            None => "name a new owner; no backup and no manager is there".into(),
        });
    }
    if roles.contains(&Role::BackupOwner) {
        tasks.push("name another backup".into());
    }
    if roles.contains(&Role::Sponsor) {
        tasks.push("ask whether it is still wanted: its sponsor leaves".into());
    }
    // Whoever made a credential or ran the service has seen its value.
    tasks.push("replace its credentials: the person may have kept them".into());
    tasks
}
