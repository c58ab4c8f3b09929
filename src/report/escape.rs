//! All escaping of reports: text from a scanned source is hostile until it has been through one of these.
//!
//! Paths, author names, messages and lines come from whoever wrote the repository, and a terminal, a browser, a
//! spreadsheet and a build server each obey other bytes. What cannot be shown is made visible, never dropped, so that two
//! different names never look the same. Clean text is borrowed.

use std::borrow::Cow;
use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

/// Makes text safe for one line of a terminal: control characters (newline and tab too), C1, characters that turn the
/// direction of writing and characters without width become `\n`, `\x1b` or `\u{202e}`.
pub fn terminal(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    replaced(text, |character| {
        if !is_deceptive(character) {
            return None;
        }
        Some(match character {
            '\n' => Cow::Borrowed("\\n"),
            '\r' => Cow::Borrowed("\\r"),
            '\t' => Cow::Borrowed("\\t"),
            _ if character.is_ascii() => Cow::Owned(format!("\\x{:02x}", u32::from(character))),
            _ => Cow::Owned(format!("\\u{{{:x}}}", u32::from(character))),
        })
    })
}

/// Makes text safe as HTML or XML, in an element or in a quoted attribute.
pub fn markup(text: &str) -> Cow<'_, str> {
    const ENTITIES: &[(char, &str)] = &[
        ('&', "&amp;"),
        ('<', "&lt;"),
        ('>', "&gt;"),
        ('"', "&quot;"),
        ('\'', "&#39;"),
        // XML has no way to write these two at all.
        ('\u{fffe}', "\u{fffd}"),
        ('\u{ffff}', "\u{fffd}"),
    ];
    chained(terminal(text), |clean| replaced_by(clean, ENTITIES))
}

/// Makes text safe as one field of a CSV row: nothing that a spreadsheet takes for a formula, nothing that breaks the row,
/// quoted where it must be.
pub fn csv_field(text: &str) -> Cow<'_, str> {
    chained(terminal(text), |clean| {
        let formula = starts_formula(clean);
        let quoted = formula || clean.contains([',', '"', ';', '\'']);
        if !quoted {
            return Cow::Borrowed(clean);
        }
        let guard = if formula { "'" } else { "" };
        Cow::Owned(format!("\"{guard}{}\"", clean.replace('"', "\"\"")))
    })
}

/// Whether a spreadsheet would reckon with the text: the signs that open a formula, ASCII or full width, also after spaces.
fn starts_formula(text: &str) -> bool {
    text.trim_start().starts_with(['=', '+', '-', '@', '|', '%', '＝', '＋', '－', '＠'])
}

/// Makes text safe as the message of a workflow command.
pub fn annotation_message(text: &str) -> Cow<'_, str> {
    chained(terminal(text), |clean| replaced_by(clean, &[('%', "%25"), ('\r', "%0D"), ('\n', "%0A")]))
}

/// Makes text safe as a property of a workflow command.
pub fn annotation_property(text: &str) -> Cow<'_, str> {
    chained(terminal(text), |clean| {
        replaced_by(clean, &[('%', "%25"), ('\r', "%0D"), ('\n', "%0A"), (':', "%3A"), (',', "%2C")])
    })
}

/// Makes text safe as a SARIF message, in which braces are placeholders and brackets are links.
pub fn sarif_message(text: &str) -> Cow<'_, str> {
    chained(terminal(text), |clean| {
        replaced_by(clean, &[('{', "{{"), ('}', "}}"), ('[', "\\["), (']', "\\]"), ('\\', "\\\\")])
    })
}

/// Makes text safe where Markdown is rendered: a code span that no backtick inside can end.
pub fn markdown_code(text: &str) -> String {
    let clean = terminal(text);
    let longest = clean.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    // The spaces keep a backtick at either end from joining the fence; Markdown takes them away again.
    format!("{fence} {clean} {fence}")
}

/// Writes the bytes of a path as a relative URI: everything but letters, digits, `-._~/` in percent form, no leading slash.
pub fn relative_uri(path: &[u8]) -> String {
    let relative = path.iter().position(|byte| *byte != b'/').map_or(&path[..0], |start| &path[start..]);
    let mut uri = String::with_capacity(relative.len());
    for &byte in relative {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}

/// Whether a text is printable ASCII alone, as nearly all is.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| (0x20..0x7f).contains(&byte))
}

/// Whether a character acts instead of being seen, or is not seen at all.
fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Replaces the characters that have a form; borrows where none has.
fn replaced(text: &str, form: impl Fn(char) -> Option<Cow<'static, str>>) -> Cow<'_, str> {
    let Some(first) = text.char_indices().find_map(|(index, character)| form(character).map(|_| index)) else {
        return Cow::Borrowed(text);
    };
    let mut escaped = String::with_capacity(text.len() + 16);
    escaped.push_str(&text[..first]);
    for character in text[first..].chars() {
        match form(character) {
            Some(form) => escaped.push_str(&form),
            None => escaped.push(character),
        }
    }
    Cow::Owned(escaped)
}

fn replaced_by<'a>(text: &'a str, forms: &'static [(char, &'static str)]) -> Cow<'a, str> {
    replaced(text, |character| forms.iter().find(|form| form.0 == character).map(|form| Cow::Borrowed(form.1)))
}

