//! A secret leaves the process in no other way than the report that a person asked for: not in any form, not when
//! something fails, not in what is left behind.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::harness::server::{Received, Reply, Server};
use crate::harness::{KeyKind, Run, Scratch, binary, fake_key, key, write};

pub(crate) const FORMATS: [&str; 9] = ["human", "jsonl", "json", "sarif", "csv", "html", "junit", "gitlab", "github"];

/// What of a key would be a leak: twenty characters from its middle, plain, in hexadecimal, in base64 at each alignment
/// and in percent form.
pub(crate) fn forms(key: &str) -> Vec<String> {
    let part = &key[20..40];
    let hex: String = part.bytes().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = part.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut forms = vec![part.to_owned(), hex.to_uppercase(), hex, percent.to_lowercase(), percent];
    for alignment in 0..3 {
        // Whole groups of three bytes are written the same whatever stands around them.
        let from = 20 + (3 - (20 + alignment) % 3) % 3;
        let whole = &key.as_bytes()[from..from + 15];
        forms.push(STANDARD.encode(whole));
        forms.push(URL_SAFE_NO_PAD.encode(whole));
    }
    forms
}

#[track_caller]
pub(crate) fn holds_none(what: &str, bytes: &[u8], keys: &[String]) {
    for form in keys.iter().flat_map(|key| forms(key)) {
        let found = bytes.windows(form.len()).any(|window| window == form.as_bytes());
        assert!(!found, "{what} holds a secret in the form {form}");
    }
}

#[track_caller]
pub(crate) fn run_holds_none(run: &Run, keys: &[String]) {
    holds_none("standard output", run.stdout.as_bytes(), keys);
    holds_none("standard error", run.stderr.as_bytes(), keys);
}

/// Looks through every file below a folder.
#[track_caller]
pub(crate) fn folder_holds_none(folder: &Path, keys: &[String]) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            folder_holds_none(&path, keys);
        } else {
            holds_none(&path.display().to_string(), &std::fs::read(&path).unwrap(), keys);
        }
    }
}

#[test]
fn the_forms_that_are_looked_for_are_those_that_a_leak_has() {
    let key = key(1);
    for around in ["", "x", "xy"] {
        let text = STANDARD.encode(format!("{around}{key}"));
        assert!(forms(&key).iter().any(|form| text.contains(form)), "base64 after {around:?}");
    }
}

/// A repository with the keys in blobs, a message, an author, UTF-16 and a staged file, and much that is broken.
fn broken_repository(scratch: &Scratch, keys: &[String]) {
    let repository = scratch.repository("repo");
    repository.commit_file("a.env", format!("A={}\nB={}\n", keys[0], keys[1]), "first");
    repository.commit_file("wide.txt", keys[0].encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>(), "wide");
    repository.commit(&format!("with {}", keys[2]));
    repository.git(&["commit", "-q", "--allow-empty", "--author", &format!("{} <x@example.com>", keys[0]), "-m", "x"]);
    repository.write("staged.txt", &keys[3]);
    repository.git(&["add", "-A"]);
    let bad = repository.commit_file("bad.txt", keys[1].repeat(20), "bad");
    let id = repository.git(&["rev-parse", &format!("{bad}:bad.txt")]);
    let file = repository.path(format!(".git/objects/{}/{}", &id[..2], &id[2..]));
    let whole = std::fs::read(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, &whole[..whole.len() - 9]).unwrap();
    repository.write(".git/refs/heads/broken", &keys[0]);
}

#[test]
fn no_output_and_nothing_left_behind_holds_a_secret_whatever_fails() {
    let scratch = Scratch::new();
    let keys = [key(1), fake_key(KeyKind::OpenAi, 2), fake_key(KeyKind::GitHub, 3), fake_key(KeyKind::Groq, 4)];
    broken_repository(&scratch, &keys);
    let temporary = scratch.elsewhere("tmp");
    std::fs::create_dir(&temporary).unwrap();
    for format in FORMATS {
        let arguments = ["scan", "--format", format, "--explain", "repo", "missing"];
        let run = scratch.command(&arguments).env("TMPDIR", &temporary).run().status(2);
        assert!(!run.stdout.is_empty(), "{run:?}");
        run_holds_none(&run, &keys);
        let report = scratch.elsewhere(format!("report.{format}"));
        let arguments = ["scan", "--format", format, "--output", report.to_str().unwrap(), "repo"];
        run_holds_none(&scratch.command(&arguments).env("TMPDIR", &temporary).run().status(2), &keys);
    }
    folder_holds_none(&scratch.home(), &keys);
    folder_holds_none(&scratch.elsewhere(""), &keys);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "a temporary file was left");
}

