//! When a request may be sent: one at a time to a host, with a pause between two to a provider, no more than a run may
//! make, and again only where that may help. This module sends nothing and reads no clock; it is told the time.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::exchange::{Answer, Endpoint, Failure};

/// How requests are spaced, repeated and limited.
#[derive(Debug, Clone)]
pub struct PaceOptions {
    /// The least time between the end of one request to a provider and the beginning of the next.
    pub interval: Duration,
    /// How long a host may ask us to wait; where it asks for more, it is not asked again.
    pub patience: Duration,
    /// How often a request is repeated.
    pub retries: u32,
    /// How many requests a run may make, with those that are repeated.
    pub limit: u64,
    /// After how many requests in a row that had no answer a host is left alone.
    pub give_up: u32,
}

impl Default for PaceOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(100),
            patience: Duration::from_secs(20),
            retries: 2,
            limit: 1_000,
            give_up: 3,
        }
    }
}

impl PaceOptions {
    /// Says how long to wait before a request is repeated; nothing where repeating it is no use. `attempts` counts those
    /// that were made. A verdict that stands already is for the caller to see.
    pub fn again(&self, attempts: u32, outcome: &Result<Answer, Failure>, now: Timestamp) -> Option<Duration> {
        if attempts > self.retries {
            return None;
        }
        let usual = Duration::from_millis(500).saturating_mul(1 << (attempts.max(1) - 1).min(8));
        let wait = match outcome {
            Ok(answer) => match (answer.status, retry_after(answer, now)) {
                (429, Some(wait)) => wait,
                (502..=504, wait) => wait.unwrap_or(usual),
                _ => return None,
            },
            Err(Failure::Connect { .. } | Failure::Timeout { .. }) => usual,
            Err(_) => return None,
        };
        (wait <= self.patience).then_some(wait)
    }

    /// Says how long a host wants to be left alone, as far as we go along with it.
    pub fn pause(&self, outcome: &Result<Answer, Failure>, now: Timestamp) -> Duration {
        let asked = outcome.as_ref().ok().filter(|answer| matches!(answer.status, 429 | 503));
        asked
            .and_then(|answer| retry_after(answer, now))
            .map_or(self.interval, |wait| wait.clamp(self.interval, self.patience.max(self.interval)))
    }
}

/// Reads `Retry-After`: seconds, or a date.
fn retry_after(answer: &Answer, now: Timestamp) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    // `Fri, 31 Dec 1999 23:59:59 GMT`; a date that has passed asks for no wait.
    let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

/// Someone who waits for a turn: a number of the caller's.
pub type Ticket = usize;

/// What is to be done now.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// This one may send; [`Pace::done`] must follow.
    Send(Ticket),
    /// This one may not send any more.
    Refused(Ticket, Failure),
    /// Nobody may send before this time has passed, or before one that sends is done.
    Wait(Duration),
    /// Nobody waits and nobody sends.
    Over,
}

/// Who sends when.
#[derive(Debug)]
pub struct Pace {
    options: PaceOptions,
    lanes: BTreeMap<String, Lane>,
    /// When each provider may be asked again.
    providers: BTreeMap<String, Instant>,
    sent: u64,
    sending: usize,
}

/// Those who wait for one host.
#[derive(Debug, Default)]
struct Lane {
    waiting: VecDeque<(Ticket, String)>,
    busy: bool,
    ready: Option<Instant>,
    failures: u32,
    last: Option<Failure>,
}

impl Pace {
    /// Makes one for a run.
    pub fn new(options: PaceOptions) -> Self {
        Self { options, lanes: BTreeMap::new(), providers: BTreeMap::new(), sent: 0, sending: 0 }
    }

    /// Returns the options.
    pub fn options(&self) -> &PaceOptions {
        &self.options
    }

    /// Returns how many requests were allowed.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Queues for a host; `first` is for one that was there before.
    pub fn wait_for(&mut self, endpoint: &Endpoint, provider: &str, ticket: Ticket, first: bool) {
        let lane = self.lanes.entry(host(endpoint)).or_default();
        match first {
            true => lane.waiting.push_front((ticket, provider.to_owned())),
            false => lane.waiting.push_back((ticket, provider.to_owned())),
        }
    }

