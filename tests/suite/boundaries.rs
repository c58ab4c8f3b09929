//! Keys in large inputs: at every border of a chunk, at both ends, and with exact places.

use crate::harness::{Run, Scratch, key};

const LENGTH: usize = 5_000_000;

/// Where keys begin: astride the borders that readers use, and at both ends.
fn starts(key_length: usize) -> Vec<usize> {
    let borders = [4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10, 256 << 10, 512 << 10];
    let mut starts = vec![0];
    starts.extend(borders.iter().enumerate().map(|(index, border)| border - 10 - 10 * index));
    for mebibyte in 1..=4 {
        // One ends where a chunk ends, the next is cut in its middle; both kinds at each border are too close together.
        let border = mebibyte << 20;
        starts.push(if mebibyte % 2 == 0 { border - key_length } else { border - key_length / 2 });
    }
    starts.push(LENGTH - key_length);
    starts
}

/// Five megabytes of words with the keys in them, each between two separators.
fn text(separator: u8) -> (Vec<u8>, Vec<(String, usize)>) {
    let words = b"the quick brown fox jumps over the lazy dog and then it sleeps ";
    let mut bytes: Vec<u8> = words.iter().copied().cycle().take(LENGTH).collect();
    if separator == b'\n' {
        bytes.iter_mut().skip(70).step_by(71).for_each(|byte| *byte = b'\n');
    }
    let mut keys = Vec::new();
    for (index, start) in starts(key(0).len()).into_iter().enumerate() {
        let key = key(1000 + index as u64);
        let end = start + key.len();
        bytes[start..end].copy_from_slice(key.as_bytes());
        for border in [start.checked_sub(1), Some(end)].into_iter().flatten().filter(|at| *at < LENGTH) {
            bytes[border] = separator;
        }
        keys.push((key, start));
    }
    (bytes, keys)
}

fn check(run: &Run, bytes: &[u8], keys: &[(String, usize)]) {
    for (key, start) in keys {
        let places = run.occurrences(key);
        assert_eq!(places.len(), 1, "{places:?}");
        let place = &places[0];
        let before = &bytes[..*start];
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = start - before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1) + 1;
        let seen = ["start", "end", "line", "column"].map(|field| place[field].as_u64().unwrap() as usize);
        assert_eq!(seen, [*start, start + key.len(), line, column], "start, end, line, column of the key at {start}");
    }
    assert_eq!(run.findings().len(), keys.len());
    assert_eq!(run.summary()["bytes_scanned"], bytes.len());
}

#[test]
fn keys_astride_chunks_of_a_file_are_found_once_and_in_place() {
    let scratch = Scratch::new();
    let (bytes, keys) = text(b'\n');
    scratch.write("large.log", &bytes);
    check(&scratch.scan(&["large.log"]).status(1), &bytes, &keys);
    check(&scratch.scan(&["--threads", "1", "."]).status(1), &bytes, &keys);
}

#[test]
fn keys_in_a_mapped_file_are_found_once_and_in_place() {
    let scratch = Scratch::new();
    let (bytes, keys) = text(b'\n');
    scratch.write("large.log", &bytes);
    check(&scratch.scan(&["--mmap", "large.log"]).status(1), &bytes, &keys);
}

#[test]
fn keys_astride_chunks_of_standard_input_are_found_once_and_in_place() {
    let scratch = Scratch::new();
    let (bytes, keys) = text(b'\n');
    check(&scratch.scan_command(&["-"]).input(&bytes).run().status(1), &bytes, &keys);
}

#[test]
fn keys_in_one_endless_line_are_found_once_and_in_place() {
    let scratch = Scratch::new();
    let (bytes, keys) = text(b' ');
    scratch.write("line.json", &bytes);
    check(&scratch.scan(&["line.json"]).status(1), &bytes, &keys);
}

#[test]
fn keys_of_a_large_file_in_history_are_found_once_and_in_place() {
    let scratch = Scratch::new();
    let (bytes, keys) = text(b'\n');
    let repository = scratch.repository("repo");
    repository.commit_file("large.log", &bytes, "a log");
    repository.git(&["rm", "-q", "large.log"]);
    repository.commit("without it");
    let run = scratch.scan(&["repo"]).status(1);
    for (key, start) in &keys {
        assert_eq!(run.occurrences(key)[0]["start"], *start);
    }
}
