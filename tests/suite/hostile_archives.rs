//! Archives that are made to fill memory, disks or time, to hide members, or to put files where nobody wants them. Each
//! ends at a limit that is told, in bounded memory, with nothing written, and what was good in it is found.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::harness::archives::{
    ZipMember, gzip, overlapping_zip, tar, tar_header, tar_member, tar_of, zip, zip_of_empty_members,
};
use crate::harness::{Run, Scratch, key};

/// No run of this module may take longer; a release build takes a tenth of it.
const SOON: Duration = Duration::from_secs(20);

/// Every path below a folder.
fn everything(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { everything(&path) } else { [path].into() }).collect()
}

/// Scans a file with nowhere to put anything, in little memory, and checks that it left nothing behind.
fn scan(scratch: &Scratch, arguments: &[&str]) -> Run {
    let before = everything(&scratch.path(""));
    let command = scratch.scan_command(&[&["--threads", "2"], arguments].concat()).within_memory(500);
    // Not even root can write there.
    let run = command.env("TMPDIR", "/proc").run().within(SOON);
    assert_eq!(everything(&scratch.path("")), before, "something was written{run:?}");
    assert!(everything(&scratch.elsewhere("")).is_empty(), "a member was written where it wants to be{run:?}");
    run
}

/// What was skipped for a reason.
fn skipped(run: &Run, reason: &str) -> u64 {
    run.summary()["skipped"][reason].as_u64().unwrap_or_default()
}

#[test]
fn zips_in_zips_end_at_the_total_of_what_comes_out() {
    let scratch = Scratch::new();
    let mut nest = zip(&[ZipMember::deflated("bottom", vec![b'0'; 4 << 20])]);
    for _ in 0..5 {
        let members: Vec<ZipMember> =
            (0..16).map(|number| ZipMember::deflated(format!("{number}.zip"), &nest)).collect();
        nest = zip(&members);
    }
    scratch.write("42.zip", zip(&[ZipMember::stored("good.txt", key(1)), ZipMember::stored("nest.zip", &nest)]));
    let run = scan(&scratch, &["42.zip"]).status(1);
    assert_eq!(run.paths(&key(1)), ["42.zip!/good.txt"]);
    assert!(skipped(&run, "archive-ratio") + skipped(&run, "archive-total-size") > 0, "{run:?}");
    assert!(run.summary()["bytes_scanned"].as_u64().unwrap() < 8 << 20, "{run:?}");
}

#[test]
fn members_that_share_their_bytes_end_at_the_ratio() {
    let scratch = Scratch::new();
    let mut text = format!("{}\n", key(2)).into_bytes();
    text.resize(1 << 20, b'0');
    scratch.write("overlap.zip", overlapping_zip(&ZipMember::deflated("0000", text), 5000));
    let run = scan(&scratch, &["overlap.zip"]).status(1).says("more came out of it than the limit");
    assert!(run.paths(&key(2)).contains(&"overlap.zip!/0000".to_owned()), "{run:?}");
    assert!(skipped(&run, "archive-total-size") > 0, "{run:?}");
}

#[test]
fn a_thousandfold_text_ends_at_the_ratio_and_its_beginning_is_scanned() {
    let scratch = Scratch::new();
    let mut text = format!("{}\n", key(3)).into_bytes();
    text.resize(64 << 20, 0);
    let bomb = gzip(&text);
    assert!(bomb.len() * 900 < text.len());
    scratch.write("bomb.gz", &bomb);
    scratch.write("bomb.zip", zip(&[ZipMember::stored("bomb.gz", &bomb), ZipMember::stored("after", key(4))]));
    let run = scan(&scratch, &["bomb.gz"]).status(1).says("compressed beyond the limit");
    assert_eq!(skipped(&run, "archive-ratio"), 1);
    run.finding(&key(3));
    scratch.scan(&["--strict", "bomb.gz"]).status(2);
    let run = scan(&scratch, &["bomb.zip"]).status(1);
    run.finding(&key(3));
}

