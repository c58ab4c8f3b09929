//! What cannot be done as asked: unknown revisions, missing and damaged objects, nothing to scan with. Never a green zero.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::{Repository, Run, Scratch, key, write};

/// The report of something that could not be begun: nothing scanned, not complete, a reason.
#[track_caller]
fn nothing_was_done(run: &Run) {
    let summary = run.summary();
    assert_eq!(summary["complete"], false, "{run:?}");
    assert_eq!(summary["blobs_scanned"], 0, "{run:?}");
    assert!(!summary["errors"].as_array().unwrap().is_empty(), "no reason{run:?}");
}

#[test]
fn an_unknown_revision_ends_with_2_and_is_named() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("a.txt", key(1), "a");
    for range in ["nosuchref..HEAD", "HEAD..nosuchref", "nosuchref", "nosuchref...HEAD"] {
        let run = scratch.scan(&["--history", range, "repo"]).status(2).says("nosuchref");
        nothing_was_done(&run);
    }
    nothing_was_done(&scratch.scan(&["--history", &format!("{}..HEAD", "1".repeat(40)), "repo"]).status(2));
    scratch.scan(&["--history", "", "repo"]).status(2);
}

#[test]
fn a_range_or_an_index_outside_of_a_repository_ends_with_2() {
    let scratch = Scratch::new();
    scratch.write("plain/a.txt", key(2));
    nothing_was_done(&scratch.scan(&["--history", "main..HEAD", "plain"]).status(2).says("repository"));
    nothing_was_done(&scratch.scan(&["--staged", "plain"]).status(2).says("repository"));
}

#[test]
fn a_path_that_does_not_exist_ends_with_2() {
    let scratch = Scratch::new();
    nothing_was_done(&scratch.scan(&["nowhere"]).status(2).says("nowhere"));
}

#[test]
fn a_folder_without_detectors_ends_with_2() {
    let scratch = Scratch::new();
    scratch.write("a.txt", key(3));
    std::fs::create_dir(scratch.elsewhere("empty")).unwrap();
    write(&scratch.elsewhere("other/readme.md"), "no detector\n");
    for name in ["empty", "other", "missing"] {
        let folder = scratch.elsewhere(name);
        let run = scratch.scan(&["--detectors", folder.to_str().unwrap(), "a.txt"]).status(2).says(name);
        assert!(run.finding_of(&key(3)).is_none(), "scanned with another set than was asked for{run:?}");
    }
}

#[test]
fn a_shallow_clone_is_scanned_as_far_as_it_goes() {
    let scratch = Scratch::new();
    let repository = scratch.repository("origin");
    repository.commit_file("old.txt", key(4), "old");
    repository.git(&["rm", "-q", "old.txt"]);
    repository.commit_file("new.txt", key(5), "new");
    let url = format!("file://{}", repository.path("").display());
    repository.git(&["clone", "-q", "--depth", "1", &url, "../shallow"]);
    let run = scratch.scan(&["shallow"]).status(1).says("shallow");
    run.finding(&key(5));
    assert!(!run.summary()["warnings"].as_array().unwrap().is_empty(), "no warning in the report{run:?}");
    scratch.scan(&["--strict", "shallow"]).status(2).finding(&key(5));
    scratch.scan(&["--history", "HEAD~1..HEAD", "shallow"]).status(2).says("HEAD~1");
}

#[test]
fn a_partial_clone_is_scanned_as_far_as_it_goes() {
    let scratch = Scratch::new();
    let repository = scratch.repository("origin");
    repository.git(&["config", "uploadpack.allowFilter", "true"]);
    repository.commit_file("old.txt", key(6), "old");
    repository.git(&["rm", "-q", "old.txt"]);
    repository.commit_file("new.txt", key(7), "new");
    let url = format!("file://{}", repository.path("").display());
    repository.git(&["clone", "-q", "--filter=blob:none", &url, "../partial"]);
    std::fs::rename(repository.path(""), scratch.path("gone")).unwrap();
    let run = scratch.scan(&["partial"]).status(1);
    run.finding(&key(7));
    let summary = run.summary();
    let said = !summary["warnings"].as_array().unwrap().is_empty();
    assert!(said && run.skipped() >= 1, "missing blobs are a warning and a count{run:?}");
    scratch.scan(&["--strict", "partial"]).status(2).finding(&key(7));
}

/// Returns the file of a loose object.
fn loose(repository: &Repository, id: &str) -> PathBuf {
    repository.path(format!(".git/objects/{}/{}", &id[..2], &id[2..]))
}

fn overwrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = std::fs::read(path).unwrap();
    change(&mut bytes);
    std::fs::remove_file(path).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// A text that does not compress away, so that damage in the middle hits its body.
fn long_text(seed: u64) -> String {
    (0..40).map(|line| format!("{}\n", &key(seed * 100 + line)[13..])).collect()
}

