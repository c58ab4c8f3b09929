//! Whose it is, for people: the answer first, then who to call, what it rests on and what else fits.

use std::io::{self, Write};

use super::paper::Paper;
use super::state_in_words;
use crate::finding::{Identity, LinkTier, Occurrence};
use crate::identity::card::{IdentityCard, PersonCard};
use crate::identity::who::{Answer, Found, PersonAnswer, Standing};
use crate::inventory::model::CredentialRecord;
use crate::report::text::counted;

/// How many places of a finding are listed.
const MOST_PLACES: usize = 5;

/// Writes an answer in lines of `width` columns.
///
/// # Errors
/// What the writer says.
pub fn write(answer: &Answer, width: usize, output: &mut dyn Write) -> io::Result<()> {
    let mut paper = Paper::new(output, width);
    paper.text(0, &headline(answer))?;
    paper.field("asked", &answer.asked)?;
    if let Some(person) = &answer.person {
        self::person(person, &mut paper)?;
    }
    if answer.standing == Standing::Tie {
        for card in &answer.identities {
            paper.heading(&card.in_words())?;
            people(card, &mut paper)?;
        }
    } else {
        for card in &answer.identities {
            identity(card, &mut paper)?;
        }
    }
    if let Some(link) = &answer.link {
        self::link(link, &mut paper)?;
    }
    credentials(answer, &mut paper)?;
    found(&answer.found, &mut paper)?;
    for note in &answer.notes {
        paper.heading("Note")?;
        paper.text(2, note)?;
    }
    Ok(())
}

fn headline(answer: &Answer) -> String {
    match (answer.standing, &answer.identities[..], &answer.person) {
        (Standing::Answered, _, Some(person)) => person.person.in_words(),
        (Standing::Answered, [card], None) => match &card.owner {
            Some(owner) => format!("{} belongs to {}", card.in_words(), owner.in_words()),
            None => format!("{} has no owner", card.in_words()),
        },
        (Standing::Tie, cards, _) => {
            format!("Nobody is named: {} fit equally well", counted(cards.len() as u64, "identity", "identities"))
        }
        (Standing::Open, ..) => "Nobody is named: what is known does not reach an identity".into(),
        _ => "Nobody is known to whom it belongs".into(),
    }
}

fn person(answer: &PersonAnswer, paper: &mut Paper<'_>) -> io::Result<()> {
    let PersonAnswer { person, identities } = answer;
    paper.field_of("status", person.status.as_deref())?;
    paper.field_of("team", person.team.as_deref())?;
    paper.field_of("manager", person.manager.as_deref())?;
    if identities.is_empty() {
        return paper.text(2, "answers for no identity");
    }
    for entry in identities {
        let roles: Vec<_> = entry.roles.iter().map(|role| role.in_words()).collect();
        paper.heading(&format!("{}: {}", entry.identity.in_words(), roles.join(", ")))?;
        paper.field_of("environment", entry.identity.identity.environment.as_deref())?;
        paper.field_of("AI system", entry.identity.identity.ai_system.as_deref())?;
        for record in &entry.identity.credentials {
            paper.field("credential", &credential_in_words(record))?;
        }
    }
    Ok(())
}

fn identity(card: &IdentityCard, paper: &mut Paper<'_>) -> io::Result<()> {
    let record = &card.identity;
    people(card, paper)?;
    paper.heading("Identity")?;
    paper.field("id", &record.id)?;
    for (label, text) in [
        ("kind", &record.kind),
        ("provider", &record.provider),
        ("account", &record.account),
        ("project", &record.container),
        ("environment", &record.environment),
        ("AI system", &record.ai_system),
        ("purpose", &record.purpose),
        ("privilege", &record.privilege),
        ("status", &record.status),
    ] {
        paper.field_of(label, text.as_deref())?;
    }
    if !record.reaches.is_empty() {
        paper.field("reaches", &record.reaches.join(", "))?;
    }
    Ok(())
}

fn people(card: &IdentityCard, paper: &mut Paper<'_>) -> io::Result<()> {
    let none = |missing: &str| missing.to_owned();
    paper.field("owner", &card.owner.as_ref().map_or_else(|| none("nobody is named"), with_status))?;
    paper.field("backup owner", &card.backup.as_ref().map_or_else(|| none("nobody is named"), with_status))?;
    paper.field_of("manager", card.manager.as_ref().map(with_status).as_deref())?;
    paper.field_of("team", card.team.as_deref())?;
    paper.field_of("contact", card.contact.as_deref())
}

