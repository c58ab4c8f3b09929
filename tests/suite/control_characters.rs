//! Names, authors and messages that try to take over a terminal, a page, a table or a build server, through every format.

use std::os::unix::ffi::OsStrExt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::harness::{Run, Scratch, key};

const FORMATS: [&str; 9] = ["human", "jsonl", "json", "sarif", "csv", "html", "junit", "gitlab", "github"];

/// File names, each an attack on some reader of a report.
const NAMES: [&[u8]; 12] = [
    b"esc\x1b]52;c;aGk=\x07.txt",
    b"clear\x1b[2J.txt",
    b"return\rforged.txt",
    b"line\nbreak.txt",
    "turn\u{202e}txt.exe".as_bytes(),
    "c1\u{9b}31m.txt".as_bytes(),
    b"<script>alert(1)<",
    b"\"onload=\"x",
    b"=cmd|'C calc'!A0",
    b"+1",
    b"@x\t]]>",
    b"bytes\xff\xfe.txt",
];

/// A tree and a history with all of them, and an author and a message of the same sort.
fn hostile(scratch: &Scratch) -> Vec<String> {
    let repository = scratch.repository("repo");
    let mut keys = Vec::new();
    for (number, name) in NAMES.iter().enumerate() {
        let key = key(100 + number as u64);
        repository.write(std::ffi::OsStr::from_bytes(name), format!("KEY={key} \u{1b}[31m\u{7} <script>\n"));
        keys.push(key);
    }
    repository.git(&["add", "-A"]);
    let author = "=A\u{1b}]0;x\u{7}\u{202e}\"><script> <a\u{1b}[2J@example.com>";
    keys.push(key(200));
    let message = format!("::error::forged\r\n\u{1b}[2J ]]> =cmd {}\n", key(200));
    repository.git(&["commit", "-q", "--cleanup=verbatim", "--author", author, "-m", &message]);
    keys
}

#[track_caller]
fn acts_on_nothing(format: &str, run: &Run) {
    let acts = |character: &char| {
        let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        turns || character.is_control() && *character != '\n' && !(format == "csv" && *character == '\r')
    };
    assert_eq!(run.stdout.chars().find(acts), None, "{format}: standard output holds a control character{run:?}");
    assert_eq!(run.stderr.chars().find(acts), None, "{format}: standard error holds a control character{run:?}");
}

#[test]
fn no_format_lets_a_name_an_author_or_a_message_act() {
    let scratch = Scratch::new();
    hostile(&scratch);
    for format in FORMATS {
        let run = scratch.run(&["scan", "--explain", "--format", format, "repo"]).status(1);
        acts_on_nothing(format, &run);
        match format {
            "html" => {
                assert!(run.stdout.contains("default-src 'none'"), "no policy{run:?}");
                assert!(!run.stdout.contains("<script") && !run.stdout.contains("\"onload="), "{run:?}");
            }
            "csv" => {
                let formula = |field: &str| field.trim_matches('"').starts_with(['=', '+', '@']);
                let fields = run.stdout.lines().flat_map(|line| line.split(','));
                assert_eq!(fields.into_iter().find(|field| formula(field)), None, "{run:?}");
            }
            "github" => assert!(run.stdout.lines().all(|line| line.starts_with("::")), "a forged line{run:?}"),
            "junit" => assert!(!run.stdout.contains("]]>"), "{run:?}"),
            _ => {}
        }
    }
}

#[test]
fn reports_for_machines_carry_names_without_loss() {
    let scratch = Scratch::new();
    let keys = hostile(&scratch);
    let run = scratch.scan(&["repo"]).status(1);
    for (name, key) in NAMES.iter().zip(&keys) {
        let places = run.occurrences(key);
        let carried = places.iter().any(|place| match place["path_bytes_b64"].as_str() {
            Some(bytes) => STANDARD.decode(bytes).unwrap() == *name,
            None => place["path"].as_str().unwrap().as_bytes() == *name,
        });
        assert!(carried, "{:?} is not among {places:?}", String::from_utf8_lossy(name));
    }
    let run = scratch.run(&["scan", "--format", "sarif", "repo"]).status(1);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    let results = document["runs"][0]["results"].as_array().unwrap();
    let mut addresses = Vec::new();
    for place in results.iter().flat_map(|result| result["locations"].as_array().unwrap()) {
        let address = place["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap_or_default();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
        assert!(address.bytes().all(plain) && !address.starts_with('/'), "{address:?}");
        addresses.push(address.to_owned());
    }
    assert!(addresses.iter().any(|address| address.contains("bytes%FF%FE")), "{addresses:?}");
}

#[test]
fn the_hook_and_its_faults_let_nothing_act() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    for (number, name) in NAMES.iter().enumerate() {
        repository.write(std::ffi::OsStr::from_bytes(name), key(300 + number as u64));
    }
    repository.git(&["add", "-A"]);
    let run = scratch.command(&["hook"]).in_folder(repository.path("")).run().status(1);
    acts_on_nothing("human", &run);
    let missing = "no\u{1b}]52;c;x\u{7}such\rfile";
    let run = scratch.run(&["scan", "--format", "human", missing]).status(2);
    acts_on_nothing("human", &run);
    let run = scratch.run(&["scan", "--detectors", missing, "repo"]).status(2);
    acts_on_nothing("human", &run);
    let run = scratch.run(&["scan", "--history", "\u{1b}[2Jx..y", "repo"]).status(2);
    acts_on_nothing("jsonl", &run);
}