/// The rest is scanned, the object is named, and the report says that it is not whole.
#[track_caller]
fn one_object_is_bad(scratch: &Scratch, id: &str, found: &[u64]) {
    let run = scratch.scan(&["--history", "all", "repo"]).status(2).within(Duration::from_secs(5));
    for seed in found {
        run.finding(&key(*seed));
    }
    let summary = run.summary();
    assert_eq!(summary["complete"], false);
    let errors = summary["errors"].to_string();
    assert!(errors.contains(id), "{id} is not named: {errors}");
}

#[test]
fn a_truncated_loose_object_ends_with_2_and_the_rest_is_scanned() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("good.txt", key(8), "good");
    repository.commit_file("bad.txt", long_text(9), "bad");
    repository.commit_file("later.txt", key(10), "later");
    let id = repository.git(&["rev-parse", "HEAD:bad.txt"]);
    overwrite(&loose(&repository, &id), |bytes| bytes.truncate(bytes.len() / 2));
    one_object_is_bad(&scratch, &id, &[8, 10]);
}

#[test]
fn a_loose_object_that_is_no_object_ends_with_2_and_the_rest_is_scanned() {
    for damage in [b"".as_slice(), b"not zlib at all", &[0x78, 0x9c, 0xff, 0xff, 0xff, 0xff]] {
        let scratch = Scratch::new();
        let repository = scratch.repository("repo");
        repository.commit_file("good.txt", key(11), "good");
        repository.commit_file("bad.txt", long_text(12), "bad");
        let id = repository.git(&["rev-parse", "HEAD:bad.txt"]);
        overwrite(&loose(&repository, &id), |bytes| *bytes = damage.to_vec());
        one_object_is_bad(&scratch, &id, &[11]);
    }
}

#[test]
fn a_loose_object_whose_body_is_longer_than_it_says_ends_with_2() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("good.txt", key(13), "good");
    repository.commit_file("bad.txt", long_text(14), "bad");
    let id = repository.git(&["rev-parse", "HEAD:bad.txt"]);
    overwrite(&loose(&repository, &id), |bytes| {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, b"blob 10\0").unwrap();
        std::io::Write::write_all(&mut encoder, &[b'a'; 100_000]).unwrap();
        *bytes = encoder.finish().unwrap();
    });
    one_object_is_bad(&scratch, &id, &[13]);
}

#[test]
fn a_missing_object_of_a_whole_clone_ends_with_2() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("good.txt", key(15), "good");
    repository.commit_file("bad.txt", long_text(16), "bad");
    let id = repository.git(&["rev-parse", "HEAD:bad.txt"]);
    std::fs::remove_file(loose(&repository, &id)).unwrap();
    one_object_is_bad(&scratch, &id, &[15]);
}

#[test]
fn a_damaged_entry_of_a_pack_ends_with_2_and_the_rest_is_scanned() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("good.txt", key(17), "good");
    repository.commit_file("bad.txt", long_text(18), "bad");
    repository.commit_file("also.txt", format!("{}{}\n", long_text(19), key(20)), "also good");
    let id = repository.git(&["rev-parse", "HEAD:bad.txt"]);
    repository.git(&["repack", "-q", "-a", "-d"]);
    repository.commit_file("loose.txt", key(21), "loose");
    let folder = repository.path(".git/objects/pack");
    let packs = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let pack = packs.into_iter().find(|path| path.extension().is_some_and(|kind| kind == "pack")).unwrap();
    let listed = repository.git(&["verify-pack", "-v", pack.to_str().unwrap()]);
    let entry = listed.lines().find(|line| line.starts_with(&id)).unwrap();
    let fields: Vec<usize> = entry.split_whitespace().skip(2).filter_map(|field| field.parse().ok()).collect();
    let (packed_size, offset) = (fields[1], fields[2]);
    overwrite(&pack, |bytes| bytes[offset + packed_size / 2..][..8].iter_mut().for_each(|byte| *byte ^= 0x5a));
    one_object_is_bad(&scratch, &id, &[17, 20, 21]);
}

#[test]
fn a_truncated_pack_ends_with_2_and_the_rest_is_scanned() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("bad.txt", long_text(22), "bad");
    repository.git(&["repack", "-q", "-a", "-d"]);
    repository.commit_file("loose.txt", key(23), "loose");
    let folder = repository.path(".git/objects/pack");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|kind| kind == "pack") {
            overwrite(&path, |bytes| bytes.truncate(bytes.len() / 2));
        }
    }
    let run = scratch.scan(&["repo"]).status(2).within(Duration::from_secs(5));
    run.finding(&key(23));
    assert_eq!(run.summary()["complete"], false);
}

#[test]
fn a_damaged_index_or_ref_ends_with_2_and_the_history_is_scanned() {
    for (file, bytes) in [(".git/index", "DIRC and then nothing"), (".git/refs/heads/broken", "not an id\n")] {
        let scratch = Scratch::new();
        let repository = scratch.repository("repo");
        repository.commit_file("a.txt", key(24), "a");
        write(&repository.path(file), bytes);
        let run = scratch.scan(&["repo"]).status(2);
        run.finding(&key(24));
        assert_eq!(run.summary()["complete"], false, "{file}{run:?}");
    }
}
