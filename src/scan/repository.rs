//! Takes text from a repository: all objects of its history, its index, or what a range introduces; and says of each hit
//! where it occurs.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use super::archives;
use super::collect::{Hit, Scene};
use super::delta::{Shared, TextState};
use super::files::Context;
use super::options::ScanOptions;
use super::scenes::{Found, Scenes};
use super::text::{TextHits, TextWorker};
use crate::error::{Error, Problem, Result};
use crate::finding::SourceKind;
use crate::source::Skip;
use crate::source::git::object::{Object, ObjectId, ObjectKind, Unread, UnreadReason, Visitor};
use crate::source::git::objects::{Limits, Objects};
use crate::source::git::provenance::commits::{CommitBatch, CommitCollector, Commits, parse_commit};
use crate::source::git::provenance::entry::{EntryKind, entries};
use crate::source::git::provenance::{Bounds, Place, Provenance, Resolution};
use crate::source::git::repository::Repository;
use crate::sync::{into_inner, lock};

/// Scans every object of a repository and its index.
///
/// # Errors
/// Where the engine fails or the object stores cannot be opened; single objects are problems in the tally.
pub fn scan_history(context: Context<'_>, repository: &Repository, target: &str) -> Result<Vec<Hit>> {
    let environment = &context.options.git_environment;
    let objects = repository.objects(
        environment.object_directory.as_deref().filter(|_| is_current(repository, context)),
        &environment.alternate_object_directories,
        limits(context.options),
    )?;
    let walk = HistoryWalk::default_for(context);
    let kinds = [ObjectKind::Blob, ObjectKind::Commit, ObjectKind::Tag];
    context.progress.begin("history", Some(objects.count(&kinds)));
    let mut unread = objects.walk(&kinds, &HistoryVisitor(&walk));
    unread.extend(objects.unopened().iter().cloned());
    note_unread(context, target, unread);
    let HistoryWalk { found, commits, failure, .. } = walk;
    if let Some(error) = into_inner(failure) {
        return Err(error);
    }
    let found = into_inner(found);
    let history = History { context, repository, target, commits: commits.finish() };
    history.note_cut_off_history(&objects);
    history.hits(&objects, found)
}

/// How much the walk may hold. The largest object does not depend on the threads, so that the report does not either.
pub(super) fn limits(options: &ScanOptions) -> Limits {
    let threads = rayon::current_num_threads() as u64;
    Limits {
        max_object_bytes: options.max_object_bytes,
        max_stack_bytes: options.memory_bytes / 2 / threads,
        ..Limits::default()
    }
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
        match &object.reason {
            UnreadReason::TooLarge { .. } => context.tally.skip(Skip::TooLarge, 1, || object_name(&object)),
            UnreadReason::Damaged(reason) => {
                context.tally.problem(Problem::new(target, format!("{}: {reason}", object_name(&object))));
            }
        }
    }
}

