//! The link: from a finding to the inventory, with its tier, score, reason, age and rivals.
//!
//! The surest tier that fits decides; what a weaker one says otherwise is told, and changes nothing. A tie names no owner
//! unless all share it. A person's decision wins over every tier. Nothing here asks anyone: the store is all it reads, and
//! each finding costs a few look-ups, whatever the size of the inventory.

use super::context::{self, Neighbourhood, Suggestion};
use super::coverage::{Coverages, Verdict};
use super::decisions::{self, Decision};
use super::directory::StoreDirectory;
use super::facts::{self, Facts};
use super::matches::{Match, Matcher, Matches};
use super::{score, veto};
use crate::credential::FoundCredential;
use crate::detector::Registry;
use crate::error::Result;
use crate::finding::{Candidate, CredentialRecord, Finding, Identity, IdentityStatus, LinkTier, Person};
use crate::inventory::ingest::RecordKind;
use crate::inventory::keys::KeyKind;
use crate::inventory::{model, records};
use crate::secret::FingerprintKey;
use crate::store::Store;

/// How many rivals a tie names.
const MOST_CANDIDATES: usize = 20;
/// How many other hints a reason names.
const MOST_CONFLICTS: usize = 3;

/// Links findings to one inventory.
pub struct Linker<'a> {
    matcher: Matcher<'a>,
    coverages: Coverages,
    directory: StoreDirectory<'a>,
    files: Neighbourhood,
    is_empty: bool,
    notes: Vec<String>,
}

impl std::fmt::Debug for Linker<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Linker({})", self.matcher.store.path().display())
    }
}

