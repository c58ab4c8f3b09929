//! One command a file.

pub mod detectors;
pub mod enroll;
pub mod generate;
pub mod hook;
pub mod inventory;
pub mod scan;
