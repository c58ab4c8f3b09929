//! The fields that a hand-kept file may have, each with its form: one table for TOML, JSON and CSV. A row is read field by
//! field, so that a fault names its field, and a misspelt one is never passed over.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::ingest::RecordKind;
use super::keys::parse_hint;
use super::times;

/// The longest text of a field, in bytes.
const LONGEST_TEXT: usize = 4096;
/// The most entries of a list.
const MOST_ENTRIES: usize = 1024;

/// The form of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// A provider's name, in lower case.
    Slug,
    OneOf(&'static [&'static str]),
    Flag,
    Number,
    /// Texts; in one text, `;` stands between them.
    List,
    /// A day or a moment.
    Time,
    /// The same, or `never`.
    TimeOrNever,
    /// A redacted form in one text.
    Hint,
}

/// A field: its dotted name within the record and its form. A name that ends with `.*` stands for any name there.
pub(super) type Field = (&'static str, Form);

const KINDS: &[&str] =
    &["human", "service_account", "api_key", "oauth_app", "oauth_grant", "agent", "workload", "ci", "device"];
const ENVIRONMENTS: &[&str] = &["prod", "staging", "test", "dev", "sandbox", "unknown"];
const PRIVILEGES: &[&str] = &["inference", "read", "write", "deploy", "admin", "org-admin", "unknown"];

const PERSON: &[Field] = &[
    ("id", Form::Text),
    ("name", Form::Text),
    ("email", Form::Text),
    ("status", Form::OneOf(&["active", "left", "leave"])),
    ("manager", Form::Text),
    ("team", Form::Text),
    ("aliases", Form::List),
];

const IDENTITY: &[Field] = &[
    ("id", Form::Text),
    ("kind", Form::OneOf(KINDS)),
    ("name", Form::Text),
    ("provider", Form::Slug),
    ("account", Form::Text),
    ("container", Form::Text),
    ("environment", Form::OneOf(ENVIRONMENTS)),
    ("owner", Form::Text),
    ("backup_owner", Form::Text),
    ("team", Form::Text),
    ("sponsor", Form::Text),
    ("created_by", Form::Text),
    ("owner_access", Form::OneOf(&["active", "inactive"])),
    ("ai_system", Form::Text),
    ("purpose", Form::Text),
    ("approved", Form::Flag),
    ("approval_ref", Form::Text),
    ("privilege", Form::OneOf(PRIVILEGES)),
    ("needs", Form::OneOf(PRIVILEGES)),
    ("scopes", Form::List),
    ("reaches", Form::List),
    ("consumers", Form::List),
    ("data_classes", Form::List),
    ("interactive_use", Form::Flag),
    ("third_party", Form::Flag),
    ("created", Form::Time),
    ("last_used", Form::TimeOrNever),
    ("last_rotated", Form::TimeOrNever),
    ("expires", Form::TimeOrNever),
    ("review_due", Form::Time),
    ("max_age_days", Form::Number),
    ("status", Form::OneOf(&["active", "disabled", "revoked", "retired", "pending"])),
    ("external_ids.*", Form::Text),
    ("revoke.runbook", Form::Text),
    ("revoke.reversible", Form::Flag),
    ("revoke.overlap", Form::Flag),
    ("revoke.contact", Form::Text),
];

const CREDENTIAL: &[Field] = &[
    ("id", Form::Text),
    ("identity", Form::Text),
    ("type", Form::Text),
    ("provider", Form::Slug),
    ("account", Form::Text),
    ("name", Form::Text),
    ("record_id", Form::Text),
    ("status", Form::OneOf(&["active", "disabled", "revoked", "expired", "pending"])),
    ("issued", Form::Time),
    ("expires", Form::TimeOrNever),
    ("last_used", Form::TimeOrNever),
    ("stored_at", Form::Text),
    ("created_by", Form::Text),
    ("scopes", Form::List),
    ("join.fp", Form::List),
    ("join.digests", Form::List),
    ("join.ids", Form::List),
    ("join.public_ids", Form::List),
    ("join.hint", Form::Hint),
    ("join.hint.head", Form::Text),
    ("join.hint.tail", Form::Text),
    ("join.hint.source", Form::Text),
    ("join.account", Form::List),
    ("join.jwt.iss", Form::Text),
    ("join.jwt.sub", Form::Text),
    ("join.jwt.jti", Form::Text),
    ("join.jwt.kid", Form::Text),
];

/// The fields of an entry of `[[coverage]]`.
pub(super) const COVERAGE: &[Field] = &[
    ("provider", Form::Slug),
    ("account", Form::Text),
    ("as_of", Form::Time),
    ("complete", Form::Flag),
    ("source", Form::Text),
];

/// Returns the fields of a kind of record.
pub(super) fn of(kind: RecordKind) -> &'static [Field] {
    match kind {
        RecordKind::Person => PERSON,
        RecordKind::Identity => IDENTITY,
        RecordKind::Credential => CREDENTIAL,
    }
}

