//! Checks what the next commit adds: the staged blobs, and in them the credentials that their path did not have before.

use std::collections::{BTreeSet, HashSet};

use super::archives;
use super::text::{Located, TextHits, TextScanner, TextWorker};
use crate::detector::registry::Registry;
use crate::error::Result;
use crate::matcher::engine::{EngineChoice, Workload};
use crate::secret::Secret;
use crate::source::git::object::{ObjectId, Unread, UnreadReason};
use crate::source::git::staged::{self, StagedBlob, StagedRepository};

/// The largest staged file that is checked, in bytes.
const LARGEST_BLOB: u64 = 512 << 20;

/// A credential that the next commit would add.
#[derive(Debug, Clone)]
pub struct StagedCredential {
    /// The path from the root of the work tree, in bytes.
    pub path: Vec<u8>,
    /// What was found and where.
    pub located: Located,
}

/// What a check found.
#[derive(Debug, Default)]
pub struct HookOutcome {
    /// The new credentials, in the order of their paths.
    pub found: Vec<StagedCredential>,
    /// How many staged blobs were checked.
    pub blobs: usize,
    /// What could not be checked.
    pub problems: BTreeSet<String>,
}

/// Checks the index of a repository.
///
/// # Errors
/// Where the index cannot be read or the engine fails.
pub fn check(repository: &StagedRepository, registry: &Registry) -> Result<HookOutcome> {
    let blobs = staged::staged(repository)?;
    let mut outcome = HookOutcome::default();
    if blobs.is_empty() {
        return Ok(outcome);
    }
    let scanner = TextScanner::new(registry, EngineChoice::Fastest, Workload::Small, false)?;
    let mut worker = scanner.worker()?;
    for blob in blobs {
        if let Err(unread) = check_blob(repository, &mut worker, &blob, &mut outcome)? {
            let path = String::from_utf8_lossy(&blob.path);
            outcome.problems.insert(format!("{path}: {}", reason(&unread)));
        }
    }
    Ok(outcome)
}

fn check_blob(
    repository: &StagedRepository,
    worker: &mut TextWorker<'_>,
    blob: &StagedBlob,
    outcome: &mut HookOutcome,
) -> Result<Result<(), Unread>> {
    let data = match repository.read_blob(blob.id, LARGEST_BLOB) {
        Ok(data) => data,
        Err(unread) => return Ok(Err(unread)),
    };
    let Everything { mut located, overspent } = all_in(worker, &data)?;
    outcome.blobs += 1;
    if overspent > 0 {
        let path = String::from_utf8_lossy(&blob.path);
        let reason = "so full of beginnings of credentials that not all of them were looked at";
        outcome.problems.insert(format!("{path}: {reason}"));
    }
    let publishable = |located: &Located| worker.registry().detector(located.candidate.detector).publishable;
    located.retain(|(_, located)| !publishable(located));
    if located.is_empty() {
        return Ok(Ok(()));
    }
    let known = match secrets_before(repository, worker, &blob.before)? {
        Ok(known) => known,
        Err(unread) => return Ok(Err(unread)),
    };
    let new = located.into_iter().filter(|(_, located)| !known.contains(&located.candidate.secret));
    outcome
        .found
        .extend(new.map(|(member, located)| StagedCredential { path: [&blob.path[..], &member].concat(), located }));
    Ok(Ok(()))
}

/// What a blob holds, and its members where it is an archive.
#[derive(Default)]
struct Everything {
    /// Each credential with the path of its member.
    located: Vec<(Vec<u8>, Located)>,
    /// How many stretches of text were not looked at to their end.
    overspent: u64,
}

impl Everything {
    fn add(&mut self, member: &[u8], hits: TextHits) {
        self.overspent += hits.spending.overspent;
        self.located.extend(hits.located.into_iter().map(|located| (member.to_vec(), located)));
    }
}

fn all_in(worker: &mut TextWorker<'_>, data: &[u8]) -> Result<Everything> {
    let mut all = Everything::default();
    if let Some(unpacked) = archives::scan_staged(worker, data)? {
        let is_text_as_well = unpacked.is_text_as_well();
        for member in unpacked.members {
            all.add(&member.path, member.hits);
        }
        if !is_text_as_well {
            return Ok(all);
        }
    }
    all.add(b"", worker.scan(data)?);
    Ok(all)
}

/// The secrets that the path had in HEAD and in the parents of a merge.
fn secrets_before(
    repository: &StagedRepository,
    worker: &mut TextWorker<'_>,
    before: &[ObjectId],
) -> Result<Result<HashSet<Secret>, Unread>> {
    let mut known = HashSet::new();
    for id in before {
        let data = match repository.read_blob(*id, LARGEST_BLOB) {
            Ok(data) => data,
            Err(unread) => return Ok(Err(unread)),
        };
        known.extend(all_in(worker, &data)?.located.into_iter().map(|(_, located)| located.candidate.secret));
    }
    Ok(Ok(known))
}

fn reason(unread: &Unread) -> String {
    match &unread.reason {
        UnreadReason::TooLarge { size } => format!("is too large to check ({size} bytes)"),
        UnreadReason::Damaged(reason) => reason.clone(),
    }
}
