//! What an identity reaches, for people: declared and observed under headings of their own.

use std::io::{self, Write};

use super::paper::Paper;
use super::state_in_words;
use super::who::{credential_in_words, place_in_words};
use crate::identity::blast::{Blast, Declared, Observed};
use crate::report::text::counted;

/// How many sorts of use, places and neighbours are listed.
const MOST: usize = 20;

/// Writes the answer in lines of `width` columns.
///
/// # Errors
/// What the writer says.
pub fn write(blast: &Blast, width: usize, output: &mut dyn Write) -> io::Result<()> {
    let mut paper = Paper::new(output, width);
    let card = &blast.identity;
    paper.text(0, &card.in_words())?;
    let owner = card.owner.as_ref().map_or_else(|| "nobody is named".into(), |owner| owner.in_words());
    paper.field("owner", &owner)?;
    paper.field_of("environment", card.identity.environment.as_deref())?;
    paper.field_of("AI system", card.identity.ai_system.as_deref())?;
    declared(&blast.declared, &mut paper)?;
    observed(&blast.observed, blast.exposed_since.as_deref(), &mut paper)?;
    paper.heading(&format!("Its credentials: {}", card.credentials.len()))?;
    for record in &card.credentials {
        paper.item(2, &credential_in_words(record))?;
    }
    found(blast, &mut paper)?;
    if !blast.neighbours.is_empty() {
        paper.heading("Identities beside it")?;
        for other in blast.neighbours.iter().take(MOST) {
            let name = other.name.as_deref().map(|name| format!("{name} ")).unwrap_or_default();
            paper.item(2, &format!("{name}({}) shares {}", other.id, other.shares.join(", ")))?;
        }
        more(blast.neighbours.len(), &mut paper)?;
    }
    Ok(())
}

fn more(length: usize, paper: &mut Paper<'_>) -> io::Result<()> {
    match length.saturating_sub(MOST) {
        0 => Ok(()),
        more => paper.text(2, &format!("and {more} more")),
    }
}

fn declared(declared: &Declared, paper: &mut Paper<'_>) -> io::Result<()> {
    paper.heading("Declared: what the inventory says that it may do")?;
    if declared.is_silent() {
        return paper.text(2, "nothing: the inventory says neither privilege nor scopes nor reach");
    }
    let privilege = declared.privilege.as_deref().unwrap_or("not said");
    let needs = declared.needs.as_deref().map(|needs| format!(", its task needs {needs}")).unwrap_or_default();
    paper.field("privilege", &format!("{privilege}{needs}"))?;
    for (label, list) in [
        ("scopes", &declared.scopes),
        ("reaches", &declared.reaches),
        ("data", &declared.data_classes),
        ("used by", &declared.consumers),
    ] {
        if !list.is_empty() {
            paper.field(label, &list.join(", "))?;
        }
    }
    Ok(())
}

fn observed(observed: &Observed, exposed: Option<&str>, paper: &mut Paper<'_>) -> io::Result<()> {
    paper.heading("Observed: what logs show that it did")?;
    if observed.logs.is_empty() {
        return paper.text(
            2,
            "no log imported: this says nothing of what it did. Import one (credtrace inventory import --from \
             github-audit-log FILE) or name one (--observed FILE --from KIND)",
        );
    }
    for log in &observed.logs {
        let events = counted(log.events, "event", "events");
        paper.field("log", &format!("{}, {events} from {} to {}", log.source, log.from, log.to))?;
    }
    if observed.events == 0 {
        return paper.text(2, "none of these logs names a credential of it; that is no proof that none was used");
    }
    paper.field("events", &counted(observed.events, "names it", "name it"))?;
    if let Some(exposed) = exposed {
        paper.field(
            "since exposed",
            &format!("{} at or after {exposed}", counted(observed.since_exposure, "event", "events")),
        )?;
    }
    for one in observed.uses.iter().take(MOST) {
        let target = one.target.as_deref().map(|target| format!(" {target}")).unwrap_or_default();
        let mut text =
            format!("{}{target}: {}, {} to {}", one.action, counted(one.count, "time", "times"), one.first, one.last);
        if !one.addresses.is_empty() {
            text += &format!(", from {}", one.addresses.join(", "));
        }
        if !one.actors.is_empty() {
            text += &format!(", by {}", one.actors.join(", "));
        }
        if one.undeclared {
            text += " (NOT DECLARED)";
        }
        paper.item(2, &text)?;
    }
    more(observed.uses.len() + observed.more_uses as usize, paper)
}

fn found(blast: &Blast, paper: &mut Paper<'_>) -> io::Result<()> {
    if blast.found.is_empty() {
        paper.heading("Found by scans: nowhere")?;
        return paper.text(2, "no scan that this store remembers found a credential of it");
    }
    for finding in &blast.found {
        let places = counted(finding.occurrences.len() as u64, "place", "places");
        paper.heading(&format!("Found by scans in {places}: {}", finding.redacted))?;
        paper.field("fingerprint", &finding.fingerprint)?;
        paper.field("works", state_in_words(finding.state))?;
        for place in finding.occurrences.iter().take(MOST) {
            paper.item(2, &place_in_words(place))?;
        }
        more(finding.occurrences.len(), paper)?;
    }
    Ok(())
}
