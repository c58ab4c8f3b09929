//! Reads the redacted forms of credentials as hints that may be kept: never enough of a value to find the rest.

use super::super::keys::parse_hint;
use super::super::model::Hint;

/// How many characters of the variable part a hint may show at either end.
const MOST_SHOWN: usize = 8;

/// Reads a redacted form such as `sk-proj-EXa...9Zq`. `prefixes` are the constant beginnings of the values in question;
/// they do not count as shown.
///
/// # Errors
/// Why it is no redacted form, without the text, which may then be the credential itself.
pub(super) fn redacted(text: &str, prefixes: &[&str], field: &str) -> Result<Hint, String> {
    let Some((head, tail)) = parse_hint(text) else {
        return Err(format!("{field} shows no gap and is not kept: it may be the credential itself"));
    };
    Ok(Hint { head: shortened_head(&head, prefixes), tail: last(&tail).to_owned(), source: Some(field.to_owned()) })
}

/// Makes a hint of the last characters of a value.
pub(super) fn of_tail(tail: &str, field: &str) -> Hint {
    Hint { head: String::new(), tail: last(tail.trim()).to_owned(), source: Some(field.to_owned()) }
}

/// Makes a hint of the first characters of a value.
pub(super) fn of_head(head: &str, field: &str) -> Hint {
    Hint { head: shortened_head(head.trim(), &[]), tail: String::new(), source: Some(field.to_owned()) }
}

fn shortened_head(head: &str, prefixes: &[&str]) -> String {
    let constant =
        prefixes.iter().filter(|prefix| head.starts_with(**prefix)).map(|prefix| prefix.len()).max().unwrap_or(0);
    head.chars().take(constant + MOST_SHOWN).collect()
}

fn last(tail: &str) -> &str {
    let from = tail.char_indices().rev().take(MOST_SHOWN).last().map_or(0, |(at, _)| at);
    &tail[from..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_redacted_form_is_read() {
        for (text, head, tail) in [
            ("sk-abc...def", "sk-abc", "def"),
            ("sk-...abcd", "sk-", "abcd"),
            ("sk-proj-EXa...9Zq", "sk-proj-EXa", "9Zq"),
            ("sk-ant-api03-R2D...igAA", "sk-ant-api03-R2D", "igAA"),
            ("***MQGQ", "", "MQGQ"),
            ("sk-proj-…9f2c", "sk-proj-", "9f2c"),
            ("hvs.ab••••cd", "hvs.ab", "cd"),
        ] {
            let hint = redacted(text, &["sk-proj-", "sk-ant-api03-"], "field").expect(text);
            assert_eq!((hint.head.as_str(), hint.tail.as_str()), (head, tail));
        }
    }

    #[test]
    fn what_is_not_redacted_is_not_kept() {
        for text in ["", "...", "sk-proj-whole", "a..b..c", "ü...x", "a b...c"] {
            let reason = redacted(text, &[], "field").expect_err(text);
            assert!(text.is_empty() || text == "..." || !reason.contains(text), "{reason}");
        }
    }

    #[test]
    fn a_form_that_shows_too_much_is_shortened() {
        let text = format!("sk-proj-{}...{}", "abcdefghijklmnop", "qrstuvwxyz0123456789");
        let hint = redacted(&text, &["sk-", "sk-proj-"], "field").expect("a gap");
        assert_eq!((hint.head.as_str(), hint.tail.as_str()), ("sk-proj-abcdefgh", "23456789"));
    }
}
