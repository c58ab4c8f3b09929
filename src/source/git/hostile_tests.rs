//! Packs that lie, loop or are damaged: nothing panics, hangs or takes memory without bound, each fault is told of, and
//! everything else is handed out.

use std::path::Path;

use crate::source::git::fixtures::{Numbers, Walked, git, history, open, packs, repack, walk};
use crate::source::git::object::{ObjectId, ObjectKind, Unread, UnreadReason};
use crate::source::git::objects::{ALL_KINDS, Limits, Objects};
use crate::source::git::pack_builder::{Base, PackBuilder, compressed, copy, delta, id, insert};

fn objects(folder: &Path) -> Objects {
    Objects::open(&folder.join("objects"), &[], Limits::default()).expect("objects")
}

fn walk_blobs(folder: &Path) -> Walked {
    walk(&objects(folder), &[ObjectKind::Blob], 2)
}

/// Returns what is told of an object.
fn reason(walked: &Walked, number: u32) -> &UnreadReason {
    let told: Vec<&Unread> = walked.unread.iter().filter(|unread| unread.id == Some(id(number))).collect();
    assert_eq!(told.len(), 1, "told of once: {:?}", walked.unread);
    &told[0].reason
}

fn assert_damaged(walked: &Walked, number: u32, how: &str) {
    match reason(walked, number) {
        UnreadReason::Damaged(told) => assert!(told.contains(how), "{told}"),
        other => panic!("{other:?}"),
    }
}

fn data(walked: &Walked, number: u32) -> &[u8] {
    &walked.objects[&id(number)].data
}

#[test]
fn declared_sizes_over_the_limit_are_told_of_and_the_rest_is_handed_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut pack = PackBuilder::new();
    pack.blob(id(1), b"before");
    let huge = pack.raw(id(2), 3, 1 << 47, &[], &compressed(b"small"));
    pack.delta(id(3), &Base::Offset(huge), &delta(1 << 47, 3, &insert(b"abc")));
    let base = pack.blob(id(4), b"a base");
    pack.delta(id(5), &Base::Offset(base), &delta(6, 1 << 46, &copy(0, 6)));
    pack.raw(id(6), 6, 1 << 47, &[1], &compressed(b"a delta of 2^47 bytes, against nothing"));
    pack.raw(id(7), 3, u64::MAX, &[], &compressed(b"small"));
    pack.write(folder.path(), "lies");
    let walked = walk_blobs(folder.path());
    assert_eq!((data(&walked, 1), data(&walked, 4)), (&b"before"[..], &b"a base"[..]));
    assert_eq!(walked.objects.len(), 2);
    for (number, size) in [(2, 1 << 47), (3, 3), (5, 1 << 46), (7, u64::MAX)] {
        assert_eq!(reason(&walked, number), &UnreadReason::TooLarge { size }, "object {number}");
    }
    assert_damaged(&walked, 6, "delta base");
    let told = objects(folder.path()).read(&id(2)).expect_err("too large");
    assert_eq!(told.reason, UnreadReason::TooLarge { size: 1 << 47 });
}

#[test]
fn bodies_that_inflate_to_another_size_than_declared_are_damaged() {
    let folder = tempfile::tempdir().expect("a folder");
    let bomb = compressed(&vec![0; 64 << 20]);
    let mut pack = PackBuilder::new();
    pack.raw(id(1), 3, 1000, &[], &bomb);
    pack.raw(id(2), 3, 8 << 30, &[], &bomb);
    pack.raw(id(3), 3, 1000, &[], &compressed(b"less"));
    pack.raw(id(4), 3, 1000, &[], b"no zlib stream at all");
    pack.raw(id(5), 3, 90 << 20, &[], &compressed(b"90 MiB declared"));
    pack.blob(id(6), b"whole");
    pack.write(folder.path(), "sizes");
    let walked = walk_blobs(folder.path());
    assert_eq!(data(&walked, 6), b"whole");
    assert_damaged(&walked, 1, "more than it declares");
    assert_eq!(reason(&walked, 2), &UnreadReason::TooLarge { size: 8 << 30 });
    assert_damaged(&walked, 3, "less than it declares");
    assert_damaged(&walked, 4, "compressed bytes are damaged");
    assert_damaged(&walked, 5, "less than it declares");
}

