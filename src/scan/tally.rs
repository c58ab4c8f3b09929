//! What a scan counts on its way, from all threads: texts, bytes, skips, faults.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use super::budget::Spending;
use super::progress::{Detail, Progress};
use crate::error::Problem;
use crate::source::Skip;
use crate::sync::lock;

/// Counts of a running scan.
pub struct Tally<'scan> {
    /// Who hears of single skips and faults.
    progress: &'scan dyn Progress,
    texts: AtomicU64,
    bytes: AtomicU64,
    /// The highest share of the budget of a stretch of text, in hundredths.
    highest: AtomicU64,
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

impl<'scan> Tally<'scan> {
    /// Nothing counted yet.
    pub fn new(progress: &'scan dyn Progress) -> Self {
        let (texts, bytes, highest) = Default::default();
        Self { progress, texts, bytes, highest, rest: Mutex::default() }
    }

    /// Counts scanned texts and their bytes.
    pub fn scanned(&self, texts: u64, bytes: u64) {
        self.texts.fetch_add(texts, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts skips; `place` says where they are, for those who want to hear of each.
    pub fn skip(&self, reason: Skip, count: u64, place: impl FnOnce() -> String) {
        if count == 0 {
            return;
        }
        *self.rest().skipped.entry(reason).or_default() += count;
        if self.progress.hears(Detail::Skips) {
            let times = if count == 1 { String::new() } else { format!(" ({count} times)") };
            self.progress.say(Detail::Skips, &format!("skipped {}: {}{times}", place(), reason.name()));
        }
    }

    /// Notes what looking at a text cost.
    pub fn spent(&self, spending: Spending, place: impl FnOnce() -> String) {
        self.highest.fetch_max(spending.highest, Ordering::Relaxed);
        self.skip(Skip::WorkCap, spending.overspent, place);
    }

    /// Returns the highest share of its budget that a stretch of text cost, in hundredths.
    pub fn highest_spending(&self) -> u64 {
        self.highest.load(Ordering::Relaxed)
    }

    /// Notes a fault.
    pub fn problem(&self, problem: Problem) {
        if self.progress.hears(Detail::Skips) {
            self.progress.say(Detail::Skips, &format!("failed {problem}"));
        }
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
