//! What a scan tells of itself while it runs. The library calls; whoever runs it shows.

/// How much a person wants to hear beside the report, each level with what those before it say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Detail {
    /// The stages, with times and counts.
    Stages,
    /// What was skipped and what failed, one by one.
    Skips,
    /// Why candidates were kept and dropped, and each request.
    Candidates,
}

/// Takes news of a running scan, from any thread.
pub trait Progress: Sync {
    /// A stage begins: what is counted in it and how many there are, where that is known.
    fn begin(&self, stage: &str, total: Option<u64>);
    /// Objects and bytes were scanned.
    fn advance(&self, objects: u64, bytes: u64);
    /// Candidates were found.
    fn found(&self, count: u64);
    /// Whether anybody hears what is said in such detail; what is costly to say is not put into words otherwise.
    fn hears(&self, _detail: Detail) -> bool {
        false
    }
    /// Something is worth saying. It may quote names and paths, but no text that is scanned.
    fn say(&self, _detail: Detail, _text: &str) {}
    /// Whether the person has asked to stop; sources end early where it says so.
    fn interrupted(&self) -> bool {
        false
    }
}

/// Shows nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn begin(&self, _stage: &str, _total: Option<u64>) {}
    fn advance(&self, _objects: u64, _bytes: u64) {}
    fn found(&self, _count: u64) {}
}
