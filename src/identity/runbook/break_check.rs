//! Can it be revoked without breaking production? What is known of its consumers and its last use, and what follows from it.
//!
//! "Safe" is said only on evidence that nothing uses the credential, never because nothing is known.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::Subject;
use crate::finding::{Liveness, Occurrence, SourceKind};

/// After so many days without use a credential counts as unused, where its last use is known.
const UNUSED_DAYS: i64 = 30;
/// How many consumers are listed of those that scans found.
const MOST_FOUND: usize = 20;

/// What revoking would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Break {
    /// Nothing uses it: revoke.
    Safe,
    /// Something uses it: put a new one beside it first.
    NeedsOverlap,
    /// Nobody knows.
    Unknown,
}

impl Break {
    /// Returns the verdict in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Safe => "safe to revoke",
            Self::NeedsOverlap => "needs overlap",
            Self::Unknown => "unknown",
        }
    }
}

/// The check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BreakCheck {
    /// What revoking would do.
    pub verdict: Break,
    /// Why, each reason a sentence.
    pub reasons: Vec<String>,
    /// What uses it.
    pub consumers: Vec<Consumer>,
    /// How many more places were found than are listed.
    pub more_found: u64,
    /// Whether an old and a new one can work side by side; nothing where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<bool>,
    /// When it was last used, as the provider's list says: a date, or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
}

/// Something that uses the credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Consumer {
    /// What it is: a workload, or the file that names the credential.
    pub name: String,
    /// Who says so.
    pub known_by: KnownBy,
}

/// Who says that something uses a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum KnownBy {
    /// The inventory.
    Declared,
    /// A scan found the credential there, and it still stands there.
    Found,
}

/// Checks what would break.
pub fn check(subject: &Subject<'_>, overlap: Option<bool>, now: Timestamp) -> BreakCheck {
    let identity = subject.card.map(|card| &card.identity);
    let declared = identity.map(|identity| identity.consumers.as_slice()).unwrap_or_default();
    let mut consumers: Vec<Consumer> =
        declared.iter().map(|name| Consumer { name: name.clone(), known_by: KnownBy::Declared }).collect();
    let found = places_in_use(&subject.finding.occurrences);
    let more_found = found.len().saturating_sub(MOST_FOUND) as u64;
    consumers.extend(found.into_iter().take(MOST_FOUND).map(|name| Consumer { name, known_by: KnownBy::Found }));
    // The owner's word on the identity counts more than what the provider allows in general.
    let overlap = identity.and_then(|identity| identity.revoke.as_ref()?.overlap).or(overlap);
    let last_used = subject.record.and_then(|record| record.last_used.clone());
    let last_used = last_used.or_else(|| identity.and_then(|identity| identity.last_used.clone()));
    let (verdict, reasons) = verdict(subject, &consumers, last_used.as_deref(), overlap, now);
    BreakCheck { verdict, reasons, consumers, more_found, overlap, last_used }
}

fn verdict(
    subject: &Subject<'_>,
    consumers: &[Consumer],
    last_used: Option<&str>,
    overlap: Option<bool>,
    now: Timestamp,
) -> (Break, Vec<String>) {
    if subject.finding.verification.state == Liveness::Dead {
        return (
            Break::Safe,
            vec!["the provider says that it does not work any more: nothing can depend on it".into()],
        );
    }
    let unused = last_used.and_then(|when| days_since(when, now)).map(|days| days > UNUSED_DAYS);
    let mut reasons = Vec::new();
    let declared = consumers.iter().filter(|consumer| consumer.known_by == KnownBy::Declared).count();
    let found = consumers.len() - declared;
    if declared > 0 {
        reasons.push(format!("the inventory declares {}", counted(declared, "consumer")));
    }
    if found > 0 {
        reasons.push(format!("it still stands in {}, which may read it there", counted(found, "place")));
    }
    reasons.push(match (last_used, unused) {
        (Some("never"), _) => "the provider's list says that it was never used".into(),
        (Some(when), Some(true)) => format!("it was last used on {when}, more than {UNUSED_DAYS} days ago"),
        (Some(when), Some(false)) => format!("it was last used on {when}"),
        (Some(_), None) => "the date of its last use cannot be read".into(),
        (None, _) => "no list says when it was last used".into(),
    });
    let verdict = match (consumers.is_empty(), unused) {
        (false, _) | (true, Some(false)) => Break::NeedsOverlap,
        (true, Some(true)) => Break::Safe,
        (true, None) => Break::Unknown,
    };
    if verdict == Break::NeedsOverlap {
        reasons.push(
            match overlap {
                Some(true) => "an old and a new one can work side by side: no outage is needed",
                Some(false) => "an old and a new one cannot work side by side: agree on a window with its owner",
                None => "whether an old and a new one can work side by side is not known: ask its owner",
            }
            .into(),
        );
    }
    if verdict == Break::Unknown {
        reasons.push("no consumer is declared, and that nobody declared one does not mean that there is none".into());
    }
    (verdict, reasons)
}

/// The places where it still stands: files, and what HEAD has. A place in the history alone reads nothing any more.
fn places_in_use(occurrences: &[Occurrence]) -> Vec<String> {
    let stands = |place: &&Occurrence| match place.source {
        SourceKind::Git => place.in_head == Some(true),
        SourceKind::File | SourceKind::Index => true,
        SourceKind::Stdin | SourceKind::Archive | SourceKind::Ticket | SourceKind::Log | SourceKind::Transcript => {
            false
        }
    };
    let mut names: Vec<String> =
        occurrences.iter().filter(stands).map(|place| format!("{}:{}", place.path, place.line)).collect();
    names.sort();
    names.dedup();
    names
}

/// Returns how many days ago something was; `never` is longer than any. A date is taken as its last second.
fn days_since(when: &str, now: Timestamp) -> Option<i64> {
    if when == "never" {
        return Some(i64::MAX);
    }
    let whole_day = || format!("{when}T23:59:59Z").parse::<Timestamp>().ok();
    let moment = when.parse::<Timestamp>().ok().or_else(whole_day)?;
    let since: SignedDuration = now.duration_since(moment);
    Some(since.as_hours() / 24)
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("one {what}") } else { format!("{number} {what}s") }
}
