//! How long each stage of a scan takes, on generated data that is the same on every machine: anchors, gates, verdicts,
//! filters, inflating a pack, walking it, provenance, and whole scans. `benches/compare.py` compares whole programs.
//!
//! Every benchmark asserts its answer, so that none becomes fast by doing nothing. `CREDTRACE_BENCH_TREE` and
//! `CREDTRACE_BENCH_REPO` name a folder and a repository on which walk, floor and the whole scan are measured as well.

mod data;

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use credtrace::detector::Registry;
use credtrace::filter::{self, Value};
use credtrace::finding::{Confidence, Report};
use credtrace::matcher::engine::{self, EngineChoice, Workload};
use credtrace::matcher::{AnchorHit, Engine, Evaluator, Ledger, Verdict};
use credtrace::scan::text::TextScanner;
use credtrace::scan::{NoProgress, ScanOptions, run};
use credtrace::secret::FingerprintKey;
use credtrace::source::git::object::{Object, Visitor};
use credtrace::source::git::objects::{ALL_KINDS, Limits, Objects};
use credtrace::source::git::provenance::commits::Commits;
use credtrace::source::git::provenance::{Bounds, Provenance};
use credtrace::source::git::repository::Repository;
use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::built_in);
/// 8 MiB with 256 credentials.
static TEXT: LazyLock<data::Text> = LazyLock::new(|| data::text(256, 1));
static PACKED: LazyLock<data::PackedRepository> = LazyLock::new(|| data::repository(2));
const THREADS: [usize; 2] = [1, 2];

fn main() {
    divan::main();
}

// --------------------------------------------------------------------------------------------------------- one text

/// The engines by the names that a person knows; without the feature the first is the pure one too.
const ENGINES: [(&str, EngineChoice, Workload); 3] = [
    ("fastest", EngineChoice::Fastest, Workload::Large),
    ("pure", EngineChoice::Pure, Workload::Large),
    ("pure, small work", EngineChoice::Pure, Workload::Small),
];

fn open(name: &str) -> Box<dyn Engine> {
    let (_, choice, workload) = ENGINES.iter().find(|engine| engine.0 == name).expect("one of ENGINES");
    engine::open(&REGISTRY.anchors, *choice, *workload).expect("an engine")
}

fn hits(engine: &dyn Engine) -> Vec<AnchorHit> {
    let mut hits = Vec::new();
    engine.worker().expect("a worker").find(&TEXT.bytes, &mut hits).expect("a scan");
    hits.sort_unstable();
    hits
}

/// Counts anchors without any engine: each looked for by itself.
fn anchors_by_comparison() -> usize {
    let folded = TEXT.bytes.to_ascii_lowercase();
    let count = |anchor: &credtrace::detector::compile::Anchor| {
        let text = if anchor.caseless { &folded } else { &TEXT.bytes };
        // Overlapping occurrences count, so that each search begins one byte after the last find.
        let mut from = 0;
        std::iter::from_fn(|| {
            from += memchr::memmem::find(&text[from..], &anchor.bytes)? + 1;
            Some(())
        })
        .count()
    };
    REGISTRY.anchors.iter().map(count).sum()
}

#[divan::bench(args = ENGINES.map(|engine| engine.0))]
fn open_engine(bencher: Bencher, name: &str) {
    bencher.counter(ItemsCount::new(REGISTRY.anchors.len())).bench(|| open(name));
}

#[divan::bench(args = ENGINES.map(|engine| engine.0), max_time = 3)]
fn find_anchors(bencher: Bencher, name: &str) {
    let engine = open(name);
    let expected = anchors_by_comparison();
    let mut worker = engine.worker().expect("a worker");
    let mut hits = Vec::new();
    bencher.counter(BytesCount::of_slice(&TEXT.bytes)).bench_local(|| {
        hits.clear();
        worker.find(black_box(&TEXT.bytes), &mut hits).expect("a scan");
        assert_eq!(hits.len(), expected);
    });
}

#[divan::bench]
fn gates(bencher: Bencher) {
    let hits = hits(open("pure").as_ref());
    let prefixed = TEXT.planted + TEXT.placeholders;
    bencher.counter(ItemsCount::new(hits.len())).bench(|| {
        let mut passed = 0;
        for hit in &hits {
            for rule in &REGISTRY.anchors[hit.anchor as usize].rules {
                let gate = &REGISTRY.rules[usize::from(*rule)].gate;
                let says_something = !gate.right.is_empty();
                passed += usize::from(says_something && gate.passes(&TEXT.bytes, hit.start, hit.end));
            }
        }
        assert!(passed >= prefixed, "{passed} of {prefixed}");
        passed
    });
}

