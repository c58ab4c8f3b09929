//! Reports: every format, whole files or none, no secret unless a person asked.

use std::os::unix::fs::FileTypeExt;

use serde_json::Value;

use crate::harness::{KeyKind, Scratch, fake_key, key, make_device};

const FORMATS: [&str; 9] = ["human", "jsonl", "json", "sarif", "csv", "html", "junit", "gitlab", "github"];

#[test]
fn every_format_tells_the_finding_and_none_the_secret() {
    let scratch = Scratch::new();
    let (first, second) = (key(1), fake_key(KeyKind::OpenAi, 1));
    scratch.write("src/settings.py", format!("A = \"{first}\"\nB = \"{first}\" # and {second}\n"));
    for format in FORMATS {
        let run = scratch.run(&["scan", "--format", format, "src"]).status(1);
        assert!(run.stdout.contains("settings.py"), "{format} lacks the path{run:?}");
        assert!(run.stdout.to_lowercase().contains("anthropic"), "{format} lacks the provider{run:?}");
        for secret in [&first, &second] {
            // Half of a key is a leak too.
            let run = run.stdout.clone() + &run.stderr;
            assert!(!run.contains(&secret[20..60]) && !run.contains(&secret[40..80]), "{format}: {run}");
        }
    }
}

#[test]
fn formats_of_json_parse_and_hold_the_same() {
    let scratch = Scratch::new();
    scratch.write("a.txt", format!("{}\n{}\n", key(2), key(3)));
    let lines = scratch.scan(&["a.txt"]).status(1);
    for format in ["json", "sarif", "gitlab"] {
        let run = scratch.run(&["scan", "--format", format, "a.txt"]).status(1);
        let document: Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|error| panic!("{format}: {error}{run:?}"));
        assert!(document.is_object(), "{format}");
    }
    let run = scratch.run(&["scan", "--format", "json", "--show-secrets", "a.txt"]).status(1);
    let document: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(document["findings"], Value::Array(lines.findings()));
}

#[test]
fn standard_output_holds_the_report_alone() {
    let scratch = Scratch::new();
    scratch.write("a.txt", key(4));
    let run = scratch.scan(&["a.txt", "missing"]).status(2);
    assert_eq!(run.lines().len(), 2, "{run:?}");
}

#[test]
fn a_file_gets_the_whole_report_and_standard_output_nothing() {
    let scratch = Scratch::new();
    scratch.write("a.txt", key(5));
    let report = scratch.elsewhere("report.jsonl");
    let run = scratch.run(&["scan", "--format", "jsonl", "--output", report.to_str().unwrap(), "a.txt"]).status(1);
    assert_eq!(run.stdout, "");
    let text = std::fs::read_to_string(&report).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert_eq!(std::fs::read_dir(report.parent().unwrap()).unwrap().count(), 1, "a temporary file is left");
}

#[test]
fn a_report_that_cannot_be_written_ends_with_2_and_leaves_what_was_there() {
    let scratch = Scratch::new();
    scratch.write("a.txt", key(6));
    let folder = scratch.elsewhere("folder");
    std::fs::create_dir(&folder).unwrap();
    scratch.run(&["scan", "--output", folder.to_str().unwrap(), "a.txt"]).status(2).says("folder");
    assert!(folder.is_dir());
    assert_eq!(std::fs::read_dir(folder.parent().unwrap()).unwrap().count(), 1, "a temporary file is left");
    let nowhere = scratch.elsewhere("no/such/folder/report");
    scratch.run(&["scan", "--output", nowhere.to_str().unwrap(), "a.txt"]).status(2).says("report");
}

#[test]
fn a_device_named_as_output_stays_a_device() {
    let scratch = Scratch::new();
    scratch.write("a.txt", key(9));
    let device = scratch.elsewhere("null");
    if !make_device(&device, "3") {
        eprintln!("skipped: only root can make a device");
        return;
    }
    let run = scratch.run(&["scan", "--output", device.to_str().unwrap(), "a.txt"]);
    assert!(std::fs::metadata(&device).unwrap().file_type().is_char_device(), "replaced by a file{run:?}");
    let full = scratch.elsewhere("full");
    assert!(make_device(&full, "7"));
    scratch.run(&["scan", "--output", full.to_str().unwrap(), "a.txt"]).status(2);
    assert!(std::fs::metadata(&full).unwrap().file_type().is_char_device(), "replaced by a file");
}

