//! The command line: what may be a target, what ends with which status, what is refused.

use crate::harness::{KeyKind, Scratch, fake_key, key};

#[test]
fn standard_input_is_scanned_and_places_are_exact() {
    let scratch = Scratch::new();
    let key = key(1);
    let text = format!("first line\nexport ANTHROPIC_API_KEY={key}\nlast line\n");
    let run = scratch.scan_command(&["-"]).input(&text).run().status(1);
    let place = &run.occurrences(&key)[0];
    let start = text.find(&key).unwrap();
    assert_eq!(place["source"], "stdin");
    assert_eq!(place["line"], 2);
    assert_eq!(place["column"], 26);
    assert_eq!(place["start"], start);
    assert_eq!(place["end"], start + key.len());
    assert_eq!(run.summary()["blobs_scanned"], 1);
    assert_eq!(run.summary()["bytes_scanned"], text.len());
}

#[test]
fn a_file_and_a_folder_are_scanned_and_one_key_is_one_finding() {
    let scratch = Scratch::new();
    let key = key(2);
    scratch.write("tree/deep/er/settings.py", format!("KEY = \"{key}\"\n"));
    scratch.write("tree/copy.txt", format!("{key} and again {key}\n"));
    let run = scratch.scan(&["tree/deep/er/settings.py"]).status(1);
    assert_eq!(run.occurrences(&key)[0]["line"], 1);
    assert_eq!(run.occurrences(&key)[0]["start"], 7);
    let run = scratch.scan(&["tree"]).status(1);
    assert_eq!(run.findings().len(), 1, "{run:?}");
    let mut paths = run.paths(&key);
    paths.sort();
    paths.dedup();
    assert!(paths.len() == 2 && paths[0].ends_with("copy.txt") && paths[1].ends_with("settings.py"), "{paths:?}");
}

#[test]
fn each_kind_of_key_is_found_with_its_provider() {
    let scratch = Scratch::new();
    for kind in [KeyKind::Anthropic, KeyKind::OpenAi, KeyKind::GitHub, KeyKind::Groq] {
        let key = fake_key(kind, 3);
        let run = scratch.scan_command(&["-"]).input(format!("token: {key}\n")).run().status(1);
        assert_eq!(run.finding(&key)["provider"], kind.provider());
        assert_eq!(run.finding(&key)["confidence"], "high", "{run:?}");
    }
}

#[test]
fn without_a_target_the_current_folder_is_scanned() {
    let scratch = Scratch::new();
    scratch.write("note.txt", key(4));
    let run = scratch.scan::<&str>(&[]).status(1);
    assert!(run.finding_of(&key(4)).is_some(), "{run:?}");
}

#[test]
fn a_clean_folder_ends_with_0_and_says_what_was_scanned() {
    let scratch = Scratch::new();
    scratch.write("a.txt", "nothing here\n");
    scratch.write("b.txt", "nor here\n");
    let summary = scratch.scan(&["."]).status(0).summary();
    assert_eq!(summary["complete"], true);
    assert_eq!(summary["findings"], 0);
    assert_eq!(summary["blobs_scanned"], 2);
    assert_eq!(summary["bytes_scanned"], 22);
    assert_eq!(summary["errors"].as_array().unwrap().len(), 0);
    assert!(summary["detectors"].as_u64().unwrap() > 50, "{summary}");
}

#[test]
fn help_and_version_end_with_0_on_standard_output() {
    let scratch = Scratch::new();
    assert!(scratch.run(&["--version"]).status(0).stdout.starts_with("credtrace "));
    assert!(scratch.run(&["scan", "--help"]).status(0).stdout.contains("--history"));
}

#[test]
fn what_cannot_be_understood_ends_with_2() {
    let scratch = Scratch::new();
    scratch.write("a.txt", "nothing\n");
    let cases: [&[&str]; 7] = [
        &["scan", "--no-such-option"],
        &["no-such-command"],
        &["scan", "--format", "no-such-format", "."],
        &["scan", "--min-confidence", "utter", "."],
        &["scan", "--threads", "many", "."],
        &["scan", "--fail-on", "live", "."],
        &["scan", "--detector", "no-such-detector-*", "."],
    ];
    for arguments in cases {
        let run = scratch.run(arguments).status(2);
        assert!(!run.stderr.trim().is_empty(), "says nothing{run:?}");
    }
}

