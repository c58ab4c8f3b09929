//! What happens where the program itself is at fault: it says where, and ends as not having done what was asked.
//!
//! What a panic carries is not shown, for it may quote the text that was being read, and that text may hold a secret.

use std::panic::{self, AssertUnwindSafe, Location};

use super::exit::Status;
use super::talk;

/// Runs the program; a panic anywhere in it, on any thread that it waits for, is said without its text and ends it as
/// [`Status::Failed`].
pub fn guarded(program: impl FnOnce() -> Status) -> Status {
    panic::set_hook(Box::new(|fault| talk(&message(fault.location()))));
    // Nothing of what the program held is used after this.
    panic::catch_unwind(AssertUnwindSafe(program)).unwrap_or(Status::Failed)
}

fn message(location: Option<&Location<'_>>) -> String {
    let place = location.map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    format!(
        "credtrace: a fault of the program itself at {place}: not everything that was asked was done, and this run proves \
         nothing. Please report this line; it holds nothing of what was scanned."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_the_place() {
        let here = Location::caller();
        assert!(message(Some(here)).contains("panics.rs"));
        assert!(message(None).contains("unknown place"));
    }
}
