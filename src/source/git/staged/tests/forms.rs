//! Every form that an index file can have gives the same list.

use std::fs;

use super::super::{StagedEnvironment, StagedRepository, staged};
use super::scratch::{Scratch, environment};
use crate::source::git::index::{Index, IndexError};

/// A repository with one change in a deep folder.
fn changed() -> Scratch {
    let scratch = Scratch::with_commit();
    scratch.write("src/deep/er/file.txt", b"changed");
    // Not all of the work tree: git adds files again that are as young as the index, and forgets their folders' trees.
    scratch.git(&["add", "src"]);
    scratch
}

fn index_of(scratch: &Scratch) -> Vec<u8> {
    fs::read(scratch.root().join(".git/index")).unwrap()
}

#[test]
fn versions_2_3_and_4() {
    let scratch = changed();
    for version in [2, 4, 3] {
        if version == 3 {
            // Git writes version 3 only where an entry needs it.
            scratch.write("announced", b"later");
            scratch.git(&["add", "--intent-to-add", "announced"]);
        }
        scratch.git(&["update-index", "--index-version", &version.max(2).to_string()]);
        assert_eq!(u32::from(index_of(&scratch)[7]), version);
        assert_eq!(scratch.agreed(), ["src/deep/er/file.txt"], "version {version}");
    }
    scratch.git(&["update-index", "--index-version", "4"]);
    assert_eq!(scratch.agreed(), ["src/deep/er/file.txt"]);
}

#[test]
fn many_threads_write_blocks_and_their_places() {
    let scratch = Scratch::new();
    let blob = scratch.blob(b"content");
    let lines: String = (0..21_000).map(|file| format!("100644 {blob}\tf{:02}/{file:05}\n", file % 50)).collect();
    for version in ["2", "4"] {
        scratch.git_with_input(&["update-index", "--add", "--index-info"], lines.as_bytes());
        scratch.git(&["-c", "index.threads=2", "update-index", "--force-write-index", "--index-version", version]);
        assert!(memchr::memmem::find(&index_of(&scratch), b"IEOT").is_some());
        assert_eq!(scratch.agreed().len(), 21_000);
        fs::remove_file(scratch.root().join(".git/index")).unwrap();
    }
}

#[test]
fn a_split_index_is_left_to_git() {
    let scratch = changed();
    scratch.git(&["update-index", "--split-index"]);
    scratch.write("z", b"changed too");
    scratch.git(&["add", "."]);
    assert!(matches!(Index::parse(index_of(&scratch)), Err(IndexError::Unsupported(_))));
    assert_eq!(scratch.agreed(), ["src/deep/er/file.txt", "z"]);
    let without_git = StagedRepository::open(scratch.root(), StagedEnvironment::default()).unwrap();
    let error = staged(&without_git).unwrap_err();
    assert!(error.to_string().contains("split"), "{error}");
}

#[test]
fn a_split_index_of_a_linked_work_tree_and_a_subfolder() {
    let scratch = changed();
    let linked = scratch.beside("linked");
    scratch.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    fs::write(linked.join("tests/b"), b"changed in the linked one").unwrap();
    scratch.git_in(&linked, &["add", "."]);
    scratch.git_in(&linked, &["update-index", "--split-index"]);
    let repository = StagedRepository::open(&linked.join("tests"), environment()).unwrap();
    assert_eq!(super::scratch::agreed(&scratch, &repository, &[]), ["tests/b"]);
}

#[test]
fn a_split_index_starts_no_program_of_the_repository() {
    let scratch = changed();
    scratch.git(&["update-index", "--split-index"]);
    let mark = scratch.beside("mark");
    let program = format!("touch {}; false", mark.display());
    for name in
        ["core.fsmonitor", "diff.external", "diff.x.textconv", "diff.x.command", "core.pager", "core.sshCommand"]
    {
        scratch.git(&["config", name, &program]);
    }
    scratch.git(&["config", "diff.orderFile", "/no/such/file"]);
    scratch.git(&["config", "diff.relative", "true"]);
    scratch.git(&["config", "color.ui", "always"]);
    scratch.write(".git/info/attributes", b"* diff=x\n");
    assert_eq!(scratch.staged().len(), 1);
    assert!(!mark.exists());
}

#[test]
fn a_sparse_index_is_left_to_git() {
    let scratch = Scratch::with_commit();
    scratch.git(&["sparse-checkout", "set", "--cone", "--sparse-index", "src/deep/er"]);
    scratch.write("src/deep/er/file.txt", b"changed");
    scratch.git(&["add", "src/deep/er/file.txt"]);
    assert!(matches!(Index::parse(index_of(&scratch)), Err(IndexError::Unsupported(_))));
    assert_eq!(scratch.agreed(), ["src/deep/er/file.txt"]);
}

