//! Takes text from files: trees of them, single ones and standard input.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use ignore::{WalkBuilder, WalkState};

use super::archives;
use super::chunks::{self, StreamHits};
use super::collect::{Hit, Scene};
use super::options::ScanOptions;
use super::progress::Progress;
use super::records;
use super::tally::Tally;
use super::text::{TextHits, TextScanner, TextWorker};
use crate::error::{Problem, Result};
use crate::finding::SourceKind;
use crate::source::Skip;
use crate::source::file::{self, Opened};
use crate::source::mmap::MappedFile;
use crate::sync::{into_inner, lock};

/// What a scan of text needs everywhere.
#[derive(Clone, Copy)]
pub struct Context<'scan> {
    /// Finds credentials in texts.
    pub scanner: &'scan TextScanner<'scan>,
    /// What was asked.
    pub options: &'scan ScanOptions,
    /// What is counted.
    pub tally: &'scan Tally<'scan>,
    /// Who is told.
    pub progress: &'scan dyn Progress,
}

impl Context<'_> {
    /// Counts a scanned text and what was skipped in it.
    pub fn count(&self, bytes: u64, hits: &TextHits, place: impl Fn() -> String) {
        self.tally.scanned(1, bytes);
        self.tally.skip(Skip::MatchCap, hits.beyond_cap, &place);
        self.tally.spent(hits.spending, &place);
        self.progress.advance(1, bytes);
        if !hits.located.is_empty() {
            self.progress.found(hits.located.len() as u64);
        }
    }

    /// Says why candidates were dropped, where that was asked.
    pub fn explain(&self, place: &str, hits: &TextHits) {
        for dropped in &hits.dropped {
            let detector = &self.scanner.registry().detector(dropped.detector).id;
            self.tally.explain(format!(
                "{place}: byte {}: {detector} dropped: {}",
                dropped.start,
                dropped.reason.in_words()
            ));
        }
    }
}

/// How a tree is walked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TreeKind {
    /// A plain folder: nothing is ignored.
    Folder,
    /// A work tree of git: what `.gitignore` names is left out unless the options include it.
    WorkTree,
}

/// What a walk of a tree gave.
#[derive(Debug, Default)]
pub struct TreeHits {
    /// The hits.
    pub hits: Vec<Hit>,
    /// Repositories that lie in the tree; the tree's own is not among them.
    pub repositories: Vec<PathBuf>,
}

/// Files under a `.git` folder that hold text which people and programs write: remotes with passwords, messages, hooks.
const GIT_TEXT: [&str; 8] = [
    "config",
    "config.worktree",
    "FETCH_HEAD",
    "COMMIT_EDITMSG",
    "MERGE_MSG",
    "SQUASH_MSG",
    "description",
    "packed-refs",
];
/// Folders under a `.git` folder with such files.
const GIT_TEXT_FOLDERS: [&str; 3] = ["hooks", "info", "logs"];

/// Scans every file of a tree, in parallel.
///
/// # Errors
/// Where the engine fails; a file that cannot be read is a problem in the tally.
pub fn scan_tree(context: Context<'_>, root: &Path, target: &str, kind: TreeKind) -> Result<TreeHits> {
    let found = Mutex::new(TreeHits::default());
    let failure = Mutex::new(None);
    let large = Mutex::new(Vec::new());
    let walk = Walk { context, root, target, kind, found: &found, large: &large };
    let odd = Arc::new(Mutex::new(Vec::new()));
    walker(root, kind, context.options, Arc::clone(&odd)).build_parallel().run(|| {
        let mut reader = match context.scanner.worker() {
            Ok(worker) => Some(Reader { worker, buffer: Vec::new() }),
            Err(error) => {
                store(&failure, error);
                None
            }
        };
        let (walk, failure) = (&walk, &failure);
        Box::new(move |entry| {
            let Some(reader) = reader.as_mut() else { return WalkState::Quit };
            match walk.enter(reader, entry) {
                _ if walk.context.progress.interrupted() => WalkState::Quit,
                Ok(state) => state,
                Err(error) => {
                    store(failure, error);
                    WalkState::Quit
                }
            }
        })
    });
    if let Some(error) = into_inner(failure) {
        return Err(error);
    }
    for folder in lock(&odd).drain(..) {
        let reason =
            "its .gitignore is no regular file, so the folder was not scanned; --include-ignored does without it";
        context.tally.problem(Problem::new(folder, reason));
    }
    let mut found = into_inner(found);
    let mut large = into_inner(large);
    large.sort();
    for path in large {
        let shown = path_below(&path, root);
        found.hits.extend(scan_file(context, &path, &Place { target, shown: shown.as_bytes(), is_target: false })?);
    }
    found.repositories.sort();
    Ok(found)
}

