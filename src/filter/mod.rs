//! What looks like a credential and is none: pure functions from a value and its neighbourhood to a reason to drop it.
//!
//! Every drop has a reason that `--explain` prints. No filter looks at a path, and none cuts by entropy.

pub mod grammar;
pub mod placeholder;
pub mod runs;

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
}

/// Why something that looks like a credential is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DropReason {
    /// Its checksum does not fit.
    Checksum,
    /// Words in it say that it is an example or to be replaced.
    Placeholder,
    /// It is one character, a sequence or a repetition.
    Repetition,
    /// It names where the value comes from instead of being it.
    Reference,
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
            Self::Placeholder => "it is a placeholder or a documentation example",
            Self::Repetition => "it is a sequence or a repetition",
            Self::Reference => "it is a reference to a value, not a value",
            Self::InsideBase64 => "it stands inside a longer run of base64",
            Self::Hash => "words before it say that it is a hash or an id",
            Self::Claims => "its claims are not those of this detector's tokens",
        }
    }
}

/// Returns why a value is not a credential, or nothing where it may be one. Cheapest tests first; a checksum that fits
/// decides against every other test.
pub fn drop_reason(detector: &Detector, value: &Value<'_>, relation: Option<Relation>) -> Option<DropReason> {
    if let Some(known) = &detector.checksum {
        return (!checksum::valid(known, value.bytes)).then_some(DropReason::Checksum);
    }
    if !claims::satisfied(&detector.claims, value.bytes) {
        return Some(DropReason::Claims);
    }
    match detector.kind {
        Kind::PrivateKey => return placeholder::in_key_block(value.bytes).then_some(DropReason::Placeholder),
        Kind::ConnectionUri | Kind::Password => return password_reason(value.bytes),
        _ => {}
    }
    if inside_base64(value.before) {
        return Some(DropReason::InsideBase64);
    }
    if placeholder::is_placeholder(value.body) {
        return Some(DropReason::Placeholder);
    }
    if runs::is_run(value.body) {
        return Some(DropReason::Repetition);
    }
    let hexadecimal = value.bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    if relation.is_some() && hexadecimal && grammar::speaks_of_a_hash(value.before) {
        return Some(DropReason::Hash);
    }
    None
}

fn password_reason(password: &[u8]) -> Option<DropReason> {
    if placeholder::is_reference(password) {
        return Some(DropReason::Reference);
    }
    if placeholder::is_common_password(password) {
        return Some(DropReason::Placeholder);
    }
    runs::is_run(password).then_some(DropReason::Repetition)
}

/// Returns whether a long run of base64 goes right up to a value: then its prefix arose by chance.
fn inside_base64(before: &[u8]) -> bool {
    let joined = matches!(before.last(), Some(b'/' | b'+'));
    let run =
        before.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+')).take(64);
    joined && run.count() >= 24
}
