//! What the fuzz targets check, on a stable compiler: on seeds, and on every input that ever failed (`fuzz/regressions`).
//! With `CREDTRACE_WRITE_SEEDS=FOLDER` the seeds are also written as files for a fuzzer to begin with (`fuzz/seeds.sh`).

#[path = "../../fuzz/checks.rs"]
mod checks;

use credtrace::detector::example::{self, Generator};
use credtrace::detector::registry::Registry;

use crate::harness::archives::{ZipMember, bzip2, gzip, overlapping_zip, tar, tar_member, tar_of, xz, zip, zstd};
use crate::harness::{Scratch, key, project, write};

type Check = fn(&[u8]);

/// Every target of `fuzz/fuzz_targets` by name.
const CHECKS: [(&str, Check); 10] = [
    ("archive", checks::archive),
    ("detector_file", checks::detector_file),
    ("scan_bytes", checks::scan_bytes),
    ("pack_entry_and_delta", checks::pack_entry_and_delta),
    ("loose_object", checks::loose_object),
    ("index_file", checks::index_file),
    ("commit_and_tree", checks::commit_and_tree),
    ("decode_views", checks::decode_views),
    ("report_escape", checks::report_escape),
    ("report_read", checks::report_read),
];

/// Runs a check on seeds, and writes them where that is asked.
fn run(name: &str, seeds: &[Vec<u8>]) {
    let (_, check) = CHECKS.iter().find(|(known, _)| *known == name).unwrap();
    let corpus = std::env::var_os("CREDTRACE_WRITE_SEEDS").map(std::path::PathBuf::from);
    for (number, seed) in seeds.iter().enumerate() {
        check(seed);
        if let Some(corpus) = &corpus {
            write(&corpus.join(name).join(format!("seed-{number:04}")), seed);
        }
    }
}

#[test]
fn every_target_has_its_file_and_its_check() {
    let mut files: Vec<String> = std::fs::read_dir(project("fuzz/fuzz_targets"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut names = CHECKS.map(|(name, _)| name.to_owned());
    names.sort();
    assert_eq!(files, names);
}

#[test]
fn inputs_that_failed_once_fail_no_more() {
    for (name, check) in CHECKS {
        let Ok(entries) = std::fs::read_dir(project("fuzz/regressions").join(name)) else { continue };
        for entry in entries {
            check(&std::fs::read(entry.unwrap().path()).unwrap());
        }
    }
}

#[test]
fn seeds_of_detector_files() {
    let files = std::fs::read_dir(project("detectors")).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|kind| kind == "toml"));
    let seeds: Vec<Vec<u8>> = files.map(|path| std::fs::read(path).unwrap()).collect();
    assert!(seeds.len() > 50);
    run("detector_file", &seeds);
}

#[test]
fn seeds_of_text() {
    let registry = Registry::built_in();
    let mut seeds = Vec::new();
    for detector in registry.detectors() {
        for text in example::texts(detector) {
            let bytes = example::expand_for(detector, &text, &mut Generator::new(1)).unwrap();
            seeds.push([b"before \"", &bytes[..], b"\" after\n"].concat());
        }
    }
    // Found by fuzzing: a password that stands on its line once more, inside of what is no key.
    let password = "yRRlsWHn".to_owned() + "PbSWRAeo";
    let address = format!("mongodb+srv://app:{password}@cluster0.a1b2c.mongodb.net/app");
    seeds.push(format!("before {}_{password}gs45 before \"{address}\" after", "ghs").into_bytes());
    let wide = |bytes: &Vec<u8>| bytes.iter().flat_map(|byte| [*byte, 0]).collect::<Vec<u8>>();
    let wide: Vec<Vec<u8>> = seeds.iter().step_by(20).map(wide).collect();
    seeds.extend(wide);
    run("scan_bytes", &seeds);
}

/// One entry as the check reads it: what comes before the payload is its base.
fn entry(flags: u8, base: u8, payload: &[u8]) -> Vec<u8> {
    [&[flags, payload.len() as u8 + 1, base], payload].concat()
}

