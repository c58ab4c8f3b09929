//! The verdict on one anchor: gate, window, regex, boundaries and value filters, for each rule that the anchor may begin.
//!
//! The text is read as it stands first. Where that decides nothing and something stands in the token that people or
//! machines put there, it is read again in [`super::views`]; where the anchor itself is encoded, the run round it is
//! decoded and looked through for anchors again. Either way a verdict depends on a
//! bounded stretch alone, whose size [`Evaluator::evaluate`] returns.

use std::collections::HashMap;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use super::boundary;
pub use super::candidate::{Candidate, Dropped, Verdict};
use super::decoded::{self, Reach, farther};
use super::engine::{AnchorHit, EngineWorker, Inside};
use super::ledger::Ledger;
use super::look::{self, GENERIC, Look};
use super::repetition;
use super::views::{self, Undone, View, join, undo, value};
use crate::detector::compile::{Anchor, Encoding, Place, Rule};
use crate::detector::registry::Registry;
use crate::error::Result;
use crate::filter::grammar;
use crate::finding::Confidence;

/// How many bytes before a plain anchor its views may hold.
const VIEW_BACK: usize = 256;
/// How many bytes after a plain anchor its views may hold: the key, what stands inside it, and what follows.
const VIEW_FORWARD: usize = 1024;
/// The longest token that is put together again where something cuts it, in bytes: a signed token with many claims.
const LONGEST_CUT: usize = 6 << 10;
/// How many bytes on each side of an encoded anchor are decoded at the most. What lies farther off is not read: in a
/// longer run the limit for one credential, its context included.
pub const RUN_REACH: usize = 32 << 10;
/// How far from encoded text names are read that speak for what it holds, in bytes before and after that.
const NAME_REACH: (usize, usize) = (200, 100);
/// How many encodings are undone round each other.
const DEEPEST: usize = 3;
/// How many levels of escapes are undone in one view.
const LEVELS: usize = 3;
/// The greatest range of lengths of a rule whose matches wrapped lines may hold: a longer one would swallow the next word.
const WRAPPED_SLACK: u32 = 16;
/// How many decoded bytes round an encoded anchor are looked through for plain ones.
const NEIGHBOURHOOD: usize = 96;
/// How many bytes more than its distance may lie between a name and a value, and what is read to tell.
const BESIDE: usize = 128;
/// How many bytes behind an encoded name a value may begin that it stands for.
const VALUE_BEHIND: usize = 16;

/// Evaluates anchors against a registry's rules. Regexes are compiled when first needed and shared by all threads.
pub struct Evaluator<'registry> {
    registry: &'registry Registry,
    /// The regexes of rules; of rules that match alike, one has it for all.
    regexes: Vec<OnceLock<Regex>>,
    /// The first rule that matches as a rule does: several providers issue tokens of one form.
    alike: Vec<u16>,
    #[cfg(test)]
    stressed: bool,
}

impl<'registry> Evaluator<'registry> {
    /// Prepares the evaluation of a registry's rules; compiles nothing.
    pub fn new(registry: &'registry Registry) -> Self {
        let mut known = HashMap::new();
        let form = |rule: &'registry Rule| (&*rule.regex, rule.place == Place::Around);
        let alike = registry.rules.iter().zip(0..).map(|(rule, number)| *known.entry(form(rule)).or_insert(number));
        Self {
            registry,
            regexes: registry.rules.iter().map(|_| OnceLock::new()).collect(),
            alike: alike.collect(),
            #[cfg(test)]
            stressed: false,
        }
    }

    /// Evaluates one anchor. Returns how many bytes before and after the anchor the verdicts could read, at most
    /// [`RUN_REACH`] and the reach of a name where it is encoded; nothing where no rule's gate passed and nothing right behind the anchor could have
    /// kept it from passing: that depends on no more than [`views::LOOK`] bytes beyond the gate's reach.
    ///
    /// # Errors
    /// Where the engine fails on what was decoded.
    pub fn evaluate(
        &self,
        engine: &mut dyn EngineWorker,
        text: &[u8],
        hit: AnchorHit,
        sink: &mut Ledger,
    ) -> Result<Option<Reach>> {
        #[cfg(test)]
        let known = sink.verdicts.len();
        let mut inside = Inside { engine, failure: None };
        let reach = self.evaluate_at(&mut inside, text, hit, 0, sink);
        if let Some(failure) = inside.failure {
            return Err(failure);
        }
        #[cfg(test)]
        if let (true, Some((back, forward))) = (self.stressed, reach) {
            sink.verdicts.truncate(known);
            let window = hit.start.saturating_sub(back)..(hit.end + forward).min(text.len());
            let rule = self.rule(self.registry.anchors[hit.anchor as usize].rules[0]);
            sink.verdicts.push(stand_in(rule.detector, &text[window], hit));
        }
        Ok(reach)
    }

