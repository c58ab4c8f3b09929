//! Finds the credentials of one text that is wholly in memory.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use super::budget::{self, Budget, Meter, Spending};
use super::delta::{Evaluated, Plan, Shared, TextState, ZoneBuffer};
use super::records::Origin;
use super::{excerpt, near};
use crate::credential::{FoundCompanion, Surroundings};
use crate::detector::compile::gate;
use crate::detector::registry::Registry;
use crate::error::Result;
use crate::matcher::engine::{self, EngineChoice, Workload};
use crate::matcher::views;
use crate::matcher::{AnchorHit, Candidate, Dropped, Engine, EngineWorker, Evaluator, Ledger, Verdict, resolve};

/// How many candidates of one detector a text may have before the rest are only counted.
pub const MOST_CANDIDATES: usize = 1000;

/// How much of a text the engine looks at in one call.
const SLICE: usize = 4 << 20;
/// How many evaluated anchors a text hands on to its other versions.
const MOST_HANDED_ON: usize = 50_000;

/// A candidate with its place in lines and the line for people.
#[derive(Debug, Clone)]
pub struct Located {
    /// What was found.
    pub candidate: Candidate,
    /// The line of its first byte, counted from 1.
    pub line: u64,
    /// The column of its first byte in bytes, counted from 1.
    pub column: u64,
    /// The line with every secret masked.
    pub excerpt: String,
    /// The other halves that its detector names, where they stand near it.
    pub companions: Vec<FoundCompanion>,
    /// What else stands near it, where that was asked for.
    pub surroundings: Option<Box<Surroundings>>,
    /// Who wrote it, where and when, where the text is more than a file.
    pub origin: Option<Box<Origin>>,
}

/// What one text holds.
#[derive(Debug, Default)]
pub struct TextHits {
    /// The candidates that stand, in order of their start.
    pub located: Vec<Located>,
    /// What was dropped, where the scan is to explain itself.
    pub dropped: Vec<Dropped>,
    /// How many candidates were beyond the cap.
    pub beyond_cap: u64,
    /// What looking at the text cost, and where that was too much.
    pub spending: Spending,
}

impl TextHits {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        let left_out = self.beyond_cap + self.spending.overspent;
        self.located.is_empty() && self.dropped.is_empty() && left_out == 0
    }
}

/// Finds credentials in texts; shared by all threads.
pub struct TextScanner<'registry> {
    registry: &'registry Registry,
    engine: Box<dyn Engine>,
    evaluator: Evaluator<'registry>,
    explain: bool,
    gather: bool,
    budget: Budget,
    /// More bytes than an anchor and its gate can reach.
    margin: usize,
}

impl<'registry> TextScanner<'registry> {
    /// Opens an engine over the registry's anchors.
    ///
    /// # Errors
    /// Where the engine does not open.
    pub fn new(registry: &'registry Registry, choice: EngineChoice, workload: Workload, explain: bool) -> Result<Self> {
        let engine = engine::open(&registry.anchors, choice, workload)?;
        let longest = registry.anchors.iter().map(|anchor| anchor.bytes.len()).max().unwrap_or(0);
        let margin = longest + gate::REACH + views::LOOK + 1;
        let evaluator = Evaluator::new(registry);
        Ok(Self { registry, engine, evaluator, explain, gather: false, budget: Budget::default(), margin })
    }

    /// Also gathers what stands near each candidate, for those who ask the provider or the inventory about it.
    pub fn gathering(mut self, gather: bool) -> Self {
        self.gather = gather;
        self
    }

    /// Puts a stand-in in place of every verdict that depends on each byte that the verdict may read.
    #[cfg(test)]
    pub(super) fn stressed(mut self) -> Self {
        self.evaluator.stress();
        self
    }

    /// Gives stretches of another length another budget.
    #[cfg(test)]
    pub(super) fn within(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// Returns the engine's name.
    pub fn engine_name(&self) -> &'static str {
        self.engine.name()
    }

    /// Returns the detectors that are looked for.
    pub fn registry(&self) -> &'registry Registry {
        self.registry
    }

    /// Makes the buffers of one thread.
    ///
    /// # Errors
    /// Where the engine cannot have them.
    pub fn worker(&self) -> Result<TextWorker<'_>> {
        let engine = self.engine.worker()?;
        Ok(TextWorker {
            scanner: self,
            engine,
            hits: Vec::new(),
            ledger: Ledger::default(),
            zones: ZoneBuffer::default(),
        })
    }
}

