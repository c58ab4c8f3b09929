//! Example texts: shapes in words around them, expanded to synthetic credentials with a seed.
//!
//! No file of ours holds a string that is a credential, so tests and `detectors check` make them here. The generator is
//! for examples alone: it is fast and repeatable and nothing else.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::checksum;
use super::compile::Detector;
use super::compile::shape;

/// A seeded generator of numbers (splitmix64): the same seed gives the same examples on every machine.
#[derive(Debug, Clone)]
pub struct Generator(u64);

impl Generator {
    /// Starts a generator.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Returns a number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // The high half times the bound, shifted back, is below the bound without a division's bias.
        ((((mixed ^ (mixed >> 31)) >> 32) * u64::from(bound)) >> 32) as u32
    }
}

/// The longest text that is made, in bytes.
const LONGEST: u32 = 1 << 20;

/// Expands a text with shapes in it; what stands outside braces is literal.
///
/// # Errors
/// What in the text is not of the shape language, in words, or that it would grow longer than a mebibyte.
pub fn expand(text: &str, generator: &mut Generator) -> Result<Vec<u8>, String> {
    let choices = shape::parse(text)?;
    let chosen = generator.below(u32::try_from(choices.len()).unwrap_or(u32::MAX)) as usize;
    if choices[chosen].lengths().1 > LONGEST {
        return Err(format!("an example may grow to {LONGEST} bytes at the most"));
    }
    Ok(choices[chosen].expand(&mut |bound| generator.below(bound)))
}

/// Expands one example of a detector. Where it ends with a shape of a detector that has a checksum or claims, those are
/// made right.
///
/// # Errors
/// As [`expand`].
pub fn expand_for(detector: &Detector, text: &str, generator: &mut Generator) -> Result<Vec<u8>, String> {
    if detector.checksum.is_none() && detector.claims.is_empty() {
        return expand(text, generator);
    }
    let Some(shape) = detector.shapes.iter().find(|shape| text.ends_with(shape.as_str())) else {
        return expand(text, generator);
    };
    let around = &text[..text.len() - shape.len()];
    let mut value = expand(shape, generator)?;
    if let Some(sum) = &detector.checksum {
        checksum::fill(sum, &mut value);
    }
    if !detector.claims.is_empty() {
        value = with_claims(&detector.claims, &value);
    }
    let mut bytes = if around.is_empty() { Vec::new() } else { expand(around, generator)? };
    bytes.extend(value);
    Ok(bytes)
}

/// Puts a payload with these claims in the place of a token's second part. What a glob leaves open is left out.
fn with_claims(claims: &BTreeMap<String, String>, token: &[u8]) -> Vec<u8> {
    let value = |glob: &str| if glob == "*" { "any".to_owned() } else { glob.replace(['*', '?'], "") };
    let mut payload: BTreeMap<&str, String> = claims.iter().map(|(name, glob)| (name.as_str(), value(glob))).collect();
    // Real payloads say more, and shapes ask for some length.
    payload.insert("example", "a payload as long as those that providers sign".into());
    let json = serde_json::to_vec(&payload).unwrap_or_default();
    let mut parts: Vec<Vec<u8>> = token.split(|byte| *byte == b'.').map(<[u8]>::to_vec).collect();
    if let Some(part) = parts.get_mut(1) {
        *part = URL_SAFE_NO_PAD.encode(json).into_bytes();
    }
    parts.join(&b'.')
}

/// Returns the example texts of a detector: those it declares, else one for each shape. A shape that counts only beside a
/// name is given one, as an environment file would.
pub fn texts(detector: &Detector) -> Vec<String> {
    if !detector.examples.is_empty() {
        return detector.examples.clone();
    }
    let names = if detector.keywords.is_empty() { &detector.context_words } else { &detector.keywords };
    let named = |variable: &&String| {
        names.iter().any(|word| variable.to_ascii_lowercase().contains(&word.to_ascii_lowercase()))
    };
    let needs_name = detector.shared || !detector.keywords.is_empty();
    let name = detector.environment.iter().filter(named).chain(names).map(String::as_str).next();
    let name = name.filter(|_| needs_name);
    let shapes = detector.shapes.iter();
    shapes.map(|shape| name.map_or_else(|| shape.clone(), |name| format!("{name}={shape}"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_example_and_another_seed_another() {
        let make = |seed| expand(r"KEY=\{x-{20:alnum}", &mut Generator::new(seed)).expect("an example");
        assert_eq!(make(7), make(7));
        assert_ne!(make(7), make(8));
        assert!(make(7).starts_with(b"KEY={x-"));
        assert_eq!(make(7).len(), 27);
    }

    #[test]
    fn numbers_stay_below_the_bound_and_reach_all_below_it() {
        let mut generator = Generator::new(1);
        let mut seen = [false; 62];
        for _ in 0..5000 {
            seen[generator.below(62) as usize] = true;
        }
        assert!(seen.iter().all(|seen| *seen));
        assert_eq!(generator.below(1), 0);
    }

    #[test]
    fn an_example_that_would_grow_without_bound_is_refused() {
        let huge = "{8192:hex}".repeat(200);
        assert!(expand(&huge, &mut Generator::new(1)).is_err());
    }

    #[test]
    fn a_checksum_is_right_in_the_bare_shape_and_behind_a_name() {
        let registry = crate::detector::Registry::built_in();
        let detector = registry.get("github-classic-token").expect("a detector with a checksum");
        let sum = detector.checksum.as_ref().expect("a checksum");
        let mut generator = Generator::new(3);
        let bare = expand_for(detector, &detector.shapes[0], &mut generator).expect("an example");
        assert!(checksum::valid(sum, &bare));
        let named = format!("TOKEN={}", detector.shapes[0]);
        let named = expand_for(detector, &named, &mut generator).expect("an example");
        assert!(checksum::valid(sum, named.strip_prefix(b"TOKEN=").expect("the name")));
    }
}
