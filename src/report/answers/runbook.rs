//! A runbook for the person at the terminal.

use std::io::{self, Write};

use super::paper::Paper;
use super::state_in_words;
use crate::identity::runbook::break_check::BreakCheck;
use crate::identity::runbook::{Exposure, Runbook};

/// Writes a runbook in lines of `width` columns; commands are never wrapped.
///
/// # Errors
/// What the writer says.
pub fn write(book: &Runbook, width: usize, output: &mut dyn Write) -> io::Result<()> {
    let mut paper = Paper::new(output, width);
    let whose = book.identity.as_ref().map(|card| format!(" of {}", card.in_words())).unwrap_or_default();
    paper.text(0, &format!("{}{whose}", book.what))?;
    paper.field("redacted", &book.redacted)?;
    paper.field("fingerprint", &book.fingerprint)?;
    paper.field("works", state_in_words(book.state))?;
    paper.field("readable by", exposure_in_words(book.exposure))?;
    paper.field("order", &book.order_reason)?;
    paper.field("deadline", &format!("{} ({})", book.deadline, book.deadline_reason))?;
    break_check(&book.break_check, &mut paper)?;
    paper.heading("Whom to tell")?;
    for hop in &book.routing.chain {
        let who = hop.who.as_deref().map(|who| format!("{who}: ")).unwrap_or_default();
        paper.field(&hop.role, &format!("{who}{}", hop.outcome))?;
    }
    paper.field("so", &book.routing.why)?;
    for (number, step) in (1..).zip(&book.steps) {
        paper.heading(&format!("{number}. {}", step.title))?;
        for detail in &step.details {
            paper.text(3, detail)?;
        }
        for command in &step.commands {
            paper.line(3, &format!("$ {command}"))?;
        }
    }
    Ok(())
}

/// Who can read the places, in words.
pub(super) fn exposure_in_words(exposure: Exposure) -> &'static str {
    match exposure {
        Exposure::Public => "everyone",
        Exposure::Private => "people of the organisation",
        Exposure::Unknown => "not said (--public or --private)",
    }
}

fn break_check(check: &BreakCheck, paper: &mut Paper<'_>) -> io::Result<()> {
    paper.heading(&format!("Can it be revoked without breaking production? {}", check.verdict.in_words()))?;
    for reason in &check.reasons {
        paper.item(2, reason)?;
    }
    if check.more_found > 0 {
        paper.text(2, &format!("and {} more places where it stands", check.more_found))?;
    }
    Ok(())
}
