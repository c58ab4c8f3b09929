//! A walk against libgit2: the same objects, kinds and bytes, whatever the stores and the threads.

use crate::source::git::fixtures::{Seen, assert_equals_libgit2, git, history, open, packs, repack, walk};
use crate::source::git::object::{ObjectId, ObjectKind};
use crate::source::git::objects::{ALL_KINDS, Limits, Objects};

#[test]
fn long_chains_and_loose_objects_are_read_as_libgit2_reads_them() {
    let folder = tempfile::tempdir().expect("a folder");
    history(folder.path(), 300, 1);
    repack(folder.path());
    std::fs::write(folder.path().join("loose"), "in no pack\n").expect("a file");
    std::fs::write(folder.path().join("empty"), "").expect("a file");
    git(folder.path(), &["add", "loose", "empty"]);
    git(folder.path(), &["commit", "--quiet", "--message", "loose objects"]);
    let one = assert_equals_libgit2(folder.path(), &open(folder.path()), 1);
    let four = assert_equals_libgit2(folder.path(), &open(folder.path()), 4);
    assert_eq!(one.objects, four.objects);
    let inherited: usize = one.objects.values().map(|seen| seen.inherited_bytes).sum();
    let total: usize = one.objects.values().map(|seen| seen.data.len()).sum();
    assert!(inherited * 10 > total * 9, "{inherited} of {total} bytes are inherited");
}

#[test]
fn without_room_on_the_stack_the_objects_are_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    history(folder.path(), 200, 6);
    repack(folder.path());
    let limits = Limits { max_stack_bytes: 1, ..Limits::default() };
    let objects = Objects::open(&folder.path().join(".git/objects"), &[], limits).expect("objects");
    let narrow = assert_equals_libgit2(folder.path(), &objects, 2).objects;
    let wide = walk(&open(folder.path()), &ALL_KINDS, 2).objects;
    let without_base = |seen: &&Seen| seen.inherited_bytes == 0;
    assert!(narrow.values().filter(without_base).count() > wide.values().filter(without_base).count());
}

#[test]
fn only_the_kinds_asked_for_are_handed_out() {
    let folder = tempfile::tempdir().expect("a folder");
    history(folder.path(), 20, 2);
    let all = walk(&open(folder.path()), &ALL_KINDS, 2).objects;
    for kind in ALL_KINDS {
        let some = walk(&open(folder.path()), &[kind], 2);
        assert_eq!(some.unread, Vec::new());
        let expected = all.iter().filter(|(_, seen)| seen.kind == kind).count();
        assert!(expected > 0);
        assert_eq!(some.objects.len(), expected, "{kind:?}");
    }
}

#[test]
fn what_several_packs_and_alternates_share_is_handed_out_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    history(&first, 60, 3);
    repack(&first);
    let source = first.display().to_string();
    git(folder.path(), &["clone", "--quiet", "--shared", &source, "second"]);
    std::fs::write(second.join("more"), "of the second alone\n").expect("a file");
    git(&second, &["add", "more"]);
    git(&second, &["commit", "--quiet", "--message", "more"]);
    // Without --local the second repository's pack takes in everything that it reads from the first.
    git(&second, &["repack", "-a", "--quiet"]);
    git(&second, &["commit", "--quiet", "--allow-empty", "--message", "loose"]);
    assert_eq!((packs(&first).len(), packs(&second).len()), (1, 1));
    let objects = open(&second);
    assert_eq!(objects.unopened(), []);
    let walked = assert_equals_libgit2(&second, &objects, 2);
    let stored: usize = objects.packs.iter().map(|pack| pack.index.count()).sum();
    assert!(stored > walked.objects.len() * 3 / 2, "both packs are open");
}

#[test]
fn single_objects_are_read_found_and_told_apart_from_missing_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    history(folder.path(), 200, 4);
    repack(folder.path());
    std::fs::write(folder.path().join("loose"), "in no pack\n").expect("a file");
    git(folder.path(), &["add", "loose"]);
    let objects = open(folder.path());
    for (id, seen) in walk(&objects, &ALL_KINDS, 2).objects {
        assert!(objects.contains(&id));
        assert_eq!(objects.kind(&id), Some(seen.kind));
        assert_eq!(objects.read(&id), Ok(Some((seen.kind, seen.data))));
    }
    let missing = ObjectId([7; 20]);
    assert!(!objects.contains(&missing));
    assert_eq!(objects.read(&missing), Ok(None));
    assert_eq!(objects.kind(&missing), None);
}

#[test]
fn a_repository_of_long_ids_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    git(folder.path(), &["init", "--quiet", "--object-format=sha256"]);
    let error = Objects::open(&folder.path().join(".git/objects"), &[], Limits::default()).expect_err("long ids");
    assert!(error.to_string().contains("SHA-256"), "{error}");
    // The packs tell as well, where the configuration was lost.
    std::fs::write(folder.path().join("file"), "content\n").expect("a file");
    git(folder.path(), &["add", "file"]);
    git(folder.path(), &["commit", "--quiet", "--message", "one"]);
    git(folder.path(), &["repack", "-a", "--quiet"]);
    std::fs::write(folder.path().join(".git/config"), "").expect("a file");
    let error = Objects::open(&folder.path().join(".git/objects"), &[], Limits::default()).expect_err("long ids");
    assert!(error.to_string().contains("SHA-256"), "{error}");
}

#[test]
fn trees_that_a_limit_refuses_are_told_of_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    history(folder.path(), 40, 5);
    repack(folder.path());
    let limits = Limits { max_object_bytes: 1000, ..Limits::default() };
    let objects = Objects::open(&folder.path().join(".git/objects"), &[], limits).expect("objects");
    let walked = walk(&objects, &[ObjectKind::Blob, ObjectKind::Commit], 2);
    assert!(walked.objects.values().all(|seen| seen.kind == ObjectKind::Commit));
    assert_eq!((walked.objects.len(), walked.unread.len()), (40, 120));
}
