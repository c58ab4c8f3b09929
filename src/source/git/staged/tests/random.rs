//! Random edits of a random tree, staged or not, in every version of the index.

use std::fs;

use proptest::prelude::*;

use super::scratch::Scratch;

/// What is done to a path.
#[derive(Debug, Clone)]
enum Edit {
    Write(String, u8),
    Link(String),
    Remove(String),
    Stage,
    Forget(String),
    Commit,
    Version(u8),
    Announce(String),
}

/// Few names, so that files and folders take each other's places.
fn path() -> impl Strategy<Value = String> {
    proptest::collection::vec(prop_oneof![Just("a"), Just("b"), Just("a.c"), Just("a-"), Just("d0")], 1..4)
        .prop_map(|parts| parts.join("/"))
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        8 => (path(), 0..4_u8).prop_map(|(path, content)| Edit::Write(path, content)),
        1 => path().prop_map(Edit::Link),
        3 => path().prop_map(Edit::Remove),
        3 => Just(Edit::Stage),
        1 => path().prop_map(Edit::Forget),
        1 => Just(Edit::Commit),
        1 => prop_oneof![Just(2), Just(4)].prop_map(Edit::Version),
        1 => path().prop_map(Edit::Announce),
    ]
}

/// Removes whatever stands at a path or above it where a folder is needed.
fn clear(scratch: &Scratch, path: &str) {
    let mut place = scratch.root().to_owned();
    for part in path.split('/') {
        place.push(part);
        if place.symlink_metadata().is_ok_and(|found| !found.is_dir()) {
            fs::remove_file(&place).unwrap();
        }
    }
    if place.is_dir() {
        fs::remove_dir_all(&place).unwrap();
    }
    fs::create_dir_all(place.parent().unwrap()).unwrap();
}

fn apply(scratch: &Scratch, edit: &Edit) {
    match edit {
        Edit::Write(path, content) => {
            clear(scratch, path);
            scratch.write(path, &[b'0' + content]);
        }
        Edit::Link(path) => {
            clear(scratch, path);
            scratch.link("0", path);
        }
        Edit::Remove(path) => clear(scratch, path),
        Edit::Stage => drop(scratch.git(&["add", "--all", "."])),
        Edit::Forget(path) => drop(scratch.git(&["rm", "--quiet", "-r", "--cached", "--ignore-unmatch", "--", path])),
        Edit::Commit => drop(scratch.git(&["commit", "--quiet", "--allow-empty", "-m", "x"])),
        Edit::Version(version) => drop(scratch.git(&["update-index", "--index-version", &version.to_string()])),
        Edit::Announce(path) => {
            clear(scratch, path);
            scratch.write(path, b"announced");
            scratch.git(&["add", "--intent-to-add", "--", path]);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_list_is_what_git_says(edits in proptest::collection::vec(edit(), 1..24)) {
        let scratch = Scratch::new();
        for edit in &edits {
            apply(&scratch, edit);
            if matches!(edit, Edit::Stage | Edit::Forget(_) | Edit::Announce(_)) {
                scratch.agreed();
            }
        }
        scratch.agreed();
    }
}
