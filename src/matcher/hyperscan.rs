//! The Hyperscan (or Vectorscan) engine: all anchors as escaped literals in one block-mode database.
//!
//! The pure-literal API of the library is not used: versions in distribution fail on it. The database is built when a
//! scan starts, since a stored one holds for one library version and one processor.

use hyperscan::{BlockDatabase, Builder, Matching, Pattern, PatternFlags, Patterns, Scratch};

use super::engine::{AnchorHit, Engine, EngineWorker};
use crate::detector::compile::Anchor;
use crate::error::{Error, Result};

/// A compiled database and the length of each anchor.
pub struct HyperscanEngine {
    database: BlockDatabase,
    /// One scratch space from which each thread's is cloned.
    scratch: std::sync::Mutex<Scratch>,
    lengths: Vec<u32>,
}

impl HyperscanEngine {
    /// Compiles the database.
    ///
    /// # Errors
    /// What the library said.
    pub fn open(anchors: &[Anchor]) -> Result<Self> {
        let patterns: Patterns = anchors
            .iter()
            .enumerate()
            .map(|(number, anchor)| {
                let flags = if anchor.caseless { PatternFlags::CASELESS } else { PatternFlags::empty() };
                let expression: String = anchor.bytes.iter().map(|byte| format!("\\x{byte:02x}")).collect();
                let mut pattern = Pattern::with_flags(expression, flags).map_err(failed)?;
                pattern.id = Some(number);
                Ok(pattern)
            })
            .collect::<Result<Vec<_>>>()?
            .into();
        let database: BlockDatabase = patterns.build().map_err(failed)?;
        let scratch = database.alloc_scratch().map_err(failed)?;
        let lengths: Vec<u32> = anchors.iter().map(|anchor| anchor.bytes.len() as u32).collect();
        Ok(Self { database, scratch: std::sync::Mutex::new(scratch), lengths })
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Engine { engine: "hyperscan", reason: format!("{error}; --engine pure works without the library") }
}

impl Engine for HyperscanEngine {
    fn name(&self) -> &'static str {
        "hyperscan"
    }

    fn worker(&self) -> Result<Box<dyn EngineWorker + '_>> {
        let scratch = self.scratch.lock().map_err(failed)?.clone();
        Ok(Box::new(HyperscanWorker { engine: self, scratch }))
    }
}

struct HyperscanWorker<'engine> {
    engine: &'engine HyperscanEngine,
    scratch: Scratch,
}

impl EngineWorker for HyperscanWorker<'_> {
    fn find(&mut self, text: &[u8], hits: &mut Vec<AnchorHit>) -> Result<()> {
        if u32::try_from(text.len()).is_err() {
            return Err(failed("a text of more than 4 GB at once"));
        }
        let lengths = &self.engine.lengths;
        let on_match = |anchor: u32, _from: u64, to: u64, _flags: u32| {
            let end = to as usize;
            hits.push(AnchorHit { start: end - lengths[anchor as usize] as usize, end, anchor });
            Matching::Continue
        };
        self.engine.database.scan(text, &self.scratch, on_match).map_err(failed)
    }
}