#[test]
fn sizes_that_are_not_true_decide_nothing() {
    let scratch = Scratch::new();
    let text = format!("{}{}", "a line\n".repeat(2000), key(5));
    let told = |name: &str, size: u32, text: &str| ZipMember { size, ..ZipMember::deflated(name, text) };
    let behind = |name: &str, text: &str| ZipMember { flags: 8, ..ZipMember::deflated(name, text) };
    let members = [
        told("small", 10, &text),
        told("large", u32::MAX - 1, &text.replace(&key(5), &key(6))),
        behind("behind", &text.replace(&key(5), &key(7))),
        ZipMember { size: 0xffff_ffff, ..ZipMember::stored("no extra field", key(8)) },
    ];
    scratch.write("a.zip", zip(&members));
    let run = scan(&scratch, &["a.zip"]);
    for seed in 5..9 {
        run.finding(&key(seed));
    }
    // A member that takes no bytes and has some.
    let hidden = ZipMember { packed: Vec::new(), ..ZipMember::deflated("hidden", &text) };
    scratch.write("b.zip", zip(&[hidden]));
    scan(&scratch, &["b.zip"]).status(2).says("tells two sizes");
}

#[test]
fn two_million_empty_members_end_at_the_number_of_members() {
    let scratch = Scratch::new();
    scratch.write("many.zip", zip_of_empty_members(&ZipMember::stored("good", key(9)), 2_000_000));
    let run = scan(&scratch, &["many.zip"]).status(1).says("more members than the limit");
    run.finding(&key(9));
    assert_eq!(skipped(&run, "archive-entries"), 1);
}

#[test]
fn sizes_that_two_headers_tell_differently_hide_no_member() {
    let scratch = Scratch::new();
    let inner = tar_member("inner", b'0', format!("KEY={}\n", key(10)));
    let pax = |size: usize| tar_member("pax", b'x', format!("{:02} size={size}\n", 9 + size.to_string().len()));
    // The extended header says that the member has bytes, its own says that it has none; then the other way round.
    let longer = tar(&[tar_member("good", b'0', key(11)), pax(1024), tar_header("a", b'0', 0), inner.clone()]);
    let mut outer = tar_header("a", b'0', inner.len());
    outer.extend(&inner);
    let shorter = tar(&[tar_member("good", b'0', key(11)), pax(0), outer]);
    for (name, bytes) in [("longer.tar", longer), ("shorter.tar", shorter)] {
        scratch.write(name, &bytes);
        scratch.write(format!("{name}.gz"), gzip(&bytes));
        for name in [name.to_owned(), format!("{name}.gz")] {
            let run = scan(&scratch, &[&name]).status(1);
            run.finding(&key(10));
            assert_eq!(run.paths(&key(11)), [format!("{name}!/good")], "{run:?}");
        }
    }
}

#[test]
fn names_that_lead_out_and_links_lead_nowhere() {
    let scratch = Scratch::new();
    let mut link = tar_member("link", b'2', "");
    link[157..168].copy_from_slice(b"/etc/passwd");
    let sum: u32 = link[..512]
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum();
    link[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let (up, absolute) = ("../elsewhere/../elsewhere/x", scratch.elsewhere("y").display().to_string());
    let members = [tar_member(up, b'0', key(12)), link, tar_member(&absolute, b'0', key(13))];
    scratch.write("a.tar", tar(&members));
    scratch.write("a.zip", zip(&[ZipMember::stored(up, key(12)), ZipMember::stored(&absolute, key(13))]));
    for name in ["a.tar", "a.zip"] {
        let run = scan(&scratch, &[name]).status(1);
        assert_eq!(run.paths(&key(12)), [format!("{name}!/{up}")]);
        assert_eq!(run.paths(&key(13)), [format!("{name}!/{absolute}")]);
        assert_eq!(run.findings().len(), 2, "{run:?}");
    }
}

#[test]
fn encrypted_members_are_counted_and_said() {
    let scratch = Scratch::new();
    let locked = ZipMember { flags: 1, ..ZipMember::stored("locked", "whatever it is") };
    scratch.write("tree/a.zip", zip(&[locked.clone(), ZipMember::stored("good", key(14)), locked]));
    for target in ["tree", "tree/a.zip"] {
        let run = scan(&scratch, &[target]).status(1).says("2 members are encrypted");
        assert_eq!(skipped(&run, "archive-encrypted"), 2);
        run.finding(&key(14));
        scan(&scratch, &["--strict", target]).status(2);
    }
}

/// Bytes that no compression makes small.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..length).map(|_| draw()).collect()
}