impl<'a> Linker<'a> {
    /// Prepares to link. Without a key, fingerprints of the inventory are compared with nothing, which [`Linker::notes`] says.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn new(store: &'a Store, registry: &'a Registry, key: Option<&'a FingerprintKey>) -> Result<Self> {
        Ok(Self {
            matcher: Matcher::new(store, registry, key)?,
            coverages: Coverages::read(store)?,
            directory: StoreDirectory::new(store),
            files: Neighbourhood::new(),
            is_empty: is_empty(store)?,
            notes: notes(store, key)?,
        })
    }

    /// Adds what the repositories of the targets say of themselves, so that owners can be suggested.
    #[must_use]
    pub fn with_files(mut self, files: Neighbourhood) -> Self {
        self.files = files;
        self
    }

    /// Returns what a reader should know of the link as a whole, such as that no fingerprint could be compared.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Links one finding; of one from a report, whose secret nobody has, its fingerprint and its redacted form are compared.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn link(&self, finding: &Finding, found: Option<&FoundCredential>) -> Result<Identity> {
        if self.is_empty {
            return Ok(Identity::new(IdentityStatus::NoInventory));
        }
        let facts = facts::of(finding, found);
        let decisions = decisions::on(self.matcher.store, &finding.fingerprint)?;
        let mut matches = self.matcher.all(finding, found, &facts)?;
        let rejected = reject(&mut matches, &decisions);
        if let Some(accepted) = self.accepted(&decisions)? {
            let also = self.conflicts(&accepted.0, &[&matches.exact, &matches.public, &matches.hints])?;
            let mut identity = self.named(&accepted.0, None, None)?;
            identity.why = Some(format!("{}{also}", accepted.1));
            return Ok(identity);
        }
        let tiers = [
            (LinkTier::Exact, &matches.exact),
            (LinkTier::PublicId, &matches.public),
            (LinkTier::HintUnique, &matches.hints),
        ];
        for (place, (tier, fitting)) in tiers.iter().enumerate() {
            if let Some(first) = fitting.first() {
                let weaker: Vec<&Vec<Match>> = tiers[place + 1..].iter().map(|tier| tier.1).collect();
                let also = self.conflicts(first, &weaker)?;
                let mut identity = self.decided(*tier, fitting)?;
                let why = identity.why.take().unwrap_or_default();
                identity.why = Some(format!("{why}{also}{}", rejections(rejected)));
                return Ok(identity);
            }
        }
        self.unlinked(finding, found, &facts, &matches, rejected)
    }

    /// Makes the link of a tier with one or several records that fit.
    fn decided(&self, tier: LinkTier, fitting: &[Match]) -> Result<Identity> {
        let [first, rest @ ..] = fitting else { return Ok(Identity::new(IdentityStatus::NotCovered)) };
        if rest.is_empty() {
            let mut identity = self.named(first, Some(tier), Some(first.score))?;
            let made = first.credential.as_ref().and_then(|record| record.issued.as_deref()).map(veto::day);
            let made = made.filter(|_| tier == LinkTier::HintUnique).map(|day| format!(", made {day}"));
            identity.why = Some(format!("{}{}", first.reason, made.unwrap_or_default()));
            if tier == LinkTier::HintUnique && first.score < score::HINT_ASSERTS {
                return self.only_suggested(first, identity);
            }
            return Ok(identity);
        }
        let one_identity = first.identity.is_some() && rest.iter().all(|other| other.identity == first.identity);
        let count = fitting.len();
        if one_identity && tier != LinkTier::HintUnique {
            let only = Match { credential: None, ..first.clone() };
            let mut identity = self.named(&only, Some(tier), Some(first.score))?;
            identity.why = Some(format!(
                "{}; {count} credentials of this identity fit alike, so which of them it is stays open",
                first.reason
            ));
            return Ok(identity);
        }
        self.tie(tier, fitting, one_identity)
    }

    /// A hint that is worth too little to name anyone.
    fn only_suggested(&self, fitting: &Match, linked: Identity) -> Result<Identity> {
        let mut identity = Identity::new(IdentityStatus::Suggested);
        identity.tier = linked.tier;
        identity.score = linked.score;
        identity.as_of = linked.as_of.clone();
        let why = linked.why.clone().unwrap_or_default();
        identity.why = Some(format!("{why}, which is too little to name anyone"));
        identity.candidates = vec![self.candidate(fitting, fitting.score)?];
        Ok(identity)
    }

    fn tie(&self, tier: LinkTier, fitting: &[Match], one_identity: bool) -> Result<Identity> {
        let count = fitting.len();
        let tier = if tier == LinkTier::HintUnique { LinkTier::HintTie } else { tier };
        // The least counts: no record may gain by having more rivals.
        let least = fitting.iter().map(|one| one.score).fold(score::EXACT, f64::min);
        let share = score::of_tie(least, count);
        let mut candidates = Vec::new();
        for one in fitting.iter().take(MOST_CANDIDATES) {
            candidates.push(self.candidate(one, share)?);
        }
        let mut identity = Identity::new(IdentityStatus::Tie);
        let owner = |candidate: &Candidate| candidate.owner.as_ref().and_then(|owner| owner.id.clone());
        let first_owner = candidates.first().and_then(owner);
        let shared = count == candidates.len() && candidates.iter().all(|one| owner(one) == first_owner);
        let mut why = format!("{count} records fit equally well");
        if one_identity && let Some(first) = fitting.first() {
            let only = Match { credential: None, ..first.clone() };
            identity = Identity { status: IdentityStatus::Tie, ..self.named(&only, None, None)? };
            why.push_str(", all of one identity: the identity is agreed, the credential undecided");
        } else if shared && first_owner.is_some() {
            identity.owner = candidates.first().and_then(|first| first.owner.clone());
            why.push_str(", all of one owner: the owner is agreed, the credential undecided");
        } else {
            why.push_str(", so none is named");
        }
        if let Some(first) = fitting.first() {
            why.push_str(&format!("; {}", first.reason));
            identity.as_of = self.as_of(first)?;
        }
        identity.tier = Some(tier);
        identity.score = Some(share);
        identity.why = Some(why);
        identity.candidates = candidates;
        Ok(identity)
    }

    fn accepted(&self, decisions: &[Decision]) -> Result<Option<(Match, String)>> {
        for (place, decision) in decisions.iter().enumerate() {
            if decision.verdict != decisions::Verdict::Accept {
                continue;
            }
            let credential = match &decision.credential {
                Some(id) => records::credential(self.matcher.store, id)?,
                None => None,
            };
            let identity = credential.as_ref().and_then(|record| record.identity.clone()).or(decision.identity.clone());
            let is_gone = decision.credential.is_some() && credential.is_none() && identity.is_none();
            let credential_id = credential.as_ref().map_or("", |record| record.id.as_str());
            let withdrawn = decisions[..place].iter().any(|newer| newer.is_about(credential_id, identity.as_deref()));
            if is_gone || withdrawn {
                continue;
            }
            let why = format!("{} accepted it on {}: {}", decision.who, veto::day(&decision.at), decision.why);
            return Ok(Some((Match { credential, identity, score: score::EXACT, reason: why.clone() }, why)));
        }
        Ok(None)
    }

    /// Says what weaker tiers point to, where that is something else.
    fn conflicts(&self, winner: &Match, weaker: &[&Vec<Match>]) -> Result<String> {
        let same = |other: &Match| match (&winner.credential, &other.credential) {
            (Some(winner), Some(other)) => winner.id == other.id,
            _ => winner.identity == other.identity,
        };
        let mut names = Vec::new();
        for other in weaker.iter().flat_map(|tier| tier.iter()).filter(|other| !same(other)) {
            if names.len() < MOST_CONFLICTS {
                names.push(format!("{} ({})", self.name_of(other)?, other.reason));
            }
        }
        Ok(if names.is_empty() { String::new() } else { format!("; also, and overruled: {}", names.join(", ")) })
    }

    /// Returns a name of a match that a reader of the inventory knows.
    fn name_of(&self, one: &Match) -> Result<String> {
        let identity = self.matcher.identity(one.identity.as_deref())?;
        let name = identity.and_then(|identity| identity.name.or(Some(identity.id)));
        Ok(name.or_else(|| one.credential.as_ref().map(|record| record.id.clone())).unwrap_or_default())
    }

    /// Fills in what the inventory says of a match.
    fn named(&self, one: &Match, tier: Option<LinkTier>, score: Option<f64>) -> Result<Identity> {
        let mut linked = Identity::new(IdentityStatus::Linked);
        linked.tier = tier;
        linked.score = score;
        linked.as_of = self.as_of(one)?;
        linked.credential = one.credential.as_ref().map(shown_record);
        linked.id.clone_from(&one.identity);
        if let Some(identity) = self.matcher.identity(one.identity.as_deref())? {
            linked.owner = self.owner(&identity)?;
            linked.name = identity.name;
            linked.backup_owner = identity.backup_owner;
            linked.team = identity.team;
            linked.environment = identity.environment;
            linked.ai_system = identity.ai_system;
        } else {
            linked.name = one.credential.as_ref().and_then(|record| record.name.clone());
        }
        Ok(linked)
    }

    fn candidate(&self, one: &Match, score: f64) -> Result<Candidate> {
        let identity = self.matcher.identity(one.identity.as_deref())?;
        let owner = identity.as_ref().map_or(Ok(None), |identity| self.owner(identity))?;
        let record = one.credential.as_ref();
        let own_name = record.and_then(|record| record.name.clone());
        Ok(Candidate {
            record_id: record.map(|record| record.record_id.clone().unwrap_or_else(|| record.id.clone())),
            id: one.identity.clone(),
            name: identity.and_then(|identity| identity.name).or(own_name),
            owner,
            score,
        })
    }

    fn owner(&self, identity: &model::IdentityRecord) -> Result<Option<Person>> {
        let Some(id) = identity.owner.as_deref().filter(|owner| !owner.is_empty()) else { return Ok(None) };
        Ok(Some(self.directory.person_or_id(id)?))
    }

    fn as_of(&self, one: &Match) -> Result<Option<String>> {
        let (kind, id) = match (&one.credential, &one.identity) {
            (Some(record), _) => (RecordKind::Credential, record.id.as_str()),
            (None, Some(identity)) => (RecordKind::Identity, identity.as_str()),
            (None, None) => return Ok(None),
        };
        let fields = records::provenance(self.matcher.store, kind, id)?;
        Ok(fields.into_values().map(|(_, as_of)| as_of).max())
    }

    /// Says of a finding that no record fits what can be said: its account, that it is in no list, whom to ask.
    fn unlinked(
        &self,
        finding: &Finding,
        found: Option<&FoundCredential>,
        facts: &Facts,
        matches: &Matches,
        rejected: usize,
    ) -> Result<Identity> {
        let suggestions = context::suggestions(finding, found, &self.files, &self.directory)?;
        let verdict = self.coverages.verdict(finding, found.is_some(), facts, &self.matcher)?;
        let account = self.known_account(facts)?;
        let (status, tier, score, mut why, as_of) = match (verdict, account) {
            (Verdict::Shadow { why, as_of }, _) => (IdentityStatus::Shadow, None, None, why, Some(as_of)),
            (Verdict::NotCovered { why }, Some(account)) => {
                let why = format!("only the account is known: {account}; {why}");
                (IdentityStatus::Account, Some(LinkTier::Account), Some(score::ACCOUNT), why, None)
            }
            (Verdict::NotCovered { why }, None) if !suggestions.is_empty() => {
                let likeliest = suggestions.first().map(|one| one.candidate.score);
                (IdentityStatus::Suggested, Some(LinkTier::Context), likeliest, why, None)
            }
            (Verdict::NotCovered { why }, None) => (IdentityStatus::NotCovered, None, None, why, None),
        };
        if let Some((other, veto)) = matches.vetoed.first() {
            why.push_str(&format!("; {} has a redacted form that fits, but {veto}", self.name_of(other)?));
        }
        why.push_str(&rejections(rejected));
        why.push_str(&suggested(&suggestions));
        let mut identity = Identity::new(status);
        if status == IdentityStatus::Account {
            identity.owner = self.answered_owner(facts)?;
        }
        identity.tier = tier;
        identity.score = score;
        identity.why = Some(why);
        identity.as_of = as_of;
        identity.candidates = suggestions.into_iter().map(|one| one.candidate).collect();
        Ok(identity)
    }

    /// Returns the account of a value, where the inventory knows it.
    fn known_account(&self, facts: &Facts) -> Result<Option<String>> {
        for account in &facts.accounts {
            let in_records = records::count_by_key(self.matcher.store, KeyKind::Account, &account.value)? > 0;
            if in_records || self.coverages.knows(&account.value) {
                let beside = if account.certain { "" } else { " (it stands beside it)" };
                return Ok(Some(format!("{}{beside}", account.value.replacen(':', " ", 1))));
            }
        }
        for name in &facts.people {
            if let Some(person) = records::person(self.matcher.store, name)? {
                return Ok(Some(format!("that of {}", person.name.unwrap_or(person.id))));
            }
        }
        Ok(None)
    }

    /// Returns the person whom the value or the provider names.
    fn answered_owner(&self, facts: &Facts) -> Result<Option<Person>> {
        for name in &facts.people {
            if let Some(person) = records::person(self.matcher.store, name)? {
                return Ok(Some(super::directory::shown_person(person)));
            }
        }
        Ok(None)
    }
}

