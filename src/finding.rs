//! What a scan says: findings, their occurrences and the summary, in the form in which reports write them.
//!
//! A finding holds redacted text only; the one field that can hold a secret is filled when a person asked for it on the
//! command line. Nothing here matches, and nothing here decides how a report looks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::detector::compile::{Confidence, Kind, Severity};

/// The schema name of a finding's JSON.
pub const FINDING_SCHEMA: &str = "credtrace/finding/1";
/// The schema name of a summary's JSON.
pub const SUMMARY_SCHEMA: &str = "credtrace/summary/1";

/// One credential with all the places where it occurs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// Always [`FINDING_SCHEMA`].
    pub schema: String,
    /// The keyed fingerprint of the secret.
    pub fingerprint: String,
    /// The detector's id.
    pub detector: String,
    /// The provider's slug, where the value or something near it says which.
    pub provider: Option<String>,
    /// The providers it may belong to, where nothing says which.
    pub provider_candidates: Vec<String>,
    /// What sort of credential.
    pub kind: Kind,
    /// Whether AI workloads are what the provider serves.
    pub ai: bool,
    /// How sure the finding is.
    pub confidence: Confidence,
    /// How bad the leak is.
    pub severity: Severity,
    /// The secret with its variable part left out.
    pub redacted: String,
    /// The secret itself, only with `--show-secrets`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret: Option<String>,
    /// The encodings that were undone to read it, outermost first.
    pub decoded: Vec<String>,
    /// The date of the oldest commit that holds it, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_seen: Option<String>,
    /// The date of the newest commit that introduced it somewhere, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_seen: Option<String>,
    /// Every place where it occurs, one a path.
    pub occurrences: Vec<Occurrence>,
    /// Whether it works.
    pub verification: Verification,
    /// Whose it is.
    pub identity: Identity,
    /// What its ownership says of the risk.
    pub identity_findings: Vec<String>,
}

/// Where text came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceKind {
    /// A repository's objects: blobs, messages, author fields.
    Git,
    /// The index of a repository.
    Index,
    /// A file of a tree.
    File,
    /// Standard input.
    Stdin,
    /// A member of an archive.
    Archive,
    /// A ticket export.
    Ticket,
    /// A build log.
    Log,
    /// An agent's transcript.
    Transcript,
}

/// One place of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Occurrence {
    /// Where the text came from.
    pub source: SourceKind,
    /// The target as it was given.
    pub target: String,
    /// The path, lossy where it is not UTF-8. For text without a path what it is, such as `<commit message>`.
    pub path: String,
    /// The path's bytes in base64, where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub path_bytes_b64: Option<String>,
    /// The line, counted from 1.
    pub line: u64,
    /// The column in bytes, counted from 1.
    pub column: u64,
    /// Where the secret begins in the original bytes.
    pub start: u64,
    /// Where the secret ends in the original bytes.
    pub end: u64,
    /// The blob, for git.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub blob: Option<String>,
    /// The commit that introduced it, or the commit or tag whose message holds it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub commit: Option<String>,
    /// That commit's author, as `Name <address>`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub author: Option<String>,
    /// That commit's date in RFC 3339; `invalid` where the date is out of range.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub date: Option<String>,
    /// Whether HEAD still has it, for git.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub in_head: Option<bool>,
    /// How many versions of the file hold it, for git.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub versions: Option<u64>,
    /// The line with every secret in it masked, for people; not part of a report for machines.
    #[serde(skip)]
    pub excerpt: String,
}

/// Whether a credential works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The verdict.
    pub state: Liveness,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// The verdict on a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Liveness {
    /// It works.
    Live,
    /// It works within limits.
    Limited,
    /// It does not work.
    Dead,
    /// The answer decides nothing.
    Unknown,
    /// It is a trap: using it alarms its owner.
    Canary,
    /// It may belong to several providers, so none was asked.
    Refused,
    /// Nobody was asked.
    NotChecked,
}

/// Whose a credential is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// How the link to the inventory stands.
    pub status: IdentityStatus,
}

/// How the link to the inventory stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityStatus {
    /// There is no inventory to ask.
    NoInventory,
}

/// The last line of a report: what was done and what was not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Always [`SUMMARY_SCHEMA`].
    pub schema: String,
    /// Whether all that was asked was done.
    pub complete: bool,
    /// How many findings the report holds.
    pub findings: u64,
    /// How many blobs, files and messages were scanned.
    pub blobs_scanned: u64,
    /// How many bytes those have.
    pub bytes_scanned: u64,
    /// What was skipped by a declared limit or rule, counted by reason.
    pub skipped: BTreeMap<String, u64>,
    /// What was found but not reported, counted by reason.
    pub suppressed: BTreeMap<String, u64>,
    /// What could not be done, each with its place and reason.
    pub errors: Vec<String>,
    /// What the reader should know although nothing failed.
    pub warnings: Vec<String>,
    /// How many detectors were on.
    pub detectors: u64,
    /// The anchor engine: `hyperscan` or `aho-corasick`.
    pub engine: String,
    /// The id of the fingerprint key, or `ephemeral`.
    pub fingerprint_key: String,
    /// How long the scan took.
    pub seconds: f64,
}

/// A whole report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// The findings, in their stable order.
    pub findings: Vec<Finding>,
    /// What was done and what was not.
    pub summary: Summary,
}
