//! Properties of scanning that hold for any text: either engine, any number of threads, any way of cutting a text into
//! chunks and any base that a version takes over from give the same candidates at the same places.
//!
//! `CREDTRACE_TEST_TREES` names folders, as `PATH` does, whose files are held against the same properties.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;

use super::chunks::{self, CONTEXT, ChunkSize};
use super::delta::Shared;
use super::text::{Located, TextHits, TextScanner};
use crate::detector::registry::Registry;
use crate::matcher::engine::{EngineChoice, Workload};
use crate::matcher::testing::{Piece, config, piece, render, repro};
use crate::source::git::object::CopiedRun;

pub(super) static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::built_in);

/// The engine of large work and the one of small work: Hyperscan and the pure one where there are both, else both
/// automata of the pure one.
static SCANNERS: LazyLock<[TextScanner<'static>; 2]> = LazyLock::new(|| {
    [Workload::Large, Workload::Small]
        .map(|workload| TextScanner::new(&REGISTRY, EngineChoice::Fastest, workload, true).expect("an engine"))
});

/// The detectors whose verdicts read little round an anchor, so that small chunks of a short text have boundaries with
/// context on both sides.
pub(super) static NEAR: LazyLock<Registry> = LazyLock::new(|| {
    let far = REGISTRY.rules.iter().filter(|rule| rule.back.max(rule.forward) > 800);
    let mut far: Vec<&str> = far.map(|rule| REGISTRY.detector(rule.detector).id.as_str()).collect();
    far.dedup();
    let near = Registry::built_in().select(&[], &far).expect("some detectors are left");
    assert!(near.len() * 2 > REGISTRY.len(), "{} of {} detectors", near.len(), REGISTRY.len());
    near
});

static NEAR_SCANNER: LazyLock<TextScanner<'static>> =
    LazyLock::new(|| TextScanner::new(&NEAR, EngineChoice::Fastest, Workload::Large, true).expect("an engine"));

