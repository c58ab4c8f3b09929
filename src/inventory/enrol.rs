//! Enrols a credential: its keyed fingerprint, and what else recognises it without holding it, become a claim of the
//! inventory. Fingerprints under several keys stand side by side, each a claim of its own. The value itself goes nowhere.

use jiff::Timestamp;

use super::batch::{Batch, Rank};
use super::guard;
use super::ingest::{ImportedFile, Ingested, ingest};
use super::keys::KeyKind;
use super::model::{CredentialRecord, Hint, IdentityRecord, Join};
use super::{records, times, types};
use crate::error::{Error, Result};
use crate::secret::{FingerprintKey, Secret};
use crate::store::Store;

/// How many characters of a value's end a hint shows, as providers' lists do.
const TAIL: usize = 4;

/// What a hint that was made here says of its source.
const ENROLLED: &str = "enrolled";

/// What to enrol, beside the value.
#[derive(Debug, Clone, Default)]
pub struct Enrolment {
    /// The identity that the credential belongs to.
    pub identity: String,
    /// The type: a detector's id.
    pub sort: Option<String>,
    /// The credential's id in the inventory, or the provider's record id.
    pub record_id: Option<String>,
    /// Whether HMAC-SHA-256 is kept as well, which other programs can make.
    pub hs256: bool,
    /// Digests that are safe without a key, as those of public halves.
    pub digests: Vec<String>,
    /// How many bytes of the value are a constant of its type.
    pub head: usize,
}

/// What was enrolled.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrolled {
    /// The id of the credential's record.
    pub credential: String,
    /// The fingerprint, as reports write it.
    pub fingerprint: String,
    /// The redacted form, where enough of the value stays unknown.
    pub hint: Option<Hint>,
    /// What changed in the inventory.
    pub ingested: Ingested,
}

/// Enrols the value of a credential, in its canonical form. The same again changes nothing.
///
/// # Errors
/// A key for this run alone, an unknown identity, a record that belongs to another identity, already has another value
/// under this key, or shows a hint that the value does not fit; a store that cannot be written.
pub fn enrol(
    store: &mut Store,
    key: &FingerprintKey,
    value: &Secret,
    enrolment: &Enrolment,
    now: Timestamp,
) -> Result<Enrolled> {
    if key.id() == "ephemeral" {
        return Err(Error::FingerprintKey(
            "is for this run alone, so nothing could be recognised later; make the home writable or name a key".into(),
        ));
    }
    let identity = known_identity(store, &enrolment.identity)?;
    let fingerprint = key.write(&key.fingerprint(value.expose()));
    let known = known_record(store, &identity, enrolment, &fingerprint)?;
    if let Some(known) = &known {
        agrees(known, &identity, key, &fingerprint, value)?;
    }
    let sort = enrolment.sort.clone().or_else(|| known.as_ref().and_then(|known| known.sort.clone()));
    let hint = hint_of(value, enrolment.head, sort.as_deref());
    // What a provider's list shows is left as it is.
    let listed = known.as_ref().and_then(|known| known.join.hint.as_ref());
    let hint = hint.filter(|_| listed.is_none_or(|listed| listed.source.as_deref() == Some(ENROLLED)));
    let id = known.map_or_else(|| new_id(&identity.id, enrolment, &fingerprint), |known| known.id);
    let mut fp = vec![fingerprint.clone()];
    fp.extend(enrolment.hs256.then(|| key.hs256(value.expose())));
    let join = Join { fp, digests: enrolment.digests.clone(), hint: hint.clone(), ..Join::default() };
    let record = CredentialRecord {
        id: id.clone(),
        identity: Some(identity.id),
        sort,
        record_id: enrolment.record_id.clone().filter(|record| !record.contains(':')),
        join,
        ..CredentialRecord::default()
    };
    let source = format!("enrol/{id}/{}", key.id());
    let mut batch = Batch::new(source, "enrol", times::written(now), Rank::Enrolled);
    batch.credentials.push(record);
    let file = ImportedFile { name: "standard input".into(), ..ImportedFile::default() };
    let ingested = ingest(store, &batch, &file, now)?;
    Ok(Enrolled { credential: id, fingerprint, hint, ingested })
}

fn refused(subject: &str, reason: impl Into<String>) -> Error {
    Error::Inventory { subject: subject.to_owned(), reason: reason.into() }
}

