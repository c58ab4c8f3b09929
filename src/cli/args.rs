//! What a person may type, as clap sees it; what it means is decided in [`super::resolve`].

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Finds leaked credentials of AI workloads and says whose they are.
#[derive(Debug, Parser)]
#[command(name = "credtrace", version, about, max_term_width = 100, disable_help_subcommand = true)]
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
    /// List, show or check detectors
    Detectors(DetectorsArguments),
    /// Print a man page, shell completions, the report's JSON schema or the table of detectors
    Generate(GenerateArguments),
}

/// Arguments of `credtrace scan`.
#[derive(Debug, Args)]
pub struct ScanArguments {
    /// A folder, a git repository (work tree or bare), a file, or - for standard input
    #[arg(value_name = "TARGET", default_value = ".")]
    pub targets: Vec<PathBuf>,

    /// How much of a repository's history: all, none, or a range as git writes it (main..HEAD)
    #[arg(long, value_name = "all|none|RANGE", default_value = "all")]
    pub history: String,

    /// Only what the index adds over HEAD
    #[arg(long, conflicts_with_all = ["worktree_only", "history"])]
    pub staged: bool,

    /// Only the files, not the history
    #[arg(long, conflicts_with = "history")]
    pub worktree_only: bool,

    /// In a work tree also the files that .gitignore names
    #[arg(long)]
    pub include_ignored: bool,

    /// More targets, one a line, from a file or - for standard input
    #[arg(long, value_name = "FILE")]
    pub targets_from: Option<PathBuf>,

    /// How to write the report; human on a terminal, jsonl elsewhere
    #[arg(long, value_enum)]
    pub format: Option<Format>,

    /// Write the report to a file, whole or not at all
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// The least confidence to report
    #[arg(long, value_enum, default_value = "medium")]
    pub min_confidence: MinConfidence,

    /// Which detectors are on.
    #[command(flatten)]
    pub detectors: DetectorSelection,

    /// Put the secrets themselves into the report
    #[arg(long)]
    pub show_secrets: bool,

    /// Say why each candidate was kept or dropped
    #[arg(long)]
    pub explain: bool,

    /// What makes the exit status 1
    #[arg(long, value_enum, default_value = "any")]
    pub fail_on: FailOn,

    /// How many threads; 0 is one a processor
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub threads: usize,

    /// Which engine looks for anchors
    #[arg(long, value_enum, default_value = "fastest")]
    pub engine: EngineName,

    /// Scan every version of a file whole, instead of what differs from the version it is stored against
    #[arg(long)]
    pub no_delta: bool,

    /// The largest git object to scan, in megabytes
    #[arg(long, value_name = "MB", default_value_t = 256)]
    pub max_object_size: u64,

    /// Read the fingerprint key from a file
    #[arg(long, value_name = "FILE")]
    pub fingerprint_key_file: Option<PathBuf>,

    /// A skip by a limit also means exit status 2
    #[arg(long)]
    pub strict: bool,

    /// Show no progress
    #[arg(long)]
    pub no_progress: bool,

    /// Say nothing but the report
    #[arg(long, short)]
    pub quiet: bool,
}

/// Which detectors are on.
#[derive(Debug, Args, Clone, Default)]
pub struct DetectorSelection {
    /// Only detectors whose id fits
    #[arg(long = "detector", value_name = "GLOB")]
    pub include: Vec<String>,

    /// No detector whose id fits
    #[arg(long = "exclude-detector", value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// More detectors, from the .toml files of a folder
    #[arg(long = "detectors", value_name = "DIR")]
    pub folder: Option<PathBuf>,
}

/// Arguments of `credtrace hook`.
#[derive(Debug, Args)]
pub struct HookArguments {
    /// Which detectors are on.
    #[command(flatten)]
    pub detectors: DetectorSelection,

    /// The least confidence that stops a commit
    #[arg(long, value_enum, default_value = "medium")]
    pub min_confidence: MinConfidence,

    /// Accept a credential by the fingerprint that the hook printed, so that it can be committed
    #[arg(long, value_name = "FINGERPRINT", requires = "reason")]
    pub accept: Option<String>,

    /// Why it is accepted
    #[arg(long, value_name = "TEXT", requires = "accept")]
    pub reason: Option<String>,

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
        /// As JSON
        #[arg(long)]
        json: bool,
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
    /// The man page
    Man,
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

/// How to write a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Format {
    Human,
    Jsonl,
    Json,
    Sarif,
    Csv,
    Html,
    Junit,
    Gitlab,
    Github,
}

/// The least confidence to report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum MinConfidence {
    Low,
    Medium,
    High,
}

/// What makes the exit status 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Any finding
    Any,
}

/// Which engine looks for anchors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineName {
    /// The fastest that the program was built with
    Fastest,
    /// The pure-Rust one
    Pure,
}