pub(super) static POOLS: LazyLock<[rayon::ThreadPool; 2]> = LazyLock::new(|| {
    [1, 4].map(|threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool"))
});

/// A credential as it is compared: detector, others that fit, start, end, line, column, what people are shown and
/// its other halves.
pub(super) type Told = (String, Vec<u16>, usize, usize, u64, u64, String, Vec<(String, usize)>);

/// All that a scan says of a text and that must not depend on how it was done. No secret is in it.
pub(super) fn told(registry: &Registry, hits: &TextHits) -> (Vec<Told>, Vec<String>) {
    let candidate = |located: &Located| {
        let Located { candidate, line, column, excerpt, companions, surroundings: _, origin: _ } = located;
        let id = registry.detector(candidate.detector).id.clone();
        let halves = companions.iter().map(|half| (half.detector.clone(), half.distance)).collect();
        (id, candidate.rivals.clone(), candidate.start, candidate.end, *line, *column, excerpt.clone(), halves)
    };
    let dropped = hits.dropped.iter().map(|dropped| format!("{dropped:?}")).collect();
    (hits.located.iter().map(candidate).collect(), dropped)
}

fn whole(scanner: &TextScanner<'_>, text: &[u8]) -> (Vec<Told>, Vec<String>) {
    told(scanner.registry(), &scanner.worker().expect("a worker").scan(text).expect("a scan"))
}

/// Scans a text in chunks on several threads, or on one.
fn in_chunks(
    scanner: &TextScanner<'_>,
    pool: &rayon::ThreadPool,
    mut text: &[u8],
    size: ChunkSize,
) -> (Vec<Told>, Vec<String>) {
    let length = text.len() as u64;
    let stream = pool.install(|| chunks::scan_reader_in(size, scanner, &mut text, &|_| ())).expect("a scan");
    assert_eq!((stream.bytes, stream.failure), (length, None));
    told(scanner.registry(), &stream.hits)
}

/// Appends as much filler as the last chunk owns beyond its size, so that every boundary before it is a real one.
fn padded(mut text: Vec<u8>) -> Vec<u8> {
    let end = text.len() + context(&NEAR);
    while text.len() < end {
        text.extend_from_slice(b"\nfiller");
    }
    text
}

/// Text in which whatever may be found stands close together, so that every boundary between chunks crosses something.
pub(super) fn crowded() -> impl Strategy<Value = Vec<Piece>> {
    prop::collection::vec(piece(), 1..120)
}

/// The least context with which every verdict is that on the whole text: what the rules may read on each side
/// of an anchor in two-byte characters, twice, since a chunk looks that far beyond what it owns.
pub(super) fn context(registry: &Registry) -> usize {
    let reach = registry.rules.iter().map(|rule| rule.back.max(rule.forward)).max().unwrap_or(0);
    let longest = registry.anchors.iter().map(|anchor| anchor.bytes.len()).max().unwrap_or(0);
    (2 * (2 * reach as usize + longest)).next_multiple_of(4)
}

proptest! {
    #![proptest_config(config(128))]

    #[test]
    fn the_engines_give_the_same_candidates(pieces in prop::collection::vec(piece(), 0..60)) {
        let text = render(&REGISTRY, &pieces);
        prop_assert_eq!(whole(&SCANNERS[0], &text), whole(&SCANNERS[1], &text), "{}", repro(&pieces));
    }

    #[test]
    fn a_version_scanned_with_what_its_base_hands_on_gives_what_it_gives_alone(
        pieces in prop::collection::vec(piece(), 0..40),
        parts in prop::collection::vec(part(), 1..8),
    ) {
        let base = render(&REGISTRY, &pieces);
        let (child, runs) = version(&base, &parts);
        let mut worker = SCANNERS[0].worker().expect("a worker");
        let (_, state) = worker.scan_shared(&base, None).expect("a scan");
        let state = state.expect("few anchors");
        let shared = Shared { base: &state, base_length: base.len(), runs: &runs };
        let (hits, handed_on) = worker.scan_shared(&child, Some(shared)).expect("a scan");
        prop_assert_eq!(told(&REGISTRY, &hits), whole(&SCANNERS[0], &child), "{:?} of {}", parts, repro(&pieces));
        // What it hands on must serve the next version as well.
        let state = handed_on.expect("few anchors");
        let all = [CopiedRun { start: 0, base_start: 0, length: child.len() }];
        let again = worker.scan_shared(&child, Some(Shared { base: &state, base_length: child.len(), runs: &all }));
        prop_assert_eq!(told(&REGISTRY, &again.expect("a scan").0), told(&REGISTRY, &hits), "again: {:?} of {}", parts, repro(&pieces));
    }
}

/// A part of a version: a stretch of its base, in 65,536ths of the base's length, or something new.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Copy { start: u16, length: u16 },
    New(Vec<Piece>),
}

pub(super) fn part() -> impl Strategy<Value = Part> {
    prop_oneof![
        3 => (any::<u16>(), any::<u16>()).prop_map(|(start, length)| Part::Copy { start, length }),
        1 => (Just(0), any::<u16>()).prop_map(|(start, length)| Part::Copy { start, length }),
        2 => prop::collection::vec(piece(), 0..4).prop_map(Part::New),
    ]
}