fn known_identity(store: &Store, id: &str) -> Result<IdentityRecord> {
    records::identity(store, id)?.ok_or_else(|| {
        refused(
            id,
            "no identity of the inventory has this id; `credtrace inventory list` names them, and an import adds more",
        )
    })
}

/// Finds the record that the value belongs to: the one that is named, else the one that has this fingerprint.
fn known_record(
    store: &Store,
    identity: &IdentityRecord,
    enrolment: &Enrolment,
    fingerprint: &str,
) -> Result<Option<CredentialRecord>> {
    let Some(named) = &enrolment.record_id else {
        let same = records::credentials_by_key(store, KeyKind::Fingerprint, fingerprint)?;
        return Ok(same.into_iter().find(|known| known.identity.as_deref() == Some(&identity.id)));
    };
    if let Some(known) = records::credential(store, named)? {
        return Ok(Some(known));
    }
    let sort = enrolment.sort.as_deref().and_then(types::provider_of);
    let Some(provider) = identity.provider.as_deref().or(sort) else { return Ok(None) };
    let mut found = records::credentials_by_key(store, KeyKind::Id, &format!("{provider}:{named}"))?;
    match found.len() {
        0 | 1 => Ok(found.pop()),
        _ => Err(refused(named, "is the record id of several credentials; name the credential's id in the inventory")),
    }
}

/// Refuses a value that cannot be that of a record.
fn agrees(
    known: &CredentialRecord,
    identity: &IdentityRecord,
    key: &FingerprintKey,
    fingerprint: &str,
    value: &Secret,
) -> Result<()> {
    if let Some(other) = known.identity.as_deref().filter(|other| *other != identity.id) {
        return Err(refused(&known.id, format!("belongs to the identity {other}, not to {}", identity.id)));
    }
    let of_this_key = format!("b3k1:{}:", key.id());
    if known.join.fp.iter().any(|other| other.starts_with(&of_this_key) && other != fingerprint) {
        return Err(refused(
            &known.id,
            "has the fingerprint of another value; a new value is a credential of its own: give it another --record-id",
        ));
    }
    if let Some(hint) = &known.join.hint {
        let bytes = value.expose();
        if !bytes.starts_with(hint.head.as_bytes()) || !bytes.ends_with(hint.tail.as_bytes()) {
            return Err(refused(
                &known.id,
                format!("the value is not this one: its list shows {}…{}", hint.head, hint.tail),
            ));
        }
    }
    Ok(())
}

/// Returns the redacted form of a value, where enough of it stays unknown.
fn hint_of(value: &Secret, head: usize, sort: Option<&str>) -> Option<Hint> {
    let text = std::str::from_utf8(value.expose()).ok().filter(|text| text.is_ascii() && !text.contains('\n'))?;
    if head == 0 || text.len() < head + 20 {
        return None;
    }
    let (head, tail) = (&text[..head], &text[text.len() - TAIL..]);
    let provider = sort.and_then(types::provider_of);
    guard::hint(sort, provider, head, tail).ok()?;
    Some(Hint { head: head.to_owned(), tail: tail.to_owned(), source: Some(ENROLLED.into()) })
}

