//! Generated inputs: the same bytes on every machine. Keys are expanded from shapes while a benchmark runs, so that no
//! file holds a string of that form.

use std::collections::HashSet;
use std::path::Path;

use credtrace::detector::example::{Generator, expand};
use credtrace::source::git::object::ObjectId;
use git2::{IndexEntry, IndexTime, Repository, Signature, Time};
use tempfile::TempDir;

/// What a planted credential looks like; all are of high confidence by themselves.
const SHAPES: [&str; 3] = ["sk-ant-api03-{93:url}AA", "gsk_{52:alnum}", "sk-proj-{74:url}T3BlbkFJ{74:url}"];
/// What passes gate and regex and is a placeholder for a person.
const PLACEHOLDER: &str = "sk-ant-api03-{93:[x]}AA";

/// Names of providers stand among them as in real logs, so that anchors are met that lead nowhere.
const WORDS: [&str; 48] = [
    "info",
    "debug",
    "warn",
    "GET",
    "POST",
    "build",
    "step",
    "layer",
    "cache",
    "pulled",
    "digest",
    "worker",
    "request",
    "response",
    "token",
    "usage",
    "model",
    "prompt",
    "latency",
    "queue",
    "retry",
    "timeout",
    "connection",
    "thread",
    "module",
    "config",
    "value",
    "default",
    "started",
    "finished",
    "bytes",
    "test",
    "passed",
    "compiling",
    "registry",
    "branch",
    "commit",
    "artifact",
    "upload",
    "secret",
    "session",
    "user",
    "openai",
    "anthropic",
    "cohere",
    "the",
    "of",
    "and",
];

/// How many bytes of words lie between two credentials.
const DISTANCE: usize = 32 << 10;

/// A text and what stands in it.
pub(crate) struct Text {
    /// Its bytes.
    pub(crate) bytes: Vec<u8>,
    /// How many credentials.
    pub(crate) planted: usize,
    /// How many placeholders.
    pub(crate) placeholders: usize,
}

/// Makes a text of `distances` stretches of words, each with one credential and each fourth with a placeholder too.
pub(crate) fn text(distances: usize, seed: u64) -> Text {
    let mut generator = Generator::new(seed);
    let mut made = Text { bytes: Vec::new(), planted: 0, placeholders: 0 };
    for number in 0..distances {
        words(&mut generator, DISTANCE, &mut made.bytes);
        assignment(SHAPES[number % SHAPES.len()], &mut generator, &mut made.bytes);
        made.planted += 1;
        if number % 4 == 0 {
            assignment(PLACEHOLDER, &mut generator, &mut made.bytes);
            made.placeholders += 1;
        }
    }
    made
}

/// Appends about `length` bytes of lines.
fn words(generator: &mut Generator, length: usize, text: &mut Vec<u8>) {
    let end = text.len() + length;
    while text.len() < end {
        for _ in 0..generator.below(12) + 3 {
            text.extend_from_slice(WORDS[generator.below(WORDS.len() as u32) as usize].as_bytes());
            text.push(b' ');
        }
        text.extend_from_slice(format!("{:x} main.rs:{}\n", generator.below(1 << 30), generator.below(900)).as_bytes());
    }
}

fn assignment(shape: &str, generator: &mut Generator, text: &mut Vec<u8>) {
    text.extend_from_slice(b"export CLIENT=\"");
    text.extend(expand(shape, generator).expect("the shape parses"));
    text.extend_from_slice(b"\"\n");
}

/// How many files the repository has, how many commits, and how many files each changes.
const FILES: u32 = 120;
const COMMITS: u32 = 400;
const CHANGES: u32 = 3;
/// Each so manyth commit adds a credential, which the next change of the file takes away again.
const LEAK_EVERY: u32 = 20;

/// A repository of one pack and what stands in it.
pub(crate) struct PackedRepository {
    /// The bare repository; it is removed with this.
    pub(crate) folder: TempDir,
    /// The blobs with a credential, each at one path.
    pub(crate) leaks: HashSet<ObjectId>,
    /// How many objects the pack has.
    pub(crate) objects: usize,
}

