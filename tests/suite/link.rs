//! A scan with an inventory: whose each credential is, what a person decides, what is remembered, and what it costs.

use std::path::Path;
use std::time::Duration;

use credtrace::credential::FoundCredential;
use credtrace::detector::Registry;
use credtrace::finding::{Finding, IdentityStatus};
use credtrace::identity::{Linker, remembered};
use credtrace::inventory::batch::{Batch, Rank};
use credtrace::inventory::ingest::{ImportedFile, ingest};
use credtrace::inventory::model::{CredentialRecord, Hint, IdentityRecord, Join, Person};
use credtrace::secret::Secret;
use credtrace::store::Store;
use serde_json::Value;

use crate::harness::{KeyKind, Run, Scratch, fake_key, key, scale};

/// A record of a key of Anthropic, as the provider's list shows it.
fn record(number: usize, key: &str) -> CredentialRecord {
    let hint = Hint { head: key[..16].into(), tail: key[key.len() - 4..].into(), source: None };
    CredentialRecord {
        id: format!("anthropic:apikey_{number}"),
        identity: Some(format!("nhi-{number}")),
        sort: Some("anthropic-api-key".into()),
        provider: Some("anthropic".into()),
        record_id: Some(format!("apikey_{number}")),
        issued: Some("2020-01-01".into()),
        join: Join { hint: Some(hint), ..Join::default() },
        ..CredentialRecord::default()
    }
}

/// An inventory of these keys; all belong to Owner A.
fn inventory(path: &Path, keys: &[String]) -> Store {
    let mut batch = Batch::new("anthropic-api-keys/acme", "anthropic-api-keys", "2026-11-20", Rank::Imported);
    batch.people.push(Person {
        id: "owner.a@acme.example".into(),
        name: Some("Owner A".into()),
        status: Some("active".into()),
        aliases: vec!["owner-a".into()],
        ..Person::default()
    });
    for (number, key) in keys.iter().enumerate() {
        batch.identities.push(IdentityRecord {
            id: format!("nhi-{number}"),
            name: Some(format!("Support bot {number}")),
            provider: Some("anthropic".into()),
            owner: Some("owner-a".into()),
            ..IdentityRecord::default()
        });
        batch.credentials.push(record(number, key));
    }
    let mut store = Store::open_or_create(path).unwrap();
    let now = "2026-11-22T00:00:00Z".parse().unwrap();
    ingest(&mut store, &batch, &ImportedFile::default(), now).unwrap();
    store
}

fn identity(run: &Run) -> Value {
    run.findings().first().map(|finding| finding["identity"].clone()).unwrap_or_default()
}

#[test]
fn a_scan_without_an_inventory_opens_none_and_makes_none() {
    let scratch = Scratch::new();
    scratch.write("a.env", format!("ANTHROPIC_API_KEY={}\n", key(1)));
    let run = scratch.run(&["scan", "--format", "jsonl"]).status(1);
    assert_eq!(identity(&run)["status"], "no-inventory");
    assert!(!scratch.home().join("inventory.db").exists());
    scratch.run(&["scan", "--inventory", "missing.db"]).status(2).says("missing.db");
    assert!(!scratch.path("missing.db").exists());
}

#[test]
fn a_scan_with_an_inventory_names_the_owner_says_why_and_remembers() {
    let scratch = Scratch::new();
    drop(inventory(&scratch.home().join("inventory.db"), &[key(1), key(2)]));
    scratch.write("a.env", format!("ANTHROPIC_API_KEY={}\n", key(1)));
    let run = scratch.run(&["scan", "--format", "jsonl", "--fail-on", "unlinked"]).status(0);
    let linked = identity(&run);
    assert_eq!((&linked["status"], &linked["tier"]), (&"linked".into(), &"hint-unique".into()));
    assert_eq!(linked["owner"]["name"], "Owner A");
    assert_eq!(linked["credential"]["record_id"], "apikey_0");
    assert_eq!(linked["as_of"], "2026-11-20");
    let store = Store::open(&scratch.home().join("inventory.db")).unwrap();
    assert_eq!(remembered::all(&store).unwrap().len(), 1);

    let human = scratch.run(&["scan", "--format", "human"]).status(1);
    assert!(human.stdout.contains("Belongs to: Support bot 0, owner Owner A, record apikey_0"), "{human:?}");
    assert!(human.stdout.contains("[hint-unique, 0.97,"), "{human:?}");

    scratch.write("b.env", format!("ANTHROPIC_API_KEY={}\n", key(3)));
    scratch.run(&["scan", "--format", "jsonl", "--fail-on", "unlinked"]).status(1);
}

