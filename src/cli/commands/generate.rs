//! `credtrace generate`: prints what is made from the program itself, so that it is never out of date.

use std::fmt::Write as _;
use std::io::Write;

use anyhow::Result;
use clap::CommandFactory;

use crate::cli::args::{Arguments, GenerateArguments, Generated};
use crate::cli::exit::Status;
use crate::detector::compile::{Detector, Severity};
use crate::detector::registry::Registry;

/// Runs the command.
///
/// # Errors
/// What standard output says.
pub fn run(arguments: &GenerateArguments) -> Result<Status> {
    let mut output = std::io::stdout().lock();
    match &arguments.what {
        Generated::Man => clap_mangen::Man::new(Arguments::command()).render(&mut output)?,
        Generated::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "credtrace", &mut script);
            output.write_all(&script)?;
        }
        Generated::Schema => output.write_all(crate::report::schema::text().as_bytes())?,
        Generated::DetectorTable => output.write_all(detector_table(&Registry::built_in()).as_bytes())?,
    }
    output.flush()?;
    Ok(Status::Clean)
}

/// Returns the table of detectors in Markdown, as it stands under `docs/`.
pub fn detector_table(registry: &Registry) -> String {
    let mut table = String::from("# Detectors\n\nMade by `credtrace generate detector-table`.\n\n");
    let _ = writeln!(table, "{} detectors of {} providers.\n", registry.len(), providers(registry));
    table.push_str("| provider | detector | what | kind | found by | severity |\n|---|---|---|---|---|---|\n");
    for detector in registry.detectors() {
        let severity = Severity::from(detector.privilege);
        let _ = writeln!(
            table,
            "| {} | `{}` | {} | {} | {} | {} |",
            detector.provider,
            detector.id,
            detector.name,
            word(&detector.kind),
            found_by(detector),
            word(&severity),
        );
    }
    table
}

fn providers(registry: &Registry) -> usize {
    let mut providers: Vec<&str> = registry.detectors().iter().map(|detector| detector.provider.as_str()).collect();
    providers.sort_unstable();
    providers.dedup();
    providers.len()
}

fn found_by(detector: &Detector) -> &'static str {
    match (detector.keywords.is_empty(), detector.shared, detector.publishable) {
        (_, _, true) => "its shape; public by design, not reported",
        (false, _, _) => "the provider's name beside it",
        (true, true, _) => "its shape and the provider's name near it",
        (true, false, _) => "its own shape",
    }
}

/// Returns the name that an enumeration has in files and reports.
pub fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
