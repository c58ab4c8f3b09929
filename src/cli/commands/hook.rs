//! `credtrace hook`: what a person meets who wants to commit. It reads the index that git will commit and stops the commit
//! where a path has a credential that it has neither in HEAD nor in a merge parent.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::Path;

use anyhow::{Result, bail};

use super::scan::colour;
use crate::cli::args::HookArguments;
use crate::cli::exit::Status;
use crate::cli::{accepted, home, resolve, talk};
use crate::detector::registry::Registry;
use crate::finding::Confidence;
use crate::report::escape;
use crate::scan::hook::{self, StagedCredential};
use crate::secret::FingerprintKey;
use crate::source::git::staged::StagedRepository;

/// Runs the command.
///
/// # Errors
/// Anything that keeps the index from being checked: the caller then blocks the commit.
pub fn run(arguments: &HookArguments) -> Result<Status> {
    let repository = StagedRepository::open(Path::new("."), resolve::git_environment())?;
    let accepted_file = accepted::path(&repository);
    if let (Some(fingerprint), Some(reason)) = (&arguments.accept, &arguments.reason) {
        accepted::add(&accepted_file, fingerprint, reason)?;
        talk(&format!("credtrace: accepted {fingerprint}; commit again. It is kept in {}", accepted_file.display()));
        return Ok(Status::Clean);
    }
    let registry = resolve::registry(&arguments.detectors)?;
    let outcome = hook::check(&repository, &registry)?;
    if !outcome.problems.is_empty() {
        let problems: Vec<String> =
            outcome.problems.iter().map(|problem| escape::terminal(problem).into_owned()).collect();
        bail!("not everything that is staged could be checked: {}", problems.join("; "));
    }
    let least: Confidence = arguments.min_confidence.into();
    let found: Vec<StagedCredential> =
        outcome.found.into_iter().filter(|found| found.located.candidate.confidence >= least).collect();
    if found.is_empty() {
        return Ok(Status::Clean);
    }
    let key = home::fingerprint_key(None)?;
    let known = accepted::read(&accepted_file)?;
    let (accepted, new) = split(found, &known, &key);
    if accepted > 0 {
        talk(&format!("credtrace: {accepted} accepted credentials are staged"));
    }
    if new.is_empty() {
        return Ok(Status::Clean);
    }
    talk(&message(&new, &registry, &key, outcome.blobs, colour(std::io::stderr().is_terminal()))?);
    Ok(Status::Findings)
}

/// Takes out what was accepted; returns how much that is and the rest.
fn split(
    found: Vec<StagedCredential>,
    accepted: &HashSet<String>,
    key: &FingerprintKey,
) -> (usize, Vec<StagedCredential>) {
    let all = found.len();
    let new: Vec<StagedCredential> =
        found.into_iter().filter(|found| !accepted.contains(&fingerprint(found, key))).collect();
    (all - new.len(), new)
}

fn fingerprint(found: &StagedCredential, key: &FingerprintKey) -> String {
    key.write(&key.fingerprint(found.located.candidate.secret.expose()))
}

/// What the person reads: what is where, and what to do.
fn message(
    found: &[StagedCredential],
    registry: &Registry,
    key: &FingerprintKey,
    blobs: usize,
    colour: bool,
) -> Result<String> {
    let (red, bold, plain) = if colour { ("\x1b[1;31m", "\x1b[1m", "\x1b[0m") } else { ("", "", "") };
    let mut text = String::new();
    let files = if blobs == 1 { "1 staged file".to_owned() } else { format!("{blobs} staged files") };
    let what = if found.len() == 1 { "a credential".to_owned() } else { format!("{} credentials", found.len()) };
    writeln!(text, "{red}credtrace stops this commit{plain}: {files} checked, {what} found\n")?;
    for found in found {
        let candidate = &found.located.candidate;
        let detector = registry.detector(candidate.detector);
        let path = String::from_utf8_lossy(&found.path);
        let place = format!("{path}:{}:{}", found.located.line, found.located.column);
        writeln!(text, "  {bold}{}{plain}", escape::terminal(&place))?;
        writeln!(text, "    {}  {}", detector.name, candidate.secret.redacted(candidate.head))?;
        writeln!(text, "    {}", escape::terminal(&found.located.excerpt))?;
        writeln!(text, "    {}\n", fingerprint(found, key))?;
    }
    text.push_str(&what_to_do(found, key));
    Ok(text.trim_end().to_owned())
}

/// The ways on, in lines that fit a terminal; a command is on a line of its own, to be copied.
fn what_to_do(found: &[StagedCredential], key: &FingerprintKey) -> String {
    let mut text = String::from(
        "To go on: take it out of the file (read it from the environment or a vault),\n\
         git add, and commit again. If it ever left this machine, rotate it as well:\n\
         taking it out of the file does not take it back.\n",
    );
    if key.id() == "ephemeral" {
        text.push_str("It cannot be accepted here: the fingerprint key could not be stored (see CREDTRACE_HOME).\n");
        return text;
    }
    let which = match found {
        [only] => fingerprint(only, key),
        _ => "FINGERPRINT".to_owned(),
    };
    text + "If it is no secret, accept it and commit again:\n  credtrace hook --accept " + &which + " --reason TEXT"
}
