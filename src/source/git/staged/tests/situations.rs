//! What people stage.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::super::{StagedEnvironment, StagedRepository, staged};
use super::scratch::{Scratch, agreed, environment, id};
use crate::error::Error;
use crate::source::git::object::UnreadReason;

#[test]
fn nothing_staged_is_an_empty_list() {
    let scratch = Scratch::with_commit();
    assert_eq!(scratch.agreed(), Vec::<String>::new());
    assert_eq!(Scratch::new().agreed(), Vec::<String>::new());
}

#[test]
fn the_first_commit_is_all_new() {
    let scratch = Scratch::new();
    scratch.write("a", b"one");
    scratch.write("folder/b", b"two");
    scratch.git(&["add", "."]);
    assert_eq!(scratch.agreed(), ["a", "folder/b"]);
    assert!(scratch.staged().iter().all(|blob| blob.before.is_empty()));
}

#[test]
fn what_is_staged_counts_although_the_work_tree_is_clean_again() {
    let scratch = Scratch::with_commit();
    let before = fs::read(scratch.root().join("src/main.rs")).unwrap();
    scratch.write("src/main.rs", b"staged");
    scratch.git(&["add", "src/main.rs"]);
    scratch.write("src/main.rs", &before);
    assert_eq!(scratch.agreed(), ["src/main.rs"]);
    let blob = &scratch.staged()[0];
    assert_eq!(scratch.open().read_blob(blob.id, 100).unwrap(), b"staged");
    assert_eq!(scratch.open().read_blob(blob.before[0], 1000).unwrap(), before);
}

#[test]
fn a_dirty_work_tree_does_not_count() {
    let scratch = Scratch::with_commit();
    scratch.write("readme", b"not staged");
    scratch.write("untracked", b"not staged");
    assert_eq!(scratch.agreed(), Vec::<String>::new());
}

#[test]
fn half_of_a_file_is_read_as_half() {
    let scratch = Scratch::with_commit();
    let old = fs::read_to_string(scratch.root().join("z")).unwrap();
    scratch.write("z", format!("first\n{old}").as_bytes());
    let half = scratch.git(&["diff"]);
    scratch.write("z", format!("first\n{old}last\n").as_bytes());
    scratch.git_with_input(&["apply", "--cached", "-"], &half);
    assert_eq!(scratch.agreed(), ["z"]);
    let staged = scratch.staged();
    assert_eq!(scratch.open().read_blob(staged[0].id, 1000).unwrap(), format!("first\n{old}").as_bytes());
}

#[test]
fn a_file_that_only_the_index_has() {
    let scratch = Scratch::with_commit();
    let blob = scratch.blob(b"never in the work tree");
    scratch.git(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},src/deep/new")]);
    assert_eq!(scratch.agreed(), ["src/deep/new"]);
    assert_eq!(scratch.staged()[0].id, id(&blob));
}

#[test]
fn a_subfolder_and_a_relative_start_see_the_whole_index() {
    let scratch = Scratch::with_commit();
    scratch.write("tests/a", b"changed");
    scratch.git(&["add", "."]);
    let repository = StagedRepository::open(&scratch.root().join("src/deep"), environment()).unwrap();
    assert_eq!(agreed(&scratch, &repository, &[]), ["tests/a"]);
    assert_eq!(repository.work_tree(), scratch.root());
}

#[test]
fn a_rename_with_an_edit_and_one_without() {
    let scratch = Scratch::with_commit();
    scratch.git(&["mv", "src/main.rs", "src/renamed.rs"]);
    let old = fs::read_to_string(scratch.root().join("src/renamed.rs")).unwrap();
    scratch.write("src/renamed.rs", format!("{old}more\n").as_bytes());
    scratch.git(&["mv", "z", "y"]);
    scratch.git(&["add", "."]);
    assert_eq!(scratch.agreed(), ["src/renamed.rs", "y"]);
}

