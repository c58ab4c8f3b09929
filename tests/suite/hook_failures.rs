//! A hook that cannot do its work stops the commit and says how to go on; it never passes silently.

use std::process::Command;

use crate::harness::{COMMIT, Hooked, project};

#[test]
fn the_shell_tests_of_wrapper_and_installer_pass() {
    let output = Command::new("sh").arg(project("pre-commit-hook/tests.sh")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// A clean change is staged: only the failure can stop its commit.
fn with_a_clean_change() -> Hooked {
    let hooked = Hooked::new();
    hooked.repository.write("a.txt", "clean\n");
    hooked.add("a.txt");
    hooked
}

#[test]
fn without_the_program_the_commit_is_stopped_with_the_way_out() {
    let hooked = with_a_clean_change();
    hooked.replace_program(None);
    let said = hooked.stopped(&COMMIT);
    assert!(said.contains("install") || said.contains("PATH"), "{said}");
    assert!(said.contains("--no-verify"), "no way out is told: {said}");
    hooked.passes(&["commit", "-q", "--no-verify", "-m", "by the way out"]);
}

#[test]
fn a_program_that_crashes_stops_the_commit() {
    let hooked = with_a_clean_change();
    for script in
        ["#!/bin/sh\nkill -SEGV $$\n", "#!/bin/sh\nexit 101\n", "#!/bin/sh\nexit 2\n", "#!/no/such/shell\n", "\x7fELF"]
    {
        hooked.replace_program(Some(script));
        let said = hooked.stopped(&COMMIT);
        assert!(said.contains("--no-verify"), "{script:?}: no way out is told: {said}");
    }
}

#[test]
fn a_program_that_is_another_one_does_not_pass_for_it() {
    let hooked = with_a_clean_change();
    // An old version that knows no `hook` ends with a usage error.
    hooked.replace_program(Some("#!/bin/sh\necho \"unknown command: $1\" >&2\nexit 2\n"));
    hooked.stopped(&COMMIT);
}

#[test]
fn bad_settings_stop_the_commit() {
    let hooked = with_a_clean_change();
    let home = hooked.scratch.home();
    std::fs::create_dir_all(&home).unwrap();
    for entry in std::fs::read_dir(&home).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            std::fs::write(path, "neither a key nor a setting").unwrap();
        }
    }
    hooked.write_secret("b.txt", 1);
    hooked.add("b.txt");
    hooked.stopped(&COMMIT);
}

#[test]
fn an_index_that_cannot_be_read_is_an_error_of_the_hook() {
    let hooked = with_a_clean_change();
    let index = hooked.repository.path(".git/index");
    let whole = std::fs::read(&index).unwrap();
    for damaged in [whole[..whole.len() / 2].to_vec(), b"DIRC\0\0\0\x09".to_vec(), Vec::new(), vec![0xff; 4096]] {
        std::fs::write(&index, damaged).unwrap();
        let run = hooked.scratch.command(&["hook"]).in_folder(hooked.repository.path("")).run().status(2);
        assert!(!run.stderr.trim().is_empty(), "{run:?}");
    }
}

#[test]
fn a_staged_object_that_is_missing_is_an_error_of_the_hook() {
    let hooked = with_a_clean_change();
    let id = hooked.repository.git(&["rev-parse", ":a.txt"]);
    std::fs::remove_file(hooked.repository.path(format!(".git/objects/{}/{}", &id[..2], &id[2..]))).unwrap();
    hooked.scratch.command(&["hook"]).in_folder(hooked.repository.path("")).run().status(2).says("a.txt");
}
