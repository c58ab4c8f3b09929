//! `credtrace revoke`: shows the request that ends a credential, and sends it where a person says so.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Read, Write};
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;

use super::answers;
use crate::cli::actor::actor;
use crate::cli::args::DetectorSelection;
use crate::cli::exit::Status;
use crate::cli::quiet::Quiet;
use crate::cli::verifying::leave_no_core;
use crate::cli::{home, resolve, talk};
use crate::detector::compile::Detector;
use crate::detector::registry::Registry;
use crate::finding::{Finding, IdentityStatus};
use crate::identity::evidence::{self, action};
use crate::identity::{standing, who};
use crate::report::escape;
use crate::secret::Secret;
use crate::verify::client::{Client, ClientOptions};
use crate::verify::endpoints::Endpoints;
use crate::verify::exchange::Answer;
use crate::verify::revoke::Revocation;

/// The longest secret that is read from standard input, in bytes.
const LONGEST_SECRET: u64 = 64 * 1024;

/// What the help ends with.
const EXAMPLES: &str = "Examples:
  credtrace revoke --detector openai-admin-key --record-id key_abc     shows the request, sends nothing
  pass openai/admin | credtrace revoke --detector openai-admin-key --record-id key_abc --yes
  credtrace revoke --detector github-classic-token --yes < leaked.txt  GitHub ends it by its value

The secret is read from standard input and from nowhere else: arguments can be seen by others.

Exit status: 0 shown, or ended; 2 not ended.";

/// Arguments of `credtrace revoke`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct RevokeArguments {
    /// What sort of credential, as a report names its detector
    #[arg(long, value_name = "ID", required_unless_present = "finding")]
    pub detector: Option<String>,

    /// The finding to end, by its fingerprint or the beginning of it: what a scan with an inventory remembered says the
    /// detector, and the inventory the provider's id
    #[arg(long, value_name = "FINGERPRINT", conflicts_with = "detector")]
    pub finding: Option<String>,

    /// The inventory that --finding asks [default: inventory.db in $CREDTRACE_HOME]
    #[arg(long, value_name = "FILE", requires = "finding")]
    pub inventory: Option<PathBuf>,

    /// The provider's id of the credential, where the request takes it
    #[arg(long, value_name = "ID")]
    pub record_id: Option<String>,

    /// Another part of the request, such as project_id=proj_1; can be given several times
    #[arg(long = "part", value_name = "NAME=VALUE")]
    pub parts: Vec<String>,

    /// Send the request, after showing it; the secret that it needs is read from standard input
    #[arg(long)]
    pub yes: bool,

    /// The server to ask in place of the provider's, as PROVIDER=URL
    #[arg(long = "endpoint", value_name = "PROVIDER=URL")]
    pub endpoints: Vec<String>,

    /// Let an --endpoint be http or a private address
    #[arg(long)]
    pub allow_insecure_endpoints: bool,

    /// Send it through this proxy: http://HOST:PORT or https://HOST:PORT
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,

    /// More detectors, from the .toml files of a folder
    #[arg(long, value_name = "DIR")]
    pub detectors: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// An unknown detector, a part that is missing or unknown, or a request that did not end it.
pub fn run(arguments: &RevokeArguments) -> Result<Status> {
    let registry = resolve::registry(&selection(arguments))?;
    let remembered = arguments.finding.as_deref().map(|finding| remembered(arguments, finding)).transpose()?;
    let named = remembered.as_ref().map(|finding| &finding.detector).or(arguments.detector.as_ref());
    let id = named.map(String::as_str).unwrap_or_default();
    let Some(detector) = registry.get(id) else {
        bail!("no detector {id:?}; `credtrace detectors list` names them all");
    };
    let endpoints = Endpoints::parse(&arguments.endpoints, registry.detectors(), arguments.allow_insecure_endpoints)?;
    let Some(revocation) = Revocation::new(detector, parts(arguments, detector, remembered.as_ref())?, &endpoints)?
    else {
        return by_hand(detector, arguments.yes);
    };
    if !arguments.yes {
        return show(detector, &revocation);
    }
    send(arguments, &revocation)
}

