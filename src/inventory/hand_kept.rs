//! Files that people keep: `credtrace.inventory.toml`, and the same as JSON. A row that is at fault is refused with its
//! line and field, and the others are kept; a file that cannot be read as TOML or JSON at all is refused whole. Empty text
//! means absent. CSV is read in [`super::columns`].

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::batch::{Batch, Rank, Rejected};
use super::fields::{self, Field, Flat};
use super::ingest::RecordKind;
use super::model::Coverage;
use crate::error::{Error, Result};

/// What `schema` must say.
pub const SCHEMA: &str = "credtrace.inventory/1";
/// The largest file, in bytes.
pub const LARGEST_FILE: u64 = 64 << 20;

/// The forms of a hand-kept file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Format {
    Toml,
    Json,
    Csv,
}

impl Format {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Toml, Self::Json, Self::Csv];

    /// Returns the name by which it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Toml => "toml",
            Self::Json => "json",
            Self::Csv => "csv",
        }
    }

    /// Returns the form of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// What a file does not say of itself.
#[derive(Debug, Clone, Default)]
pub struct FileFacts {
    /// Its name without folders; a later file of this name replaces what this one says.
    pub name: String,
    /// When it was written, as a day or in RFC 3339.
    pub as_of: String,
}

impl FileFacts {
    /// Starts what the file says.
    pub(super) fn batch(&self, format: Format) -> Batch {
        Batch::new(format!("hand/{}", self.name), format.name(), self.as_of.clone(), Rank::HandKept)
    }

    /// Says that the file cannot be used.
    pub(super) fn fault(&self, reason: impl Into<String>) -> Error {
        Error::Inventory { subject: self.name.clone(), reason: reason.into() }
    }
}

/// Reads a file that a person keeps.
///
/// # Errors
/// A file that is not text, not of this format, of another schema, or without one usable row.
pub fn parse(format: Format, bytes: &[u8], facts: &FileFacts) -> Result<Batch> {
    let text = text(bytes).map_err(|reason| facts.fault(reason))?;
    let batch = match format {
        Format::Toml => from_toml(text, facts)?,
        Format::Json => from_json(text, facts)?,
        Format::Csv => super::columns::parse(text, None, facts)?,
    };
    usable(batch, facts)
}

/// Refuses a file that says nothing: an inventory must not be empty by mistake.
pub(super) fn usable(batch: Batch, facts: &FileFacts) -> Result<Batch> {
    let rows = batch.people.len() + batch.identities.len() + batch.credentials.len() + batch.coverage.len();
    match (rows, batch.rejected.first()) {
        (0, Some(first)) => Err(facts.fault(format!(
            "holds no usable row; of {} refused ones, the first: {}: {}",
            batch.rejected.len(),
            first.place,
            first.reason
        ))),
        (0, None) => Err(facts.fault("holds no row; `credtrace inventory template` prints one to begin with")),
        _ => Ok(batch),
    }
}

/// Returns the bytes as text without a byte order mark.
pub(super) fn text(bytes: &[u8]) -> Result<&str, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line}: is not UTF-8; save it as UTF-8")
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct TomlFile {
    schema: Option<String>,
    org: toml::Table,
    people: Vec<toml::Spanned<toml::Value>>,
    coverage: Vec<toml::Spanned<toml::Value>>,
    identity: Vec<toml::Spanned<toml::Value>>,
    credential: Vec<toml::Spanned<toml::Value>>,
}

impl Default for TomlFile {
    fn default() -> Self {
        let none = Vec::new;
        Self {
            schema: None,
            org: toml::Table::new(),
            people: none(),
            coverage: none(),
            identity: none(),
            credential: none(),
        }
    }
}

