//! Files that change under the scan: cut short, grown, replaced, deleted. It never crashes, and loses no other file.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::harness::{Scratch, key, scale};

/// Changes files over and over until it is told to stop.
fn disturb(files: &[PathBuf], stop: &AtomicBool) {
    let text = format!("{}\n", "words and more words ".repeat(40)).into_bytes();
    let mut turn = 0_usize;
    while !stop.load(Ordering::Relaxed) {
        let path = &files[turn / 7 % files.len()];
        let length = if turn.is_multiple_of(2) { 3 << 20 } else { 40_000 };
        // What fails here fails because another turn was first.
        let _ = match turn % 7 {
            0 => std::fs::write(path, text.repeat(length / text.len())),
            1 => resize(path, 10),
            2 => resize(path, 6 << 20),
            3 => replace(path, &text.repeat(100)),
            4 => std::fs::remove_file(path),
            5 => std::fs::write(path, &text),
            _ => resize(path, 0),
        };
        turn += 1;
    }
}

fn resize(path: &Path, length: u64) -> std::io::Result<()> {
    std::fs::OpenOptions::new().write(true).open(path)?.set_len(length)
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let other = path.with_extension("new");
    std::fs::write(&other, bytes)?;
    std::fs::rename(other, path)
}

#[test]
fn files_that_change_under_the_scan_do_no_harm() {
    let scratch = Scratch::new();
    for number in 0..20 {
        scratch.write(format!("tree/steady{number}.txt"), key(number));
    }
    let files: Vec<PathBuf> = (0..6).map(|number| scratch.path(format!("tree/moving{number}.txt"))).collect();
    let until = Instant::now() + Duration::from_secs(if scale() > 1 { 10 } else { 3 });
    let stop = AtomicBool::new(false);
    let mut scans = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| disturb(&files, &stop));
        scope.spawn(|| disturb(&files[3..], &stop));
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while Instant::now() < until {
                let run = scratch.scan(&["--threads", "4", "tree"]).status(1);
                for number in 0..20 {
                    run.finding(&key(number));
                }
                assert_eq!(run.findings().len(), 20);
                scans += 1;
            }
        }));
        stop.store(true, Ordering::Relaxed);
        ended.unwrap_or_else(|payload| std::panic::resume_unwind(payload));
    });
    assert!(scans > 1, "too slow to prove anything");
}

#[test]
fn a_key_that_is_there_before_and_after_a_replacement_is_always_found() {
    let scratch = Scratch::new();
    let path = scratch.write("tree/a.txt", format!("one\n{}\n", key(50)));
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0;
            while !stop.load(Ordering::Relaxed) {
                turn += 1;
                replace(&path, format!("{}{}\n", "line\n".repeat(turn % 1000), key(50)).as_bytes()).unwrap();
            }
        });
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for _ in 0..20 {
                scratch.scan(&["tree"]).status(1).finding(&key(50));
            }
        }));
        stop.store(true, Ordering::Relaxed);
        ended.unwrap_or_else(|payload| std::panic::resume_unwind(payload));
    });
}

#[test]
fn with_maps_a_file_that_shrinks_may_end_the_scan_and_harms_no_store() {
    let scratch = Scratch::new();
    scratch.write("inventory.toml", "schema = \"credtrace.inventory/1\"\n[[people]]\nid = \"ana@acme.example\"\n");
    scratch.run(&["inventory", "import", "--from", "toml", "inventory.toml"]).status(0);
    scratch.write("tree/steady.txt", key(60));
    let files: Vec<PathBuf> = (0..3).map(|number| scratch.path(format!("tree/moving{number}.txt"))).collect();
    let until = Instant::now() + Duration::from_secs(if scale() > 1 { 10 } else { 2 });
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| disturb(&files, &stop));
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            while Instant::now() < until {
                // The documented risk of --mmap: the system may end the program. It never ends as a clean one.
                let run = scratch.scan(&["--mmap", "tree"]);
                assert!(matches!(run.status, None | Some(1)), "{run:?}");
            }
        }));
        stop.store(true, Ordering::Relaxed);
        ended.unwrap_or_else(|payload| std::panic::resume_unwind(payload));
    });
    scratch.run(&["evidence", "verify"]).status(0);
    scratch.scan(&["tree"]).status(1).finding(&key(60));
}
