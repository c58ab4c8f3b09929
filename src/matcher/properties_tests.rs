//! Properties of matching that hold for any text: engines agree with a plain comparison and with each other, and anchors
//! and gates are necessary conditions of the regex that they save.

use std::collections::BTreeMap;
use std::sync::{LazyLock, OnceLock};

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use regex::bytes::Regex;

use super::engine::{AnchorHit, Engine, EngineWorker, self_test};
use super::evaluate::compile_regex;
use super::testing::{
    Named, Piece, anchors_by_comparison, anchors_of, config, engines, is_plain, piece, render, repro,
};
use crate::detector::compile::{Place, Rule};
use crate::detector::registry::Registry;
use crate::error::Result;

static REGISTRY: LazyLock<Registry> = LazyLock::new(Registry::built_in);
static ENGINES: LazyLock<Vec<Named>> = LazyLock::new(|| engines(&REGISTRY.anchors));
static REGEXES: LazyLock<Vec<OnceLock<Regex>>> =
    LazyLock::new(|| REGISTRY.rules.iter().map(|_| OnceLock::new()).collect());

/// Whether the regex of a rule matches at the start of a text; it is compiled when first asked for.
fn matches_here(number: u16, text: &[u8]) -> bool {
    let compile = || compile_regex(&REGISTRY.rules[usize::from(number)]).expect("a built-in rule compiles");
    REGEXES[usize::from(number)].get_or_init(compile).is_match(text)
}

/// Where the match of a rule begins whose anchor stands at `hit`, if the text begins that early.
fn match_start(rule: &Rule, hit: AnchorHit) -> Option<usize> {
    match rule.place {
        Place::Fixed(offset) => hit.start.checked_sub(offset as usize),
        Place::Near(_) | Place::Around => None,
    }
}

/// Returns how many rules match in a text with one of their anchors at its place.
///
/// # Errors
/// The rule, where it matches and its gate does not pass.
fn gates_pass_on_matches(text: &[u8]) -> Result<usize, String> {
    let mut matches = 0;
    let (_, engine) = &ENGINES[0];
    for hit in anchors_of(engine.as_ref(), text) {
        let anchor = &REGISTRY.anchors[hit.anchor as usize];
        for number in anchor.rules.iter().filter(|_| is_plain(anchor)) {
            let rule = &REGISTRY.rules[usize::from(*number)];
            let Some(start) = match_start(rule, hit) else { continue };
            if matches_here(*number, &text[start..]) {
                matches += 1;
                if !rule.gate.passes(text, hit.start, hit.end) {
                    let id = &REGISTRY.detector(rule.detector).id;
                    return Err(format!("{id}: {} matches, and the gate {:?} does not pass", rule.regex, rule.gate));
                }
            }
        }
    }
    Ok(matches)
}

proptest! {
    #![proptest_config(config(192))]

    #[test]
    fn every_engine_finds_what_a_comparison_finds(pieces in prop::collection::vec(piece(), 0..10)) {
        let text = render(&REGISTRY, &pieces);
        let expected = anchors_by_comparison(&REGISTRY.anchors, &text);
        for (name, engine) in ENGINES.iter() {
            prop_assert_eq!(&anchors_of(engine.as_ref(), &text), &expected, "{}; {}", name, repro(&pieces));
        }
    }

    #[test]
    fn gates_pass_wherever_the_regex_matches(pieces in prop::collection::vec(piece(), 0..60)) {
        let text = render(&REGISTRY, &pieces);
        let checked = gates_pass_on_matches(&text);
        prop_assert!(checked.is_ok(), "{}; {}", checked.unwrap_err(), repro(&pieces));
    }
}

#[test]
fn examples_alone_make_gates_meet_many_matches() {
    let examples =
        (0..REGISTRY.len() as u16).flat_map(|detector| [Piece::Example { detector, seed: 1 }, Piece::Glue(1)]);
    let pieces: Vec<Piece> = examples.collect();
    let matches = gates_pass_on_matches(&render(&REGISTRY, &pieces)).unwrap();
    assert!(matches > 100, "{matches} matches: the property above is about nothing");
}

/// Detectors that are looked for in fewer places than their pattern matches, and say so in their file.
const NARROWED: [&str; 1] = ["url-password"];

