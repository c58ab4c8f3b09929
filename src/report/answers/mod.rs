//! How the answers of `identity` are written: for people on a terminal, as Markdown for a ticket, and as a drawn page.
//!
//! As everywhere in reports, every text that came from an inventory, a log or what was scanned goes through
//! [`super::escape`] at the moment it is written. JSON is written by the caller, from the answer itself.

mod blast;
mod check;
mod map_dot;
mod map_drawing;
mod map_page;
mod map_text;
mod paper;
mod runbook;
mod ticket;
mod who;

pub use self::blast::write as blast;
pub use self::check::{check, offboard, review};
pub use self::map_dot::write as map_dot;
pub use self::map_page::write as map_page;
pub use self::map_text::write as map_text;
pub use self::runbook::write as runbook;
pub use self::ticket::{Extra as TicketExtra, title as ticket_title, write as ticket};
pub use self::who::write as who;

use crate::finding::Liveness;

/// Returns whether a credential works, in words.
fn state_in_words(state: Liveness) -> &'static str {
    match state {
        Liveness::Live => "works",
        Liveness::Limited => "works within limits",
        Liveness::Dead => "does not work",
        Liveness::Unknown => "the provider's answer decides nothing",
        Liveness::Canary => "a trap that alarms its owner",
        Liveness::Refused => "not asked: it may belong to several providers",
        Liveness::NotChecked => "not asked whether it works",
    }
}