fn from_toml(text: &str, facts: &FileFacts) -> Result<Batch> {
    let starts: Vec<usize> = memchr::memchr_iter(b'\n', text.as_bytes()).collect();
    let line_of = |offset: usize| starts.partition_point(|start| *start < offset) + 1;
    let file: TomlFile = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| format!("line {}: ", line_of(span.start))).unwrap_or_default();
        // The message alone: a quoted line might hold what nobody should see.
        facts.fault(format!("{line}{}", error.message().replace('\n', " ")))
    })?;
    let org = json_of(toml::Value::Table(file.org));
    check_head(file.schema.as_deref(), org.as_object(), facts)?;
    let mut rows = Rows::new(facts.batch(Format::Toml));
    let sections = [
        (Section::People, file.people),
        (Section::Coverage, file.coverage),
        (Section::Identity, file.identity),
        (Section::Credential, file.credential),
    ];
    for (section, entries) in sections {
        for entry in entries {
            let place = format!("line {}", line_of(entry.span().start));
            rows.take(section, &place, &json_of(entry.into_inner()));
        }
    }
    Ok(rows.batch)
}

/// Writes a value of TOML as one of JSON; dates become text.
pub(super) fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::from(text),
        toml::Value::Integer(number) => Value::from(number),
        toml::Value::Float(number) => Value::from(number),
        toml::Value::Boolean(flag) => Value::from(flag),
        toml::Value::Datetime(time) => Value::from(time.to_string()),
        toml::Value::Array(list) => Value::Array(list.into_iter().map(json_of).collect()),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(name, value)| (name, json_of(value))).collect())
        }
    }
}

fn from_json(text: &str, facts: &FileFacts) -> Result<Batch> {
    let file: Map<String, Value> = serde_json::from_str(text).map_err(|error| {
        let kind = match error.classify() {
            serde_json::error::Category::Eof => "ends in the middle; it is cut off",
            serde_json::error::Category::Data => "is no JSON object of this form",
            _ => "is not JSON",
        };
        facts.fault(format!("line {}, column {}: {kind}", error.line(), error.column()))
    })?;
    check_head(file.get("schema").and_then(Value::as_str), file.get("org").and_then(Value::as_object), facts)?;
    let mut rows = Rows::new(facts.batch(Format::Json));
    for (name, value) in &file {
        let section = match name.as_str() {
            "schema" | "org" => continue,
            "people" => Section::People,
            "coverage" => Section::Coverage,
            "identity" => Section::Identity,
            "credential" => Section::Credential,
            _ => {
                let name: String = name.chars().take(48).collect();
                return Err(facts.fault(format!(
                    "has a member {name:?} that an inventory does not have; if it is a provider's export, name its kind with \
                     --from"
                )));
            }
        };
        let Value::Array(entries) = value else { return Err(facts.fault(format!("{name} must be a list"))) };
        for (number, entry) in entries.iter().enumerate() {
            rows.take(section, &format!("{name}[{number}]"), entry);
        }
    }
    Ok(rows.batch)
}

/// Checks what stands above the rows.
fn check_head(schema: Option<&str>, org: Option<&Map<String, Value>>, facts: &FileFacts) -> Result<()> {
    if schema.is_some_and(|schema| schema != SCHEMA) {
        return Err(facts.fault(format!("schema must be {SCHEMA:?}; this version knows no other")));
    }
    for (name, value) in org.into_iter().flatten() {
        if !["name", "fingerprint_key_id"].contains(&name.as_str()) || !value.is_string() {
            return Err(
                facts.fault("org may have name and fingerprint_key_id, both text; the key itself never stands here")
            );
        }
    }
    let key_id = org.and_then(|org| org.get("fingerprint_key_id")).and_then(Value::as_str).unwrap_or_default();
    let is_id = key_id.len() == 11 && key_id.starts_with("k1-");
    if !key_id.is_empty() && !is_id {
        return Err(facts.fault("org.fingerprint_key_id must be the id of a key, k1- and eight digits, never the key"));
    }
    Ok(())
}

/// A part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    People,
    Coverage,
    Identity,
    Credential,
}

impl Section {
    /// Returns the fields of its rows.
    pub(super) fn fields(self) -> &'static [Field] {
        match self {
            Self::People => fields::of(RecordKind::Person),
            Self::Coverage => fields::COVERAGE,
            Self::Identity => fields::of(RecordKind::Identity),
            Self::Credential => fields::of(RecordKind::Credential),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::People => "person",
            Self::Coverage => "coverage",
            Self::Identity => "identity",
            Self::Credential => "credential",
        }
    }
}

