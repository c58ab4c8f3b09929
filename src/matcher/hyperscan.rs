//! The Hyperscan (or Vectorscan) engine: all anchors as escaped literals in one block-mode database.
//!
//! The pure-literal API of the library is not used: versions in distribution fail on it. The database of the built-in
//! anchors was compiled with the program; where the library or the processor is another one by now, or the anchors are
//! others, it is compiled when a scan starts.

use hyperscan::{BlockDatabase, BlockMode, Matching, Scratch, SerializedDatabase};

use super::engine::{AnchorHit, Engine, EngineWorker};
use super::patterns::{self, Literal};
use crate::detector::compile::Anchor;
use crate::error::{Error, Result};

/// The mark of the built-in anchors and their database, written by `build.rs`.
const STORED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/anchors.hs"));

/// A compiled database and the length of each anchor.
pub struct HyperscanEngine {
    database: BlockDatabase,
    /// One scratch space from which each thread's is cloned.
    scratch: std::sync::Mutex<Scratch>,
    lengths: Vec<u32>,
}

impl HyperscanEngine {
    /// Opens the database that was stored for exactly these anchors; nothing where there is none that this library takes.
    pub fn stored(anchors: &[Anchor]) -> Option<Self> {
        let (mark, database) = STORED.split_at_checked(8)?;
        if patterns::mark(literals(anchors)) != mark {
            return None;
        }
        Self::new(anchors, database.deserialize::<BlockMode>().ok()?).ok()
    }

    /// Compiles the database.
    ///
    /// # Errors
    /// What the library said.
    pub fn open(anchors: &[Anchor]) -> Result<Self> {
        Self::new(anchors, patterns::compile(literals(anchors)).map_err(failed)?)
    }

    fn new(anchors: &[Anchor], database: BlockDatabase) -> Result<Self> {
        let scratch = database.alloc_scratch().map_err(failed)?;
        let lengths: Vec<u32> = anchors.iter().map(|anchor| anchor.bytes.len() as u32).collect();
        Ok(Self { database, scratch: std::sync::Mutex::new(scratch), lengths })
    }
}

fn literals(anchors: &[Anchor]) -> impl Iterator<Item = Literal<'_>> {
    anchors.iter().map(|anchor| (anchor.bytes.as_slice(), anchor.caseless))
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
