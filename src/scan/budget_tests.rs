//! What a budget leaves out is the same with either engine, in chunks of any size on any number of threads, and for a
//! version that takes over what its base hands on. Budgets here are so small that most texts spend them.

use std::sync::LazyLock;

use proptest::prelude::*;

use super::budget::{Budget, Spending};
use super::chunks::{self, ChunkSize};
use super::delta::Shared;
use super::properties_tests::{NEAR, POOLS, REGISTRY, Told, context, crowded, part, told, version};
use super::text::{TextHits, TextScanner};
use crate::matcher::engine::{EngineChoice, Workload};
use crate::matcher::evaluate::RUN_REACH;
use crate::matcher::testing::{Piece, config, piece, render, repro};

/// How many bytes share a budget here, and what they may cost: a few keys.
const TIGHT: Budget = Budget { stretch: 256, work: 6000 };

/// The engine of large work and the one of small work.
static SCANNERS: LazyLock<[TextScanner<'static>; 2]> = LazyLock::new(|| {
    [Workload::Large, Workload::Small].map(|workload| {
        TextScanner::new(&REGISTRY, EngineChoice::Fastest, workload, true).expect("an engine").within(TIGHT)
    })
});

static NEAR_SCANNER: LazyLock<TextScanner<'static>> = LazyLock::new(|| {
    TextScanner::new(&NEAR, EngineChoice::Fastest, Workload::Large, true).expect("an engine").within(TIGHT)
});

/// What a scan says of a text, and what the text cost.
type Answer = (Vec<Told>, Vec<String>, Spending);

fn answer(scanner: &TextScanner<'_>, hits: &TextHits) -> Answer {
    let (told, dropped) = told(scanner.registry(), hits);
    (told, dropped, hits.spending)
}

fn whole(scanner: &TextScanner<'_>, text: &[u8]) -> Answer {
    answer(scanner, &scanner.worker().expect("a worker").scan(text).expect("a scan"))
}

/// An answer without the lines that people are shown: a key that a budget leaves out in one place may be known from another,
/// in which case a report masks it, while a chunk may hold the first place alone.
fn without_excerpts((mut told, dropped, spending): Answer) -> Answer {
    told.iter_mut().for_each(|told| told.6.clear());
    (told, dropped, spending)
}

fn in_chunks(pool: &rayon::ThreadPool, mut text: &[u8], size: ChunkSize) -> Answer {
    let stream = pool.install(|| chunks::scan_reader_in(size, &NEAR_SCANNER, &mut text, &|_| ())).expect("a scan");
    answer(&NEAR_SCANNER, &stream.hits)
}

/// Scans a text and then a version of it with what the text hands on, if it does.
fn as_version(base: &[u8], child: &[u8], runs: &[crate::source::git::object::CopiedRun]) -> (bool, Answer) {
    let mut worker = SCANNERS[0].worker().expect("a worker");
    let (hits, state) = worker.scan_shared(base, None).expect("a scan");
    assert_eq!(state.is_some(), hits.spending.overspent == 0, "what was not looked at is not handed on");
    let shared = state.as_ref().map(|state| Shared { base: state, base_length: base.len(), runs });
    let (hits, state) = worker.scan_shared(child, shared).expect("a scan");
    assert_eq!(state.is_some(), hits.spending.overspent == 0, "nor by a version");
    (shared.is_some(), answer(&SCANNERS[0], &hits))
}

proptest! {
    #![proptest_config(config(96))]

    #[test]
    fn the_engines_spend_a_budget_alike(pieces in prop::collection::vec(piece(), 0..60)) {
        let text = render(&REGISTRY, &pieces);
        prop_assert_eq!(whole(&SCANNERS[0], &text), whole(&SCANNERS[1], &text), "{}", repro(&pieces));
    }

    #[test]
    fn a_version_spends_what_it_would_spend_alone(
        pieces in prop::collection::vec(piece(), 0..12),
        parts in prop::collection::vec(part(), 1..6),
    ) {
        let base = render(&REGISTRY, &pieces);
        let (child, runs) = version(&base, &parts);
        let (_, told) = as_version(&base, &child, &runs);
        prop_assert_eq!(told, whole(&SCANNERS[0], &child), "{:?} of {}", parts, repro(&pieces));
    }
}

