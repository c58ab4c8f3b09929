//! `scan --verify`: who is asked, how often, what is kept of the answer, and how the program ends. Providers are servers on
//! this machine, named by `--endpoint`.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::{Duration, Instant};

use credtrace::credential::FoundCredential;
use credtrace::detector::compile::Confidence;
use credtrace::detector::example::{Generator, expand_for};
use credtrace::detector::registry::Registry;
use credtrace::secret::Secret;
use credtrace::verify::endpoints::Endpoints;
use credtrace::verify::plan::{Plan, plan};

use crate::harness::server::{Received, Reply, Server};
use crate::harness::{KeyKind, Run, Scratch, binary, fake_key, key, project};
use crate::suite::leaks::{FORMATS, folder_holds_none, run_holds_none};

/// Anthropic as it answers: 200 for one key, 401 for others and for none.
fn anthropic(live: &str) -> Server {
    let live = live.to_owned();
    Server::plain(move |received| match received.header("x-api-key") {
        Some(key) if key == live => {
            Reply::Answer(200, vec![("anthropic-organization-id".into(), "org-1234".into())], b"{\"data\":[]}".to_vec())
        }
        _ => Reply::status(401, "{\"type\":\"error\"}"),
    })
}

fn endpoint(provider: &str, server: &Server) -> [String; 3] {
    ["--allow-insecure-endpoints".into(), "--endpoint".into(), format!("{provider}={}", server.url())]
}

fn verify(scratch: &Scratch, server: &Server, more: &[&str]) -> Run {
    let mut arguments: Vec<String> = ["a.txt", "--verify"].map(String::from).to_vec();
    arguments.extend(endpoint("anthropic", server));
    arguments.extend(more.iter().map(|text| (*text).to_owned()));
    scratch.scan(&arguments)
}

fn bearing<'a>(requests: &'a [Received], key: &str) -> Vec<&'a Received> {
    requests.iter().filter(|received| received.header("x-api-key") == Some(key)).collect()
}

#[test]
fn each_key_is_asked_about_once_and_the_verdict_stands_in_every_report() {
    let scratch = Scratch::new();
    let (live, dead) = (key(1), key(2));
    scratch.write("a.txt", format!("{live}\n{dead}\n{live}\n"));
    let server = anthropic(&live);
    let run = verify(&scratch, &server, &[]).status(1);
    let said = run.finding(&live)["verification"].clone();
    assert_eq!((&said["state"], &said["account"]["organization"]), (&"live".into(), &"org-1234".into()), "{said}");
    assert!(said["checked_at"].as_str().is_some_and(|time| time.ends_with('Z')), "{said}");
    assert_eq!(run.finding(&dead)["verification"]["state"], "dead");
    let requests = server.requests();
    assert_eq!((bearing(&requests, &live).len(), bearing(&requests, &dead).len()), (1, 1));
    assert!(requests.iter().all(|received| received.path == "/v1/models"));
    assert_eq!(server.most_at_once(), 1);
    let mut arguments: Vec<String> = ["scan", "a.txt", "--verify", "--format", "human"].map(String::from).to_vec();
    arguments.extend(endpoint("anthropic", &server));
    let run = scratch.run(&arguments).status(1);
    assert!(run.stdout.contains("LIVE:") && run.stdout.contains("Dead:") && run.stdout.contains("org-1234"), "{run:?}");
}

#[test]
fn an_answer_holds_for_a_while_and_a_new_one_can_be_asked_for() {
    let scratch = Scratch::new();
    let live = key(3);
    scratch.write("a.txt", &live);
    let server = anthropic(&live);
    let first = verify(&scratch, &server, &[]).status(1);
    let asked = server.requests().len();
    let second = verify(&scratch, &server, &[]).status(1);
    assert_eq!(server.requests().len(), asked, "it was asked again");
    assert_eq!(first.finding(&live)["verification"], second.finding(&live)["verification"]);
    verify(&scratch, &server, &["--verify-max-age", "0"]).status(1);
    assert_eq!(server.requests().len(), 2 * asked);
    folder_holds_none(&scratch.home(), &[live]);
}