/// Reads rows into a batch, each id once.
pub(super) struct Rows {
    pub(super) batch: Batch,
    /// Where each id stands.
    seen: BTreeMap<(Section, String), (String, Flat)>,
}

impl Rows {
    pub(super) fn new(batch: Batch) -> Self {
        Self { batch, seen: BTreeMap::new() }
    }

    /// Takes a row, or notes why it is refused.
    pub(super) fn take(&mut self, section: Section, place: &str, row: &Value) {
        let taken = match row.as_object() {
            Some(table) => self.add(section, place, &fields::flattened(table)),
            None => Err("must be a table of fields".into()),
        };
        if let Err(reason) = taken {
            self.refuse(section, place, &reason);
        }
    }

    /// Notes that a row is refused.
    pub(super) fn refuse(&mut self, section: Section, place: &str, reason: &str) {
        let reason = format!("{} {reason}", section.word());
        self.batch.rejected.push(Rejected { place: place.to_owned(), reason });
    }

    /// Adds a row.
    ///
    /// # Errors
    /// Which field is at fault and how, or that the id was there before.
    pub(super) fn add(&mut self, section: Section, place: &str, row: &Flat) -> Result<(), String> {
        match section {
            Section::Coverage => {
                let mut coverage: Coverage = fields::record(section.fields(), row)?;
                if coverage.provider.is_empty() {
                    return Err("must name its provider".into());
                }
                if coverage.as_of.is_empty() {
                    coverage.as_of = self.batch.as_of.clone();
                }
                self.batch.coverage.push(coverage);
            }
            Section::People => {
                let person = self.once(section, place, row)?;
                self.batch.people.extend(person);
            }
            Section::Identity => {
                let identity = self.once(section, place, row)?;
                self.batch.identities.extend(identity);
            }
            Section::Credential => {
                let credential = self.once(section, place, row)?;
                self.batch.credentials.extend(credential);
            }
        }
        Ok(())
    }

