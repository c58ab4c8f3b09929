//! Whether "in no inventory" may be said: only where a list of the provider is whole, of the right account and sort, not older
//! than the leak, and shows something of every record that the value could be compared with.

use std::cell::RefCell;
use std::collections::HashMap;

use super::facts::Facts;
use super::matches::{Matcher, providers_of};
use super::veto::{self, instant};
use crate::error::Result;
use crate::finding::{Finding, Liveness};
use crate::inventory::import::Kind;
use crate::store::Store;

/// What can be said of a value that no record fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The lists are whole and do not have it.
    Shadow {
        /// The reason, with the accounts that the lists are of.
        why: String,
        /// The oldest of the lists.
        as_of: String,
    },
    /// Nothing can be said.
    NotCovered {
        /// Why not.
        why: String,
    },
}

/// One list of the inventory.
#[derive(Debug, Clone)]
struct List {
    provider: String,
    account: String,
    as_of: String,
    complete: bool,
    /// The batch: the importer's name, then what tells several lists apart.
    source: String,
}

/// All lists of the inventory.
#[derive(Debug, Default)]
pub(super) struct Coverages {
    lists: Vec<List>,
    /// By provider, detector and what can be compared: how many records show nothing of it.
    blind: RefCell<HashMap<(String, String, bool, bool), u64>>,
}

impl List {
    /// Whether a list of this sort would name such a credential.
    fn is_of(&self, detector: &str) -> bool {
        let kind = self.source.split('/').next().and_then(|name| name.parse::<Kind>().ok());
        // What people keep by hand, and mapped tables, are lists of anything.
        kind.is_none_or(|kind| kind.sorts().is_empty() || kind.sorts().contains(&detector))
    }
}

impl Coverages {
    pub(super) fn read(store: &Store) -> Result<Self> {
        let lists = store.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT provider, account, as_of, complete, source FROM coverage ORDER BY provider, account, as_of, source",
            )?;
            let rows = statement.query_map([], |row| {
                Ok(List {
                    provider: row.get(0)?,
                    account: row.get(1)?,
                    as_of: row.get(2)?,
                    complete: row.get(3)?,
                    source: row.get(4)?,
                })
            })?;
            rows.collect()
        })?;
        Ok(Self { lists, blind: RefCell::default() })
    }

    /// Whether a list is of this account: `aws:111122223333`.
    pub(super) fn knows(&self, account: &str) -> bool {
        let Some((system, id)) = account.split_once(':') else { return false };
        self.lists.iter().any(|list| list.provider == provider_of(system) && is_account(&list.account, id))
    }

    /// Says what the lists say of a value that no record fits.
    pub(super) fn verdict(
        &self,
        finding: &Finding,
        has_secret: bool,
        facts: &Facts,
        matcher: &Matcher<'_>,
    ) -> Result<Verdict> {
        let not_covered = |why: String| Ok(Verdict::NotCovered { why });
        let Some(provider) = finding.provider.as_deref() else {
            return not_covered("nothing says which provider it is of, so no list can be asked".into());
        };
        let whole: Vec<&List> = self
            .lists
            .iter()
            .filter(|list| list.provider == provider && list.complete && list.is_of(&finding.detector))
            .collect();
        if whole.is_empty() {
            return not_covered(self.why_none(provider));
        }
        let named = facts.accounts.iter().filter(|account| account.certain);
        let named: Vec<&str> = named
            .filter_map(|account| account.value.split_once(':'))
            .filter(|(system, _)| provider_of(system) == provider)
            .map(|(_, id)| id)
            .collect();
        let of_account: Vec<&List> = whole
            .iter()
            .copied()
            .filter(|list| {
                list.account.is_empty() || named.is_empty() || named.iter().any(|id| is_account(&list.account, id))
            })
            .collect();
        if of_account.is_empty() {
            return not_covered(format!("the inventory has no list of {provider} {}", named.join(", ")));
        }
        let oldest = of_account.iter().map(|list| list.as_of.as_str()).min().unwrap_or_default();
        if is_older(oldest, finding.first_seen.as_deref()) {
            let day = veto::day(oldest);
            return not_covered(format!("the list of {provider} of {day} is older than the first sight of it"));
        }
        let blind = self.blind(finding, has_secret, facts, matcher)?;
        if blind > 0 {
            return not_covered(format!(
                "{blind} records of {provider} show nothing that it could be compared with, so it may be one of them"
            ));
        }
        Ok(Verdict::Shadow { why: shadow(provider, &of_account, finding), as_of: oldest.to_owned() })
    }

    fn why_none(&self, provider: &str) -> String {
        let lists: Vec<&List> = self.lists.iter().filter(|list| list.provider == provider).collect();
        match lists.iter().any(|list| list.complete) {
            true => format!("the inventory's lists of {provider} are of other sorts of credentials"),
            false if lists.is_empty() => format!("the inventory has no list of {provider}"),
            false => format!("no list of {provider} in the inventory is whole"),
        }
    }

    /// Counts the records that the value may be without anyone being able to tell.
    fn blind(&self, finding: &Finding, has_secret: bool, facts: &Facts, matcher: &Matcher<'_>) -> Result<u64> {
        let has_ids = !facts.public_ids.is_empty() || facts.leading_id.is_some();
        let mut blind = 0;
        for provider in providers_of(finding).into_iter().filter(|provider| !provider.is_empty()) {
            let key = (provider.to_owned(), finding.detector.clone(), has_ids, has_secret);
            let known = self.blind.borrow().get(&key).copied();
            blind += match known {
                Some(known) => known,
                None => {
                    let counted = count_blind(finding, provider, has_ids, has_secret, matcher)?;
                    self.blind.borrow_mut().insert(key, counted);
                    counted
                }
            };
        }
        Ok(blind)
    }
}