/// Makes a repository by code, without the user's settings.
pub(crate) fn repository(seed: u64) -> PackedRepository {
    let folder = tempfile::tempdir().expect("a folder");
    let repository = Repository::init_bare(folder.path()).expect("a repository");
    let mut leaks = HashSet::new();
    {
        let mut history = History::new(&repository, seed);
        for number in 0..COMMITS {
            leaks.extend(history.commit(number));
        }
    }
    let objects = pack(&repository, folder.path());
    PackedRepository { folder, leaks, objects }
}

/// A history in the making.
struct History<'repository> {
    repository: &'repository Repository,
    generator: Generator,
    files: Vec<Vec<u8>>,
    index: git2::Index,
}

impl<'repository> History<'repository> {
    fn new(repository: &'repository Repository, seed: u64) -> Self {
        let mut generator = Generator::new(seed);
        let file = |generator: &mut Generator| {
            let mut text = Vec::new();
            let length = 2000 + generator.below(30_000) as usize;
            words(generator, length, &mut text);
            text
        };
        let files = (0..FILES).map(|_| file(&mut generator)).collect();
        let mut index = repository.index().expect("an index");
        index.clear().expect("an empty index");
        let mut history = Self { repository, generator, files, index };
        for number in 0..FILES as usize {
            history.store(number, None);
        }
        history
    }

    /// Changes some files and commits; returns the blobs that hold a credential.
    fn commit(&mut self, number: u32) -> Vec<ObjectId> {
        let mut leaks = Vec::new();
        for change in 0..CHANGES {
            let file = ((number * CHANGES + change) * 7 % FILES) as usize;
            self.edit(file);
            let leaks_here = change == 0 && number.is_multiple_of(LEAK_EVERY);
            let shape = leaks_here.then(|| SHAPES[(number / LEAK_EVERY) as usize % SHAPES.len()]);
            let blob = self.store(file, shape);
            leaks.extend(leaks_here.then_some(blob));
        }
        let tree = self.index.write_tree_to(self.repository).expect("a tree");
        let tree = self.repository.find_tree(tree).expect("the tree");
        let time = Time::new(1_700_000_000 + i64::from(number), 0);
        let person = Signature::new("Bench", "bench@example.com", &time).expect("a person");
        let parent = self.repository.head().ok().map(|head| head.peel_to_commit().expect("a commit"));
        let parents: Vec<_> = parent.iter().collect();
        let message = format!("change {number}");
        self.repository.commit(Some("HEAD"), &person, &person, &message, &tree, &parents).expect("a commit");
        leaks
    }

    /// Puts some words into the middle of a file, as a person would.
    fn edit(&mut self, file: usize) {
        let mut added = Vec::new();
        words(&mut self.generator, 120, &mut added);
        let place = self.generator.below(self.files[file].len() as u32) as usize;
        self.files[file].splice(place..place, added);
    }

    /// Stores a file, with a credential at its end where a shape is given, and puts it into the index.
    fn store(&mut self, file: usize, leak: Option<&str>) -> ObjectId {
        let mut text = self.files[file].clone();
        if let Some(shape) = leak {
            assignment(shape, &mut self.generator, &mut text);
        }
        let id = self.repository.blob(&text).expect("a blob");
        let path = format!("src/d{}/f{file}.txt", file % 10).into_bytes();
        let time = IndexTime::new(0, 0);
        let (dev, ino, uid, gid, file_size, flags, flags_extended) = (0, 0, 0, 0, 0, 0, 0);
        let mode = 0o100_644;
        let entry = IndexEntry {
            ctime: time,
            mtime: time,
            dev,
            ino,
            mode,
            uid,
            gid,
            file_size,
            id,
            flags,
            flags_extended,
            path,
        };
        self.index.add(&entry).expect("an entry");
        ObjectId::from_bytes(id.as_bytes()).expect("an id of 20 bytes")
    }
}

/// Packs every object of HEAD and removes the loose ones; returns how many there are.
fn pack(repository: &Repository, folder: &Path) -> usize {
    let mut builder = repository.packbuilder().expect("a pack builder");
    let mut walk = repository.revwalk().expect("a walk");
    walk.push_head().expect("a head");
    builder.insert_walk(&mut walk).expect("objects");
    let packs = folder.join("objects/pack");
    builder.write(&packs, 0o644).expect("a pack");
    for entry in std::fs::read_dir(folder.join("objects")).expect("the objects").flatten() {
        if entry.file_name().len() == 2 {
            std::fs::remove_dir_all(entry.path()).expect("a folder of loose objects");
        }
    }
    builder.object_count()
}
