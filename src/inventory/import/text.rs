//! Turns the bytes of a file into UTF-8 text, and says what a file is that holds none.

use std::borrow::Cow;

/// Takes away a byte order mark; turns UTF-16, as some shells write it, into UTF-8. Broken bytes of UTF-8 stay: they cost
/// the row in which they stand.
///
/// # Errors
/// What the file is instead of text, and what to do.
pub(super) fn decoded(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    match bytes {
        [0x1f, 0x8b, ..] => Err("is compressed with gzip; unpack it first (gunzip)".into()),
        [b'P', b'K', 3 | 5, ..] => Err("is a ZIP archive; unpack it first".into()),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Err("is compressed with zstd; unpack it first".into()),
        [0xef, 0xbb, 0xbf, rest @ ..] => Ok(Cow::Borrowed(rest)),
        [0xff, 0xfe, rest @ ..] => Ok(Cow::Owned(from_utf16(rest, u16::from_le_bytes))),
        [0xfe, 0xff, rest @ ..] => Ok(Cow::Owned(from_utf16(rest, u16::from_be_bytes))),
        bytes => Ok(Cow::Borrowed(bytes)),
    }
}

fn from_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text: String =
        char::decode_utf16(units).map(|decoded| decoded.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    text.into_bytes()
}

/// Says what a text without one JSON object looks like, where that helps.
pub(super) fn described(text: &[u8]) -> Option<&'static str> {
    let start = text.trim_ascii_start();
    match start.first() {
        None => Some("is empty"),
        Some(b'{' | b'[') => None,
        Some(b'<') => Some("is a web page or XML, perhaps the answer of a log-in page; export it again as JSON"),
        Some(_) if first_line(start).contains(&b',') => Some("looks like CSV; this kind is read from JSON"),
        Some(_) if text.contains(&0) => Some("is no text"),
        Some(_) => Some("is no JSON"),
    }
}

/// Returns the first line without what ends it.
pub(super) fn first_line(text: &[u8]) -> &[u8] {
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    text[..end].trim_ascii_end()
}
