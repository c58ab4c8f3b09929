//! Links over made-up inventories: every tier, what rules a record out, ties, conflicts, coverage and decisions.

use std::collections::BTreeMap;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::credential::{FoundCompanion, Surroundings};
use crate::detector::example::{Generator, expand_for};
use crate::identity::context::TargetFiles;
use crate::identity::decisions::{Subject, decide};
use crate::identity::testing::{self, registry};
use crate::inventory::batch::{Batch, Rank};
use crate::inventory::ingest::{ImportedFile, ingest};
use crate::inventory::model::{Coverage, CredentialRecord as Record, Hint, IdentityRecord, Join};
use crate::secret::Secret;

const PROJECT_KEY: &str = "openai-project-key";

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

/// A made-up value of a detector.
fn value(detector: &str, seed: u64) -> String {
    let detector = registry().get(detector).expect("a built-in detector");
    let bytes = expand_for(detector, &detector.shapes[0], &mut Generator::new(seed)).expect("an example");
    String::from_utf8(bytes).expect("text")
}

fn identity(id: &str, owner: &str) -> IdentityRecord {
    IdentityRecord {
        id: id.into(),
        name: Some(format!("Name of {id}")),
        provider: Some("openai".into()),
        owner: Some(owner.into()),
        environment: Some("prod".into()),
        ..IdentityRecord::default()
    }
}

/// A record with the redacted form of a value: three variable characters at the front and three at the end.
fn hinted(id: &str, identity: &str, value: &str) -> Record {
    let hint = Hint { head: value[..11].into(), tail: value[value.len() - 3..].into(), source: None };
    Record {
        id: id.into(),
        identity: Some(identity.into()),
        sort: Some(PROJECT_KEY.into()),
        provider: Some("openai".into()),
        account: Some("org-acme".into()),
        record_id: Some(format!("key_{id}")),
        issued: Some("2025-04-30".into()),
        join: Join { hint: Some(hint), ..Join::default() },
        ..Record::default()
    }
}

fn batch(source: &str) -> Batch {
    let mut batch = Batch::new(source, "test", "2026-11-20", Rank::Imported);
    batch.people.push(crate::inventory::model::Person {
        id: "owner.a@acme.example".into(),
        name: Some("Owner A".into()),
        status: Some("active".into()),
        aliases: vec!["owner-a".into()],
        ..crate::inventory::model::Person::default()
    });
    batch
}

fn covered(account: &str) -> Coverage {
    Coverage {
        provider: "openai".into(),
        account: account.into(),
        as_of: "2026-11-20".into(),
        complete: true,
        source: "list.json".into(),
    }
}

fn store(batches: &[Batch]) -> Store {
    let mut store = Store::in_memory().expect("a store");
    for batch in batches {
        let taken = ingest(&mut store, batch, &ImportedFile::default(), now()).expect("ingested");
        assert!(taken.rejected.is_empty(), "{:?}", taken.rejected);
    }
    store
}

fn found(value: &str) -> FoundCredential {
    FoundCredential::alone(Secret::new(value.as_bytes()))
}

/// Links a value of a detector, with the key of tests.
fn link(store: &Store, detector: &str, provider: &str, value: &str) -> Identity {
    let key = testing::key();
    let linker = Linker::new(store, registry(), Some(&key)).expect("a linker");
    let finding = testing::finding(detector, provider, value.as_bytes());
    linker.link(&finding, Some(&found(value))).expect("a link")
}

fn link_key(store: &Store, value: &str) -> Identity {
    link(store, PROJECT_KEY, "openai", value)
}

fn why(identity: &Identity) -> &str {
    identity.why.as_deref().unwrap_or_default()
}

#[test]
fn a_hint_of_one_record_names_identity_owner_and_record() {
    let value = value(PROJECT_KEY, 1);
    let mut list = batch("openai");
    list.identities.push(identity("nhi-bot", "owner-a"));
    list.credentials.push(hinted("c1", "nhi-bot", &value));
    let linked = link_key(&store(&[list]), &value);
    assert_eq!((linked.status, linked.tier), (IdentityStatus::Linked, Some(LinkTier::HintUnique)));
    assert_eq!(linked.score, Some(score::HINT_CAP));
    assert_eq!(linked.name.as_deref(), Some("Name of nhi-bot"));
    let owner = linked.owner.clone().expect("an owner");
    assert_eq!((owner.name.as_deref(), owner.status.as_deref()), (Some("Owner A"), Some("active")));
    assert_eq!(linked.credential.as_ref().and_then(|record| record.record_id.as_deref()), Some("key_c1"));
    assert_eq!(linked.as_of.as_deref(), Some("2026-11-20"));
    assert_eq!(
        why(&linked),
        "the redacted form in the list fits (36 bits, the only record of its type), made 2025-04-30"
    );
}

