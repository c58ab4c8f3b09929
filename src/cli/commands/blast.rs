//! `credtrace blast`: what an identity reaches, as declared and as logs show.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::answers::{self, AnswerArguments, Written};
use super::scan::width;
use crate::cli::exit::Status;
use crate::cli::{home, talk};
use crate::detector::registry::Registry;
use crate::identity::blast;
use crate::identity::reader::Reader;
use crate::identity::who::{self, Asked};
use crate::inventory::import::{self, ImportOptions, Kind};
use crate::inventory::model::{IdentityRecord, Observation};
use crate::inventory::records;
use crate::report;

/// The largest log that is read, in bytes.
const LARGEST_LOG: u64 = 4 << 30;

/// Arguments of `credtrace blast`.
#[derive(Debug, Args)]
pub struct BlastArguments {
    /// The identity, by its id; also anything by which `credtrace who` finds one
    #[arg(value_name = "IDENTITY")]
    pub identity: String,

    /// An audit log that is looked into beside those that were imported
    #[arg(long, value_name = "FILE", requires = "from")]
    pub observed: Option<PathBuf>,

    /// What the log is, such as github-audit-log
    #[arg(long, value_name = "KIND", requires = "observed")]
    pub from: Option<String>,

    /// The account that the log is of, where it does not say
    #[arg(long, value_name = "ACCOUNT", requires = "observed")]
    pub account: Option<String>,

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
/// An unknown identity, a log that cannot be read, or a store that cannot be.
pub fn run(arguments: &BlastArguments) -> Result<Status> {
    let store = answers::store(arguments.answer.inventory.as_deref())?;
    let (registry, key) = (Registry::built_in(), home::fingerprint_key(None)?);
    let reader = answers::reader(&store, &registry, Some(&key))?;
    let identity = identity(&reader, &arguments.identity)?;
    let extra = match (&arguments.observed, &arguments.from) {
        (Some(file), Some(kind)) => vec![log(file, kind, arguments.account.clone())?],
        _ => Vec::new(),
    };
    let answer = blast::blast(&reader, identity, &extra)?;
    answers::put(arguments.answer.output.as_deref(), |output| match arguments.format {
        Written::Json => answers::json(&answer, output),
        Written::Human => report::answers::blast(&answer, width(), output),
    })?;
    Ok(Status::Clean)
}

/// Finds the one identity that is meant.
fn identity(reader: &Reader<'_>, name: &str) -> Result<IdentityRecord> {
    if who::may_be_secret(name) && records::identity(reader.store(), name)?.is_none() {
        bail!(
            "the argument may be a secret; name the identity, or ask `credtrace who -` with the value on standard input"
        );
    }
    let answer = who::who(reader, &Asked::parse(name))?;
    match <[_; 1]>::try_from(answer.identities) {
        Ok([card]) => Ok(card.identity),
        Err(none) if none.is_empty() => {
            bail!("the inventory has no identity {name:?}; `credtrace inventory list` names them all")
        }
        Err(several) => {
            let ids: Vec<&str> = several.iter().map(|card| card.identity.id.as_str()).take(8).collect();
            bail!("{name:?} may be {}; name one of them by its id", ids.join(", "))
        }
    }
}

/// Reads a log that is not imported.
fn log(file: &Path, kind: &str, account: Option<String>) -> Result<(String, Vec<Observation>)> {
    let kind: Kind = kind.parse()?;
    let named = || file.display().to_string();
    if !kind.is_log() {
        bail!(
            "--from {kind} is a list of credentials, not a log of their use; import it with `credtrace inventory import`"
        );
    }
    let length = std::fs::metadata(file).with_context(named)?.len();
    if length > LARGEST_LOG {
        bail!("{}: is larger than {} GiB; cut it to the time in question", named(), LARGEST_LOG >> 30);
    }
    let bytes = std::fs::read(file).with_context(named)?;
    let name = file.file_name().map_or_else(named, |name| name.to_string_lossy().into_owned());
    let mut options = ImportOptions::new(&name, jiff::Timestamp::now());
    options.account = account;
    let batches = import::parse(kind, &bytes, &options)?;
    let rejected: usize = batches.iter().map(|batch| batch.rejected.len()).sum();
    if rejected > 0 {
        talk(&format!("credtrace: {name}: {rejected} rows cannot be used and are left out"));
    }
    Ok((name, batches.into_iter().flat_map(|batch| batch.observations).collect()))
}
