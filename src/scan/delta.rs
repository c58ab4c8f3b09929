//! Which anchors of a text must be looked at anew when most of it was scanned in another text already.
//!
//! Two intervals of bytes decide. Within its *gate interval*, the anchor and what a byte gate reads, an anchor that is
//! copied whole passes or fails as it did in the base. Its *decision interval* is all that its verdict could read: copied
//! whole, the verdict moves with it; otherwise it is evaluated again. Anchors are looked for only in *zones*: fresh bytes,
//! and as much of a copy on each side of a seam as an anchor and its gate can reach. What depends on the text as a whole,
//! its lines and overlaps, is never taken over.

use std::ops::Range;
use std::sync::Arc;

use crate::detector::compile::gate;
use crate::matcher::{AnchorHit, Verdict};
use crate::source::git::object::{CopiedRun, Inherited};

/// An anchor that passed a gate, with what became of it.
#[derive(Debug, Clone)]
pub(super) struct Evaluated {
    /// Where the anchor stands in this text.
    pub(super) hit: AnchorHit,
    /// Where it stood in the text in which it was evaluated; verdicts count from there.
    pub(super) origin: usize,
    /// How many bytes before the anchor the verdicts could read.
    pub(super) back: usize,
    /// How many bytes after the anchor the verdicts could read.
    pub(super) forward: usize,
    /// How much work the verdicts took.
    pub(super) work: u64,
    /// The verdicts, shared by all texts that have them.
    pub(super) verdicts: Option<Arc<[Verdict]>>,
}

/// What a text hands to texts that share bytes with it: its anchors that passed a gate, in order.
#[derive(Debug, Clone, Default)]
pub struct TextState {
    pub(super) evaluated: Vec<Evaluated>,
}

/// What a text takes over from its base.
#[derive(Debug, Clone, Copy)]
pub struct Shared<'base> {
    /// What the base hands on.
    pub base: &'base TextState,
    /// The base's length in bytes.
    pub base_length: usize,
    /// The bytes that both share, in order.
    pub runs: &'base [CopiedRun],
}

impl<'base> Shared<'base> {
    /// What an object takes over from the object that it is stored against; nothing where that one was not scanned.
    pub(super) fn of(inherited: &Inherited<'base, Option<TextState>>) -> Option<Self> {
        let base = inherited.base.as_ref()?;
        Some(Self { base, base_length: inherited.base_length, runs: inherited.runs })
    }
}

/// A copy with its ends: where an object begins or ends in both texts alike, there is no seam.
#[derive(Debug, Clone, Copy)]
struct Run {
    copied: CopiedRun,
    open_start: bool,
    open_end: bool,
}

impl Run {
    /// Whether an interval of the base, as far as the texts reach, was copied whole.
    fn holds(&self, base: Range<i64>) -> bool {
        let start = self.copied.base_start as i64;
        let end = start + self.copied.length as i64;
        (self.open_start || base.start >= start) && (self.open_end || base.end <= end)
    }

    fn base_of(&self, position: usize) -> i64 {
        position as i64 - self.copied.start as i64 + self.copied.base_start as i64
    }
}

/// How a text is put together from its base.
pub(super) struct Plan {
    runs: Vec<Run>,
}

impl Plan {
    pub(super) fn new(shared: &Shared<'_>, length: usize) -> Self {
        let runs = shared.runs.iter().map(|copied| Run {
            copied: *copied,
            open_start: copied.start == 0 && copied.base_start == 0,
            open_end: copied.start + copied.length == length && copied.base_start + copied.length == shared.base_length,
        });
        Self { runs: runs.collect() }
    }

    /// The stretches of the text in which anchors are looked for, where `margin` is more than an anchor and its gate.
    pub(super) fn zones(&self, length: usize, margin: usize) -> Vec<Range<usize>> {
        let mut zones: Vec<Range<usize>> = Vec::new();
        let mut add = |zone: Range<usize>| match zones.last_mut() {
            Some(last) if zone.start <= last.end => last.end = last.end.max(zone.end),
            _ if zone.is_empty() => {}
            _ => zones.push(zone),
        };
        let mut fresh = 0;
        for run in &self.runs {
            let (start, end) = (run.copied.start, run.copied.start + run.copied.length);
            add(fresh..start);
            let head = if run.open_start { start } else { (start + margin).min(end) };
            let tail = if run.open_end { end } else { end.saturating_sub(margin).max(start) };
            if head >= tail {
                add(start..end);
            } else {
                add(start..head);
                add(tail..end);
            }
            fresh = end;
        }
        add(fresh..length);
        zones
    }

