//! Logins against servers on this machine, over TLS and under the rules of the client: which address is dialled, what is sent
//! before the host has proved who it is, and what wrong hosts, slow ones and talkative ones come to.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};

use super::*;
use crate::secret::Secret;
use crate::verify::client::Client;
use crate::verify::exchange::Endpoint;
use crate::verify::test_server::{Authority, Identity};

const NAME: &str = "db.acme-data.example";
const WORD: &str = "a password of nobody";

/// A name with addresses of a test, and the server that those lead to.
#[derive(Debug)]
struct MadeUp {
    addresses: Vec<IpAddr>,
    server: SocketAddr,
    dialled: Mutex<Vec<SocketAddr>>,
}

impl Names for MadeUp {
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if host == NAME { Ok(self.addresses.clone()) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    fn dialled(&self, checked: SocketAddr) -> SocketAddr {
        self.dialled.lock().expect("a list").push(checked);
        self.server
    }
}

type Sealed = StreamOwned<rustls::ServerConnection, TcpStream>;

/// A server for one connection: what it does with it, and all that it heard before encryption.
fn serve(act: impl FnOnce(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a limit");
        act(stream);
    });
    address
}

fn sealed(stream: TcpStream, identity: Identity) -> Sealed {
    StreamOwned::new(rustls::ServerConnection::new(identity).expect("a session"), stream)
}

fn read(stream: &mut impl Read, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    let _ = stream.read_exact(&mut bytes);
    bytes
}

fn client(addresses: &[&str], server: SocketAddr, roots: &Authority) -> (Client, Arc<MadeUp>) {
    let addresses = addresses.iter().map(|text| text.parse().expect("an address")).collect();
    let names = Arc::new(MadeUp { addresses, server, dialled: Mutex::default() });
    let options = ClientOptions {
        deadline: Duration::from_secs(2),
        names: Arc::clone(&names) as Arc<dyn Names>,
        roots: Some(vec![roots.certificate()]),
        ..ClientOptions::default()
    };
    (Client::new(&options).expect("a client"), names)
}

/// The login of a user at the made-up name.
fn request(protocol: &str, port: u16) -> Request {
    let mut endpoint = Endpoint::of_host(NAME);
    endpoint.port = Some(port);
    let mut request = Request::new(endpoint, "LOGIN", &format!("/{protocol}/app/shop"));
    for (name, value) in [("user", "app"), ("password", WORD), ("database", "shop"), ("options", "")] {
        request.headers.push((name.to_owned(), Secret::new(value.as_bytes())));
    }
    request
}

fn outcome(answer: &Answer) -> (String, String) {
    let told = |name: &str| answer.header(name).unwrap_or_default().to_owned();
    (told("login"), told("login-reason"))
}

/// The server's side of SCRAM-SHA-256 for a password: its first word for a client's nonce, and what it checks the last with.
struct ScramServer {
    salted: [u8; 32],
    first: String,
}

impl ScramServer {
    fn new(password: &str, client_nonce: &str) -> Self {
        let mut salted = [0; 32];
        let rounds = std::num::NonZeroU32::new(4096).expect("rounds");
        pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, b"salt of it", password.as_bytes(), &mut salted);
        Self { salted, first: format!("r={client_nonce}more,s={},i=4096", STANDARD.encode("salt of it")) }
    }

    fn hmac(key: &[u8], text: &str) -> Vec<u8> {
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
    }

    /// Returns its last word, if the client's proves that it knows the password.
    fn last(&self, client_first: &str, client_last: &str) -> Option<String> {
        let (without_proof, proof) = client_last.rsplit_once(",p=")?;
        let text = format!("{client_first},{},{without_proof}", self.first);
        let key = Self::hmac(&self.salted, "Client Key");
        let signature = Self::hmac(digest::digest(&digest::SHA256, &key).as_ref(), &text);
        let expected: Vec<u8> = key.iter().zip(&signature).map(|(left, right)| left ^ right).collect();
        let last = Self::hmac(&Self::hmac(&self.salted, "Server Key"), &text);
        (proof == STANDARD.encode(expected)).then(|| format!("v={}", STANDARD.encode(last)))
    }
}

