//! A finding's secret and what stood near it, for those who ask the provider or the inventory about it. It lives in memory
//! only: nothing here can be written into a report.

use crate::secret::Secret;

/// The secret of a finding with what stood near it, over all its occurrences.
#[derive(Debug, Clone)]
pub struct FoundCredential {
    /// The secret.
    pub secret: Secret,
    /// The other halves that its detector names and that stood near it. Two of one detector mean that nothing says which
    /// of them belongs to it.
    pub companions: Vec<FoundCompanion>,
    /// What else stood near it.
    pub surroundings: Surroundings,
}

impl FoundCredential {
    /// A secret of which nothing else is known, such as one that a person typed.
    pub fn alone(secret: Secret) -> Self {
        Self { secret, companions: Vec::new(), surroundings: Surroundings::default() }
    }
}

/// The other half of a credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCompanion {
    /// The id of the detector that found it.
    pub detector: String,
    /// Its value.
    pub secret: Secret,
    /// How many bytes lie between the two.
    pub distance: usize,
}

/// What stood near a credential and is no secret itself; the nearest first, without doubles.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// The name that it is assigned to: `OPENAI_API_KEY`.
    pub variable: Option<String>,
    /// Host names, lower case, without scheme, port and path.
    pub hosts: Vec<String>,
    /// Ids: UUIDs in lower case, and public halves such as `pk-lf-…` and `AKIA…`.
    pub ids: Vec<String>,
    /// Addresses of e-mail.
    pub emails: Vec<String>,
    /// References to a store of secrets: `op://…`, `vault:…`.
    pub references: Vec<String>,
    /// Public values beside the names that its detector's request asks for, each with the name as the detector has it.
    pub named: Vec<(String, String)>,
    /// Of the password of a connection URI: where that leads, at each of its places.
    pub addresses: Vec<Address>,
}

/// Where a connection URI leads, without the password in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// What stands before `://`, lower case: `postgres`, `mongodb+srv`.
    pub scheme: String,
    /// The user, as it is written.
    pub user: String,
    /// The first host.
    pub host: String,
    /// Its port.
    pub port: Option<u16>,
    /// The path, from its slash on; empty where there is none.
    pub path: String,
    /// The query without its question mark.
    pub query: String,
}
