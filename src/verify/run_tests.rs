//! Runs with a sender and a judge that a test makes up: order, number and pace of requests, and what is kept of them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::credential::FoundCompanion;
use crate::finding::{Confidence, FINDING_SCHEMA, Identity, Kind, Severity};
use crate::store::Store;
use crate::verify::cache::Ages;

/// A finding of a provider with its credential; equal numbers are equal credentials.
fn found(provider: &str, number: usize) -> (Finding, FoundCredential) {
    let secret = format!("{provider}-value-{number:012}");
    let finding = Finding {
        schema: FINDING_SCHEMA.into(),
        fingerprint: format!("b3k1:k1-0:{provider}{number}"),
        detector: format!("{provider}-key"),
        provider: Some(provider.into()),
        provider_candidates: Vec::new(),
        kind: Kind::ApiKey,
        ai: true,
        confidence: Confidence::High,
        severity: Severity::High,
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
    };
    (finding, FoundCredential::alone(Secret::new(secret.as_bytes())))
}

/// Asks the hosts of a provider, and calls 200 live, 401 dead and all else unknown.
#[derive(Default)]
struct Simple {
    named: bool,
    sites: usize,
}

impl Judge for Simple {
    fn plan(&self, finding: &Finding, found: &FoundCredential, _: Timestamp) -> Plan {
        let provider = finding.provider.as_deref().unwrap_or_default();
        let request = |site: usize| {
            let host = Endpoint::of_host(&format!("s{site}.{provider}.example"));
            let endpoint = Endpoint { named: self.named, ..host };
            let headers = vec![("x-key".to_owned(), found.secret.clone())];
            Request { headers, bare: self.named && site > 0, ..Request::new(endpoint, "GET", "/who") }
        };
        match provider {
            "trap" => Plan::Settled(Verification::new(Liveness::Canary)),
            _ => Plan::Ask((0..self.sites.max(1)).map(request).collect()),
        }
    }

    fn judge(&self, _: &Finding, exchanges: &[Exchange]) -> Verification {
        let status = |exchange: &Exchange| exchange.1.as_ref().map(|answer| answer.status).unwrap_or_default();
        let state = match exchanges.iter().map(status).collect::<Vec<_>>() {
            statuses if statuses.contains(&200) => Liveness::Live,
            statuses if statuses.iter().all(|status| *status == 401) => Liveness::Dead,
            _ => Liveness::Unknown,
        };
        let last = exchanges.last().and_then(|exchange| exchange.1.as_ref().ok());
        let said = last.map(|answer| String::from_utf8_lossy(&answer.body).into_owned()).unwrap_or_default();
        let account = [("said".to_owned(), said)].into();
        Verification { account, ..Verification::new(state) }
    }

    fn revision(&self, _: &Finding) -> String {
        "1".into()
    }
}

type Play = dyn Fn(&Request, usize) -> Result<Answer, Failure> + Sync;

/// Plays what a test says and counts what is sent at once, to each host and in all.
struct Played {
    play: Box<Play>,
    sent: Mutex<Vec<(String, Vec<u8>)>>,
    open: Mutex<BTreeMap<String, usize>>,
    most_per_host: AtomicUsize,
    most: AtomicUsize,
    stopped: AtomicBool,
}

impl Played {
    fn new(play: impl Fn(&Request, usize) -> Result<Answer, Failure> + Sync + 'static) -> Self {
        Self {
            play: Box::new(play),
            sent: Mutex::default(),
            open: Mutex::default(),
            most_per_host: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            stopped: AtomicBool::new(false),
        }
    }

    fn sent(&self) -> usize {
        self.sent.lock().expect("a list").len()
    }
}

impl Sender for Played {
    fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let host = request.endpoint.host.clone();
        let number = {
            let mut sent = self.sent.lock().expect("a list");
            sent.push((host.clone(), request.headers[0].1.expose().to_vec()));
            sent.len()
        };
        {
            let mut open = self.open.lock().expect("a map");
            let count = open.entry(host.clone()).or_default();
            *count += 1;
            self.most_per_host.fetch_max(*count, Ordering::SeqCst);
            self.most.fetch_max(open.values().sum(), Ordering::SeqCst);
        }
        let answer = (self.play)(request, number);
        *self.open.lock().expect("a map").get_mut(&host).expect("a host") -= 1;
        answer
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }
}

fn answer(status: u16, header: Option<&str>, body: &[u8]) -> Result<Answer, Failure> {
    let headers = header.map(|value| ("retry-after".to_owned(), value.to_owned())).into_iter().collect();
    Ok(Answer { status, headers, body: body.to_vec(), cut: false })
}

fn fast() -> PaceOptions {
    PaceOptions { interval: Duration::ZERO, ..PaceOptions::default() }
}

struct Quiet(AtomicBool);