/// Puts a version together from its base, with the runs that it shares as a walk tells them: in order, neighbours that are
/// contiguous in both joined.
pub(super) fn version(base: &[u8], parts: &[Part]) -> (Vec<u8>, Vec<CopiedRun>) {
    let (mut child, mut runs) = (Vec::new(), Vec::<CopiedRun>::new());
    for part in parts {
        match part {
            Part::New(pieces) => child.extend(render(&REGISTRY, pieces)),
            Part::Copy { start, length } => {
                let of_base = |part: u16| base.len() * usize::from(part) / (1 << 16);
                let (base_start, start) = (of_base(*start), child.len());
                let length = of_base(*length).min(base.len() - base_start);
                child.extend_from_slice(&base[base_start..base_start + length]);
                match runs.last_mut() {
                    Some(last) if (last.start + last.length, last.base_start + last.length) == (start, base_start) => {
                        last.length += length;
                    }
                    _ if length == 0 => {}
                    _ => runs.push(CopiedRun { start, base_start, length }),
                }
            }
        }
    }
    (child, runs)
}

proptest! {
    #![proptest_config(config(32))]

    #[test]
    fn chunks_of_any_size_on_any_number_of_threads_give_what_the_whole_text_gives(
        pieces in crowded(),
        owned in 20..1000_usize,
    ) {
        let text = padded(render(&NEAR, &pieces));
        let expected = whole(&NEAR_SCANNER, &text);
        let size = ChunkSize { owned: owned * 4, context: context(&NEAR) };
        for pool in POOLS.iter() {
            let found = in_chunks(&NEAR_SCANNER, pool, &text, size);
            prop_assert_eq!(&found, &expected, "{:?} of the near detectors; {}", size, repro(&pieces));
        }
    }
}

#[test]
fn the_context_of_a_chunk_is_more_than_any_verdict_reads() {
    assert!(context(&REGISTRY) <= CONTEXT, "{} bytes are read", context(&REGISTRY));
}

#[test]
fn a_key_at_every_place_across_a_boundary_is_found_once_and_masked_for_its_neighbour() {
    let key = |seed| Piece::Example { detector: number_of("anthropic-api-key"), seed };
    let lines = Piece::Lines { seed: 3, count: 3 };
    let pieces = [lines, key(1), Piece::Glue(0), key(2), Piece::Glue(1), lines];
    let text = padded(render(&NEAR, &pieces));
    let expected = whole(&NEAR_SCANNER, &text);
    assert_eq!(expected.0.len(), 2, "{expected:?}");
    // The first boundary goes over both keys and what stands round them.
    for owned in (100..600).step_by(4) {
        let size = ChunkSize { owned, context: context(&NEAR) };
        assert_eq!(in_chunks(&NEAR_SCANNER, &POOLS[1], &text, size), expected, "chunks of {owned} bytes");
    }
}

fn number_of(id: &str) -> u16 {
    let number = NEAR.detectors().iter().position(|detector| detector.id == id);
    u16::try_from(number.expect("a built-in detector")).expect("few detectors")
}

/// Every file below a folder, links apart.
fn files_below(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("an entry");
        match entry.file_type().expect("a file type") {
            kind if kind.is_dir() => files_below(&entry.path(), files),
            kind if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
}

#[test]
fn the_engines_and_chunks_agree_on_every_file_of_the_named_trees() {
    let Some(trees) = std::env::var_os("CREDTRACE_TEST_TREES") else { return };
    let mut files = Vec::new();
    std::env::split_paths(&trees).for_each(|folder| files_below(&folder, &mut files));
    assert!(!files.is_empty(), "{} holds no file", trees.display());
    let (mut found, mut bytes) = (0, 0);
    for path in files {
        let text = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let expected = whole(&SCANNERS[0], &text);
        found += expected.0.len();
        bytes += text.len();
        let file = path.display();
        assert_eq!(whole(&SCANNERS[1], &text), expected, "the engines differ on {file}");
        let size = ChunkSize { owned: 20_000, context: context(&REGISTRY) };
        // In small chunks with that context a file is read some twenty times over.
        if text.len() < 2 << 20 {
            assert_eq!(
                in_chunks(&SCANNERS[0], &POOLS[1], &text, size),
                expected,
                "chunks of {size:?} differ on {file}"
            );
        }
    }
    assert!(found > 0, "{bytes} bytes without a single candidate show little; name a tree that has some");
}