#[test]
fn a_key_of_this_run_alone_keeps_no_answers() {
    let scratch = Scratch::new();
    let live = key(4);
    scratch.write("a.txt", &live);
    let server = anthropic(&live);
    let url = format!("anthropic={}", server.url());
    let arguments = ["a.txt", "--verify", "--allow-insecure-endpoints", "--endpoint", &url];
    for round in 1..=2 {
        // Not even root can make a folder there.
        let run = scratch.scan_command(&arguments).env("CREDTRACE_HOME", "/proc/none/state").run().status(1);
        assert_eq!(run.summary()["fingerprint_key"], "ephemeral");
        assert_eq!(bearing(&server.requests(), &live).len(), round);
    }
}

#[test]
fn nothing_is_asked_and_no_store_is_opened_without_the_option() {
    let scratch = Scratch::new();
    let live = key(5);
    let server = anthropic(&live);
    // What is scanned asks for it in every way that it can.
    scratch.write("a.txt", format!("--verify\nverify = true\n{live}\n"));
    scratch.write(".credtrace.toml", "verify = true\n");
    scratch.write("credtrace.toml", "[scan]\nverify = true\n");
    let run =
        scratch.scan_command(&["."]).env("CREDTRACE_VERIFY", "1").env("CREDTRACE_ARGS", "--verify").run().status(1);
    assert_eq!(run.finding(&live)["verification"]["state"], "not-checked");
    assert!(!scratch.home().join("inventory.db").exists(), "the store was opened");
    assert_eq!(server.connections(), 0);
}

#[test]
fn options_of_asking_mean_nothing_without_it() {
    let scratch = Scratch::new();
    scratch.write("a.txt", "nothing\n");
    let cases: [&[&str]; 7] = [
        &["--fail-on", "live"],
        &["--endpoint", "anthropic=https://gateway.example.com"],
        &["--allow-insecure-endpoints"],
        &["--verify-max-age", "1h"],
        &["--verify-limit", "5"],
        &["--proxy", "http://127.0.0.1:1"],
        &["--verify", "--verify-max-age", "soon"],
    ];
    for options in cases {
        scratch.run(&[&["scan", "a.txt"], options].concat()).status(2);
    }
    for endpoint in ["nobody=https://a.example", "anthropic=http://a.example", "anthropic=ftp://a.example"] {
        scratch.run(&["scan", "a.txt", "--verify", "--endpoint", endpoint]).status(2).says("--endpoint");
    }
    let run = scratch.run(&["scan", "a.txt", "--verify", "--proxy", "http://user:pass-word@"]).status(2);
    run.says("--proxy").never_says("pass-word");
}

#[test]
fn what_works_fails_a_build_that_asks_for_that_alone() {
    let scratch = Scratch::new();
    let live = key(6);
    scratch.write("a.txt", &live);
    let fail_on_live = ["--fail-on", "live", "--verify-max-age", "0"];
    verify(&scratch, &anthropic(&live), &fail_on_live).status(1);
    verify(&scratch, &anthropic("another"), &fail_on_live).status(0);
    let limited =
        Server::plain(|received| Reply::status(if received.header("x-api-key").is_some() { 402 } else { 401 }, "{}"));
    let run = verify(&scratch, &limited, &fail_on_live).status(1);
    assert_eq!(run.finding(&live)["verification"]["state"], "limited");
}

