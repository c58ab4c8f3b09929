//! Whose a credential is, in words for people: one line that names, one that says why, and one a rival. All formats for people
//! share it, so that none of them tells a link without its reason. Nothing here is escaped; who writes it does that.

use crate::finding::{Candidate, Finding, Identity, IdentityStatus, LinkTier, Person};

/// How many rivals are shown.
const MOST_RIVALS: usize = 5;

/// What is told of the owner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Belonging {
    /// What stands before the name, with a colon.
    pub(super) label: &'static str,
    /// The name, or the reason where there is none.
    pub(super) text: String,
    /// The reason, where there is a name.
    pub(super) why: Option<String>,
    /// The identities that it may be.
    pub(super) rivals: Vec<String>,
}

/// Tells whose a credential is; nothing where there is no inventory.
pub(super) fn belonging(finding: &Finding) -> Option<Belonging> {
    let identity = &finding.identity;
    let label = match identity.status {
        IdentityStatus::NoInventory => return None,
        IdentityStatus::Linked => "Belongs to:",
        IdentityStatus::Suggested => "May belong to:",
        IdentityStatus::Account => "Account known:",
        IdentityStatus::Tie => "Several fit:",
        IdentityStatus::Shadow => "In no inventory:",
        IdentityStatus::NotCovered => "Owner unknown:",
    };
    let name = name(identity);
    let reason = reason(identity);
    let (text, why) = match (name.is_empty(), reason) {
        (false, reason) => (name, reason),
        (true, Some(reason)) => (reason, None),
        (true, None) => ("no more is known".into(), None),
    };
    let rest: Vec<&Candidate> = identity.candidates.iter().filter(|candidate| !is_told(identity, candidate)).collect();
    let mut rivals: Vec<String> = rest.iter().take(MOST_RIVALS).map(|candidate| rival(candidate)).collect();
    let more = rest.len().saturating_sub(MOST_RIVALS);
    if more > 0 {
        rivals.push(format!("and {more} more (--format jsonl names them all)"));
    }
    Some(Belonging { label, text, why, rivals })
}

/// Names identity, owner, team, environment, AI system and record, as far as they are known.
fn name(identity: &Identity) -> String {
    let record = identity.credential.as_ref().and_then(|record| record.record_id.as_ref());
    let parts = [
        identity.name.as_ref().or(identity.id.as_ref()).cloned(),
        identity.owner.as_ref().map(|owner| format!("owner {}", person(owner))),
        identity.backup_owner.as_ref().map(|backup| format!("backup {backup}")),
        identity.team.as_ref().map(|team| format!("team {team}")),
        identity.environment.clone(),
        identity.ai_system.as_ref().map(|system| format!("AI system {system}")),
        record.map(|record| format!("record {record}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Names a person; where they are not active, says so.
fn person(person: &Person) -> String {
    let name = person.name.as_ref().or(person.email.as_ref()).or(person.id.as_ref());
    let status = person.status.as_deref().filter(|status| *status != "active");
    let status = status.map(|status| format!(" ({status})")).unwrap_or_default();
    format!("{}{status}", name.map_or("unknown", String::as_str))
}

/// Says the reason with what it rests on, how sure it is and how old the inventory is.
fn reason(identity: &Identity) -> Option<String> {
    let why = identity.why.clone()?;
    let score = identity.score.map(|score| format!("{score:.2}"));
    let age = identity.as_of.as_ref().map(|as_of| format!("inventory of {}", as_of.get(..10).unwrap_or(as_of)));
    let basis: Vec<String> =
        [identity.tier.map(|tier| tier_name(tier).to_owned()), score, age].into_iter().flatten().collect();
    Some(if basis.is_empty() { why } else { format!("{why} [{}]", basis.join(", ")) })
}

/// Names what a link rests on, as JSON does.
pub(super) fn tier_name(tier: LinkTier) -> &'static str {
    match tier {
        LinkTier::Exact => "exact",
        LinkTier::PublicId => "public-id",
        LinkTier::HintUnique => "hint-unique",
        LinkTier::HintTie => "hint-tie",
        LinkTier::Account => "account",
        LinkTier::Context => "context",
    }
}

/// Whether a candidate is a person and no more, whom the reason names already.
fn is_told(identity: &Identity, candidate: &Candidate) -> bool {
    let bare = candidate.id.is_none() && candidate.name.is_none() && candidate.record_id.is_none();
    let owner = candidate.owner.as_ref().filter(|_| bare).map(person);
    owner.is_some_and(|owner| identity.why.as_ref().is_some_and(|why| why.contains(&owner)))
}

fn rival(candidate: &Candidate) -> String {
    let owner = candidate.owner.as_ref().map(|owner| format!("owner {}", person(owner)));
    let name = candidate.name.as_ref().or(candidate.id.as_ref()).cloned();
    let record = candidate.record_id.as_ref().map(|record| format!("record {record}"));
    let parts: Vec<String> = [name, owner, record].into_iter().flatten().collect();
    format!("{} [{:.2}]", parts.join(", "), candidate.score)
}
