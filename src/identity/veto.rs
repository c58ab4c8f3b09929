//! What rules a record out although it seems to fit: its type, the account, and time.
//!
//! Vetoes hold for hints and for what is weaker, never for a fingerprint or a public id. That a record is revoked or past its
//! end is no veto: a leaked key may well be old, and then that is the finding.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::facts::Facts;
use super::hint::Form;
use crate::detector::Registry;
use crate::finding::Finding;
use crate::inventory::model::CredentialRecord;

/// How much earlier than its record a key may be seen: clocks and time zones differ.
const GRACE: SignedDuration = SignedDuration::from_hours(24);

/// Why a record is not the one that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Veto {
    /// It is of another type.
    Type {
        /// The record's type.
        sort: String,
    },
    /// It belongs to another account than the value says.
    Account {
        /// The account that the value names.
        named: String,
        /// The record's account.
        recorded: String,
    },
    /// The value was seen before the record was made.
    Time {
        /// The day when the value was first seen.
        seen: String,
        /// The day when the record was made.
        made: String,
    },
}

impl std::fmt::Display for Veto {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Type { sort } => write!(formatter, "it is of another type ({sort})"),
            Self::Account { named, recorded } => {
                write!(formatter, "it belongs to {recorded} and the value to {named}")
            }
            Self::Time { seen, made } => {
                write!(formatter, "it was made {made}, after the value was first seen {seen}")
            }
        }
    }
}

/// Returns what rules a record out for a finding, the surest reason first.
pub fn on(finding: &Finding, facts: &Facts, record: &CredentialRecord, registry: &Registry) -> Option<Veto> {
    type_veto(finding, record, registry).or_else(|| account_veto(facts, record)).or_else(|| time_veto(finding, record))
}

fn type_veto(finding: &Finding, record: &CredentialRecord, registry: &Registry) -> Option<Veto> {
    let sort = record.sort.as_deref()?;
    (!types_fit(finding, sort, registry)).then(|| Veto::Type { sort: sort.to_owned() })
}

/// Returns whether a finding may be a credential of this type. A type that no detector has is the provider's own word and
/// rules nothing out; the type of another detector does, where the value cannot begin as that one's do, or where one of the
/// two manages accounts and the other does not.
pub fn types_fit(finding: &Finding, sort: &str, registry: &Registry) -> bool {
    if sort == finding.detector {
        return true;
    }
    let Some(theirs) = registry.get(sort) else { return true };
    if finding.provider.as_deref().is_some_and(|provider| provider != theirs.provider) {
        return false;
    }
    use crate::finding::Kind::AdminKey;
    let Some(ours) = registry.get(&finding.detector) else { return true };
    if ours.provider != theirs.provider && finding.provider_candidates.is_empty() {
        return false;
    }
    let head = constant_head(&ours.shapes);
    (ours.kind == AdminKey) == (theirs.kind == AdminKey) && Form::of(theirs).may_begin_with(head)
}

/// Returns the literal text with which every shape of a detector begins, as far as the first one goes.
fn constant_head(shapes: &[String]) -> &str {
    let literal = |shape: &'_ String| shape.find(['{', '\\']).unwrap_or(shape.len());
    let Some(first) = shapes.first() else { return "" };
    let shared = |other: &String| first.bytes().zip(other.bytes()).take_while(|(left, right)| left == right).count();
    let length = shapes.iter().map(|shape| shared(shape).min(literal(shape))).min().unwrap_or(0);
    first.get(..length).unwrap_or_default()
}

fn account_veto(facts: &Facts, record: &CredentialRecord) -> Option<Veto> {
    let system = |account: &str| account.split_once(':').map(|(system, _)| system.to_ascii_lowercase());
    let own = record.provider.as_ref().zip(record.account.as_ref());
    let own = own.map(|(provider, account)| format!("{provider}:{account}"));
    let recorded: Vec<String> = record.join.account.iter().cloned().chain(own).collect();
    for named in facts.accounts.iter().filter(|account| account.certain) {
        let same_system: Vec<&String> =
            recorded.iter().filter(|account| system(account) == system(&named.value)).collect();
        let agrees = |account: &&&String| is_part_of(account, &named.value) || is_part_of(&named.value, account);
        if let (Some(first), None) = (same_system.first(), same_system.iter().find(agrees)) {
            // What a provider's answer calls a project may be an organisation in the list: only ids of one form contradict.
            if looks_alike(first, &named.value) {
                return Some(Veto::Account { named: named.value.clone(), recorded: (*first).clone() });
            }
        }
    }
    None
}

/// Whether an account is another one or a part of it: `org-acme/proj_ex` is one of `org-acme` and is `proj_ex`.
fn is_part_of(account: &str, whole: &str) -> bool {
    account.eq_ignore_ascii_case(whole)
        || account.split('/').next_back().is_some_and(|last| whole.split_once(':').is_some_and(|(_, id)| id == last))
        || account.get(..whole.len()).is_some_and(|head| head.eq_ignore_ascii_case(whole))
            && account.as_bytes().get(whole.len()) == Some(&b'/')
}

/// Whether two accounts have ids of one form: the same length, and letters, digits and dashes at the same places.
fn looks_alike(left: &str, right: &str) -> bool {
    let prefix = |text: &str| text.split(['-', '_']).next().map(str::len);
    let digits = |text: &str| text.rsplit(':').next().is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_digit()));
    digits(left) == digits(right) && (digits(left) || prefix(left) == prefix(right))
}

