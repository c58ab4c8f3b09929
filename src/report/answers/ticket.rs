//! A runbook as the Markdown of a ticket, plain enough for every tracker: who, what, where, what it reaches, the break-check,
//! steps with boxes, the deadline, the controls and the number of the event that proves it was made.
//!
//! Every text that came from outside stands in a code span or a code block that nothing inside can end.

use std::io::{self, Write};

use super::runbook::exposure_in_words;
use super::state_in_words;
use super::who::place_in_words;
use crate::identity::runbook::Runbook;
use crate::identity::runbook::break_check::KnownBy;
use crate::report::escape::{markdown_code, terminal};
use crate::report::severity_name;

/// How many places are listed.
const MOST_PLACES: usize = 20;

/// What stands in a ticket beside the runbook.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    /// The controls for which the ticket supports evidence: a framework and its ids.
    pub controls: Vec<(String, Vec<String>)>,
    /// The event in which the making of the runbook was recorded: its number and hash.
    pub evidence: Option<(u64, String)>,
}

/// Returns the title of the ticket, in one line without markup.
pub fn title(book: &Runbook) -> String {
    let whose = book.identity.as_ref().map(|card| {
        let name = card.identity.name.as_deref().unwrap_or(&card.identity.id);
        format!(" of {name}")
    });
    let place = book.finding.occurrences.first().map(|place| format!(" exposed in {}", place.target));
    let severity = severity_name(book.severity);
    let text =
        format!("[credtrace][{severity}] {}{}{}", book.what, whose.unwrap_or_default(), place.unwrap_or_default());
    terminal(&text).into_owned()
}

/// Writes the ticket.
///
/// # Errors
/// What the writer says.
pub fn write(book: &Runbook, extra: &Extra, output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "# {}\n", plain(&title(book)))?;
    writeln!(output, "**Deadline:** {} ({})\n", book.deadline, plain(&book.deadline_reason))?;
    who(book, output)?;
    what(book, output)?;
    places(book, output)?;
    reach(book, output)?;
    break_check(book, output)?;
    steps(book, output)?;
    closing(extra, output)
}

/// Text of ours with names from outside in it: what Markdown or HTML would take for markup stands behind a backslash.
fn plain(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for character in terminal(text).chars() {
        if matches!(character, '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '!' | '~' | '&' | '@' | '$')
        {
            written.push('\\');
        }
        written.push(character);
    }
    written
}

fn who(book: &Runbook, output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "## Who\n")?;
    match &book.identity {
        Some(card) => {
            writeln!(output, "- Identity: {}", markdown_code(&card.in_words()))?;
            let people = [("Owner", &card.owner), ("Backup owner", &card.backup), ("Manager", &card.manager)];
            for (role, person) in people {
                let name = person
                    .as_ref()
                    .map_or_else(|| "nobody is named".into(), |person| markdown_code(&person.in_words()));
                writeln!(output, "- {role}: {name}")?;
            }
            for (label, text) in [("Team", &card.team), ("Contact", &card.contact)] {
                if let Some(text) = text {
                    writeln!(output, "- {label}: {}", markdown_code(text))?;
                }
            }
        }
        None => writeln!(output, "- Identity: none is linked")?,
    }
    let link = &book.finding.identity;
    let score = link.score.map(|score| format!(" (score {score:.2})")).unwrap_or_default();
    let why = link.why.as_deref().unwrap_or("no inventory was asked");
    writeln!(output, "- How this is known: {}{score}", markdown_code(why))?;
    let told = book.routing.to.as_deref().map_or_else(|| "nobody".into(), markdown_code);
    writeln!(output, "- Told: {told}; {}\n", plain(&book.routing.why))
}

fn what(book: &Runbook, output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "## What\n")?;
    writeln!(output, "- {}: {}", plain(&book.what), markdown_code(&book.redacted))?;
    writeln!(output, "- Fingerprint: {}", markdown_code(&book.fingerprint))?;
    if let Some(id) = book.record.as_ref().and_then(|record| record.record_id.as_ref()) {
        writeln!(output, "- Provider's record: {}", markdown_code(id))?;
    }
    writeln!(output, "- State: {}", state_in_words(book.state))?;
    writeln!(output, "- Severity: {}\n", severity_name(book.severity))
}

fn places(book: &Runbook, output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "## Where\n")?;
    writeln!(output, "- Readable by: {}", exposure_in_words(book.exposure))?;
    if let Some(first) = &book.finding.first_seen {
        writeln!(output, "- First seen: {}", markdown_code(first))?;
    }
    let places = &book.finding.occurrences;
    for place in places.iter().take(MOST_PLACES) {
        writeln!(output, "- {}", markdown_code(&format!("{}: {}", place.target, place_in_words(place))))?;
    }
    if places.len() > MOST_PLACES {
        writeln!(output, "- and {} more places", places.len() - MOST_PLACES)?;
    }
    writeln!(output)
}

fn reach(book: &Runbook, output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "## What it reaches, as declared\n")?;
    let Some(card) = &book.identity else {
        return writeln!(output, "- Not known: no identity is linked\n");
    };
    let identity = &card.identity;
    let privilege = identity.privilege.as_deref().map_or_else(|| "not declared".into(), markdown_code);
    writeln!(output, "- Privilege: {privilege}")?;
    let lists = [("Scopes", &identity.scopes), ("Reaches", &identity.reaches), ("Data", &identity.data_classes)];
    for (label, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        writeln!(output, "- {label}: {}", markdown_code(&list.join(", ")))?;
    }
    writeln!(output)
}

fn break_check(book: &Runbook, output: &mut dyn Write) -> io::Result<()> {
    let check = &book.break_check;
    writeln!(output, "## Can it be revoked without breaking production?\n\n**{}**\n", check.verdict.in_words())?;
    for reason in &check.reasons {
        writeln!(output, "- {}", plain(reason))?;
    }
    for consumer in &check.consumers {
        let known = match consumer.known_by {
            KnownBy::Declared => "declared",
            KnownBy::Found => "found by a scan",
        };
        writeln!(output, "- {} ({known})", markdown_code(&consumer.name))?;
    }
    writeln!(output)
}

fn steps(book: &Runbook, output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "## Steps\n\n{}\n", plain(&format!("In this order: {}.", book.order_reason)))?;
    for (number, step) in (1..).zip(&book.steps) {
        writeln!(output, "- [ ] **{number}. {}**", plain(&step.title))?;
        for detail in &step.details {
            writeln!(output, "  - {}", plain(detail))?;
        }
        for command in &step.commands {
            writeln!(output, "  - {}", markdown_code(command))?;
        }
    }
    writeln!(output)
}

fn closing(extra: &Extra, output: &mut dyn Write) -> io::Result<()> {
    if !extra.controls.is_empty() {
        writeln!(output, "## Controls\n\nThis ticket supports evidence for:\n")?;
        for (framework, ids) in &extra.controls {
            writeln!(output, "- {}: {}", plain(framework), plain(&ids.join(", ")))?;
        }
        writeln!(output)?;
    }
    if let Some((number, hash)) = &extra.evidence {
        writeln!(output, "Evidence: event {number}, {}", markdown_code(hash))?;
    }
    Ok(())
}