/// PostgreSQL with a user whose password is known, behind the request for encryption.
fn postgres(identity: Identity, password: &'static str) -> SocketAddr {
    serve(move |mut stream| {
        assert_eq!(read(&mut stream, 8), [0, 0, 0, 8, 4, 210, 22, 47]);
        stream.write_all(b"S").expect("sent");
        let mut stream = sealed(stream, identity);
        let length = read(&mut stream, 4);
        let length = u32::from_be_bytes(length.try_into().expect("four")) as usize;
        read(&mut stream, length - 4);
        let say = |stream: &mut Sealed, kind: u8, body: &[u8]| {
            let message = [&[kind][..], &(body.len() as u32 + 4).to_be_bytes(), body].concat();
            stream.write_all(&message).and_then(|()| stream.flush()).expect("sent");
        };
        let hear = |stream: &mut Sealed| {
            let head = read(stream, 5);
            let length = u32::from_be_bytes(head[1..].try_into().expect("four")) as usize;
            String::from_utf8_lossy(&read(stream, length - 4)).into_owned()
        };
        say(&mut stream, b'R', &[&[0, 0, 0, 10][..], b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0"].concat());
        let first = hear(&mut stream);
        let first = first[first.find("n=").expect("a user")..].to_owned();
        let server = ScramServer::new(password, first.split("r=").nth(1).expect("a nonce"));
        say(&mut stream, b'R', &[&[0, 0, 0, 11][..], server.first.as_bytes()].concat());
        let last = hear(&mut stream);
        match server.last(&first, &last) {
            Some(proof) => {
                say(&mut stream, b'R', &[&[0, 0, 0, 12][..], proof.as_bytes()].concat());
                say(&mut stream, b'R', &[0, 0, 0, 0]);
                assert_eq!(read(&mut stream, 5), [b'X', 0, 0, 0, 4]);
            }
            None => say(&mut stream, b'E', b"SFATAL\0C28P01\0Mno\0\0"),
        }
    })
}

#[test]
fn a_password_is_proved_to_postgres_without_being_sent() {
    let authority = Authority::new();
    for (known, expected) in [(WORD, "accepted"), ("another password", "refused")] {
        let server = postgres(authority.identity(NAME), known);
        let (client, names) = client(&["8.8.4.4"], server, &authority);
        let answer = client.send(&request("postgres", 5432)).expect("an answer");
        assert_eq!(outcome(&answer).0, expected);
        assert_eq!(*names.dialled.lock().expect("a list"), ["8.8.4.4:5432".parse().expect("an address")]);
    }
}

#[test]
fn a_host_that_cannot_prove_who_it_is_gets_no_password() {
    let (authority, other) = (Authority::new(), Authority::new());
    for (identity, word) in [
        (other.identity(NAME), "no known authority"),
        (authority.identity("other.example"), "another name"),
        (authority.identity_until(NAME, 2001), "expired"),
    ] {
        for protocol in ["redis", "postgres"] {
            let identity = Arc::clone(&identity);
            let server = serve(move |mut stream| {
                if protocol == "postgres" {
                    read(&mut stream, 8);
                    stream.write_all(b"S").expect("sent");
                }
                let mut stream = sealed(stream, identity);
                let mut heard = Vec::new();
                let _ = stream.read_to_end(&mut heard);
                assert!(heard.is_empty(), "something was sent");
            });
            let (client, _) = client(&["8.8.4.4"], server, &authority);
            let failure = client.send(&request(protocol, 6379)).expect_err("it proves nothing");
            assert!(matches!(&failure, Failure::Tls { .. }) && failure.to_string().contains(word), "{failure}");
        }
    }
    let server = serve(|mut stream| {
        let heard = read(&mut stream, 300);
        assert!(memchr::memmem::find(&heard, WORD.as_bytes()).is_none());
        let _ = stream.write_all(b"-ERR unknown command\r\n");
    });
    let (client, _) = client(&["8.8.4.4"], server, &authority);
    assert!(matches!(client.send(&request("redis", 6379)), Err(Failure::Tls { .. } | Failure::Timeout { .. })));
}

#[test]
fn no_address_of_a_network_of_ones_own_is_dialled() {
    let authority = Authority::new();
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("an address");
    for addresses in [&["10.0.0.5"][..], &["8.8.4.4", "127.0.0.1"], &["169.254.169.254"], &["::ffff:10.0.0.5"]] {
        let (client, names) = client(addresses, closed, &authority);
        let failure = client.send(&request("postgres", 5432)).expect_err("refused");
        assert!(matches!(failure, Failure::RefusedAddress { .. }), "{failure}");
        assert!(names.dialled.lock().expect("a list").is_empty());
    }
    let (client, _) = client(&["8.8.4.4"], closed, &authority);
    assert!(matches!(client.send(&request("postgres", 5432)), Err(Failure::Connect { .. })));
    let mut nowhere = request("postgres", 5432);
    nowhere.endpoint.host = "nowhere.acme-data.example".into();
    assert!(matches!(client.send(&nowhere), Err(Failure::Unresolved { .. })));
    nowhere.endpoint.secure = false;
    assert!(matches!(client.send(&nowhere), Err(Failure::Unsendable { .. })), "never in the open");
}

#[test]
fn time_and_bytes_are_bounded_and_a_proxy_leads_to_no_database() {
    let authority = Authority::new();
    let began = Instant::now();
    for act in [
        |_: &mut TcpStream| std::thread::sleep(Duration::from_secs(4)),
        |stream: &mut TcpStream| {
            // One byte now and then keeps every single read alive.
            for byte in [b'S', 0, 0, 0, 0, 0, 0, 0] {
                let _ = stream.write_all(&[byte]);
                std::thread::sleep(Duration::from_millis(600));
            }
        },
    ] {
        let server = serve(move |mut stream| act(&mut stream));
        let (client, _) = client(&["8.8.4.4"], server, &authority);
        let failure = client.send(&request("postgres", 5432)).expect_err("it never answers");
        assert!(matches!(failure, Failure::Timeout { .. } | Failure::Tls { .. }), "{failure}");
    }
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    let options = ClientOptions { proxy: Some("http://127.0.0.1:9".into()), ..ClientOptions::default() };
    let failure = Client::new(&options).expect("a client").send(&request("postgres", 5432)).expect_err("no way");
    assert!(failure.to_string().contains("proxy"), "{failure}");
}

/// A document of BSON of elements that are written already.
fn document(elements: &[Vec<u8>]) -> Vec<u8> {
    let inside = elements.concat();
    [&(inside.len() as u32 + 5).to_le_bytes()[..], &inside, &[0]].concat()
}

fn element(kind: u8, name: &str, value: &[u8]) -> Vec<u8> {
    [&[kind][..], name.as_bytes(), &[0], value].concat()
}

fn binary(bytes: &[u8]) -> Vec<u8> {
    element(5, "payload", &[&(bytes.len() as u32).to_le_bytes()[..], &[0], bytes].concat())
}

/// MongoDB with one user who logs in by SCRAM-SHA-256.
fn mongodb(identity: Identity, password: &'static str) -> SocketAddr {
    serve(move |stream| {
        let mut stream = sealed(stream, identity);
        let hear = |stream: &mut Sealed| {
            let head = read(stream, 16);
            let length = u32::from_le_bytes(head[..4].try_into().expect("four")) as usize;
            read(stream, length - 16)
        };
        let say = |stream: &mut Sealed, elements: &[Vec<u8>]| {
            let document = document(elements);
            let numbers = [document.len() as u32 + 21, 7, 1, 2013, 0].map(u32::to_le_bytes).concat();
            stream.write_all(&[&numbers[..], &[0], &document].concat()).and_then(|()| stream.flush()).expect("sent");
        };
        let payload = |message: &[u8]| {
            let at = memchr::memmem::find(message, b"\x05payload\0").expect("a payload") + 9;
            let length = u32::from_le_bytes(message[at..at + 4].try_into().expect("four")) as usize;
            String::from_utf8_lossy(&message[at + 5..at + 5 + length]).into_owned()
        };
        let fine = element(1, "ok", &1_f64.to_le_bytes());
        let hello = hear(&mut stream);
        assert!(memchr::memmem::find(&hello, b"shop.app\0").is_some(), "the user of the database in the address");
        let name = |text: &str| [&(text.len() as u32 + 1).to_le_bytes()[..], text.as_bytes(), &[0]].concat();
        let list = document(&[element(2, "0", &name("SCRAM-SHA-1")), element(2, "1", &name("SCRAM-SHA-256"))]);
        say(
            &mut stream,
            &[element(8, "isWritablePrimary", &[1]), element(4, "saslSupportedMechs", &list), fine.clone()],
        );
        let first = payload(&hear(&mut stream));
        let first = first[first.find("n=app").expect("a user")..].to_owned();
        let server = ScramServer::new(password, first.split("r=").nth(1).expect("a nonce"));
        let number = element(0x10, "conversationId", &9_i32.to_le_bytes());
        say(&mut stream, &[number, binary(server.first.as_bytes()), fine.clone()]);
        let last = payload(&hear(&mut stream));
        match server.last(&first, &last) {
            Some(proof) => say(&mut stream, &[binary(proof.as_bytes()), fine]),
            None => {
                let code = element(0x10, "code", &18_i32.to_le_bytes());
                say(&mut stream, &[element(1, "ok", &0_f64.to_le_bytes()), code]);
            }
        }
    })
}

#[test]
fn a_password_is_proved_to_mongodb_without_being_sent() {
    let authority = Authority::new();
    for (known, expected) in [(WORD, "accepted"), ("another password", "refused")] {
        let server = mongodb(authority.identity(NAME), known);
        let (client, _) = client(&["8.8.4.4"], server, &authority);
        let answer = client.send(&request("mongodb", 27017)).expect("an answer");
        assert_eq!(outcome(&answer).0, expected, "{answer:?}");
    }
}

#[test]
fn an_interruption_ends_a_login() {
    let authority = Authority::new();
    let server = serve(|mut stream| {
        let _ = read(&mut stream, 300);
    });
    let (client, _) = client(&["8.8.4.4"], server, &authority);
    let client = Arc::new(client);
    let stopping = Arc::clone(&client);
    let began = Instant::now();
    let stopper = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        stopping.stop();
    });
    assert_eq!(client.send(&request("postgres", 5432)), Err(Failure::Interrupted));
    assert!(began.elapsed() < Duration::from_millis(1500), "{:?}", began.elapsed());
    stopper.join().expect("it stops");
}
