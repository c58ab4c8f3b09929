//! The identity inventory: who and what the organisation's credentials belong to, as its owners and its providers' lists say.
//!
//! Importers and hand-kept files make [`batch::Batch`]es of claims; the store joins the claims of all sources into effective
//! records. This module knows nothing of findings: what links the two is `identity`, to its right.

pub mod batch;
mod claims;
pub mod columns;
mod effective;
pub mod enrol;
mod fields;
mod guard;
pub mod hand_kept;
pub mod import;
pub mod ingest;
#[cfg(test)]
mod ingest_tests;
pub mod keys;
pub mod model;
mod prepare;
pub mod records;
pub mod template;
pub mod times;
pub mod types;
