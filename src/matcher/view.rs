//! Views of a window: the same text with an encoding undone, and the way back to the original offsets.

/// A window as it is matched, with a map to where its bytes stand in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View<'text> {
    /// The bytes that are matched.
    pub bytes: std::borrow::Cow<'text, [u8]>,
    /// Where the view begins in the text.
    pub base: usize,
    /// How many bytes of the text one byte of the view stands for.
    pub stride: usize,
}

impl<'text> View<'text> {
    /// The text itself.
    pub fn raw(bytes: &'text [u8], base: usize) -> Self {
        Self { bytes: std::borrow::Cow::Borrowed(bytes), base, stride: 1 }
    }

    /// Reads two-byte characters on both sides of `text[start..end]`, where `start` is the byte of an ASCII character that
    /// is not zero. Returns the view and where the anchor stands in it.
    ///
    /// The same anchor serves both byte orders: characters begin at even offsets, so that the offset of a character's
    /// only byte that is not zero tells the order. Characters beyond ASCII become 0xFF, which no shape holds but what a
    /// pattern excludes by name does; half a character at the end is left out, so that no match reaches beyond the text.
    pub fn wide(window: &[u8], base: usize, start: usize, end: usize) -> (View<'static>, usize, usize) {
        let little_endian = start.is_multiple_of(2);
        let first = base % 2;
        let character = |pair: &[u8]| match (pair, little_endian) {
            ([byte, 0], true) | ([0, byte], false) if byte.is_ascii() => *byte,
            _ => 0xFF,
        };
        let bytes: Vec<u8> = window[first..].chunks_exact(2).map(character).collect();
        let base = base + first;
        let anchor = (start - base) / 2;
        (View { bytes: bytes.into(), base, stride: 2 }, anchor, anchor + (end - start).div_ceil(2))
    }

    /// Returns where a position of the view stands in the text.
    pub fn offset(&self, position: usize) -> usize {
        self.base + position * self.stride
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_character_at_the_end_is_no_part_of_the_view() {
        let (view, from, to) = View::wide(b"s\0k\0-\0a\0b", 0, 0, 5);
        assert_eq!((&view.bytes[..], from, to), (&b"sk-a"[..], 0, 3));
        assert_eq!(view.offset(view.bytes.len()), 8, "within the nine bytes of the text");
    }

    #[test]
    fn both_byte_orders_read_alike_and_map_to_whole_characters() {
        let text = "key: sk-abc é";
        for (little, mark) in [(true, [0xFF, 0xFE]), (false, [0xFE, 0xFF])] {
            let mut bytes = mark.to_vec();
            for unit in text.encode_utf16() {
                bytes.extend(if little { unit.to_le_bytes() } else { unit.to_be_bytes() });
            }
            let start = bytes.iter().position(|byte| *byte == b's').expect("the anchor");
            let (view, from, to) = View::wide(&bytes, 0, start, start + 5);
            assert_eq!(&view.bytes[from..to], b"sk-");
            assert_eq!(&view.bytes[to..to + 3], b"abc");
            assert_eq!(view.offset(from), 2 + 5 * 2, "the character's first byte");
        }
    }
}
