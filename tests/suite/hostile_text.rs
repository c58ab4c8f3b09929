//! Texts that are made to be slow: one endless line, nothing but keys, nothing but beginnings of keys, noise. Each is read
//! at a stated speed in bounded memory. `CREDTRACE_TEST_SCALE=25` makes them as large as a release build deserves, and
//! `benches/hostile.py` measures them there.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::harness::{Run, Scratch, key, scale};

/// Below these speeds, in bytes a second of processor time, something is wrong. A development build on a busy machine is far from what a
/// release does, which reads what repeats a piece of any sort at 70 MB/s a core and more, and most of these texts at 300.
const SLOWEST: usize = 1 << 20;
const SLOWEST_AT_SCALE: usize = 5 << 20;

/// Scans one file; memory is what a process has at the start, a few chunks and eight kilobytes a finding.
fn scan(bytes: &[u8], findings: usize) -> Run {
    let scratch = Scratch::new();
    scratch.write("text", bytes);
    let slowest = if scale() > 1 { SLOWEST_AT_SCALE } else { SLOWEST };
    let seconds = 2 + (bytes.len() / slowest) as u64;
    let limited = scratch.scan_command(&["--threads", "2", "text"]).within_memory(400 + findings / 128);
    let run = limited.within_processor_time(seconds).run();
    assert!(run.status.is_some(), "took more than {seconds} s of a processor, or a signal ended it{run:?}");
    assert_eq!(run.summary()["bytes_scanned"], bytes.len(), "{run:?}");
    run
}

fn repeated(part: &[u8], length: usize) -> Vec<u8> {
    part.iter().copied().cycle().take(length).collect()
}

#[test]
fn one_line_of_nothing_but_keys_is_cut_at_the_cap_and_says_so() {
    // Two hundred bytes of words to each key.
    let mut line = Vec::new();
    for number in 0..4000 * scale() as u64 {
        line.extend(b"the quick brown fox jumps over the lazy dog and sleeps then ".repeat(30));
        line.extend(format!("{} ", key(number)).bytes());
    }
    let keys = 4000 * scale();
    let run = scan(&line, keys).status(1);
    let found = run.findings().len();
    let beyond = run.summary()["skipped"]["match-cap"].as_u64().unwrap_or_default() as usize;
    assert!(found <= keys && found + beyond >= keys, "{found} found and {beyond} counted of {keys} keys");
    // Keys close together: far more than the cap in one chunk.
    let dense: Vec<u8> = (0..20_000).flat_map(|number| format!("{} ", key(number)).into_bytes()).collect();
    let run = scan(&dense, 20_000).status(1);
    let beyond = run.summary()["skipped"]["match-cap"].as_u64().unwrap_or_default() as usize;
    assert!(beyond > 10_000, "the cap is not reported{run:?}");
    assert!(run.findings().len() + beyond >= 20_000, "keys that are neither found nor counted{run:?}");
}

#[test]
fn one_line_of_nothing_but_keys_in_history_is_no_slower() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    let mut line = repeated(b"the quick brown fox ", (8 << 20) * scale().min(25));
    for number in 0..3000 {
        let at = line.len() - (number as usize + 1) * 300;
        let key = format!(" {} ", key(number));
        line[at..at + key.len()].copy_from_slice(key.as_bytes());
    }
    repository.commit_file("line", &line, "a line");
    std::fs::remove_file(repository.path("line")).unwrap();
    let run = scratch.scan(&["repo"]).status(1).within(Duration::from_secs(15));
    assert_eq!(run.summary()["skipped"]["match-cap"], 2000, "{run:?}");
}

#[test]
fn nothing_but_beginnings_of_keys_is_read_at_speed() {
    let length = (4 << 20) * scale();
    for part in ["a", "sk-", "%41", "ghp_", "AKIA", "sk-ant-api03-", "eyJ", "key=", "QUtJQ", "\\u0041", "-----BEGIN "] {
        let run = scan(&repeated(part.as_bytes(), length), 0);
        assert!(run.findings().len() < 3, "{part}{run:?}");
    }
}

#[test]
fn noise_is_read_at_speed() {
    let mut state = 1_u64;
    let mut draw = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    let length = (4 << 20) * scale();
    let bytes: Vec<u8> = (0..length).map(|_| draw()).collect();
    scan(&bytes, 0);
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let base64: Vec<u8> = (0..length).map(|_| digits[usize::from(draw() & 63)]).collect();
    let run = scan(&base64, 0);
    assert!(run.findings().len() < 3, "keys in noise{run:?}");
}

/// Beginnings of keys in every encoding, in an order that does not repeat.
fn shuffled(length: usize) -> Vec<u8> {
    let mut pieces: Vec<Vec<u8>> =
        [" ", "\n", "=", "\"", "\\n", "\" + \"", "\u{1b}[31m", "%", "&"].map(Vec::from).to_vec();
    let names =
        ["sk-", "sk-ant-api03-", "gsk_", "ghp_", "AKIA", "openai", "api_key=", "deepseek", "eyJ", "-----BEGIN "];
    for name in names {
        let each = |form: &dyn Fn(u8) -> String| name.bytes().map(form).collect::<String>().into_bytes();
        pieces.extend([name.into(), each(&|byte| format!("{byte:02x}")), each(&|byte| format!("%{byte:02X}"))]);
        pieces.extend([each(&|byte| format!("\\u{byte:04x}")), each(&|byte| format!("&#{byte};"))]);
        pieces.push(name.encode_utf16().flat_map(u16::to_le_bytes).collect());
        pieces.extend(["", "x", "xy"].map(|lead| STANDARD.encode(format!("{lead}{name}")).into_bytes()));
        pieces.push(STANDARD.encode(STANDARD.encode(name)).into_bytes());
    }
    let mut state = 1_u64;
    let mut text = Vec::with_capacity(length + 64);
    while text.len() < length {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.extend_from_slice(&pieces[(state >> 33) as usize % pieces.len()]);
    }
    text.truncate(length);
    text
}

#[test]
fn what_never_repeats_is_read_at_speed_and_what_is_left_out_is_told() {
    let (quiet, length) = (b"words of nobody in particular\n".repeat(8000), (1 << 20) * scale());
    let bytes = [&quiet[..], &shuffled(length), format!("\n{}{}\n", "\n".repeat(70_000), key(1)).as_bytes()].concat();
    let run = scan(&bytes, 0).status(1);
    run.finding(&key(1));
    let (summary, stretches) = (run.summary(), (length >> 16) as u64);
    let left_out = summary["skipped"]["work-cap"].as_u64().unwrap_or_default();
    assert!(left_out > stretches / 2 && left_out <= stretches + 1, "{left_out} of {stretches}{run:?}");
    let warning = &summary["warnings"][0];
    assert!(warning.as_str().is_some_and(|warning| warning.contains("not all of them were looked at")), "{run:?}");
    let scratch = Scratch::new();
    scratch.write("text", &bytes[..bytes.len().min(1 << 20)]);
    let run = scratch.scan(&["--strict", "text"]).status(2);
    assert_eq!(run.summary()["complete"], false, "{run:?}");
    scratch.scan(&["-vv", "text"]).says("text: work-cap");
}

#[test]
fn a_hook_lets_nothing_pass_that_it_could_not_look_at() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.write("text", shuffled(300_000));
    repository.git(&["add", "-A"]);
    let run = scratch.command(&["hook"]).in_folder(repository.path("")).run().status(2);
    run.says("not all of them were looked at");
}
