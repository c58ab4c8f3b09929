//! What the suggestions ask of the store: people by any name, identities by words of their name, credentials by the place
//! where they may stand. The two lists are read once, when a finding first asks.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use super::context::{Directory, Named, words_of};
use crate::error::Result;
use crate::finding::Person;
use crate::inventory::{model, records};
use crate::store::Store;

/// A word that more identities have says nothing.
const MOST_BY_WORD: usize = 64;
/// How many identities one name suggests.
const MOST_NAMED: usize = 3;

/// The directory of a store.
pub(super) struct StoreDirectory<'a> {
    store: &'a Store,
    names: OnceCell<Names>,
    places: OnceCell<HashMap<String, Vec<String>>>,
}

/// Id, provider, name and consumers of an identity.
type NamedRow = (String, Option<String>, Option<String>, Option<String>);

/// Identities by the words of their names and consumers.
#[derive(Default)]
struct Names {
    entries: Vec<Entry>,
    by_word: HashMap<String, Vec<usize>>,
}

struct Entry {
    identity: String,
    provider: Option<String>,
    words: Vec<String>,
}

impl Names {
    fn add(&mut self, identity: &str, provider: Option<&String>, text: &str) {
        let mut words = words_of(text);
        words.sort();
        words.dedup();
        // A single short word stands everywhere.
        if words.iter().all(|word| word.len() < 4) {
            return;
        }
        for word in &words {
            let known = self.by_word.entry(word.clone()).or_default();
            if known.len() <= MOST_BY_WORD {
                known.push(self.entries.len());
            }
        }
        self.entries.push(Entry { identity: identity.to_owned(), provider: provider.cloned(), words });
    }

    fn fitting(&self, provider: Option<&str>, words: &[String]) -> Vec<&Entry> {
        let known: HashSet<&str> = words.iter().map(String::as_str).collect();
        let mut places: Vec<usize> = words
            .iter()
            .filter_map(|word| self.by_word.get(word))
            .filter(|entries| entries.len() <= MOST_BY_WORD)
            .flatten()
            .copied()
            .collect();
        places.sort_unstable();
        places.dedup();
        let fits = |entry: &&Entry| {
            let same = provider.is_none() || entry.provider.is_none() || entry.provider.as_deref() == provider;
            same && entry.words.iter().all(|word| known.contains(word.as_str()))
        };
        places.into_iter().map(|place| &self.entries[place]).filter(fits).collect()
    }
}

impl<'a> StoreDirectory<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, names: OnceCell::new(), places: OnceCell::new() }
    }

    /// Returns a person as reports show one; of one whom the inventory does not know, the id alone.
    pub(super) fn person_or_id(&self, id: &str) -> Result<Person> {
        let known = records::person(self.store, id)?.map(shown_person);
        let email = || id.contains('@').then(|| id.to_owned());
        Ok(known.unwrap_or_else(|| Person { id: Some(id.to_owned()), email: email(), ..Person::default() }))
    }

    fn names(&self) -> Result<&Names> {
        if let Some(known) = self.names.get() {
            return Ok(known);
        }
        let rows: Vec<NamedRow> = self.store.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT id, provider, json_extract(body, '$.name'), json_extract(body, '$.consumers') FROM identity",
            )?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
            rows.collect()
        })?;
        let mut names = Names::default();
        for (id, provider, name, consumers) in rows {
            names.add(&id, provider.as_ref(), name.as_deref().unwrap_or_default());
            let consumers: Vec<String> =
                consumers.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
            for consumer in consumers {
                // `github:acme/support-bot#actions`: what follows the system's name.
                let text = consumer.split_once(':').map_or(consumer.as_str(), |(_, rest)| rest);
                let name = text.split('#').next().and_then(|text| text.rsplit('/').next());
                names.add(&id, provider.as_ref(), name.unwrap_or_default());
            }
        }
        Ok(self.names.get_or_init(|| names))
    }

    /// Credentials' identities by the place where they may stand, without its scheme.
    fn places(&self) -> Result<&HashMap<String, Vec<String>>> {
        if let Some(known) = self.places.get() {
            return Ok(known);
        }
        let rows: Vec<(String, String)> = self.store.read(|connection| {
            let mut statement = connection.prepare(
                "SELECT json_extract(body, '$.stored_at') AS place, identity FROM credential \
                 WHERE place IS NOT NULL AND identity IS NOT NULL",
            )?;
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })?;
        let mut places: HashMap<String, Vec<String>> = HashMap::new();
        for (place, identity) in rows {
            places.entry(plain(&place)).or_default().push(identity);
        }
        Ok(self.places.get_or_init(|| places))
    }

    fn named_identity(&self, id: &str, by: &str) -> Result<Option<Named>> {
        let Some(identity) = records::identity(self.store, id)? else { return Ok(None) };
        let owner = identity.owner.as_deref().filter(|owner| !owner.is_empty());
        let owner = owner.map(|owner| self.person_or_id(owner)).transpose()?;
        Ok(Some(Named { id: identity.id, name: identity.name, owner, by: by.to_owned() }))
    }
}

impl Directory for StoreDirectory<'_> {
    fn person(&self, name: &str) -> Result<Option<Person>> {
        if name.is_empty() {
            return Ok(None);
        }
        Ok(records::person(self.store, name)?.map(shown_person))
    }

    fn named(&self, provider: Option<&str>, words: &[String]) -> Result<Vec<Named>> {
        let mut fitting = self.names()?.fitting(provider, words);
        // More words are a closer name.
        fitting.sort_by(|left, right| {
            right.words.len().cmp(&left.words.len()).then_with(|| left.identity.cmp(&right.identity))
        });
        fitting.dedup_by(|later, earlier| later.identity == earlier.identity);
        let mut named = Vec::new();
        for entry in fitting.into_iter().take(MOST_NAMED) {
            named.extend(self.named_identity(&entry.identity, &entry.words.join(" "))?);
        }
        Ok(named)
    }

    fn stored_at(&self, reference: &str) -> Result<Vec<Named>> {
        let plain = plain(reference);
        let places = self.places()?;
        // A reference may name a field of the item.
        let parent = plain.rsplit_once('/').map(|(parent, _)| parent);
        let found = places.get(&plain).or_else(|| parent.and_then(|parent| places.get(parent)));
        let mut named = Vec::new();
        for identity in found.into_iter().flatten().take(MOST_NAMED) {
            named.extend(self.named_identity(identity, reference)?);
        }
        Ok(named)
    }
}

/// Writes a place so that equal ones are equal: without case, slashes at the ends and a field's name.
fn plain(place: &str) -> String {
    let place = place.trim().replacen("://", ":", 1).to_lowercase();
    place.split('#').next().unwrap_or_default().trim_end_matches('/').to_owned()
}

/// Returns a person of the inventory as reports show one.
pub(super) fn shown_person(person: model::Person) -> Person {
    let email = person.email.or_else(|| person.id.contains('@').then(|| person.id.clone()));
    Person { id: Some(person.id), name: person.name, email, status: person.status }
}
