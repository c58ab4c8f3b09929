//! What the inventory has that fits a finding: records by fingerprint, by public id and by redacted form, each tier for
//! itself. Which of them is told, [`super::link`] decides.

use std::cell::{OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::facts::Facts;
use super::hint::{Form, Visible, fits_value};
use super::veto::{self, Veto};
use super::{digest, score};
use crate::credential::FoundCredential;
use crate::detector::Registry;
use crate::error::Result;
use crate::finding::Finding;
use crate::inventory::keys::{self, KeyKind};
use crate::inventory::model::{CredentialRecord, Hint, IdentityRecord};
use crate::inventory::records;
use crate::secret::FingerprintKey;
use crate::store::Store;

/// The longest tail of a redacted form in the store.
const LONGEST_TAIL: usize = 8;
/// A redacted form that is worth less says nothing.
const LEAST_BITS: f64 = 4.0;

/// A record that fits.
#[derive(Debug, Clone)]
pub(super) struct Match {
    /// The credential; nothing where only the identity is known by the key.
    pub(super) credential: Option<CredentialRecord>,
    /// The identity's id.
    pub(super) identity: Option<String>,
    /// How sure it is by itself.
    pub(super) score: f64,
    /// What agrees, to follow "because".
    pub(super) reason: String,
}

impl Match {
    fn of(credential: CredentialRecord, score: f64, reason: impl Into<String>) -> Self {
        let identity = credential.identity.clone();
        Self { credential: Some(credential), identity, score, reason: reason.into() }
    }

    /// The key by which equal matches are one: credentials before identities.
    pub(super) fn key(&self) -> (&str, &str) {
        let credential = self.credential.as_ref().map_or("", |record| record.id.as_str());
        (credential, self.identity.as_deref().unwrap_or_default())
    }
}

/// All that fits one finding, by tier.
#[derive(Debug, Default)]
pub(super) struct Matches {
    /// By the fingerprint of the whole value.
    pub(super) exact: Vec<Match>,
    /// By a public id.
    pub(super) public: Vec<Match>,
    /// By a redacted form.
    pub(super) hints: Vec<Match>,
    /// What a redacted form would fit, and why it is another one.
    pub(super) vetoed: Vec<(Match, Veto)>,
}

/// Finds matches; keeps what many findings ask for.
pub(super) struct Matcher<'a> {
    pub(super) store: &'a Store,
    pub(super) registry: &'a Registry,
    key: Option<&'a FingerprintKey>,
    /// Which digests the inventory has any of.
    digests: BTreeMap<&'static str, bool>,
    has_hmac: bool,
    forms: RefCell<HashMap<String, Rc<Form>>>,
    /// By provider: how many records of each type there are.
    types: RefCell<HashMap<String, Rc<Types>>>,
    /// By detector, provider and rivals: how many records a finding could be.
    counts: RefCell<HashMap<FindingKind, u64>>,
    /// By provider and the length that is visible: hints by the end of their tail.
    tails: RefCell<HashMap<(String, usize), Rc<HintsByEnd>>>,
    /// By provider: how long its redacted forms are.
    lengths: RefCell<HashMap<String, Rc<HintLengths>>>,
    leading_lengths: OnceCell<Vec<usize>>,
}

/// How long the ends of redacted forms are, and the beginnings of those that show no end.
struct HintLengths {
    tails: Vec<usize>,
    heads: Vec<usize>,
}

/// Redacted forms and their credentials' ids, by the end of the tail.
type HintsByEnd = HashMap<String, Vec<HintOf>>;
/// A redacted form and its credential's id.
type HintOf = (Hint, String);
/// The types of a provider's records, each with how many there are.
type Types = Vec<(Option<String>, u64)>;
/// Detector, provider and rivals of a finding.
type FindingKind = (String, Option<String>, String);

