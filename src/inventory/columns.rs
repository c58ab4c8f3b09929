//! The inventory as CSV: one row a credential, an identity's fields repeated in each of its rows; and, with a map, any
//! other table of identities. A row that is at fault is refused with its line; a column that nobody knows is a fault of
//! the whole file, unless a map says which columns count.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use super::batch::Batch;
use super::fields::{self, Flat};
use super::hand_kept::{self, FileFacts, Format, Rows, Section};
use super::keys::{KeyKind, normalised};
use crate::error::{Error, Result};

/// The most rows of a file.
const MOST_ROWS: usize = 1_000_000;
/// The most columns of a file.
const MOST_COLUMNS: usize = 512;

/// Which columns of a foreign table are which fields.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ColumnMap {
    /// By the column's header, the fields that it gives: `identity.owner`.
    columns: BTreeMap<String, Vec<String>>,
    /// Values that every row has, by field.
    constants: BTreeMap<String, String>,
    /// By field, what its values mean here: `Production` is `prod`.
    values: BTreeMap<String, BTreeMap<String, String>>,
    /// What stands between two fields of a row.
    delimiter: Option<u8>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MapFile {
    map: toml::Table,
    constant: toml::Table,
    values: toml::Table,
    delimiter: Option<String>,
}

impl ColumnMap {
    /// Reads a map: `[map]` says of which column a field is (`owner = "Owner Email"`), `[constant]` what every row has
    /// (`provider = "openai"`), `[values.environment]` what a value means here (`Production = "prod"`), and `delimiter`
    /// what stands between fields. A field without `identity.`, `credential.`, `person.` or `coverage.` before it is one of the
    /// identity where that has it, else of the credential.
    ///
    /// # Errors
    /// Text that is no such map, or a field that does not exist.
    pub fn parse(text: &str, file: &str) -> Result<Self> {
        let fault = |reason: String| Error::Inventory { subject: file.to_owned(), reason };
        let read: MapFile = toml::from_str(text).map_err(|error| fault(error.message().replace('\n', " ")))?;
        let mut map = Self::default();
        for (field, column) in texts(&read.map).map_err(&fault)? {
            map.columns.entry(column).or_default().push(known_field(&field).map_err(&fault)?);
        }
        for (field, value) in texts(&read.constant).map_err(&fault)? {
            map.constants.insert(known_field(&field).map_err(&fault)?, value);
        }
        for (field, value) in texts(&read.values).map_err(&fault)? {
            // The last part is a value, not a field: `environment.Production`.
            let (field, from) =
                field.rsplit_once('.').ok_or_else(|| fault(format!("values.{field} must be a table")))?;
            let meanings = map.values.entry(known_field(field).map_err(&fault)?).or_default();
            meanings.insert(from.to_owned(), value);
        }
        if let Some(delimiter) = &read.delimiter {
            let [byte] = delimiter.as_bytes() else { return Err(fault("delimiter must be one character".into())) };
            map.delimiter = Some(*byte);
        }
        if map.columns.is_empty() {
            return Err(fault("has no [map] that names a column".into()));
        }
        Ok(map)
    }
}

/// Returns the texts of nested tables by their dotted names.
fn texts(table: &toml::Table) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    for (name, value) in table {
        match value {
            toml::Value::String(text) => found.push((name.clone(), text.clone())),
            toml::Value::Table(inner) => {
                found.extend(texts(inner)?.into_iter().map(|(rest, text)| (format!("{name}.{rest}"), text)));
            }
            other => found.push((name.clone(), other.to_string())),
        }
        if found.len() > MOST_COLUMNS {
            return Err(format!("has more than {MOST_COLUMNS} entries"));
        }
    }
    Ok(found)
}

/// Returns the full name of a field as a header writes it.
fn known_field(name: &str) -> Result<String, String> {
    if target(name).is_ok() {
        return Ok(name.to_owned());
    }
    let guesses = [format!("identity.{name}"), format!("credential.{name}"), format!("person.{name}")];
    let guess = guesses.into_iter().find(|guess| target(guess).is_ok());
    guess.ok_or_else(|| target(name).err().unwrap_or_default())
}