/// Names an object that was not read, and where it lies.
fn object_name(object: &Unread) -> String {
    let id = object.id.map_or_else(|| "an object".to_owned(), |id| format!("object {id}"));
    format!("{id} in {}", object.place)
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
        *lock(&self.failure) = Some(error);
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
    /// Nothing where the object was not scanned: then its delta children are scanned whole.
    type State = Option<TextState>;

    fn worker(&self) -> HistoryWorker<'walk> {
        let text = self.0.context.scanner.worker().map_err(|error| self.0.fail(error)).ok();
        HistoryWorker { text, commits: self.0.commits.batch() }
    }

    fn visit(&self, worker: &mut HistoryWorker<'walk>, object: Object<'_, Self::State>) -> Self::State {
        let walk = self.0;
        if object.kind == ObjectKind::Commit {
            worker.commits.add(object.id, &parse_commit(object.data));
        }
        let text = worker.text.as_mut().filter(|_| !walk.context.progress.interrupted())?;
        if object.kind == ObjectKind::Blob {
            match scan_members(walk.context, text, object.id, object.data) {
                Ok(None) => {}
                Ok(Some(members)) => {
                    lock(&walk.found).extend(members.found);
                    if !members.is_text_as_well {
                        return None;
                    }
                }
                Err(error) => {
                    walk.fail(error);
                    return None;
                }
            }
        }
        let shared = object.inherited.as_ref().filter(|_| walk.context.options.delta).and_then(Shared::of);
        match text.scan_shared(object.data, shared) {
            Ok((hits, state)) => {
                let place = || format!("object {}", object.id);
                walk.context.count(object.data.len() as u64, &hits, place);
                if !hits.is_empty() {
                    lock(&walk.found).push(Found::in_object(object.id, object.kind, object.data, hits));
                }
                state
            }
            Err(error) => {
                walk.fail(error);
                None
            }
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
            tally.skip(Skip::NotInClone, missing, || self.target.to_owned());
            tally.warn(format!(
                "{} is a shallow clone: history before {missing} of its commits is not here and was not scanned; \
                 git fetch --unshallow brings it",
                self.target
            ));
        }
        if self.repository.is_partial() {
            let missing = missing_blobs(objects);
            tally.skip(Skip::NotInClone, missing, || self.target.to_owned());
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
        let in_index = self.index_paths(objects, &blobs);
        let (resolution, provenance) = if blobs.is_empty() {
            (Resolution::default(), None)
        } else {
            self.context.progress.begin("provenance", None);
            let provenance = Provenance::new(&self.commits, &refs, objects, Bounds::default());
            (provenance.resolve(objects, &blobs), Some(provenance))
        };
        if resolution.cut {
            self.context.tally.skip(Skip::TooDeep, 1, || format!("trees of {}", self.target));
        }
        note_unread(self.context, self.target, resolution.unread);
        let position = |commit: &ObjectId| provenance.as_ref().map_or(0, |known| known.position(commit));
        let scenes = Scenes { target: self.target, commits: &self.commits };
        let mut hits = Vec::new();
        for found in &found {
            self.context.explain(&format!("{} {}", found.kind_name(), found.id), &found.hits);
            if found.kind == ObjectKind::Blob {
                let places = resolution.places.get(&found.id).map_or(&[][..], Vec::as_slice);
                blob_hits(&scenes, found, places, in_index.get(&found.id), &position, &mut hits);
            } else {
                scenes.message_hits(found, &mut hits);
            }
        }
        Ok(hits)
    }

    /// The paths at which the index has any of these blobs; notes what it names and the object stores lack.
    fn index_paths(&self, objects: &Objects, blobs: &HashSet<ObjectId>) -> HashMap<ObjectId, Vec<Vec<u8>>> {
        let mut paths: HashMap<ObjectId, Vec<Vec<u8>>> = HashMap::new();
        let entries = self.repository.index_blobs().unwrap_or_else(|error| {
            self.context.tally.problem(Problem::new(self.target, error.to_string()));
            Vec::new()
        });
        let partial = self.repository.is_partial();
        for (path, id) in entries {
            if blobs.contains(&id) {
                paths.entry(id).or_default().push(path);
            } else if !partial && !objects.contains(&id) {
                let path = String::from_utf8_lossy(&path);
                let reason = format!("object {id}, which the index names at {path}, is missing; git fsck tells more");
                self.context.tally.problem(Problem::new(self.target, reason));
            }
        }
        paths
    }
}

fn blob_hits(
    scenes: &Scenes<'_>,
    found: &Found,
    places: &[Place],
    index_paths: Option<&Vec<Vec<u8>>>,
    position: &dyn Fn(&ObjectId) -> u64,
    hits: &mut Vec<Hit>,
) {
    for place in places {
        let mut scene = scenes.scene(&place.path, found, Some(&place.commit));
        scene.in_head = Some(place.in_head);
        hits.extend(found.hits.located.iter().map(|located| scene.hit(located, position(&place.commit))));
    }
    let only_staged = index_paths.into_iter().flatten().filter(|path| !places.iter().any(|place| place.path == **path));
    let mut staged = false;
    for path in only_staged {
        staged = true;
        let mut scene = scenes.scene(path, found, None);
        scene.source = SourceKind::Index;
        hits.extend(found.hits.located.iter().map(|located| scene.hit(located, 0)));
    }
    if places.is_empty() && !staged {
        let mut scene = scenes.scene(b"<unreachable blob>", found, None);
        scene.in_head = Some(false);
        // Each such blob is a place of its own: nothing says that they are versions of one file.
        scene.path = found.path(format!("<unreachable blob {}>", &found.id.to_string()[..12]).as_bytes());
        hits.extend(found.hits.located.iter().map(|located| scene.hit(located, u64::MAX)));
    }
}