fn count_blind(
    finding: &Finding,
    provider: &str,
    has_ids: bool,
    has_secret: bool,
    matcher: &Matcher<'_>,
) -> Result<u64> {
    let mut kinds = Vec::new();
    kinds.extend(matcher.has_key().then_some("fp"));
    kinds.extend(has_ids.then_some("public-id"));
    kinds.extend(has_secret.then_some(["digest", "jwt"]).into_iter().flatten());
    let kinds = serde_json::Value::from(kinds).to_string();
    let by_type: Vec<(Option<String>, i64)> = matcher.store.read(|connection| {
        let mut statement = connection.prepare_cached(
            "SELECT type, count(*) FROM credential WHERE provider = ?1 \
             AND NOT EXISTS (SELECT 1 FROM hint WHERE hint.credential = credential.id) \
             AND NOT EXISTS (SELECT 1 FROM join_key WHERE join_key.credential = credential.id \
                             AND join_key.kind IN (SELECT value FROM json_each(?2))) GROUP BY type",
        )?;
        let rows = statement.query_map([provider, kinds.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect()
    })?;
    let fits =
        |sort: &Option<String>| sort.as_deref().is_none_or(|sort| veto::types_fit(finding, sort, matcher.registry));
    Ok(by_type.iter().filter(|(sort, _)| fits(sort)).map(|(_, count)| count.unsigned_abs()).sum())
}

/// Returns the provider whose accounts a system's name stands before.
fn provider_of(system: &str) -> &str {
    match system {
        "gcp" => "google",
        "azure-tenant" | "entra" => "azure",
        other => other,
    }
}

/// Whether a list of an account is of this one: `org-acme/proj_ex` is of `org-acme` and of `proj_ex`.
fn is_account(listed: &str, id: &str) -> bool {
    listed == id || listed.split('/').any(|part| part == id)
}

/// Whether a list was made before a time; a day counts to its end.
fn is_older(list: &str, seen: Option<&str>) -> bool {
    let day = if list.len() == 10 { jiff::SignedDuration::from_hours(24) } else { jiff::SignedDuration::ZERO };
    let end = instant(list).and_then(|start| start.checked_add(day).ok());
    matches!((end, seen.and_then(instant)), (Some(list), Some(seen)) if list < seen)
}

fn shadow(provider: &str, lists: &[&List], finding: &Finding) -> String {
    let mut accounts: Vec<String> = lists
        .iter()
        .map(|list| {
            let account = if list.account.is_empty() { "all accounts" } else { &list.account };
            format!("{account} of {}", veto::day(&list.as_of))
        })
        .collect();
    accounts.dedup();
    let more = accounts.len().saturating_sub(5);
    accounts.truncate(5);
    let mut why = format!("no record of {provider} fits, and these lists are whole: {}", accounts.join(", "));
    if more > 0 {
        why.push_str(&format!(" and {more} more"));
    }
    if finding.verification.state == Liveness::Dead {
        why.push_str("; it is dead, so it may have been deleted before the list was made");
    }
    why
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_one_sort_says_nothing_of_another() {
        let list = |source: &str| List {
            provider: "openai".into(),
            account: String::new(),
            as_of: "2026-11-20".into(),
            complete: true,
            source: source.into(),
        };
        assert!(list("openai-project-keys/org-acme/proj_ex").is_of("openai-service-account-key"));
        assert!(!list("openai-admin-keys/org-acme").is_of("openai-project-key"));
        assert!(list("hand/credtrace.inventory.toml").is_of("openai-project-key"));
    }

    #[test]
    fn a_list_of_a_day_counts_to_its_end() {
        assert!(!is_older("2026-11-20", Some("2026-11-20T23:00:00Z")));
        assert!(is_older("2026-11-20", Some("2026-11-21T00:00:01Z")));
        assert!(is_older("2026-11-20T08:00:00Z", Some("2026-11-20T23:00:00Z")));
        assert!(!is_older("2026-11-20T08:00:00Z", None));
        assert!(!is_older("9999-12-31", Some("2026-11-20T08:00:00Z")));
    }
}
