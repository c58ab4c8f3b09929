//! What becomes of batches in the store, seen through the questions that are asked later.

use proptest::prelude::*;

use super::batch::{Batch, Rank, Rejected};
use super::ingest::{ImportedFile, Ingested, RecordKind, ingest, preview};
use super::keys::KeyKind;
use super::model::{Coverage, CredentialRecord, Hint, IdentityRecord, Join, Observation, Person};
use super::records;
use crate::store::Store;

fn now() -> jiff::Timestamp {
    "2026-11-22T12:00:00Z".parse().expect("a time")
}

fn file() -> ImportedFile {
    ImportedFile { name: "list.json".into(), sha256: "00".repeat(32), may_be_empty: false }
}

fn take(store: &mut Store, batch: &Batch) -> Ingested {
    ingest(store, batch, &file(), now()).expect("taken")
}

fn refused(store: &mut Store, batch: &Batch) -> String {
    ingest(store, batch, &file(), now()).expect_err("must be refused").to_string()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// An identity with a credential of it, as a provider's list names them.
fn listed(source: &str, as_of: &str, number: u32) -> Batch {
    let mut batch = Batch::new(source, "openai-project-keys", as_of, Rank::Imported);
    batch.identities.push(IdentityRecord {
        id: format!("openai:svc_{number}"),
        name: Some(format!("service {number}")),
        provider: some("openai"),
        account: some("org-acme"),
        ..IdentityRecord::default()
    });
    batch.credentials.push(CredentialRecord {
        id: format!("openai:key_{number}"),
        identity: Some(format!("openai:svc_{number}")),
        sort: some("openai-project-key"),
        account: some("org-acme"),
        record_id: Some(format!("key_{number}")),
        join: Join {
            hint: Some(Hint { head: "sk-proj-EXa".into(), tail: format!("{number:03}"), source: None }),
            ..Join::default()
        },
        ..CredentialRecord::default()
    });
    batch
}

fn hand(as_of: &str, owner: &str) -> Batch {
    let mut batch = Batch::new("hand/credtrace.inventory.toml", "hand", as_of, Rank::HandKept);
    batch.identities.push(IdentityRecord {
        id: "openai:svc_1".into(),
        owner: some(owner),
        name: some("Support bot"),
        ..IdentityRecord::default()
    });
    batch
}

/// Everything that the store answers, as text.
fn answers(store: &Store) -> String {
    let identities = records::identities(store, &records::Filter::default()).expect("identities");
    let mut text = String::new();
    for identity in identities {
        let credentials = records::credentials_of(store, &identity.id).expect("credentials");
        let provenance = records::provenance(store, RecordKind::Identity, &identity.id).expect("sources");
        text.push_str(&format!("{identity:?}\n{credentials:?}\n{provenance:?}\n"));
    }
    let people = records::people(store).expect("people");
    let hints = records::hints_by_tail(store, "openai", &["001", "002", "003"]).expect("hints");
    let coverage = records::all_coverage(store, None).expect("coverage");
    format!("{text}{people:?}\n{hints:?}\n{coverage:?}")
}

#[test]
fn a_record_is_found_by_each_of_its_keys() {
    let mut store = Store::in_memory().expect("a store");
    let mut batch = listed("openai-project-keys/org-acme/proj_ex", "2026-11-20", 1);
    let digest = "vNlZTNaUpDT36vlPU+Hn2KZwg/l5Ey9J58samkwyWcU=";
    batch.credentials[0].join.digests = vec![format!("gh-sha256:{digest}")];
    batch.credentials[0].join.public_ids = vec!["aws:akiaexample".into()];
    batch.identities[0].external_ids.insert("spiffe".into(), "spiffe://acme.example/bot".into());
    let done = take(&mut store, &batch);
    assert_eq!((done.added, done.changed, done.removed, done.rejected.len()), (2, 0, 0, 0));
    let hex = super::keys::normalised(KeyKind::Digest, &format!("gh-sha256:{digest}")).expect("a digest");
    for (kind, value) in [
        (KeyKind::Id, "openai:key_1"),
        (KeyKind::Account, "openai:org-acme"),
        (KeyKind::PublicId, "aws:AKIAEXAMPLE"),
        (KeyKind::Digest, hex.as_str()),
        (KeyKind::ExternalId, "spiffe:spiffe://acme.example/bot"),
    ] {
        let found = records::credentials_by_key(&store, kind, value).expect("an answer");
        assert_eq!(found.len(), 1, "{kind:?}");
        // The list does not name the provider; the type does.
        assert_eq!((found[0].id.as_str(), found[0].provider.as_deref()), ("openai:key_1", Some("openai")));
    }
    assert!(records::has_keys(&store, KeyKind::Digest, "gh-sha256:").expect("an answer"));
    assert!(!records::has_keys(&store, KeyKind::Digest, "hmsl:").expect("an answer"));
    let hints = records::hints_by_tail(&store, "openai", &["1", "01", "001"]).expect("hints");
    assert_eq!((hints.len(), hints[0].1.as_str()), (1, "openai:key_1"));
    let count = |sort, account| records::count_of_sort(&store, "openai", sort, account).expect("a count");
    assert_eq!(count(Some("openai-project-key"), Some("org-acme")), 1);
    assert_eq!((count(None, None), count(Some("other"), None), count(None, Some("other"))), (1, 0, 0));
}

#[test]
fn what_a_person_keeps_overrides_a_list_and_survives_the_next_one() {
    let mut store = Store::in_memory().expect("a store");
    take(&mut store, &hand("2026-01-01", "owner.a@acme.example"));
    take(&mut store, &listed("list", "2026-11-20", 1));
    for day in ["2026-11-21", "2026-11-22"] {
        take(&mut store, &listed("list", day, 1));
        let known = records::identity(&store, "openai:svc_1").expect("an answer").expect("an identity");
        assert_eq!(known.owner.as_deref(), Some("owner.a@acme.example"));
        assert_eq!(known.name.as_deref(), Some("Support bot"));
        assert_eq!(known.account.as_deref(), Some("org-acme"));
        let sources = records::provenance(&store, RecordKind::Identity, "openai:svc_1").expect("sources");
        let of = |field: &str| (sources[field].0.as_str(), sources[field].1.as_str());
        assert_eq!(of("owner"), ("hand/credtrace.inventory.toml", "2026-01-01"));
        assert_eq!(of("account"), ("list", day));
    }
}

#[test]
fn every_field_of_an_effective_record_has_a_source() {
    let mut store = Store::in_memory().expect("a store");
    take(&mut store, &hand("2026-01-01", "owner.a@acme.example"));
    take(&mut store, &listed("list", "2026-11-20", 1));
    for (kind, id) in [(RecordKind::Identity, "openai:svc_1"), (RecordKind::Credential, "openai:key_1")] {
        let record = match kind {
            RecordKind::Identity => serde_json::to_value(records::identity(&store, id).expect("an answer")),
            _ => serde_json::to_value(records::credential(&store, id).expect("an answer")),
        };
        let record = record.expect("a record");
        let sources = records::provenance(&store, kind, id).expect("sources");
        for field in record.as_object().expect("fields").keys() {
            let within = format!("{field}.");
            assert!(sources.keys().any(|known| known == field || known.starts_with(&within)), "{field}: {sources:?}");
        }
    }
    assert!(records::provenance(&store, RecordKind::Person, "nobody").expect("an answer").is_empty());
}

#[test]
fn what_only_one_source_named_goes_with_it_and_what_another_names_too_stays() {
    let mut store = Store::in_memory().expect("a store");
    take(&mut store, &hand("2026-01-01", "owner.a@acme.example"));
    take(&mut store, &listed("list", "2026-11-20", 1));
    let done = take(&mut store, &listed("list", "2026-11-21", 2));
    assert_eq!((done.added, done.changed, done.removed), (2, 1, 1));
    assert_eq!(records::last_changes(&store, "list").expect("changes"), done.changes);
    assert!(records::credential(&store, "openai:key_1").expect("an answer").is_none());
    assert!(records::credentials_by_key(&store, KeyKind::Id, "openai:key_1").expect("an answer").is_empty());
    assert!(records::hints_by_tail(&store, "openai", &["001"]).expect("an answer").is_empty());
    let kept = records::identity(&store, "openai:svc_1").expect("an answer").expect("by hand");
    assert_eq!(kept.account, None);
}

#[test]
fn an_older_list_an_empty_one_and_one_of_tomorrow_are_refused() {
    let mut store = Store::in_memory().expect("a store");
    take(&mut store, &listed("list", "2026-11-20T08:00:00Z", 1));
    let before = answers(&store);
    assert!(refused(&mut store, &listed("list", "2026-11-19", 2)).contains("older than"));
    assert!(refused(&mut store, &listed("list", "2026-11-25", 2)).contains("future"));
    assert!(refused(&mut store, &listed("list", "9999-12-31", 2)).contains("as_of"));
    let empty = Batch::new("list", "openai-project-keys", "2026-11-21", Rank::Imported);
    assert!(refused(&mut store, &empty).contains("--allow-empty"));
    assert_eq!(answers(&store), before);
    // The same day at an hour that nobody said is no older.
    take(&mut store, &listed("list", "2026-11-20", 1));
    let allowed = ImportedFile { may_be_empty: true, ..file() };
    assert_eq!(ingest(&mut store, &empty, &allowed, now()).expect("taken").removed, 2);
    assert_eq!(records::imports(&store).expect("imports").len(), 3);
}

#[test]
fn a_preview_tells_what_an_import_does_and_does_nothing() {
    let mut store = Store::in_memory().expect("a store");
    take(&mut store, &listed("list", "2026-11-20", 1));
    let before = answers(&store);
    let batches = [(listed("list", "2026-11-21", 2), file()), (hand("2026-11-21", "o"), file())];
    let told = preview(&mut store, &batches, now()).expect("told");
    assert_eq!(answers(&store), before);
    let done: Vec<Ingested> = batches.iter().map(|(batch, _)| take(&mut store, batch)).collect();
    assert_eq!(told, done);
    assert_eq!(told[1].added, 1);
}

#[test]
fn a_person_is_found_by_any_alias_that_is_theirs_alone() {
    let mut store = Store::in_memory().expect("a store");
    let mut batch = hand("2026-11-20", "Owner-A");
    let person = |id: &str, aliases: &[&str]| Person {
        id: id.into(),
        aliases: aliases.iter().map(|alias| (*alias).to_owned()).collect(),
        ..Person::default()
    };
    batch.people = vec![person("a@acme.example", &["owner-a", "shared"]), person("b@acme.example", &["shared"])];
    take(&mut store, &batch);
    let id = |name: &str| records::person(&store, name).expect("an answer").map(|person| person.id);
    assert_eq!(id("A@ACME.example"), some("a@acme.example"));
    assert_eq!(id("OWNER-A"), some("a@acme.example"));
    assert_eq!((id("shared"), id("nobody")), (None, None));
    let filter = records::Filter { owner: some("a@acme.example"), ..records::Filter::default() };
    assert_eq!(records::identities(&store, &filter).expect("identities").len(), 1);
}

#[test]
fn a_list_of_which_rows_were_refused_is_not_whole() {
    let mut store = Store::in_memory().expect("a store");
    let mut batch = listed("list", "2026-11-20", 1);
    let coverage =
        Coverage { provider: "openai".into(), account: "org-acme".into(), complete: true, ..Coverage::default() };
    batch.coverage = vec![Coverage { as_of: batch.as_of.clone(), ..coverage }];
    assert!(!take(&mut store, &batch).coverage_lost);
    assert!(records::coverage(&store, "openai").expect("coverage")[0].complete);
    batch.rejected.push(Rejected { place: "row 2".into(), reason: "has no id".into() });
    assert!(take(&mut store, &batch).coverage_lost);
    let known = records::coverage(&store, "openai").expect("coverage");
    assert_eq!((known.len(), known[0].complete), (1, false));
    assert_eq!(records::imports(&store).expect("imports")[0].rejected, 1);
}

#[test]
fn two_rows_of_one_id_add_up_or_the_first_stands() {
    let mut store = Store::in_memory().expect("a store");
    let mut batch = listed("list", "2026-11-20", 1);
    batch.identities.push(IdentityRecord { id: "openai:svc_1".into(), team: some("t"), ..IdentityRecord::default() });
    batch.identities.push(IdentityRecord {
        id: "openai:svc_1".into(),
        name: some("other"),
        ..IdentityRecord::default()
    });
    batch.identities.push(IdentityRecord { id: "  ".into(), ..IdentityRecord::default() });
    let done = take(&mut store, &batch);
    let reasons: Vec<&str> = done.rejected.iter().map(|rejected| rejected.reason.as_str()).collect();
    assert!(
        reasons.len() == 2 && reasons[0].contains("differs in name") && reasons[1].contains("id must"),
        "{reasons:?}"
    );
    let known = records::identity(&store, "openai:svc_1").expect("an answer").expect("an identity");
    assert_eq!((known.name.as_deref(), known.team.as_deref()), (Some("service 1"), Some("t")));
}

#[test]
fn what_logs_saw_adds_up_and_may_be_older() {
    let mut store = Store::in_memory().expect("a store");
    let piece = |as_of: &str, event: &str| {
        let mut batch = Batch::new("github-audit-log/acme", "github-audit-log", as_of, Rank::Imported);
        batch.observations.push(Observation {
            event: event.into(),
            key_kind: "id".into(),
            key_value: "openai:key_1".into(),
            action: "api.call".into(),
            at: format!("{as_of}T00:00:00Z"),
            ..Observation::default()
        });
        batch
    };
    take(&mut store, &piece("2026-11-20", "b"));
    take(&mut store, &piece("2026-11-10", "a"));
    take(&mut store, &piece("2026-11-10", "a"));
    let seen = records::observations(&store, KeyKind::Id, "openai:key_1").expect("events");
    assert_eq!(seen.iter().map(|seen| seen.event.as_str()).collect::<Vec<_>>(), ["b", "a"]);
    // A record that one piece names is not taken away by another, in whatever order they come.
    let named = |as_of: &str, number: u32, name: &str| {
        let mut batch = piece(as_of, as_of);
        batch.credentials = listed("", as_of, number).credentials;
        batch.credentials[0].name = some(name);
        batch
    };
    let pieces = [named("2026-10-01", 7, "old"), named("2026-11-01", 7, "new"), named("2026-10-02", 8, "other")];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let mut store = Store::in_memory().expect("a store");
        order.into_iter().for_each(|place| drop(take(&mut store, &pieces[place])));
        let name = |id| records::credential(&store, id).expect("an answer").and_then(|known| known.name);
        assert_eq!((name("openai:key_7"), name("openai:key_8")), (some("new"), some("other")), "{order:?}");
        assert_eq!(take(&mut store, &pieces[0]).changes, Vec::new());
    }
    let mut odd = piece("2026-11-20", "c");
    odd.observations[0].at = "-1".into();
    assert_eq!(take(&mut store, &odd).rejected.len(), 1);
}

