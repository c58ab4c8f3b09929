//! Tests of the reader on files that are built here byte by byte; those that git writes are in the tests of
//! [`crate::source::git::staged`].

use proptest::prelude::*;

use super::*;

/// An entry to be written.
#[derive(Clone)]
struct Written {
    path: Vec<u8>,
    mode: u32,
    flags: u16,
    more_flags: u16,
}

fn file(path: &str) -> Written {
    Written { path: path.as_bytes().to_vec(), mode: 0o100_644, flags: 0, more_flags: 0 }
}

fn files(paths: &[&str]) -> Vec<Written> {
    paths.iter().map(|path| file(path)).collect()
}

fn write(version: u32, entries: &[Written], extensions: &[u8]) -> Vec<u8> {
    let mut data = b"DIRC".to_vec();
    data.extend(version.to_be_bytes());
    data.extend((entries.len() as u32).to_be_bytes());
    let mut previous: &[u8] = &[];
    for (number, entry) in entries.iter().enumerate() {
        let start = data.len();
        data.extend([0; MODE_OFFSET]);
        data.extend(entry.mode.to_be_bytes());
        data.extend([0; 12]);
        data.extend([number as u8; 20]);
        let extended = if entry.more_flags == 0 { 0 } else { EXTENDED };
        data.extend((entry.flags | extended | entry.path.len().min(0xfff) as u16).to_be_bytes());
        if entry.more_flags != 0 {
            data.extend(entry.more_flags.to_be_bytes());
        }
        if version == 4 {
            let shared = previous.iter().zip(&entry.path).take_while(|(one, other)| one == other).count();
            data.extend(written_number(previous.len() - shared));
            data.extend(&entry.path[shared..]);
            data.push(0);
        } else {
            data.extend(&entry.path);
            let filled = (data.len() - start) / 8 * 8 + 8;
            data.resize(start + filled, 0);
        }
        previous = &entry.path;
    }
    data.extend(extensions);
    data.extend([7; TRAILER_LENGTH]);
    data
}

/// The opposite of [`offset_number`].
fn written_number(mut number: usize) -> Vec<u8> {
    let mut bytes = vec![(number & 0x7f) as u8];
    while number >> 7 != 0 {
        number = (number >> 7) - 1;
        bytes.insert(0, (number & 0x7f) as u8 | 0x80);
    }
    bytes
}

fn extension(name: &[u8], content: &[u8]) -> Vec<u8> {
    [name, &(content.len() as u32).to_be_bytes(), content].concat()
}

fn paths(index: &Index) -> Vec<String> {
    (0..index.len()).map(|position| String::from_utf8(index.path(position).to_vec()).unwrap()).collect()
}

fn is_malformed(data: Vec<u8>) -> bool {
    matches!(Index::parse(data), Err(IndexError::Malformed { .. }))
}

fn is_unsupported(data: Vec<u8>) -> bool {
    matches!(Index::parse(data), Err(IndexError::Unsupported(_)))
}