#[test]
fn an_incomplete_scan_writes_its_report_all_the_same() {
    let scratch = Scratch::new();
    scratch.write("a.txt", key(7));
    let report = scratch.elsewhere("report.json");
    let path = report.to_str().unwrap();
    scratch.run(&["scan", "--format", "json", "--output", path, "a.txt", "missing"]).status(2);
    let document: Value = serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap();
    assert_eq!(document["summary"]["complete"], false, "{document}");
    assert_eq!(document["findings"].as_array().unwrap().len(), 1);
}

#[test]
fn nothing_but_the_option_shows_a_secret_or_changes_a_scan() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    let wish = "show-secrets = true\nshow_secrets = true\nmin-confidence = \"high\"\nexclude-detector = [\"*\"]\n\
                [scan]\nshow-secrets = true\nexclude = [\"**\"]\n[allowlist]\npaths = ['''.*''']\n";
    for name in ["credtrace.toml", ".credtrace.toml", ".credtrace/config.toml", ".config/credtrace.toml"] {
        repository.write(name, wish);
    }
    repository.write(".gitleaks.toml", wish);
    repository.write(".ignore", "*\n");
    repository.write("detectors/anthropic.toml", "provider = \"anthropic\"\nname = \"A\"\n");
    repository.commit_file("a.txt", key(8), "a");
    repository.git(&["config", "credtrace.showSecrets", "true"]);
    repository.git(&["config", "credtrace.exclude", "*"]);
    let run = scratch
        .command(&["scan", "--format", "jsonl", "."])
        .in_folder(repository.path(""))
        .env("CREDTRACE_SHOW_SECRETS", "1")
        .run()
        .status(1)
        .never_says(key(8));
    assert_eq!(run.findings().len(), 1, "{run:?}");
    let paths = run.findings()[0]["occurrences"].clone();
    assert!(paths.as_array().unwrap().iter().all(|place| place["path"] == "a.txt"), "{paths}");
}

#[test]
fn a_target_that_is_called_after_a_key_is_redacted_in_every_format() {
    let scratch = Scratch::new();
    let (in_name, inside) = (key(11), key(12));
    let folder = format!("backup-{in_name}");
    scratch.write(format!("{folder}/settings.py"), format!("A = \"{inside}\"\n"));
    let repository = scratch.repository(&format!("clone-{in_name}"));
    repository.commit_file("a.py", format!("B = \"{inside}\"\n"), "a");
    scratch.write(format!("{in_name}.env"), format!("C={inside}\n"));
    let targets = [
        folder.clone(),
        format!("clone-{in_name}"),
        format!("{in_name}.env"),
        scratch.path(&folder).display().to_string(),
    ];
    for target in &targets {
        for format in FORMATS {
            let run = scratch.run(&["scan", "--explain", "--format", format, target]).status(1);
            for secret in [&in_name, &inside] {
                let run = run.stdout.clone() + &run.stderr;
                assert!(!run.contains(&secret[20..40]) && !run.contains(&secret[60..80]), "{format}: {run}");
            }
        }
    }
    let shown = scratch.scan(&[&folder]).status(1).occurrences(&inside);
    assert_eq!(shown[0]["target"], folder, "a person asked for the secrets");
}

#[test]
fn the_record_of_scans_keeps_no_key_that_a_target_is_called_after() {
    let scratch = Scratch::new();
    let folder = format!("backup-{}", key(13));
    scratch.write(format!("{folder}/a.txt"), format!("{}\n", key(14)));
    scratch.write("i.toml", scratch.run(&["inventory", "template"]).status(0).stdout);
    scratch.run(&["inventory", "import", "--from", "toml", "i.toml"]).status(0);
    scratch.run(&["scan", &folder]).status(1);
    let files = std::fs::read_dir(scratch.home()).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap());
    let secret = key(13)[20..40].to_owned();
    for bytes in files {
        assert!(!bytes.windows(20).any(|window| window == secret.as_bytes()));
    }
}
