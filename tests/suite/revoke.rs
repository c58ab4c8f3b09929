//! `credtrace revoke`: nothing is sent before a person says so, and the secret is nowhere but in the request.

use credtrace::finding::{Finding, Identity, IdentityStatus, LinkTier};
use credtrace::identity::remembered;
use credtrace::inventory::batch::{Batch, Rank};
use credtrace::inventory::ingest::{ImportedFile, ingest};
use credtrace::inventory::model::CredentialRecord;
use credtrace::store::Store;

use crate::harness::server::{Reply, Server};
use crate::harness::{KeyKind, Run, Scratch, fake_key, key};

/// Checks that standard output holds a text.
fn prints(run: Run, text: &str) -> Run {
    assert!(run.stdout.contains(text), "standard output lacks {text:?}\n{run:?}");
    run
}

/// Runs the command against a server in the place of a provider.
fn revoke(provider: &str, server: &Server, arguments: &[&str]) -> Vec<String> {
    let endpoint = format!("{provider}=http://{}", server.address());
    let options = ["revoke", "--allow-insecure-endpoints", "--endpoint"];
    let all = options.iter().map(|option| (*option).to_owned()).chain([endpoint]);
    all.chain(arguments.iter().map(|argument| (*argument).to_owned())).collect()
}

#[test]
fn without_yes_the_request_is_shown_and_nothing_sent() {
    let scratch = Scratch::new();
    let server = Server::plain(|_| Reply::status(200, "{}"));
    let arguments = revoke("openai", &server, &["--detector", "openai-admin-key", "--record-id", "key_1"]);
    let run = scratch.command(&arguments).input(key(1)).run().status(0);
    let run = prints(run, &format!("DELETE http://{}/v1/organization/admin_api_keys/key_1", server.address()));
    let run = prints(run, "authorization: Bearer <the credential of somebody who may end it>");
    prints(prints(run, "Nothing was sent"), "https://platform.openai.com/").never_says(key(1));
    assert_eq!(server.connections(), 0);
}

#[test]
fn with_yes_it_is_sent_once_with_the_secret_of_standard_input() {
    let scratch = Scratch::new();
    let server = Server::plain(|_| Reply::status(200, "{\"deleted\":true}"));
    let arguments = revoke("openai", &server, &["--detector", "openai-admin-key", "--record-id", "key_1", "--yes"]);
    let admin = fake_key(KeyKind::OpenAi, 3);
    let run = scratch.command(&arguments).input(format!("{admin}\n")).run().status(0);
    prints(run, "answered 200: ended").says("DELETE http://").never_says(&admin).never_says(&admin[8..20]);
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        (requests[0].method.as_str(), requests[0].path.as_str()),
        ("DELETE", "/v1/organization/admin_api_keys/key_1")
    );
    assert_eq!(requests[0].bearer(), Some(admin.as_str()));
}

#[test]
fn a_value_that_ends_itself_goes_into_the_body_alone() {
    let scratch = Scratch::new();
    let server = Server::plain(|_| Reply::status(202, ""));
    let token = fake_key(KeyKind::GitHub, 4);
    let arguments = revoke("github", &server, &["--detector", "github-classic-token", "--yes"]);
    let run = scratch.command(&arguments).input(&token).run().status(0);
    prints(run, "answered 202: ended").never_says(&token);
    let requests = server.requests();
    assert_eq!(requests[0].path, "/credentials/revoke");
    assert_eq!(requests[0].body, format!("{{\"credentials\":[\"{token}\"]}}").into_bytes());
    assert!(requests[0].header("authorization").is_none());
}

#[test]
fn an_answer_that_does_not_say_so_is_exit_2_and_tells_no_secret() {
    let scratch = Scratch::new();
    let token = fake_key(KeyKind::GitHub, 5);
    let echo = token.clone();
    let server = Server::plain(move |_| Reply::status(422, &format!("{{\"message\":\"{echo}\"}}")));
    let arguments = revoke("github", &server, &["--detector", "github-classic-token", "--yes"]);
    scratch.command(&arguments).input(&token).run().status(2).says("answered 422").never_says(&token);
    drop(server);
    let gone = Server::plain(|_| Reply::status(200, ""));
    let arguments = revoke("github", &gone, &["--detector", "github-classic-token", "--yes"]);
    drop(gone);
    scratch.command(&arguments).input(&token).run().status(2).says("not known to be ended").never_says(&token);
}

