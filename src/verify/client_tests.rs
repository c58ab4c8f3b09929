//! The client against a server on this machine. Names are made up: they lead to addresses of the public internet, and only
//! a test's own step behind the check leads those to the server.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::Mutex;
use std::time::Instant;

use super::*;
use crate::secret::Secret;
use crate::verify::exchange::RequestPath;
use crate::verify::test_server::{Authority, Reply, Server};

/// A public address that the made-up names have.
const PUBLIC: &str = "8.8.4.4";
const NAME: &str = "api.provider.example";

/// Names that lead where a test says, and an address that leads to its server.
#[derive(Debug)]
struct MadeUp {
    addresses: Vec<IpAddr>,
    server: SocketAddr,
    dialled: Mutex<Vec<SocketAddr>>,
}

impl Names for MadeUp {
    fn addresses(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        match host == NAME {
            true => Ok(self.addresses.clone()),
            false => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn dialled(&self, checked: SocketAddr) -> SocketAddr {
        self.dialled.lock().expect("a list").push(checked);
        self.server
    }
}

fn made_up(addresses: &[&str], server: SocketAddr) -> Arc<MadeUp> {
    let addresses = addresses.iter().map(|text| text.parse().expect("an address")).collect();
    Arc::new(MadeUp { addresses, server, dialled: Mutex::default() })
}

fn options(names: Arc<MadeUp>, authority: &Authority) -> ClientOptions {
    ClientOptions {
        deadline: Duration::from_secs(2),
        names,
        roots: Some(vec![authority.certificate()]),
        ..ClientOptions::default()
    }
}

fn request(endpoint: Endpoint) -> Request {
    let headers = vec![("authorization".to_owned(), Secret::new(b"Bearer not-a-key"))];
    Request { headers, ..Request::new(endpoint, "GET", "/v1/models?limit=1") }
}

fn named(address: SocketAddr) -> Endpoint {
    let host = address.ip().to_string();
    Endpoint { secure: false, host, port: Some(address.port()), base_path: String::new(), named: true }
}

/// A client for whom one secure server answers, and what it answered.
fn ask(reply: Reply) -> (Result<Answer, Failure>, Server) {
    let authority = Authority::new();
    let server = Server::secure(authority.identity(NAME), move |_| reply.clone());
    let client = Client::new(&options(made_up(&[PUBLIC], server.address()), &authority)).expect("a client");
    (client.send(&request(Endpoint::of_host(NAME))), server)
}

#[test]
fn a_request_arrives_as_it_was_made_and_the_answer_comes_back() {
    let reply = Reply::Answer(403, vec![("X-Org".into(), "acme".into())], b"{\"a\":1}".to_vec());
    let (answer, server) = ask(reply);
    let answer = answer.expect("an answer");
    assert_eq!((answer.status, answer.header("x-org"), answer.cut), (403, Some("acme"), false));
    assert_eq!(answer.body, b"{\"a\":1}");
    let received = server.requests().remove(0);
    assert_eq!((received.method.as_str(), received.path.as_str()), ("GET", "/v1/models?limit=1"));
    assert_eq!(received.bearer(), Some("not-a-key"));
    assert_eq!(received.header("host"), Some(NAME));
    assert_eq!(received.header("user-agent"), Some(USER_AGENT));
    assert_eq!(received.header("accept-encoding"), None, "a packed body would hide its size");
}

#[test]
fn a_body_is_sent_with_its_length_whatever_the_method() {
    let server = Server::plain(|_| Reply::status(200, ""));
    let options = ClientOptions { allow_insecure_endpoints: true, ..ClientOptions::default() };
    let client = Client::new(&options).expect("a client");
    for (method, body) in [("POST", Some("a=b")), ("DELETE", Some("{}")), ("POST", None), ("PUT", None), ("GET", None)]
    {
        let mut request = request(named(server.address()));
        request.method = method.into();
        request.body = body.map(|body| Secret::new(body.as_bytes()));
        assert_eq!(client.send(&request).expect(method).status, 200);
        let received = server.requests().pop().expect("a request");
        assert_eq!((received.method.as_str(), received.body.as_slice()), (method, body.unwrap_or_default().as_bytes()));
        assert_eq!(received.header("transfer-encoding"), None);
        assert_eq!(received.header("host"), Some(server.address().to_string().as_str()));
    }
    assert_eq!(server.connections(), 1, "one connection is used again");
}

#[test]
fn redirects_are_answers() {
    for status in [301, 302, 303, 307, 308] {
        let other = Server::plain(|_| Reply::status(200, ""));
        let (answer, server) = ask(Reply::with_header(status, "location", &other.url()));
        assert_eq!(answer.expect("an answer").status, status);
        assert_eq!((server.requests().len(), other.connections()), (1, 0));
    }
}

#[test]
fn a_name_that_leads_anywhere_but_to_the_internet_is_not_dialled() {
    let refused = [
        "127.0.0.1",
        "10.0.0.1",
        "169.254.169.254",
        "::1",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "100.64.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "fd00::1",
        "fe80::1",
        "224.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ];
    let authority = Authority::new();
    let server = Server::secure(authority.identity(NAME), |_| Reply::status(200, ""));
    for address in refused {
        for addresses in [&[address][..], &[PUBLIC, address], &[PUBLIC, "2606:4700::1111", address]] {
            let names = made_up(addresses, server.address());
            let client = Client::new(&options(Arc::clone(&names), &authority)).expect("a client");
            let failure = client.send(&request(Endpoint::of_host(NAME))).expect_err(address);
            assert!(matches!(failure, Failure::RefusedAddress { .. }), "{address}: {failure}");
            assert!(names.dialled.lock().expect("a list").is_empty(), "{address}");
        }
        // The same address in the place of a name.
        let client = Client::new(&options(made_up(&[], server.address()), &authority)).expect("a client");
        let failure = client.send(&request(Endpoint::of_host(address))).expect_err(address);
        assert!(matches!(failure, Failure::RefusedAddress { .. }), "{address}: {failure}");
    }
    assert_eq!((server.connections(), server.bytes().len()), (0, 0));
}

#[test]
fn what_is_dialled_is_what_was_looked_at() {
    let authority = Authority::new();
    let server = Server::secure(authority.identity(NAME), |_| Reply::status(204, ""));
    let names = made_up(&[PUBLIC, "2606:4700::1111"], server.address());
    let client = Client::new(&options(Arc::clone(&names), &authority)).expect("a client");
    assert_eq!(client.send(&request(Endpoint::of_host(NAME))).expect("an answer").status, 204);
    let expected: Vec<SocketAddr> =
        vec!["8.8.4.4:443".parse().expect("it"), "[2606:4700::1111]:443".parse().expect("it")];
    assert_eq!(*names.dialled.lock().expect("a list"), expected);
}

#[test]
fn forms_of_addresses_that_only_resolvers_know_are_looked_at_as_well() {
    let client = Client::new(&ClientOptions::default()).expect("a client");
    for host in ["127.1", "2130706433", "0x7f.1", "localhost"] {
        let failure = client.send(&request(Endpoint::of_host(host))).expect_err(host);
        let expected = matches!(failure, Failure::RefusedAddress { .. } | Failure::Unresolved { .. });
        assert!(expected, "{host}: {failure}");
    }
}

#[test]
fn a_host_that_is_no_host_is_not_asked() {
    let client = Client::new(&ClientOptions::default()).expect("a client");
    for host in ["", "a@b.example", "a.example/b", "a.example:1", "a b", "a\r\nb", "a#b", "a?b", "ä.example", "[::1"] {
        let failure = client.send(&request(Endpoint::of_host(host))).expect_err(host);
        assert!(matches!(failure, Failure::Unsendable { .. }), "{host}: {failure}");
    }
}

#[test]
fn a_secret_with_a_line_break_makes_no_request() {
    let server = Server::plain(|_| Reply::status(200, ""));
    let options = ClientOptions { allow_insecure_endpoints: true, ..ClientOptions::default() };
    let client = Client::new(&options).expect("a client");
    let mut request = request(named(server.address()));
    request.headers[0].1 = Secret::new(b"Bearer a\r\nx-admin: yes");
    let failure = client.send(&request).expect_err("no such header");
    assert!(matches!(failure, Failure::Unsendable { .. }), "{failure}");
    request.headers.clear();
    request.path = RequestPath::open("/a b");
    assert!(matches!(client.send(&request), Err(Failure::Unsendable { .. })));
    assert_eq!(server.connections(), 0);
}

#[test]
fn text_in_the_open_and_addresses_of_ones_own_need_an_endpoint_that_was_named_and_the_option() {
    let server = Server::plain(|_| Reply::status(200, ""));
    let strict = Client::new(&ClientOptions::default()).expect("a client");
    let deadline = Duration::from_millis(500);
    let options = ClientOptions { allow_insecure_endpoints: true, deadline, ..ClientOptions::default() };
    let lenient = Client::new(&options).expect("a client");
    let endpoint = named(server.address());
    let unnamed = Endpoint { named: false, ..endpoint.clone() };
    let secure = Endpoint { secure: true, ..endpoint.clone() };
    assert!(matches!(strict.send(&request(endpoint.clone())), Err(Failure::Unsendable { .. })));
    assert!(matches!(lenient.send(&request(unnamed)), Err(Failure::Unsendable { .. })));
    assert!(matches!(strict.send(&request(secure.clone())), Err(Failure::RefusedAddress { .. })));
    let metadata = Endpoint { host: "169.254.169.254".into(), ..endpoint.clone() };
    assert!(matches!(lenient.send(&request(metadata)), Err(Failure::RefusedAddress { .. })));
    assert_eq!(server.connections(), 0);
    // A host that should prove who it is and waits for words in the open.
    assert!(matches!(lenient.send(&request(secure)), Err(Failure::Tls { .. } | Failure::Timeout { .. })));
    assert!(server.requests().is_empty() && !String::from_utf8_lossy(&server.bytes()).contains("not-a-key"));
    assert_eq!(lenient.send(&request(endpoint)).expect("an answer").status, 200);
}

#[test]
fn a_host_that_cannot_prove_who_it_is_gets_nothing() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let cases = [
        (stranger.identity(NAME), "no known authority"),
        (authority.identity("other.example"), "another name"),
        (authority.identity_until(NAME, 2001), "expired"),
    ];
    for (identity, reason) in cases {
        let server = Server::secure(identity, |_| Reply::status(200, ""));
        let client = Client::new(&options(made_up(&[PUBLIC], server.address()), &authority)).expect("a client");
        let failure = client.send(&request(Endpoint::of_host(NAME))).expect_err(reason);
        assert!(matches!(failure, Failure::Tls { .. }), "{failure}");
        assert!(failure.to_string().contains(reason), "{failure}");
        assert!(server.bytes().is_empty(), "{reason}");
    }
}

#[test]
fn only_the_first_part_of_a_long_body_is_read() {
    let began = Instant::now();
    let (answer, _server) = ask(Reply::Flood(1 << 30));
    let answer = answer.expect("an answer");
    assert_eq!((answer.body.len(), answer.cut), (LARGEST_BODY, true));
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let exact = vec![b'x'; LARGEST_BODY];
    let (answer, _server) = ask(Reply::Answer(200, Vec::new(), exact));
    assert!(!answer.expect("an answer").cut);
}

#[test]
fn the_deadline_holds_for_a_slow_host_a_silent_one_and_a_slow_name() {
    for reply in [Reply::Drip(Duration::from_millis(50)), Reply::Silence(Duration::from_secs(8))] {
        let began = Instant::now();
        let (answer, _server) = ask(reply);
        let failure = answer.expect_err("no answer in time");
        assert!(matches!(failure, Failure::Timeout { .. }), "{failure}");
        assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    }
    #[derive(Debug)]
    struct Slow;
    impl Names for Slow {
        fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            std::thread::sleep(Duration::from_secs(5));
            Ok(Vec::new())
        }
    }
    let options =
        ClientOptions { names: Arc::new(Slow), deadline: Duration::from_millis(300), ..ClientOptions::default() };
    let failure = Client::new(&options).expect("a client").send(&request(Endpoint::of_host(NAME)));
    assert!(matches!(failure, Err(Failure::Timeout { .. })));
}

#[test]
fn a_closed_port_an_unknown_name_and_nonsense_are_failures_that_quote_nothing() {
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port").local_addr().expect("an address");
    let lenient = ClientOptions { allow_insecure_endpoints: true, ..ClientOptions::default() };
    let client = Client::new(&lenient).expect("a client");
    let failure = client.send(&request(named(closed))).expect_err("nobody listens");
    assert!(matches!(failure, Failure::Connect { .. }), "{failure}");
    let authority = Authority::new();
    let unknown = Client::new(&options(made_up(&[], closed), &authority)).expect("a client");
    let failure = unknown.send(&request(Endpoint::of_host("no.example"))).expect_err("no such name");
    assert!(matches!(failure, Failure::Unresolved { .. }), "{failure}");
    let long_head = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "not-a-key".repeat(9000));
    for raw in ["not-a-key\r\n\r\n", "HTTP/1.1 999999 not-a-key\r\n\r\n", &long_head, "", "HTTP/1.1 200 OK\r\n"] {
        let (answer, _server) = ask(Reply::Raw(raw.as_bytes().to_vec()));
        let failure = answer.expect_err("no answer");
        assert!(matches!(failure, Failure::Malformed { .. } | Failure::Connect { .. }), "{failure}");
        assert!(!format!("{failure} {failure:?}").contains("not-a-key"), "{failure:?}");
    }
    // A body that ends too early is no answer: what it lacks may be what decides.
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc";
    assert!(ask(Reply::Raw(short.into())).0.is_err());
}

