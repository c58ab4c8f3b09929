//! Providers, networks and texts that mean ill, against the library: names are made up and lead to addresses of the public
//! internet, which only the test leads on to its own servers. So the whole way is walked, with certificates and all.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use credtrace::detector::registry::Registry;
use credtrace::finding::{Finding, Liveness};
use credtrace::scan::{self, NoProgress, ScanOptions};
use credtrace::secret::FingerprintKey;
use credtrace::verify::client::{Client, ClientOptions, Names};
use credtrace::verify::endpoints::Endpoints;
use credtrace::verify::pace::PaceOptions;
use credtrace::verify::run::{Asked, DetectorJudge, Verifier};

use crate::harness::server::{Authority, Reply, Server};
use crate::harness::{KeyKind, Scratch, fake_key, key};

const ANTHROPIC: &str = "api.anthropic.com";

/// Every name leads to these addresses, and every address to this server.
#[derive(Debug)]
struct Led {
    addresses: Vec<IpAddr>,
    server: SocketAddr,
}

impl Names for Led {
    fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(self.addresses.clone())
    }

    fn dialled(&self, _: SocketAddr) -> SocketAddr {
        self.server
    }
}

/// Scans a text and asks about what is found, with one server in the place of the whole internet.
pub(crate) fn ask(text: &str, addresses: &[&str], server: &Server, authority: &Authority) -> (Vec<Finding>, Asked) {
    let scratch = Scratch::new();
    let file = scratch.write("a.txt", text);
    let registry = Registry::built_in();
    let mut options = ScanOptions::new(vec![file], FingerprintKey::ephemeral().unwrap());
    options.gather = true;
    let mut outcome = scan::run(&options, &registry, &NoProgress, &mut io::empty());
    let addresses = addresses.iter().map(|text| text.parse().unwrap()).collect();
    let client = Client::new(&ClientOptions {
        deadline: Duration::from_secs(1),
        names: Arc::new(Led { addresses, server: server.address() }),
        roots: Some(vec![authority.certificate()]),
        ..ClientOptions::default()
    });
    let (sender, endpoints) = (client.unwrap(), Endpoints::default());
    let judge = DetectorJudge { registry: &registry, endpoints: &endpoints };
    let pace = PaceOptions { interval: Duration::ZERO, ..PaceOptions::default() };
    let mut verifier = Verifier { sender: &sender, judge: &judge, pace, cache: None, key: &options.key };
    let asked = verifier.verify(&mut outcome.report.findings, &outcome.credentials, &NoProgress).unwrap();
    (outcome.report.findings, asked)
}

/// Asks about one Anthropic key, of whom this server says that it is Anthropic.
fn ask_anthropic(reply: Reply) -> (Finding, Server) {
    let authority = Authority::new();
    let server = Server::secure(authority.identity(ANTHROPIC), move |_| reply.clone());
    let (mut findings, _) = ask(&key(1), &["8.8.4.4"], &server, &authority);
    assert_eq!(findings.len(), 1);
    (findings.remove(0), server)
}

fn raw(body: &str) -> Reply {
    Reply::Raw(body.as_bytes().to_vec())
}

#[test]
fn every_answer_means_what_the_detector_says_and_nothing_else() {
    let portal = "<!DOCTYPE html><html><body>Please log in to this network</body></html>";
    let html = Reply::Answer(200, vec![("content-type".into(), "text/html".into())], portal.into());
    let long = Duration::from_secs(9);
    let cases = [
        (Reply::status(200, "{\"data\":[]}"), Liveness::Live, 1),
        (Reply::status(401, "{}"), Liveness::Dead, 1),
        (Reply::status(402, "{}"), Liveness::Limited, 1),
        (Reply::status(403, "{}"), Liveness::Limited, 1),
        (Reply::with_header(429, "retry-after", "0"), Liveness::Limited, 1),
        (Reply::status(404, "{}"), Liveness::Unknown, 1),
        (Reply::status(500, "{}"), Liveness::Unknown, 1),
        (Reply::with_header(503, "retry-after", "0"), Liveness::Unknown, 3),
        (Reply::with_header(503, "retry-after", "999999999"), Liveness::Unknown, 1),
        (html, Liveness::Unknown, 1),
        (Reply::status(200, "{\"data\":[}"), Liveness::Unknown, 1),
        (Reply::Flood(1 << 30), Liveness::Unknown, 1),
        (Reply::Drip(Duration::from_millis(100)), Liveness::Unknown, 3),
        (Reply::Silence(long), Liveness::Unknown, 3),
        (raw("garbage"), Liveness::Unknown, 0),
        (raw("HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n{}"), Liveness::Unknown, 0),
    ];
    for (reply, state, requests) in cases {
        let began = Instant::now();
        let name = format!("{reply:?}");
        let (finding, server) = ask_anthropic(reply);
        let said = &finding.verification;
        assert_eq!(said.state, state, "{name}: {said:?}");
        assert!(said.reason.is_some(), "{name}");
        if requests > 0 {
            assert_eq!(server.requests().len(), requests, "{name}");
        }
        assert!(began.elapsed() < Duration::from_secs(12), "{name}: {:?}", began.elapsed());
    }
}

