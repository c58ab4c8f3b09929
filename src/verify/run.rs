//! Asks about all findings of a scan: each credential once, hosts beside one another, one request at a time to each.
//!
//! Whom to ask and what an answer means is decided elsewhere ([`Judge`]); this module keeps the order, the number and the
//! pace of requests, knows what was said before, and writes the verdicts into the findings. What a person interrupts keeps
//! what is known until then.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::cache::{Cache, Subject};
use super::client::Client;
use super::endpoints::Endpoints;
use super::exchange::{Answer, Endpoint, Failure, Request};
use super::guard;
use super::login;
use super::pace::{Pace, PaceOptions, Ticket, Turn};
use super::plan::{self, Plan};
use crate::credential::FoundCredential;
use crate::detector::registry::Registry;
use crate::error::Result;
use crate::finding::{Finding, Liveness, Verification};
use crate::scan::Progress;
use crate::secret::{FingerprintKey, Secret};

/// How many hosts are asked at once.
const THREADS: usize = 8;
/// How soon an interruption is seen.
const GLANCE: Duration = Duration::from_millis(50);

/// A request with what came of it.
pub type Exchange = (Request, Result<Answer, Failure>);

/// Decides whom to ask about a credential and what the answers mean.
pub trait Judge: Sync {
    /// Says what is to be sent, or that nothing need be.
    fn plan(&self, finding: &Finding, found: &FoundCredential, now: Timestamp) -> Plan;
    /// Says what the answers mean together.
    fn judge(&self, finding: &Finding, exchanges: &[Exchange]) -> Verification;
    /// Returns what a verdict depends on beside the credential: the words of the detector.
    fn revision(&self, finding: &Finding) -> String;
}

/// Judges by the detectors of a scan.
#[derive(Debug)]
pub struct DetectorJudge<'a> {
    /// The detectors.
    pub registry: &'a Registry,
    /// The endpoints that a person named.
    pub endpoints: &'a Endpoints,
}

impl Judge for DetectorJudge<'_> {
    fn plan(&self, finding: &Finding, found: &FoundCredential, now: Timestamp) -> Plan {
        match self.registry.get(&finding.detector) {
            Some(detector) => plan::plan(detector, finding.provider.is_none(), found, self.endpoints, now),
            None => Plan::Settled(Verification::new(Liveness::NotChecked)),
        }
    }

    fn judge(&self, finding: &Finding, exchanges: &[Exchange]) -> Verification {
        let detector = self.registry.get(&finding.detector);
        detector.map_or_else(Verification::default, |detector| plan::judge(detector, exchanges))
    }

    fn revision(&self, finding: &Finding) -> String {
        let verify = self.registry.get(&finding.detector).and_then(|detector| detector.verify.as_ref());
        let text = verify.and_then(|verify| serde_json::to_string(verify).ok()).unwrap_or_default();
        let provider = finding.provider.as_deref().unwrap_or_default();
        format!("{} {text} {}", env!("CARGO_PKG_VERSION"), self.endpoints.header_mark(provider))
    }
}

/// Sends requests; the client, or a test.
pub trait Sender: Sync {
    /// Sends a request once.
    ///
    /// # Errors
    /// Why there is no answer.
    fn send(&self, request: &Request) -> Result<Answer, Failure>;
    /// Ends what is being sent.
    fn stop(&self) {}
}

impl Sender for Client {
    fn send(&self, request: &Request) -> Result<Answer, Failure> {
        Client::send(self, request)
    }

    fn stop(&self) {
        Client::stop(self);
    }
}

/// What came of it, beside the verdicts in the findings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// How many requests were sent.
    pub requests: u64,
    /// How many credentials had a verdict that still holds.
    pub remembered: u64,
    /// How many were not asked because the limit was reached.
    pub capped: u64,
    /// For how many credentials nobody gave an answer, though somebody was to be asked.
    pub unanswered: u64,
    /// Whether a person stopped it.
    pub interrupted: bool,
}

/// Asks about findings.
#[derive(Debug)]
pub struct Verifier<'a, S, J> {
    /// Who sends.
    pub sender: &'a S,
    /// Who decides.
    pub judge: &'a J,
    /// How fast and how often.
    pub pace: PaceOptions,
    /// What was said before; nothing where it is not kept.
    pub cache: Option<Cache>,
    /// The key of fingerprints, for what is sent with a credential.
    pub key: &'a FingerprintKey,
}

