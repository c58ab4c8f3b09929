//! What the commands that answer have in common: the store they ask, and where the answer goes.

use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};

use crate::cli::{home, talk};
use crate::detector::registry::Registry;
use crate::finding::Finding;
use crate::identity::link::Linker;
use crate::identity::reader::Reader;
use crate::report;
use crate::secret::FingerprintKey;
use crate::store::Store;

/// The largest report that is read, in bytes.
const LARGEST_REPORT: u64 = 1 << 30;

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
/// A file that cannot be read, is too large or is no report.
pub fn read_report(path: &Path) -> Result<Vec<Finding>> {
    let named = || path.display().to_string();
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(named)?;
    file.take(LARGEST_REPORT + 1).read_to_end(&mut bytes).with_context(named)?;
    if bytes.len() as u64 > LARGEST_REPORT {
        bail!("{}: is larger than {} GiB", named(), LARGEST_REPORT >> 30);
    }
    findings_of(&bytes).with_context(named)
}

/// Reads a report as one JSON document, else as JSONL.
fn findings_of(bytes: &[u8]) -> Result<Vec<Finding>> {
    #[derive(serde::Deserialize)]
    struct Whole {
        findings: Vec<Finding>,
    }
    if let Ok(whole) = serde_json::from_slice::<Whole>(bytes) {
        return Ok(whole.findings);
    }
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if line.trim_ascii().is_empty() {
            continue;
        }
        let value: serde_json::Value = serde_json::from_slice(line)
            .with_context(|| format!("line {number} is no JSON; a report is read in JSON or JSONL"))?;
        if value["schema"] == crate::finding::FINDING_SCHEMA {
            findings.push(serde_json::from_value(value).with_context(|| format!("line {number} is no finding"))?);
        }
    }
    Ok(findings)
}
