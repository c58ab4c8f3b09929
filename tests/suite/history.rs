//! What of a repository is asked for: all, a range, the index, the files; and the forms a repository may have.

use crate::harness::{Scratch, key};

/// A repository whose first commit, second commit, side branch, index and work tree hold one key each: seeds 1 to 5.
fn layered(scratch: &Scratch) -> crate::harness::Repository {
    let repository = scratch.repository("repo");
    repository.commit_file("first.txt", format!("{}\n", key(1)), "first");
    repository.git(&["rm", "-q", "first.txt"]);
    repository.commit_file("second.txt", format!("{}\n", key(2)), "second");
    repository.git(&["switch", "-q", "-c", "side"]);
    repository.commit_file("side.txt", format!("{}\n", key(3)), "side");
    repository.git(&["switch", "-q", "main"]);
    repository.write("staged.txt", format!("{}\n", key(4)));
    repository.git(&["add", "staged.txt"]);
    repository.write("staged.txt", "cleaned again\n");
    repository.write("loose.txt", format!("{}\n", key(5)));
    repository
}

#[track_caller]
fn finds_exactly(scratch: &Scratch, arguments: &[&str], seeds: &[u64]) {
    let run = scratch.scan(arguments).status(i32::from(!seeds.is_empty()));
    for seed in 1..=5 {
        let found = run.finding_of(&key(seed)).is_some();
        assert_eq!(found, seeds.contains(&seed), "key {seed} found: {found}{run:?}");
    }
    assert_eq!(run.summary()["complete"], true, "{run:?}");
}

#[test]
fn each_option_covers_what_it_says() {
    let scratch = Scratch::new();
    let _repository = layered(&scratch);
    finds_exactly(&scratch, &["repo"], &[1, 2, 3, 4, 5]);
    finds_exactly(&scratch, &["--history", "all", "repo"], &[1, 2, 3, 4, 5]);
    finds_exactly(&scratch, &["--history", "main..side", "repo"], &[3]);
    finds_exactly(&scratch, &["--history", "side..main", "repo"], &[]);
    finds_exactly(&scratch, &["--history", "HEAD~1..HEAD", "repo"], &[2]);
    finds_exactly(&scratch, &["--history", "main", "repo"], &[1, 2]);
    finds_exactly(&scratch, &["--staged", "repo"], &[4]);
    finds_exactly(&scratch, &["--worktree-only", "repo"], &[2, 5]);
}

#[test]
fn without_history_index_and_files_remain() {
    let scratch = Scratch::new();
    let _repository = layered(&scratch);
    let run = scratch.scan(&["--history", "none", "repo"]).status(1);
    run.finding(&key(5));
    assert!(run.finding_of(&key(1)).is_none() && run.finding_of(&key(3)).is_none(), "{run:?}");
}

#[test]
fn a_valid_empty_range_is_clean() {
    let scratch = Scratch::new();
    let _repository = layered(&scratch);
    for range in ["HEAD..HEAD", "side..side", "HEAD..main"] {
        let summary = scratch.scan(&["--history", range, "repo"]).status(0).summary();
        assert_eq!((&summary["complete"], &summary["findings"]), (&true.into(), &0.into()), "{range}");
    }
}

#[test]
fn nothing_staged_is_clean() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("a.txt", key(6), "a");
    let summary = scratch.scan(&["--staged", "repo"]).status(0).summary();
    assert_eq!((&summary["complete"], &summary["findings"]), (&true.into(), &0.into()), "{summary}");
}

#[test]
fn the_index_is_a_source_of_its_own() {
    let scratch = Scratch::new();
    let _repository = layered(&scratch);
    let run = scratch.scan(&["repo"]).status(1);
    let place = &run.occurrences(&key(4))[0];
    assert_eq!((&place["source"], &place["path"]), (&"index".into(), &"staged.txt".into()), "{run:?}");
}

#[test]
fn an_occurrence_names_blob_commit_author_and_date() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("src/a.py", "clean\n", "first");
    let introduced = repository.commit_file("src/a.py", format!("clean\nKEY = '{}'\n", key(7)), "second");
    repository.commit_file("src/a.py", format!("clean\nKEY = '{}'\nmore\n", key(7)), "third");
    repository.commit_file("gone.txt", key(8), "fourth");
    repository.git(&["rm", "-q", "gone.txt"]);
    repository.commit("fifth");
    let run = scratch.scan(&["--history", "all", "repo"]).status(1);
    let places = run.occurrences(&key(7));
    let place = places.iter().find(|place| place["source"] == "git").unwrap();
    assert_eq!(place["path"], "src/a.py");
    assert_eq!(place["line"], 2);
    assert_eq!(place["commit"], introduced);
    assert_eq!(place["author"], "Ada Tester <ada@example.com>");
    assert!(place["date"].as_str().unwrap().starts_with("2023-11-14T22:1"), "{place}");
    assert_eq!(place["in_head"], true);
    let blobs =
        [format!("{introduced}:src/a.py"), "HEAD:src/a.py".into()].map(|name| repository.git(&["rev-parse", &name]));
    assert!(blobs.iter().any(|blob| place["blob"] == **blob), "{place}");
    assert_eq!(run.occurrences(&key(8))[0]["in_head"], false);
}

#[test]
fn bare_repositories_linked_work_trees_and_alternates_are_repositories() {
    let scratch = Scratch::new();
    let repository = layered(&scratch);
    repository.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
    let run = scratch.scan(&["bare.git"]).status(1);
    for seed in 1..=3 {
        run.finding(&key(seed));
    }
    repository.git(&["worktree", "add", "-q", "../linked", "side"]);
    scratch.write("linked/here.txt", key(9));
    let run = scratch.scan(&["linked"]).status(1);
    for seed in [1, 2, 3, 9] {
        run.finding(&key(seed));
    }
    repository.git(&["clone", "-q", "--shared", ".", "../shared"]);
    let run = scratch.scan(&["shared"]);
    // Objects that lie outside of the repository are scanned or said to be missing.
    assert!(run.finding_of(&key(1)).is_some() || run.status == Some(2), "a green zero{run:?}");
}

#[test]
fn an_unborn_branch_has_an_index_and_files() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.write("staged.txt", key(10));
    repository.git(&["add", "staged.txt"]);
    std::fs::remove_file(repository.path("staged.txt")).unwrap();
    repository.write("loose.txt", key(11));
    let run = scratch.scan(&["repo"]).status(1);
    run.finding(&key(10));
    run.finding(&key(11));
    scratch.scan(&["--staged", "repo"]).status(1).finding(&key(10));
    scratch.scan(&["--history", "HEAD~1..HEAD", "repo"]).status(2);
}
