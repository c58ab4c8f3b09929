//! What an inventory must not hold: whole credentials, and redacted forms that leave too little of a value unknown. An
//! inventory is copied into spreadsheets and builds, so it must not become a leak itself.

use std::collections::BTreeSet;

use serde_json::Value;

use super::claims::{Fields, dotted};
use super::ingest::{ClaimsByRecord, RecordKind};
use super::model::Observation;
use super::types;
use crate::detector::compile::schema::{Detector, Kind, Privilege};
use crate::detector::compile::shape::{Piece, Shape};
use crate::detector::registry::Registry;
use crate::error::Result;
use crate::finding::Confidence;
use crate::matcher::engine::{EngineChoice, Workload};
use crate::scan::text::{TextScanner, TextWorker};

/// How many bits of a value a hint must leave unknown.
const LEAST_UNKNOWN: f64 = 80.0;
/// How many characters of the variable part a hint may show at either end, and of a value of unknown shape in all.
const MOST_SHOWN: usize = 8;
/// How much text is looked at in one go, in bytes.
const CHUNK: usize = 1 << 20;
/// Keeps one field apart from the next.
const SEPARATOR: &[u8] = b"\n\n----\n\n";

/// Says why a redacted form must not be kept.
///
/// # Errors
/// The reason, without the form.
pub(super) fn hint(sort: Option<&str>, provider: Option<&str>, head: &str, tail: &str) -> Result<(), String> {
    let known = sort.and_then(types::of);
    if known.is_some_and(|known| known.guessable) {
        return Err("is of a password or an address with one, of which no character may be kept".into());
    }
    if !head.bytes().chain(tail.bytes()).all(|byte| byte.is_ascii_graphic()) {
        return Err("holds characters that no credential has".into());
    }
    let fitting: Vec<&Shape> = known.map(|known| fitting(&known.shapes, head)).unwrap_or_default();
    if fitting.is_empty() {
        return unknown_shape(provider, head, tail);
    }
    for shape in fitting {
        let (front, back) = shown(shape, head, tail);
        if front > MOST_SHOWN || back > MOST_SHOWN {
            return Err(format!("shows more than {MOST_SHOWN} characters of the value in a row"));
        }
        let left = unknown_bits(shape, front + back);
        if left < LEAST_UNKNOWN {
            return Err(format!("leaves {left:.0} bits of the value unknown, and {LEAST_UNKNOWN:.0} are the least"));
        }
    }
    Ok(())
}

/// The shapes whose constant beginning agrees with the head.
fn fitting<'a>(shapes: &'a [Shape], head: &str) -> Vec<&'a Shape> {
    let agrees = |shape: &&Shape| {
        let (constant, _) = types::constant_ends(shape);
        constant.starts_with(head.as_bytes()) || head.as_bytes().starts_with(constant)
    };
    shapes.iter().filter(agrees).collect()
}

/// How many characters of the variable part the head and the tail show.
fn shown(shape: &Shape, head: &str, tail: &str) -> (usize, usize) {
    let (first, last) = types::constant_ends(shape);
    let back = if tail.as_bytes().ends_with(last) { tail.len() - last.len() } else { tail.len() };
    (head.len().saturating_sub(first.len()), back)
}

/// How many bits of a value of this shape, at its shortest, nobody knows who sees so many of its characters.
fn unknown_bits(shape: &Shape, shown: usize) -> f64 {
    let bits = |piece: &Piece| match piece {
        Piece::Literal(_) => (0.0, 0.0),
        Piece::Run { set, min, .. } => ((set.len().max(1) as f64).log2(), f64::from(*min)),
    };
    let runs: Vec<(f64, f64)> = shape.0.iter().map(bits).collect();
    let most = runs.iter().map(|run| run.0).fold(0.0, f64::max);
    runs.iter().map(|(bits, length)| bits * length).sum::<f64>() - most * shown as f64
}

/// Where no shape says how long a value is, little may be shown beside a beginning that all values of its provider have.
fn unknown_shape(provider: Option<&str>, head: &str, tail: &str) -> Result<(), String> {
    let constant = types::longest_constant(provider, head);
    let shown = head.len() - constant + tail.len();
    if shown > MOST_SHOWN {
        return Err(format!(
            "shows {shown} characters of a value whose shape is not known, and {MOST_SHOWN} are the most"
        ));
    }
    Ok(())
}

/// Where a credential stands in a batch.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sighting {
    /// In a field of a record: its kind, id, the field's dotted name and the credential's detector.
    Record(RecordKind, String, String, String),
    /// In an event, by its place.
    Event(usize, String),
}

/// Finds whole credentials in the text of records and events: those that their own prefix or checksum proves. A value that
/// only its surroundings would betray is not seen.
///
/// # Errors
/// Where the engine does not open.
pub(super) fn whole_secrets(claims: &ClaimsByRecord, events: &[Observation]) -> Result<BTreeSet<Sighting>> {
    let registry = Registry::built_in();
    let many = claims.len() + events.len() > 2000;
    let workload = if many { Workload::Large } else { Workload::Small };
    let scanner = TextScanner::new(&registry, EngineChoice::Fastest, workload, false)?;
    let mut watch = Watch { worker: scanner.worker()?, text: Vec::new(), spans: Vec::new(), found: BTreeSet::new() };
    for ((kind, id), fields) in claims {
        watch.fields(*kind, id, fields, "")?;
    }
    for (place, seen) in events.iter().enumerate() {
        let texts = [Some(&seen.event), Some(&seen.action), seen.target.as_ref(), seen.actor.as_ref()];
        for text in texts.into_iter().flatten() {
            watch.add(text, Span::Event(place))?;
        }
    }
    watch.flush()?;
    Ok(watch.found)
}

