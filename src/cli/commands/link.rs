//! `credtrace link`: what a person decides of a link, kept with who, when and why.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Subcommand};
use jiff::Timestamp;

use super::answers::Written;
use crate::cli::actor::actor;
use crate::cli::exit::Status;
use crate::cli::home;
use crate::identity::decisions::{self, Decision, Subject, Verdict};
use crate::identity::evidence::{self, action};
use crate::report::escape::terminal;

/// Arguments of `credtrace link`.
#[derive(Debug, Args)]
pub struct LinkArguments {
    /// What to do with links.
    #[command(subcommand)]
    pub action: LinkAction,

    /// The inventory [default: inventory.db in $CREDTRACE_HOME]
    #[arg(long, value_name = "FILE", global = true)]
    pub inventory: Option<PathBuf>,
}

/// What to do with links.
#[derive(Debug, Subcommand)]
pub enum LinkAction {
    /// Say that a credential that was found is this one; it wins over what scans conclude
    Accept(DecisionArguments),
    /// Say that a credential that was found is not this one
    Reject(DecisionArguments),
    /// Show all decisions, the newest first
    List {
        /// How to write it; json is one object a line
        #[arg(long, value_enum, default_value = "human")]
        format: Written,
    },
}

/// A decision.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("subject").required(true).args(["credential", "identity"]))]
pub struct DecisionArguments {
    /// The fingerprint that a report names (b3k1:...)
    pub fingerprint: String,

    /// The record of the inventory, by its id or by the provider's id of it
    #[arg(long, value_name = "ID")]
    pub credential: Option<String>,

    /// The identity of the inventory
    #[arg(long, value_name = "ID")]
    pub identity: Option<String>,

    /// Why; it is kept with the decision
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

/// Runs the command.
///
/// # Errors
/// A store that is missing or cannot be written, or a decision about what the inventory does not have.
pub fn run(arguments: &LinkArguments) -> Result<Status> {
    match &arguments.action {
        LinkAction::Accept(decision) => decide(arguments, decision, Verdict::Accept)?,
        LinkAction::Reject(decision) => decide(arguments, decision, Verdict::Reject)?,
        LinkAction::List { format } => list(arguments, *format)?,
    }
    Ok(Status::Clean)
}

fn decide(arguments: &LinkArguments, asked: &DecisionArguments, verdict: Verdict) -> Result<()> {
    // A decision names what is in an inventory, so an empty one is never made for it.
    let path = home::store_path(arguments.inventory.as_deref())?;
    let mut store = crate::store::Store::open(&path)?;
    let subject = match (&asked.credential, &asked.identity) {
        (Some(id), _) => Subject::Credential(id.clone()),
        (None, id) => Subject::Identity(id.clone().unwrap_or_default()),
    };
    let said = (actor(), asked.reason.as_str());
    let decision =
        decisions::decide(&mut store, &asked.fingerprint, &subject, verdict, (&said.0, said.1), Timestamp::now())?;
    let data =
        serde_json::json!({ "credential": decision.credential, "identity": decision.identity, "why": decision.why });
    let action = match verdict {
        Verdict::Accept => action::LINK_ACCEPTED,
        Verdict::Reject => action::LINK_REJECTED,
    };
    evidence::append(&mut store, &decision.who, action, &decision.fingerprint, &data, Timestamp::now())?;
    write_line(&line(&decision))
}

fn list(arguments: &LinkArguments, format: Written) -> Result<()> {
    let Some(store) = home::store_for_questions(arguments.inventory.as_deref())? else { return Ok(()) };
    for decision in decisions::list(&store)? {
        let text = match format {
            Written::Human => line(&decision),
            Written::Json => serde_json::to_string(&decision)?,
        };
        write_line(&text)?;
    }
    Ok(())
}

/// Tells a decision in one line, escaped.
fn line(decision: &Decision) -> String {
    let verb = match decision.verdict {
        Verdict::Accept => "accepted",
        Verdict::Reject => "rejected",
    };
    let subject = match (&decision.credential, &decision.identity) {
        (Some(credential), Some(identity)) => format!("credential {credential} of identity {identity}"),
        (Some(credential), None) => format!("credential {credential}"),
        (None, identity) => format!("identity {}", identity.as_deref().unwrap_or_default()),
    };
    let Decision { fingerprint, who, why, at, .. } = decision;
    terminal(&format!("{at}  {fingerprint}  {verb}: {subject}  by {who}: {why}")).into_owned()
}

fn write_line(text: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{text}")?)
}