/// Returns which section a header belongs to, and the field's name in it.
fn target(header: &str) -> Result<(Section, String), String> {
    let header = header.trim();
    let (outer, inner) = header.split_once('.').unwrap_or((header, ""));
    let (section, name) = match outer.to_ascii_lowercase().as_str() {
        "person" | "people" => (Section::People, inner.to_owned()),
        "identity" => (Section::Identity, inner.to_owned()),
        "coverage" => (Section::Coverage, inner.to_owned()),
        // Join keys stand beside the credential or in it.
        "credential" => (Section::Credential, inner.to_owned()),
        "join" => (Section::Credential, header.to_owned()),
        _ => {
            let shown = fields::shown(header);
            return Err(format!(
                "a header {shown} is no field of an inventory; `credtrace inventory template --format csv` prints them all, and --map FILE \
                 says which column is which"
            ));
        }
    };
    // Spreadsheets like flat names.
    let name = name.replace("hint_", "hint.").replace("jwt_", "jwt.");
    match fields::form(section.fields(), &name) {
        Some(_) => Ok((section, name)),
        None => Err(format!("{outer} {}", fields::unknown(section.fields(), &name))),
    }
}

/// Reads a table by a map.
///
/// # Errors
/// As [`hand_kept::parse`], and a column of the map that the table does not have.
pub fn parse_mapped(bytes: &[u8], map: &ColumnMap, facts: &FileFacts) -> Result<Batch> {
    let text = hand_kept::text(bytes).map_err(|reason| facts.fault(reason))?;
    hand_kept::usable(parse(text, Some(map), facts)?, facts)
}

/// A column: what it gives.
type Column = Vec<(Section, String)>;

pub(super) fn parse(text: &str, map: Option<&ColumnMap>, facts: &FileFacts) -> Result<Batch> {
    let delimiter = map.and_then(|map| map.delimiter).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| facts.fault(format!("has no header: {error}")))?.clone();
    if header.len() > MOST_COLUMNS {
        return Err(facts.fault(format!("has more than {MOST_COLUMNS} columns")));
    }
    let columns = columns(&header, map).map_err(|reason| facts.fault(format!("line 1: {reason}")))?;
    let cut_off = memchr::memchr_iter(b'"', text.as_bytes()).count() % 2 == 1;
    let mut table = Table { rows: Rows::new(facts.batch(Format::Csv)), map, identities: BTreeMap::new() };
    let mut records = reader.records().peekable();
    let mut count = 0;
    while let Some(record) = records.next() {
        let record = record.map_err(|error| facts.fault(error.to_string()))?;
        count += 1;
        if count > MOST_ROWS {
            return Err(facts.fault(format!("has more than {MOST_ROWS} rows; split it")));
        }
        let place = format!("line {}", record.position().map_or(count as u64 + 1, csv::Position::line));
        let last_and_open = cut_off && records.peek().is_none();
        if last_and_open || record.len() != header.len() {
            let reason = match last_and_open {
                true => "begins a quote that is never closed; the file is cut off or a quote is not doubled".to_owned(),
                false => format!("has {} fields, and the header has {}", record.len(), header.len()),
            };
            table.rows.batch.rejected.push(super::batch::Rejected { place, reason });
            continue;
        }
        table.take(&place, &columns, &record);
    }
    Ok(table.rows.batch)
}

/// Finds out what each column gives.
fn columns(header: &csv::StringRecord, map: Option<&ColumnMap>) -> Result<Vec<Column>, String> {
    let mut seen = BTreeSet::new();
    let mut columns = Vec::new();
    for name in header {
        if !name.trim().is_empty() && !seen.insert(name.trim()) {
            return Err(format!("two columns have the same header {}", fields::shown(name)));
        }
        columns.push(match map {
            None => vec![target(name)?],
            Some(map) => {
                let fields = map.columns.get(name.trim()).into_iter().flatten();
                fields.map(|field| target(field)).collect::<Result<_, _>>()?
            }
        });
    }
    let missing = map.and_then(|map| map.columns.keys().find(|column| !seen.contains(column.as_str())));
    match missing {
        Some(missing) => Err(format!("has no column {missing:?}, which the map names")),
        None => Ok(columns),
    }
}