/// What a stretch of the gathered text is of.
enum Span<'a> {
    Record(RecordKind, &'a str, String),
    Event(usize),
}

/// Gathers fields into one text, so that the engine is asked once for thousands of them.
struct Watch<'a> {
    worker: TextWorker<'a>,
    text: Vec<u8>,
    spans: Vec<(usize, Span<'a>)>,
    found: BTreeSet<Sighting>,
}

impl<'a> Watch<'a> {
    fn fields(&mut self, kind: RecordKind, id: &'a str, fields: &Fields, prefix: &str) -> Result<()> {
        for (name, value) in fields {
            let path = dotted(prefix, name);
            // The names of a free map are text as well.
            if prefix == "external_ids" {
                self.add(name, Span::Record(kind, id, path.clone()))?;
            }
            self.value(kind, id, value, &path)?;
        }
        Ok(())
    }

    fn value(&mut self, kind: RecordKind, id: &'a str, value: &Value, path: &str) -> Result<()> {
        match value {
            Value::String(text) => self.add(text, Span::Record(kind, id, path.to_owned())),
            Value::Array(list) => list.iter().try_for_each(|entry| self.value(kind, id, entry, path)),
            Value::Object(entries) => self.fields(kind, id, entries, path),
            _ => Ok(()),
        }
    }

    fn add(&mut self, text: &str, span: Span<'a>) -> Result<()> {
        // Nothing shorter proves itself.
        if text.len() < 16 {
            return Ok(());
        }
        self.spans.push((self.text.len(), span));
        self.text.extend_from_slice(text.as_bytes());
        self.text.extend_from_slice(SEPARATOR);
        if self.text.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        let (text, spans) = (std::mem::take(&mut self.text), std::mem::take(&mut self.spans));
        self.look(&text, &spans, 0)
    }

    /// Looks at some fields at once; where they hold more than one look tells, at half of them each.
    fn look(&mut self, text: &[u8], spans: &[(usize, Span<'a>)], base: usize) -> Result<()> {
        if spans.is_empty() {
            return Ok(());
        }
        let hits = self.worker.scan(text)?;
        if hits.beyond_cap > 0 && spans.len() > 1 {
            let (left, right) = spans.split_at(spans.len() / 2);
            let middle = right[0].0 - base;
            self.look(&text[..middle], left, base)?;
            return self.look(&text[middle..], right, base + middle);
        }
        for located in &hits.located {
            let candidate = &located.candidate;
            let detector = self.worker.registry().detector(candidate.detector);
            if candidate.confidence < Confidence::High || !is_secret(detector) {
                continue;
            }
            let place = spans.partition_point(|(start, _)| *start <= base + candidate.start).saturating_sub(1);
            let sighting = match &spans[place].1 {
                Span::Record(kind, id, field) => {
                    Sighting::Record(*kind, (*id).to_owned(), field.clone(), detector.id.clone())
                }
                Span::Event(event) => Sighting::Event(*event, detector.id.clone()),
            };
            self.found.insert(sighting);
        }
        Ok(())
    }
}

/// Whether what a detector finds must be kept secret: public halves are what inventories are made of.
fn is_secret(detector: &Detector) -> bool {
    let public = matches!(detector.kind, Kind::AccessKeyId | Kind::Publishable);
    !public && !detector.publishable && detector.privilege != Privilege::None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_providers_lists_show_may_be_kept() {
        for (sort, head, tail) in [
            ("openai-project-key", "sk-proj-EXa", "9Zq"),
            ("anthropic-api-key", "sk-ant-api03-R2D", "igAA"),
            ("langfuse-secret-key", "sk-lf-", "ab12"),
            ("github-classic-token", "", "Eonly000"),
        ] {
            assert!(types::of(sort).is_some(), "{sort} is a detector");
            assert_eq!(hint(Some(sort), None, head, tail), Ok(()), "{sort}");
        }
        assert_eq!(hint(Some("organization.project.api_key"), Some("openai"), "sk-proj-EXa", "9Zq"), Ok(()));
    }

    #[test]
    fn what_shows_too_much_is_refused() {
        let refused = |sort, provider, head, tail| hint(sort, provider, head, tail).expect_err("must be refused");
        assert!(refused(Some("anthropic-api-key"), None, "sk-ant-api03-", "123456789AA").contains("in a row"));
        assert!(refused(None, None, "abcdef", "ghi").contains("not known"));
        assert!(refused(Some("an-own-type"), Some("openai"), "sk-proj-abcdef", "ghi").contains("not known"));
        assert!(refused(None, None, "", "with space").contains("characters"));
        let guessable = Registry::built_in();
        let guessable = guessable.detectors().iter().find(|detector| detector.kind == Kind::Password);
        let guessable = guessable.expect("a detector of passwords");
        assert!(refused(Some(&guessable.id), None, "", "x").contains("password"));
    }

    #[test]
    fn a_short_value_has_nothing_to_show() {
        let short = crate::detector::compile::shape::parse("key-{24:hex}").expect("a shape");
        // 24 hexadecimal digits are 96 bits; four of them may be seen, five not.
        assert!(unknown_bits(&short[0], 4) >= LEAST_UNKNOWN);
        assert!(unknown_bits(&short[0], 5) < LEAST_UNKNOWN);
    }
}
