//! What to do about one leaked credential: whose it is, whether it can be ended without breaking production, the steps in
//! the order that its state asks for, and whom to tell.
//!
//! Nothing here ends a credential or asks a provider; it says what a person does. No text of it holds the value.

pub mod break_check;
pub mod revocation;
pub mod routing;
mod steps;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use self::break_check::BreakCheck;
use self::revocation::Revocation;
use self::routing::Routing;
use super::card::IdentityCard;
use super::check::{self, IdentityFinding};
use super::policy::Policy;
use super::reader::Reader;
use super::standing;
use crate::detector::compile::Detector;
use crate::error::Result;
use crate::finding::{Finding, Identity, IdentityStatus, Liveness, Severity};
use crate::inventory::model::CredentialRecord;
use crate::inventory::records;
use crate::inventory::times;

/// The policy of a person who says that strangers can read the places.
const EVERYTHING_PUBLIC: &str = "schema = \"credtrace.policy/1\"\npublic = [\"**\"]\n";

/// What a runbook is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The finding, with its link as it stands now.
    pub finding: &'a Finding,
    /// The detector that made it.
    pub detector: Option<&'a Detector>,
    /// The identity, where one is linked.
    pub card: Option<&'a IdentityCard>,
    /// The provider's record of the credential, where one is linked.
    pub record: Option<&'a CredentialRecord>,
}

/// Who can read the places where the credential stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exposure {
    /// Everyone.
    Public,
    /// Only people of the organisation.
    Private,
    /// Nobody said.
    Unknown,
}

/// In which order the steps come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// It is public and works, or may work: end it now and accept the outage.
    RevokeFirst,
    /// A new one beside the old one, then the old one is ended.
    Overlap,
    /// It does not work any more: what is left is to clean up.
    CleanUp,
    /// It is a trap: it stays, and its owner is told.
    LeaveTrap,
}

/// What a person chose beside the finding.
#[derive(Debug, Clone)]
pub struct Circumstances {
    /// Who can read the places.
    pub exposure: Exposure,
    /// What CODEOWNERS says of the places.
    pub code_owners: Vec<String>,
    /// Now.
    pub now: Timestamp,
}

/// One of the ten steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What to do, in a line.
    pub title: String,
    /// How, and what to look for.
    pub details: Vec<String>,
    /// Commands for a shell.
    pub commands: Vec<String>,
}

/// The whole runbook.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Runbook {
    /// The fingerprint.
    pub fingerprint: String,
    /// What was found, for people: `OpenAI project key`.
    pub what: String,
    /// Its redacted form.
    pub redacted: String,
    /// How bad the leak is.
    pub severity: Severity,
    /// Whether it works.
    pub state: Liveness,
    /// What says so, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state_reason: Option<String>,
    /// Who can read the places.
    pub exposure: Exposure,
    /// The finding itself, redacted.
    pub finding: Finding,
    /// The identity, where one is linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityCard>,
    /// The provider's record, where one is linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<CredentialRecord>,
    /// In which order the steps come.
    pub order: Order,
    /// Why in that order.
    pub order_reason: String,
    /// When it should be done, in RFC 3339.
    pub deadline: String,
    /// Why then.
    pub deadline_reason: String,
    /// Whether it can be ended without breaking production.
    pub break_check: BreakCheck,
    /// How it is ended.
    pub revocation: Revocation,
    /// Whom to tell.
    pub routing: Routing,
    /// What is wrong with the ownership and life of the credential beside the leak, and the leak itself.
    pub identity_findings: Vec<IdentityFinding>,
    /// The ten steps, in order.
    pub steps: Vec<Step>,
}

/// Makes the runbook of a finding.
///
/// # Errors
/// A store that cannot be read.
pub fn runbook(
    reader: Option<&Reader<'_>>,
    finding: &Finding,
    detector: Option<&Detector>,
    circumstances: &Circumstances,
) -> Result<Runbook> {
    let mut finding = finding.clone();
    // Whatever a report was made with, a runbook travels further.
    finding.secret = None;
    if let Some(reader) = reader {
        finding.identity = standing::link_of(reader, &finding)?;
    }
    let (card, record) = match reader {
        Some(reader) => looked_up(reader, &finding.identity)?,
        None => (None, None),
    };
    let subject = Subject { finding: &finding, detector, card: card.as_ref(), record: record.as_ref() };
    let revocation = revocation::revocation(&revocation::Subject {
        provider: finding.provider.as_deref(),
        detector,
        sort: record.as_ref().and_then(|record| record.sort.as_deref()),
        record: record.as_ref(),
        identity: card.as_ref().map(|card| &card.identity),
    });
    let break_check = break_check::check(&subject, revocation.overlap, circumstances.now);
    let routing = routing::route(reader, &subject, &circumstances.code_owners)?;
    let identity_findings = identity_findings(reader, &finding, circumstances)?;
    let (order, order_reason) = order(&finding, circumstances.exposure);
    let (patience, deadline_reason) = patience(&subject, order, circumstances.exposure);
    let deadline = circumstances.now.checked_add(patience).unwrap_or(circumstances.now);
    let facts = steps::Facts {
        subject: &subject,
        order,
        exposure: circumstances.exposure,
        check: &break_check,
        way: &revocation,
        routing: &routing,
        found: &identity_findings,
    };
    let steps = facts.steps();
    Ok(Runbook {
        fingerprint: finding.fingerprint.clone(),
        what: detector.map_or_else(|| finding.detector.clone(), |detector| detector.name.clone()),
        redacted: finding.redacted.clone(),
        severity: finding.severity,
        state: finding.verification.state,
        state_reason: finding.verification.reason.clone(),
        exposure: circumstances.exposure,
        order,
        order_reason,
        deadline: times::written(deadline),
        deadline_reason,
        break_check,
        revocation,
        routing,
        identity_findings,
        steps,
        finding,
        identity: card,
        record,
    })
}

