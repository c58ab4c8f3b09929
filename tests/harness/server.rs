//! A provider for tests: a server on this machine that keeps every byte it gets and plays what a test tells it to.
//!
//! Shared by the tests of the library and those of the program. It answers over HTTP/1.1, plain or with a certificate of
//! an authority that the test makes up and alone trusts.

#![allow(dead_code, reason = "each of the two that share this file needs a part of it")]

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a connection may be silent before the server gives it up.
const PATIENCE: Duration = Duration::from_secs(20);

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Received {
    /// `GET`, `POST`, ...
    pub(crate) method: String,
    /// Path and query.
    pub(crate) path: String,
    /// Headers by lower-case names.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// Returns the first header of a lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns what follows `Bearer ` in the authorization.
    pub(crate) fn bearer(&self) -> Option<&str> {
        self.header("authorization").and_then(|value| value.strip_prefix("Bearer "))
    }
}

/// What the server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A status, headers and a body, with its length; the connection stays open.
    Answer(u16, Vec<(String, String)>, Vec<u8>),
    /// These bytes, whatever they are, and then the end of the connection.
    Raw(Vec<u8>),
    /// The head of an answer and then this many bytes of body, as fast as they are taken.
    Flood(u64),
    /// One byte of an answer at a time, with this pause between two.
    Drip(Duration),
    /// Nothing for this long, and then the end.
    Silence(Duration),
}

impl Reply {
    /// A status with a body and no headers.
    pub(crate) fn status(status: u16, body: &str) -> Self {
        Self::Answer(status, Vec::new(), body.as_bytes().to_vec())
    }

    /// A status with one header.
    pub(crate) fn with_header(status: u16, name: &str, value: &str) -> Self {
        Self::Answer(status, vec![(name.to_owned(), value.to_owned())], Vec::new())
    }
}

/// An authority that signs certificates, trusted by nobody but the test.
pub(crate) struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    certificate: Vec<u8>,
}

/// A certificate with its key.
pub(crate) type Identity = Arc<rustls::ServerConfig>;

impl Authority {
    /// Makes one.
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().expect("a key");
        let mut parameters = rcgen::CertificateParams::default();
        // Two authorities of one name would be told apart by their signatures only.
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let name = format!("authority {}", MADE.fetch_add(1, Ordering::SeqCst));
        parameters.distinguished_name.push(rcgen::DnType::CommonName, name);
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).expect("a certificate").der().to_vec();
        Self { issuer: rcgen::Issuer::new(parameters, key), certificate }
    }

    /// Returns its certificate, in DER.
    pub(crate) fn certificate(&self) -> Vec<u8> {
        self.certificate.clone()
    }

    /// Signs a certificate for a name.
    pub(crate) fn identity(&self, name: &str) -> Identity {
        self.identity_until(name, 2096)
    }

    /// Signs a certificate for a name that ends with the year before this one.
    pub(crate) fn identity_until(&self, name: &str, year: i32) -> Identity {
        self.identity_of(vec![name.to_owned()], year)
    }

    /// Signs one certificate for many names.
    pub(crate) fn identity_of(&self, names: Vec<String>, year: i32) -> Identity {
        let mut parameters = rcgen::CertificateParams::new(names).expect("names");
        parameters.not_before = rcgen::date_time_ymd(1990, 1, 1);
        parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = parameters.signed_by(&key, &self.issuer).expect("a certificate");
        let chain = vec![certificate.der().clone()];
        let key = rustls::pki_types::PrivatePkcs8KeyDer::from(key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = builder.expect("versions").with_no_client_auth().with_single_cert(chain, key.into());
        Arc::new(config.expect("a certificate with its key"))
    }
}

type Play = dyn Fn(&Received) -> Reply + Send + Sync;

/// What all connections of a server share.
struct Shared {
    identity: Option<Identity>,
    play: Box<Play>,
    bytes: Mutex<Vec<u8>>,
    requests: Mutex<Vec<Received>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    most_open: AtomicUsize,
    ended: AtomicBool,
}

