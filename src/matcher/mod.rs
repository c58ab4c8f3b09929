//! From bytes to candidates: anchors, gates, regexes over bounded windows, and which of overlapping candidates stands.
//!
//! A verdict on an anchor reads a slice that its rule bounds and nothing else, so that it depends on those bytes alone:
//! what holds in one version of a file holds in the next where they are the same. Whatever depends on a whole text (its
//! lines, its overlaps) comes after, in [`crate::scan`].

pub mod boundary;
pub mod candidate;
mod decoded;
pub mod engine;
pub mod evaluate;
#[cfg(feature = "hyperscan")]
pub mod hyperscan;
pub mod ledger;
pub(crate) mod look;
#[cfg(feature = "hyperscan")]
mod patterns;
pub mod pure;
mod repetition;
pub mod resolve;
pub mod views;

#[cfg(test)]
mod contexts_tests;

#[cfg(test)]
mod properties_tests;
#[cfg(test)]
pub(crate) mod testing;

pub use engine::{AnchorHit, Engine, EngineWorker};
pub use evaluate::{Candidate, Dropped, Evaluator, Verdict};
pub use ledger::Ledger;
