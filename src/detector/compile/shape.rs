//! The shape language: how a credential looks, written so that no file holds a string that is one.
//!
//! `sk-ant-api03-{93:url}AA` is the literal `sk-ant-api03-`, 93 characters of the URL-safe alphabet and the literal `AA`.
//! `{20-40:hex}` is a range of lengths, `{(b|p|a)}` a choice of literals, `{6:[A-F]}` an alphabet of one's own and `\{` a
//! literal brace. From one shape come the regex, the anchor, the gate and the examples of a detector.

use super::byteset::ByteSet;

/// One stretch of a shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Exactly these bytes.
    Literal(Vec<u8>),
    /// Between `min` and `max` bytes of an alphabet.
    Run {
        /// The bytes allowed.
        set: ByteSet,
        /// The least length, in bytes.
        min: u32,
        /// The greatest length, in bytes.
        max: u32,
    },
}

/// A parsed shape without choices: one sequence of pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape(pub Vec<Piece>);

/// Longest run that a shape may ask for; longer credentials are patterns.
const LONGEST_RUN: u32 = 8192;
/// The longest text of a shape; multiplying choices out takes time with the square of it.
const LONGEST_TEXT: usize = 4096;
/// What an exact length adds to [`Shape::tightness`], and nothing less reaches.
pub const EXACT: u16 = 256;

/// Parses a shape; choices are multiplied out, so one text may give several shapes.
///
/// # Errors
/// What in the text is not of the language, in words.
pub fn parse(text: &str) -> Result<Vec<Shape>, String> {
    if text.len() > LONGEST_TEXT {
        return Err(format!("a shape is longer than {LONGEST_TEXT} characters"));
    }
    let mut shapes = vec![Vec::new()];
    let mut rest = text;
    while !rest.is_empty() {
        let (options, remaining) = next_piece(rest, text)?;
        rest = remaining;
        shapes = shapes
            .iter()
            .flat_map(|shape: &Vec<Piece>| {
                options.iter().map(move |piece| {
                    let mut longer = shape.clone();
                    push(&mut longer, piece.clone());
                    longer
                })
            })
            .collect();
        if shapes.len() > 256 {
            return Err(format!("shape {text:?} has more than 256 choices"));
        }
    }
    if shapes.iter().any(Vec::is_empty) {
        return Err("a shape is empty".into());
    }
    Ok(shapes.into_iter().map(Shape).collect())
}

fn next_piece<'a>(rest: &'a str, whole: &str) -> Result<(Vec<Piece>, &'a str), String> {
    if let Some(inner) = rest.strip_prefix('{') {
        let end = closing_brace(inner).ok_or_else(|| format!("shape {whole:?}: a brace is not closed"))?;
        return Ok((braced(&inner[..end], whole)?, &inner[end + 1..]));
    }
    let escaped = rest.strip_prefix('\\').unwrap_or(rest);
    let character = escaped.chars().next().ok_or_else(|| format!("shape {whole:?} ends with a backslash"))?;
    let bytes = match (escaped.len() < rest.len(), character) {
        (true, 'n') => vec![b'\n'],
        (true, 't') => vec![b'\t'],
        _ => character.to_string().into_bytes(),
    };
    Ok((vec![Piece::Literal(bytes)], &escaped[character.len_utf8()..]))
}

/// Finds the `}` that closes; one inside `[...]` belongs to the alphabet.
fn closing_brace(inner: &str) -> Option<usize> {
    let mut in_set = false;
    for (index, byte) in inner.bytes().enumerate() {
        match byte {
            b'[' => in_set = true,
            b']' => in_set = false,
            b'}' if !in_set => return Some(index),
            _ => {}
        }
    }
    None
}