/// A scanner with the buffers of one thread.
pub struct TextWorker<'scanner> {
    scanner: &'scanner TextScanner<'scanner>,
    engine: Box<dyn EngineWorker + 'scanner>,
    hits: Vec<AnchorHit>,
    ledger: Ledger,
    zones: ZoneBuffer,
}

impl TextWorker<'_> {
    /// Returns the detectors that are looked for.
    pub fn registry(&self) -> &Registry {
        self.scanner.registry
    }

    /// Finds the credentials of a text.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn scan(&mut self, text: &[u8]) -> Result<TextHits> {
        self.scan_part(text, 0..text.len(), 0..text.len())
    }

    /// Finds the credentials whose anchors begin in a part of a text; the rest of the text is context. What begins outside
    /// `owned` counts toward no cap: another part counts it.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn scan_part(&mut self, text: &[u8], part: Range<usize>, owned: Range<usize>) -> Result<TextHits> {
        Ok(self.scan_whole(text, part, owned)?.0)
    }

    /// Finds the credentials of a text that shares bytes with another, and what it hands on itself. The answer is that of
    /// [`TextWorker::scan`]; only the work differs.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn scan_shared(&mut self, text: &[u8], shared: Option<Shared<'_>>) -> Result<(TextHits, Option<TextState>)> {
        let Some(shared) = shared else { return self.scan_whole(text, 0..text.len(), 0..text.len()) };
        let plan = Plan::new(&shared, text.len());
        let zones = plan.zones(text.len(), self.scanner.margin);
        let fresh: usize = zones.iter().map(Range::len).sum();
        // Looking at most of a text in pieces costs more than looking at all of it at once.
        if fresh > text.len() / 4 * 3 {
            return self.scan_whole(text, 0..text.len(), 0..text.len());
        }
        self.zones.fill(text, &zones);
        self.hits.clear();
        self.engine.find(&self.zones.bytes, &mut self.hits)?;
        for hit in &mut self.hits {
            *hit = self.zones.in_text(*hit);
        }
        self.hits.retain(|hit| !plan.was_met(hit));
        let mut state = TextState::default();
        plan.carry(shared.base, &mut state.evaluated, &mut self.hits);
        self.hits.sort_unstable();
        let mut meter = Meter::new(self.scanner.budget, 0..text.len());
        self.evaluate_hits(text, &mut meter, &mut |known| state.evaluated.push(known))?;
        state.evaluated.sort_by_key(|known| known.hit);
        let spending = budget::spending_of(self.scanner.budget, &state.evaluated);
        // Where a budget ends depends on all anchors before; the text is looked at as if nothing were known of it.
        if meter.spending().overspent + spending.overspent > 0 {
            return self.scan_whole(text, 0..text.len(), 0..text.len());
        }
        let mut gathered = Gathered::new(self.scanner.explain, 0..text.len());
        gathered.hits.spending = spending;
        state.evaluated.iter().for_each(|known| gathered.take(known));
        Ok((gathered.settle(text, self.scanner), state.bounded()))
    }

    /// Looks at a text in slices, so that what is held at once does not grow with the text.
    fn scan_whole(
        &mut self,
        text: &[u8],
        part: Range<usize>,
        owned: Range<usize>,
    ) -> Result<(TextHits, Option<TextState>)> {
        let mut meter = Meter::new(self.scanner.budget, owned.clone());
        let mut gathered = Gathered::new(self.scanner.explain, owned);
        let mut state = TextState::default();
        let mut start = part.start;
        while start < part.end {
            let end = (start + SLICE).min(part.end);
            let seen = start..(end + self.scanner.margin).min(text.len());
            self.hits.clear();
            self.engine.find(&text[seen], &mut self.hits)?;
            self.hits.retain(|hit| start + hit.start < end);
            self.hits.sort_unstable();
            for hit in &mut self.hits {
                (hit.start, hit.end) = (hit.start + start, hit.end + start);
            }
            self.evaluate_hits(text, &mut meter, &mut |known| {
                gathered.take(&known);
                if state.evaluated.len() <= MOST_HANDED_ON {
                    state.evaluated.push(known);
                }
            })?;
            start = end;
        }
        gathered.hits.spending = meter.spending();
        // What was not evaluated here may be within the budget of another version.
        let state = state.bounded().filter(|_| meter.spending().overspent == 0);
        Ok((gathered.settle(text, self.scanner), state))
    }

    fn evaluate_hits(&mut self, text: &[u8], meter: &mut Meter, sink: &mut dyn FnMut(Evaluated)) -> Result<()> {
        for hit in &self.hits {
            if !meter.admits(hit.start) {
                continue;
            }
            self.ledger.clear();
            let reach = self.scanner.evaluator.evaluate(&mut *self.engine, text, *hit, &mut self.ledger)?;
            if let Some((back, forward)) = reach {
                let work = self.ledger.work();
                meter.spend(work);
                let verdicts = &mut self.ledger.verdicts;
                let verdicts = (!verdicts.is_empty()).then(|| verdicts.drain(..).collect());
                sink(Evaluated { hit: *hit, origin: hit.start, back, forward, work, verdicts });
            }
        }
        Ok(())
    }
}

