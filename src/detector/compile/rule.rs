//! From a detector to the rules that matching runs on: regex, anchor, gate, and how far a verdict may look.

use regex_syntax::hir::Hir;
use serde::{Deserialize, Serialize};

use super::byteset::ByteSet;
use super::gate::Gate;
use super::schema::{Detector, WEAK_WORDS};
use super::shape::{self, Shape};

/// A literal that both engines look for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Anchor {
    /// The bytes; lower case where `caseless`.
    pub bytes: Vec<u8>,
    /// Whether ASCII case is ignored.
    pub caseless: bool,
    /// How the text is written that this form of the anchor stands in.
    pub encoding: Encoding,
    /// The rules that it may begin.
    pub rules: Vec<u16>,
}

/// How the text round an anchor is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Encoding {
    /// One byte a character.
    Plain,
    /// Two bytes a character, in either order: the form ends before the last character's second half, so that it is the
    /// same bytes in both.
    Utf16,
    /// Four bytes a character, in either order.
    Utf32,
    /// Base64 in either alphabet; the first character of the form is the one of this number in a group of four.
    Base64(u8),
    /// Pairs of hexadecimal digits.
    Hex,
    /// Escapes of C, JSON, HTML, URLs or mails; the form itself is one or several.
    Escaped,
}

/// Where a match stands, seen from its anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// It begins this many bytes before the anchor begins.
    Fixed(u32),
    /// The anchor is a provider's name and the value begins at most this many bytes after the name ends.
    Near(u32),
    /// It contains the anchor.
    Around,
}

/// One way in which a detector's credential looks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The detector's place in [`super::CompiledSet::detectors`].
    pub detector: u16,
    /// A byte regex without anchors. A group named `secret` is the credential; without one it is the whole match.
    pub regex: String,
    /// Where the regex stands, seen from the anchor.
    pub place: Place,
    /// The necessary condition beside the anchor.
    pub gate: Gate,
    /// What a longer token would go on with; empty where the pattern itself says where the credential ends.
    pub alphabet: ByteSet,
    /// Stretches at fixed places that every match has in common, as start and end in bytes: they say nothing of a value.
    pub constants: Vec<(u32, u32)>,
    /// How little it allows: more for an exact length, and for a small alphabet.
    pub tightness: u16,
    /// How long a match is at the least, in bytes; zero where it is a pattern.
    pub shortest: u32,
    /// How many lengths a match may have beyond its shortest; nothing where it is a pattern that does not say.
    pub slack: Option<u32>,
    /// How many bytes before the anchor a verdict may depend on.
    pub back: u32,
    /// How many bytes after the anchor a verdict may depend on.
    pub forward: u32,
}

/// A literal of one rule, before equal ones are joined.
#[derive(Debug, Clone)]
pub struct Literal {
    /// The bytes; lower case where `caseless`.
    pub bytes: Vec<u8>,
    /// Whether ASCII case is ignored.
    pub caseless: bool,
}

/// Context that every verdict may read on each side: names, hosts, hash words, the line.
const CONTEXT: u32 = 256;
/// How far after a provider's name a value may begin, where the detector does not say.
const DISTANCE: u32 = 64;
/// What a pattern without a greatest length may span.
const LONGEST_PATTERN: u32 = 16 * 1024;

/// Returns the rules of a detector, each with the literals that begin it.
///
/// # Errors
/// In words: a shape or pattern that does not parse, compiles too large or lacks an anchor.
pub fn rules_of(detector: &Detector, number: u16) -> Result<Vec<(Rule, Vec<Literal>)>, String> {
    let mut rules = Vec::new();
    for text in &detector.shapes {
        for shape in shape::parse(text)? {
            rules.push(if detector.keywords.is_empty() {
                prefixed(detector, number, &shape, text)?
            } else {
                beside_a_name(detector, number, &shape)?
            });
        }
    }
    if let Some(pattern) = &detector.pattern {
        rules.push(of_pattern(detector, number, pattern)?);
    }
    if rules.is_empty() {
        return Err("has neither shapes nor a pattern, so nothing would ever match".into());
    }
    Ok(rules)
}

fn prefixed(detector: &Detector, number: u16, shape: &Shape, text: &str) -> Result<(Rule, Vec<Literal>), String> {
    let (offset, literal) = shape.anchor().filter(|(_, literal)| literal.len() >= 3).ok_or_else(|| {
        format!("shape {text:?} has no literal of 3 bytes at a fixed place; name keywords to look beside")
    })?;
    let regex = shape.to_regex();
    let gate = Gate::derive(&parse(&regex)?, offset as usize, literal.len());
    let rule = Rule {
        detector: number,
        regex,
        place: Place::Fixed(offset),
        gate,
        alphabet: shape.alphabet(),
        constants: shape.constants(),
        tightness: shape.tightness(),
        shortest: shape.lengths().0,
        slack: Some(shape.lengths().1 - shape.lengths().0),
        back: offset + CONTEXT,
        forward: shape.lengths().1 + detector.reach.unwrap_or(CONTEXT),
    };
    Ok((rule, vec![Literal { bytes: literal.to_vec(), caseless: false }]))
}

fn beside_a_name(detector: &Detector, number: u16, shape: &Shape) -> Result<(Rule, Vec<Literal>), String> {
    let distance = detector.distance.unwrap_or(DISTANCE);
    let rule = Rule {
        detector: number,
        regex: shape.to_regex(),
        place: Place::Near(distance),
        gate: Gate::default(),
        alphabet: shape.all_bytes(),
        constants: shape.constants(),
        tightness: shape.tightness(),
        shortest: shape.lengths().0,
        slack: Some(shape.lengths().1 - shape.lengths().0),
        back: CONTEXT,
        forward: distance + shape.lengths().1 + CONTEXT,
    };
    parse(&rule.regex)?;
    Ok((rule, names(&detector.keywords)?))
}

