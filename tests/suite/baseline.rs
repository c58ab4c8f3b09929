//! Known credentials: what a baseline hides, what it never hides, and how it is kept.

use std::time::Duration;

use serde_json::Value;

use crate::harness::{Hooked, Invocation, KeyKind, Run, Scratch, fake_key, key, project, scale};

/// The scratch folder of a repository whose known credentials are accepted, with the shared key of fingerprints.
struct Adopted {
    scratch: Scratch,
}

const SHARED: &str = "CREDTRACE_FINGERPRINT_KEY";

impl Adopted {
    fn new() -> Self {
        let adopted = Self { scratch: Scratch::new() };
        adopted.scratch.write("code/a.py", format!("A = \"{}\"\n", key(1)));
        adopted.scratch.write("code/b.py", format!("B = \"{}\"\n", fake_key(KeyKind::OpenAi, 2)));
        let run = adopted.update(&["--reason", "found at adoption"]).status(0).says("2 added");
        assert_eq!((run.findings().len(), hidden(&run)), (0, 2), "{run:?}");
        adopted
    }

    fn command(&self, arguments: &[&str]) -> Invocation {
        self.scratch.command(arguments).env(SHARED, "0c".repeat(32)).env("CREDTRACE_ACTOR", "ana")
    }

    fn scan(&self, more: &[&str]) -> Run {
        let arguments = ["scan", "code", "--format", "jsonl", "--show-secrets", "--baseline", "known.toml"];
        self.command(&[&arguments, more].concat()).run()
    }

    fn update(&self, more: &[&str]) -> Run {
        self.scan(&[&["--update-baseline"], more].concat())
    }

    fn text(&self) -> String {
        std::fs::read_to_string(self.scratch.path("known.toml")).unwrap()
    }

    fn rewrite(&self, change: impl Fn(String) -> String) {
        self.scratch.write("known.toml", change(self.text()));
    }
}

fn hidden(run: &Run) -> u64 {
    run.summary()["suppressed"]["baseline"].as_u64().unwrap_or_else(|| panic!("no count{run:?}"))
}

