//! Keys in archives and compressed files: as targets, in folders, in histories, on standard input and in what a commit
//! adds. Which format it is, the first bytes say.

use crate::harness::archives::{ZipMember, bzip2, gzip, tar, tar_member, tar_of, xz, zip, zstd};
use crate::harness::{COMMIT, Hooked, Run, Scratch, key};

/// A text with a key on its second line, behind four bytes.
fn text(seed: u64) -> String {
    format!("first\nKEY={}\nlast\n", key(seed))
}

/// Fails unless the key's only place is this one, counted in the member.
#[track_caller]
fn stands_at(run: &Run, seed: u64, path: &str) {
    let places = run.occurrences(&key(seed));
    let place = &places[0];
    assert_eq!(
        (places.len(), place["source"].as_str(), place["path"].as_str()),
        (1, Some("archive"), Some(path)),
        "{run:?}"
    );
    assert_eq!((&place["line"], &place["column"], &place["start"]), (&2.into(), &5.into(), &10.into()), "{run:?}");
    assert_eq!(place["end"], 10 + key(seed).len(), "{run:?}");
}

#[test]
fn every_format_is_read_whatever_the_file_is_called() {
    let scratch = Scratch::new();
    scratch.write("tree/a", zip(&[ZipMember::stored("in/stored", text(1)), ZipMember::deflated("deflated", text(2))]));
    scratch.write("tree/b.txt", tar_of("in/a/tar", text(3)));
    scratch.write("tree/c.log.gz", gzip(text(4)));
    scratch.write("tree/d.bz2", bzip2(text(5)));
    scratch.write("tree/e.xz", xz(text(6)));
    scratch.write("tree/f.zst", zstd(text(7)));
    scratch.write("tree/g.tgz", gzip(tar_of("member", text(8))));
    let places =
        ["a!/in/stored", "a!/deflated", "b.txt!/in/a/tar", "c.log.gz", "d.bz2", "e.xz", "f.zst", "g.tgz!/member"];
    let run = scratch.scan(&["tree"]).status(1);
    assert_eq!(run.findings().len(), places.len(), "{run:?}");
    for (seed, path) in (1..).zip(places) {
        stands_at(&run, seed, path);
    }
    // Each file and each text in it.
    assert_eq!(run.summary()["blobs_scanned"], 7 + 8, "{run:?}");
    assert!(run.summary()["skipped"].as_object().unwrap().is_empty(), "{run:?}");
}

#[test]
fn zips_hold_other_compressions_as_well() {
    let scratch = Scratch::new();
    let packed =
        |name: &str, method, bytes: Vec<u8>| ZipMember { method, packed: bytes, ..ZipMember::stored(name, "") };
    let members = [
        packed("bzip2", 12, bzip2(text(1))),
        packed("zstd", 93, zstd(text(2))),
        packed("xz", 95, xz(text(3))),
        packed("unknown", 98, text(4).into()),
    ];
    scratch.write("a.zip", zip(&members));
    let run = scratch.scan(&["a.zip"]).status(1).says("packed in a way that is not read");
    for (seed, name) in (1..).zip(["bzip2", "zstd", "xz"]) {
        stands_at(&run, seed, &format!("a.zip!/{name}"));
    }
    assert_eq!(run.summary()["skipped"]["archive-format"], 1);
    scratch.scan(&["--strict", "a.zip"]).status(2);
}

#[test]
fn an_archive_is_a_target_by_its_name_and_on_standard_input() {
    let scratch = Scratch::new();
    let bytes = zip(&[ZipMember::deflated("build/1.log", text(1)), ZipMember::stored("folder/", "")]);
    scratch.write("logs.zip", &bytes);
    stands_at(&scratch.scan(&["logs.zip"]).status(1), 1, "logs.zip!/build/1.log");
    let shown = scratch.path("logs.zip");
    stands_at(&scratch.scan(&[&shown]).status(1), 1, &format!("{}!/build/1.log", shown.display()));
    stands_at(&scratch.scan(&["--mmap", "logs.zip"]).status(1), 1, "logs.zip!/build/1.log");
    stands_at(&scratch.scan_command(&["-"]).input(&bytes).run().status(1), 1, "<stdin>!/build/1.log");
    let bytes = gzip(tar_of("a.log", text(2)));
    stands_at(&scratch.scan_command(&["-"]).input(&bytes).run().status(1), 2, "<stdin>!/a.log");
    scratch.write("empty.zip", zip(&[]));
    scratch.scan(&["empty.zip"]).status(0);
}

#[test]
fn archives_in_archives_are_opened_and_their_paths_say_so() {
    let scratch = Scratch::new();
    let inner = zip(&[ZipMember::deflated("config.yml", text(1))]);
    let layer = gzip(tar_of("etc/env", text(2)));
    let image = tar(&[tar_member("app.jar", b'0', &inner), tar_member("layer.tar.gz", b'0', &layer)]);
    scratch.write("tree/image.zip", zip(&[ZipMember::deflated("image.tar", &image)]));
    let run = scratch.scan(&["tree"]).status(1);
    stands_at(&run, 1, "image.zip!/image.tar!/app.jar!/config.yml");
    stands_at(&run, 2, "image.zip!/image.tar!/layer.tar.gz!/etc/env");
}