/// A person, with what keeps them from answering.
fn with_status(person: &PersonCard) -> String {
    let status = match person.status.as_deref() {
        Some("active") => "",
        Some("left") => ", HAS LEFT",
        Some("leave") => ", on leave",
        _ if !person.known => ", not in the inventory",
        _ => "",
    };
    format!("{}{status}", person.in_words())
}

fn link(link: &Identity, paper: &mut Paper<'_>) -> io::Result<()> {
    paper.heading("How this is known")?;
    if let Some(tier) = link.tier {
        let score = link.score.map(|score| format!(", score {score:.2}")).unwrap_or_default();
        paper.field("link", &format!("{}{score}", tier_in_words(tier)))?;
    }
    paper.field_of("why", link.why.as_deref())?;
    paper.field_of("as of", link.as_of.as_deref())?;
    for rival in &link.candidates {
        let names = [&rival.id, &rival.record_id].into_iter().flatten().cloned().collect::<Vec<_>>().join(", ");
        let owner = rival.owner.as_ref().and_then(|owner| owner.email.as_ref().or(owner.id.as_ref()));
        let owner = owner.map(|owner| format!(", owner {owner}")).unwrap_or_default();
        paper.field("may also be", &format!("{names}{owner}, score {:.2}", rival.score))?;
    }
    Ok(())
}

fn tier_in_words(tier: LinkTier) -> &'static str {
    match tier {
        LinkTier::Exact => "exact: the whole value agrees",
        LinkTier::PublicId => "public id: an id that stands in the value or beside it",
        LinkTier::HintUnique => "redacted form that one record alone has",
        LinkTier::HintTie => "redacted form that several records have",
        LinkTier::Account => "account alone",
        LinkTier::Context => "surroundings alone, a suggestion",
    }
}

fn credentials(answer: &Answer, paper: &mut Paper<'_>) -> io::Result<()> {
    let named = |id: &str| answer.credentials.iter().any(|record| record.id == id);
    if !answer.credentials.is_empty() {
        paper.heading(if answer.credentials.len() == 1 { "This credential" } else { "Credentials that fit" })?;
        for record in &answer.credentials {
            paper.item(2, &credential_in_words(record))?;
        }
    }
    if let [card] = &answer.identities[..] {
        let others: Vec<_> = card.credentials.iter().filter(|record| !named(&record.id)).collect();
        if !others.is_empty() {
            let title =
                if answer.credentials.is_empty() { "Its credentials" } else { "Other credentials of the identity" };
            paper.heading(title)?;
            for record in others {
                paper.item(2, &credential_in_words(record))?;
            }
        }
    }
    Ok(())
}

/// A credential's record in one line.
pub(super) fn credential_in_words(record: &CredentialRecord) -> String {
    let mut text = record.id.clone();
    for (label, value) in [
        ("", &record.sort),
        ("", &record.status),
        ("made ", &record.issued),
        ("expires ", &record.expires),
        ("last used ", &record.last_used),
        ("belongs in ", &record.stored_at),
    ] {
        if let Some(value) = value {
            text += &format!(", {label}{value}");
        }
    }
    text
}

fn found(found: &[Found], paper: &mut Paper<'_>) -> io::Result<()> {
    for finding in found {
        let places = counted(finding.occurrences.len() as u64, "place", "places");
        paper.heading(&format!("Found in {places}: {} ({})", finding.redacted, finding.detector))?;
        paper.field("fingerprint", &finding.fingerprint)?;
        paper.field("works", state_in_words(finding.state))?;
        for place in finding.occurrences.iter().take(MOST_PLACES) {
            paper.item(2, &place_in_words(place))?;
        }
        let more = finding.occurrences.len().saturating_sub(MOST_PLACES);
        if more > 0 {
            paper.text(2, &format!("and {}", counted(more as u64, "more place", "more places")))?;
        }
    }
    Ok(())
}

/// A place in one line.
pub(super) fn place_in_words(place: &Occurrence) -> String {
    let mut text = format!("{}:{}", place.path, place.line);
    if let Some(commit) = &place.commit {
        text += &format!(", commit {}", commit.get(..10).unwrap_or(commit));
    }
    if let Some(author) = &place.author {
        text += &format!(" by {author}");
    }
    if place.in_head == Some(false) {
        text += ", in the history only";
    }
    text
}