#[test]
fn what_was_not_asked_is_told_and_is_a_fault_for_the_strict() {
    let scratch = Scratch::new();
    let keys: Vec<String> = (10..14).map(key).collect();
    scratch.write("a.txt", keys.join("\n"));
    let server = anthropic("another");
    let run = verify(&scratch, &server, &["--verify-limit", "2"]).status(1);
    assert_eq!(server.requests().len(), 2);
    let warnings = run.summary()["warnings"].to_string();
    assert!(warnings.contains("limit of 2 requests left 2 credentials unasked"), "{warnings}");
    let states: Vec<_> = run.findings().iter().map(|finding| finding["verification"]["state"].clone()).collect();
    assert_eq!(states.iter().filter(|state| *state == "unknown").count(), 2);
    verify(&scratch, &server, &["--verify-limit", "0", "--strict", "--verify-max-age", "0"]).status(2);
}

#[test]
fn a_provider_that_repeats_the_key_gives_it_to_nobody() {
    let scratch = Scratch::new();
    let echoed = key(20);
    scratch.write("a.txt", &echoed);
    for status in [200, 401, 403, 404, 429, 500] {
        let server = Server::plain(move |received| {
            let key = received.header("x-api-key").unwrap_or("none").to_owned();
            let hex: String = key.bytes().map(|byte| format!("{byte:02x}")).collect();
            let body = format!("{{\"error\":{{\"message\":\"bad key {key}\",\"type\":\"{key}\"}},\"id\":\"{hex}\"}}");
            let headers = ["anthropic-organization-id", "location", "www-authenticate", "retry-after", "x-request-id"];
            let headers = headers.map(|name| (name.to_owned(), key.clone())).to_vec();
            Reply::Answer(status, headers, body.into_bytes())
        });
        for format in FORMATS {
            let mut arguments: Vec<String> =
                ["scan", "a.txt", "--verify", "--format", format, "--explain"].map(String::from).to_vec();
            arguments.extend(endpoint("anthropic", &server));
            run_holds_none(&scratch.run(&arguments), std::slice::from_ref(&echoed));
        }
        folder_holds_none(&scratch.home(), std::slice::from_ref(&echoed));
    }
}

#[test]
fn only_the_client_and_its_dialer_open_sockets() {
    let words = [
        "TcpStream",
        "TcpListener",
        "UdpSocket",
        "UnixStream",
        "UnixListener",
        "UnixDatagram",
        "ToSocketAddrs",
        "ureq::",
        "rustix::net",
    ];
    let mut pending = vec![project("src")];
    let mut seen = 0;
    while let Some(folder) = pending.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path);
                continue;
            }
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if matches!(name.as_str(), "client_tests.rs" | "dial_tests.rs")
                || path.extension().is_none_or(|extension| extension != "rs")
            {
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let used = words.iter().any(|word| text.contains(word));
            let may = ["verify/client.rs", "verify/dial.rs"].iter().any(|file| path.ends_with(file));
            assert!(!used || may, "{} opens a socket", path.display());
            seen += usize::from(used);
        }
    }
    assert_eq!(seen, 2, "the words that are looked for are no longer those that open a socket");
}

/// Runs the program under a tracer; returns the calls of the network that it made, or nothing where there is no tracer.
fn network_calls(scratch: &Scratch, arguments: &[&str]) -> Option<Vec<String>> {
    let log = scratch.elsewhere("trace");
    let _ = std::fs::remove_file(&log);
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=network", "-o"]).arg(&log).arg(binary()).args(arguments);
    command
        .current_dir(scratch.path(""))
        .env_clear()
        .env("CREDTRACE_HOME", scratch.home())
        .env("PATH", "/usr/bin:/bin");
    let output = command.output().ok()?;
    // Where tracing is forbidden the program is not started at all.
    let traced = !String::from_utf8_lossy(&output.stderr).contains("ptrace") && log.exists();
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let call = |line: &&str| line.contains('(');
    traced.then(|| text.lines().filter(call).map(str::to_owned).collect())
}

