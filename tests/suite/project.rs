//! What holds for the project itself: its tests are all run, its native code is new enough, its own text is clean.

use std::collections::BTreeSet;
use std::process::Command;

use crate::harness::{Scratch, project};

#[test]
fn every_file_of_the_suite_is_a_module_of_it() {
    let stem = |path: std::path::PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    let files: BTreeSet<String> = std::fs::read_dir(project("tests/suite"))
        .unwrap()
        .map(|entry| stem(entry.unwrap().path()))
        .filter(|name| name != "mod")
        .collect();
    let declared: BTreeSet<String> = include_str!("mod.rs")
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .map(str::to_owned)
        .collect();
    assert_eq!(files, declared, "a file of tests/suite without its `mod` line never runs");
}

#[test]
fn libgit2_is_the_vendored_one_and_has_the_fixes_of_1_9_7() {
    let version = git2::Version::get();
    assert!(version.libgit2_version() >= (1, 9, 7), "libgit2 {:?}", version.libgit2_version());
    assert!(version.vendored(), "a libgit2 of the system may be older");
    assert!(!version.https() && !version.ssh(), "a scan needs no network");
}

#[test]
fn the_page_on_native_code_has_the_versions_of_the_program() {
    let page = std::fs::read_to_string(project("docs/native-deps.md")).unwrap();
    let lock = std::fs::read_to_string(project("Cargo.lock")).unwrap();
    let version = |name: &str| {
        let package = lock.split(&format!("name = \"{name}\"\nversion = \"")).nth(1).unwrap();
        package.split(['"', '+']).next().unwrap().to_owned()
    };
    let crates = [
        "libgit2-sys",
        "libz-sys",
        "libdeflate-sys",
        "libsqlite3-sys",
        "rusqlite",
        "ring",
        "rustls",
        "blake3",
        "webpki-roots",
    ];
    for name in crates {
        let told = format!("{name} {}", version(name));
        assert!(page.contains(&told), "docs/native-deps.md lacks {told}");
    }
    let (major, minor, patch) = git2::Version::get().libgit2_version();
    assert!(page.contains(&format!("| libgit2 | {major}.{minor}.{patch} |")));
    assert!(page.contains(&format!("| SQLite | {} |", rusqlite::version())));
}

#[test]
fn the_set_up_script_is_plain_shell_and_ends_at_once_when_nothing_is_missing() {
    let checked = Command::new("sh").arg("-n").arg(project("bootstrap.sh")).status().unwrap();
    assert!(checked.success());
    let listed = Command::new("make").arg("-C").arg(project("")).arg("help").output().unwrap();
    let text = String::from_utf8_lossy(&listed.stdout);
    for target in ["make scan", "make test", "make bench", "make lint", "make install"] {
        assert!(text.contains(target), "make help lacks {target}: {text}");
    }
}

#[test]
fn the_text_of_this_project_is_clean() {
    let scratch = Scratch::new();
    let project = project("");
    let mut arguments = vec!["--worktree-only".as_ref(), project.as_os_str()];
    // A copy of the sources without a repository has no .gitignore to keep build products out.
    let sources = ["src", "tests", "detectors", "docs", "README.md"].map(crate::harness::project);
    if !project.join(".git").exists() {
        arguments = sources.iter().filter(|path| path.exists()).map(|path| path.as_os_str()).collect();
    }
    let run = scratch.scan(&arguments).status(0);
    assert!(run.summary()["blobs_scanned"].as_u64().unwrap() > 10, "{run:?}");
}
