//! `credtrace who`: whose is it? A value comes on standard input alone: arguments stand in the list of processes and in the
//! shell's history.

use anyhow::{Result, bail};
use clap::Args;

use super::answers::{self, AnswerArguments, Written};
use super::scan::width;
use crate::cli::exit::Status;
use crate::cli::{home, progress, talk};
use crate::detector::registry::Registry;
use crate::finding::{Confidence, Finding, Kind};
use crate::identity::link::Linker;
use crate::identity::reader::Reader;
use crate::identity::who::{self, Answer, Asked, Standing};
use crate::matcher::engine::{EngineChoice, Workload};
use crate::report;
use crate::scan::text::TextScanner;
use crate::scan::{self, NoProgress, ScanOptions};
use crate::store::Store;

/// How `credtrace who` ends.
const AFTER: &str = "Examples:
  credtrace who b3k1:k1-5f2c9a10:0f1e2d3c4b5a69788796a5b4c3d2e1f0
  credtrace who 'sk-proj-EXa...9Zq'        a redacted form, as a provider's list or a report shows it
  credtrace who AKIA...                    the id of an access key, or any provider's id of a record
  credtrace who owner.a@acme.example       everything that a person answers for
  credtrace who - < leaked.txt             the value itself, never as an argument

Exit status: 0 an identity or a person is named, 1 nobody is (a tie, or unknown), 2 it could not be answered.";

/// Arguments of `credtrace who`.
#[derive(Debug, Args)]
#[command(after_help = AFTER)]
pub struct WhoArguments {
    /// A fingerprint, redacted form, id, digest, e-mail address or SPIFFE id; - reads a value from standard input
    #[arg(value_name = "-|FINGERPRINT|HINT|ID|EMAIL|SPIFFE", default_value = "-", allow_hyphen_values = true)]
    pub what: String,

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
/// An argument that is a secret, a store that cannot be read, or a redacted form that shows too little.
pub fn run(arguments: &WhoArguments) -> Result<Status> {
    let registry = Registry::built_in();
    let answer = if arguments.what == "-" {
        let store = answers::store_or_empty(arguments.answer.inventory.as_deref())?;
        of_value(&store, &registry)?
    } else {
        // Before anything else, so that a secret is refused whatever else is wrong.
        refuse_secret(&arguments.what, &registry)?;
        let store = answers::store(arguments.answer.inventory.as_deref())?;
        let key = home::fingerprint_key(None)?;
        let reader = answers::reader(&store, &registry, Some(&key))?;
        let answer = who::who(&reader, &Asked::parse(&arguments.what))?;
        if answer.standing == Standing::Unknown && who::may_be_secret(&arguments.what) {
            bail!(
                "{}",
                refusal("may be a secret: nothing in the inventory is called so, and it looks like a random value")
            );
        }
        answer
    };
    answers::put(arguments.answer.output.as_deref(), |output| match arguments.format {
        Written::Json => answers::json(&answer, output),
        Written::Human => report::answers::who(&answer, width(), output),
    })?;
    Ok(if answer.standing == Standing::Answered { Status::Clean } else { Status::Findings })
}

fn refusal(reason: &str) -> String {
    format!(
        "the argument {reason}. Other users see arguments in the list of processes, and the shell keeps them in its \
         history: take it out of there, and give the value on standard input (credtrace who - < FILE)"
    )
}

/// Refuses an argument that a detector knows as a secret; public halves of pairs are ids.
fn refuse_secret(text: &str, registry: &Registry) -> Result<()> {
    if who::redacted_form(text).is_some() {
        return Ok(());
    }
    let scanner = TextScanner::new(registry, EngineChoice::Fastest, Workload::Small, false)?;
    let hits = scanner.worker()?.scan(text.as_bytes())?;
    let secret = hits
        .located
        .iter()
        .map(|located| registry.detector(located.candidate.detector))
        .find(|detector| !matches!(detector.kind, Kind::AccessKeyId | Kind::Publishable) && !detector.publishable);
    match secret {
        Some(detector) => bail!("{}", refusal(&format!("looks like a secret ({})", detector.name))),
        None => Ok(()),
    }
}

/// Answers for the value on standard input.
fn of_value(store: &Store, registry: &Registry) -> Result<Answer> {
    let key = home::fingerprint_key(None)?;
    let mut options = ScanOptions::new(vec!["-".into()], key.clone());
    options.min_confidence = Confidence::Low;
    let outcome = scan::run(&options, registry, &NoProgress, &mut progress::PatientInput(std::io::stdin()));
    if let Some(error) = outcome.report.summary.errors.first() {
        bail!("standard input: {error}");
    }
    let findings = &outcome.report.findings;
    let surest = findings.iter().zip(&outcome.credentials).max_by_key(|(finding, _)| finding.confidence);
    let Some((finding, found)) = surest else {
        bail!(
            "no credential is recognised in what stands on standard input; give it with what stood round it, or look for \
             its fingerprint, redacted form or id"
        );
    };
    if findings.len() > 1 {
        let rest = findings.len() - 1;
        talk(&format!("credtrace: {rest} further credentials stand on standard input; the surest is answered for"));
    }
    let linker = Linker::new(store, registry, Some(&key))?;
    let link = linker.link(finding, Some(found))?;
    let notes = linker.notes().to_vec();
    let reader = Reader::new(store).with_linker(linker);
    let mut answer = who::of_link(&reader, in_words(finding, registry), link, &finding.fingerprint)?;
    answer.notes.extend(notes);
    Ok(answer)
}

fn in_words(finding: &Finding, registry: &Registry) -> String {
    let name = registry.get(&finding.detector).map_or(finding.detector.as_str(), |detector| detector.name.as_str());
    format!("a value on standard input: {name}, {}", finding.redacted)
}
