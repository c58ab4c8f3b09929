//! Logs in to a database at the address of a connection URI, where a person asked for that: the greeting, the proof that the
//! password is known, a clean goodbye, and no query.
//!
//! Protocols are spoken over a [`Wire`], which opens no socket here and is encrypted before a password is sent. An address
//! comes out of scanned text, so that only hosts of the public internet are asked, and each says no more than whether it
//! takes the password: what a server says in words is not repeated.

use crate::credential::{Address, FoundCredential};
use crate::detector::compile::Detector;
use crate::finding::{Liveness, Verification};
use crate::secret::Secret;

use super::address::special;
use super::endpoints::Endpoints;
use super::exchange::{Answer, Endpoint, Failure, Request};
use super::request::{Refusal, percent};

mod amqp;
mod mongodb;
mod mysql;
mod postgres;
mod redis;
mod scram;

/// The method of a request that is a login and no request of HTTP.
const METHOD: &str = "LOGIN";
/// The headers of such a request.
const USER: &str = "user";
const PASSWORD: &str = "password";
const DATABASE: &str = "database";
const OPTIONS: &str = "options";
/// The header of its answer that says what came of it, and the one that says why.
const OUTCOME: &str = "login";
const REASON: &str = "login-reason";

/// The databases that are spoken with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Postgres,
    Redis,
    Mysql,
    Mongodb,
    Amqp,
}

impl Protocol {
    /// Tells the protocol by the scheme of an address, without what names a driver behind a plus sign.
    fn of(scheme: &str) -> Option<Self> {
        match scheme.split('+').next()? {
            "postgres" | "postgresql" | "postgis" => Some(Self::Postgres),
            "redis" | "rediss" => Some(Self::Redis),
            "mysql" | "mariadb" => Some(Self::Mysql),
            "mongodb" => Some(Self::Mongodb),
            "amqp" | "amqps" => Some(Self::Amqp),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Redis => "redis",
            Self::Mysql => "mysql",
            Self::Mongodb => "mongodb",
            Self::Amqp => "amqp",
        }
    }

    /// The port where it is spoken, encrypted where that is another one.
    fn port(self) -> u16 {
        match self {
            Self::Postgres => 5432,
            Self::Redis => 6379,
            Self::Mysql => 3306,
            Self::Mongodb => 27017,
            Self::Amqp => 5671,
        }
    }
}

/// What it takes to log in.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) protocol: Protocol,
    pub(crate) user: String,
    pub(crate) password: Secret,
    pub(crate) database: String,
    /// The query of the address: `authSource=admin`.
    options: String,
}

impl Login {
    /// Reads the login that a request stands for; nothing where it is one of HTTP.
    pub(crate) fn of(request: &Request) -> Option<Self> {
        if !is_one(request) {
            return None;
        }
        let protocol = Protocol::of(request.path.expose().split('/').nth(1)?)?;
        let value =
            |name: &str| request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        let text = |name: &str| value(name).map(|value| String::from_utf8_lossy(value.expose()).into_owned());
        Some(Self {
            protocol,
            user: text(USER)?,
            password: value(PASSWORD)?,
            database: text(DATABASE)?,
            options: text(OPTIONS)?,
        })
    }

    /// Returns an option of the address.
    fn option(&self, name: &str) -> Option<&str> {
        self.options.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
    }
}

/// A connection to a server. It is encrypted, or a person allowed that it is not.
pub(crate) trait Wire {
    /// Sends bytes.
    ///
    /// # Errors
    /// A connection that broke, or the end of the time.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Failure>;
    /// Receives exactly this many bytes.
    ///
    /// # Errors
    /// As of sending, and more bytes than an answer may have.
    fn receive(&mut self, count: usize) -> Result<Vec<u8>, Failure>;
    /// Encrypts it, unless a person allowed otherwise; for protocols that begin in the open.
    ///
    /// # Errors
    /// A server that cannot prove who it is.
    fn encrypt(&mut self) -> Result<(), Failure>;
    /// Whether a person allowed that it stays open.
    fn may_stay_open(&self) -> bool;
    /// Words a fault of what the server said.
    fn nonsense(&self, reason: &'static str) -> Failure;
}

/// What came of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The password was taken.
    Accepted,
    /// The server's documented code for a wrong one.
    WrongPassword(&'static str),
    /// Anything else, and what.
    Unclear(String),
}

impl Outcome {
    fn unclear(reason: impl Into<String>) -> Self {
        Self::Unclear(reason.into())
    }