#[test]
fn a_fingerprint_outranks_a_hint_that_points_elsewhere_and_the_hint_is_told() {
    let value = value(PROJECT_KEY, 2);
    let mut list = batch("openai");
    list.identities.extend([identity("nhi-a", "owner-a"), identity("nhi-b", "owner-b")]);
    list.credentials.push(hinted("c1", "nhi-b", &value));
    let fp = testing::key().write(&testing::key().fingerprint(value.as_bytes()));
    list.credentials.push(Record {
        id: "c2".into(),
        identity: Some("nhi-a".into()),
        provider: Some("openai".into()),
        join: Join { fp: vec![fp], ..Join::default() },
        ..Record::default()
    });
    let linked = link_key(&store(&[list]), &value);
    assert_eq!((linked.tier, linked.id.as_deref(), linked.score), (Some(LinkTier::Exact), Some("nhi-a"), Some(1.0)));
    assert!(why(&linked).contains("also, and overruled: Name of nhi-b (the redacted form"), "{}", why(&linked));
}

#[test]
fn a_fingerprint_for_other_programs_and_a_published_digest_are_exact() {
    let token = value("github-classic-token", 3);
    for (key, digest) in [
        (testing::key().hs256(token.as_bytes()), String::new()),
        (String::new(), format!("gh-sha256:{}", crate::identity::digest::sha256(token.as_bytes()))),
        (String::new(), format!("hmsl:{}", crate::identity::digest::hmsl(token.as_bytes()).expect("a hash"))),
    ] {
        let some = |text: String| Some(text).filter(|text| !text.is_empty()).into_iter().collect();
        let mut list = batch("github");
        list.credentials.push(Record {
            id: "c1".into(),
            provider: Some("github".into()),
            join: Join { fp: some(key), digests: some(digest), ..Join::default() },
            ..Record::default()
        });
        let linked = link(&store(&[list]), "github-classic-token", "github", &format!("\"{token}\" "));
        assert_eq!(linked.tier, Some(LinkTier::Exact), "{linked:?}");
    }
}

#[test]
fn a_companion_with_a_public_id_links_and_a_provider_without_a_hint_needs_none() {
    let id = ["AKIA", "BTX3", "GSDS", "QBNK", "KPGD"].concat();
    let mut list = batch("aws");
    list.identities.push(IdentityRecord { provider: Some("aws".into()), ..identity("nhi-rag", "owner-a") });
    list.credentials.push(Record {
        id: "aws:key".into(),
        identity: Some("nhi-rag".into()),
        provider: Some("aws".into()),
        sort: Some("aws-secret-access-key".into()),
        join: Join { public_ids: vec![format!("aws:{id}")], ..Join::default() },
        // A record that is younger than the leak: no veto for a public id.
        issued: Some("2026-11-01".into()),
        ..Record::default()
    });
    let store = store(&[list]);
    let linker = Linker::new(&store, registry(), None).expect("a linker");
    let mut finding = testing::finding("aws-secret-access-key", "aws", &[b'x'; 40]);
    finding.first_seen = Some("2024-01-01T00:00:00Z".into());
    let mut secret = found(&"x".repeat(40));
    secret.companions =
        vec![FoundCompanion { detector: "aws-access-key-id".into(), secret: Secret::new(id.as_bytes()), distance: 5 }];
    let linked = linker.link(&finding, Some(&secret)).expect("a link");
    assert_eq!((linked.tier, linked.score), (Some(LinkTier::PublicId), Some(score::PUBLIC_ID)));
    secret.companions.clear();
    let unlinked = linker.link(&finding, Some(&secret)).expect("a link");
    assert_eq!(unlinked.status, IdentityStatus::NotCovered);
}

