//! Names that stand for people in a bundle that leaves the organisation. The same person has the same name in all bundles
//! under one fingerprint key, and without the key nobody can try names until one fits.

use std::collections::BTreeMap;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::Regex;
use serde_json::Value;

use crate::inventory::model::Person;
use crate::secret::FingerprintKey;

/// Fields that hold a person whatever they say.
const PERSON_FIELDS: [&str; 10] =
    ["actor", "author", "backup_owner", "by", "created_by", "manager", "owner", "sponsor", "told", "who"];
/// The shortest name that is looked for inside other text: shorter ones are words.
const SHORTEST: usize = 4;

/// Replaces names of people.
pub struct Pseudonyms {
    key: FingerprintKey,
    known: Option<AhoCorasick>,
    names: Vec<String>,
    /// By every name in lower case, the person's id.
    ids: BTreeMap<String, String>,
    address: Regex,
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Pseudonyms({} names)", self.names.len())
    }
}

impl Pseudonyms {
    /// Knows the people of the inventory by all their names.
    pub fn new(people: &[Person], key: FingerprintKey) -> Self {
        let mut ids: BTreeMap<String, String> = BTreeMap::new();
        for person in people {
            let names = [Some(&person.id), person.name.as_ref(), person.email.as_ref()];
            for name in names.into_iter().flatten().chain(&person.aliases) {
                ids.entry(name.to_lowercase()).or_insert_with(|| person.id.clone());
            }
        }
        let names: Vec<String> = ids.keys().filter(|name| name.len() >= SHORTEST).cloned().collect();
        let builder =
            || AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest).build(&names);
        let known = if names.is_empty() { None } else { builder().ok() };
        let address =
            Regex::new(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}").expect("a fixed pattern is well formed");
        Self { key, known, names, ids, address }
    }

    /// Returns the name that stands for a person.
    pub fn of(&self, name: &str) -> String {
        let id = self.ids.get(&name.to_lowercase()).map_or(name, String::as_str).to_lowercase();
        let fingerprint = self.key.write(&self.key.fingerprint(format!("person: {id}").as_bytes()));
        format!("person-{}", fingerprint.rsplit(':').next().and_then(|digits| digits.get(..10)).unwrap_or_default())
    }

    /// Returns a value with every person in it replaced.
    pub fn replaced(&self, value: &Value) -> Value {
        match value {
            Value::Object(fields) => {
                fields.iter().map(|(name, field)| (name.clone(), self.field(name, field))).collect()
            }
            Value::Array(items) => items.iter().map(|item| self.replaced(item)).collect(),
            Value::String(text) => self.text(text).into(),
            plain => plain.clone(),
        }
    }

    fn field(&self, name: &str, field: &Value) -> Value {
        match field {
            Value::String(text) if PERSON_FIELDS.contains(&name) && !text.is_empty() => self.person(text).into(),
            // A person as an object: the id decides, and what else names them goes.
            Value::Object(person) if name == "owner" => {
                let id =
                    ["id", "email", "name"].into_iter().find_map(|key| person.get(key)?.as_str()).unwrap_or_default();
                let status = person.get("status").cloned().unwrap_or(Value::Null);
                serde_json::json!({ "id": self.of(id), "status": status })
            }
            field => self.replaced(field),
        }
    }

    /// A field that holds a person: `Name <address>`, an address, a log-in.
    fn person(&self, text: &str) -> String {
        let address = text.rsplit_once('<').map(|(_, rest)| rest.trim_end_matches('>'));
        self.of(address.unwrap_or(text))
    }

    /// Other text: known names and whatever is an address.
    fn text(&self, text: &str) -> String {
        let mut written = text.to_owned();
        if let Some(known) = &self.known {
            let mut clean = String::with_capacity(written.len());
            let mut end = 0;
            for found in known.find_iter(&written) {
                if !is_word(&written, found.start(), found.end()) {
                    continue;
                }
                clean.push_str(&written[end..found.start()]);
                clean.push_str(&self.of(&self.names[found.pattern().as_usize()]));
                end = found.end();
            }
            clean.push_str(&written[end..]);
            written = clean;
        }
        self.address.replace_all(&written, |found: &regex::Captures<'_>| self.of(&found[0])).into_owned()
    }
}

/// Whether a name stands by itself, not inside a longer word.
fn is_word(text: &str, start: usize, end: usize) -> bool {
    let is_part = |character: char| character.is_alphanumeric();
    !text[..start].chars().next_back().is_some_and(is_part) && !text[end..].chars().next().is_some_and(is_part)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn people_are_replaced_wherever_they_stand_and_always_by_the_same_name() {
        let ana = Person {
            id: "ana@acme.example".into(),
            name: Some("Ana Ray".into()),
            aliases: vec!["ana-ray".into()],
            ..Person::default()
        };
        let names = Pseudonyms::new(&[ana], FingerprintKey::from_hex(&"0c".repeat(32)).expect("a key"));
        let value = json!({
            "actor": "ana-ray", "author": "Ana Ray <ana@acme.example>",
            "owner": {"id": "ana@acme.example", "name": "Ana Ray", "email": "ana@acme.example", "status": "active"},
            "why": "Ana Ray accepted it; ask bo@acme.example, not banana", "path": "src/ana-ray/a.py", "seq": 1,
        });
        let replaced = names.replaced(&value);
        let ana = names.of("ana@acme.example");
        assert_eq!(replaced["actor"], ana);
        assert_eq!(replaced["author"], ana);
        assert_eq!(replaced["owner"], json!({"id": ana, "status": "active"}));
        assert_eq!(replaced["why"], format!("{ana} accepted it; ask {}, not banana", names.of("bo@acme.example")));
        assert_eq!(replaced["path"], format!("src/{ana}/a.py"));
        let text = replaced.to_string().to_lowercase();
        assert!(!text.contains("acme") && !text.contains("ana ray") && !text.contains("ana-ray"), "{text}");
        let other = Pseudonyms::new(&[], FingerprintKey::from_hex(&"0d".repeat(32)).expect("a key"));
        assert_ne!(other.of("ana@acme.example"), ana);
    }
}