#[test]
fn what_a_person_decides_wins_and_is_listed() {
    let scratch = Scratch::new();
    drop(inventory(&scratch.home().join("inventory.db"), &[key(1), key(2)]));
    scratch.write("a.env", format!("ANTHROPIC_API_KEY={}\n", key(1)));
    let first = scratch.run(&["scan", "--format", "jsonl"]).status(1);
    let fingerprint = first.findings()[0]["fingerprint"].as_str().unwrap().to_owned();
    let link = |arguments: &[&str]| {
        let mut all = vec!["link"];
        all.extend(arguments);
        scratch.command(&all).env("USER", "a.person").run()
    };
    // A record is named as the report names it.
    link(&["accept", &fingerprint, "--credential", "apikey_1", "--reason", "the console says so"]).status(0);
    let linked = identity(&scratch.run(&["scan", "--format", "jsonl"]));
    assert_eq!(linked["id"], "nhi-1");
    let why = linked["why"].as_str().unwrap();
    assert!(why.starts_with("a.person accepted it on "), "{why}");
    assert!(why.contains("the console says so; also, and overruled: Support bot 0"), "{why}");
    link(&["reject", &fingerprint, "--identity", "nhi-1", "--reason", "it was another"]).status(0);
    let list = link(&["list"]).status(0);
    assert_eq!(list.stdout.lines().count(), 2, "{list:?}");
    assert!(list.stdout.lines().next().unwrap().contains("rejected: identity nhi-1  by a.person: it was another"));

    link(&["accept", &fingerprint, "--identity", "nobody", "--reason", "x"]).status(2).says("no identity");
    link(&["accept", &fingerprint, "--identity", "nhi-1", "--reason", " "]).status(2).says("--reason");
    link(&["accept", "b3k1:short", "--identity", "nhi-1", "--reason", "x"]).status(2).says("no fingerprint");
    link(&["accept", &fingerprint, "--reason", "x"]).status(2);
}

#[test]
fn the_store_never_gets_more_than_eight_characters_of_a_secret() {
    let scratch = Scratch::new();
    let leaked = fake_key(KeyKind::Anthropic, 4);
    drop(inventory(&scratch.home().join("inventory.db"), std::slice::from_ref(&leaked)));
    scratch.write(format!("notes-{leaked}.txt"), format!("ANTHROPIC_API_KEY={leaked}\n"));
    for arguments in [&["scan", "--format", "jsonl"][..], &["scan", "--format", "jsonl", "--show-secrets"]] {
        scratch.run(arguments).status(1);
    }
    let variable = leaked.strip_prefix("sk-ant-api03-").unwrap().as_bytes();
    for entry in std::fs::read_dir(scratch.home()).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let found = variable.windows(9).any(|part| memchr::memmem::find(&bytes, part).is_some());
        assert!(!found, "{} holds a part of a secret", path.display());
    }
}

#[test]
fn codeowners_of_the_scanned_folder_suggests_and_asserts_nobody() {
    let scratch = Scratch::new();
    drop(inventory(&scratch.home().join("inventory.db"), &[key(1)]));
    scratch.write("ml/a.env", format!("ANTHROPIC_API_KEY={}\n", key(2)));
    scratch.write(".github/CODEOWNERS", "* @nobody\n/ml/ @owner-a\n");
    let found = identity(&scratch.run(&["scan", "--format", "jsonl"]).status(1));
    assert_eq!((&found["status"], &found["tier"]), (&"suggested".into(), &"context".into()));
    assert_eq!(found["owner"], Value::Null);
    assert_eq!(found["candidates"][0]["owner"]["name"], "Owner A");
    assert!(found["score"].as_f64().unwrap() <= 0.35);
}

/// Returns how long this thread has run on a processor: other programs on the machine do not count.
fn time_on_processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

/// Links findings of known and unknown keys to an inventory, and returns how long that took.
fn time_to_link(records: usize, findings: usize) -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let keys: Vec<String> = (0..records as u64).map(key).collect();
    let store = inventory(&folder.path().join("inventory.db"), &keys);
    let scratch = Scratch::new();
    scratch.write("a.env", format!("ANTHROPIC_API_KEY={}\n", key(1)));
    let shown = scratch.run(&["scan", "--format", "jsonl"]).findings().remove(0);
    let pattern: Finding = serde_json::from_value(shown).unwrap();
    let leaked: Vec<(Finding, FoundCredential)> = (0..findings)
        .map(|number| {
            // Every tenth is in no record.
            let seed = if number % 10 == 0 { records + number } else { number * 7 % records };
            let secret = key(seed as u64);
            let mut finding = pattern.clone();
            finding.fingerprint = format!("b3k1:k1-00000000:{number:032x}");
            finding.occurrences[0].path = format!("services/support-bot-{number}/config.py");
            (finding, FoundCredential::alone(Secret::new(secret.as_bytes())))
        })
        .collect();
    let registry = Registry::built_in();
    let began = time_on_processor();
    let linker = Linker::new(&store, &registry, None).unwrap();
    let links: Vec<_> = leaked.iter().map(|(finding, found)| linker.link(finding, Some(found)).unwrap()).collect();
    let elapsed = time_on_processor() - began;
    let linked = links.iter().filter(|link| link.status == IdentityStatus::Linked).count();
    assert!(linked >= findings * 8 / 10, "{linked} of {findings}");
    elapsed
}

#[test]
fn the_cost_of_linking_does_not_grow_with_the_inventory() {
    // An inventory ten times as large; a search through it would take ten times as long.
    let small = time_to_link(500, 400);
    let large = time_to_link(5_000, 400);
    assert!(large < small * 4 + Duration::from_millis(200), "{small:?} for 500 records, {large:?} for 5,000");
}

/// `CREDTRACE_TEST_SCALE=10` links 10,000 findings to 100,000 records: 0.80 s of one core, where the program is built with
/// opt-level 1 (two shared cores, November 2026).
#[test]
fn ten_thousand_findings_are_linked_to_a_hundred_thousand_records_in_two_seconds() {
    let scale = scale();
    let elapsed = time_to_link(10_000 * scale, 1_000 * scale);
    assert!(elapsed < Duration::from_secs(2), "{elapsed:?}");
}
