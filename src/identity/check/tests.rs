//! Each identity finding is said where its data says so, and not where it does not.

use super::*;
use crate::finding::{
    CredentialRecord as Link, Identity, IdentityStatus, Kind, Liveness, Person as Owner, Verification,
};
use crate::identity::testing::{finding, place};
use crate::inventory::batch::{Batch, Rank};
use crate::inventory::ingest::{ImportedFile, ingest};
use crate::inventory::model::{CredentialRecord, IdentityRecord, Person};

const TODAY: &str = "2026-11-22";

fn today() -> Date {
    TODAY.parse().expect("a day")
}

/// A store with one person who is there, one who has left, and these records.
fn store(identities: Vec<IdentityRecord>, credentials: Vec<CredentialRecord>) -> Store {
    let mut batch = Batch::new("hand", "hand", TODAY, Rank::HandKept);
    let person = |id: &str, status: &str| Person { id: id.into(), status: Some(status.into()), ..Person::default() };
    batch.people = vec![person("ana@acme.example", "active"), person("ben@acme.example", "left")];
    (batch.identities, batch.credentials) = (identities, credentials);
    let mut store = Store::in_memory().expect("a store");
    let file = ImportedFile { name: "inventory.toml".into(), sha256: "0".repeat(64), may_be_empty: false };
    ingest(&mut store, &batch, &file, "2026-11-22T00:00:00Z".parse().expect("a time")).expect("ingested");
    store
}

/// An identity with which nothing is wrong.
fn sound() -> IdentityRecord {
    let text = |text: &str| Some(text.to_owned());
    IdentityRecord {
        id: "nhi-bot".into(),
        kind: text("service_account"),
        provider: text("openai"),
        owner: text("ana@acme.example"),
        purpose: text("answers tickets"),
        approved: Some(true),
        privilege: text("inference"),
        needs: text("inference"),
        created: text("2026-10-01"),
        last_used: text("2026-11-20"),
        expires: text("2027-01-01"),
        review_due: text("2026-12-31"),
        status: text("active"),
        ..IdentityRecord::default()
    }
}

fn rules(store: &Store, findings: &[Finding], policy: &Policy) -> Vec<&'static str> {
    let mut rules: Vec<_> =
        check(store, findings, policy, today()).expect("checked").iter().map(|found| found.rule.id()).collect();
    rules.sort_unstable();
    rules
}

/// What is said of the sound identity with one change.
fn with(change: impl FnOnce(&mut IdentityRecord)) -> Vec<&'static str> {
    let mut identity = sound();
    change(&mut identity);
    rules(&store(vec![identity], vec![]), &[], &Policy::default())
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn a_sound_identity_has_no_finding_and_each_fault_has_its_own() {
    assert_eq!(with(|_| ()), [""; 0]);
    assert_eq!(with(|identity| identity.owner = None), ["unowned"]);
    assert_eq!(with(|identity| (identity.owner, identity.team) = (None, text("support"))), ["owner-team-only"]);
    assert_eq!(with(|identity| identity.owner = text("ben@acme.example")), ["owner-left"]);
    assert_eq!(with(|identity| identity.owner_access = text("inactive")), ["owner-left"]);
    assert_eq!(with(|identity| identity.approved = Some(false)), ["unapproved-ai"]);
    assert_eq!(with(|identity| (identity.approved, identity.purpose) = (None, None)), ["unapproved-ai"]);
    assert_eq!(with(|identity| identity.review_due = text("2026-11-01")), ["review-overdue"]);
    assert_eq!(with(|identity| identity.privilege = text("admin")), ["over-privileged"]);
    assert_eq!(with(|identity| identity.consumers = vec!["k8s:a".into(), "k8s:b".into()]), ["shared"]);
    assert_eq!(
        with(|identity| identity.consumers = vec!["agent:a".into(), "agent:b".into()]),
        ["shared", "untraceable"]
    );
    assert_eq!(with(|identity| identity.interactive_use = Some(true)), ["human-use"]);
    assert_eq!(with(|identity| (identity.third_party, identity.approved) = (Some(true), None)), ["third-party"]);
    assert_eq!(with(|identity| identity.last_used = text("2026-03-01")), ["stale-unused"]);
    assert_eq!(with(|identity| identity.expires = text("never")), ["long-lived"]);
    assert_eq!(with(|identity| identity.expires = text("2028-01-01")), ["long-lived"]);
    assert_eq!(with(|identity| identity.max_age_days = Some(30)), ["long-lived", "unrotated"]);
    assert_eq!(with(|identity| (identity.owner, identity.status) = (None, text("retired"))), [""; 0]);
}

