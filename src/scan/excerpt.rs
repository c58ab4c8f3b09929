//! Lines: which one a candidate stands on, and what people are shown of it, with every secret on it masked.

use super::text::Located;

/// How many bytes of a line are shown on each side of a secret.
const CONTEXT: usize = 100;

/// Fills in line, column and excerpt of candidates that are in order and do not overlap.
pub(crate) fn place(text: &[u8], located: &mut [Located]) {
    let mut line = 1;
    let mut line_start = 0;
    let mut counted = 0;
    for index in 0..located.len() {
        let start = located[index].candidate.start;
        for newline in memchr::memchr_iter(b'\n', &text[counted..start]) {
            line += 1;
            line_start = counted + newline + 1;
        }
        counted = start;
        let excerpt = excerpt(text, line_start, index, located);
        let place = &mut located[index];
        (place.line, place.column, place.excerpt) = (line, (start - line_start) as u64 + 1, excerpt);
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
    // Two-byte text is shown without its zero bytes.
    if bytes.contains(&0) {
        let narrow: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
        shown.push_str(&String::from_utf8_lossy(&narrow));
    } else {
        shown.push_str(&String::from_utf8_lossy(bytes));
    }
}
