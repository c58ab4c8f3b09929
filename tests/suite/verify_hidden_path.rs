//! Credentials that their providers take in the path alone: whatever comes of asking, no report, no message and no file
//! holds them, in any spelling.

use std::time::Duration;

use credtrace::detector::example::{Generator, expand};
use credtrace::finding::Liveness;

use crate::harness::Scratch;
use crate::harness::server::{Authority, Reply, Server};
use crate::suite::leaks::{FORMATS, folder_holds_none, holds_none, run_holds_none};
use crate::suite::verify_hostile::ask;

const TELEGRAM: &str = "api.telegram.org";

/// A text with one credential of each sort, and of each what no text may hold.
fn text(seed: u64) -> (String, Vec<String>) {
    let mut generator = Generator::new(seed);
    let mut make = |shape: &str| String::from_utf8(expand(shape, &mut generator).unwrap()).unwrap();
    let bot = make("{10:digit}:AA{33:url}");
    let search = make("{64:hex}");
    let hook = make("{18:digit}/{68:url}");
    let channel = make("T{8:uppernum}/B{8:uppernum}/{24:alnum}");
    let lines = [
        format!("TELEGRAM_BOT_TOKEN={bot}\n"),
        format!("SERPAPI_API_KEY={search}\n"),
        format!("hook: https://discord.com/api/webhooks/{hook}\n"),
        format!("notify: https://hooks.slack.com/services/{channel}\n"),
    ];
    (lines.concat(), vec![bot, search, hook, channel])
}

/// Asks the program about all of them, each provider at the same endpoint.
fn verified(seed: u64, format: &str, endpoint: &str, more: &[&str], says: &str) {
    let scratch = Scratch::new();
    let (text, secrets) = text(seed);
    scratch.write("a.txt", text);
    let endpoints = ["telegram", "serpapi", "discord", "slack"].map(|provider| format!("{provider}={endpoint}"));
    let mut arguments = vec!["scan", "a.txt", "--verify", "--format", format];
    for endpoint in &endpoints {
        arguments.extend(["--endpoint", endpoint]);
    }
    arguments.extend(more);
    let run = scratch.run(&arguments).status(1);
    run_holds_none(&run, &secrets);
    folder_holds_none(&scratch.home(), &secrets);
    let told = run.stdout.matches(says).count();
    assert!(format != "jsonl" || told == secrets.len(), "{says}: {told} times in {run:?}");
}

#[test]
fn every_report_of_a_failure_holds_no_path() {
    for (seed, format) in FORMATS.into_iter().enumerate() {
        verified(seed as u64, format, "https://nobody.invalid", &[], "could not be resolved");
    }
}

#[test]
fn every_failure_of_the_program_holds_no_path() {
    let plain = Server::plain(|_| Reply::status(200, "{\"ok\":true}"));
    let open = plain.url();
    let address = plain.address();
    let insecure = ["--allow-insecure-endpoints"];
    verified(21, "jsonl", &open, &insecure, "is not encrypted");
    verified(22, "jsonl", &format!("https://{address}"), &[], "a loopback address");
    verified(23, "jsonl", "https://169.254.169.254", &insecure, "hands out credentials");
    verified(24, "jsonl", "https://127.0.0.1:1", &insecure, "no connection to");
    assert!(plain.requests().is_empty(), "the secret went out in the open");
    let authority = Authority::new();
    let secure = Server::secure(authority.identity("elsewhere.example"), |_| Reply::status(200, "{\"ok\":true}"));
    verified(25, "jsonl", &secure.url(), &insecure, "could not prove who it is");
    assert!(secure.requests().is_empty());
    for server in [plain, secure] {
        holds_none("what was sent", &server.bytes(), &text(21).1);
    }
}

#[test]
fn every_answer_that_echoes_the_path_tells_none_of_it() {
    type Play = fn(&str) -> Reply;
    let plays: [(Liveness, Play); 9] = [
        (Liveness::Live, |path| {
            let body = format!("{{\"ok\":true,\"result\":{{\"id\":\"{path}\",\"username\":\"u{path}\"}}}}");
            Reply::Answer(200, vec![("content-type".into(), "application/json".into())], body.into_bytes())
        }),
        (Liveness::Dead, |path| Reply::status(401, &format!("{{\"ok\":false,\"description\":\"{path}\"}}"))),
        (Liveness::Unknown, |path| Reply::with_header(302, "location", &format!("https://evil.example{path}"))),
        (Liveness::Unknown, |path| Reply::status(200, &format!("<html><a href=\"{path}\">{path}</a></html>"))),
        (Liveness::Unknown, |path| Reply::status(500, path)),
        (Liveness::Unknown, |path| Reply::status(200, &format!("{{\"broken\": \"{path}"))),
        (Liveness::Unknown, |path| Reply::Raw(format!("NOT HTTP {path}\r\n\r\n").into_bytes())),
        (Liveness::Unknown, |path| Reply::Raw(format!("HTTP/1.1 200 OK\r\nx {path}").into_bytes())),
        (Liveness::Unknown, |_| Reply::Silence(Duration::from_millis(1200))),
    ];
    for (index, (state, play)) in plays.into_iter().enumerate() {
        let authority = Authority::new();
        let server = Server::secure(authority.identity(TELEGRAM), move |received| play(&received.path));
        let (_, secrets) = text(40 + index as u64);
        let line = format!("TELEGRAM_BOT_TOKEN={}\n", secrets[0]);
        let (findings, _) = ask(&line, &["8.8.8.8"], &server, &authority);
        assert_eq!(findings.len(), 1, "{index}");
        assert_eq!(findings[0].verification.state, state, "{index}: {:?}", findings[0].verification);
        let expected = format!("/bot{}/getMe", secrets[0]);
        assert!(server.requests().iter().all(|received| received.path == expected), "{index}");
        let told = serde_json::to_string(&findings[0]).unwrap() + &format!("{:?}", findings[0]);
        holds_none("a finding", told.as_bytes(), &secrets);
    }
}