    fn evaluate_at(
        &self,
        inside: &mut Inside<'_>,
        text: &[u8],
        hit: AnchorHit,
        depth: usize,
        sink: &mut Ledger,
    ) -> Option<Reach> {
        let encoding = self.registry.anchors[hit.anchor as usize].encoding;
        if repetition::surrounds(text, hit.start, encoding != Encoding::Plain) {
            return Some(repetition::REACH);
        }
        match encoding {
            Encoding::Plain => self.evaluate_plain(inside, text, hit, sink),
            encoding if depth < DEEPEST => Some(self.evaluate_encoded(inside, text, hit, (encoding, depth), sink)),
            _ => None,
        }
    }

    fn evaluate_plain(&self, inside: &mut Inside<'_>, text: &[u8], hit: AnchorHit, sink: &mut Ledger) -> Option<Reach> {
        let anchor = &self.registry.anchors[hit.anchor as usize];
        let distance = self.distance(anchor);
        if distance.is_some() && anchor.caseless && look::is_inside_a_word(text, hit.start, hit.end) {
            return Some((look::WORD_BACK, 0));
        }
        // Only what is given a value may have one that stands in pieces or in base64.
        let given = distance.filter(|distance| views::is_given(text, hit.end, *distance));
        if let Some(distance) = given
            && self.evaluate_coded_value(text, hit, distance, sink)
        {
            return Some(self.view_reach(anchor));
        }
        let (mut decided, mut open) = (false, false);
        let mut reach: Option<Reach> = None;
        for number in &anchor.rules {
            let rule = self.rule(*number);
            if !rule.gate.passes(text, hit.start, hit.end) {
                continue;
            }
            let (back, forward) = (rule.back as usize, rule.forward as usize);
            if reach.is_none() {
                sink.passed();
            }
            let known = reach.unwrap_or_default();
            // Whether a verdict is final depends on what follows its credential.
            reach = Some((known.0.max(back), known.1.max(forward + views::cut_reach(longest_token(rule)))));
            let (first, last) = (hit.start.saturating_sub(back), (hit.end + forward).min(text.len()));
            let view = View::raw(&text[first..last], first);
            let known = sink.verdicts.len();
            sink.looked();
            if rule.place == Place::Around {
                sink.read(last - first);
            }
            self.look(*number, &view, (hit.start - first, hit.end - first), &mut sink.verdicts);
            let last_word = sink.verdicts[known..].iter().any(|verdict| is_final(verdict, rule, text));
            decided |= last_word;
            open |= !last_word && matches!(rule.place, Place::Fixed(_));
        }
        // Where a shorter form fits and a longer one begins alike, what cuts the longer one decides.
        let decided = decided && !open;
        if decided || (reach.is_none() && !self.may_be_cut(anchor, text, hit)) {
            return reach;
        }
        if self.is_suspect(anchor, text, hit) {
            self.evaluate_in_views(inside, text, hit, sink);
        }
        if let Some(distance) = given {
            self.evaluate_cut_value(text, hit, distance, sink);
        }
        let known = reach.unwrap_or_default();
        let (back, forward) = self.view_reach(anchor);
        Some((known.0.max(back), known.1.max(forward)))
    }

    /// Returns whether what keeps the gates of an anchor from passing may be something that views undo.
    fn may_be_cut(&self, anchor: &Anchor, text: &[u8], hit: AnchorHit) -> bool {
        let inside = |number: &u16| matches!(self.rule(*number).place, Place::Fixed(offset) if offset > 0);
        views::may_be_cut(text, hit.end)
            || (anchor.rules.iter().any(inside) && views::may_be_cut_before(text, hit.start))
    }

    /// How many bytes before and after an anchor its views hold.
    fn view_reach(&self, anchor: &Anchor) -> Reach {
        let longest = anchor.rules.iter().map(|number| longest_token(self.rule(*number))).max().unwrap_or(0);
        (VIEW_BACK, VIEW_FORWARD.max(longest + VIEW_BACK))
    }

