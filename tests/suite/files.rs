//! Which files of a tree are scanned: what .gitignore says in a work tree, and everything elsewhere.

use crate::harness::{Scratch, key, write};

#[test]
fn a_work_tree_honours_gitignore_unless_asked_and_hidden_files_always_count() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.write(".gitignore", "ignored.txt\nbuild/\n*.log\n!kept.log\n");
    repository.write("sub/.gitignore", "local.cfg\n");
    repository.commit("rules");
    for (index, name) in ["ignored.txt", "build/out.txt", "a.log", "sub/local.cfg"].iter().enumerate() {
        repository.write(name, key(10 + index as u64));
    }
    for (index, name) in [".env", ".config/hidden.json", "kept.log", "sub/seen.cfg", "local.cfg"].iter().enumerate() {
        repository.write(name, key(20 + index as u64));
    }
    let run = scratch.scan(&["--worktree-only", "repo"]).status(1);
    for seed in 20..25 {
        run.finding(&key(seed));
    }
    for seed in 10..14 {
        assert!(run.finding_of(&key(seed)).is_none(), "ignored but scanned: {seed}{run:?}");
    }
    let run = scratch.scan(&["--worktree-only", "--include-ignored", "repo"]).status(1);
    for seed in (10..14).chain(20..25) {
        run.finding(&key(seed));
    }
}

#[test]
fn a_plain_folder_ignores_nothing() {
    let scratch = Scratch::new();
    scratch.write("tree/.gitignore", "*\n");
    scratch.write("tree/.ignore", "*\n");
    scratch.write("tree/.credtraceignore", "*\n");
    for (index, name) in ["a.txt", ".hidden", "node_modules/x/y.js", "sub/.gitignore", "a.min.js"].iter().enumerate() {
        scratch.write(format!("tree/{name}"), key(30 + index as u64));
    }
    let run = scratch.scan(&["tree"]).status(1);
    for seed in 30..35 {
        run.finding(&key(seed));
    }
}

#[test]
fn other_ignore_files_than_gits_hide_nothing_in_a_work_tree() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file(".ignore", "*\n", "a file of other tools");
    repository.write(".rgignore", "*\n");
    write(&scratch.path(".gitignore"), "*\n"); // outside of the repository
    repository.write("seen.txt", key(40));
    let run = scratch.scan(&["--worktree-only", "repo"]).status(1);
    run.finding(&key(40));
}

#[test]
fn of_gits_own_folder_what_people_write_is_scanned_and_objects_are_not_files() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("a.txt", format!("{}\n", key(50)), "a");
    let url = format!("https://user:{}@example.com/repo", key(51));
    repository.git(&["remote", "add", "origin", &url]);
    repository.write(".git/hooks/post-commit", format!("#!/bin/sh\nKEY={}\n", key(52)));
    repository.write(".git/objects/stray.txt", key(53));
    let run = scratch.scan(&["repo"]).status(1);
    assert_eq!(run.paths(&key(51)), [".git/config"]);
    assert_eq!(run.paths(&key(52)), [".git/hooks/post-commit"]);
    assert!(run.finding_of(&key(53)).is_none(), "{run:?}");
    assert_eq!(run.paths(&key(50)), ["a.txt"], "the same text in history, index and work tree is one place");
}

#[test]
fn repositories_below_a_plain_folder_are_scanned_as_files_at_least() {
    let scratch = Scratch::new();
    let repository = scratch.repository("all/repo");
    repository.commit_file("a.txt", key(50), "a");
    scratch.write("all/b.txt", key(51));
    let run = scratch.scan(&["all"]).status(1);
    run.finding(&key(50));
    run.finding(&key(51));
}

#[test]
fn a_key_in_the_name_of_a_file_does_not_leave_by_the_path() {
    let scratch = Scratch::new();
    let secret = key(60);
    scratch.write(format!("tree/{secret}.txt"), format!("KEY={secret}\n"));
    for format in ["human", "jsonl", "sarif", "csv"] {
        let run = scratch.run(&["scan", "--format", format, "tree"]).status(1);
        run.never_says(&secret);
    }
}