#[test]
fn faults_of_what_the_user_hands_in_do_not_quote_it() {
    let scratch = Scratch::new();
    let keys = [key(5)];
    scratch.write("a.txt", &keys[0]);
    // A key in the place of a fingerprint key, of a detector file and of a commit's range.
    write(&scratch.elsewhere("key"), &keys[0]);
    write(&scratch.elsewhere("detectors/x.toml"), format!("provider = \"{}\n", keys[0]));
    let (file, folder) = (scratch.elsewhere("key"), scratch.elsewhere("detectors"));
    for arguments in [
        ["--fingerprint-key-file", file.to_str().unwrap(), "a.txt"],
        ["--detectors", folder.to_str().unwrap(), "a.txt"],
    ] {
        run_holds_none(&scratch.run(&[&["scan"][..], &arguments].concat()).status(2), &keys);
    }
    run_holds_none(&scratch.command(&["hook"]).env("GIT_INDEX_FILE", file).run().status(2), &keys);
}

#[test]
fn the_hook_shows_none_and_hands_none_to_git() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("a.txt", "clean\n", "clean");
    let keys = [key(6)];
    repository.write("a.txt", &keys[0]);
    repository.git(&["add", "-A"]);
    repository.git(&["update-index", "--split-index"]);
    // A git that keeps what it is started with.
    let log = scratch.elsewhere("log");
    let folder = scratch.elsewhere("bin");
    let folders = std::env::var_os("PATH").unwrap();
    let git = std::env::split_paths(&folders).map(|folder| folder.join("git")).find(|path| path.is_file()).unwrap();
    let script = format!("#!/bin/sh\n{{ echo \"$@\"; env; }} >>'{}'\nexec '{}' \"$@\"\n", log.display(), git.display());
    write(&folder.join("git"), script);
    assert!(Command::new("chmod").arg("755").arg(folder.join("git")).status().unwrap().success());
    let path = format!("{}:/usr/bin:/bin", folder.display());
    let run = scratch.command(&["hook"]).in_folder(repository.path("")).env("PATH", path).run().status(1);
    run_holds_none(&run, &keys);
    let started = std::fs::read(&log).expect("an index in parts is listed by git");
    holds_none("what git was started with", &started, &keys);
}

#[test]
fn a_panic_is_told_without_its_text_and_ends_with_2() {
    let child = || {
        let name = "suite::leaks::a_panic_is_told_without_its_text_and_ends_with_2";
        Command::new(std::env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture", "--test-threads", "1"])
            .env("CREDTRACE_TEST_PANICS", "1")
            .output()
            .unwrap()
    };
    if std::env::var_os("CREDTRACE_TEST_PANICS").is_some() {
        let text = key(7);
        let status = credtrace::cli::panics::guarded(|| {
            // On a thread of a pool, as a detector's fault would be.
            rayon_like(|| panic!("reading {text}"));
            unreachable!("the panic goes on to whoever waits for the thread");
        });
        assert_eq!(status, credtrace::cli::exit::Status::Failed);
        return;
    }
    let output = child();
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("leaks.rs"), "the place is not told: {said}");
    holds_none("what a panic says", said.as_bytes(), &[key(7)]);
}

/// Runs something on another thread and passes its panic on.
fn rayon_like(work: impl FnOnce() + Send) {
    let ended = std::thread::scope(|scope| scope.spawn(work).join());
    if let Err(payload) = ended {
        std::panic::resume_unwind(payload);
    }
}

#[test]
fn a_value_that_is_found_once_on_a_line_is_masked_wherever_it_stands_there() {
    let scratch = Scratch::new();
    let password = &key(8)[20..36].replace(['-', '_'], "x");
    let address = format!("mongodb+srv://app:{password}@cluster0.a1b2c.mongodb.net/app");
    scratch.write("a.txt", format!("connect {password}, that is \"{address}\"\n"));
    let run = scratch.run(&["scan", "--format", "human", "a.txt"]).status(1).never_says(password);
    assert!(run.stdout.contains("connect"), "the line is shown{run:?}");
}

