//! `credtrace offboard`: what a person who leaves leaves behind.

use anyhow::Result;
use clap::Args;

use super::answers::{self, AnswerArguments, Written};
use super::scan::width;
use crate::cli::exit::Status;
use crate::cli::home;
use crate::detector::registry::Registry;
use crate::identity::offboard;
use crate::report;

/// How `credtrace offboard` ends.
const AFTER: &str = "Exit status: 0 nothing is left behind, 1 something has to be done, 2 it could not be answered.";

/// Arguments of `credtrace offboard`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct OffboardArguments {
    /// The person: an id, an address, or any name that a provider knows them by
    #[arg(value_name = "PERSON")]
    pub person: String,

    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    pub format: Written,

    /// Where the inventory is and how the answer is written.
    #[command(flatten)]
    pub answer: AnswerArguments,
}

/// Runs the command. Exit status 1 says that something has to be done.
///
/// # Errors
/// A person whom the inventory does not know, or a store that cannot be read.
pub fn run(arguments: &OffboardArguments) -> Result<Status> {
    let store = answers::store(arguments.answer.inventory.as_deref())?;
    let (registry, key) = (Registry::built_in(), home::fingerprint_key(None)?);
    let reader = answers::reader(&store, &registry, Some(&key))?;
    let left = offboard::offboard(&reader, &arguments.person)?;
    answers::put(arguments.answer.output.as_deref(), |output| match arguments.format {
        Written::Json => answers::json(&left, output),
        Written::Human => report::answers::offboard(&left, width(), output),
    })?;
    Ok(if left.items.is_empty() { Status::Clean } else { Status::Findings })
}
