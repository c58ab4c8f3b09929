//! Takes text from a repository: all objects of its history, its index, or what a range introduces; and says of each hit
//! where it occurs.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use super::collect::{Hit, Scene};
use super::files::Context;
use super::text::{TextHits, TextWorker};
use crate::error::{Error, Problem, Result};
use crate::finding::SourceKind;
use crate::source::Skip;
use crate::source::git::object::{Object, ObjectId, ObjectKind, Unread, UnreadReason, Visitor};
use crate::source::git::objects::Objects;
use crate::source::git::provenance::commits::{CommitBatch, CommitCollector, Commits, parse_commit};
use crate::source::git::provenance::entry::{EntryKind, entries};
use crate::source::git::provenance::{Bounds, Place, Provenance, Resolution};
use crate::source::git::repository::Repository;

/// Scans every object of a repository and its index.
///
/// # Errors
/// Where the engine fails or the object stores cannot be opened; single objects are problems in the tally.
pub fn scan_history(context: Context<'_>, repository: &Repository, target: &str) -> Result<Vec<Hit>> {
    let environment = &context.options.git_environment;
    let objects = repository.objects(
        environment.object_directory.as_deref().filter(|_| is_current(repository, context)),
        &environment.alternate_object_directories,
        context.options.max_object_bytes,
    )?;
    context.progress.begin("history", Some(objects.object_count()));
    let walk = HistoryWalk::default_for(context);
    let kinds = [ObjectKind::Blob, ObjectKind::Commit, ObjectKind::Tag];
    let mut unread = objects.walk(&kinds, &HistoryVisitor(&walk));
    unread.extend(objects.unopened().iter().cloned());
    note_unread(context, target, unread);
    let HistoryWalk { found, commits, failure, .. } = walk;
    if let Some(error) = failure.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
        return Err(error);
    }
    let found = found.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let history = History { context, repository, target, commits: commits.finish() };
    history.note_cut_off_history(&objects);
    history.hits(&objects, found)
}

/// Whether the environment that git set for a hook is about this repository.
fn is_current(repository: &Repository, context: Context<'_>) -> bool {
    let Some(git_dir) = &context.options.git_environment.git_dir else { return false };
    match (git_dir.canonicalize(), repository.git().path().canonicalize()) {
        (Ok(left), Ok(right)) => left == right,
        _ => false,
    }
}

/// Counts what was not read: limits as skips, damage as problems.
pub(super) fn note_unread(context: Context<'_>, target: &str, unread: Vec<Unread>) {
    for object in unread {
        match object.reason {
            UnreadReason::TooLarge { .. } => context.tally.skip(Skip::TooLarge, 1),
            UnreadReason::Damaged(reason) => {
                let id = object.id.map_or_else(|| "an object".to_owned(), |id| format!("object {id}"));
                context.tally.problem(Problem::new(target, format!("{id} in {}: {reason}", object.place)));
            }
        }
    }
}

/// An object with something in it.
struct Found {
    id: ObjectId,
    kind: ObjectKind,
    /// For commits and tags: where the message begins.
    message: usize,
    hits: TextHits,
}

/// Scans blobs, commits and tags as the walk hands them out; keeps all commits on the way.
struct HistoryWalk<'scan> {
    context: Context<'scan>,
    found: Mutex<Vec<Found>>,
    commits: CommitCollector,
    failure: Mutex<Option<Error>>,
}

impl<'scan> HistoryWalk<'scan> {
    fn default_for(context: Context<'scan>) -> Self {
        Self { context, found: Mutex::default(), commits: CommitCollector::default(), failure: Mutex::default() }
    }

    fn fail(&self, error: Error) {
        *self.failure.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
    }
}

/// The buffers of one thread of a walk.
struct HistoryWorker<'walk> {
    text: Option<TextWorker<'walk>>,
    commits: CommitBatch<'walk>,
}

/// Hands a walk to all threads.
struct HistoryVisitor<'walk, 'scan>(&'walk HistoryWalk<'scan>);

impl<'walk> Visitor for HistoryVisitor<'walk, '_> {
    type Worker = HistoryWorker<'walk>;
    type State = ();

    fn worker(&self) -> HistoryWorker<'walk> {
        let text = self.0.context.scanner.worker().map_err(|error| self.0.fail(error)).ok();
        HistoryWorker { text, commits: self.0.commits.batch() }
    }

    fn visit(&self, worker: &mut HistoryWorker<'walk>, object: Object<'_, ()>) {
        let walk = self.0;
        let mut message = 0;
        if object.kind == ObjectKind::Commit {
            let fields = parse_commit(object.data);
            message = object.data.len() - fields.message.len();
            worker.commits.add(object.id, &fields);
        } else if object.kind == ObjectKind::Tag {
            message = memchr::memmem::find(object.data, b"\n\n").map_or(object.data.len(), |end| end + 2);
        }
        let Some(text) = worker.text.as_mut().filter(|_| !walk.context.progress.interrupted()) else { return };
        match text.scan(object.data) {
            Ok(hits) => {
                walk.context.count(object.data.len() as u64, &hits);
                if !hits.is_empty() {
                    let found = Found { id: object.id, kind: object.kind, message, hits };
                    walk.found.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(found);
                }
            }
            Err(error) => walk.fail(error),
        }
    }
}

