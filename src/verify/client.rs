//! The client: beside [`super::dial`], which logs in to databases, the only file of the program that opens a socket.
//!
//! A request goes to the host that it names and to no other: redirects are answers, a proxy is used where a person named
//! one and never because the environment does, and a name is resolved once, every address that it leads to is looked at,
//! and one of those is dialled. Nothing is sent before the host has proved who it is. What a failure says is worded here:
//! no text of a library, of the host or of the request gets into it.

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use ureq::config::Config;
use ureq::http::{self, HeaderName, HeaderValue, Method, Uri};
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectProxyConnector, ConnectionDetails, Connector, NextTimeout, RustlsConnector, TcpConnector, Transport,
};
use ureq::{Agent, Proxy, ProxyProtocol};

use super::address::{Special, special};
use super::dial::Dialer;
use super::exchange::{Answer, Endpoint, Failure, Request};
use super::login::Login;
use crate::error::{Error, Result};

/// How much of a body is read, in bytes; what a detector looks for stands in the first few.
pub const LARGEST_BODY: usize = 64 * 1024;
/// How long the head of an answer may be, in bytes.
const LARGEST_HEAD: usize = 32 * 1024;
/// How long a request may take, all in all, where nothing else is asked.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// How many addresses of a host are tried; the library holds no more.
const MOST_ADDRESSES: usize = 16;
/// How providers see who asks.
const USER_AGENT: &str = concat!("credtrace/", env!("CARGO_PKG_VERSION"));

/// Who says where a name leads.
pub trait Names: std::fmt::Debug + Send + Sync + 'static {
    /// Returns every address of a host.
    ///
    /// # Errors
    /// What the system says of a name that leads nowhere.
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>>;

    /// Returns what is dialled for an address that was looked at: itself. A test leads it to a server of its own.
    fn dialled(&self, checked: SocketAddr) -> SocketAddr {
        checked
    }
}

/// The names that the system knows.
#[derive(Debug, Clone, Copy)]
pub struct SystemNames;

impl Names for SystemNames {
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
    }
}

/// How requests are sent.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// How long a request may take, from the name to the last byte.
    pub deadline: Duration,
    /// Whether an endpoint that a person named may be unencrypted or have an address of a network of one's own.
    pub allow_insecure_endpoints: bool,
    /// The proxy that a person named, as `http://host:port` or `https://host:port`. It resolves names itself.
    pub proxy: Option<String>,
    /// Who resolves names.
    pub names: Arc<dyn Names>,
    /// The certificates of trusted authorities in DER; Mozilla's where none is named.
    pub roots: Option<Vec<Vec<u8>>>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        let names = Arc::new(SystemNames);
        Self { deadline: DEADLINE, allow_insecure_endpoints: false, proxy: None, names, roots: None }
    }
}

/// Sends requests.
#[derive(Debug)]
pub struct Client {
    /// For every host: encrypted, and only to the public internet.
    strict: Agent,
    /// For endpoints that a person named, where that person allowed more.
    lenient: Option<Agent>,
    /// For databases.
    dialer: Dialer,
    deadline: Duration,
    stopped: Arc<AtomicBool>,
}

impl Client {
    /// Makes a client; it opens nothing until it sends.
    ///
    /// # Errors
    /// A proxy that is no URL of a form that is known.
    pub fn new(options: &ClientOptions) -> Result<Self> {
        let proxy = options.proxy.as_deref().map(parse_proxy).transpose()?;
        let agent = |reach| {
            // Behind a proxy the one name that is resolved here is the proxy's own, which a person vouches for.
            let reach = if proxy.is_some() { Reach::Anywhere } else { reach };
            let connector =
                ().chain(ConnectProxyConnector::default())
                    .chain(Staged { connector: TcpConnector::default(), stage: Stage::Connect })
                    .chain(Staged { connector: RustlsConnector::default(), stage: Stage::Prove });
            let names = CheckedNames { names: Arc::clone(&options.names), reach };
            Agent::with_parts(config(options, reach, proxy.clone()), connector, names)
        };
        let lenient = options.allow_insecure_endpoints.then(|| agent(Reach::Gateways));
        let stopped = Arc::new(AtomicBool::new(false));
        Ok(Self {
            strict: agent(Reach::Internet),
            lenient,
            dialer: Dialer::new(options, Arc::clone(&stopped)),
            deadline: options.deadline,
            stopped,
        })
    }