#[test]
fn attributes_hide_nothing() {
    let scratch = Scratch::with_commit();
    scratch.write(".gitattributes", b"*.rs -diff\n*.txt binary export-ignore\n");
    scratch.write("src/main.rs", b"changed");
    scratch.write("src/deep/other.txt", b"changed");
    scratch.git(&["add", "."]);
    assert_eq!(scratch.agreed(), [".gitattributes", "src/deep/other.txt", "src/main.rs"]);
}

#[test]
fn deletions_are_no_content() {
    let scratch = Scratch::with_commit();
    scratch.git(&["rm", "--quiet", "-r", "src/deep", "z"]);
    assert_eq!(scratch.agreed(), Vec::<String>::new());
    scratch.git(&["rm", "--quiet", "-r", "."]);
    assert_eq!(scratch.agreed(), Vec::<String>::new());
}

#[test]
fn an_index_file_that_was_removed_deletes_everything() {
    let scratch = Scratch::with_commit();
    scratch.remove(".git/index");
    assert_eq!(scratch.agreed(), Vec::<String>::new());
}

#[test]
fn a_file_that_was_only_announced_has_no_content() {
    let scratch = Scratch::with_commit();
    scratch.write("src/announced", b"later");
    scratch.write("src/added", b"now");
    scratch.git(&["add", "--intent-to-add", "src/announced"]);
    scratch.git(&["add", "src/added"]);
    assert_eq!(scratch.agreed(), ["src/added"]);
}

#[test]
fn a_change_of_the_executable_bit_is_no_content() {
    let scratch = Scratch::with_commit();
    let file = scratch.root().join("tests/a");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    scratch.git(&["add", "."]);
    assert_eq!(scratch.agreed(), Vec::<String>::new());
    scratch.write("tests/a", b"changed too");
    scratch.git(&["add", "."]);
    assert_eq!(scratch.agreed(), ["tests/a"]);
    assert_eq!(scratch.staged()[0].mode, 0o100_755);
}

#[test]
fn a_symbolic_link_that_becomes_a_file_and_the_reverse() {
    let scratch = Scratch::with_commit();
    scratch.link("readme", "link");
    scratch.git(&["add", "."]);
    assert_eq!(scratch.agreed(), ["link"]);
    scratch.git(&["commit", "--quiet", "-m", "link"]);
    scratch.remove("link");
    scratch.write("link", b"a file now");
    scratch.remove("z");
    scratch.link("somewhere else", "z");
    scratch.git(&["add", "."]);
    assert_eq!(scratch.agreed(), ["link", "z"]);
    let link = scratch.staged().remove(1);
    assert_eq!((link.mode, link.before.len()), (0o120_000, 1));
    assert_eq!(scratch.open().read_blob(link.id, 100).unwrap(), b"somewhere else");
}

#[test]
fn a_file_that_becomes_a_folder_and_the_reverse() {
    let scratch = Scratch::with_commit();
    scratch.remove("z");
    scratch.write("z/inner", b"in a folder");
    fs::remove_dir_all(scratch.root().join("src/deep")).unwrap();
    scratch.write("src/deep", b"a file");
    scratch.git(&["add", "--all", "."]);
    assert_eq!(scratch.agreed(), ["src/deep", "z/inner"]);
    assert!(scratch.staged().iter().all(|blob| blob.before.is_empty()));
}

#[test]
fn names_that_sort_around_the_slash() {
    let scratch = Scratch::with_commit();
    for path in ["a", "a.b", "a-", "a0", "c/x", "c.d", "c-/y", "c0/z"] {
        scratch.write(path, b"one");
    }
    scratch.git(&["add", "."]);
    scratch.git(&["commit", "--quiet", "-m", "names"]);
    for path in ["a.b", "c.d", "c0/z", "c-/new", "c/x0"] {
        scratch.write(path, b"two");
    }
    scratch.git(&["add", "."]);
    assert_eq!(scratch.agreed(), ["a.b", "c-/new", "c.d", "c/x0", "c0/z"]);
}

