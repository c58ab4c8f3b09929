//! `credtrace baseline`: shows what is known, and removes what is over or gone.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use serde::Serialize;

use super::answers::{self, Written};
use crate::baseline::{Baseline, Entry, SCHEMA};
use crate::cli::args::DetectorSelection;
use crate::cli::exit::Status;
use crate::cli::{home, progress, resolve, talk, words};
use crate::detector::registry::Registry;
use crate::finding::Confidence;
use crate::report::escape::terminal;
use crate::scan::{self, ScanOptions};

const EXAMPLES: &str = "Examples:
  credtrace scan . --baseline known.toml --update-baseline --reason 'found at adoption'     makes the file
  credtrace baseline show known.toml
  credtrace baseline prune known.toml          removes what has expired
  credtrace baseline prune known.toml .        also what a scan of . no longer finds

Exit status: 0 done, 2 not everything that was asked could be done.";

/// Arguments of `credtrace baseline`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct BaselineArguments {
    /// What to do with it.
    #[command(subcommand)]
    pub action: BaselineAction,
}

/// What to do with a baseline.
#[derive(Debug, Subcommand)]
pub enum BaselineAction {
    /// List the known credentials, with reason and expiry
    Show {
        /// The baseline
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// How to write it
        #[arg(long, value_enum, default_value = "human")]
        format: Written,
    },
    /// Remove entries that have expired and, where targets are named, those that a scan of them no longer finds
    Prune(PruneArguments),
}

/// Arguments of `credtrace baseline prune`.
#[derive(Debug, Args)]
pub struct PruneArguments {
    /// The baseline
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// All that the baseline is used for: folders, repositories with their history, files
    #[arg(value_name = "TARGET")]
    pub targets: Vec<PathBuf>,

    /// More detectors beside the built-in ones, from the .toml files of a folder
    #[arg(long, value_name = "DIR")]
    pub detectors: Option<PathBuf>,

    /// Read the fingerprint key from a file
    #[arg(long, value_name = "FILE")]
    pub fingerprint_key_file: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// A file that cannot be read or written, or is of another key than the scan.
pub fn run(arguments: &BaselineArguments) -> Result<Status> {
    let today = jiff::Zoned::now().date();
    match &arguments.action {
        BaselineAction::Show { file, format } => show(file, *format, today),
        BaselineAction::Prune(arguments) => prune(arguments, today),
    }
}

/// A baseline, for programs.
#[derive(Serialize)]
struct Shown<'a> {
    schema: &'static str,
    credentials: Vec<ShownEntry<'a>>,
}

#[derive(Serialize)]
struct ShownEntry<'a> {
    #[serde(flatten)]
    entry: &'a Entry,
    expired: bool,
}

fn show(file: &Path, format: Written, today: Date) -> Result<Status> {
    let baseline = Baseline::read(file)?;
    let entries = baseline.entries();
    answers::put(None, |output| match format {
        Written::Json => {
            let shown = |entry| ShownEntry { entry, expired: entry.is_expired(today) };
            answers::json(&Shown { schema: SCHEMA, credentials: entries.into_iter().map(shown).collect() }, output)
        }
        Written::Human => {
            entries.iter().try_for_each(|entry| write_entry(entry, today, output))?;
            let expired = entries.iter().filter(|entry| entry.is_expired(today)).count();
            writeln!(
                output,
                "{} known, {expired} of them expired.",
                counted(entries.len(), "credential", "credentials")
            )
        }
    })?;
    Ok(Status::Clean)
}

/// Counts in words.
pub(super) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// What an entry is of, in one line that is safe to show.
fn named(entry: &Entry) -> String {
    let parts = [entry.detector.as_deref(), entry.redacted.as_deref(), Some(entry.fingerprint.as_str())];
    let parts: Vec<_> = parts.into_iter().flatten().map(terminal).collect();
    parts.join("  ")
}

fn write_entry(entry: &Entry, today: Date, output: &mut dyn Write) -> std::io::Result<()> {
    let end = match entry.expires {
        Some(last) if entry.is_expired(today) => format!("EXPIRED on {last}, so it is reported again"),
        Some(last) => format!("until {last}"),
        None => "for good".to_owned(),
    };
    writeln!(output, "{}", named(entry))?;
    writeln!(output, "  {}", terminal(&entry.reason))?;
    writeln!(output, "  added by {} on {}, {end}\n", terminal(&entry.added_by), entry.added)
}

fn prune(arguments: &PruneArguments, today: Date) -> Result<Status> {
    let mut baseline = Baseline::read(&arguments.file)?;
    let selection = DetectorSelection { folder: arguments.detectors.clone(), ..DetectorSelection::default() };
    let registry = resolve::registry(&selection)?;
    let found = match arguments.targets.is_empty() {
        true => None,
        false => Some(scanned(arguments, &baseline, &registry)?),
    };
    let (mut removed, mut unknown) = (Vec::new(), 0);
    baseline.retain(|entry| {
        let why = match (&found, &entry.detector) {
            _ if entry.is_expired(today) => "expired",
            (Some(Some(found)), _) if found.contains(&entry.fingerprint) => return true,
            // A scan without its detector says nothing of it.
            (Some(Some(_)), Some(id)) if registry.get(id).is_none() => {
                unknown += 1;
                return true;
            }
            (Some(Some(_)), _) => "no longer found",
            _ => return true,
        };
        removed.push(format!("removed, {why}: {}", named(entry)));
        false
    });
    if !removed.is_empty() {
        baseline.write(&arguments.file)?;
    }
    if unknown > 0 {
        talk(&format!(
            "credtrace: {unknown} entries are kept whose detector is not at hand; --detectors DIR names more"
        ));
    }
    let left = counted(baseline.entries().len(), "credential", "credentials");
    answers::put(None, |output| {
        removed.iter().try_for_each(|line| writeln!(output, "{line}"))?;
        writeln!(output, "{} removed, {left} left.", counted(removed.len(), "credential", "credentials"))
    })?;
    Ok(if found == Some(None) { Status::Failed } else { Status::Clean })
}

/// Returns the fingerprints of all that a scan finds; nothing where the scan is not complete, since what it did not read
/// may hold any of the entries.
fn scanned(arguments: &PruneArguments, baseline: &Baseline, registry: &Registry) -> Result<Option<HashSet<String>>> {
    let key = home::fingerprint_key(arguments.fingerprint_key_file.as_deref())?;
    baseline.check_key(&arguments.file, &key)?;
    if arguments.targets.iter().any(|target| target == Path::new("-")) {
        bail!("standard input (-) is not all that a baseline is used for; name folders, repositories or files");
    }
    let mut options = ScanOptions::new(arguments.targets.clone(), key);
    options.min_confidence = Confidence::Low;
    options.include_ignored = true;
    options.strict = true;
    options.never = home::folder().into_iter().collect();
    progress::watch_for_interrupts();
    let bar = progress::Bar::new(false);
    let outcome = scan::run(&options, registry, &bar, &mut std::io::empty());
    bar.finish();
    let summary = &outcome.report.summary;
    if !summary.complete {
        for error in &summary.errors {
            talk(&format!("credtrace: {}", terminal(&words::without_credentials(error))));
        }
        for (reason, count) in summary.skipped.iter().filter(|(_, count)| **count > 0) {
            talk(&format!("credtrace: skipped: {count} {}", terminal(reason)));
        }
        talk("credtrace: the scan is not complete, so nothing is removed for not being found");
        return Ok(None);
    }
    Ok(Some(outcome.report.findings.into_iter().map(|finding| finding.fingerprint).collect()))
}
