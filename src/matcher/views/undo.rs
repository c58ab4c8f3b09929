//! Terminal codes and invisible characters taken out, escapes undone: one level a call.
//!
//! Everything is undone in one pass, since real text mixes them (a coloured log line of JSON in a URL). Whether the
//! result means anything is for the rules to say.

use super::{Undone, View, Writer};

/// The longest escape that is read: `&ZeroWidthSpace;` and a colour with all its parameters are shorter.
pub const LONGEST: usize = 32;

/// What an escape stands for.
enum Meaning {
    /// One character below 0x80, or 0xFF in the place of any other.
    Byte(u8),
    /// Nothing that is seen.
    Nothing,
}

/// An escape: its length in bytes, what it stands for and of which sort it is.
type Escape = (usize, Meaning, Undone);

/// Takes out of a view what nobody sees and leaves the rest as it is: what looks like an escape may be part of a value.
/// Returns nothing where all is seen.
pub fn unseen(source: &View<'_>) -> Option<View<'static>> {
    undo_those(source, (0, 0), |undone| matches!(undone, Undone::Ansi | Undone::Invisible))
}

/// Undoes one level of escapes in a view; `keep` is a stretch that is copied as it is. Returns nothing where there is
/// none.
pub fn undo(source: &View<'_>, keep: (usize, usize)) -> Option<View<'static>> {
    undo_those(source, keep, |_| true)
}

fn undo_those(source: &View<'_>, keep: (usize, usize), wanted: impl Fn(Undone) -> bool) -> Option<View<'static>> {
    let bytes = &source.bytes;
    let mut is_mail = None;
    // Most text has nothing to undo, and then nothing is copied.
    let mut writer = None;
    let mut copied = 0;
    let mut position = 0;
    while let Some(ahead) = bytes.get(position..).and_then(|rest| rest.iter().position(|byte| starts(*byte))) {
        position += ahead;
        let kept = (keep.0..keep.1).contains(&position);
        let limit = if position < keep.0 { keep.0 } else { bytes.len() };
        let rest = &bytes[position..limit.min(position + LONGEST)];
        let escape = (!kept).then(|| read(rest)).flatten().filter(|escape| wanted(escape.2));
        // An assignment of digits looks like a sign of a mail; only in a mail it is one.
        let escape = escape.filter(|escape| {
            !matches!(escape, (_, Meaning::Byte(_), Undone::QuotedPrintable))
                || *is_mail.get_or_insert_with(|| holds_signs_of_mails(bytes))
        });
        let Some((length, meaning, undone)) = escape else {
            position += 1;
            continue;
        };
        let writer = writer.get_or_insert_with(|| Writer::new(source));
        writer.copy_all(copied, position);
        match meaning {
            Meaning::Byte(byte) => writer.put(byte, position, position + length, undone),
            Meaning::Nothing => writer.leave_out(position, undone),
        }
        position = (position + length).min(bytes.len());
        copied = position;
    }
    let mut writer = writer?;
    writer.copy_all(copied, bytes.len());
    writer.finish()
}

/// Returns whether a text holds the signs that mails write in pairs of digits and that stand in or beside every key.
fn holds_signs_of_mails(text: &[u8]) -> bool {
    [&b"=3D"[..], b"=2D", b"=5F"].iter().any(|sign| memchr::memmem::find(text, sign).is_some())
}

/// Returns whether an escape of any sort stands at the start of a text.
pub fn begins(text: &[u8]) -> bool {
    text.first().is_some_and(|byte| starts(*byte)) && read(&text[..text.len().min(LONGEST)]).is_some()
}

/// The bytes that can be the first of an escape.
const STARTS: [bool; 256] = {
    let mut starts = [false; 256];
    let bytes = b"\x1b\\%&=^\xC2\xE2\xEF";
    let mut index = 0;
    while index < bytes.len() {
        starts[bytes[index] as usize] = true;
        index += 1;
    }
    starts
};

/// Whether a byte can be the first of an escape.
#[inline]
pub(super) fn starts(byte: u8) -> bool {
    STARTS[usize::from(byte)]
}

fn read(text: &[u8]) -> Option<Escape> {
    match text[0] {
        0x1b => Some((1 + control(&text[1..]), Meaning::Nothing, Undone::Ansi)),
        b'^' if text.starts_with(b"^[[") => Some((2 + control(&text[2..]), Meaning::Nothing, Undone::Ansi)),
        b'\\' => backslash(text),
        b'%' => Some((3, ascii(hex(text.get(1..3)?)?), Undone::Percent)),
        b'&' => entity(text),
        b'=' => quoted_printable(text),
        0xC2 if text.get(1) == Some(&0xA0) => Some((2, Meaning::Byte(b' '), Undone::Invisible)),
        0xC2 if text.get(1) == Some(&0xAD) => Some((2, Meaning::Nothing, Undone::Invisible)),
        0xE2 | 0xEF => {
            let unseen = matches!(text.get(1..3)?, [0x80, 0x8B..=0x8F] | [0x81, 0xA0] | [0xBB, 0xBF]);
            unseen.then_some((3, Meaning::Nothing, Undone::Invisible))
        }
        _ => None,
    }
}

/// Returns how long the rest of a terminal code is: `[`, parameters and a letter, or one character of a charset choice.
fn control(rest: &[u8]) -> usize {
    match rest.first() {
        Some(b'[') => {
            let parameters = rest[1..].iter().take_while(|byte| matches!(byte, 0x20..=0x3F)).count();
            if rest.get(1 + parameters).is_some_and(u8::is_ascii_alphabetic) { parameters + 2 } else { 1 }
        }
        Some(b'(' | b')') if rest.len() > 1 => 2,
        _ => 0,
    }
}

fn backslash(text: &[u8]) -> Option<Escape> {
    let (length, code) = match text.get(1)? {
        b'u' if text.get(2) == Some(&b'{') => braced(text)?,
        b'u' => (6, hex(text.get(2..6)?)?),
        b'x' => (4, hex(text.get(2..4)?)?),
        b'0'..=b'3' => (4, octal(text.get(1..4)?)?),
        b'e' if text.get(2) == Some(&b'[') => (2, 0x1b),
        b'n' => (2, u32::from(b'\n')),
        b'r' => (2, u32::from(b'\r')),
        b't' => (2, u32::from(b'\t')),
        byte @ (b'"' | b'\'' | b'/' | b'\\' | b'`' | b'-' | b'_' | b'=' | b'&' | b'.' | b'$') => (2, u32::from(*byte)),
        _ => return None,
    };
    if code == 0x1b {
        return Some((length + control(&text[length..]), Meaning::Nothing, Undone::Ansi));
    }
    Some((length, character(code), Undone::Escape))
}

/// Reads `\u{2d}`.
fn braced(text: &[u8]) -> Option<(usize, u32)> {
    let digits = text[3..].iter().position(|byte| *byte == b'}').filter(|count| (1..=6).contains(count))?;
    Some((digits + 4, hex(&text[3..3 + digits])?))
}

fn entity(text: &[u8]) -> Option<Escape> {
    let end = text.iter().position(|byte| *byte == b';').filter(|end| *end >= 3)?;
    let name = &text[1..end];
    let code = match name {
        [b'#', b'x' | b'X', digits @ ..] => hex(digits)?,
        [b'#', digits @ ..] => decimal(digits)?,
        _ => NAMED.iter().find(|(known, _)| known.as_bytes() == name)?.1,
    };
    Some((end + 1, character(code), Undone::Html))
}

/// The entities that stand in or beside keys.
const NAMED: [(&str, u32); 18] = [
    ("quot", 0x22),
    ("amp", 0x26),
    ("apos", 0x27),
    ("lt", 0x3C),
    ("gt", 0x3E),
    ("nbsp", 0xA0),
    ("shy", 0xAD),
    ("ZeroWidthSpace", 0x200B),
    ("lowbar", 0x5F),
    ("hyphen", 0x2D),
    ("dash", 0x2D),
    ("equals", 0x3D),
    ("colon", 0x3A),
    ("sol", 0x2F),
    ("plus", 0x2B),
    ("period", 0x2E),
    ("comma", 0x2C),
    ("NewLine", 0x0A),
];

/// Quoted-printable: a line end that is none, or a pair of upper-case digits. A pair beyond ASCII counts beside another
/// only, since `=AB` is how assignments look as well.
fn quoted_printable(text: &[u8]) -> Option<Escape> {
    if let Some(length) = line_end(&text[1..]) {
        return Some((1 + length, Meaning::Nothing, Undone::QuotedPrintable));
    }
    let digits = text.get(1..3)?;
    if digits.iter().any(u8::is_ascii_lowercase) {
        return None;
    }
    let code = hex(digits)?;
    let printable = matches!(code, 0x09 | 0x0A | 0x0D | 0x20..=0x7E);
    (printable || text.get(3) == Some(&b'=')).then(|| (3, ascii(code), Undone::QuotedPrintable))
}

fn line_end(text: &[u8]) -> Option<usize> {
    match text {
        [b'\r', b'\n', ..] => Some(2),
        [b'\n', ..] => Some(1),
        _ => None,
    }
}

/// What a character stands for: itself, nothing where it is invisible, and 0xFF where it is none of ASCII.
fn character(code: u32) -> Meaning {
    match code {
        0xA0 => Meaning::Byte(b' '),
        0xAD | 0x200B..=0x200F | 0x2060 | 0xFEFF => Meaning::Nothing,
        _ => ascii(code),
    }
}

fn ascii(code: u32) -> Meaning {
    Meaning::Byte(u8::try_from(code).ok().filter(u8::is_ascii).unwrap_or(0xFF))
}

fn hex(digits: &[u8]) -> Option<u32> {
    number(digits, 16)
}

fn octal(digits: &[u8]) -> Option<u32> {
    number(digits, 8)
}

fn decimal(digits: &[u8]) -> Option<u32> {
    number(digits, 10)
}

/// Reads at most eight digits.
fn number(digits: &[u8], radix: u32) -> Option<u32> {
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    digits.iter().try_fold(0_u32, |sum, digit| {
        let value = char::from(*digit).to_digit(radix)?;
        sum.checked_mul(radix)?.checked_add(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(text: &[u8]) -> (Vec<u8>, Vec<&'static str>) {
        let view = undo(&View::raw(text, 0), (0, 0)).expect("something to undo");
        let names = view.undone(0, text.len());
        (view.bytes.into_owned(), names)
    }

    #[test]
    fn each_sort_is_undone_and_named() {
        let cases: [(&[u8], &[u8], &str); 20] = [
            (b"a\x1b[1;31mb", b"ab", "ansi"),
            (b"a\x1b(Bb", b"ab", "ansi"),
            (br"a\u001b[0mb", b"ab", "ansi"),
            (br"a\x1b[31mb", b"ab", "ansi"),
            (br"a\033[31mb", b"ab", "ansi"),
            (b"a^[[31mb", b"ab", "ansi"),
            ("a\u{200b}b".as_bytes(), b"ab", "invisible"),
            ("a\u{feff}b".as_bytes(), b"ab", "invisible"),
            ("a\u{ad}b".as_bytes(), b"ab", "invisible"),
            ("a\u{a0}b".as_bytes(), b"a b", "invisible"),
            (br"a\u002db", b"a-b", "json-escape"),
            (br"a\x2db", b"a-b", "json-escape"),
            (br"a\u{2d}b", b"a-b", "json-escape"),
            (br#"a\"b"#, b"a\"b", "json-escape"),
            (b"a%2Db", b"a-b", "percent"),
            (b"a&#45;b", b"a-b", "html"),
            (b"a&#x2D;b", b"a-b", "html"),
            (b"a&quot;b", b"a\"b", "html"),
            (b"a=3Db", b"a=b", "quoted-printable"),
            (b"a=\r\nb", b"ab", "quoted-printable"),
        ];
        for (text, expected, name) in cases {
            assert_eq!(undone(text), (expected.to_vec(), vec![name]), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn what_is_not_seen_is_taken_out_and_what_looks_like_an_escape_stays() {
        let view = unseen(&View::raw(b"a=41\x1b[0m%2Db", 0)).expect("a colour");
        assert_eq!(&view.bytes[..], b"a=41%2Db");
        assert_eq!(unseen(&View::raw(b"a=41%2Db", 0)), None);
    }

    #[test]
    fn levels_are_undone_one_by_one_and_lead_back_to_the_first_text() {
        let text = br"x%255Cu002dy";
        let mut view = View::raw(text, 100);
        for expected in [&br"x%5Cu002dy"[..], br"x\u002dy", b"x-y"] {
            view = undo(&view, (0, 0)).expect("another level");
            assert_eq!(&view.bytes[..], expected);
        }
        assert_eq!(view.span(1, 2), (101, 111));
        assert_eq!(view.undone(101, 111), ["percent", "json-escape"]);
        assert_eq!(undo(&view, (0, 0)), None);
    }

    #[test]
    fn what_is_kept_and_what_only_looks_alike_stays() {
        for text in [&b"KEY=abc"[..], b"ID=398", b"100%", b"a & b;", br"C:\dir", b"&nosuch;", "\u{2026}".as_bytes()] {
            assert_eq!(undo(&View::raw(text, 0), (0, 0)), None, "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(undo(&View::raw(b"=2D", 0), (1, 3)), None, "an escape that runs into what is kept");
    }
}