fn braced(inner: &str, whole: &str) -> Result<Vec<Piece>, String> {
    if let Some(choice) = inner.strip_prefix('(').and_then(|text| text.strip_suffix(')')) {
        return Ok(choice.split('|').map(|text| Piece::Literal(text.as_bytes().to_vec())).collect());
    }
    let fault =
        || format!("shape {whole:?}: {{{inner}}} is not {{length:alphabet}}, {{least-most:alphabet}} or {{(a|b)}}");
    let (lengths, alphabet) = inner.split_once(':').ok_or_else(fault)?;
    let (min, max) = lengths.split_once('-').unwrap_or((lengths, lengths));
    let min: u32 = min.parse().map_err(|_| fault())?;
    let max: u32 = max.parse().map_err(|_| fault())?;
    if max == 0 || min > max || max > LONGEST_RUN {
        return Err(format!("shape {whole:?}: length {lengths} is not between 1 and {LONGEST_RUN}, least first"));
    }
    let set = alphabet_named(alphabet).ok_or_else(|| {
        format!(
            "shape {whole:?}: no alphabet {alphabet:?}; use one of {} or [...]",
            ALPHABETS.map(|entry| entry.0).join(", ")
        )
    })?;
    Ok(vec![Piece::Run { set, min, max }])
}

fn push(shape: &mut Vec<Piece>, piece: Piece) {
    match (shape.last_mut(), piece) {
        (Some(Piece::Literal(text)), Piece::Literal(more)) => text.extend(more),
        (_, piece) => shape.push(piece),
    }
}

/// The named alphabets: name and the ranges it is made of.
const ALPHABETS: [(&str, &[(u8, u8)]); 16] = [
    ("digit", &[(b'0', b'9')]),
    ("lower", &[(b'a', b'z')]),
    ("upper", &[(b'A', b'Z')]),
    ("alpha", &[(b'A', b'Z'), (b'a', b'z')]),
    ("alnum", &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z')]),
    ("lowernum", &[(b'0', b'9'), (b'a', b'z')]),
    ("uppernum", &[(b'0', b'9'), (b'A', b'Z')]),
    ("hex", &[(b'0', b'9'), (b'a', b'f')]),
    ("HEX", &[(b'0', b'9'), (b'A', b'F')]),
    ("anyhex", &[(b'0', b'9'), (b'a', b'f'), (b'A', b'F')]),
    ("base32", &[(b'A', b'Z'), (b'2', b'7')]),
    ("base58", &[(b'1', b'9'), (b'A', b'H'), (b'J', b'N'), (b'P', b'Z'), (b'a', b'k'), (b'm', b'z')]),
    ("word", &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z'), (b'_', b'_')]),
    ("url", &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z'), (b'_', b'_'), (b'-', b'-')]),
    ("base64", &[(b'0', b'9'), (b'A', b'Z'), (b'a', b'z'), (b'+', b'+'), (b'/', b'/')]),
    ("space", &[(b' ', b' '), (b'\t', b'\t')]),
];

fn alphabet_named(name: &str) -> Option<ByteSet> {
    let mut set = ByteSet::EMPTY;
    if let Some(inner) = name.strip_prefix('[').and_then(|text| text.strip_suffix(']')) {
        let bytes = inner.as_bytes();
        let mut index = 0;
        while index < bytes.len() {
            if index + 2 < bytes.len() && bytes[index + 1] == b'-' {
                set.insert_range(bytes[index], bytes[index + 2]);
                index += 3;
            } else {
                set.insert(bytes[index]);
                index += 1;
            }
        }
        return (!set.is_empty()).then_some(set);
    }
    let (_, ranges) = ALPHABETS.iter().find(|entry| entry.0 == name)?;
    for (first, last) in *ranges {
        set.insert_range(*first, *last);
    }
    Some(set)
}

impl Shape {
    /// Returns the shape as a byte regex without anchors.
    pub fn to_regex(&self) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Literal(text) => text.iter().map(|byte| literal_byte(*byte)).collect(),
                Piece::Run { set, min, max } if min == max => format!("{}{{{min}}}", set.to_class()),
                Piece::Run { set, min, max } => format!("{}{{{min},{max}}}", set.to_class()),
            })
            .collect()
    }

    /// Returns the least and the greatest length in bytes.
    pub fn lengths(&self) -> (u32, u32) {
        self.0.iter().fold((0, 0), |(least, most), piece| match piece {
            Piece::Literal(text) => (least + text.len() as u32, most + text.len() as u32),
            Piece::Run { min, max, .. } => (least + min, most + max),
        })
    }

    /// Returns the longest literal that stands at a fixed distance from the start, and that distance; the first of equals.
    pub fn anchor(&self) -> Option<(u32, &[u8])> {
        let mut offset = 0;
        let mut best: Option<(u32, &[u8])> = None;
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => {
                    if best.is_none_or(|(_, known)| known.len() < text.len()) {
                        best = Some((offset, text));
                    }
                    offset += text.len() as u32;
                }
                Piece::Run { min, max, .. } if min == max => offset += min,
                Piece::Run { .. } => break,
            }
        }
        best
    }

    /// Returns the bytes that may stand anywhere in a run: what a longer token would go on with.
    pub fn alphabet(&self) -> ByteSet {
        self.0.iter().fold(ByteSet::EMPTY, |known, piece| match piece {
            Piece::Literal(_) => known,
            Piece::Run { set, .. } => known.union(*set),
        })
    }

    /// Returns every byte that the shape may hold, its literals' too: what a value without a prefix of its own is cut by.
    pub fn all_bytes(&self) -> ByteSet {
        self.0.iter().fold(ByteSet::EMPTY, |known, piece| match piece {
            Piece::Literal(text) => known.union(ByteSet::of(text)),
            Piece::Run { set, .. } => known.union(*set),
        })
    }

    /// Returns how little the shape allows: less than [`EXACT`] for a small alphabet, and that much more for an exact length.
    pub fn tightness(&self) -> u16 {
        let (least, most) = self.lengths();
        (EXACT - 1).saturating_sub(self.alphabet().len() as u16) + if least == most { EXACT } else { 0 }
    }

    /// Returns the literals that stand at a fixed distance from the start, as start and end.
    pub fn constants(&self) -> Vec<(u32, u32)> {
        let mut constants = Vec::new();
        let mut offset = 0;
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => {
                    let end = offset + text.len() as u32;
                    constants.push((offset, end));
                    offset = end;
                }
                Piece::Run { min, max, .. } if min == max => offset += min,
                Piece::Run { .. } => break,
            }
        }
        constants
    }

    /// Expands the shape: `draw(n)` returns a number below `n`.
    pub fn expand(&self, draw: &mut dyn FnMut(u32) -> u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Literal(text) => bytes.extend(text),
                Piece::Run { set, min, max } => {
                    let alphabet: Vec<u8> = set.iter().collect();
                    let length = min + draw(max - min + 1);
                    bytes.extend((0..length).map(|_| alphabet[draw(alphabet.len() as u32) as usize]));
                }
            }
        }
        bytes
    }
}

