//! What the inventory adds to a scan: whose each finding is, and that later commands can be asked about it. Without an
//! inventory nothing is opened and nothing is made.

use std::path::{Path, PathBuf};

use anyhow::Result;
use jiff::Timestamp;
use serde_json::json;

use super::actor::actor;
use super::{home, words};
use crate::detector::Registry;
use crate::error::Problem;
use crate::finding::Summary;
use crate::identity::Linker;
use crate::identity::check::{self, IdentityFinding};
use crate::identity::codeowners;
use crate::identity::context::{Neighbourhood, TargetFiles};
use crate::identity::evidence::{self, action};
use crate::identity::policy::Policy;
use crate::identity::{mailmap, remembered};
use crate::scan::ScanOptions;
use crate::scan::run::Outcome;
use crate::secret::FingerprintKey;
use crate::source::file::{Opened, read_small};
use crate::store::Store;

/// The inventory of a scan, open before the scan begins so that a wrong name is told at once.
#[derive(Debug)]
pub struct Inventory {
    store: Option<Store>,
}

impl Inventory {
    /// Opens the file that was named, else the one in the home where there is one.
    ///
    /// # Errors
    /// A named file that is not there, or one that cannot be opened.
    pub fn open(named: Option<&Path>) -> Result<Self> {
        Ok(Self { store: home::store_for_questions(named)? })
    }

    /// Whether there is one, so that a scan gathers what stands near credentials.
    pub fn is_open(&self) -> bool {
        self.store.is_some()
    }

    /// Links the findings of a scan, says what is wrong with them, and remembers them. What cannot be done stands in the report's errors.
    pub fn enrich(
        &mut self,
        outcome: &mut Outcome,
        options: &ScanOptions,
        registry: &Registry,
        policy: &Policy,
    ) -> Vec<IdentityFinding> {
        let Some(store) = &mut self.store else { return Vec::new() };
        let told = link(store, outcome, &options.targets, registry, &options.key)
            .and_then(|()| check(store, outcome, policy))
            .and_then(|found| keep(store, outcome, &options.targets).map(|()| found));
        told.unwrap_or_else(|error| {
            let summary = &mut outcome.report.summary;
            summary.errors.push(Problem::new("inventory", error.to_string()).to_string());
            summary.complete = false;
            Vec::new()
        })
    }
}

fn link(
    store: &Store,
    outcome: &mut Outcome,
    targets: &[PathBuf],
    registry: &Registry,
    key: &FingerprintKey,
) -> crate::Result<()> {
    let findings = &mut outcome.report.findings;
    if findings.is_empty() {
        return Ok(());
    }
    // A key of this run alone has made none of the inventory's fingerprints.
    let key = Some(key).filter(|key| key.id() != "ephemeral");
    let linker = Linker::new(store, registry, key)?.with_files(files_of(targets));
    for (place, finding) in findings.iter_mut().enumerate() {
        finding.identity = linker.link(finding, outcome.credentials.get(place))?;
    }
    outcome.report.summary.warnings.extend(linker.notes().iter().map(|note| format!("inventory: {note}")));
    Ok(())
}

/// Says what is wrong with the findings and the records that they are linked to.
fn check(store: &Store, outcome: &mut Outcome, policy: &Policy) -> crate::Result<Vec<IdentityFinding>> {
    let findings = &mut outcome.report.findings;
    let found = check::check_findings(store, findings, policy, jiff::Zoned::now().date())?;
    check::tag(findings, &found);
    Ok(found)
}

/// Keeps the findings, and that there was a scan with what it read and what it skipped.
fn keep(store: &mut Store, outcome: &Outcome, targets: &[PathBuf]) -> crate::Result<()> {
    let now = Timestamp::now();
    remembered::keep(store, &outcome.report.findings, now)?;
    let Summary { complete, findings, blobs_scanned, bytes_scanned, skipped, suppressed, errors, .. } =
        &outcome.report.summary;
    let data = json!({
        "complete": complete, "findings": findings, "blobs_scanned": blobs_scanned, "bytes_scanned": bytes_scanned,
        "skipped": skipped, "suppressed": suppressed, "errors": errors.len(),
        "detectors": outcome.report.summary.detectors, "targets": targets.len(),
    });
    let subject = targets.first().map(|target| target.display().to_string()).unwrap_or_default();
    // Its name may hold a credential or an address with a password, and the record stays for good.
    let subject = words::without_credentials(&subject);
    evidence::append(store, &actor(), action::SCANNED, &subject, &data, now).map(|_| ())
}

/// Reads CODEOWNERS and `.mailmap` of every target that is a folder. They belong to what is scanned, so they are opened as
/// scanned files are: no link is followed, no pipe waited for, nothing huge is read.
fn files_of(targets: &[PathBuf]) -> Neighbourhood {
    let folders = targets.iter().filter(|target| target.is_dir());
    let read = |path: PathBuf, limit: u64| {
        let mut buffer = Vec::new();
        matches!(read_small(&path, limit, &mut buffer), Ok(Opened::Whole)).then_some(buffer)
    };
    let files = |folder: &PathBuf| {
        let owners = codeowners::PLACES.iter().find_map(|place| read(folder.join(place), codeowners::LARGEST));
        let mailmap = read(folder.join(".mailmap"), mailmap::LARGEST);
        let found = owners.is_some() || mailmap.is_some();
        found.then(|| (folder.display().to_string(), TargetFiles::parse(owners.as_deref(), mailmap.as_deref())))
    };
    folders.filter_map(files).collect()
}
