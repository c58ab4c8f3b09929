//! Tells whether a text may be an export in one JSON document.

use super::text::Text;

/// How much of a text is looked at.
const HEAD: usize = 512;

/// Whether the text begins as a JSON document of objects does.
pub(super) fn may_be_one(text: &mut dyn Text) -> bool {
    let head = text.bytes(0, HEAD);
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start();
    let next = |rest: &[u8]| rest.trim_ascii_start().first().copied();
    match head {
        [b'{', rest @ ..] => next(rest) == Some(b'"'),
        [b'[', rest @ ..] => next(rest) == Some(b'{'),
        _ => false,
    }
}
