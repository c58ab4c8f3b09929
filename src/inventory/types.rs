//! What the detectors know of a credential's type: its provider, what of a value is the same in all, how much is unknown.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::detector::compile::schema::Kind;
use crate::detector::compile::shape::{self, Piece, Shape};
use crate::detector::registry::Registry;

/// What is known of a type.
#[derive(Debug)]
pub(super) struct TypeFacts {
    /// The provider's slug.
    pub(super) provider: String,
    /// The shapes, choices multiplied out; none where a pattern says how it looks.
    pub(super) shapes: Vec<Shape>,
    /// Whether a person may have chosen the value, so that it is no longer than a person remembers.
    pub(super) guessable: bool,
}

/// The facts of the built-in detectors, by id; decoded when first asked for.
fn facts() -> &'static Facts {
    static FACTS: OnceLock<Facts> = OnceLock::new();
    FACTS.get_or_init(|| {
        let registry = Registry::built_in();
        let mut facts = Facts::default();
        for detector in registry.detectors() {
            let shapes = detector.shapes.iter().flat_map(|text| shape::parse(text).unwrap_or_default()).collect();
            let guessable = matches!(detector.kind, Kind::Password | Kind::ConnectionUri);
            facts
                .types
                .insert(detector.id.clone(), TypeFacts { provider: detector.provider.clone(), shapes, guessable });
            facts.providers.insert(detector.provider.clone(), detector.ai);
        }
        facts
    })
}

#[derive(Debug, Default)]
struct Facts {
    types: HashMap<String, TypeFacts>,
    /// Whether a provider serves AI workloads.
    providers: HashMap<String, bool>,
}

/// Returns what is known of a type.
pub(super) fn of(sort: &str) -> Option<&'static TypeFacts> {
    facts().types.get(sort)
}

/// Returns the provider whose credentials are of this type, where a detector says so.
pub(super) fn provider_of(sort: &str) -> Option<&'static str> {
    of(sort).map(|known| known.provider.as_str())
}

/// Returns whether a provider serves AI workloads, as far as detectors know.
pub fn is_ai_provider(provider: &str) -> bool {
    facts().providers.get(provider).copied().unwrap_or(false)
}

/// Returns how many of the first bytes of a text all values of some type of a provider (or of any) have.
pub(super) fn longest_constant(provider: Option<&str>, text: &str) -> usize {
    let of_provider = facts().types.values().filter(|known| provider.is_none_or(|provider| known.provider == provider));
    let constants = of_provider.flat_map(|known| &known.shapes).map(|shape| constant_ends(shape).0);
    constants.filter(|constant| text.as_bytes().starts_with(constant)).map(<[u8]>::len).max().unwrap_or(0)
}

/// Returns what is the same in every value of a shape, at its beginning and at its end.
pub(super) fn constant_ends(shape: &Shape) -> (&[u8], &[u8]) {
    fn literal(piece: Option<&Piece>) -> &[u8] {
        match piece {
            Some(Piece::Literal(text)) => text,
            _ => &[],
        }
    }
    let last = if shape.0.len() > 1 { shape.0.last() } else { None };
    (literal(shape.0.first()), literal(last))
}
