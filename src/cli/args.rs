//! What a person may type, as clap sees it; what it means is decided in [`super::resolve`].

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use super::commands;
use super::commands::answers::Written;
use super::known::KnownArguments;
use super::verifying::VerifyingArguments;
use crate::report::Format;

/// Headings of the help.
const TARGETS: &str = "What to scan";
const REPORT: &str = "The report";
const RUN: &str = "How it runs";

/// What the help of every command that scans ends with.
const EXIT_STATUS: &str = "Exit status: 0 complete and nothing found, 1 findings, 2 not everything that was asked could be \
    done (the report says what), 130 interrupted. Where a command's status means something else, its help says so.";

/// Examples of `credtrace scan`, and how it ends.
const SCAN_EXAMPLES: &str = "Examples:
  credtrace scan                              this folder or repository
  credtrace scan path/to/repository log.txt   several targets, one report
  credtrace scan --history origin/main..HEAD  what a branch adds
  kubectl logs POD | credtrace scan -         standard input
  credtrace scan --verify --fail-on live      ask providers; fail on what works
  credtrace scan --format sarif --output credtrace.sarif

Exit status:
  0  complete, nothing found
  1  complete, findings
  2  not everything that was asked could be done; the report says what
  130  interrupted";

/// Finds the API keys and tokens of AI workloads, wherever they leaked.
#[derive(Debug, Parser)]
#[command(name = "credtrace", version, about, max_term_width = 100, after_help = EXIT_STATUS)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Scan repositories, folders, files or standard input
    Scan(Box<ScanArguments>),
    /// Check what the next commit would add; the entry of the pre-commit hook
    Hook(HookArguments),
    /// Show what a scan with --baseline knows and does not report, or remove what is over
    Baseline(commands::baseline::BaselineArguments),
    /// Take the credentials out of files, with their redacted form in their place
    Scrub(commands::scrub::ScrubArguments),
    /// Make one report of several, by fingerprint
    Merge(commands::merge::MergeArguments),
    /// Say what a report has that an earlier one had not, and what is gone
    Diff(commands::diff::DiffArguments),
    /// Ask the provider whether a credential works; it comes on standard input
    Verify(Box<commands::verify::VerifyArguments>),
    /// Show or send the request that ends a credential
    Revoke(commands::revoke::RevokeArguments),
    /// Keep what is known of identities and credentials: import, list, diff, coverage, template
    Inventory(commands::inventory::InventoryArguments),
    /// Put the fingerprint of a credential into the inventory; the value comes on standard input
    Enroll(commands::enroll::EnrollArguments),
    /// Say whose a credential is: from a fingerprint, a redacted form, an id, an address, or a value on standard input
    Who(commands::who::WhoArguments),
    /// Accept or reject a link between a credential and the inventory, or list what was decided
    Link(commands::link::LinkArguments),
    /// Say what is wrong with the ownership and life of credentials: unowned, shared, stale, over-privileged
    Check(commands::check::CheckArguments),
    /// Propose what is no longer needed for removal
    Review(commands::review::ReviewArguments),
    /// List what a person who leaves leaves behind, and what has to be done
    Offboard(commands::offboard::OffboardArguments),
    /// Draw AI systems, the identities they act as, their credentials and what they reach
    Map(commands::map::MapArguments),
    /// Say what an identity reaches, as declared and as logs show
    Blast(commands::blast::BlastArguments),
    /// Say what to do about a leaked credential, step by step, or as the text of a ticket
    Runbook(commands::runbook::RunbookArguments),
    /// Write what was done and found as evidence, or check that such a record was not changed
    Evidence(commands::evidence::EvidenceArguments),
    /// List, show or check detectors
    Detectors(DetectorsArguments),
    /// Print a man page, shell completions, the report's JSON schema or the table of detectors
    Generate(GenerateArguments),
}

/// Arguments of `credtrace scan`.
#[derive(Debug, Args)]
#[command(after_help = SCAN_EXAMPLES)]
pub struct ScanArguments {
    /// A folder, a git repository (work tree or bare), a file, or - for standard input [default: .]
    #[arg(value_name = "TARGET")]
    pub targets: Vec<PathBuf>,

    /// How much of a repository's history: all, none, or a range as git writes it (main..HEAD)
    #[arg(long, value_name = "all|none|RANGE", default_value = "all", help_heading = TARGETS)]
    pub history: String,

