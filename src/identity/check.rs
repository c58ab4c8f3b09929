//! Identity findings: what is wrong with the ownership and life of credentials, of the inventory's records and of what scans
//! found. Each says why, on what evidence, and which controls it supports evidence for. Nothing is said without data: a
//! field that no source fills is no finding, but for an owner and a purpose, which somebody must have.

mod of_findings;
mod of_records;
#[cfg(test)]
mod tests;

use jiff::civil::Date;
use serde::Serialize;

use super::controls::{Control, Rule};
use super::policy::Policy;
use crate::error::Result;
use crate::finding::{Finding, Severity};
use crate::store::Store;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IdentityFinding {
    /// What is wrong.
    pub rule: Rule,
    /// How bad it is under the policy.
    pub severity: Severity,
    /// The sort of the subject: `identity`, `credential`, `finding` or `provider`.
    pub subject_kind: SubjectKind,
    /// The id of the record, the fingerprint or the provider's slug.
    pub subject: String,
    /// The subject's name for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The person who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Why, in one sentence.
    pub reason: String,
    /// What it rests on, such as `last_used 2026-01-02`.
    pub evidence: Vec<String>,
    /// The controls that it supports evidence for.
    pub controls: Vec<Control>,
}

/// What an identity finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubjectKind {
    /// A record of an identity.
    Identity,
    /// A record of a credential.
    Credential,
    /// A secret that a scan found.
    Finding,
    /// A provider.
    Provider,
}

/// Returns everything that is wrong with the store's records and with findings, worst first. Findings must carry their
/// links. Exceptions of the policy are left out.
///
/// # Errors
/// A store that cannot be read.
pub fn check(store: &Store, findings: &[Finding], policy: &Policy, today: Date) -> Result<Vec<IdentityFinding>> {
    let mut sink = Sink { policy, today, found: Vec::new() };
    of_records::check(store, &mut sink)?;
    of_findings::check(store, findings, &mut sink)?;
    Ok(sink.finish())
}

/// As [`check`], of findings and of the records that they are linked to: what a scan says of what it found.
///
/// # Errors
/// A store that cannot be read.
pub fn check_findings(
    store: &Store,
    findings: &[Finding],
    policy: &Policy,
    today: Date,
) -> Result<Vec<IdentityFinding>> {
    let mut sink = Sink { policy, today, found: Vec::new() };
    let linked = findings.iter().filter_map(|finding| finding.identity.id.as_deref()).collect();
    of_records::check_some(store, &linked, &mut sink)?;
    of_findings::check(store, findings, &mut sink)?;
    Ok(sink.finish())
}

/// Writes into each finding the tags of what is wrong with it.
pub fn tag(findings: &mut [Finding], identity_findings: &[IdentityFinding]) {
    for finding in findings {
        let own = identity_findings.iter().filter(|found| found.concerns(finding));
        finding.identity_findings = own.map(|found| found.rule.tag()).collect();
        finding.identity_findings.sort();
        finding.identity_findings.dedup();
    }
}

impl IdentityFinding {
    /// Whether it is about a scan's finding or about a record that the finding is linked to.
    pub fn concerns(&self, finding: &Finding) -> bool {
        let record = finding.identity.credential.as_ref().and_then(|record| record.record_id.as_deref());
        match self.subject_kind {
            SubjectKind::Finding => self.subject == finding.fingerprint,
            SubjectKind::Identity => Some(&self.subject) == finding.identity.id.as_ref(),
            SubjectKind::Credential => record.is_some_and(|record| self.subject.ends_with(&format!(":{record}"))),
            SubjectKind::Provider => false,
        }
    }
}

/// What a finding is about, for the [`Sink`].
struct Subject<'a> {
    kind: SubjectKind,
    id: &'a str,
    name: Option<&'a str>,
    owner: Option<&'a str>,
}

/// Takes findings in, under a policy.
struct Sink<'a> {
    policy: &'a Policy,
    today: Date,
    found: Vec<IdentityFinding>,
}

impl Sink<'_> {
    fn add(&mut self, rule: Rule, subject: &Subject<'_>, reason: impl Into<String>, evidence: Vec<String>) {
        if self.policy.exception(rule, subject.id, self.today).is_some() {
            return;
        }
        self.found.push(IdentityFinding {
            rule,
            severity: self.policy.severity_of(rule),
            subject_kind: subject.kind,
            subject: subject.id.to_owned(),
            name: subject.name.map(str::to_owned),
            owner: subject.owner.map(str::to_owned),
            reason: reason.into(),
            evidence,
            controls: rule.controls(),
        });
    }

    fn finish(mut self) -> Vec<IdentityFinding> {
        let order = |found: &IdentityFinding| {
            (std::cmp::Reverse(found.severity), found.rule, found.subject_kind, found.subject.clone())
        };
        self.found.sort_by_cached_key(order);
        self.found.dedup();
        self.found
    }
}

/// Returns the day of a date or time as the inventory writes them.
fn day(text: &str) -> Option<Date> {
    text.get(..10)?.parse().ok()
}

/// Whether a status of the inventory says that something no longer works.
pub(super) fn is_over(status: Option<&str>) -> bool {
    matches!(status, Some("disabled" | "revoked" | "retired" | "expired"))
}

/// Returns how many days lie between a day and today; negative where it is yet to come.
pub(super) fn days_since(text: &str, today: Date) -> Option<i64> {
    let then = day(text)?;
    today.since((jiff::Unit::Day, then)).ok().map(|span| i64::from(span.get_days()))
}