fn time_veto(finding: &Finding, record: &CredentialRecord) -> Option<Veto> {
    let (seen, made) = (finding.first_seen.as_deref()?, record.issued.as_deref()?);
    let earliest = instant(made)?.checked_sub(GRACE).ok()?;
    (instant(seen)? < earliest).then(|| Veto::Time { seen: day(seen).to_owned(), made: day(made).to_owned() })
}

/// Reads a day or a moment; a day counts from its start in UTC.
pub fn instant(text: &str) -> Option<Timestamp> {
    let of_day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse::<Timestamp>().ok().or_else(of_day)
}

/// Returns the day of a time.
pub fn day(text: &str) -> &str {
    text.get(..10).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::facts::Account;
    use crate::identity::testing;

    fn record(sort: &str) -> CredentialRecord {
        CredentialRecord {
            id: "cred".into(),
            sort: Some(sort.into()),
            provider: Some("openai".into()),
            ..CredentialRecord::default()
        }
    }

    fn verdict(finding: &Finding, facts: &Facts, record: &CredentialRecord) -> Option<Veto> {
        on(finding, facts, record, testing::registry())
    }

    #[test]
    fn a_record_of_another_type_is_ruled_out_and_a_word_of_the_provider_rules_nothing_out() {
        let finding = testing::finding("openai-project-key", "openai", b"x");
        let facts = Facts::default();
        assert_eq!(verdict(&finding, &facts, &record("openai-project-key")), None);
        assert_eq!(verdict(&finding, &facts, &record("project key")), None);
        for other in ["openai-admin-key", "openai-service-account-key", "anthropic-api-key"] {
            assert_eq!(verdict(&finding, &facts, &record(other)), Some(Veto::Type { sort: other.into() }), "{other}");
        }
        let classic = testing::finding("gitlab-access-token-routable", "gitlab", b"x");
        let mut token = record("gitlab-access-token");
        token.provider = Some("gitlab".into());
        assert_eq!(verdict(&classic, &facts, &token), None, "both begin alike");
    }

    #[test]
    fn a_value_that_was_seen_before_the_record_was_made_is_another() {
        let mut finding = testing::finding("openai-project-key", "openai", b"x");
        let mut made = record("openai-project-key");
        made.issued = Some("2025-04-30".into());
        for (seen, ruled_out) in [
            ("2025-04-28T23:59:59Z", true),
            ("2025-04-29T00:00:01Z", false),
            ("2025-04-29T01:00:00+02:00", true),
            ("2025-05-30T00:00:00Z", false),
            ("invalid", false),
        ] {
            finding.first_seen = Some(seen.into());
            assert_eq!(verdict(&finding, &Facts::default(), &made).is_some(), ruled_out, "{seen}");
        }
        made.issued = Some("9999-12-31T23:59:59Z".into());
        assert!(verdict(&finding, &Facts::default(), &made).is_none(), "the finding has no date");
        made.status = Some("revoked".into());
        made.expires = Some("2020-01-01".into());
        made.issued = None;
        finding.first_seen = Some("2025-05-30T00:00:00Z".into());
        assert_eq!(verdict(&finding, &Facts::default(), &made), None, "neither status nor end is a veto");
    }

    #[test]
    fn an_account_that_the_value_names_rules_out_records_of_another() {
        let finding = testing::finding("aws-bedrock-long-term-key", "aws", b"x");
        let mut theirs = record("aws-bedrock-long-term-key");
        theirs.provider = Some("aws".into());
        theirs.account = Some("999999999999".into());
        let named = |value: &str, certain| Facts {
            accounts: vec![Account { value: value.into(), certain }],
            ..Facts::default()
        };
        let veto = verdict(&finding, &named("aws:111122223333", true), &theirs);
        assert!(matches!(veto, Some(Veto::Account { .. })), "{veto:?}");
        assert_eq!(verdict(&finding, &named("aws:111122223333", false), &theirs), None);
        assert_eq!(verdict(&finding, &named("gcp:acme", true), &theirs), None);
        theirs.join.account.push("aws:111122223333".into());
        assert_eq!(verdict(&finding, &named("aws:111122223333", true), &theirs), None);
    }

    #[test]
    fn a_project_is_a_part_of_its_organisation() {
        let finding = testing::finding("openai-project-key", "openai", b"x");
        let mut theirs = record("openai-project-key");
        theirs.account = Some("org-acme/proj_ex".into());
        for (named, ruled_out) in [("openai:org-acme", false), ("openai:proj_ex", false), ("openai:org-other", true)] {
            let facts = Facts { accounts: vec![Account { value: named.into(), certain: true }], ..Facts::default() };
            assert_eq!(verdict(&finding, &facts, &theirs).is_some(), ruled_out, "{named}");
        }
    }
}