#[test]
fn a_proxy_is_used_where_it_was_named_and_hears_no_secret() {
    let proxy = Server::plain(|received| match received.method.as_str() {
        "CONNECT" => Reply::status(200, ""),
        _ => Reply::status(502, ""),
    });
    let options =
        ClientOptions { proxy: Some(proxy.url()), deadline: Duration::from_secs(2), ..ClientOptions::default() };
    let client = Client::new(&options).expect("a client");
    let failure = client.send(&request(Endpoint::of_host(NAME))).expect_err("this proxy leads nowhere");
    assert!(matches!(failure, Failure::Tls { .. } | Failure::Timeout { .. }), "{failure}");
    let connect = proxy.requests().remove(0);
    assert_eq!((connect.method.as_str(), connect.path.as_str()), ("CONNECT", "api.provider.example:443"));
    assert!(!String::from_utf8_lossy(&proxy.bytes()).contains("not-a-key"));
    let failure = client.send(&request(Endpoint::of_host("127.0.0.1"))).expect_err("a proxy is no way in");
    assert!(matches!(failure, Failure::RefusedAddress { .. }), "{failure}");
    for text in ["", "socks5://a:1", "a:1", "http://", "ftp://a", "http://user:word@"] {
        let options = ClientOptions { proxy: Some(text.into()), ..ClientOptions::default() };
        let error = Client::new(&options).expect_err(text).to_string();
        assert!(error.contains("--proxy") && !error.contains("word"), "{error}");
    }
}

#[test]
fn what_is_being_sent_ends_at_once_where_a_person_stops_it() {
    let server = Server::plain(|_| Reply::Silence(Duration::from_secs(8)));
    let options = ClientOptions { allow_insecure_endpoints: true, ..ClientOptions::default() };
    let client = Client::new(&options).expect("a client");
    let began = Instant::now();
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| client.send(&request(named(server.address()))));
        while server.requests().is_empty() {
            std::thread::sleep(Duration::from_millis(5));
        }
        client.stop();
        assert_eq!(sending.join().expect("no panic"), Err(Failure::Interrupted));
    });
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(client.send(&request(named(server.address()))), Err(Failure::Interrupted));
    assert_eq!(server.connections(), 1);
}
