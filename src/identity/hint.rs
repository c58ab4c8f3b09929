//! Redacted forms: whether one fits a value, and how many bits its visible characters are worth.
//!
//! Providers show a few characters of a key in their lists. What counts of them is only what varies: `sk-lf-...abcd` shows
//! four digits, not ten characters. The type's shape says which characters are constant and how many values each of the
//! others can take. Which records have which form, the store knows; nothing here reads it.

use crate::detector::compile::shape::{self, Piece, Shape};
use crate::detector::compile::{ByteSet, Detector};

/// How the values of a detector look, ready to weigh redacted forms.
#[derive(Debug, Clone, Default)]
pub struct Form {
    shapes: Vec<Shape>,
    /// How many bytes at the end are a checksum: 32 bits together, however they are written.
    checksum: usize,
}

/// What a checksum of four bytes is worth in all.
const CHECKSUM_BITS: f64 = 32.0;

impl Form {
    /// Takes the shapes of a detector; one that is written as a pattern gives none.
    pub fn of(detector: &Detector) -> Self {
        let shapes = detector.shapes.iter().filter_map(|text| shape::parse(text).ok()).flatten().collect();
        let checksum = detector.checksum.as_ref().map_or(0, |sum| sum.length as usize);
        Self { shapes, checksum }
    }

    /// Returns what the visible characters of a redacted form are worth, in bits. Of several shapes that it fits the least
    /// counts; where it fits none, its characters alone are looked at.
    pub fn bits(&self, head: &str, tail: &str) -> f64 {
        let of_shape = |shape: &Shape| {
            let front = front_bits(shape, head.as_bytes())?;
            let back = self.back_bits(shape, tail.as_bytes())?;
            Some(front + back)
        };
        let least = self.shapes.iter().filter_map(of_shape).reduce(f64::min);
        least.unwrap_or_else(|| bits_by_characters(head, tail))
    }

    /// Returns whether a value may begin with this text: what is shown of it contradicts no constant of the type.
    pub fn may_begin_with(&self, head: &str) -> bool {
        self.shapes.is_empty() || self.shapes.iter().any(|shape| front_bits(shape, head.as_bytes()).is_some())
    }

    fn back_bits(&self, shape: &Shape, tail: &[u8]) -> Option<f64> {
        let places = Backward(shape).places(tail)?;
        let each = CHECKSUM_BITS / self.checksum.max(1) as f64;
        let worth = |(index, bits): (usize, f64)| if index < self.checksum { bits.min(each) } else { bits };
        Some(places.into_iter().enumerate().map(worth).sum())
    }
}

/// Returns the bits of a value's beginning, or nothing where the shape cannot begin so.
fn front_bits(shape: &Shape, head: &[u8]) -> Option<f64> {
    let mut rest = head;
    let mut bits = 0.0;
    for piece in &shape.0 {
        if rest.is_empty() {
            break;
        }
        match piece {
            Piece::Literal(text) => {
                let shown = rest.len().min(text.len());
                if rest[..shown] != text[..shown] {
                    return None;
                }
                rest = &rest[shown..];
            }
            Piece::Run { set, max, .. } => {
                let shown = rest.len().min(*max as usize);
                let fitting = rest[..shown].iter().take_while(|byte| set.contains(**byte)).count();
                if fitting < shown {
                    return None;
                }
                bits += shown as f64 * alphabet_bits(*set);
                rest = &rest[shown..];
            }
        }
    }
    rest.is_empty().then_some(bits)
}

/// A shape read from its end.
struct Backward<'shape>(&'shape Shape);

impl Backward<'_> {
    /// Returns the bits of each visible character, the last one first, or nothing where the shape cannot end so.
    fn places(&self, tail: &[u8]) -> Option<Vec<f64>> {
        let mut places = Vec::with_capacity(tail.len());
        let mut rest = tail;
        for piece in self.0.0.iter().rev() {
            if rest.is_empty() {
                break;
            }
            match piece {
                Piece::Literal(text) => {
                    let shown = rest.len().min(text.len());
                    if rest[rest.len() - shown..] != text[text.len() - shown..] {
                        return None;
                    }
                    places.extend(std::iter::repeat_n(0.0, shown));
                    rest = &rest[..rest.len() - shown];
                }
                Piece::Run { set, max, .. } => {
                    let shown = rest.len().min(*max as usize);
                    if !rest[rest.len() - shown..].iter().all(|byte| set.contains(*byte)) {
                        return None;
                    }
                    places.extend(std::iter::repeat_n(alphabet_bits(*set), shown));
                    rest = &rest[..rest.len() - shown];
                }
            }
        }
        rest.is_empty().then_some(places)
    }
}

fn alphabet_bits(set: ByteSet) -> f64 {
    (set.len().max(1) as f64).log2()
}

/// Weighs characters of which no shape is known: those after the last separator of the head, in the least alphabet that has
/// all of them.
fn bits_by_characters(head: &str, tail: &str) -> f64 {
    let variable = head.rfind(['-', '_', '.', ':']).map_or(head, |end| &head[end + 1..]);
    let all = || variable.bytes().chain(tail.bytes());
    let alphabet: f64 = match () {
        () if all().all(|byte| byte.is_ascii_digit()) => 10.0,
        () if all().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) => 16.0,
        () if all().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'z')) => 36.0,
        () => 62.0,
    };
    all().count() as f64 * alphabet.log2()
}