/// What is known of a repository's history once its objects were scanned.
struct History<'scan> {
    context: Context<'scan>,
    repository: &'scan Repository,
    target: &'scan str,
    commits: Commits,
}

impl History<'_> {
    /// Says what a shallow or partial clone lacks.
    fn note_cut_off_history(&self, objects: &Objects) {
        let tally = self.context.tally;
        if self.repository.is_shallow() {
            let missing = self.commits.missing_parents().max(1) as u64;
            tally.skip(Skip::NotInClone, missing);
            tally.warn(format!(
                "{} is a shallow clone: history before {missing} of its commits is not here and was not scanned; \
                 git fetch --unshallow brings it",
                self.target
            ));
        }
        if self.repository.is_partial() {
            let missing = missing_blobs(objects);
            tally.skip(Skip::NotInClone, missing);
            tally.warn(format!(
                "{} is a partial clone: {missing} blobs were never fetched and were not scanned; \
                 git fetch --refetch --no-filter brings them",
                self.target
            ));
        }
    }

    fn hits(&self, objects: &Objects, found: Vec<Found>) -> Result<Vec<Hit>> {
        let refs = self.repository.refs()?;
        for problem in &refs.problems {
            self.context.tally.problem(problem.clone());
        }
        let blobs: HashSet<ObjectId> =
            found.iter().filter(|found| found.kind == ObjectKind::Blob).map(|found| found.id).collect();
        let in_index = if blobs.is_empty() { HashMap::new() } else { self.index_paths(&blobs) };
        let (resolution, provenance) = if blobs.is_empty() {
            (Resolution::default(), None)
        } else {
            self.context.progress.begin("provenance", None);
            let provenance = Provenance::new(&self.commits, &refs, objects, Bounds::default());
            (provenance.resolve(objects, &blobs), Some(provenance))
        };
        if resolution.cut {
            self.context.tally.skip(Skip::TooDeep, 1);
        }
        note_unread(self.context, self.target, resolution.unread);
        let position = |commit: &ObjectId| provenance.as_ref().map_or(0, |known| known.position(commit));
        let mut hits = Vec::new();
        for found in &found {
            self.context.explain(&format!("{} {}", kind_name(found.kind), found.id), &found.hits);
            if found.kind == ObjectKind::Blob {
                let places = resolution.places.get(&found.id).map_or(&[][..], Vec::as_slice);
                self.blob_hits(found, places, in_index.get(&found.id), &position, &mut hits);
            } else {
                self.message_hits(found, &mut hits);
            }
        }
        Ok(hits)
    }

    fn blob_hits(
        &self,
        found: &Found,
        places: &[Place],
        index_paths: Option<&Vec<Vec<u8>>>,
        position: &dyn Fn(&ObjectId) -> u64,
        hits: &mut Vec<Hit>,
    ) {
        for place in places {
            let mut scene = self.scene(&place.path, found, Some(&place.commit));
            scene.in_head = Some(place.in_head);
            hits.extend(found.hits.located.iter().map(|located| scene.hit(located, position(&place.commit))));
        }
        let only_staged =
            index_paths.into_iter().flatten().filter(|path| !places.iter().any(|place| place.path == **path));
        let mut staged = false;
        for path in only_staged {
            staged = true;
            let mut scene = self.scene(path, found, None);
            scene.source = SourceKind::Index;
            hits.extend(found.hits.located.iter().map(|located| scene.hit(located, 0)));
        }
        if places.is_empty() && !staged {
            let mut scene = self.scene(b"<unreachable blob>", found, None);
            scene.in_head = Some(false);
            // Each such blob is a place of its own: nothing says that they are versions of one file.
            scene.path = format!("<unreachable blob {}>", &found.id.to_string()[..12]).into_bytes();
            hits.extend(found.hits.located.iter().map(|located| scene.hit(located, u64::MAX)));
        }
    }

    /// A hit in a commit's or tag's own text.
    fn message_hits(&self, found: &Found, hits: &mut Vec<Hit>) {
        for located in &found.hits.located {
            let in_message = located.candidate.start >= found.message;
            let path: &[u8] = match (found.kind, in_message) {
                (ObjectKind::Tag, _) => b"<tag message>",
                (_, true) => b"<commit message>",
                (_, false) => b"<commit header>",
            };
            let mut scene = self.scene(path, found, Some(&found.id));
            scene.blob = None;
            hits.push(scene.hit(located, 0));
        }
    }

    fn scene(&self, path: &[u8], found: &Found, commit: Option<&ObjectId>) -> Scene {
        let mut scene = Scene::plain(SourceKind::Git, self.target, path);
        scene.blob = Some(found.id.to_string());
        scene.commit = commit.map(ToString::to_string);
        if let Some(known) = commit.and_then(|commit| self.commits.get(commit)) {
            scene.author = Some(String::from_utf8_lossy(known.author).into_owned());
            let date = known.author_time.and_then(|time| time.rfc3339());
            scene.date = Some(date.unwrap_or_else(|| "invalid".into()));
        }
        scene
    }

    /// The paths at which the index has any of these blobs.
    fn index_paths(&self, blobs: &HashSet<ObjectId>) -> HashMap<ObjectId, Vec<Vec<u8>>> {
        let mut paths: HashMap<ObjectId, Vec<Vec<u8>>> = HashMap::new();
        match self.repository.git().index() {
            Ok(index) => {
                for entry in index.iter() {
                    let id = ObjectId::from_bytes(entry.id.as_bytes()).filter(|id| blobs.contains(id));
                    if let Some(id) = id {
                        paths.entry(id).or_default().push(entry.path);
                    }
                }
            }
            Err(error) => self.context.tally.problem(index_problem(self.target, &error)),
        }
        paths
    }
}