fn store(failure: &Mutex<Option<crate::Error>>, error: crate::Error) {
    *lock(failure) = Some(error);
}

/// Makes the walk of a tree; folders that must not be entered, since their `.gitignore` is a pipe, go to `odd`.
fn walker(root: &Path, kind: TreeKind, options: &ScanOptions, odd: Arc<Mutex<Vec<String>>>) -> WalkBuilder {
    let mut builder = WalkBuilder::new(root);
    let include = options.include_ignored || options.never_ignored.iter().any(|target| target == root);
    let honour = kind == TreeKind::WorkTree && !include;
    builder
        .standard_filters(false)
        .hidden(false)
        .git_ignore(honour)
        .git_exclude(honour)
        .parents(honour)
        .follow_links(false)
        .same_file_system(false)
        .threads(options.threads);
    let never = file::Identities::of(&options.never);
    builder.filter_entry(move |entry| {
        if honour && has_odd_ignore_file(entry) {
            let mut odd = lock(&odd);
            odd.push(entry.path().display().to_string());
            return false;
        }
        !never.contains(entry.path())
    });
    builder
}

/// Whether a folder's `.gitignore` is a pipe or device, which the walk would wait for.
fn has_odd_ignore_file(entry: &ignore::DirEntry) -> bool {
    let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
    is_folder
        && std::fs::metadata(entry.path().join(".gitignore")).is_ok_and(|known| !known.is_file() && !known.is_dir())
}

/// One walk of a tree: what every thread of it shares.
struct Walk<'walk> {
    context: Context<'walk>,
    root: &'walk Path,
    target: &'walk str,
    kind: TreeKind,
    found: &'walk Mutex<TreeHits>,
    /// Files that are left to be read in chunks, by all threads at once.
    large: &'walk Mutex<Vec<PathBuf>>,
}

/// The buffers of one thread.
struct Reader<'scanner> {
    worker: TextWorker<'scanner>,
    buffer: Vec<u8>,
}

