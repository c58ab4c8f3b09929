//! What is no longer needed: identities and credentials to propose for removal, each with its reasons and with what speaks
//! against it. It removes nothing: a person decides.

use jiff::civil::Date;
use serde::Serialize;

use super::check::{days_since, is_over};
use super::policy::Policy;
use super::reader::Reader;
use super::standing;
use crate::error::Result;
use crate::finding::{Finding, Liveness};
use crate::inventory::model::{CredentialRecord, IdentityRecord};
use crate::inventory::records;

/// A proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proposal {
    /// The id of the credential record, or of the identity where it has none.
    pub subject: String,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Why it may go.
    pub reasons: Vec<String>,
    /// What speaks against it.
    pub against: Vec<String>,
}

/// Returns what to propose for removal. With findings of a report, only of what those are linked to.
///
/// # Errors
/// A store that cannot be read.
pub fn review(
    reader: &Reader<'_>,
    of_report: Option<&[Finding]>,
    policy: &Policy,
    today: Date,
) -> Result<Vec<Proposal>> {
    let all = standing::findings(reader)?;
    let findings = of_report.unwrap_or(&all);
    let mut proposals = Vec::new();
    for identity in reader.identities()? {
        let linked: Vec<&Finding> =
            findings.iter().filter(|found| found.identity.id.as_ref() == Some(&identity.id)).collect();
        if (of_report.is_some() && linked.is_empty()) || is_over(identity.status.as_deref()) && linked.is_empty() {
            continue;
        }
        let view = View { identity: &identity, linked: &linked, policy, today };
        let records = records::credentials_of(reader.store(), &identity.id)?;
        let standing: Vec<_> = records.iter().filter(|record| !is_over(record.status.as_deref())).collect();
        proposals.extend(standing.iter().filter_map(|record| view.proposal(Some(record))));
        if records.is_empty() {
            proposals.extend(view.proposal(None));
        }
    }
    proposals.sort_by(|left, right| {
        (left.against.len(), std::cmp::Reverse(left.reasons.len()), &left.subject).cmp(&(
            right.against.len(),
            std::cmp::Reverse(right.reasons.len()),
            &right.subject,
        ))
    });
    Ok(proposals)
}

/// One identity with what it is judged by.
struct View<'a> {
    identity: &'a IdentityRecord,
    linked: &'a [&'a Finding],
    policy: &'a Policy,
    today: Date,
}

impl View<'_> {
    fn proposal(&self, record: Option<&CredentialRecord>) -> Option<Proposal> {
        let reasons = self.reasons(record);
        if reasons.is_empty() {
            return None;
        }
        Some(Proposal {
            subject: record.map_or_else(|| self.identity.id.clone(), |record| record.id.clone()),
            name: record.and_then(|record| record.name.clone()).or_else(|| self.identity.name.clone()),
            identity: record.map(|_| self.identity.id.clone()),
            owner: self.identity.owner.clone(),
            reasons,
            against: self.against(record),
        })
    }

    fn reasons(&self, record: Option<&CredentialRecord>) -> Vec<String> {
        let mut reasons = Vec::new();
        if let Some(status) = self.identity.status.as_deref().filter(|status| is_over(Some(status))) {
            reasons.push(format!("its identity is {status}"));
        }
        let limit = i64::from(self.policy.limits.unused_days);
        let last_used = match record {
            Some(record) => record.last_used.as_deref(),
            None => self.identity.last_used.as_deref(),
        };
        let made = record.map_or(self.identity.created.as_deref(), |record| record.issued.as_deref());
        match last_used {
            Some("never") if made.and_then(|made| days_since(made, self.today)).is_some_and(|days| days > limit) => {
                reasons.push("it was never used".into());
            }
            Some(used) => {
                let days = days_since(used, self.today).filter(|days| *days > limit);
                reasons.extend(days.map(|days| format!("it was last used {days} days ago")));
            }
            None => {}
        }
        let ended = record.and_then(|record| record.expires.as_deref()).and_then(|ends| days_since(ends, self.today));
        reasons.extend(ended.filter(|days| *days > 0).map(|days| format!("it ended {days} days ago")));
        reasons
    }

    fn against(&self, record: Option<&CredentialRecord>) -> Vec<String> {
        let mut against = Vec::new();
        if !self.identity.consumers.is_empty() {
            against.push(format!("consumers are declared: {}", self.identity.consumers.join(", ")));
        }
        let places: usize = self.linked.iter().map(|found| found.occurrences.len()).sum();
        if places > 0 {
            against.push(format!("scans found it in {places} places, which may use it"));
        }
        if self.linked.iter().any(|found| matches!(found.verification.state, Liveness::Live | Liveness::Limited)) {
            against.push("the provider accepts it".into());
        }
        if record.is_none_or(|record| record.last_used.is_none()) && self.identity.last_used.is_none() {
            against.push("no source says when it was last used".into());
        }
        against
    }
}
