//! What matching finds: candidates, what was dropped and why, and the order among them.

use std::cmp::Reverse;

use crate::filter::DropReason;
use crate::finding::Confidence;
use crate::secret::Secret;

/// A credential in one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The detector, by its place in the registry.
    pub detector: u16,
    /// Other detectors that fit as well, where nothing says which is right.
    pub rivals: Vec<u16>,
    /// Where the secret begins in the original text.
    pub start: usize,
    /// Where the secret ends in the original text.
    pub end: usize,
    /// The secret, decoded.
    pub secret: Secret,
    /// How sure it is.
    pub confidence: Confidence,
    /// Whether other providers' credentials look the same.
    pub shared: bool,
    /// Whether the detector names no provider at all.
    pub generic: bool,
    /// The encodings that were undone, outermost first.
    pub decoded: Vec<&'static str>,
    /// How many leading bytes of the secret are a constant of its type.
    pub head: usize,
    /// How many bytes the literal has that proves the type; of two equal candidates the longer one stands.
    pub specificity: usize,
    /// How many bytes lie between it and the name that speaks for it; of two equal candidates the nearer one stands.
    pub distance: usize,
    /// How little its rule allows: an exact length and a small alphabet.
    pub tightness: u16,
}

impl Candidate {
    /// The order in which candidates of a text are looked at.
    pub(crate) fn order(&self) -> (usize, Reverse<usize>, u16, Reverse<Confidence>, usize) {
        (self.start, Reverse(self.end), self.detector, Reverse(self.confidence), self.distance)
    }

    /// What makes one of two overlapping candidates stand.
    pub(crate) fn rank(&self) -> impl Ord + use<> {
        let proves_provider = !self.generic && self.confidence >= Confidence::Medium;
        let nearness = Reverse(self.distance);
        let length = self.end - self.start;
        (proves_provider, self.confidence, self.specificity, self.tightness, nearness, !self.shared, length)
    }
}

/// A candidate that a filter dropped, for `--explain`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dropped {
    /// The detector, by its place in the registry.
    pub detector: u16,
    /// Where it begins in the original text.
    pub start: usize,
    /// Why it is not a finding.
    pub reason: DropReason,
}

/// What became of an anchor and a rule whose regex matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is a candidate.
    Kept(Candidate),
    /// It looked like one and is none.
    Dropped(Dropped),
}

impl Verdict {
    /// Where it begins in the text.
    pub fn start(&self) -> usize {
        match self {
            Self::Kept(candidate) => candidate.start,
            Self::Dropped(dropped) => dropped.start,
        }
    }

    /// The detector, by its place in the registry.
    pub fn detector(&self) -> u16 {
        match self {
            Self::Kept(candidate) => candidate.detector,
            Self::Dropped(dropped) => dropped.detector,
        }
    }
}