    /// Only what the index adds over HEAD: what git would commit
    #[arg(long, conflicts_with_all = ["worktree_only", "history"], help_heading = TARGETS)]
    pub staged: bool,

    /// Only the files, not the history
    #[arg(long, conflicts_with = "history", help_heading = TARGETS)]
    pub worktree_only: bool,

    /// In a work tree also the files that .gitignore names
    #[arg(long, help_heading = TARGETS)]
    pub include_ignored: bool,

    /// More targets, one a line, from a file or - for standard input
    #[arg(long, value_name = "FILE", help_heading = TARGETS)]
    pub targets_from: Option<PathBuf>,

    /// Also the folders of agents below the home folder: settings, credentials, transcripts; those that exist
    #[arg(long, conflicts_with = "staged", help_heading = TARGETS)]
    pub agents: bool,

    /// What the files are, where their records do not say it: so that places tell ticket, writer and time
    #[arg(long, value_name = "KIND", value_enum, help_heading = TARGETS)]
    pub kind: Option<KindName>,

    /// How to write the report; human on a terminal, jsonl elsewhere
    #[arg(long, value_parser = format_parser(), help_heading = REPORT)]
    pub format: Option<Format>,

    /// Write the report to a file, whole or not at all
    #[arg(long, value_name = "FILE", help_heading = REPORT)]
    pub output: Option<PathBuf>,

    /// The least confidence to report
    #[arg(long, value_name = "LEVEL", value_enum, default_value = "medium", help_heading = REPORT)]
    pub min_confidence: MinConfidence,

    /// Which detectors are on.
    #[command(flatten)]
    pub detectors: DetectorSelection,

    /// Put the secrets themselves into the report, instead of a redacted form alone
    #[arg(long, help_heading = REPORT)]
    pub show_secrets: bool,

    /// Say on standard error why each candidate was kept or dropped
    #[arg(long, help_heading = REPORT)]
    pub explain: bool,

    /// What is known and not reported.
    #[command(flatten)]
    pub known: KnownArguments,

    /// What makes the exit status 1
    #[arg(long, value_name = "WHAT", value_enum, default_value = "any", help_heading = REPORT)]
    pub fail_on: FailOn,

    /// Ask providers whether what was found works; the only option that uses the network
    #[arg(long, help_heading = "Asking providers")]
    pub verify: bool,

    /// How providers are asked.
    #[command(flatten)]
    pub verifying: VerifyingArguments,
    /// The inventory that says whose credentials are [default: inventory.db in $CREDTRACE_HOME, where it is there]
    #[arg(long, value_name = "FILE", help_heading = REPORT)]
    pub inventory: Option<PathBuf>,

    /// Limits, severities and exceptions of identity findings, and what fails with --fail-on policy
    #[arg(long, value_name = "FILE", help_heading = REPORT)]
    pub policy: Option<PathBuf>,

    /// Map large files instead of reading them; not for files that something may shorten meanwhile
    #[arg(long, help_heading = RUN)]
    pub mmap: bool,

    /// How many threads; 0 is one a processor
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = RUN)]
    pub threads: usize,

    /// Which engine looks for anchors
    #[arg(long, value_enum, default_value = "fastest", help_heading = RUN)]
    pub engine: EngineName,

    /// Scan every version of a file whole, instead of what differs from the version it is stored against
    #[arg(long, help_heading = RUN)]
    pub no_delta: bool,

    /// How much memory to keep to, in megabytes, beside mapped packs; versions of files are read again beyond it
    #[arg(long, value_name = "MB", default_value_t = 512, help_heading = RUN, value_parser = clap::value_parser!(u64).range(16..))]
    pub memory: u64,

    /// The largest git object to scan, in megabytes [default: a quarter of --memory]
    #[arg(long, value_name = "MB", help_heading = TARGETS)]
    pub max_object_size: Option<u64>,

    /// Read the fingerprint key from a file, so that reports of several machines agree
    #[arg(long, value_name = "FILE", help_heading = REPORT)]
    pub fingerprint_key_file: Option<PathBuf>,

    /// A skip by a limit also means exit status 2
    #[arg(long, help_heading = RUN)]
    pub strict: bool,

    /// Show no progress
    #[arg(long, help_heading = RUN)]
    pub no_progress: bool,

    /// Say nothing but the report
    #[arg(long, short, help_heading = RUN, conflicts_with = "verbose")]
    pub quiet: bool,

    /// Say on standard error what is being done: -v stages, -vv each skip and fault, -vvv each candidate and request
    #[arg(long, short, action = clap::ArgAction::Count, help_heading = RUN)]
    pub verbose: u8,
}

