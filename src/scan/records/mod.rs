//! Says of a hit in a ticket export, an agent's transcript or a build log who wrote it, where and when: from the record that
//! holds it, a line of JSON, an element of an export, a line of a log. A record is read after something was found in it and
//! never before, so that texts without a hit cost nothing.
//!
//! Nothing here looks for credentials, and what is told may be anything: it comes from the text.

mod clue;
mod enclosing;
mod export;
mod log;
#[cfg(test)]
mod tests;
mod text;
mod time;

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use self::clue::Clue;
pub(super) use self::text::Text;
use super::text::Located;
use crate::finding::{Context, SourceKind};

/// What sort of text something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TextKind {
    /// Text as it is; nothing is read off it.
    Text,
    /// A build log.
    Log,
    /// An export of tickets or of a chat.
    Ticket,
    /// The transcript of an agent or of a talk with a model.
    Transcript,
}

impl TextKind {
    fn source(self) -> Option<SourceKind> {
        match self {
            Self::Text => None,
            Self::Log => Some(SourceKind::Log),
            Self::Ticket => Some(SourceKind::Ticket),
            Self::Transcript => Some(SourceKind::Transcript),
        }
    }
}

/// Where a text that is no mere file came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// What sort of text it is.
    pub source: SourceKind,
    /// Who wrote it, where and when, as far as that is known.
    pub context: Option<Context>,
}

/// The longest line, and the longest element of an export, that is read as a record, in bytes.
const LONGEST_RECORD: u64 = 16 << 20;
/// How many bytes of objects are parsed of one text.
const MOST_PARSED: u64 = 512 << 20;

/// Notes of each hit what its record says. `kind` is what a person said the text is; without it a record tells where it is
/// surely one. `path` is where the text lies, since some formats keep the channel or the session there.
pub(super) fn tell(hits: &mut [Located], text: &mut dyn Text, path: &Path, kind: Option<TextKind>) {
    let places: Vec<u64> = hits.iter().map(|located| located.candidate.start as u64).collect();
    let origins = Telling::new(path, kind).origins(text, &places);
    for (located, origin) in hits.iter_mut().zip(origins) {
        located.origin = origin.map(Box::new);
    }
}

/// What is left where nothing can be read twice: what a person said.
pub(super) fn tell_kind(hits: &mut [Located], kind: Option<TextKind>) {
    let Some(source) = kind.and_then(TextKind::source) else { return };
    for located in hits {
        located.origin = Some(Box::new(Origin { source, context: None }));
    }
}

/// The line of a hit.
struct Record {
    line: std::ops::Range<u64>,
    bytes: Vec<u8>,
    /// Whether it is one whole object of JSON.
    is_object: bool,
}

impl Record {
    fn read(text: &mut dyn Text, at: u64) -> Self {
        let line = text::line_round(text, at, LONGEST_RECORD);
        let bytes = text.bytes(line.start, (line.end - line.start) as usize).into_owned();
        let trimmed = bytes.trim_ascii();
        // A line may be the first one of an element that is written over many.
        let is_object = trimmed.starts_with(b"{") && trimmed.ends_with(b"}");
        Self { line, bytes, is_object }
    }
}

/// What is known of a text beside its bytes.
struct Telling<'text> {
    path: &'text Path,
    kind: Option<TextKind>,
    steps: log::Steps,
    /// How many bytes of objects may still be parsed.
    parsed: u64,
}

impl<'text> Telling<'text> {
    fn new(path: &'text Path, kind: Option<TextKind>) -> Self {
        Self { path, kind, steps: log::Steps::default(), parsed: MOST_PARSED }
    }

