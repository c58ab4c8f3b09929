//! Every built-in detector that says how to ask is played whole: its request goes through the real pace and the real client,
//! over TLS, to one server on this machine that stands for all hosts. What arrives must be what the file says, once; each
//! answer must come out as what the file says of it; and nothing of the secret may stand in a verdict.
//!
//! A detector is covered by being there. What is expected is worked out here from its texts alone, not by the code that
//! makes requests and judges answers.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::client::{Client, ClientOptions, Names};
use super::endpoints::Endpoints;
use super::pace::PaceOptions;
use super::plan::tests::built_in::{body_with, complete, documented, named_for, verified};
use super::plan::{Plan, plan};
use super::run::{DetectorJudge, Verifier};
use super::test_server::{Authority, Received, Reply, Server};
use crate::credential::FoundCredential;
use crate::detector::compile::Detector;
use crate::detector::compile::schema::Verify;
use crate::detector::compile::template::{self, Piece};
use crate::detector::registry::Registry;
use crate::finding::{FINDING_SCHEMA, Finding, Identity, Liveness, Verification};
use crate::scan::NoProgress;
use crate::secret::{FingerprintKey, Secret};

/// How many bytes of a secret in a row may be told.
const MOST_TOLD: usize = 8;

/// Stands for a moment in seconds, which no two requests need have in common.
const MOMENT: &str = "MOMENT";

/// Every name leads to an address of the public internet, and that to the server.
#[derive(Debug)]
struct AllNames(SocketAddr);

impl Names for AllNames {
    fn addresses(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![IpAddr::from([8, 8, 4, 4])])
    }

    fn dialled(&self, _: SocketAddr) -> SocketAddr {
        self.0
    }
}

/// One answer of the provider, and what the file says of it.
#[derive(Debug, Clone)]
struct Case {
    name: String,
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
    expected: Liveness,
    /// How often the request is to be sent where the answer settles nothing.
    sent_if_open: usize,
    /// Facts that must be told.
    facts: BTreeMap<String, String>,
}

impl Case {
    fn new(name: &str, status: u16, body: &str) -> Self {
        Self {
            name: format!("{name} {status}"),
            status,
            headers: vec![("content-type".into(), "application/json".into())],
            body: body.to_owned(),
            expected: Liveness::Unknown,
            sent_if_open: 1,
            facts: BTreeMap::new(),
        }
    }

    fn with_kind(mut self, kind: &str) -> Self {
        self.headers = vec![("content-type".into(), kind.into())];
        self
    }

    /// Says what the file says: the documented meaning, unless the answer does not look like one of an API.
    fn documented_by(mut self, verify: &Verify) -> Self {
        let state = documented(verify, self.status, &self.body);
        let works = matches!(state, Liveness::Live | Liveness::Limited);
        let success = (200..300).contains(&self.status) && self.status != 204;
        let is_json = serde_json::from_str::<serde_json::Value>(&self.body).is_ok();
        let unfit = works && success && !verify.plain && !is_json;
        self.expected = if unfit { Liveness::Unknown } else { state };
        self
    }
}

/// A document with a text at every place where the file looks for a fact.
fn document(verify: &Verify, text: &dyn Fn(&str) -> String) -> String {
    let mut document = serde_json::json!({ "echo": text("echo") });
    for (name, pointer) in verify.account.iter().filter(|(_, place)| place.starts_with('/')) {
        let mut place = &mut document;
        for key in pointer[1..].split('/') {
            if !place.is_object() {
                *place = serde_json::json!({});
            }
            place = place.as_object_mut().expect("an object").entry(key).or_insert(serde_json::Value::Null);
        }
        *place = text(name).into();
    }
    document.to_string()
}

/// Answers with a fact at every place, of which all must be told.
fn telling(verify: &Verify, status: u16) -> Case {
    let fact = |name: &str| format!("fact.{name}");
    let mut case = Case::new("telling", status, &document(verify, &fact)).documented_by(verify);
    let headers = verify.account.iter().filter(|(_, place)| !place.starts_with('/'));
    case.headers.extend(headers.map(|(name, place)| (place.clone(), fact(name))));
    let nested = |pointer: &String| {
        verify.account.values().any(|other| other.starts_with('/') && other.starts_with(&format!("{pointer}/")))
    };
    let told = verify.account.iter().filter(|(_, place)| !nested(place));
    case.facts = told.map(|(name, _)| (name.clone(), fact(name))).collect();
    case
}