#[test]
fn whatever_a_rule_matches_has_one_of_its_anchors_at_its_place_and_passes_its_gate() {
    let mut runner = TestRunner::deterministic();
    let mut checked = 0;
    let mut missed = BTreeMap::new();
    for (number, rule) in REGISTRY.rules.iter().enumerate() {
        // What stands near a name is found by the name, which is no part of the match.
        if matches!(rule.place, Place::Near(_)) {
            continue;
        }
        // A regex that looks around itself cannot be generated from.
        let Ok(strategy) = proptest::string::bytes_regex(&rule.regex) else { continue };
        checked += 1;
        let anchors =
            REGISTRY.anchors.iter().filter(|anchor| is_plain(anchor) && anchor.rules.contains(&(number as u16)));
        let anchors: Vec<&[u8]> = anchors.map(|anchor| &anchor.bytes[..]).collect();
        for _ in 0..8 {
            let value = strategy.new_tree(&mut runner).unwrap().current();
            if !anchors.iter().any(|anchor| stands_in(rule, anchor, &value)) {
                missed.insert(REGISTRY.detector(rule.detector).id.as_str(), &rule.regex);
            }
        }
    }
    assert!(checked > 100, "{checked} of {} rules were generated from", REGISTRY.rules.len());
    assert!(missed.keys().eq(&NARROWED), "no anchor stands at its place, or a gate does not pass: {missed:?}");
}

/// Whether an anchor stands in a whole match where the rule has it, with a gate that passes.
fn stands_in(rule: &Rule, anchor: &[u8], value: &[u8]) -> bool {
    let at = |start: usize| {
        let end = start + anchor.len();
        value.get(start..end) == Some(anchor) && rule.gate.passes(value, start, end)
    };
    match rule.place {
        Place::Fixed(offset) => at(offset as usize),
        Place::Around => (0..value.len()).any(at),
        Place::Near(_) => false,
    }
}

/// An engine that misses one anchor, as a library at odds with a processor would.
struct Deaf<'engine>(&'engine dyn Engine, u32);
struct DeafWorker<'engine>(Box<dyn EngineWorker + 'engine>, u32);

impl Engine for Deaf<'_> {
    fn name(&self) -> &'static str {
        "deaf"
    }

    fn worker(&self) -> Result<Box<dyn EngineWorker + '_>> {
        Ok(Box::new(DeafWorker(self.0.worker()?, self.1)))
    }
}

impl EngineWorker for DeafWorker<'_> {
    fn find(&mut self, text: &[u8], hits: &mut Vec<AnchorHit>) -> Result<()> {
        self.0.find(text, hits)?;
        hits.retain(|hit| hit.anchor != self.1);
        Ok(())
    }
}

#[test]
fn the_self_test_trusts_every_engine_and_refuses_one_that_misses_an_anchor() {
    for (name, engine) in ENGINES.iter() {
        assert!(self_test(engine.as_ref(), &REGISTRY.anchors).is_ok(), "{name}");
        for missed in [0, REGISTRY.anchors.len() / 2, REGISTRY.anchors.len() - 1] {
            let deaf = Deaf(engine.as_ref(), missed as u32);
            let refused = self_test(&deaf, &REGISTRY.anchors).expect_err("it misses an anchor");
            assert!(refused.to_string().contains(&format!("anchor {missed} of")), "{refused}");
        }
    }
}

#[test]
fn an_anchor_that_has_another_in_it_is_found_as_well_as_the_other() {
    let inside =
        |outer: &[u8], inner: &[u8]| outer.len() > inner.len() && outer.windows(inner.len()).any(|part| part == inner);
    let mut nested = 0;
    for outer in REGISTRY.anchors.iter().filter(|anchor| !anchor.caseless) {
        for (number, inner) in
            REGISTRY.anchors.iter().enumerate().filter(|(_, inner)| inside(&outer.bytes, &inner.bytes))
        {
            nested += 1;
            for (name, engine) in ENGINES.iter() {
                let hits = anchors_of(engine.as_ref(), &outer.bytes);
                assert!(hits.iter().any(|hit| hit.anchor == number as u32), "{name}: {inner:?} in {outer:?}");
            }
        }
    }
    assert!(nested > 0, "no anchor has another in it any more");
}