#[test]
fn a_path_that_is_not_utf_8_is_kept() {
    let scratch = Scratch::with_commit();
    let blob = scratch.blob(b"content");
    let line = [format!("100644 {blob}\t").as_bytes(), b"src/\xff\xfe\0"].concat();
    scratch.git_with_input(&["update-index", "--add", "-z", "--index-info"], &line);
    assert_eq!(scratch.staged()[0].path, b"src/\xff\xfe");
}

#[test]
fn submodules_are_not_content() {
    let inner = Scratch::with_commit();
    let scratch = Scratch::with_commit();
    scratch.git(&["submodule", "--quiet", "add", inner.root().to_str().unwrap(), "modules/inner"]);
    assert_eq!(scratch.agreed(), [".gitmodules"]);
    scratch.git(&["commit", "--quiet", "-m", "module"]);
    let module = scratch.root().join("modules/inner");
    fs::write(module.join("new"), b"in the module").unwrap();
    scratch.git_in(&module, &["add", "."]);
    let inside = StagedRepository::open(&module, environment()).unwrap();
    assert_eq!(agreed(&scratch, &inside, &[]), ["new"]);
    scratch.git_in(&module, &["commit", "--quiet", "-m", "move on"]);
    scratch.git(&["add", "."]);
    assert_eq!(scratch.agreed(), Vec::<String>::new());
}

#[test]
fn a_submodule_that_becomes_a_file() {
    let inner = Scratch::with_commit();
    let scratch = Scratch::with_commit();
    let commit = String::from_utf8(inner.git(&["rev-parse", "HEAD"])).unwrap();
    scratch.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},module", commit.trim())]);
    scratch.git(&["commit", "--quiet", "-m", "module"]);
    scratch.git(&["rm", "--quiet", "--cached", "module"]);
    scratch.write("module", b"a file");
    scratch.git(&["add", "module"]);
    assert_eq!(scratch.agreed(), ["module"]);
    assert!(scratch.staged()[0].before.is_empty());
}

#[test]
fn a_linked_work_tree_has_its_own_index() {
    let scratch = Scratch::with_commit();
    let linked = scratch.beside("linked");
    scratch.git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    fs::write(linked.join("src/main.rs"), b"changed in the linked one").unwrap();
    scratch.git_in(&linked, &["add", "."]);
    assert_eq!(scratch.agreed(), Vec::<String>::new());
    let repository = StagedRepository::open(&linked.join("src"), environment()).unwrap();
    assert_eq!(agreed(&scratch, &repository, &[]), ["src/main.rs"]);
    assert_eq!(repository.work_tree(), linked);
}

