//! Values that stand beside a name and not as they are: in base64 of their own, as a manifest of Kubernetes holds them, or
//! cut by a string concatenation. The text round a value stays, so that the name still speaks for it.

use super::{Undone, View, Writer, decode, join};
use crate::detector::compile::ByteSet;

/// The shortest value in base64 that is read, in characters.
const SHORTEST: usize = 16;
/// The longest value in base64 that is read, in characters.
const LONGEST: usize = 4096;
/// The shortest first piece of a value that a concatenation cuts, in characters: shorter ones are words of a message.
const SHORTEST_PIECE: usize = 6;

const DIGITS: ByteSet = ByteSet::of(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/-_");

/// Returns the source with the first value decoded that begins at `from` or within `distance` bytes after it and is the
/// base64 of printable text.
pub fn decoded(source: &View<'_>, from: usize, distance: usize) -> Option<View<'static>> {
    let bytes = &source.bytes[..];
    let limit = (from + distance).min(bytes.len());
    let mut position = from;
    while position < limit {
        position += bytes[position..limit].iter().position(|byte| DIGITS.contains(*byte))?;
        let length = bytes[position..].iter().take(LONGEST + 1).take_while(|byte| DIGITS.contains(**byte)).count();
        let end = position + length;
        if (SHORTEST..=LONGEST).contains(&length) && length % 4 != 1 && decode::holds_a_word(&bytes[position..end]) {
            return replaced(source, position, end);
        }
        position = end;
    }
    None
}

/// Returns the source with the first string literal joined that begins within `distance` bytes after `from` and goes on in
/// another one. The view ends soon after it.
pub fn joined(source: &View<'_>, from: usize, distance: usize) -> Option<View<'static>> {
    let bytes = &source.bytes[..];
    let limit = (from + distance).min(bytes.len());
    let mut position = from;
    while position < limit {
        let starts = |byte: &u8| matches!(byte, b'"' | b'\'' | b'`' | b'=');
        position += bytes[position..limit].iter().position(starts)? + 1;
        let end = position + join::long_run(&bytes[position..]);
        let piece = &bytes[position..end];
        let is_path = piece.contains(&b'/') && !piece.iter().any(u8::is_ascii_uppercase) && is_listed(&bytes[end..]);
        if piece.len() >= SHORTEST_PIECE && !is_path && join::is_literal_cut(&bytes[end..]) {
            return join::join(source, position);
        }
    }
    None
}

/// Whether a literal that ends at the start of a text stands above another one with nothing between them: so do lists of
/// paths, and seldom the pieces of a value.
fn is_listed(text: &[u8]) -> bool {
    let blanks = text.iter().skip(1).take(64).take_while(|byte| byte.is_ascii_whitespace()).count();
    text.get(1..1 + blanks).is_some_and(|gap| gap.contains(&b'\n'))
        && matches!(text.get(1 + blanks), Some(b'"' | b'\'' | b'`'))
}

fn replaced(source: &View<'_>, start: usize, end: usize) -> Option<View<'static>> {
    let (value, ..) = decode::base64(&source.bytes[start..end], 0, 0, 0, 0);
    let mut writer = Writer::new(source);
    writer.copy_all(0, start);
    for (index, byte) in value.bytes.iter().enumerate() {
        let (from, to) = value.span(index, index + 1);
        writer.put(*byte, start + from, start + to, Undone::Base64);
    }
    let padding = source.bytes[end..].iter().take(2).take_while(|byte| **byte == b'=').count();
    writer.copy_all(end + padding, source.bytes.len());
    writer.finish()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn a_value_in_base64_is_read_where_it_stands() {
        for value in ["0f9d3b77c1e24a8b9d3e5f60", "0f9d3b77c1e24a8b9d3e5f60a", "0f9d3b77c1e24a8b9d3e5f60ab"] {
            let written = STANDARD.encode(value);
            let text = format!("_key: {written}\nnext: 1");
            let view = decoded(&View::raw(text.as_bytes(), 100), 0, 64).expect("a value");
            assert_eq!(String::from_utf8_lossy(&view.bytes), format!("_key: {value}\nnext: 1"));
            let end = 106 + written.trim_end_matches('=').len();
            assert_eq!(view.span(6, 6 + value.len()), (106, end));
            assert_eq!(view.undone(106, end), ["base64"]);
        }
    }

    #[test]
    fn what_is_no_text_in_base64_stays() {
        for text in ["_key: q8Zk2Vx0Lr7Tn4Wd9Gb3Yc6Hf1Js5Mp", "_key: short", "", "_key: aaaa"] {
            assert_eq!(decoded(&View::raw(text.as_bytes(), 0), 0, 64), None, "{text}");
        }
        let far = format!("{} {}", "x ".repeat(40), STANDARD.encode("0f9d3b77c1e24a8b9d3e5f60"));
        assert_eq!(decoded(&View::raw(far.as_bytes(), 0), 0, 64), None, "too far from the name");
    }

    #[test]
    fn a_literal_that_goes_on_is_joined_and_a_list_is_not() {
        let text = br#"_key = "0f9d3b77c1e2" + "4a8b9d3e5f60";"#;
        let view = joined(&View::raw(text, 0), 0, 64).expect("a value");
        assert_eq!(&view.bytes[..], br#"_key = "0f9d3b77c1e24a8b9d3e5f60";"#);
        for text in [&br#"_key = "0f9d3b77c1e2", "4a8b9d3e5f60""#[..], b"_key=0f9d3b77c1e2\n4a8b9d3e5f60", b""] {
            assert_eq!(joined(&View::raw(text, 0), 0, 64), None, "{}", String::from_utf8_lossy(text));
        }
    }
}
