//! Finds the credentials of one text that is wholly in memory.

use super::excerpt;
use crate::detector::registry::Registry;
use crate::error::Result;
use crate::matcher::engine::{self, EngineChoice, Workload};
use crate::matcher::{AnchorHit, Candidate, Dropped, Engine, EngineWorker, Evaluator, Verdict, resolve};

/// How many candidates of one detector a text may have before the rest are only counted.
pub const MOST_CANDIDATES: usize = 1000;

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
}

impl TextHits {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.located.is_empty() && self.dropped.is_empty() && self.beyond_cap == 0
    }
}

/// Finds credentials in texts; shared by all threads.
pub struct TextScanner<'registry> {
    registry: &'registry Registry,
    engine: Box<dyn Engine>,
    evaluator: Evaluator<'registry>,
    explain: bool,
}

impl<'registry> TextScanner<'registry> {
    /// Opens an engine over the registry's anchors.
    ///
    /// # Errors
    /// Where the engine does not open.
    pub fn new(registry: &'registry Registry, choice: EngineChoice, workload: Workload, explain: bool) -> Result<Self> {
        let engine = engine::open(&registry.anchors, choice, workload)?;
        Ok(Self { registry, engine, evaluator: Evaluator::new(registry), explain })
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
        Ok(TextWorker { scanner: self, engine: self.engine.worker()?, hits: Vec::new(), verdicts: Vec::new() })
    }
}

/// A scanner with the buffers of one thread.
pub struct TextWorker<'scanner> {
    scanner: &'scanner TextScanner<'scanner>,
    engine: Box<dyn EngineWorker + 'scanner>,
    hits: Vec<AnchorHit>,
    verdicts: Vec<Verdict>,
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
        self.scan_part(text, 0..text.len())
    }

    /// Finds the credentials whose anchors begin in a part of a text; the rest of the text is context.
    ///
    /// # Errors
    /// Where the engine fails.
    pub fn scan_part(&mut self, text: &[u8], part: std::ops::Range<usize>) -> Result<TextHits> {
        self.hits.clear();
        self.engine.find(text, &mut self.hits)?;
        self.hits.retain(|hit| part.contains(&hit.start));
        if self.hits.is_empty() {
            return Ok(TextHits::default());
        }
        self.hits.sort_unstable();
        self.verdicts.clear();
        let mut counts: std::collections::HashMap<u16, usize> = std::collections::HashMap::new();
        let mut hits = TextHits::default();
        for hit in &self.hits {
            self.scanner.evaluator.evaluate(text, *hit, &mut self.verdicts);
            // Verdicts are taken off as they come, so that a text of nothing but keys costs memory by the cap.
            for verdict in self.verdicts.drain(..) {
                let detector = match &verdict {
                    Verdict::Kept(candidate) => candidate.detector,
                    Verdict::Dropped(dropped) => dropped.detector,
                };
                let count = counts.entry(detector).or_default();
                *count += 1;
                match verdict {
                    _ if *count > MOST_CANDIDATES => hits.beyond_cap += 1,
                    Verdict::Kept(candidate) => hits.located.push(Located::unplaced(candidate)),
                    Verdict::Dropped(dropped) if self.scanner.explain => hits.dropped.push(dropped),
                    Verdict::Dropped(_) => {}
                }
            }
        }
        settle(text, &mut hits);
        Ok(hits)
    }
}

impl Located {
    fn unplaced(candidate: Candidate) -> Self {
        Self { candidate, line: 0, column: 0, excerpt: String::new() }
    }
}

/// Resolves overlaps and gives each candidate that stands its line and excerpt.
fn settle(text: &[u8], hits: &mut TextHits) {
    let candidates = hits.located.drain(..).map(|located| located.candidate).collect();
    hits.located = resolve::resolve(candidates).into_iter().map(Located::unplaced).collect();
    excerpt::place(text, &mut hits.located);
    hits.dropped.sort_by_key(|dropped| (dropped.start, dropped.detector));
    hits.dropped.dedup();
}