/// Answers with the secret at every place.
fn echoing(verify: &Verify, status: u16, secret: &str) -> Case {
    let mut case = Case::new("echoing", status, &document(verify, &|_| format!("of {secret}"))).documented_by(verify);
    let headers = verify.account.values().filter(|place| !place.starts_with('/'));
    case.headers.extend(headers.map(|place| (place.clone(), secret.to_owned())));
    case
}

/// Every answer that the file speaks of, and those that nothing may follow from.
fn cases(verify: &Verify, secret: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for condition in &verify.when {
        cases.push(Case::new(&condition.contains, condition.status, &body_with(&condition.contains)));
        let spaced = body_with(&condition.contains).replace("\":", "\" :  ");
        cases.push(Case::new("with spaces", condition.status, &spaced));
    }
    for status in verify.live.iter().chain(&verify.limited).chain(&verify.dead) {
        cases.push(Case::new("plain", *status, "{}"));
    }
    cases.push(Case::new("fault", 500, "{\"error\":\"internal\"}"));
    cases.push(Case::new("busy", 429, "{}"));
    let mut again = Case::new("come again", 429, "{}");
    again.headers.push(("retry-after".into(), "0".into()));
    again.sent_if_open = 3;
    cases.push(again);
    cases.push(Case::new("garbage", 200, "{\"data\": [").with_kind("application/json"));
    cases.push(Case::new("empty", 200, ""));
    let mut cases: Vec<Case> = cases.into_iter().map(|case| case.documented_by(verify)).collect();
    let page = Case::new("page", 200, "<!doctype html><title>Log in</title>").with_kind("text/html");
    cases.push(if verify.html.contains(&200) { page.documented_by(verify) } else { page });
    let mut redirect = Case::new("redirect", 302, "{}");
    redirect.headers.push(("location".into(), "https://login.example.com/".into()));
    cases.push(redirect);
    let meaningful = verify.live.iter().chain(&verify.limited);
    cases.extend(meaningful.clone().map(|status| telling(verify, *status)));
    cases.extend(meaningful.chain(&verify.dead).map(|status| echoing(verify, *status, secret)));
    cases
}

/// What a part of the detector's texts stands for.
fn part(name: &str, verify: &Verify, found: &FoundCredential) -> String {
    let text = |secret: &Secret| String::from_utf8(secret.expose().to_vec()).expect("text");
    let near = &found.surroundings;
    let (sort, rest) = name.split_once('.').unwrap_or((name, ""));
    match sort {
        "secret" => text(&found.secret),
        "region" => "eu-west-1".into(),
        "email" if verify.named.contains_key("email") => "acme1".into(),
        "email" => near.emails[0].clone(),
        "tenant" => "acme1".into(),
        "basic" => {
            let pair = filled(verify.basic.as_deref().expect("a pair"), verify, found, &|text| text.to_owned());
            STANDARD.encode(pair)
        }
        "near" => near.ids[verify.near.keys().position(|known| known == rest).expect("a name")].clone(),
        "named" => near.named.iter().find(|(name, _)| *name == verify.named[rest][0]).expect("a value").1.clone(),
        "issued" | "expires" => MOMENT.to_owned(),
        "claim" => {
            let secret = text(&found.secret);
            let payload = secret.split('.').nth(1).expect("a payload");
            let payload = URL_SAFE_NO_PAD.decode(payload).expect("base64");
            let payload: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
            payload[rest].as_str().expect("a claim").to_owned()
        }
        "part" => {
            let form =
                regex::Regex::new(&format!("^(?:{})$", verify.form.as_deref().expect("a form"))).expect("a regex");
            form.captures(&text(&found.secret)).expect("it fits")[rest].to_owned()
        }
        _ => text(&found.companions.iter().find(|half| half.detector == name).expect("a companion").secret),
    }
}