    /// Writes it as an answer; its status is none of HTTP.
    fn answer(self) -> Answer {
        let (word, reason) = match self {
            Self::Accepted => ("accepted", String::new()),
            Self::WrongPassword(code) => ("refused", code.to_owned()),
            Self::Unclear(reason) => ("unclear", reason),
        };
        let headers = vec![(OUTCOME.to_owned(), word.to_owned()), (REASON.to_owned(), reason)];
        Answer { status: 0, headers, body: Vec::new(), cut: false }
    }
}

/// Logs in over a connection that is open, and says goodbye.
///
/// # Errors
/// A connection that broke, or a server that does not speak the protocol.
pub(crate) fn speak(login: &Login, wire: &mut dyn Wire) -> Result<Answer, Failure> {
    let outcome = match login.protocol {
        Protocol::Postgres => postgres::log_in(login, wire),
        Protocol::Redis => redis::log_in(login, wire),
        Protocol::Mysql => mysql::log_in(login, wire),
        Protocol::Mongodb => mongodb::log_in(login, wire),
        Protocol::Amqp => amqp::log_in(login, wire),
    };
    outcome.map(Outcome::answer)
}

/// Returns whether a request is a login. One is tried once: some servers lock a user out after a few.
pub(super) fn is_one(request: &Request) -> bool {
    request.method == METHOD
}

/// Returns whether databases of a provider are spoken with.
pub(super) fn speaks(provider: &str) -> bool {
    Protocol::of(provider).is_some()
}

/// Makes the request that stands for a login at the one address of a found connection URI.
///
/// # Errors
/// No address or several, a database that is not spoken with, or a host that is none of the public internet.
pub(super) fn request(detector: &Detector, found: &FoundCredential, endpoints: &Endpoints) -> Result<Request, Refusal> {
    let address = match &found.surroundings.addresses[..] {
        [address] => address,
        [] => return Err(Refusal::unknown("its address cannot be read where it stands; nobody was asked")),
        several => {
            return Err(Refusal::refused(format!(
                "it stands in {} addresses and nothing says which is its own; nobody was asked",
                several.len()
            )));
        }
    };
    let Some(protocol) = Protocol::of(&address.scheme) else {
        return Err(Refusal::not_checked("no login is known for addresses of its scheme"));
    };
    let endpoint = match endpoints.of(&detector.provider) {
        Some(named) => Endpoint { port: Some(named.port.unwrap_or(protocol.port())), ..named.clone() },
        None => public(address, protocol, &detector.provider)?,
    };
    let path = format!("/{}/{}{}", protocol.name(), percent(address.user.as_bytes()), address.path);
    let mut request = Request::new(endpoint, METHOD, &path);
    let database = decoded(address.path.trim_start_matches('/').as_bytes());
    let values = [
        (USER, decoded(address.user.as_bytes())),
        (PASSWORD, decoded(found.secret.expose())),
        (DATABASE, database),
        (OPTIONS, address.query.clone().into_bytes()),
    ];
    if values.iter().any(|(_, value)| value.contains(&0)) {
        return Err(Refusal::unknown("it holds a zero byte, which no login can carry; nobody was asked"));
    }
    request.headers.extend(values.map(|(name, value)| (name.to_owned(), Secret::new(&value))));
    request.held.push(found.secret.clone());
    request.held.extend(request.headers.iter().find(|(name, _)| name == PASSWORD).map(|(_, value)| value.clone()));
    Ok(request)
}

/// Names that lead to no host of the public internet, whole or as the end of one.
const NOBODYS: [&str; 15] = [
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "private",
    "arpa",
    "test",
    "example",
    "invalid",
    "svc",
    "onion",
];

/// Returns the host of an address as an endpoint, if it may be one of the public internet.
fn public(address: &Address, protocol: Protocol, provider: &str) -> Result<Endpoint, Refusal> {
    let host = address.host.to_ascii_lowercase();
    let hint = format!("name another by --endpoint {provider}=tls://HOST:PORT");
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = bare.parse::<std::net::IpAddr>() {
        if let Some(kind) = special(ip) {
            return Err(Refusal::refused(format!("{ip} is {}; nobody was asked; {hint}", kind.name())));
        }
    } else {
        let labels: Vec<&str> = host.trim_end_matches('.').split('.').collect();
        let documented = ["example.com", "example.org", "example.net"].iter().any(|name| host.ends_with(name));
        let last = labels.last().copied().unwrap_or_default();
        if labels.len() < 2 || NOBODYS.contains(&last) || documented || host.ends_with(".svc.cluster.local") {
            return Err(Refusal::refused(format!(
                "{host} is no host of the public internet; nobody was asked; {hint}"
            )));
        }
    }
    if address.scheme.ends_with("+srv") {
        return Err(Refusal::unknown(format!("its address stands in records that are not looked up; {hint}")));
    }
    let mut endpoint = Endpoint::of_host(&host);
    endpoint.port = Some(address.port.unwrap_or(protocol.port()));
    Ok(endpoint)
}

/// Undoes the percent signs of a URI; one that stands for nothing stays.
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *byte == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let value = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(value.unwrap_or(*byte));
        rest = if value.is_some() { &after[2..] } else { after };
    }
    bytes
}

/// Says what the outcome of a login means; nothing where the request was none.
pub(super) fn judge(request: &Request, outcome: &Result<Answer, Failure>) -> Option<Verification> {
    if !is_one(request) {
        return None;
    }
    let host = &request.endpoint.host;
    let answer = match outcome {
        Ok(answer) => answer,
        Err(failure) => return Some(Refusal::unknown(failure.to_string()).into()),
    };
    let why = answer.header(REASON).unwrap_or_default();
    let (state, reason) = match answer.header(OUTCOME) {
        Some("accepted") => (Liveness::Live, format!("{host} took the password; nothing was asked of it")),
        Some("refused") => (Liveness::Dead, format!("{host} answered {why}, which says that the password is wrong")),
        _ => (Liveness::Unknown, format!("{host}: {why}")),
    };
    Some(Verification { reason: Some(reason), ..Verification::new(state) })
}

#[cfg(test)]
mod tests;