    /// Sends a request once and returns what came back, whatever its status.
    ///
    /// # Errors
    /// Why there is no answer, in words that hold nothing of what was sent.
    pub fn send(&self, request: &Request) -> Result<Answer, Failure> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Failure::Interrupted);
        }
        let endpoint = &request.endpoint;
        let lenient = self.lenient.as_ref().filter(|_| endpoint.named);
        let reach = if lenient.is_some() { Reach::Gateways } else { Reach::Internet };
        check_endpoint(endpoint, reach)?;
        if request.path.holds_secret() && !endpoint.secure {
            let (host, reason) = (endpoint.host.clone(), "its path would hold the secret and is not encrypted");
            return Err(Failure::Unsendable { host, reason });
        }
        if let Some(login) = Login::of(request) {
            return self.dialer.log_in(&login, request, reach);
        }
        let head = head(request)?;
        let agent = lenient.unwrap_or(&self.strict);
        // The secret leaves the program here, or by the login above, and nowhere else.
        let body = request.body.as_ref().map(|body| body.expose().to_vec());
        let has_body = matches!(*head.method(), Method::POST | Method::PUT | Method::PATCH);
        let response = match body.or_else(|| has_body.then(Vec::new)) {
            Some(body) => agent.run(head.map(|()| body)),
            None => agent.run(head),
        };
        response.and_then(read).map_err(|error| match self.stopped.load(Ordering::Relaxed) {
            true => Failure::Interrupted,
            false => failure(error, endpoint, self.deadline),
        })
    }
}

impl Client {
    /// Ends what is being sent, and sends nothing after it.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::Relaxed);
        std::iter::once(&self.strict).chain(&self.lenient).for_each(|agent| agent.clone().shutdown());
    }
}

fn parse_proxy(text: &str) -> Result<Proxy> {
    // The text may hold a password, so it is not told.
    let fault = || Error::Usage("--proxy: must be http://HOST:PORT or https://HOST:PORT".into());
    let proxy = Proxy::new(text).map_err(|_| fault())?;
    let known = matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https);
    if known && text.contains("://") { Ok(proxy) } else { Err(fault()) }
}

fn config(options: &ClientOptions, reach: Reach, proxy: Option<Proxy>) -> Config {
    let roots = options.roots.as_ref().map_or(RootCerts::WebPki, |roots| {
        roots.iter().map(|root| Certificate::from_der(root).to_owned()).collect::<Vec<_>>().into()
    });
    Config::builder()
        .https_only(reach == Reach::Internet)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .proxy(proxy)
        .tls_config(TlsConfig::builder().root_certs(roots).build())
        .user_agent(USER_AGENT)
        .accept_encoding("")
        .timeout_global(Some(options.deadline))
        .timeout_connect(Some(options.deadline))
        .max_response_header_size(LARGEST_HEAD)
        .input_buffer_size(LARGEST_HEAD * 2)
        .output_buffer_size(16 * 1024)
        .build()
}

/// Refuses what must not even be tried: a host that is no host, an address that is none of a provider's, text in the open.
fn check_endpoint(endpoint: &Endpoint, reach: Reach) -> Result<(), Failure> {
    let unsendable = |reason| Failure::Unsendable { host: endpoint.host.clone(), reason };
    if !endpoint.secure && reach == Reach::Internet {
        return Err(unsendable("it is not encrypted"));
    }
    if let Ok(address) = bare(&endpoint.host).parse::<IpAddr>() {
        return reach.allows(address).map_err(|kind| refused(&endpoint.host, address, kind));
    }
    // A host may come out of a text; one with `@`, `/` or `:` in it would be another host than it seems.
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_');
    if endpoint.host.is_empty() || endpoint.host.len() > 253 || !endpoint.host.bytes().all(fits) {
        return Err(Failure::Unsendable { host: "the endpoint".into(), reason: "its host is no name of a host" });
    }
    Ok(())
}

/// Returns an address of IPv6 without its brackets.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

pub(super) fn refused(host: &str, address: IpAddr, kind: Special) -> Failure {
    Failure::RefusedAddress { host: host.to_owned(), address, kind: kind.name() }
}

