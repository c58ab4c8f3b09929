//! What the tests of provenance and ranges share: repositories made by git itself, random histories, git's own answers,
//! and a source of objects that hands trees out as deltas of each other.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use super::ObjectSource;
use crate::source::git::object::{CopiedRun, Inherited, Object, ObjectId, ObjectKind, Unread, Visitor};

/// Random numbers that are the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }

    pub(crate) fn one_in(&mut self, chance: usize) -> bool {
        self.below(chance) == 0
    }
}

/// A repository in a folder of its own.
pub(crate) struct TestRepository {
    folder: tempfile::TempDir,
}

impl TestRepository {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let repository = Self { folder };
        repository.git(&["init", "-q", "-b", "main", "."], b"");
        repository
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs git without any configuration of the machine; returns what it prints.
    pub(crate) fn git(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut child = Command::new("git")
            .args(["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "gc.auto=0"])
            .args(arguments)
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_DATE", "1500000000 +0000")
            .env("GIT_COMMITTER_DATE", "1500000000 +0000")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap();
        // Git may end without reading all that it is given.
        let _ = writer.join().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    pub(crate) fn open(&self) -> git2::Repository {
        git2::Repository::open(self.path()).unwrap()
    }

    /// Writes an object of any kind, however malformed.
    pub(crate) fn write(&self, kind: &str, data: &[u8]) -> ObjectId {
        let id = self.git(&["hash-object", "-t", kind, "-w", "--stdin", "--literally"], data);
        ObjectId::from_hex(id.as_bytes()).unwrap()
    }

    /// Writes a commit object.
    pub(crate) fn write_commit(&self, tree: ObjectId, parents: &[ObjectId], seconds: i64) -> ObjectId {
        let mut text = format!("tree {tree}\n");
        for parent in parents {
            writeln!(text, "parent {parent}").unwrap();
        }
        let person = format!("A <a@example.org> {seconds} +0000");
        write!(text, "author {person}\ncommitter {person}\n\nm\n").unwrap();
        self.write("commit", text.as_bytes())
    }

    /// Makes a history with the given commits: parents by their place in the list, seconds, and all files.
    pub(crate) fn import(&self, commits: &[TestCommit]) -> Vec<ObjectId> {
        let mut stream = String::new();
        for (number, commit) in commits.iter().enumerate() {
            commit.append_to(&mut stream, number);
        }
        stream.push_str("done\n");
        let marks = self.path().join(".git/marks");
        let export = format!("--export-marks={}", marks.display());
        self.git(&["fast-import", "--quiet", "--done", "--force", &export], stream.as_bytes());
        let marks = std::fs::read_to_string(marks).unwrap();
        let known: HashMap<usize, ObjectId> = marks
            .lines()
            .map(|line| line.strip_prefix(':').unwrap().split_once(' ').unwrap())
            .map(|(mark, id)| (mark.parse().unwrap(), ObjectId::from_hex(id.as_bytes()).unwrap()))
            .collect();
        (0..commits.len()).map(|number| known[&(number + 1)]).collect()
    }
}

/// The files of a commit: path to mode and content. The content of a submodule is the commit's id.
pub(crate) type Files = BTreeMap<String, (&'static str, String)>;

/// A commit to be imported.
#[derive(Clone, Default)]
pub(crate) struct TestCommit {
    pub(crate) parents: Vec<usize>,
    pub(crate) seconds: u64,
    pub(crate) files: Files,
}

impl TestCommit {
    /// A commit of plain files, given as (path, content).
    pub(crate) fn new(parents: &[usize], seconds: u64, files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|&(path, text)| (path.to_owned(), ("100644", text.to_owned()))).collect();
        Self { parents: parents.to_vec(), seconds, files }
    }

    fn append_to(&self, stream: &mut String, number: usize) {
        let Self { parents, seconds, files } = self;
        // Each commit is the tip of a branch of its own, so that all stay.
        writeln!(stream, "reset refs/heads/c{number}\ncommit refs/heads/c{number}\nmark :{}", number + 1).unwrap();
        writeln!(stream, "committer T <t@example.org> {seconds} +0000\ndata 1\nm").unwrap();
        for (place, parent) in parents.iter().enumerate() {
            writeln!(stream, "{} :{}", if place == 0 { "from" } else { "merge" }, parent + 1).unwrap();
        }
        writeln!(stream, "deleteall").unwrap();
        for (path, (mode, text)) in files {
            match *mode {
                "160000" => writeln!(stream, "M 160000 {text} {path}").unwrap(),
                _ => writeln!(stream, "M {mode} inline {path}\ndata {}\n{text}", text.len()).unwrap(),
            }
        }
    }
}

/// A random history: merges of any number of parents, evil merges, criss-crosses, several roots, renamed folders,
/// re-added contents, contents at several paths, links, submodules, files that become folders.
pub(crate) fn random_history(random: &mut Random, count: usize) -> Vec<TestCommit> {
    let mut commits: Vec<TestCommit> = Vec::new();
    for number in 0..count {
        let mut parents = BTreeSet::new();
        if number > 0 && !random.one_in(15) {
            let wanted = [1, 1, 1, 1, 2, 2, 3, 5][random.below(8)];
            // Mostly recent ones, so that branches live side by side.
            parents.extend((0..wanted).map(|_| number - 1 - random.below(number.min(6))));
        }
        let mut parents: Vec<_> = parents.into_iter().collect();
        if random.one_in(2) {
            parents.reverse();
        }
        let mut files = Files::new();
        for &parent in &parents {
            for (path, file) in &commits[parent].files {
                if parents.len() == 1 || !random.one_in(4) {
                    put(&mut files, path.clone(), file.clone());
                }
            }
        }
        for _ in 0..random.below(4) {
            change(random, &mut files);
        }
        let seconds = 1_400_000_000 + (number as u64) / 3 * 60 - if random.one_in(8) { 600 } else { 0 };
        commits.push(TestCommit { parents, seconds, files });
    }
    commits
}

fn put(files: &mut Files, path: String, file: (&'static str, String)) {
    // A path is a file or a folder, never both.
    files.retain(|other, _| !other.starts_with(&format!("{path}/")) && !path.starts_with(&format!("{other}/")));
    files.insert(path, file);
}

fn change(random: &mut Random, files: &mut Files) {
    let folders = ["", "a/", "b/", "a/deep/", "a.d/", "a/deep/er/", "c/"];
    let names = ["x", "y", "z", "a", "deep"];
    let path = format!("{}{}", folders[random.below(folders.len())], names[random.below(names.len())]);
    match random.below(8) {
        0 => {
            let from = folders[1 + random.below(folders.len() - 1)];
            let to = folders[1 + random.below(folders.len() - 1)];
            let moved: Vec<_> = files.keys().filter(|path| path.starts_with(from)).cloned().collect();
            for path in moved {
                let file = files.remove(&path);
                put(files, path.replacen(from, to, 1), file.unwrap_or(("100644", "moved".to_owned())));
            }
        }
        1 => {
            files.remove(&path);
        }
        2 => put(files, path, ("160000", "0123456789012345678901234567890123456789".to_owned())),
        3 => put(files, path, (["120000", "100755"][random.below(2)], format!("text {}", random.below(12)))),
        _ => put(files, path, ("100644", format!("text {}", random.below(25)))),
    }
}

/// (blob, path, commit).
pub(crate) type Introduction = (ObjectId, String, ObjectId);

/// What each of some commits introduces, as git tells it.
pub(crate) fn introductions_by_git(repository: &TestRepository, commits: &[ObjectId]) -> BTreeSet<Introduction> {
    let input: String = commits.iter().map(|commit| format!("{commit}\n")).collect();
    let arguments = ["log", "--stdin", "--no-walk=unsorted", "--raw", "--no-abbrev", "-c", "--no-renames", "--root"];
    let text = repository.git(&[&arguments[..], &["--format=commit %H"]].concat(), input.as_bytes());
    let mut commit = None;
    let mut found = BTreeSet::new();
    for line in text.lines() {
        if let Some(id) = line.strip_prefix("commit ") {
            commit = ObjectId::from_hex(id.as_bytes());
        }
        let parents = line.bytes().take_while(|&byte| byte == b':').count();
        let Some((fields, path)) = line.split_once('\t').filter(|_| parents > 0) else { continue };
        let fields: Vec<_> = fields.trim_start_matches(':').split(' ').collect();
        let (modes, ids) = (&fields[..=parents], &fields[parents + 1..=2 * parents + 1]);
        let (before, after) = (&ids[..parents], ids[parents]);
        let gone = after.bytes().all(|byte| byte == b'0');
        // A change of mode alone is listed as well.
        if !gone && modes[parents] != "160000" && !before.contains(&after) {
            found.insert((ObjectId::from_hex(after.as_bytes()).unwrap(), path.to_owned(), commit.unwrap()));
        }
    }
    found
}

/// All objects of a kind, as git lists them.
pub(crate) fn all_of_kind(repository: &TestRepository, kind: &str) -> Vec<ObjectId> {
    let text = repository.git(&["cat-file", "--batch-all-objects", "--batch-check"], b"");
    let words = text.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    words.filter(|words| words[1] == kind).map(|words| ObjectId::from_hex(words[0].as_bytes()).unwrap()).collect()
}

/// Reads objects with libgit2, one after the other, and hands trees out as deltas of trees that came before.
pub(crate) struct LibgitSource {
    pub(crate) repository: git2::Repository,
    pub(crate) random: RefCell<Random>,
}

impl LibgitSource {
    pub(crate) fn new(repository: &TestRepository) -> Self {
        Self { repository: repository.open(), random: RefCell::new(Random(7)) }
    }
}

impl ObjectSource for LibgitSource {
    fn walk<V: Visitor>(&self, kinds: &[ObjectKind], visitor: &V) -> Vec<Unread> {
        let mut ids = Vec::new();
        let odb = self.repository.odb().unwrap();
        odb.foreach(|id| {
            ids.push(ObjectId::from_bytes(id.as_bytes()).unwrap());
            true
        })
        .unwrap();
        let mut random = self.random.borrow_mut();
        let mut workers = [visitor.worker(), visitor.worker(), visitor.worker()];
        let mut seen: Vec<(Vec<u8>, V::State)> = Vec::new();
        for id in ids {
            let Some((kind, data)) = self.read(&id).unwrap().filter(|(kind, _)| kinds.contains(kind)) else { continue };
            let base = if seen.is_empty() || random.one_in(5) { None } else { Some(random.below(seen.len())) };
            let runs = base.map(|base| copied_runs(&seen[base].0, &data)).unwrap_or_default();
            let inherited =
                base.map(|base| Inherited { base: &seen[base].1, base_length: seen[base].0.len(), runs: &runs });
            let state = visitor.visit(&mut workers[random.below(3)], Object { id, kind, data: &data, inherited });
            seen.push((data, state));
        }
        Vec::new()
    }

    fn read(&self, id: &ObjectId) -> Result<Option<(ObjectKind, Vec<u8>)>, Unread> {
        let odb = self.repository.odb().unwrap();
        let Ok(object) = odb.read(git2::Oid::from_bytes(&id.0).unwrap()) else { return Ok(None) };
        let kind = match object.kind() {
            git2::ObjectType::Commit => ObjectKind::Commit,
            git2::ObjectType::Tree => ObjectKind::Tree,
            git2::ObjectType::Tag => ObjectKind::Tag,
            _ => ObjectKind::Blob,
        };
        Ok(Some((kind, object.data().to_vec())))
    }
}

/// Copies of at least eight bytes, found greedily, with no regard for where entries begin.
fn copied_runs(base: &[u8], data: &[u8]) -> Vec<CopiedRun> {
    const SHORTEST: usize = 8;
    let known: HashMap<&[u8], usize> = base.windows(SHORTEST).zip(0..).collect();
    let mut runs = Vec::new();
    let mut start = 0;
    while start + SHORTEST <= data.len() {
        let Some(&base_start) = known.get(&data[start..start + SHORTEST]) else {
            start += 1;
            continue;
        };
        let length = base[base_start..].iter().zip(&data[start..]).take_while(|(left, right)| left == right).count();
        runs.push(CopiedRun { start, base_start, length });
        start += length;
    }
    runs
}