fn verdicts(evaluator: &Evaluator<'_>, engine: &dyn Engine, hits: &[AnchorHit]) -> Vec<Verdict> {
    let mut worker = engine.worker().expect("a worker");
    let (mut ledger, mut verdicts) = (Ledger::default(), Vec::new());
    for hit in hits {
        ledger.clear();
        evaluator.evaluate(worker.as_mut(), &TEXT.bytes, *hit, &mut ledger).expect("an evaluation");
        verdicts.append(&mut ledger.verdicts);
    }
    verdicts
}

fn is_kept(verdict: &&Verdict) -> bool {
    matches!(verdict, Verdict::Kept(_))
}

#[divan::bench]
fn evaluate(bencher: Bencher) {
    let engine = open("fastest");
    let hits = hits(engine.as_ref());
    let evaluator = Evaluator::new(&REGISTRY);
    bencher.counter(ItemsCount::new(hits.len())).bench(|| {
        let verdicts = verdicts(&evaluator, engine.as_ref(), black_box(&hits));
        let kept = verdicts.iter().filter(is_kept).count();
        assert!(kept >= TEXT.planted && verdicts.len() - kept >= TEXT.placeholders, "{kept} of {}", verdicts.len());
        verdicts
    });
}

/// Filters run again on what the evaluation made of the text: credentials pass and placeholders do not.
#[divan::bench]
fn filters(bencher: Bencher) {
    let evaluator = Evaluator::new(&REGISTRY);
    let engine = open("fastest");
    let verdicts = verdicts(&evaluator, engine.as_ref(), &hits(engine.as_ref()));
    let candidates: Vec<_> = verdicts
        .iter()
        .filter_map(|verdict| match verdict {
            Verdict::Kept(candidate) if candidate.confidence == Confidence::High => Some(candidate),
            _ => None,
        })
        .collect();
    assert_eq!(candidates.len(), TEXT.planted);
    let context = 256;
    bencher.counter(ItemsCount::new(candidates.len())).bench(|| {
        for candidate in &candidates {
            let (start, end) = (candidate.start, candidate.end);
            let value = Value {
                bytes: &TEXT.bytes[start..end],
                body: &TEXT.bytes[start + candidate.head..end],
                before: &TEXT.bytes[start.saturating_sub(context)..start],
                after: &TEXT.bytes[end..(end + context).min(TEXT.bytes.len())],
                exact: true,
                name: None,
            };
            let detector = REGISTRY.detector(candidate.detector);
            assert_eq!(filter::drop_reason(detector, black_box(&value), None), None);
            let filler = Value { body: &[b'x'; 95], ..value };
            assert!(filter::drop_reason(detector, black_box(&filler), None).is_some());
        }
    });
}

#[divan::bench(args = ENGINES.map(|engine| engine.0), max_time = 3)]
fn whole_text(bencher: Bencher, name: &str) {
    let (_, choice, workload) = ENGINES.iter().find(|engine| engine.0 == name).expect("one of ENGINES");
    let scanner = TextScanner::new(&REGISTRY, *choice, *workload, false).expect("a scanner");
    let mut worker = scanner.worker().expect("a worker");
    bencher.counter(BytesCount::of_slice(&TEXT.bytes)).bench_local(|| {
        let hits = worker.scan(black_box(&TEXT.bytes)).expect("a scan");
        let high = hits.located.iter().filter(|located| located.candidate.confidence == Confidence::High);
        assert_eq!(high.count(), TEXT.planted);
    });
}

// ----------------------------------------------------------------------------------------------------- a repository

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool")
}

fn opened(folder: &Path) -> Objects {
    let repository = Repository::open(folder).expect("a repository").expect("a repository");
    repository.objects(None, &[], Limits::default()).expect("object stores")
}

/// Counts objects and their bytes.
#[derive(Default)]
struct Count {
    objects: AtomicUsize,
    bytes: AtomicUsize,
}

impl Visitor for Count {
    type Worker = ();
    type State = ();

    fn worker(&self) {}

    fn visit(&self, (): &mut (), object: Object<'_, ()>) {
        self.objects.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(object.data.len(), Ordering::Relaxed);
    }
}

fn walked(objects: &Objects) -> (usize, usize) {
    let count = Count::default();
    let unread = objects.walk(&ALL_KINDS, &count);
    assert!(unread.is_empty(), "{unread:?}");
    (count.objects.into_inner(), count.bytes.into_inner())
}