/// Makes the head of a request. Its values are marked, so that no library prints them.
fn head(request: &Request) -> Result<http::Request<()>, Failure> {
    let endpoint = &request.endpoint;
    let unsendable = |reason| Failure::Unsendable { host: endpoint.host.clone(), reason };
    let host = bare(&endpoint.host);
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let uri = Uri::builder()
        .scheme(if endpoint.secure { "https" } else { "http" })
        .authority(format!("{host}:{}", endpoint.dialled_port()))
        .path_and_query(format!("{}{}", endpoint.base_path, request.path.expose()))
        .build()
        .map_err(|_| unsendable("its path is not one of HTTP"))?;
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| unsendable("its method is none of HTTP"))?;
    let mut head = http::Request::new(());
    *head.method_mut() = method;
    *head.uri_mut() = uri;
    for (name, value) in &request.headers {
        let name =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| unsendable("a header's name is none of HTTP"))?;
        // A value with a line break would add headers, so there is no such request.
        let value = HeaderValue::from_bytes(value.expose());
        let mut value = value.map_err(|_| unsendable("it holds characters that no header may have"))?;
        value.set_sensitive(true);
        head.headers_mut().append(name, value);
    }
    if !head.headers().contains_key(http::header::HOST) {
        // Some hosts do not know themselves by a name with the usual port at its end, and a signature covers this text.
        let known = endpoint.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}"));
        let value = HeaderValue::from_str(&known).map_err(|_| unsendable("its host is no name of a host"))?;
        head.headers_mut().insert(http::header::HOST, value);
    }
    Ok(head)
}

/// Reads an answer as far as the cap goes; the rest is never taken off the connection.
fn read(response: http::Response<ureq::Body>) -> Result<Answer, ureq::Error> {
    let (head, body) = response.into_parts();
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    let mut bytes = Vec::new();
    body.into_reader().take(LARGEST_BODY as u64 + 1).read_to_end(&mut bytes)?;
    let cut = bytes.len() > LARGEST_BODY;
    bytes.truncate(LARGEST_BODY);
    Ok(Answer { status: head.status.as_u16(), headers: headers.collect(), body: bytes, cut })
}

/// Which addresses may be dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Those of the public internet.
    Internet,
    /// Those, and those of networks of one's own.
    Gateways,
    /// Any: that of a proxy which a person named.
    Anywhere,
}

impl Reach {
    pub(super) fn allows(self, address: IpAddr) -> Result<(), Special> {
        match (special(address), self) {
            (None, _) | (_, Self::Anywhere) => Ok(()),
            (Some(kind), Self::Gateways) if kind.may_be_a_gateway() => Ok(()),
            (Some(kind), _) => Err(kind),
        }
    }
}

/// Resolves a name once and lets nothing through unless every address that it leads to may be dialled.
#[derive(Debug)]
struct CheckedNames {
    names: Arc<dyn Names>,
    reach: Reach,
}

impl Resolver for CheckedNames {
    fn resolve(&self, uri: &Uri, _: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = bare(uri.host().ok_or(ureq::Error::HostNotFound)?);
        let port = uri.port_u16().unwrap_or(if uri.scheme() == Some(&http::uri::Scheme::HTTP) { 80 } else { 443 });
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.look_up(host, timeout)?,
        };
        for address in &addresses {
            if let Err(kind) = self.reach.allows(*address) {
                return Err(ureq::Error::Other(Box::new(Refused { address: *address, kind })));
            }
        }
        let mut resolved = self.empty();
        for address in addresses.into_iter().take(MOST_ADDRESSES) {
            resolved.push(self.names.dialled(SocketAddr::new(address, port)));
        }
        if resolved.is_empty() { Err(ureq::Error::HostNotFound) } else { Ok(resolved) }
    }
}

impl CheckedNames {
    /// Asks on a thread of its own: the system's resolver knows no deadline.
    fn look_up(&self, host: &str, timeout: NextTimeout) -> Result<Vec<IpAddr>, ureq::Error> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let (names, host) = (Arc::clone(&self.names), host.to_owned());
        std::thread::Builder::new()
            .name("names".into())
            .spawn(move || sender.send(names.addresses(&host)).ok())
            .map_err(ureq::Error::Io)?;
        match receiver.recv_timeout(*timeout.after) {
            Ok(Ok(addresses)) => Ok(addresses),
            Ok(Err(_)) | Err(mpsc::RecvTimeoutError::Disconnected) => Err(ureq::Error::HostNotFound),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(ureq::Error::Timeout(timeout.reason)),
        }
    }
}

/// An address that may not be dialled.
#[derive(Debug, thiserror::Error)]
#[error("a refused address")]
struct Refused {
    address: IpAddr,
    kind: Special,
}

/// How far a connection got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// To the address.
    Connect,
    /// To the proof of who answers.
    Prove,
}

/// A connector whose failures say how far the connection got.
#[derive(Debug)]
struct Staged<C> {
    connector: C,
    stage: Stage,
}

/// A failure with how far the connection got.
#[derive(Debug, thiserror::Error)]
#[error("a failed connection")]
struct Broken {
    stage: Stage,
    cause: ureq::Error,
}

impl<In: Transport, C: Connector<In>> Connector<In> for Staged<C> {
    type Out = C::Out;