fn index_problem(target: &str, error: &git2::Error) -> Problem {
    Problem::new(target, format!("the index cannot be read: {}", error.message()))
}

fn kind_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::Commit => "commit",
        ObjectKind::Tree => "tree",
        ObjectKind::Blob => "blob",
        ObjectKind::Tag => "tag",
    }
}

/// How many blobs that trees name are not in the object stores.
fn missing_blobs(objects: &Objects) -> u64 {
    let missing = MissingBlobs { objects, ids: Mutex::default() };
    objects.walk(&[ObjectKind::Tree], &missing);
    missing.ids.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).len() as u64
}

/// Gathers the ids of blobs that trees name and no store has.
struct MissingBlobs<'objects> {
    objects: &'objects Objects,
    ids: Mutex<HashSet<ObjectId>>,
}

impl Visitor for MissingBlobs<'_> {
    type Worker = ();
    type State = ();

    fn worker(&self) {}

    fn visit(&self, (): &mut (), tree: Object<'_, ()>) {
        for entry in entries(tree.data).0 {
            if entry.kind == EntryKind::Blob && !self.objects.contains(&entry.id) {
                self.ids.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(entry.id);
            }
        }
    }
}

/// Scans the blobs of the index alone.
///
/// # Errors
/// Where the engine fails or the index cannot be read.
pub fn scan_index(context: Context<'_>, repository: &Repository, target: &str) -> Result<Vec<Hit>> {
    let index = repository.git().index().map_err(|error| Error::Repository {
        path: repository.path().to_path_buf(),
        reason: format!("the index cannot be read: {}", error.message()),
    })?;
    let objects = repository.objects(None, &[], context.options.max_object_bytes)?;
    let mut worker = context.scanner.worker()?;
    let mut hits = Vec::new();
    let mut seen: HashMap<ObjectId, TextHits> = HashMap::new();
    for entry in index.iter().filter(|entry| entry.mode & 0o170_000 != 0o160_000) {
        let Some(id) = ObjectId::from_bytes(entry.id.as_bytes()) else { continue };
        let found = match seen.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(scan_object(context, &mut worker, &objects, target, id)?),
        };
        let mut scene = Scene::plain(SourceKind::Index, target, &entry.path);
        scene.blob = Some(id.to_string());
        hits.extend(found.located.iter().map(|located| scene.hit(located, 0)));
    }
    Ok(hits)
}

/// Scans one object by its id; what cannot be read is noted.
pub(super) fn scan_object(
    context: Context<'_>,
    worker: &mut TextWorker<'_>,
    objects: &Objects,
    target: &str,
    id: ObjectId,
) -> Result<TextHits> {
    match objects.read(&id) {
        Ok(Some((_, data))) => {
            let hits = worker.scan(&data)?;
            context.count(data.len() as u64, &hits);
            context.explain(&format!("object {id}"), &hits);
            Ok(hits)
        }
        Ok(None) => {
            context.tally.skip(Skip::NotInClone, 1);
            context.tally.problem(Problem::new(target, format!("object {id} is not in the repository")));
            Ok(TextHits::default())
        }
        Err(unread) => {
            note_unread(context, target, vec![unread]);
            Ok(TextHits::default())
        }
    }
}
