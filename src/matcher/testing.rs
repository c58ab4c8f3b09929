//! Generated text for property tests: credentials of every detector, whole, cut short and spoilt, among what stands round
//! them in files. A text is made from [`Piece`]s, so that a failure prints a few of those and never a key.

use proptest::prelude::*;
use proptest::test_runner::Config;

use super::engine::{AnchorHit, Engine, Workload};
use super::pure::PureEngine;
use crate::detector::compile::{Anchor, Encoding};
use crate::detector::example::{self, Generator};
use crate::detector::registry::Registry;

/// A part of a generated text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Piece {
    /// An example of a detector, by its number.
    Example { detector: u16, seed: u16 },
    /// The first bytes of an example.
    Cut { detector: u16, seed: u16, length: u8 },
    /// An example with one byte of it changed.
    Spoilt { detector: u16, seed: u16, place: u8, byte: u8 },
    /// An example as two-byte characters, little endian or big, after so many bytes that the text before is even or odd.
    Wide { detector: u16, seed: u16, big_endian: bool },
    /// An anchor by its number, its case changed where a bit of `case` says so.
    Anchor { number: u16, case: u8 },
    /// What stands between words.
    Glue(u8),
    /// Letters, digits and marks in a row.
    Word { seed: u16, length: u8 },
    /// Lines of nothing in particular, about 64 bytes each.
    Lines { seed: u16, count: u8 },
}

const GLUE: [&str; 16] =
    [" ", "\n", "=", "\"", "': '", "\t", "\\n", "%3D", "\u{1b}[31m", "-", "_", ".", "/", "+", "key=", ", "];

const WORD: &[u8; 66] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_/+";

/// Generates one piece.
pub(crate) fn piece() -> impl Strategy<Value = Piece> {
    let (number, seed) = (any::<u16>(), any::<u16>());
    prop_oneof![
        4 => (number, seed).prop_map(|(detector, seed)| Piece::Example { detector, seed }),
        2 => (number, seed, 0..60_u8).prop_map(|(detector, seed, length)| Piece::Cut { detector, seed, length }),
        2 => (number, seed, any::<u8>(), any::<u8>())
            .prop_map(|(detector, seed, place, byte)| Piece::Spoilt { detector, seed, place, byte }),
        1 => (number, seed, any::<bool>())
            .prop_map(|(detector, seed, big_endian)| Piece::Wide { detector, seed, big_endian }),
        3 => (number, any::<u8>()).prop_map(|(number, case)| Piece::Anchor { number, case }),
        8 => (0..GLUE.len() as u8).prop_map(Piece::Glue),
        2 => (seed, 0..80_u8).prop_map(|(seed, length)| Piece::Word { seed, length }),
        1 => (seed, 0..4_u8).prop_map(|(seed, count)| Piece::Lines { seed, count }),
    ]
}

/// Makes the text of some pieces. Numbers beyond the registry's begin again at its first.
pub(crate) fn render(registry: &Registry, pieces: &[Piece]) -> Vec<u8> {
    let mut text = Vec::new();
    for piece in pieces {
        match *piece {
            Piece::Example { detector, seed } => text.extend(one_example(registry, detector, seed)),
            Piece::Cut { detector, seed, length } => {
                text.extend(one_example(registry, detector, seed).into_iter().take(usize::from(length)));
            }
            Piece::Spoilt { detector, seed, place, byte } => {
                let mut example = one_example(registry, detector, seed);
                let place = usize::from(place) % example.len();
                example[place] = byte;
                text.extend(example);
            }
            Piece::Wide { detector, seed, big_endian } => {
                let zero_first = |byte| if big_endian { [0, byte] } else { [byte, 0] };
                text.extend(one_example(registry, detector, seed).into_iter().flat_map(zero_first));
            }
            Piece::Anchor { number, case } => {
                let anchor = &registry.anchors[usize::from(number) % registry.anchors.len()];
                let turned = |(place, byte): (usize, &u8)| {
                    if case >> (place % 8) & 1 == 1 { byte.to_ascii_uppercase() } else { *byte }
                };
                text.extend(anchor.bytes.iter().enumerate().map(turned));
            }
            Piece::Glue(number) => text.extend(GLUE[usize::from(number) % GLUE.len()].bytes()),
            Piece::Word { seed, length } => text.extend(word(&mut Generator::new(seed.into()), length.into())),
            Piece::Lines { seed, count } => {
                let mut generator = Generator::new(seed.into());
                for _ in 0..count {
                    text.extend(word(&mut generator, 8));
                    text.extend_from_slice(b" and fifty bytes of words that nobody would look at\n");
                }
            }
        }
    }
    text
}

