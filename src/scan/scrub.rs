//! Takes the credentials out of a text and puts their redacted form in their place, until a scan finds none.
//!
//! What a detector finds is replaced with all bytes that it was read from: of a credential in base64 every character that
//! holds a bit of it. A secret that is known from one place is also replaced where no detector would see it: written out,
//! in base64 once or twice, in hexadecimal digits, in characters of two bytes, escaped for a URL or for JSON. Nothing here
//! reads or writes files.

use std::collections::HashSet;
use std::ops::Range;
use std::rc::Rc;

use aho_corasick::AhoCorasick;

use super::chunks;
use super::text::{Located, TextScanner};
use crate::detector::compile::forms::base64_forms;
use crate::error::{Error, Result};
use crate::finding::Confidence;
use crate::matcher::Candidate;
use crate::secret::{Secret, hex};

/// How often a text is scanned at the most. Each scan finds what the caps on a scan left over before.
const MOST_PASSES: usize = 200;
/// Shorter secrets are replaced only where a detector finds them: as words they stand in any text.
const SHORTEST_ANYWHERE: usize = 8;
/// Encoded forms of shorter secrets would stand in a text by chance.
const SHORTEST_ENCODED: usize = 12;

/// How many secrets are looked for at once: what finds them grows with their number.
const MOST_AT_ONCE: usize = 1000;
/// How many bytes of a form are looked for; the rest is compared where they stand.
const BEGINNING: usize = 24;

/// A text without its credentials.
#[derive(Debug)]
pub struct Scrubbed {
    /// The text.
    pub text: Vec<u8>,
    /// How many credentials were replaced.
    pub credentials: usize,
    /// In how many places.
    pub places: usize,
    /// What is still there: its line, counted from 1, and the detector's id. Empty but for a detector that finds what
    /// stands in the place of a credential.
    pub left: Vec<(u64, String)>,
}

/// Replaces the credentials of a text, from a confidence up, on the threads of the current pool. What its provider means to
/// be public stays.
///
/// # Errors
/// Where the engine fails; nothing of the text may be used then.
pub fn scrub(text: Vec<u8>, scanner: &TextScanner<'_>, least: Confidence) -> Result<Scrubbed> {
    scrub_in(MOST_PASSES, text, scanner, least)
}

fn scrub_in(passes: usize, text: Vec<u8>, scanner: &TextScanner<'_>, least: Confidence) -> Result<Scrubbed> {
    let mut scrubbed = Scrubbed { text, credentials: 0, places: 0, left: Vec::new() };
    let mut known = HashSet::new();
    for pass in 0..=passes {
        let found = find(&scrubbed.text, scanner, least)?;
        if found.is_empty() {
            break;
        }
        let spans = spans(&scrubbed.text, &found)?;
        // A detector may take the redacted form for a credential; then there is no end.
        let is_stuck = || spans.iter().all(|span| scrubbed.text[span.range.clone()] == *span.shown);
        if pass == passes || is_stuck() {
            let detectors = scanner.registry().detectors();
            let left = |found: &Located| (found.line, detectors[usize::from(found.candidate.detector)].id.clone());
            scrubbed.left = found.iter().map(left).collect();
            break;
        }
        scrubbed.places += spans.len();
        scrubbed.text = replaced(&scrubbed.text, &spans);
        known.extend(found.into_iter().map(|found| found.candidate.secret));
    }
    scrubbed.credentials = known.len();
    Ok(scrubbed)
}

fn find(text: &[u8], scanner: &TextScanner<'_>, least: Confidence) -> Result<Vec<Located>> {
    let mut located = chunks::scan_mapped(scanner, text, &|_| {})?.hits.located;
    let registry = scanner.registry();
    located.retain(|found| {
        found.candidate.confidence >= least && !registry.detector(found.candidate.detector).publishable
    });
    Ok(located)
}

/// A stretch of the text and what comes in its place.
#[derive(Debug)]
struct Span {
    range: Range<usize>,
    shown: Rc<[u8]>,
}

