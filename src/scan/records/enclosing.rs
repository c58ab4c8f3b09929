//! Finds the objects of a JSON text that lie round a place, without reading the text into memory: strings, brackets and
//! their places are all that is looked at on the way.

use std::collections::HashMap;

use super::text::{STEP, Text};

/// Objects deeper than this are not followed; a text that has such is none that a person or a program made for others.
const DEEPEST: usize = 256;
/// How far a text is read for the end of its elements, in bytes.
const FARTHEST: u64 = 1 << 30;

/// The objects round a place, from the innermost to the outermost: where each begins and ends.
pub(super) type Chain = Vec<(u64, u64)>;

/// An open bracket.
#[derive(Clone, Copy)]
struct Open {
    start: u64,
    is_object: bool,
}

/// Finds the objects round each of some places, which ascend. Those that do not end are left out.
pub(super) fn of(text: &mut dyn Text, places: &[u64]) -> Vec<Chain> {
    let mut reader = Reader { places, ..Reader::default() };
    let mut at = 0;
    while at < FARTHEST && !reader.is_done() {
        let bytes = text.bytes(at, STEP);
        if bytes.is_empty() {
            break;
        }
        let read = bytes.len() as u64;
        if !reader.read(&bytes, at) {
            break;
        }
        at += read;
    }
    let ends = reader.ends;
    let chain =
        |starts: &Vec<u64>| starts.iter().rev().filter_map(|start| Some((*start, (*ends.get(start)?)?))).collect();
    let mut chains: Vec<Chain> = reader.met.iter().map(chain).collect();
    chains.resize(places.len(), Chain::new());
    chains
}

/// Reads a text once.
#[derive(Default)]
struct Reader<'places> {
    places: &'places [u64],
    /// For each place that was met, where the objects begin that were open there.
    met: Vec<Vec<u64>>,
    open: Vec<Open>,
    /// Where the objects end that lie round a place, once that is known.
    ends: HashMap<u64, Option<u64>>,
    /// How many of those have not ended yet, the outermost not counted: it may be all of the text.
    waiting: usize,
    in_string: bool,
    escaped: bool,
}

impl Reader<'_> {
    fn is_done(&self) -> bool {
        self.met.len() == self.places.len() && self.waiting == 0
    }

    /// Reads some bytes; returns false where going on makes no sense.
    fn read(&mut self, bytes: &[u8], base: u64) -> bool {
        for (index, byte) in bytes.iter().enumerate() {
            let at = base + index as u64;
            while self.places.get(self.met.len()) == Some(&at) {
                self.meet();
            }
            if self.in_string {
                match (self.escaped, byte) {
                    (true, _) => self.escaped = false,
                    (false, b'\\') => self.escaped = true,
                    (false, b'"') => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' if self.open.len() >= DEEPEST => return false,
                b'{' | b'[' => self.open.push(Open { start: at, is_object: *byte == b'{' }),
                b'}' | b']' => {
                    let Some(open) = self.open.pop() else { return false };
                    self.close(open, at + 1);
                }
                _ => {}
            }
        }
        true
    }

    /// Notes which objects are open at a place.
    fn meet(&mut self) {
        let open: Vec<u64> = self.open.iter().filter(|open| open.is_object).map(|open| open.start).collect();
        let outermost = self.open.first().map(|open| open.start);
        for start in &open {
            if !self.ends.contains_key(start) {
                self.ends.insert(*start, None);
                self.waiting += usize::from(Some(*start) != outermost);
            }
        }
        self.met.push(open);
    }

    fn close(&mut self, open: Open, end: u64) {
        if let Some(known) = self.ends.get_mut(&open.start) {
            *known = Some(end);
            self.waiting -= usize::from(!self.open.is_empty());
        }
    }
}