/// A text of the detector with its parts in place, each escaped for it.
fn filled(text: &str, verify: &Verify, found: &FoundCredential, escape: &dyn Fn(&str) -> String) -> String {
    let pieces = template::pieces(text).into_iter().map(|piece| match piece {
        Piece::Text(text) => text.to_owned(),
        Piece::Part(name) => escape(&part(name, verify, found)),
    });
    pieces.collect()
}

/// Percent signs for all that a segment of a path may not hold, but for the colon.
fn of_path(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    value.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// The body as its content type has it; names that are no parts are words of GraphQL.
fn body(verify: &Verify, found: &FoundCredential) -> String {
    let Some(text) = &verify.body else { return String::new() };
    let kind = verify.headers.get("content-type").map(String::as_str).unwrap_or_default();
    let escape = |value: &str| match kind.split(';').next() {
        Some("application/json") => {
            let quoted = serde_json::Value::from(value).to_string();
            quoted[1..quoted.len() - 1].to_owned()
        }
        Some("application/x-www-form-urlencoded") => of_path(value).replace(':', "%3A"),
        _ => value.to_owned(),
    };
    let mut filled_body = String::new();
    for piece in template::pieces(text) {
        filled_body += &match piece {
            Piece::Part(name) if is_part(name, found) => escape(&part(name, verify, found)),
            Piece::Part(name) => format!("{{{name}}}"),
            Piece::Text(text) => text.to_owned(),
        };
    }
    filled_body
}

fn is_part(name: &str, found: &FoundCredential) -> bool {
    name == "secret"
        || ["claim.", "near.", "named.", "part."].iter().any(|sort| name.starts_with(sort))
        || found.companions.iter().any(|half| half.detector == name)
}

/// Checks a request against the file, header for header.
fn check_request(verify: &Verify, found: &FoundCredential, received: &Received, at: &str) {
    assert_eq!(received.method, verify.method, "{at}");
    let path = filled(&verify.path, verify, found, &of_path);
    let moments = regex::Regex::new("[0-9]{10}").expect("a regex");
    let timed = path.contains(MOMENT);
    let sent = if timed { moments.replace_all(&received.path, MOMENT) } else { received.path.as_str().into() };
    assert_eq!(sent, path, "{at}");
    if verify.sign.is_some() {
        let sent = [received.path.as_bytes(), &received.body, format!("{:?}", received.headers).as_bytes()].concat();
        let leaks = memchr::memmem::find(&sent, found.secret.expose()).is_some();
        assert!(!leaks, "{at}: what is signed with is not sent");
        return;
    }
    for (name, value) in &verify.headers {
        let expected = filled(value, verify, found, &|value| value.to_owned());
        assert_eq!(received.header(name), Some(expected.as_str()), "{at}: {name}");
    }
    assert_eq!(String::from_utf8_lossy(&received.body), body(verify, found), "{at}");
    let usual = ["host", "user-agent", "accept", "content-length"];
    let more =
        received.headers.iter().find(|(name, _)| !usual.contains(&name.as_str()) && !verify.headers.contains_key(name));
    assert!(more.is_none(), "{at}: {more:?} is not in the file");
}

fn finding(detector: &Detector) -> Finding {
    Finding {
        schema: FINDING_SCHEMA.into(),
        fingerprint: "b3k1:k1-0:0".into(),
        detector: detector.id.clone(),
        provider: Some(detector.provider.clone()),
        provider_candidates: Vec::new(),
        kind: detector.kind,
        ai: detector.ai,
        confidence: detector.confidence,
        severity: detector.severity(),
        redacted: "…".into(),
        secret: None,
        decoded: Vec::new(),
        companions: Vec::new(),
        first_seen: None,
        last_seen: None,
        occurrences: Vec::new(),
        verification: Verification::default(),
        identity: Identity::default(),
        identity_findings: Vec::new(),
    }
}

/// What the server is to answer, and what it got since it was told so.
#[derive(Default)]
struct Stage {
    /// The answer to a request with the credential.
    reply: Option<Reply>,
    /// The headers that carry the credential; a request without them is answered as a server does that looks at keys.
    carriers: Vec<String>,
    got: Vec<Received>,
}

/// The server, the client that reaches it for every name, and what they play.
struct Theatre {
    client: Client,
    stage: Arc<Mutex<Stage>>,
    _server: Server,
}

impl Theatre {
    fn open(hosts: Vec<String>) -> Self {
        let authority = Authority::new();
        let stage = Arc::new(Mutex::new(Stage::default()));
        let played = Arc::clone(&stage);
        let server = Server::secure(authority.identity_of(hosts, 2096), move |received| {
            let mut stage = played.lock().expect("a stage");
            stage.got.push(received.clone());
            let bare = !stage.carriers.is_empty() && stage.carriers.iter().all(|name| received.header(name).is_none());
            let reply = if bare { None } else { stage.reply.clone() };
            reply.unwrap_or_else(|| Reply::status(418, "{}"))
        });
        let options = ClientOptions {
            names: Arc::new(AllNames(server.address())),
            roots: Some(vec![authority.certificate()]),
            ..ClientOptions::default()
        };
        Self { client: Client::new(&options).expect("a client"), stage, _server: server }
    }

    /// Asks about one credential while one answer is played; returns the verdict and what arrived.
    fn play(
        &self,
        registry: &Registry,
        detector: &Detector,
        found: &FoundCredential,
        endpoints: &Endpoints,
        case: &Case,
    ) -> (Verification, Vec<Received>) {
        {
            let verify = detector.verify.as_ref().expect("verify");
            let carries = |value: &String| template::parts(value).next().is_some();
            let carriers = verify.headers.iter().filter(|(_, value)| carries(value)).map(|(name, _)| name.clone());
            let mut stage = self.stage.lock().expect("a stage");
            stage.carriers = if verify.sign.is_some() { Vec::new() } else { carriers.collect() };
            stage.reply = Some(Reply::Answer(case.status, case.headers.clone(), case.body.clone().into_bytes()));
            stage.got.clear();
        }
        let key = FingerprintKey::new([7; 32], false);
        let judge = DetectorJudge { registry, endpoints };
        let pace = PaceOptions { interval: Duration::ZERO, ..PaceOptions::default() };
        let mut verifier = Verifier { sender: &self.client, judge: &judge, pace, cache: None, key: &key };
        let mut findings = [finding(detector)];
        verifier.verify(&mut findings, std::slice::from_ref(found), &NoProgress).expect("no store");
        let [finding] = findings;
        (finding.verification, std::mem::take(&mut self.stage.lock().expect("a stage").got))
    }
}

/// The endpoints for a detector: one that a person named, where the file names no host.
fn endpoints_of(detector: &Detector, verify: &Verify) -> Endpoints {
    match verify.hosts.is_empty() && verify.host_suffixes.is_empty() {
        true => named_for(&detector.provider),
        false => Endpoints::default(),
    }
}

/// The hosts that a detector asks about its synthetic credential.
fn hosts_of(registry: &Registry, detector: &Detector, verify: &Verify) -> Vec<String> {
    let found = complete(registry, detector, verify, 1);
    match plan(detector, false, &found, &endpoints_of(detector, verify), jiff::Timestamp::now()) {
        Plan::Ask(requests) => requests.into_iter().map(|request| request.endpoint.host).collect(),
        Plan::Settled(verdict) => panic!("{}: {verdict:?}", detector.id),
    }
}

/// Checks that a verdict holds no more of the variable part of a secret than may be told.
fn check_verdict_holds_none(detector: &Detector, found: &FoundCredential, verdict: &Verification, at: &str) {
    let told = format!("{verdict:?}");
    let secret = String::from_utf8_lossy(found.secret.expose()).into_owned();
    let heads = detector.shapes.iter().map(|shape| shape.split('{').next().unwrap_or_default());
    let head = heads.filter(|head| secret.starts_with(head)).map(str::len).max().unwrap_or(0);
    let variable = secret.as_bytes()[head..].windows(MOST_TOLD + 1);
    for run in variable {
        assert!(memchr::memmem::find(told.as_bytes(), run).is_none(), "{at}: {told}");
    }
    for form in [STANDARD.encode(&secret), crate::secret::hex(secret.as_bytes()), of_path(&secret)] {
        assert!(!told.contains(&form), "{at}: {told}");
    }
}

/// What is expected of a case for this detector, beside the meaning of the answer itself.
fn expected(verify: &Verify, endpoints: &Endpoints, case: &Case) -> Liveness {
    match case.expected {
        // It may belong to a server that nobody asked.
        Liveness::Dead if verify.self_hosted && endpoints.is_empty() => Liveness::Unknown,
        // A list of what is in force without its mark says that it is over.
        Liveness::Live if verify.proof.is_some() => Liveness::Dead,
        state => state,
    }
}

/// Plays one case and checks all that came of it.
fn check_case(theatre: &Theatre, registry: &Registry, detector: &Detector, case: &Case, found: &FoundCredential) {
    let verify = detector.verify.as_ref().expect("verify");
    let endpoints = endpoints_of(detector, verify);
    let at = format!("{}: {}", detector.id, case.name);
    let (verdict, got) = theatre.play(registry, detector, found, &endpoints, case);
    let state = expected(verify, &endpoints, case);
    assert_eq!(verdict.state, state, "{at}: {verdict:?}");
    assert!(verdict.reason.is_some() && verdict.checked_at.is_some(), "{at}: {verdict:?}");
    check_verdict_holds_none(detector, found, &verdict, &at);
    let carriers = |received: &&Received| {
        let mut names = verify.headers.iter().filter(|(_, value)| template::parts(value).next().is_some()).peekable();
        names.peek().is_none() || names.any(|(name, _)| received.header(name).is_some())
    };
    let (with, bare): (Vec<_>, Vec<_>) = got.iter().partition(|received| carriers(received));
    let mut hosts = hosts_of(registry, detector, verify);
    hosts.dedup();
    let live = case.expected == Liveness::Live && verify.proof.is_none();
    let sites = if live { 1 } else { hosts.len() };
    let each = if case.expected == Liveness::Unknown { case.sent_if_open } else { 1 };
    assert_eq!(with.len(), sites * each, "{at}: requests");
    let compared = verify.compare && matches!(case.expected, Liveness::Live | Liveness::Limited);
    assert!(bare.len() <= usize::from(!endpoints.is_empty() || verify.compare), "{at}: {bare:?}");
    assert!(bare.len() == 1 || !compared, "{at}: it was not asked without the credential");
    for (index, received) in with.iter().enumerate() {
        assert_eq!(received.header("host"), Some(hosts[index / each].as_str()), "{at}");
        check_request(verify, found, received, &at);
    }
    if state == case.expected && matches!(state, Liveness::Live | Liveness::Limited) {
        for (name, fact) in &case.facts {
            assert_eq!(verdict.account.get(name), Some(fact), "{at}: {name} in {verdict:?}");
        }
    }
}

#[test]
fn every_detector_sends_what_its_file_says_and_every_answer_means_what_it_says() {
    let registry = Registry::built_in();
    let mut hosts: Vec<String> =
        verified(&registry).flat_map(|(detector, verify)| hosts_of(&registry, detector, verify)).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let theatre = Theatre::open(hosts);
    let (mut detectors, mut played) = (0, 0);
    for (detector, verify) in verified(&registry) {
        detectors += 1;
        // Each answer is to another secret, so that none can be mistaken for another's.
        let count = cases(verify, "x").len() as u64;
        for index in 0..count {
            let found = complete(&registry, detector, verify, 100 + index);
            let secret = String::from_utf8_lossy(found.secret.expose()).replace('\n', " ");
            let case = &cases(verify, &secret)[index as usize];
            check_case(&theatre, &registry, detector, case, &found);
            played += 1;
        }
    }
    assert!(detectors >= 200 && played >= 10 * detectors, "{played} answers of {detectors} detectors");
}