fn literal_byte(byte: u8) -> String {
    if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("\\x{byte:02x}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_gives_regex_anchor_and_lengths() {
        let shapes = parse("sk-ant-{4:url}AA").expect("a shape");
        assert_eq!(shapes.len(), 1);
        assert_eq!(shapes[0].to_regex(), r"sk\x2dant\x2d[\x2d0-9A-Z\x5fa-z]{4}AA");
        assert_eq!(shapes[0].anchor(), Some((0, &b"sk-ant-"[..])));
        assert_eq!(shapes[0].lengths(), (13, 13));
    }

    #[test]
    fn choices_are_multiplied_out_and_join_their_neighbours() {
        let shapes = parse("gh{(p|o)}_{2:alnum}").expect("a shape");
        let anchors: Vec<_> = shapes.iter().filter_map(Shape::anchor).map(|anchor| anchor.1.to_vec()).collect();
        assert_eq!(anchors, [b"ghp_".to_vec(), b"gho_".to_vec()]);
    }

    #[test]
    fn an_infix_after_a_fixed_run_is_an_anchor_and_after_a_range_is_none() {
        assert_eq!(parse("{52:alnum}JQQJ99{26:alnum}").expect("a shape")[0].anchor(), Some((52, &b"JQQJ99"[..])));
        assert_eq!(parse("{2-5:alnum}JQQJ99").expect("a shape")[0].anchor(), None);
    }

    #[test]
    fn what_is_not_of_the_language_is_refused_with_the_reason() {
        for text in ["{", "{5}", "{5:nothing}", "{9-2:hex}", "{0:hex}", "{99999:hex}", "", "{x:hex}"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_expansion_has_the_alphabet_and_length_of_the_shape() {
        let mut counter = 0;
        let mut draw = |bound: u32| {
            counter += 7;
            counter % bound
        };
        let bytes = parse("x{3-5:digit}{1:[a-c}]}").expect("a shape")[0].expand(&mut draw);
        assert!(bytes.starts_with(b"x") && (5..=7).contains(&bytes.len()));
    }
}