/// How many blobs that trees name are not in the object stores.
fn missing_blobs(objects: &Objects) -> u64 {
    let missing = MissingBlobs { objects, ids: Mutex::default() };
    objects.walk(&[ObjectKind::Tree], &missing);
    into_inner(missing.ids).len() as u64
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
                lock(&self.ids).insert(entry.id);
            }
        }
    }
}

/// Scans the blobs of the index alone.
///
/// # Errors
/// Where the engine fails or the index cannot be read.
pub fn scan_index(context: Context<'_>, repository: &Repository, target: &str) -> Result<Vec<Hit>> {
    let entries = repository.index_blobs()?;
    let objects = repository.objects(None, &[], limits(context.options))?;
    let mut worker = context.scanner.worker()?;
    let mut hits = Vec::new();
    let mut seen: HashMap<ObjectId, Vec<Found>> = HashMap::new();
    for (path, id) in entries {
        let found = match seen.entry(id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(scan_object(context, &mut worker, &objects, target, id)?),
        };
        for found in found.iter() {
            let mut scene = Scene::plain(SourceKind::Index, target, &found.path(&path));
            scene.blob = Some(id.to_string());
            hits.extend(found.hits.located.iter().map(|located| scene.hit(located, 0)));
        }
    }
    Ok(hits)
}

/// What the members of a blob that is an archive hold.
pub(super) struct MembersFound {
    pub(super) found: Vec<Found>,
    /// Whether the blob's own bytes have to be scanned too.
    pub(super) is_text_as_well: bool,
}

/// Scans the members of a blob, where it is an archive; counts them, and the blob itself where that is all.
pub(super) fn scan_members(
    context: Context<'_>,
    worker: &mut TextWorker<'_>,
    id: ObjectId,
    data: &[u8],
) -> Result<Option<MembersFound>> {
    let Some(unpacked) = archives::scan_blob(context, worker, data)? else { return Ok(None) };
    unpacked.note(context.tally, &format!("blob {id}"), false);
    let is_text_as_well = unpacked.is_text_as_well();
    if !is_text_as_well {
        context.count(data.len() as u64, &TextHits::default(), || format!("object {id}"));
    }
    let found: Vec<Found> = Found::in_members(id, unpacked).collect();
    context.progress.found(found.iter().map(|found| found.hits.located.len() as u64).sum());
    Ok(Some(MembersFound { found, is_text_as_well }))
}

/// Scans one object by its id; what cannot be read is noted, and an object without a candidate has nothing in it.
pub(super) fn scan_object(
    context: Context<'_>,
    worker: &mut TextWorker<'_>,
    objects: &Objects,
    target: &str,
    id: ObjectId,
) -> Result<Vec<Found>> {
    let (kind, data) = match objects.read(&id) {
        Ok(Some(object)) => object,
        Ok(None) => {
            context.tally.skip(Skip::NotInClone, 1, || format!("object {id}"));
            context.tally.problem(Problem::new(target, format!("object {id} is not in the repository")));
            return Ok(Vec::new());
        }
        Err(unread) => {
            note_unread(context, target, vec![unread]);
            return Ok(Vec::new());
        }
    };
    let mut found = Vec::new();
    let members = if kind == ObjectKind::Blob { scan_members(context, worker, id, &data)? } else { None };
    if let Some(members) = members {
        found = members.found;
        if !members.is_text_as_well {
            return Ok(found);
        }
    }
    let hits = worker.scan(&data)?;
    context.count(data.len() as u64, &hits, || format!("object {id}"));
    context.explain(&format!("object {id}"), &hits);
    if !hits.is_empty() {
        found.push(Found::in_object(id, kind, &data, hits));
    }
    Ok(found)
}