impl<S: Sender, J: Judge> Verifier<'_, S, J> {
    /// Asks about each finding whose credential stands beside it, and writes down what is known of it afterwards.
    ///
    /// # Errors
    /// A store that cannot be read or written. What was learned until then stands in the findings.
    pub fn verify(
        &mut self,
        findings: &mut [Finding],
        credentials: &[FoundCredential],
        progress: &dyn Progress,
    ) -> Result<Asked> {
        let mut asked = Asked::default();
        let jobs = self.jobs(findings, credentials, &mut asked)?;
        progress.begin("asking providers", Some(jobs.len() as u64));
        let mut verdicts: Vec<(usize, Verification)> = Vec::new();
        let mut kept = Ok(());
        let run = Run::new(&jobs, findings, credentials, self);
        let cache = &mut self.cache;
        std::thread::scope(|scope| {
            let (sender, receiver) = mpsc::channel();
            let hosts: usize = jobs.iter().map(|job| job.hosts.len()).sum();
            for _ in 0..THREADS.min(hosts) {
                let sender = sender.clone();
                let run = &run;
                scope.spawn(move || run.work(&sender));
            }
            drop(sender);
            loop {
                if progress.interrupted() {
                    run.interrupt();
                }
                match receiver.recv_timeout(GLANCE) {
                    Ok((ticket, verdict)) => {
                        progress.advance(1, 0);
                        if let (Some(cache), true) = (cache.as_mut(), kept.is_ok()) {
                            kept = cache.keep(&jobs[ticket].subject, &verdict);
                        }
                        verdicts.push((ticket, verdict));
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => break,
                }
            }
        });
        let state = run.finish();
        asked.requests = state.pace.sent();
        asked.capped = state.capped;
        asked.unanswered = state.unanswered;
        asked.interrupted = state.interrupted;
        for (ticket, verdict) in verdicts {
            for index in &jobs[ticket].findings {
                findings[*index].verification = verdict.clone();
            }
        }
        kept.map(|()| asked)
    }

    /// Settles what needs no request, and makes one job of all findings that need the same requests.
    fn jobs(&self, findings: &mut [Finding], credentials: &[FoundCredential], asked: &mut Asked) -> Result<Vec<Job>> {
        let now = Timestamp::now();
        let mut jobs: Vec<Job> = Vec::new();
        let mut known: HashMap<[u8; 32], usize> = HashMap::new();
        for (index, (finding, found)) in findings.iter_mut().zip(credentials).enumerate() {
            let requests = match self.judge.plan(finding, found, now) {
                Plan::Settled(verification) => {
                    finding.verification = guard::cleaned(verification, &secrets(found), &[]);
                    continue;
                }
                Plan::Ask(requests) => requests,
            };
            let subject = self.subject(finding, found, &requests);
            let remembered = self.cache.as_ref().map(|cache| cache.verdict(&subject, now)).transpose()?.flatten();
            if let Some(verification) = remembered {
                finding.verification = verification;
                asked.remembered += 1;
                continue;
            }
            match known.entry(digest(&finding.detector, &requests)) {
                std::collections::hash_map::Entry::Occupied(entry) => jobs[*entry.get()].findings.push(index),
                std::collections::hash_map::Entry::Vacant(entry) => {
                    entry.insert(jobs.len());
                    let hosts = requests.into_iter().map(|request| request.endpoint).collect();
                    jobs.push(Job { findings: vec![index], hosts, subject });
                }
            }
        }
        Ok(jobs)
    }

    /// What a verdict is kept under. The text of the requests is no part of it, since a signed one has a date in it.
    fn subject(&self, finding: &Finding, found: &FoundCredential, requests: &[Request]) -> Subject {
        let mut rest = self.judge.revision(finding).into_bytes();
        let mut add = |part: &[u8]| {
            rest.extend((part.len() as u64).to_le_bytes());
            rest.extend(part);
        };
        for request in requests {
            add(request.method.as_bytes());
            add(request.path.expose().as_bytes());
        }
        for companion in &found.companions {
            add(companion.detector.as_bytes());
            add(companion.secret.expose());
        }
        let mut hosts: Vec<String> = requests.iter().map(|request| request.endpoint.to_string()).collect();
        hosts.dedup();
        let rest = Secret::new(&rest);
        let endpoint = format!("{} {}", hosts.join(" "), self.key.write(&self.key.fingerprint(rest.expose())));
        Subject { fingerprint: finding.fingerprint.clone(), detector: finding.detector.clone(), endpoint }
    }
}

