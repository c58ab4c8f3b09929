//! The verdict on one anchor: gate, window, regex, boundaries and value filters, for each rule that the anchor may begin.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use super::engine::AnchorHit;
use super::view::View;
use super::{boundary, engine};
use crate::detector::compile::{ByteSet, Detector, Place, Rule, shape};
use crate::detector::registry::Registry;
use crate::filter::grammar::{self, Relation};
use crate::filter::{self, DropReason};
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
    /// The detector, by its place in the registry.
    pub fn detector(&self) -> u16 {
        match self {
            Self::Kept(candidate) => candidate.detector,
            Self::Dropped(dropped) => dropped.detector,
        }
    }
}

/// Evaluates anchors against a registry's rules. Regexes are compiled when first needed and shared by all threads.
pub struct Evaluator<'registry> {
    registry: &'registry Registry,
    regexes: Vec<OnceLock<Regex>>,
    #[cfg(test)]
    stressed: bool,
}

/// The provider of detectors that name none.
const GENERIC: &str = "generic";

/// One rule at one anchor in one view.
struct Look<'look> {
    rule: &'look Rule,
    detector: &'look Detector,
    /// The window, decoded.
    view: &'look View<'look>,
    /// Where the anchor stands in it.
    anchor: (usize, usize),
    /// What was undone to read it.
    decoded: &'look [&'static str],
}

impl<'registry> Evaluator<'registry> {
    /// Prepares the evaluation of a registry's rules; compiles nothing.
    pub fn new(registry: &'registry Registry) -> Self {
        Self {
            registry,
            regexes: registry.rules.iter().map(|_| OnceLock::new()).collect(),
            #[cfg(test)]
            stressed: false,
        }
    }

