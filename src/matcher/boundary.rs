//! Where a token begins and ends: about the key's own alphabet and the text's grammar, not about white space.

use crate::detector::compile::ByteSet;

/// Returns whether a token may begin at `position`: no letter or digit stands before it, or what stands there is the end
/// of an escape that a machine wrote (`\n`, `%3D`, `\u0022`, an ANSI colour).
pub fn may_begin(text: &[u8], position: usize) -> bool {
    match position.checked_sub(1).and_then(|before| text.get(before)) {
        None => true,
        Some(byte) if !byte.is_ascii_alphanumeric() => true,
        Some(_) => ends_an_escape(&text[position.saturating_sub(16)..position]),
    }
}

/// Returns whether a token that begins at `start` may end at `position`: what follows is not of its alphabet, or is the
/// other half of a pair of marks that the token stands in, such as `_token_`, or the full stop of a sentence.
pub fn may_end(text: &[u8], start: usize, position: usize, alphabet: &ByteSet) -> bool {
    let Some(next) = text.get(position) else { return true };
    if !alphabet.contains(*next) {
        return true;
    }
    if *next == b'.' && text.get(position + 1).is_none_or(u8::is_ascii_whitespace) {
        return true;
    }
    let opened = start.checked_sub(1).map(|before| text[before]);
    let closes = matches!(next, b'-' | b'_') && opened == Some(*next);
    closes && text.get(position + 1).is_none_or(|after| !after.is_ascii_alphanumeric())
}

/// Returns whether text ends with an escape sequence, so that what follows is a new word.
fn ends_an_escape(head: &[u8]) -> bool {
    let last = head.len() - 1;
    let digits = |count: usize| head.len() >= count && head[head.len() - count..].iter().all(u8::is_ascii_hexdigit);
    let before = |count: usize| head.len().checked_sub(count + 1).map(|index| head[index]);
    match head[last] {
        b'n' | b't' | b'r' | b'f' | b'b' | b'v' if before(1) == Some(b'\\') => true,
        b'm' => ends_a_colour(&head[..last]),
        _ => {
            (digits(2) && before(2) == Some(b'%'))
                || ends_quoted_printable(head)
                || (digits(2) && before(2) == Some(b'x') && before(3) == Some(b'\\'))
                || (digits(4) && before(4) == Some(b'u') && before(5) == Some(b'\\'))
        }
    }
}

/// Returns whether text ends with a sign as mails write it: an equals sign, a quote, a blank or what separates.
fn ends_quoted_printable(head: &[u8]) -> bool {
    [&b"=3D"[..], b"=20", b"=22", b"=27", b"=28", b"=2C", b"=3A", b"=3B", b"=3C", b"=3E", b"=60"]
        .iter()
        .any(|sign| head.ends_with(sign))
}

/// Returns whether text before an `m` is the rest of a colour: `ESC[1;31`, also with the escape written out.
fn ends_a_colour(head: &[u8]) -> bool {
    let parameters = head.iter().rev().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    let Some(introducer) = head[..head.len() - parameters].strip_suffix(b"[") else { return false };
    [&b"\x1b"[..], b"u001b", b"u001B", b"x1b", b"x1B", b"\\033", b"\\e", b"^["]
        .iter()
        .any(|escape| introducer.ends_with(escape))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begins(head: &str) -> bool {
        may_begin(format!("{head}token").as_bytes(), head.len())
    }

    #[test]
    fn a_token_begins_after_punctuation_and_escapes_but_not_inside_a_word() {
        let good = [
            "",
            " ",
            "=",
            "\"",
            "MY_",
            r"\n",
            r"\t",
            "%3D",
            "NAME=3D",
            r"\u003d",
            r"\x3d",
            "\x1b[31m",
            r"\u001b[1;32m",
            r"\033[0m",
        ];
        for head in good {
            assert!(begins(head), "{head:?}");
        }
        for head in ["a", "ta", "n", "3D", "NAME=3d", "u003d", "31m", "[31m"] {
            assert!(!begins(head), "{head:?}");
        }
    }

    #[test]
    fn a_token_ends_before_what_is_not_of_its_alphabet() {
        let with_stops = ByteSet::of(b"abc.");
        assert!(may_end(b"abc. And", 0, 3, &with_stops) && may_end(b"abc.", 0, 3, &with_stops));
        assert!(!may_end(b"abc.abc", 0, 3, &with_stops));
        let alphabet = ByteSet::of(b"abc-_");
        for (text, expected) in [
            ("abc", true),
            ("abcd", true),
            ("abc.", true),
            ("abca", false),
            ("abc-a", false),
            ("abc-", false),
            ("_abc_", true),
            ("_abc_b", false),
            ("-abc_", false),
        ] {
            let start = text.find('a').expect("the token");
            assert_eq!(may_end(text.as_bytes(), start, start + 3, &alphabet), expected, "{text:?}");
        }
    }
}