proptest! {
    #![proptest_config(config(24))]

    #[test]
    fn chunks_spend_a_budget_as_the_whole_text_does(pieces in crowded(), owned in 8..64_usize) {
        let part = render(&NEAR, &pieces);
        let gap = b"\nfiller".repeat(RUN_REACH / 7);
        let text = [&gap[..], &part, &gap].concat();
        let expected = without_excerpts(whole(&NEAR_SCANNER, &text));
        // As in a real scan, chunks and half of what they see on each side are whole stretches, and that half is more than
        // is decoded round an anchor: what a chunk cannot see costs it nothing.
        let context = (2 * (RUN_REACH + context(&NEAR))).next_multiple_of(2 * TIGHT.stretch);
        let size = ChunkSize { owned: owned * TIGHT.stretch, context };
        for pool in POOLS.iter() {
            let found = without_excerpts(in_chunks(pool, &text, size));
            prop_assert_eq!(&found, &expected, "{:?}; {}", size, repro(&pieces));
        }
    }
}

/// Beginnings of keys in every encoding, in an order that does not repeat.
fn hostile(count: u32) -> Vec<u8> {
    let anchors =
        (0..count).map(|number| Piece::Anchor { number: (number.wrapping_mul(2_654_435_761) >> 16) as u16, case: 0 });
    render(&REGISTRY, &anchors.collect::<Vec<_>>())
}

#[test]
fn budgets_are_met_and_not_met_in_these_tests() {
    let text = [hostile(400), vec![b'\n'; 4096]].concat();
    let (told, _, spending) = whole(&SCANNERS[0], &text);
    let stretches = (text.len() / TIGHT.stretch) as u64;
    assert!(spending.overspent > 2 && spending.overspent < stretches - 8, "{spending:?} of {stretches}, {told:?}");
    assert!(spending.highest >= 100);
    // A version without the lines that cost too much is within the budget, one with them is not, whatever is known.
    let runs = |start, length| crate::source::git::object::CopiedRun { start: 0, base_start: start, length };
    let quiet = &text[text.len() - 2048..];
    let (shared, told) = as_version(&text, quiet, &[runs(text.len() - 2048, 2048)]);
    assert!(!shared && told.2 == Spending::default());
    let base = vec![b'\n'; 2048];
    let (shared, told) = as_version(&base, &[&base[..], &text].concat(), &[runs(0, 2048)]);
    assert!(shared && told.2.overspent > 2, "what is new overspends as well");
}

#[test]
fn every_example_of_every_detector_fits_into_the_budget_of_one_stretch() {
    let scanner = TextScanner::new(&REGISTRY, EngineChoice::Pure, Workload::Large, false).expect("an engine");
    let count = REGISTRY.detectors().len() as u16;
    let pieces = (0..count).flat_map(|detector| [Piece::Example { detector, seed: detector }, Piece::Glue(1)]);
    let text = render(&REGISTRY, &pieces.collect::<Vec<_>>());
    let hits = scanner.worker().expect("a worker").scan(&text).expect("a scan");
    assert!(text.len() < super::budget::STRETCH, "{} bytes", text.len());
    assert!(hits.spending.highest < 60, "{:?} of {} bytes", hits.spending, text.len());
}

#[test]
fn real_budgets_bound_what_hostile_text_costs() {
    let scanner = TextScanner::new(&REGISTRY, EngineChoice::Pure, Workload::Large, false).expect("an engine");
    let mut worker = scanner.worker().expect("a worker");
    let (hits, state) = worker.scan_shared(&hostile(100_000), None).expect("a scan");
    assert!(hits.spending.overspent > 4 && state.is_none(), "{:?}", hits.spending);
    let limit = 100 + 100 * crate::matcher::ledger::MOST / super::budget::WORK;
    assert!(hits.spending.highest <= limit, "no anchor costs more than one may: {:?}", hits.spending);
}
