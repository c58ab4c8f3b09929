//! One command a file.

pub mod answers;
pub mod baseline;
pub mod blast;
pub mod check;
pub mod detectors;
pub mod diff;
pub mod enroll;
pub mod evidence;
pub mod generate;
pub mod hook;
pub mod inventory;
pub mod link;
pub mod map;
pub mod merge;
pub mod offboard;
pub mod review;
pub mod revoke;
pub mod runbook;
pub mod scan;
pub mod scrub;
pub mod verify;
pub mod who;
