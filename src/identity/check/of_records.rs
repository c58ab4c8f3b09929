//! What the inventory's own records say: owners, age, privilege, approval, review.

use std::collections::{BTreeSet, HashMap};

use super::{Sink, Subject, SubjectKind, days_since, is_over};
use crate::error::Result;
use crate::identity::card::PersonCard;
use crate::identity::controls::Rule;
use crate::identity::reader::Reader;
use crate::inventory::model::{CredentialRecord, IdentityRecord};
use crate::inventory::records;
use crate::inventory::records::is_ai;
use crate::store::Store;

/// What an identity may do, the least first.
const PRIVILEGES: [&str; 6] = ["inference", "read", "write", "deploy", "admin", "org-admin"];

/// Types of static keys, each with what the provider offers in their place.
const STATIC_TYPES: [(&str, &str); 6] = [
    ("aws-access-key-id", "a role with temporary credentials, or IAM Roles Anywhere outside AWS"),
    ("aws-secret-access-key", "a role with temporary credentials, or IAM Roles Anywhere outside AWS"),
    ("aws-bedrock-long-term-key", "a role that may invoke the model, or a short-term key of Bedrock"),
    ("gcp-service-account-key", "workload identity federation"),
    ("azure-client-secret", "a managed identity or federated credentials"),
    ("kubernetes-service-account-token", "a bound token that the cluster projects and renews"),
];

/// Checks all records.
pub(super) fn check(store: &Store, sink: &mut Sink<'_>) -> Result<()> {
    let reader = Reader::new(store);
    let mut credentials: HashMap<String, Vec<CredentialRecord>> = HashMap::new();
    for record in reader.credentials()? {
        let identity = record.identity.clone().unwrap_or_default();
        credentials.entry(identity).or_default().push(record);
    }
    for identity in reader.identities()? {
        let own = credentials.remove(&identity.id).unwrap_or_default();
        check_identity(&reader, &identity, &own, sink)?;
    }
    for record in credentials.values().flatten() {
        lifetime(record, None, sink);
    }
    Ok(())
}

/// Checks the records of some identities.
pub(super) fn check_some(store: &Store, ids: &BTreeSet<&str>, sink: &mut Sink<'_>) -> Result<()> {
    let reader = Reader::new(store);
    for id in ids {
        if let Some(identity) = records::identity(reader.store(), id)? {
            check_identity(&reader, &identity, &records::credentials_of(reader.store(), id)?, sink)?;
        }
    }
    Ok(())
}

fn check_identity(
    reader: &Reader<'_>,
    identity: &IdentityRecord,
    own: &[CredentialRecord],
    sink: &mut Sink<'_>,
) -> Result<()> {
    if is_over(identity.status.as_deref()) {
        return Ok(());
    }
    let subject = Subject {
        kind: SubjectKind::Identity,
        id: &identity.id,
        name: identity.name.as_deref(),
        owner: identity.owner.as_deref(),
    };
    ownership(reader, identity, &subject, sink)?;
    governance(identity, own, &subject, sink);
    privilege(identity, &subject, sink);
    for record in own {
        lifetime(record, Some(identity), sink);
    }
    if own.is_empty() {
        identity_lifetime(identity, &subject, sink);
    }
    Ok(())
}

fn ownership(reader: &Reader<'_>, identity: &IdentityRecord, subject: &Subject<'_>, sink: &mut Sink<'_>) -> Result<()> {
    let created = identity.created_by.as_ref().map(|creator| format!("created_by {creator}"));
    let Some(owner) = identity.owner.as_deref() else {
        match &identity.team {
            Some(team) => sink.add(
                Rule::OwnerTeamOnly,
                subject,
                format!("the team {team} is named, and no person of it"),
                vec![format!("team {team}")],
            ),
            None => sink.add(
                Rule::Unowned,
                subject,
                "no source names an owner; who made it is not who answers for it",
                created.into_iter().collect(),
            ),
        }
        return Ok(());
    };
    let person = PersonCard::of(reader, owner)?;
    if person.has_left() {
        let reason = format!("its owner {} has left", person.in_words());
        sink.add(Rule::OwnerLeft, subject, reason, vec![format!("owner {owner}"), "status left".into()]);
    } else if identity.owner_access.as_deref() == Some("inactive") {
        let reason = format!("its owner {} has no access any more, as the provider says", person.in_words());
        sink.add(Rule::OwnerLeft, subject, reason, vec![format!("owner {owner}"), "owner_access inactive".into()]);
    }
    Ok(())
}

