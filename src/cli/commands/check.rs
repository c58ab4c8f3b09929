//! `credtrace check`: what is wrong with the ownership and life of credentials.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use super::answers::{self, AnswerArguments, Written};
use super::scan::width;
use crate::cli::exit::Status;
use crate::cli::home;
use crate::detector::registry::Registry;
use crate::identity::check;
use crate::identity::controls::Rule;
use crate::identity::policy::Policy;
use crate::identity::standing;
use crate::report;

/// How `credtrace check` ends.
const AFTER: &str = "Exit status: 0 nothing is wrong, 1 something is (with --policy: something that the policy fails on), \
    2 it could not be answered.";

/// Arguments of `credtrace check`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct CheckArguments {
    /// Limits, severities, exceptions, and what fails
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,

    /// Only these identity findings, such as over-privileged,owner-left
    #[arg(long, value_name = "ID", value_delimiter = ',', value_parser = |id: &str| id.parse::<Rule>())]
    pub only: Vec<Rule>,

    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    pub format: Written,

    /// Where the inventory is and how the answer is written.
    #[command(flatten)]
    pub answer: AnswerArguments,
}

/// Runs the command.
///
/// # Errors
/// A policy or store that cannot be read.
pub fn run(arguments: &CheckArguments) -> Result<Status> {
    let policy = arguments.policy.as_deref().map(Policy::read).transpose()?;
    let store = answers::store(arguments.answer.inventory.as_deref())?;
    let (registry, key) = (Registry::built_in(), home::fingerprint_key(None)?);
    let findings = standing::findings(&answers::reader(&store, &registry, Some(&key))?)?;
    let usual = Policy::default();
    let policy_or_usual = policy.as_ref().unwrap_or(&usual);
    let mut found = check::check(&store, &findings, policy_or_usual, jiff::Zoned::now().date())?;
    found.retain(|finding| arguments.only.is_empty() || arguments.only.contains(&finding.rule));
    answers::put(arguments.answer.output.as_deref(), |output| match arguments.format {
        Written::Json => answers::json(&found, output),
        Written::Human => report::answers::check(&found, width(), output),
    })?;
    let fails = match &policy {
        Some(policy) => policy.fails(&findings, &found),
        None => !found.is_empty(),
    };
    Ok(if fails { Status::Findings } else { Status::Clean })
}