#[test]
fn offsets_and_types_that_cannot_be_are_told_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut pack = PackBuilder::new();
    pack.blob(id(1), b"whole");
    pack.raw(id(2), 5, 4, &[], &compressed(b"type"));
    pack.raw(id(3), 0, 4, &[], &compressed(b"type"));
    pack.raw(id(4), 6, 4, &[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01], &compressed(b"base"));
    pack.raw(id(5), 6, 4, &[0], &compressed(b"its own base"));
    pack.raw(id(6), 6, 4, &[1], &compressed(b"a base inside an entry"));
    for (number, offset) in [(7, 1 << 20), (8, 1 << 40), (9, u64::MAX), (10, 0), (11, 11)] {
        pack.index.push((id(number), offset));
    }
    pack.declared = Some(11);
    pack.write(folder.path(), "offsets");
    let walked = walk_blobs(folder.path());
    assert_eq!(data(&walked, 1), b"whole");
    for number in 2..=3 {
        assert_damaged(&walked, number, "unknown type");
    }
    for number in 4..=6 {
        assert_damaged(&walked, number, "delta base");
    }
    for number in 7..=11 {
        assert_damaged(&walked, number, "outside the pack");
    }
}

#[test]
fn loops_of_deltas_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let same = delta(3, 3, &copy(0, 3));
    let mut pack = PackBuilder::new();
    pack.blob(id(1), b"whole");
    pack.delta(id(2), &Base::Id(id(3)), &same);
    pack.delta(id(3), &Base::Id(id(2)), &same);
    pack.delta(id(4), &Base::Id(id(4)), &same);
    pack.delta(id(5), &Base::Id(id(4)), &same);
    pack.delta(id(6), &Base::Id(id(7)), &same);
    pack.write(folder.path(), "one");
    let mut pack = PackBuilder::new();
    pack.delta(id(7), &Base::Id(id(6)), &same);
    pack.write(folder.path(), "two");
    let walked = walk_blobs(folder.path());
    assert_eq!(data(&walked, 1), b"whole");
    for number in 2..=7 {
        assert_damaged(&walked, number, "leads back to itself");
    }
    assert_eq!(walked.objects.len() + walked.unread.len(), 7);
    assert!(objects(folder.path()).read(&id(2)).is_err());
}

#[test]
fn deltas_that_cannot_be_applied_take_only_their_own_children_with_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut pack = PackBuilder::new();
    let base = pack.blob(id(1), b"0123456789");
    let cases = [
        (2, delta(10, 5, &copy(6, 5)), "beyond the base"),
        (3, delta(10, 5, &copy(u32::MAX, 0xff_ffff)), "beyond the base"),
        (4, delta(10, 5, &copy(0, 6)), "more than it declares"),
        (5, delta(10, 5, &copy(0, 4)), "less than it declares"),
        (6, delta(11, 5, &copy(0, 5)), "base of another size"),
        (7, delta(10, 5, &[0]), "unknown instruction"),
        (8, delta(10, 5, &[0xff, 0]), "cut short"),
        (9, delta(10, 5, &[5, b'x']), "cut short"),
        (10, vec![0x8a], "cut short"),
        (11, vec![0xff; 30], "beyond 64 bits"),
        (12, Vec::new(), "cut short"),
    ];
    for (number, bytes, _) in &cases {
        let broken = pack.delta(id(*number), &Base::Offset(base), bytes);
        pack.delta(id(100 + number), &Base::Offset(broken), &delta(5, 5, &copy(0, 5)));
    }
    let good = pack.delta(id(50), &Base::Offset(base), &delta(10, 7, &[copy(0, 5), insert(b"xy")].concat()));
    pack.delta(id(51), &Base::Offset(good), &delta(7, 2, &copy(5, 2)));
    pack.write(folder.path(), "deltas");
    let walked = walk_blobs(folder.path());
    for (number, _, how) in &cases {
        assert_damaged(&walked, *number, how);
        assert_damaged(&walked, 100 + number, "which it is a delta of, is damaged");
        assert!(objects(folder.path()).read(&id(*number)).is_err());
    }
    assert_eq!((data(&walked, 50), data(&walked, 51)), (&b"01234xy"[..], &b"xy"[..]));
    assert_eq!(walked.objects.len(), 3);
}