/// Returns every stretch that holds a credential, in order and apart from each other.
fn spans(text: &[u8], found: &[Located]) -> Result<Vec<Span>> {
    let mut spans: Vec<Span> = found
        .iter()
        .map(|found| {
            let candidate = &found.candidate;
            let width = Width::of(&text[candidate.start..candidate.end], &candidate.decoded);
            Span {
                range: candidate.start..candidate.end,
                shown: width.write(&shown(&candidate.secret, candidate.head)).into(),
            }
        })
        .collect();
    spans.extend(elsewhere(text, found)?);
    spans.sort_by_key(|span| (span.range.start, std::cmp::Reverse(span.range.end)));
    let mut apart: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match apart.last_mut().filter(|last| span.range.start < last.range.end) {
            Some(last) => last.range.end = last.range.end.max(span.range.end),
            None => apart.push(span),
        }
    }
    Ok(apart)
}

fn replaced(text: &[u8], spans: &[Span]) -> Vec<u8> {
    let mut scrubbed = Vec::with_capacity(text.len());
    let mut position = 0;
    for span in spans {
        scrubbed.extend_from_slice(&text[position..span.range.start]);
        scrubbed.extend_from_slice(&span.shown);
        position = span.range.end;
    }
    scrubbed.extend_from_slice(&text[position..]);
    scrubbed
}

/// The redacted form, without what would end a string or an element round it.
fn shown(secret: &Secret, head: usize) -> String {
    let kept = |character| if "\"'`\\<>&$%".contains(character) { '?' } else { character };
    secret.redacted(head).chars().map(kept).collect()
}

/// How many bytes a character has where a secret stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    /// UTF-8, or any encoding that ASCII is part of.
    Narrow,
    /// UTF-16 or UTF-32: how many bytes, and whether the highest one comes first.
    Wide(usize, bool),
}

impl Width {
    fn of(stretch: &[u8], decoded: &[&str]) -> Self {
        let high_first = stretch.first() == Some(&0);
        match decoded.first() {
            Some(&"utf-16") => Self::Wide(2, high_first),
            Some(&"utf-32") => Self::Wide(4, high_first),
            _ => Self::Narrow,
        }
    }

    fn write(self, text: &str) -> Vec<u8> {
        match self {
            Self::Narrow => text.as_bytes().to_vec(),
            Self::Wide(bytes, high_first) => text
                .chars()
                .flat_map(|character| {
                    let mut unit = u32::from(character).to_le_bytes()[..bytes].to_vec();
                    if high_first {
                        unit.reverse();
                    }
                    unit
                })
                .collect(),
        }
    }
}

/// A form of a secret that is looked for.
struct Form {
    bytes: Vec<u8>,
    /// Whether its characters have two bytes.
    wide: bool,
    /// Whether its ends are cut, since the characters there hold bits of the neighbours as well.
    base64: bool,
    shown: Rc<[u8]>,
}

/// Finds the secrets where no detector sees them.
fn elsewhere(text: &[u8], found: &[Located]) -> Result<Vec<Span>> {
    let mut seen = HashSet::new();
    let secrets: Vec<&Candidate> =
        found.iter().map(|found| &found.candidate).filter(|found| seen.insert(&found.secret)).collect();
    let mut spans = Vec::new();
    for secrets in secrets.chunks(MOST_AT_ONCE) {
        let mut all = Vec::new();
        for candidate in secrets {
            forms(candidate.secret.expose(), &shown(&candidate.secret, candidate.head), &mut all);
        }
        find_forms(text, &all, found, &mut spans)?;
    }
    Ok(spans)
}

fn find_forms(text: &[u8], all: &[Form], found: &[Located], spans: &mut Vec<Span>) -> Result<()> {
    let beginnings = all.iter().map(|form| &form.bytes[..form.bytes.len().min(BEGINNING)]);
    let automaton = AhoCorasick::new(beginnings)
        .map_err(|error| Error::Usage(format!("too many credentials to look for at once: {error}")))?;
    let is_found = |range: &Range<usize>| {
        let next = found.partition_point(|found| found.candidate.end <= range.start);
        found.get(next).is_some_and(|found| found.candidate.start < range.end)
    };
    for hit in automaton.find_overlapping_iter(text) {
        let form = &all[hit.pattern().as_usize()];
        let range = hit.start()..hit.start() + form.bytes.len();
        // Wide characters of one order are those of the other, a byte on: the detector knows which, and elsewhere they
        // begin at even places.
        let is_order_wrong = form.wide && (!range.start.is_multiple_of(2) || is_found(&range));
        if is_order_wrong || text.get(range.clone()) != Some(form.bytes.as_slice()) {
            continue;
        }
        let range = if form.base64 { widened(text, range) } else { range };
        spans.push(Span { range, shown: Rc::clone(&form.shown) });
    }
    Ok(())
}