#[test]
fn a_key_that_cannot_be_kept_is_left_out_and_named() {
    let mut store = Store::in_memory().expect("a store");
    let mut batch = listed("list", "2026-11-20", 1);
    batch.credentials[0].join.fp = vec![format!("sha256:{}", "ab".repeat(32))];
    let done = take(&mut store, &batch);
    assert_eq!(done.rejected.len(), 1);
    assert!(done.rejected[0].place == "credential openai:key_1" && done.rejected[0].reason.contains("join.fp"));
    let known = records::credential(&store, "openai:key_1").expect("an answer").expect("a credential");
    assert!(known.join.fp.is_empty() && known.join.hint.is_some());
}

#[test]
fn a_whole_credential_never_reaches_the_store() {
    let mut generator = crate::detector::example::Generator::new(11);
    let mut key = || {
        let key = crate::detector::example::expand("sk-ant-api03-{93:url}AA", &mut generator).expect("a key");
        String::from_utf8(key).expect("text")
    };
    let mut store = Store::in_memory().expect("a store");
    let mut batch = listed("list", "2026-11-20", 1);
    let keys: Vec<String> = (0..6).map(|_| key()).collect();
    batch.identities[0].name = Some(format!("the bot's key is {}, keep it", keys[0]));
    batch.identities[0].external_ids.insert(keys[1].clone(), "x".into());
    batch.identities[0].consumers = vec!["fine".into(), keys[2].clone()];
    batch.credentials[0].join.ids = vec![format!("anthropic:{}", keys[3])];
    batch.people.push(Person { id: keys[4].clone(), ..Person::default() });
    batch.observations.push(Observation {
        event: "1".into(),
        key_kind: "id".into(),
        key_value: "openai:key_1".into(),
        action: "call".into(),
        target: Some(keys[5].clone()),
        at: "2026-11-20".into(),
        ..Observation::default()
    });
    let done = take(&mut store, &batch);
    assert_eq!(done.rejected.len(), 6, "{:?}", done.rejected);
    assert!(done.rejected.iter().all(|rejected| rejected.reason.contains("anthropic-api-key")));
    let told = format!("{:?}{}", done, answers(&store));
    assert!(keys.iter().all(|key| !told.contains(&key[13..22])), "{told}");
    let known = records::identity(&store, "openai:svc_1").expect("an answer").expect("an identity");
    assert_eq!((known.name, known.account.as_deref()), (None, Some("org-acme")));
    assert!(records::observations(&store, KeyKind::Id, "openai:key_1").expect("events").is_empty());
}

