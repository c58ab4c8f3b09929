//! The forms in which text holds an anchor: as it is, in wide characters, and in the encodings that whole runs are in.
//!
//! A form is only what makes the matcher look: it decodes round it and looks there for plain anchors again. So a form may
//! be short, and one that many anchors share is looked for once. A prefix almost always holds a hyphen or an underscore,
//! and what escapes a whole prefix escapes that too: for those, the escaped sign stands for all prefixes at once.

use std::collections::{BTreeMap, BTreeSet};

use super::rule::{Anchor, Encoding};

/// Of how many bytes of an anchor its encoded forms are made.
const CUT: usize = 6;
/// Of how many bytes of an anchor those forms are made that write several bytes for one.
const SHORT_CUT: usize = 4;
/// The shortest form in base64: its four characters are 24 bits, which chance makes once in 16 megabytes.
const LEAST_BASE64: usize = 4;
/// Words beside which values stand that have no prefix of their own, as whole files in base64 or UTF-16 hold them.
const WORDS: [&[u8]; 13] = [
    b"_API_KEY",
    b"_TOKEN",
    b"_SECRET",
    b"_KEY=",
    b"_PAT=",
    b"api_key",
    b"apiKey",
    b"api-key",
    b"_token\"",
    b"_secret",
    b"Bearer ",
    b"token: ",
    b"PASSWORD",
];

/// A hyphen and an underscore in every escape.
const SIGNS: [&[u8]; 20] = [
    b"%2d",
    b"%5f",
    b"%252d",
    b"%255f",
    b"\\u002d",
    b"\\u005f",
    b"\\x2d",
    b"\\x5f",
    b"\\055",
    b"\\137",
    b"&#45;",
    b"&#95;",
    b"&#x2d;",
    b"&#x5f;",
    b"&#045;",
    b"&#095;",
    b"=2d",
    b"=5f",
    b"\\_",
    b"&lowbar;",
];
/// The same in characters of four bytes, in either order.
const WIDE_SIGNS: [&[u8]; 2] = [b"\0\0\0-\0\0\0", b"\0\0\0_\0\0\0"];

type Forms = BTreeMap<(Encoding, Vec<u8>, bool), BTreeSet<u16>>;

/// Returns every form of every literal: a literal's bytes and whether its case is ignored lead to the rules it may begin.
pub fn written_forms(literals: &BTreeMap<(Vec<u8>, bool), Vec<u16>>) -> Vec<Anchor> {
    let mut forms = Forms::new();
    let mut everything = BTreeSet::new();
    for ((bytes, caseless), rules) in literals {
        let mut add = |encoding, form: Vec<u8>, caseless| {
            forms.entry((encoding, form, caseless)).or_default().extend(rules);
        };
        add(Encoding::Plain, bytes.clone(), *caseless);
        // A name of several words is found by what it has in common with others: see `WORDS`.
        if !*caseless || bytes.iter().all(u8::is_ascii_alphanumeric) {
            add(Encoding::Utf16, spaced(&bytes[..bytes.len().min(CUT)], 1), *caseless);
        }
        if !*caseless {
            encoded(bytes, &mut add);
        }
        everything.extend(rules);
    }
    shared_forms(&everything, &mut forms);
    forms
        .into_iter()
        .map(|((encoding, bytes, caseless), rules)| Anchor {
            bytes,
            caseless,
            encoding,
            rules: rules.into_iter().collect(),
        })
        .collect()
}

/// Adds the forms of a prefix.
fn encoded(prefix: &[u8], add: &mut impl FnMut(Encoding, Vec<u8>, bool)) {
    let cut = telling(prefix, CUT);
    for (phase, form) in base64_forms(cut) {
        add(Encoding::Base64(phase), form, false);
    }
    // Twice encoded: a value by itself, in something that is encoded again. Other texts have words in them.
    if let Some((_, inner)) = base64_forms(&cut[..cut.len().min(5)]).into_iter().next() {
        for (phase, form) in base64_forms(&inner) {
            add(Encoding::Base64(phase), form, false);
        }
    }
    if prefix.iter().any(|byte| SIGNS_OF_ADDRESSES.contains(byte)) {
        for (signs, escape) in
            [(SIGNS_OF_ADDRESSES, percent as fn(u8) -> String), (&b"/+="[..], in_json), (SIGNS_OF_ADDRESSES, in_html)]
        {
            let form = each(prefix, |byte| if signs.contains(&byte) { escape(byte) } else { char::from(byte).into() });
            if form != prefix {
                add(Encoding::Escaped, form, false);
            }
        }
    }
    add(Encoding::Hex, each(&cut[..cut.len().min(5)], |byte| format!("{byte:02x}")), true);
    if cut.len() < SHORT_CUT {
        return;
    }
    let short = telling(cut, SHORT_CUT);
    if !prefix.iter().any(|byte| matches!(byte, b'-' | b'_')) {
        add(Encoding::Utf32, spaced(short, 3), false);
        add(Encoding::Escaped, each(short, |byte| format!("%{byte:02x}")), true);
        add(Encoding::Escaped, each(short, |byte| format!("\\u{byte:04x}")), true);
        add(Encoding::Escaped, each(short, |byte| format!("&#{byte};")), false);
        add(Encoding::Escaped, each(short, |byte| format!("&#x{byte:02x};")), true);
    }
}

/// Returns the first bytes of a prefix, or its last ones where it begins with one byte over and over: that is how images
/// and tables look.
fn telling(prefix: &[u8], most: usize) -> &[u8] {
    let length = prefix.len().min(most);
    let repeats = prefix[..length.min(SHORT_CUT)].windows(2).all(|pair| pair[0] == pair[1]);
    if repeats { &prefix[prefix.len() - length..] } else { &prefix[..length] }
}