#[test]
fn a_scan_opens_no_socket_unless_it_is_to_ask() {
    let scratch = Scratch::new();
    let live = key(7);
    let repository = scratch.repository("repo");
    repository.commit_file("a.txt", format!("{live}\nOPENAI_BASE_URL=https://gateway.example.com/v1\n"), "first");
    scratch.write("a.txt", &live);
    for arguments in [&["scan", "repo"][..], &["scan", "a.txt"], &["scan", "repo", "--history", "none"]] {
        let Some(calls) = network_calls(&scratch, arguments) else {
            eprintln!("skipped: this machine has no tracer");
            return;
        };
        assert!(calls.is_empty(), "{arguments:?}: {calls:?}");
    }
    let server = anthropic(&live);
    let url = format!("anthropic={}", server.url());
    let asking = ["scan", "a.txt", "--verify", "--allow-insecure-endpoints", "--endpoint", &url];
    let calls = network_calls(&scratch, &asking).unwrap();
    let connected: Vec<&String> = calls.iter().filter(|call| call.contains("connect(")).collect();
    let port = format!("htons({})", server.address().port());
    assert!(!connected.is_empty() && connected.iter().all(|call| call.contains(&port)), "{calls:?}");
}

/// Detectors of ten providers that can be asked by the value alone, each with a maker of examples.
fn ten_providers(registry: &Registry) -> BTreeMap<String, usize> {
    let mut chosen = BTreeMap::new();
    for (index, detector) in registry.detectors().iter().enumerate() {
        let own = detector.confidence == Confidence::High && !detector.shared && detector.keywords.is_empty();
        let Some(shape) = detector.shapes.first().filter(|_| own && !chosen.contains_key(&detector.provider)) else {
            continue;
        };
        let value = expand_for(detector, shape, &mut Generator::new(1)).unwrap();
        let found = FoundCredential::alone(Secret::new(&value));
        let now = "2026-05-01T00:00:00Z".parse().unwrap();
        if matches!(plan(detector, false, &found, &Endpoints::default(), now), Plan::Ask(_)) {
            chosen.insert(detector.provider.clone(), index);
        }
        if chosen.len() == 10 {
            break;
        }
    }
    chosen
}

/// Returns the most memory that a process ever had, in kibibytes.
fn peak_memory(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    peak.trim().trim_end_matches("kB").trim().parse().unwrap_or_default()
}

