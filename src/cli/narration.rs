//! What `-v`, `-vv` and `-vvv` say on standard error while a scan runs: each stage with its time and counts; what was
//! skipped and what failed; why candidates were kept and dropped, and the requests that were made.
//!
//! Every line is escaped for a terminal and redacted like the messages of errors: it quotes paths and names, which may be
//! anything.

use std::sync::Mutex;
use std::time::Instant;

use indicatif::{DecimalBytes, HumanCount};

use super::{talk, words};
use crate::report::escape;
use crate::scan::{Detail, Progress};
use crate::sync::lock;
use crate::verify::client::Client;
use crate::verify::exchange::{Answer, Failure, Request};
use crate::verify::run::Sender;

/// Says what a person wants to hear.
#[derive(Debug)]
pub struct Narrator {
    detail: Option<Detail>,
    started: Instant,
    stage: Mutex<Option<Stage>>,
}

/// A stage that has begun and not ended.
#[derive(Debug)]
struct Stage {
    name: String,
    began: Instant,
    objects: u64,
    bytes: u64,
    found: u64,
}

impl Narrator {
    /// Makes one that says nothing where `verbosity` is zero, and more the higher it is.
    pub fn new(verbosity: u8) -> Self {
        let detail = match verbosity {
            0 => None,
            1 => Some(Detail::Stages),
            2 => Some(Detail::Skips),
            _ => Some(Detail::Candidates),
        };
        Self { detail, started: Instant::now(), stage: Mutex::default() }
    }

    /// Whether anything is said in such detail.
    pub fn hears(&self, detail: Detail) -> bool {
        self.detail.is_some_and(|wanted| detail <= wanted)
    }

    /// Says something, with the time since the start.
    pub fn say(&self, detail: Detail, text: &str) {
        if self.hears(detail) {
            let seconds = self.started.elapsed().as_secs_f64();
            let text = words::without_credentials(text);
            talk(&format!("credtrace: {seconds:.3} s: {}", escape::terminal(&text)));
        }
    }

    /// Ends the stage before and begins another.
    pub fn begin(&self, name: &str) {
        self.end();
        if self.hears(Detail::Stages) {
            let stage = Stage { name: name.to_owned(), began: Instant::now(), objects: 0, bytes: 0, found: 0 };
            *lock(&self.stage) = Some(stage);
        }
    }

    /// Says how long the stage took that has begun last, and what was counted in it.
    pub fn end(&self) {
        let Some(stage) = lock(&self.stage).take() else { return };
        let mut text = format!("{}: {:.3} s", stage.name, stage.began.elapsed().as_secs_f64());
        for (count, of) in [(stage.objects, "objects"), (stage.found, "candidates")] {
            if count > 0 {
                text.push_str(&format!(", {} {of}", HumanCount(count)));
            }
        }
        if stage.bytes > 0 {
            text.push_str(&format!(", {}", DecimalBytes(stage.bytes)));
        }
        self.say(Detail::Stages, &text);
    }

    /// Counts in the stage that has begun last.
    pub fn count(&self, objects: u64, bytes: u64, found: u64) {
        if self.detail.is_none() {
            return;
        }
        if let Some(stage) = lock(&self.stage).as_mut() {
            stage.objects += objects;
            stage.bytes += bytes;
            stage.found += found;
        }
    }
}

/// Sends requests and says of each where it went, what came and how long it took; nothing of what was in it.
pub struct Told<'a> {
    /// Who sends.
    pub client: &'a Client,
    /// Who hears of it.
    pub progress: &'a dyn Progress,
}

impl Sender for Told<'_> {
    fn send(&self, request: &Request) -> Result<Answer, Failure> {
        let began = Instant::now();
        let outcome = Sender::send(self.client, request);
        if self.progress.hears(Detail::Candidates) {
            let came = match &outcome {
                Ok(answer) => format!("status {}", answer.status),
                Err(failure) => failure.to_string(),
            };
            // Some paths and base paths hold the credential itself.
            let (method, host, port) = (&request.method, &request.endpoint.host, request.endpoint.dialled_port());
            let seconds = began.elapsed().as_secs_f64();
            let text = format!("request {method} to {host}:{port}: {came}, {seconds:.3} s");
            self.progress.say(Detail::Candidates, &text);
        }
        outcome
    }

    fn stop(&self) {
        Sender::stop(self.client);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_level_says_what_those_before_it_say() {
        let hears = |verbosity| {
            let narrator = Narrator::new(verbosity);
            [Detail::Stages, Detail::Skips, Detail::Candidates].map(|detail| narrator.hears(detail))
        };
        assert_eq!(hears(0), [false, false, false]);
        assert_eq!(hears(1), [true, false, false]);
        assert_eq!(hears(2), [true, true, false]);
        assert_eq!(hears(3), [true, true, true]);
        assert_eq!(hears(9), [true, true, true]);
    }
}
