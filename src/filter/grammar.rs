//! The grammar round a value: what names it, whether it is assigned, and which words near it speak for or against.

/// How a value stands to the name before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// `NAME = value`, `"name": "value"`, `name(value`, `Bearer value`: the name is given the value.
    Assigned,
    /// It follows the name with other words between.
    Loose,
}

/// Words that may stand between an operator and a value.
const VALUE_WORDS: [&str; 9] = ["bearer", "token", "basic", "api", "apikey", "api-key", "key", "b", "f"];

/// Returns how a value stands to a name, from the bytes between the two.
pub fn relation(gap: &[u8]) -> Relation {
    if gap.iter().any(|byte| *byte == ESCAPE || !byte.is_ascii()) || has_escapes(gap) {
        return plain_relation(&in_plain_marks(gap));
    }
    plain_relation(gap)
}

fn plain_relation(gap: &[u8]) -> Relation {
    const OPERATORS: &[u8] = b"=:(,>[{|\t";
    if says_is(gap) {
        return Relation::Assigned;
    }
    let Some(operator) = gap.iter().rposition(|byte| OPERATORS.contains(byte)) else { return Relation::Loose };
    let name_tail = &gap[..operator];
    let lead = &gap[operator + 1..];
    let plain_tail = name_tail.iter().filter(|byte| matches!(byte, b'\n' | b';' | b'}')).count() == 0;
    if (plain_tail || is_value_field(name_tail)) && is_value_lead(lead) { Relation::Assigned } else { Relation::Loose }
}

/// Whether the rest of a name is followed by `is` and nothing else: `the API key is VALUE`.
fn says_is(gap: &[u8]) -> bool {
    let rest = gap.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count();
    let marks = |byte: &u8| matches!(byte, b' ' | b'"' | b'\'' | b'`' | b'*' | b'{');
    let words: Vec<&[u8]> = gap[rest..].split(marks).filter(|word| !word.is_empty()).collect();
    let Some((last, before)) = words.split_last() else { return false };
    let of_a_key = |word: &&[u8]| VALUE_WORDS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word));
    *last == b"is" && gap[rest..].starts_with(b" ") && before.len() <= 2 && before.iter().all(of_a_key)
}

/// Whether a name is the value of one field and the field beside it is called `value`, on the next line: `name: NAME`,
/// `value: VALUE`.
fn is_value_field(tail: &[u8]) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    let Some(newline) = memchr::memchr(b'\n', tail) else { return false };
    let field: Vec<u8> = tail[newline..].iter().copied().filter(|byte| word(byte)).collect();
    let lines = memchr::memchr_iter(b'\n', tail).count();
    lines == 1 && field.eq_ignore_ascii_case(b"value") && !tail.iter().any(|byte| matches!(byte, b';' | b'}'))
}

/// Returns whether a name is an option of a command and only blanks and quotes follow it: `--api-key VALUE`. `head` is the
/// text up to the end of what is known of the name, `gap` what lies between that and the value.
pub fn is_option(head: &[u8], gap: &[u8]) -> bool {
    let of_a_name = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let length = head.iter().rev().take(64).take_while(of_a_name).count();
    let rest = gap.iter().take_while(of_a_name).count();
    let blanks = &gap[rest..];
    head[head.len() - length..].starts_with(b"--")
        && blanks.starts_with(b" ")
        && blanks.iter().all(|byte| matches!(byte, b' ' | b'"' | b'\''))
}

const ESCAPE: u8 = 0x1b;