#[test]
fn the_address_of_a_service_account_names_its_identity_and_the_key_id_its_record() {
    let email = "rag@acme-ai.iam.gserviceaccount.com";
    let key_id = "0123456789abcdef0123456789abcdef01234567";
    let mut list = batch("google");
    list.identities.push(IdentityRecord {
        provider: Some("google".into()),
        external_ids: [("gcp_service_account".to_owned(), email.to_owned())].into(),
        ..identity("nhi-rag", "owner-a")
    });
    list.credentials.push(Record {
        id: "google:key".into(),
        identity: Some("nhi-rag".into()),
        provider: Some("google".into()),
        join: Join { public_ids: vec![format!("gcp-key:{key_id}")], ..Join::default() },
        ..Record::default()
    });
    let store = store(&[list]);
    let linker = Linker::new(&store, registry(), None).expect("a linker");
    let finding = testing::finding("google-service-account-key", "google", b"x");
    let mut secret = found("x");
    secret.surroundings.ids = vec![email.to_owned()];
    let by_address = linker.link(&finding, Some(&secret)).expect("a link");
    assert_eq!((by_address.id.as_deref(), by_address.credential), (Some("nhi-rag"), None));
    secret.surroundings.ids.push(key_id.to_owned());
    let by_key = linker.link(&finding, Some(&secret)).expect("a link");
    assert_eq!(by_key.credential.and_then(|record| record.record_id).as_deref(), Some("google:key"));
}

#[test]
fn an_application_with_several_secrets_is_told_apart_by_the_hint() {
    let secret = value("azure-entra-client-secret", 4);
    let guids = ["11111111-2222-3333-4444-555555555555", "aaaaaaaa-0000-4000-8000-000000000001"];
    let record = |id: &str, head: &str| Record {
        id: id.into(),
        identity: Some("nhi-app".into()),
        provider: Some("azure".into()),
        sort: Some("azure-entra-client-secret".into()),
        join: Join {
            public_ids: vec![format!("entra:{}/{}", guids[0], guids[1])],
            hint: Some(Hint { head: head.into(), ..Hint::default() }),
            ..Join::default()
        },
        ..Record::default()
    };
    let mut list = batch("entra");
    list.identities.push(identity("nhi-app", "owner-a"));
    list.credentials.extend([record("c1", &secret[..3]), record("c2", "zz~")]);
    let store = store(&[list]);
    let linker = Linker::new(&store, registry(), None).expect("a linker");
    let finding = testing::finding("azure-entra-client-secret", "azure", secret.as_bytes());
    let mut near = found(&secret);
    near.surroundings = Surroundings { ids: guids.map(str::to_owned).to_vec(), ..Surroundings::default() };
    let linked = linker.link(&finding, Some(&near)).expect("a link");
    assert_eq!((linked.tier, linked.score), (Some(LinkTier::PublicId), Some(score::PUBLIC_ID)));
    assert_eq!(linked.credential.and_then(|record| record.record_id).as_deref(), Some("c1"));
}

#[test]
fn a_tie_lists_all_with_divided_scores_and_names_an_owner_only_where_all_share_it() {
    let value = value(PROJECT_KEY, 5);
    let mut list = batch("openai");
    list.identities.extend([identity("nhi-a", "owner-a"), identity("nhi-b", "owner-b")]);
    list.credentials.extend([hinted("c1", "nhi-a", &value), hinted("c2", "nhi-b", &value)]);
    let mut alike = list.clone();
    let tie = link_key(&store(&[list]), &value);
    assert_eq!((tie.status, tie.tier), (IdentityStatus::Tie, Some(LinkTier::HintTie)));
    assert_eq!(tie.owner, None);
    assert_eq!(tie.candidates.len(), 2);
    let sum: f64 = tie.candidates.iter().map(|candidate| candidate.score).sum();
    assert!(sum <= score::HINT_CAP + 1e-9, "{sum}");
    assert!(why(&tie).contains("so none is named"));

    alike.identities[1].owner = Some("owner.a@acme.example".into());
    let agreed = link_key(&store(&[alike]), &value);
    assert_eq!(agreed.status, IdentityStatus::Tie);
    assert_eq!(agreed.owner.and_then(|owner| owner.name).as_deref(), Some("Owner A"));
}

