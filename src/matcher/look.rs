//! One rule at one anchor in one view: regex, boundaries and value filters.

use std::borrow::Cow;

use regex::bytes::Regex;

use super::boundary;
use super::candidate::{Candidate, Dropped, Verdict};
use super::views::View;
use crate::detector::compile::{ByteSet, Detector, Kind, Place, Rule, shape};
use crate::filter;
use crate::filter::grammar::{self, Relation};
use crate::finding::Confidence;
use crate::secret::Secret;

/// The provider of detectors that name none.
pub(super) const GENERIC: &str = "generic";

/// One rule at one anchor in one view.
pub(crate) struct Look<'look> {
    pub(crate) rule: &'look Rule,
    pub(crate) detector: &'look Detector,
    /// The window as it is read.
    pub(crate) view: &'look View<'look>,
    /// Where the anchor stands in it.
    pub(crate) anchor: (usize, usize),
}

impl Look<'_> {
    /// Appends the verdicts on what the rule matches at the anchor. The regex is asked for only where it decides.
    pub(crate) fn run<'regex>(&self, regex: impl Fn() -> &'regex Regex, sink: &mut Vec<Verdict>) {
        match self.rule.place {
            Place::Fixed(offset) => {
                let Some(start) = self.anchor.0.checked_sub(offset as usize) else { return };
                self.at(regex, start, sink);
            }
            Place::Around => self.around(regex(), sink),
            Place::Near(distance) => self.near(regex, distance as usize, sink),
        }
    }

    fn at<'regex>(&self, regex: impl Fn() -> &'regex Regex, start: usize, sink: &mut Vec<Verdict>) {
        let bytes = &self.view.bytes;
        if !boundary::may_begin(bytes, start) {
            return;
        }
        let Some(captures) = regex().captures(&bytes[start..]) else { return };
        let span = captures
            .name("secret")
            .or_else(|| captures.get(0))
            .map(|group| (start + group.start(), start + group.end()));
        let Some((from, to)) = span else { return };
        if !self.rule.alphabet.is_empty() && !boundary::may_end(bytes, start, to, &self.rule.alphabet) {
            return;
        }
        sink.push(judge(self, from, to, None));
    }

    fn around(&self, regex: &Regex, sink: &mut Vec<Verdict>) {
        for captures in regex.captures_iter(&self.view.bytes) {
            let Some(whole) = captures.get(0) else { continue };
            if whole.start() < self.anchor.1 && whole.end() > self.anchor.0 {
                let secret = captures.name("secret").unwrap_or(whole);
                sink.push(judge(self, secret.start(), secret.end(), None));
            }
        }
    }

    /// Tries every run of the value's alphabet that begins within `distance` after the name.
    fn near<'regex>(&self, regex: impl Fn() -> &'regex Regex, distance: usize, sink: &mut Vec<Verdict>) {
        let bytes = &self.view.bytes;
        if !names_a_provider(bytes, self.anchor) {
            return;
        }
        let mut position = self.anchor.1;
        let limit = (position + distance + interlude(&bytes[position..])).min(bytes.len());
        while let Some((start, end)) = next_run(bytes, position, limit, &self.rule.alphabet) {
            let start = (start + rest_of_escape(bytes, start)).min(end);
            let fits = |found: regex::bytes::Match<'_>| found.end() == end - start;
            // Most runs are words: their length alone tells them from values.
            let is_long = end - start >= self.rule.shortest as usize;
            if is_long && stands_free(bytes, start, end) && regex().find(&bytes[start..end]).is_some_and(fits) {
                // A name may be written with what gives it the value: `Exa(`.
                let gives = matches!(bytes[self.anchor.1 - 1], b'(' | b'=' | b':');
                let gap = &bytes[self.anchor.1 - usize::from(gives)..start];
                let is_option = grammar::is_option(&bytes[..self.anchor.1], gap);
                let relation = if is_option { Relation::Assigned } else { grammar::relation(gap) };
                sink.push(judge(self, start, end, Some(relation)));
            }
            position = end.max(position + 1);
        }
    }
}

