//! What a walk through an archive may cost, and what was left out of it. Every byte is counted where it comes out of a
//! decoder; declared sizes are not believed.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::Skip;
use crate::sync::{into_inner, lock};

/// The limits of one archive, with all that lies in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many bytes of one member are read.
    pub member_bytes: u64,
    /// How many bytes may come out of all decoders together.
    pub total_bytes: u64,
    /// How many bytes may come out of a decoder for each that goes in, and out of all for each of the archive itself.
    pub ratio: u64,
    /// From how many bytes on the ratio counts: a small text may be compressed well.
    pub ratio_from: u64,
    /// How many members are looked at.
    pub entries: u64,
    /// How many archives may lie in each other.
    pub depth: usize,
    /// How many bytes of archives within archives are held in memory, and of the windows of decoders.
    pub held_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            member_bytes: 4 << 30,
            total_bytes: 16 << 30,
            ratio: 200,
            ratio_from: 1 << 20,
            entries: 250_000,
            depth: 8,
            held_bytes: 96 << 20,
        }
    }
}

/// What a walk through an archive left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// How much was left out, by reason.
    pub left_out: BTreeMap<Skip, u64>,
    /// Why decoding failed for the first time, where it did.
    pub damage: Option<String>,
    /// How many bytes came out of decoders.
    pub decoded: u64,
}

/// Counts of a running walk, shared by all readers of it.
pub(super) struct Budget<'walk> {
    pub(super) limits: Limits,
    /// Whether a person wants the walk to end.
    stop: &'walk (dyn Fn() -> bool + Sync),
    /// How many bytes may come out of decoders in all.
    most: u64,
    out: AtomicU64,
    entries: AtomicU64,
    held: AtomicU64,
    faults: AtomicU64,
    /// Whether a text was ended early: what breaks off with it is not damaged.
    cut: AtomicBool,
    outcome: Mutex<Outcome>,
}

impl<'walk> Budget<'walk> {
    pub(super) fn new(limits: Limits, size: Option<u64>, stop: &'walk (dyn Fn() -> bool + Sync)) -> Self {
        let by_ratio = size.map_or(u64::MAX, |size| size.saturating_mul(limits.ratio).max(limits.ratio_from));
        Self {
            limits,
            stop,
            most: limits.total_bytes.min(by_ratio),
            out: AtomicU64::default(),
            entries: AtomicU64::default(),
            held: AtomicU64::default(),
            faults: AtomicU64::default(),
            cut: AtomicBool::default(),
            outcome: Mutex::default(),
        }
    }

    /// Counts something that is left out.
    pub(super) fn leave_out(&self, reason: Skip) {
        *lock(&self.outcome).left_out.entry(reason).or_default() += 1;
    }

    /// Notes that something cannot be decoded.
    pub(super) fn damaged(&self, path: &[u8], reason: &str) {
        if self.cut.load(Ordering::Relaxed) {
            return;
        }
        self.faults.fetch_add(1, Ordering::Relaxed);
        let mut outcome = lock(&self.outcome);
        *outcome.left_out.entry(Skip::ArchiveDamaged).or_default() += 1;
        let place = if path.is_empty() { String::new() } else { format!("{}: ", String::from_utf8_lossy(path)) };
        outcome.damage.get_or_insert_with(|| format!("{place}{reason}"));
    }

    /// How often decoding failed.
    pub(super) fn faults(&self) -> u64 {
        self.faults.load(Ordering::Relaxed)
    }

    /// Counts a member; returns false once there were too many, and says so once.
    pub(super) fn enter(&self) -> bool {
        let before = self.entries.fetch_add(1, Ordering::Relaxed);
        if before == self.limits.entries {
            self.leave_out(Skip::ArchiveEntries);
        }
        before < self.limits.entries && !(self.stop)()
    }

    /// Whether nothing more may come out.
    pub(super) fn is_spent(&self) -> bool {
        self.out.load(Ordering::Relaxed) >= self.most
    }

    /// How many bytes may still be held.
    pub(super) fn room(&self) -> u64 {
        self.limits.held_bytes.saturating_sub(self.held.load(Ordering::Relaxed))
    }

    /// Sets memory aside; nothing where there is not enough.
    pub(super) fn hold(&self, bytes: u64) -> Option<Held<'_>> {
        if bytes == 0 || bytes > self.room() {
            return None;
        }
        self.held.fetch_add(bytes, Ordering::Relaxed);
        Some(Held { budget: self, reserved: bytes, bytes: Vec::new() })
    }

    pub(super) fn finish(self) -> Outcome {
        Outcome { decoded: self.out.into_inner(), ..into_inner(self.outcome) }
    }
}

