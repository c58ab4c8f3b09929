//! Detector files of the user: good ones add to the set, a bad one ends the run with its place, and no part is used.

use std::time::Duration;

use crate::harness::{Scratch, key, write};

const HEAD: &str = "provider = \"acme\"\nname = \"Acme\"\n\n[[detector]]\nid = \"acme-key\"\nname = \"Acme key\"\n\
                    kind = \"api-key\"\nprivilege = \"use\"\n";

/// A value that the good detector of these tests finds.
fn acme() -> String {
    format!("acme_{}", &key(7)[20..60].replace(['-', '_'], "x"))
}

#[test]
fn a_good_file_adds_to_the_set() {
    let scratch = Scratch::new();
    let folder = scratch.elsewhere("more");
    write(&folder.join("acme.toml"), format!("{HEAD}shapes = [\"acme_{{40:alnum}}\"]\n"));
    scratch.write("a.txt", format!("one {}\ntwo {}\n", acme(), key(1)));
    let folder = folder.to_str().unwrap();
    let run = scratch.scan(&["--detectors", folder, "a.txt"]).status(1);
    assert_eq!(run.finding(&acme())["detector"], "acme-key");
    run.finding(&key(1));
    let without = scratch.scan(&["a.txt"]).status(1);
    assert!(without.finding_of(&acme()).is_none());
    assert_eq!(
        run.summary()["detectors"].as_u64().unwrap(),
        without.summary()["detectors"].as_u64().unwrap() + 1,
        "{run:?}"
    );
    let chosen = scratch.scan(&["--detectors", folder, "--detector", "acme-*", "a.txt"]).status(1);
    assert_eq!(chosen.findings().len(), 1, "{chosen:?}");
    scratch.run(&["detectors", "check", folder]).status(0);
}

#[test]
fn a_detector_file_of_what_is_scanned_is_never_loaded() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.write("detectors/acme.toml", format!("{HEAD}shapes = [\"acme_{{40:alnum}}\"]\n"));
    repository.commit_file("a.txt", acme(), "a");
    let run = scratch.scan_command(&["."]).in_folder(repository.path("")).run().status(0);
    assert_eq!(run.summary()["findings"], 0);
}

/// One bad file: what is wrong with it, its text, the line at fault and a word of the reason.
struct Bad {
    fault: &'static str,
    text: String,
    line: usize,
    reason: &'static str,
}

fn bad(fault: &'static str, rest: &str, line: usize, reason: &'static str) -> Bad {
    Bad { fault, text: format!("{HEAD}{rest}"), line, reason }
}

fn bad_files() -> Vec<Bad> {
    let nested = format!("pattern = '{}acme{}'\nanchors = [\"acme\"]\n", "(".repeat(500), ")".repeat(500));
    vec![
        bad("repeats too much", "pattern = '(a{1000}){1000}'\nanchors = [\"aaaa\"]\n", 4, "repeats"),
        bad("repeats in turn", "pattern = 'acme((a{99}){99}){99}'\nanchors = [\"acme\"]\n", 4, "repeats"),
        bad("nested too deep", &nested, 4, "nest"),
        bad("does not parse", "pattern = 'acme[a'\nanchors = [\"acme\"]\n", 4, "parse"),
        bad("matches nothing", "pattern = '(acme)*'\nanchors = [\"acme\"]\n", 4, "empty"),
        bad("unknown field", "shapes = [\"acme_{40:alnum}\"]\ncolour = \"red\"\n", 10, "colour"),
        bad("unknown kind of value", "shapes = \"acme_{40:alnum}\"\n", 9, ""),
        bad("pattern without anchor", "pattern = 'acme_[0-9]{40}'\n", 4, "anchor"),
        bad("anchor too short", "pattern = 'ac[0-9]{40}'\nanchors = [\"ac\"]\n", 4, "anchor"),
        bad("shape without anchor", "shapes = [\"{40:hex}\"]\n", 4, "keywords"),
        bad("weak keyword", "shapes = [\"{40:hex}\"]\nkeywords = [\"token\"]\n", 4, "common"),
        bad("neither shape nor pattern", "", 4, "shapes"),
        bad("unknown alphabet", "shapes = [\"acme_{40:runes}\"]\n", 4, "runes"),
        bad(
            "host with a scheme",
            "shapes = [\"acme_{40:alnum}\"]\n[detector.verify]\nhosts = [\"https://api.acme.test\"]\nmethod = \"GET\"\n\
             path = \"/\"\nlive = [200]\ndead = [401]\n",
            4,
            "scheme",
        ),
        bad(
            "secret in the path",
            "shapes = [\"acme_{40:alnum}\"]\n[detector.verify]\nhosts = [\"api.acme.test\"]\nmethod = \"GET\"\n\
             path = \"/{secret}\"\nlive = [200]\ndead = [401]\n",
            4,
            "path",
        ),
        Bad {
            fault: "the same id twice",
            text: format!(
                "{HEAD}shapes = [\"acme_{{40:alnum}}\"]\n\n[[detector]]\nid = \"acme-key\"\nname = \"Again\"\n\
                 kind = \"api-key\"\nprivilege = \"use\"\nshapes = [\"acme2_{{40:alnum}}\"]\n"
            ),
            line: 11,
            reason: "already",
        },
        Bad { fault: "no TOML", text: "provider = \n".into(), line: 1, reason: "" },
    ]
}