#[test]
fn a_redirect_is_followed_nowhere() {
    let other = Server::plain(|_| Reply::status(200, "{}"));
    let addresses =
        [format!("http://{}/", other.address()), format!("https://{}/", other.address()), "//127.0.0.1/".into()];
    for status in [301, 302, 303, 307, 308] {
        for location in &addresses {
            let (finding, server) = ask_anthropic(Reply::with_header(status, "location", location));
            assert_eq!(finding.verification.state, Liveness::Unknown, "{status}");
            assert_eq!(server.requests().len(), 1, "{status}");
        }
    }
    assert_eq!((other.connections(), other.bytes().len()), (0, 0));
}

#[test]
fn a_host_of_the_text_is_never_asked() {
    let evil = Server::plain(|_| Reply::status(200, "{\"data\":[]}"));
    let authority = Authority::new();
    let key = fake_key(KeyKind::OpenAi, 3);
    let server = Server::secure(authority.identity("api.openai.com"), |_| {
        Reply::status(401, "{\"error\":{\"code\":\"invalid_api_key\"}}")
    });
    let url = evil.url();
    let text = format!("OPENAI_BASE_URL={url}\nOPENAI_API_KEY={key}\napi_base: {url}/v1\nbase_url=\"{url}\"\n");
    let (findings, _) = ask(&text, &["8.8.4.4"], &server, &authority);
    let found = findings.iter().find(|finding| finding.provider.as_deref() == Some("openai")).expect("a key");
    assert_eq!(found.verification.state, Liveness::Dead, "{:?}", found.verification);
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!((requests[0].header("host"), requests[0].bearer()), (Some("api.openai.com"), Some(key.as_str())));
    assert_eq!((evil.connections(), evil.bytes().len()), (0, 0));
}

#[test]
fn a_name_that_leads_into_a_network_of_ones_own_gets_nothing() {
    let authority = Authority::new();
    let server = Server::secure(authority.identity(ANTHROPIC), |_| Reply::status(200, "{}"));
    for address in ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "::ffff:127.0.0.1", "0.0.0.0", "100.64.0.1"] {
        for addresses in [vec![address], vec!["8.8.4.4", address]] {
            let (findings, _) = ask(&key(1), &addresses, &server, &authority);
            let said = &findings[0].verification;
            assert_eq!(said.state, Liveness::Unknown);
            let reason = said.reason.as_deref().unwrap_or_default();
            assert!(reason.contains("nothing was sent") && reason.contains(ANTHROPIC), "{reason}");
        }
    }
    assert_eq!((server.connections(), server.bytes().len()), (0, 0));
}

#[test]
fn a_certificate_of_nobody_or_of_another_gets_nothing() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let identities =
        [stranger.identity(ANTHROPIC), authority.identity("api.openai.com"), authority.identity_until(ANTHROPIC, 2001)];
    for identity in identities {
        let server = Server::secure(identity, |_| Reply::status(200, "{}"));
        let (findings, asked) = ask(&key(1), &["8.8.4.4"], &server, &authority);
        assert_eq!(findings[0].verification.state, Liveness::Unknown);
        assert!(findings[0].verification.reason.as_deref().unwrap_or_default().contains("could not prove who it is"));
        assert!(server.bytes().is_empty());
        assert_eq!((asked.requests, asked.unanswered), (1, 1), "it is not tried again");
    }
}

#[test]
fn the_environment_names_no_proxy_and_no_host() {
    let scratch = Scratch::new();
    let live = key(2);
    scratch.write("a.txt", format!("OPENAI_BASE_URL=http://127.0.0.1:1\n{live}\n"));
    let server = Server::plain(|received| {
        Reply::status(if received.header("x-api-key").is_some() { 200 } else { 401 }, "{\"data\":[]}")
    });
    let other = Server::plain(|_| Reply::status(200, "{}"));
    let endpoint = format!("anthropic={}", server.url());
    let mut command =
        scratch.scan_command(&["a.txt", "--verify", "--allow-insecure-endpoints", "--endpoint", &endpoint]);
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "OPENAI_BASE_URL",
        "ANTHROPIC_BASE_URL",
    ] {
        command = command.env(name, other.url());
    }
    let run = command.run().status(1);
    assert_eq!(run.finding(&live)["verification"]["state"], "live");
    assert_eq!((other.connections(), other.bytes().len()), (0, 0));
    // A proxy that a person names is used.
    let asked =
        scratch.scan_command(&["a.txt", "--verify", "--verify-max-age", "0", "--proxy", &other.url()]).run().status(1);
    assert_eq!(asked.finding(&live)["verification"]["state"], "unknown");
    assert!(
        other
            .requests()
            .iter()
            .all(|received| received.method == "CONNECT" && received.path == "api.anthropic.com:443")
    );
    assert!(!other.requests().is_empty() && !String::from_utf8_lossy(&other.bytes()).contains(&live[20..40]));
}
