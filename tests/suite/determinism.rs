//! Same input, same output: threads, order of targets, engines; and what the program itself writes is never scanned.

use regex::Regex;

use crate::harness::{KeyKind, Repository, Run, Scratch, fake_key, key};

/// The report as text without what may differ from run to run.
fn text(run: &Run) -> String {
    let differing = Regex::new(r#""(seconds":[0-9.eE+-]+|engine":"[^"]*")"#).unwrap();
    differing.replace_all(&run.stdout, "").into_owned()
}

/// The findings as text; the files in which git lists packs and refs, which are counted, differ after packing.
fn findings(run: &Run) -> String {
    run.stdout.lines().filter(|line| !line.contains("credtrace/summary/1")).collect()
}

/// Keys in many files, messages and versions, some of them in several places at once.
fn busy(scratch: &Scratch, name: &str, base: u64) -> Repository {
    let repository = scratch.repository(name);
    for round in 0..6 {
        for file in 0..12 {
            let seed = base + (round * 5 + file) % 17;
            let kind = if file % 3 == 0 { KeyKind::OpenAi } else { KeyKind::Anthropic };
            let lines = "filler of the file\n".repeat(file as usize * 40);
            let secret = fake_key(kind, seed);
            repository.write(format!("d{}/f{file}.txt", file % 4), format!("{lines}{round} {secret}\n"));
        }
        repository.commit(&format!("round {round} {}", key(base + 50 + round)));
        if round == 3 {
            repository.git(&["repack", "-q", "-a", "-d"]);
        }
    }
    repository
}

#[test]
fn threads_and_the_order_of_targets_change_nothing() {
    let scratch = Scratch::new();
    busy(&scratch, "one", 1000);
    busy(&scratch, "two", 1008);
    for index in 0..40 {
        scratch.write(format!("plain/{}/f{index}.txt", index % 7), format!("{}\n", key(1000 + index % 9)));
    }
    let first = scratch.scan(&["--threads", "1", "one", "two", "plain"]).status(1);
    assert!(first.findings().len() > 20, "{first:?}");
    for threads in ["1", "2", "16"] {
        for targets in [["one", "two", "plain"], ["plain", "two", "one"], ["two", "one", "plain"]] {
            let mut arguments = vec!["--threads", threads];
            arguments.extend(targets);
            let run = scratch.scan(&arguments).status(1);
            assert!(text(&run) == text(&first), "threads {threads}, {targets:?}:{first:?}{run:?}");
        }
    }
}

#[test]
fn the_engine_changes_nothing() {
    if !cfg!(feature = "hyperscan") {
        eprintln!("skipped: the program under test has one engine only (no feature hyperscan)");
        return;
    }
    let scratch = Scratch::new();
    busy(&scratch, "one", 4000);
    let fastest = scratch.scan(&["one"]).status(1);
    assert_eq!(fastest.summary()["engine"], "hyperscan");
    let pure = scratch.scan(&["--engine", "pure", "one"]).status(1);
    assert_eq!(pure.summary()["engine"], "aho-corasick");
    assert!(text(&fastest) == text(&pure), "{fastest:?}{pure:?}");
}

#[test]
fn a_run_after_a_run_says_the_same() {
    let scratch = Scratch::new();
    busy(&scratch, "one", 2000);
    let runs = [0, 1, 2].map(|_| scratch.run(&["scan", "--format", "jsonl", "one"]).status(1));
    assert_eq!(text(&runs[0]), text(&runs[1]));
    assert_eq!(text(&runs[0]), text(&runs[2]));
    let target = ["--format", "jsonl", "one"];
    let copy = scratch.run(&["scan", target[0], target[1], "--history", "all", target[2]]).status(1);
    assert_eq!(text(&runs[0]), text(&copy), "the default of a repository is all of its history");
}

#[test]
fn packing_changes_nothing() {
    let scratch = Scratch::new();
    let repository = busy(&scratch, "one", 3000);
    let loose = scratch.scan(&["one"]).status(1);
    repository.git(&["repack", "-q", "-a", "-d", "-f", "--depth=50", "--window=50"]);
    let packed = scratch.scan(&["one"]).status(1);
    assert!(findings(&loose) == findings(&packed), "{loose:?}{packed:?}");
    repository.git(&["pack-refs", "--all"]);
    repository.git(&["multi-pack-index", "write"]);
    repository.git(&["commit-graph", "write", "--reachable"]);
    let indexed = scratch.scan(&["one"]).status(1);
    assert!(findings(&packed) == findings(&indexed), "{packed:?}{indexed:?}");
}

#[test]
fn the_home_of_the_program_inside_of_what_is_scanned_is_not_scanned() {
    let scratch = Scratch::new();
    scratch.write("tree/a.txt", key(1));
    scratch.write("tree/state/note.txt", key(2));
    let home = scratch.path("tree/state");
    let run = scratch.scan_command(&["tree"]).env("CREDTRACE_HOME", &home).run().status(1);
    run.finding(&key(1));
    assert!(run.finding_of(&key(2)).is_none(), "the program scanned its own state{run:?}");
    let again = scratch.scan_command(&["tree"]).env("CREDTRACE_HOME", &home).run().status(1);
    assert_eq!(text(&run), text(&again));
    // The same folder is scanned when it is not the home.
    scratch.scan(&["tree"]).status(1).finding(&key(2));
}

#[test]
fn the_report_that_is_being_replaced_is_not_scanned() {
    let scratch = Scratch::new();
    scratch.write("tree/a.txt", key(3));
    let arguments = ["--output", "tree/report.jsonl", "tree"];
    scratch.scan(&arguments).status(1);
    let first = std::fs::read_to_string(scratch.path("tree/report.jsonl")).unwrap();
    scratch.scan(&arguments).status(1);
    let second = std::fs::read_to_string(scratch.path("tree/report.jsonl")).unwrap();
    assert!(second.contains("a.txt") && !second.contains("report.jsonl"), "{second}");
    assert_eq!(first.lines().next(), second.lines().next());
}
