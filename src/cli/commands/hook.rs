//! `credtrace hook`: what a person meets who wants to commit. It reads the index that git will commit and stops the commit
//! where a path has a credential that it has neither in HEAD nor in a merge parent.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use super::scan::colour;
use crate::baseline::{Baseline, Entry};
use crate::cli::actor::actor;
use crate::cli::args::HookArguments;
use crate::cli::exit::Status;
use crate::cli::known::expired;
use crate::cli::{home, resolve, talk};
use crate::detector::registry::Registry;
use crate::finding::Confidence;
use crate::report::escape;
use crate::scan::hook::{self, StagedCredential};
use crate::secret::{self, FingerprintKey};
use crate::source::git::staged::StagedRepository;

/// Runs the command.
///
/// # Errors
/// Anything that keeps the index from being checked: the caller then blocks the commit.
pub fn run(arguments: &HookArguments) -> Result<Status> {
    let repository = StagedRepository::open(Path::new("."), resolve::git_environment())?;
    if let (Some(fingerprint), Some(reason)) = (&arguments.accept, &arguments.reason) {
        return accept(arguments, &repository, fingerprint, reason);
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
    let (accepted, new) = split(found, &known(arguments, &repository, &key)?, &key);
    if accepted > 0 {
        talk(&format!("credtrace: {accepted} accepted credentials are staged"));
    }
    if new.is_empty() {
        return Ok(Status::Clean);
    }
    talk(&message(&new, &registry, &key, outcome.blobs, colour(std::io::stderr().is_terminal()))?);
    Ok(Status::Findings)
}

/// Returns where this clone keeps what was accepted: a baseline that is never committed.
fn accepted_file(repository: &StagedRepository) -> PathBuf {
    repository.git_dir().join("credtrace-accepted.toml")
}

/// Accepts a credential, described as far as it is staged.
fn accept(arguments: &HookArguments, repository: &StagedRepository, name: &str, reason: &str) -> Result<Status> {
    if secret::key_of(name).is_none() {
        bail!("{name:?} is no fingerprint; copy it from what the hook printed (b3k1:k1-...:...)");
    }
    if reason.trim().is_empty() {
        bail!("--reason must say why the credential may be committed");
    }
    let mut entry = Entry::new(name, reason, &actor(), jiff::Zoned::now().date());
    let (registry, key) = (resolve::registry(&arguments.detectors)?, home::fingerprint_key(None)?);
    let staged = hook::check(repository, &registry).map(|outcome| outcome.found).unwrap_or_default();
    if let Some(found) = staged.iter().find(|found| fingerprint(found, &key) == name) {
        let candidate = &found.located.candidate;
        entry.detector = Some(registry.detector(candidate.detector).id.clone());
        entry.redacted = Some(candidate.secret.redacted(candidate.head));
    }
    let file = accepted_file(repository);
    let mut accepted = Baseline::read_or_empty(&file)?;
    accepted.put(entry);
    accepted.write(&file)?;
    talk(&format!("credtrace: accepted {name}; commit again. It is kept in {}", file.display()));
    Ok(Status::Clean)
}

/// Reads what was accepted in this clone, and the baseline that was named.
fn known(arguments: &HookArguments, repository: &StagedRepository, key: &FingerprintKey) -> Result<Vec<Baseline>> {
    let mut known = vec![Baseline::read_or_empty(&accepted_file(repository))?];
    if let Some(path) = &arguments.baseline {
        let baseline = Baseline::read(path)?;
        baseline.check_key(path, key)?;
        known.push(baseline);
    }
    Ok(known)
}

/// Takes out what is known; returns how much that is and the rest, and says which entries are over.
fn split(found: Vec<StagedCredential>, known: &[Baseline], key: &FingerprintKey) -> (usize, Vec<StagedCredential>) {
    let today = jiff::Zoned::now().date();
    let fingerprints: Vec<String> = found.iter().map(|found| fingerprint(found, key)).collect();
    let hidden = |name: &String| known.iter().any(|baseline| baseline.hides(name, today));
    let all = found.len();
    let left: Vec<&str> = fingerprints.iter().filter(|name| !hidden(name)).map(String::as_str).collect();
    for baseline in known {
        for line in expired(baseline, left.iter().copied(), today, "accepted before") {
            talk(&format!("credtrace: {}", escape::terminal(&line)));
        }
    }
    let new: Vec<StagedCredential> =
        found.into_iter().zip(&fingerprints).filter(|(_, name)| !hidden(name)).map(|(found, _)| found).collect();
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