    /// Says who may do what at this time.
    pub fn next(&mut self, now: Instant) -> Turn {
        let mut soonest: Option<Instant> = None;
        for lane in self.lanes.values_mut() {
            let Some((ticket, provider)) = lane.waiting.front() else { continue };
            let ticket = *ticket;
            let given_up = lane.last.as_ref().filter(|_| lane.failures >= self.options.give_up);
            if let Some(failure) = given_up.cloned() {
                lane.waiting.pop_front();
                return Turn::Refused(ticket, failure);
            }
            if self.sent >= self.options.limit {
                lane.waiting.pop_front();
                return Turn::Refused(ticket, Failure::Capped { limit: self.options.limit });
            }
            if lane.busy {
                continue;
            }
            let ready = [lane.ready, self.providers.get(provider).copied()].into_iter().flatten().max();
            if let Some(ready) = ready.filter(|ready| *ready > now) {
                soonest = Some(soonest.map_or(ready, |known| known.min(ready)));
                continue;
            }
            lane.busy = true;
            // Two hosts of a provider take turns like one.
            self.providers.insert(provider.clone(), now + self.options.interval);
            lane.waiting.pop_front();
            self.sent += 1;
            self.sending += 1;
            return Turn::Send(ticket);
        }
        let waiting = self.lanes.values().any(|lane| !lane.waiting.is_empty());
        match (soonest, waiting || self.sending > 0) {
            (Some(soonest), _) => Turn::Wait(soonest.saturating_duration_since(now)),
            (None, true) => Turn::Wait(Duration::from_secs(1)),
            (None, false) => Turn::Over,
        }
    }

    /// Says that a request has ended, and how long its host is to be left alone.
    pub fn done(
        &mut self,
        endpoint: &Endpoint,
        provider: &str,
        failure: Option<&Failure>,
        pause: Duration,
        now: Instant,
    ) {
        self.sending = self.sending.saturating_sub(1);
        let lane = self.lanes.entry(host(endpoint)).or_default();
        lane.busy = false;
        lane.ready = Some(now + pause);
        match failure {
            // That one credential cannot be sent says nothing of the host.
            Some(Failure::Unsendable { .. }) => {}
            Some(failure) => {
                lane.failures += 1;
                lane.last = Some(failure.clone());
            }
            None => lane.failures = 0,
        }
        self.providers.insert(provider.to_owned(), now + self.options.interval);
    }

    /// Takes everyone who waits out of the queues.
    pub fn clear(&mut self) -> Vec<Ticket> {
        self.lanes.values_mut().flat_map(|lane| lane.waiting.drain(..)).map(|(ticket, _)| ticket).collect()
    }
}

