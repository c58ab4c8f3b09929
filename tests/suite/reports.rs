//! Reports that are read again: joined, compared, and whatever else somebody may hand in as one.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{KeyKind, Run, Scratch, fake_key, key, project, scale};

const FORMATS: [&str; 9] = ["human", "jsonl", "json", "sarif", "csv", "html", "junit", "gitlab", "github"];

/// Scans with the shared key into a report.
fn report(scratch: &Scratch, name: &str, arguments: &[&str]) -> PathBuf {
    let path = scratch.elsewhere(name);
    let all = [&["scan", "--output", path.to_str().unwrap()], arguments].concat();
    let run = scratch.command(&all).env("CREDTRACE_FINGERPRINT_KEY", "0c".repeat(32)).run();
    assert!(run.status == Some(0) || run.status == Some(1) || run.status == Some(2), "{run:?}");
    path
}

fn run(scratch: &Scratch, command: &str, reports: &[&PathBuf], more: &[&str]) -> Run {
    let reports: Vec<&str> = reports.iter().map(|path| path.to_str().unwrap()).collect();
    scratch.run(&[&[command], &reports[..], more].concat())
}

fn merge(scratch: &Scratch, reports: &[&PathBuf], more: &[&str]) -> Run {
    run(scratch, "merge", reports, more)
}

