//! Reads the little of DER and PEM that keys and certificates are looked into for: elements by their tags, and the bytes of
//! a PEM block however its line ends are written; and writes an element. Nothing here checks a signature.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// A list of elements.
pub(super) const SEQUENCE: u8 = 0x30;
/// A number.
pub(super) const INTEGER: u8 = 0x02;
/// Bytes that hold something else.
pub(super) const OCTETS: u8 = 0x04;

/// A string of bits.
pub(super) const BITS: u8 = 0x03;

/// The longest block that is decoded, in bytes of PEM.
const LONGEST: usize = 64 * 1024;

/// Splits off an element with a tag: its content and what follows it.
pub(super) fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (_, rest) = bytes.split_first().filter(|(first, _)| **first == tag)?;
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..0x80 => (usize::from(short), rest),
        long => {
            let digits = usize::from(long & 0x7f);
            if digits == 0 || digits > 3 || rest.len() < digits {
                return None;
            }
            let length = rest[..digits].iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
            (length, &rest[digits..])
        }
    };
    (length <= rest.len()).then(|| rest.split_at(length))
}

/// Writes an element with a tag.
pub(super) fn written(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits = &length[length.iter().position(|digit| *digit != 0).unwrap_or(length.len() - 1)..];
    let mut bytes = vec![tag];
    if content.len() >= 0x80 {
        bytes.push(0x80 | digits.len() as u8);
    }
    bytes.extend_from_slice(digits);
    bytes.extend_from_slice(content);
    bytes
}

/// Returns the bytes of the first PEM block with a label. Line ends may be real or written as `\n`, escaped any number of
/// times.
pub(super) fn pem(text: &[u8], label: &str) -> Option<Vec<u8>> {
    let begin = format!("-----BEGIN {label}-----");
    let end = format!("-----END {label}-----");
    let start = memchr::memmem::find(text, begin.as_bytes())? + begin.len();
    let length = memchr::memmem::find(&text[start..], end.as_bytes()).filter(|length| *length <= LONGEST)?;
    let mut packed = zeroize::Zeroizing::new(Vec::new());
    let mut escaped = false;
    for byte in &text[start..start + length] {
        let is_line_end = escaped && matches!(byte, b'n' | b'r');
        escaped = *byte == b'\\';
        if !is_line_end && !escaped && !byte.is_ascii_whitespace() {
            packed.push(*byte);
        }
    }
    STANDARD.decode(packed.as_slice()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_split_by_their_length() {
        let long = [&[OCTETS, 0x82, 1, 0][..], &[7; 256], &[9]].concat();
        assert_eq!(element(&[INTEGER, 1, 5, 6], INTEGER), Some((&[5][..], &[6][..])));
        assert_eq!(element(&long, OCTETS), Some((&[7; 256][..], &[9][..])));
        for bad in
            [&[][..], &[INTEGER], &[INTEGER, 2, 1], &[INTEGER, 0x80], &[INTEGER, 0x84, 0, 0, 0, 0], &[INTEGER, 0x82, 1]]
        {
            assert_eq!(element(bad, INTEGER), None, "{bad:?}");
        }
        assert_eq!(element(&[OCTETS, 0], INTEGER), None);
    }

    #[test]
    fn what_is_written_is_read_again() {
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let content = vec![7; length];
            let whole = written(OCTETS, &content);
            assert_eq!(element(&whole, OCTETS), Some((&content[..], &[][..])), "{length}");
        }
    }

    #[test]
    fn a_block_is_read_whatever_its_line_ends() {
        let bytes: Vec<u8> = (0..=255).collect();
        let encoded = STANDARD.encode(&bytes);
        for end in ["\n", "\r\n", "\\n", "\\\\n", "\\r\\n", "\\\\\\\\n", ""] {
            let lines: Vec<String> =
                encoded.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into()).collect();
            let text = ["x-----BEGIN T-----", &lines.join(end), "-----END T-----y"].join(end);
            assert_eq!(pem(text.as_bytes(), "T").as_deref(), Some(&bytes[..]), "{end:?}");
        }
        assert_eq!(pem(b"-----BEGIN T-----AA", "T"), None);
        assert_eq!(pem(b"-----BEGIN U-----AA==-----END U-----", "T"), None);
    }
}
