//! Byte gates: a few table look-ups beside an anchor that decide whether a regex is worth running.
//!
//! A gate is derived from the regex itself, so that it is a necessary condition: where the regex matches with the anchor
//! at its place, the gate passes. Only positions whose distance from the anchor is fixed take part.

use regex_syntax::hir::{Class, Hir, HirKind};
use serde::{Deserialize, Serialize};

use super::byteset::ByteSet;

/// How many positions on each side of an anchor a gate looks at.
pub const REACH: usize = 24;

/// A run of positions that hold bytes of one set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The bytes that may stand there.
    pub set: ByteSet,
    /// For how many positions.
    pub count: u8,
}

/// What must stand beside an anchor; each side nearest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// Positions before the anchor.
    pub left: Vec<Step>,
    /// Positions after the anchor.
    pub right: Vec<Step>,
}

impl Gate {
    /// Derives the gate of a regex whose match begins `offset` bytes before an anchor of `length` bytes.
    pub fn derive(regex: &Hir, offset: usize, length: usize) -> Self {
        let mut positions = Vec::new();
        fixed_positions(regex, offset + length + REACH, &mut positions);
        if positions.len() < offset + length {
            return Self::default();
        }
        let left = positions[..offset].iter().rev().take(REACH).copied();
        Self { left: steps(left), right: steps(positions[offset + length..].iter().take(REACH).copied()) }
    }

    /// Returns whether the bytes beside `text[start..end]` are such as the regex needs.
    #[inline]
    pub fn passes(&self, text: &[u8], start: usize, end: usize) -> bool {
        let mut position = end;
        for step in &self.right {
            let Some(bytes) = text.get(position..position + usize::from(step.count)) else { return false };
            if !bytes.iter().all(|byte| step.set.contains(*byte)) {
                return false;
            }
            position += usize::from(step.count);
        }
        let mut position = start;
        for step in &self.left {
            let Some(first) = position.checked_sub(usize::from(step.count)) else { return false };
            if !text[first..position].iter().all(|byte| step.set.contains(*byte)) {
                return false;
            }
            position = first;
        }
        true
    }
}

fn steps(sets: impl Iterator<Item = ByteSet>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for set in sets {
        match steps.last_mut() {
            Some(step) if step.set == set && step.count < u8::MAX => step.count += 1,
            _ => steps.push(Step { set, count: 1 }),
        }
    }
    steps
}

/// Appends the set of bytes of each leading position whose distance from the start is fixed; returns whether the whole
/// expression was taken, so that what follows it still stands at a fixed distance.
fn fixed_positions(regex: &Hir, limit: usize, positions: &mut Vec<ByteSet>) -> bool {
    match regex.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            positions.extend(literal.0.iter().map(|byte| ByteSet::of(&[*byte])));
            true
        }
        HirKind::Class(class) => class_positions(class, positions),
        HirKind::Capture(capture) => fixed_positions(&capture.sub, limit, positions),
        HirKind::Concat(parts) => {
            parts.iter().all(|part| positions.len() < limit && fixed_positions(part, limit, positions))
        }
        HirKind::Repetition(repetition) => {
            for _ in 0..repetition.min {
                if positions.len() >= limit || !fixed_positions(&repetition.sub, limit, positions) {
                    return false;
                }
            }
            repetition.max == Some(repetition.min)
        }
        HirKind::Alternation(branches) => alternation_positions(branches, limit, positions),
    }
}

fn class_positions(class: &Class, positions: &mut Vec<ByteSet>) -> bool {
    let mut set = ByteSet::EMPTY;
    match class {
        Class::Bytes(class) => class.ranges().iter().for_each(|range| set.insert_range(range.start(), range.end())),
        // A class of characters beyond ASCII has no fixed width in bytes.
        Class::Unicode(class) => {
            for range in class.ranges() {
                let (Ok(first), Ok(last)) = (u8::try_from(range.start()), u8::try_from(range.end())) else {
                    return false;
                };
                if last >= 0x80 {
                    return false;
                }
                set.insert_range(first, last);
            }
        }
    }
    positions.push(set);
    true
}

fn alternation_positions(branches: &[Hir], limit: usize, positions: &mut Vec<ByteSet>) -> bool {
    let room = limit.saturating_sub(positions.len());
    let mut whole = true;
    let mut lists = Vec::new();
    for branch in branches {
        let mut list = Vec::new();
        whole &= fixed_positions(branch, room, &mut list);
        lists.push(list);
    }
    let shortest = lists.iter().map(Vec::len).min().unwrap_or(0);
    whole &= lists.iter().all(|list| list.len() == shortest);
    for position in 0..shortest {
        positions.push(lists.iter().fold(ByteSet::EMPTY, |known, list| known.union(list[position])));
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(pattern: &str, offset: usize, length: usize) -> Gate {
        let regex =
            regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(pattern).expect("a regex");
        Gate::derive(&regex, offset, length)
    }

    #[test]
    fn a_gate_sees_both_sides_of_an_infix() {
        let gate = gate("sk-[a-z]{3}MID[0-9]{2,5}", 6, 3);
        assert!(gate.passes(b"sk-abcMID12", 6, 9));
        assert!(!gate.passes(b"sk-aBcMID12", 6, 9));
        assert!(!gate.passes(b"sk-abcMIDx2", 6, 9));
        assert!(!gate.passes(b"sk-abcMID1", 6, 9), "the least length is part of the gate");
    }

    #[test]
    fn branches_of_unequal_length_end_what_is_fixed() {
        let gate = gate("key=(?:a|bc)d", 0, 4);
        assert_eq!(gate.right, [Step { set: ByteSet::of(b"ab"), count: 1 }]);
    }
}