fn is_empty(store: &Store) -> Result<bool> {
    let query = "SELECT NOT EXISTS (SELECT 1 FROM credential) AND NOT EXISTS (SELECT 1 FROM identity) \
        AND NOT EXISTS (SELECT 1 FROM coverage)";
    store.read(|connection| connection.query_row(query, [], |row| row.get(0)))
}

/// Says where fingerprints of the inventory cannot be compared.
fn notes(store: &Store, key: Option<&FingerprintKey>) -> Result<Vec<String>> {
    if !records::has_keys(store, KeyKind::Fingerprint, "")? {
        return Ok(Vec::new());
    }
    let note = match key {
        None => Some("fingerprint tier off: no key".to_owned()),
        Some(key) => {
            let own = ["b3k1", "hs256"].map(|scheme| format!("{scheme}:{}:", key.id()));
            let mut known = false;
            for prefix in own {
                known |= records::has_keys(store, KeyKind::Fingerprint, &prefix)?;
            }
            let id = key.id();
            (!known).then(|| format!("fingerprint tier off: the inventory's fingerprints are of other keys than {id}"))
        }
    };
    Ok(note.into_iter().collect())
}

/// Takes away what people said it is not, and returns how many records that were.
fn reject(matches: &mut Matches, decisions: &[Decision]) -> usize {
    let mut count = 0;
    let mut keep = |one: &Match| {
        let credential = one.credential.as_ref().map_or("", |record| record.id.as_str());
        // The newest decision on a record counts.
        let decision = decisions.iter().find(|decision| decision.is_about(credential, one.identity.as_deref()));
        let rejected = decision.is_some_and(|decision| decision.verdict == decisions::Verdict::Reject);
        count += usize::from(rejected);
        !rejected
    };
    for tier in [&mut matches.exact, &mut matches.public, &mut matches.hints] {
        tier.retain(&mut keep);
    }
    matches.vetoed.retain(|(one, _)| keep(one));
    count
}

fn rejections(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => "; one other record was rejected by a person".into(),
        count => format!("; {count} other records were rejected by people"),
    }
}

fn suggested(suggestions: &[Suggestion]) -> String {
    let name = |one: &Suggestion| {
        let owner = one.candidate.owner.as_ref().and_then(|owner| owner.name.clone().or_else(|| owner.id.clone()));
        owner.or_else(|| one.candidate.name.clone()).or_else(|| one.candidate.id.clone()).unwrap_or_default()
    };
    let texts: Vec<String> =
        suggestions.iter().map(|one| format!("{} ({})", name(one), one.signs.join("; "))).collect();
    if texts.is_empty() { String::new() } else { format!("; suggested to ask, not asserted: {}", texts.join(", ")) }
}

fn shown_record(record: &model::CredentialRecord) -> CredentialRecord {
    CredentialRecord {
        record_id: record.record_id.clone().or_else(|| Some(record.id.clone())),
        sort: record.sort.clone(),
        status: record.status.clone(),
        created: record.issued.clone(),
        last_used: record.last_used.clone(),
    }
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
