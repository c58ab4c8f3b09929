//! `credtrace inventory list` and `coverage`.

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};
use jiff::Timestamp;
use serde_json::json;
use unicode_width::UnicodeWidthStr;

use super::{ListArguments, ListFormat, Written};
use crate::cli::exit::Status;
use crate::cli::{home, talk};
use crate::inventory::hand_kept::SCHEMA;
use crate::inventory::model::{Coverage, CredentialRecord, IdentityRecord, Person};
use crate::inventory::records::{self, Filter};
use crate::inventory::template;
use crate::report::escape::terminal;
use crate::store::Store;

/// Runs `list`.
pub(super) fn list(arguments: &ListArguments, store: Option<&Path>) -> Result<Status> {
    let Some(store) = home::store_for_questions(store)? else { bail!(home::no_inventory()) };
    let filter = Filter {
        provider: arguments.provider.as_deref().map(str::to_ascii_lowercase),
        owner: arguments.owner.clone(),
        environment: arguments.env.clone(),
        ai: arguments.ai,
        ..Filter::default()
    };
    let identities = records::identities(&store, &filter)?;
    let mut entries = Vec::new();
    for identity in identities {
        let credentials = records::credentials_of(&store, &identity.id)?;
        entries.push((identity, credentials));
    }
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    match arguments.format {
        ListFormat::Human => output.write_all(human(&store, &entries)?.as_bytes())?,
        ListFormat::Json => write_json(&mut output, &store, &entries)?,
        ListFormat::Csv => output.write_all(template::table(&entries).as_bytes())?,
    }
    output.flush()?;
    if entries.is_empty() {
        let any = !records::imports(&store)?.is_empty();
        let fits = if any { "no identity fits" } else { "nothing was imported yet" };
        talk(&format!("credtrace: {}: {fits}", store.path().display()));
        return Ok(if any { Status::Clean } else { Status::Failed });
    }
    Ok(Status::Clean)
}

/// An identity with its credentials.
type Entry = (IdentityRecord, Vec<CredentialRecord>);

/// The same form that is imported, so that a list can be kept by hand from there on.
fn write_json(output: &mut dyn Write, store: &Store, entries: &[Entry]) -> Result<()> {
    let identities: Vec<&IdentityRecord> = entries.iter().map(|entry| &entry.0).collect();
    let credentials: Vec<&CredentialRecord> = entries.iter().flat_map(|entry| &entry.1).collect();
    let mut people: Vec<Person> = Vec::new();
    for identity in &identities {
        for name in [&identity.owner, &identity.backup_owner].into_iter().flatten() {
            let person = records::person(store, name)?;
            people.extend(person.filter(|person| !people.iter().any(|known| known.id == person.id)));
        }
    }
    people.sort_by(|left, right| left.id.cmp(&right.id));
    let document = json!({
        "schema": SCHEMA, "people": people, "coverage": records::all_coverage(store, None)?, "identity": identities,
        "credential": credentials,
    });
    serde_json::to_writer_pretty(&mut *output, &document)?;
    writeln!(output)?;
    Ok(())
}

fn human(store: &Store, entries: &[Entry]) -> Result<String> {
    if entries.is_empty() {
        return Ok(String::new());
    }
    let mut rows =
        vec![["IDENTITY", "OWNER", "ENVIRONMENT", "AT", "AI SYSTEM", "STATUS", "CREDENTIALS"].map(str::to_owned)];
    for (identity, credentials) in entries {
        rows.push([
            identity.id.clone(),
            owner(store, identity)?,
            word(identity.environment.as_deref()),
            place(identity.provider.as_deref(), identity.account.as_deref()),
            word(identity.ai_system.as_deref()),
            word(identity.status.as_deref()),
            credentials.len().to_string(),
        ]);
    }
    Ok(table(&rows))
}

/// Names the owner, and what is amiss with them.
fn owner(store: &Store, identity: &IdentityRecord) -> Result<String> {
    let Some(owner) = &identity.owner else {
        return Ok(match &identity.team {
            Some(team) => format!("none (team {team})"),
            None => "none".into(),
        });
    };
    let person = records::person(store, owner)?;
    let status = person.as_ref().and_then(|person| person.status.as_deref()).filter(|status| *status != "active");
    let name = person.as_ref().map_or(owner, |person| &person.id);
    Ok(status.map_or_else(|| name.clone(), |status| format!("{name} ({status})")))
}

fn place(provider: Option<&str>, account: Option<&str>) -> String {
    [provider, account].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn word(text: Option<&str>) -> String {
    text.unwrap_or("-").to_owned()
}

/// Lays rows out in columns.
fn table<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let clean: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| terminal(cell).into_owned()).collect()).collect();
    let width = |column: usize| clean.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
    let mut text = String::new();
    for row in &clean {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// Runs `coverage`.
pub(super) fn coverage(format: Written, store: Option<&Path>) -> Result<Status> {
    let Some(store) = home::store_for_questions(store)? else { bail!(home::no_inventory()) };
    let entries = records::all_coverage(&store, None)?;
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    if format == Written::Json {
        serde_json::to_writer_pretty(&mut output, &entries)?;
        writeln!(output)?;
    } else {
        let header = ["PROVIDER", "ACCOUNT", "AS OF", "DAYS", "COMPLETE", "CREDENTIALS", "NOT RECOGNISABLE", "SOURCE"];
        let mut rows = vec![header.map(str::to_owned)];
        for entry in &entries {
            rows.push(coverage_row(&store, entry)?);
        }
        output.write_all(table(&rows).as_bytes())?;
    }
    output.flush()?;
    if entries.is_empty() {
        talk("credtrace: the inventory covers nothing: of an unknown credential it cannot be said that nobody has it");
    }
    Ok(Status::Clean)
}

fn coverage_row(store: &Store, entry: &Coverage) -> Result<[String; 8]> {
    let account = Some(entry.account.as_str()).filter(|account| !account.is_empty());
    Ok([
        entry.provider.clone(),
        account.unwrap_or("all").to_owned(),
        entry.as_of.clone(),
        days_since(&entry.as_of, Timestamp::now()),
        if entry.complete { "yes" } else { "no" }.to_owned(),
        records::count_of_sort(store, &entry.provider, None, None)?.to_string(),
        records::count_unrecognisable(store, &entry.provider)?.to_string(),
        entry.source.clone(),
    ])
}

/// How many days ago a day was.
fn days_since(as_of: &str, now: Timestamp) -> String {
    let midnight = as_of.get(..10).and_then(|day| format!("{day}T00:00:00Z").parse::<Timestamp>().ok());
    midnight.map_or_else(|| "-".into(), |midnight| ((now.as_second() - midnight.as_second()) / 86_400).to_string())
}
