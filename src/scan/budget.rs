//! How much work a stretch of text may cost. Text that is made to be slow, nothing but beginnings of keys in every
//! encoding, is read at a stated speed all the same: what is beyond the budget is not evaluated, and is counted.
//!
//! Stretches lie side by side from the start of a text, so that neither the number of threads nor the way in which a text
//! is cut into chunks tells where a budget ends; the work is what [`Ledger`](crate::matcher::Ledger) counts, so that a
//! clock tells nothing either. An anchor is evaluated wholly or not at all.

use std::ops::Range;

use super::delta::Evaluated;

/// How much of a text shares a budget. Chunks and what they see on each side are multiples of it.
pub const STRETCH: usize = 64 << 10;
/// How much work a stretch may cost: 256 units a byte, more than twice what any text of thirty real histories took.
pub const WORK: u64 = 256 * STRETCH as u64;

/// How large stretches are and what they may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// How many bytes share a budget.
    pub(super) stretch: usize,
    /// How much work they may cost.
    pub(super) work: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { stretch: STRETCH, work: WORK }
    }
}

/// The work that the stretches of one text cost; anchors come in their order.
#[derive(Debug)]
pub(super) struct Meter {
    budget: Budget,
    /// What is counted; the rest is another chunk's.
    owned: Range<usize>,
    stretch: usize,
    spent: u64,
    spending: Spending,
}

/// What a text cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Spending {
    /// How many stretches cost more than they may, so that anchors in them were not evaluated.
    pub overspent: u64,
    /// The most that a stretch cost, in hundredths of what it may.
    pub highest: u64,
}

impl Spending {
    /// Joins what two texts cost.
    pub fn join(&mut self, other: Self) {
        self.overspent += other.overspent;
        self.highest = self.highest.max(other.highest);
    }
}

impl Meter {
    pub(super) fn new(budget: Budget, owned: Range<usize>) -> Self {
        Self { budget, owned, stretch: 0, spent: 0, spending: Spending::default() }
    }

    /// Returns whether an anchor that begins here is to be evaluated.
    pub(super) fn admits(&mut self, start: usize) -> bool {
        let stretch = start / self.budget.stretch;
        if stretch != self.stretch {
            (self.stretch, self.spent) = (stretch, 0);
        }
        self.spent < self.budget.work
    }

    /// Counts the work on an anchor that was admitted.
    pub(super) fn spend(&mut self, work: u64) {
        let before = self.spent;
        self.spent += work;
        if !self.owned.contains(&(self.stretch * self.budget.stretch)) {
            return;
        }
        self.spending.highest = self.spending.highest.max(self.spent * 100 / self.budget.work);
        if before < self.budget.work && self.spent >= self.budget.work {
            self.spending.overspent += 1;
        }
    }

    /// Returns what the text cost.
    pub(super) fn spending(&self) -> Spending {
        self.spending
    }
}

/// Returns what a text costs of which all anchors are known, in their order.
pub(super) fn spending_of(budget: Budget, evaluated: &[Evaluated]) -> Spending {
    let mut meter = Meter::new(budget, 0..usize::MAX);
    for known in evaluated {
        if meter.admits(known.hit.start) {
            meter.spend(known.work);
        }
    }
    meter.spending()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::chunks::{CHUNK, CONTEXT};

    #[test]
    fn chunks_are_cut_where_stretches_end() {
        assert!(CHUNK.is_multiple_of(STRETCH) && (CONTEXT / 2).is_multiple_of(STRETCH));
    }

    #[test]
    fn a_stretch_is_looked_at_until_its_budget_is_spent_and_the_next_one_has_its_own() {
        let mut meter = Meter::new(Budget { stretch: 100, work: 10 }, 100..300);
        let mut admitted = Vec::new();
        for start in [10, 20, 30, 110, 120, 130, 140, 210, 220, 310] {
            if meter.admits(start) {
                admitted.push(start);
                meter.spend(6);
            }
        }
        assert_eq!(admitted, [10, 20, 110, 120, 210, 220, 310]);
        assert_eq!(meter.spending(), Spending { overspent: 2, highest: 120 }, "what others own is theirs to count");
    }
}