#[test]
fn seeds_of_packs() {
    let text = b"a text of thirty-two bytes, as is";
    let blob = entry(3, 0, text);
    // 33 bytes become 40: all of the base, then seven new ones.
    let delta = [&[33, 40, 0x90, 33, 7][..], b"new one"].concat();
    run(
        "pack_entry_and_delta",
        &[
            [blob.clone(), entry(6, 0, &delta), entry(6, 1, &[40, 4, 0x90, 4])].concat(),
            [entry(7, 1, &delta), blob.clone()].concat(),
            [entry(7, 0, &delta), blob.clone()].concat(),
            [entry(3 | 16, 0, b"\0\0\0\0\0\x80\0\0"), blob.clone()].concat(),
            [blob.clone(), entry(6, 200, &delta), entry(5, 0, b""), entry(3 | 32, 0, b"raw")].concat(),
            [blob, entry(1, 0, b"tree"), entry(2, 0, b"100644 a\0"), entry(4, 0, b"object")].concat(),
        ],
    );
}

#[test]
fn seeds_of_loose_objects() {
    let seeds: [&[u8]; 8] = [
        b"\0blob 3\0abc",
        b"\0tree 0\0",
        b"\0commit 4\0tree",
        b"\0blob 4\0abc",
        b"\0blob 2\0abc",
        b"\0blob 18446744073709551615\0abc",
        b"\0blob",
        b"\x01not compressed",
    ];
    run("loose_object", &seeds.map(<[u8]>::to_vec));
}

#[test]
fn seeds_of_indexes() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    for name in ["a", "b/c", "b/d/e", "b-f", "g/h"] {
        repository.write(name, name);
    }
    repository.commit("files");
    repository.write("b/new", "new");
    repository.git(&["add", "-N", "b/new"]);
    let read = || std::fs::read(repository.path(".git/index")).unwrap();
    let mut seeds = vec![read()];
    for version in ["4", "3"] {
        repository.git(&["update-index", "--index-version", version, "--force-write-index"]);
        seeds.push(read());
    }
    run("index_file", &seeds);
}

/// One object as the check reads it.
fn object(kind: u8, body: &[u8]) -> Vec<u8> {
    [&[kind][..], &(body.len() as u16).to_be_bytes(), body].concat()
}

#[test]
fn seeds_of_histories() {
    let person = "A B <a@example.com> 1700000000 +0100\n";
    let commit = |links: &[u8]| [links, format!("author {person}committer {person}\nwords\n").as_bytes()].concat();
    let linear = [
        object(0, &commit(b"tree \x82\nparent \x81\n")),
        object(0, &commit(b"tree \x83\n")),
        object(1, b"100644 a\0\xa0\x34\x30\x30\x30\x30 d\0\x83"),
        object(1, b"100755 b\0\xa1"),
    ];
    let looped = [object(0, &commit(b"tree \x81\nparent \x80\n")), object(1, b"40000 d\0\x81100644 f\0\xa2")];
    run("commit_and_tree", &[linear.concat(), looped.concat(), object(0, b"tree \x80\n\n")]);
}

#[test]
fn seeds_of_archives() {
    let text = "a text, ".repeat(40);
    let inner = zip(&[ZipMember::deflated("inner", &text)]);
    let behind = ZipMember { flags: 8, ..ZipMember::deflated("behind", &text) };
    let locked = ZipMember { flags: 1, ..ZipMember::stored("locked", &text) };
    let bzipped = ZipMember { method: 12, packed: bzip2(&text), ..ZipMember::stored("b", "") };
    let zipped = zip(&[ZipMember::stored("inner.zip", &inner), behind.clone(), locked, bzipped]);
    let long = [tar_member("x", b'L', "a/long/name\0"), tar_member("x", b'0', &text), tar_member("z", b'0', &inner)];
    let pax = [tar_member("x", b'x', "17 path=a/member\n11 size=4\n"), tar_member("x", b'S', &text), gzip(&text)];
    let mut seeds = vec![
        zipped[..zipped.len() - 60].to_vec(),
        zipped,
        overlapping_zip(&behind, 9),
        tar(&long),
        tar(&pax),
        gzip(tar_of("member", &text)),
        [gzip(&text), gzip(vec![0; 100_000])].concat(),
        bzip2(gzip(&text)),
        xz(&text),
        [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..], &zstd(&text), &zstd(xz(&text))].concat(),
    ];
    let scratch = Scratch::new();
    let database = rusqlite::Connection::open(scratch.path("a.db")).unwrap();
    database.execute_batch("PRAGMA page_size = 512; CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT)").unwrap();
    database.execute("INSERT INTO t VALUES (?1, ?2)", (&text, text.repeat(4))).unwrap();
    drop(database);
    seeds.push(std::fs::read(scratch.path("a.db")).unwrap());
    for (number, seed) in (0..).zip(&mut seeds) {
        seed.insert(0, number);
    }
    run("archive", &seeds);
    mutate(&seeds, checks::archive);
}

