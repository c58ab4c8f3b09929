//! A scan: takes text from sources, finds credentials in it and makes one report of them all.
//!
//! The flow is one way: [`text`] finds what stands in one text, [`chunks`] does the same for text of any length,
//! [`files`] and [`repository`] take text from their sources and say where each hit occurs, [`collect`] makes findings
//! of the hits, and [`run()`] does it for all targets.

mod archives;
pub mod budget;
pub mod check;
pub mod chunks;
pub mod collect;
pub mod delta;
pub mod excerpt;
pub mod files;
pub mod hook;
mod mask;
mod near;
pub mod options;
pub mod progress;
pub mod records;
mod redact;
pub mod repository;
pub mod revisions;
pub mod run;
mod scenes;
pub mod scrub;
pub mod tally;
pub mod text;

#[cfg(test)]
mod budget_tests;
#[cfg(test)]
mod properties_tests;

pub use options::{History, ScanOptions};
pub use progress::{Detail, NoProgress, Progress};
pub use run::run;

#[cfg(test)]
mod delta_tests;