/// A table that is being read.
struct Table<'a> {
    rows: Rows,
    map: Option<&'a ColumnMap>,
    /// What was said of each identity so far, and where.
    identities: BTreeMap<String, (String, Flat)>,
}

impl Table<'_> {
    fn take(&mut self, place: &str, columns: &[Column], record: &csv::StringRecord) {
        let mut sections: BTreeMap<Section, Flat> = BTreeMap::new();
        for (column, text) in columns.iter().zip(record) {
            for (section, name) in column {
                self.put(&mut sections, *section, name, text);
            }
        }
        if sections.is_empty() {
            // A row of empty fields is how spreadsheets end.
            return;
        }
        for (field, value) in self.map.iter().flat_map(|map| &map.constants) {
            if let Ok((section, name)) = target(field) {
                let row = sections.entry(section).or_default();
                row.entry(name).or_insert_with(|| Value::from(value.clone()));
            }
        }
        self.complete(&mut sections);
        for (section, row) in &sections {
            let added = match section {
                Section::Identity => self.identity(place, row),
                _ => self.rows.add(*section, place, row),
            };
            if let Err(reason) = added {
                self.rows.refuse(*section, place, &reason);
            }
        }
    }

    /// Puts a field into its row, unless it is empty.
    fn put(&self, sections: &mut BTreeMap<Section, Flat>, section: Section, name: &str, text: &str) {
        let text = text.trim();
        let prefix = match section {
            Section::People => "person",
            Section::Coverage => "coverage",
            Section::Identity => "identity",
            Section::Credential => "credential",
        };
        let meanings = self.map.and_then(|map| {
            map.values
                .get(&format!("{prefix}.{name}"))
                .or_else(|| map.values.get(name).filter(|_| name.starts_with("join.")))
        });
        let text = meanings.and_then(|meanings| meanings.get(text)).map_or(text, String::as_str);
        if !text.is_empty() {
            sections.entry(section).or_default().insert(name.to_owned(), Value::from(text));
        }
    }

    /// Fills in what follows from the rest of the row: whose credential it is, and an id for it.
    fn complete(&self, sections: &mut BTreeMap<Section, Flat>) {
        let identity = sections.get(&Section::Identity).and_then(|row| row.get("id")).cloned();
        let provider = sections.get(&Section::Identity).and_then(|row| row.get("provider")).cloned();
        let Some(credential) = sections.get_mut(&Section::Credential) else { return };
        if let Some(identity) = identity {
            credential.entry("identity".into()).or_insert(identity);
        }
        if credential.contains_key("id") {
            return;
        }
        let text = |name: &str| credential.get(name).and_then(Value::as_str);
        let first_id = text("join.ids").and_then(|ids| ids.split(';').next()).map(|id| id.trim().to_owned());
        let provider = text("provider").or_else(|| provider.as_ref().and_then(Value::as_str));
        let by_record = provider.zip(text("record_id")).map(|(provider, id)| format!("{provider}:{id}"));
        let id = first_id.or(by_record).and_then(|id| normalised(KeyKind::Id, &id).ok());
        if let Some(id) = id {
            credential.insert("id".into(), Value::from(id));
        }
    }

    /// Adds an identity, or checks that a further row of it says nothing else.
    fn identity(&mut self, place: &str, row: &Flat) -> Result<(), String> {
        let id = row.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if let Some((first, known)) = self.identities.get(&id) {
            // A further row may leave out what the first says, and no more.
            let differs = row.iter().find(|(name, value)| known.get(*name) != Some(*value));
            return match differs {
                Some((name, _)) => Err(format!("differs in {name} from the one at {first}, which has the same id")),
                None => Ok(()),
            };
        }
        self.rows.add(Section::Identity, place, row)?;
        self.identities.insert(id, (place.to_owned(), row.clone()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> FileFacts {
        FileFacts { name: "list.csv".into(), as_of: "2026-11-20".into() }
    }

    fn read(text: &str) -> Result<Batch> {
        hand_kept::parse(Format::Csv, text.as_bytes(), &facts())
    }

    fn told(batch: &Batch) -> Vec<String> {
        batch.rejected.iter().map(|rejected| format!("{}: {}", rejected.place, rejected.reason)).collect()
    }

    #[test]
    fn one_row_a_credential_and_an_identity_in_several_rows() {
        let batch = read(
            "\u{feff}identity.id,identity.owner,identity.scopes,credential.type,join.ids,join.hint_head,join.hint_tail\r\n\
             bot,a@acme.example,\"x; y\",openai-project-key,openai:key_1,sk-proj-EXa,9Zq\r\n\
             bot,,,openai-project-key,openai:key_2,,\r\n,,,,,,\r\n",
        )
        .expect("read");
        assert_eq!(told(&batch), Vec::<String>::new());
        assert_eq!((batch.identities.len(), batch.credentials.len()), (1, 2));
        assert_eq!(batch.identities[0].scopes, ["x", "y"]);
        let second = &batch.credentials[1];
        assert_eq!((second.id.as_str(), second.identity.as_deref()), ("openai:key_2", Some("bot")));
        assert!(second.join.hint.is_none() && batch.credentials[0].join.hint.is_some());
    }

    #[test]
    fn rows_at_fault_are_refused_by_line_and_the_others_kept() {
        let batch = read(
            "identity.id,identity.environment,credential.type\n\
             a,moon,\nb,prod,\nb,dev,\nc,prod\nd,,own-type\n\"e,prod,",
        )
        .expect("read");
        let told = told(&batch);
        assert_eq!(batch.identities.iter().map(|identity| identity.id.as_str()).collect::<Vec<_>>(), ["b", "d"]);
        assert!(told[0].starts_with("line 2: identity environment must be one of"), "{told:?}");
        assert!(told[1].starts_with("line 4: identity differs in environment from the one at line 3"), "{told:?}");
        assert!(told[2].starts_with("line 5: has 2 fields, and the header has 3"), "{told:?}");
        assert!(told[3].starts_with("line 6: credential must have an id"), "{told:?}");
        assert!(told[4].starts_with("line 7: begins a quote"), "{told:?}");
        assert_eq!(told.len(), 5);
    }

    #[test]
    fn a_header_that_nobody_knows_is_a_fault_of_the_file() {
        let refused = |text| read(text).expect_err("must be refused").to_string();
        assert!(refused("identity.id,Owner Email\na,b\n").contains("--map"));
        assert!(refused("identity.id,identity.ownr\na,b\n").contains("did you mean owner?"));
        assert!(refused("identity.id,identity.id\na,b\n").contains("two columns have the same header"));
        assert!(refused("").contains("no row"));
    }

    #[test]
    fn any_table_is_read_by_a_map() {
        let map = ColumnMap::parse(
            "delimiter = \";\"\n[map]\nid = \"Name\"\nowner = \"Owner Email\"\nenvironment = \"Stage\"\n\
             credential.record_id = \"Key\"\ncredential.type = \"Sort\"\n\
             [constant]\nprovider = \"openai\"\n[values.environment]\nProduction = \"prod\"\n",
            "map.toml",
        )
        .expect("a map");
        let table =
            "Name;Owner Email;Stage;Key;Sort;Ignored\nbot;a@acme.example;Production;key_1;openai-project-key;x\n";
        let batch = parse_mapped(table.as_bytes(), &map, &facts()).expect("read");
        assert_eq!(told(&batch), Vec::<String>::new());
        let identity = &batch.identities[0];
        assert_eq!((identity.environment.as_deref(), identity.provider.as_deref()), (Some("prod"), Some("openai")));
        assert_eq!(identity.owner.as_deref(), Some("a@acme.example"));
        assert_eq!(batch.credentials[0].id, "openai:key_1");
        let missing = parse_mapped(b"Name;Stage\nbot;x\n", &map, &facts()).expect_err("refused").to_string();
        assert!(missing.contains("which the map names"), "{missing}");
    }

    #[test]
    fn a_map_at_fault_is_refused() {
        let refused = |text| ColumnMap::parse(text, "map.toml").expect_err("must be refused").to_string();
        assert!(refused("").contains("no [map]"));
        assert!(refused("[map]\nownr = \"x\"\n").contains("no field"));
        assert!(refused("map = 1").contains("map.toml"));
        assert!(refused("delimiter = \"ab\"\n[map]\nowner = \"x\"\n").contains("one character"));
    }
}