#[test]
fn targets_may_be_several_and_may_come_from_a_list() {
    let scratch = Scratch::new();
    scratch.write("one/a.txt", key(5));
    scratch.write("two/b.txt", key(6));
    scratch.write("list", "one\ntwo\n");
    let commands = [
        scratch.scan_command(&["one", "two"]),
        scratch.scan_command(&["--targets-from", "list"]),
        scratch.scan_command(&["one", "--targets-from", "-"]).input("two\n"),
    ];
    for command in commands {
        let run = command.run().status(1);
        assert!(run.finding_of(&key(5)).is_some() && run.finding_of(&key(6)).is_some(), "{run:?}");
    }
}

#[test]
fn detectors_are_chosen_and_left_out_by_glob() {
    let scratch = Scratch::new();
    let other = fake_key(KeyKind::GitHub, 7);
    scratch.write("a.txt", format!("{}\n{other}\n", key(7)));
    let chosen = scratch.scan(&["--detector", "anthropic-*", "."]).status(1);
    assert!(chosen.finding_of(&key(7)).is_some() && chosen.finding_of(&other).is_none(), "{chosen:?}");
    let rest = scratch.scan(&["--exclude-detector", "anthropic-*", "."]).status(1);
    assert!(rest.finding_of(&key(7)).is_none() && rest.finding_of(&other).is_some(), "{rest:?}");
    scratch.scan(&["--exclude-detector", "*", "."]).status(2);
}

#[test]
fn a_missing_target_ends_with_2_and_the_others_are_scanned() {
    let scratch = Scratch::new();
    scratch.write("there/a.txt", key(8));
    let run = scratch.scan(&["there", "missing"]).status(2).says("missing");
    assert!(run.finding_of(&key(8)).is_some(), "{run:?}");
    assert_eq!(run.summary()["complete"], false);
    assert_eq!(run.summary()["findings"], 1);
}

#[test]
fn a_fingerprint_key_that_is_asked_for_must_be_there() {
    let scratch = Scratch::new();
    scratch.write("a.txt", key(9));
    scratch.scan(&["--fingerprint-key-file", "missing.key", "."]).status(2).says("missing.key");
    scratch.scan_command(&["."]).env("CREDTRACE_FINGERPRINT_KEY", "not a key").run().status(2).says("fingerprint");
    scratch.write("right.key", "0b".repeat(32));
    let run = scratch.scan(&["--fingerprint-key-file", "right.key", "."]).status(1);
    let again = scratch.scan_command(&["."]).env("CREDTRACE_FINGERPRINT_KEY", "0b".repeat(32)).run().status(1);
    assert_eq!(run.finding(&key(9))["fingerprint"], again.finding(&key(9))["fingerprint"]);
    let own = scratch.scan(&["."]).status(1);
    assert_ne!(run.finding(&key(9))["fingerprint"], own.finding(&key(9))["fingerprint"]);
}

#[test]
fn where_the_home_cannot_be_written_the_key_is_for_this_run_and_the_report_says_so() {
    let scratch = Scratch::new();
    scratch.write("a.txt", key(10));
    let run = scratch.scan_command(&["a.txt"]).env("CREDTRACE_HOME", "/proc/nowhere").run().status(1);
    assert_eq!(run.summary()["fingerprint_key"], "ephemeral", "{run:?}");
}

#[test]
fn an_interrupted_scan_reports_what_it_found_and_ends_with_130() {
    let scratch = Scratch::new();
    scratch.write("a.txt", key(11));
    let run = scratch.scan_command(&["a.txt", "-"]).input("waiting\n").interrupt().status(130);
    assert_eq!(run.summary()["complete"], false, "{run:?}");
    let report = scratch.elsewhere("report.jsonl");
    let arguments = ["-", "--output", report.to_str().unwrap()];
    scratch.scan_command(&arguments).input("waiting\n").interrupt().status(130);
    let text = std::fs::read_to_string(report).unwrap_or_default();
    assert!(text.is_empty() || text.contains("\"complete\":false"), "{text}");
}
