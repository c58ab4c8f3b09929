//! `credtrace detectors`: what is looked for, and whether the detectors keep what they promise.

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};

use super::answers::Written;
use super::generate::word;
use crate::cli::args::{DetectorSelection, DetectorsAction, DetectorsArguments};
use crate::cli::exit::Status;
use crate::cli::{resolve, talk};
use crate::detector::compile::Detector;
use crate::detector::registry::Registry;
use crate::scan::check;

/// Runs the command.
///
/// # Errors
/// An unknown id, a folder at fault, or what standard output says.
pub fn run(arguments: &DetectorsArguments) -> Result<Status> {
    match &arguments.action {
        DetectorsAction::List { selection, format } => list(&resolve::registry(selection)?, *format),
        DetectorsAction::Show { id, selection } => show(id, selection),
        DetectorsAction::Check { folder } => check_all(folder.as_deref()),
    }
}

fn list(registry: &Registry, format: Written) -> Result<Status> {
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    if format == Written::Json {
        serde_json::to_writer_pretty(&mut output, registry.detectors())?;
        writeln!(output)?;
    } else {
        for detector in registry.detectors() {
            let severity = word(&detector.severity());
            writeln!(output, "{:<40} {:<14} {:<9} {}", detector.id, detector.provider, severity, detector.name)?;
        }
    }
    output.flush()?;
    Ok(Status::Clean)
}

fn show(id: &str, selection: &DetectorSelection) -> Result<Status> {
    let registry = resolve::registry(selection)?;
    let Some(detector) = registry.get(id) else {
        let like: Vec<&str> = registry
            .detectors()
            .iter()
            .map(|detector| detector.id.as_str())
            .filter(|known| known.contains(id) || id.contains(known.split('-').next().unwrap_or(known)))
            .take(6)
            .collect();
        let hint = match like.is_empty() {
            true => "; `credtrace detectors list` names them all".to_owned(),
            false => format!("; there are {}", like.join(", ")),
        };
        bail!("no detector {id:?}{hint}");
    };
    let mut output = std::io::stdout().lock();
    output.write_all(description(detector)?.as_bytes())?;
    Ok(Status::Clean)
}

/// The fields that a reader wants first, in this order.
const FIRST: [&str; 11] = [
    "id",
    "name",
    "provider",
    "kind",
    "privilege",
    "severity",
    "confidence",
    "shapes",
    "pattern",
    "keywords",
    "environment",
];

/// Everything that is known of a detector, as TOML without what is empty, the most telling fields first.
fn description(detector: &Detector) -> Result<String> {
    let mut rest = toml::Table::try_from(detector)?;
    rest.insert("severity".into(), toml::Value::String(word(&detector.severity())));
    prune(&mut rest);
    let mut text = String::new();
    for name in FIRST {
        if let Some(value) = rest.remove(name) {
            text += &toml::to_string_pretty(&toml::Table::from_iter([(name.to_owned(), value)]))?;
        }
    }
    Ok(text + &toml::to_string_pretty(&rest)?)
}

/// Takes out what says nothing: empty lists, texts and tables, and what is not the case.
fn prune(table: &mut toml::Table) {
    for (_, field) in table.iter_mut() {
        if let toml::Value::Table(inner) = field {
            prune(inner);
        }
    }
    table.retain(|_, field| match field {
        toml::Value::Array(items) => !items.is_empty(),
        toml::Value::String(text) => !text.is_empty(),
        toml::Value::Table(inner) => !inner.is_empty(),
        toml::Value::Boolean(held) => *held,
        _ => true,
    });
}

fn check_all(folder: Option<&Path>) -> Result<Status> {
    let (registry, outcome) = match folder {
        Some(folder) => {
            let registry = Registry::with_folder(folder)?;
            let outcome = check::check_folder(&registry, folder)?;
            (registry, outcome)
        }
        None => {
            let registry = Registry::built_in();
            let outcome = check::check(&registry)?;
            (registry, outcome)
        }
    };
    for fault in &outcome.faults {
        talk(&format!("credtrace: {fault}"));
    }
    let mut output = std::io::stdout().lock();
    writeln!(
        output,
        "{} detectors, {} examples, {} counter-examples, engines {}: {}",
        registry.len(),
        outcome.examples,
        outcome.counter_examples,
        outcome.engines.join(" and "),
        if outcome.faults.is_empty() {
            "all as they should be".to_owned()
        } else {
            format!("{} faults", outcome.faults.len())
        }
    )?;
    Ok(if outcome.faults.is_empty() { Status::Clean } else { Status::Failed })
}