#[test]
fn a_bad_file_ends_with_2_its_place_and_no_scan() {
    for case in bad_files() {
        let scratch = Scratch::new();
        let folder = scratch.elsewhere("more");
        write(
            &folder.join("good.toml"),
            "provider = \"b\"\nname = \"B\"\n\n[[detector]]\nid = \"b-key\"\nname = \"B\"\n\
             kind = \"api-key\"\nprivilege = \"use\"\nshapes = [\"bkey_{40:alnum}\"]\n",
        );
        write(&folder.join("bad.toml"), &case.text);
        scratch.write("a.txt", format!("{} {}\n", key(2), acme()));
        let folder = folder.to_str().unwrap().to_owned();
        for arguments in [
            vec!["scan", "--format", "jsonl", "--show-secrets", "--detectors", &folder, "a.txt"],
            vec!["detectors", "check", &folder],
        ] {
            let run = scratch.run(&arguments).within(Duration::from_secs(3)).status(2).never_says(key(2));
            let place = format!("bad.toml:{}", case.line);
            assert!(run.stderr.contains(&place), "{}: no {place}{run:?}", case.fault);
            assert!(run.stderr.to_lowercase().contains(case.reason), "{}: no {:?}{run:?}", case.fault, case.reason);
        }
    }
}

#[test]
fn an_example_that_is_not_found_fails_the_check_with_its_place() {
    let scratch = Scratch::new();
    let folder = scratch.elsewhere("more");
    let cases = [
        ("shapes = [\"acme_{40:alnum}\"]\nexamples = [\"acme_{39:alnum} is too short\"]\n", "example"),
        ("shapes = [\"acme_{40:alnum}\"]\ncounter-examples = [\"key acme_{40:alnum} found\"]\n", "counter"),
    ];
    for (text, reason) in cases {
        write(&folder.join("bad.toml"), format!("{HEAD}{text}"));
        let run =
            scratch.run(&["detectors", "check", folder.to_str().unwrap()]).status(2).says("acme-key").says(reason);
        assert!(run.stderr.contains("bad.toml"), "the file is not named{run:?}");
    }
}

#[test]
fn an_id_of_the_built_in_set_is_taken() {
    let scratch = Scratch::new();
    let folder = scratch.elsewhere("more");
    let text = format!("{HEAD}shapes = [\"acme_{{40:alnum}}\"]\n").replace("acme-key", "anthropic-api-key");
    write(&folder.join("bad.toml"), text);
    scratch.write("a.txt", "nothing\n");
    let folder = folder.to_str().unwrap();
    scratch.run(&["scan", "--detectors", folder, "a.txt"]).status(2).says("anthropic-api-key").says("bad.toml:4");
}

#[test]
fn a_file_that_is_no_text_or_is_huge_ends_with_2() {
    let scratch = Scratch::new();
    let folder = scratch.elsewhere("more");
    scratch.write("a.txt", "nothing\n");
    let deep = format!("provider = {}{}\n", "[".repeat(100_000), "]".repeat(100_000));
    for bytes in [b"\xff\xfe\x00provider".to_vec(), b"\0\0\0".to_vec(), Vec::new(), deep.into_bytes()] {
        write(&folder.join("bad.toml"), bytes);
        let run = scratch.run(&["scan", "--detectors", folder.to_str().unwrap(), "a.txt"]);
        run.within(Duration::from_secs(1)).status(2).says("bad.toml");
    }
}

#[test]
fn the_built_in_set_is_listed_shown_and_right() {
    let scratch = Scratch::new();
    let listed = scratch.run(&["detectors", "list"]).status(0);
    for id in ["anthropic-api-key", "openai", "github", "huggingface"] {
        assert!(listed.stdout.contains(id), "{id} is not listed{listed:?}");
    }
    let shown = scratch.run(&["detectors", "show", "anthropic-api-key"]).status(0);
    assert!(shown.stdout.contains("sk-ant-api03-") && shown.stdout.contains("Anthropic"), "{shown:?}");
    scratch.run(&["detectors", "show", "no-such-detector"]).status(2).says("no-such-detector");
    scratch.run(&["detectors", "check"]).status(0);
}