impl Walk<'_> {
    fn enter(&self, reader: &mut Reader<'_>, entry: Result<ignore::DirEntry, ignore::Error>) -> Result<WalkState> {
        let entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                self.context.tally.problem(walk_problem(&error));
                return Ok(WalkState::Continue);
            }
        };
        let path = entry.path();
        let Some(kind) = entry.file_type() else { return Ok(WalkState::Continue) };
        if kind.is_dir() {
            return Ok(self.enter_folder(path, entry.depth()));
        }
        if is_git_data(path, self.root) {
            return Ok(WalkState::Continue);
        }
        if entry.file_name() == ".git" && entry.depth() > 1 {
            self.note_repository(path);
        }
        if kind.is_symlink() {
            self.context.tally.skip(Skip::Symlink, 1, || path.display().to_string());
        } else if kind.is_file() {
            self.read(reader, path)?;
        } else {
            self.context.tally.skip(Skip::Special, 1, || path.display().to_string());
        }
        Ok(WalkState::Continue)
    }

    fn enter_folder(&self, path: &Path, depth: usize) -> WalkState {
        let own = depth == 0 || (depth == 1 && self.kind == TreeKind::WorkTree);
        if !own && file::is_git_folder(path) {
            self.note_repository(path);
        }
        // Objects are compressed: as files they say nothing, and the repository's scan reads them.
        let is_objects = path.file_name().is_some_and(|name| name == "objects");
        if is_objects && path.parent().is_some_and(file::is_git_folder) { WalkState::Skip } else { WalkState::Continue }
    }

    fn note_repository(&self, path: &Path) {
        lock(self.found).repositories.push(path.to_path_buf());
    }

    fn read(&self, reader: &mut Reader<'_>, path: &Path) -> Result<()> {
        let context = self.context;
        match file::read_small(path, chunks::CHUNK as u64, &mut reader.buffer) {
            Ok(Opened::Whole) => {}
            Ok(Opened::Larger) => {
                lock(self.large).push(path.to_path_buf());
                return Ok(());
            }
            Ok(Opened::Skipped(skip)) => {
                context.tally.skip(skip, 1, || path.display().to_string());
                return Ok(());
            }
            Err(error) => {
                context.tally.problem(file_problem(path, &error));
                return Ok(());
            }
        }
        if let Some(unpacked) = archives::scan_bytes(context, &mut reader.worker, &reader.buffer, path)? {
            let place = Place { target: self.target, shown: path_below(path, self.root).as_bytes(), is_target: false };
            let hits = archives::member_hits(context, &unpacked, &place, &path.display().to_string());
            lock(self.found).hits.extend(hits);
            if !unpacked.is_text_as_well() {
                context.tally.scanned(1, reader.buffer.len() as u64);
                return Ok(());
            }
        }
        let mut hits = reader.worker.scan(&reader.buffer)?;
        context.count(reader.buffer.len() as u64, &hits, || path.display().to_string());
        if !hits.is_empty() {
            records::tell(&mut hits.located, &mut &reader.buffer[..], path, context.options.kind_of(path));
            let scene = Scene::plain(SourceKind::File, self.target, path_below(path, self.root).as_bytes());
            context.explain(&path.display().to_string(), &hits);
            let mut found = lock(self.found);
            found.hits.extend(hits.located.into_iter().map(|located| scene.only_hit(located, 0)));
        }
        Ok(())
    }
}

/// Whether a file lies in a `.git` folder and is data of git, which is scanned as objects or holds no text.
fn is_git_data(path: &Path, root: &Path) -> bool {
    let Ok(relative) = path.strip_prefix(root) else { return false };
    let mut names = relative.components().map(|component| component.as_os_str());
    if !names.any(|name| name == ".git") {
        return false;
    }
    let Some(first) = names.next() else { return false };
    !GIT_TEXT.iter().chain(&GIT_TEXT_FOLDERS).any(|name| first == *name)
}

fn walk_problem(error: &ignore::Error) -> Problem {
    match error {
        ignore::Error::WithPath { path, err } => {
            Problem::new(path.display().to_string(), format!("cannot be read: {err}"))
        }
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => walk_problem(err),
        _ => Problem::new("walk", error.to_string()),
    }
}

fn file_problem(path: &Path, error: &std::io::Error) -> Problem {
    Problem::new(path.display().to_string(), format!("cannot be read: {error}"))
}

/// The path of a file as seen from the folder that is scanned.
fn path_below<'path>(path: &'path Path, root: &Path) -> &'path std::ffi::OsStr {
    path.strip_prefix(root).ok().filter(|relative| !relative.as_os_str().is_empty()).unwrap_or(path).as_os_str()
}

/// What is told of a file's place.
#[derive(Clone, Copy)]
pub struct Place<'place> {
    /// The target as it was given.
    pub target: &'place str,
    /// The path in the report.
    pub shown: &'place [u8],
    /// Whether the file was named as a target itself.
    pub is_target: bool,
}

