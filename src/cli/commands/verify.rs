//! `credtrace verify`: asks the provider about one credential that a person has at hand.
//!
//! The value comes on standard input and never as an argument, which every user of the machine could read. Before it is
//! sent it must look like what its detector finds: a value under the wrong name would go to the wrong provider.

mod input;
mod known;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use serde::Serialize;

use super::answers::Written;
use crate::cli::args::DetectorSelection;
use crate::cli::exit::Status;
use crate::cli::verifying::VerifyingArguments;
use crate::cli::{home, progress, resolve, talk};
use crate::credential::{FoundCompanion, FoundCredential};
use crate::detector::compile::Detector;
use crate::detector::registry::Registry;
use crate::finding::{Finding, Liveness, Verification};
use crate::report::escape;
use crate::report::schema::VERIFICATION_SCHEMA;

/// Examples, and how the command ends.
const VERIFY_EXAMPLES: &str = "Examples:
  credtrace verify --detector anthropic-api-key <key.txt
  pass show openai | credtrace verify --detector openai-project-key --format json
  credtrace verify --detector aws-secret-access-key --companion aws-access-key-id
                       the other half stands on the line after the credential
  credtrace verify --detector github-app-private-key --near app=123456 <app.pem
  credtrace verify --list-endpoints

Exit status:
  0  the provider says that it does not work
  1  it works, or works within limits
  2  nothing certain is known, or nobody was asked; the reason is told
  130  interrupted";

/// Arguments of `credtrace verify`.
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub struct VerifyArguments {
    /// A report or a fingerprint: tells where the credential stands, since its value is needed to ask
    #[arg(value_name = "REPORT|FINGERPRINT", conflicts_with = "list_endpoints")]
    pub what: Vec<String>,

    /// What the value on standard input is (`credtrace detectors list` names all)
    #[arg(long, value_name = "ID", required_unless_present_any = ["list_endpoints", "what"])]
    pub detector: Option<String>,

    /// The other half that the last line on standard input is; of several, in the order of the lines
    #[arg(long = "companion", value_name = "ID", requires = "detector")]
    pub companions: Vec<String>,

    /// A public value that its request needs and that a scan reads beside it, such as app=123456
    #[arg(long = "near", value_name = "NAME=VALUE", requires = "detector")]
    pub near: Vec<String>,

    /// Print every host that could be asked, and nothing else
    #[arg(long)]
    pub list_endpoints: bool,

    /// How to write the answer; json is one object, with --list-endpoints one a line
    #[arg(long, value_enum, default_value = "human")]
    pub format: Written,

    /// More detectors beside the built-in ones, from the .toml files of a folder
    #[arg(long, value_name = "DIR")]
    pub detectors: Option<PathBuf>,

    /// Read the fingerprint key from a file
    #[arg(long, value_name = "FILE")]
    pub fingerprint_key_file: Option<PathBuf>,

    /// How providers are asked.
    #[command(flatten)]
    pub verifying: VerifyingArguments,
}

/// Runs the command.
///
/// # Errors
/// A value that does not look like its detector's, halves that are missing, or what standard output says.
pub fn run(arguments: &VerifyArguments) -> Result<Status> {
    let selection = DetectorSelection { folder: arguments.detectors.clone(), ..DetectorSelection::default() };
    let registry = resolve::registry(&selection)?;
    if arguments.list_endpoints {
        return list_endpoints(arguments, &registry);
    }
    if !arguments.what.is_empty() {
        known::tell(&arguments.what)?;
        return Ok(Status::Failed);
    }
    let Some(detector) = arguments.detector.as_deref().and_then(|id| registry.get(id)) else {
        let id = arguments.detector.as_deref().unwrap_or_default();
        bail!("no detector {id:?}; `credtrace detectors list` names them all");
    };
    let verifying = arguments.verifying.ready(&registry)?;
    let key = home::fingerprint_key(arguments.fingerprint_key_file.as_deref())?;
    progress::watch_for_interrupts();
    let Some((secret, companions)) = input::read(&arguments.companions)? else { return Ok(Status::Interrupted) };
    let (mut found, head) = match input::address_of(&secret, detector, &registry)? {
        // Of a whole address the credential is the password, as a scan has it.
        Some(found) => (found, 0),
        None => {
            let head = input::head_of(&secret, detector, &registry)?;
            (FoundCredential::alone(secret), head)
        }
    };
    for (id, secret) in companions {
        input::check_companion(&id, &secret, detector, &registry)?;
        found.companions.push(FoundCompanion { detector: id, secret, distance: 0 });
    }
    found.surroundings.named = input::named(&arguments.near, detector)?;
    // The person said which detector it is, and so whose.
    let fingerprint = key.write(&key.fingerprint(found.secret.expose()));
    let mut findings = [Finding::of(detector, fingerprint, found.secret.redacted(head))];
    let bar = progress::Bar::new(false);
    let asked = verifying.ask(&mut findings, std::slice::from_ref(&found), &key, &bar);
    bar.finish();
    let (asked, _) = asked?;
    write(&findings[0], detector, arguments.format)?;
    if arguments.companions.is_empty() && asked.requests == 0 && !detector.companions.is_empty() {
        let halves: Vec<&str> = detector.companions.iter().map(|half| half.detector.as_str()).collect();
        talk(&format!(
            "credtrace: its other half can be given on a line after it, with --companion {}",
            halves.join(" or ")
        ));
    }
    let named = detector.verify.iter().flat_map(|verify| verify.named.keys()).map(String::as_str);
    let missing: Vec<&str> = named.filter(|_| arguments.near.is_empty() && asked.requests == 0).collect();
    if !missing.is_empty() {
        talk(&format!("credtrace: what a scan reads beside it can be given with --near: {}", missing.join(", ")));
    }
    Ok(match (asked.interrupted, findings[0].verification.state) {
        (true, _) => Status::Interrupted,
        (false, Liveness::Live | Liveness::Limited) => Status::Findings,
        (false, Liveness::Dead) => Status::Clean,
        (false, Liveness::Unknown | Liveness::Canary | Liveness::Refused | Liveness::NotChecked) => Status::Failed,
    })
}