/// Adds the character on each side that holds a part of the secret's bits.
fn widened(text: &[u8], range: Range<usize>) -> Range<usize> {
    let digit = |at: usize| text.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+/-_".contains(byte));
    let start = if range.start > 0 && digit(range.start - 1) { range.start - 1 } else { range.start };
    start..if digit(range.end) { range.end + 1 } else { range.end }
}

/// Adds the forms in which a secret may stand.
fn forms(secret: &[u8], shown: &str, all: &mut Vec<Form>) {
    let narrow: Rc<[u8]> = shown.as_bytes().into();
    if secret.len() >= SHORTEST_ANYWHERE {
        for high_first in [false, true] {
            let shown = Width::Wide(2, high_first).write(shown).into();
            all.push(Form { bytes: wide(secret, high_first), wide: true, base64: false, shown });
        }
    }
    let mut add = |bytes: Vec<u8>, base64| all.push(Form { bytes, wide: false, base64, shown: Rc::clone(&narrow) });
    if secret.len() >= SHORTEST_ANYWHERE {
        add(secret.to_vec(), false);
        for escaped in [escaped_for_urls(secret), escaped_for_json(secret)] {
            if escaped != secret {
                add(escaped, false);
            }
        }
    }
    if secret.len() < SHORTEST_ENCODED {
        return;
    }
    add(hex(secret).into_bytes(), false);
    add(hex(secret).to_ascii_uppercase().into_bytes(), false);
    for (_, once) in base64_forms(secret) {
        for (_, twice) in base64_forms(&once) {
            add(twice, true);
        }
        add(url_safe(&once), true);
        add(once, true);
    }
}

fn wide(text: &[u8], high_first: bool) -> Vec<u8> {
    text.iter().flat_map(|byte| if high_first { [0, *byte] } else { [*byte, 0] }).collect()
}

fn url_safe(base64: &[u8]) -> Vec<u8> {
    let safe = |byte: &u8| match byte {
        b'+' => b'-',
        b'/' => b'_',
        other => *other,
    };
    base64.iter().map(safe).collect()
}

fn escaped_for_urls(secret: &[u8]) -> Vec<u8> {
    let written = |byte: &u8| match byte {
        b'-' | b'.' | b'_' | b'~' => vec![*byte],
        byte if byte.is_ascii_alphanumeric() => vec![*byte],
        byte => format!("%{byte:02X}").into_bytes(),
    };
    secret.iter().flat_map(written).collect()
}