impl<'a> Matcher<'a> {
    pub(super) fn new(store: &'a Store, registry: &'a Registry, key: Option<&'a FingerprintKey>) -> Result<Self> {
        let mut digests = BTreeMap::new();
        for prefix in [digest::GITHUB, digest::HMSL, digest::SPKI, digest::SSH, digest::X509_SHA1, digest::X509_SHA256]
        {
            digests.insert(prefix, records::has_keys(store, KeyKind::Digest, &format!("{prefix}:"))?);
        }
        let has_hmac = match key {
            Some(key) => records::has_keys(store, KeyKind::Fingerprint, &format!("hs256:{}:", key.id()))?,
            None => false,
        };
        Ok(Self {
            store,
            registry,
            key,
            digests,
            has_hmac,
            forms: RefCell::default(),
            types: RefCell::default(),
            counts: RefCell::default(),
            tails: RefCell::default(),
            lengths: RefCell::default(),
            leading_lengths: OnceCell::new(),
        })
    }

    /// Whether a value can be compared with fingerprints of the inventory.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// Returns all that fits.
    pub(super) fn all(&self, finding: &Finding, found: Option<&FoundCredential>, facts: &Facts) -> Result<Matches> {
        let mut matches = Matches { exact: self.exact(finding, found)?, ..Matches::default() };
        matches.public = self.public(facts)?;
        self.add_hints(finding, found, facts, &mut matches)?;
        narrow(&mut matches);
        Ok(matches)
    }

    fn exact(&self, finding: &Finding, found: Option<&FoundCredential>) -> Result<Vec<Match>> {
        let mut keys = vec![(KeyKind::Fingerprint, finding.fingerprint.clone())];
        if let Some(found) = found {
            let secret = found.secret.expose();
            let canonical = digest::canonical(secret);
            if let Some(key) = self.key {
                if canonical != secret {
                    keys.push((KeyKind::Fingerprint, key.write(&key.fingerprint(canonical))));
                }
                if self.has_hmac {
                    keys.push((KeyKind::Fingerprint, key.hs256(canonical)));
                }
            }
            let wanted = |prefix: &str| self.digests.get(prefix).copied().unwrap_or(false);
            keys.extend(digest::digests(secret, &wanted).into_iter().map(|digest| (KeyKind::Digest, digest)));
        }
        let mut matches = Vec::new();
        for (kind, key) in keys {
            let what = match kind {
                KeyKind::Digest if key.starts_with(digest::SPKI) || key.starts_with(digest::SSH) => {
                    "the fingerprint of its public key is that of the record"
                }
                KeyKind::Digest => "the digest of the whole value is that of the provider's list",
                _ => "the keyed fingerprint of the whole value is that of the record",
            };
            for record in records::credentials_by_key(self.store, kind, &key)? {
                matches.push(Match::of(record, score::EXACT, what));
            }
        }
        Ok(unified(matches))
    }

    fn public(&self, facts: &Facts) -> Result<Vec<Match>> {
        let mut matches = Vec::new();
        for id in &facts.public_ids {
            let score = if id.sole { score::PUBLIC_ID } else { score::SHARED_PUBLIC_ID };
            let what = match id.value.split(':').next().unwrap_or_default() {
                "bedrock" => "its user name stands in the value",
                "entra" => "tenant and application of the record stand beside it",
                "k8s-sa" => "the service account's uid stands in the token",
                _ => "the record's public id stands in the text",
            };
            self.add_by_key(KeyKind::PublicId, &id.value, score, what, &mut matches)?;
        }
        for id in &facts.record_ids {
            let (score, what) = match id.sole {
                true => (score::PUBLIC_ID, "the provider answered with the record's id"),
                false => (score::SHARED_PUBLIC_ID, "the record's id stands beside it"),
            };
            self.add_by_key(KeyKind::Id, &id.value, score, what, &mut matches)?;
        }
        self.add_by_leading_id(facts, &mut matches)?;
        self.add_by_claims(facts, &mut matches)?;
        self.add_by_external_id(facts, &mut matches)?;
        Ok(unified(matches))
    }

    fn add_by_key(&self, kind: KeyKind, key: &str, score: f64, what: &str, matches: &mut Vec<Match>) -> Result<()> {
        let Ok(key) = keys::normalised(kind, key) else { return Ok(()) };
        for record in records::credentials_by_key(self.store, kind, &key)? {
            matches.push(Match::of(record, score, what));
        }
        Ok(())
    }