/// The answer, for programs.
#[derive(Serialize)]
struct Answered<'a> {
    schema: &'static str,
    detector: &'a str,
    provider: &'a str,
    fingerprint: &'a str,
    redacted: &'a str,
    verification: &'a Verification,
}

fn write(finding: &Finding, detector: &Detector, format: Written) -> Result<()> {
    let mut output = std::io::stdout().lock();
    if format == Written::Json {
        let answered = Answered {
            schema: VERIFICATION_SCHEMA,
            detector: &detector.id,
            provider: &detector.provider,
            fingerprint: &finding.fingerprint,
            redacted: &finding.redacted,
            verification: &finding.verification,
        };
        serde_json::to_writer(&mut output, &answered)?;
        return Ok(writeln!(output)?);
    }
    let said = &finding.verification;
    let verdict = match said.state {
        Liveness::Live => "Live",
        Liveness::Limited => "Live within limits",
        Liveness::Dead => "Dead",
        Liveness::Canary => "A canary: using it alarms its owner",
        Liveness::Refused | Liveness::NotChecked => "Not asked",
        Liveness::Unknown => "Unknown",
    };
    writeln!(output, "{}  {}", escape::terminal(&detector.name), escape::terminal(&finding.redacted))?;
    match &said.reason {
        Some(reason) => writeln!(output, "{verdict}: {}", escape::terminal(reason))?,
        None => writeln!(output, "{verdict}")?,
    }
    for (name, value) in &said.account {
        writeln!(output, "  {}: {}", escape::terminal(name), escape::terminal(value))?;
    }
    if let Some(time) = &said.checked_at {
        writeln!(output, "  asked at {}", escape::terminal(time))?;
    }
    Ok(writeln!(output, "  {}", escape::terminal(&finding.fingerprint))?)
}

/// A place that could be asked, for programs.
#[derive(Serialize)]
struct Listed<'a> {
    endpoint: &'a str,
    provider: &'a str,
    named: bool,
    /// The names of the headers that it gets beside the credential.
    #[serde(skip_serializing_if = "<[&str]>::is_empty")]
    headers: &'a [&'a str],
    detectors: &'a [&'a str],
}

fn list_endpoints(arguments: &VerifyArguments, registry: &Registry) -> Result<Status> {
    let endpoints = arguments.verifying.endpoints(registry)?;
    let mut places: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for detector in registry.detectors() {
        for place in endpoints.list(std::slice::from_ref(detector)) {
            places.entry((place.place, place.provider, place.named)).or_default().push(&detector.id);
        }
    }
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    for ((endpoint, provider, named), detectors) in &places {
        let headers = endpoints.header_names(provider);
        if arguments.format == Written::Json {
            serde_json::to_writer(
                &mut output,
                &Listed { endpoint, provider, named: *named, headers: &headers, detectors },
            )?;
            writeln!(output)?;
        } else {
            let named = match (*named, &headers[..]) {
                (false, _) => String::new(),
                (true, []) => " (--endpoint)".to_owned(),
                (true, headers) => format!(" (--endpoint, with {})", headers.join(", ")),
            };
            let detectors = detectors.join(", ");
            writeln!(output, "{:<48} {provider:<16} {detectors}{named}", escape::terminal(endpoint))?;
        }
    }
    output.flush()?;
    Ok(Status::Clean)
}