/// Looks up what a link names.
fn looked_up(reader: &Reader<'_>, link: &Identity) -> Result<(Option<IdentityCard>, Option<CredentialRecord>)> {
    if link.status != IdentityStatus::Linked {
        return Ok((None, None));
    }
    let identity = link.id.as_deref().map(|id| records::identity(reader.store(), id)).transpose()?.flatten();
    let card = identity.map(|identity| IdentityCard::of(reader, identity)).transpose()?;
    let id = link.credential.as_ref().and_then(|record| record.record_id.as_deref());
    let record = card.as_ref().and_then(|card| {
        let named = card.credentials.iter().find(|record| id.is_some() && record.record_id.as_deref() == id);
        // An identity with one credential leaves no doubt which.
        named.or(if card.credentials.len() == 1 && id.is_none() { card.credentials.first() } else { None })
    });
    let record = record.cloned();
    Ok((card, record))
}

/// What is wrong beside the leak, as the inventory tells. Without one the leak alone is known.
fn identity_findings(
    reader: Option<&Reader<'_>>,
    finding: &Finding,
    circumstances: &Circumstances,
) -> Result<Vec<IdentityFinding>> {
    let Some(reader) = reader else { return Ok(Vec::new()) };
    let policy = match circumstances.exposure {
        Exposure::Public => Policy::parse(EVERYTHING_PUBLIC).expect("a fixed policy is well formed"),
        Exposure::Private | Exposure::Unknown => Policy::default(),
    };
    let today = circumstances.now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let mut found = check::check_findings(reader.store(), std::slice::from_ref(finding), &policy, today)?;
    found.retain(|found| found.concerns(finding));
    Ok(found)
}

fn order(finding: &Finding, exposure: Exposure) -> (Order, String) {
    let state = finding.verification.state;
    let (order, reason) = match (state, exposure) {
        (Liveness::Canary, _) => (Order::LeaveTrap, "it is a trap, and whoever set it wants to know who takes it"),
        (Liveness::Dead, _) => (Order::CleanUp, "the provider says that it does not work any more"),
        (Liveness::Live | Liveness::Limited, Exposure::Public) => {
            (Order::RevokeFirst, "it works and everyone can read it: an outage costs less than a stranger with the key")
        }
        (_, Exposure::Public) => (
            Order::RevokeFirst,
            "everyone can read it and nobody knows that it is dead: until that is shown it counts as live",
        ),
        (Liveness::Live | Liveness::Limited, Exposure::Unknown) => (
            Order::Overlap,
            "it works, and nobody said who can read the places; if strangers can, revoke first (--public)",
        ),
        (_, Exposure::Unknown) => (
            Order::Overlap,
            "whether it works and who can read it are not known; if strangers can read it, revoke first (--public)",
        ),
        (_, Exposure::Private) => {
            (Order::Overlap, "only people of the organisation can read it: replace it without an outage")
        }
    };
    (order, reason.to_owned())
}

/// How long it may take, and why.
fn patience(subject: &Subject<'_>, order: Order, exposure: Exposure) -> (SignedDuration, String) {
    let finding = subject.finding;
    let privilege = subject.card.and_then(|card| card.identity.privilege.as_deref());
    let is_admin = matches!(privilege, Some("admin" | "org-admin")) || finding.severity == Severity::Critical;
    let works = matches!(finding.verification.state, Liveness::Live | Liveness::Limited);
    let (hours, reason) = match order {
        Order::RevokeFirst => {
            return (
                SignedDuration::from_mins(15),
                "15 minutes: exposed cloud keys were tried after 9 minutes at the earliest and 17 on average".into(),
            );
        }
        Order::LeaveTrap => (24, "a day, to tell the owner of the trap"),
        Order::CleanUp => (5 * 24, "five days, since it does not work any more"),
        Order::Overlap if works && is_admin => {
            (4, "four hours, since it works and may change or manage what it reaches")
        }
        Order::Overlap if works => (24, "a day, since it works"),
        Order::Overlap if exposure == Exposure::Unknown => {
            (24, "a day, to find out whether it works and who can read it")
        }
        Order::Overlap => (72, "three days, since nothing shows that it works"),
    };
    (SignedDuration::from_hours(hours), reason.to_owned())
}