#[test]
fn a_key_in_the_name_of_a_file_and_of_an_author_is_masked_in_every_format() {
    let scratch = Scratch::new();
    let key = key(9);
    let repository = scratch.repository("repo");
    repository.write(format!("notes/{key}.txt"), format!("{key}\n"));
    repository.git(&["add", "-A"]);
    repository.git(&["commit", "-q", "--author", &format!("{key} <a@example.com>"), "-m", "x"]);
    for format in FORMATS {
        let run = scratch.run(&["scan", "--format", format, "repo"]).status(1);
        run_holds_none(&run, std::slice::from_ref(&key));
        assert!(run.stdout.contains("notes"), "{format} lacks the folder{run:?}");
    }
    assert!(
        scratch.scan(&["repo"]).paths(&key).iter().any(|path| path.contains(&key)),
        "with --show-secrets it is told"
    );
}

#[test]
fn a_key_where_a_name_was_expected_is_never_repeated() {
    let scratch = Scratch::new();
    let keys = [key(1)];
    let key = keys[0].as_str();
    let inventory = "schema = \"credtrace.inventory/1\"\n";
    scratch.write("good.toml", format!("{inventory}[[identity]]\nid = \"bot\"\n"));
    scratch.run(&["inventory", "import", "--from", "toml", "good.toml"]).status(0);
    scratch.write("key.txt", format!("{key}\n"));
    scratch.write("top.toml", format!("{inventory}{key} = 1\n"));
    scratch.write("field.toml", format!("{inventory}[[identity]]\nid = \"a\"\n{key} = 1\n"));
    scratch.write("member.json", format!("{{\"{key}\": []}}"));
    scratch.write("header.csv", format!("identity.id,identity.{key}\na,b\n"));
    scratch.write("policy.toml", format!("schema = \"credtrace.policy/1\"\n{key} = 1\n"));
    let cases: [&[&str]; 14] = [
        &["inventory", "import", "--from", "toml", "top.toml"],
        &["inventory", "import", "--from", "toml", "field.toml"],
        &["inventory", "import", "--from", "json", "member.json"],
        &["inventory", "import", "--from", "csv", "header.csv"],
        &["inventory", "import", "--from", "csv", "key.txt"],
        &["inventory", "import", "--from", key, "good.toml"],
        &["check", "--policy", "policy.toml"],
        &["check", "--only", key],
        &["offboard", key],
        &["detectors", "show", key],
        &["scan", "good.toml", "--detector", key],
        &["scan", "good.toml", "--endpoint", key, "--verify"],
        &["scan", "--targets-from", "key.txt"],
        &["scan", key, "--format", "human"],
    ];
    for arguments in cases {
        run_holds_none(&scratch.run(arguments).status(2), &keys);
    }
    folder_holds_none(&scratch.home(), &keys);
}

/// A provider that says everything it was sent again, in every form, in whatever way `number` chooses.
fn echo(received: &Received, number: usize) -> Reply {
    let sent: Vec<String> = received.headers.iter().map(|(_, value)| value.clone()).collect();
    let said = sent.iter().flat_map(|sent| [vec![sent.clone(), STANDARD.encode(sent)], forms_of(sent)].concat());
    let said = said.collect::<Vec<_>>().join(" ");
    match number % 5 {
        0 => {
            Reply::Answer(401, vec![("x-error".into(), said.clone())], format!("{{\"error\":\"{said}\"}}").into_bytes())
        }
        1 => Reply::status(500, &said),
        2 => Reply::Raw(format!("HTTP/1.1 {said}\r\n\r\n").into_bytes()),
        3 => Reply::Answer(302, vec![("location".into(), format!("http://127.0.0.1:1/{said}"))], Vec::new()),
        _ => Reply::status(200, &format!("{{\"data\":[{{\"id\":\"{said}\"}}],\"message\":\"{said}\"}}")),
    }
}