#[test]
fn a_chain_of_five_thousand_deltas_is_handed_out_and_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut pack = PackBuilder::new();
    let mut expected = b"0".repeat(5000);
    let mut base = pack.blob(id(0), &expected);
    for number in 1..=5000_u32 {
        expected[number as usize - 1] = b'1';
        let changed = [copy(0, number - 1), insert(b"1"), copy(number, 5000 - number)];
        let parts = [&changed[usize::from(number == 1)..=1], &changed[2..2 + usize::from(number < 5000)]].concat();
        base = pack.delta(id(number), &Base::Offset(base), &delta(5000, 5000, &parts.concat()));
    }
    pack.write(folder.path(), "deep");
    let walked = walk_blobs(folder.path());
    assert_eq!((walked.objects.len(), walked.unread.len()), (5001, 0));
    assert_eq!(data(&walked, 5000), expected);
    let read = objects(folder.path()).read(&id(5000));
    assert_eq!(read, Ok(Some((ObjectKind::Blob, expected))));
}

#[test]
fn bases_in_other_stores_are_found_and_missing_ones_told_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut thin = PackBuilder::new();
    thin.delta(id(1), &Base::Id(id(10)), &delta(4, 2, &copy(0, 2)));
    thin.delta(id(2), &Base::Id(id(1)), &delta(2, 1, &copy(0, 1)));
    thin.delta(id(3), &Base::Id(id(99)), &delta(4, 2, &copy(0, 2)));
    thin.delta(id(4), &Base::Id(id(3)), &delta(2, 1, &copy(0, 1)));
    thin.delta(id(5), &Base::Id(id(11)), &delta(5, 5, &copy(0, 5)));
    thin.write(folder.path(), "thin");
    let mut other = PackBuilder::new();
    other.blob(id(10), b"base");
    other.write(folder.path(), "other");
    write_loose(folder.path(), id(11), &compressed(b"blob 5\0loose"));
    let walked = walk_blobs(folder.path());
    assert_eq!((data(&walked, 1), data(&walked, 2), data(&walked, 5)), (&b"ba"[..], &b"b"[..], &b"loose"[..]));
    assert_damaged(&walked, 3, "is in no store");
    assert_damaged(&walked, 4, "is damaged");
    assert_eq!(objects(folder.path()).read(&id(5)), Ok(Some((ObjectKind::Blob, b"loose".to_vec()))));
    // Their kind is known from the base, so that a walk over others passes them by.
    let commits = walk(&objects(folder.path()), &[ObjectKind::Commit], 1);
    let mut told: Vec<_> = commits.unread.iter().filter_map(|unread| unread.id).collect();
    told.sort_unstable();
    assert_eq!((commits.objects.len(), told), (0, vec![id(4), id(3)]));
}

#[test]
fn a_repeated_object_is_only_the_base_of_what_its_pack_alone_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut large = PackBuilder::new();
    for number in 1..=5 {
        large.blob(id(number), b"base");
    }
    large.index.push(large.index[0]);
    large.declared = Some(6);
    large.write(folder.path(), "large");
    let mut small = PackBuilder::new();
    let base = small.blob(id(1), b"base");
    let child = small.delta(id(10), &Base::Offset(base), &delta(4, 3, &copy(0, 3)));
    small.delta(id(11), &Base::Offset(child), &delta(3, 2, &copy(0, 2)));
    small.write(folder.path(), "small");
    write_loose(folder.path(), id(5), &compressed(b"blob 4\0base"));
    write_loose(folder.path(), id(20), &compressed(b"blob 5\0loose"));
    let other = folder.path().join("other");
    write_loose(&other, id(20), &compressed(b"blob 5\0loose"));
    let extra = [other.join("objects")];
    let objects = Objects::open(&folder.path().join("objects"), &extra, Limits::default()).expect("objects");
    // That no object is handed out twice is checked on the way.
    let walked = walk(&objects, &ALL_KINDS, 2);
    assert_eq!((walked.objects.len(), walked.unread.len()), (8, 0));
    assert_eq!((data(&walked, 10), data(&walked, 11)), (&b"bas"[..], &b"ba"[..]));
    let inherited = |number| walked.objects[&id(number)].inherited_bytes;
    assert_eq!((inherited(10), inherited(11)), (0, 2));
}