#[test]
fn the_dates_of_a_credential_count_where_there_is_one() {
    let record = |sort: &str, issued: &str, expires: &str, used: &str| CredentialRecord {
        id: "openai:key_1".into(),
        identity: text("nhi-bot"),
        sort: text(sort),
        issued: text(issued),
        expires: text(expires),
        last_used: text(used),
        ..CredentialRecord::default()
    };
    let said = |record: CredentialRecord| rules(&store(vec![sound()], vec![record]), &[], &Policy::default());
    assert_eq!(said(record("openai-project-key", "2026-10-01", "2027-01-01", "2026-11-20")), [""; 0]);
    assert_eq!(said(record("openai-project-key", "2026-01-01", "2026-12-31", "never")), ["stale-unused"]);
    assert_eq!(
        said(record("openai-project-key", "2025-01-01", "2025-12-01", "2026-11-20")),
        ["expired-live", "unrotated"]
    );
    assert_eq!(said(record("aws-access-key-id", "2026-10-01", "2027-01-01", "2026-11-20")), ["weak-auth"]);
}

/// A finding that is linked to the sound identity's credential.
fn linked() -> Finding {
    let mut found = finding("openai-project-key", "openai", b"not a secret at all");
    found.identity = Identity::new(IdentityStatus::Linked);
    found.identity.id = text("nhi-bot");
    found.identity.owner = Some(Owner { id: text("ana@acme.example"), ..Owner::default() });
    found.identity.credential = Some(Link { record_id: text("key_1"), ..Link::default() });
    found
}

fn key_record() -> CredentialRecord {
    CredentialRecord {
        id: "openai:key_1".into(),
        identity: text("nhi-bot"),
        provider: text("openai"),
        record_id: text("key_1"),
        ..CredentialRecord::default()
    }
}

#[test]
fn what_a_scan_found_is_seen_with_its_record() {
    let said = |found: &Finding, record: CredentialRecord| {
        rules(&store(vec![sound()], vec![record]), std::slice::from_ref(found), &Policy::default())
    };
    let found = linked();
    assert_eq!(said(&found, key_record()), ["leaked"]);
    let stored = CredentialRecord { stored_at: text("vault:kv/bot"), ..key_record() };
    assert_eq!(said(&found, stored), ["leaked", "outside-store"]);
    let live = Finding { verification: Verification::new(Liveness::Live), ..linked() };
    let revoked = CredentialRecord { status: text("revoked"), ..key_record() };
    assert_eq!(said(&live, revoked.clone()), ["leaked", "revoked-live"]);
    assert_eq!(said(&found, revoked), ["leaked"]);
    let expired = CredentialRecord { expires: text("2026-11-01"), ..key_record() };
    assert_eq!(said(&live, expired), ["expired-live", "leaked"]);
    let canary = Finding { verification: Verification::new(Liveness::Canary), ..linked() };
    assert_eq!(said(&canary, key_record()), [""; 0]);
}

