//! Files without their credentials: what is replaced, what stays, and what is never touched.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use crate::harness::{KeyKind, Run, Scratch, fake_key, is_root, key, project};

/// Fails unless no part of the keys stands in a text.
#[track_caller]
fn holds_none(text: &[u8], keys: &[String]) {
    for key in keys {
        for part in [&key[15..31], &key[key.len() - 25..key.len() - 9]] {
            assert!(!text.windows(16).any(|window| window == part.as_bytes()), "{}", String::from_utf8_lossy(text));
        }
    }
}

fn read(scratch: &Scratch, name: &str) -> Vec<u8> {
    std::fs::read(scratch.path(name)).unwrap()
}

/// The names in the folder, to see that nothing else is left.
fn names(scratch: &Scratch) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(scratch.path(""))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_transcript_is_scrubbed_and_its_original_kept() {
    let scratch = Scratch::new();
    let keys = [key(1), fake_key(KeyKind::OpenAi, 2), fake_key(KeyKind::GitHub, 3)];
    let inner = serde_json::json!({"env": {"ANTHROPIC_API_KEY": keys[0]}, "note": "keep this"}).to_string();
    let lines = [
        serde_json::json!({"role": "tool", "content": inner}),
        serde_json::json!({"role": "user", "content": format!("{} and {} again {}", keys[1], keys[2], keys[1])}),
    ];
    let text = format!("{}\n{}\n", lines[0], lines[1]);
    let path = scratch.write("session.jsonl", &text);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let run = scratch.run(&["scrub", "session.jsonl"]).status(0).says("revoke");
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(project("tests/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let clean = read(&scratch, "session.jsonl");
    settings.bind(|| {
        insta::assert_snapshot!(
            "scrub",
            format!("{}{}---\n{}", run.stdout, run.stderr, String::from_utf8_lossy(&clean))
        );
    });
    holds_none(&clean, &keys);
    let parsed: Vec<serde_json::Value> =
        String::from_utf8(clean).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let inner: serde_json::Value = serde_json::from_str(parsed[0]["content"].as_str().unwrap()).unwrap();
    assert_eq!(inner["note"], "keep this");
    assert_eq!(read(&scratch, "session.jsonl.orig"), text.as_bytes());
    assert_eq!(names(&scratch), ["session.jsonl", "session.jsonl.orig"]);
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
    scratch.run(&["scan", "session.jsonl"]).status(0);
    // A second run finds nothing to do, and an original is never overwritten.
    let again = scratch.run(&["scrub", "--in-place", "session.jsonl"]).status(0);
    assert!(again.stdout.contains("unchanged"), "{again:?}");
    scratch.write("session.jsonl", &text);
    scratch.run(&["scrub", "session.jsonl"]).status(2).says("session.jsonl.orig");
    assert_eq!(read(&scratch, "session.jsonl"), text.as_bytes());
}

#[test]
fn in_place_keeps_no_original_and_a_file_without_credentials_is_not_written() {
    let scratch = Scratch::new();
    scratch.write("a.log", format!("token {}\n", key(1)));
    let path = scratch.write("b.log", "nothing\n");
    let before = std::fs::metadata(&path).unwrap();
    scratch.run(&["scrub", "--in-place", "a.log", "b.log"]).status(0).never_says(&key(1)[20..40]);
    let after = std::fs::metadata(&path).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()), "written without need");
    assert_eq!(names(&scratch), ["a.log", "b.log"]);
    assert!(read(&scratch, "a.log").starts_with(b"token sk-ant-api03-"));
}