/// The forms of whatever is long enough to be a key.
fn forms_of(text: &str) -> Vec<String> {
    if text.len() > 60 && text.is_ascii() { forms(text) } else { Vec::new() }
}

#[test]
fn a_run_that_tells_all_that_it_does_tells_no_secret_whatever_fails() {
    let scratch = Scratch::new();
    let keys = [key(1), fake_key(KeyKind::OpenAi, 2), fake_key(KeyKind::GitHub, 3), fake_key(KeyKind::Groq, 4)];
    broken_repository(&scratch, &keys);
    // Candidates that are dropped, a link to follow, and names that are keys themselves.
    scratch.write(
        "more/plain.txt",
        format!("{}\n{}\n", keys[0].to_lowercase(), "sk-ant-api03-".to_owned() + &"x".repeat(95)),
    );
    scratch.write(format!("more/{}", keys[1]), &keys[1]);
    std::os::unix::fs::symlink(scratch.path("more"), scratch.path(format!("more/{}.link", keys[0]))).unwrap();
    let temporary = scratch.elsewhere("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let count = AtomicUsize::new(0);
    let server = Server::plain(move |received| echo(received, count.fetch_add(1, Ordering::Relaxed)));
    let endpoints = ["anthropic", "openai", "github", "groq"].map(|provider| format!("{provider}={}", server.url()));
    let missing = scratch.elsewhere(format!("{}/report", keys[2]));
    let cases: [&[&str]; 4] = [
        &["repo", "more"],
        &["repo", &keys[3], "more", "--strict", "--format", "human"],
        &["more", "--output", missing.to_str().unwrap()],
        &["repo", "--history", &keys[0]],
    ];
    for (number, more) in cases.iter().enumerate() {
        let mut arguments = vec!["scan", "-vvv", "--verify", "--verify-max-age", "0", "--allow-insecure-endpoints"];
        arguments.extend(endpoints.iter().flat_map(|endpoint| ["--endpoint", endpoint]));
        arguments.extend(*more);
        let run = scratch.command(&arguments).env("TMPDIR", &temporary).run().status(2);
        run_holds_none(&run, &keys);
        for (said, from) in
            [(" s: engine ", 0), ("status 401", 0), ("kept, confidence", 0), ("skipped more", 0), ("failed", 1)]
        {
            assert!(number != from || run.stderr.contains(said), "{said:?} is not told{run:?}");
        }
    }
    assert!(server.requests().len() > 8, "providers were asked");
    // A store that breaks off, and one that is another program's.
    let store = scratch.elsewhere("inventory.db");
    write(&store, [b"SQLite format 3\0", keys[0].as_bytes(), keys[1].as_bytes()].concat());
    let run = scratch.run(&["scan", "-vvv", "more", "--inventory", store.to_str().unwrap()]).status(2);
    run_holds_none(&run, &keys);
    folder_holds_none(&scratch.home(), &keys);
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0, "a temporary file was left");
    assert!(!missing.parent().unwrap().exists(), "a folder was made for a report");
}

#[test]
fn a_program_that_asks_leaves_no_core_and_shows_no_secret_to_other_processes() {
    let scratch = Scratch::new();
    let keys = [key(1)];
    scratch.write("a.txt", &keys[0]);
    let server = Server::plain(|_| Reply::Silence(Duration::from_secs(4)));
    let url = format!("anthropic={}", server.url());
    let mut child = Command::new(binary())
        .args(["scan", "-vvv", "a.txt", "--verify", "--allow-insecure-endpoints", "--endpoint", &url])
        .current_dir(scratch.path(""))
        .env("CREDTRACE_HOME", scratch.home())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = Instant::now();
    while server.requests().is_empty() && began.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(10));
    }
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let limits = std::fs::read_to_string(process.join("limits")).unwrap_or_default();
    let arguments = std::fs::read(process.join("cmdline")).unwrap_or_default();
    // Only a privileged reader sees the environment of such a process at all.
    let environment = std::fs::read(process.join("environ")).unwrap_or_default();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!server.requests().is_empty(), "nobody was asked");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap_or_default();
    assert!(core.split_whitespace().nth(4) == Some("0"), "{limits}");
    holds_none("the arguments", &arguments, &keys);
    holds_none("the environment", &environment, &keys);
}