/// Memory that was set aside, given back when this goes away.
pub(super) struct Held<'budget> {
    budget: &'budget Budget<'budget>,
    reserved: u64,
    /// What it is used for, where bytes are held.
    pub(super) bytes: Vec<u8>,
}

impl Held<'_> {
    /// How many bytes were set aside.
    pub(super) fn room(&self) -> u64 {
        self.reserved
    }

    /// Gives back what is not in use.
    pub(super) fn shrink(&mut self) {
        self.bytes.shrink_to_fit();
        let used = (self.bytes.len() as u64).min(self.reserved);
        self.budget.held.fetch_sub(self.reserved - used, Ordering::Relaxed);
        self.reserved = used;
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.budget.held.fetch_sub(self.reserved, Ordering::Relaxed);
    }
}

/// Counts what a decoder takes in.
pub(super) struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

/// Counts what is read from here on.
pub(super) fn counted<R: Read>(inner: R) -> (Counted<R>, Arc<AtomicU64>) {
    let count = Arc::new(AtomicU64::default());
    (Counted { inner, count: Arc::clone(&count) }, count)
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The text of a member, which ends at the limits and at the first fault; both are noted, and no fault comes out.
pub(super) struct Metered<'walk> {
    inner: &'walk mut (dyn Read + Send),
    budget: &'walk Budget<'walk>,
    /// What the decoder took in, where there is one.
    consumed: Option<Arc<AtomicU64>>,
    path: Vec<u8>,
    out: u64,
    ended: bool,
    /// Whether it was ended early.
    cut: bool,
}

impl<'walk> Metered<'walk> {
    /// What comes out of a decoder: it counts toward everything.
    pub(super) fn decoded(
        inner: &'walk mut (dyn Read + Send),
        budget: &'walk Budget<'walk>,
        consumed: Arc<AtomicU64>,
    ) -> Self {
        Self { inner, budget, consumed: Some(consumed), path: Vec::new(), out: 0, ended: false, cut: false }
    }

    /// What lies in an archive as it is; its bytes were counted where the archive came out of a decoder.
    pub(super) fn plain(inner: &'walk mut (dyn Read + Send), budget: &'walk Budget) -> Self {
        Self { inner, budget, consumed: None, path: Vec::new(), out: 0, ended: false, cut: false }
    }

    /// Names the member, for what is said of a fault.
    pub(super) fn named(mut self, path: &[u8]) -> Self {
        self.path = path.to_vec();
        self
    }

    /// Why no more may come out, where that is so.
    fn limit(&self) -> Option<Skip> {
        let limits = &self.budget.limits;
        if self.out >= limits.member_bytes {
            return Some(Skip::ArchiveMember);
        }
        let consumed = self.consumed.as_ref()?.load(Ordering::Relaxed);
        if self.out >= limits.ratio_from && self.out / limits.ratio >= consumed {
            return Some(Skip::ArchiveRatio);
        }
        self.budget.is_spent().then_some(Skip::ArchiveTotal)
    }

    /// How many bytes may be read before the limits are looked at again.
    fn step(&self) -> usize {
        let limits = &self.budget.limits;
        let left = (limits.member_bytes - self.out).min(match self.consumed {
            Some(_) => self.budget.most.saturating_sub(self.budget.out.load(Ordering::Relaxed)),
            None => u64::MAX,
        });
        left.min(1 << 16) as usize
    }

    /// Ends the text before its end.
    fn cut(&mut self) {
        (self.ended, self.cut) = (true, true);
        self.budget.cut.store(true, Ordering::Relaxed);
    }

    /// Ends the text at a limit, unless it ends there by itself.
    fn stop(&mut self, reason: Skip) {
        self.ended = true;
        match self.inner.read(&mut [0]) {
            Ok(0) => {}
            Ok(_) => {
                self.budget.leave_out(reason);
                self.cut();
            }
            Err(error) => self.budget.damaged(&self.path, &error.to_string()),
        }
    }
}

impl Drop for Metered<'_> {
    fn drop(&mut self) {
        // Whoever read from it is done.
        if self.cut {
            self.budget.cut.store(false, Ordering::Relaxed);
        }
    }
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.ended || buffer.is_empty() {
            return Ok(0);
        }
        if (self.budget.stop)() {
            self.cut();
            return Ok(0);
        }
        if let Some(reason) = self.limit() {
            self.stop(reason);
            return Ok(0);
        }
        let step = self.step().min(buffer.len());
        let read = loop {
            match self.inner.read(&mut buffer[..step]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.ended = true;
                    self.budget.damaged(&self.path, &error.to_string());
                    return Ok(0);
                }
                Ok(read) => break read,
            }
        };
        self.ended = read == 0;
        self.out += read as u64;
        if self.consumed.is_some() {
            self.budget.out.fetch_add(read as u64, Ordering::Relaxed);
        }
        Ok(read)
    }
}