#[test]
fn what_one_store_has_damaged_is_handed_out_from_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut bad = PackBuilder::new();
    let root = bad.raw(id(1), 3, 4, &[], b"damaged");
    bad.delta(id(2), &Base::Offset(root), &delta(4, 2, &copy(0, 2)));
    let base = bad.blob(id(3), b"sound");
    let middle = bad.delta(id(4), &Base::Offset(base), &delta(5, 9, &copy(0, 5)));
    bad.delta(id(5), &Base::Offset(middle), &delta(4, 2, &copy(2, 2)));
    bad.raw(id(6), 5, 4, &[], b"a broken header");
    bad.write(folder.path(), "bad");
    let mut good = PackBuilder::new();
    good.blob(id(1), b"root");
    good.blob(id(6), b"six");
    good.write(folder.path(), "good");
    write_loose(folder.path(), id(4), &compressed(b"blob 4\0midd"));
    let walked = walk_blobs(folder.path());
    assert_eq!(walked.unread, Vec::new());
    let expected: [(u32, &[u8]); 6] = [(1, b"root"), (2, b"ro"), (3, b"sound"), (4, b"midd"), (5, b"dd"), (6, b"six")];
    for (number, bytes) in expected {
        assert_eq!(data(&walked, number), bytes, "object {number}");
    }
}

#[test]
fn packs_and_indexes_that_are_of_no_use_are_told_of_with_the_remedy() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["a-missing", "b-other", "c-short", "d-order", "e-length", "f-empty", "g-whole"] {
        let mut pack = PackBuilder::new();
        pack.blob(id(u32::from(name.as_bytes()[0])), name.as_bytes());
        let path = pack.write(folder.path(), name).with_extension("idx");
        let mut index = std::fs::read(&path).expect("an index");
        match name {
            "b-other" => index[7] = 3,
            "c-short" => index.truncate(500),
            "d-order" => index[8] = 1,
            "e-length" => drop(index.pop()),
            "f-empty" => index.clear(),
            _ => {}
        }
        std::fs::write(&path, index).expect("an index");
    }
    let pack = folder.path().join("objects/pack");
    std::fs::remove_file(pack.join("pack-a-missing.idx")).expect("it was there");
    std::fs::write(pack.join("pack-h-lost.idx"), "without a pack").expect("a file");
    let objects = objects(folder.path());
    let told: Vec<String> = objects.unopened().iter().map(|unread| format!("{unread:?}")).collect();
    assert_eq!(told.len(), 7, "{told:?}");
    for (told, letter) in told.iter().zip('a'..='f') {
        assert!(told.contains(&format!("pack-{letter}-")) && told.contains("git index-pack"), "{told}");
    }
    assert!(told[6].contains("is missing"), "{told:?}");
    assert_eq!(data(&walk(&objects, &ALL_KINDS, 2), u32::from(b'g')), b"g-whole");
}

#[test]
fn an_index_that_does_not_fit_its_pack_is_told_of_and_what_it_names_is_handed_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut pack = PackBuilder::new();
    pack.blob(id(1), b"one");
    pack.blob(id(2), b"two");
    pack.index.pop();
    pack.declared = Some(2);
    pack.write(folder.path(), "count");
    let mut pack = PackBuilder::new();
    pack.blob(id(3), b"three");
    let path = pack.write(folder.path(), "checksum");
    let mut bytes = std::fs::read(&path).expect("a pack");
    *bytes.last_mut().expect("it is not empty") ^= 1;
    std::fs::write(&path, bytes).expect("a pack");
    let objects = objects(folder.path());
    let mut told: Vec<String> = objects.unopened().iter().map(|unread| format!("{:?}", unread.reason)).collect();
    told.sort();
    assert_eq!(told.len(), 2);
    assert!(told[1].contains("checksum") && told[0].contains("declares 2 objects"), "{told:?}");
    assert_eq!(walk(&objects, &ALL_KINDS, 2).objects.len(), 2);
}

#[test]
fn a_pack_cut_short_gives_out_what_is_left_and_tells_of_the_rest() {
    let folder = tempfile::tempdir().expect("a folder");
    history(folder.path(), 60, 7);
    repack(folder.path());
    let whole = walk(&open(folder.path()), &ALL_KINDS, 1).objects;
    let path = packs(folder.path()).remove(0);
    let bytes = std::fs::read(&path).expect("a pack");
    replace(&path, &bytes[..bytes.len() / 2]);
    let objects = open(folder.path());
    assert_eq!(objects.unopened().len(), 1);
    let walked = walk(&objects, &ALL_KINDS, 2);
    assert!(!walked.objects.is_empty() && !walked.unread.is_empty());
    assert_eq!(walked.objects.len() + walked.unread.len(), whole.len());
    for (id, seen) in &walked.objects {
        assert!(whole[id].data == seen.data, "{id}");
    }
}