/// Runs a check on seeds that were changed here and there, the same each time; `CREDTRACE_MUTATIONS` says how many.
fn mutate(seeds: &[Vec<u8>], check: Check) {
    let rounds = std::env::var("CREDTRACE_MUTATIONS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(1000);
    let mut state = 1_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for _ in 0..rounds {
        let mut bytes = seeds[draw(seeds.len())].clone();
        for _ in 0..=draw(6) {
            let (at, length) = (draw(bytes.len()), draw(40));
            let end = (at + length).min(bytes.len());
            match draw(6) {
                0 => bytes[at] = draw(256) as u8,
                1 => bytes[at] ^= 1 << draw(8),
                2 => bytes[at..end].fill([0, 0xff][draw(2)]),
                3 => bytes.truncate(at.max(2)),
                // Two bytes are left at least.
                4 => drop(bytes.drain(at..end.min((at + bytes.len()).saturating_sub(2)).max(at))),
                _ => {
                    let other = &seeds[draw(seeds.len())];
                    let from = draw(other.len());
                    bytes.splice(at..end, other[from..(from + 200).min(other.len())].iter().copied());
                }
            }
        }
        check(&bytes);
    }
}

#[test]
fn seeds_of_views() {
    let text = |mark: [u8; 2], order: fn(u16) -> [u8; 2]| {
        let units = "key: sk-abc".encode_utf16().flat_map(order);
        [&[12, 5, 4, 3][..], &mark, &units.collect::<Vec<u8>>()].concat()
    };
    run("decode_views", &[text([0xff, 0xfe], u16::to_le_bytes), text([0xfe, 0xff], u16::to_be_bytes), vec![0; 40]]);
}

#[test]
fn seeds_of_reports() {
    let seeds: [&[u8]; 5] = [
        b"",
        b"target\0src/a.py\0commit\0Ada <ada@example.com>\x002026-01-01\0KEY = ...",
        b"\x1b]52;c;x\x07\0\x1b[2J\r\n\0<script>\0\"onload=\0=cmd|'/C calc'!A0\0+1\0-1\0@x\0\t]]>",
        b"\xff\xfe\0\xe2\x80\xae\0\xc2\x9b\0::error::x\0[a](b){0}",
        b"\n\0\n\0\n\0\r\0\r\0\r\0\r\0\n\0\n\0\n\0\n\0\n\0\n\0\n\0\n",
    ];
    run("report_escape", &seeds.map(<[u8]>::to_vec));
}

#[test]
fn reports_and_baselines_are_read_and_written_again() {
    let scratch = Scratch::new();
    scratch.write("a.py", format!("A = \"{}\"\nB = \"{}\"\n", key(1), key(2)));
    let mut seeds = Vec::new();
    for format in ["json", "jsonl"] {
        let text = scratch.run(&["scan", "a.py", "--format", format]).status(1).stdout;
        // A part of it, twice itself, other types, other times, other numbers.
        seeds.push(text[..text.len() / 2].to_owned());
        seeds.push(text.repeat(2));
        for (old, new) in [
            ("\"api-key\"", "7"),
            ("not-checked\"", "live\",\"checked_at\":\"9999-12-31T23:59:60Z\""),
            (
                "\"no-inventory\"",
                "\"linked\",\"tier\":\"exact\",\"score\":1e308,\"as_of\":\"\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\"",
            ),
            ("\"start\":", "\"start\":18446744073709551615,\"x\":"),
            ("\"line\":", "\"line\":0,\"x\":"),
            ("\"path\":\"a.py\"", "\"path\":\"\",\"path_bytes_b64\":\"/w==\""),
            ("\"seconds\":", "\"seconds\":-1e300,\"x\":"),
            ("\"summary\":", "\"summary\" :"),
        ] {
            seeds.push(text.replace(old, new));
        }
        seeds.push(text);
    }
    let arguments =
        ["scan", "a.py", "--baseline", "k.toml", "--update-baseline", "--reason", "\u{202e}\u{27}\u{27}\u{27}\"\n"];
    scratch.run(&arguments).status(0);
    seeds.push(std::fs::read_to_string(scratch.path("k.toml")).unwrap());
    run("report_read", &seeds.into_iter().map(String::into_bytes).collect::<Vec<_>>());
}
