//! The pure-Rust engine: one Aho-Corasick automaton over all anchors. It always builds and starts in a millisecond.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, Input, MatchKind};

use super::engine::{AnchorHit, Engine, EngineWorker, Workload};
use crate::detector::compile::Anchor;
use crate::error::{Error, Result};

/// An automaton that ignores case, and which anchors must then be compared again.
pub struct PureEngine {
    automaton: AhoCorasick,
    /// For each anchor its bytes where case matters.
    exact: Vec<Option<Box<[u8]>>>,
}

impl PureEngine {
    /// Builds the automaton: a compact one for small work, a fast and larger one for large work.
    ///
    /// # Errors
    /// Where the automaton would be larger than the library allows.
    pub fn open(anchors: &[Anchor], workload: Workload) -> Result<Self> {
        let kind = match workload {
            Workload::Small => AhoCorasickKind::ContiguousNFA,
            Workload::Large => AhoCorasickKind::DFA,
        };
        let automaton = AhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            .ascii_case_insensitive(true)
            .kind(Some(kind))
            .prefilter(false)
            .build(anchors.iter().map(|anchor| &anchor.bytes))
            .map_err(|error| Error::Engine { engine: "aho-corasick", reason: error.to_string() })?;
        let exact =
            anchors.iter().map(|anchor| (!anchor.caseless).then(|| anchor.bytes.clone().into_boxed_slice())).collect();
        Ok(Self { automaton, exact })
    }

    /// Appends every anchor in `text` to `hits`.
    pub fn find_all(&self, text: &[u8], hits: &mut Vec<AnchorHit>) {
        for found in self.automaton.find_overlapping_iter(Input::new(text)) {
            let anchor = found.pattern().as_usize();
            let exact = self.exact[anchor].as_deref();
            if exact.is_none_or(|bytes| bytes == &text[found.range()]) {
                hits.push(AnchorHit { start: found.start(), end: found.end(), anchor: anchor as u32 });
            }
        }
    }
}

impl Engine for PureEngine {
    fn name(&self) -> &'static str {
        "aho-corasick"
    }

    fn worker(&self) -> Result<Box<dyn EngineWorker + '_>> {
        Ok(Box::new(PureWorker(self)))
    }
}

struct PureWorker<'engine>(&'engine PureEngine);

impl EngineWorker for PureWorker<'_> {
    fn find(&mut self, text: &[u8], hits: &mut Vec<AnchorHit>) -> Result<()> {
        self.0.find_all(text, hits);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::compile::rule::Encoding;

    fn anchor(bytes: &[u8], caseless: bool) -> Anchor {
        Anchor { bytes: bytes.to_vec(), caseless, encoding: Encoding::Plain, rules: vec![0] }
    }

    #[test]
    fn overlapping_anchors_are_all_found_and_case_matters_where_it_should() {
        let anchors = [anchor(b"sk-", false), anchor(b"sk-ant-", false), anchor(b"cohere", true)];
        for workload in [Workload::Small, Workload::Large] {
            let engine = PureEngine::open(&anchors, workload).expect("an engine");
            let mut hits = Vec::new();
            engine.worker().expect("a worker").find(b"sk-ant-x SK-ANT-x CoHere", &mut hits).expect("a scan");
            hits.sort_unstable();
            let found: Vec<_> = hits.iter().map(|hit| (hit.start, hit.anchor)).collect();
            assert_eq!(found, [(0, 0), (0, 1), (18, 2)]);
        }
    }
}
