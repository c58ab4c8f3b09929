//! Git repositories, read by objects and never by diffs.

pub mod object;
pub mod provenance;
pub mod refs;
