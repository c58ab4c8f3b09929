//! `credtrace map`: AI systems, the identities they act as, their credentials, and what they reach.

use anyhow::Result;
use clap::{Args, ValueEnum};

use super::answers::{self, AnswerArguments};
use crate::cli::exit::Status;
use crate::cli::home;
use crate::detector::registry::Registry;
use crate::identity::map;
use crate::inventory::records::Filter;
use crate::report;

/// Arguments of `credtrace map`.
#[derive(Debug, Args)]
pub struct MapArguments {
    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    pub format: MapFormat,

    /// Only what belongs to AI: agents, AI systems, and identities at providers that serve AI workloads
    #[arg(long)]
    pub ai: bool,

    /// Only the identities of one AI system
    #[arg(long, value_name = "NAME")]
    pub system: Option<String>,

    /// Only the identities of one owner, by any of their names
    #[arg(long, value_name = "PERSON")]
    pub owner: Option<String>,

    /// Only the identities of one environment
    #[arg(long, value_name = "NAME")]
    pub environment: Option<String>,

    /// Only the identities of one provider
    #[arg(long, value_name = "SLUG")]
    pub provider: Option<String>,

    /// Where the inventory is and how the answer is written.
    #[command(flatten)]
    pub answer: AnswerArguments,
}

/// How a map is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MapFormat {
    /// A tree of lines
    #[value(alias = "text")]
    Human,
    /// One JSON document
    Json,
    /// For Graphviz
    Dot,
    /// One page with a drawing of each AI system
    Html,
}

/// Runs the command.
///
/// # Errors
/// Where there is no inventory, or it cannot be read.
pub fn run(arguments: &MapArguments) -> Result<Status> {
    let store = answers::store(arguments.answer.inventory.as_deref())?;
    let filter = Filter {
        provider: arguments.provider.clone(),
        owner: arguments.owner.clone(),
        environment: arguments.environment.clone(),
        ai_system: arguments.system.clone(),
        ai: arguments.ai,
        ..Filter::default()
    };
    let (registry, key) = (Registry::built_in(), home::fingerprint_key(None)?);
    let map = map::map(&answers::reader(&store, &registry, Some(&key))?, &filter)?;
    answers::put(arguments.answer.output.as_deref(), |output| match arguments.format {
        MapFormat::Human => report::answers::map_text(&map, output),
        MapFormat::Json => answers::json(&map, output),
        MapFormat::Dot => report::answers::map_dot(&map, output),
        MapFormat::Html => report::answers::map_page(&map, output),
    })?;
    Ok(Status::Clean)
}
