//! What a scan counts on its way, from all threads: texts, bytes, skips, faults.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Problem;
use crate::source::Skip;
use crate::sync::lock;

/// Counts of a running scan.
#[derive(Debug, Default)]
pub struct Tally {
    texts: AtomicU64,
    bytes: AtomicU64,
    rest: Mutex<Rest>,
}

/// What is counted rarely.
#[derive(Debug, Clone, Default)]
pub struct Rest {
    /// Skips by reason.
    pub skipped: BTreeMap<Skip, u64>,
    /// Faults; a set, so that their order does not depend on threads.
    pub problems: BTreeSet<Problem>,
    /// What the reader should know although nothing failed.
    pub warnings: BTreeSet<String>,
    /// Why candidates were kept and dropped, where that was asked.
    pub explanations: BTreeSet<String>,
}

impl Tally {
    /// Counts scanned texts and their bytes.
    pub fn scanned(&self, texts: u64, bytes: u64) {
        self.texts.fetch_add(texts, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts skips.
    pub fn skip(&self, reason: Skip, count: u64) {
        if count > 0 {
            *self.rest().skipped.entry(reason).or_default() += count;
        }
    }

    /// Notes a fault.
    pub fn problem(&self, problem: Problem) {
        self.rest().problems.insert(problem);
    }

    /// Notes what the reader should know.
    pub fn warn(&self, warning: impl Into<String>) {
        self.rest().warnings.insert(warning.into());
    }

    /// Notes why a candidate was kept or dropped.
    pub fn explain(&self, explanation: String) {
        self.rest().explanations.insert(explanation);
    }

    /// Returns how many texts and bytes were scanned.
    pub fn totals(&self) -> (u64, u64) {
        (self.texts.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed))
    }

    /// Returns what was counted rarely.
    pub fn finish(&self) -> Rest {
        self.rest().clone()
    }

    fn rest(&self) -> std::sync::MutexGuard<'_, Rest> {
        // A thread that panicked while counting leaves counts that are still worth telling.
        lock(&self.rest)
    }
}
