//! The answers: whose it is, what it reaches, what to do about it, and evidence of it all. Snapshots show what people read.
//!
//! The inventory is that of a made-up company; the leaked keys are made up when the tests run.

use credtrace::finding::{Finding, Identity, IdentityStatus, LinkTier, Liveness};
use credtrace::identity::{evidence, remembered};
use credtrace::inventory::batch::{Batch, Rank};
use credtrace::inventory::model::{CredentialRecord, Hint, IdentityRecord, Join, Observation, Person, RevokePlan};
use credtrace::inventory::records::{ImportedFile, ingest};
use credtrace::store::Store;
use jiff::Timestamp;
use serde_json::json;

use crate::harness::{KeyKind, Scratch, fake_key, project};

/// A scratch folder with an inventory and one finding that a scan made.
struct Acme {
    scratch: Scratch,
    leaked: String,
    fingerprint: String,
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn list(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn person(id: &str, name: &str, status: &str, manager: Option<&str>) -> Person {
    let manager = manager.map(str::to_owned);
    let aliases = list(&[id.split('@').next().unwrap()]);
    Person { id: id.into(), name: some(name), status: some(status), manager, aliases, ..Person::default() }
}

fn support_bot() -> IdentityRecord {
    IdentityRecord {
        id: "nhi-support-bot".into(),
        kind: some("agent"),
        name: some("Support bot"),
        provider: some("openai"),
        account: some("org-acme"),
        container: some("proj_ex"),
        environment: some("prod"),
        owner: some("ana@acme.example"),
        backup_owner: some("bo@acme.example"),
        team: some("support-platform"),
        ai_system: some("support-copilot"),
        purpose: some("draft replies to tickets"),
        privilege: some("inference"),
        needs: some("inference"),
        scopes: list(&["model.request"]),
        reaches: list(&["zendesk:tickets:read", "openai:proj_ex"]),
        consumers: list(&["k8s:support/copilot"]),
        data_classes: list(&["customer-pii"]),
        external_ids: [("spiffe".to_owned(), "spiffe://acme.example/support/bot".to_owned())].into(),
        revoke: Some(RevokePlan { contact: some("#support-oncall"), overlap: Some(true), ..RevokePlan::default() }),
        ..IdentityRecord::default()
    }
}

fn credential(id: &str, identity: &str, key: &str, record_id: &str) -> CredentialRecord {
    let hint = Hint { head: key[..11].into(), tail: key[key.len() - 3..].into(), source: some("redacted_value") };
    CredentialRecord {
        id: id.into(),
        identity: some(identity),
        sort: some("openai-project-key"),
        provider: some("openai"),
        account: some("org-acme"),
        record_id: some(record_id),
        status: some("active"),
        issued: some("2023-04-30"),
        stored_at: some("vault:kv/support/openai"),
        join: Join { hint: Some(hint), ids: vec![format!("openai:{record_id}")], ..Join::default() },
        ..CredentialRecord::default()
    }
}

impl Acme {
    fn new() -> Self {
        Self::with(|_| {})
    }

    /// Makes the company; `change` may add to its inventory.
    fn with(change: impl FnOnce(&mut Batch)) -> Self {
        let scratch = Scratch::new();
        let leaked = fake_key(KeyKind::OpenAi, 7);
        let repository = scratch.repository("web");
        repository.commit_file("README.md", "A bot.\n", "Begin");
        repository.commit_file("deploy/values.yaml", format!("env:\n  OPENAI_API_KEY: {leaked}\n"), "Deploy");
        let mut batch = Batch::new("hand", "hand", "2026-11-20", Rank::HandKept);
        batch.people = vec![
            person("ana@acme.example", "Ana Ray", "active", Some("mia@acme.example")),
            person("bo@acme.example", "Bo Lind", "active", None),
            person("mia@acme.example", "Mia Oort", "active", None),
            person("gone@acme.example", "Gus Gone", "left", None),
        ];
        batch.identities = vec![
            support_bot(),
            IdentityRecord {
                id: "nhi-rag-indexer".into(),
                name: some("Rag indexer"),
                provider: some("openai"),
                environment: some("staging"),
                owner: some("gone@acme.example"),
                ai_system: some("support-copilot"),
                privilege: some("read"),
                reaches: list(&["openai:proj_ex", "s3:acme-docs"]),
                ..IdentityRecord::default()
            },
            IdentityRecord { id: "nhi-nobody".into(), name: some("Nightly export"), ..IdentityRecord::default() },
        ];
        batch.credentials = vec![
            credential("cred-support-bot-1", "nhi-support-bot", &leaked, "key_ex01"),
            credential("cred-rag-1", "nhi-rag-indexer", &fake_key(KeyKind::OpenAi, 8), "key_ex02"),
        ];
        change(&mut batch);
        let acme = Self { scratch, leaked, fingerprint: String::new() };
        acme.ingest(&batch);
        acme.scanned()
    }

    fn store(&self) -> Store {
        Store::open_or_create(&self.scratch.home().join("inventory.db")).unwrap()
    }

    fn ingest(&self, batch: &Batch) {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
        let file = ImportedFile { name: "acme.toml".into(), sha256: "0f".repeat(32), may_be_empty: false };
        ingest(&mut self.store(), batch, &file, now).unwrap();
    }

    /// Scans the repository and remembers what was found, as a scan with an inventory does.
    fn scanned(mut self) -> Self {
        let run = self.scratch.run(&["scan", "--format", "jsonl", "web"]).status(1);
        let [finding] = &run.findings()[..] else { panic!("{run:?}") };
        self.fingerprint = finding["fingerprint"].as_str().unwrap().to_owned();
        let finding: Finding = serde_json::from_value(finding.clone()).unwrap();
        remembered::keep(&mut self.store(), &[finding], Timestamp::now()).unwrap();
        self
    }

    /// Changes what is remembered of the finding.
    fn remember(&self, change: impl FnOnce(&mut Finding)) {
        let mut store = self.store();
        let mut finding = remembered::by_fingerprint(&store, &self.fingerprint).unwrap().unwrap();
        change(&mut finding);
        remembered::keep(&mut store, &[finding], Timestamp::now()).unwrap();
    }

    /// Runs the program, which must not show more of the key than a report does, and returns what it says.
    #[track_caller]
    fn says(&self, arguments: &[&str], status: i32) -> String {
        let run = self.scratch.command(arguments).env("COLUMNS", "100").env("USER", "tester").run().status(status);
        let variable = self.leaked.strip_prefix("sk-proj-").unwrap();
        for start in 0..variable.len() - 9 {
            let part = &variable[start..start + 9];
            assert!(!run.stdout.contains(part) && !run.stderr.contains(part), "{run:?}");
        }
        run.stdout
    }

    /// What it says, without what differs from run to run.
    #[track_caller]
    fn shown(&self, arguments: &[&str], status: i32) -> String {
        scrubbed(&self.says(arguments, status).replace(&self.fingerprint, "FINGERPRINT"))
    }
}

/// Takes times of now, commits and hashes out of a text.
fn scrubbed(text: &str) -> String {
    let patterns = [
        (r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "TIME"),
        (r"\b[0-9a-f]{64}\b", "HASH"),
        (r"commit [0-9a-f]{10}", "commit COMMIT"),
        (r"evidence-[0-9a-f]{8}", "evidence-HASH"),
    ];
    let mut text = text.to_owned();
    for (pattern, name) in patterns {
        text = regex::Regex::new(pattern).unwrap().replace_all(&text, name).into_owned();
    }
    text
}

macro_rules! shows {
    ($name:expr, $text:expr) => {{
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(project("tests/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!($name, $text));
    }};
}

#[test]
fn who_names_the_owner_from_a_fingerprint_and_from_the_value() {
    let acme = Acme::new();
    shows!("who_fingerprint", acme.shown(&["who", &acme.fingerprint], 0));
    let run = acme.scratch.command(&["who", "--format", "json"]).input(&acme.leaked).run().status(0);
    let answer: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(answer["standing"], "answered", "{run:?}");
    assert_eq!(answer["identities"][0]["owner"]["id"], "ana@acme.example");
    assert_eq!(answer["identities"][0]["contact"], "#support-oncall");
    assert_eq!(answer["link"]["tier"], "hint-unique");
    assert!(!run.stdout.contains(&acme.leaked[8..20]), "{run:?}");
}

#[test]
fn who_takes_every_name_that_a_person_may_have_at_hand() {
    let acme = Acme::new();
    let key = &acme.leaked;
    let redacted = format!("{}...{}", &key[..11], &key[key.len() - 3..]);
    let digits = acme.fingerprint.rsplit(':').next().unwrap()[..10].to_owned();
    for (asked, how) in [
        (redacted.as_str(), "a redacted form"),
        ("key_ex01", "a record's id"),
        ("openai:key_ex01", "a join key"),
        ("cred-support-bot-1", "a credential"),
        ("nhi-support-bot", "an identity"),
        ("support bot", "a name"),
        ("spiffe://acme.example/support/bot", "a SPIFFE id"),
        (digits.as_str(), "digits of a fingerprint"),
    ] {
        let said = acme.says(&["who", asked], 0);
        assert!(said.starts_with("Support bot (nhi-support-bot) belongs to Ana Ray"), "{how}: {said}");
    }
    shows!("who_person", acme.shown(&["who", "ANA@acme.example"], 0));
    shows!("who_left", acme.shown(&["who", "key_ex02"], 0));
    shows!("who_unknown", acme.shown(&["who", "key_none"], 1));
    let id = ["AKIA", "BTX3GSDSQBNKKPGD"].concat();
    let said = acme.says(&["who", &id], 1);
    assert!(said.contains("AWS 111122223333"), "{said}");
}

#[test]
fn who_names_nobody_where_several_fit() {
    let acme = Acme::with(|batch| {
        let mut twin = batch.credentials[0].clone();
        (twin.id, twin.identity, twin.record_id) = ("cred-twin".into(), some("nhi-rag-indexer"), some("key_ex03"));
        twin.join.ids = list(&["openai:key_ex03"]);
        batch.credentials.push(twin);
    });
    let redacted = format!("{}...{}", &acme.leaked[..11], &acme.leaked[acme.leaked.len() - 3..]);
    let said = acme.shown(&["who", &redacted], 1);
    assert!(said.starts_with("Nobody is named: 2 identities fit equally well"), "{said}");
    assert!(said.contains("nhi-support-bot") && said.contains("nhi-rag-indexer"), "{said}");
    acme.says(&["who", &acme.fingerprint], 1);
}

#[test]
fn who_refuses_a_secret_as_an_argument_and_does_not_repeat_it() {
    let acme = Acme::new();
    let unknown = ["Zx9", "Qw3", "Er7", "Ty1", "Ui5", "Op2", "As8", "Df4"].concat();
    for secret in [acme.leaked.as_str(), unknown.as_str()] {
        let run = acme.scratch.run(&["who", secret]).status(2).says("standard input").says("history");
        run.never_says(&secret[8..20]);
    }
    acme.scratch.run(&["who", "a...b"]).status(2).says("at least 3 characters");
    acme.scratch.command(&["who", "-"]).input("no secret here\n").run().status(2).says("no credential is recognised");
}

#[test]
fn without_an_inventory_answers_say_so() {
    let scratch = Scratch::new();
    for command in [&["who", "key_ex01"][..], &["map"], &["blast", "x"], &["evidence", "verify"]] {
        scratch.run(command).status(2).says("there is no inventory yet");
    }
    let run = scratch.command(&["who", "-"]).input(fake_key(KeyKind::OpenAi, 1)).run().status(1);
    run.says("there is no inventory yet");
}

#[test]
fn blast_keeps_what_is_declared_and_what_is_observed_apart() {
    let acme = Acme::new();
    shows!("blast_no_log", acme.shown(&["blast", "nhi-support-bot"], 0));
    let mut log = Batch::new("openai-audit-log/org-acme", "openai-audit-log", "2026-11-21", Rank::Imported);
    let event = |number: u32, action: &str, target: &str| Observation {
        event: format!("audit-{number}"),
        key_kind: "id".into(),
        key_value: "openai:key_ex01".into(),
        action: action.into(),
        target: some(target),
        address: some("203.0.113.9"),
        at: format!("2026-11-2{number}T08:00:00Z"),
        ..Observation::default()
    };
    log.observations = vec![
        event(0, "model.request", "proj_ex"),
        event(1, "model.request", "proj_ex"),
        event(2, "file.delete", "proj_other\u{1b}[2J"),
        Observation { key_value: "openai:key_ex02".into(), event: "audit-9".into(), ..event(1, "other", "x") },
    ];
    acme.ingest(&log);
    shows!("blast_log", acme.shown(&["blast", "nhi-support-bot"], 0));
    acme.scratch.run(&["blast", "nhi-unknown"]).status(2).says("no identity");
}

#[test]
fn a_runbook_has_ten_steps_in_the_order_of_its_state() {
    let acme = Acme::new();
    shows!("runbook_unknown", acme.shown(&["runbook", &acme.fingerprint], 0));
    acme.remember(|finding| finding.verification.state = Liveness::Live);
    let titles = |arguments: &[&str]| {
        let text = acme.says(&[&["runbook", &acme.fingerprint, "--format", "json"], arguments].concat(), 0);
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        let steps = answer["runbook"]["steps"].as_array().unwrap().clone();
        assert_eq!(steps.len(), 10);
        let titles: Vec<String> = steps.iter().map(|step| step["title"].as_str().unwrap().to_owned()).collect();
        let at = |start: &str| titles.iter().position(|title| title.starts_with(start)).unwrap();
        (at("End the old one"), at("Put a new one"), answer["runbook"]["order"].as_str().unwrap().to_owned())
    };
    assert_eq!(titles(&["--public"]), (1, 4, "revoke-first".into()));
    assert_eq!(titles(&["--private"]), (4, 3, "overlap".into()));
    acme.remember(|finding| finding.verification.state = Liveness::Dead);
    assert_eq!(titles(&["--public"]).2, "clean-up");
}

#[test]
fn a_ticket_holds_all_that_its_reader_needs() {
    let acme = Acme::new();
    acme.remember(|finding| finding.verification.state = Liveness::Live);
    shows!("runbook_ticket", acme.shown(&["runbook", &acme.fingerprint, "--public", "--format", "ticket"], 0));
}

#[test]
fn the_break_check_says_safe_only_on_evidence() {
    let verdict = |change: fn(&mut Batch), remember: fn(&mut Finding)| {
        let acme = Acme::with(change);
        acme.remember(remember);
        let text = acme.says(&["runbook", &acme.fingerprint, "--format", "json"], 0);
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        answer["runbook"]["break_check"]["verdict"].as_str().unwrap().to_owned()
    };
    let in_history: fn(&mut Finding) = |finding| {
        finding.occurrences.retain_mut(|place| {
            place.in_head = Some(false);
            place.source = credtrace::finding::SourceKind::Git;
            true
        })
    };
    assert_eq!(verdict(|_| {}, |_| {}), "needs-overlap");
    let unused: fn(&mut Batch) = |batch| {
        batch.identities[0].consumers.clear();
        batch.credentials[0].last_used = some("never");
    };
    assert_eq!(verdict(unused, in_history), "safe");
    assert_eq!(verdict(unused, |_| {}), "needs-overlap", "it still stands in HEAD");
    let silent: fn(&mut Batch) = |batch| {
        batch.identities[0].consumers.clear();
        batch.credentials[0].last_used = None;
    };
    assert_eq!(verdict(silent, in_history), "unknown");
    assert_eq!(verdict(silent, |finding| finding.verification.state = Liveness::Dead), "safe");
}

#[test]
fn the_way_to_whom_is_told_passes_those_who_have_left() {
    let told = |change: fn(&mut IdentityRecord)| {
        let acme = Acme::with(|batch| change(&mut batch.identities[0]));
        let text = acme.says(&["runbook", &acme.fingerprint, "--format", "json"], 0);
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        let routing = &answer["runbook"]["routing"];
        (routing["to"].as_str().unwrap_or("nobody").to_owned(), routing["why"].as_str().unwrap().to_owned())
    };
    assert_eq!(told(|_| {}).0, "Ana Ray <ana@acme.example>");
    let (to, why) = told(|identity| identity.owner = some("gone@acme.example"));
    assert_eq!(to, "Bo Lind <bo@acme.example>");
    assert!(why.contains("Gus Gone <gone@acme.example> has left"), "{why}");
    let nobody: fn(&mut IdentityRecord) = |identity| (identity.owner, identity.backup_owner) = (None, None);
    assert_eq!(told(nobody).0, "support-platform");
    let (to, why) = told(|identity| (identity.owner, identity.backup_owner, identity.team) = (None, None, None));
    assert!(to.contains('@') && why.contains("git author"), "{to}: {why}");
}

#[test]
fn a_runbook_from_a_report_needs_no_store_and_an_unclear_one_is_refused() {
    let acme = Acme::new();
    acme.scratch.run(&["scan", "--format", "json", "--output", "report.json", "web"]).status(1);
    let digits = acme.fingerprint.rsplit(':').next().unwrap()[..8].to_owned();
    std::fs::remove_file(acme.scratch.home().join("inventory.db")).unwrap();
    let said = acme.says(&["runbook", &digits, "--report", "report.json"], 0);
    assert!(said.contains("no identity is linked") && said.contains("git author"), "{said}");
    acme.scratch.run(&["runbook", "b3k1:k1-00000000", "--report", "report.json"]).status(2).says("no finding begins");
    acme.scratch.run(&["runbook", &acme.fingerprint]).status(2).says("--report");
    acme.scratch.write("bad.json", "{\"findings\": [{}]}\nno json");
    acme.scratch.run(&["runbook", &digits, "--report", "bad.json"]).status(2).says("bad.json");
}

#[test]
fn a_map_shows_systems_identities_credentials_and_reach() {
    let acme = Acme::new();
    shows!("map_text", acme.shown(&["map"], 0));
    shows!("map_dot", acme.shown(&["map", "--format", "dot"], 0));
    let json: serde_json::Value = serde_json::from_str(&acme.says(&["map", "--format", "json"], 0)).unwrap();
    assert_eq!(json["totals"]["identities"], 3);
    assert_eq!(json["totals"]["leaked"], 1);
    let one = acme.says(&["map", "--owner", "ana"], 0);
    assert!(one.contains("Support bot") && !one.contains("Rag indexer"), "{one}");
}

#[test]
fn the_page_of_a_map_does_nothing_whatever_the_inventory_says() {
    let acme = Acme::with(|batch| {
        let hostile = "<script>alert(1)</script>\"' onload=x \u{202e}\u{1b}]0;x\u{7}";
        let identity = &mut batch.identities[1];
        (identity.name, identity.ai_system, identity.owner) = (some(hostile), some(hostile), some(hostile));
        identity.reaches = list(&[hostile]);
        batch.credentials[1].name = some(hostile);
    });
    let page = acme.says(&["map", "--format", "html"], 0);
    assert!(page.contains("default-src 'none'; style-src 'sha256-"), "{page}");
    for active in ["<script", "<img", "<a href=\"h", "javascript:", "style=\"", "\u{202e}", "\u{1b}", "url(", "@import"]
    {
        assert!(!page.contains(active), "{active}: {page}");
    }
    assert!(page.contains("&lt;script&gt;") && page.matches("<svg").count() == 3, "{page}");
    let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
    let digest = ring::digest::digest(&ring::digest::SHA256, style.as_bytes());
    let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, digest);
    assert!(page.contains(&format!("'sha256-{hash}'")), "the policy must name the style that is there");
    for arguments in [&["map"][..], &["map", "--format", "dot"], &["who", "nhi-rag-indexer"]] {
        let text = acme.says(arguments, 0);
        assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
    }
}

#[test]
fn a_hostile_finding_cannot_leave_its_place_in_a_ticket() {
    let acme = Acme::new();
    acme.remember(|finding| {
        finding.occurrences[0].path = "a`b\n# Heading\n- [ ] **done** <img src=x> @everyone".into();
        finding.occurrences[0].author = some("x](javascript:1) <e@x>");
        finding.identity = Identity { why: some("![x](http://x)\n\n# no"), ..Identity::new(IdentityStatus::Linked) };
        finding.identity.id = some("nhi-support-bot");
        finding.identity.tier = Some(LinkTier::Exact);
    });
    let ticket = acme.says(&["runbook", &acme.fingerprint, "--format", "ticket"], 0);
    let headings: Vec<&str> = ticket.lines().filter(|line| line.trim_start().starts_with('#')).collect();
    assert_eq!(headings.len(), 8, "{headings:?}");
    let outside: String = ticket.lines().map(|line| without_code(line) + "\n").collect();
    // What stands behind a backslash is text.
    let outside = regex::Regex::new(r"\\.").unwrap().replace_all(&outside, "");
    for active in ["<", "](", "![", "@"] {
        assert!(!outside.contains(active), "{active}: {outside}");
    }
}

/// A line without its code spans.
fn without_code(line: &str) -> String {
    let mut rest = line;
    let mut outside = String::new();
    while let Some(start) = rest.find('`') {
        let fence: String = rest[start..].chars().take_while(|character| *character == '`').collect();
        if start > 0 && rest[..start].ends_with('\\') {
            outside.push_str(&rest[..=start]);
            rest = &rest[start + 1..];
            continue;
        }
        outside.push_str(&rest[..start]);
        let inner = &rest[start + fence.len()..];
        let end = inner.find(&format!(" {fence}")).unwrap_or_else(|| panic!("a code span without end: {line}"));
        rest = &inner[end + 1 + fence.len()..];
    }
    outside + rest
}

#[test]
fn evidence_is_written_and_every_later_change_is_found() {
    let acme = Acme::new();
    let data = json!({"complete": true, "skipped": {"too-large": 1}, "findings": 1});
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    evidence::append(&mut acme.store(), "ana@acme.example", evidence::action::SCANNED, "web", &data, now).unwrap();
    acme.says(&["runbook", &acme.fingerprint], 0);
    shows!("evidence_written", acme.shown(&["evidence", "--output", "evidence"], 0));
    shows!("evidence_verified", acme.shown(&["evidence", "verify", "evidence"], 0));
    let manifest = std::fs::read_to_string(acme.scratch.path("evidence/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let scans = manifest["scans"].as_array().unwrap();
    assert!(scans.iter().any(|scan| scan["data"] == data), "what was scanned and skipped: {manifest}");
    assert_eq!(manifest["imports"][0]["sha256"], "0f".repeat(32));
    let controls = std::fs::read_to_string(acme.scratch.path("evidence/controls.json")).unwrap();
    assert!(controls.contains("NHI2:2025") && !controls.to_lowercase().contains("compliant"), "{controls}");
    // The record goes on, and holds the head that the bundle named.
    let head = manifest["events"]["head"].as_str().unwrap();
    let said = acme.says(&["evidence", "verify", "--head", head], 0);
    assert!(said.contains("holds the hash that was kept, and 1 event was added after it"), "{said}");
    for name in ["events.jsonl", "findings.jsonl", "controls.json", "manifest.json"] {
        let path = acme.scratch.path("evidence").join(name);
        let good = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, good.replacen("2026", "2025", 1).replacen("NHI2", "NHI3", 1)).unwrap();
        let head = acme.shown(&["evidence", "verify", "evidence"], i32::from(name != "manifest.json"));
        assert_eq!(head.contains("CHANGED"), name != "manifest.json", "{name}: {head}");
        std::fs::write(&path, good).unwrap();
    }
    // A bundle that was made anew as a whole is seen by the hash that was kept.
    acme.says(&["evidence", "verify", "evidence", "--head", &"ab".repeat(32)], 1);
    std::fs::remove_file(acme.scratch.path("evidence/links.jsonl")).unwrap();
    assert!(acme.says(&["evidence", "verify", "evidence"], 1).contains("links.jsonl is missing"));
}

#[test]
fn one_document_is_a_bundle_too_and_pseudonyms_name_nobody() {
    let acme = Acme::new();
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
    let data = json!({"told": "Ana Ray <ana@acme.example>"});
    evidence::append(&mut acme.store(), "ana@acme.example", evidence::action::RUNBOOK, "web", &data, now).unwrap();
    acme.says(&["evidence", "--output", "all.json", "--framework", "csf,nhi"], 0);
    acme.says(&["evidence", "verify", "all.json"], 0);
    acme.says(&["evidence", "--pseudonyms", "--output", "hidden.json"], 0);
    let said = acme.says(&["evidence", "verify", "hidden.json"], 0);
    assert!(said.contains("Names were replaced"), "{said}");
    let text = std::fs::read_to_string(acme.scratch.path("hidden.json")).unwrap().to_lowercase();
    assert!(!text.contains("ana ray") && !text.contains("ana@acme"), "{text}");
    acme.scratch.run(&["evidence", "--output", "x", "--framework", "nist"]).status(2).says("there is no framework");
    acme.scratch.run(&["evidence", "--output", "x", "--from", "2026-13-01"]).status(2).says("is no day");
    acme.scratch.run(&["evidence", "--output", "web"]).status(2).says("holds other files");
    acme.scratch.run(&["evidence", "verify", "web/README.md"]).status(1);
}