fn host(endpoint: &Endpoint) -> String {
    format!("{}:{}", endpoint.host, endpoint.dialled_port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, header: Option<&str>) -> Result<Answer, Failure> {
        let headers = header.map(|value| ("retry-after".to_owned(), value.to_owned())).into_iter().collect();
        Ok(Answer { status, headers, body: Vec::new(), cut: false })
    }

    fn timeout() -> Failure {
        Failure::Timeout { host: "a".into(), after: Duration::from_secs(1) }
    }

    #[test]
    fn only_what_may_help_is_repeated_and_twice_at_the_most() {
        let options = PaceOptions::default();
        let now: Timestamp = "1999-12-31T23:59:50Z".parse().expect("a time");
        let again = |attempts, outcome: Result<Answer, Failure>| options.again(attempts, &outcome, now);
        let seconds = |count| Some(Duration::from_secs(count));
        assert_eq!(again(1, answer(429, Some("3"))), seconds(3));
        assert_eq!(again(1, answer(429, Some("Fri, 31 Dec 1999 23:59:59 GMT"))), seconds(9));
        assert_eq!(again(1, answer(429, Some("Fri, 31 Dec 1999 23:59:00 GMT"))), seconds(0));
        assert_eq!(again(1, answer(429, Some("21"))), None, "longer than we wait");
        assert_eq!(again(1, answer(429, Some("18446744073709551615"))), None);
        for header in [None, Some("soon"), Some("-1"), Some("")] {
            assert_eq!(again(1, answer(429, header)), None, "{header:?}");
        }
        for status in [502, 503, 504] {
            assert_eq!(again(1, answer(status, None)), Some(Duration::from_millis(500)));
            assert_eq!(again(2, answer(status, None)), seconds(1));
            assert_eq!(again(3, answer(status, None)), None);
        }
        for status in [200, 301, 401, 403, 404, 500, 501] {
            assert_eq!(again(1, answer(status, Some("1"))), None, "{status}");
        }
        assert!(again(1, Err(timeout())).is_some());
        assert!(again(1, Err(Failure::Connect { host: "a".into(), reason: "x".into() })).is_some());
        assert!(again(1, Err(Failure::Tls { host: "a".into(), reason: "x".into() })).is_none());
        assert!(again(1, Err(Failure::Malformed { host: "a".into(), reason: "x".into() })).is_none());
    }

    #[test]
    fn one_host_gets_one_request_at_a_time_and_two_hosts_two() {
        let mut pace = Pace::new(PaceOptions::default());
        let (left, right) = (Endpoint::of_host("left"), Endpoint::of_host("right"));
        let now = Instant::now();
        pace.wait_for(&left, "l", 1, false);
        pace.wait_for(&left, "l", 2, false);
        pace.wait_for(&right, "r", 3, false);
        assert_eq!(pace.next(now), Turn::Send(1));
        assert_eq!(pace.next(now), Turn::Send(3));
        assert!(matches!(pace.next(now + Duration::from_secs(9)), Turn::Wait(_)), "left is busy");
        pace.done(&left, "l", None, Duration::from_millis(100), now);
        assert_eq!(pace.next(now), Turn::Wait(Duration::from_millis(100)));
        assert_eq!(pace.next(now + Duration::from_millis(100)), Turn::Send(2));
        pace.done(&left, "l", None, Duration::ZERO, now);
        assert!(matches!(pace.next(now), Turn::Wait(_)), "right still sends");
        pace.done(&right, "r", None, Duration::ZERO, now);
        assert_eq!(pace.next(now), Turn::Over);
    }

    #[test]
    fn two_hosts_of_a_provider_keep_its_interval() {
        let mut pace = Pace::new(PaceOptions::default());
        let now = Instant::now();
        pace.wait_for(&Endpoint::of_host("eu"), "p", 1, false);
        pace.wait_for(&Endpoint::of_host("us"), "p", 2, false);
        assert_eq!(pace.next(now), Turn::Send(1));
        assert_eq!(pace.next(now), Turn::Wait(Duration::from_millis(100)));
        assert_eq!(pace.next(now + Duration::from_millis(100)), Turn::Send(2));
    }

    #[test]
    fn a_host_that_asks_for_a_pause_gets_one_within_our_patience() {
        let options = PaceOptions::default();
        let pause = |status, header| options.pause(&answer(status, header), Timestamp::UNIX_EPOCH);
        assert_eq!(pause(429, Some("5")), Duration::from_secs(5));
        assert_eq!(pause(429, Some("3600")), options.patience);
        assert_eq!(pause(429, None), options.interval);
        assert_eq!(pause(200, Some("5")), options.interval);
    }

    #[test]
    fn beyond_the_limit_nobody_sends() {
        let mut pace = Pace::new(PaceOptions { limit: 1, ..PaceOptions::default() });
        let (endpoint, now) = (Endpoint::of_host("a"), Instant::now());
        pace.wait_for(&endpoint, "p", 1, false);
        pace.wait_for(&endpoint, "p", 2, false);
        assert_eq!(pace.next(now), Turn::Send(1));
        assert_eq!(pace.next(now), Turn::Refused(2, Failure::Capped { limit: 1 }));
        assert_eq!(pace.sent(), 1);
    }

    #[test]
    fn a_host_that_never_answers_is_left_alone() {
        let mut pace = Pace::new(PaceOptions { interval: Duration::ZERO, ..PaceOptions::default() });
        let (endpoint, now) = (Endpoint::of_host("a"), Instant::now());
        (0..5).for_each(|ticket| pace.wait_for(&endpoint, "p", ticket, false));
        for ticket in 0..3 {
            assert_eq!(pace.next(now), Turn::Send(ticket));
            pace.done(&endpoint, "p", Some(&timeout()), Duration::ZERO, now);
        }
        assert_eq!(pace.next(now), Turn::Refused(3, timeout()));
        assert_eq!(pace.next(now), Turn::Refused(4, timeout()));
        assert_eq!(pace.next(now), Turn::Over);
    }
}
