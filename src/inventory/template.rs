//! An inventory to begin with, in each form of a hand-kept file, and records written as such a file. The template imports
//! cleanly and names every field that there is.

use std::collections::BTreeSet;

use serde_json::Value;

use super::fields::{Flat, Form, flattened, of, record};
use super::hand_kept::{Format, Section, json_of};
use super::ingest::RecordKind;
use super::model::{CredentialRecord, IdentityRecord};
use crate::report::escape::csv_field;

/// The template, with comments.
const TOML: &str = include_str!("template.toml");

/// Returns the template in a form.
pub fn template(format: Format) -> String {
    match format {
        Format::Toml => TOML.to_owned(),
        Format::Json => format!("{:#}\n", document()),
        Format::Csv => example_table(),
    }
}

fn document() -> Value {
    let file: toml::Table = toml::from_str(TOML).expect("the template is TOML, as a test shows");
    json_of(toml::Value::Table(file))
}

/// Writes identities with their credentials as CSV, one row a credential, every column that there is. What a spreadsheet would
/// reckon with is guarded.
pub fn table(entries: &[(IdentityRecord, Vec<CredentialRecord>)]) -> String {
    let systems: BTreeSet<&String> = entries.iter().flat_map(|(identity, _)| identity.external_ids.keys()).collect();
    let mut columns: Vec<(Section, String)> = Vec::new();
    for (section, kind) in [(Section::Identity, RecordKind::Identity), (Section::Credential, RecordKind::Credential)] {
        for (name, _) in of(kind).iter().filter(|(_, form)| *form != Form::Hint) {
            match name.strip_suffix(".*") {
                Some(prefix) => columns.extend(systems.iter().map(|system| (section, format!("{prefix}.{system}")))),
                None => columns.push((section, (*name).to_owned())),
            }
        }
    }
    let header: Vec<String> = columns.iter().map(|(section, name)| column(*section, name)).collect();
    let mut text = header.join(",") + "\n";
    for (identity, credentials) in entries {
        let identity = serde_json::to_value(identity).unwrap_or_default();
        let credentials = credentials.iter().map(|credential| serde_json::to_value(credential).unwrap_or_default());
        let credentials: Vec<Value> = if credentials.len() == 0 { vec![Value::Null] } else { credentials.collect() };
        for credential in &credentials {
            let cell = |(section, name): &(Section, String)| {
                let record = if *section == Section::Identity { &identity } else { credential };
                csv_field(&text_at(record, name)).into_owned()
            };
            text.push_str(&columns.iter().map(cell).collect::<Vec<_>>().join(","));
            text.push('\n');
        }
    }
    text
}

/// The template's identity and credential as CSV.
fn example_table() -> String {
    let document = document();
    let first = |kind: RecordKind| -> Flat { document[kind.name()][0].as_object().map(flattened).unwrap_or_default() };
    let identity = record(of(RecordKind::Identity), &first(RecordKind::Identity));
    let credential = record(of(RecordKind::Credential), &first(RecordKind::Credential));
    let mut identity: IdentityRecord = identity.expect("the template imports, as a test shows");
    // One such column is enough to show how they are written.
    identity.external_ids.remove("openai_service_account");
    table(&[(identity, vec![credential.expect("the template imports, as a test shows")])])
}

/// Returns the text of a field by its dotted name.
fn text_at(record: &Value, name: &str) -> String {
    let found = name.split_once('.').map_or_else(
        || record.get(name),
        // A name of a free map may hold dots itself.
        |(outer, inner)| {
            record
                .get(outer)
                .and_then(|map| map.get(inner).or_else(|| map.pointer(&format!("/{}", inner.replace('.', "/")))))
        },
    );
    match found {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";"),
        Some(other) => other.to_string(),
    }
}

/// Writes a field's name as the CSV form does.
fn column(section: Section, name: &str) -> String {
    match (section, name.starts_with("join.")) {
        (Section::Credential, true) => name.replace("hint.", "hint_").replace("jwt.", "jwt_"),
        (Section::Credential, false) => format!("credential.{name}"),
        _ => format!("identity.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::hand_kept::{FileFacts, parse};
    use crate::inventory::ingest::{ImportedFile, ingest};
    use crate::store::Store;

    #[test]
    fn each_form_imports_cleanly_and_says_the_same_of_identity_and_credential() {
        let facts = FileFacts { name: "template".into(), as_of: "2026-11-20".into() };
        let read = |format| parse(format, template(format).as_bytes(), &facts).expect("read");
        let (toml, json, csv) = (read(Format::Toml), read(Format::Json), read(Format::Csv));
        for batch in [&toml, &json, &csv] {
            assert_eq!(batch.rejected, Vec::new(), "{}", batch.kind);
            let mut store = Store::in_memory().expect("a store");
            let now = "2026-11-22T00:00:00Z".parse().expect("a time");
            let done = ingest(&mut store, batch, &ImportedFile::default(), now).expect("taken");
            assert_eq!(done.rejected, Vec::new(), "{}", batch.kind);
        }
        assert_eq!(
            (&toml.identities, &toml.credentials, &toml.people),
            (&json.identities, &json.credentials, &json.people)
        );
        assert_eq!(toml.credentials, csv.credentials);
        let mut identity = toml.identities[0].clone();
        identity.external_ids.remove("openai_service_account");
        assert_eq!([identity], csv.identities[..]);
    }

    #[test]
    fn the_template_names_every_field() {
        for kind in RecordKind::ALL {
            for (name, _) in of(kind) {
                let last = name.trim_end_matches(".*").rsplit('.').next().unwrap_or_default();
                assert!(TOML.contains(&format!("{last} = ")), "{}: {name}", kind.name());
            }
        }
    }
}
