//! One command a file.

pub mod detectors;
pub mod generate;
pub mod hook;
pub mod link;
pub mod scan;
