//! A check that never ends does not hold a commit for ever, and does not let it pass either.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::harness::{COMMIT, Hooked, key};

#[test]
fn a_program_that_never_ends_stops_the_commit_with_the_way_out() {
    let hooked = Hooked::new();
    hooked.repository.write("a.txt", "clean\n");
    hooked.add("a.txt");
    hooked.replace_program(Some("#!/bin/sh\nexec sleep 60\n"));
    let began = Instant::now();
    let mut commit = hooked.with_program(Command::new("git"));
    commit.args(COMMIT).current_dir(hooked.repository.path("")).env("CREDTRACE_HOOK_TIMEOUT", "1");
    let output = commit.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && began.elapsed() < Duration::from_secs(20), "{said}");
    assert!(said.contains("did not end") && said.contains("--no-verify"), "no way out is told: {said}");
}

#[test]
fn a_time_limit_that_is_none_stops_the_commit() {
    let hooked = Hooked::new();
    hooked.repository.write("a.txt", "clean\n");
    hooked.add("a.txt");
    let mut commit = hooked.with_program(Command::new("git"));
    commit.args(COMMIT).current_dir(hooked.repository.path("")).env("CREDTRACE_HOOK_TIMEOUT", "soon");
    let output = commit.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("CREDTRACE_HOOK_TIMEOUT"), "{said}");
}

#[test]
fn pipes_in_the_place_of_what_the_hook_reads_hold_nothing_up() {
    let hooked = Hooked::new();
    hooked.write_secret("a.txt", 1);
    hooked.add("a.txt");
    let id = hooked.repository.git(&["rev-parse", ":a.txt"]);
    for file in [format!(".git/objects/{}/{}", &id[..2], &id[2..]), ".git/index".to_owned()] {
        let path = hooked.repository.path(file);
        std::fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let run = hooked.scratch.command(&["hook"]).in_folder(hooked.repository.path("")).run().status(2);
        run.within(Duration::from_secs(5)).never_says(&key(1)[20..60]);
    }
}