/// Returns what a provider's words must not repeat.
fn secrets(found: &FoundCredential) -> Vec<&Secret> {
    std::iter::once(&found.secret).chain(found.companions.iter().map(|companion| &companion.secret)).collect()
}

/// Tells requests apart by all that is in them.
fn digest(detector: &str, requests: &[Request]) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let mut add = |part: &[u8]| {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    };
    add(detector.as_bytes());
    for request in requests {
        add(format!("{} {}", request.method, request.endpoint).as_bytes());
        add(request.path.expose().as_bytes());
        for (name, value) in &request.headers {
            add(name.as_bytes());
            add(value.expose());
        }
        add(request.body.as_ref().map_or(&[], Secret::expose));
    }
    *hasher.finalize().as_bytes()
}

/// Findings that need the same requests.
#[derive(Debug)]
struct Job {
    findings: Vec<usize>,
    /// Where the requests go, in their order.
    hosts: Vec<Endpoint>,
    subject: Subject,
}

/// How far a job is.
#[derive(Debug, Default)]
struct Stage {
    /// The requests; made when the first is sent, since a signature does not hold for long.
    requests: Option<Vec<Request>>,
    exchanges: Vec<Exchange>,
    /// How often the next request was sent already.
    attempts: u32,
}

/// What the threads share.
struct Run<'a, S, J> {
    jobs: &'a [Job],
    findings: &'a [Finding],
    credentials: &'a [FoundCredential],
    sender: &'a S,
    judge: &'a J,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    pace: Pace,
    stages: BTreeMap<Ticket, Stage>,
    capped: u64,
    unanswered: u64,
    interrupted: bool,
}

/// The verdict on a job.
type Verdict = (Ticket, Verification);

