//! What an evaluation gives: verdicts, and how much work they took.
//!
//! Work is counted in units of about a nanosecond of a processor of today, from what is read and written and never from
//! a clock: the same bytes always cost the same. What is done with the count is for [`crate::scan::budget`] to say.

use super::candidate::Verdict;

/// What an anchor costs that passes a gate.
const ANCHOR: u64 = 100;
/// What a rule costs that looks at one place.
const LOOK: u64 = 400;
/// What a byte costs that the inner engine searches.
const SEARCHED: u64 = 8;
/// What a byte costs that a view is made from.
const READ: u64 = 2;

/// The most that one anchor may cost. Encodings in encodings stop being undone there; plain text is far from it.
pub const MOST: u64 = 2 << 20;

/// Verdicts, and the work that they took.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The verdicts, in the order in which they were reached.
    pub verdicts: Vec<Verdict>,
    work: u64,
}

impl Ledger {
    /// Makes room for the next anchor.
    pub fn clear(&mut self) {
        self.verdicts.clear();
        self.work = 0;
    }

    /// Returns how much work was done since the last [`Ledger::clear`].
    pub fn work(&self) -> u64 {
        self.work
    }

    /// Whether an anchor has cost as much as one may.
    pub(super) fn is_spent(&self) -> bool {
        self.work >= MOST
    }

    /// Counts an anchor that passed a gate.
    pub(super) fn passed(&mut self) {
        self.work += ANCHOR;
    }

    /// Counts a rule that looks at one place.
    pub(super) fn looked(&mut self) {
        self.work += LOOK;
    }

    /// Counts bytes that are searched for anchors.
    pub(super) fn searched(&mut self, bytes: usize) {
        self.work += SEARCHED * bytes as u64;
    }

    /// Counts bytes that a view is made from, or a regex runs over.
    pub(super) fn read(&mut self, bytes: usize) {
        self.work += READ * bytes as u64;
    }
}