fn bench_floor(bencher: Bencher, folder: &Path, threads: usize, entries: Option<usize>) {
    let (pool, objects) = (pool(threads), opened(folder));
    let expected = objects.inflate_packs();
    assert!(expected.damaged == 0 && entries.is_none_or(|entries| entries as u64 == expected.entries), "{expected:?}");
    bencher
        .counter(BytesCount::new(expected.bytes))
        .bench_local(|| assert_eq!(pool.install(|| objects.inflate_packs()), expected));
}

/// The stores are opened anew each time, since the first walk works out how the entries hang together.
fn bench_walk(bencher: Bencher, folder: &Path, threads: usize, objects: Option<usize>) {
    let pool = pool(threads);
    let expected = walked(&opened(folder));
    assert!(objects.is_none_or(|objects| objects == expected.0), "{expected:?}");
    bencher
        .counter(BytesCount::new(expected.1))
        .bench_local(|| assert_eq!(pool.install(|| walked(&opened(folder))), expected));
}

#[divan::bench(args = THREADS)]
fn inflate_floor(bencher: Bencher, threads: usize) {
    bench_floor(bencher, PACKED.folder.path(), threads, Some(PACKED.objects));
}

#[divan::bench(args = THREADS)]
fn walk_pack(bencher: Bencher, threads: usize) {
    bench_walk(bencher, PACKED.folder.path(), threads, Some(PACKED.objects));
}

#[divan::bench(args = THREADS)]
fn provenance(bencher: Bencher, threads: usize) {
    let pool = pool(threads);
    let repository = Repository::open(PACKED.folder.path()).expect("a repository").expect("a repository");
    let refs = repository.refs().expect("refs");
    let objects = opened(PACKED.folder.path());
    bencher.counter(ItemsCount::new(PACKED.leaks.len())).bench_local(|| {
        pool.install(|| {
            let (commits, unread) = Commits::load(&objects);
            let resolution =
                Provenance::new(&commits, &refs, &objects, Bounds::default()).resolve(&objects, &PACKED.leaks);
            assert!(unread.is_empty() && resolution.unread.is_empty());
            assert!(PACKED.leaks.iter().all(|blob| resolution.places[blob].len() == 1));
        });
    });
}

// ------------------------------------------------------------------------------------------------------ whole scans

fn scan(target: &Path, threads: usize) -> Report {
    let key = FingerprintKey::new([7; 32], true);
    let options = ScanOptions { include_ignored: true, threads, ..ScanOptions::new(vec![target.to_owned()], key) };
    run(&options, &REGISTRY, &NoProgress, &mut std::io::empty()).report
}

fn bench_scan(bencher: Bencher, target: &Path, threads: usize, findings: Option<usize>) {
    let expected = scan(target, threads);
    assert!(expected.summary.blobs_scanned > 0, "{:?}", expected.summary);
    assert!(findings.is_none_or(|findings| findings == expected.findings.len()), "{:?}", expected.summary);
    bencher.counter(BytesCount::new(expected.summary.bytes_scanned)).bench_local(|| {
        let report = scan(target, threads);
        assert_eq!(report.findings.len(), expected.findings.len());
        assert_eq!(report.summary.bytes_scanned, expected.summary.bytes_scanned);
    });
}

#[divan::bench(args = THREADS)]
fn whole_history(bencher: Bencher, threads: usize) {
    bench_scan(bencher, PACKED.folder.path(), threads, Some(PACKED.leaks.len()));
}

// -------------------------------------------------------------------------------------------------- what a person names

const TREE: &str = "CREDTRACE_BENCH_TREE";
const REPOSITORY: &str = "CREDTRACE_BENCH_REPO";

/// The numbers of threads to measure with; none where the variable names nothing.
fn threads_if(variable: &str) -> Vec<usize> {
    std::env::var_os(variable).map_or_else(Vec::new, |_| THREADS.to_vec())
}

fn named(variable: &str) -> PathBuf {
    std::env::var_os(variable).expect("without it there is no number of threads to run with").into()
}

#[divan::bench(args = threads_if(TREE), max_time = 10)]
fn named_tree(bencher: Bencher, threads: usize) {
    bench_scan(bencher, &named(TREE), threads, None);
}

#[divan::bench(args = threads_if(REPOSITORY), max_time = 10)]
fn named_repository(bencher: Bencher, threads: usize) {
    bench_scan(bencher, &named(REPOSITORY), threads, None);
}

#[divan::bench(args = threads_if(REPOSITORY), max_time = 10)]
fn named_repository_floor(bencher: Bencher, threads: usize) {
    bench_floor(bencher, &named(REPOSITORY), threads, None);
}

#[divan::bench(args = threads_if(REPOSITORY), max_time = 10)]
fn named_repository_walk(bencher: Bencher, threads: usize) {
    bench_walk(bencher, &named(REPOSITORY), threads, None);
}
