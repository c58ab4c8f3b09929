//! `credtrace scrub`: takes the credentials out of files and puts their redacted form in their place.

mod replace;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;

use super::baseline::counted;
use crate::cli::args::{DetectorSelection, MinConfidence};
use crate::cli::exit::Status;
use crate::cli::progress::{PatientInput, was_interrupted, watch_for_interrupts};
use crate::cli::{resolve, talk, words};
use crate::matcher::engine::{EngineChoice, Workload};
use crate::report::escape::terminal;
use crate::scan::scrub::{Scrubbed, scrub};
use crate::scan::text::TextScanner;

/// The largest file that is scrubbed, in bytes: it is held in memory whole, and so is what comes in its place.
const LARGEST: u64 = 1 << 30;

/// Up to so many bytes, the engine that starts at once is the faster one.
const SMALL_WORK: u64 = 1 << 20;

/// Examples, and how it ends.
const AFTER: &str = "Examples:
  credtrace scrub session.jsonl                 the original stays as session.jsonl.orig
  credtrace scrub --in-place logs/*.log         no original stays
  kubectl logs POD | credtrace scrub - > shareable.log

A file is written whole or not at all, with its mode and owner. A credential that left the file has still to be revoked.

Exit status: 0 no credential is left, 2 one is, or a file could not be scrubbed; the others are all the same.";

/// Arguments of `credtrace scrub`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct ScrubArguments {
    /// Files; - takes standard input and writes standard output
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// Keep no original
    #[arg(long)]
    pub in_place: bool,

    /// The least confidence that is replaced
    #[arg(long, value_name = "LEVEL", value_enum, default_value = "medium")]
    pub min_confidence: MinConfidence,

    /// Which detectors are on.
    #[command(flatten)]
    pub detectors: DetectorSelection,
}

/// Runs the command.
///
/// # Errors
/// Detectors at fault. What is wrong with one file is told, and the others are scrubbed all the same.
pub fn run(arguments: &ScrubArguments) -> Result<Status> {
    let registry = resolve::registry(&arguments.detectors)?;
    let scanner = TextScanner::new(&registry, EngineChoice::Fastest, workload(&arguments.files), false)?;
    watch_for_interrupts();
    let (mut status, mut replaced) = (Status::Clean, false);
    for path in &arguments.files {
        if was_interrupted() {
            return Ok(Status::Interrupted);
        }
        let done = match path == Path::new("-") {
            true => standard_input(arguments, &scanner),
            false => file(path, arguments, &scanner),
        };
        match done {
            Ok(Done { credentials, clean }) => {
                replaced |= credentials > 0;
                status = if clean { status } else { Status::Failed };
            }
            Err(error) => {
                let error = error.context(path.display().to_string());
                talk(&format!("credtrace: {}", words::of_error(&error)));
                status = Status::Failed;
            }
        }
    }
    if replaced {
        talk("credtrace: revoke what was found: whoever read the text before still has it");
    }
    Ok(status)
}

/// Standard input may be of any length.
fn workload(files: &[PathBuf]) -> Workload {
    let length = |path: &PathBuf| std::fs::metadata(path).map_or(0, |known| known.len());
    let all = files.iter().map(length).fold(0, u64::saturating_add);
    if all <= SMALL_WORK && files.iter().all(|path| path != Path::new("-")) { Workload::Small } else { Workload::Large }
}

/// What became of a text.
struct Done {
    credentials: usize,
    clean: bool,
}

fn standard_input(arguments: &ScrubArguments, scanner: &TextScanner<'_>) -> Result<Done> {
    let mut text = Vec::new();
    PatientInput(std::io::stdin()).take(LARGEST + 1).read_to_end(&mut text)?;
    if was_interrupted() {
        bail!("interrupted; nothing was written");
    }
    let scrubbed = scrub(bounded(text)?, scanner, arguments.min_confidence.into())?;
    // What reads the other end may not wait for the exit status.
    if !scrubbed.left.is_empty() {
        bail!("{}; nothing was written", told_left(&scrubbed));
    }
    let mut output = std::io::stdout().lock();
    output.write_all(&scrubbed.text)?;
    output.flush()?;
    talk(&format!("credtrace: standard input: {}", told(&scrubbed)));
    Ok(Done { credentials: scrubbed.credentials, clean: true })
}

fn file(path: &Path, arguments: &ScrubArguments, scanner: &TextScanner<'_>) -> Result<Done> {
    let source = replace::Source::open(path, !arguments.in_place)?;
    let text = bounded(source.read(LARGEST + 1)?)?;
    let scrubbed = scrub(text, scanner, arguments.min_confidence.into())?;
    let name = terminal(&words::without_credentials(&path.display().to_string())).into_owned();
    let mut output = std::io::stdout().lock();
    if scrubbed.places == 0 {
        writeln!(output, "{name}: no credential found, unchanged")?;
        return Ok(Done { credentials: 0, clean: true });
    }
    source.replace(&scrubbed.text)?;
    let original = match arguments.in_place {
        true => String::new(),
        false => format!("; {name}.orig is the original and still holds them"),
    };
    writeln!(output, "{name}: {}{original}", told(&scrubbed))?;
    let clean = scrubbed.left.is_empty();
    if !clean {
        talk(&format!("credtrace: {name}: NOT CLEAN: {}", told_left(&scrubbed)));
    }
    Ok(Done { credentials: scrubbed.credentials, clean })
}

fn bounded(text: Vec<u8>) -> Result<Vec<u8>> {
    if text.len() as u64 > LARGEST {
        bail!("is larger than {} GiB; cut it into parts", LARGEST >> 30);
    }
    Ok(text)
}

fn told(scrubbed: &Scrubbed) -> String {
    let credentials = counted(scrubbed.credentials, "credential", "credentials");
    format!("{credentials} replaced in {}", counted(scrubbed.places, "place", "places"))
}

fn told_left(scrubbed: &Scrubbed) -> String {
    let lines: Vec<String> = scrubbed.left.iter().take(5).map(|(line, id)| format!("line {line} ({id})")).collect();
    let left = counted(scrubbed.left.len(), "credential", "credentials");
    format!("{left} could not be taken out: {}", terminal(&lines.join(", ")))
}

/// Names the file that an original is kept in.
fn original_of(path: &Path) -> Result<PathBuf> {
    let mut name = path.file_name().context("is no name of a file")?.to_owned();
    name.push(".orig");
    Ok(path.with_file_name(name))
}
