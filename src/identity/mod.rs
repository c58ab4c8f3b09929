//! Whose a credential is, what it reaches, and what to do about it: the answers that findings and the inventory give together.
//!
//! This module knows findings and the inventory; how an answer is laid out for people, `report` knows.

pub mod blast;
pub mod card;
pub mod evidence;
pub mod map;
pub mod reader;
pub mod runbook;
pub mod standing;
pub mod who;
