//! Progress for people: objects, bytes, rate and findings so far, on standard error and on a terminal only.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::narration::Narrator;
use crate::scan::{Detail, Progress};

/// Set when a person asks to stop.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Shows a bar, or nothing where nobody looks, and says what a person wants to hear.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    narrator: Narrator,
    bytes: AtomicU64,
    found: AtomicU64,
}

impl Bar {
    /// Makes a bar; hidden where `quiet`, or where standard error is no terminal.
    pub fn new(quiet: bool) -> Self {
        let bar = ProgressBar::no_length();
        bar.set_style(style(None));
        if quiet || !std::io::stderr().is_terminal() {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        } else {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(8));
            bar.enable_steady_tick(Duration::from_millis(200));
        }
        Self { bar, narrator: Narrator::new(0), bytes: AtomicU64::new(0), found: AtomicU64::new(0) }
    }

    /// Says more, the more often `-v` was given.
    pub fn telling(mut self, verbosity: u8) -> Self {
        self.narrator = Narrator::new(verbosity);
        self
    }

    /// Takes the bar off the screen.
    pub fn finish(&self) {
        self.narrator.end();
        self.bar.finish_and_clear();
    }

    fn describe(&self) {
        let bytes = self.bytes.load(Ordering::Relaxed);
        let rate = bytes as f64 / self.bar.elapsed().as_secs_f64().max(0.001);
        self.bar.set_message(format!(
            "{}, {}/s, {} found",
            indicatif::DecimalBytes(bytes),
            indicatif::DecimalBytes(rate as u64),
            indicatif::HumanCount(self.found.load(Ordering::Relaxed))
        ));
    }
}

/// How a stage is drawn. The message is cut where the terminal ends: a bar of two lines would leave its first behind.
fn style(total: Option<u64>) -> ProgressStyle {
    let template = match total {
        Some(_) => "{prefix} [{bar:16}] {human_pos} of {human_len} {wide_msg}",
        None => "{prefix} {spinner} {human_pos} {wide_msg}",
    };
    ProgressStyle::with_template(template).expect("the template is well formed").progress_chars("=> ")
}

impl Progress for Bar {
    fn begin(&self, stage: &str, total: Option<u64>) {
        self.narrator.begin(stage);
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_style(style(total));
        self.bar.set_prefix(stage.to_owned());
        self.bar.set_message("");
        self.bar.set_position(0);
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
    }

    fn advance(&self, objects: u64, bytes: u64) {
        self.narrator.count(objects, bytes, 0);
        if self.bar.is_hidden() {
            return;
        }
        let before = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.bar.inc(objects);
        // A message costs more than a count: one a megabyte is enough for eyes.
        if (before >> 20) != ((before + bytes) >> 20) {
            self.describe();
        }
    }

    fn found(&self, count: u64) {
        self.narrator.count(0, 0, count);
        self.found.fetch_add(count, Ordering::Relaxed);
    }

    fn hears(&self, detail: Detail) -> bool {
        self.narrator.hears(detail)
    }

    fn say(&self, detail: Detail, text: &str) {
        self.bar.suspend(|| self.narrator.say(detail, text));
    }

    fn interrupted(&self) -> bool {
        interrupted()
    }
}

/// Whether a person has asked to stop.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Has the first SIGINT or SIGTERM end the scan cleanly and a second one end the program.
pub fn watch_for_interrupts() {
    let handler = || {
        if INTERRUPTED.swap(true, Ordering::Relaxed) {
            rustix::process::kill_current_process_group(rustix::process::Signal::KILL).ok();
        }
    };
    // Without the handler the program still ends on a signal, only without a report.
    let _ = ctrlc::set_handler(handler);
}

/// Whether a person wants to stop.
pub fn was_interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}

/// Reads input that may not come: asks now and then whether a person wants to stop, and then gives no more.
#[derive(Debug)]
pub struct PatientInput(pub std::io::Stdin);

impl std::io::Read for PatientInput {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let wait = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
        loop {
            if INTERRUPTED.load(Ordering::Relaxed) {
                return Ok(0);
            }
            let mut waiting = [PollFd::new(&self.0, PollFlags::IN)];
            match poll(&mut waiting, Some(&wait)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                // What cannot be waited for is read at once.
                _ => return Ok(rustix::io::read(&self.0, buffer)?),
            }
        }
    }
}