    /// How much to decode for an anchor at first: all that a plain one can reach, the neighbourhood of an encoded one.
    fn first_reach(&self, anchor: u32) -> Reach {
        let anchor = &self.registry.anchors[anchor as usize];
        if anchor.encoding != Encoding::Plain {
            let near = NEIGHBOURHOOD * decoded::near_stride(anchor.encoding);
            return (near, near);
        }
        let rules = anchor.rules.iter().map(|number| self.rule(*number));
        rules.map(|rule| (rule.back as usize, rule.forward as usize)).fold((VIEW_BACK, VIEW_FORWARD), farther)
    }

    /// Returns whether something stands after an anchor that views can undo.
    fn is_suspect(&self, anchor: &Anchor, text: &[u8], hit: AnchorHit) -> bool {
        if let Some(distance) = self.distance(anchor) {
            return views::is_escaped(text, hit.end, distance);
        }
        anchor.rules.iter().any(|number| {
            let rule = self.rule(*number);
            match rule.place {
                Place::Fixed(0) => {
                    boundary::may_begin(text, hit.start) && views::is_cut(text, hit.start, hit.end, longest_token(rule))
                }
                // What cuts such a token may stand before its anchor.
                Place::Fixed(offset) => {
                    views::is_cut(text, hit.start, hit.end, longest_token(rule))
                        || views::is_cut_before(text, hit.start, offset as usize)
                }
                Place::Near(_) | Place::Around => false,
            }
        })
    }

    /// Returns how far behind a name the values begin that are looked for beside it.
    fn distance(&self, anchor: &Anchor) -> Option<usize> {
        let distance = |number: &u16| match self.rule(*number).place {
            Place::Near(distance) => Some(distance as usize),
            Place::Fixed(_) | Place::Around => None,
        };
        anchor.rules.iter().filter_map(distance).max()
    }

    /// Looks at a value beside a name that is in base64 of its own. Returns whether something was found: then the base64 is
    /// no value by itself.
    fn evaluate_coded_value(&self, text: &[u8], hit: AnchorHit, distance: usize, sink: &mut Ledger) -> bool {
        let (raw, place) = self.window(text, hit);
        let anchor = &self.registry.anchors[hit.anchor as usize];
        sink.read(distance);
        let Some(view) = value::decoded(&raw, place.1, distance) else { return false };
        sink.read(view.bytes.len());
        self.look_with(&view, anchor, place, sink)
    }

    /// Looks at a value beside a name that a concatenation cuts.
    fn evaluate_cut_value(&self, text: &[u8], hit: AnchorHit, distance: usize, sink: &mut Ledger) {
        let (raw, place) = self.window(text, hit);
        let anchor = &self.registry.anchors[hit.anchor as usize];
        sink.read(distance);
        if let Some(view) = value::joined(&raw, place.1, distance) {
            sink.read(view.bytes.len());
            self.look_with(&view, anchor, place, sink);
        }
    }