#[test]
fn encoded_credentials_and_odd_texts_are_scrubbed() {
    let scratch = Scratch::new();
    let secret = key(1);
    let encode = |text: &str| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(text)
    };
    let wrapped: Vec<String> = encode(&format!("{{\"k\":\"{secret}\"}}"))
        .as_bytes()
        .chunks(60)
        .map(|line| String::from_utf8_lossy(line).into())
        .collect();
    let wide: Vec<u8> = format!("\u{feff}key={secret}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut binary = vec![0_u8, 255, 128, 10];
    binary.extend(secret.as_bytes());
    binary.extend([0, 200]);
    let files: [(&str, Vec<u8>); 5] = [
        ("base64", format!("data: {}\nend\n", encode(&encode(&secret))).into()),
        ("wrapped", wrapped.join("\n").into()),
        ("wide", wide),
        ("binary", binary),
        ("no-line-end", format!("ANTHROPIC_API_KEY={secret}").into()),
    ];
    for (name, text) in &files {
        scratch.write(name, text);
        scratch.run(&["scrub", name]).status(0);
        let run = scratch.scan(&[name]).status(0);
        assert_eq!(run.findings().len(), 0, "{name}{run:?}");
        assert_eq!(read(&scratch, &format!("{name}.orig")), *text);
    }
    assert!(read(&scratch, "base64").ends_with(b"\nend\n"));
    assert_eq!(read(&scratch, "binary")[..4], [0, 255, 128, 10]);
    let units: Vec<u16> = read(&scratch, "wide").chunks(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    assert!(String::from_utf16(&units).unwrap().ends_with("\r\n"));
}

#[test]
fn what_is_no_plain_file_is_refused_and_the_others_are_scrubbed() {
    let scratch = Scratch::new();
    let text = format!("{}\n", key(1));
    for name in ["target", "good", "one-name", "odd\u{1b}[2J"] {
        scratch.write(name, &text);
    }
    symlink("target", scratch.path("link")).unwrap();
    std::fs::hard_link(scratch.path("one-name"), scratch.path("other-name")).unwrap();
    std::fs::create_dir(scratch.path("folder")).unwrap();
    let pipe = std::process::Command::new("mkfifo").arg(scratch.path("pipe")).status().unwrap();
    assert!(pipe.success());
    for (name, told) in [
        ("link", "symbolic link"),
        ("one-name", "2 names"),
        ("folder", "folder"),
        ("pipe", "no regular file"),
        ("missing", "missing"),
        (&key(2), "sk-ant-api03-"),
    ] {
        let run = scratch.run(&["scrub", name]).status(2).says(told).never_says(&key(2)[20..40]);
        assert_eq!(run.stdout, "", "{run:?}");
    }
    for name in ["target", "one-name", "other-name"] {
        assert_eq!(read(&scratch, name), text.as_bytes(), "{name}");
    }
    let all = ["scrub", "link", "good", "odd\u{1b}[2J"];
    let run = scratch.run(&all).status(2).never_says("\u{1b}");
    assert!(run.stdout.contains("good: 1 credential replaced in 1 place"), "{run:?}");
    holds_none(&read(&scratch, "good"), &[key(1)]);
}

#[test]
fn where_nothing_can_be_written_nothing_changes() {
    let scratch = Scratch::new();
    let text = format!("{}\n", key(1));
    scratch.write("locked/a.txt", &text);
    std::fs::set_permissions(scratch.path("locked"), std::fs::Permissions::from_mode(0o555)).unwrap();
    std::fs::set_permissions(scratch.path("locked/a.txt"), std::fs::Permissions::from_mode(0o644)).unwrap();
    let command = scratch.command(&["scrub", "locked/a.txt"]);
    let run = match is_root() {
        true => command.run_by_nobody(&scratch.elsewhere("credtrace")).run(),
        false => command.run(),
    };
    let run = run.status(2).says("unchanged");
    assert_eq!(run.stdout, "", "{run:?}");
    assert_eq!(read(&scratch, "locked/a.txt"), text.as_bytes());
    assert_eq!(std::fs::read_dir(scratch.path("locked")).unwrap().count(), 1);
}

#[test]
fn a_file_of_another_owner_keeps_its_owner() {
    if !is_root() {
        eprintln!("skipped: only root can give files away");
        return;
    }
    let scratch = Scratch::new();
    let path = scratch.write("a.txt", format!("{}\n", key(1)));
    std::os::unix::fs::chown(&path, Some(65534), Some(65534)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o4750)).unwrap();
    scratch.run(&["scrub", "a.txt"]).status(0);
    let known = std::fs::metadata(&path).unwrap();
    assert_eq!((known.uid(), known.gid(), known.mode() & 0o7777), (65534, 65534, 0o4750));
}

#[test]
fn standard_input_goes_to_standard_output() {
    let scratch = Scratch::new();
    let scrub = |text: &str| -> Run { scratch.command(&["scrub", "-"]).input(text).run().status(0) };
    let run = scrub(&format!("before {} after\nlast", key(1))).says("1 credential replaced in 1 place");
    assert!(run.stdout.starts_with("before sk-ant-api03-") && run.stdout.ends_with(" after\nlast"), "{run:?}");
    holds_none(run.stdout.as_bytes(), &[key(1)]);
    assert_eq!(scrub("nothing\n").stdout, "nothing\n");
    assert_eq!(scrub("").stdout, "");
}

#[test]
fn what_a_detector_still_finds_afterwards_is_told() {
    let scratch = Scratch::new();
    // It takes the redacted form for a credential, too.
    let detector = "provider = 'stubborn'\nname = 'Stubborn'\n[[detector]]\nid = 'stubborn-key'\nname = 'Stubborn key'\n\
        kind = 'api-key'\nprivilege = 'use'\nanchors = ['stubborn-']\n\
        pattern = 'stubborn-(?:[a-z0-9]{24}|\\xE2\\x80\\xA6[a-z0-9]{0,4})'\nexamples = ['stubborn-{24:lowernum}']\n";
    scratch.write("detectors/own.toml", detector);
    let secret = "stubborn-".to_owned() + &key(1).to_lowercase().replace(['-', '_'], "")[20..44];
    scratch.write("a.txt", format!("\n{secret} {}\n", key(2)));
    let run = scratch.run(&["scrub", "--detectors", "detectors", "a.txt"]).status(2).says("not clean");
    run.says("line 2 (stubborn-key)").never_says(&secret[10..30]);
    let text = read(&scratch, "a.txt");
    holds_none(&text, &[key(2)]);
    assert!(!String::from_utf8(text).unwrap().contains(&secret[10..20]));
    let command = scratch.command(&["scrub", "--detectors", "detectors", "-"]).input(secret);
    assert_eq!(command.run().status(2).stdout, "", "half a text was handed on");
}
