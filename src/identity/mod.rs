//! Whose a credential is: the link from a finding to the inventory, offline, with its tier, score, reason and rivals.
//!
//! [`facts`] reads what a value says of itself, [`digest`] and [`hint`] what it is recognised by, [`score`] what a match is
//! worth and [`veto`] what rules one out; [`link`] joins them. [`context`] suggests owners from where a credential was found,
//! [`decisions`] keeps what people decided and [`remembered`] what scans found. The records come from the store that
//! `inventory` fills; how a report shows a link is not decided here.

pub mod codeowners;
pub mod digest;
pub mod facts;
pub mod hint;
pub mod mailmap;
mod public_key;
pub mod score;
pub mod veto;

#[cfg(test)]
mod testing;