#[test]
fn places_tell_of_sharing_environments_people_and_tools() {
    let said = |paths: &[(&str, &str)], kind: Kind| {
        let mut found = Finding { kind, ..linked() };
        found.occurrences = paths
            .iter()
            .map(|(target, path)| {
                let mut occurrence = place(path);
                occurrence.target = (*target).to_owned();
                occurrence
            })
            .collect();
        rules(&store(vec![sound()], vec![key_record()]), &[found], &Policy::default())
    };
    let key = Kind::ApiKey;
    assert_eq!(said(&[("a", "src/test/a.py"), ("a", "src/dev/b.py")], key), ["leaked"]);
    assert_eq!(said(&[("a", "a.py"), ("b", "b.py")], key), ["leaked", "shared"]);
    assert_eq!(said(&[("a", "deploy/prod/x.yaml"), ("a", "deploy/staging/x.yaml")], key), ["cross-env", "leaked"]);
    assert_eq!(said(&[("a", ".env.production"), ("a", ".env.dev")], key), ["cross-env", "leaked"]);
    assert_eq!(said(&[("a", "home/u/.bash_history")], key), ["human-use", "leaked"]);
    assert_eq!(said(&[("a", "home/u/.bash_history")], Kind::PersonalToken), ["leaked"]);
    assert_eq!(said(&[("a", ".github/workflows/x.yml")], Kind::PersonalToken), ["human-use", "leaked"]);
    assert_eq!(said(&[("a", ".cursor/mcp.json")], key), ["leaked", "third-party"]);
}

#[test]
fn shadows_gaps_and_what_is_public_are_told() {
    let empty = store(vec![], vec![]);
    let mut shadow = linked();
    shadow.identity = Identity::new(IdentityStatus::Shadow);
    assert_eq!(rules(&empty, &[shadow], &Policy::default()), ["leaked", "shadow"]);
    let mut uncovered = linked();
    uncovered.identity = Identity::new(IdentityStatus::NotCovered);
    assert_eq!(rules(&empty, &[uncovered], &Policy::default()), ["inventory-gap", "leaked"]);
    let policy = Policy::parse("schema = \"credtrace.policy/1\"\npublic = [\".\"]\n").expect("a policy");
    let live = Finding { verification: Verification::new(Liveness::Limited), ..linked() };
    assert_eq!(rules(&empty, &[live], &policy), ["leaked", "leaked-live-public"]);
    assert_eq!(rules(&empty, &[linked()], &policy), ["leaked"]);
}

#[test]
fn exceptions_and_severities_of_the_policy_count_and_what_fails_is_what_it_says() {
    let text = "schema = \"credtrace.policy/1\"\n[severity]\nunowned = \"critical\"\n[fail]\nseverity = \"critical\"\n";
    let policy = Policy::parse(text).expect("a policy");
    let unowned = store(vec![IdentityRecord { owner: None, ..sound() }], vec![]);
    let found = check(&unowned, &[], &policy, today()).expect("checked");
    assert_eq!(found[0].severity, Severity::Critical);
    assert!(policy.fails(&[], &found) && !Policy::default().fails(&[], &found));
    let exception = "[[accept]]\nrule = \"unowned\"\nsubject = \"nhi-bot\"\nreason = \"known\"\nexpires = 2026-12-01\n";
    let policy = Policy::parse(&format!("{text}{exception}")).expect("a policy");
    assert!(check(&unowned, &[], &policy, today()).expect("checked").is_empty());
}

#[test]
fn a_finding_carries_the_tags_of_itself_and_of_what_it_is_linked_to() {
    let mut findings = vec![linked()];
    let store = store(
        vec![IdentityRecord { owner: text("ben@acme.example"), ..sound() }],
        vec![CredentialRecord { expires: text("never"), ..key_record() }],
    );
    let found = check(&store, &findings, &Policy::default(), today()).expect("checked");
    tag(&mut findings, &found);
    assert_eq!(findings[0].identity_findings, ["NHI1:2025/owner-left", "NHI2:2025/leaked", "NHI7:2025/long-lived"]);
}