    /// A key whose first characters are its id: the inventory says how many they are.
    fn add_by_leading_id(&self, facts: &Facts, matches: &mut Vec<Match>) -> Result<()> {
        let Some((system, value)) = &facts.leading_id else { return Ok(()) };
        for length in self.leading_lengths(system)? {
            if let Some(id) = value.get(..*length).filter(|_| value.len() >= length + 16) {
                let what = "the value begins with the record's id";
                self.add_by_key(KeyKind::PublicId, &format!("{system}:{id}"), score::PUBLIC_ID, what, matches)?;
            }
        }
        Ok(())
    }

    fn leading_lengths(&self, system: &str) -> Result<&Vec<usize>> {
        if let Some(known) = self.leading_lengths.get() {
            return Ok(known);
        }
        let prefix = format!("{system}:");
        let query = "SELECT DISTINCT length(value) FROM join_key WHERE kind = 'public-id' \
            AND value > ?1 AND value < replace(?1, ':', ';')";
        let mut lengths = self.lengths_by(query, &prefix)?;
        lengths.iter_mut().for_each(|length| *length = length.saturating_sub(prefix.len()));
        // An id of a few characters would fit by chance.
        lengths.retain(|length| *length >= 8);
        Ok(self.leading_lengths.get_or_init(|| lengths))
    }

    fn add_by_claims(&self, facts: &Facts, matches: &mut Vec<Match>) -> Result<()> {
        let Some(claims) = &facts.claims else { return Ok(()) };
        // The lookup that names most claims comes first; what fits less closely is another record.
        for key in keys::jwt_lookups(claims) {
            let found = records::credentials_by_key(self.store, KeyKind::Jwt, &key)?;
            if found.is_empty() {
                continue;
            }
            for record in found {
                let own = record.join.jwt.as_ref().is_some_and(|claims| claims.jti.is_some());
                let score = if own { score::PUBLIC_ID } else { score::SHARED_PUBLIC_ID };
                matches.push(Match::of(record, score, "the token claims what the record says"));
            }
            break;
        }
        Ok(())
    }

    fn add_by_external_id(&self, facts: &Facts, matches: &mut Vec<Match>) -> Result<()> {
        for id in &facts.external_ids {
            let what = match id.split(':').next().unwrap_or_default() {
                "spiffe" => "its SPIFFE id is that of the identity",
                "gcp_service_account" => "the service account's address stands with the key",
                _ => "it names the user that the identity has there",
            };
            let Ok(key) = keys::normalised(KeyKind::ExternalId, id) else { continue };
            for identity in records::identities_by_external_id(self.store, &key)? {
                // A record of the identity says more than the identity alone.
                if !matches.iter().any(|known| known.identity.as_ref() == Some(&identity.id)) {
                    matches.push(Match {
                        credential: None,
                        identity: Some(identity.id),
                        score: score::SHARED_PUBLIC_ID,
                        reason: what.to_owned(),
                    });
                }
            }
        }
        Ok(())
    }

    fn add_hints(
        &self,
        finding: &Finding,
        found: Option<&FoundCredential>,
        facts: &Facts,
        matches: &mut Matches,
    ) -> Result<()> {
        let form = self.form(&finding.detector);
        let mut fitting: BTreeMap<String, f64> = BTreeMap::new();
        for provider in providers_of(finding) {
            let hints = match found.map(|found| std::str::from_utf8(digest::canonical(found.secret.expose()))) {
                Some(Ok(value)) => self.hints_of_value(provider, value)?,
                Some(Err(_)) => Vec::new(),
                None => self.hints_of_redacted(provider, &finding.redacted)?,
            };
            for (head, tail, credential) in hints {
                let bits = form.bits(&head, &tail);
                if bits >= LEAST_BITS {
                    let known = fitting.entry(credential).or_default();
                    *known = known.max(bits);
                }
            }
        }
        for (id, bits) in fitting {
            let Some(record) = records::credential(self.store, &id)? else { continue };
            let among = self.count_fitting(finding)?;
            let among_text = if among == 1 { "the only record".into() } else { format!("one of {among} records") };
            let reason = format!("the redacted form in the list fits ({bits:.0} bits, {among_text} of its type)");
            let veto = veto::on(finding, facts, &record, self.registry);
            let hint = Match::of(record, score::of_hint(bits, among), reason);
            match veto {
                Some(veto) => matches.vetoed.push((hint, veto)),
                None => matches.hints.push(hint),
            }
        }
        Ok(())
    }