    /// Says what is told of some places, which ascend.
    fn origins(mut self, text: &mut dyn Text, places: &[u64]) -> Vec<Option<Origin>> {
        let mut origins = Vec::with_capacity(places.len());
        if self.kind == Some(TextKind::Text) {
            return vec![None; places.len()];
        }
        let mut rest = places;
        while let Some(first) = rest.first() {
            let record = Record::read(text, *first);
            // Several hits of one line share its record.
            let (here, further) = rest.split_at(rest.partition_point(|at| *at <= record.line.end).max(1));
            origins.extend(self.of_line(&record, text, here));
            rest = further;
        }
        self.of_elements(text, places, &mut origins);
        let said = self.kind.and_then(TextKind::source).map(|source| Origin { source, context: None });
        for origin in origins.iter_mut().filter(|origin| origin.is_none()) {
            origin.clone_from(&said);
        }
        origins
    }

    /// Says what a line tells by itself of places on it.
    fn of_line(&mut self, record: &Record, text: &mut dyn Text, places: &[u64]) -> Vec<Option<Origin>> {
        if record.is_object {
            let places: Vec<u64> = places.iter().map(|at| at - record.line.start).collect();
            return self.of_places(&mut &record.bytes[..], &places);
        }
        let said = match self.kind {
            None => log::surely(&mut self.steps, text, &record.line, &record.bytes),
            Some(TextKind::Log) => Some(log::said(&mut self.steps, text, &record.line, &record.bytes)),
            Some(_) => None,
        };
        vec![said.map(log::origin); places.len()]
    }

    /// Reads an export of one document, for the places whose lines said nothing.
    fn of_elements(&mut self, text: &mut dyn Text, places: &[u64], origins: &mut [Option<Origin>]) {
        let is_told = |origin: &Option<Origin>| origin.as_ref().is_some_and(|origin| origin.context.is_some());
        let untold: Vec<usize> = (0..places.len()).filter(|index| !is_told(&origins[*index])).collect();
        if untold.is_empty() || !export::may_be_one(text) {
            return;
        }
        let places: Vec<u64> = untold.iter().map(|index| places[*index]).collect();
        for (index, origin) in untold.into_iter().zip(self.of_places(text, &places)) {
            origins[index] = origin.or(origins[index].take());
        }
    }

    /// Says what the objects of a JSON text tell of places in them.
    fn of_places(&mut self, text: &mut dyn Text, places: &[u64]) -> Vec<Option<Origin>> {
        let mut known = HashMap::new();
        let chains = enclosing::of(text, places);
        chains.iter().map(|chain| self.of_chain(text, chain, &mut known)).collect()
    }

    /// Joins what the objects round a place say, the innermost first.
    fn of_chain(
        &mut self,
        text: &mut dyn Text,
        chain: &enclosing::Chain,
        known: &mut HashMap<u64, Option<Clues>>,
    ) -> Option<Origin> {
        for (start, end) in chain {
            known.entry(*start).or_insert_with(|| self.read(text, *start, end - start));
        }
        let clues = || chain.iter().filter_map(|(start, _)| known.get(start)?.as_ref());
        let mut all = Clue::default();
        clues().for_each(|clues| all.join(&clues.shape));
        if self.kind.is_some() {
            clues().for_each(|clues| all.join(&clues.likely));
        }
        let source = self.kind.or(all.kind).and_then(TextKind::source)?;
        let context = Context { ticket: all.ticket, by: all.by, at: all.at };
        Some(Origin { source, context: (context != Context::default()).then_some(context) })
    }

    /// Reads an object, unless it or all of them are too large.
    fn read(&mut self, text: &mut dyn Text, start: u64, length: u64) -> Option<Clues> {
        if length > LONGEST_RECORD {
            return None;
        }
        self.parsed = self.parsed.checked_sub(length)?;
        let value: Value = serde_json::from_slice(&text.bytes(start, length as usize)).ok()?;
        let object = value.as_object()?;
        let likely = if self.kind.is_some() { clue::likely(object) } else { Clue::default() };
        Some(Clues { shape: clue::of(object, self.path), likely })
    }
}

/// What an object tells: by its shape, and by the names of its fields.
struct Clues {
    shape: Clue,
    likely: Clue,
}