#[test]
fn reads_every_field() {
    let mut entries = files(&["a", "b/c", "b/d", "e"]);
    entries[0].flags = ASSUME_VALID;
    entries[1] = Written { mode: 0o120_000, more_flags: INTENT_TO_ADD, ..file("b/c") };
    entries[2] = Written { mode: 0o160_000, more_flags: SKIP_WORKTREE, ..file("b/d") };
    entries[3] = Written { mode: 0o100_755, flags: 2 << 12, ..file("e") };
    for version in [3, 4] {
        let index = Index::parse(write(version, &entries, b"")).unwrap();
        let read: Vec<Entry<'_>> = index.entries().collect();
        assert_eq!(paths(&index), ["a", "b/c", "b/d", "e"]);
        assert_eq!(read.iter().map(|entry| entry.id.0[0]).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!(read.iter().map(|entry| entry.stage).collect::<Vec<_>>(), [0, 0, 0, 2]);
        assert_eq!(read.iter().map(|entry| entry.assume_valid).collect::<Vec<_>>(), [true, false, false, false]);
        assert_eq!(read.iter().map(|entry| entry.intent_to_add).collect::<Vec<_>>(), [false, true, false, false]);
        assert_eq!(read.iter().map(|entry| entry.skip_worktree).collect::<Vec<_>>(), [false, false, true, false]);
        let kinds = [EntryKind::File, EntryKind::Symlink, EntryKind::Gitlink, EntryKind::File];
        assert_eq!(read.iter().map(|entry| entry.kind).collect::<Vec<_>>(), kinds);
        assert_eq!(read[3].mode, 0o100_755);
    }
}

#[test]
fn paths_of_any_length_are_read() {
    let longest: Vec<String> = (0..300).chain(4090..4100).map(|length| format!("p{}", "x".repeat(length))).collect();
    let longest: Vec<&str> = longest.iter().map(String::as_str).collect();
    for version in [2, 4] {
        let index = Index::parse(write(version, &files(&longest), b"")).unwrap();
        assert_eq!(paths(&index), longest);
    }
}

#[test]
fn a_path_may_shrink_by_more_than_one_byte_can_say() {
    let long = "a".repeat(70_000);
    let index = Index::parse(write(4, &files(&[&long, "b", "bc"]), b"")).unwrap();
    assert_eq!(paths(&index), [long.as_str(), "b", "bc"]);
}

#[test]
fn every_cut_is_an_error_or_changes_no_entry() {
    let extensions = [extension(b"TREE", b"\x00-1 0\n"), extension(b"XTRA", b"something")].concat();
    for version in [2, 4] {
        let whole = write(version, &files(&["a", "b/c", "d"]), &extensions);
        let expected = paths(&Index::parse(whole.clone()).unwrap());
        let mut errors = 0;
        for length in 0..whole.len() {
            match Index::parse(whole[..length].to_vec()) {
                Ok(index) => assert_eq!(paths(&index), expected),
                Err(_) => errors += 1,
            }
        }
        // What is left where an extension ends cannot be told from a whole file.
        assert_eq!(errors, whole.len() - 2);
    }
}

#[test]
fn what_contradicts_itself_is_malformed() {
    assert!(is_malformed(b"".to_vec()));
    assert!(is_malformed([b"PACK".as_slice(), &[0; 40]].concat()));
    let one = write(2, &files(&["a"]), b"");
    let mut more = one.clone();
    more[8..12].copy_from_slice(&u32::MAX.to_be_bytes());
    assert!(is_malformed(more));
    let mut longer_path = one.clone();
    longer_path[HEADER_LENGTH + FLAGS_OFFSET + 1] = 2;
    assert!(is_malformed(longer_path));
    assert!(is_malformed(write(2, &files(&["b", "a"]), b"")));
    assert!(is_malformed(write(2, &files(&["a", "a"]), b"")));
    assert!(is_malformed(write(2, &files(&[""]), b"")));
    assert!(is_malformed(write(2, &[Written { mode: 0o040_000, ..file("folder/") }], b"")));
    assert!(is_malformed(write(2, &files(&["a"]), b"XTRA\x00\x00\x00\x05abcd")));
    assert!(is_malformed(write(2, &files(&["a"]), b"XT")));
}

#[test]
fn a_conflict_has_a_path_several_times() {
    let sides: Vec<Written> = (1..4).map(|stage| Written { flags: stage << 12, ..file("a") }).collect();
    let index = Index::parse(write(2, &sides, b"")).unwrap();
    assert_eq!(index.entries().map(|entry| entry.stage).collect::<Vec<_>>(), [1, 2, 3]);
    let backwards: Vec<Written> = sides.into_iter().rev().collect();
    assert!(is_malformed(write(2, &backwards, b"")));
}

#[test]
fn a_shared_part_longer_than_the_path_before_is_malformed() {
    let mut data = write(4, &files(&["a"]), b"");
    let removed = HEADER_LENGTH + FIXED_LENGTH;
    assert_eq!(data[removed], 0);
    data[removed] = 1;
    assert!(is_malformed(data.clone()));
    // A number without an end, and one that fits no machine word.
    data.splice(removed..removed, [0xff; 64]);
    assert!(is_malformed(data));
}

#[test]
fn forms_that_git_must_read_are_said_to_be_so() {
    let entries = files(&["a"]);
    assert!(is_unsupported(write(5, &entries, b"")));
    assert!(is_unsupported(write(2, &entries, &extension(b"link", &[0; 20]))));
    assert!(is_unsupported(write(2, &entries, &extension(b"sdir", b""))));
    assert!(is_unsupported(write(2, &entries, &extension(b"what", b"ever"))));
    assert!(is_unsupported(write(3, &[Written { more_flags: 1, ..file("a") }], b"")));
    assert!(Index::parse(write(2, &entries, &extension(b"WHAT", b"ever"))).is_ok());
    // What a split or sparse index has besides is no damage.
    assert!(is_unsupported(write(2, &files(&["", "", "b", "a"]), &extension(b"link", &[0; 20]))));
    assert!(is_unsupported(write(2, &[Written { mode: 0o040_000, ..file("f/") }], &extension(b"sdir", b""))));
}

fn tree_of(content: &[u8]) -> Option<CacheTree> {
    Index::parse(write(2, &files(&["a"]), &extension(b"TREE", content))).unwrap().cache_tree
}

#[test]
fn reads_the_cache_of_trees() {
    let id = [9; 20];
    let content =
        [b"\x00-1 3\n".as_slice(), b"b\x004 1\n", &id, b"inner\x002 0\n", &id, b"a\x00-1 0\n", b"long\x001 0\n", &id]
            .concat();
    let tree = tree_of(&content).unwrap();
    assert_eq!(tree.unchanged(CacheTree::ROOT), None);
    let children = tree.children(CacheTree::ROOT);
    assert_eq!(children.iter().map(|(name, _)| *name).collect::<Vec<_>>(), [b"a".as_slice(), b"b", b"long"]);
    assert_eq!(tree.unchanged(children[0].1), None);
    assert_eq!(tree.unchanged(children[1].1), Some((4, ObjectId(id))));
    assert_eq!(tree.unchanged(children[2].1), Some((1, ObjectId(id))));
    let inner = tree.children(children[1].1);
    assert_eq!(
        (inner.len(), inner[0].0, tree.unchanged(inner[0].1)),
        (1, b"inner".as_slice(), Some((2, ObjectId(id))))
    );
    assert!(tree.children(children[2].1).is_empty());
}

#[test]
fn a_damaged_cache_of_trees_is_left_out() {
    assert!(tree_of(b"\x00-1 0\n").is_some());
    let long_id = [b"\x001 0\n".as_slice(), &[1; 19]].concat();
    for content in [
        b"".as_slice(),
        b"\x00-1 0",
        b"\x00-1 1\n",
        b"\x00-1 0\nmore",
        b"\x00x 0\n",
        b"\x001 -1\n",
        b"\x00-1 99999999999\n",
        &long_id,
    ] {
        assert!(tree_of(content).is_none(), "{}", content.escape_ascii());
    }
    assert!(tree_of(&b"d\x00-1 1\n".repeat(200_000)).is_none());
}

#[test]
fn a_cache_of_trees_may_be_deeper_than_the_stack() {
    let content = [b"d\x00-1 1\n".repeat(200_000).as_slice(), b"d\x00-1 0\n"].concat();
    let tree = tree_of(&content).unwrap();
    let mut node = CacheTree::ROOT;
    let mut depth = 0;
    while let Some(&(_, child)) = tree.children(node).first() {
        node = child;
        depth += 1;
    }
    assert_eq!(depth, 200_000);
}

proptest! {
    #[test]
    fn changed_bytes_never_panic(
        version in 2..5_u32,
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let extensions = extension(b"TREE", &[b"\x00-1 1\nb\x001 0\n".as_slice(), &[1; 20]].concat());
        let mut entries = files(&["a", "b/c", "b/cd", "d"]);
        entries[3].more_flags = if version == 2 { 0 } else { SKIP_WORKTREE };
        let mut data = write(version, &entries, &extensions);
        for (place, byte) in changes {
            let place = place.index(data.len());
            data[place] = byte;
        }
        if let Ok(index) = Index::parse(data) {
            prop_assert_eq!(index.entries().count(), index.len());
            prop_assert!((1..index.len()).all(|next| index.path(next - 1) <= index.path(next)));
            if let Some(tree) = index.cache_tree() {
                tree.children(CacheTree::ROOT);
            }
        }
    }

    #[test]
    fn version_4_unfolds_what_version_2_says(names in proptest::collection::btree_set("[ab]{1,3}(/[ab]{1,200})?", 1..20)) {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let plain = Index::parse(write(2, &files(&names), b"")).unwrap();
        let folded = Index::parse(write(4, &files(&names), b"")).unwrap();
        prop_assert!(plain.entries().eq(folded.entries()));
    }
}
