//! The same key as editors and programs write it: found each time, and its line, column and bytes exact in the original.
//!
//! A line ends with a line feed, as in git and grep; a carriage return alone ends none. Columns count bytes from the first
//! byte of the line, a byte order mark included.

use crate::harness::{Run, Scratch, key};

/// How text is written as bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Utf8,
    LittleEndian,
    BigEndian,
    LittleLong,
    BigLong,
}

impl Form {
    fn write(self, text: &str) -> Vec<u8> {
        match self {
            Self::Utf8 => text.into(),
            Self::LittleEndian => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Self::BigEndian => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Self::LittleLong => text.chars().flat_map(|character| u32::from(character).to_le_bytes()).collect(),
            Self::BigLong => text.chars().flat_map(|character| u32::from(character).to_be_bytes()).collect(),
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Utf8 => 1,
            Self::LittleEndian | Self::BigEndian => 2,
            Self::LittleLong | Self::BigLong => 4,
        }
    }
}

/// Start, end, line and column of the key.
#[track_caller]
fn place(run: &Run, key: &str) -> [usize; 4] {
    let places = run.occurrences(key);
    assert_eq!(places.len(), 1, "{places:?}");
    ["start", "end", "line", "column"].map(|field| places[0][field].as_u64().unwrap() as usize)
}

/// What the place of a key must be that stands between two texts.
fn expected(form: Form, before: &str, key: &str) -> [usize; 4] {
    let start = form.write(before).len();
    let line_start = before.rfind('\n').map_or(0, |at| form.write(&before[..=at]).len());
    let line = before.matches('\n').count() + 1;
    [start, start + key.len() * form.width(), line, start - line_start + 1]
}

#[test]
fn every_form_of_text_and_of_line_is_read_and_told_in_place() {
    let texts = [
        ("first line\nKEY = \"", "\"\nlast\n"),
        ("\u{feff}first line\nKEY=", "\nlast\n"),
        ("\u{feff}KEY=", "\n"),
        ("\u{feff}", ""),
        ("", ""),
        ("first\r\nsecond\r\nKEY=", "\r\nlast\r\n"),
        ("first\rsecond\rKEY=", "\rlast\r"),
        ("binary\0", "\0more"),
        ("binary\0\0\n\0", "\0"),
        ("first\n\nKEY=", ""),
        ("caf\u{e9} \u{4e2d}\u{6587}\n\u{44f}=", "\n"),
        ("\u{10a}\u{a0a}\u{a00}\nKEY=", "\u{a0a}\n"),
    ];
    let forms = [
        (Form::Utf8, 0),
        (Form::LittleEndian, 100),
        (Form::BigEndian, 200),
        (Form::LittleLong, 800),
        (Form::BigLong, 900),
    ];
    for (form, seed) in forms {
        for (number, (before, after)) in texts.iter().enumerate() {
            let scratch = Scratch::new();
            let key = key(seed + number as u64);
            scratch.write("text", form.write(&format!("{before}{key}{after}")));
            let run = scratch.scan(&["text"]).status(1);
            assert_eq!(place(&run, &key), expected(form, before, &key), "{form:?} {before:?}{run:?}");
            assert_eq!(run.findings().len(), 1, "{form:?} {before:?}{run:?}");
        }
    }
}

#[test]
fn a_key_astride_any_border_of_a_chunk_is_found_in_every_form() {
    let borders = [8 << 10, 64 << 10, 1 << 20, 2 << 20];
    for (form, seed) in [(Form::Utf8, 300), (Form::LittleEndian, 400), (Form::BigEndian, 500), (Form::LittleLong, 1000)]
    {
        let mut text = "the quick brown fox jumps over it\n".repeat(66_000);
        let mut keys = Vec::new();
        for (number, border) in borders.iter().enumerate() {
            for (side, shift) in [0, 1, 54, 107, 108].into_iter().enumerate() {
                // One key a file's border at a time would be slow; they stand far apart instead.
                let key = key(seed + (number * 5 + side) as u64);
                let at = border / form.width() - shift - side * 300;
                text.replace_range(at - 1..at + key.len() + 1, &format!(" {key} "));
                keys.push((key, at));
            }
        }
        let scratch = Scratch::new();
        scratch.write("text", form.write(&text));
        let run = scratch.scan(&["text"]).status(1);
        for (key, at) in &keys {
            assert_eq!(place(&run, key), expected(form, &text[..*at], key), "{form:?} at {at}");
        }
        assert_eq!(run.findings().len(), keys.len());
    }
}

#[test]
fn standard_input_and_history_read_the_same_forms() {
    for (form, seed) in [(Form::LittleEndian, 600), (Form::BigEndian, 700)] {
        let scratch = Scratch::new();
        let (before, key) = ("\u{feff}one\r\ntwo=", key(seed));
        let bytes = form.write(&format!("{before}{key}\r\n"));
        let run = scratch.scan_command(&["-"]).input(&bytes).run().status(1);
        assert_eq!(place(&run, &key), expected(form, before, &key), "standard input");
        let repository = scratch.repository("repo");
        repository.commit_file("text", &bytes, "text");
        repository.git(&["rm", "-q", "text"]);
        repository.commit("without");
        assert_eq!(place(&scratch.scan(&["repo"]).status(1), &key), expected(form, before, &key), "history");
    }
}