#[test]
fn a_linked_work_tree_of_a_bare_repository() {
    let scratch = Scratch::with_commit();
    let (bare, linked) = (scratch.beside("bare.git"), scratch.beside("linked"));
    scratch.git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    let error = StagedRepository::open(&bare, environment()).unwrap_err();
    assert!(error.to_string().contains("bare"), "{error}");
    scratch.git_in(&bare, &["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    fs::write(linked.join("z"), b"changed").unwrap();
    scratch.git_in(&linked, &["add", "."]);
    let repository = StagedRepository::open(&linked, environment()).unwrap();
    assert_eq!(agreed(&scratch, &repository, &[]), ["z"]);
}

#[test]
fn a_merge_knows_what_each_parent_had() {
    let scratch = Scratch::with_commit();
    scratch.git(&["checkout", "--quiet", "-b", "side"]);
    scratch.write("z", b"from the side");
    scratch.write("tests/side", b"new there");
    scratch.git(&["commit", "--quiet", "-a", "-m", "side"]);
    scratch.git(&["add", "."]);
    scratch.git(&["commit", "--quiet", "-m", "more"]);
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.write("readme", b"from main");
    scratch.git(&["commit", "--quiet", "-a", "-m", "main"]);
    scratch.git(&["merge", "--quiet", "--no-commit", "side"]);
    scratch.write("tests/side", b"edited while merging");
    scratch.git(&["add", "."]);
    assert_eq!(scratch.agreed(), ["tests/side", "z"]);
    let staged = scratch.staged();
    assert_eq!(staged[0].before, [id(&scratch.blob(b"new there"))]);
    let old = id(String::from_utf8(scratch.git(&["rev-parse", "HEAD:z"])).unwrap().trim());
    assert_eq!(staged[1].before, [old, staged[1].id]);
}

#[test]
fn the_sides_of_a_conflict_count() {
    let scratch = Scratch::with_commit();
    scratch.git(&["checkout", "--quiet", "-b", "side"]);
    scratch.write("z", b"theirs");
    scratch.git(&["rm", "--quiet", "readme"]);
    scratch.git(&["commit", "--quiet", "-a", "-m", "side"]);
    scratch.git(&["checkout", "--quiet", "main"]);
    scratch.write("z", b"ours");
    scratch.write("readme", b"kept");
    scratch.git(&["commit", "--quiet", "-a", "-m", "main"]);
    scratch.git_fails(&["merge", "side"]);
    // Of readme the base, of z the base and theirs; ours is in HEAD.
    assert_eq!(scratch.agreed(), ["readme", "z", "z"]);
    let staged = scratch.staged();
    assert_eq!(staged[2].before, [id(&scratch.blob(b"ours")), id(&scratch.blob(b"theirs"))]);
    scratch.git(&["update-index", "--split-index"]);
    assert_eq!(scratch.staged(), staged);
}

#[test]
fn objects_in_quarantine_are_read() {
    let scratch = Scratch::with_commit();
    let quarantine = scratch.root().join(".git/objects/incoming");
    fs::create_dir(&quarantine).unwrap();
    scratch.write("z", b"in quarantine");
    let mut add = super::scratch::command(scratch.root());
    add.env("GIT_OBJECT_DIRECTORY", &quarantine);
    add.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", scratch.root().join(".git/objects"));
    assert!(add.args(["add", "z"]).status().unwrap().success());
    let blob = scratch.staged().remove(0).id;
    let unread = scratch.open().read_blob(blob, 100).unwrap_err();
    assert!(matches!(unread.reason, UnreadReason::Damaged(_)));
    let environment = StagedEnvironment {
        object_directory: Some(".git/objects/incoming".into()),
        alternate_object_directories: vec![".git/objects".into()],
        ..environment()
    };
    let repository = StagedRepository::open(scratch.root(), environment).unwrap();
    assert_eq!(staged(&repository).unwrap()[0].id, blob);
    assert_eq!(repository.read_blob(blob, 100).unwrap(), b"in quarantine");
}

#[test]
fn a_blob_over_the_limit_is_not_read() {
    let scratch = Scratch::with_commit();
    let large = id(&scratch.blob(&[b'x'; 1001]));
    let repository = scratch.open();
    assert_eq!(repository.read_blob(large, 1001).unwrap().len(), 1001);
    let reason = repository.read_blob(large, 1000).unwrap_err().reason;
    assert_eq!(reason, UnreadReason::TooLarge { size: 1001 });
    let tree = id(String::from_utf8(scratch.git(&["rev-parse", "HEAD^{tree}"])).unwrap().trim());
    assert!(matches!(repository.read_blob(tree, 1000).unwrap_err().reason, UnreadReason::Damaged(_)));
}

#[test]
fn what_is_no_repository_is_an_error() {
    let scratch = Scratch::new();
    let error = StagedRepository::open(scratch.outside(), environment()).unwrap_err();
    assert!(matches!(&error, Error::Repository { reason, .. } if reason.contains("git repository")), "{error}");
}

#[test]
fn a_named_index_that_is_missing_is_an_error() {
    let scratch = Scratch::with_commit();
    let environment = StagedEnvironment { index_file: Some(".git/no-such-index".into()), ..environment() };
    let repository = StagedRepository::open(scratch.root(), environment).unwrap();
    assert!(matches!(staged(&repository), Err(Error::Io { .. })));
}

#[test]
fn damage_is_an_error_and_never_a_shorter_list() {
    let scratch = Scratch::with_commit();
    scratch.write("z", b"changed");
    scratch.git(&["add", "."]);
    let index = fs::read(scratch.root().join(".git/index")).unwrap();
    fs::write(scratch.root().join(".git/index"), &index[..index.len() / 2]).unwrap();
    assert!(matches!(staged(&scratch.open()), Err(Error::Repository { .. })));
    fs::write(scratch.root().join(".git/index"), b"").unwrap();
    assert!(matches!(staged(&scratch.open()), Err(Error::Repository { .. })));
    fs::write(scratch.root().join(".git/index"), &index).unwrap();
    fs::write(scratch.root().join(".git/MERGE_HEAD"), b"not an id\n").unwrap();
    assert!(matches!(staged(&scratch.open()), Err(Error::Repository { .. })));
    scratch.remove(".git/MERGE_HEAD");
    fs::rename(scratch.root().join(".git/index"), scratch.root().join(".git/elsewhere")).unwrap();
    fs::create_dir(scratch.root().join(".git/index")).unwrap();
    assert!(matches!(staged(&scratch.open()), Err(Error::Io { .. })));
    fs::remove_dir(scratch.root().join(".git/index")).unwrap();
    fs::rename(scratch.root().join(".git/elsewhere"), scratch.root().join(".git/index")).unwrap();
    fs::write(scratch.root().join(".git/HEAD"), b"nonsense\n").unwrap();
    let opened = StagedRepository::open(scratch.root(), environment());
    assert!(opened.and_then(|repository| staged(&repository)).is_err());
}

#[test]
fn nothing_of_a_pack_is_read_but_what_is_needed() {
    let scratch = Scratch::with_commit();
    scratch.git(&["repack", "--quiet", "-a", "-d"]);
    scratch.write("src/deep/other.txt", b"changed");
    scratch.git(&["add", "."]);
    let repository = scratch.open();
    assert_eq!(staged(&repository).unwrap().len(), 1);
    assert_eq!(repository.objects.packs.len(), 1);
    let walked = repository.objects.packs.iter().any(|pack| pack.forest.get().is_some());
    assert!(!walked, "the headers of a whole pack were read");
}

#[test]
fn a_missing_or_damaged_tree_is_an_error() {
    let scratch = Scratch::with_commit();
    scratch.write("src/deep/other.txt", b"changed");
    scratch.git(&["add", "."]);
    let tree = String::from_utf8(scratch.git(&["rev-parse", "HEAD:src"])).unwrap();
    let file = format!(".git/objects/{}/{}", &tree[..2], tree[2..].trim());
    let whole = fs::read(scratch.root().join(&file)).unwrap();
    store_loose(&scratch, tree.trim(), &whole[..whole.len() / 2]);
    assert!(matches!(staged(&scratch.open()), Err(Error::Repository { .. })));
    scratch.remove(&file);
    assert!(matches!(staged(&scratch.open()), Err(Error::Repository { .. })));
}

#[test]
fn packed_objects_are_read() {
    let scratch = Scratch::with_commit();
    scratch.write("src/deep/other.txt", b"changed");
    scratch.git(&["add", "."]);
    scratch.git(&["repack", "--quiet", "-a", "-d"]);
    scratch.git(&["prune-packed"]);
    assert_eq!(scratch.agreed(), ["src/deep/other.txt"]);
    let blob = scratch.staged().remove(0);
    let repository = scratch.open();
    assert_eq!(repository.read_blob(blob.before[0], 1000).unwrap(), b"content of src/deep/other.txt\n".repeat(5));
    assert_eq!(repository.read_blob(blob.before[0], 10).unwrap_err().reason, UnreadReason::TooLarge { size: 150 });
}

#[test]
fn objects_of_a_shared_clone_are_read() {
    let scratch = Scratch::with_commit();
    let shared = scratch.beside("shared");
    scratch.git(&["clone", "--quiet", "--shared", ".", shared.to_str().unwrap()]);
    fs::write(shared.join("tests/a"), b"changed").unwrap();
    scratch.git_in(&shared, &["add", "."]);
    let repository = StagedRepository::open(&shared, environment()).unwrap();
    assert_eq!(agreed(&scratch, &repository, &[]), ["tests/a"]);
}

#[test]
fn a_repository_of_another_user_is_refused() {
    if !rustix::process::geteuid().is_root() {
        return; // Only root can give a folder away.
    }
    let scratch = Scratch::with_commit();
    std::os::unix::fs::chown(scratch.root().join(".git"), Some(4321), Some(4321)).unwrap();
    std::os::unix::fs::chown(scratch.root(), Some(4321), Some(4321)).unwrap();
    let error = StagedRepository::open(scratch.root(), environment()).unwrap_err();
    assert!(error.to_string().contains("safe.directory"), "{error}");
}

/// Stores bytes as the loose object of an id, whatever they are.
fn store_loose(scratch: &Scratch, id: &str, bytes: &[u8]) {
    let file = format!(".git/objects/{}/{}", &id[..2], &id[2..]);
    if scratch.root().join(&file).exists() {
        scratch.remove(&file);
    }
    scratch.write(&file, bytes);
}

#[test]
fn damaged_loose_blobs_are_refused_and_nothing_hangs() {
    let scratch = Scratch::with_commit();
    // Bytes that do not compress, so that every cut takes something away.
    let content: Vec<u8> =
        (0..20_000_u32).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let name = scratch.blob(&content);
    let whole = fs::read(scratch.root().join(format!(".git/objects/{}/{}", &name[..2], &name[2..]))).unwrap();
    assert_eq!(scratch.open().read_blob(id(&name), 1 << 20).unwrap(), content);
    for length in [0, 1, 2, 10, 40, 100, whole.len() / 2, whole.len() - 30] {
        store_loose(&scratch, &name, &whole[..length]);
        let unread = scratch.open().read_blob(id(&name), 1 << 20);
        assert!(matches!(unread.unwrap_err().reason, UnreadReason::Damaged(_)), "cut to {length} bytes");
    }
    for (header, content) in [("blob 3\0", &content[..]), ("blob 999999\0", b"abc"), ("blob 281474976710656\0", b"abc")]
    {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, &[header.as_bytes(), content].concat()).unwrap();
        store_loose(&scratch, &name, &encoder.finish().unwrap());
        assert!(scratch.open().read_blob(id(&name), 1 << 20).is_err(), "{header}");
    }
}

#[test]
fn a_malformed_tree_is_an_error() {
    let scratch = Scratch::with_commit();
    scratch.write("src/main.rs", b"changed");
    scratch.git(&["add", "."]);
    let tree = String::from_utf8(scratch.git(&["rev-parse", "HEAD:src"])).unwrap();
    for body in ["100644", "100644 name", "100644 name\0too short", "no end of the mode"] {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, format!("tree {}\0{body}", body.len()).as_bytes()).unwrap();
        store_loose(&scratch, tree.trim(), &encoder.finish().unwrap());
        let error = staged(&scratch.open()).unwrap_err();
        assert!(error.to_string().contains("malformed"), "{error}");
    }
}

#[test]
fn a_pipe_in_the_place_of_a_file_does_not_hang() {
    let scratch = Scratch::with_commit();
    let name = scratch.blob(b"a blob whose file is a pipe");
    for file in [format!(".git/objects/{}/{}", &name[..2], &name[2..]), ".git/index".to_owned()] {
        scratch.remove(&file);
        let made = std::process::Command::new("mkfifo").arg(scratch.root().join(&file)).status().unwrap();
        assert!(made.success());
    }
    assert!(matches!(staged(&scratch.open()), Err(Error::Io { .. })));
    assert!(matches!(scratch.open().read_blob(id(&name), 100).unwrap_err().reason, UnreadReason::Damaged(_)));
}
