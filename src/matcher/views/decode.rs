//! Runs that are encoded as a whole, read outwards from an anchor inside them: base64 in either alphabet, also wrapped,
//! hexadecimal digits, and characters of two or four bytes.

use std::borrow::Cow;

use super::{Undone, View};

/// A decoded window and where the anchor stands in it.
pub type Decoded = (View<'static>, usize, usize);

/// How many bytes room is made for at first: most runs are short.
const RESERVED: usize = 2048;

/// Bytes as they are gathered on both sides of an anchor.
struct Run {
    bytes: Vec<u8>,
    places: Vec<(u32, u32)>,
}

impl Run {
    fn new(length: usize) -> Self {
        let length = length.min(RESERVED);
        Self { bytes: Vec::with_capacity(length), places: Vec::with_capacity(length) }
    }

    fn push(&mut self, byte: u8, from: usize, to: usize) {
        self.bytes.push(byte);
        self.places.push((from as u32, to as u32));
    }

    /// Makes the view; `from..to` is the anchor's stretch of the window.
    fn finish(self, base: usize, from: usize, to: usize, undone: Undone) -> Decoded {
        let begin = self.places.partition_point(|(_, end)| (*end as usize) <= from);
        let end = self.places.partition_point(|(start, _)| (*start as usize) < to);
        let marks = self.places.first().map(|(start, _)| (*start, undone)).into_iter().collect();
        (View { bytes: Cow::Owned(self.bytes), base, places: self.places, undone: marks }, begin, end)
    }
}

/// Reads base64 round `window[from..to]`, whose first character is the one of this number in a group of four. Line ends,
/// real and written out, and what mail and YAML put before a line are passed over.
pub fn base64(window: &[u8], base: usize, from: usize, to: usize, phase: u8) -> Decoded {
    let mut characters: Vec<(u8, u32)> = Vec::with_capacity(window.len().min(RESERVED));
    let mut position = from;
    while let Some((value, begin)) = sextet_before(window, position) {
        characters.push((value, begin as u32));
        position = begin;
    }
    characters.reverse();
    // Reading begins with a group: in the characters before the anchor, or in the anchor where those are too few.
    let (before, phase) = (characters.len(), usize::from(phase));
    let first = if before >= phase { (before - phase) % 4 } else { before + 4 - phase };
    let mut position = from;
    while let Some((value, begin)) = sextet_after(window, position) {
        characters.push((value, begin as u32));
        position = begin + 1;
    }
    let mut run = Run::new(characters.len());
    for group in characters.get(first..).unwrap_or_default().chunks(4) {
        for pair in 0..group.len().saturating_sub(1) {
            let (left, right) = (group[pair], group[pair + 1]);
            let byte = (left.0 << (2 + 2 * pair)) | (right.0 >> (4 - 2 * pair));
            run.push(byte, left.1 as usize, right.1 as usize + 1);
        }
    }
    run.finish(base, from, to, Undone::Base64)
}

/// Returns whether base64 is that of printable text without a blank or a line end but at its end. Unlike [`base64`] this
/// copies nothing and stops at the first byte that tells.
pub fn holds_a_word(characters: &[u8]) -> bool {
    let total = characters.len() / 4 * 3 + (characters.len() % 4).saturating_sub(1);
    let value = |character: u8| SEXTETS[usize::from(character)];
    let bytes = characters.chunks(4).flat_map(|group| {
        let pairs = group.windows(2).enumerate();
        pairs.map(|(pair, both)| (value(both[0]) << (2 + 2 * pair)) | (value(both[1]) >> (4 - 2 * pair)))
    });
    total > 1 && bytes.enumerate().all(|(index, byte)| byte.is_ascii_graphic() || (byte == b'\n' && index + 1 == total))
}

/// The value of each character of either alphabet; `NONE` for any other byte.
const SEXTETS: [u8; 256] = {
    let mut table = [NONE; 256];
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < 64 {
        table[digits[value] as usize] = value as u8;
        value += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};
const NONE: u8 = 0xFF;

#[inline]
fn sextet(byte: u8) -> Option<u8> {
    let value = SEXTETS[usize::from(byte)];
    (value != NONE).then_some(value)
}

/// Returns the value and place of the character at a position or behind the line end there.
#[inline]
fn sextet_after(window: &[u8], position: usize) -> Option<(u8, usize)> {
    let byte = *window.get(position)?;
    if let Some(value) = sextet(byte) {
        return Some((value, position));
    }
    let position = match byte {
        b'\\' if window.get(position + 1) == Some(&b'/') => position + 1,
        b'\\' | b'\n' | b'\r' => position + line_end(&window[position..])?,
        _ => return None,
    };
    Some((sextet(*window.get(position)?)?, position))
}

/// Returns how long a line end is, with what stands before the next line.
fn line_end(text: &[u8]) -> Option<usize> {
    let mut length = 0;
    for end in [&b"\\r\\n"[..], b"\\n", b"\r\n", b"\n", b"\r"] {
        if text.starts_with(end) {
            length = end.len();
            break;
        }
    }
    let indentation = text[length..].iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'>')).take(64).count();
    (length > 0).then_some(length + indentation)
}