/// Signs that are written in several bytes, and what they are between a name and a value.
const SIGNS: [(&[u8], &[u8]); 38] = [
    ("\u{201c}".as_bytes(), b"\""),
    ("\u{201d}".as_bytes(), b"\""),
    ("\u{201e}".as_bytes(), b"\""),
    ("\u{2018}".as_bytes(), b"'"),
    ("\u{2019}".as_bytes(), b"'"),
    ("\u{ab}".as_bytes(), b"\""),
    ("\u{bb}".as_bytes(), b"\""),
    ("\u{300c}".as_bytes(), b"\""),
    ("\u{300e}".as_bytes(), b"\""),
    ("\u{ff1a}".as_bytes(), b":"),
    ("\u{ff1d}".as_bytes(), b"="),
    ("\u{ff08}".as_bytes(), b"("),
    ("\u{3000}".as_bytes(), b" "),
    ("\u{a0}".as_bytes(), b" "),
    ("\u{200b}".as_bytes(), b""),
    ("\u{200c}".as_bytes(), b""),
    ("\u{200d}".as_bytes(), b""),
    ("\u{2060}".as_bytes(), b""),
    ("\u{feff}".as_bytes(), b""),
    (b"&quot;", b"\""),
    (b"&#34;", b"\""),
    (b"&#39;", b"'"),
    (b"&apos;", b"'"),
    (b"&nbsp;", b" "),
    (b"\\t", b"\t"),
    (b"\\u0022", b"\""),
    (b"\\u003d", b"="),
    (b"\\u003D", b"="),
    (b"\\u003a", b":"),
    (b"\\u003A", b":"),
    (b"\\u003e", b">"),
    (b"\\x3d", b"="),
    (b"%3D", b"="),
    (b"%3d", b"="),
    (b"%3A", b":"),
    (b"%22", b"\""),
    (b"%20", b" "),
    (b"=3D", b"="),
];

/// How terminal colours begin that are written out.
const COLOURS: [&[u8]; 6] = [b"\x1b[", b"\\u001b[", b"\\u001B[", b"\\x1b[", b"\\033[", b"\\e["];

/// Whether a gap may hold signs that are written out.
fn has_escapes(gap: &[u8]) -> bool {
    gap.iter().enumerate().any(|(index, byte)| match byte {
        b'&' => gap[index..].contains(&b';'),
        b'%' | b'=' => gap.get(index + 1).is_some_and(u8::is_ascii_digit),
        b'\\' => matches!(gap.get(index + 1), Some(b't' | b'u' | b'x' | b'0' | b'e')),
        _ => false,
    })
}

/// Leaves out terminal colours (`ESC [ 1 ; 31 m`, also written out) and puts plain marks in the place of others. An escape
/// of another kind loses its first byte alone.
fn in_plain_marks(gap: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(gap.len());
    let mut position = 0;
    while let Some(byte) = gap.get(position) {
        let rest = &gap[position..];
        if let Some(length) = colour(rest) {
            position += length;
        } else if let Some((sign, plain)) = SIGNS.iter().find(|(sign, _)| rest.starts_with(sign)) {
            text.extend_from_slice(plain);
            position += sign.len();
        } else {
            if *byte != ESCAPE {
                text.push(*byte);
            }
            position += 1;
        }
    }
    text
}

/// Returns the length of the terminal colour at the start of a text.
fn colour(text: &[u8]) -> Option<usize> {
    let begin = COLOURS.iter().find(|begin| text.starts_with(begin))?.len();
    let parameters = text[begin..].iter().take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
    (text.get(begin + parameters) == Some(&b'm')).then_some(begin + parameters + 1)
}

/// Returns whether the bytes before a value are only quotes, white space and words such as `Bearer`.
fn is_value_lead(lead: &[u8]) -> bool {
    let punctuation =
        |byte: &u8| matches!(byte, b'"' | b'\'' | b'`' | b' ' | b'\t' | b'\\' | b'$' | b'\n' | b'\r' | b'-' | b'*');
    lead.split(punctuation)
        .filter(|word| !word.is_empty())
        .all(|word| VALUE_WORDS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word)))
}

/// Words that say that hexadecimal digits beside them are a hash or an id.
const HASH_WORDS: [&str; 19] = [
    "sha1",
    "sha256",
    "sha512",
    "sha-",
    "sha:",
    "sha=",
    "md5",
    "digest",
    "checksum",
    "integrity",
    "commit",
    "etag",
    "fingerprint",
    "revision",
    "blob",
    "tree",
    "hash",
    "uuid",
    "guid",
];

/// Returns whether words before a value on its line say that it is a hash.
pub fn speaks_of_a_hash(before: &[u8]) -> bool {
    let line = lower(&before[memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1)..]);
    let near = &line[line.len().saturating_sub(48)..];
    HASH_WORDS.iter().any(|word| memchr::memmem::find(near, word.as_bytes()).is_some())
}

