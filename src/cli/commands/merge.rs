//! `credtrace merge`: makes one report of several, by fingerprint.

use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail};
use clap::Args;

use super::answers;
use super::scan::{self, Destination};
use crate::cli::args::{DetectorSelection, FailOn, format_parser};
use crate::cli::exit::Status;
use crate::cli::{resolve, words};
use crate::finding::Report;
use crate::report::Format;
use crate::report::merge::Merger;

/// Examples, and how it ends.
const AFTER: &str = "Examples:
  credtrace merge machine-1.jsonl machine-2.jsonl --format html --output sweep.html
  credtrace merge reports/*.jsonl | credtrace diff last-week.jsonl -

Exit status: 0 no finding, 1 findings, 2 a report is not complete or cannot be joined.";

/// Arguments of `credtrace merge`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct MergeArguments {
    /// Reports in JSON or JSONL, all under one fingerprint key; - is standard input
    #[arg(value_name = "REPORT", required = true)]
    pub reports: Vec<PathBuf>,

    /// How to write the report; human on a terminal, jsonl elsewhere
    #[arg(long, value_parser = format_parser())]
    pub format: Option<Format>,

    /// Write the report to a file, whole or not at all
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Keep the secrets that reports of `scan --show-secrets` hold; they are left out otherwise
    #[arg(long)]
    pub show_secrets: bool,

    /// More detectors, from the .toml files of a folder, for their names in the report
    #[arg(long, value_name = "DIR")]
    pub detectors: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// What is no report, is of another version or under another key, or a report that cannot be written.
pub fn run(arguments: &MergeArguments) -> Result<Status> {
    let selection = DetectorSelection { folder: arguments.detectors.clone(), ..DetectorSelection::default() };
    let registry = resolve::registry(&selection)?;
    refuse_doubles(&arguments.reports)?;
    let mut report = merged(&arguments.reports)?;
    if !arguments.show_secrets {
        report.findings.iter_mut().for_each(|finding| finding.secret = None);
    }
    let destination = Destination {
        format: resolve::format(arguments.format, arguments.output.as_deref()),
        output: arguments.output.as_deref(),
        private: arguments.show_secrets,
    };
    scan::write(&report, &destination, &registry)?;
    if destination.format != Format::Human || arguments.output.is_some() {
        scan::tell(&report);
    }
    Ok(Status::of(&report, FailOn::Any))
}

/// Reads reports into one.
///
/// # Errors
/// What is no report or cannot be joined with those before it.
pub(super) fn merged(reports: &[PathBuf]) -> Result<Report> {
    let mut merger = Merger::default();
    for path in reports {
        let name = words::without_credentials(&path.display().to_string());
        let taken = answers::read_parts(path, &mut |part| merger.take(&name, part));
        if let Some(cut) = taken.map_err(|error| anyhow!("{name}: {error:#}"))? {
            merger.cut(&name, &cut);
        }
    }
    Ok(merger.finish())
}

/// A report that is named twice would be counted twice.
fn refuse_doubles(reports: &[PathBuf]) -> Result<()> {
    let known = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let mut all: Vec<PathBuf> = reports.iter().map(|path| known(path)).collect();
    all.sort();
    match all.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => bail!("{} is named twice; its counts would be added twice", pair[0].display()),
        None => Ok(()),
    }
}