#[test]
fn any_damage_leaves_every_object_handed_out_whole_or_told_of() {
    let folder = tempfile::tempdir().expect("a folder");
    history(folder.path(), 12, 8);
    repack(folder.path());
    let whole = walk(&open(folder.path()), &ALL_KINDS, 1).objects;
    let pack = packs(folder.path()).remove(0);
    let index = pack.with_extension("idx");
    let sound = [std::fs::read(&pack).expect("a pack"), std::fs::read(&index).expect("an index")];
    let mut numbers = Numbers::new(9);
    for round in 0..300 {
        let mut bytes = sound.clone();
        let damaged = &mut bytes[round % 2];
        for _ in 0..=numbers.below(4) {
            let place = numbers.below(damaged.len());
            damaged[place] = numbers.below(256) as u8;
        }
        replace(&pack, &bytes[0]);
        replace(&index, &bytes[1]);
        let objects = open(folder.path());
        if objects.packs.is_empty() {
            assert_eq!(objects.unopened().len(), 1, "round {round}");
            continue;
        }
        let walked = walk(&objects, &ALL_KINDS, 1 + round % 2);
        let accounted = walked.objects.len() + walked.unread.len();
        // A damaged index may name ids that are not there, or one twice, but never a different number of them.
        assert!(
            accounted == whole.len() || round % 2 == 1 && accounted + 4 >= whole.len(),
            "round {round}: {accounted}"
        );
        for (id, seen) in walked.objects.iter().filter(|_| round % 2 == 0) {
            assert!(whole[id].data == seen.data, "round {round}: {id} has other bytes");
        }
        for id in whole.keys().take(5) {
            let _ = objects.read(id);
        }
    }
}

#[test]
fn what_the_stack_has_no_room_for_is_made_later_without_a_base() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut pack = PackBuilder::new();
    let root = pack.blob(id(0), &[b'x'; 1000]);
    let same = delta(1000, 1000, &copy(0, 1000));
    let light = pack.delta(id(1), &Base::Offset(root), &same);
    pack.delta(id(2), &Base::Offset(light), &same);
    let heavy = pack.delta(id(3), &Base::Offset(root), &same);
    pack.delta(id(4), &Base::Offset(heavy), &same);
    pack.delta(id(5), &Base::Offset(heavy), &same);
    for number in 10..20 {
        pack.delta(id(number), &Base::Offset(root), &same);
    }
    pack.write(folder.path(), "wide");
    let walk_within = |max_stack_bytes| {
        let limits = Limits { max_stack_bytes, ..Limits::default() };
        walk(&Objects::open(&folder.path().join("objects"), &[], limits).expect("objects"), &ALL_KINDS, 1)
    };
    let walked = walk_within(2500);
    let inherited = |walked: &Walked, number| walked.objects[&id(number)].inherited_bytes;
    assert_eq!((walked.objects.len(), walked.unread.len()), (16, 0));
    assert_eq!((data(&walked, 2), inherited(&walked, 2), inherited(&walked, 1)), (&[b'x'; 1000][..], 0, 1000));
    assert_eq!((inherited(&walked, 4), inherited(&walked, 5)), (1000, 1000));
    // Three objects are held at a time, and no more however many there are.
    let walked = walk_within(3000);
    assert_eq!((walked.objects.len(), walked.unread.len()), (16, 0));
    assert_eq!(inherited(&walked, 2), 1000);
}

