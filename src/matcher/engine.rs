//! The one thing that the two engines do: say where the anchors of a set stand in a text.

use crate::detector::compile::Anchor;
use crate::error::{Error, Result};

/// Where an anchor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AnchorHit {
    /// Where it begins in the text.
    pub start: usize,
    /// Where it ends in the text.
    pub end: usize,
    /// Which anchor, by its place in the set.
    pub anchor: u32,
}

/// Finds anchors. Both engines report every occurrence of every anchor, overlapping ones too, in any order.
pub trait Engine: Send + Sync {
    /// The name that reports give.
    fn name(&self) -> &'static str;

    /// Makes the buffers of one thread.
    ///
    /// # Errors
    /// Where the engine cannot have them.
    fn worker(&self) -> Result<Box<dyn EngineWorker + '_>>;
}

/// An engine with the buffers of one thread.
pub trait EngineWorker: Send {
    /// Appends every anchor in `text` to `hits`.
    ///
    /// # Errors
    /// Where the engine fails on this text; nothing it said of it may be used.
    fn find(&mut self, text: &[u8], hits: &mut Vec<AnchorHit>) -> Result<()>;
}

/// An engine for the small texts that views make of a stretch of a text.
pub(super) struct Inside<'engine> {
    pub(super) engine: &'engine mut dyn EngineWorker,
    /// Why it failed on one of them.
    pub(super) failure: Option<Error>,
}

impl Inside<'_> {
    /// Returns the anchors of a text in their order; none where the engine fails, which is told in the end.
    pub(super) fn find(&mut self, text: &[u8]) -> Vec<AnchorHit> {
        let mut hits = Vec::new();
        if let Err(failure) = self.engine.find(text, &mut hits) {
            self.failure.get_or_insert(failure);
            hits.clear();
        }
        hits.sort_unstable();
        hits
    }
}

/// How much text a run will see; it decides which engine starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workload {
    /// Some kilobytes: what starts at once is best.
    Small,
    /// Megabytes and more: what runs fastest is best.
    Large,
}

/// Which engine a person asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EngineChoice {
    /// The fastest that this program was built with.
    #[default]
    Fastest,
    /// The pure-Rust one.
    Pure,
}

/// Opens an engine over a set of anchors and has it find each of them once before it is trusted.
///
/// # Errors
/// [`Error::Engine`] where the engine does not open or fails its self-test.
pub fn open(anchors: &[Anchor], choice: EngineChoice, workload: Workload) -> Result<Box<dyn Engine>> {
    #[cfg(feature = "hyperscan")]
    if choice == EngineChoice::Fastest && workload == Workload::Large {
        use super::hyperscan::HyperscanEngine;
        let stored = HyperscanEngine::stored(anchors).filter(|engine| self_test(engine, anchors).is_ok());
        if let Some(engine) = stored {
            return Ok(Box::new(engine));
        }
        let engine = HyperscanEngine::open(anchors)?;
        self_test(&engine, anchors)?;
        return Ok(Box::new(engine));
    }
    let _ = choice;
    Ok(Box::new(super::pure::PureEngine::open(anchors, workload)?))
}

/// Has an engine find all anchors in one text that holds each of them.
#[cfg_attr(
    not(any(test, feature = "hyperscan")),
    expect(dead_code, reason = "only an engine from outside is distrusted")
)]
pub(super) fn self_test(engine: &dyn Engine, anchors: &[Anchor]) -> Result<()> {
    let mut text = Vec::new();
    let mut places = Vec::new();
    for (number, anchor) in anchors.iter().enumerate() {
        text.extend_from_slice(b"\n \n");
        let start = text.len();
        text.extend_from_slice(&anchor.bytes);
        places.push(AnchorHit { start, end: text.len(), anchor: number as u32 });
    }
    let mut hits = Vec::new();
    engine.worker()?.find(&text, &mut hits)?;
    hits.sort_unstable();
    match places.iter().find(|place| hits.binary_search(place).is_err()) {
        None => Ok(()),
        Some(place) => Err(Error::Engine {
            engine: engine.name(),
            reason: format!(
                "self-test failed: anchor {} of {} was not found; use --engine pure and report the library's version",
                place.anchor,
                anchors.len()
            ),
        }),
    }
}