/// `CREDTRACE_TEST_SCALE=10` asks about a thousand.
#[test]
fn many_credentials_of_ten_providers_take_their_time_and_little_memory() {
    let scale: usize = std::env::var("CREDTRACE_TEST_SCALE").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let count = 10 * scale;
    let scratch = Scratch::new();
    let registry = Registry::built_in();
    let providers = ten_providers(&registry);
    assert_eq!(providers.len(), 10);
    let mut generator = Generator::new(8);
    let mut text = Vec::new();
    let servers: Vec<Server> = providers.iter().map(|_| Server::plain(|_| Reply::status(401, "{}"))).collect();
    let mut command = Command::new(binary());
    command.args(["scan", "a.txt", "--verify", "--format", "jsonl", "--allow-insecure-endpoints"]);
    for ((provider, index), server) in providers.iter().zip(&servers) {
        let detector = &registry.detectors()[*index];
        for _ in 0..count {
            text.extend(expand_for(detector, &detector.shapes[0], &mut generator).unwrap());
            text.push(b'\n');
        }
        command.args(["--endpoint", &format!("{provider}={}", server.url())]);
    }
    scratch.write("a.txt", text);
    command.current_dir(scratch.path("")).env_clear().env("CREDTRACE_HOME", scratch.home());
    command.stdout(std::fs::File::create(scratch.elsewhere("report")).unwrap()).stderr(std::process::Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    let mut peak = 0;
    let mut dumps = true;
    while child.try_wait().unwrap().is_none() {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap_or_default();
        let core = limits.lines().find_map(|line| line.strip_prefix("Max core file size"));
        dumps &= core.is_none_or(|core| core.split_whitespace().next() != Some("0"));
        peak = peak.max(peak_memory(child.id()));
        assert!(began.elapsed() < Duration::from_secs(120), "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
    let report = std::fs::read_to_string(scratch.elsewhere("report")).unwrap();
    let asked = report.lines().filter(|line| line.contains("\"checked_at\"")).count();
    let requests: usize = servers.iter().map(|server| server.requests().len()).sum();
    eprintln!("{asked} of {} in {:?}, {requests} requests, {} MB", 10 * count, began.elapsed(), peak / 1024);
    assert_eq!((asked, requests), (10 * count, 10 * count));
    assert!(servers.iter().all(|server| server.most_at_once() <= 1), "two requests to a host at once");
    // Ten providers beside one another, each with a tenth of a second between two requests.
    assert!(began.elapsed() >= Duration::from_millis(100) * (count as u32 - 1), "faster than the pace allows");
    assert!(began.elapsed() < Duration::from_millis(100) * (count as u32) + Duration::from_secs(20));
    assert!(!dumps, "its memory would be written to a file where it ends by a fault");
    assert!(peak < 100 * 1024, "{peak} KiB");
}

#[test]
fn a_person_who_stops_it_gets_what_is_known() {
    let scratch = Scratch::new();
    let (live, slow) = (key(30), key(31));
    scratch.write("a.txt", format!("{live}\n{slow}\n"));
    let answered = live.clone();
    let server = Server::plain(move |received| match received.header("x-api-key") {
        Some(key) if key == answered => Reply::status(200, "{\"data\":[]}"),
        Some(_) => Reply::Silence(Duration::from_secs(9)),
        None => Reply::status(401, "{}"),
    });
    let mut command = Command::new(binary());
    command
        .args(["scan", "a.txt", "--verify", "--format", "jsonl", "--show-secrets"])
        .args(endpoint("anthropic", &server));
    command.current_dir(scratch.path("")).env_clear().env("CREDTRACE_HOME", scratch.home());
    let began = Instant::now();
    let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::null()).spawn().unwrap();
    // Which of the two is asked first, the fingerprints decide; the slow one is not answered before the end.
    while bearing(&server.requests(), &slow).is_empty() {
        assert!(began.elapsed() < Duration::from_secs(20), "the slow one is never asked");
        std::thread::sleep(Duration::from_millis(5));
    }
    let known = !bearing(&server.requests(), &live).is_empty();
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let report = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<serde_json::Value> = report.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let state = |key: &str| {
        let found = lines.iter().find(|line| line["secret"] == key).unwrap();
        found["verification"]["state"].as_str().unwrap().to_owned()
    };
    assert_eq!((state(&live).as_str(), state(&slow).as_str()), (if known { "live" } else { "unknown" }, "unknown"));
    let summary = lines.last().unwrap();
    assert_eq!((&summary["complete"], summary["errors"].to_string().contains("interrupted")), (&false.into(), true));
}

#[test]
fn a_key_of_unknown_provider_is_sent_to_nobody() {
    let scratch = Scratch::new();
    let server = Server::plain(|_| Reply::status(200, "{}"));
    // 32 hexadecimal digits are the key of many.
    let shared: String =
        fake_key(KeyKind::Groq, 9).bytes().skip(4).map(|byte| format!("{byte:02x}")).take(16).collect();
    scratch.write("a.txt", format!("API_KEY={shared}\n"));
    let mut arguments: Vec<String> = ["a.txt", "--verify", "--min-confidence", "low"].map(String::from).to_vec();
    for provider in ["anthropic", "openai", "groq", "mistral"] {
        let [insecure, option, value] = endpoint(provider, &server);
        if !arguments.contains(&insecure) {
            arguments.push(insecure);
        }
        arguments.extend([option, value]);
    }
    let run = scratch.scan(&arguments);
    for finding in run.findings() {
        let state = finding["verification"]["state"].as_str().unwrap_or_default().to_owned();
        assert!(["refused", "not-checked", "unknown"].contains(&state.as_str()), "{finding}");
    }
    assert_eq!(server.connections(), 0);
}