    /// Evaluates one anchor: what it reads of `text` is bounded by the rules of the anchor. Returns how many bytes before
    /// and after the anchor the verdicts could read; nothing where no rule's gate passed.
    pub fn evaluate(&self, text: &[u8], hit: AnchorHit, sink: &mut Vec<Verdict>) -> Option<(usize, usize)> {
        let anchor = &self.registry.anchors[hit.anchor as usize];
        let wide = engine::is_wide(anchor);
        let mut reach: Option<(usize, usize)> = None;
        for number in &anchor.rules {
            let rule = &self.registry.rules[usize::from(*number)];
            if !wide && !passes_gate(rule, text, hit) {
                continue;
            }
            let stride = if wide { 2 } else { 1 };
            let (back, forward) = (rule.back as usize * stride, rule.forward as usize * stride);
            let known = reach.unwrap_or_default();
            reach = Some((known.0.max(back), known.1.max(forward)));
            let first = hit.start.saturating_sub(back);
            let last = (hit.end + forward).min(text.len());
            let window = &text[first..last];
            #[cfg(test)]
            if self.stressed {
                sink.push(stand_in(rule.detector, window, hit));
                continue;
            }
            let (view, from, to) = if wide {
                View::wide(window, first, hit.start, hit.end)
            } else {
                (View::raw(window, first), hit.start - first, hit.end - first)
            };
            let decoded: &[&'static str] = if wide { &["utf-16"] } else { &[] };
            let detector = self.registry.detector(rule.detector);
            let look = Look { rule, detector, view: &view, anchor: (from, to), decoded };
            self.look(usize::from(*number), &look, sink);
        }
        reach
    }

    /// Returns the regex of a rule, anchored at the start of what it is run on unless it may stand anywhere.
    fn regex(&self, number: usize) -> &Regex {
        self.regexes[number].get_or_init(|| {
            let rule = &self.registry.rules[number];
            compile_regex(rule).expect("a rule's regex was parsed and bounded when its detector was loaded")
        })
    }

    fn look(&self, number: usize, look: &Look<'_>, sink: &mut Vec<Verdict>) {
        match look.rule.place {
            Place::Fixed(offset) => {
                let Some(start) = look.anchor.0.checked_sub(offset as usize) else { return };
                self.look_at(number, look, start, sink);
            }
            Place::Around => self.look_around(number, look, sink),
            Place::Near(distance) => self.look_near(number, look, distance as usize, sink),
        }
    }

    fn look_at(&self, number: usize, look: &Look<'_>, start: usize, sink: &mut Vec<Verdict>) {
        let bytes = &look.view.bytes;
        if !boundary::may_begin(bytes, start) {
            return;
        }
        let Some(captures) = self.regex(number).captures(&bytes[start..]) else { return };
        let span = captures
            .name("secret")
            .or_else(|| captures.get(0))
            .map(|group| (start + group.start(), start + group.end()));
        let Some((from, to)) = span else { return };
        if !look.rule.alphabet.is_empty() && !boundary::may_end(bytes, start, to, &look.rule.alphabet) {
            return;
        }
        sink.push(judge(look, from, to, None));
    }

    fn look_around(&self, number: usize, look: &Look<'_>, sink: &mut Vec<Verdict>) {
        for captures in self.regex(number).captures_iter(&look.view.bytes) {
            let Some(whole) = captures.get(0) else { continue };
            if whole.start() < look.anchor.1 && whole.end() > look.anchor.0 {
                let secret = captures.name("secret").unwrap_or(whole);
                sink.push(judge(look, secret.start(), secret.end(), None));
            }
        }
    }

    /// Tries every run of the value's alphabet that begins within `distance` after the name.
    fn look_near(&self, number: usize, look: &Look<'_>, distance: usize, sink: &mut Vec<Verdict>) {
        let bytes = &look.view.bytes;
        if !names_a_provider(bytes, look.anchor) {
            return;
        }
        let mut position = look.anchor.1;
        let limit = (position + distance).min(bytes.len());
        while let Some((start, end)) = next_run(bytes, position, limit, &look.rule.alphabet) {
            let fits = |found: regex::bytes::Match<'_>| found.end() == end - start;
            if stands_free(bytes, start, end) && self.regex(number).find(&bytes[start..end]).is_some_and(fits) {
                let relation = grammar::relation(&bytes[look.anchor.1..start]);
                sink.push(judge(look, start, end, Some(relation)));
            }
            position = end;
        }
    }
}

/// Returns whether an anchor is a name by itself or a word of one (`myCohereKey`), not the tail of another word.
fn names_a_provider(bytes: &[u8], (start, end): (usize, usize)) -> bool {
    let long = end - start >= 6;
    let Some(before) = start.checked_sub(1).map(|index| bytes[index]) else { return true };
    let new_word = before.is_ascii_lowercase() && bytes[start].is_ascii_uppercase();
    long || new_word || !before.is_ascii_alphabetic() || boundary::may_begin(bytes, start)
}

/// Returns the next run of an alphabet that begins before `limit`. An equals sign ends a name and can only close a value, and
/// full stops at its end are a sentence's.
fn next_run(bytes: &[u8], from: usize, limit: usize, alphabet: &ByteSet) -> Option<(usize, usize)> {
    let in_run = |byte: &u8| alphabet.contains(*byte) && *byte != b'=';
    let start = from + bytes.get(from..limit)?.iter().position(|byte| in_run(byte) && *byte != b'.')?;
    let mut end = start + bytes[start..].iter().take_while(|byte| in_run(byte)).count();
    end -= bytes[start..end].iter().rev().take_while(|byte| **byte == b'.').count();
    if alphabet.contains(b'=') {
        end += bytes[end..].iter().take_while(|byte| **byte == b'=').count();
    }
    Some((start, end))
}

#[cfg(test)]
impl Evaluator<'_> {
    /// Has every verdict depend on each byte that it may read.
    pub(crate) fn stress(&mut self) {
        self.stressed = true;
    }
}

/// A candidate that is another one if any byte of its window is.
#[cfg(test)]
fn stand_in(detector: u16, window: &[u8], hit: AnchorHit) -> Verdict {
    Verdict::Kept(Candidate {
        detector,
        rivals: Vec::new(),
        start: hit.start,
        end: hit.end,
        secret: Secret::new(blake3::hash(window).as_bytes()),
        confidence: Confidence::High,
        shared: false,
        generic: false,
        decoded: Vec::new(),
        head: 0,
        specificity: 0,
        distance: 0,
        tightness: 0,
    })
}

/// Runs a rule's byte gate; it reads at most [`crate::detector::compile::gate::REACH`] bytes on each side.
#[inline]
fn passes_gate(rule: &Rule, text: &[u8], hit: AnchorHit) -> bool {
    rule.gate.passes(text, hit.start, hit.end)
}