fn governance(identity: &IdentityRecord, own: &[CredentialRecord], subject: &Subject<'_>, sink: &mut Sink<'_>) {
    let ai = is_ai(identity);
    if identity.approved == Some(false) {
        sink.add(Rule::UnapprovedAi, subject, "it is recorded as not approved", vec!["approved false".into()]);
    } else if ai && identity.approved.is_none() && identity.purpose.is_none() {
        let reason = "nothing says what it is for, and nobody approved it";
        sink.add(Rule::UnapprovedAi, subject, reason, vec!["purpose absent".into(), "approved absent".into()]);
    }
    if let Some(overdue) =
        identity.review_due.as_deref().and_then(|due| days_since(due, sink.today)).filter(|days| *days > 0)
    {
        let evidence = identity.review_due.iter().map(|due| format!("review_due {due}")).collect();
        sink.add(Rule::ReviewOverdue, subject, format!("its review was due {overdue} days ago"), evidence);
    }
    if identity.third_party == Some(true) && identity.approved != Some(true) {
        let reason = "a third party uses it, and nobody approved that";
        sink.add(Rule::ThirdParty, subject, reason, vec!["third_party true".into()]);
    }
    if identity.interactive_use == Some(true) && identity.kind.as_deref() != Some("human") {
        let reason = "people use a credential that is a machine's";
        sink.add(Rule::HumanUse, subject, reason, vec!["interactive_use true".into()]);
    }
    if identity.consumers.len() > 1 {
        let reason = format!("{} consumers use it: {}", identity.consumers.len(), identity.consumers.join(", "));
        sink.add(Rule::Shared, subject, reason, vec![format!("consumers {}", identity.consumers.join(", "))]);
    }
    let agents = identity.consumers.iter().filter(|consumer| consumer.contains("agent")).count();
    if identity.kind.as_deref() == Some("human") && ai && !identity.consumers.is_empty() {
        let reason = "a person's credential runs a machine";
        sink.add(Rule::HumanUse, subject, reason, vec!["kind human".into(), identity.consumers.join(", ")]);
    }
    if agents > 1 {
        let reason = format!("{agents} agents act under it, so that a log cannot tell them apart");
        sink.add(Rule::Untraceable, subject, reason, vec![format!("consumers {}", identity.consumers.join(", "))]);
    }
    for record in own.iter().filter(|record| !is_over(record.status.as_deref())) {
        if let Some((sort, instead)) = STATIC_TYPES.iter().find(|(sort, _)| record.sort.as_deref() == Some(sort)) {
            let reason = format!("{} is a static key; the provider offers {instead}", record.id);
            sink.add(Rule::WeakAuth, subject, reason, vec![format!("type {sort}")]);
        }
    }
}

fn privilege(identity: &IdentityRecord, subject: &Subject<'_>, sink: &mut Sink<'_>) {
    let rank = |word: &Option<String>| {
        let word = word.as_deref()?;
        PRIVILEGES.iter().position(|known| *known == word)
    };
    if let (Some(has), Some(needs)) = (rank(&identity.privilege), rank(&identity.needs))
        && has > needs
    {
        let reason = format!("it may {}, and its task needs {}", PRIVILEGES[has], PRIVILEGES[needs]);
        let evidence = vec![format!("privilege {}", PRIVILEGES[has]), format!("needs {}", PRIVILEGES[needs])];
        sink.add(Rule::OverPrivileged, subject, reason, evidence);
    }
}

