//! Holds the delta-aware scan equal to the full one: blob for blob, and with a stand-in for every verdict that depends on
//! each byte that a verdict may read.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::delta::{Shared, TextState};
use super::text::{TextScanner, TextWorker};
use crate::detector::example::{self, Generator};
use crate::detector::registry::Registry;
use crate::matcher::engine::{EngineChoice, Workload};
use crate::source::git::object::{Object, ObjectId, ObjectKind, Visitor};
use crate::source::git::objects::{Limits, Objects};

/// What a blob holds, in a form that can be compared: detector, place, confidence, secret.
type BlobHits = Vec<(u16, usize, usize, String, Vec<u8>)>;

struct Walk<'scan> {
    scanner: &'scan TextScanner<'scan>,
    delta: bool,
    found: Mutex<BTreeMap<ObjectId, BlobHits>>,
    /// How many blobs took something over.
    shared: Mutex<usize>,
}

struct Visit<'walk, 'scan>(&'walk Walk<'scan>);

impl<'walk> Visitor for Visit<'walk, '_> {
    type Worker = TextWorker<'walk>;
    type State = Option<TextState>;

    fn worker(&self) -> TextWorker<'walk> {
        self.0.scanner.worker().expect("a worker")
    }

    fn visit(&self, worker: &mut TextWorker<'walk>, object: Object<'_, Self::State>) -> Self::State {
        let shared = object.inherited.as_ref().filter(|_| self.0.delta).and_then(Shared::of);
        *self.0.shared.lock().expect("a count") += usize::from(shared.is_some());
        let (hits, state) = worker.scan_shared(object.data, shared).expect("a scan");
        let hits: BlobHits = hits
            .located
            .iter()
            .map(|located| {
                let candidate = &located.candidate;
                let place =
                    format!("{:?} {}:{} {}", candidate.confidence, located.line, located.column, located.excerpt);
                (candidate.detector, candidate.start, candidate.end, place, candidate.secret.expose().to_vec())
            })
            .collect();
        self.0.found.lock().expect("a map").insert(object.id, hits);
        state
    }
}

/// Scans all blobs of a repository both ways; returns how many took something over and how many hits there are.
fn compare(objects: &Objects, scanner: &TextScanner<'_>) -> (usize, usize) {
    let walk = |delta| {
        let walk = Walk { scanner, delta, found: Mutex::default(), shared: Mutex::default() };
        assert!(objects.walk(&[ObjectKind::Blob], &Visit(&walk)).is_empty(), "every blob is read");
        (walk.found.into_inner().expect("a map"), walk.shared.into_inner().expect("a count"))
    };
    let (full, _) = walk(false);
    let (delta, shared) = walk(true);
    assert_eq!(full.len(), delta.len());
    for (id, hits) in &full {
        assert_eq!(&delta[id], hits, "blob {id}");
    }
    (shared, full.values().map(Vec::len).sum())
}

/// A text whose versions are edited at random: words, names of providers, whole keys and pieces of them.
struct Text {
    lines: Vec<Vec<u8>>,
    examples: Vec<Vec<u8>>,
}

impl Text {
    fn new(registry: &Registry, generator: &mut Generator) -> Self {
        let mut examples = Vec::new();
        for detector in registry.detectors() {
            for text in example::texts(detector) {
                examples.extend(example::expand_for(detector, &text, generator));
            }
        }
        let mut text = Self { lines: Vec::new(), examples };
        text.lines = (0..300).map(|_| text.line(generator)).collect();
        text
    }

    fn line(&self, generator: &mut Generator) -> Vec<u8> {
        let words: [&[u8]; 10] = [
            b"cohere",
            b"openai = ",
            b"sk-",
            b"mistral_api_key: ",
            b"the quick ",
            b"AKIA",
            b"\t",
            b"deepseek",
            b"{}",
            b"x1",
        ];
        let mut line = Vec::new();
        for _ in 0..1 + generator.below(6) {
            if generator.below(5) == 0 {
                line.extend_from_slice(&self.examples[generator.below(self.examples.len() as u32) as usize]);
            } else {
                line.extend_from_slice(words[generator.below(10) as usize]);
            }
            line.push(b' ');
        }
        line
    }

    fn edit(&mut self, generator: &mut Generator) {
        let place = generator.below(self.lines.len() as u32) as usize;
        match generator.below(5) {
            0 => self.lines.insert(place, self.line(generator)),
            1 if self.lines.len() > 20 => drop(self.lines.remove(place)),
            2 => self.lines[place] = self.line(generator),
            3 => {
                let other = generator.below(self.lines.len() as u32) as usize;
                self.lines.swap(place, other);
            }
            _ => {
                let line = &mut self.lines[place];
                let byte = generator.below(line.len() as u32 + 1) as usize;
                line.insert(byte, b"a \"-_=\nZ9"[generator.below(9) as usize]);
            }
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.lines.join(&b'\n')
    }
}

/// Writes versions of texts into a repository and packs them as deltas; needs git.
fn repository(folder: &Path, registry: &Registry, versions: usize, seed: u64) -> Objects {
    let repository = git2::Repository::init_bare(folder).expect("a repository");
    let odb = repository.odb().expect("objects");
    let mut generator = Generator::new(seed);
    let mut text = Text::new(registry, &mut generator);
    let mut ids = String::new();
    for _ in 0..versions {
        for _ in 0..1 + generator.below(3) {
            text.edit(&mut generator);
        }
        let id = odb.write(git2::ObjectType::Blob, &text.bytes()).expect("a blob");
        ids.push_str(&format!("{id} file\n"));
    }
    let mut git = Command::new("git")
        .args(["pack-objects", "-q", "--window=20", "--depth=60", "objects/pack/pack"])
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("git");
    git.stdin.take().expect("its input").write_all(ids.as_bytes()).expect("ids");
    assert!(git.wait().expect("git").success());
    assert!(Command::new("git").arg("prune-packed").current_dir(folder).status().expect("git").success());
    Objects::open(&folder.join("objects"), &[], Limits::default()).expect("objects")
}

fn scanners(registry: &Registry) -> [TextScanner<'_>; 2] {
    let plain = TextScanner::new(registry, EngineChoice::Fastest, Workload::Large, true).expect("a scanner");
    let stressed = TextScanner::new(registry, EngineChoice::Fastest, Workload::Large, true).expect("a scanner");
    [plain, stressed.stressed()]
}

#[test]
fn what_is_taken_over_is_what_a_full_scan_finds() {
    let registry = Registry::built_in();
    for seed in 0..2 {
        let folder = tempfile::tempdir().expect("a folder");
        let objects = repository(folder.path(), &registry, 700, seed);
        for scanner in scanners(&registry) {
            let (shared, hits) = compare(&objects, &scanner);
            assert!(shared > 500 && hits > 10_000, "{shared} blobs take something over, {hits} hits");
        }
    }
}

/// Real histories, in the folder that `CREDTRACE_TEST_REPOS` names; without it there is nothing to compare.
#[test]
fn real_histories_are_the_same_both_ways() {
    let Some(folder) = std::env::var_os("CREDTRACE_TEST_REPOS") else { return };
    let registry = Registry::built_in();
    let mut compared = 0;
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let candidates = [".git/objects", "objects", "repo/objects"].map(|below| entry.path().join(below));
        let Some(objects) = candidates.iter().find(|path| path.is_dir()) else { continue };
        let objects = Objects::open(objects, &[], Limits::default()).expect("objects");
        for scanner in scanners(&registry) {
            compare(&objects, &scanner);
        }
        compared += 1;
    }
    assert!(compared > 0, "CREDTRACE_TEST_REPOS holds no repository");
}