fn names(keywords: &[String]) -> Result<Vec<Literal>, String> {
    let weak = |word: &&String| word.len() < 3 || WEAK_WORDS.contains(&word.to_ascii_lowercase().as_str());
    if let Some(word) = keywords.iter().find(weak) {
        return Err(format!("keyword {word:?} is too common to look for; use the provider's name"));
    }
    Ok(keywords.iter().map(|word| Literal { bytes: word.to_ascii_lowercase().into_bytes(), caseless: true }).collect())
}

fn of_pattern(detector: &Detector, number: u16, pattern: &str) -> Result<(Rule, Vec<Literal>), String> {
    if detector.anchors.is_empty() {
        return Err("has a pattern but no anchors: name the literals that every match contains".into());
    }
    if let Some(short) = detector.anchors.iter().find(|anchor| anchor.len() < 3) {
        return Err(format!("anchor {short:?} is shorter than 3 bytes"));
    }
    let hir = parse(pattern)?;
    let begins_with_anchor = detector.anchors.iter().any(|anchor| begins_with(&hir, anchor.as_bytes()));
    let same_length = detector.anchors.windows(2).all(|pair| pair[0].len() == pair[1].len());
    let longest = hir.properties().maximum_len().map_or(LONGEST_PATTERN, |length| (length as u32).min(LONGEST_PATTERN));
    let (place, gate) = if begins_with_anchor {
        let gate = if same_length { Gate::derive(&hir, 0, detector.anchors[0].len()) } else { Gate::default() };
        (Place::Fixed(0), gate)
    } else {
        (Place::Around, Gate::default())
    };
    let back = if place == Place::Around { longest + CONTEXT } else { CONTEXT };
    let rule = Rule {
        detector: number,
        regex: pattern.to_owned(),
        place,
        gate,
        alphabet: ByteSet::EMPTY,
        constants: Vec::new(),
        tightness: 0,
        shortest: 0,
        slack: None,
        back,
        forward: longest + detector.reach.unwrap_or(CONTEXT),
    };
    let literals =
        detector.anchors.iter().map(|anchor| Literal { bytes: anchor.as_bytes().to_vec(), caseless: false }).collect();
    Ok((rule, literals))
}

/// Returns whether every match of the regex may begin with this literal at its first byte.
fn begins_with(hir: &Hir, literal: &[u8]) -> bool {
    use regex_syntax::hir::literal::{ExtractKind, Extractor};
    let mut extractor = Extractor::new();
    extractor.kind(ExtractKind::Prefix).limit_total(256);
    let sequence = extractor.extract(hir);
    sequence.literals().is_some_and(|prefixes| {
        !prefixes.is_empty() && prefixes.iter().any(|prefix| prefix.as_bytes().starts_with(literal))
    })
}

/// Parses a byte regex the way the matcher will compile it.
///
/// # Errors
/// What is wrong with the pattern, in words; nesting and size are bounded so that a hostile file cannot hang the program.
pub fn parse(pattern: &str) -> Result<Hir, String> {
    if pattern.len() > 4096 {
        return Err("a pattern is longer than 4,096 characters".into());
    }
    let hir = regex_syntax::ParserBuilder::new()
        .unicode(false)
        .utf8(false)
        .nest_limit(64)
        .build()
        .parse(pattern)
        .map_err(|error| format!("pattern does not parse: {}", error.to_string().replace('\n', " ")))?;
    if hir.properties().minimum_len() == Some(0) {
        return Err("pattern matches the empty text".into());
    }
    if weight(&hir) > 200_000 {
        return Err("pattern repeats too much: unrolled it is over 200,000 places long".into());
    }
    Ok(hir)
}

/// Returns the names of a regex's groups, in order.
///
/// # Errors
/// As [`parse`], or a group without a name.
pub fn group_names(pattern: &str) -> Result<Vec<String>, String> {
    fn gather(hir: &Hir, names: &mut Vec<String>) -> Result<(), String> {
        use regex_syntax::hir::HirKind;
        match hir.kind() {
            HirKind::Capture(capture) => {
                names
                    .push(capture.name.as_deref().ok_or("a group has no name; write (?:…) or (?P<name>…)")?.to_owned());
                gather(&capture.sub, names)
            }
            HirKind::Repetition(repetition) => gather(&repetition.sub, names),
            HirKind::Concat(parts) | HirKind::Alternation(parts) => {
                parts.iter().try_for_each(|part| gather(part, names))
            }
            _ => Ok(()),
        }
    }
    let mut names = Vec::new();
    gather(&parse(pattern)?, &mut names)?;
    Ok(names)
}

/// The number of places that a regex has once its counted repetitions are unrolled.
fn weight(hir: &Hir) -> u64 {
    use regex_syntax::hir::HirKind;
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) | HirKind::Class(_) => 1,
        HirKind::Literal(literal) => literal.0.len() as u64,
        HirKind::Capture(capture) => weight(&capture.sub),
        HirKind::Repetition(repetition) => {
            u64::from(repetition.max.unwrap_or(repetition.min).max(1)).saturating_mul(weight(&repetition.sub))
        }
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(0_u64, |sum, part| sum.saturating_add(weight(part)))
        }
    }
}
