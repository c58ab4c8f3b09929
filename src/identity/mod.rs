//! Whose a credential is, what it reaches, and what to do about it: findings and the inventory, joined offline.
//!
//! [`facts`] reads what a value says of itself, [`digest`] and [`hint`] what it is recognised by, [`score`] what a match is
//! worth and [`veto`] what rules one out; [`link`] joins them. [`context`] suggests owners from where a credential was found,
//! [`decisions`] keeps what people decided and [`remembered`] what scans found; [`check`] says what is wrong. The records come
//! from the store that `inventory` fills; how an answer is laid out in a report, `report` knows.

pub mod blast;
pub mod card;
pub mod check;
pub mod codeowners;
pub mod context;
pub mod controls;
mod coverage;
pub mod decisions;
pub mod digest;
mod directory;
pub mod evidence;
pub mod facts;
pub mod hint;
pub mod link;
pub mod mailmap;
pub mod map;
mod matches;
pub mod offboard;
pub mod policy;
mod public_key;
pub mod reader;
pub mod remembered;
pub mod review;
pub mod runbook;
pub mod score;
pub mod standing;
pub mod veto;
pub mod who;

pub use link::Linker;

#[cfg(test)]
mod testing;