/// Escapes what is already escaped once, and still borrows where both leave the text as it is.
fn chained<'a>(text: Cow<'a, str>, escape: impl Fn(&str) -> Cow<'_, str>) -> Cow<'a, str> {
    match text {
        Cow::Borrowed(text) => escape(text),
        Cow::Owned(text) => Cow::Owned(escape(&text).into_owned()),
    }
}

/// Writes a value as JSON in one line that is safe to show: the value is the same, but DEL, C1, bidirectional and invisible
/// characters stand as `\u` escapes, so that a report printed on a terminal cannot act on it.
///
/// # Errors
/// What the writer says.
pub fn write_json(output: &mut dyn io::Write, value: &impl Serialize) -> io::Result<()> {
    let mut serializer = serde_json::Serializer::with_formatter(output, Visible);
    value.serialize(&mut serializer).map_err(io::Error::from)
}

struct Visible;

impl Formatter for Visible {
    fn write_string_fragment<W: ?Sized + io::Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if is_plain(fragment) {
            return writer.write_all(fragment.as_bytes());
        }
        let visible = replaced(fragment, |character| {
            is_deceptive(character).then(|| {
                let mut units = [0; 2];
                Cow::Owned(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")).collect())
            })
        });
        writer.write_all(visible.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clean_text_is_borrowed() {
        for text in ["", "src/a.py", "naïve 日本語.md", "a b"] {
            assert!(matches!(terminal(text), Cow::Borrowed(_)), "{text:?}");
            assert!(matches!(markup(text), Cow::Borrowed(_)), "{text:?}");
            assert!(matches!(csv_field(text), Cow::Borrowed(_)), "{text:?}");
            assert!(matches!(annotation_property(text), Cow::Borrowed(_)), "{text:?}");
        }
    }

    #[test]
    fn what_acts_on_a_terminal_becomes_visible() {
        assert_eq!(terminal("\x1b]52;c;aGk=\x07"), r"\x1b]52;c;aGk=\x07");
        assert_eq!(terminal("a\r\nb\tc\x7f"), r"a\r\nb\tc\x7f");
        assert_eq!(terminal("\u{9b}2J\u{202e}gpj.exe\u{200b}\u{e0041}"), r"\u{9b}2J\u{202e}gpj.exe\u{200b}\u{e0041}");
    }

    #[test]
    fn markup_is_inert() {
        assert_eq!(markup("<a href=\"x\" b='y'>&]]>"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;]]&gt;");
        assert_eq!(markup("\u{ffff}"), "\u{fffd}");
    }

    #[test]
    fn formulas_are_guarded() {
        assert_eq!(csv_field("=cmd|'/C calc'!A0"), "\"'=cmd|'/C calc'!A0\"");
        for sign in ["+1", "-1", "@a", " =1", "＝1"] {
            assert_eq!(csv_field(sign), format!("\"'{sign}\""));
        }
        assert_eq!(csv_field("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(csv_field("\t=1\n"), r"\t=1\n");
    }

    #[test]
    fn annotations_cannot_be_forged() {
        assert_eq!(annotation_message("50%\n::error::no"), r"50%25\n::error::no");
        assert_eq!(annotation_property("a:b,c\r"), r"a%3Ab%2Cc\r");
    }

    #[test]
    fn code_spans_cannot_be_left() {
        assert_eq!(markdown_code("sk-…ab"), "` sk-…ab `");
        assert_eq!(markdown_code("a`![x](y)``b"), "``` a`![x](y)``b ```");
    }

    #[test]
    fn uris_are_relative_and_lossless() {
        assert_eq!(relative_uri(b"//etc/a b#c?.py"), "etc/a%20b%23c%3F.py");
        assert_eq!(relative_uri(b"javascript:alert(1)"), "javascript%3Aalert%281%29");
        assert_eq!(relative_uri(b"\xff\n%"), "%FF%0A%25");
    }

    #[test]
    fn json_keeps_the_value_and_hides_nothing() {
        let text = "a\u{202e}\u{9b}\x7f\u{e0041}\"\\\n\u{1f600}";
        let mut written = Vec::new();
        write_json(&mut written, &text).expect("a vector takes all");
        assert_eq!(serde_json::from_slice::<String>(&written).expect("valid JSON"), text);
        let written = String::from_utf8(written).expect("UTF-8");
        assert_eq!(written, "\"a\\u202e\\u009b\\u007f\\udb40\\udc41\\\"\\\\\\n\u{1f600}\"");
    }

    proptest::proptest! {
        #[test]
        fn no_text_leaves_anything_deceptive(text in "\\PC*|[\\x00-\\u{2100}]*") {
            let escaped = terminal(&text);
            proptest::prop_assert!(!escaped.chars().any(is_deceptive));
            let escaped = markup(&text);
            proptest::prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
        }
    }
}
