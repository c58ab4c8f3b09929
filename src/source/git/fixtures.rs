//! Repositories and packs for tests, made by code: with the `git` binary where they are sound, by hand where they are not.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::source::git::object::{Object, ObjectId, ObjectKind, Unread, Visitor};
use crate::source::git::objects::{ALL_KINDS, Limits, Objects};

/// Runs git in a folder, without any configuration of the machine.
pub(crate) fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["-c", "user.name=A Tester", "-c", "user.email=tester@example.com", "-c", "gc.auto=0"])
        .args(["-c", "init.defaultBranch=main", "-c", "commit.gpgSign=false"])
        .args(arguments)
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Numbers that look random and are the same every time.
pub(crate) struct Numbers(u64);

impl Numbers {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed | 1)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn line(&mut self) -> String {
        (0..8).map(|_| format!("{:x} ", self.below(1 << 24))).collect::<String>() + "\n"
    }
}

/// Makes a repository whose history holds `versions` versions of a few files, some lines apart, and a tag.
pub(crate) fn history(folder: &Path, versions: usize, seed: u64) {
    std::fs::create_dir_all(folder).expect("a folder");
    git(folder, &["init", "--quiet"]);
    let mut numbers = Numbers::new(seed);
    let mut files: Vec<Vec<String>> = (0..3).map(|_| (0..120).map(|_| numbers.line()).collect()).collect();
    let mut stream = Vec::new();
    for version in 0..versions {
        for lines in &mut files {
            let place = numbers.below(lines.len());
            match numbers.below(3) {
                0 => lines[place] = numbers.line(),
                1 => lines.insert(place, numbers.line()),
                _ => drop(lines.remove(place)),
            }
        }
        commit(&mut stream, version, &files);
    }
    let mut import = Command::new("git")
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["fast-import", "--quiet", "--force"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("git is installed");
    import.stdin.take().expect("it is piped").write_all(&stream).expect("git reads");
    assert!(import.wait().expect("git ends").success());
    git(folder, &["tag", "--annotate", "--message", "a tag", "v1", "main"]);
}

/// Writes one commit as `git fast-import` reads it.
fn commit(stream: &mut Vec<u8>, version: usize, files: &[Vec<String>]) {
    let time = 1_700_000_000 + version;
    let message = format!("version {version}");
    let head = format!("commit refs/heads/main\ncommitter A Tester <tester@example.com> {time} +0000\n");
    stream.extend(format!("{head}data {}\n{message}\n", message.len()).bytes());
    for (number, lines) in files.iter().enumerate() {
        let text = lines.concat();
        stream.extend(format!("M 100644 inline folder/file{number}\ndata {}\n{text}\n", text.len()).bytes());
    }
}

/// Packs all objects of a repository with long delta chains.
pub(crate) fn repack(folder: &Path) {
    git(folder, &["repack", "-adf", "--quiet", "--depth=200", "--window=50"]);
}

/// One object as a walk handed it out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) kind: ObjectKind,
    pub(crate) data: Vec<u8>,
    pub(crate) inherited_bytes: usize,
}

/// Keeps every object and checks what it is told of inheritance.
#[derive(Default)]
pub(crate) struct Collector(pub(crate) Mutex<Vec<(ObjectId, Seen)>>);

impl Visitor for Collector {
    type Worker = ();
    type State = Vec<u8>;

    fn worker(&self) {}

    fn visit(&self, (): &mut (), object: Object<'_, Vec<u8>>) -> Vec<u8> {
        let mut inherited_bytes = 0;
        if let Some(inherited) = &object.inherited {
            assert_eq!(inherited.base_length, inherited.base.len(), "the base's length");
            let mut end = 0;
            let mut previous = None;
            for run in inherited.runs {
                assert!(run.start >= end, "runs overlap");
                assert_ne!(previous, Some((run.start, run.base_start)), "runs that continue each other are one");
                let base = &inherited.base[run.base_start..run.base_start + run.length];
                assert_eq!(base, &object.data[run.start..run.start + run.length], "a run is the same bytes");
                end = run.start + run.length;
                previous = Some((end, run.base_start + run.length));
                inherited_bytes += run.length;
            }
        }
        let seen = Seen { kind: object.kind, data: object.data.to_vec(), inherited_bytes };
        self.0.lock().expect("no visit panicked").push((object.id, seen));
        object.data.to_vec()
    }
}

/// What a walk came to.
pub(crate) struct Walked {
    pub(crate) objects: BTreeMap<ObjectId, Seen>,
    pub(crate) unread: Vec<Unread>,
}

/// Walks with so many threads and checks that no object is handed out twice.
pub(crate) fn walk(objects: &Objects, kinds: &[ObjectKind], threads: usize) -> Walked {
    let collector = Collector::default();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    let unread = pool.install(|| objects.walk(kinds, &collector));
    let mut seen = BTreeMap::new();
    for (id, object) in collector.0.into_inner().expect("no visit panicked") {
        assert!(seen.insert(id, object).is_none(), "{id} was handed out twice");
    }
    Walked { objects: seen, unread }
}

/// Opens the objects of a repository with a work tree.
pub(crate) fn open(folder: &Path) -> Objects {
    Objects::open(&folder.join(".git/objects"), &[], Limits::default()).expect("objects")
}

/// Checks that a walk over everything hands out exactly what libgit2 finds, with the same bytes.
pub(crate) fn assert_equals_libgit2(folder: &Path, objects: &Objects, threads: usize) -> Walked {
    let walked = walk(objects, &ALL_KINDS, threads);
    assert_eq!(walked.unread, Vec::new());
    let repository = git2::Repository::open(folder).expect("a repository");
    let database = repository.odb().expect("an object database");
    let mut count = 0;
    let mut known = std::collections::HashSet::new();
    database
        .foreach(|id| {
            if known.insert(*id) {
                let expected = database.read(*id).expect("an object");
                let id = ObjectId::from_bytes(id.as_bytes()).expect("an id");
                let seen = walked.objects.get(&id).unwrap_or_else(|| panic!("{id} was not handed out"));
                assert_eq!(kind_of(expected.kind()), seen.kind);
                assert!(expected.data() == seen.data, "{id} has other bytes");
                count += 1;
            }
            true
        })
        .expect("libgit2 lists the objects");
    assert_eq!(walked.objects.len(), count);
    walked
}

fn kind_of(kind: git2::ObjectType) -> ObjectKind {
    match kind {
        git2::ObjectType::Commit => ObjectKind::Commit,
        git2::ObjectType::Tree => ObjectKind::Tree,
        git2::ObjectType::Tag => ObjectKind::Tag,
        _ => ObjectKind::Blob,
    }
}

/// Returns the packs of a repository with a work tree, in order.
pub(crate) fn packs(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder.join(".git/objects/pack")).expect("a folder of packs");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let mut packs: Vec<_> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "pack")).collect();
    packs.sort();
    packs
}
