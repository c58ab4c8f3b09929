//! What git hands to a hook: the environment is written down by a real hook, with a copy of its index, and read here.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::super::{StagedEnvironment, StagedRepository, staged};
use super::scratch::{Scratch, command, environment};

/// Writes what a hook is given, keeps the index as it is while the hook runs, and stops the commit, so that HEAD stays.
const HOOK: &str = "#!/bin/sh
{ echo \"PWD=$(pwd)\"; env | grep -E '^GIT_(DIR|WORK_TREE|INDEX_FILE)='; } > \"$0.environment\"
cp \"$GIT_INDEX_FILE\" \"$0.index\"
exit 1
";

fn install(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("pre-commit"), HOOK).unwrap();
    fs::set_permissions(folder.join("pre-commit"), fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs a commit that the hook stops, and returns the paths that are staged for it.
fn paths_for(folder: &Path, hooks: &Path, arguments: &[&str]) -> Vec<String> {
    let output = command(folder).args(arguments).output().unwrap();
    assert!(!output.status.success(), "the hook did not stop git {arguments:?}");
    let dump = fs::read_to_string(hooks.join("pre-commit.environment")).unwrap();
    let given: HashMap<&str, &str> = dump.lines().filter_map(|line| line.split_once('=')).collect();
    let path = |name: &str| given.get(name).map(PathBuf::from);
    let current = path("PWD").unwrap();
    // Git removes its temporary index when the hook ends; put it back where the hook saw it.
    let index = path("GIT_INDEX_FILE").unwrap();
    let root = path("GIT_WORK_TREE").map_or_else(|| current.clone(), |tree| current.join(tree));
    let is_temporary = !root.join(&index).exists();
    fs::copy(hooks.join("pre-commit.index"), root.join(&index)).unwrap();
    let environment = StagedEnvironment {
        index_file: Some(index.clone()),
        git_dir: path("GIT_DIR"),
        work_tree: path("GIT_WORK_TREE"),
        ..environment()
    };
    let repository = StagedRepository::open(&current, environment).unwrap();
    let list = staged(&repository).unwrap();
    if is_temporary {
        fs::remove_file(root.join(index)).unwrap();
    }
    list.into_iter().map(|blob| String::from_utf8(blob.path).unwrap()).collect()
}

/// A repository with one staged and two unstaged changes.
fn with_hook() -> (Scratch, PathBuf) {
    let scratch = Scratch::with_commit();
    let hooks = scratch.root().join(".git/hooks");
    install(&hooks);
    scratch.write("tests/a", b"staged");
    scratch.git(&["add", "."]);
    scratch.write("tests/b", b"not staged");
    scratch.write("src/main.rs", b"not staged");
    (scratch, hooks)
}

#[test]
fn a_plain_commit() {
    let (scratch, hooks) = with_hook();
    assert_eq!(paths_for(scratch.root(), &hooks, &["commit", "-m", "x"]), ["tests/a"]);
    assert_eq!(paths_for(&scratch.root().join("src"), &hooks, &["commit", "-m", "x"]), ["tests/a"]);
}

#[test]
fn commit_all_uses_an_index_of_its_own() {
    let (scratch, hooks) = with_hook();
    let paths = paths_for(&scratch.root().join("src"), &hooks, &["commit", "-a", "-m", "x"]);
    assert_eq!(paths, ["src/main.rs", "tests/a", "tests/b"]);
    assert_eq!(scratch.agreed(), ["tests/a"]);
}

#[test]
fn commit_of_a_path_uses_an_index_of_its_own() {
    let (scratch, hooks) = with_hook();
    let paths = paths_for(&scratch.root().join("src"), &hooks, &["commit", "-m", "x", "main.rs"]);
    assert_eq!(paths, ["src/main.rs"]);
}

#[test]
fn a_split_index_of_a_hook_is_read_from_where_git_says() {
    let (scratch, hooks) = with_hook();
    scratch.git(&["update-index", "--split-index"]);
    let paths = paths_for(&scratch.root().join("src"), &hooks, &["commit", "-a", "-m", "x"]);
    assert_eq!(paths, ["src/main.rs", "tests/a", "tests/b"]);
    assert_eq!(paths_for(scratch.root(), &hooks, &["commit", "-m", "x"]), ["tests/a"]);
}

#[test]
fn a_first_commit_and_an_empty_one() {
    let scratch = Scratch::new();
    let hooks = scratch.root().join(".git/hooks");
    install(&hooks);
    assert_eq!(paths_for(scratch.root(), &hooks, &["commit", "--allow-empty", "-m", "x"]), Vec::<String>::new());
    scratch.write("a", b"one");
    scratch.git(&["add", "."]);
    assert_eq!(paths_for(scratch.root(), &hooks, &["commit", "-m", "x"]), ["a"]);
}

#[test]
fn a_linked_work_tree_is_named_by_its_git_folder() {
    let (scratch, hooks) = with_hook();
    let linked = scratch.beside("linked");
    scratch.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    fs::write(linked.join("z"), b"changed").unwrap();
    assert_eq!(paths_for(&linked.join("src"), &hooks, &["commit", "-a", "-m", "x"]), ["z"]);
}

#[test]
fn a_submodule() {
    let inner = Scratch::with_commit();
    let scratch = Scratch::with_commit();
    scratch.git(&["submodule", "--quiet", "add", inner.root().to_str().unwrap(), "inner"]);
    let hooks = scratch.root().join(".git/modules/inner/hooks");
    install(&hooks);
    fs::write(scratch.root().join("inner/z"), b"changed").unwrap();
    assert_eq!(paths_for(&scratch.root().join("inner/src"), &hooks, &["commit", "-a", "-m", "x"]), ["z"]);
}

#[test]
fn a_bare_repository_with_a_work_tree_elsewhere() {
    let scratch = Scratch::with_commit();
    let (bare, home) = (scratch.beside("files.git"), scratch.beside("home"));
    scratch.git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    install(&bare.join("hooks"));
    fs::create_dir(&home).unwrap();
    fs::write(home.join("z"), b"changed").unwrap();
    let place = ["--git-dir=../files.git", "--work-tree=."];
    scratch.git_in(&home, &[&place[..], &["add", "z"]].concat());
    assert_eq!(paths_for(&home, &bare.join("hooks"), &[&place[..], &["commit", "-m", "x"]].concat()), ["z"]);
}

#[test]
fn a_git_folder_elsewhere_makes_the_current_folder_the_work_tree() {
    let scratch = Scratch::with_commit();
    let (elsewhere, home) = (scratch.beside("store/deep/files.git"), scratch.beside("home"));
    scratch.git(&["clone", "--quiet", "--bare", ".", elsewhere.to_str().unwrap()]);
    scratch.git_in(&elsewhere, &["config", "core.bare", "false"]);
    install(&elsewhere.join("hooks"));
    fs::create_dir(&home).unwrap();
    fs::write(home.join("z"), b"changed").unwrap();
    let place = ["--git-dir=../store/deep/files.git"];
    scratch.git_in(&home, &[&place[..], &["add", "z"]].concat());
    assert_eq!(paths_for(&home, &elsewhere.join("hooks"), &[&place[..], &["commit", "-m", "x"]].concat()), ["z"]);
}