/// Compiles a rule's regex the way matching uses it.
///
/// # Errors
/// Where it compiles larger than the size limit.
pub fn compile_regex(rule: &Rule) -> Result<Regex, regex::Error> {
    let pattern =
        if rule.place == Place::Around { format!("(?:{})", rule.regex) } else { format!("\\A(?:{})", rule.regex) };
    RegexBuilder::new(&pattern).unicode(false).size_limit(8 << 20).dfa_size_limit(4 << 20).build()
}

/// Returns whether a value without a prefix of its own stands free, and is no part of a path, a base64 run or a longer word.
fn stands_free(bytes: &[u8], start: usize, end: usize) -> bool {
    let joins = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'/' | b'+' | b'.' | b'~' | b'%' | b'@')
    };
    let before = start.checked_sub(1).map(|index| &bytes[index]);
    let clean_start = before.is_none_or(|byte| !joins(byte)) || boundary_escape(bytes, start);
    let after = bytes.get(end);
    let full_stop = after == Some(&b'.') && bytes.get(end + 1).is_none_or(|next| !next.is_ascii_alphanumeric());
    clean_start && (after.is_none_or(|byte| !joins(byte) && *byte != b'=') || full_stop)
}

fn boundary_escape(bytes: &[u8], start: usize) -> bool {
    bytes[start - 1].is_ascii_alphanumeric() && boundary::may_begin(bytes, start)
}

/// Runs the value filters and says how sure a candidate is.
fn judge(look: &Look<'_>, from: usize, to: usize, relation: Option<Relation>) -> Verdict {
    let bytes = &look.view.bytes;
    let head = constant_head(look, from);
    let body = variable_part(&bytes[from..to], &look.rule.constants, head);
    let value = filter::Value {
        bytes: &bytes[from..to],
        body: &body,
        before: &bytes[..from],
        after: &bytes[to..],
        exact: look.rule.tightness >= shape::EXACT,
        name: relation.map(|_| look.anchor.0),
    };
    let start = look.view.offset(from);
    if let Some(reason) = filter::drop_reason(look.detector, &value, relation) {
        return Verdict::Dropped(Dropped { detector: look.rule.detector, start, reason });
    }
    let (confidence, distance) = confidence(look, &value, relation);
    Verdict::Kept(Candidate {
        detector: look.rule.detector,
        rivals: Vec::new(),
        start,
        end: look.view.offset(to),
        secret: Secret::new(value.bytes),
        confidence,
        shared: look.detector.shared,
        generic: look.detector.provider == GENERIC,
        decoded: look.decoded.to_vec(),
        head,
        specificity: if relation.is_some() { 0 } else { look.anchor.1 - look.anchor.0 },
        distance,
        tightness: look.rule.tightness,
    })
}

/// Returns a value without the stretches that every credential of its type has in common.
fn variable_part<'value>(value: &'value [u8], constants: &[(u32, u32)], head: usize) -> Cow<'value, [u8]> {
    match constants {
        [] => Cow::Borrowed(&value[head.min(value.len())..]),
        [(0, end)] => Cow::Borrowed(value.get(*end as usize..).unwrap_or_default()),
        _ => {
            let constant =
                |index: usize| constants.iter().any(|(start, end)| (*start as usize..*end as usize).contains(&index));
            value.iter().enumerate().filter(|(index, _)| !constant(*index)).map(|(_, byte)| *byte).collect()
        }
    }
}

/// How many leading bytes of the secret are the anchor, which every credential of the type begins with.
fn constant_head(look: &Look<'_>, from: usize) -> usize {
    match look.rule.place {
        Place::Fixed(0) if from == look.anchor.0 => look.anchor.1 - look.anchor.0,
        _ => 0,
    }
}

/// Says how sure a candidate is, and how far from it the name stands that speaks for it.
fn confidence(look: &Look<'_>, value: &filter::Value<'_>, relation: Option<Relation>) -> (Confidence, usize) {
    let named = || {
        let near = 200;
        let before = &value.before[value.before.len().saturating_sub(near)..];
        let after = &value.after[..value.after.len().min(near / 2)];
        grammar::nearest(before, after, &look.detector.context_words)
    };
    let (reached, distance) = match relation {
        Some(Relation::Assigned) => (Confidence::Medium, value.before.len() - look.anchor.0),
        Some(Relation::Loose) => (Confidence::Low, value.before.len() - look.anchor.0),
        None if !look.detector.shared => (Confidence::High, 0),
        None => named().map_or((Confidence::Low, 0), |distance| (Confidence::Medium, distance)),
    };
    (reached.min(look.detector.confidence), distance)
}
