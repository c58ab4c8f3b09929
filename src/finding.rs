//! What a scan says: findings, their occurrences and the summary, in the form in which reports write them.
//!
//! A finding holds redacted text only; the one field that can hold a secret is filled when a person asked for it on the
//! command line. Nothing here matches, and nothing here decides how a report looks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::detector::compile::Detector;
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
    /// The other halves that stood near it; two of one detector mean that nothing says which of them belongs to it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub companions: Vec<CompanionNote>,
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

impl Finding {
    /// What is known of a value by its detector alone: high confidence, no place, nobody asked about it.
    pub fn of(detector: &Detector, fingerprint: String, redacted: String) -> Self {
        Self {
            schema: FINDING_SCHEMA.into(),
            fingerprint,
            detector: detector.id.clone(),
            provider: Some(detector.provider.clone()),
            provider_candidates: Vec::new(),
            kind: detector.kind,
            ai: detector.ai,
            confidence: Confidence::High,
            severity: detector.severity(),
            redacted,
            secret: None,
            decoded: Vec::new(),
            companions: Vec::new(),
            first_seen: None,
            last_seen: None,
            occurrences: Vec::new(),
            verification: Verification::default(),
            identity: Identity::default(),
            identity_findings: Vec::new(),
        }
    }
}

/// The other half of a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompanionNote {
    /// The id of the detector that found it.
    pub detector: String,
    /// Its keyed fingerprint.
    pub fingerprint: String,
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
    /// Who said it where and when, for a ticket, a build log or a transcript.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub context: Option<Context>,
    /// The line with every secret in it masked, for people; not part of a report for machines.
    #[serde(skip)]
    pub excerpt: String,
}

/// What surrounds a text that is not a file: the ticket, who wrote it, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// The ticket, job or session.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ticket: Option<String>,
    /// Who wrote the text.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
    /// When it was written, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<String>,
}

/// Whether a credential works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// The verdict.
    pub state: Liveness,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// When the provider was asked, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checked_at: Option<String>,
    /// What the answer says of the account, by the fact's name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub account: BTreeMap<String, String>,
}

impl Verification {
    /// A verdict without more to say.
    pub fn new(state: Liveness) -> Self {
        Self { state, reason: None, checked_at: None, account: BTreeMap::new() }
    }
}

impl Default for Verification {
    fn default() -> Self {
        Self::new(Liveness::NotChecked)
    }
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Identity {
    /// How the link to the inventory stands.
    pub status: IdentityStatus,
    /// What the link rests on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tier: Option<LinkTier>,
    /// How sure the link is, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub score: Option<f64>,
    /// The reason, in one sentence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub why: Option<String>,
    /// The identity's id in the inventory.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// The identity's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<Person>,
    /// Who answers in the owner's place.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub backup_owner: Option<String>,
    /// The team.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub team: Option<String>,
    /// Where it is used, such as `production`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub environment: Option<String>,
    /// The AI system that authenticates with it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ai_system: Option<String>,
    /// The provider's own record of the credential.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub credential: Option<CredentialRecord>,
    /// The identities it may be, where a tie asserts none.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub candidates: Vec<Candidate>,
    /// The date of the inventory, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub as_of: Option<String>,
}

impl Identity {
    /// A status without more to say.
    pub fn new(status: IdentityStatus) -> Self {
        Self {
            status,
            tier: None,
            score: None,
            why: None,
            id: None,
            name: None,
            owner: None,
            backup_owner: None,
            team: None,
            environment: None,
            ai_system: None,
            credential: None,
            candidates: Vec::new(),
            as_of: None,
        }
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::new(IdentityStatus::NoInventory)
    }
}

/// A person of the inventory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The id in the inventory.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The address.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email: Option<String>,
    /// Whether the person is still there: `active`, `departed`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<String>,
}

/// A provider's own record of a credential.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRecord {
    /// The provider's id of the credential, by which it can be revoked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub record_id: Option<String>,
    /// What the provider calls its sort.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none", default)]
    pub sort: Option<String>,
    /// What the provider says of its state.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<String>,
    /// When it was made, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created: Option<String>,
    /// When it was last used, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub last_used: Option<String>,
}

/// One identity of several that a credential may belong to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The provider's id of the credential.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub record_id: Option<String>,
    /// The identity's id in the inventory.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub id: Option<String>,
    /// The identity's name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Who answers for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub owner: Option<Person>,
    /// How likely it is, from 0 to 1.
    pub score: f64,
}

/// How the link to the inventory stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum IdentityStatus {
    /// One identity is named.
    Linked,
    /// Several fit equally well, so none is named.
    Tie,
    /// The account is known, the identity is not.
    Account,
    /// One is likely, and a person has to say so.
    Suggested,
    /// The inventory covers the provider completely and does not know the credential.
    Shadow,
    /// The inventory does not cover the provider.
    NotCovered,
    /// There is no inventory to ask.
    NoInventory,
}

/// What a link to an identity rests on, the surest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkTier {
    /// The fingerprint of the whole value.
    Exact,
    /// A public id inside the value or beside it.
    PublicId,
    /// A hint that one record alone has.
    HintUnique,
    /// A hint that several records share.
    HintTie,
    /// The account that the value names.
    Account,
    /// Where it was found.
    Context,
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