#[test]
fn loose_objects_that_lie_or_are_damaged_are_told_of_one_by_one() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("objects")).expect("a folder");
    let truncated =
        compressed(b"blob 5000\0".iter().copied().chain(0..=255).cycle().take(5010).collect::<Vec<_>>().as_slice());
    let mut wrong_sum = compressed(b"blob 3\0sum");
    *wrong_sum.last_mut().expect("it is not empty") ^= 1;
    let cases: [(u32, Vec<u8>, &str); 9] = [
        (1, compressed(b"blob 3\0longer"), "more than it declares"),
        (2, compressed(b"blob 9\0short"), "less than it declares"),
        (3, truncated[..truncated.len() / 2].to_vec(), "incomplete"),
        (4, compressed(b"blob 3 without an end, which goes on and on and on"), "has no end"),
        (5, compressed(b"blot 3\0abc"), "malformed"),
        (6, compressed(b"blob +3\0abc"), "malformed"),
        (7, compressed(b"blob 99999999999999999999\0abc"), "malformed"),
        (8, wrong_sum, "corrupt"),
        (9, Vec::new(), ""),
    ];
    for (number, bytes, _) in &cases {
        write_loose(folder.path(), id(*number), bytes);
    }
    write_loose(folder.path(), id(20), &compressed(format!("blob {}\0abc", 1_u64 << 47).as_bytes()));
    write_loose(folder.path(), id(21), &compressed(b"blob 3\0abc"));
    write_loose(folder.path(), id(22), &compressed(b"tree 0\0"));
    let walked = walk_blobs(folder.path());
    for (number, _, how) in &cases {
        assert_damaged(&walked, *number, how);
    }
    assert_eq!(reason(&walked, 20), &UnreadReason::TooLarge { size: 1 << 47 });
    assert_eq!(data(&walked, 21), b"abc");
    assert_eq!((walked.objects.len(), walked.unread.len()), (1, cases.len() + 1));
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_an_object_or_an_index_holds_nothing_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let loose = folder.path().join("objects").join("ab");
    let packs = folder.path().join("objects/pack");
    std::fs::create_dir_all(&loose).expect("a folder");
    std::fs::create_dir_all(&packs).expect("a folder");
    std::fs::write(packs.join("pack-pipe.pack"), "PACK").expect("a file");
    for pipe in [loose.join("c".repeat(38)), packs.join("pack-pipe.idx")] {
        let made = std::process::Command::new("mkfifo").arg(pipe).status().expect("mkfifo is there");
        assert!(made.success());
    }
    let objects = objects(folder.path());
    assert_eq!(objects.unopened().len(), 1);
    assert_eq!(walk(&objects, &ALL_KINDS, 1).unread.len(), 1);
}

#[test]
fn alternates_are_followed_once_and_what_cannot_be_read_is_told_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["own", "one", "two", "\"t\u{e9}n\"", "extra"];
    for (number, name) in (0..).zip(names) {
        let mut pack = PackBuilder::new();
        pack.blob(id(number), name.as_bytes());
        pack.write(&folder.path().join(name), "p");
        std::fs::create_dir_all(folder.path().join(name).join("objects/info")).expect("a folder");
    }
    let alternates = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name).join("objects/info/alternates"), text).expect("a file");
    };
    let own = folder.path().join("own/objects");
    alternates(
        "own",
        "# a comment\n\n../../one/objects\n../../missing/objects\n\"../../\\\"t\\303\\251n\\\"/objects\"\n\"open",
    );
    alternates("one", &format!("{}\n{}\n", folder.path().join("two/objects").display(), own.display()));
    alternates("two", "../../one/objects\n");
    let objects = Objects::open(&own, &[folder.path().join("extra/objects")], Limits::default()).expect("objects");
    assert_eq!((walk(&objects, &ALL_KINDS, 2).objects.len(), objects.count(&ALL_KINDS)), (5, 5));
    let told: Vec<&str> = objects.unopened().iter().map(|unread| unread.place.as_str()).collect();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().any(|place| place.contains("missing")), "{told:?}");
}

#[test]
fn nothing_is_found_in_an_empty_repository_and_no_folder_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    git(folder.path(), &["init", "--quiet"]);
    let walked = walk(&open(folder.path()), &ALL_KINDS, 2);
    assert!(walked.objects.is_empty() && walked.unread.is_empty());
    assert!(Objects::open(&folder.path().join("nowhere"), &[], Limits::default()).is_err());
}

fn write_loose(folder: &Path, id: ObjectId, bytes: &[u8]) {
    let name = id.to_string();
    let path = folder.join("objects").join(&name[..2]);
    std::fs::create_dir_all(&path).expect("a folder");
    std::fs::write(path.join(&name[2..]), bytes).expect("a file");
}

/// Puts other content in the place of a file that git made read-only.
fn replace(path: &Path, bytes: &[u8]) {
    std::fs::remove_file(path).expect("it was there");
    std::fs::write(path, bytes).expect("a file");
}
