//! Takes text from what is new: the index over HEAD, or what a range of commits introduces.

use std::path::Path;

use super::collect::{Hit, Scene};
use super::files::Context;
use super::repository;
use super::text::TextHits;
use crate::error::Result;
use crate::finding::SourceKind;
use crate::source::git::repository::Repository;
use crate::source::git::staged::{self, StagedBlob, StagedRepository};

/// A staged blob with what stands in it.
pub struct StagedHits {
    /// The blob and its path.
    pub blob: StagedBlob,
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
    for StagedHits { blob, hits: found } in staged_hits(context, &repository, target)? {
        let mut scene = Scene::plain(SourceKind::Index, target, &blob.path);
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
                let hits = worker.scan(&data)?;
                context.count(data.len() as u64, &hits);
                context.explain(&String::from_utf8_lossy(&blob.path), &hits);
                answer.push(StagedHits { blob, hits });
            }
            Err(unread) => repository::note_unread(context, target, vec![unread]),
        }
    }
    Ok(answer)
}

/// Scans what a range of commits introduces, and their messages.
///
/// # Errors
/// Where the engine fails or the range names something unknown.
pub fn scan_range(context: Context<'_>, repository: &Repository, target: &str, range: &str) -> Result<Vec<Hit>> {
    let _ = (context, target);
    let reason = "ranges are not read yet".into();
    Err(crate::Error::Range { path: repository.path().to_path_buf(), range: range.to_owned(), reason })
}
