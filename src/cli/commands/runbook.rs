//! `credtrace runbook`: what to do about one leaked credential, for the terminal or as a ticket.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use serde_json::json;

use super::answers::{self, AnswerArguments};
use super::scan::width;
use crate::cli::actor::actor;
use crate::cli::exit::Status;
use crate::cli::home;
use crate::detector::registry::Registry;
use crate::finding::Finding;
use crate::identity::codeowners::{self, Codeowners};
use crate::identity::evidence::{self, action, matrix};
use crate::identity::reader::Reader;
use crate::identity::runbook::{self, Circumstances, Exposure, Runbook};
use crate::report;
use crate::report::answers::TicketExtra;
use crate::source::file::{Opened, read_small};
use crate::store::Store;

/// Arguments of `credtrace runbook`.
#[derive(Debug, Args)]
pub struct RunbookArguments {
    /// The finding: its fingerprint, or enough of its beginning or of its digits that only one begins so
    #[arg(value_name = "FINDING")]
    pub finding: String,

    /// Take the finding from a report (JSON or JSONL) instead of what scans with an inventory remembered
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Strangers can read the places where it stands
    #[arg(long, conflicts_with = "private")]
    pub public: bool,

    /// Only people of the organisation can read the places where it stands
    #[arg(long)]
    pub private: bool,

    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    pub format: RunbookFormat,

    /// Where the inventory is and how the answer is written.
    #[command(flatten)]
    pub answer: AnswerArguments,
}

/// How a runbook is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum RunbookFormat {
    /// For the person at the terminal
    Human,
    /// The text of a ticket, in Markdown
    Ticket,
    /// One JSON document
    Json,
}

/// Runs the command.
///
/// # Errors
/// A finding that is unknown or not the only one that begins so, a report or store that cannot be read.
pub fn run(arguments: &RunbookArguments) -> Result<Status> {
    let mut store = home::store_for_questions(arguments.answer.inventory.as_deref())?;
    let finding = finding(arguments, store.as_ref())?;
    let registry = Registry::built_in();
    let circumstances = Circumstances {
        exposure: exposure(arguments),
        code_owners: code_owners(&finding),
        now: jiff::Timestamp::now(),
    };
    let key = home::fingerprint_key(None)?;
    let reader = store.as_ref().map(|store| answers::reader(store, &registry, Some(&key))).transpose()?;
    let book = runbook::runbook(reader.as_ref(), &finding, registry.get(&finding.detector), &circumstances)?;
    drop(reader);
    let mut extra = TicketExtra { controls: matrix::in_words(&book.identity_findings), evidence: None };
    if let Some(store) = &mut store {
        extra.evidence = Some(record(store, &book, circumstances.now)?);
    }
    answers::put(arguments.answer.output.as_deref(), |output| match arguments.format {
        RunbookFormat::Human => report::answers::runbook(&book, width(), output),
        RunbookFormat::Ticket => report::answers::ticket(&book, &extra, output),
        RunbookFormat::Json => answers::json(&json!({ "runbook": book, "ticket": ticket(&book, &extra)? }), output),
    })?;
    Ok(Status::Clean)
}

fn exposure(arguments: &RunbookArguments) -> Exposure {
    match (arguments.public, arguments.private) {
        (true, _) => Exposure::Public,
        (_, true) => Exposure::Private,
        _ => Exposure::Unknown,
    }
}

/// The title and text of the ticket, for programs that open one.
fn ticket(book: &Runbook, extra: &TicketExtra) -> std::io::Result<BTreeMap<&'static str, String>> {
    let mut text = Vec::new();
    report::answers::ticket(book, extra, &mut text)?;
    let title = report::answers::ticket_title(book);
    Ok([("title", title), ("markdown", String::from_utf8_lossy(&text).into_owned())].into())
}

/// Records that the runbook was made; returns the event's number and hash.
fn record(store: &mut Store, book: &Runbook, now: jiff::Timestamp) -> Result<(u64, String)> {
    let data = json!({
        "identity": book.identity.as_ref().map(|card| &card.identity.id),
        "order": book.order,
        "break_check": book.break_check.verdict,
        "told": book.routing.to,
        "deadline": book.deadline,
    });
    let event = evidence::append(store, &actor(), action::RUNBOOK, &book.fingerprint, &data, now)?;
    Ok((event.seq, event.hash))
}

fn finding(arguments: &RunbookArguments, store: Option<&Store>) -> Result<Finding> {
    let name = arguments.finding.trim();
    let found = match (&arguments.report, store) {
        (Some(report), _) => in_report(report, name)?,
        (None, Some(store)) => Reader::new(store).findings_by_prefix(name)?,
        (None, None) => bail!("there is no inventory that remembers findings; name a report with --report FILE"),
    };
    answers::the_one(found, name, ", and --report FILE names a report")
}

/// Returns the findings of a report whose fingerprint begins so.
fn in_report(path: &Path, name: &str) -> Result<Vec<Finding>> {
    let fits = |finding: &Finding| {
        let digits = finding.fingerprint.rsplit(':').next().unwrap_or_default();
        finding.fingerprint.starts_with(name) || digits.starts_with(&name.to_ascii_lowercase())
    };
    Ok(answers::read_report(path)?.into_iter().filter(fits).collect())
}

/// What the CODEOWNERS of the repositories says of the places, where they are on this machine.
fn code_owners(finding: &Finding) -> Vec<String> {
    let mut files: BTreeMap<&str, Option<Codeowners>> = BTreeMap::new();
    let mut owners: Vec<String> = Vec::new();
    for place in finding.occurrences.iter().take(100) {
        let file = files.entry(&place.target).or_insert_with(|| read_code_owners(Path::new(&place.target)));
        if let Some((_, found)) = file.as_ref().and_then(|file| file.owners(&place.path)) {
            for owner in found {
                if !owners.contains(owner) && owners.len() < 5 {
                    owners.push(owner.clone());
                }
            }
        }
    }
    owners
}

/// Reads the file as a scan reads what is scanned: no link is followed, no pipe waited for, nothing huge is read.
fn read_code_owners(target: &Path) -> Option<Codeowners> {
    let mut bytes = Vec::new();
    let mut read = |path: PathBuf| {
        bytes.clear();
        matches!(read_small(&path, codeowners::LARGEST, &mut bytes), Ok(Opened::Whole))
            .then(|| Codeowners::parse(&bytes))
    };
    codeowners::PLACES.iter().find_map(|place| read(target.join(place)))
}