impl<'a, S: Sender, J: Judge> Run<'a, S, J> {
    fn new(
        jobs: &'a [Job],
        findings: &'a [Finding],
        credentials: &'a [FoundCredential],
        verifier: &Verifier<'a, S, J>,
    ) -> Self {
        let mut pace = Pace::new(verifier.pace.clone());
        for (ticket, job) in jobs.iter().enumerate() {
            if let Some(host) = job.hosts.first() {
                pace.wait_for(host, provider(&findings[job.findings[0]]), ticket, false);
            }
        }
        let state = Mutex::new(State { pace, stages: BTreeMap::new(), capped: 0, unanswered: 0, interrupted: false });
        let (sender, judge) = (verifier.sender, verifier.judge);
        Self { jobs, findings, credentials, sender, judge, state, changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(self) -> State {
        self.state.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn finding(&self, ticket: Ticket) -> &Finding {
        &self.findings[self.jobs[ticket].findings[0]]
    }

    fn credential(&self, ticket: Ticket) -> &FoundCredential {
        &self.credentials[self.jobs[ticket].findings[0]]
    }

    fn interrupt(&self) {
        self.lock().interrupted = true;
        self.sender.stop();
        self.changed.notify_all();
    }

    /// Takes turns until there are no more.
    fn work(&self, verdicts: &mpsc::Sender<Verdict>) {
        let mut state = self.lock();
        loop {
            if state.interrupted {
                let refused = state.pace.clear();
                drop(state);
                for ticket in refused {
                    self.tell(verdicts, ticket, None, Failure::Interrupted);
                }
                return;
            }
            match state.pace.next(Instant::now()) {
                Turn::Over => {
                    self.changed.notify_all();
                    return;
                }
                Turn::Wait(time) => {
                    let waited = self.changed.wait_timeout(state, time);
                    state = waited.unwrap_or_else(PoisonError::into_inner).0;
                }
                Turn::Refused(ticket, failure) => {
                    match failure {
                        Failure::Capped { .. } => state.capped += 1,
                        _ => state.unanswered += 1,
                    }
                    let stage = state.stages.remove(&ticket);
                    drop(state);
                    self.tell(verdicts, ticket, stage, failure);
                    state = self.lock();
                }
                Turn::Send(ticket) => {
                    let stage = state.stages.remove(&ticket).unwrap_or_default();
                    drop(state);
                    self.turn(verdicts, ticket, stage);
                    self.changed.notify_all();
                    state = self.lock();
                }
            }
        }
    }

    /// Sends the next request of a job and sees what follows from the answer.
    fn turn(&self, verdicts: &mpsc::Sender<Verdict>, ticket: Ticket, mut stage: Stage) {
        let finding = self.finding(ticket);
        let hosts = &self.jobs[ticket].hosts;
        let host = &hosts[stage.exchanges.len().min(hosts.len() - 1)];
        let free = || self.lock().pace.done(host, provider(finding), None, Duration::ZERO, Instant::now());
        let requests = match stage.requests.take() {
            Some(requests) => requests,
            None => match self.judge.plan(finding, self.credential(ticket), Timestamp::now()) {
                Plan::Ask(requests) => requests,
                Plan::Settled(verification) => {
                    free();
                    return self.say(verdicts, ticket, verification);
                }
            },
        };
        // The turn is for this host; a plan that names another by now would be out of turn.
        let Some(request) = requests.get(stage.exchanges.len()).filter(|request| request.endpoint == *host).cloned()
        else {
            free();
            return self.settle(verdicts, ticket, &stage.exchanges);
        };
        let outcome = self.sender.send(&request);
        stage.requests = Some(requests);
        stage.attempts += 1;
        if let Some(exchanges) = self.go_on(ticket, host, stage, (request, outcome)) {
            self.settle(verdicts, ticket, &exchanges);
        }
    }

    /// Queues a job again, where a request is to be repeated or another is left; else returns what came of all of them.
    fn go_on(&self, ticket: Ticket, host: &Endpoint, mut stage: Stage, exchange: Exchange) -> Option<Vec<Exchange>> {
        let (finding, now) = (self.finding(ticket), Timestamp::now());
        // What decides something need not be repeated, whatever its status.
        let open = self.judge.judge(finding, std::slice::from_ref(&exchange)).state == Liveness::Unknown;
        let mut state = self.lock();
        let options = state.pace.options();
        let again = options.again(stage.attempts, &exchange.1, now).filter(|_| open && !login::is_one(&exchange.0));
        let pause = options.pause(&exchange.1, now).max(again.unwrap_or_default());
        state.pace.done(host, provider(finding), exchange.1.as_ref().err(), pause, Instant::now());
        if again.is_some() && !state.interrupted {
            state.pace.wait_for(host, provider(finding), ticket, true);
            state.stages.insert(ticket, stage);
            return None;
        }
        stage.attempts = 0;
        stage.exchanges.push(exchange);
        let rest = stage.requests.as_deref().and_then(|requests| requests.get(stage.exchanges.len()..));
        let rest = rest.unwrap_or_default();
        let so_far = self.judge.judge(finding, &stage.exchanges).state;
        let needed = |next: &&Request| match next.bare {
            // It is asked a second time without the secret, which shows whether the first answer says anything.
            true => matches!(so_far, Liveness::Live | Liveness::Limited),
            // One live site is enough.
            false => so_far != Liveness::Live,
        };
        match rest.first().filter(needed).filter(|_| !state.interrupted) {
            Some(next) => {
                state.pace.wait_for(&next.endpoint, provider(finding), ticket, true);
                state.stages.insert(ticket, stage);
                None
            }
            None => Some(stage.exchanges),
        }
    }

    /// Tells what it means that a job's next request is not sent.
    fn tell(&self, verdicts: &mpsc::Sender<Verdict>, ticket: Ticket, stage: Option<Stage>, failure: Failure) {
        let stage = stage.unwrap_or_default();
        let asked = !stage.exchanges.is_empty();
        let mut verification = Verification::new(Liveness::Unknown);
        verification.reason = Some(failure.to_string());
        verification.checked_at = asked.then(|| Timestamp::now().to_string());
        self.say(verdicts, ticket, verification);
    }

    fn settle(&self, verdicts: &mpsc::Sender<Verdict>, ticket: Ticket, exchanges: &[Exchange]) {
        let mut verification = self.judge.judge(self.finding(ticket), exchanges);
        let now = Timestamp::now();
        let whole = Timestamp::from_second(now.as_second()).unwrap_or(now);
        verification.checked_at = Some(whole.to_string());
        let failed = exchanges.iter().any(|(_, outcome)| outcome.is_err());
        if failed && verification.state == Liveness::Unknown {
            self.lock().unanswered += 1;
        }
        self.say(verdicts, ticket, verification);
    }

    fn say(&self, verdicts: &mpsc::Sender<Verdict>, ticket: Ticket, verification: Verification) {
        let hosts: Vec<&str> = self.jobs[ticket].hosts.iter().map(|endpoint| endpoint.host.as_str()).collect();
        let verification = guard::cleaned(verification, &secrets(self.credential(ticket)), &hosts);
        // The receiver outlives every thread.
        let _ = verdicts.send((ticket, verification));
    }
}

fn provider(finding: &Finding) -> &str {
    finding.provider.as_deref().unwrap_or(&finding.detector)
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