/// Reads the name of a format; which there are, the reports know.
pub(super) fn format_parser() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.map(Format::name)).try_map(|name| name.parse::<Format>())
}

/// Which detectors are on.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "What to look for")]
pub struct DetectorSelection {
    /// Only detectors whose id fits; * stands for any text (`credtrace detectors list` names them all)
    #[arg(long = "detector", value_name = "GLOB")]
    pub include: Vec<String>,

    /// All detectors but those whose id fits
    #[arg(long = "exclude-detector", value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// More detectors beside the built-in ones, from the .toml files of a folder
    #[arg(long = "detectors", value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// How `credtrace hook` ends.
const HOOK_EXIT_STATUS: &str =
    "Exit status: 0 nothing that stops the commit, 1 a credential, 2 it could not be checked.";

/// Arguments of `credtrace hook`.
#[derive(Debug, Args)]
#[command(after_help = HOOK_EXIT_STATUS)]
pub struct HookArguments {
    /// Which detectors are on.
    #[command(flatten)]
    pub detectors: DetectorSelection,

    /// The least confidence that stops a commit
    #[arg(long, value_name = "LEVEL", value_enum, default_value = "medium")]
    pub min_confidence: MinConfidence,

    /// Accept a credential by the fingerprint that the hook printed, so that it can be committed
    #[arg(long, value_name = "FINGERPRINT", requires = "reason")]
    pub accept: Option<String>,

    /// Why it is accepted
    #[arg(long, value_name = "TEXT", requires = "accept")]
    pub reason: Option<String>,

    /// Let pass what this file lists as known, as `credtrace scan --baseline` does
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// Names that a hook manager adds; what is staged decides, not they
    #[arg(hide = true, value_name = "IGNORED")]
    pub ignored: Vec<PathBuf>,
}

/// Arguments of `credtrace detectors`.
#[derive(Debug, Args)]
pub struct DetectorsArguments {
    /// What to do with them.
    #[command(subcommand)]
    pub action: DetectorsAction,
}

/// What to do with detectors.
#[derive(Debug, Subcommand)]
pub enum DetectorsAction {
    /// One line a detector
    List {
        /// Which detectors are on.
        #[command(flatten)]
        selection: DetectorSelection,
        /// How to write it
        #[arg(long, value_enum, default_value = "human")]
        format: Written,
    },
    /// Everything that is known of one
    Show {
        /// The detector's id
        id: String,
        /// Which detectors are on.
        #[command(flatten)]
        selection: DetectorSelection,
    },
    /// Run every example and counter-example through both engines and against all other detectors
    Check {
        /// A folder of detector files to check with the built-in ones
        folder: Option<PathBuf>,
    },
}

/// Arguments of `credtrace generate`.
#[derive(Debug, Args)]
pub struct GenerateArguments {
    /// What to print
    #[command(subcommand)]
    pub what: Generated,
}

/// What can be printed.
#[derive(Debug, Clone, Subcommand)]
pub enum Generated {
    /// The man page of the program, or of one of its commands
    Man {
        /// The command, such as scan
        command: Option<String>,
    },
    /// Completions for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// The JSON schema of a report
    Schema,
    /// The table of detectors, in Markdown
    DetectorTable,
}

/// The least confidence to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum MinConfidence {
    Low,
    Medium,
    High,
}

/// What the scanned files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KindName {
    /// Text as it is
    Text,
    /// Build logs
    Log,
    /// Exports of tickets or chats
    Ticket,
    /// Transcripts of agents or of talks with a model
    Transcript,
}

/// What makes the exit status 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Any finding
    Any,
    /// What works, within limits or not; needs --verify
    Live,
    /// A finding of which the inventory does not say whose it is
    Unlinked,
    /// What the policy fails on; needs --policy
    Policy,
}

/// Which engine looks for anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// The fastest that the program was built with
    Fastest,
    /// The pure-Rust one, which every build has
    Pure,
}
