//! Objects that lie about their size, are as large or as deep as they can be, or say what no git would write.

use std::time::Duration;

use crate::harness::packs::{Id, Pack, Sort, compressed, hex, tree_entry};
use crate::harness::{Repository, Scratch, key, scale, write};

/// A commit of a tree, as the branch `main`.
fn commit(pack: &mut Pack, repository: &Repository, tree: &Id, person: &[u8], date: &str) -> String {
    let (head, rest) =
        (format!("tree {}\nauthor ", hex(tree)), format!(" {date}\ncommitter C <c@example.com> {date}\n\nwords\n"));
    let text = [head.as_bytes(), person, rest.as_bytes()];
    let id = hex(&pack.add(Sort::Commit, &text.concat()));
    write(&repository.path(".git/refs/heads/main"), format!("{id}\n"));
    id
}

/// The id of a blob that is a lie.
fn false_id(number: u32) -> Id {
    let mut id = [0x5a; 20];
    id[..4].copy_from_slice(&number.to_be_bytes());
    id
}

#[test]
fn a_loose_object_of_a_false_size_ends_with_2_in_time_and_memory() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("good.txt", key(1), "good");
    let body = compressed(&[b"blob 10\0".as_slice(), &vec![b'a'; 64 << 20]].concat());
    let vast = compressed(b"blob 140737488355328\0abc");
    let cut = compressed(&[b"blob 1000\0".as_slice(), key(2).as_bytes()].concat());
    for (name, bytes) in [("11", body), ("22", vast), ("33", cut)] {
        write(&repository.path(format!(".git/objects/{name}/{}", name.repeat(19))), bytes);
    }
    let run = scratch.scan_command(&["--threads", "2", "repo"]).within_memory(400).run();
    let run = run.status(2).within(Duration::from_secs(5));
    run.finding(&key(1));
    let summary = run.summary();
    let errors = summary["errors"].to_string();
    assert!(errors.contains(&"11".repeat(20)) && errors.contains(&"33".repeat(20)), "not named: {errors}");
    assert_eq!(summary["skipped"]["too-large"], 1, "{summary}");
}

#[test]
fn a_pack_entry_that_declares_a_vast_size_is_skipped_and_counted() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("good.txt", key(3), "good");
    let mut pack = Pack::new();
    pack.raw(false_id(1), 3, 1 << 47, &[], &compressed(b"abc"));
    pack.raw(false_id(2), 3, u64::MAX, &[], &compressed(b"abc"));
    pack.add(Sort::Blob, key(4).as_bytes());
    pack.write(&repository.path(""));
    let scan = |more: &[&str]| {
        let arguments = [&["--threads", "2", "repo"][..], more].concat();
        scratch.scan_command(&arguments).within_memory(400).run().within(Duration::from_secs(5))
    };
    // The pack's checksum is none; that is said, and the entries are read all the same.
    let run = scan(&[]);
    run.finding(&key(3));
    run.finding(&key(4));
    assert_eq!(run.summary()["skipped"]["too-large"], 2, "{run:?}");
    scan(&["--strict"]).status(2);
}

#[test]
fn a_small_pack_that_inflates_to_gigabytes_is_scanned_in_bounded_memory() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("good.txt", key(5), "good");
    let size = 250_usize << 20;
    let bytes = compressed(&vec![0; size]);
    let mut pack = Pack::new();
    let count = (2 * scale()).min(32);
    for number in 0..count {
        pack.raw(false_id(number as u32), 3, size as u64, &[], &bytes);
    }
    pack.write(&repository.path(""));
    // Two threads hold an object each.
    let run = scratch
        .scan_command(&["--threads", "2", "--max-object-size", "256", "repo"])
        .within_memory(1024)
        .run()
        .status(1);
    run.finding(&key(5));
    assert!(run.summary()["bytes_scanned"].as_u64().unwrap() > (count * size) as u64, "{run:?}");
    let run = scratch.scan_command(&["--threads", "2", "--max-object-size", "64", "repo"]).within_memory(400).run();
    run.finding(&key(5));
    assert_eq!(run.summary()["skipped"]["too-large"], count, "{run:?}");
}