#[test]
fn what_is_cut_off_is_scanned_as_far_as_it_goes() {
    let scratch = Scratch::new();
    let members = [tar_member("good", b'0', key(15)), tar_member("noise", b'0', noise(100_000))];
    let mut packed = gzip(tar(&members));
    packed.truncate(packed.len() / 2);
    scratch.write("tree/cut.tar.gz", &packed);
    let mut plain = tar(&members);
    plain.truncate(50_000);
    scratch.write("tree/cut.tar", &plain);
    let members = [ZipMember::deflated("good", key(15)), ZipMember::deflated("noise", noise(100_000))];
    let behind = members.clone().map(|member| ZipMember { flags: 8, ..member });
    for (name, members) in [("cut.zip", members), ("behind.zip", behind)] {
        let mut packed = zip(&members);
        packed.truncate(50_000);
        scratch.write(format!("tree/{name}"), &packed);
    }
    for name in ["cut.tar.gz", "cut.tar", "cut.zip", "behind.zip"] {
        let run = scan(&scratch, &[&format!("tree/{name}")]).status(2).says("not all of it can be decoded");
        assert!(run.paths(&key(15)).contains(&format!("tree/{name}!/good")), "{run:?}");
        assert_eq!(run.summary()["complete"], false);
    }
    // Where nobody asked for them by name, they are counted.
    let run = scan(&scratch, &["tree"]).status(1);
    assert!(skipped(&run, "archive-damaged") >= 4, "{run:?}");
    scan(&scratch, &["--strict", "tree"]).status(2);
}

#[test]
fn what_only_begins_like_an_archive_is_scanned_as_it_is() {
    let scratch = Scratch::new();
    for (number, mark) in ["PK\x03\x04", "\x1f\u{8}", "BZh91AY&SY", "PK\x05\x06"].into_iter().enumerate() {
        scratch.write(format!("tree/{number}"), format!("{mark} and then KEY={}\n", key(20 + number as u64)));
    }
    scratch.write("tree/gzip", [b"\x1f\x8b\x08 and then KEY=", key(24).as_bytes(), b"\n"].concat());
    scratch.write("tree/xz", [b"\xfd7zXZ\0 and then KEY=", key(25).as_bytes(), b"\n"].concat());
    scratch.write("tree/zstd", [b"\x28\xb5\x2f\xfd and then KEY=", key(26).as_bytes(), b"\n"].concat());
    scratch.write("tree/7z", [b"7z\xbc\xaf\x27\x1c and then KEY=", key(27).as_bytes(), b"\n"].concat());
    let run = scan(&scratch, &["tree"]).status(1);
    for seed in 20..28 {
        assert_eq!(run.occurrences(&key(seed))[0]["source"], "file", "{run:?}");
    }
    assert_eq!(skipped(&run, "archive-format"), 1);
}

#[test]
fn archives_deeper_than_the_limit_are_scanned_as_they_are() {
    let scratch = Scratch::new();
    let mut nest = tar_of("bottom", key(30));
    for _ in 0..20 {
        nest = tar_of("next.tar", &nest);
    }
    scratch.write("deep.tar", &nest);
    let run = scan(&scratch, &["deep.tar"]).status(1).says("deeper");
    run.finding(&key(30));
    assert_eq!(skipped(&run, "archive-depth"), 1);
}