impl Progress for Quiet {
    fn begin(&self, _: &str, _: Option<u64>) {}
    fn advance(&self, _: u64, _: u64) {}
    fn found(&self, _: u64) {}
    fn interrupted(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

fn run_with(
    sender: &Played,
    judge: &Simple,
    pace: PaceOptions,
    cache: Option<Cache>,
    pairs: Vec<(Finding, FoundCredential)>,
) -> (Vec<Finding>, Asked, Option<Cache>) {
    let (mut findings, credentials): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let key = FingerprintKey::new([7; 32], false);
    let mut verifier = Verifier { sender, judge, pace, cache, key: &key };
    let asked = verifier.verify(&mut findings, &credentials, &Quiet(AtomicBool::new(false))).expect("asked");
    (findings, asked, verifier.cache)
}

fn run(sender: &Played, pairs: Vec<(Finding, FoundCredential)>) -> (Vec<Finding>, Asked) {
    let (findings, asked, _) = run_with(sender, &Simple::default(), fast(), None, pairs);
    (findings, asked)
}

#[test]
fn each_credential_is_asked_about_once_and_every_finding_of_it_is_told() {
    let sender =
        Played::new(|request, _| answer(if request.endpoint.host.contains("a.") { 200 } else { 401 }, None, b""));
    let pairs = vec![found("a", 1), found("b", 1), found("a", 1), found("a", 2), found("trap", 1)];
    let (findings, asked) = run(&sender, pairs);
    let states: Vec<Liveness> = findings.iter().map(|finding| finding.verification.state).collect();
    assert_eq!(states, [Liveness::Live, Liveness::Dead, Liveness::Live, Liveness::Live, Liveness::Canary]);
    assert_eq!((sender.sent(), asked.requests), (3, 3));
    let dated = |finding: &Finding| finding.verification.checked_at.is_some();
    assert!(findings[..4].iter().all(dated) && !dated(&findings[4]), "nobody was asked about the trap");
}

#[test]
fn a_host_gets_one_request_at_a_time_while_others_are_asked() {
    let sender = Played::new(|_, _| {
        std::thread::sleep(Duration::from_millis(5));
        answer(200, None, b"")
    });
    let pairs = (0..40).map(|number| found(["a", "b", "c", "d"][number % 4], number)).collect();
    let (findings, _) = run(&sender, pairs);
    assert!(findings.iter().all(|finding| finding.verification.state == Liveness::Live));
    assert_eq!(sender.most_per_host.load(Ordering::SeqCst), 1);
    assert!(sender.most.load(Ordering::SeqCst) > 1, "hosts wait for one another");
}

#[test]
fn the_interval_of_a_provider_is_kept() {
    let sender = Played::new(|_, _| answer(200, None, b""));
    let pace = PaceOptions { interval: Duration::from_millis(40), ..fast() };
    let began = Instant::now();
    let pairs = (0..5).map(|number| found("a", number)).collect();
    run_with(&sender, &Simple::default(), pace, None, pairs);
    assert!(began.elapsed() >= Duration::from_millis(160), "{:?}", began.elapsed());
}

#[test]
fn what_may_be_repeated_is_repeated_twice_at_the_most() {
    for (status, header, expected) in [(429, Some("0"), 3), (503, Some("0"), 3), (429, None, 1), (500, None, 1)] {
        let sender = Played::new(move |_, _| answer(status, header, b""));
        let (findings, _) = run(&sender, vec![found("a", 1)]);
        assert_eq!((sender.sent(), findings[0].verification.state), (expected, Liveness::Unknown), "{status}");
    }
    let sender = Played::new(|_, number| answer(if number < 3 { 503 } else { 200 }, Some("0"), b""));
    let (findings, asked) = run(&sender, vec![found("a", 1)]);
    assert_eq!((findings[0].verification.state, asked.requests), (Liveness::Live, 3));
}

#[test]
fn a_host_that_does_not_answer_is_left_alone_and_the_others_are_asked() {
    let sender = Played::new(|request, _| match request.endpoint.host.contains("b.") {
        true => Err(Failure::Tls { host: "b".into(), reason: "x".into() }),
        false => answer(200, None, b""),
    });
    let pairs = (0..20).map(|number| found(["a", "b"][number % 2], number)).collect();
    let (findings, asked) = run(&sender, pairs);
    for finding in &findings {
        let expected = if finding.detector == "a-key" { Liveness::Live } else { Liveness::Unknown };
        assert_eq!(finding.verification.state, expected);
    }
    let reason = findings[19].verification.reason.as_deref().unwrap_or_default();
    assert!(reason.contains("prove who it is"), "{reason}");
    assert_eq!(asked.requests, 10 + 3);
}

#[test]
fn beyond_the_limit_the_reason_says_so() {
    let sender = Played::new(|_, _| answer(401, None, b""));
    let pairs = (0..10).map(|number| found("a", number)).collect();
    let (findings, asked, _) = run_with(&sender, &Simple::default(), PaceOptions { limit: 4, ..fast() }, None, pairs);
    assert_eq!((asked.requests, asked.capped, sender.sent()), (4, 6, 4));
    let unknown = findings.iter().filter(|finding| finding.verification.state == Liveness::Unknown);
    let reasons: Vec<_> = unknown.map(|finding| finding.verification.reason.clone().unwrap_or_default()).collect();
    assert_eq!(reasons, vec!["the limit of 4 requests was reached"; 6]);
}

#[test]
fn an_interruption_keeps_what_is_known() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    struct After(usize);
    impl Progress for After {
        fn begin(&self, _: &str, _: Option<u64>) {}
        fn advance(&self, _: u64, _: u64) {}
        fn found(&self, _: u64) {}
        fn interrupted(&self) -> bool {
            ASKED.load(Ordering::SeqCst) >= self.0
        }
    }
    let sender = Played::new(|_, _| {
        ASKED.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(30));
        answer(200, None, b"")
    });
    let (mut findings, credentials): (Vec<_>, Vec<_>) = (0..200).map(|number| found("a", number)).unzip();
    let key = FingerprintKey::new([7; 32], false);
    let mut verifier = Verifier { sender: &sender, judge: &Simple::default(), pace: fast(), cache: None, key: &key };
    let asked = verifier.verify(&mut findings, &credentials, &After(3)).expect("asked");
    let count = |state| findings.iter().filter(|finding| finding.verification.state == state).count();
    assert!(asked.interrupted && sender.stopped.load(Ordering::SeqCst));
    assert!((3..50).contains(&count(Liveness::Live)), "{}", count(Liveness::Live));
    assert_eq!(count(Liveness::Live) + count(Liveness::Unknown), 200);
    let reason = findings[199].verification.reason.as_deref().unwrap_or_default();
    assert!(reason.contains("interrupted"), "{reason}");
}