/// Signs that addresses, JSON and HTML escape where they stand in a value.
const SIGNS_OF_ADDRESSES: &[u8] = b":/+=@";

fn percent(byte: u8) -> String {
    format!("%{byte:02X}")
}

fn in_json(byte: u8) -> String {
    if byte == b'/' { "\\/".into() } else { format!("\\u{byte:04x}") }
}

fn in_html(byte: u8) -> String {
    format!("&#{byte};")
}

/// Adds the forms that serve all anchors.
fn shared_forms(rules: &BTreeSet<u16>, forms: &mut Forms) {
    let mut add = |encoding, form: Vec<u8>, caseless| {
        forms.entry((encoding, form, caseless)).or_default().extend(rules);
    };
    for word in WORDS {
        for (phase, form) in base64_forms(word) {
            add(Encoding::Base64(phase), form, false);
        }
        // Commands for PowerShell are base64 of characters of two bytes.
        let bare = word.strip_suffix(b"=").unwrap_or(word);
        for (phase, form) in base64_forms(&spaced(&bare[..bare.len().min(CUT)], 1)) {
            add(Encoding::Base64(phase), form, false);
        }
        // A text that was encoded and is encoded again.
        for (_, inner) in base64_forms(word) {
            for (phase, form) in base64_forms(&inner) {
                add(Encoding::Base64(phase), form, false);
            }
        }
        add(Encoding::Hex, each(word, |byte| format!("{byte:02x}")), true);
        add(Encoding::Utf16, spaced(&bare.to_ascii_lowercase(), 1), true);
    }
    for sign in SIGNS {
        // Quoted-printable is written in capitals.
        let sign = if sign[0] == b'=' { sign.to_ascii_uppercase() } else { sign.to_vec() };
        let caseless = sign[0] != b'=';
        add(Encoding::Escaped, sign, caseless);
    }
    for sign in WIDE_SIGNS {
        add(Encoding::Utf32, sign.to_vec(), false);
    }
}

/// Writes characters with zeros between them: what both byte orders have in common.
fn spaced(bytes: &[u8], zeros: usize) -> Vec<u8> {
    let mut wide = Vec::with_capacity(bytes.len() * (zeros + 1));
    for byte in bytes {
        wide.push(*byte);
        wide.extend(std::iter::repeat_n(0, zeros));
    }
    wide.truncate(wide.len().saturating_sub(zeros));
    wide
}

fn each(bytes: &[u8], write: impl Fn(u8) -> String) -> Vec<u8> {
    bytes.iter().flat_map(|byte| write(*byte).into_bytes()).collect()
}

/// Returns the base64 of a text at the three alignments: the characters that no neighbour can change, and which of a
/// group of four the first of them is. Forms too short to say anything are left out.
pub fn base64_forms(text: &[u8]) -> Vec<(u8, Vec<u8>)> {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bit = |index: usize| text[index / 8] >> (7 - index % 8) & 1;
    let mut forms = Vec::new();
    for lead in 0..3_usize {
        // The first character that has no bit of what stands before.
        let first = (lead * 8).div_ceil(6);
        let last = (lead + text.len()) * 8 / 6;
        let character = |number: usize| {
            let value = (0..6).fold(0, |value, offset| value << 1 | bit(number * 6 + offset - lead * 8));
            DIGITS[usize::from(value)]
        };
        let form: Vec<u8> = (first..last).map(character).collect();
        if form.len() >= LEAST_BASE64 {
            forms.push(((first % 4) as u8, form));
        }
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_forms_stand_in_the_base64_of_every_text_with_the_anchor() {
        use base64::Engine;
        let encode = |text: &[u8]| base64::engine::general_purpose::STANDARD.encode(text).into_bytes();
        for anchor in [&b"abcd"[..], b"sk-ant-", b"AKIA"] {
            let forms = base64_forms(anchor);
            for lead in 0..6_usize {
                for tail in [&b""[..], b"\xFF\xFF", b"\0\0\0"] {
                    let text = [&b"\x00\xFF\x55\xAA\x0F\xF0"[..lead], anchor, tail].concat();
                    let written = encode(&text);
                    let found = forms.iter().any(|(phase, form)| {
                        memchr::memmem::find_iter(&written, form).any(|place| place % 4 == usize::from(*phase))
                    });
                    assert!(found, "{anchor:?} after {lead}");
                }
            }
        }
    }

    #[test]
    fn forms_that_several_anchors_share_are_looked_for_once() {
        let literals = BTreeMap::from([
            ((b"sk-long-prefix-a-".to_vec(), false), vec![0]),
            ((b"sk-long-prefix-b-".to_vec(), false), vec![1, 2]),
        ]);
        let anchors = written_forms(&literals);
        let of = |encoding| anchors.iter().filter(|anchor| anchor.encoding == encoding).collect::<Vec<_>>();
        assert_eq!(of(Encoding::Plain).len(), 2);
        let prefix = of(Encoding::Hex).into_iter().filter(|anchor| b"736b2d6c6f".starts_with(&anchor.bytes[..]));
        let prefix: Vec<_> = prefix.collect();
        assert_eq!(prefix.len(), 1);
        assert_eq!(prefix[0].rules, [0, 1, 2]);
        let distinct: BTreeSet<_> = anchors.iter().map(|anchor| (&anchor.bytes, anchor.encoding)).collect();
        assert_eq!(distinct.len(), anchors.len());
    }
}
