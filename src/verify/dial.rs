//! The connection for a login to a database: beside the client the only file that opens a socket, under the same rules.
//!
//! A name is resolved once, every address that it leads to is looked at, and one of those is dialled. Nothing but the words
//! that ask for encryption is sent before the host has proved who it is, unless a person named the endpoint and allowed that
//! it stays open. Time and bytes are bounded.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::client::{ClientOptions, Names, Reach, bare, doubt, refused, said};
use super::exchange::{Answer, Failure, Request};
use super::login::{self, Login, Wire};

/// How many bytes a server may say, all in all.
const LARGEST: usize = 64 * 1024;
/// How many addresses of a host are tried.
const MOST_ADDRESSES: usize = 4;
/// How soon an interruption is seen.
const GLANCE: Duration = Duration::from_millis(200);

/// Opens connections to databases.
#[derive(Debug)]
pub(super) struct Dialer {
    names: Arc<dyn Names>,
    config: Arc<ClientConfig>,
    deadline: Duration,
    behind_proxy: bool,
    stopped: Arc<AtomicBool>,
}

impl Dialer {
    /// Makes one of the client's options; it opens nothing until it dials, and ends when `stopped` is set.
    pub(super) fn new(options: &ClientOptions, stopped: Arc<AtomicBool>) -> Self {
        let mut roots = RootCertStore::empty();
        match &options.roots {
            Some(certificates) => {
                roots.add_parsable_certificates(certificates.iter().map(|bytes| CertificateDer::from(bytes.clone())));
            }
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the versions that the library calls safe")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self {
            names: Arc::clone(&options.names),
            config: Arc::new(config),
            deadline: options.deadline,
            behind_proxy: options.proxy.is_some(),
            stopped,
        }
    }

    /// Logs in as a request says, once.
    ///
    /// # Errors
    /// Why nothing is known of the password.
    pub(super) fn log_in(&self, login: &Login, request: &Request, reach: Reach) -> Result<Answer, Failure> {
        let endpoint = &request.endpoint;
        if self.behind_proxy {
            let reason = "a proxy of HTTP leads to no database";
            return Err(Failure::Unsendable { host: endpoint.host.clone(), reason });
        }
        let until = Instant::now() + self.deadline;
        let addresses = self.addresses(&endpoint.host, reach)?;
        let stream = self.connect(&endpoint.host, endpoint.dialled_port(), &addresses, until)?;
        let mut line = Line {
            stream: Stream::Open(stream),
            config: Arc::clone(&self.config),
            host: endpoint.host.clone(),
            secure: endpoint.secure,
            deadline: self.deadline,
            until,
            stopped: Arc::clone(&self.stopped),
            received: 0,
        };
        login::speak(login, &mut line)
    }

    /// Returns the addresses of a host, all of which may be dialled.
    fn addresses(&self, host: &str, reach: Reach) -> Result<Vec<IpAddr>, Failure> {
        let addresses = match bare(host).parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.look_up(host)?,
        };
        for address in &addresses {
            reach.allows(*address).map_err(|kind| refused(host, *address, kind))?;
        }
        Ok(addresses)
    }

    /// Asks on a thread of its own: the system's resolver knows no deadline.
    fn look_up(&self, host: &str) -> Result<Vec<IpAddr>, Failure> {
        let (sender, receiver) = mpsc::sync_channel(1);
        let (names, asked) = (Arc::clone(&self.names), host.to_owned());
        let unresolved = || Failure::Unresolved { host: host.to_owned() };
        std::thread::Builder::new()
            .name("names".into())
            .spawn(move || sender.send(names.addresses(&asked)).ok())
            .map_err(|_| unresolved())?;
        match receiver.recv_timeout(self.deadline) {
            Ok(Ok(addresses)) if !addresses.is_empty() => Ok(addresses),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                Err(Failure::Timeout { host: host.to_owned(), after: self.deadline })
            }
            _ => Err(unresolved()),
        }
    }

    fn connect(&self, host: &str, port: u16, addresses: &[IpAddr], until: Instant) -> Result<TcpStream, Failure> {
        let mut last = Failure::Unresolved { host: host.to_owned() };
        for address in addresses.iter().take(MOST_ADDRESSES) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            match TcpStream::connect_timeout(&self.names.dialled(SocketAddr::new(*address, port)), left) {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                    last = Failure::Timeout { host: host.to_owned(), after: self.deadline };
                }
                Err(error) => last = Failure::Connect { host: host.to_owned(), reason: said(error.kind()).into() },
            }
        }
        Err(last)
    }
}

