//! The endpoints that a person named with `--endpoint PROVIDER=URL`, and the list of every host that could be called.
//!
//! A named endpoint stands for all hosts of its provider's detectors: a gateway, a self-hosted product or a tenant's own
//! host. What an answer means is still the detector's to say. Nothing here resolves a name or opens a connection.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use crate::detector::compile::{Detector, Kind};
use crate::error::{Error, Result};
use crate::secret::Secret;

use super::exchange::{Endpoint, Request};
use super::login;
use super::request::Refusal;

/// The longest URL that is taken, in bytes.
const LONGEST: usize = 2048;

/// The longest value of a header that a person gives an endpoint, in bytes.
const LONGEST_HEADER: usize = 8192;
/// Headers that are the connection's own.
const OF_THE_CONNECTION: [&str; 9] = [
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "trailer",
    "upgrade",
    "expect",
    "proxy-authorization",
];

/// What a person named with `--endpoint`, by provider.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    named: BTreeMap<String, Endpoint>,
    /// What their endpoints want to be sent beside the credential, by provider and lower-case name.
    headers: BTreeMap<String, BTreeMap<String, Secret>>,
    /// Whether databases may be logged in to.
    databases: bool,
}

impl Endpoints {
    /// Reads values of `--endpoint`, each `PROVIDER=URL`. `insecure` is `--allow-insecure-endpoints`: http is taken too.
    ///
    /// # Errors
    /// A value of another form, a provider that no detector has, a provider named twice, a URL of another scheme, or one
    /// with a user, a query or a fragment. No message repeats the URL: one may hold a password.
    pub fn parse<S: AsRef<str>>(values: &[S], detectors: &[Detector], insecure: bool) -> Result<Self> {
        let mut named = BTreeMap::new();
        for value in values {
            let fault = |reason: String| Error::Usage(format!("--endpoint: {reason}"));
            let Some((provider, url)) = value.as_ref().split_once('=') else {
                return Err(fault("must be PROVIDER=URL, such as openai=https://gateway.example.com".into()));
            };
            if !detectors.iter().any(|detector| detector.provider == provider) {
                return Err(fault(format!(
                    "no detector is of a provider {provider:?}; `credtrace detectors list` names them"
                )));
            }
            let endpoint = parse_url(url, insecure).map_err(|reason| fault(format!("{provider}: {reason}")))?;
            if named.insert(provider.to_owned(), endpoint).is_some() {
                return Err(fault(format!(
                    "{provider} is named twice; one endpoint stands for all hosts of a provider"
                )));
            }
        }
        Ok(Self { named, headers: BTreeMap::new(), databases: false })
    }

    /// Lets databases be logged in to, at the addresses that connection URIs name.
    pub fn allow_databases(&mut self) {
        self.databases = true;
    }

    /// Returns whether databases may be logged in to.
    pub fn databases(&self) -> bool {
        self.databases
    }

    /// Adds a header that a provider's endpoint wants beside the credential: a gateway's own key, the name of a route. It is
    /// sent to that endpoint and nowhere else.
    ///
    /// # Errors
    /// A provider whose endpoint nobody named, a name that is none of HTTP, is the connection's own or is given twice, or a
    /// value that no header may have. No message repeats the value.
    pub fn add_header(&mut self, provider: &str, name: &str, value: Secret) -> Result<()> {
        let fault = |reason: String| Err(Error::Usage(format!("--endpoint-header: {reason}")));
        if self.of(provider).is_none() {
            return fault(format!("no --endpoint {provider}=URL is given, so there is nobody to send it to"));
        }
        let name = name.to_ascii_lowercase();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if name.is_empty() || name.len() > 64 || !name.bytes().all(fits) {
            return fault("the name of a header is at most 64 of a-z, 0-9, - and _".into());
        }
        if OF_THE_CONNECTION.contains(&name.as_str()) {
            return fault(format!("{name} is the connection's own and cannot be set"));
        }
        let bytes = value.expose();
        let printable = bytes.iter().all(|byte| (0x20..0x7f).contains(byte));
        if bytes.trim_ascii().len() != bytes.len() || bytes.is_empty() || bytes.len() > LONGEST_HEADER || !printable {
            return fault(format!("the value of {name} must be 1 to {LONGEST_HEADER} printable ASCII characters"));
        }
        match self.headers.entry(provider.to_owned()).or_default().insert(name.clone(), value) {
            None => Ok(()),
            Some(_) => fault(format!("{name} is given twice for {provider}")),
        }
    }

    /// Returns the names of the headers that a provider's endpoint gets beside the credential.
    pub fn header_names(&self, provider: &str) -> Vec<&str> {
        self.headers.get(provider).into_iter().flat_map(|headers| headers.keys()).map(String::as_str).collect()
    }

