//! The hook, through real commits: it stops exactly those whose index adds a credential.

use crate::harness::{COMMIT, Hooked, key, write};

#[test]
fn a_staged_secret_stops_the_commit_and_the_message_names_the_place() {
    let hooked = Hooked::new();
    hooked.write_secret("src/settings.py", 1);
    hooked.add("src/settings.py");
    let said = hooked.stopped(&COMMIT);
    assert!(said.contains("src/settings.py"), "{said}");
    assert!(said.chars().any(|character| character.is_ascii_digit()), "no count of what was checked: {said}");
    hooked.repository.write("src/settings.py", "first\n");
    hooked.add("src/settings.py");
    hooked.passes(&COMMIT);
}

#[test]
fn a_clean_commit_passes_silently() {
    let hooked = Hooked::new();
    hooked.repository.write("a.txt", "nothing\n");
    hooked.add("a.txt");
    let output = hooked.git(&COMMIT, "");
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
}

#[test]
fn what_is_staged_counts_and_not_the_file() {
    let hooked = Hooked::new();
    hooked.write_secret("a.txt", 1);
    hooked.add("a.txt");
    hooked.repository.write("a.txt", "cleaned\n");
    hooked.stopped(&COMMIT);
    hooked.add("a.txt");
    hooked.write_secret("a.txt", 1);
    hooked.passes(&COMMIT);
}

#[test]
fn of_a_file_staged_in_parts_the_part_counts() {
    let hooked = Hooked::new();
    let middle = "unchanged\n".repeat(30);
    hooked.repository.write("a.txt", format!("top\n{middle}bottom\n"));
    hooked.add("a.txt");
    hooked.passes(&COMMIT);
    hooked.repository.write("a.txt", format!("new top\n{middle}bottom {}\n", key(2)));
    let staged = hooked.git(&["add", "-p", "a.txt"], "y\nn\n");
    assert!(staged.status.success());
    hooked.passes(&COMMIT);
    hooked.repository.write("a.txt", format!("newer top\n{middle}bottom {}\n", key(2)));
    let staged = hooked.git(&["add", "-p", "a.txt"], "n\ny\n");
    assert!(staged.status.success());
    hooked.stopped(&COMMIT);
}

#[test]
fn the_index_of_commit_a_and_of_commit_path_counts() {
    let hooked = Hooked::new();
    for name in ["a.txt", "b.txt"] {
        hooked.repository.write(name, "clean\n");
        hooked.add(name);
    }
    hooked.passes(&COMMIT);
    hooked.write_secret("a.txt", 3);
    hooked.stopped(&["commit", "-q", "-a", "-m", "all"]);
    hooked.stopped(&["commit", "-q", "-m", "one", "a.txt"]);
    // With the secret staged, a commit of another path alone holds none.
    hooked.add("a.txt");
    hooked.repository.write("b.txt", "changed\n");
    hooked.passes(&["commit", "-q", "-m", "the other", "b.txt"]);
    hooked.stopped(&COMMIT);
}

#[test]
fn a_commit_from_a_folder_below_checks_the_whole_index() {
    let hooked = Hooked::new();
    hooked.repository.write("below/b.txt", "clean\n");
    hooked.write_secret("above.txt", 4);
    hooked.repository.git(&["add", "-A"]);
    hooked.stopped_in(&hooked.repository.path("below"), &COMMIT);
}

