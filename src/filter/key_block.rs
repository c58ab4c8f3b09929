//! Private keys between PEM markers: whether the block holds a key, or the words or the cut of an example.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::DropReason;

/// How many characters of a body are enough to read how long the key says that it is.
const HEADER: usize = 8;

/// Returns why a block is no private key.
pub(super) fn reason(block: &[u8]) -> Option<DropReason> {
    let body = body(block);
    let lower = body.to_ascii_lowercase();
    let words = ["example", "placeholder", "redacted", "yourprivatekey", "privatekeyhere"];
    if words.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some()) {
        return Some(DropReason::Placeholder);
    }
    // Keys under a password of their own begin with headers, and then the body is a cipher text.
    let has_headers = memchr::memmem::find(block, b"Proc-Type").is_some();
    (!has_headers && says_that_it_is_longer(&body)).then_some(DropReason::Masked)
}

/// The base64 between the markers, without line ends, real or written as escapes.
fn body(block: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(block.len());
    let text = between_the_markers(block);
    let mut index = 0;
    while let Some(byte) = text.get(index) {
        if *byte == b'\\' && text.get(index + 1).is_some_and(|next| matches!(next, b'n' | b'r' | b't')) {
            index += 1;
        } else if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') {
            body.push(*byte);
        }
        index += 1;
    }
    body
}

fn between_the_markers(block: &[u8]) -> &[u8] {
    const MARK: &[u8] = b"-----";
    let mut marks = memchr::memmem::find_iter(block, MARK).skip(1);
    let (Some(first), Some(last)) = (marks.next(), marks.next()) else { return block };
    &block[first + MARK.len()..last]
}

/// Whether the outermost length of a key's encoding (DER: 0x30, then the length) is greater than what is there.
fn says_that_it_is_longer(body: &[u8]) -> bool {
    let Some(header) = body.get(..HEADER).and_then(|head| STANDARD_NO_PAD.decode(head).ok()) else { return false };
    let (declared, head) = match header[..] {
        [0x30, length @ 0..=0x7f, ..] => (usize::from(length), 2),
        [0x30, 0x81, length, ..] => (usize::from(length), 3),
        [0x30, 0x82, high, low, ..] => (usize::from(high) << 8 | usize::from(low), 4),
        _ => return false,
    };
    // The last characters may be padding, and a line of an old tool one short: a quarter is never missing by accident.
    (declared + head) * 3 > body.len() / 4 * 3 * 4
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;
    use crate::detector::example::Generator;

    /// A block with a DER header that declares `declared` bytes and has `held`.
    fn block(declared: u16, held: usize, line_end: &str) -> Vec<u8> {
        let mut generator = Generator::new(5);
        let mut bytes = vec![0x30, 0x82];
        bytes.extend(declared.to_be_bytes());
        bytes.extend((0..held).map(|_| generator.below(256) as u8));
        let text = STANDARD.encode(bytes);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("base64")).collect();
        let marks = ["BEGIN", "END"].map(|mark| format!("-----{mark} {} KEY-----", "PRIVATE"));
        format!("{}{line_end}{}{line_end}{}", marks[0], lines.join(line_end), marks[1]).into_bytes()
    }

    #[test]
    fn a_whole_key_is_kept_and_a_cut_one_is_not() {
        for line_end in ["\n", "\\n", "\\r\\n", "\\\\n", ""] {
            assert_eq!(reason(&block(1189, 1189, line_end)), None, "{line_end:?}");
            assert_eq!(reason(&block(1189, 60, line_end)), Some(DropReason::Masked), "{line_end:?}");
        }
    }

    #[test]
    fn words_in_a_block_make_it_an_example() {
        let mut text = block(1189, 1189, "\n");
        text.splice(40..47, *b"EXAMPLE");
        assert_eq!(reason(&text), Some(DropReason::Placeholder));
    }
}