/// Scans one file of any size, and what is in it where it is an archive.
///
/// # Errors
/// Where the engine fails; a file that cannot be read is a problem in the tally.
pub fn scan_file(context: Context<'_>, path: &Path, place: &Place<'_>) -> Result<Vec<Hit>> {
    let name = path.display().to_string();
    let scene = Scene::plain(SourceKind::File, place.target, place.shown);
    if context.options.map_files
        && let Some(mapped) = map(path)
    {
        let mut bytes = std::io::Cursor::new(&mapped[..]);
        let unpacked = archives::scan_seekable(context, &mut bytes, mapped.len() as u64, place, path)?;
        if !unpacked.is_text_as_well {
            return Ok(unpacked.hits);
        }
        let mut stream = chunks::scan_mapped(context.scanner, &mapped, &|bytes| context.progress.advance(0, bytes))?;
        records::tell(&mut stream.hits.located, &mut &mapped[..], path, context.options.kind_of(path));
        return Ok([unpacked.hits, stream_hits(context, stream, &scene, &name)].concat());
    }
    let mut opened = match file::open_scanned(path) {
        Ok(Ok(opened)) => opened,
        Ok(Err(skip)) => {
            context.tally.skip(skip, 1, || name);
            return Ok(Vec::new());
        }
        Err(error) => {
            context.tally.problem(file_problem(path, &error));
            return Ok(Vec::new());
        }
    };
    let length = opened.metadata().map_or(0, |known| known.len());
    let unpacked = archives::scan_seekable(context, &mut opened, length, place, path)?;
    if !unpacked.is_text_as_well {
        return Ok(unpacked.hits);
    }
    let mut stream = read_stream(context, &mut opened)?;
    records::tell(&mut stream.hits.located, &mut opened, path, context.options.kind_of(path));
    Ok([unpacked.hits, stream_hits(context, stream, &scene, &name)].concat())
}

/// Maps a large file; one that is small or cannot be mapped is read.
fn map(path: &Path) -> Option<MappedFile> {
    let is_large =
        std::fs::symlink_metadata(path).is_ok_and(|known| known.is_file() && known.len() > chunks::CHUNK as u64);
    if is_large { MappedFile::open(path).ok() } else { None }
}

/// Scans standard input, and what is in it where it is an archive.
///
/// # Errors
/// Where the engine fails; input that breaks off is a problem in the tally.
pub fn scan_standard_input(context: Context<'_>, reader: &mut (dyn std::io::Read + Send)) -> Result<Vec<Hit>> {
    let scene = Scene::plain(SourceKind::Stdin, "-", STANDARD_INPUT.as_bytes());
    let place = Place { target: "-", shown: STANDARD_INPUT.as_bytes(), is_target: true };
    let (mut hits, rest) = archives::scan_stream(context, reader, &place)?;
    if let Some(mut text) = rest {
        let kind = context.options.kind;
        let mut start = archives::Start::default();
        start.read(&mut *text, chunks::CHUNK as u64);
        let short = start.ended.then(|| start.bytes.clone());
        let mut stream = read_stream(context, &mut *start.and(&mut *text))?;
        match short {
            Some(bytes) => records::tell(&mut stream.hits.located, &mut &bytes[..], Path::new(STANDARD_INPUT), kind),
            None => records::tell_kind(&mut stream.hits.located, kind),
        }
        hits.extend(stream_hits(context, stream, &scene, STANDARD_INPUT));
    }
    Ok(hits)
}

/// What standard input is called in a report.
pub(super) const STANDARD_INPUT: &str = "<stdin>";

fn read_stream(context: Context<'_>, reader: &mut (dyn std::io::Read + Send)) -> Result<StreamHits> {
    chunks::scan_reader(context.scanner, reader, &|bytes| context.progress.advance(0, bytes))
}

fn stream_hits(context: Context<'_>, stream: StreamHits, scene: &Scene, name: &str) -> Vec<Hit> {
    context.tally.scanned(1, stream.bytes);
    context.tally.skip(Skip::MatchCap, stream.hits.beyond_cap, || name.to_owned());
    context.tally.spent(stream.hits.spending, || name.to_owned());
    context.progress.found(stream.hits.located.len() as u64);
    context.explain(name, &stream.hits);
    if let Some(reason) = stream.failure {
        context.tally.problem(Problem::new(name, format!("read breaks off after {} bytes: {reason}", stream.bytes)));
    }
    stream.hits.located.into_iter().map(|located| scene.only_hit(located, 0)).collect()
}
