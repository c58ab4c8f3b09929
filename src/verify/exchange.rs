//! One request to a provider and what came back: the data between those who make requests, the one client that sends them,
//! and those who judge answers. No type here prints what it sends.

use std::fmt;
use std::time::Duration;

use zeroize::Zeroize;

use crate::secret::Secret;

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Endpoint {
    /// Whether the connection is encrypted; only an `--endpoint` that a person named may be not.
    pub secure: bool,
    /// The host's name or address, lower case.
    pub host: String,
    /// The port; 443 or 80 where none is named.
    pub port: Option<u16>,
    /// What stands before the detector's path, without a slash at its end: the base path of a gateway.
    pub base_path: String,
    /// Whether a person named it with `--endpoint`.
    pub named: bool,
}

impl Endpoint {
    /// A host of a detector, over https.
    pub fn of_host(host: &str) -> Self {
        Self { secure: true, host: host.to_ascii_lowercase(), port: None, base_path: String::new(), named: false }
    }

    /// Returns the port that is dialled.
    pub fn dialled_port(&self) -> u16 {
        self.port.unwrap_or(if self.secure { 443 } else { 80 })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.secure { "https" } else { "http" };
        write!(formatter, "{scheme}://{}", self.host)?;
        if let Some(port) = self.port {
            write!(formatter, ":{port}")?;
        }
        formatter.write_str(&self.base_path)
    }
}

/// Path and query of a request, beginning with a slash. Where something of a secret stands in it, nothing prints more than
/// what stands before that.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestPath {
    text: String,
    /// Where the secret begins, in bytes; nothing where there is none.
    hidden_from: Option<usize>,
}

impl RequestPath {
    /// A path without a secret.
    pub fn open(text: &str) -> Self {
        Self { text: text.to_owned(), hidden_from: None }
    }

    /// A path in which a secret begins at a byte; all from there on is kept back.
    pub fn hidden(text: &str, from: usize) -> Self {
        Self { text: text.to_owned(), hidden_from: Some(from.min(text.len())) }
    }

    /// Hands the whole path out, for the request itself and for keyed fingerprints.
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// Returns what may be shown.
    pub fn shown(&self) -> String {
        match self.hidden_from.map(|from| self.text.get(..from).unwrap_or_default()) {
            Some(head) => format!("{head}…"),
            None => self.text.clone(),
        }
    }

    /// Returns whether something of a secret stands in it.
    pub fn holds_secret(&self) -> bool {
        self.hidden_from.is_some()
    }

    /// Takes away this many bytes at its beginning.
    pub fn without_head(&self, length: usize) -> Self {
        let text = self.text.get(length..).unwrap_or_default().to_owned();
        Self { text, hidden_from: self.hidden_from.map(|from| from.saturating_sub(length)) }
    }
}

impl Drop for RequestPath {
    fn drop(&mut self) {
        if self.hidden_from.is_some() {
            self.text.zeroize();
        }
    }
}

impl fmt::Debug for RequestPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown())
    }
}

/// A request that holds a secret in its headers, its body or its path.
#[derive(Clone)]
pub struct Request {
    /// Where it goes.
    pub endpoint: Endpoint,
    /// `GET`, `POST`, `DELETE`, ...
    pub method: String,
    /// Path and query.
    pub path: RequestPath,
    /// Headers by their lower-case names; any value may hold the secret.
    pub headers: Vec<(String, Secret)>,
    /// The body.
    pub body: Option<Secret>,
    /// The secrets that it was made of, also where it is only signed with them. Nothing of the answer, and no error, may
    /// repeat one.
    pub held: Vec<Secret>,
    /// A public mark that the answer is searched for, where it lists what is in force; never sent.
    pub proof: Option<String>,
    /// Whether it holds nothing of the credential: it is sent where the answer before it would mean that the credential
    /// works, and shows whether that answer says anything.
    pub bare: bool,
}

impl Request {
    /// A request without headers and body, with nothing secret in its path.
    pub fn new(endpoint: Endpoint, method: &str, path: &str) -> Self {
        Self {
            endpoint,
            method: method.to_owned(),
            path: RequestPath::open(path),
            headers: Vec::new(),
            body: None,
            held: Vec::new(),
            proof: None,
            bare: false,
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        write!(formatter, "Request({} {}{:?}, headers {names:?})", self.method, self.endpoint, self.path)
    }
}

/// What a provider answered. Its body may echo what was sent, so it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Headers by their lower-case names.
    pub headers: Vec<(String, String)>,
    /// The body's first bytes, as far as the cap allows.
    pub body: Vec<u8>,
    /// Whether the body went on beyond the cap.
    pub cut: bool,
}

impl Answer {
    /// Returns the first header of a lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

/// Why there is no answer. None of these says anything of the credential.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The host's name has no address.
    #[error("the name {host} could not be resolved")]
    Unresolved {
        /// The host.
        host: String,
    },
    /// The host's name leads to an address that no provider has.
    #[error("{host} leads to {address}, which is {kind}; nothing was sent")]
    RefusedAddress {
        /// The host.
        host: String,
        /// The address.
        address: std::net::IpAddr,
        /// What sort of address it is.
        kind: &'static str,
    },
    /// No connection came about.
    #[error("no connection to {host}: {reason}")]
    Connect {
        /// The host.
        host: String,
        /// Why, without anything that was sent.
        reason: String,
    },
    /// The host could not prove who it is.
    #[error("{host} could not prove who it is: {reason}; nothing was sent")]
    Tls {
        /// The host.
        host: String,
        /// Why.
        reason: String,
    },
    /// The answer did not come in time.
    #[error("{host} did not answer within {} s", .after.as_secs())]
    Timeout {
        /// The host.
        host: String,
        /// The time that was allowed.
        after: Duration,
    },
    /// What came was no answer of HTTP.
    #[error("{host} gave no answer that can be read: {reason}")]
    Malformed {
        /// The host.
        host: String,
        /// Why, without anything that was sent.
        reason: String,
    },
    /// There is no request that may be sent.
    #[error("{host} was not asked: {reason}; nothing was sent")]
    Unsendable {
        /// The host.
        host: String,
        /// Why.
        reason: &'static str,
    },
    /// The limit of requests was reached before its turn came.
    #[error("the limit of {limit} requests was reached")]
    Capped {
        /// The limit.
        limit: u64,
    },
    /// A person stopped it.
    #[error("interrupted before it was asked")]
    Interrupted,
}