    fn hints_of_value(&self, provider: &str, value: &str) -> Result<Vec<(String, String, String)>> {
        let lengths = self.hint_lengths(provider)?;
        let ends = |length: &usize| value.len().checked_sub(*length).and_then(|start| value.get(start..));
        let tails: Vec<&str> = lengths.tails.iter().filter_map(ends).collect();
        let heads: Vec<&str> = lengths.heads.iter().filter_map(|length| value.get(..*length)).collect();
        let mut hints = records::hints_by_tail(self.store, provider, &tails)?;
        hints.extend(records::hints_by_head(self.store, provider, &heads)?);
        let fits = |(hint, id): (Hint, String)| {
            fits_value(value, &hint.head, &hint.tail).then_some((hint.head, hint.tail, id))
        };
        Ok(hints.into_iter().filter_map(fits).collect())
    }

    /// Returns how long the redacted forms of a provider are: only such parts of a value need be looked up.
    fn hint_lengths(&self, provider: &str) -> Result<Rc<HintLengths>> {
        if let Some(known) = self.lengths.borrow().get(provider) {
            return Ok(Rc::clone(known));
        }
        let lengths = Rc::new(HintLengths {
            tails: self
                .lengths_by("SELECT DISTINCT length(tail) FROM hint WHERE provider = ?1 AND tail <> ''", provider)?,
            heads: self
                .lengths_by("SELECT DISTINCT length(head) FROM hint WHERE provider = ?1 AND tail = ''", provider)?,
        });
        self.lengths.borrow_mut().insert(provider.to_owned(), Rc::clone(&lengths));
        Ok(lengths)
    }

    /// Returns lengths, sorted. Redacted forms are of plain characters, one byte each.
    fn lengths_by(&self, query: &str, parameter: &str) -> Result<Vec<usize>> {
        let mut lengths: Vec<usize> = self.store.read(|connection| {
            let mut statement = connection.prepare_cached(query)?;
            let rows = statement.query_map([parameter], |row| row.get::<_, i64>(0))?;
            rows.map(|length| Ok(usize::try_from(length?).unwrap_or(0))).collect()
        })?;
        lengths.retain(|length| *length > 0);
        lengths.sort_unstable();
        Ok(lengths)
    }

    /// Compares what a report shows of a value with what a list shows of it: only the common part counts.
    fn hints_of_redacted(&self, provider: &str, redacted: &str) -> Result<Vec<(String, String, String)>> {
        let Some(seen) = Visible::of_redacted(redacted) else { return Ok(Vec::new()) };
        let length = seen.tail.len().min(LONGEST_TAIL);
        let Some(end) = seen.tail.get(seen.tail.len() - length..).filter(|end| !end.is_empty()) else {
            return Ok(Vec::new());
        };
        let by_end = self.hints_by_end(provider, length)?;
        let mut hints = by_end.get(end).cloned().unwrap_or_default();
        // Shorter tails in the list are looked up as those of a value are.
        let shorter: Vec<&str> = (1..length).filter_map(|shown| end.get(length - shown..)).collect();
        hints.extend(records::hints_by_tail(self.store, provider, &shorter)?);
        let common =
            |(hint, id): (Hint, String)| seen.common(&hint.head, &hint.tail).map(|(head, tail)| (head, tail, id));
        Ok(hints.into_iter().filter_map(common).collect())
    }

