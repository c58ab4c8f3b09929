//! One command a file.

pub mod answers;
pub mod blast;
pub mod detectors;
pub mod evidence;
pub mod generate;
pub mod hook;
pub mod map;
pub mod revoke;
pub mod runbook;
pub mod scan;
pub mod verify;
pub mod who;