/// Returns the form of a field.
pub(super) fn form(fields: &[Field], name: &str) -> Option<Form> {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(prefix) => name.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty()),
        None => pattern == name,
    };
    fields.iter().find(|(pattern, _)| fits(pattern)).map(|(_, form)| *form)
}

/// Names what a misspelt field may have meant.
pub(super) fn unknown(fields: &[Field], name: &str) -> String {
    let near = fields.iter().map(|(known, _)| *known).filter(|known| distance(known, name) <= 2);
    match near.min_by_key(|known| distance(known, name)) {
        Some(near) => format!("has no field {}; did you mean {near}?", shown(name)),
        None => format!("has no field {}; `credtrace inventory template` shows them all", shown(name)),
    }
}

/// Writes a name that came from outside, cut to a length.
fn shown(name: &str) -> String {
    let short: String = name.chars().take(48).collect();
    format!("{short:?}")
}

/// How many characters must be put in, taken out or changed to make one word the other.
fn distance(left: &str, right: &str) -> usize {
    if left.len().abs_diff(right.len()) > 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.bytes().enumerate() {
        let mut before = row[0];
        row[0] = index + 1;
        for (place, other) in right.bytes().enumerate() {
            let change = before + usize::from(letter != other);
            before = row[place + 1];
            row[place + 1] = change.min(before + 1).min(row[place] + 1);
        }
    }
    row[right.len()]
}

/// A row by the dotted names of its fields.
pub(super) type Flat = BTreeMap<String, Value>;

/// Takes a table apart into dotted names.
pub(super) fn flattened(table: &Map<String, Value>) -> Flat {
    fn add(table: &Map<String, Value>, prefix: &str, depth: usize, flat: &mut Flat) {
        for (name, value) in table {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            match value {
                Value::Object(inner) if depth < 4 => add(inner, &path, depth + 1, flat),
                _ => {
                    flat.insert(path, value.clone());
                }
            }
        }
    }
    let mut flat = Flat::new();
    add(table, "", 0, &mut flat);
    flat
}

/// Reads a row as a record.
///
/// # Errors
/// Which field is at fault, and how.
pub(super) fn record<T: serde::de::DeserializeOwned>(fields: &[Field], row: &Flat) -> Result<T, String> {
    let mut record = Map::new();
    for (name, value) in row {
        let form = form(fields, name).ok_or_else(|| unknown(fields, name))?;
        if let Some(value) = read(form, value).map_err(|reason| format!("{name} {reason}"))? {
            put(&mut record, name, value);
        }
    }
    serde_json::from_value(Value::Object(record)).map_err(|error| error.to_string())
}

/// Puts a value at a dotted name. A hint in one text and in parts may stand together; the parts count.
fn put(record: &mut Map<String, Value>, name: &str, value: Value) {
    match name.split_once('.') {
        Some((outer, inner)) => {
            let entry = record.entry(outer).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(entry) = entry {
                put(entry, inner, value);
            }
        }
        None => {
            record.insert(name.to_owned(), value);
        }
    }
}

/// Reads a value, or nothing where it is empty.
fn read(form: Form, value: &Value) -> Result<Option<Value>, String> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.trim(),
        Value::Array(list) if form == Form::List => return list_of(list.iter()).map(Some),
        Value::Bool(flag) if form == Form::Flag => return Ok(Some(Value::Bool(*flag))),
        // Ids are numbers in some exports.
        Value::Number(number) if matches!(form, Form::Text | Form::Number) => &number.to_string(),
        _ => return Err(wanted(form)),
    };
    if text.is_empty() {
        return Ok(None);
    }
    if form == Form::List {
        let parts: Vec<Value> = text.split(';').map(Value::from).collect();
        return list_of(parts.iter()).map(Some);
    }
    let text = sound(text)?;
    match form {
        Form::Text => Ok(Value::from(text)),
        Form::Slug => Ok(Value::from(text.to_ascii_lowercase())),
        Form::OneOf(words) => {
            let word = words.iter().find(|word| word.eq_ignore_ascii_case(text));
            word.map(|word| Value::from(*word)).ok_or_else(|| wanted(form))
        }
        Form::Flag => flag(text).map(Value::Bool).ok_or_else(|| wanted(form)),
        Form::Number => text.parse::<u32>().map(Value::from).map_err(|_| wanted(form)),
        Form::Time => times::normalised(text).map(Value::from),
        Form::TimeOrNever => time_or_never(text).map(Value::from),
        Form::Hint => match parse_hint(text) {
            Some((head, tail)) => Ok(serde_json::json!({ "head": head, "tail": tail })),
            None => Err(wanted(form)),
        },
        Form::List => Err(wanted(form)),
    }
    .map(Some)
}

fn flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

/// The year 9999 is how many systems write "never".
fn time_or_never(text: &str) -> Result<String, String> {
    if text.eq_ignore_ascii_case("never") || text.starts_with("9999-") {
        return Ok("never".into());
    }
    times::normalised(text).map_err(|reason| format!("{reason}, or never"))
}

