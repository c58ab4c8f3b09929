//! What the filters cost: random keys of every shape of every detector pass them, but for one in a thousand.
//!
//! Each shape is tried with [`KEYS`] keys; the environment variable `CREDTRACE_LOSS_KEYS` names another number, for
//! example 10000 before a release.

use super::grammar::Relation;
use super::{DropReason, Value, drop_reason};
use crate::detector::Registry;
use crate::detector::compile::{Detector, Place, Rule};
use crate::detector::example::{self, Generator};

const KEYS: u32 = 500;
/// The greatest share of random keys that filters may drop, of one shape.
const GREATEST_LOSS: f64 = 0.001;

fn keys_a_shape() -> u32 {
    std::env::var("CREDTRACE_LOSS_KEYS").ok().and_then(|number| number.parse().ok()).unwrap_or(KEYS)
}

/// The value without its constants, as matching hands it over.
fn body(rule: &Rule, value: &[u8]) -> Vec<u8> {
    let constant =
        |index: usize| rule.constants.iter().any(|(start, end)| (*start as usize..*end as usize).contains(&index));
    value.iter().enumerate().filter(|(index, _)| !constant(*index)).map(|(_, byte)| *byte).collect()
}

/// Drops by reason of a detector's shape, over many keys.
fn losses(detector: &Detector, rule: &Rule, text: &str, keys: u32, seed: u64) -> Vec<(DropReason, Vec<u8>)> {
    let mut generator = Generator::new(seed);
    let name = detector.keywords.first().map_or("KEY", String::as_str);
    let before = format!("{name}_KEY=");
    let relation = matches!(rule.place, Place::Near(_)).then_some(Relation::Assigned);
    let mut lost = Vec::new();
    for _ in 0..keys {
        let bytes = example::expand_for(detector, text, &mut generator).expect("a shape");
        let body = body(rule, &bytes);
        let exact = rule.tightness >= crate::detector::compile::shape::EXACT;
        let (before, name) = (before.as_bytes(), relation.map(|_| 0));
        let value = Value { bytes: &bytes, body: &body, before, after: b"\n", exact, name };
        lost.extend(drop_reason(detector, &value, relation).map(|reason| (reason, bytes.clone())));
    }
    lost
}

#[test]
fn random_keys_of_every_shape_pass_the_filters() {
    let registry = Registry::built_in();
    let keys = keys_a_shape();
    let allowed = (f64::from(keys) * GREATEST_LOSS).max(1.0) as usize;
    let mut tried = 0_u64;
    let mut lost_in_all = 0;
    let mut worst = Vec::new();
    for (number, detector) in registry.detectors().iter().enumerate() {
        let rules: Vec<&Rule> = registry.rules.iter().filter(|rule| usize::from(rule.detector) == number).collect();
        let per_text = detector.shapes.iter().flat_map(|text| {
            let choices = crate::detector::compile::shape::parse(text).expect("a shape").len();
            std::iter::repeat_n(text, choices)
        });
        let mut seen = std::collections::HashSet::new();
        for (text, rule) in per_text.zip(rules) {
            if !seen.insert(text) {
                continue;
            }
            let lost = losses(detector, rule, text, keys, 0xfeed ^ number as u64);
            tried += u64::from(keys);
            lost_in_all += lost.len();
            if lost.len() > allowed {
                let reason = lost[0].0;
                worst.push((lost.len(), format!("{} {text}: {} of {keys}, {reason:?}", detector.id, lost.len())));
            }
        }
    }
    worst.sort();
    assert!(worst.is_empty(), "lost more than one in a thousand:\n{worst:#?}");
    assert!(tried >= 400 * u64::from(keys), "only {tried} keys");
    assert!((lost_in_all as f64) < tried as f64 * GREATEST_LOSS / 2.0, "{lost_in_all} of {tried} are lost");
}
