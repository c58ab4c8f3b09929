//! What looks like a credential and is none: pure functions from a value and its neighbourhood to a reason to drop it.
//!
//! Values fall into classes, and each class has its chain of tests, cheapest first: those that a prefix of their own
//! proves, those that stand beside a provider's name, passwords in addresses, and key blocks. Every drop has a reason that
//! `--explain` prints. No filter looks at a path, and none cuts by entropy. What a filter reads is the window that it is
//! given and nothing else. A random key of a detector's own shape is lost at most once in a thousand times; a test tries
//! every shape of every detector.

pub mod characters;
pub mod documented;
pub mod grammar;
pub mod key_block;
#[cfg(test)]
mod loss_tests;
pub mod password;
pub mod placeholder;
pub mod runs;
pub mod surroundings;

use self::grammar::Relation;
use crate::detector::compile::{Detector, Kind};
use crate::detector::{checksum, claims};

/// A value in its neighbourhood.
#[derive(Debug, Clone, Copy)]
pub struct Value<'text> {
    /// The whole value.
    pub bytes: &'text [u8],
    /// The value without what all credentials of its type have in common.
    pub body: &'text [u8],
    /// The bytes of the window before it.
    pub before: &'text [u8],
    /// The bytes of the window after it.
    pub after: &'text [u8],
    /// Whether the detector knows the value's exact length.
    pub exact: bool,
    /// Where in `before` the name begins beside which the value was looked for.
    pub name: Option<usize>,
}

/// Why something that looks like a credential is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DropReason {
    /// Its checksum does not fit.
    Checksum,
    /// Words in it say that it is to be replaced.
    Placeholder,
    /// It is a value that documentation or an emulator gives everyone.
    Documented,
    /// It is one character, a sequence or a repetition.
    Repetition,
    /// It names where the value comes from instead of being it.
    Reference,
    /// A part of it is left out.
    Masked,
    /// It is a piece of source code.
    Code,
    /// It is made of words.
    Words,
    /// It repeats the name that it is given to.
    Echo,
    /// It stands inside a longer run of base64.
    InsideBase64,
    /// Words before it say that it is a hash or an id.
    Hash,
    /// It is a signed token of another kind or provider.
    Claims,
}

impl DropReason {
    /// The reason in words.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Checksum => "its checksum does not fit",
            Self::Placeholder => "it is a placeholder",
            Self::Documented => "it is an example that documentation gives everyone",
            Self::Repetition => "it is a sequence or a repetition",
            Self::Reference => "it is a reference to a value, not a value",
            Self::Masked => "a part of it is masked or left out",
            Self::Code => "it is a piece of source code",
            Self::Words => "it is made of words, not of random characters",
            Self::Echo => "it repeats the name that it is given to",
            Self::InsideBase64 => "it stands inside a longer run of base64",
            Self::Hash => "words before it say that it is a hash or an id",
            Self::Claims => "its claims are not those of this detector's tokens",
        }
    }
}

/// Returns why a value is not a credential, or nothing where it may be one. Cheapest tests first; a checksum that fits
/// decides against every other test. `relation` says how a value stands to the name that it was found beside.
pub fn drop_reason(detector: &Detector, value: &Value<'_>, relation: Option<Relation>) -> Option<DropReason> {
    if let Some(known) = &detector.checksum {
        return (!checksum::valid(known, value.bytes)).then_some(DropReason::Checksum);
    }
    if !claims::satisfied(&detector.claims, value.bytes) {
        return Some(DropReason::Claims);
    }
    if detector.kind == Kind::Jwt && claims::signs_a_hash(value.bytes) {
        return Some(DropReason::Hash);
    }
    match detector.kind {
        Kind::PrivateKey => return key_block::reason(value.bytes),
        Kind::ConnectionUri | Kind::Password => return password::reason(value),
        _ => {}
    }
    if surroundings::is_labelled_hash(value) {
        return Some(DropReason::Hash);
    }
    if surroundings::inside_base64(value) {
        return Some(DropReason::InsideBase64);
    }
    if placeholder::is_placeholder(value.body) {
        return Some(DropReason::Placeholder);
    }
    if runs::is_run(value.body) {
        return Some(DropReason::Repetition);
    }
    if documented::is_documented(detector.kind, value.bytes) {
        return Some(DropReason::Documented);
    }
    if !value.exact && surroundings::is_cut_off(value) {
        return Some(DropReason::Masked);
    }
    match relation {
        Some(relation) => reason_beside_a_name(detector, value, relation),
        None => reason_with_a_prefix(value),
    }
}

/// The shortest text that the character model tells from chance.
const SHORTEST_WEIGHED: usize = 16;
/// The evidence for chance, in nats, that a value's best segment must reach.
const ENOUGH: f32 = 4.0;

/// Values whose own prefix proves them: only words can still say that the prefix is one by accident.
fn reason_with_a_prefix(value: &Value<'_>) -> Option<DropReason> {
    if value.body.len() < SHORTEST_WEIGHED {
        return None;
    }
    (characters::weigh(value.body).best < ENOUGH).then_some(DropReason::Words)
}

/// Values that have nothing of their own: what stands round them must speak for them.
fn reason_beside_a_name(detector: &Detector, value: &Value<'_>, relation: Relation) -> Option<DropReason> {
    if surroundings::is_reference(value.before) {
        return Some(DropReason::Reference);
    }
    if surroundings::is_code(value) {
        return Some(DropReason::Code);
    }
    let name = surroundings::key_name(value.before);
    if surroundings::is_number_of_a_hash(detector, value, relation, name) {
        return Some(DropReason::Hash);
    }
    if surroundings::echoes(name, value.bytes) {
        return Some(DropReason::Echo);
    }
    // What is hexadecimal throughout cannot be text, and says nothing else either.
    if value.bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-') {
        return None;
    }
    let evidence = characters::weigh(value.body);
    // Where the length is left open, one random segment is enough: real keys have readable heads and tails.
    let weight = if value.exact { evidence.total } else { evidence.total.max(evidence.best) };
    // A dozen characters say little either way: short values must read like text to be dropped.
    let enough = if value.body.len() < SHORTEST_WEIGHED { 0.0 } else { ENOUGH };
    (weight < enough).then_some(DropReason::Words)
}