#[test]
fn what_is_missing_or_unknown_sends_nothing() {
    let scratch = Scratch::new();
    let server = Server::plain(|_| Reply::status(200, "{}"));
    let sent = |arguments: &[&str], input: &str| {
        let arguments = revoke("openai", &server, arguments);
        scratch.command(&arguments).input(input).run().status(2)
    };
    sent(&["--detector", "openai-project-key", "--record-id", "k", "--yes"], "x").says("--part project_id=VALUE");
    sent(&["--detector", "openai-admin-key", "--record-id", "k", "--yes"], " \n").says("standard input is empty");
    sent(&["--detector", "openai-admin-key", "--record-id", "k", "--yes"], "a\nb").says("authorization");
    sent(&["--detector", "openai-admin-key", "--part", "id=k"], "").says("record_id");
    sent(&["--detector", "no-such-key"], "").says("no detector");
    assert_eq!(server.connections(), 0);
}

#[test]
fn where_no_request_is_known_the_page_or_the_steps_are_told() {
    let scratch = Scratch::new();
    let shown = |id: &str, text: &str| prints(scratch.run(&["revoke", "--detector", id]).status(0), text);
    shown("openai-legacy-key", "By hand, at: https://platform.openai.com/");
    shown("aws-secret-access-key", "Steps: iam UpdateAccessKey");
    scratch.run(&["revoke", "--detector", "openai-legacy-key", "--yes"]).status(2).says("nothing was ended");
}

/// Puts a finding into the inventory as a scan remembers it, linked to a record or not, and returns its fingerprint.
fn remember(scratch: &Scratch, seed: u64, status: IdentityStatus) -> String {
    let file = scratch.write(format!("{seed}.env"), format!("OPENAI_API_KEY={}\n", fake_key(KeyKind::OpenAi, seed)));
    let file = file.to_str().unwrap().to_owned();
    let run = scratch.run(&["scan", &file, "--format", "jsonl"]).status(1);
    let report = run.stdout;
    let mut finding: Finding = serde_json::from_str(report.lines().next().unwrap()).unwrap();
    finding.identity = Identity::new(status);
    finding.identity.tier = Some(LinkTier::Exact);
    let record_id = Some("key_7".to_owned());
    finding.identity.credential = Some(credtrace::finding::CredentialRecord { record_id, ..Default::default() });
    let mut store = Store::open_or_create(&scratch.home().join("inventory.db")).unwrap();
    let mut batch = Batch::new("openai-project-keys:acme", "openai-project-keys", "2026-11-20", Rank::Imported);
    batch.credentials.push(CredentialRecord {
        id: "openai:key_7".into(),
        provider: Some("openai".into()),
        record_id: Some("key_7".into()),
        ..Default::default()
    });
    let file = ImportedFile { name: "keys.json".into(), sha256: "0".repeat(64), may_be_empty: false };
    ingest(&mut store, &batch, &file, jiff::Timestamp::now()).unwrap();
    remembered::keep(&mut store, std::slice::from_ref(&finding), jiff::Timestamp::now()).unwrap();
    finding.fingerprint
}

#[test]
fn a_finding_that_is_linked_gives_the_providers_id_and_no_other_does() {
    let scratch = Scratch::new();
    let linked = remember(&scratch, 21, IdentityStatus::Linked);
    let tied = remember(&scratch, 22, IdentityStatus::Tie);
    let shown = scratch.run(&["revoke", "--finding", &linked, "--part", "project_id=proj_1"]).status(0);
    prints(shown, "DELETE https://api.openai.com/v1/organization/projects/proj_1/api_keys/key_7");
    scratch.run(&["revoke", "--finding", &tied]).status(2).says("not linked").says("--record-id");
    scratch.run(&["revoke", "--finding", "b3k1:none"]).status(2).says("no finding begins");
    let value = fake_key(KeyKind::OpenAi, 21);
    scratch.run(&["revoke", "--finding", &value]).status(2).says("may be a secret").never_says(&value);
}
