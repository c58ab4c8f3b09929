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
const VALUE_WORDS: [&str; 8] = ["bearer", "token", "basic", "apikey", "api-key", "key", "b", "f"];

/// Returns how a value stands to a name, from the bytes between the two.
pub fn relation(gap: &[u8]) -> Relation {
    if gap.contains(&ESCAPE) {
        return relation(&without_colours(gap));
    }
    let Some(operator) = gap.iter().rposition(|byte| matches!(byte, b'=' | b':' | b'(' | b',' | b'>' | b'[' | b'{'))
    else {
        return Relation::Loose;
    };
    let name_tail = &gap[..operator];
    let lead = &gap[operator + 1..];
    let plain_tail = name_tail.iter().filter(|byte| matches!(byte, b'\n' | b';' | b'}')).count() == 0;
    if plain_tail && is_value_lead(lead) { Relation::Assigned } else { Relation::Loose }
}

const ESCAPE: u8 = 0x1b;

/// Removes terminal colours (`ESC [ 1 ; 31 m`); an escape of another kind loses its first byte alone.
fn without_colours(gap: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(gap.len());
    let mut rest = gap;
    while let Some(at) = memchr::memchr(ESCAPE, rest) {
        text.extend(&rest[..at]);
        let tail = &rest[at + 1..];
        let parameters = tail.iter().skip(1).take_while(|byte| byte.is_ascii_digit() || **byte == b';').count();
        let is_colour = tail.first() == Some(&b'[') && tail.get(1 + parameters) == Some(&b'm');
        rest = if is_colour { &tail[2 + parameters..] } else { tail };
    }
    text.extend(rest);
    text
}

/// Returns whether the bytes before a value are only quotes, white space and words such as `Bearer`.
fn is_value_lead(lead: &[u8]) -> bool {
    let punctuation =
        |byte: &u8| matches!(byte, b'"' | b'\'' | b'`' | b' ' | b'\t' | b'\\' | b'$' | b'\n' | b'\r' | b'-');
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
    parts(start.checked_sub(1).map(|index| &text[index]), text.get(start)) && parts(text.get(end - 1), text.get(end))
}

fn lower(text: &[u8]) -> Vec<u8> {
    text.to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_told_from_prose() {
        let assigned: [&[u8]; 9] = [
            b"_API_KEY=",
            b"_api_key\": \"",
            b"_key = '",
            b".Client(\"",
            b"\", \"",
            b": Bearer ",
            b"_KEY=\"$",
            b"_token: \n  ",
            b"_KEY\x1b[0m=\x1b[1;33m",
        ];
        for gap in assigned {
            assert_eq!(relation(gap), Relation::Assigned, "{}", String::from_utf8_lossy(gap));
        }
        for gap in [&b" is a model, see commit "[..], b"\nx = ", b" ", b" weights at rev "] {
            assert_eq!(relation(gap), Relation::Loose, "{}", String::from_utf8_lossy(gap));
        }
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