fn selection(arguments: &RevokeArguments) -> DetectorSelection {
    DetectorSelection { include: Vec::new(), exclude: Vec::new(), folder: arguments.detectors.clone() }
}

/// Returns the one finding that begins so, linked to the inventory as it stands now.
fn remembered(arguments: &RevokeArguments, beginning: &str) -> Result<Finding> {
    if who::may_be_secret(beginning) {
        bail!("--finding may be a secret; name the finding by its fingerprint, which a report tells");
    }
    let store = answers::store(arguments.inventory.as_deref())?;
    let (registry, key) = (Registry::built_in(), home::fingerprint_key(None)?);
    let reader = answers::reader(&store, &registry, Some(&key))?;
    let mut finding = answers::the_one(reader.findings_by_prefix(beginning)?, beginning, "")?;
    finding.identity = standing::link_of(&reader, &finding)?;
    Ok(finding)
}

/// Returns the provider's id of the credential that a finding is linked to. A tie or a guess names none: what is ended is
/// somebody's.
fn linked_record(finding: &Finding) -> Result<String> {
    let record = finding.identity.credential.as_ref().and_then(|record| record.record_id.clone());
    match (finding.identity.status, record) {
        (IdentityStatus::Linked, Some(id)) => Ok(id),
        (_, _) => bail!(
            "the finding is not linked to one record of its provider{}; give its id with --detector {} --record-id ID",
            finding.identity.why.as_ref().map(|why| format!(" ({why})")).unwrap_or_default(),
            finding.detector
        ),
    }
}

/// Gathers the named parts of the request; of a finding, its record's id where the request takes one.
fn parts(
    arguments: &RevokeArguments,
    detector: &Detector,
    remembered: Option<&Finding>,
) -> Result<BTreeMap<String, String>> {
    let mut parts = BTreeMap::new();
    let takes_record = Revocation::new(detector, BTreeMap::new(), &Endpoints::default())?
        .is_some_and(|revocation| revocation.missing().contains(&"--record-id ID".to_owned()));
    let linked = match remembered {
        Some(finding) if takes_record && arguments.record_id.is_none() => Some(linked_record(finding)?),
        _ => None,
    };
    let record_id = arguments.record_id.iter().chain(&linked).map(|id| ("record_id", id.as_str()));
    for part in &arguments.parts {
        let Some((name, value)) = part.split_once('=') else { bail!("--part must be NAME=VALUE") };
        if parts.insert(name.to_owned(), value.to_owned()).is_some() {
            bail!("--part {name} is given twice");
        }
    }
    for (name, value) in record_id {
        if parts.insert(name.to_owned(), value.to_owned()).is_some() {
            bail!("--record-id and --part record_id are the same; give one");
        }
    }
    Ok(parts)
}

/// Tells what a person does where no request can be made here.
fn by_hand(detector: &Detector, yes: bool) -> Result<Status> {
    let revoke = detector.revoke.as_ref();
    let mut text = String::new();
    for (heading, told) in [
        ("By hand, at", revoke.and_then(|revoke| revoke.console.as_ref())),
        ("By this request, which cannot be made here", revoke.and_then(|revoke| revoke.request.as_ref())),
        ("Steps", revoke.and_then(|revoke| revoke.steps.as_ref())),
        ("How to rotate it", detector.rotate.as_ref()),
    ] {
        if let Some(told) = told {
            text += &format!("{heading}: {}\n", escape::terminal(told));
        }
    }
    if text.is_empty() {
        text = format!("how {} ends a credential of this sort is not known\n", detector.provider_name);
    }
    std::io::stdout().lock().write_all(text.as_bytes())?;
    if yes {
        bail!("there is no request that could be sent for {}; nothing was ended", detector.id);
    }
    Ok(Status::Clean)
}