/// Returns how many bytes at the start of a run belong to an escape before it: the `n` of `\\n`, the digits of `\\u003d`.
fn rest_of_escape(bytes: &[u8], start: usize) -> usize {
    let digits = |from: usize, count: usize| {
        bytes.get(from..from + count).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    match (start.checked_sub(1).map(|before| bytes[before]), bytes.get(start)) {
        (Some(b'\\'), Some(b'n' | b't' | b'r')) => 1,
        (Some(b'\\'), Some(b'u')) if digits(start + 1, 4) => 5,
        (Some(b'\\'), Some(b'x')) if digits(start + 1, 2) => 3,
        (Some(b'%'), Some(_)) if digits(start, 2) => 2,
        _ => 0,
    }
}

/// Returns whether a short name is surely a part of a longer word, such as `kagi` in `packaging`: no view of the text makes it
/// another. Reads [`WORD_BACK`] bytes before it.
pub(super) fn is_inside_a_word(bytes: &[u8], start: usize, end: usize) -> bool {
    let letters = start.checked_sub(WORD_BACK).map(|first| &bytes[first..=start]);
    end - start < LONG_NAME && letters.is_some_and(|letters| letters.iter().all(u8::is_ascii_lowercase))
}

/// How many bytes before a name [`is_inside_a_word`] reads: no escape is so many small letters.
pub(super) const WORD_BACK: usize = 3;
/// The length from which a name says whose value it is even at the end of another word.
const LONG_NAME: usize = 6;

/// Returns whether an anchor is a name by itself or a word of one (`myCohereKey`), not the tail of another word.
fn names_a_provider(bytes: &[u8], (start, end): (usize, usize)) -> bool {
    let long = end - start >= LONG_NAME;
    let Some(before) = start.checked_sub(1).map(|index| bytes[index]) else { return true };
    let new_word = before.is_ascii_lowercase() && bytes[start].is_ascii_uppercase();
    long || new_word || !before.is_ascii_alphabetic() || boundary::may_begin(bytes, start)
}

/// Returns how long what stands between a name and the operator of its value is: a type (`_key: String =`), or the
/// beginning of the line that holds the value (`name: NAME`, `value: VALUE`).
fn interlude(text: &[u8]) -> usize {
    let of_a_name = |byte: &&u8| byte.is_ascii_alphanumeric() || **byte == b'_';
    let rest = text.iter().take(64).take_while(of_a_name).count();
    let of_a_type = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b' ' | b'&' | b'\'' | b'?');
    let length = text[rest..].iter().take(MOST_TYPE).take_while(of_a_type).count();
    if text[rest..].starts_with(b":") && text.get(rest + length) == Some(&b'=') {
        return length;
    }
    let of_an_end = |byte: &&u8| matches!(byte, b'"' | b'\'' | b',' | b'\r' | b'\n' | b' ' | b'\t');
    let length = text[rest..].iter().take(MOST_INDENTATION).take_while(of_an_end).count();
    let is_field = text[rest..rest + length].contains(&b'\n')
        && text.get(rest + length..rest + length + 5).is_some_and(|word| word.eq_ignore_ascii_case(b"value"));
    if is_field { length + 5 } else { 0 }
}

/// The longest type between a name and its value, in bytes.
const MOST_TYPE: usize = 24;
/// The most that stands between a name and the line of its value, in bytes.
const MOST_INDENTATION: usize = 48;

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
    let (start, end) = look.view.span(from, to);
    if let Some(reason) = filter::drop_reason(look.detector, &value, relation) {
        return Verdict::Dropped(Dropped { detector: look.rule.detector, start, reason });
    }
    let (confidence, distance) = confidence(look, &value, relation);
    Verdict::Kept(Candidate {
        detector: look.rule.detector,
        rivals: Vec::new(),
        start,
        end,
        secret: Secret::new(value.bytes),
        confidence,
        shared: look.detector.shared,
        generic: look.detector.provider == GENERIC,
        decoded: look.view.undone(start, end),
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
        // A value of an exact form that is given to a bare `api_key` belongs to whom the lines round it are about.
        Some(Relation::Loose) if value.exact && filter::surroundings::is_given_to_a_key(value.before) => {
            (Confidence::Medium, value.before.len() - look.anchor.0)
        }
        Some(Relation::Loose) => (Confidence::Low, value.before.len() - look.anchor.0),
        None if !look.detector.shared => (Confidence::High, 0),
        None => named().map_or((Confidence::Low, 0), |distance| (Confidence::Medium, distance)),
    };
    let is_password = matches!(look.detector.kind, Kind::ConnectionUri | Kind::Password);
    if is_password && filter::password::is_weak(value.bytes) {
        return (Confidence::Low, distance);
    }
    (reached.min(look.detector.confidence), distance)
}
