//! `credtrace verify`: one credential on standard input, and what is said where there is none.

use serde_json::Value;

use crate::harness::server::{Reply, Server};
use crate::harness::{KeyKind, Run, Scratch, fake_key, key};
use crate::suite::leaks::{folder_holds_none, run_holds_none};

fn answering(status: u16) -> Server {
    Server::plain(move |received| match received.header("x-api-key") {
        Some(_) => Reply::status(status, "{\"data\":[]}"),
        None => Reply::status(401, "{}"),
    })
}

fn verify(scratch: &Scratch, server: &Server, input: &str, more: &[&str]) -> Run {
    let endpoint = format!("anthropic={}", server.url());
    let options = ["verify", "--allow-insecure-endpoints", "--endpoint", &endpoint];
    scratch.command(&[&options[..], more].concat()).input(input).run()
}

/// The schema of an answer, as the program prints it.
fn schema(scratch: &Scratch) -> jsonschema::Validator {
    let mut schema: Value = serde_json::from_str(&scratch.run(&["generate", "schema"]).status(0).stdout).unwrap();
    let whole = schema.as_object_mut().unwrap();
    whole.remove("oneOf");
    whole.insert("$ref".into(), "#/$defs/answer".into());
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(!validator.is_valid(&serde_json::json!({"schema": "credtrace/verification/1"})), "it asks for nothing");
    validator
}

const ANTHROPIC: [&str; 4] = ["--detector", "anthropic-api-key", "--verify-max-age", "0"];

#[test]
fn the_exit_status_is_the_verdict() {
    let scratch = Scratch::new();
    let schema = schema(&scratch);
    let key = key(1);
    for (status, state, code) in [(200, "live", 1), (402, "limited", 1), (401, "dead", 0), (500, "unknown", 2)] {
        for end in ["", "\n", "\r\n"] {
            let server = answering(status);
            let arguments = [&ANTHROPIC[..], &["--format", "json"]].concat();
            let run = verify(&scratch, &server, &format!("{key}{end}"), &arguments).status(code);
            let said: Value = serde_json::from_str(&run.stdout).unwrap();
            assert_eq!(said["schema"], "credtrace/verification/1");
            assert!(schema.is_valid(&said), "{said}");
            assert_eq!(said["verification"]["state"], state, "{said}");
            assert!(said["verification"]["reason"].is_string() && said["verification"]["checked_at"].is_string());
            assert!(said["fingerprint"].as_str().is_some_and(|text| text.starts_with("b3k1:")));
            assert_eq!(server.requests()[0].header("x-api-key"), Some(key.as_str()));
            run_holds_none(&run, std::slice::from_ref(&key));
        }
    }
    let secret: String = key.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let refused = ["verify", "--detector", "aws-secret-access-key", "--format", "json"];
    let refused = scratch.command(&refused).input(secret);
    let said: Value = serde_json::from_str(&refused.run().status(2).stdout).unwrap();
    assert!(schema.is_valid(&said), "{said}");
    let run = verify(&scratch, &answering(200), &key, &ANTHROPIC).status(1);
    assert!(run.stdout.contains("Anthropic API key") && run.stdout.contains("Live: 127.0.0.1 answered 200"), "{run:?}");
    run_holds_none(&run, std::slice::from_ref(&key));
    folder_holds_none(&scratch.home(), &[key]);
}

#[test]
fn the_fingerprint_is_that_of_a_scan() {
    let scratch = Scratch::new();
    let key = key(2);
    scratch.write("a.txt", &key);
    let scanned = scratch.scan(&["a.txt"]).finding(&key)["fingerprint"].clone();
    let run = verify(&scratch, &answering(401), &key, &[&ANTHROPIC[..], &["--format", "json"]].concat()).status(0);
    assert_eq!(serde_json::from_str::<Value>(&run.stdout).unwrap()["fingerprint"], scanned);
}

