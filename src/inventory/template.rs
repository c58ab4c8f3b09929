//! An inventory to begin with, in each form of a hand-kept file. It imports cleanly and names every field that there is.

use serde_json::Value;

use super::fields::{Form, of};
use super::hand_kept::{Format, Section, json_of};
use super::ingest::RecordKind;

/// The template, with comments.
const TOML: &str = include_str!("template.toml");

/// Returns the template in a form.
pub fn template(format: Format) -> String {
    match format {
        Format::Toml => TOML.to_owned(),
        Format::Json => format!("{:#}\n", document()),
        Format::Csv => table(),
    }
}

fn document() -> Value {
    let file: toml::Table = toml::from_str(TOML).expect("the template is TOML, as a test shows");
    json_of(toml::Value::Table(file))
}

/// Every column with the values of the template's identity and credential.
fn table() -> String {
    let document = document();
    let mut header = Vec::new();
    let mut row = Vec::new();
    for (section, kind) in [(Section::Identity, RecordKind::Identity), (Section::Credential, RecordKind::Credential)] {
        let example = &document[kind.name()][0];
        for (name, form) in of(kind) {
            if *form == Form::Hint {
                continue;
            }
            let name = name.replace(".*", ".spiffe");
            let path = format!("/{}", name.replace('.', "/"));
            header.push(column(section, &name));
            row.push(example.pointer(&path).map(cell).unwrap_or_default());
        }
    }
    format!("{}\n{}\n", header.join(","), row.join(","))
}

/// Writes a field's name as the CSV form does.
fn column(section: Section, name: &str) -> String {
    match (section, name.starts_with("join.")) {
        (Section::Credential, true) => name.replace("hint.", "hint_").replace("jwt.", "jwt_"),
        (Section::Credential, false) => format!("credential.{name}"),
        _ => format!("identity.{name}"),
    }
}

fn cell(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(";"),
        other => other.to_string(),
    };
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
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