/// Returns whether a value has this redacted form. One that shows the whole value is none.
pub fn fits_value(value: &str, head: &str, tail: &str) -> bool {
    head.len() + tail.len() < value.len() && value.starts_with(head) && value.ends_with(tail)
}

/// What is seen of a value whose middle is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visible<'text> {
    /// The beginning.
    pub head: &'text str,
    /// The end.
    pub tail: &'text str,
}

impl<'text> Visible<'text> {
    /// Takes a redacted form apart at its gap: an ellipsis, or two and more full stops or asterisks.
    pub fn of_redacted(text: &'text str) -> Option<Self> {
        let text = text.trim();
        let is_gap = |character: char| matches!(character, '…' | '.' | '*' | '•');
        let mut start = None;
        for (at, character) in text.char_indices() {
            let is_wide =
                matches!(character, '…' | '•') || text[at..].starts_with("..") || text[at..].starts_with("**");
            if is_gap(character) && is_wide {
                start = Some(at);
                break;
            }
        }
        let start = start?;
        let tail = text[start..].trim_start_matches(is_gap);
        Some(Self { head: &text[..start], tail })
    }

    /// Returns what two redacted forms of one value show alike: the shorter head and the shorter tail. Nothing, where they
    /// cannot be of one value.
    pub fn common(&self, head: &str, tail: &str) -> Option<(String, String)> {
        let (short_head, long_head) = shorter(self.head, head);
        let (short_tail, long_tail) = shorter(self.tail, tail);
        (long_head.starts_with(short_head) && long_tail.ends_with(short_tail))
            .then(|| (short_head.to_owned(), short_tail.to_owned()))
    }
}

fn shorter<'text>(left: &'text str, right: &'text str) -> (&'text str, &'text str) {
    if left.len() <= right.len() { (left, right) } else { (right, left) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::testing::registry;
    use proptest::prelude::*;

    fn bits(detector: &str, head: &str, tail: &str) -> f64 {
        Form::of(registry().get(detector).expect("a built-in detector")).bits(head, tail)
    }

    fn about(found: f64, expected: f64) {
        assert!((found - expected).abs() < 0.2, "{found} is not about {expected}");
    }

    #[test]
    fn constant_characters_are_worth_nothing_and_the_others_their_alphabet() {
        about(bits("langfuse-secret-key", "sk-lf-", "0a1b"), 16.0);
        about(bits("anthropic-api-key", "sk-ant-api03-R2D", "igAA"), 30.0);
        about(bits("openai-project-key", "sk-proj-EXa", "9Zq"), 36.0);
        about(bits("openai-project-key", "sk-proj-", "9Zq"), 18.0);
        about(bits("azure-entra-client-secret", "Ex8", ""), 18.0);
        about(bits("openai-project-key", "sk-pr", ""), 0.0);
    }

    #[test]
    fn a_checksum_is_worth_no_more_than_its_own_bits() {
        about(bits("github-classic-token", "", "Eonly000"), 44.0);
        about(bits("github-classic-token", "ghp_", "only000"), 38.0);
    }

    #[test]
    fn what_fits_no_shape_is_weighed_by_its_characters() {
        about(bits("openai-project-key", "zz-", "0a1b"), 16.0);
        about(bits_by_characters("00T", "MQGQ"), 7.0 * 62_f64.log2());
    }

    #[test]
    fn a_prefix_that_contradicts_the_type_is_seen() {
        let form = Form::of(registry().get("openai-admin-key").expect("a detector"));
        assert!(form.may_begin_with("sk-admin-"));
        assert!(!form.may_begin_with("sk-proj-"));
    }

    #[test]
    fn a_redacted_form_is_taken_apart_at_its_gap() {
        for (text, head, tail) in [
            ("sk-proj-EXa...9Zq", "sk-proj-EXa", "9Zq"),
            ("sk-ant-api03-…igAA", "sk-ant-api03-", "igAA"),
            ("***MQGQ", "", "MQGQ"),
            ("AQ.Ab8R…", "AQ.Ab8R", ""),
            ("…", "", ""),
        ] {
            assert_eq!(Visible::of_redacted(text), Some(Visible { head, tail }), "{text}");
        }
        assert_eq!(Visible::of_redacted("no gap. here"), None);
    }

    #[test]
    fn two_forms_of_one_value_agree_in_what_both_show() {
        let seen = Visible { head: "sk-proj-", tail: "x9Zq" };
        assert_eq!(seen.common("sk-proj-EXa", "9Zq"), Some(("sk-proj-".into(), "9Zq".into())));
        assert_eq!(seen.common("sk-proj-EXa", "8Zq"), None);
        assert_eq!(seen.common("sk-admin-", ""), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_weighing_fail(head in ".{0,40}", tail in ".{0,40}", value in ".{0,60}") {
                let form = Form::of(registry().get("github-classic-token").expect("a detector"));
            prop_assert!(form.bits(&head, &tail) >= 0.0);
            fits_value(&value, &head, &tail);
            if let Some(seen) = Visible::of_redacted(&value) {
                seen.common(&head, &tail);
            }
        }
    }
}