#[test]
fn large_members_go_through_in_chunks_with_exact_places() {
    let scratch = Scratch::new();
    let mut log: Vec<u8> = (0..150_000).flat_map(|number| format!("line {number} of a build\n").into_bytes()).collect();
    let at = log.len();
    log.extend(format!("KEY={}\n", key(1)).bytes());
    log.extend((0..100_000).flat_map(|number| format!("and {number} more\n").into_bytes()));
    scratch.write("tree/log.zip", zip(&[ZipMember::deflated("a.log", &log)]));
    scratch.write("one/log.tar", tar_of("a.log", &log));
    for (folder, path) in [("tree", "log.zip!/a.log"), ("one", "log.tar!/a.log")] {
        let run = scratch.scan(&[folder]).status(1);
        let place = &run.occurrences(&key(1))[0];
        assert_eq!(place["path"], path, "{run:?}");
        assert_eq!((&place["line"], &place["column"]), (&150_001.into(), &5.into()), "{run:?}");
        assert_eq!(place["start"], at + 4, "{run:?}");
    }
}

#[test]
fn names_are_carried_as_the_archive_gives_them() {
    use base64::Engine;
    let scratch = Scratch::new();
    let members = [ZipMember::stored(b"caf\xe9\x1b[2J.txt", text(1)), ZipMember::stored("../../x", text(2))];
    scratch.write("a.zip", zip(&members));
    let run = scratch.scan(&["a.zip"]).status(1);
    let encoded = run.occurrences(&key(1))[0]["path_bytes_b64"].as_str().unwrap_or_default().to_owned();
    assert_eq!(base64::engine::general_purpose::STANDARD.decode(encoded).unwrap(), b"a.zip!/caf\xe9\x1b[2J.txt");
    stands_at(&run, 2, "a.zip!/../../x");
    let run = scratch.run(&["scan", "--format", "human", "a.zip"]).status(1);
    assert!(!run.stdout.contains('\u{1b}'), "the terminal gets an escape{run:?}");
}

#[test]
fn long_names_of_tars_come_from_either_sort_of_header() {
    let scratch = Scratch::new();
    let long = format!("{}/member", "folder".repeat(30));
    let record = |text: &str| format!("{} {text}\n", text.len() + 5);
    let members = [
        tar_member("././@LongLink", b'L', format!("{long}\0")),
        tar_member("cut", b'0', text(1)),
        tar_member("pax", b'x', record(&format!("path={long}2"))),
        tar_member("cut", b'0', text(2)),
        tar_member("folder/", b'5', ""),
        tar_member("link", b'2', ""),
        tar_member("after", b'0', text(3)),
    ];
    scratch.write("a.tar", tar(&members));
    let run = scratch.scan(&["a.tar"]).status(1);
    stands_at(&run, 1, &format!("a.tar!/{long}"));
    stands_at(&run, 2, &format!("a.tar!/{long}2"));
    stands_at(&run, 3, "a.tar!/after");
}

#[test]
fn a_history_knows_which_commit_brought_the_archive() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("fixtures/a.zip", zip(&[ZipMember::deflated("in.txt", text(1))]), "an archive");
    repository.commit_file("b.log.gz", gzip(text(2)), "a log");
    repository.git(&["rm", "-q", "b.log.gz"]);
    repository.commit("without the log");
    let run = scratch.scan(&["repo"]).status(1);
    let place = &run.occurrences(&key(1))[0];
    assert_eq!(run.paths(&key(1)), ["fixtures/a.zip!/in.txt"], "history, index and work tree are one place{run:?}");
    assert_eq!((&place["source"], &place["in_head"], &place["start"]), (&"git".into(), &true.into(), &10.into()));
    let place = &run.occurrences(&key(2))[0];
    assert_eq!((&place["path"], &place["in_head"]), (&"b.log.gz".into(), &false.into()), "{run:?}");
    let run = scratch.scan(&["--history", "HEAD~2..HEAD~1", "repo"]).status(1);
    assert_eq!(run.paths(&key(2)), ["b.log.gz"]);
    assert!(run.finding_of(&key(1)).is_none(), "{run:?}");
    repository.write("staged.tar", tar_of("member", text(3)));
    repository.git(&["add", "staged.tar"]);
    let run = scratch.scan(&["--staged", "repo"]).status(1);
    assert_eq!(run.paths(&key(3)), ["staged.tar!/member"]);
    let run = scratch.scan(&["--history", "none", "repo"]).status(1);
    assert_eq!(run.paths(&key(3)), ["staged.tar!/member"], "{run:?}");
}

#[test]
fn the_report_does_not_depend_on_the_number_of_threads() {
    let scratch = Scratch::new();
    for number in 0..20 {
        let members = [ZipMember::deflated("a", text(number)), ZipMember::stored("b", text(number + 5))];
        scratch.write(format!("tree/{number}.zip"), zip(&members));
    }
    let report = |threads: &str| {
        let run = scratch.scan(&["--threads", threads, "tree"]).status(1);
        run.findings()
    };
    assert_eq!(report("1"), report("4"));
}

#[test]
fn the_hook_looks_into_what_is_staged() {
    let hooked = Hooked::new();
    let repository = &hooked.repository;
    repository.write("clean.zip", zip(&[ZipMember::deflated("a", "nothing")]));
    repository.git(&["add", "clean.zip"]);
    hooked.passes(&COMMIT);
    repository.write("a.zip", zip(&[ZipMember::deflated("in.txt", text(1))]));
    repository.git(&["add", "a.zip"]);
    let said = hooked.stopped(&COMMIT);
    assert!(said.contains("a.zip!/in.txt"), "{said}");
}