    /// Returns the text round an anchor as views read it, and where the anchor stands in it.
    fn window<'text>(&self, text: &'text [u8], hit: AnchorHit) -> (View<'text>, (usize, usize)) {
        let reach = self.view_reach(&self.registry.anchors[hit.anchor as usize]);
        let first = hit.start.saturating_sub(reach.0);
        let last = (hit.end + reach.1).min(text.len());
        (View::raw(&text[first..last], first), (hit.start - first, hit.end - first))
    }

    /// Reads the text round an anchor with more and more undone, until something is found.
    fn evaluate_in_views(&self, inside: &mut Inside<'_>, text: &[u8], hit: AnchorHit, sink: &mut Ledger) {
        let (mut view, _) = self.window(text, hit);
        sink.read(view.bytes.len());
        if let Some(seen) = undo::unseen(&view) {
            let place = (seen.position(hit.start), seen.position(hit.end));
            if self.look_through(inside, &seen, hit.anchor, place, sink) {
                return;
            }
        }
        for level in 0..=LEVELS {
            let (from, to) = (view.position(hit.start), view.position(hit.end));
            if level > 0 && self.look_through(inside, &view, hit.anchor, (from, to), sink) {
                return;
            }
            for start in self.token_starts(&view, hit.anchor, from) {
                let Some(joined) = join::join(&view, start) else { continue };
                sink.read(joined.bytes.len());
                let place = (joined.position(hit.start), joined.position(hit.end));
                if self.look_through(inside, &joined, hit.anchor, place, sink) {
                    return;
                }
            }
            sink.read(view.bytes.len());
            match undo::undo(&view, (from, to)) {
                Some(next) => view = next,
                None => return,
            }
        }
    }

    /// Returns where a token begins that holds an anchor: at the anchor, or for one that stands inside its token where pieces
    /// of tokens before it begin.
    fn token_starts(&self, view: &View<'_>, number: u32, from: usize) -> Vec<usize> {
        let rules = self.registry.anchors[number as usize].rules.iter().map(|number| self.rule(*number).place);
        let offset = rules.filter_map(|place| if let Place::Fixed(offset) = place { Some(offset) } else { None }).max();
        match offset {
            Some(offset) if offset > 0 => {
                let mut starts = join::starts_before(&view.bytes, from, offset as usize);
                starts.push(from);
                starts
            }
            _ => vec![from],
        }
    }

    /// Looks at a view with the rules of an anchor, and with those of other anchors that its token holds once it is whole.
    /// Returns whether something was found.
    fn look_through(
        &self,
        inside: &mut Inside<'_>,
        view: &View<'_>,
        number: u32,
        place: (usize, usize),
        sink: &mut Ledger,
    ) -> bool {
        let anchor = &self.registry.anchors[number as usize];
        let mut found = self.look_with(view, anchor, place, sink);
        let token = join::run(&view.bytes[place.0..]);
        if anchor.caseless || token <= place.1 - place.0 {
            return found;
        }
        sink.searched(token);
        for hit in inside.find(&view.bytes[place.0..place.0 + token]) {
            let other = &self.registry.anchors[hit.anchor as usize];
            if other.encoding == Encoding::Plain && !other.caseless && hit.anchor != number {
                found |= self.look_with(view, other, (place.0 + hit.start, place.0 + hit.end), sink);
            }
        }
        found
    }

    /// Looks at a view with the rules of one anchor; keeps what may be kept of it.
    fn look_with(&self, view: &View<'_>, anchor: &Anchor, place: (usize, usize), sink: &mut Ledger) -> bool {
        let mut verdicts = Vec::new();
        let mut found = false;
        for number in &anchor.rules {
            let rule = self.rule(*number);
            if rule.place == Place::Around || !rule.gate.passes(&view.bytes, place.0, place.1) {
                continue;
            }
            sink.looked();
            self.look(*number, view, place, &mut verdicts);
            for verdict in verdicts.drain(..) {
                if self.may_stand(&verdict, rule, view) {
                    found = true;
                    sink.verdicts.push(verdict);
                }
            }
        }
        found
    }

    /// Returns whether a rule is strict enough for what was joined to read its match.
    fn may_stand(&self, verdict: &Verdict, rule: &Rule, view: &View<'_>) -> bool {
        let Verdict::Kept(candidate) = verdict else { return false };
        let (start, end) = (candidate.start, candidate.end);
        let detector = self.registry.detector(rule.detector);
        let own = !detector.shared && matches!(rule.place, Place::Fixed(_));
        let proved = detector.checksum.is_some();
        // The quotes of a concatenation say that its pieces belong together; the end of a line says nothing.
        let wrapped = view.has(Undone::Wrapping, start, end);
        !wrapped || proved || (own && rule.slack.is_some_and(|slack| slack <= WRAPPED_SLACK))
    }

    /// Decodes what stands round an encoded anchor and evaluates the anchors that it holds there.
    fn evaluate_encoded(
        &self,
        inside: &mut Inside<'_>,
        text: &[u8],
        hit: AnchorHit,
        (encoding, depth): (Encoding, usize),
        sink: &mut Ledger,
    ) -> Reach {
        sink.passed();
        let near = NEIGHBOURHOOD * decoded::near_stride(encoding);
        let mut reach = (near, near);
        if encoding == Encoding::Escaped && text[..hit.start].ends_with(&text[hit.start..hit.end]) {
            return reach;
        }
        sink.read(2 * near);
        let Some((view, from, to)) = decoded::round(text, hit, encoding, reach) else { return reach };
        sink.searched(view.bytes.len());
        let mut inner = self.anchors_near(inside, &view, from, to);
        inner.iter().for_each(|_| sink.looked());
        inner.retain(|inner| {
            let anchor = &self.registry.anchors[inner.anchor as usize];
            let deep = depth + 1 >= DEEPEST && anchor.encoding != Encoding::Plain;
            !deep && self.is_promising(anchor, &view, *inner)
        });
        if inner.is_empty() {
            return reach;
        }
        // What an anchor needs is counted from itself, what is decoded from the one that it was found by.
        let outside = |hit: &AnchorHit, need: Reach| {
            (need.0 + from.saturating_sub(hit.start), need.1 + hit.end.saturating_sub(to))
        };
        let mut need = inner.iter().map(|hit| outside(hit, self.first_reach(hit.anchor))).fold((0, 0), farther);
        // What an anchor needs that is itself encoded shows when it is evaluated.
        for _ in depth..DEEPEST {
            let Some(((full, begin, _), read)) = decoded::enough(text, hit, encoding, need, sink) else { return reach };
            reach = farther(reach, read);
            let outer = std::mem::take(&mut sink.verdicts);
            let mut needed = (0, 0);
            for inner in &inner {
                if sink.is_spent() {
                    break;
                }
                let Some(start) = (begin + inner.start).checked_sub(from) else { continue };
                let moved = AnchorHit { start, end: start + inner.end - inner.start, anchor: inner.anchor };
                if moved.end <= full.bytes.len() {
                    let read = self.evaluate_at(inside, &full.bytes, moved, depth + 1, sink);
                    needed = farther(needed, read.map_or((0, 0), |read| outside(inner, read)));
                }
            }
            let verdicts = std::mem::replace(&mut sink.verdicts, outer);
            if sink.is_spent() || farther(need, needed) == need || reach == (RUN_REACH, RUN_REACH) {
                if !verdicts.is_empty() {
                    reach = (reach.0 + NAME_REACH.0, reach.1 + NAME_REACH.1);
                }
                let outwards = verdicts.into_iter().map(|verdict| decoded::outwards(verdict, &full, encoding));
                sink.verdicts.extend(outwards.map(|verdict| self.named_outside(verdict, text)));
                break;
            }
            need = farther(need, needed);
        }
        reach
    }

    /// Has a name that stands beside encoded text speak for a credential in it that several providers share.
    fn named_outside(&self, verdict: Verdict, text: &[u8]) -> Verdict {
        let Verdict::Kept(candidate) = &verdict else { return verdict };
        let detector = self.registry.detector(candidate.detector);
        if !candidate.shared || candidate.confidence != Confidence::Low || detector.confidence == Confidence::Low {
            return verdict;
        }
        let before = &text[candidate.start.saturating_sub(NAME_REACH.0)..candidate.start];
        let after = &text[candidate.end..(candidate.end + NAME_REACH.1).min(text.len())];
        match grammar::nearest(before, after, &detector.context_words) {
            Some(distance) => {
                Verdict::Kept(Candidate { confidence: Confidence::Medium, distance, ..candidate.clone() })
            }
            None => verdict,
        }
    }

    /// Returns the anchors that stand where an encoded one was decoded, and the names beside it, or where there is none, all
    /// beside it: the anchor may have been a word that stands beside values.
    fn anchors_near(&self, inside: &mut Inside<'_>, view: &View<'_>, from: usize, to: usize) -> Vec<AnchorHit> {
        let hits = inside.find(&view.bytes).into_iter();
        let (mut over, beside): (Vec<_>, Vec<_>) = hits.partition(|hit| hit.start < to && hit.end > from);
        // A word that every provider's values stand beside says nothing of whose this one is.
        let alone = !over.iter().any(|hit| self.names_a_provider(hit));
        over.extend(beside.into_iter().filter(|hit| self.may_be_meant(hit, to, alone)));
        over.sort_unstable();
        over
    }

    /// Returns whether an anchor beside an encoded one that ends at `to` may be what made it stand there: a value right behind
    /// its name, whose own anchor may stand inside it, or a name. Where the encoded one is no name, any anchor may be.
    fn may_be_meant(&self, hit: &AnchorHit, to: usize, alone: bool) -> bool {
        let anchor = &self.registry.anchors[hit.anchor as usize];
        let places = anchor.rules.iter().map(|number| self.rule(*number).place);
        let offset = places.map(|place| if let Place::Fixed(offset) = place { offset } else { 0 }).max().unwrap_or(0);
        let value = hit.start >= to && hit.start < to + VALUE_BEHIND + offset as usize;
        let known = (alone || anchor.caseless) && hit.start < to + VALUE_BEHIND;
        anchor.encoding == Encoding::Plain && (known || value)
    }

    /// Returns whether an anchor is that of a provider's own detector.
    fn names_a_provider(&self, hit: &AnchorHit) -> bool {
        let rules = &self.registry.anchors[hit.anchor as usize].rules;
        rules.iter().any(|number| self.registry.detector(self.rule(*number).detector).provider != GENERIC)
    }

    /// Returns whether an anchor in what was decoded is worth decoding more.
    fn is_promising(&self, anchor: &Anchor, view: &View<'_>, hit: AnchorHit) -> bool {
        anchor.encoding != Encoding::Plain
            || anchor.rules.iter().any(|number| {
                let rule = self.rule(*number);
                match rule.place {
                    Place::Fixed(_) => rule.gate.passes(&view.bytes, hit.start, hit.end),
                    Place::Near(distance) => self.may_have_value(*number, distance as usize, view, hit),
                    Place::Around => true,
                }
            })
            || self.is_suspect(anchor, &view.bytes, hit)
    }

    /// Returns whether a value may stand beside a name in what was decoded: one does, in whatever form, or less was decoded
    /// than it takes to tell. Most names in escaped prose have none.
    fn may_have_value(&self, number: u16, distance: usize, view: &View<'_>, hit: AnchorHit) -> bool {
        let bytes = &view.bytes[..];
        let rule = self.rule(number);
        let of_a_value = |byte: &&u8| join::TOKEN.contains(**byte) || rule.alphabet.contains(**byte);
        let cut = bytes.iter().rev().take_while(of_a_value).count();
        if hit.end + distance + BESIDE > bytes.len() - cut {
            return true;
        }
        let mut verdicts = Vec::new();
        self.look(number, view, (hit.start, hit.end), &mut verdicts);
        let hidden =
            || value::decoded(view, hit.end, distance).is_some() || value::joined(view, hit.end, distance).is_some();
        !verdicts.is_empty() || (views::is_given(bytes, hit.end, distance) && hidden())
    }

    fn look(&self, number: u16, view: &View<'_>, anchor: (usize, usize), sink: &mut Vec<Verdict>) {
        let rule = self.rule(number);
        let detector = self.registry.detector(rule.detector);
        Look { rule, detector, view, anchor }.run(|| self.regex(usize::from(number)), sink);
    }

    fn rule(&self, number: u16) -> &'registry Rule {
        &self.registry.rules[usize::from(number)]
    }

    /// Returns the regex of a rule, anchored at the start of what it is run on unless it may stand anywhere.
    fn regex(&self, number: usize) -> &Regex {
        let number = usize::from(self.alike[number]);
        self.regexes[number].get_or_init(|| {
            let rule = &self.registry.rules[number];
            compile_regex(rule).expect("a rule's regex was parsed and bounded when its detector was loaded")
        })
    }
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
        secret: crate::secret::Secret::new(blake3::hash(window).as_bytes()),
        confidence: crate::finding::Confidence::High,
        shared: false,
        generic: false,
        decoded: Vec::new(),
        head: 0,
        specificity: 0,
        distance: 0,
        tightness: 0,
    })
}