    /// Whether an anchor of the text was copied with all that its gate reads: then the base has met it.
    pub(super) fn was_met(&self, hit: &AnchorHit) -> bool {
        let after = self.runs.partition_point(|run| run.copied.start <= hit.start);
        let Some(run) = after.checked_sub(1).map(|index| &self.runs[index]) else { return false };
        let end = run.copied.start + run.copied.length;
        hit.end <= end && run.holds(gate_interval(run.base_of(hit.start), run.base_of(hit.end)))
    }

    /// Moves the base's anchors into the text: those whose verdicts stand go to `kept`, the others to `again`.
    pub(super) fn carry(&self, base: &TextState, kept: &mut Vec<Evaluated>, again: &mut Vec<AnchorHit>) {
        for run in &self.runs {
            let (base_start, base_end) = (run.copied.base_start, run.copied.base_start + run.copied.length);
            let first = base.evaluated.partition_point(|known| known.hit.start < base_start);
            for known in base.evaluated[first..].iter().take_while(|known| known.hit.start < base_end) {
                let (start, end) = (known.hit.start as i64, known.hit.end as i64);
                if known.hit.end > base_end || !run.holds(gate_interval(start, end)) {
                    continue;
                }
                let moved = known.moved(known.hit.start - base_start + run.copied.start);
                let decision = start - known.back as i64..end + known.forward as i64;
                // Characters of two and four bytes are counted from the start of a text.
                let in_step = (run.copied.start as i64 - base_start as i64) % 4 == 0;
                if in_step && run.holds(decision) {
                    kept.push(moved);
                } else {
                    again.push(moved.hit);
                }
            }
        }
    }
}

impl Evaluated {
    fn moved(&self, start: usize) -> Self {
        let hit = AnchorHit { start, end: start + (self.hit.end - self.hit.start), anchor: self.hit.anchor };
        Self { hit, ..self.clone() }
    }
}

fn gate_interval(start: i64, end: i64) -> Range<i64> {
    start - gate::REACH as i64..end + gate::REACH as i64
}

/// Zones of a text in one buffer, so that one call of the engine sees them all.
#[derive(Debug, Default)]
pub(super) struct ZoneBuffer {
    pub(super) bytes: Vec<u8>,
    /// Where each zone begins in the buffer and in the text.
    places: Vec<(usize, usize)>,
}

/// Stands between zones: no anchor holds it.
const SEPARATOR: u8 = 0x01;

impl ZoneBuffer {
    pub(super) fn fill(&mut self, text: &[u8], zones: &[Range<usize>]) {
        self.bytes.clear();
        self.places.clear();
        for zone in zones {
            self.places.push((self.bytes.len(), zone.start));
            self.bytes.extend_from_slice(&text[zone.clone()]);
            self.bytes.push(SEPARATOR);
        }
    }

    /// Turns a place in the buffer into the place in the text.
    pub(super) fn in_text(&self, hit: AnchorHit) -> AnchorHit {
        let zone = self.places.partition_point(|place| place.0 <= hit.start) - 1;
        let (buffer, text) = self.places[zone];
        AnchorHit { start: hit.start - buffer + text, end: hit.end - buffer + text, anchor: hit.anchor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(start: usize, base_start: usize, length: usize) -> CopiedRun {
        CopiedRun { start, base_start, length }
    }

    fn plan(runs: &[CopiedRun], base_length: usize, length: usize) -> Plan {
        Plan::new(&Shared { base: &TextState::default(), base_length, runs }, length)
    }

    #[test]
    fn zones_are_fresh_bytes_and_a_margin_at_each_seam() {
        let plan = plan(&[run(0, 0, 1000), run(1010, 1000, 500)], 1500, 1510);
        assert_eq!(plan.zones(1510, 50), vec![Range { start: 950, end: 1060 }]);
    }

    #[test]
    fn a_short_copy_is_a_zone_as_a_whole() {
        let plan = plan(&[run(10, 300, 80)], 1000, 100);
        assert_eq!(plan.zones(100, 50), vec![Range { start: 0, end: 100 }]);
    }

    #[test]
    fn an_anchor_beside_a_seam_is_new_and_one_far_from_it_was_met() {
        let plan = plan(&[run(100, 0, 900)], 1000, 1000);
        let hit = |start| AnchorHit { start, end: start + 7, anchor: 0 };
        assert!(!plan.was_met(&hit(50)) && !plan.was_met(&hit(110)) && !plan.was_met(&hit(990)));
        assert!(plan.was_met(&hit(500)));
    }
}
