//! What the commands that answer have in common: the store they ask, and where the answer goes.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::cli::progress::PatientInput;
use crate::cli::{home, talk};
use crate::detector::registry::Registry;
use crate::finding::Finding;
use crate::identity::link::Linker;
use crate::identity::reader::Reader;
use crate::identity::who;
use crate::report;
use crate::report::read::{self, Part, Sink};
use crate::secret::FingerprintKey;
use crate::store::Store;

/// The largest report that is read, in bytes.
const LARGEST_REPORT: u64 = 4 << 30;

/// Where the inventory is and how the answer is written.
#[derive(Debug, Args)]
pub struct AnswerArguments {
    /// The inventory [default: inventory.db in $CREDTRACE_HOME]
    #[arg(long, value_name = "FILE")]
    pub inventory: Option<PathBuf>,

    /// Write the answer to a file, whole or not at all
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// How an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Written {
    /// For people
    Human,
    /// As JSON
    Json,
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

/// Picks the one finding of those that begin as a person wrote; `hint` says where else findings come from.
///
/// # Errors
/// None, or several; what may be a secret is not repeated.
pub fn the_one(found: Vec<Finding>, beginning: &str, hint: &str) -> Result<Finding> {
    match <[Finding; 1]>::try_from(found) {
        Ok([finding]) => Ok(finding),
        Err(none) if none.is_empty() && who::may_be_secret(beginning) => bail!(
            "no finding begins so, and the argument may be a secret; name the finding by its fingerprint, which a report and \
             `credtrace who -` tell"
        ),
        Err(none) if none.is_empty() => {
            bail!("no finding begins with {beginning:?}; scans with an inventory remember what they find{hint}")
        }
        Err(several) => {
            let names: Vec<&str> = several.iter().map(|finding| finding.fingerprint.as_str()).take(8).collect();
            bail!("{beginning:?} may be {}; name more of it", names.join(", "))
        }
    }
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

/// Reads the findings of a report, in JSON or JSONL.
///
/// # Errors
/// A file that cannot be read, is too large, is no report or is cut off.
pub fn read_report(path: &Path) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let cut = read_parts(path, &mut |part| {
        if let Part::Finding(finding) = part {
            findings.push(*finding);
        }
        Ok(())
    });
    match cut.with_context(|| path.display().to_string())? {
        Some(cut) => bail!("{}: {cut}", path.display()),
        None => Ok(findings),
    }
}

/// Reads a report part by part; returns why it is not whole where it breaks off. Errors do not name the file.
///
/// # Errors
/// A file that cannot be read, is too large or is no report, and what the sink says.
pub fn read_parts(path: &Path, sink: &mut Sink<'_>) -> Result<Option<String>> {
    let input: Box<dyn Read> = match path == Path::new("-") {
        true => Box::new(PatientInput(std::io::stdin())),
        false => Box::new(std::fs::File::open(path)?),
    };
    let mut input = std::io::BufReader::new(input.take(LARGEST_REPORT));
    let read = read::read(&mut input, sink);
    if input.get_ref().limit() == 0 {
        bail!("is larger than {} GiB", LARGEST_REPORT >> 30);
    }
    read.map_err(anyhow::Error::msg)
}