#[test]
fn a_chain_of_five_thousand_deltas_is_followed() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("good.txt", key(6), "good");
    let mut pack = Pack::new();
    let mut text = b"a first line of the text\n".to_vec();
    let mut base = pack.raw(false_id(0), 3, text.len() as u64, &[], &compressed(&text));
    for number in 1..=5000_u32 {
        let line = if number == 5000 { format!("KEY={}\n", key(7)) } else { format!("{number}\n") };
        let mut delta = Vec::new();
        for mut size in [text.len(), text.len() + line.len()] {
            while size > 0x7f {
                delta.push(size as u8 | 0x80);
                size >>= 7;
            }
            delta.push(size as u8);
        }
        let copied = (text.len() as u32).to_le_bytes();
        delta.extend([&[0xf0], &copied[..3], &[line.len() as u8], line.as_bytes()].concat());
        text.extend(line.bytes());
        base = pack.delta(false_id(number), base, &delta);
    }
    pack.write(&repository.path(""));
    let run = scratch.scan_command(&["--threads", "2", "repo"]).within_memory(500).run();
    run.finding(&key(6));
    let place = &run.occurrences(&key(7))[0];
    assert_eq!(place["start"], text.len() - key(7).len() - 1, "{place}");
    assert_eq!(place["line"], 5001);
}

#[test]
fn the_key_at_the_bottom_of_a_tree_of_twenty_thousand_folders_is_found_with_its_path() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    let mut pack = Pack::new();
    let blob = pack.add(Sort::Blob, format!("KEY={}\n", key(8)).as_bytes());
    let mut tree = pack.add(Sort::Tree, &tree_entry("100644", "bottom.txt", &blob));
    for _ in 0..20_000 {
        tree = pack.add(Sort::Tree, &tree_entry("40000", "d", &tree));
    }
    commit(&mut pack, &repository, &tree, b"A <a@example.com>", "1700000000 +0000");
    pack.write(&repository.path(""));
    let run = scratch.scan_command(&["repo"]).within_memory(2048).run().within(Duration::from_secs(20));
    let finding = run.finding(&key(8));
    let path = finding["occurrences"][0]["path"].as_str().unwrap_or_default();
    let whole = path.len() == 2 * 20_000 + "bottom.txt".len() && path.ends_with("d/bottom.txt");
    let cut = run.summary()["skipped"]["too-deep"] == 1;
    assert!(whole || cut, "neither the path nor that it was cut is told: {} bytes{run:?}", path.len());
}

#[test]
fn the_last_of_a_million_entries_of_one_folder_is_found() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    let mut pack = Pack::new();
    let blob = pack.add(Sort::Blob, b"nothing\n");
    let secret = pack.add(Sort::Blob, format!("KEY={}\n", key(9)).as_bytes());
    let mut tree = Vec::new();
    for number in 0..1_000_000 {
        tree.extend(tree_entry("100644", &format!("f{number:07}"), &blob));
    }
    tree.extend(tree_entry("100644", "last", &secret));
    let tree = pack.add(Sort::Tree, &tree);
    commit(&mut pack, &repository, &tree, b"A <a@example.com>", "1700000000 +0000");
    pack.write(&repository.path(""));
    let run =
        scratch.scan_command(&["--threads", "2", "repo"]).within_memory(1024).run().within(Duration::from_secs(20));
    assert_eq!(run.paths(&key(9)), ["last"]);
}

#[test]
fn dates_and_authors_that_cannot_be_are_told_as_such() {
    for (date, shown) in [
        ("9999999999999 +9999", "invalid"),
        ("-1 +0000", "invalid"),
        ("99999999999999999999999999 +0000", "invalid"),
        ("no date", "invalid"),
        ("1700000000 +9999", "2023-11-14T22:13:20"),
    ] {
        let scratch = Scratch::new();
        let repository = scratch.repository("repo");
        let mut pack = Pack::new();
        let blob = pack.add(Sort::Blob, key(10).as_bytes());
        let tree = pack.add(Sort::Tree, &tree_entry("100644", "a.txt", &blob));
        let commit = commit(&mut pack, &repository, &tree, b"J\xf6rg \xff\xfe <j@example.com>", date);
        pack.write(&repository.path(""));
        let run = scratch.scan(&["repo"]);
        let place = &run.occurrences(&key(10))[0];
        assert_eq!(place["path"], "a.txt");
        assert_eq!(place["commit"], commit.as_str());
        assert_eq!(place["author"], "J\u{fffd}rg \u{fffd}\u{fffd} <j@example.com>");
        let date = place["date"].as_str().unwrap_or_default();
        assert!(date.starts_with(shown), "{date:?} instead of {shown:?}");
    }
}