#[test]
fn a_sparse_checkout_with_a_whole_index() {
    let scratch = Scratch::with_commit();
    scratch.git(&["sparse-checkout", "set", "--cone", "--no-sparse-index", "tests"]);
    scratch.write("tests/a", b"changed");
    scratch.git(&["add", "tests/a"]);
    let index = Index::parse(index_of(&scratch)).unwrap();
    assert!(index.entries().any(|entry| entry.skip_worktree));
    assert_eq!(scratch.agreed(), ["tests/a"]);
}

#[test]
fn without_a_cache_of_trees_and_with_a_wrong_one() {
    let scratch = changed();
    let with_cache = index_of(&scratch);
    assert!(Index::parse(with_cache.clone()).unwrap().cache_tree().is_some());
    let found = memchr::memmem::find(&with_cache, b"TREE").unwrap();
    // Another name for the extension: git leaves out what it does not know in capitals.
    let mut without = with_cache.clone();
    without[found] = b'X';
    fs::write(scratch.root().join(".git/index"), &without).unwrap();
    assert!(Index::parse(without).unwrap().cache_tree().is_none());
    assert_eq!(scratch.staged().len(), 1);
    // Damaged content of the extension.
    let mut damaged = with_cache;
    damaged[found + 8] = b'x';
    damaged[found + 9] = b'x';
    fs::write(scratch.root().join(".git/index"), &damaged).unwrap();
    assert_eq!(scratch.staged().len(), 1);
    // An index that is filled by hand has none.
    scratch.remove(".git/index");
    let listed = scratch.git(&["ls-tree", "-r", "-z", "HEAD"]);
    scratch.git_with_input(&["update-index", "-z", "--index-info"], &listed);
    assert_eq!(scratch.agreed(), Vec::<String>::new());
}

#[test]
fn a_cache_that_speaks_of_other_entries_is_not_believed() {
    let scratch = Scratch::with_commit();
    scratch.write("tests/a", b"changed");
    scratch.git(&["add", "tests/a"]);
    let mut index = index_of(&scratch);
    // The folder before it claims one entry more, which is the changed one.
    let src = memchr::memmem::find(&index, b"src\x003 1\n").unwrap();
    index[src + 4] = b'4';
    fs::write(scratch.root().join(".git/index"), &index).unwrap();
    let staged = scratch.staged();
    assert_eq!(staged.len(), 1);
    assert_eq!(staged[0].path, b"tests/a");
}

#[test]
fn unchanged_folders_are_not_read() {
    let scratch = changed();
    // A folder whose tree is gone: the list can only be made without it.
    let tree = String::from_utf8(scratch.git(&["rev-parse", "HEAD:tests"])).unwrap();
    scratch.remove(&format!(".git/objects/{}/{}", &tree[..2], tree[2..].trim()));
    assert_eq!(scratch.staged().len(), 1);
}

#[test]
fn ten_thousand_files_of_which_one_is_staged() {
    let scratch = Scratch::new();
    let blob = scratch.blob(b"content");
    let lines: String =
        (0..10_000).map(|file| format!("100644 {blob}\td{:02}/e{:02}/f{file}\n", file % 100, file % 7)).collect();
    scratch.git_with_input(&["update-index", "--add", "--index-info"], lines.as_bytes());
    scratch.git(&["commit", "--quiet", "-m", "many"]);
    let changed = scratch.blob(b"changed");
    scratch.git(&["update-index", "--cacheinfo", &format!("100644,{changed},d42/e00/f42")]);
    let index = Index::parse(index_of(&scratch)).unwrap();
    assert_eq!(index.len(), 10_000);
    assert_eq!(scratch.agreed(), ["d42/e00/f42"]);
}

#[test]
fn forms_of_repositories_that_cannot_be_read_are_errors() {
    for (option, word) in [("--object-format=sha256", "sha256"), ("--ref-format=reftable", "refstorage")] {
        let scratch = Scratch::new();
        let folder = scratch.beside("other");
        scratch.git(&["init", "--quiet", option, folder.to_str().unwrap()]);
        fs::write(folder.join("a"), b"one").unwrap();
        scratch.git_in(&folder, &["add", "."]);
        let opened = StagedRepository::open(&folder, environment());
        let error = opened.and_then(|repository| staged(&repository)).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
}