    fn connect(&self, details: &ConnectionDetails, chained: Option<In>) -> Result<Option<C::Out>, ureq::Error> {
        self.connector.connect(details, chained).map_err(|cause| match cause {
            ureq::Error::Timeout(_) | ureq::Error::Other(_) => cause,
            cause => ureq::Error::Other(Box::new(Broken { stage: self.stage, cause })),
        })
    }
}

/// Words a fault of the library in our own words.
fn failure(error: ureq::Error, endpoint: &Endpoint, deadline: Duration) -> Failure {
    let host = endpoint.host.clone();
    let malformed = |host, reason: &str| Failure::Malformed { host, reason: reason.to_owned() };
    match error {
        ureq::Error::Timeout(_) => Failure::Timeout { host, after: deadline },
        ureq::Error::HostNotFound => Failure::Unresolved { host },
        ureq::Error::Other(cause) => match cause.downcast::<Refused>() {
            Ok(cause) => refused(&host, cause.address, cause.kind),
            Err(cause) => match cause.downcast::<Broken>() {
                Ok(cause) => broken(*cause, host, deadline),
                Err(_) => malformed(host, "the request failed"),
            },
        },
        ureq::Error::Io(error) => broken_off(&error, host, deadline),
        ureq::Error::ConnectProxyFailed(_) | ureq::Error::InvalidProxyUrl => {
            Failure::Connect { host, reason: "the proxy does not lead there".into() }
        }
        ureq::Error::LargeResponseHeader(..) => malformed(host, "its head is too long"),
        ureq::Error::RequireHttpsOnly(_) | ureq::Error::TlsRequired => {
            Failure::Unsendable { host, reason: "it is not encrypted" }
        }
        ureq::Error::Protocol(_) | ureq::Error::BodyStalled => malformed(host, "it is not HTTP"),
        _ => malformed(host, "the request failed"),
    }
}

fn broken(cause: Broken, host: String, deadline: Duration) -> Failure {
    let error = match cause.cause {
        ureq::Error::Io(error) => error,
        ureq::Error::Rustls(error) => return Failure::Tls { host, reason: doubt(&error).into() },
        _ if cause.stage == Stage::Prove => return Failure::Tls { host, reason: "the handshake failed".into() },
        _ => return Failure::Connect { host, reason: "the connection failed".into() },
    };
    if let Some(doubted) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return Failure::Tls { host, reason: doubt(doubted).into() };
    }
    if matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock) {
        return Failure::Timeout { host, after: deadline };
    }
    match cause.stage {
        Stage::Connect => Failure::Connect { host, reason: said(error.kind()).into() },
        Stage::Prove => Failure::Tls { host, reason: "it ended the handshake".into() },
    }
}

/// What happened on a connection that stood.
fn broken_off(error: &io::Error, host: String, deadline: Duration) -> Failure {
    match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Failure::Timeout { host, after: deadline },
        io::ErrorKind::InvalidData => Failure::Malformed { host, reason: "what it sent is damaged".into() },
        _ => Failure::Connect { host, reason: "it ended before the answer did".into() },
    }
}

/// Why a host could not prove who it is. What a certificate says of itself is not repeated: its names are the host's words.
pub(super) fn doubt(error: &rustls::Error) -> &'static str {
    use rustls::CertificateError as Fault;
    match error {
        rustls::Error::InvalidCertificate(Fault::UnknownIssuer) => "no known authority signed its certificate",
        rustls::Error::InvalidCertificate(Fault::Expired | Fault::ExpiredContext { .. }) => {
            "its certificate has expired"
        }
        rustls::Error::InvalidCertificate(Fault::NotValidYet | Fault::NotValidYetContext { .. }) => {
            "its certificate is not valid yet"
        }
        rustls::Error::InvalidCertificate(Fault::NotValidForName | Fault::NotValidForNameContext { .. }) => {
            "its certificate is for another name"
        }
        rustls::Error::InvalidCertificate(Fault::Revoked) => "its certificate was revoked",
        rustls::Error::InvalidCertificate(_) => "its certificate is not valid",
        rustls::Error::InvalidMessage(_) => "what answers there does not encrypt",
        _ => "the handshake failed",
    }
}

/// What the system says of a connection that did not come about.
pub(super) fn said(kind: io::ErrorKind) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => "it was refused",
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => "it was broken off",
        io::ErrorKind::HostUnreachable => "the host cannot be reached",
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::NetworkDown => "there is no network that leads there",
        io::ErrorKind::PermissionDenied => "this system forbids it",
        _ => "the connection failed",
    }
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