#[test]
fn a_value_that_is_not_what_it_is_called_is_not_sent() {
    let scratch = Scratch::new();
    let server = answering(200);
    let (other, cut) = (fake_key(KeyKind::GitHub, 3), key(3)[..60].to_owned());
    let long = key(3).repeat(1000);
    for input in ["", "\n", "hello\n", &cut, &other, &format!("{}\n{}\n", key(3), key(4)), &long] {
        let run = verify(&scratch, &server, input, &ANTHROPIC).status(2);
        run_holds_none(&run, &[key(3), key(4)]);
        run.never_says(&other[4..20]);
    }
    verify(&scratch, &server, &other, &ANTHROPIC).status(2).says("it looks like github-");
    verify(&scratch, &server, &key(3), &["--detector", "no-such-thing"]).status(2).says("detectors list");
    assert_eq!(server.connections(), 0);
}

#[test]
fn other_halves_come_on_lines_of_their_own() {
    let scratch = Scratch::new();
    let server = answering(200);
    let run = verify(
        &scratch,
        &server,
        &format!("{}\nhalf\n", key(5)),
        &["--detector", "anthropic-api-key", "--companion", "aws-access-key-id"],
    );
    run.status(2).says("no such other half");
    let secret: String = key(5).chars().filter(char::is_ascii_alphanumeric).take(40).collect();
    let run = verify(&scratch, &server, &secret, &["--detector", "aws-secret-access-key"]).status(2);
    assert!(run.stdout.contains("aws-access-key-id does not stand near it"), "{run:?}");
    run.says("--companion aws-access-key-id");
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_report_and_a_fingerprint_hold_no_value_but_a_report_says_where_it_stands() {
    let scratch = Scratch::new();
    let (first, second) = (key(6), key(7));
    scratch.write("a.txt", format!("{first}\n"));
    scratch.write("b/c.txt", format!("x\n {second}\n"));
    for format in ["jsonl", "json"] {
        let report = scratch.elsewhere(format);
        let path = report.to_str().unwrap();
        scratch.run(&["scan", ".", "--format", format, "--output", path]).status(1);
        let run = scratch.run(&["verify", path]).status(2).says("standard input");
        assert!(run.stdout.contains("a.txt:1:1") && run.stdout.contains("c.txt:2:2"), "{run:?}");
        run_holds_none(&run, &[first.clone(), second.clone()]);
        let found = scratch.scan(&["a.txt"]).finding(&first)["fingerprint"].as_str().unwrap().to_owned();
        let run = scratch.run(&["verify", &found, path]).status(2);
        assert!(run.stdout.contains("a.txt:1:1") && !run.stdout.contains("c.txt"), "{run:?}");
        scratch.run(&["verify", &found]).status(2).says("says nothing of the value");
    }
    scratch.write("not-a-report", "hello");
    scratch.run(&["verify", "not-a-report"]).status(2).says("no report");
}

#[test]
fn a_key_that_was_typed_as_an_argument_is_not_repeated() {
    let scratch = Scratch::new();
    let key = key(8);
    let run = scratch.run(&["verify", &key]).status(2).says("never given as an argument");
    run_holds_none(&run, std::slice::from_ref(&key));
}

#[test]
fn every_host_that_could_be_asked_is_listed_and_none_is() {
    let scratch = Scratch::new();
    let run = scratch.run(&["verify", "--list-endpoints"]).status(0);
    let line = run.stdout.lines().find(|line| line.starts_with("https://api.anthropic.com ")).expect("a line");
    assert!(line.contains(" anthropic ") && line.contains("anthropic-api-key"), "{line}");
    assert!(run.stdout.lines().any(|line| line.starts_with("https://*.openai.azure.com ")), "{run:?}");
    assert!(run.stdout.lines().all(|line| line.starts_with("https://")));
    let options =
        ["verify", "--list-endpoints", "--format", "json", "--endpoint", "anthropic=https://gateway.example.com/x"];
    let listed = scratch.run(&options).status(0).lines();
    let named: Vec<&Value> = listed.iter().filter(|line| line["named"] == true).collect();
    assert_eq!((named.len(), &named[0]["endpoint"]), (1, &"https://gateway.example.com/x".into()));
    assert!(!listed.iter().any(|line| line["endpoint"] == "https://api.anthropic.com"));
}