fn diff(scratch: &Scratch, reports: &[&PathBuf], more: &[&str]) -> Run {
    run(scratch, "diff", reports, more)
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

/// Two machines that saw one key at different places, and each one more.
fn two(scratch: &Scratch) -> (PathBuf, PathBuf) {
    scratch.write("one/a.py", format!("A = \"{}\"\n", key(1)));
    scratch.write("one/b.py", format!("B = \"{}\"\n", key(2)));
    scratch.write("two/c.py", format!("\nA = \"{}\"\n", key(1)));
    scratch.write("two/d.py", format!("D = \"{}\"\n", fake_key(KeyKind::Groq, 3)));
    (
        report(scratch, "one.jsonl", &["one", "--format", "jsonl"]),
        report(scratch, "two.json", &["two", "--format", "json"]),
    )
}

#[test]
fn reports_of_two_machines_become_one() {
    let scratch = Scratch::new();
    let (one, two) = two(&scratch);
    let merged = merge(&scratch, &[&one, &two], &[]).status(1);
    let findings = merged.findings();
    assert_eq!(findings.len(), 3, "{merged:?}");
    let places = |finding: &Value| finding["occurrences"].as_array().unwrap().len();
    assert_eq!(findings.iter().map(places).sum::<usize>(), 4);
    let summary = merged.summary();
    assert_eq!((&summary["findings"], &summary["blobs_scanned"]), (&json!(3), &json!(4)), "{merged:?}");
    assert_eq!(summary["fingerprint_key"], "k1-0d8f9ecf");
    assert_eq!(merge(&scratch, &[&two, &one], &[]).stdout, merged.stdout, "the order of reports decides");
    // What one scan of all would have said of the same places.
    let all = report(&scratch, "all.jsonl", &["one", "two", "--format", "jsonl"]);
    let all = std::fs::read_to_string(all).unwrap();
    let all: Vec<Value> = all.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(findings, all[..3]);
    // What was merged can be merged again, and every format tells it.
    let again = scratch.elsewhere("again.jsonl");
    std::fs::write(&again, &merged.stdout).unwrap();
    assert_eq!(merge(&scratch, &[&again], &[]).stdout, merged.stdout);
    for format in FORMATS {
        let told = merge(&scratch, &[&one, &two], &["--format", format]).status(1);
        assert!(told.stdout.contains("a.py") && told.stdout.contains("c.py"), "{format}{told:?}");
    }
    let input = std::fs::read(&one).unwrap();
    let piped = scratch.command(&["merge", "-", two.to_str().unwrap()]).input(input).run().status(1);
    assert_eq!(piped.stdout, merged.stdout);
}

#[test]
fn secrets_of_a_report_go_on_only_where_a_person_says_so() {
    let scratch = Scratch::new();
    scratch.write("a.py", key(1));
    let shown = report(&scratch, "shown.jsonl", &["a.py", "--format", "jsonl", "--show-secrets"]);
    for format in FORMATS {
        merge(&scratch, &[&shown], &["--format", format]).status(1).never_says(&key(1)[20..60]);
    }
    diff(&scratch, &[&shown, &shown], &["--format", "json"]).status(0).never_says(&key(1)[20..60]);
    assert!(merge(&scratch, &[&shown], &["--show-secrets"]).status(1).stdout.contains(&key(1)));
}

#[test]
fn reports_under_other_keys_are_not_joined() {
    let scratch = Scratch::new();
    let (one, _) = two(&scratch);
    let other = scratch.elsewhere("other.jsonl");
    scratch.run(&["scan", "two", "--output", other.to_str().unwrap()]).status(1);
    let none = scratch.elsewhere("none.jsonl");
    let homeless =
        scratch.command(&["scan", "two", "--output", none.to_str().unwrap()]).env("CREDTRACE_HOME", "/proc/no");
    homeless.run().status(1);
    for reports in [[&one, &other], [&other, &one], [&one, &none], [&none, &one]] {
        for command in ["merge", "diff"] {
            let run = run(&scratch, command, &reports, &[]).status(2).says("CREDTRACE_FINGERPRINT_KEY");
            assert_eq!(run.stdout, "", "{run:?}");
        }
    }
    merge(&scratch, &[&none], &["--format", "human"]).status(1);
    merge(&scratch, &[&one, &one], &[]).status(2).says("named twice");
}

#[test]
fn half_a_report_is_not_taken_for_a_whole_one() {
    let scratch = Scratch::new();
    let (one, two) = two(&scratch);
    for (path, name) in [(&one, "one"), (&two, "two")] {
        let text = std::fs::read(path).unwrap();
        let half = scratch.elsewhere(format!("half-{name}"));
        for length in [text.len() / 2, text.len() - 20] {
            std::fs::write(&half, &text[..length]).unwrap();
            let run = merge(&scratch, &[&half], &[]).status(2).says("half-");
            if !run.stdout.is_empty() {
                assert_eq!(run.summary()["complete"], false, "{run:?}");
            }
            diff(&scratch, &[&half, path], &[]).status(2);
        }
    }
    // A line that somebody took out is missed by the summary's count.
    let text = std::fs::read_to_string(&one).unwrap();
    let filtered = scratch.elsewhere("filtered.jsonl");
    std::fs::write(&filtered, text.split_inclusive('\n').skip(1).collect::<String>()).unwrap();
    merge(&scratch, &[&filtered], &[]).status(2).says("holds 1 findings, and its summary counts 2");
}

#[test]
fn an_incomplete_report_makes_the_whole_incomplete() {
    let scratch = Scratch::new();
    let (one, _) = two(&scratch);
    let bad = report(&scratch, "bad.jsonl", &["two", "missing", "--format", "jsonl"]);
    let run = merge(&scratch, &[&one, &bad], &[]).status(2).says("bad.jsonl: missing: no such file");
    assert_eq!((run.findings().len(), &run.summary()["complete"]), (3, &json!(false)), "{run:?}");
    let run = diff(&scratch, &[&one, &bad], &[]).status(2);
    assert!(run.stdout.contains("NOT COMPLETE"), "{run:?}");
}

#[test]
fn what_is_no_report_is_refused() {
    let scratch = Scratch::new();
    let (one, _) = two(&scratch);
    let text = std::fs::read_to_string(&one).unwrap();
    let secret = key(7);
    for (fault, told) in [
        (String::new(), "empty"),
        (text.replace("finding/1", "finding/2"), "another version"),
        (text.replace("\"kind\":\"api-key\"", "\"kind\":\"\u{1b}]52;c;x\u{7}\""), "line 1"),
        (format!("{secret}\n"), "no JSON"),
        (format!("{{\"schema\":\"{secret}\"}}\n"), "another version"),
        ("[".repeat(1 << 20), "line 1"),
        ("{\"findings\":[1]}".into(), "no report"),
        ("\0\0\0\0".repeat(100), "no JSON"),
    ] {
        let path = scratch.elsewhere("fault");
        std::fs::write(&path, fault).unwrap();
        for arguments in [vec!["merge"], vec!["diff", one.to_str().unwrap()], vec!["review"], vec!["verify"]] {
            let all = [&arguments[..], &[path.to_str().unwrap()]].concat();
            let run = scratch.run(&all).status(2).never_says(&secret[20..40]).never_says("\u{1b}");
            if arguments[0] != "review" {
                run.says(told);
            }
        }
    }
    merge(&scratch, &[&scratch.elsewhere("missing")], &[]).status(2).says("missing");
    merge(&scratch, &[&scratch.elsewhere("")], &[]).status(2);
}

#[test]
fn texts_of_a_report_act_neither_on_a_terminal_nor_on_a_page() {
    let scratch = Scratch::new();
    let (one, _) = two(&scratch);
    let hostile = "\u{1b}]52;c;x\u{7}\u{202e}<script>alert(1)</script>=cmd|'/C calc'!A0";
    let text = std::fs::read_to_string(&one).unwrap();
    let lines = text.lines().map(|line| {
        let mut value: Value = serde_json::from_str(line).unwrap();
        if value["schema"] == "credtrace/finding/1" {
            for field in ["detector", "provider", "redacted"] {
                value[field] = hostile.into();
            }
            value["occurrences"][0]["path"] = hostile.into();
            value["occurrences"][0]["target"] = hostile.into();
            value["verification"] = json!({"state": "live", "reason": hostile, "account": {hostile: hostile}});
            value["identity"]["why"] = hostile.into();
        } else {
            value["warnings"] = json!([hostile]);
            value["errors"] = json!([hostile]);
        }
        format!("{value}\n")
    });
    let path = scratch.elsewhere("hostile.jsonl");
    std::fs::write(&path, lines.collect::<String>()).unwrap();
    for format in FORMATS {
        let run = merge(&scratch, &[&path], &["--format", format]).status(2);
        for text in [&run.stdout, &run.stderr] {
            assert!(
                !text.contains('\u{1b}') && !text.contains('\u{202e}') && !text.contains('\u{7}'),
                "{format}{run:?}"
            );
        }
        if matches!(format, "html" | "junit") {
            assert!(!run.stdout.contains("<script>"), "{run:?}");
        }
    }
    for format in ["human", "json", "jsonl"] {
        let run = diff(&scratch, &[&one, &path], &["--format", format]).status(2);
        assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains('\u{202e}'), "{format}{run:?}");
    }
}

