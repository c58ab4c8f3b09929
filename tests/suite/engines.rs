//! Whichever engine looks and whichever detectors are on, a key is found alike: every detector and its examples, alone and
//! among all others, and texts made of pieces of them. A difference names what to paste to see it again.

use credtrace::detector::example::{self, Generator};
use credtrace::detector::registry::Registry;
use credtrace::matcher::Candidate;
use credtrace::matcher::engine::{EngineChoice, Workload};
use credtrace::scan::text::TextScanner;
use proptest::prelude::*;

/// The engines of this build, in every form that they start in.
const ENGINES: [(EngineChoice, Workload); 3] = [
    (EngineChoice::Pure, Workload::Small),
    (EngineChoice::Pure, Workload::Large),
    (EngineChoice::Fastest, Workload::Large),
];

fn scanners(registry: &Registry) -> Vec<TextScanner<'_>> {
    let open = |(choice, workload)| TextScanner::new(registry, choice, workload, false).unwrap();
    ENGINES.into_iter().map(open).collect()
}

/// What all engines find; they must agree.
#[track_caller]
fn found(scanners: &[TextScanner<'_>], text: &[u8], how: &str) -> Vec<Candidate> {
    let scan = |scanner: &TextScanner<'_>| {
        let hits = scanner.worker().unwrap().scan(text).unwrap();
        hits.located.into_iter().map(|located| located.candidate).collect::<Vec<_>>()
    };
    let first = scan(&scanners[0]);
    for other in &scanners[1..] {
        let text = text.escape_ascii();
        assert!(
            scan(other) == first,
            "{} differs from {} on {how}: b\"{text}\"",
            other.engine_name(),
            scanners[0].engine_name()
        );
    }
    first
}

#[test]
fn every_example_is_found_by_every_engine_alone_and_among_all() {
    let all = Registry::built_in();
    let among_all = scanners(&all);
    let mut examples = 0;
    for (number, detector) in all.detectors().iter().enumerate() {
        let alone = Registry::built_in().select(&[detector.id.as_str()], &[]).unwrap();
        let alone = scanners(&alone);
        for (text, seed) in example::texts(detector).iter().flat_map(|text| (0..3).map(move |seed| (text, seed))) {
            let how = format!("{} example {text:?} seed {seed}", detector.id);
            let bytes = example::expand_for(detector, text, &mut Generator::new(seed)).unwrap();
            let by_itself = found(&alone, &bytes, &how);
            assert!(!by_itself.is_empty(), "{how}: not found with no other detector on");
            let together = found(&among_all, &bytes, &how);
            let same = |one: &Candidate| {
                let claims = one.detector == number as u16 || one.rivals.contains(&(number as u16));
                claims && by_itself.iter().any(|other| (other.start, other.end) == (one.start, one.end))
            };
            assert!(together.iter().any(same), "{how}: not found among all detectors: {together:?}");
            examples += 1;
        }
    }
    assert!(examples > 500, "{examples}");
}

/// Expanded examples of all detectors.
fn pieces(all: &Registry) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    for detector in all.detectors() {
        for text in example::texts(detector) {
            pieces.push(example::expand_for(detector, &text, &mut Generator::new(7)).unwrap());
        }
    }
    pieces
}

/// One part of a text: a whole example, its beginning, its end, UTF-16 of it, or noise.
#[derive(Debug, Clone)]
enum Part {
    Whole(prop::sample::Index),
    Head(prop::sample::Index, prop::sample::Index),
    Tail(prop::sample::Index, prop::sample::Index),
    Wide(prop::sample::Index, bool),
    Noise(Vec<u8>),
    Between(&'static str),
}

fn part() -> impl Strategy<Value = Part> {
    let separators = ["\n", " ", "\"", "=", "': '", "\\n", "\0", ",", "</b>", "\u{1b}[0m", "", "_", "%3D", "\r\n", "é"];
    prop_oneof![
        any::<prop::sample::Index>().prop_map(Part::Whole),
        any::<(prop::sample::Index, prop::sample::Index)>().prop_map(|(piece, cut)| Part::Head(piece, cut)),
        any::<(prop::sample::Index, prop::sample::Index)>().prop_map(|(piece, cut)| Part::Tail(piece, cut)),
        any::<(prop::sample::Index, bool)>().prop_map(|(piece, order)| Part::Wide(piece, order)),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Part::Noise),
        prop::sample::select(separators.to_vec()).prop_map(Part::Between),
    ]
}

fn text_of(parts: &[Part], pieces: &[Vec<u8>]) -> Vec<u8> {
    let mut text = Vec::new();
    for part in parts {
        match part {
            Part::Whole(piece) => text.extend(piece.get(pieces)),
            Part::Head(piece, cut) => {
                let piece = piece.get(pieces);
                text.extend(&piece[..cut.index(piece.len())]);
            }
            Part::Tail(piece, cut) => {
                let piece = piece.get(pieces);
                text.extend(&piece[cut.index(piece.len())..]);
            }
            Part::Wide(piece, true) => text.extend(piece.get(pieces).iter().flat_map(|byte| [*byte, 0])),
            Part::Wide(piece, false) => text.extend(piece.get(pieces).iter().flat_map(|byte| [0, *byte])),
            Part::Noise(bytes) => text.extend(bytes),
            Part::Between(separator) => text.extend(separator.bytes()),
        }
    }
    text
}

#[test]
fn two_byte_text_that_ends_within_a_character_is_read() {
    let all = Registry::built_in();
    let scanners = scanners(&all);
    for piece in pieces(&all) {
        for order in [[0, 1], [1, 0]] {
            let wide = piece.iter().flat_map(|byte| order.map(|at| [*byte, 0][at]));
            // A byte too many, and shifted by one, which also leaves half a character at the end.
            let text: Vec<u8> = wide.chain([b'A']).collect();
            for text in [&text[..], &text[1..text.len() - 1]] {
                for candidate in found(&scanners, text, "a text cut within a character") {
                    assert!(candidate.end <= text.len(), "beyond the end: b\"{}\"", text.escape_ascii());
                }
            }
        }
    }
}

#[test]
fn engines_agree_on_texts_made_of_pieces() {
    let all = Registry::built_in();
    let scanners = scanners(&all);
    let pieces = pieces(&all);
    let cases = 2000 * crate::harness::scale().min(5) as u32;
    let settings = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(settings, |(parts in prop::collection::vec(part(), 1..12))| {
        let text = text_of(&parts, &pieces);
        for candidate in found(&scanners, &text, "a made-up text") {
            prop_assert!(candidate.start < candidate.end && candidate.end <= text.len());
            let read = candidate.secret.expose();
            let raw = &text[candidate.start..candidate.end];
            prop_assert!(!candidate.decoded.is_empty() || raw == read, "not what stands there");
        }
    });
}
