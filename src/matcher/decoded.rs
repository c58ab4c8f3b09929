//! The text round an encoded anchor, decoded: how much of it, and the way back.

use super::candidate::{Candidate, Dropped, Verdict};
use super::engine::AnchorHit;
use super::evaluate::RUN_REACH;
use super::ledger::Ledger;
use super::views::{Undone, View, decode, undo};
use crate::detector::compile::Encoding;

/// How many bytes before and after an anchor are read.
pub(super) type Reach = (usize, usize);

/// Returns the reach that covers both.
pub(super) fn farther(one: Reach, other: Reach) -> Reach {
    (one.0.max(other.0), one.1.max(other.1))
}

/// Reads the run round an encoded anchor, at most `reach` bytes of the text before and after it.
pub(super) fn round(text: &[u8], hit: AnchorHit, encoding: Encoding, reach: Reach) -> Option<decode::Decoded> {
    let first = hit.start.saturating_sub(reach.0);
    let last = hit.end.saturating_add(reach.1).min(text.len());
    let window = &text[first..last];
    // In wide characters a form may begin with the zeros of the character before.
    let zeros = text[hit.start..hit.end].iter().take_while(|byte| **byte == 0).count();
    let (from, to) = (hit.start - first, hit.end - first);
    Some(match encoding {
        Encoding::Plain => return None,
        Encoding::Base64(phase) => decode::base64(window, first, from, to, phase),
        Encoding::Hex => decode::hex(window, first, from, to),
        Encoding::Utf16 => decode::wide(window, first, from, to, 2),
        Encoding::Utf32 => decode::wide(window, first, from + zeros, to, 4),
        Encoding::Escaped => {
            let view = undo::undo(&View::raw(window, first), (0, 0))?;
            let (from, to) = (view.position(hit.start), view.position(hit.end));
            (view, from, to)
        }
    })
}

/// Decodes round an anchor until `need` decoded bytes stand on each side of it, or so many bytes of text were read as
/// those can take. Returns how many were read, too.
pub(super) fn enough(
    text: &[u8],
    hit: AnchorHit,
    encoding: Encoding,
    need: Reach,
    ledger: &mut Ledger,
) -> Option<(decode::Decoded, Reach)> {
    let mut stride = near_stride(encoding);
    loop {
        let room = |need: usize| (need * stride + hit.end - hit.start).min(RUN_REACH);
        let reach = (room(need.0), room(need.1));
        let (view, from, to) = round(text, hit, encoding, reach)?;
        // A run that ends before its window does is read to its end.
        ledger.read(view.bytes.len() * near_stride(encoding));
        let enough = from >= need.0 && view.bytes.len() - to >= need.1;
        if enough || stride >= longest_stride(encoding) {
            return Some(((view, from, to), reach));
        }
        stride *= 2;
    }
}

/// How many bytes of text one decoded byte may take.
fn longest_stride(encoding: Encoding) -> usize {
    if encoding == Encoding::Escaped { 12 } else { near_stride(encoding) }
}

/// How many bytes of text a decoded byte takes as a rule.
pub(super) fn near_stride(encoding: Encoding) -> usize {
    match encoding {
        Encoding::Plain => 1,
        Encoding::Base64(_) | Encoding::Utf16 => 2,
        Encoding::Hex | Encoding::Escaped => 3,
        Encoding::Utf32 => 4,
    }
}

/// Gives a verdict on decoded bytes its place in the text that they were decoded from.
pub(super) fn outwards(verdict: Verdict, view: &View<'_>, encoding: Encoding) -> Verdict {
    match verdict {
        Verdict::Kept(mut candidate) => {
            let (start, end) = view.span(candidate.start, candidate.end);
            let mut decoded = match encoding {
                Encoding::Plain | Encoding::Escaped => view.undone(start, end),
                Encoding::Base64(_) => vec![Undone::Base64.name()],
                Encoding::Hex => vec![Undone::Hex.name()],
                Encoding::Utf16 => vec![Undone::Utf16.name()],
                Encoding::Utf32 => vec![Undone::Utf32.name()],
            };
            decoded.append(&mut candidate.decoded);
            Verdict::Kept(Candidate { start, end, decoded, ..candidate })
        }
        Verdict::Dropped(dropped) => {
            Verdict::Dropped(Dropped { start: view.span(dropped.start, dropped.start + 1).0, ..dropped })
        }
    }
}