/// A server that runs until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Server {
    /// Starts one without encryption.
    pub(crate) fn plain(play: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(None, Box::new(play))
    }

    /// Starts one that proves who it is.
    pub(crate) fn secure(identity: Identity, play: impl Fn(&Received) -> Reply + Send + Sync + 'static) -> Self {
        Self::start(Some(identity), Box::new(play))
    }

    fn start(identity: Option<Identity>, play: Box<Play>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            identity,
            play,
            bytes: Mutex::default(),
            requests: Mutex::default(),
            connections: AtomicUsize::new(0),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        });
        let of_listener = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if of_listener.ended.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                of_listener.connections.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&of_listener);
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Self { address, shared }
    }

    /// Returns where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its address as a URL.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.shared.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// Returns every byte that came, decrypted where it was encrypted.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.shared.bytes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns every request that came whole.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.shared.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns how many connections were opened.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Returns how many requests were in work at once, at the most.
    pub(crate) fn most_at_once(&self) -> usize {
        self.shared.most_open.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the listener, so that it sees the end.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        let _ = stream.set_read_timeout(Some(PATIENCE));
        let _ = stream.set_write_timeout(Some(PATIENCE));
        let _ = stream.set_nodelay(true);
        let end = stream.try_clone();
        match &self.identity {
            None => self.talk(stream),
            Some(identity) => {
                let Ok(session) = rustls::ServerConnection::new(Arc::clone(identity)) else { return };
                self.talk(rustls::StreamOwned::new(session, stream));
            }
        }
        if let Ok(end) = end {
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    fn talk(&self, mut stream: impl Read + Write) {
        let mut waiting = Vec::new();
        while let Some(received) = self.receive(&mut stream, &mut waiting) {
            let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_open.fetch_max(open, Ordering::SeqCst);
            let reply = (self.play)(&received);
            self.requests.lock().unwrap_or_else(PoisonError::into_inner).push(received);
            // What the client sees after this line, it may answer with the next request at once.
            self.open.fetch_sub(1, Ordering::SeqCst);
            if !matches!(send(&mut stream, &reply), Ok(true)) {
                return;
            }
        }
    }

    /// Reads one request; nothing where the connection ends before it does.
    fn receive(&self, stream: &mut impl Read, waiting: &mut Vec<u8>) -> Option<Received> {
        loop {
            if let Some((received, length)) = parse(waiting) {
                waiting.drain(..length);
                return Some(received);
            }
            let mut buffer = [0; 4096];
            let count = match stream.read(&mut buffer) {
                Ok(0) => return None,
                Ok(count) => count,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return None,
            };
            self.bytes.lock().unwrap_or_else(PoisonError::into_inner).extend(&buffer[..count]);
            waiting.extend(&buffer[..count]);
        }
    }
}

/// Reads a request at the head of bytes, and how long it is; nothing as long as it is not whole.
fn parse(bytes: &[u8]) -> Option<(Received, usize)> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..head]);
    let mut lines = text.lines();
    let mut first = lines.next()?.split(' ');
    let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
    let split = |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let mut received = Received { method, path, headers: lines.filter_map(split).collect(), body: Vec::new() };
    let length = received.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    received.body = bytes.get(head..head + length)?.to_vec();
    Some((received, head + length))
}

/// Plays a reply; returns whether the connection goes on.
fn send(stream: &mut (impl Read + Write), reply: &Reply) -> std::io::Result<bool> {
    match reply {
        Reply::Answer(status, headers, body) => {
            let mut head = format!("HTTP/1.1 {status} As Told\r\ncontent-length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            stream.write_all((head + "\r\n").as_bytes())?;
            stream.write_all(body)?;
            stream.flush()?;
            return Ok(true);
        }
        Reply::Raw(bytes) => stream.write_all(bytes)?,
        Reply::Flood(length) => {
            write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: {length}\r\n\r\n")?;
            let block = [b'x'; 16 * 1024];
            let mut left = *length;
            while left > 0 {
                let part = left.min(block.len() as u64);
                stream.write_all(&block[..part as usize])?;
                left -= part;
            }
        }
        Reply::Drip(pause) => {
            for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n".iter().chain(std::iter::repeat(&b'x')) {
                stream.write_all(std::slice::from_ref(byte))?;
                stream.flush()?;
                std::thread::sleep(*pause);
            }
        }
        Reply::Silence(time) => std::thread::sleep(*time),
    }
    stream.flush()?;
    Ok(false)
}
