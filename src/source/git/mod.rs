//! Git repositories, read by objects and never by diffs.

pub mod index;
pub mod object;
pub mod staged;