#[test]
fn a_record_that_is_younger_than_the_leak_breaks_a_tie() {
    let value = value(PROJECT_KEY, 6);
    let mut list = batch("openai");
    list.identities.extend([identity("nhi-a", "owner-a"), identity("nhi-b", "owner-b")]);
    let young = Record { issued: Some("2026-06-01".into()), ..hinted("c2", "nhi-b", &value) };
    list.credentials.extend([hinted("c1", "nhi-a", &value), young]);
    let store = store(&[list]);
    let linker = Linker::new(&store, registry(), None).expect("a linker");
    let mut finding = testing::finding(PROJECT_KEY, "openai", value.as_bytes());
    finding.first_seen = Some("2026-05-01T00:00:00Z".into());
    let linked = linker.link(&finding, Some(&found(&value))).expect("a link");
    assert_eq!((linked.status, linked.id.as_deref()), (IdentityStatus::Linked, Some("nhi-a")));
    finding.first_seen = Some("2025-01-01T00:00:00Z".into());
    let none = linker.link(&finding, Some(&found(&value))).expect("a link");
    assert_eq!(none.status, IdentityStatus::NotCovered);
    assert!(why(&none).contains("after the value was first seen 2025-01-01"), "{}", why(&none));
}

#[test]
fn unknown_is_said_only_of_what_a_whole_list_would_name() {
    let known = value(PROJECT_KEY, 7);
    let leaked = value(PROJECT_KEY, 8);
    let mut list = batch("openai");
    list.credentials.push(hinted("c1", "nhi-a", &known));
    assert_eq!(link_key(&store(&[list.clone()]), &leaked).status, IdentityStatus::NotCovered);
    list.coverage.push(covered("org-acme/proj_ex"));
    let shadow = link_key(&store(&[list.clone()]), &leaked);
    assert_eq!(shadow.status, IdentityStatus::Shadow);
    assert!(why(&shadow).contains("org-acme/proj_ex of 2026-11-20"), "{}", why(&shadow));
    assert_eq!(shadow.as_of.as_deref(), Some("2026-11-20"));

    // A record that shows nothing of its value may be the one.
    let blind = Record { join: Join::default(), ..hinted("c9", "nhi-a", &known) };
    list.credentials.push(blind);
    let open = link_key(&store(&[list.clone()]), &leaked);
    assert_eq!(open.status, IdentityStatus::NotCovered);
    assert!(why(&open).contains("1 records of openai show nothing"), "{}", why(&open));
    list.credentials.pop();

    // Neither a partial list, nor one of another provider, nor one that is older than the leak says anything.
    list.coverage[0].complete = false;
    assert_eq!(link_key(&store(&[list.clone()]), &leaked).status, IdentityStatus::NotCovered);
    list.coverage[0].complete = true;
    let store = store(&[list]);
    assert_eq!(
        link(&store, "anthropic-api-key", "anthropic", &value("anthropic-api-key", 1)).status,
        IdentityStatus::NotCovered
    );
    let linker = Linker::new(&store, registry(), None).expect("a linker");
    let mut finding = testing::finding(PROJECT_KEY, "openai", leaked.as_bytes());
    finding.first_seen = Some("2026-11-21T10:00:00Z".into());
    let late = linker.link(&finding, Some(&found(&leaked))).expect("a link");
    assert_eq!(late.status, IdentityStatus::NotCovered, "{}", why(&late));
}

#[test]
fn an_empty_store_is_no_inventory() {
    assert_eq!(link_key(&store(&[]), &value(PROJECT_KEY, 9)).status, IdentityStatus::NoInventory);
}

