//! Tokens put together again that a line end or a string concatenation cut.
//!
//! Only a token that goes on behind the cut is joined, and a line is taken for a continuation of a wrapped one only where
//! it can be: the second piece ends the token or fills its line as the first did. Whether the joined token is a
//! credential is for its rule to say, which must be strict: see [`crate::matcher::evaluate`].

use super::{Undone, View, Writer};
use crate::detector::compile::ByteSet;

/// The most that may lie between two pieces of a token, in bytes.
const LONGEST_GAP: usize = 96;
/// The most pieces that a token is put together from.
const MOST_PIECES: usize = 16;
/// The shortest token that is worth joining, in bytes.
const SHORTEST_TOKEN: usize = 12;
/// The shortest piece that fills a line, in bytes: terminals and mails are wider.
const SHORTEST_LINE: usize = 16;
/// The shortest piece before an anchor that the token of the anchor may begin with, in bytes.
const SHORTEST_PIECE: usize = 4;
/// How many beginnings of a token are tried.
const MOST_STARTS: usize = 4;
/// How many signs a token holds that part other tokens, such as a colon.
const MOST_SIGNS: usize = 4;
/// How many bytes behind a joined token are kept.
const CONTEXT: usize = 128;

/// Bytes that tokens are made of. An equals sign only ever ends one.
pub const TOKEN: ByteSet = ByteSet::of(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_+/.");

/// A gap in a token: where it begins, its length and its sort.
type Gap = (usize, usize, Undone);

/// Joins the pieces of the token that begins at `start` of a view. Returns nothing where it stands in one piece or is
/// too short. The view ends soon after the token.
pub fn join(source: &View<'_>, start: usize) -> Option<View<'static>> {
    let (gaps, end, length) = pieces(&source.bytes, start);
    if gaps.is_empty() || length < SHORTEST_TOKEN {
        return None;
    }
    let mut writer = Writer::new(source);
    let mut position = 0;
    for (begin, length, undone) in gaps {
        (position..begin).for_each(|index| writer.copy(index));
        writer.leave_out(begin, undone);
        position = begin + length;
    }
    (position..(end + CONTEXT).min(source.bytes.len())).for_each(|index| writer.copy(index));
    writer.finish()
}

/// Returns where the pieces of tokens begin that stand so close before a position that the token which begins there may go
/// on to it: nearest last.
pub fn starts_before(bytes: &[u8], position: usize, offset: usize) -> Vec<usize> {
    let first = position.saturating_sub(offset + 2 * LONGEST_GAP);
    let mut starts = Vec::new();
    let mut start = first;
    while start < position {
        let length = run(&bytes[start..position]);
        // What the window cuts has its beginning elsewhere.
        let is_whole = start == 0 || !TOKEN.contains(bytes[start - 1]);
        if is_whole && length >= SHORTEST_PIECE {
            starts.push(start);
        }
        start += length.max(1);
    }
    let surplus = starts.len().saturating_sub(MOST_STARTS);
    starts.drain(..surplus);
    starts
}

/// Returns the gaps in the token that begins at `start`, where it ends and how long it is without them.
fn pieces(bytes: &[u8], start: usize) -> (Vec<Gap>, usize, usize) {
    let mut gaps: Vec<Gap> = Vec::new();
    let (mut position, mut total, mut width) = (start, 0, None);
    loop {
        let length = long_run(&bytes[position..]);
        let end = position + length;
        total += length;
        let Some((gap, undone)) = gap(&bytes[end..]).filter(|_| gaps.len() < MOST_PIECES) else {
            return (gaps, end, total);
        };
        if undone == Undone::Wrapping {
            // A line that a full one goes on in is the last one unless it is as long.
            let line = end - memchr::memrchr(b'\n', &bytes[..end]).map_or(0, |newline| newline + 1);
            let filled = gaps.is_empty() || length >= SHORTEST_LINE;
            let goes_on = filled && is_continuation(&bytes[end + gap..]);
            if *width.get_or_insert(line) > line || !goes_on {
                return (gaps, end, total);
            }
        }
        gaps.push((end, gap, undone));
        position = end + gap;
    }
}

/// Returns whether a line may be the rest of a wrapped token: not a word, and not the name of something.
fn is_continuation(line: &[u8]) -> bool {
    let piece = &line[..run(line)];
    let word = piece.len() >= 4 && piece.iter().all(u8::is_ascii_lowercase);
    let is_name = match line[piece.len()..] {
        // The sign may belong to the token: padding, or what stands between two parts of it.
        [b'=', b'=' | b' ' | b'\r' | b'\n' | b'"' | b'\'', ..] | [b'='] => false,
        [b':' | b'=', next, ..] if TOKEN.contains(next) => !piece.iter().any(u8::is_ascii_digit),
        [b':' | b'=' | b'(' | b'@', ..] => true,
        _ => false,
    };
    !word && !is_name
}

/// Returns whether a token that ends at the start of a text may go on behind a gap.
pub fn goes_on(text: &[u8]) -> bool {
    gap(text).is_some()
}

/// Returns whether a string literal ends at the start of a text, or a line that a backslash continues, and goes on behind.
pub fn is_literal_cut(text: &[u8]) -> bool {
    gap(text).is_some_and(|(_, undone)| undone == Undone::Concatenation)
}

/// Returns how many bytes at the start of a text are of tokens.
pub fn run(text: &[u8]) -> usize {
    text.iter().take_while(|byte| TOKEN.contains(**byte)).count()
}

/// Returns how many bytes at the start of a text are of tokens and of single signs that stand between two.
pub fn long_run(text: &[u8]) -> usize {
    let mut length = run(text);
    for _ in 0..MOST_SIGNS {
        let joined = match text[length..] {
            [b':' | b'!' | b'~' | b'@' | b'|' | b'=', next, ..] => TOKEN.contains(next),
            _ => false,
        };
        if !joined || length == 0 {
            break;
        }
        length += 1 + run(&text[length + 1..]);
    }
    length
}

/// Returns the gap at the start of a text where a token goes on behind it: its length and its sort.
fn gap(text: &[u8]) -> Option<(usize, Undone)> {
    let text = &text[..text.len().min(LONGEST_GAP)];
    let (length, undone) = match text.first()? {
        b'"' | b'\'' | b'`' => (concatenation(text)?, Undone::Concatenation),
        b'\\' => (continued(text)?, Undone::Concatenation),
        b'\n' | b'\r' | b' ' => (wrapping(text)?, Undone::Wrapping),
        _ => return None,
    };
    TOKEN.contains(*text.get(length)?).then_some((length, undone))
}

/// A closing quote, an operator or none, an opening quote: `" + "`, `' . '`, `" \` and a line end, `""`.
fn concatenation(text: &[u8]) -> Option<usize> {
    let mut position = 1 + white(&text[1..]);
    let rest = &text[position..];
    let operators: [&[u8]; 10] = [b"\\\r\n", b"\\\n", b"+", b"..", b".", b"&", b"||", b"<>", b"~", b"_"];
    let operator = operators.iter().find(|operator| rest.starts_with(operator)).map_or(0, |operator| operator.len());
    position += operator;
    position += white(&text[position..]);
    if operator == 0 && text.get(position - 1) == Some(&text[0]) && text.get(position) != Some(&text[0]) {
        return None;
    }
    let prefix = text[position..].iter().take_while(|byte| matches!(byte, b'b' | b'r' | b'f' | b'u' | b'$')).count();
    position += prefix.min(2);
    matches!(text.get(position), Some(b'"' | b'\'' | b'`')).then_some(position + 1)
}

/// A backslash at the end of a line, and the indentation of the next.
fn continued(text: &[u8]) -> Option<usize> {
    let length = 1 + newline(&text[1..])?;
    Some(length + blanks(&text[length..]))
}

/// A line end and what tools and people put before the text of a line.
fn wrapping(text: &[u8]) -> Option<usize> {
    let trailing = blanks(text).min(4);
    let mut position = trailing + newline(&text[trailing..])?;
    loop {
        let rest = &text[position..];
        let length = [blanks(rest), marks(rest), time(rest), step(rest)].into_iter().max().unwrap_or(0);
        if length == 0 {
            return Some(position);
        }
        position += length;
    }
}

fn newline(text: &[u8]) -> Option<usize> {
    match text {
        [b'\r', b'\n', ..] => Some(2),
        [b'\n' | b'\r', ..] => Some(1),
        _ => None,
    }
}

fn blanks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn white(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Marks of quotation and of boxes: `> `, `| `.
fn marks(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b'>' | b'|')).count()
}

/// A time as logs begin their lines with: `2024-05-06T07:08:09.123Z `, `[07:08:09] `, with `stdout F` or `00O` behind it.
fn time(text: &[u8]) -> usize {
    let open = usize::from(text.first() == Some(&b'['));
    let stamp = text[open..]
        .iter()
        .take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b':' | b'.' | b'T' | b'Z'))
        .count();
    let colons = text[open..open + stamp].iter().filter(|byte| **byte == b':').count();
    let mut length = open + stamp;
    if colons < 2 {
        return 0;
    }
    length += usize::from(open == 1 && text.get(length) == Some(&b']'));
    if text.get(length) != Some(&b' ') {
        return 0;
    }
    let rest = &text[length + 1..];
    let streams: [&[u8]; 6] = [b"stdout F ", b"stderr F ", b"stdout P ", b"stderr P ", b"00O+", b"00O "];
    length + 1 + streams.iter().find(|stream| rest.starts_with(stream)).map_or(0, |stream| stream.len())
}

