//! `credtrace enroll`: puts the fingerprint of a credential into the inventory. The value comes on standard input and goes
//! nowhere: on a terminal it is not shown while it is typed, it is never an argument, and the memory is wiped.

use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use jiff::Timestamp;
use serde_json::json;
use zeroize::Zeroizing;

use crate::cli::actor::actor;
use crate::cli::exit::Status;
use crate::cli::progress::{PatientInput, was_interrupted, watch_for_interrupts};
use crate::cli::quiet::Quiet;
use crate::cli::value::credentials_in;
use crate::cli::{home, talk};
use crate::detector::registry::Registry;
use crate::finding::Confidence;
use crate::identity::digest;
use crate::identity::evidence::{self, action};
use crate::inventory::enrol::{Enrolled, Enrolment, enrol};
use crate::report::escape::terminal;
use crate::secret::Secret;

/// The longest value, in bytes.
const LONGEST: usize = 64 * 1024;

const EXAMPLES: &str = "Examples:
  credtrace enroll --identity nhi-support-bot-prod                           the value is asked for and not shown
  vault kv get -field=key kv/support/openai | credtrace enroll --identity nhi-support-bot-prod --record-id key_ex01";

/// Arguments of `credtrace enroll`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct EnrollArguments {
    /// The identity that the credential belongs to
    #[arg(long, value_name = "ID")]
    pub identity: String,

    /// What it is: a detector's id [default: what the value shows]
    #[arg(long = "type", value_name = "DETECTOR")]
    pub sort: Option<String>,

    /// Which credential it is: its id in the inventory, or the provider's id of it
    #[arg(long, value_name = "ID")]
    pub record_id: Option<String>,

    /// Keep HMAC-SHA-256 under the same key as well, which other programs can make
    #[arg(long)]
    pub hs256: bool,

    /// The inventory [default: inventory.db in $CREDTRACE_HOME]
    #[arg(long, value_name = "FILE")]
    pub inventory: Option<PathBuf>,

    /// Read the fingerprint key from a file
    #[arg(long, value_name = "FILE")]
    pub fingerprint_key_file: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// No value, a value among other text, an unknown type or identity, a key for this run alone, a store at fault.
pub fn run(arguments: &EnrollArguments) -> Result<Status> {
    let registry = Registry::built_in();
    if let Some(sort) = arguments.sort.as_deref().filter(|sort| registry.get(sort).is_none()) {
        bail!("no detector {sort:?}; `credtrace detectors list` names them all");
    }
    let key = home::fingerprint_key(arguments.fingerprint_key_file.as_deref())?;
    let mut store = home::store_for_changes(arguments.inventory.as_deref())?;
    let Some(value) = read_value()? else { return Ok(Status::Interrupted) };
    let shown = recognised(&registry, &value)?;
    if let (Some(said), Some((found, _))) = (&arguments.sort, &shown)
        && said != found
    {
        bail!("the value is of the type {found}, not {said}");
    }
    let enrolment = Enrolment {
        identity: arguments.identity.clone(),
        sort: arguments.sort.clone().or_else(|| shown.as_ref().map(|shown| shown.0.clone())),
        record_id: arguments.record_id.clone(),
        hs256: arguments.hs256,
        // Of a private key the public half is what others know, and needs no key to be safe.
        digests: digest::digests(value.expose(), &|prefix| prefix == "spki-sha256" || prefix == "ssh-sha256"),
        head: shown.map_or(0, |shown| shown.1),
    };
    let now = Timestamp::now();
    let enrolled = enrol(&mut store, &key, &value, &enrolment, now)?;
    let data = json!({ "identity": arguments.identity, "credential": enrolled.credential, "type": enrolment.sort });
    evidence::append(&mut store, &actor(), action::ENROLLED, &enrolled.fingerprint, &data, now)?;
    write_answer(&enrolled)?;
    Ok(if enrolled.ingested.rejected.is_empty() { Status::Clean } else { Status::Failed })
}

fn write_answer(enrolled: &Enrolled) -> Result<()> {
    let mut output = std::io::stdout().lock();
    writeln!(output, "{}  {}", enrolled.fingerprint, terminal(&enrolled.credential))?;
    for rejected in &enrolled.ingested.rejected {
        talk(&format!("credtrace: {}: {}", terminal(&rejected.place), terminal(&rejected.reason)));
    }
    let done = match (enrolled.ingested.added, enrolled.ingested.changed) {
        (0, 0) => "was enrolled before",
        _ => "is enrolled",
    };
    let hint = enrolled.hint.as_ref().map(|hint| format!(" and is recognised by {}…{}", hint.head, hint.tail));
    talk(&format!("credtrace: the credential {done}{}", terminal(&hint.unwrap_or_default())));
    output.flush()?;
    Ok(())
}

/// Says which detector a value is of, and how many of its first bytes are the same in all such values.
fn recognised(registry: &Registry, value: &Secret) -> Result<Option<(String, usize)>> {
    let found = credentials_in(value, "", registry)?;
    let sure = found.iter().filter(|found| found.confidence == Confidence::High);
    let Some(found) = sure.max_by_key(|found| found.end - found.start) else { return Ok(None) };
    let detector = registry.detector(found.detector);
    let length = value.expose().len();
    // A block of several lines is one value, however much of it the detector names.
    if (found.start > 0 || found.end < length) && !value.expose().contains(&b'\n') {
        bail!("standard input holds more than the {}; give its value alone", detector.id);
    }
    Ok(Some((detector.id.clone(), found.head)))
}

/// Reads the value in its canonical form; nothing where a person wants to stop.
fn read_value() -> Result<Option<Secret>> {
    watch_for_interrupts();
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    let input = std::io::stdin();
    if input.is_terminal() {
        let quiet = Quiet::start()?;
        talk("credtrace: the value, then Enter (it is not shown; a value of several lines comes through a pipe):");
        read_until(PatientInput(std::io::stdin()), Some(b'\n'), &mut bytes)?;
        drop(quiet);
    } else {
        read_until(PatientInput(input), None, &mut bytes)?;
    }
    if was_interrupted() {
        return Ok(None);
    }
    if bytes.len() > LONGEST {
        bail!("standard input: is longer than {LONGEST} bytes, which no credential is");
    }
    let value = digest::canonical(&bytes);
    if value.is_empty() {
        bail!("standard input holds no value; give the credential there, never as an argument");
    }
    Ok(Some(Secret::new(value)))
}

/// Reads up to a byte, the end, or one byte more than the longest value. The buffer never grows, so that no copy is left
/// behind.
fn read_until(mut input: impl Read, end: Option<u8>, bytes: &mut Vec<u8>) -> Result<()> {
    let mut buffer = Zeroizing::new([0_u8; 4096]);
    loop {
        let count = input.read(buffer.as_mut_slice()).context("standard input")?;
        let room = LONGEST + 1 - bytes.len();
        bytes.extend_from_slice(&buffer[..count.min(room)]);
        let ended = end.is_some_and(|end| buffer[..count].contains(&end));
        if count == 0 || ended || bytes.len() > LONGEST {
            return Ok(());
        }
    }
}