#[test]
fn a_redacted_form_that_shows_too_much_is_left_out() {
    let mut store = Store::in_memory().expect("a store");
    let mut batch = listed("list", "2026-11-20", 1);
    batch.credentials[0].join.hint = Some(Hint { head: "sk-proj-".into(), tail: "0123456789".into(), source: None });
    let done = take(&mut store, &batch);
    assert!(done.rejected[0].reason.contains("join.hint") && !done.rejected[0].reason.contains("0123"));
    assert!(records::hints_by_tail(&store, "openai", &["0123456789", "23456789"]).expect("hints").is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_order_of_imports_and_their_repetition_change_nothing(
        picks in proptest::collection::vec((0..4_u8, 1..4_u32), 1..6),
        turn in 0..6_usize,
    ) {
        // One batch a source: of one source, the newest stands whatever the order, which another test shows.
        let batches: Vec<Batch> = picks.iter().enumerate().map(|(place, (day, number))| {
            let mut batch = listed(&format!("list-{place}"), &format!("2026-11-1{day}"), *number);
            batch.identities[0].name = Some(format!("name {place}"));
            batch.credentials[0].join.ids = vec![format!("other:{place}")];
            batch.rank = if place % 3 == 2 { Rank::HandKept } else { Rank::Imported };
            batch.people.push(Person { id: "p".into(), aliases: vec![format!("alias-{place}")], ..Person::default() });
            batch
        }).collect();
        let mut first = Store::in_memory().expect("a store");
        batches.iter().for_each(|batch| { take(&mut first, batch); });
        let mut second = Store::in_memory().expect("a store");
        let mut turned: Vec<&Batch> = batches.iter().rev().collect();
        turned.rotate_left(turn % batches.len());
        turned.iter().for_each(|batch| { take(&mut second, batch); });
        prop_assert_eq!(answers(&first), answers(&second));
        let before = answers(&first);
        for batch in &batches {
            let again = take(&mut first, batch);
            prop_assert_eq!((again.added, again.changed, again.removed), (0, 0, 0));
        }
        prop_assert_eq!(answers(&first), before);
    }

    #[test]
    fn of_one_source_the_newest_stands_whatever_comes_first(days in proptest::collection::vec(10..20_u32, 1..6)) {
        let mut store = Store::in_memory().expect("a store");
        for day in &days {
            let _ = ingest(&mut store, &listed("list", &format!("2026-11-{day}"), *day), &file(), now());
        }
        let newest = days.iter().max().expect("a day");
        let known = records::identities(&store, &records::Filter::default()).expect("identities");
        prop_assert_eq!(known.len(), 1);
        prop_assert_eq!(&known[0].id, &format!("openai:svc_{newest}"));
    }
}