#[test]
fn a_difference_is_told_to_people_and_programs() {
    let scratch = Scratch::new();
    scratch.write("src/a.py", format!("A = \"{}\"\n", key(1)));
    scratch.write("src/b.py", format!("B = \"{}\"\n", key(2)));
    let old = report(&scratch, "old.jsonl", &["src", "--format", "jsonl"]);
    std::fs::remove_file(scratch.path("src/b.py")).unwrap();
    scratch.write("src/a.py", format!("\n\nA = \"{}\"\n", key(1)));
    scratch.write("src/new/place.py", format!("A = \"{}\"\n", key(1)));
    scratch.write("src/c.py", format!("C = \"{}\"\n", fake_key(KeyKind::Groq, 3)));
    let new = report(&scratch, "new.json", &["src", "--format", "json"]);
    let told = diff(&scratch, &[&old, &new], &[]).status(1);
    shows!("diff", told.stdout);
    diff(&scratch, &[&new, &new], &[]).status(0);
    let schema: Value = serde_json::from_str(&scratch.run(&["generate", "schema"]).status(0).stdout).unwrap();
    let valid = |name: &str, value: &Value| {
        let mut schema = schema.clone();
        schema["oneOf"] = json!([{ "$ref": format!("#/$defs/{name}") }]);
        assert!(jsonschema::validator_for(&schema).unwrap().is_valid(value), "{name}: {value:#}");
    };
    let run = diff(&scratch, &[&old, &new], &["--format", "jsonl"]).status(1);
    let lines = run.lines();
    let (summary, changes) = lines.split_last().unwrap();
    changes.iter().for_each(|change| valid("change", change));
    valid("diff_summary", summary);
    let fates: Vec<&str> = changes.iter().map(|change| change["change"].as_str().unwrap()).collect();
    assert_eq!(fates, ["new", "gone", "still-there"]);
    assert_eq!(
        (&changes[2]["new_places"], &changes[2]["gone_places"]),
        (&json!(1), &json!(0)),
        "a moved line is no place"
    );
    let run = diff(&scratch, &[&old, &new], &["--format", "json"]).status(1);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    valid("diff", &document);
    assert_eq!(document["changes"].as_array().unwrap(), changes);
    let later = report(&scratch, "later.jsonl", &["src/a.py", "--format", "jsonl", "--exclude-detector", "groq-*"]);
    let run = diff(&scratch, &[&new, &later], &[]).status(0);
    assert!(run.stdout.contains("looked for different things"), "{run:?}");
}

#[test]
fn what_a_baseline_hides_is_not_gone_without_a_word() {
    let scratch = Scratch::new();
    scratch.write("a.py", key(1));
    let old = report(&scratch, "old.jsonl", &["a.py"]);
    let known = ["a.py", "--baseline", "k.toml", "--update-baseline", "--reason", "x"];
    let new = report(&scratch, "new.jsonl", &known);
    let run = diff(&scratch, &[&old, &new], &[]).status(0);
    assert!(run.stdout.contains("GONE") && run.stdout.contains("as baseline"), "{run:?}");
}

#[test]
fn a_hundred_thousand_findings_are_joined_within_bounds() {
    let scratch = Scratch::new();
    let (one, two) = two(&scratch);
    let text = std::fs::read_to_string(&one).unwrap();
    let line = text.lines().next().unwrap();
    let finding: Value = serde_json::from_str(line).unwrap();
    let fingerprint = finding["fingerprint"].as_str().unwrap();
    let count = 5_000 * scale() as u64;
    let mut large = String::new();
    for number in 0..count {
        // Half of them are the same credential over and over.
        let other = format!("b3k1:k1-0d8f9ecf:{:032x}", if number % 2 == 0 { number } else { 1 });
        large += &line.replace(fingerprint, &other);
        large.push('\n');
    }
    let mut summary: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    summary["findings"] = count.into();
    large += &format!("{summary}\n");
    let path = scratch.elsewhere("large.jsonl");
    std::fs::write(&path, large).unwrap();
    let run = merge(&scratch, &[&path, &two], &[]).status(1).within(Duration::from_secs(25));
    assert_eq!(run.summary()["findings"], count / 2 + 1 + 2, "{:?}", run.status);
    diff(&scratch, &[&path, &two], &["--format", "jsonl"]).status(1).within(Duration::from_secs(25));
}
