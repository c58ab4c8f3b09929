//! Text that is one short piece over and over. What begins in it is a repetition as well, which the filters drop, and
//! looking at each of a million anchors in a row would cost more than all the rest of a scan.

/// The longest piece in which no credential fits: the filters know values that repeat so many bytes.
const LONGEST_PLAIN: usize = 16;
/// The longest piece of encoded text. The first two of a row are looked at like any text.
const LONGEST_ENCODED: usize = 64;
/// How far behind an anchor the repetition must go on, in bytes.
const AHEAD: usize = 64;
/// How many bytes are compared before all are.
const PROBE: usize = 8;

/// How many bytes before and after an anchor are looked at for encoded ones; fewer for plain ones.
pub(super) const REACH: (usize, usize) = (2 * LONGEST_ENCODED, AHEAD);

/// Returns whether the text round an anchor that begins at `start` repeats a short piece: twice before the anchor and for
/// a while behind it.
pub(super) fn surrounds(text: &[u8], start: usize, encoded: bool) -> bool {
    let longest = if encoded { LONGEST_ENCODED } else { LONGEST_PLAIN };
    let Some(ahead) = text.get(start..start + AHEAD) else { return false };
    (1..=longest.min(start / 2)).any(|period| {
        text[start - period..].starts_with(&ahead[..PROBE])
            && text[start - 2 * period..start + AHEAD - period] == text[start - period..start + AHEAD]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_of_a_repetition_is_told_from_its_ends() {
        let text = [&b"key="[..], &b"sk-".repeat(40), b"q8Zk2Vx0Lr7Tn4Wd9Gb3Yc6Hf1Js5Mp"].concat();
        let last = 4 + 39 * 3;
        assert!(!surrounds(&text, 4, false) && !surrounds(&text, 7, false), "the first two are looked at");
        assert!(surrounds(&text, 10, false) && surrounds(&text, 40, false));
        assert!(!surrounds(&text, last, false) && !surrounds(&text, last - 30, false), "so is what may reach beyond");
    }

    #[test]
    fn longer_pieces_repeat_where_text_is_encoded_alone() {
        let text = b"c2stYW50LWFwaTAzLXg5Zz1rMnE=\n".repeat(8);
        assert!(surrounds(&text, 29 * 3, true) && !surrounds(&text, 29 * 3, false));
        assert!(!surrounds(b"sk-", 0, true) && !surrounds(b"", 0, false));
    }
}
