//! What one file says: claims of one source, on their way into the store. Importers make it without touching the store.

use super::model::{Coverage, CredentialRecord, IdentityRecord, Observation, Person};

/// Whose word counts more where two sources differ in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rank {
    /// A provider's list.
    Imported = 1,
    /// A value that a person enrolled.
    Enrolled = 2,
    /// A file that a person keeps.
    HandKept = 3,
}

/// All that one file says.
#[derive(Debug, Clone, PartialEq)]
pub struct Batch {
    /// What replaces what: a later batch of the same source replaces the claims of the earlier one. Made of the kind, the
    /// account and, where one account has several lists, what tells them apart: `openai-project-keys/org-acme/proj_ex`.
    pub source: String,
    /// The importer's name, or `hand`, `enrol`.
    pub kind: String,
    /// When the source was written, in RFC 3339.
    pub as_of: String,
    /// Whose word counts.
    pub rank: Rank,
    /// People.
    pub people: Vec<Person>,
    /// Identities.
    pub identities: Vec<IdentityRecord>,
    /// Credentials.
    pub credentials: Vec<CredentialRecord>,
    /// What the file is a list of.
    pub coverage: Vec<Coverage>,
    /// Use that it shows.
    pub observations: Vec<Observation>,
    /// Rows that were refused, each with its reason.
    pub rejected: Vec<Rejected>,
    /// What the reader should know of rows that were kept and of the list as a whole; no fault by itself.
    pub remarks: Vec<Remark>,
}

impl Batch {
    /// Starts an empty batch.
    pub fn new(source: impl Into<String>, kind: impl Into<String>, as_of: impl Into<String>, rank: Rank) -> Self {
        Self {
            source: source.into(),
            kind: kind.into(),
            as_of: as_of.into(),
            rank,
            people: Vec::new(),
            identities: Vec::new(),
            credentials: Vec::new(),
            coverage: Vec::new(),
            observations: Vec::new(),
            rejected: Vec::new(),
            remarks: Vec::new(),
        }
    }
}

/// A row that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Where it stands, counted from 1: `row 7`, `data[3]`, `line 12`.
    pub place: String,
    /// Why, without any value that could be a secret.
    pub reason: String,
}

/// A remark on a row that was kept, or on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Where it stands, as in [`Rejected`]; `list` for the list as a whole.
    pub place: String,
    /// What there is to know, without any value that could be a secret.
    pub text: String,
}
