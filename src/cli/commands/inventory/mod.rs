//! `credtrace inventory`: what the organisation knows of its credentials, from providers' lists and from files that people
//! keep. Nothing here asks a provider.

mod import;
mod show;

use std::path::PathBuf;

use anyhow::Result;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};

use crate::cli::commands::answers::Written;
use crate::cli::exit::Status;
use crate::inventory::hand_kept::Format;
use crate::inventory::import::Kind;
use crate::inventory::template::template;

const EXAMPLES: &str = "Examples:
  credtrace inventory template > credtrace.inventory.toml
  credtrace inventory import --from toml credtrace.inventory.toml
  credtrace inventory import --from openai-project-keys --account org-acme --project proj_ex keys.json
  credtrace inventory import --from csv --map map.toml export.csv
  credtrace inventory list --ai --owner owner.a@acme.example
  credtrace inventory coverage";

const IMPORT_HELP: &str = "A file that cannot be read, is of another kind, or is older than the one that the inventory has of the \
    same list, is refused, and then nothing of any file is imported. A row that is refused is named with its reason, the \
    others are kept, and the exit status is 2. A list replaces the earlier one of the same kind and account; what people \
    keep (toml, json, csv) overrides providers' lists and survives them.";

/// Arguments of `credtrace inventory`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct InventoryArguments {
    /// What to do with it.
    #[command(subcommand)]
    pub action: InventoryAction,

    /// The inventory [default: inventory.db in $CREDTRACE_HOME]
    #[arg(long, value_name = "FILE", global = true)]
    pub inventory: Option<PathBuf>,
}

/// What to do with the inventory.
#[derive(Debug, Subcommand)]
pub enum InventoryAction {
    /// Take in providers' lists and files that people keep
    #[command(after_help = IMPORT_HELP)]
    Import(ImportArguments),
    /// List identities with their owners and credentials
    List(ListArguments),
    /// Say what an import would add, change and remove; without files, what the last imports did
    Diff(DiffArguments),
    /// Say of which providers and accounts there is a list, how old it is and whether it is whole
    Coverage {
        /// How to write it
        #[arg(long, value_enum, default_value = "human")]
        format: Written,
    },
    /// Print an inventory to begin with, every field explained
    Template {
        /// How to write it
        #[arg(long, value_parser = template_formats(), default_value = "toml")]
        format: Format,
    },
}

/// Arguments of `credtrace inventory import`.
#[derive(Debug, Args)]
pub struct ImportArguments {
    /// What the files are: a provider's list, or toml, json or csv that people keep
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    pub from: Chosen,

    /// The files, or - for standard input
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// What the files do not say of themselves.
    #[command(flatten)]
    pub facts: Facts,
}

/// What files do not say of themselves.
#[derive(Debug, Args, Default)]
pub struct Facts {
    /// The organisation, tenant or account that was listed
    #[arg(long, value_name = "ACCOUNT")]
    pub account: Option<String>,

    /// The project or workspace that was listed
    #[arg(long, value_name = "PROJECT")]
    pub project: Option<String>,

    /// The list is not whole, so that an unknown credential is not called one
    #[arg(long)]
    pub partial: bool,

    /// When it was exported [default: when the file was last changed]
    #[arg(long, value_name = "DATE")]
    pub as_of: Option<String>,

    /// With csv: which column is which field
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,

    /// Accept a list without records in place of one with records
    #[arg(long)]
    pub allow_empty: bool,
}

/// Arguments of `credtrace inventory list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Only what belongs to AI: agents, parts of AI systems, identities at providers that serve AI workloads
    #[arg(long)]
    pub ai: bool,

    /// Only what this person owns, by id or any alias
    #[arg(long, value_name = "PERSON")]
    pub owner: Option<String>,

    /// Only what is in this environment
    #[arg(long, value_name = "ENVIRONMENT")]
    pub env: Option<String>,

    /// Only what is at this provider
    #[arg(long, value_name = "PROVIDER")]
    pub provider: Option<String>,

    /// How to write it; csv and json can be imported again
    #[arg(long, value_enum, default_value = "human")]
    pub format: ListFormat,
}

/// Arguments of `credtrace inventory diff`.
#[derive(Debug, Args)]
pub struct DiffArguments {
    /// The files, or - for standard input
    #[arg(value_name = "FILE", requires = "from")]
    pub files: Vec<PathBuf>,

    /// What the files are
    #[arg(long, value_name = "KIND", value_parser = kinds(), requires = "files")]
    pub from: Option<Chosen>,

    /// What the files do not say of themselves.
    #[command(flatten)]
    pub facts: Facts,

    /// How to write it
    #[arg(long, value_enum, default_value = "human")]
    pub format: Written,
}

/// How the list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ListFormat {
    Human,
    Json,
    Csv,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// A provider's list.
    Export(Kind),
    /// A file that a person keeps.
    HandKept(Format),
}

/// Reads the name of a kind; which there are, the importers know.
fn kinds() -> impl TypedValueParser<Value = Chosen> {
    let hand_kept = Format::ALL.map(Format::name);
    let names = Kind::ALL.iter().map(|kind| kind.name()).chain(hand_kept);
    PossibleValuesParser::new(names).try_map(|name| match Format::from_name(&name) {
        Some(format) => Ok(Chosen::HandKept(format)),
        None => name.parse::<Kind>().map(Chosen::Export),
    })
}

/// Reads the name of a format that people keep an inventory in.
fn template_formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name))
        .map(|name| Format::from_name(&name).unwrap_or(Format::Toml))
}

/// Runs the command.
///
/// # Errors
/// A file or an inventory at fault, or what standard output says.
pub fn run(arguments: &InventoryArguments) -> Result<Status> {
    let store = arguments.inventory.as_deref();
    match &arguments.action {
        InventoryAction::Import(import) => import::run(import, store),
        InventoryAction::List(list) => show::list(list, store),
        InventoryAction::Diff(diff) => import::diff(diff, store),
        InventoryAction::Coverage { format } => show::coverage(*format, store),
        InventoryAction::Template { format } => {
            std::io::Write::write_all(&mut std::io::stdout().lock(), template(*format).as_bytes())?;
            Ok(Status::Clean)
        }
    }
}
