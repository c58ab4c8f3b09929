//! What a scan tells of itself while it runs. The library calls; whoever runs it shows.

/// Takes news of a running scan, from any thread.
pub trait Progress: Sync {
    /// A stage begins: what is counted in it and how many there are, where that is known.
    fn begin(&self, stage: &str, total: Option<u64>);
    /// Objects and bytes were scanned.
    fn advance(&self, objects: u64, bytes: u64);
    /// Candidates were found.
    fn found(&self, count: u64);
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