impl TextState {
    /// Hands on what is worth holding: a text with more anchors than that is scanned whole in every version.
    fn bounded(self) -> Option<Self> {
        (self.evaluated.len() <= MOST_HANDED_ON).then_some(self)
    }
}

/// How many candidates a detector has.
#[derive(Default)]
struct Count {
    /// Where those within the cap begin.
    starts: HashSet<usize>,
    /// Where the last one begins that is beyond the cap.
    last_beyond: Option<usize>,
}

/// Verdicts on their way to become hits.
struct Gathered {
    explain: bool,
    /// Where a candidate begins that counts toward the cap.
    owned: Range<usize>,
    counts: HashMap<u16, Count>,
    candidates: Vec<Candidate>,
    hits: TextHits,
}

impl Gathered {
    fn new(explain: bool, owned: Range<usize>) -> Self {
        Self { explain, owned, counts: HashMap::new(), candidates: Vec::new(), hits: TextHits::default() }
    }

    /// Takes the verdicts on an anchor; anchors come in their order, since the cap depends on it.
    fn take(&mut self, known: &Evaluated) {
        let moved = |place: usize| place + known.hit.start - known.origin;
        for verdict in known.verdicts.iter().flat_map(|verdicts| verdicts.iter()) {
            let start = moved(verdict.start());
            if self.owned.contains(&start) && !self.is_within_cap(verdict.detector(), start) {
                continue;
            }
            match verdict {
                Verdict::Kept(candidate) => {
                    let end = moved(candidate.end);
                    self.candidates.push(Candidate { start, end, ..candidate.clone() });
                }
                Verdict::Dropped(dropped) if self.explain => {
                    self.hits.dropped.push(Dropped { start, ..dropped.clone() });
                }
                Verdict::Dropped(_) => {}
            }
        }
    }

    /// Counts a candidate. Several anchors may lead to one: each start counts once.
    fn is_within_cap(&mut self, detector: u16, start: usize) -> bool {
        let count = self.counts.entry(detector).or_default();
        if count.starts.contains(&start) || (count.starts.len() < MOST_CANDIDATES && count.starts.insert(start)) {
            return true;
        }
        if count.last_beyond.is_none_or(|last| last < start) {
            count.last_beyond = Some(start);
            self.hits.beyond_cap += 1;
        }
        false
    }

    /// Makes hits of what was taken: what depends on the text as a whole.
    fn settle(mut self, text: &[u8], scanner: &TextScanner<'_>) -> TextHits {
        self.hits.located = resolve::resolve(self.candidates).into_iter().map(Located::unplaced).collect();
        excerpt::place(text, &mut self.hits.located);
        look_around(&mut self.hits.located, text, scanner);
        self.hits.dropped.sort_by_key(|dropped| (dropped.start, dropped.detector));
        self.hits.dropped.dedup();
        self.hits
    }
}

/// Notes what stands near each candidate.
fn look_around(located: &mut [Located], text: &[u8], scanner: &TextScanner<'_>) {
    let candidates: Vec<&Candidate> = located.iter().map(|located| &located.candidate).collect();
    let companions = near::companions(&candidates, scanner.registry);
    for (located, companions) in located.iter_mut().zip(companions) {
        located.companions = companions;
        if scanner.gather {
            let (start, end) = (located.candidate.start, located.candidate.end);
            let verify = scanner.registry.detector(located.candidate.detector).verify.as_ref();
            let names: Vec<&str> =
                verify.into_iter().flat_map(|verify| verify.named.values().flatten()).map(String::as_str).collect();
            located.surroundings = Some(Box::new(near::surroundings(text, start, end, &names)));
        }
    }
}

impl Located {
    fn unplaced(candidate: Candidate) -> Self {
        let excerpt = String::new();
        Self { candidate, line: 0, column: 0, excerpt, companions: Vec::new(), surroundings: None, origin: None }
    }
}
