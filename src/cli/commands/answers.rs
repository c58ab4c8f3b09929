//! What the commands that answer have in common: the store they ask, and where the answer goes.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use crate::cli::{home, talk};
use crate::detector::registry::Registry;
use crate::identity::link::Linker;
use crate::identity::reader::Reader;
use crate::report;
use crate::secret::FingerprintKey;
use crate::store::Store;

/// Where the inventory is and how the answer is written.
#[derive(Debug, Args)]
pub struct AnswerArguments {
    /// The identity store [default: inventory.db in the home]
    #[arg(long, value_name = "FILE")]
    pub inventory: Option<PathBuf>,

    /// Write the answer to a file, whole or not at all
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Opens the store; without one there is nothing to answer from.
///
/// # Errors
/// Where there is none, or it cannot be opened.
pub fn store(named: Option<&Path>) -> Result<Store> {
    match home::store_for_questions(named)? {
        Some(store) => Ok(store),
        None => bail!(
            "there is no inventory yet ({}); make one with `credtrace inventory import`",
            home::store_path(None)?.display()
        ),
    }
}

/// Reads a store with links as they stand today. A home without a fingerprint key compares no fingerprints.
///
/// # Errors
/// A store that cannot be read.
pub fn reader<'a>(store: &'a Store, registry: &'a Registry, key: Option<&'a FingerprintKey>) -> Result<Reader<'a>> {
    Ok(Reader::new(store).with_linker(Linker::new(store, registry, key)?))
}

/// Opens the store, or an empty one with a word about it: some questions have an answer without an inventory.
///
/// # Errors
/// A store that was named and is missing, or cannot be opened.
pub fn store_or_empty(named: Option<&Path>) -> Result<Store> {
    if let Some(store) = home::store_for_questions(named)? {
        return Ok(store);
    }
    talk("credtrace: there is no inventory yet, so nobody can be named; make one with `credtrace inventory import`");
    Ok(Store::in_memory()?)
}

/// Writes an answer to the file that was named, else to standard output.
///
/// # Errors
/// What the file or standard output says.
pub fn put(output: Option<&Path>, write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>) -> Result<()> {
    match output {
        Some(path) => Ok(report::output::write_whole(path, false, write)?),
        None => {
            let mut output = std::io::BufWriter::new(std::io::stdout().lock());
            write(&mut output)?;
            Ok(output.flush()?)
        }
    }
}

/// Writes an answer as JSON that is safe to show on a terminal.
///
/// # Errors
/// What the writer says.
pub fn json(answer: &impl serde::Serialize, output: &mut dyn Write) -> std::io::Result<()> {
    report::escape::write_json(output, answer)?;
    writeln!(output)
}