    /// Reads a record; nothing, where the very same row stood before.
    fn once<T: DeserializeOwned>(&mut self, section: Section, place: &str, row: &Flat) -> Result<Option<T>, String> {
        let record = fields::record(section.fields(), row)?;
        let id = row.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), |id| id.trim().to_owned()));
        let id = id.filter(|id| !id.is_empty() && id != "null").ok_or("must have an id")?;
        match self.seen.entry((section, id)) {
            Entry::Vacant(vacant) => {
                vacant.insert((place.to_owned(), row.clone()));
                Ok(Some(record))
            }
            Entry::Occupied(known) if known.get().1 == *row => Ok(None),
            Entry::Occupied(known) => Err(format!("has the id of the one at {} and differs from it", known.get().0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> FileFacts {
        FileFacts { name: "credtrace.inventory.toml".into(), as_of: "2026-11-20".into() }
    }

    fn toml(text: &str) -> Result<Batch> {
        parse(Format::Toml, text.as_bytes(), &facts())
    }

    const GOOD: &str = "schema = \"credtrace.inventory/1\"\n[org]\nname = \"Acme\"\nfingerprint_key_id = \"k1-5f2c9a10\"\n\
        [[people]]\nid = \"owner.a@acme.example\"\naliases = [\"owner-a\"]\n\
        [[coverage]]\nprovider = \"openai\"\naccount = \"org-acme\"\nas_of = 2026-11-20\ncomplete = true\n\
        [[identity]]\nid = \"bot\"\nowner = \"owner.a@acme.example\"\nsponsor = \"\"\ncreated = 2025-04-30\n\
        [[credential]]\nid = \"cred\"\nidentity = \"bot\"\ntype = \"openai-project-key\"\nexpires = \"\"\n\
        [credential.join]\nids = [\"openai:key_ex01\"]\nhint = { head = \"sk-proj-EXa\", tail = \"9Zq\" }\njwt = { iss = \"\" }\n";

    #[test]
    fn the_file_is_read_as_documented() {
        let batch = toml(GOOD).expect("read");
        assert_eq!((batch.source.as_str(), batch.rank), ("hand/credtrace.inventory.toml", Rank::HandKept));
        assert_eq!((batch.people.len(), batch.coverage.len(), batch.rejected.len()), (1, 1, 0));
        let identity = &batch.identities[0];
        assert_eq!((identity.sponsor.as_deref(), identity.created.as_deref()), (None, Some("2025-04-30")));
        let join = &batch.credentials[0].join;
        assert_eq!((join.ids[0].as_str(), join.jwt.is_none()), ("openai:key_ex01", true));
        assert_eq!(join.hint.as_ref().map(|hint| hint.tail.as_str()), Some("9Zq"));
        assert_eq!(batch.credentials[0].expires, None);
    }

    #[test]
    fn a_row_at_fault_is_named_by_line_and_field_and_the_others_are_kept() {
        let text = format!(
            "{GOOD}[[identity]]\nid = \"second\"\nenvironment = \"moon\"\n[[identity]]\nid = \"bot\"\nteam = \"t\"\n\
            [[identity]]\nownr = \"x\"\n[[identity]]\nname = \"no id\"\n[[identity]]\nid = \"third\"\n"
        );
        let batch = toml(&text).expect("read");
        let told: Vec<String> =
            batch.rejected.iter().map(|rejected| format!("{}: {}", rejected.place, rejected.reason)).collect();
        assert_eq!(batch.identities.len(), 2);
        assert_eq!(told.len(), 4);
        assert!(told[0].starts_with("line 27: identity environment must be one of"), "{told:?}");
        assert!(told[1].starts_with("line 30: identity has the id of the one at line 13"), "{told:?}");
        assert!(told[2].contains("did you mean owner?") && told[3].contains("must have an id"), "{told:?}");
    }

    #[test]
    fn the_same_as_json_says_the_same() {
        let Ok(Value::Object(mut file)) =
            toml::from_str::<toml::Table>(GOOD).map(|file| json_of(toml::Value::Table(file)))
        else {
            unreachable!("the file is TOML")
        };
        let read = |file: &Map<String, Value>| parse(Format::Json, &serde_json::to_vec(file).expect("JSON"), &facts());
        let (from_json, from_toml) = (read(&file).expect("read"), toml(GOOD).expect("read"));
        assert_eq!(Batch { kind: "toml".into(), ..from_json }, from_toml);
        file.insert("data".into(), Value::Array(Vec::new()));
        assert!(read(&file).expect_err("refused").to_string().contains("--from"));
    }

    #[test]
    fn a_file_that_says_nothing_or_cannot_be_read_is_refused_whole() {
        let refused = |format, bytes: &[u8]| parse(format, bytes, &facts()).expect_err("must be refused").to_string();
        assert!(refused(Format::Toml, b"").contains("no row"));
        assert!(refused(Format::Toml, b"[[identity]]\nname = \"x\"\n").contains("no usable row"));
        assert!(refused(Format::Toml, b"[[identity]]\nid = \"x").contains("line 2"));
        assert!(refused(Format::Toml, b"[[nobody]]\nid = \"x\"\n").contains("nobody"));
        assert!(refused(Format::Toml, b"schema = \"credtrace.inventory/2\"\n").contains("no other"));
        assert!(refused(Format::Toml, b"[org]\nfingerprint_key_id = \"0123456789abcdef\"\n").contains("never the key"));
        assert!(refused(Format::Json, b"{\"identity\": [{\"id\": \"x\"}").contains("cut off"));
        assert!(refused(Format::Json, b"[1]").contains("line 1"));
        assert!(refused(Format::Json, b"{\"identity\": 1}").contains("must be a list"));
        assert!(refused(Format::Json, b"\n\xff").contains("line 2: is not UTF-8"));
        let deep = [b"{\"identity\":".as_slice(), &b"[".repeat(100_000)].concat();
        refused(Format::Json, &deep);
        let deep = [b"a = ".as_slice(), &b"[".repeat(100_000)].concat();
        refused(Format::Toml, &deep);
    }
}