/// A stream before and after encryption.
enum Stream {
    Open(TcpStream),
    Sealed(Box<StreamOwned<ClientConnection, TcpStream>>),
    /// While one becomes the other, and after that failed.
    Gone,
}

/// Whether an operation only took longer than a glance.
fn is_pause(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// One connection.
struct Line {
    stream: Stream,
    config: Arc<ClientConfig>,
    host: String,
    /// Whether it must be encrypted.
    secure: bool,
    deadline: Duration,
    until: Instant,
    stopped: Arc<AtomicBool>,
    received: usize,
}

impl Line {
    /// Gives the next operation its time: what is left, and no more than a glance, so that an interruption is seen.
    fn hurry(&self, socket: &TcpStream) -> Result<(), Failure> {
        if self.stopped.load(Ordering::Relaxed) {
            return Err(Failure::Interrupted);
        }
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.late());
        }
        let set = socket.set_read_timeout(Some(left.min(GLANCE))).and_then(|()| socket.set_write_timeout(Some(left)));
        set.map_err(|error| self.broken(error.kind()))
    }

    /// Does the same for the stream as it is.
    fn hurry_on(&self) -> Result<(), Failure> {
        match &self.stream {
            Stream::Open(stream) => self.hurry(stream),
            Stream::Sealed(stream) => self.hurry(&stream.sock),
            Stream::Gone => Err(self.broken(io::ErrorKind::NotConnected)),
        }
    }

    fn late(&self) -> Failure {
        Failure::Timeout { host: self.host.clone(), after: self.deadline }
    }

    fn broken(&self, kind: io::ErrorKind) -> Failure {
        match kind {
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => self.late(),
            _ => Failure::Connect { host: self.host.clone(), reason: "it ended before the answer did".into() },
        }
    }

    fn unproven(&self, reason: &str) -> Failure {
        Failure::Tls { host: self.host.clone(), reason: reason.to_owned() }
    }

    /// Finishes the proof of who answers.
    fn handshake(&mut self) -> Result<(), Failure> {
        let Stream::Open(stream) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            return Err(self.unproven("it is encrypted already"));
        };
        let name = ServerName::try_from(bare(&self.host).trim_end_matches('.').to_owned());
        let name = name.map_err(|_| self.unproven("its name is none that a certificate has"))?;
        let session = ClientConnection::new(Arc::clone(&self.config), name);
        let session = session.map_err(|_| self.unproven("the handshake failed"))?;
        let mut stream = StreamOwned::new(session, stream);
        while stream.conn.is_handshaking() {
            self.hurry(&stream.sock)?;
            let Err(error) = stream.conn.complete_io(&mut stream.sock) else { continue };
            if is_pause(error.kind()) {
                continue;
            }
            let cause = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            return Err(self.unproven(cause.map_or("it ended the handshake", doubt)));
        }
        self.stream = Stream::Sealed(Box::new(stream));
        Ok(())
    }
}

impl Wire for Line {
    fn send(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.hurry_on()?;
        let sent = match &mut self.stream {
            Stream::Open(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Stream::Sealed(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
            Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
        };
        sent.map_err(|error| self.broken(error.kind()))
    }

    fn receive(&mut self, count: usize) -> Result<Vec<u8>, Failure> {
        self.received = self.received.saturating_add(count);
        if self.received > LARGEST {
            return Err(self.nonsense("it says too much"));
        }
        let mut bytes = vec![0; count];
        let mut filled = 0;
        while filled < count {
            // One byte at a time would keep every single read within its time, so each gets what is left of all.
            self.hurry_on()?;
            let read = match &mut self.stream {
                Stream::Open(stream) => stream.read(&mut bytes[filled..]),
                Stream::Sealed(stream) => stream.read(&mut bytes[filled..]),
                Stream::Gone => Err(io::ErrorKind::NotConnected.into()),
            };
            match read {
                Ok(0) => return Err(self.broken(io::ErrorKind::UnexpectedEof)),
                Ok(more) => filled += more,
                Err(error) if is_pause(error.kind()) => {}
                Err(error) => return Err(self.broken(error.kind())),
            }
        }
        Ok(bytes)
    }

    fn encrypt(&mut self) -> Result<(), Failure> {
        if self.secure { self.handshake() } else { Ok(()) }
    }

    fn may_stay_open(&self) -> bool {
        !self.secure
    }

    fn nonsense(&self, reason: &'static str) -> Failure {
        Failure::Malformed { host: self.host.clone(), reason: reason.to_owned() }
    }
}

#[cfg(test)]
#[path = "dial_tests.rs"]
mod tests;