fn escaped_for_json(secret: &[u8]) -> Vec<u8> {
    let Ok(text) = std::str::from_utf8(secret) else { return secret.to_vec() };
    let quoted = serde_json::to_string(text).unwrap_or_default();
    quoted.get(1..quoted.len().saturating_sub(1)).map_or_else(|| secret.to_vec(), |inside| inside.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    use super::*;
    use crate::detector::example::{Generator, expand};
    use crate::detector::registry::Registry;
    use crate::matcher::engine::{EngineChoice, Workload};

    fn key(seed: u64) -> String {
        String::from_utf8(expand("sk-ant-api03-{93:url}AA", &mut Generator::new(seed)).expect("a key")).expect("text")
    }

    fn scrubbed(text: impl Into<Vec<u8>>) -> Scrubbed {
        let registry = Registry::built_in();
        let scanner = TextScanner::new(&registry, EngineChoice::Pure, Workload::Large, false).expect("an engine");
        scrub(text.into(), &scanner, Confidence::Medium).expect("scrubbed")
    }

    #[test]
    fn every_form_of_a_secret_goes_and_what_stands_round_it_stays() {
        let key = key(1);
        // Beside a form that a detector sees, those that it might not.
        let twice = STANDARD.encode(STANDARD.encode(format!("x{key}")));
        let lines = [
            format!("plain {key} end"),
            format!("glued x{key}x end"),
            format!("base64 {} end", STANDARD.encode(format!("user:{key}"))),
            format!("url {} end", URL_SAFE_NO_PAD.encode(format!("a{key}"))),
            format!("twice {twice} end"),
            format!("hex {} end", hex(key.as_bytes())),
            format!("json {} end", serde_json::json!(serde_json::json!({ "k": key }).to_string())),
            format!("percent {} end", key.replace('-', "%2D")),
            format!("cut {}\\\n{} end", &key[..50], &key[50..]),
        ];
        let clean = scrubbed(lines.join("\n"));
        let text = String::from_utf8(clean.text).expect("UTF-8");
        assert_eq!((clean.credentials, clean.left.len()), (1, 0), "{text}");
        for line in text.lines().filter(|line| !line.starts_with('-')) {
            assert!(line.ends_with(" end") && line.contains('…'), "{line}");
        }
        let bits = [key.as_bytes().to_vec(), hex(key.as_bytes()).into_bytes()];
        let encoded = (0..3).flat_map(|lead| {
            let once = STANDARD.encode([&b"xxx"[..lead], key.as_bytes()].concat());
            let again = STANDARD.encode(&once);
            [once.into_bytes(), again.into_bytes()]
        });
        for form in bits.into_iter().chain(encoded) {
            for part in form[20..form.len() - 10].windows(9) {
                assert!(!text.as_bytes().windows(9).any(|window| window == part), "{text}");
            }
        }
    }

    #[test]
    fn wide_text_stays_wide() {
        for high_first in [false, true] {
            let text = wide(format!("key = {}\r\n{}", key(2), key(2)).as_bytes(), high_first);
            let clean = scrubbed(text);
            let unit = |pair: &[u8]| if high_first { [pair[0], pair[1]] } else { [pair[1], pair[0]] };
            let units: Vec<u16> = clean.text.chunks(2).map(|pair| u16::from_be_bytes(unit(pair))).collect();
            let text = String::from_utf16(&units).expect("UTF-16");
            let shown = Secret::new(key(2).as_bytes()).redacted("sk-ant-api03-".len());
            assert_eq!(text, format!("key = {shown}\r\n{shown}"));
        }
    }

    #[test]
    fn more_credentials_than_a_scan_tells_all_go() {
        let keys: Vec<String> = (0..2_500).map(key).collect();
        let clean = scrubbed(keys.join("\n"));
        assert_eq!((clean.credentials, clean.places, clean.left.len()), (2_500, 2_500, 0));
        let text = String::from_utf8(clean.text).expect("UTF-8");
        assert!(keys.iter().all(|key| !text.contains(&key[20..40])));
    }

    #[test]
    fn a_text_without_credentials_and_odd_texts_come_back_as_they_are() {
        for text in [&b""[..], b"nothing here\n", b"\0\xff\xfe", "…".as_bytes()] {
            let clean = scrubbed(text);
            assert_eq!((clean.text.as_slice(), clean.credentials, clean.places), (text, 0, 0));
        }
    }

    #[test]
    fn what_cannot_be_taken_out_is_told_with_its_line() {
        let registry = Registry::built_in();
        let scanner = TextScanner::new(&registry, EngineChoice::Pure, Workload::Large, false).expect("an engine");
        let clean = scrub_in(0, format!("\n{}", key(3)).into_bytes(), &scanner, Confidence::Medium).expect("scanned");
        assert_eq!(clean.left, [(2, "anthropic-api-key".to_owned())]);
    }

    #[test]
    fn what_comes_in_place_ends_no_string_round_it() {
        let secret = Secret::new(b"p\"a'ss<w>ord&that`is$long%enough\\");
        assert!(!shown(&secret, 0).contains(['"', '\'', '<', '>', '&', '`', '$', '%', '\\']));
    }
}