/// Looks at the dates of a credential record.
fn lifetime(record: &CredentialRecord, identity: Option<&IdentityRecord>, sink: &mut Sink<'_>) {
    if is_over(record.status.as_deref()) {
        return;
    }
    let subject = Subject {
        kind: SubjectKind::Credential,
        id: &record.id,
        name: record.name.as_deref(),
        owner: identity.and_then(|identity| identity.owner.as_deref()),
    };
    let dates = Dates {
        begun: record.issued.as_deref(),
        rotated: identity.and_then(|identity| identity.last_rotated.as_deref()),
        ends: record.expires.as_deref(),
        used: record.last_used.as_deref(),
        days: identity.and_then(|identity| identity.max_age_days),
    };
    dates.check(&subject, sink);
}

fn identity_lifetime(identity: &IdentityRecord, subject: &Subject<'_>, sink: &mut Sink<'_>) {
    let dates = Dates {
        begun: identity.created.as_deref(),
        rotated: identity.last_rotated.as_deref(),
        ends: identity.expires.as_deref(),
        used: identity.last_used.as_deref(),
        days: identity.max_age_days,
    };
    dates.check(subject, sink);
}

/// When a credential began, was replaced, ends and was used.
struct Dates<'a> {
    begun: Option<&'a str>,
    rotated: Option<&'a str>,
    ends: Option<&'a str>,
    used: Option<&'a str>,
    /// How many days it may live, where its owner says so.
    days: Option<u32>,
}

impl Dates<'_> {
    fn check(&self, subject: &Subject<'_>, sink: &mut Sink<'_>) {
        self.use_of(subject, sink);
        self.rotation(subject, sink);
        self.end(subject, sink);
    }

    fn use_of(&self, subject: &Subject<'_>, sink: &mut Sink<'_>) {
        let limit = i64::from(sink.policy.limits.unused_days);
        let age = self.begun.and_then(|begun| days_since(begun, sink.today));
        match self.used {
            Some("never") if age.is_some_and(|days| days > limit) => {
                let evidence = vec!["last_used never".into(), format!("issued {}", self.begun.unwrap_or_default())];
                sink.add(Rule::StaleUnused, subject, "it was never used since it was made", evidence);
            }
            Some(used) => {
                let Some(days) = days_since(used, sink.today).filter(|days| *days > limit) else { return };
                let reason = format!("it was last used {days} days ago");
                sink.add(Rule::StaleUnused, subject, reason, vec![format!("last_used {used}")]);
            }
            None => {}
        }
    }

    fn rotation(&self, subject: &Subject<'_>, sink: &mut Sink<'_>) {
        let limit = i64::from(self.days.unwrap_or(sink.policy.limits.rotation_days));
        // What was made later was rotated then.
        let Some(last) = self.rotated.into_iter().chain(self.begun).max() else { return };
        if let Some(days) = days_since(last, sink.today).filter(|days| *days > limit) {
            let reason = format!("it is {days} days old; {limit} are allowed");
            sink.add(Rule::Unrotated, subject, reason, vec![format!("last rotated {last}")]);
        }
    }

    fn end(&self, subject: &Subject<'_>, sink: &mut Sink<'_>) {
        let limit = i64::from(self.days.unwrap_or(sink.policy.limits.lifetime_days));
        match (self.ends, self.begun) {
            (Some("never"), _) => {
                sink.add(Rule::LongLived, subject, "it never ends", vec!["expires never".into()]);
            }
            (Some(ends), Some(begun)) => {
                let (Some(ends_in), Some(age)) = (days_since(ends, sink.today), days_since(begun, sink.today)) else {
                    return;
                };
                let span = age - ends_in;
                if span > limit {
                    let reason = format!("it lives for {span} days; {limit} are allowed");
                    sink.add(
                        Rule::LongLived,
                        subject,
                        reason,
                        vec![format!("issued {begun}"), format!("expires {ends}")],
                    );
                }
                let used_after_end = self.used.is_some_and(|used| used != "never" && used > ends) && ends_in > 0;
                if used_after_end {
                    let used = self.used.unwrap_or_default();
                    let reason = format!("it ended on {ends} and was used on {used}");
                    sink.add(
                        Rule::ExpiredLive,
                        subject,
                        reason,
                        vec![format!("expires {ends}"), format!("last_used {used}")],
                    );
                }
            }
            _ => {}
        }
    }
}
