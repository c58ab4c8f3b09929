//! Takes text from what is new: the index over HEAD, or what a range of commits introduces.

use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rayon::prelude::*;

use super::collect::{Hit, Scene};
use super::files::Context;
use super::repository;
use super::scenes::{Found, Scenes};
use super::text::TextHits;
use crate::error::{Error, Problem, Result};
use crate::finding::SourceKind;
use crate::source::Skip;
use crate::source::git::object::ObjectId;
use crate::source::git::objects::Objects;
use crate::source::git::provenance::Bounds;
use crate::source::git::range::Range;
use crate::source::git::repository::Repository;
use crate::source::git::staged::{self, StagedBlob, StagedRepository};

/// A staged blob with what stands in it.
pub struct StagedHits {
    /// The blob and its path.
    pub blob: StagedBlob,
    /// The path of the member that this was found in, where the blob is an archive; else empty.
    pub member: Vec<u8>,
    /// What it holds.
    pub hits: TextHits,
}

/// Scans exactly what the index that git will commit adds over HEAD.
///
/// # Errors
/// Where the engine fails or the index cannot be read.
pub fn scan_staged(context: Context<'_>, start: &Path, target: &str) -> Result<Vec<Hit>> {
    let repository = StagedRepository::open(start, context.options.git_environment.clone())?;
    let mut hits = Vec::new();
    for StagedHits { blob, member, hits: found } in staged_hits(context, &repository, target)? {
        let mut scene = Scene::plain(SourceKind::Index, target, &[&blob.path[..], &member].concat());
        scene.blob = Some(blob.id.to_string());
        hits.extend(found.located.iter().map(|located| scene.hit(located, 0)));
    }
    Ok(hits)
}

/// Scans each staged blob; those without a candidate are in the answer too, so that they can be counted.
///
/// # Errors
/// Where the engine fails or the index cannot be read.
pub fn staged_hits(context: Context<'_>, repository: &StagedRepository, target: &str) -> Result<Vec<StagedHits>> {
    let blobs = staged::staged(repository)?;
    context.progress.begin("staged", Some(blobs.len() as u64));
    let mut worker = context.scanner.worker()?;
    let mut answer = Vec::with_capacity(blobs.len());
    for blob in blobs {
        match repository.read_blob(blob.id, context.options.max_object_bytes) {
            Ok(data) => {
                let members = repository::scan_members(context, &mut worker, blob.id, &data)?;
                let is_text = members.as_ref().is_none_or(|members| members.is_text_as_well);
                for found in members.into_iter().flat_map(|members| members.found) {
                    answer.push(StagedHits { blob: blob.clone(), member: found.member, hits: found.hits });
                }
                if is_text {
                    let hits = worker.scan(&data)?;
                    context.count(data.len() as u64, &hits, || String::from_utf8_lossy(&blob.path).into_owned());
                    context.explain(&String::from_utf8_lossy(&blob.path), &hits);
                    answer.push(StagedHits { blob, member: Vec::new(), hits });
                }
            }
            Err(unread) => repository::note_unread(context, target, vec![unread]),
        }
    }
    Ok(answer)
}

/// Scans what a range of commits introduces, and their messages. A range without commits is clean.
///
/// # Errors
/// Where the engine fails or the range names something unknown.
pub fn scan_range(context: Context<'_>, repository: &Repository, target: &str, range: &str) -> Result<Vec<Hit>> {
    let read = Range::read(repository.git(), range, Bounds::default(), |_, _| {}).map_err(|error| match error {
        // The person knows the repository by the name that was typed.
        Error::Range { range, reason, .. } => Error::Range { path: target.into(), range, reason },
        other => other,
    })?;
    note_gaps(context, target, range, &read);
    let objects = repository.objects(None, &[], repository::limits(context.options))?;
    let mut ids: Vec<ObjectId> = read.introduced.iter().map(|introduced| introduced.blob).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.extend(&read.commits);
    context.progress.begin("range", Some(ids.len() as u64));
    let found = scan_objects(context, &objects, target, &ids)?;
    let scenes = Scenes { target, commits: &read.store };
    let head = repository.git().head().and_then(|head| head.peel_to_tree()).ok();
    let mut hits = Vec::new();
    for (order, introduced) in (0..).zip(&read.introduced) {
        let path = read.path(introduced);
        for found in found.get(&introduced.blob).into_iter().flatten() {
            let mut scene = scenes.scene(&path, found, Some(&read.commit(introduced)));
            scene.in_head = Some(head.as_ref().is_some_and(|tree| has_blob(tree, &path, introduced.blob)));
            hits.extend(found.hits.located.iter().map(|located| scene.hit(located, order)));
        }
    }
    for found in read.commits.iter().filter_map(|commit| found.get(commit)).flatten() {
        scenes.message_hits(found, &mut hits);
    }
    Ok(hits)
}

/// What a range needs and the repository lacks makes the scan incomplete.
fn note_gaps(context: Context<'_>, target: &str, range: &str, read: &Range) {
    let missing = (read.gaps.parents + read.gaps.trees) as u64;
    context.tally.skip(Skip::NotInClone, missing, || target.to_owned());
    if missing > 0 {
        let reason = format!(
            "--history {range} needs {missing} commits or trees that are not in this clone; git fetch --unshallow brings them"
        );
        context.tally.problem(Problem::new(target, reason));
    }
    if read.gaps.damaged > 0 {
        let reason = format!("--history {range}: {} commits or trees cannot be read", read.gaps.damaged);
        context.tally.problem(Problem::new(target, reason));
    }
    context.tally.skip(Skip::TooDeep, u64::from(read.cut), || format!("trees of {target}"));
}

/// Scans objects by their ids, on all threads; returns those with something in them.
fn scan_objects(
    context: Context<'_>,
    objects: &Objects,
    target: &str,
    ids: &[ObjectId],
) -> Result<HashMap<ObjectId, Vec<Found>>> {
    let scanned: Vec<Result<Vec<Found>>> = ids
        .par_iter()
        .map_init(
            || context.scanner.worker(),
            |worker, id| match worker {
                Ok(worker) => repository::scan_object(context, worker, objects, target, *id),
                Err(error) => Err(crate::Error::Usage(error.to_string())),
            },
        )
        .collect();
    let mut found: HashMap<ObjectId, Vec<Found>> = HashMap::new();
    for (id, object) in ids.iter().zip(scanned) {
        let object = object?;
        if !object.is_empty() {
            found.insert(*id, object);
        }
    }
    Ok(found)
}

fn has_blob(tree: &git2::Tree<'_>, path: &[u8], blob: ObjectId) -> bool {
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    tree.get_path(path).is_ok_and(|entry| entry.id().as_bytes() == blob.0)
}