fn list_of<'a>(entries: impl Iterator<Item = &'a Value>) -> Result<Value, String> {
    let mut list = Vec::new();
    for entry in entries {
        list.extend(read(Form::Text, entry).map_err(|_| wanted(Form::List))?);
        if list.len() > MOST_ENTRIES {
            return Err(format!("has more than {MOST_ENTRIES} entries"));
        }
    }
    Ok(Value::Array(list))
}

/// Refuses text that is too long or acts on a terminal; line ends are welcome.
fn sound(text: &str) -> Result<&str, String> {
    if text.len() > LONGEST_TEXT {
        return Err(format!("has more than {LONGEST_TEXT} bytes"));
    }
    match text.chars().any(|character| character.is_control() && !matches!(character, '\n' | '\r' | '\t')) {
        true => Err("holds control characters".into()),
        false => Ok(text),
    }
}

fn wanted(form: Form) -> String {
    match form {
        Form::Text | Form::Slug => "must be text".into(),
        Form::OneOf(words) => format!("must be one of {}", words.join(", ")),
        Form::Flag => "must be true or false".into(),
        Form::Number => "must be a whole number of days".into(),
        Form::List => "must be a list of texts".into(),
        Form::Time => "must be a day, such as 2026-11-20".into(),
        Form::TimeOrNever => "must be a day, such as 2026-11-20, or never".into(),
        Form::Hint => "must show a beginning and an end with a gap between, such as sk-proj-EXa...9Zq".into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::inventory::model::{CredentialRecord, IdentityRecord};

    fn identity(row: Value) -> Result<IdentityRecord, String> {
        record(IDENTITY, &flattened(row.as_object().expect("an object")))
    }

    #[test]
    fn each_form_is_read_from_its_own_kind_and_from_text() {
        let known = identity(json!({"id": 42, "provider": "OpenAI", "environment": "Prod", "approved": "yes",
            "max_age_days": "90", "scopes": "a; b;;c", "consumers": ["x"], "expires": "9999-12-31T23:59:59Z",
            "sponsor": "  ", "external_ids": {"spiffe": "spiffe://a/b", "other": ""},
            "revoke": {"overlap": true}}))
        .expect("a record");
        assert_eq!((known.id.as_str(), known.provider.as_deref()), ("42", Some("openai")));
        assert_eq!(
            (known.environment.as_deref(), known.approved, known.max_age_days),
            (Some("prod"), Some(true), Some(90))
        );
        assert_eq!((known.scopes.len(), known.consumers.len(), known.expires.as_deref()), (3, 1, Some("never")));
        assert_eq!((known.sponsor, known.external_ids.len()), (None, 1));
        assert_eq!(known.revoke.expect("a plan").overlap, Some(true));
    }

    #[test]
    fn a_fault_names_its_field() {
        let fault = |row| identity(row).expect_err("must be refused");
        assert!(fault(json!({"ownr": "x"})).contains("did you mean owner?"));
        assert!(fault(json!({"quite_another": 1})).contains("template"));
        assert!(fault(json!({"environment": "moon"})).starts_with("environment must be one of prod"));
        assert!(fault(json!({"created": "-1"})).starts_with("created must be a day"));
        assert!(fault(json!({"name": {"deep": {"deeper": 1}}})).contains("no field"));
        assert!(fault(json!({"name": "a\u{1b}[2J"})).contains("control"));
        assert!(fault(json!({"scopes": [[1]]})).starts_with("scopes must be a list"));
        assert!(fault(json!({"purpose": "x".repeat(5000)})).starts_with("purpose has more"));
    }

    #[test]
    fn a_hint_is_read_whole_and_in_parts() {
        let read = |row: Value| record::<CredentialRecord>(CREDENTIAL, &flattened(row.as_object().expect("an object")));
        let whole = read(json!({"id": "a", "join": {"hint": "sk-EXa...9Zq"}})).expect("a record");
        let parts = read(json!({"id": "a", "join": {"hint": {"head": "sk-EXa", "tail": "9Zq"}}})).expect("a record");
        assert_eq!(whole, parts);
        assert!(read(json!({"id": "a", "join": {"hint": "whole-value"}})).expect_err("refused").contains("gap"));
    }

    #[test]
    fn the_table_has_every_field_of_the_records() {
        let names = |fields: &[Field]| -> Vec<String> {
            let outer = fields.iter().map(|(name, _)| name.split('.').next().unwrap_or_default().to_owned());
            std::collections::BTreeSet::from_iter(outer).into_iter().collect()
        };
        for (fields, unknown) in [
            (
                PERSON,
                serde_json::from_str::<crate::inventory::model::Person>("{\"?\":1}").map(|_| ()).expect_err("unknown"),
            ),
            (IDENTITY, serde_json::from_str::<IdentityRecord>("{\"?\":1}").map(|_| ()).expect_err("unknown")),
            (CREDENTIAL, serde_json::from_str::<CredentialRecord>("{\"?\":1}").map(|_| ()).expect_err("unknown")),
        ] {
            // The message of an unknown field lists the known ones.
            let text = unknown.to_string();
            let mut known: Vec<String> = text.split('`').skip(3).step_by(2).map(str::to_owned).collect();
            known.sort();
            assert_eq!(names(fields), known);
        }
    }
}