/// Returns how many bytes lie between a value and the nearest of the words, ignoring case, in the text before the value and
/// that after it; nothing where none stands there. A short word must stand by itself.
pub fn nearest(before: &[u8], after: &[u8], words: &[String]) -> Option<usize> {
    let (lower_before, lower_after) = (lower(before), lower(after));
    let mut nearest = None;
    for word in words {
        let counts = |text: &[u8], start: usize| word.len() >= 5 || stands_alone(text, start, start + word.len());
        let last = memchr::memmem::rfind_iter(&lower_before, word.as_bytes()).find(|start| counts(before, *start));
        let first = memchr::memmem::find_iter(&lower_after, word.as_bytes()).find(|start| counts(after, *start));
        let gaps = last.map(|start| before.len() - start - word.len()).into_iter().chain(first);
        nearest = gaps.chain(nearest).min();
    }
    nearest
}

/// Whether a word is no part of a longer one; a change of case (`myXaiKey`) parts words as well as a mark does.
fn stands_alone(text: &[u8], start: usize, end: usize) -> bool {
    let parts = |left: Option<&u8>, right: Option<&u8>| match (left, right) {
        (Some(left), Some(right)) => {
            !left.is_ascii_alphanumeric()
                || !right.is_ascii_alphanumeric()
                || (!left.is_ascii_uppercase() && right.is_ascii_uppercase())
        }
        _ => true,
    };
    // The digits of an escape are no part of a word: `%3Fdify`.
    let escaped = start >= 3 && text[start - 3] == b'%' && text[start - 2..start].iter().all(u8::is_ascii_hexdigit);
    (escaped || parts(start.checked_sub(1).map(|index| &text[index]), text.get(start)))
        && parts(text.get(end - 1), text.get(end))
}

fn lower(text: &[u8]) -> Vec<u8> {
    text.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_told_from_prose() {
        let assigned: [&[u8]; 25] = [
            b"_API_KEY=",
            b"_api_key\": \"",
            b"_key = '",
            b".Client(\"",
            b"\", \"",
            b": Bearer ",
            b"_KEY=\"$",
            b"_token: \n  ",
            b"_KEY\x1b[0m=\x1b[1;33m",
            br"_KEY=\u001b[1;33m",
            br"_KEY\u003d",
            b"_KEY%3D",
            b"_KEY=3D",
            b" is ",
            b" key is `",
            b"_API_KEY is {{",
            b"_KEY | ",
            br"_KEY\t",
            b"_KEY: **",
            b"_KEY=&quot;",
            b"_KEY\n          value: \"",
            b"\",\n  \"value\": \"",
            "_KEY\u{ff1a}".as_bytes(),
            "_KEY = \u{201c}".as_bytes(),
            "_KEY:\u{a0}".as_bytes(),
        ];
        for gap in assigned {
            assert_eq!(relation(gap), Relation::Assigned, "{}", String::from_utf8_lossy(gap));
        }
        for gap in [&b" is a model, see commit "[..], b"\nx = ", b" ", b" weights at rev ", b" this ", b"\n\nvalue: "] {
            assert_eq!(relation(gap), Relation::Loose, "{}", String::from_utf8_lossy(gap));
        }
    }

    #[test]
    fn an_option_is_told_from_words() {
        assert!(is_option(b"./run --cohere", b"-api-key ") && is_option(b"run --cohere", b" '"));
        assert!(
            !is_option(b"run cohere", b"-api-key ") && !is_option(b"run --cohere", b" model ") && !is_option(b"", b"")
        );
    }

    #[test]
    fn a_short_word_must_stand_by_itself() {
        let words = [String::from("xai"), String::from("deepseek")];
        assert_eq!(nearest(b"https://api.XAI.com", b"", &words), Some(4));
        assert_eq!(nearest(b"xai or DeepSeek: ", b" of deepseek", &words), Some(2));
        assert_eq!(nearest(b"mydeepseekkey", b"", &words), Some(3));
        assert_eq!(nearest(b"cozeXaiApiKey = ", b"", &words), Some(9));
        assert_eq!(nearest(b"maxaim", b"taxais", &words), None);
    }

    #[test]
    fn hash_words_count_on_the_same_line_only() {
        assert!(speaks_of_a_hash(b"integrity sha512-"));
        assert!(!speaks_of_a_hash(b"sha256\nvalue = "));
    }
}
