//! `credtrace diff`: what a report has that an earlier one had not.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use super::answers;
use super::merge::merged;
use super::scan::width;
use crate::cli::args::DetectorSelection;
use crate::cli::exit::Status;
use crate::cli::resolve;
use crate::report::diff::{self, Difference};
use crate::report::{Options, RuleInfo};
use crate::secret;

/// How it ends.
const AFTER: &str =
    "Exit status: 0 nothing is new, 1 something is, 2 a report is not complete, or they cannot be compared.";

/// Arguments of `credtrace diff`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct DiffArguments {
    /// The earlier report, in JSON or JSONL; - is standard input
    #[arg(value_name = "OLD")]
    pub old: PathBuf,

    /// The later report of the same targets, under the same fingerprint key
    #[arg(value_name = "NEW")]
    pub new: PathBuf,

    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    pub format: DiffFormat,

    /// Write it to a file, whole or not at all
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// More detectors, from the .toml files of a folder, for their names
    #[arg(long, value_name = "DIR")]
    pub detectors: Option<PathBuf>,
}

/// How a difference is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For people
    Human,
    /// One JSON document
    Json,
    /// One JSON object a line, the summary last
    Jsonl,
}

/// Runs the command.
///
/// # Errors
/// What is no report, is of another version, or is under another key than the other one.
pub fn run(arguments: &DiffArguments) -> Result<Status> {
    let selection = DetectorSelection { folder: arguments.detectors.clone(), ..DetectorSelection::default() };
    let registry = resolve::registry(&selection)?;
    let mut old = merged(std::slice::from_ref(&arguments.old))?;
    let mut new = merged(std::slice::from_ref(&arguments.new))?;
    for finding in old.findings.iter_mut().chain(&mut new.findings) {
        finding.secret = None;
    }
    let key = |report: &crate::finding::Report| {
        report.findings.first().and_then(|finding| secret::key_of(&finding.fingerprint)).map(str::to_owned)
    };
    if let (Some(one), Some(other)) = (key(&old), key(&new))
        && one != other
    {
        bail!(
            "the reports are under different fingerprint keys ({one}, {other}), so the same secret has another fingerprint \
             in each; scan with one key for both, in CREDTRACE_FINGERPRINT_KEY or with --fingerprint-key-file"
        );
    }
    let difference = diff::difference(&old, &new);
    let rules = |id: &str| registry.get(id).map(RuleInfo::from);
    let options = Options { width: width(), rules: &rules, ..Options::default() };
    answers::put(arguments.output.as_deref(), |output| match arguments.format {
        DiffFormat::Human => diff::write_human(&difference, &options, output),
        DiffFormat::Json => diff::write_document(&difference, output),
        DiffFormat::Jsonl => diff::write_lines(&difference, output),
    })?;
    Ok(status(&difference))
}

fn status(difference: &Difference<'_>) -> Status {
    match (difference.summary.complete, difference.summary.new) {
        (false, _) => Status::Failed,
        (true, 0) => Status::Clean,
        (true, _) => Status::Findings,
    }
}