#[test]
fn what_a_diff_hides_is_seen() {
    let hooked = Hooked::new();
    let lines: String = (0..40).map(|number| format!("setting number {number}\n")).collect();
    hooked.repository.write("old.txt", &lines);
    hooked.repository.write(".gitattributes", "*.env -diff\n");
    std::os::unix::fs::symlink("README", hooked.repository.path("link")).unwrap();
    hooked.repository.git(&["add", "-A"]);
    hooked.passes(&COMMIT);
    // A rename with an edit.
    hooked.repository.git(&["mv", "old.txt", "new.txt"]);
    hooked.repository.write("new.txt", format!("{lines}{}\n", key(5)));
    hooked.add("new.txt");
    hooked.stopped(&COMMIT);
    hooked.repository.git(&["reset", "-q", "--hard"]);
    // A file without a diff.
    hooked.write_secret("prod.env", 5);
    hooked.add("prod.env");
    hooked.stopped(&COMMIT);
    hooked.repository.git(&["reset", "-q", "--hard"]);
    // A link that becomes a file.
    std::fs::remove_file(hooked.repository.path("link")).unwrap();
    hooked.write_secret("link", 5);
    hooked.add("link");
    hooked.stopped(&COMMIT);
    hooked.repository.git(&["reset", "-q", "--hard"]);
    // UTF-16.
    let bytes: Vec<u8> = format!("\u{feff}KEY={}\r\n", key(5)).encode_utf16().flat_map(u16::to_le_bytes).collect();
    hooked.repository.write("wide.txt", bytes);
    hooked.add("wide.txt");
    hooked.stopped(&COMMIT);
}

#[test]
fn an_old_secret_of_the_same_path_stops_nothing_and_a_new_one_does() {
    let hooked = Hooked::new();
    hooked.write_secret("a.txt", 6);
    hooked.add("a.txt");
    hooked.passes(&["commit", "-q", "--no-verify", "-m", "the accident"]);
    hooked.repository.write("a.txt", format!("other lines\nmore\nANTHROPIC_API_KEY={}\nlast\n", key(6)));
    hooked.add("a.txt");
    hooked.passes(&COMMIT);
    hooked.repository.write("a.txt", format!("ANTHROPIC_API_KEY={}\nNEW={}\n", key(6), key(7)));
    hooked.add("a.txt");
    hooked.stopped(&COMMIT);
    // The same secret at another path is a new leak.
    hooked.repository.git(&["reset", "-q", "--hard"]);
    hooked.repository.write("copy.txt", format!("COPY={}\n", key(6)));
    hooked.add("copy.txt");
    hooked.stopped(&COMMIT);
}

#[test]
fn deletions_modes_and_intentions_pass() {
    let hooked = Hooked::new();
    hooked.write_secret("a.txt", 8);
    hooked.write_secret("b.sh", 8);
    hooked.repository.git(&["add", "-A"]);
    hooked.passes(&["commit", "-q", "--no-verify", "-m", "the accident"]);
    hooked.repository.git(&["rm", "-q", "a.txt"]);
    hooked.passes(&COMMIT);
    hooked.repository.git(&["update-index", "--chmod=+x", "b.sh"]);
    hooked.passes(&COMMIT);
    hooked.write_secret("later.txt", 9);
    hooked.repository.git(&["add", "-N", "later.txt"]);
    hooked.repository.write("now.txt", "clean\n");
    hooked.add("now.txt");
    hooked.passes(&COMMIT);
    hooked.add("later.txt");
    hooked.stopped(&COMMIT);
}

#[test]
fn the_first_commit_is_checked() {
    let hooked = Hooked::unborn();
    hooked.write_secret("a.txt", 1);
    hooked.add("a.txt");
    hooked.stopped(&COMMIT);
    hooked.repository.write("a.txt", "clean\n");
    hooked.add("a.txt");
    hooked.passes(&COMMIT);
}

#[test]
fn a_merge_brings_what_its_parents_have_and_is_stopped_for_more() {
    let hooked = Hooked::new();
    hooked.repository.git(&["switch", "-q", "-c", "topic"]);
    hooked.write_secret("topic.txt", 1);
    hooked.add("topic.txt");
    hooked.passes(&["commit", "-q", "--no-verify", "-m", "the accident"]);
    hooked.repository.git(&["switch", "-q", "main"]);
    hooked.repository.write("main.txt", "main\n");
    hooked.add("main.txt");
    hooked.passes(&COMMIT);
    hooked.repository.git(&["merge", "-q", "--no-commit", "--no-ff", "topic"]);
    hooked.write_secret("merged.txt", 2);
    hooked.add("merged.txt");
    hooked.stopped(&COMMIT);
    hooked.repository.git(&["rm", "-q", "-f", "merged.txt"]);
    hooked.passes(&COMMIT);
    assert_eq!(hooked.repository.git(&["show", "-s", "--format=%P"]).split(' ').count(), 2);
}

