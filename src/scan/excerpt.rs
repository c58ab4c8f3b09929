//! Lines: which one a candidate stands on, and what people are shown of it, with every secret on it masked.

use super::mask::{Mask, Masked, SHORTEST_IN_LINES};
use super::text::Located;
use crate::matcher::Candidate;

/// How many bytes of a line are shown on each side of a secret.
const CONTEXT: usize = 100;

/// How a line ends in the text that a candidate was read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnd {
    Byte,
    /// Two bytes a character, the low one first.
    Little,
    /// Two bytes a character, the high one first.
    Big,
    /// Four bytes a character, the lowest one first.
    LittleLong,
    /// Four bytes a character, the highest one first.
    BigLong,
}

/// In how many ways a line may end.
pub(crate) const WAYS: usize = 5;

const LINE_ENDS: [LineEnd; WAYS] =
    [LineEnd::Byte, LineEnd::Little, LineEnd::Big, LineEnd::LittleLong, LineEnd::BigLong];

impl LineEnd {
    fn of(text: &[u8], candidate: &Candidate) -> Self {
        let high_first = text.get(candidate.start) == Some(&0);
        match candidate.decoded.first() {
            Some(&"utf-16") if high_first => Self::Big,
            Some(&"utf-16") => Self::Little,
            Some(&"utf-32") if high_first => Self::BigLong,
            Some(&"utf-32") => Self::LittleLong,
            _ => Self::Byte,
        }
    }

    /// Returns where the next line begins, if the line feed byte at `at` ends one. Characters begin at multiples of
    /// their width.
    fn next_line(self, text: &[u8], at: usize) -> Option<usize> {
        match self {
            Self::Byte => Some(at + 1),
            Self::Little => (at.is_multiple_of(2) && text.get(at + 1) == Some(&0)).then_some(at + 2),
            Self::Big => (!at.is_multiple_of(2) && text[at - 1] == 0).then_some(at + 1),
            Self::LittleLong => (at.is_multiple_of(4) && text.get(at + 1..at + 4) == Some(&[0; 3])).then_some(at + 4),
            Self::BigLong => (at % 4 == 3 && text[at - 3..at] == [0; 3]).then_some(at + 1),
        }
    }
}

/// Counts lines up to positions that ascend.
struct Lines {
    end: LineEnd,
    line: u64,
    line_start: usize,
    counted: usize,
}

impl Lines {
    fn new(end: LineEnd) -> Self {
        Self { end, line: 1, line_start: 0, counted: 0 }
    }

    /// Goes on to a position; looks at no byte twice, or a long line of many candidates would be searched for each.
    fn advance(&mut self, text: &[u8], position: usize) {
        for at in memchr::memchr_iter(b'\n', &text[self.counted..position]) {
            if let Some(start) = self.end.next_line(text, self.counted + at) {
                self.line += 1;
                self.line_start = start;
            }
        }
        self.counted = position;
    }
}

/// The lines that begin in a part of a text, once for each way in which a line ends.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LineCount {
    /// How many line feeds there are.
    pub(crate) feeds: u64,
    /// Where the line after the last of them begins.
    pub(crate) last_start: Option<usize>,
}

/// Counts the lines of a part of a text.
pub(crate) fn count_lines(text: &[u8], part: std::ops::Range<usize>) -> [LineCount; WAYS] {
    let mut counts = [LineCount::default(); WAYS];
    let bytes = &text[part.clone()];
    counts[LineEnd::Byte as usize] = LineCount {
        feeds: memchr::memchr_iter(b'\n', bytes).count() as u64,
        last_start: memchr::memrchr(b'\n', bytes).map(|at| part.start + at + 1),
    };
    // Few texts hold a zero byte, and without one no line ends in several.
    if memchr::memchr(0, bytes).is_none() && text.get(part.end) != Some(&0) {
        return counts;
    }
    for at in memchr::memchr_iter(b'\n', bytes) {
        for (end, count) in LINE_ENDS.into_iter().zip(&mut counts).skip(1) {
            if let Some(start) = end.next_line(text, part.start + at) {
                *count = LineCount { feeds: count.feeds + 1, last_start: Some(start) };
            }
        }
    }
    counts
}

/// Which of the counts of [`count_lines`] are those of the text that a candidate was read from.
pub(crate) fn line_end(text: &[u8], candidate: &Candidate) -> usize {
    LineEnd::of(text, candidate) as usize
}

/// Fills in line, column and excerpt of candidates that are in order of their start.
pub(crate) fn place(text: &[u8], located: &mut [Located]) {
    let masked = |located: &Located| {
        let secret = &located.candidate.secret;
        (secret.clone(), secret.redacted(located.candidate.head))
    };
    let secrets: Vec<Masked> = located.iter().map(masked).collect();
    let mask = Mask::new(secrets.iter(), SHORTEST_IN_LINES);
    let mut counters = LINE_ENDS.map(Lines::new);
    for index in 0..located.len() {
        let candidate = &located[index].candidate;
        let start = candidate.start;
        let lines = &mut counters[LineEnd::of(text, candidate) as usize];
        lines.advance(text, start);
        let excerpt = excerpt(text, lines.line_start, index, located);
        // The same value may stand there once more, where no detector finds it.
        let excerpt = mask.as_ref().and_then(|mask| mask.apply(&excerpt)).unwrap_or(excerpt);
        let place = &mut located[index];
        (place.line, place.column, place.excerpt) = (lines.line, (start - lines.line_start) as u64 + 1, excerpt);
    }
}

/// Returns the line round a candidate, bounded, with every secret that reaches into it redacted.
fn excerpt(text: &[u8], line_start: usize, index: usize, located: &[Located]) -> String {
    let candidate = &located[index].candidate;
    let first = line_start.max(candidate.start.saturating_sub(CONTEXT));
    let tail = &text[candidate.end..(candidate.end + CONTEXT).min(text.len())];
    let last = candidate.end + memchr::memchr(b'\n', tail).unwrap_or(tail.len());
    let mut shown = String::new();
    let mut position = first;
    let neighbours = located.partition_point(|neighbour| neighbour.candidate.end <= first);
    for neighbour in located[neighbours..].iter().map(|located| &located.candidate) {
        if neighbour.start >= last {
            break;
        }
        push_text(&mut shown, &text[position..neighbour.start.max(position)]);
        shown.push_str(&neighbour.secret.redacted(neighbour.head));
        position = neighbour.end;
    }
    push_text(&mut shown, &text[position.min(last)..last]);
    shown.truncate(shown.trim_end().len());
    let indent = shown.len() - shown.trim_start().len();
    shown.split_off(indent)
}

fn push_text(shown: &mut String, bytes: &[u8]) {
    // Text of two and four bytes a character is shown without its zero bytes.
    if bytes.contains(&0) {
        let narrow: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
        shown.push_str(&String::from_utf8_lossy(&narrow));
    } else {
        shown.push_str(&String::from_utf8_lossy(bytes));
    }
}