fn show(detector: &Detector, revocation: &Revocation<'_>) -> Result<Status> {
    let mut output = std::io::stdout().lock();
    output.write_all(shown(revocation).as_bytes())?;
    let console = detector.revoke.as_ref().and_then(|revoke| revoke.console.as_deref());
    if let Some(console) = console {
        writeln!(output, "\nBy hand, at: {}", escape::terminal(console))?;
    }
    let wanted = revocation.authority().wanted();
    let missing = revocation.missing();
    match missing.is_empty() {
        true => writeln!(output, "\nNothing was sent. --yes sends it, with {wanted} on standard input.")?,
        false => writeln!(
            output,
            "\nNothing was sent. It needs {}; then --yes sends it, with {wanted} on standard input.",
            missing.join(", ")
        )?,
    }
    Ok(Status::Clean)
}

/// The request without any secret, line by line safe for a terminal, and what it does besides.
fn shown(revocation: &Revocation<'_>) -> String {
    let request = revocation.shown();
    let mut text: String = request.lines().map(|line| format!("{}\n", escape::terminal(line))).collect();
    if let Some(effect) = revocation.effect() {
        text += &format!("\nNote: {}.\n", escape::terminal(effect));
    }
    text
}

fn send(arguments: &RevokeArguments, revocation: &Revocation<'_>) -> Result<Status> {
    let missing = revocation.missing();
    if !missing.is_empty() {
        bail!("the request needs {}; nothing was sent", missing.join(", "));
    }
    leave_no_core();
    let client = Client::new(&ClientOptions {
        allow_insecure_endpoints: arguments.allow_insecure_endpoints,
        proxy: arguments.proxy.clone(),
        ..ClientOptions::default()
    })?;
    talk(&format!("credtrace: sends\n{}", shown(revocation)));
    let secret = read_secret(revocation.authority().wanted())?;
    let request = revocation.request(&secret)?;
    let answer = match client.send(&request) {
        Ok(answer) => answer,
        Err(failure) => bail!("{failure}; it is not known to be ended"),
    };
    let host = &request.endpoint.host;
    record(arguments, &answer, revocation.done(&answer), host)?;
    if !revocation.done(&answer) {
        bail!("{host} answered {}, which does not say that it is ended; ask with `credtrace verify`", answer.status);
    }
    writeln!(std::io::stdout().lock(), "{host} answered {}: ended", answer.status)?;
    Ok(Status::Clean)
}

/// Records in the store, where there is one, that a provider was asked to end a credential and what it answered.
fn record(arguments: &RevokeArguments, answer: &Answer, ended: bool, host: &str) -> Result<()> {
    let Some(mut store) = home::store_for_questions(arguments.inventory.as_deref())? else { return Ok(()) };
    let subject = [&arguments.finding, &arguments.record_id, &arguments.detector].into_iter().flatten().next();
    let data = json!({
        "detector": arguments.detector, "record_id": arguments.record_id, "host": host,
        "status": answer.status, "ended": ended,
    });
    let subject = subject.map_or("", String::as_str);
    evidence::append(&mut store, &actor(), action::REVOKED, subject, &data, jiff::Timestamp::now())?;
    Ok(())
}

/// Reads one secret from standard input, without the end of its line.
fn read_secret(wanted: &str) -> Result<Secret> {
    let input = std::io::stdin();
    if input.is_terminal() {
        talk(&format!("credtrace: reads {wanted} from standard input; it is not shown, end it with Enter and Ctrl-D"));
    }
    let _quiet = Quiet::start()?;
    let mut bytes = zeroize::Zeroizing::new(Vec::new());
    input.lock().take(LONGEST_SECRET + 1).read_to_end(&mut bytes)?;
    let value = bytes.trim_ascii();
    if bytes.len() as u64 > LONGEST_SECRET {
        bail!("standard input holds more than {LONGEST_SECRET} bytes; one secret is expected");
    }
    if value.is_empty() {
        bail!("standard input is empty; {wanted} is expected there");
    }
    Ok(Secret::new(value))
}