#[test]
fn what_was_said_before_is_not_asked_again_unless_something_else_is_asked() {
    let sender = Played::new(|_, number| answer(if number % 2 == 1 { 200 } else { 500 }, None, b""));
    let cache = Some(Cache::new(Store::in_memory().expect("a store"), Ages::default()));
    let judge = Simple::default();
    let pairs = vec![found("a", 1), found("a", 2)];
    let (first, asked, cache) = run_with(&sender, &judge, fast(), cache, pairs.clone());
    assert_eq!((asked.requests, asked.remembered), (2, 0));
    let (second, asked, cache) = run_with(&sender, &judge, fast(), cache, pairs.clone());
    assert_eq!((asked.requests, asked.remembered), (1, 1), "what was unknown is asked again");
    assert_eq!(first[0].verification, second[0].verification);
    // The same credential beside another half is another question.
    let mut other = found("a", 1);
    let secret = Secret::new(b"the other half");
    other.1.companions.push(FoundCompanion { detector: "a-id".into(), secret, distance: 1 });
    let (_, asked, cache) = run_with(&sender, &judge, fast(), cache, vec![other]);
    assert_eq!((asked.requests, asked.remembered), (1, 0));
    let elsewhere = Simple { sites: 2, ..Simple::default() };
    let (_, asked, _) = run_with(&sender, &elsewhere, fast(), cache, vec![found("a", 1)]);
    assert_eq!(asked.remembered, 0);
}

#[test]
fn what_a_provider_repeats_of_a_credential_is_not_told() {
    let sender = Played::new(|request, _| {
        let said = [b"your key is ", request.headers[0].1.expose()].concat();
        answer(200, None, &said)
    });
    let (findings, _) = run(&sender, vec![found("a", 1)]);
    assert_eq!(findings[0].verification.state, Liveness::Live);
    assert!(findings[0].verification.account.is_empty(), "{:?}", findings[0].verification);
}

#[test]
fn one_live_site_is_enough_and_a_named_endpoint_that_seems_live_is_asked_all_there_is() {
    let statuses =
        |live: usize| Played::new(move |_, number| answer(if number == live { 200 } else { 401 }, None, b""));
    for (live, named, expected) in [(1, false, 1), (2, false, 2), (9, false, 3), (1, true, 3), (9, true, 1)] {
        let sender = statuses(live);
        let judge = Simple { named, sites: 3 };
        let (findings, asked, _) = run_with(&sender, &judge, fast(), None, vec![found("a", 1)]);
        assert_eq!(asked.requests, expected, "live at {live}, named {named}");
        let state = if live < 9 { Liveness::Live } else { Liveness::Dead };
        assert_eq!(findings[0].verification.state, state);
    }
}