#[test]
fn an_account_alone_names_no_identity_and_a_provider_that_is_not_listed_leaves_suggestions() {
    let mut list = batch("openai");
    list.credentials.push(hinted("c1", "nhi-a", &value(PROJECT_KEY, 10)));
    list.identities.push(identity("support-bot", "owner-a"));
    let store = store(&[list]);
    let files = BTreeMap::from([(".".to_owned(), TargetFiles::parse(Some(b"* @owner-a\n"), None))]);
    let linker = Linker::new(&store, registry(), None).expect("a linker").with_files(files);
    let leaked = value(PROJECT_KEY, 11);
    let mut finding = testing::finding(PROJECT_KEY, "openai", leaked.as_bytes());
    let suggested = linker.link(&finding, Some(&found(&leaked))).expect("a link");
    assert_eq!((suggested.status, suggested.tier), (IdentityStatus::Suggested, Some(LinkTier::Context)));
    assert_eq!(suggested.owner, None, "a suggestion asserts no owner");
    let first = &suggested.candidates[0];
    assert_eq!(first.owner.as_ref().and_then(|owner| owner.name.as_deref()), Some("Owner A"));
    assert!(first.score <= score::CONTEXT_TOGETHER);
    assert!(
        why(&suggested).contains("suggested to ask, not asserted: Owner A (CODEOWNERS (*))"),
        "{}",
        why(&suggested)
    );

    finding.verification.account.insert("organization".into(), "org-acme".into());
    finding.verification.account.insert("email".into(), "owner.a@acme.example".into());
    let account = linker.link(&finding, Some(&found(&leaked))).expect("a link");
    assert_eq!((account.status, account.score), (IdentityStatus::Account, Some(score::ACCOUNT)));
    assert_eq!(account.id, None);
    assert_eq!(account.owner.and_then(|owner| owner.name).as_deref(), Some("Owner A"));
}

#[test]
fn a_report_without_secrets_links_by_fingerprint_and_by_what_it_shows() {
    let value = value(PROJECT_KEY, 12);
    let mut list = batch("openai");
    list.identities.push(identity("nhi-a", "owner-a"));
    list.credentials.push(hinted("c1", "nhi-a", &value));
    let store = store(&[list]);
    let linker = Linker::new(&store, registry(), None).expect("a linker");
    let finding = testing::finding(PROJECT_KEY, "openai", value.as_bytes());
    let linked = linker.link(&finding, None).expect("a link");
    assert_eq!((linked.status, linked.id.as_deref()), (IdentityStatus::Linked, Some("nhi-a")));
    assert!(why(&linked).contains("18 bits"), "three of six characters are common: {}", why(&linked));
}

#[test]
fn a_decision_wins_over_every_tier_and_the_newer_over_the_older() {
    let value = value(PROJECT_KEY, 13);
    let mut list = batch("openai");
    list.identities.extend([identity("nhi-a", "owner-a"), identity("nhi-b", "owner-b")]);
    list.credentials.push(hinted("c1", "nhi-a", &value));
    let mut store = store(&[list]);
    let fingerprint = testing::finding(PROJECT_KEY, "openai", value.as_bytes()).fingerprint;
    let say = |store: &mut Store, subject: Subject, verdict| {
        decide(store, &fingerprint, &subject, verdict, ("a.person", "seen in the console"), now()).expect("decided")
    };
    let (accept, reject) = (decisions::Verdict::Accept, decisions::Verdict::Reject);

    say(&mut store, Subject::Identity("nhi-b".into()), accept);
    let accepted = link_key(&store, &value);
    assert_eq!((accepted.status, accepted.id.as_deref(), accepted.tier), (IdentityStatus::Linked, Some("nhi-b"), None));
    assert!(
        why(&accepted)
            .starts_with("a.person accepted it on 2026-11-22: seen in the console; also, and overruled: Name of nhi-a")
    );

    say(&mut store, Subject::Identity("nhi-b".into()), reject);
    assert_eq!(link_key(&store, &value).id.as_deref(), Some("nhi-a"));
    say(&mut store, Subject::Credential("c1".into()), reject);
    let none = link_key(&store, &value);
    assert_eq!(none.status, IdentityStatus::NotCovered);
    assert!(why(&none).contains("rejected by a person"), "{}", why(&none));
    say(&mut store, Subject::Credential("c1".into()), accept);
    assert_eq!(link_key(&store, &value).id.as_deref(), Some("nhi-a"));

    let events = crate::identity::evidence::read(&store).expect("events");
    assert_eq!(events.len(), 4);
    assert_eq!(decisions::list(&store).expect("decisions").len(), 4);
    let unknown = Subject::Identity("nobody".into());
    assert!(decide(&mut store, &fingerprint, &unknown, accept, ("a", "b"), now()).is_err());
    let known = Subject::Identity("nhi-a".into());
    assert!(decide(&mut store, "not one", &known, accept, ("a", "b"), now()).is_err());
    assert!(decide(&mut store, &fingerprint, &known, accept, ("a", " "), now()).is_err());
}

