//! `credtrace review`: what is no longer needed and may be proposed for removal.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::answers::{self, AnswerArguments, Written};
use super::scan::width;
use crate::cli::exit::Status;
use crate::cli::home;
use crate::detector::registry::Registry;
use crate::identity::policy::Policy;
use crate::identity::review;
use crate::report;

/// How `credtrace review` ends.
const AFTER: &str = "Exit status: 0 nothing may go, 1 something may, 2 it could not be answered. Nothing is changed.";

/// Arguments of `credtrace review`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct ReviewArguments {
    /// Only what the findings of a report (JSON or JSONL) are linked to
    #[arg(value_name = "REPORT")]
    pub report: Option<PathBuf>,

    /// After how many days without use something may go
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    pub format: Written,

    /// Where the inventory is and how the answer is written.
    #[command(flatten)]
    pub answer: AnswerArguments,
}

/// Runs the command. Exit status 1 says that something may go.
///
/// # Errors
/// A report, policy or store that cannot be read.
pub fn run(arguments: &ReviewArguments) -> Result<Status> {
    let policy = arguments.policy.as_deref().map(Policy::read).transpose()?.unwrap_or_default();
    let report = arguments.report.as_deref().map(answers::read_report).transpose()?;
    let store = answers::store(arguments.answer.inventory.as_deref())?;
    let (registry, key) = (Registry::built_in(), home::fingerprint_key(None)?);
    let reader = answers::reader(&store, &registry, Some(&key))?;
    let proposals = review::review(&reader, report.as_deref(), &policy, jiff::Zoned::now().date())?;
    answers::put(arguments.answer.output.as_deref(), |output| match arguments.format {
        Written::Json => answers::json(&proposals, output),
        Written::Human => report::answers::review(&proposals, width(), output),
    })?;
    Ok(if proposals.is_empty() { Status::Clean } else { Status::Findings })
}
