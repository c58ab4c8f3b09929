//! The link of a remembered finding as it stands now: what people decided after the scan counts.

use super::card::{IdentityCard, PersonCard};
use super::reader::{Decision, Reader};
use crate::error::Result;
use crate::finding::{self, Finding, Identity, IdentityStatus, LinkTier};
use crate::inventory::model::CredentialRecord;

/// Returns whose a finding is, with the newest decision about it.
///
/// # Errors
/// A store that cannot be read.
pub fn link_of(reader: &Reader<'_>, finding: &Finding) -> Result<Identity> {
    let decisions = reader.decisions(Some(&finding.fingerprint))?;
    let Some(decision) = decisions.last() else { return Ok(finding.identity.clone()) };
    let mut link = finding.identity.clone();
    if decision.verdict == "accept" {
        accepted(reader, &mut link, decision)?;
    } else if concerns(&link, decision) {
        let why = format!("{} rejected the link on {}: {}", decision.who, decision.at, decision.why);
        let candidates = std::mem::take(&mut link.candidates);
        link = Identity { why: Some(why), as_of: link.as_of, ..Identity::new(IdentityStatus::Suggested) };
        link.candidates = candidates.into_iter().filter(|candidate| candidate.id != decision.identity).collect();
    }
    Ok(link)
}

/// Whether a rejection is about what the link names.
fn concerns(link: &Identity, decision: &Decision) -> bool {
    let record = link.credential.as_ref().and_then(|record| record.record_id.as_ref());
    (decision.identity.is_some() && decision.identity == link.id)
        || (decision.credential.is_some() && decision.credential.as_ref() == record)
        || (decision.identity.is_none() && decision.credential.is_none())
}

fn accepted(reader: &Reader<'_>, link: &mut Identity, decision: &Decision) -> Result<()> {
    let record = decision.credential.as_deref().map(|id| reader.credential(id)).transpose()?.flatten();
    let id = decision.identity.clone().or_else(|| record.as_ref().and_then(|record| record.identity.clone()));
    let as_of = link.as_of.take();
    let why = format!("{} accepted the link on {}: {}", decision.who, decision.at, decision.why);
    let tier = link.tier;
    *link = Identity { why: Some(why), tier, score: Some(1.0), as_of, ..Identity::new(IdentityStatus::Linked) };
    link.id.clone_from(&id);
    link.credential = record.as_ref().map(shown);
    link.tier = link.tier.or(Some(LinkTier::Context));
    if let Some(identity) = id.as_deref().map(|id| reader.identity(id)).transpose()?.flatten() {
        describe(link, &IdentityCard::of(reader, identity)?);
    }
    Ok(())
}

/// Fills in what the inventory says of the identity.
fn describe(link: &mut Identity, card: &IdentityCard) {
    let identity = &card.identity;
    link.name.clone_from(&identity.name);
    link.owner = card.owner.as_ref().map(person);
    link.backup_owner.clone_from(&identity.backup_owner);
    link.team.clone_from(&card.team);
    link.environment.clone_from(&identity.environment);
    link.ai_system.clone_from(&identity.ai_system);
}

fn person(card: &PersonCard) -> finding::Person {
    finding::Person {
        id: Some(card.id.clone()),
        name: card.name.clone(),
        email: card.email.clone(),
        status: card.status.clone(),
    }
}

fn shown(record: &CredentialRecord) -> finding::CredentialRecord {
    finding::CredentialRecord {
        record_id: record.record_id.clone(),
        sort: record.sort.clone(),
        status: record.status.clone(),
        created: record.issued.clone(),
        last_used: record.last_used.clone(),
    }
}