/// Returns the value and place of the character before a position or before the line end there.
#[inline]
fn sextet_before(window: &[u8], position: usize) -> Option<(u8, usize)> {
    let head = &window[..position];
    let last = *head.last()?;
    let may_end_a_line = matches!(last, b'n' | b'r') && head.ends_with(&[b'\\', last]);
    if let Some(value) = sextet(last).filter(|_| !may_end_a_line) {
        return Some((value, position - 1));
    }
    let indentation = head.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t' | b'>')).take(64).count();
    let line = &head[..head.len() - indentation];
    let ends = [&b"\\r\\n"[..], b"\\n", b"\r\n", b"\n", b"\r"];
    let head = match ends.iter().find_map(|end| line.strip_suffix(*end)) {
        Some(before) => before,
        None if head.ends_with(b"\\") => return None,
        None => head,
    };
    let value = sextet(*head.last()?)?;
    Some((value, head.len() - 1))
}

/// Reads pairs of hexadecimal digits round `window[from..to]`, which begins with a pair.
pub fn hex(window: &[u8], base: usize, from: usize, to: usize) -> Decoded {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    let pair = |position: usize| {
        let (high, low) = (digit(*window.get(position)?)?, digit(*window.get(position + 1)?)?);
        Some(high << 4 | low)
    };
    let mut first = from;
    while first >= 2 && pair(first - 2).is_some() {
        first -= 2;
    }
    let mut run = Run::new((window.len() - first) / 2);
    let mut position = first;
    loop {
        if let Some(byte) = pair(position) {
            run.push(byte, position, position + 2);
            position += 2;
            continue;
        }
        let Some(length) = window.get(position..).and_then(line_end).filter(|length| pair(position + length).is_some())
        else {
            break;
        };
        position += length;
    }
    run.finish(base, from, to, Undone::Hex)
}

/// Reads characters of `width` bytes on both sides of `window[from..to]`, which begins with the byte of an ASCII
/// character that is not zero.
///
/// The same anchor serves both byte orders: characters begin at multiples of their width, counted from the start of the
/// text, so that the place of a character's only byte that is not zero tells the order. Characters beyond ASCII become
/// 0xFF, which no shape holds but what a pattern excludes by name does; half a character at the end is left out, so that no
/// match reaches beyond the text.
pub fn wide(window: &[u8], base: usize, from: usize, to: usize, width: usize) -> Decoded {
    let little_endian = (base + from).is_multiple_of(width);
    let lead = if little_endian { 0 } else { width - 1 };
    let first = from.checked_sub(lead).map_or((from + 1) % width, |start| start % width);
    let mut run = Run::new(window.len() / width + 1);
    for (number, character) in window[first..].chunks_exact(width).enumerate() {
        let place = first + number * width;
        let byte = character.get(lead).copied().unwrap_or(0xFF);
        let zeros = character.iter().enumerate().all(|(index, byte)| index == lead || *byte == 0);
        let byte = if zeros && byte.is_ascii() { byte } else { 0xFF };
        run.push(byte, place, (place + width).min(window.len()));
    }
    let undone = if width == 2 { Undone::Utf16 } else { Undone::Utf32 };
    run.finish(base, from, to, undone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

    #[test]
    fn both_byte_orders_read_alike_and_map_to_whole_characters() {
        let text = "key: sk-abc é";
        for (little, mark) in [(true, [0xFF, 0xFE]), (false, [0xFE, 0xFF])] {
            let mut bytes = mark.to_vec();
            for unit in text.encode_utf16() {
                bytes.extend(if little { unit.to_le_bytes() } else { unit.to_be_bytes() });
            }
            let start = bytes.iter().position(|byte| *byte == b's').expect("the anchor");
            let (view, from, to) = wide(&bytes, 0, start, start + 5, 2);
            assert_eq!(&view.bytes[from..to], b"sk-");
            assert_eq!(&view.bytes[to..to + 3], b"abc");
            assert_eq!(view.span(from, to), (2 + 5 * 2, 2 + 8 * 2), "whole characters");
        }
    }

    #[test]
    fn base64_is_read_at_every_alignment_wrapped_or_not() {
        for lead in 0..4 {
            let text = format!("{}TOKEN=sk-abcdefghijklmnopqrstuvwxyz?>~0123456789", "x".repeat(lead));
            let plain = STANDARD.encode(&text);
            let wrapped: Vec<String> =
                plain.as_bytes().chunks(16).map(|line| String::from_utf8_lossy(line).into()).collect();
            let forms = [
                plain.clone(),
                URL_SAFE_NO_PAD.encode(&text),
                wrapped.join("\n"),
                wrapped.join("\\n"),
                wrapped.join("\r\n  "),
            ];
            for form in forms {
                let window = format!("key: {form}\" rest");
                let (from, phase) = (5 + form.len() / 2, 0);
                let aligned = from_group(&window, from);
                let (view, ..) = base64(window.as_bytes(), 7, aligned, aligned + 4, phase);
                assert_eq!(String::from_utf8_lossy(&view.bytes), text, "{window}");
                let (start, end) = view.span(0, text.len());
                assert_eq!((start, end), (12, 12 + form.trim_end_matches('=').len()), "{window}");
            }
        }
    }

    /// Returns the place of a character that begins a group, at `from` or after it.
    fn from_group(window: &str, from: usize) -> usize {
        let kept = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
        let bytes = window.replace("\\n", "\n\n");
        let bytes = bytes.as_bytes();
        (from..)
            .find(|place| kept(&bytes[*place]) && bytes[5..*place].iter().filter(|byte| kept(byte)).count() % 4 == 0)
            .expect("a group")
    }

    #[test]
    fn hexadecimal_is_read_in_both_cases() {
        let window = b"x=0x736B2d61\n62; ";
        let (view, from, to) = hex(window, 0, 6, 8);
        assert_eq!(&view.bytes[..], b"sk-ab");
        assert_eq!((from, to), (1, 2));
        assert_eq!(view.span(0, 5), (4, 15));
    }
}