#[test]
fn submodules_and_linked_work_trees_are_no_trouble() {
    let hooked = Hooked::new();
    let other = hooked.scratch.repository("other");
    other.commit_file("a.txt", key(3), "a secret of another repository");
    let url = other.path("").to_str().unwrap().to_owned();
    hooked.passes(&["submodule", "--quiet", "add", &url, "module"]);
    hooked.passes(&COMMIT);
    hooked.write_secret("beside.txt", 4);
    hooked.add("beside.txt");
    hooked.stopped(&COMMIT);
    hooked.repository.git(&["reset", "-q", "--hard"]);
    hooked.repository.git(&["worktree", "add", "-q", "../linked", "-b", "linked"]);
    let linked = hooked.scratch.path("linked");
    write(&linked.join("a.txt"), format!("{}\n", key(5)));
    assert!(hooked.git_in(&linked, &["add", "a.txt"], "").status.success());
    hooked.stopped_in(&linked, &COMMIT);
    write(&linked.join("a.txt"), "clean\n");
    assert!(hooked.git_in(&linked, &["add", "a.txt"], "").status.success());
    assert!(hooked.git_in(&linked, &COMMIT, "").status.success());
}

#[test]
fn every_form_of_an_index_is_read() {
    let hooked = Hooked::new();
    for number in 0..50 {
        hooked.repository.write(format!("d{}/f{number}.txt", number % 5), format!("file {number}\n"));
    }
    hooked.repository.git(&["add", "-A"]);
    hooked.passes(&COMMIT);
    let forms: [&[&str]; 4] = [
        &["update-index", "--index-version", "4"],
        &["update-index", "--index-version", "2"],
        &["update-index", "--split-index"],
        &["update-index", "--no-split-index", "--untracked-cache"],
    ];
    for (index, form) in forms.iter().enumerate() {
        hooked.repository.git(form);
        hooked.write_secret(&format!("d1/new{index}.txt"), 6);
        hooked.add("d1");
        hooked.stopped(&COMMIT);
        hooked.repository.write(format!("d1/new{index}.txt"), "clean\n");
        hooked.add("d1");
        hooked.passes(&COMMIT);
    }
}

#[test]
fn run_by_itself_it_reads_the_index_that_git_names() {
    let hooked = Hooked::new();
    let command = || hooked.scratch.command(&["hook"]).in_folder(hooked.repository.path(""));
    command().run().status(0);
    hooked.write_secret("a.txt", 7);
    let other = hooked.scratch.elsewhere("other-index");
    std::fs::copy(hooked.repository.path(".git/index"), &other).unwrap();
    let added = hooked.repository.command(&["add", "a.txt"]).env("GIT_INDEX_FILE", &other).status().unwrap();
    assert!(added.success());
    command().run().status(0);
    command().env("GIT_INDEX_FILE", &other).run().status(1).never_says(key(7));
    hooked.add("a.txt");
    command().run().status(1).says("a.txt");
    command().in_folder(hooked.scratch.elsewhere("")).run().status(2).says("repository");
}

#[test]
fn an_accepted_secret_passes_and_another_does_not() {
    let hooked = Hooked::new();
    hooked.write_secret("a.txt", 8);
    hooked.add("a.txt");
    let said = hooked.stopped(&COMMIT);
    let fingerprint = said.split(|character: char| character.is_whitespace() || "'\"`,.()".contains(character));
    let fingerprint =
        fingerprint.into_iter().find(|word| word.starts_with("b3k1:")).unwrap_or_else(|| panic!("{said}"));
    let accept = |arguments: &[&str]| hooked.scratch.command(arguments).in_folder(hooked.repository.path("")).run();
    accept(&["hook", "--accept", fingerprint]).status(2).says("reason");
    accept(&["hook", "--accept", fingerprint, "--reason", "a key of the test server"]).status(0);
    hooked.passes(&COMMIT);
    hooked.write_secret("a.txt", 9);
    hooked.add("a.txt");
    hooked.stopped(&COMMIT);
}