    /// Returns a mark of the headers that a provider's endpoint gets: another one where one of them is another.
    pub(crate) fn header_mark(&self, provider: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        for (name, value) in self.headers.get(provider).into_iter().flatten() {
            for part in [name.as_bytes(), value.expose()] {
                hasher.update(&(part.len() as u64).to_le_bytes());
                hasher.update(part);
            }
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Puts a provider's headers into a request to its endpoint; `carriers` are the headers by which it carries the
    /// credential, which none of these may replace.
    pub(super) fn dress(&self, provider: &str, request: &mut Request, carriers: &[&str]) -> Result<(), Refusal> {
        let headers = self.headers.get(provider).into_iter().flatten().filter(|_| request.endpoint.named);
        for (name, value) in headers {
            if carriers.contains(&name.as_str()) {
                return Err(Refusal::refused(format!(
                    "it is sent in the header {name}, which --endpoint-header wants for something else; nobody was asked"
                )));
            }
            request.headers.retain(|(known, _)| known != name);
            request.headers.push((name.clone(), value.clone()));
            request.held.push(value.clone());
        }
        Ok(())
    }

    /// Returns the endpoint that was named for a provider.
    pub fn of(&self, provider: &str) -> Option<&Endpoint> {
        self.named.get(provider)
    }

    /// Returns whether none was named.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Returns every place that could be called, one line each, sorted: the provider, and a host or the pattern of a
    /// tenant's host, as in `https://*.openai.azure.com`.
    pub fn list(&self, detectors: &[Detector]) -> Vec<Callable> {
        let mut list = BTreeSet::new();
        for detector in detectors {
            let logs_in = self.databases && detector.kind == Kind::ConnectionUri && login::speaks(&detector.provider);
            if detector.verify.is_none() && !logs_in {
                continue;
            }
            let place = |place: String, named| Callable { provider: detector.provider.clone(), place, named };
            if let Some(endpoint) = self.of(&detector.provider) {
                list.insert(place(endpoint.to_string(), true));
                continue;
            }
            let Some(verify) = &detector.verify else {
                list.insert(place(ANY_DATABASE.to_owned(), false));
                continue;
            };
            list.extend(verify.hosts.iter().map(|host| place(format!("https://{host}"), false)));
            list.extend(verify.host_suffixes.iter().map(|suffix| place(format!("https://*{suffix}"), false)));
        }
        list.into_iter().collect()
    }
}

/// How the hosts of databases are listed, which stand in the addresses that a scan finds.
const ANY_DATABASE: &str = "tls://*";

/// A place that could be called.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Callable {
    /// The provider's slug.
    pub provider: String,
    /// The scheme and host; `*` stands for a tenant's name and `{region}` for a region's.
    pub place: String,
    /// Whether a person named it.
    pub named: bool,
}

/// Parses the URL of an endpoint: scheme, host, port and base path.
fn parse_url(url: &str, insecure: bool) -> Result<Endpoint, String> {
    if url.len() > LONGEST || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("the URL must be at most {LONGEST} printable ASCII characters without spaces"));
    }
    let (scheme, rest) = url.split_once("://").ok_or("the URL must begin with https://")?;
    let secure = match scheme.to_ascii_lowercase().as_str() {
        // The second of each is how a database is named, which speaks no HTTP.
        "https" | "tls" => true,
        "http" | "tcp" if insecure => false,
        "http" | "tcp" => {
            return Err("it would send the key in the open; use https or tls, or --allow-insecure-endpoints".into());
        }
        _ => return Err("the URL must begin with https://".into()),
    };
    if rest.contains(['?', '#']) {
        return Err("the URL must have no query and no fragment".into());
    }
    let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    if authority.contains('@') {
        return Err("the URL must hold no user and no password".into());
    }
    let (host, port) = split_port(authority)?;
    let base_path = path.trim_end_matches('/');
    check_base_path(base_path)?;
    Ok(Endpoint { secure, host, port, base_path: base_path.to_owned(), named: true })
}

/// Splits host and port; the host is a name, an IPv4 address or an IPv6 address in brackets, returned as it was written.
fn split_port(authority: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, rest)) => {
            inside.parse::<Ipv6Addr>().map_err(|_| "what stands in brackets is no IPv6 address")?;
            (format!("[{}]", inside.to_ascii_lowercase()), rest)
        }
        None => {
            let (host, port) = authority.find(':').map_or((authority, ""), |at| authority.split_at(at));
            check_host(host)?;
            (host.to_ascii_lowercase(), port)
        }
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => None,
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            let number = digits.parse().ok().filter(|number| *number > 0);
            Some(number.ok_or("the port must be from 1 to 65535")?)
        }
        _ => return Err("the port must be a number from 1 to 65535".into()),
    };
    Ok((host, port))
}

fn check_host(host: &str) -> Result<(), String> {
    let name = host.strip_suffix('.').unwrap_or(host);
    let numeric = name.rsplit('.').next().is_some_and(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    if numeric {
        // 127.1 and 2130706433 are addresses to some resolvers and names to others.
        return name.parse::<Ipv4Addr>().map(|_| ()).map_err(|_| "an IPv4 address must have four parts".into());
    }
    if host.is_empty() || host.len() > 253 || !name.split('.').all(is_label) {
        return Err("the host must be a name of a-z, 0-9 and - in labels of 1 to 63, or an address".into());
    }
    Ok(())
}

/// Returns whether a text is a label of a host's name: 1 to 63 of a-z, 0-9 and -, with no - at either end.
pub(crate) fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn check_base_path(path: &str) -> Result<(), String> {
    if path.contains("//") || path.contains('\\') || path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err("the path must have no empty segment, no \\ and no . or ..".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