/// Makes an id for a credential that no list names.
fn new_id(identity: &str, enrolment: &Enrolment, fingerprint: &str) -> String {
    match &enrolment.record_id {
        Some(named) => named.clone(),
        None => {
            let digits = fingerprint.rsplit(':').next().unwrap_or_default();
            format!("{identity}/{}", digits.get(..8).unwrap_or(digits))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::example::{Generator, expand};

    fn now() -> Timestamp {
        "2026-11-22T12:00:00Z".parse().expect("a time")
    }

    fn store() -> Store {
        let mut store = Store::in_memory().expect("a store");
        let mut batch = Batch::new("list", "openai-project-keys", "2026-11-20", Rank::Imported);
        for id in ["bot", "other"] {
            batch.identities.push(IdentityRecord {
                id: id.into(),
                provider: Some("anthropic".into()),
                ..IdentityRecord::default()
            });
        }
        batch.credentials.push(CredentialRecord {
            id: "anthropic:apikey_1".into(),
            identity: Some("bot".into()),
            sort: Some("anthropic-api-key".into()),
            record_id: Some("apikey_1".into()),
            ..CredentialRecord::default()
        });
        ingest(&mut store, &batch, &ImportedFile::default(), now()).expect("taken");
        store
    }

    fn value(seed: u64) -> Secret {
        Secret::new(&expand("sk-ant-api03-{93:url}AA", &mut Generator::new(seed)).expect("a value"))
    }

    fn key(byte: &str) -> FingerprintKey {
        FingerprintKey::from_hex(&byte.repeat(32)).expect("a key")
    }

    fn enrolment(record: Option<&str>) -> Enrolment {
        Enrolment {
            identity: "bot".into(),
            sort: Some("anthropic-api-key".into()),
            record_id: record.map(str::to_owned),
            head: 13,
            hs256: true,
            ..Enrolment::default()
        }
    }

    #[test]
    fn fingerprints_of_several_keys_stand_side_by_side_at_the_record() {
        let mut store = store();
        let first = enrol(&mut store, &key("0a"), &value(1), &enrolment(Some("apikey_1")), now()).expect("enrolled");
        assert_eq!((first.credential.as_str(), first.ingested.changed), ("anthropic:apikey_1", 1));
        let tail = first.hint.expect("a hint").tail;
        assert_eq!(tail.len(), 4);
        enrol(&mut store, &key("0b"), &value(1), &enrolment(Some("apikey_1")), now()).expect("enrolled");
        let known = records::credential(&store, "anthropic:apikey_1").expect("an answer").expect("a record");
        assert_eq!(known.join.fp.len(), 4, "{:?}", known.join.fp);
        let found = records::credentials_by_key(&store, KeyKind::Fingerprint, &first.fingerprint).expect("an answer");
        assert_eq!(found.len(), 1);
        let again = enrol(&mut store, &key("0a"), &value(1), &enrolment(Some("apikey_1")), now()).expect("enrolled");
        assert_eq!((again.ingested.added, again.ingested.changed), (0, 0));
        let dump = format!("{known:?}");
        let secret = value(1);
        let secret = std::str::from_utf8(secret.expose()).expect("text");
        assert!((13..secret.len() - 9).all(|at| !dump.contains(&secret[at..at + 9])));
    }

    #[test]
    fn without_a_record_the_value_gets_one_and_the_same_value_gets_no_second() {
        let mut store = store();
        let first = enrol(&mut store, &key("0a"), &value(2), &enrolment(None), now()).expect("enrolled");
        let again = enrol(&mut store, &key("0a"), &value(2), &enrolment(None), now()).expect("enrolled");
        assert!(first.credential.starts_with("bot/") && first.credential == again.credential);
        assert_eq!(records::credentials_of(&store, "bot").expect("credentials").len(), 2);
    }

    #[test]
    fn what_cannot_be_is_refused() {
        let mut store = store();
        let mut refused = |key: &FingerprintKey, seed, enrolment: &Enrolment| {
            enrol(&mut store, key, &value(seed), enrolment, now()).map(|_| ()).expect_err("must be refused").to_string()
        };
        let nobody = Enrolment { identity: "nobody".into(), ..enrolment(None) };
        assert!(refused(&key("0a"), 1, &nobody).contains("inventory list"));
        let other = Enrolment { identity: "other".into(), ..enrolment(Some("apikey_1")) };
        assert!(refused(&key("0a"), 1, &other).contains("belongs to the identity bot"));
        let ephemeral = FingerprintKey::ephemeral().expect("a key");
        assert!(refused(&ephemeral, 1, &enrolment(None)).contains("this run alone"));
        enrol(&mut store, &key("0a"), &value(1), &enrolment(Some("apikey_1")), now()).expect("enrolled");
        let mut refused = |key: &FingerprintKey, seed| {
            let enrolment = enrolment(Some("apikey_1"));
            enrol(&mut store, key, &value(seed), &enrolment, now())
                .map(|_| ())
                .expect_err("must be refused")
                .to_string()
        };
        assert!(refused(&key("0a"), 3).contains("another value"));
        assert!(refused(&key("0b"), 3).contains("is not this one"));
    }

    #[test]
    fn a_short_value_shows_nothing() {
        let mut store = store();
        let short = Secret::new(b"correct-horse");
        let enrolment = Enrolment { identity: "bot".into(), ..Enrolment::default() };
        let done = enrol(&mut store, &key("0a"), &short, &enrolment, now()).expect("enrolled");
        assert_eq!(done.hint, None);
    }
}
