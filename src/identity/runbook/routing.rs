//! Whom to tell: from the owner to whoever is left, and why it stopped where it did.

use serde::Serialize;

use super::Subject;
use crate::error::Result;
use crate::identity::card::PersonCard;
use crate::identity::reader::Reader;

/// The way to the person who is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Routing {
    /// Everyone who was thought of, in order; the last is who is told, unless nobody is left.
    pub chain: Vec<Hop>,
    /// Who is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Why it stopped there, in a sentence.
    pub why: String,
}

/// One step of the way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hop {
    /// As what: `owner`, `backup owner`, `manager`, `team`, `CODEOWNERS`, `git author`.
    pub role: String,
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub who: Option<String>,
    /// What came of it: told, or why not.
    pub outcome: String,
    /// Whether the way ends here.
    pub told: bool,
}

/// Finds whom to tell.
///
/// # Errors
/// A store that cannot be read.
pub fn route(reader: Option<&Reader<'_>>, subject: &Subject<'_>, code_owners: &[String]) -> Result<Routing> {
    let card = subject.card;
    let mut way = Routing::default();
    let unlinked = "no identity is linked";
    let people = [
        ("owner", card.and_then(|card| card.owner.as_ref()), "the record names none"),
        ("backup owner", card.and_then(|card| card.backup.as_ref()), "the record names none"),
        ("manager", card.and_then(|card| card.manager.as_ref()), "the inventory names none"),
    ];
    for (role, person, missing) in people {
        let missing = if card.is_none() { unlinked } else { missing };
        if way.asks(role, person, missing) {
            return Ok(way);
        }
    }
    let team = card.and_then(|card| card.team.clone());
    if way.takes("team", team, if card.is_none() { unlinked } else { "the record names none" }) {
        return Ok(way);
    }
    let owners = (!code_owners.is_empty()).then(|| code_owners.join(", "));
    if way.takes("CODEOWNERS", owners, "no CODEOWNERS file names the place") {
        return Ok(way);
    }
    for author in authors(subject) {
        let person = match reader {
            Some(reader) => PersonCard::of(reader, address_of(&author))?,
            None => PersonCard { id: author.clone(), ..PersonCard::default() },
        };
        let person = if person.known { person } else { PersonCard { id: author, ..PersonCard::default() } };
        if way.asks("git author", Some(&person), "") {
            way.why += ". Who committed it need not own it: ask, do not assign";
            return Ok(way);
        }
    }
    way.why = "nobody is left who could be told: the security team keeps it".into();
    Ok(way)
}

impl Routing {
    /// Thinks of a person; returns whether the way ends here.
    fn asks(&mut self, role: &str, person: Option<&PersonCard>, missing: &str) -> bool {
        let Some(person) = person else {
            self.chain.push(Hop { role: role.into(), who: None, outcome: missing.into(), told: false });
            return false;
        };
        let who = person.in_words();
        let outcome = match person.status.as_deref() {
            Some("left") => "has left",
            Some("leave") => "is on leave",
            Some("active") => "is told",
            _ => "is told, although the inventory does not say whether they are still here",
        };
        let told = person.is_here();
        self.chain.push(Hop { role: role.into(), who: Some(who.clone()), outcome: outcome.into(), told });
        if told {
            self.ends(role, &who);
        }
        told
    }

    /// Thinks of what is no person; returns whether the way ends here.
    fn takes(&mut self, role: &str, who: Option<String>, missing: &str) -> bool {
        let (outcome, told) = if who.is_some() { ("is told", true) } else { (missing, false) };
        self.chain.push(Hop { role: role.into(), who: who.clone(), outcome: outcome.into(), told });
        if let Some(who) = who {
            self.ends(role, &who);
        }
        told
    }

    fn ends(&mut self, role: &str, who: &str) {
        let skipped: Vec<String> = self
            .chain
            .iter()
            .filter(|hop| !hop.told)
            .map(|hop| match &hop.who {
                Some(who) => format!("{} {who} {}", hop.role, hop.outcome),
                None => format!("{}: {}", hop.role, hop.outcome),
            })
            .collect();
        let because = if skipped.is_empty() { String::new() } else { format!(", since {}", skipped.join("; ")) };
        self.to = Some(who.to_owned());
        self.why = format!("it stops at the {role}{because}");
    }
}

/// The authors of the commits that brought it in, the newest place first, each once.
fn authors(subject: &Subject<'_>) -> Vec<String> {
    let mut places: Vec<_> = subject.finding.occurrences.iter().filter(|place| place.author.is_some()).collect();
    places.sort_by(|left, right| right.date.cmp(&left.date));
    let mut authors: Vec<String> = Vec::new();
    for author in places.into_iter().filter_map(|place| place.author.clone()) {
        if !authors.contains(&author) && authors.len() < 5 {
            authors.push(author);
        }
    }
    authors
}

/// Returns the address of `Name <address>`, or the text itself.
fn address_of(author: &str) -> &str {
    author.rsplit_once('<').map_or(author, |(_, rest)| rest.trim_end_matches('>'))
}