/// Returns whether a verdict on the text as it stands needs no other view: an exact length, or nothing that goes on. A
/// line that ends with a whole credential is no wrapped one: what the next begins with, such as the dash of a list, is not
/// the credential's.
fn is_final(verdict: &Verdict, rule: &Rule, text: &[u8]) -> bool {
    let Verdict::Kept(candidate) = verdict else { return false };
    let rest = &text[candidate.end.min(text.len())..];
    let ends_a_line = [&b"\n"[..], b"\r", b"\\n", b"\\r"].iter().any(|end| rest.starts_with(end))
        && !views::may_end_a_mail_line(text, candidate.end);
    rule.slack == Some(0) || ends_a_line || !views::is_cut(text, candidate.end, candidate.end, longest_token(rule))
}

/// The longest token of a rule whose end is looked for, in bytes.
fn longest_token(rule: &Rule) -> usize {
    (rule.forward as usize).clamp(views::LONGEST_TOKEN, LONGEST_CUT)
}

/// Compiles a rule's regex the way matching uses it.
///
/// # Errors
/// Where it compiles larger than the size limit.
pub fn compile_regex(rule: &Rule) -> std::result::Result<Regex, regex::Error> {
    let pattern =
        if rule.place == Place::Around { format!("(?:{})", rule.regex) } else { format!("\\A(?:{})", rule.regex) };
    RegexBuilder::new(&pattern).unicode(false).size_limit(8 << 20).dfa_size_limit(4 << 20).build()
}