    fn hints_by_end(&self, provider: &str, length: usize) -> Result<Rc<HintsByEnd>> {
        let key = (provider.to_owned(), length);
        if let Some(known) = self.tails.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let all: Vec<HintOf> = self.store.read(|connection| {
            let mut statement = connection
                .prepare_cached("SELECT head, tail, credential FROM hint WHERE provider = ?1 ORDER BY credential")?;
            let rows = statement.query_map([provider], |row| {
                Ok((Hint { head: row.get(0)?, tail: row.get(1)?, source: None }, row.get(2)?))
            })?;
            rows.collect()
        })?;
        let mut by_end = HintsByEnd::new();
        for (hint, id) in all {
            let end = hint.tail.len().checked_sub(length).and_then(|start| hint.tail.get(start..));
            if let Some(end) = end.map(str::to_owned) {
                by_end.entry(end).or_default().push((hint, id));
            }
        }
        let by_end = Rc::new(by_end);
        self.tails.borrow_mut().insert(key, Rc::clone(&by_end));
        Ok(by_end)
    }

    fn form(&self, detector: &str) -> Rc<Form> {
        if let Some(known) = self.forms.borrow().get(detector) {
            return Rc::clone(known);
        }
        let form = Rc::new(self.registry.get(detector).map(Form::of).unwrap_or_default());
        self.forms.borrow_mut().insert(detector.to_owned(), Rc::clone(&form));
        form
    }

    /// Returns how many records a finding could be by its type, one at the least.
    pub(super) fn count_fitting(&self, finding: &Finding) -> Result<u64> {
        let key = (finding.detector.clone(), finding.provider.clone(), finding.provider_candidates.join(" "));
        if let Some(known) = self.counts.borrow().get(&key) {
            return Ok(*known);
        }
        let mut count = 0;
        for provider in providers_of(finding) {
            for (sort, records) in self.types_of(provider)?.iter() {
                let fits = sort.as_deref().is_none_or(|sort| veto::types_fit(finding, sort, self.registry));
                count += if fits { *records } else { 0 };
            }
        }
        self.counts.borrow_mut().insert(key, count.max(1));
        Ok(count.max(1))
    }

    fn types_of(&self, provider: &str) -> Result<Rc<Types>> {
        if let Some(known) = self.types.borrow().get(provider) {
            return Ok(Rc::clone(known));
        }
        let types: Types = self.store.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT type, count(*) FROM credential WHERE provider IS nullif(?1, '') GROUP BY type",
            )?;
            let rows =
                statement.query_map([provider], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
            rows.collect()
        })?;
        let types = Rc::new(types);
        self.types.borrow_mut().insert(provider.to_owned(), Rc::clone(&types));
        Ok(types)
    }

    /// Returns an identity by id.
    pub(super) fn identity(&self, id: Option<&str>) -> Result<Option<IdentityRecord>> {
        id.map_or(Ok(None), |id| records::identity(self.store, id))
    }
}

/// Returns the providers under which a finding's record may stand; records that name none stand under no name.
pub(super) fn providers_of(finding: &Finding) -> Vec<&str> {
    let named = finding.provider.iter().chain(&finding.provider_candidates).map(String::as_str);
    named.chain([""]).collect()
}

/// Sorts matches and makes one of those of one record, the surest.
fn unified(mut matches: Vec<Match>) -> Vec<Match> {
    matches.sort_by(|left, right| left.key().cmp(&right.key()).then_with(|| right.score.total_cmp(&left.score)));
    matches.dedup_by(|later, earlier| later.key() == earlier.key());
    matches
}

/// Where a public id has several secrets, the redacted form says which: the others are no match then.
fn narrow(matches: &mut Matches) {
    let fits = |public: &Match| matches.hints.iter().any(|hint| hint.key() == public.key());
    let both: Vec<Match> = matches.public.iter().filter(|public| fits(public)).cloned().collect();
    if both.is_empty() {
        return;
    }
    matches.public = both;
    for public in &mut matches.public {
        public.score = score::PUBLIC_ID;
        public.reason.push_str(", and the redacted form in the list fits");
    }
}