/// A build step as Docker numbers them: `#8 12.34 `.
fn step(text: &[u8]) -> usize {
    if text.first() != Some(&b'#') {
        return 0;
    }
    let number = text[1..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    if number == 0 || text.get(1 + number) != Some(&b' ') {
        return 0;
    }
    let rest = &text[number + 2..];
    let seconds = rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let timed = rest[..seconds].contains(&b'.') && rest.get(seconds) == Some(&b' ');
    number + 2 + if timed { seconds + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(text: &[u8]) -> Option<Vec<u8>> {
        join(&View::raw(text, 0), 0).map(|view| view.bytes.into_owned())
    }

    #[test]
    fn pieces_are_joined_across_every_sort_of_gap() {
        let gaps: [&str; 19] = [
            "\" + \"",
            "\"+\"",
            "' . '",
            "\" .. \"",
            "\" & \"",
            "\" || \"",
            "\"\n    \"",
            "\" \\\n  \"",
            "' \\\r\n'",
            "\" +\n  f\"",
            "\\\n",
            "\\\n    ",
            "\n",
            "\r\n",
            "\n> ",
            "\n>> | ",
            "\n2024-05-06T07:08:09.1234567Z ",
            "\n#8 12.3 ",
            "\n2024-05-06T07:08:09Z stdout F ",
        ];
        for gap in gaps {
            let text = format!("abcdefghijkl{gap}mno9 end");
            assert_eq!(joined(text.as_bytes()).as_deref(), Some(&b"abcdefghijklmno9 end"[..]), "{gap:?}");
        }
    }

    #[test]
    fn the_last_line_of_a_wrapped_token_ends_it() {
        let text = b"0123456789abcdef\nghijklmnopqrst12\nwxy9\nnext";
        assert_eq!(joined(text).as_deref(), Some(&b"0123456789abcdefghijklmnopqrst12wxy9\nnext"[..]));
    }

    #[test]
    fn what_is_no_continuation_stays() {
        let texts =
            ["a\nhttps://b", "a\nNEXT=b", "a\nnext", "a, b", "a\" b", "a\", \"b", "a b", "a\n\n", "a' x 'b", "a"];
        for text in texts {
            let text = text.replace('a', "abcdefghijklmnop");
            assert_eq!(joined(text.as_bytes()), None, "{text}");
        }
        assert_eq!(joined(b"abc\ndef"), None, "too short to be anything");
    }
}