#[test]
fn that_fingerprints_cannot_be_compared_is_said_once() {
    let mut list = batch("hand");
    let fp = testing::key().write(&testing::key().fingerprint(b"any"));
    list.credentials.push(Record {
        id: "c".into(),
        join: Join { fp: vec![fp], ..Join::default() },
        ..Record::default()
    });
    let store = store(&[list]);
    let notes = |key| Linker::new(&store, registry(), key).expect("a linker").notes().to_vec();
    assert_eq!(notes(None), ["fingerprint tier off: no key"]);
    let other = FingerprintKey::from_hex(&"a1".repeat(32)).expect("a key");
    assert!(notes(Some(&other))[0].contains("other keys"), "{:?}", notes(Some(&other)));
    assert!(notes(Some(&testing::key())).is_empty());
    let none = Store::in_memory().expect("a store");
    assert!(Linker::new(&none, registry(), None).expect("a linker").notes().is_empty());
}

/// Inventories of several lists for the properties below.
fn lists(values: &[String], owners: &[usize]) -> Vec<Batch> {
    let mut lists: Vec<Batch> = (0..3).map(|number| batch(&format!("list-{number}"))).collect();
    for (place, value) in values.iter().enumerate() {
        let list = &mut lists[place % 3];
        let id = format!("nhi-{}", owners.get(place).copied().unwrap_or(0));
        list.identities.push(identity(&id, &format!("owner-{}", owners.get(place).copied().unwrap_or(0))));
        list.credentials.push(hinted(&format!("c{place}"), &id, value));
    }
    lists
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn order_and_repetition_of_imports_change_no_link(
        seeds in proptest::collection::vec(0_u64..6, 1..8),
        owners in proptest::collection::vec(0_usize..3, 8),
        order in Just(vec![0_usize, 1, 2]).prop_shuffle(),
        again in 0_usize..3,
    ) {
        let values: Vec<String> = seeds.iter().map(|seed| value(PROJECT_KEY, *seed)).collect();
        let lists = lists(&values, &owners);
        let straight = store(&lists);
        let mut shuffled: Vec<Batch> = order.iter().map(|place| lists[*place].clone()).collect();
        shuffled.push(lists[again].clone());
        let shuffled = store(&shuffled);
        for value in &values {
            prop_assert_eq!(link_key(&straight, value), link_key(&shuffled, value));
        }
    }

    #[test]
    fn no_link_shows_more_than_eight_characters_of_a_value(seed in 0_u64..1000, which in 0_usize..3) {
        let value = value(PROJECT_KEY, seed);
        let mut list = batch("openai");
        list.identities.push(identity("nhi-a", "owner-a"));
        list.credentials.push(hinted("c1", "nhi-a", &value));
        if which > 0 {
            list.credentials.push(hinted("c2", "nhi-b", &value));
        }
        if which > 1 {
            list.credentials[0].issued = Some("2026-11-01".into());
        }
        let text = serde_json::to_string(&link_key(&store(&[list]), &value)).expect("text");
        let variable = value.trim_start_matches("sk-proj-");
        prop_assert!(!(0..=variable.len() - 9).any(|at| text.contains(&variable[at..at + 9])), "{}", text);
    }

    #[test]
    fn more_records_never_make_a_link_surer(more in 1_usize..6, alike in 0_usize..3) {
        let leaked = value(PROJECT_KEY, 1);
        let mut list = batch("openai");
        list.identities.push(identity("nhi-0", "owner-a"));
        list.credentials.push(hinted("c0", "nhi-0", &leaked));
        let before = link_key(&store(&[list.clone()]), &leaked).score.expect("a score");
        for number in 1..=more {
            let other = if number <= alike { leaked.clone() } else { value(PROJECT_KEY, 100 + number as u64) };
            list.identities.push(identity(&format!("nhi-{number}"), "owner-a"));
            list.credentials.push(hinted(&format!("c{number}"), &format!("nhi-{number}"), &other));
        }
        let after = link_key(&store(&[list]), &leaked);
        prop_assert!(after.score.expect("a score") <= before);
        let sum: f64 = after.candidates.iter().map(|candidate| candidate.score).sum();
        prop_assert!(sum <= before + 1e-9);
    }
}