macro_rules! shows {
    ($name:expr, $text:expr) => {{
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(project("tests/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.add_filter(r"20\d\d-\d\d-\d\d", "(today)");
        settings.bind(|| insta::assert_snapshot!($name, $text));
    }};
}

#[test]
fn only_what_is_new_fails_after_adoption() {
    let adopted = Adopted::new();
    let run = adopted.scan(&[]).status(0);
    assert_eq!((run.findings().len(), hidden(&run)), (0, 2), "{run:?}");
    // The line moves, and another credential comes to stand on it.
    let line = format!("\n\nA = \"{}\"; C = \"{}\"\n", key(1), key(3));
    adopted.scratch.write("code/moved.py", line);
    std::fs::remove_file(adopted.scratch.path("code/a.py")).unwrap();
    let run = adopted.scan(&[]).status(1);
    assert_eq!((run.findings().len(), hidden(&run)), (1, 2), "{run:?}");
    run.finding(&key(3));
    assert_eq!(run.summary()["findings"], 1);
    for format in ["human", "json", "sarif", "csv", "html", "junit", "gitlab", "github"] {
        let arguments = ["scan", "code", "--baseline", "known.toml", "--format", format];
        let run = adopted.command(&arguments).run().status(1);
        assert!(!run.stdout.contains("b.py"), "{format} tells what is known{run:?}");
    }
}

#[test]
fn the_file_reviews_well_and_holds_no_secret() {
    let adopted = Adopted::new();
    let first = adopted.text();
    shows!("baseline_file", first);
    for secret in [key(1), fake_key(KeyKind::OpenAi, 2)] {
        assert!(!first.contains(&secret[20..40]) && !first.contains(&secret[60..80]), "{first}");
    }
    adopted.update(&["--reason", "another day"]).status(0).says("0 added, 2 in all");
    assert_eq!(adopted.text(), first, "nothing new and yet a change");
    adopted.scratch.write("code/c.py", format!("C = \"{}\"\n", key(3)));
    adopted.update(&["--reason", "a third", "--expires", "2999-01-31"]).status(0).says("1 added, 3 in all");
    let second = adopted.text();
    assert!(second.contains("reason = \"a third\"") && second.contains("expires = 2999-01-31"), "{second}");
    let kept = first.split("\n\n").filter(|entry| second.contains(entry)).count();
    assert_eq!(kept, first.split("\n\n").count(), "an entry changed that has nothing to do with it");
    // It is committed: nothing in it may look like a credential itself.
    let run = adopted.command(&["scan", "known.toml", "--min-confidence", "low"]).run().status(0);
    assert_eq!(run.summary()["findings"], 0, "{run:?}");
}

#[test]
fn an_entry_that_has_expired_hides_no_longer_and_can_be_renewed() {
    let adopted = Adopted::new();
    adopted.rewrite(|text| {
        text.replacen("\n\n[[credential]]\nfingerprint", "\n\n[[credential]]\nexpires = 2020-01-31\nfingerprint", 1)
    });
    let run = adopted.scan(&[]).status(1).says("expired on 2020-01-31").says("found at adoption");
    assert_eq!((run.findings().len(), hidden(&run)), (1, 1), "{run:?}");
    adopted.update(&["--reason", "once more"]).status(0).says("1 added, 2 in all");
    assert!(!adopted.text().contains("2020-01-31"));
    adopted.scan(&[]).status(0);
}

#[test]
fn a_file_of_another_key_is_a_fault_that_says_what_to_do() {
    let adopted = Adopted::new();
    let before = adopted.text();
    let base = ["scan", "code", "--baseline", "known.toml"];
    for more in [&[][..], &["--update-baseline", "--reason", "x"]] {
        let run = adopted.scratch.run(&[&base, more].concat()).status(2);
        let run = run.says("CREDTRACE_FINGERPRINT_KEY").says("k1-0d8f9ecf");
        assert_eq!(run.stdout, "", "{run:?}");
    }
    adopted.scratch.run(&["baseline", "prune", "known.toml", "code"]).status(2).says("CREDTRACE_FINGERPRINT_KEY");
    assert_eq!(adopted.text(), before);
    // A key of this machine alone is where people trip: it is told when the file is made.
    let other = Scratch::new();
    other.write("a.txt", key(4));
    let arguments = ["scan", "a.txt", "--baseline", "k.toml", "--update-baseline", "--reason", "x"];
    other.run(&arguments).status(0).says("of this machine").says("fingerprint.key");
}

#[test]
fn with_strict_a_file_in_the_scanned_tree_hides_nothing_and_says_so() {
    let adopted = Adopted::new();
    adopted.scan(&["--strict"]).status(0);
    std::fs::copy(adopted.scratch.path("known.toml"), adopted.scratch.path("code/known.toml")).unwrap();
    std::os::unix::fs::symlink("code/known.toml", adopted.scratch.path("link.toml")).unwrap();
    for file in ["code/known.toml", "link.toml"] {
        let scan = |more: &[&str]| {
            adopted.command(&[&["scan", "code", "--format", "jsonl", "--baseline", file], more].concat()).run()
        };
        scan(&[]).status(0);
        let run = scan(&["--strict"]).status(1).says("--strict").says("hides nothing");
        assert_eq!((run.findings().len(), hidden(&run)), (2, 0), "{run:?}");
    }
    // A part of a repository is named, and the file lies elsewhere in the same work tree.
    let repository = adopted.scratch.repository("repo");
    repository.write("src/a.py", key(1));
    std::fs::copy(adopted.scratch.path("known.toml"), repository.path("known.toml")).unwrap();
    let arguments = ["scan", "repo/src", "--baseline", "repo/known.toml", "--strict"];
    adopted.command(&arguments).run().status(1).says("hides nothing");
    let piped = adopted.command(&["scan", "-", "--baseline", "known.toml", "--strict"]).input(key(1));
    piped.in_folder(repository.path("")).run().status(0);
}

#[test]
fn what_cannot_be_meant_is_refused_before_the_scan() {
    let adopted = Adopted::new();
    let base = ["scan", "code", "--baseline"];
    for (more, told) in [
        (&["missing.toml"][..], "--update-baseline"),
        (&["known.toml", "--update-baseline"], "--reason"),
        (&["known.toml", "--reason", "x"], "--update-baseline"),
        (&["known.toml", "--update-baseline", "--reason", " "], "--reason"),
        (&["known.toml", "--update-baseline", "--reason", "x", "--expires", "2020-01-01"], "is over"),
        (&["known.toml", "--update-baseline", "--reason", "x", "--expires", "soon"], "expires"),
        (&["code"], "code"),
        (&["code/a.py"], "line 1"),
    ] {
        let run = adopted.command(&[&base, more].concat()).run().status(2).says(told).never_says(&key(1)[20..40]);
        assert_eq!(run.stdout, "", "{run:?}");
    }
    let text = adopted.text();
    let half = text[..text.len() - 30].to_owned();
    let entry = text.split("\n\n").nth(1).unwrap().trim_end();
    for fault in
        [half, format!("{text}\n{entry}\n"), text.replace("baseline/1", "baseline/2"), "\x1b]52;c;x\x07".into()]
    {
        adopted.scratch.write("fault.toml", fault);
        let run = adopted.command(&[&base[..], &["fault.toml"]].concat()).run().status(2).says("fault.toml");
        assert!(!run.stderr.contains('\x1b'), "{run:?}");
    }
}

#[test]
fn a_file_that_cannot_be_written_costs_no_finding() {
    let adopted = Adopted::new();
    adopted.scratch.write("code/c.py", format!("C = \"{}\"\n", key(3)));
    let arguments = ["scan", "code", "--format", "jsonl", "--baseline", "no/such/known.toml", "--update-baseline"];
    let run = adopted.command(&[&arguments[..], &["--reason", "x"]].concat()).run().status(2).says("no such folder");
    assert_eq!((run.findings().len(), &run.summary()["complete"]), (3, &Value::Bool(false)), "{run:?}");
}

#[test]
fn a_baseline_is_shown_to_people_and_programs() {
    let adopted = Adopted::new();
    adopted.rewrite(|text| {
        let text = text.replacen("found at adoption", "look \u{202e}here\u{1b}[2J", 1).replace("\u{1b}", "\\u001b");
        text.replacen("added = ", "expires = 2020-01-31\nadded = ", 1)
    });
    let run = adopted.command(&["baseline", "show", "known.toml"]).run().status(0);
    shows!("baseline_show", run.stdout);
    let run = adopted.command(&["baseline", "show", "known.toml", "--format", "json"]).run().status(0);
    let shown: Value = serde_json::from_str(&run.stdout).unwrap();
    let mut schema: Value =
        serde_json::from_str(&adopted.command(&["generate", "schema"]).run().status(0).stdout).unwrap();
    schema["oneOf"] = serde_json::json!([{ "$ref": "#/$defs/baseline" }]);
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(validator.is_valid(&shown), "{shown:#}");
    let expired: Vec<bool> =
        shown["credentials"].as_array().unwrap().iter().map(|entry| entry["expired"] == true).collect();
    assert_eq!(expired, [true, false]);
}

#[test]
fn pruning_removes_what_is_over_or_gone_and_nothing_that_was_not_looked_for() {
    let adopted = Adopted::new();
    let prune = |more: &[&str]| adopted.command(&[&["baseline", "prune", "known.toml"], more].concat()).run();
    let before = adopted.text();
    prune(&[]).status(0);
    prune(&["code"]).status(0);
    assert_eq!(adopted.text(), before, "a change where nothing is removed");
    std::fs::remove_file(adopted.scratch.path("code/a.py")).unwrap();
    prune(&["code", "missing"]).status(2).says("not complete");
    assert_eq!(adopted.text(), before, "pruned by half a scan");
    adopted.rewrite(|text| text.replace("openai-project-key", "our-own-key"));
    let run = prune(&["code"]).status(0);
    assert!(run.stdout.contains("removed, no longer found: anthropic-api-key"), "{run:?}");
    std::fs::remove_file(adopted.scratch.path("code/b.py")).unwrap();
    adopted.scratch.write("code/c.py", "nothing\n");
    let run = prune(&["code"]).status(0).says("--detectors");
    assert!(run.stdout.contains("0 credentials removed, 1 credential left"), "{run:?}");
    adopted.rewrite(|text| text.replace("added = ", "expires = 2020-01-31\nadded = "));
    let run = prune(&[]).status(0);
    assert!(
        run.stdout.contains("removed, expired: our-own-key") && run.stdout.contains("0 credentials left"),
        "{run:?}"
    );
    assert!(!adopted.text().contains("[[credential]]"));
}

#[test]
fn what_the_hook_accepts_is_a_baseline_and_it_takes_the_one_of_the_team() {
    let hooked = Hooked::new();
    hooked.write_secret("a.txt", 4);
    hooked.add("a.txt");
    let hook =
        |more: &[&str]| hooked.scratch.command(&[&["hook"], more].concat()).in_folder(hooked.repository.path("")).run();
    let said = hook(&[]).status(1).stderr;
    let fingerprint = said.split_whitespace().find(|word| word.starts_with("b3k1:")).unwrap();
    hook(&["--accept", fingerprint, "--reason", "the test server's"]).status(0);
    hook(&[]).status(0);
    let file = hooked.repository.path(".git/credtrace-accepted.toml");
    let run = hooked.scratch.run(&["baseline", "show", file.to_str().unwrap()]).status(0);
    assert!(run.stdout.contains("anthropic-api-key") && run.stdout.contains("the test server's"), "{run:?}");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("added = ", "expires = 2020-01-31\nadded = ")).unwrap();
    hook(&[]).status(1).says("expired on 2020-01-31");
    std::fs::rename(&file, hooked.scratch.path("team.toml")).unwrap();
    let team = hooked.scratch.path("team.toml");
    std::fs::write(&team, text).unwrap();
    hook(&[]).status(1);
    hook(&["--baseline", team.to_str().unwrap()]).status(0);
    let other = hooked.scratch.command(&["hook", "--baseline", team.to_str().unwrap()]);
    let other = other.in_folder(hooked.repository.path("")).env(SHARED, "0d".repeat(32));
    other.run().status(2).says(SHARED);
    hook(&["--baseline", "missing.toml"]).status(2).says("missing.toml");
}

#[test]
fn a_hundred_thousand_entries_are_read_in_seconds() {
    let adopted = Adopted::new();
    let mut text = adopted.text();
    for number in 0..10_000 * scale() {
        text += &format!(
            "\n[[credential]]\nfingerprint = \"b3k1:k1-0d8f9ecf:{number:032x}\"\nreason = \"x\"\nadded_by = \"a\"\n\
             added = 2026-01-01\n"
        );
    }
    adopted.scratch.write("known.toml", text);
    let run = adopted.scan(&[]).status(0).within(Duration::from_secs(20));
    assert_eq!(hidden(&run), 2, "{run:?}");
}