fn one_example(registry: &Registry, detector: u16, seed: u16) -> Vec<u8> {
    let detectors = registry.detectors();
    let detector = &detectors[usize::from(detector) % detectors.len()];
    let texts = example::texts(detector);
    let text = &texts[usize::from(seed) % texts.len()];
    example::expand_for(detector, text, &mut Generator::new(seed.into())).expect("a detector's example expands")
}

fn word(generator: &mut Generator, length: usize) -> Vec<u8> {
    (0..length).map(|_| WORD[generator.below(WORD.len() as u32) as usize]).collect()
}

/// Says how many texts a property is tried on: `PROPTEST_CASES` where it is set.
pub(crate) fn config(cases: u32) -> Config {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|number| number.parse().ok());
    // What failed is printed as pieces, which say more than a stored seed.
    Config { cases: asked.unwrap_or(cases), failure_persistence: None, ..Config::default() }
}

/// Says what to paste into a test to see a failure again.
pub(crate) fn repro(pieces: &[Piece]) -> String {
    format!("to see it again: use Piece::*; let text = render(&Registry::built_in(), &{pieces:?});")
}

/// An engine and what to call it.
pub(crate) type Named = (&'static str, Box<dyn Engine>);

/// Opens every engine that this program has: both automata of the pure one, and Hyperscan where it was built in.
pub(crate) fn engines(anchors: &[Anchor]) -> Vec<Named> {
    let pure = |workload| -> Box<dyn Engine> { Box::new(PureEngine::open(anchors, workload).expect("an automaton")) };
    let engines = [("compact", pure(Workload::Small)), ("table", pure(Workload::Large))];
    #[cfg(feature = "hyperscan")]
    let engines = {
        let hyperscan = super::hyperscan::HyperscanEngine::open(anchors).expect("a database");
        engines.into_iter().chain([("hyperscan", Box::new(hyperscan) as Box<dyn Engine>)])
    };
    engines.into_iter().collect()
}

/// Returns every anchor in a text, sorted.
pub(crate) fn anchors_of(engine: &dyn Engine, text: &[u8]) -> Vec<AnchorHit> {
    let mut hits = Vec::new();
    engine.worker().expect("a worker").find(text, &mut hits).expect("a scan");
    hits.sort_unstable();
    hits
}

/// Returns every anchor in a text by comparing each at each place: slow, and too simple to be wrong.
pub(crate) fn anchors_by_comparison(anchors: &[Anchor], text: &[u8]) -> Vec<AnchorHit> {
    let mut hits = Vec::new();
    for start in 0..text.len() {
        for (number, anchor) in anchors.iter().enumerate() {
            let Some(bytes) = text.get(start..start + anchor.bytes.len()) else { continue };
            let same =
                if anchor.caseless { bytes.eq_ignore_ascii_case(&anchor.bytes) } else { bytes == &anchor.bytes[..] };
            if same {
                hits.push(AnchorHit { start, end: start + anchor.bytes.len(), anchor: number as u32 });
            }
        }
    }
    hits
}

/// Whether an anchor stands in text of one byte a character.
pub(crate) fn is_plain(anchor: &Anchor) -> bool {
    anchor.encoding == Encoding::Plain
}
