//! What every built-in detector must keep to, whichever provider it is of.

use std::collections::HashSet;

use regex::bytes::{Regex, RegexBuilder};

use super::compile::shape::{self, Shape};
use super::compile::{Detector, Kind, Place, Privilege, Rule};
use super::example::{self, Generator};
use super::registry::{Registry, unknown_companions};

const EXPANSIONS: usize = 200;

fn regex(rule: &Rule) -> Regex {
    RegexBuilder::new(&rule.regex).unicode(false).build().expect("the matcher compiles it the same way")
}

/// The rules of each detector with their numbers, in the order in which they are made: by shape, then the pattern.
fn rules_by_detector(registry: &Registry) -> Vec<(&Detector, Vec<(u16, &Rule)>)> {
    let mut rules = vec![Vec::new(); registry.len()];
    for (number, rule) in registry.rules.iter().enumerate() {
        rules[usize::from(rule.detector)].push((number as u16, rule));
    }
    registry.detectors().iter().zip(rules).collect()
}

fn shapes(detector: &Detector) -> Vec<Shape> {
    detector.shapes.iter().flat_map(|text| shape::parse(text).expect("a shape")).collect()
}

fn anchors_of(registry: &Registry, rule: u16) -> Vec<(&[u8], bool)> {
    let plain = registry.anchors.iter().filter(|anchor| anchor.encoding == super::compile::Encoding::Plain);
    let anchors = plain.filter(|anchor| anchor.rules.contains(&rule));
    anchors.map(|anchor| (anchor.bytes.as_slice(), anchor.caseless)).collect()
}

fn find(text: &[u8], (literal, caseless): (&[u8], bool)) -> Vec<usize> {
    let same = |window: &[u8]| if caseless { window.eq_ignore_ascii_case(literal) } else { window == literal };
    text.windows(literal.len()).enumerate().filter(|(_, window)| same(window)).map(|(start, _)| start).collect()
}

#[test]
fn each_expansion_of_a_shape_is_matched_whole_and_passes_its_gate() {
    let registry = Registry::built_in();
    for (detector, rules) in rules_by_detector(&registry) {
        let shapes = shapes(detector);
        assert_eq!(rules.len(), shapes.len() + usize::from(detector.pattern.is_some()), "{}", detector.id);
        for (shape, (number, rule)) in shapes.iter().zip(rules) {
            let regex = regex(rule);
            let anchors = anchors_of(&registry, number);
            assert!(!anchors.is_empty(), "{}: a rule without an anchor", detector.id);
            let mut generator = Generator::new(u64::from(number));
            for _ in 0..EXPANSIONS {
                let text = shape.expand(&mut |bound| generator.below(bound));
                let found = regex.find(&text).map(|found| found.range());
                assert_eq!(found, Some(0..text.len()), "{}: {}", detector.id, rule.regex);
                if let Place::Fixed(offset) = rule.place {
                    let (start, end) = (offset as usize, offset as usize + anchors[0].0.len());
                    assert_eq!(&text[start..end], anchors[0].0, "{}", detector.id);
                    assert!(rule.gate.passes(&text, start, end), "{}: {}", detector.id, rule.regex);
                }
            }
        }
    }
}

#[test]
fn each_example_holds_an_anchor_and_a_match_at_its_place() {
    let registry = Registry::built_in();
    for (detector, rules) in rules_by_detector(&registry) {
        let examples = example::texts(detector);
        assert!(!examples.is_empty(), "{}: no example", detector.id);
        let rules: Vec<_> =
            rules.into_iter().map(|(number, rule)| (rule, regex(rule), anchors_of(&registry, number))).collect();
        for (seed, text) in examples.iter().enumerate() {
            let mut generator = Generator::new(seed as u64);
            for _ in 0..EXPANSIONS {
                let expanded = example::expand_for(detector, text, &mut generator).expect("an example");
                let hit = rules.iter().any(|(rule, regex, anchors)| {
                    anchors.iter().any(|anchor| {
                        find(&expanded, *anchor)
                            .into_iter()
                            .any(|start| hit(rule, regex, &expanded, start, anchor.0.len()).is_some())
                    })
                });
                assert!(hit, "{}: example {text:?} is not found", detector.id);
            }
        }
    }
}

/// Where a rule matches at the place that its anchor at `start` says, the gate included.
fn hit(rule: &Rule, regex: &Regex, text: &[u8], start: usize, length: usize) -> Option<std::ops::Range<usize>> {
    if !rule.gate.passes(text, start, start + length) {
        return None;
    }
    let (first, last) = match rule.place {
        Place::Fixed(offset) => {
            let begin = start.checked_sub(offset as usize)?;
            (begin, begin)
        }
        Place::Near(distance) => (start + length, start + length + distance as usize),
        Place::Around => (start.saturating_sub(rule.back as usize), start),
    };
    regex.find_at(text, first).map(|found| found.range()).filter(|range| range.start <= last)
}

#[test]
fn no_counter_example_is_a_credential_of_its_detector() {
    let registry = Registry::built_in();
    let mut seen = 0;
    for (detector, rules) in rules_by_detector(&registry) {
        let rules: Vec<_> =
            rules.into_iter().map(|(number, rule)| (rule, regex(rule), anchors_of(&registry, number))).collect();
        for text in &detector.counter_examples {
            let mut generator = Generator::new(17);
            for _ in 0..EXPANSIONS {
                let expanded = example::expand(text, &mut generator).expect("a counter-example");
                for (rule, regex, anchors) in &rules {
                    let near = |found: &regex::bytes::Match<'_>| match rule.place {
                        Place::Near(distance) => anchors.iter().any(|anchor| {
                            let ends = find(&expanded, *anchor).into_iter().map(|start| start + anchor.0.len());
                            ends.into_iter().any(|end| (end..=end + distance as usize).contains(&found.start()))
                        }),
                        _ => true,
                    };
                    let hit = regex.find_iter(&expanded).any(|found| {
                        let sum = detector.checksum.as_ref();
                        is_whole(rule, &expanded, found.range())
                            && near(&found)
                            && sum.is_none_or(|sum| super::checksum::valid(sum, found.as_bytes()))
                    });
                    assert!(!hit, "{}: counter-example {text:?} is found", detector.id);
                }
            }
            seen += 1;
        }
    }
    assert!(seen >= 20, "only {seen} counter-examples");
}

/// Whether no longer run of the rule's alphabet goes on at either end of a match.
fn is_whole(rule: &Rule, text: &[u8], range: std::ops::Range<usize>) -> bool {
    let goes_on = |byte: Option<&u8>| byte.is_some_and(|byte| rule.alphabet.contains(*byte));
    !goes_on(range.start.checked_sub(1).and_then(|before| text.get(before))) && !goes_on(text.get(range.end))
}

#[test]
fn a_pattern_has_examples_and_its_gate_passes_wherever_it_matches() {
    let registry = Registry::built_in();
    for (detector, rules) in rules_by_detector(&registry).into_iter().filter(|entry| entry.0.pattern.is_some()) {
        assert!(!detector.examples.is_empty(), "{}: a pattern needs examples", detector.id);
        let (number, rule) = rules[rules.len() - 1];
        let (regex, anchors) = (regex(rule), anchors_of(&registry, number));
        let mut generator = Generator::new(u64::from(number));
        for text in detector.examples.iter().cycle().take(EXPANSIONS) {
            let expanded = example::expand_for(detector, text, &mut generator).expect("an example");
            for found in regex.find_iter(&expanded) {
                let holds = |anchor: &(&[u8], bool)| {
                    find(&expanded, *anchor)
                        .into_iter()
                        .any(|start| hit(rule, &regex, &expanded, start, anchor.0.len()).is_some())
                };
                assert!(anchors.iter().any(holds), "{}: no anchor leads to {found:?}", detector.id);
            }
        }
    }
}

#[test]
fn ids_are_unique_and_companions_exist() {
    let registry = Registry::built_in();
    let ids: HashSet<_> = registry.detectors().iter().map(|detector| &detector.id).collect();
    assert_eq!(ids.len(), registry.len());
    assert_eq!(unknown_companions(&registry), Vec::<String>::new());
}

#[test]
fn facts_agree_with_each_other() {
    for detector in Registry::built_in().detectors() {
        let id = &detector.id;
        assert!(!detector.provider.is_empty() && !detector.references.iter().any(String::is_empty), "{id}");
        assert_eq!(detector.publishable, detector.kind == Kind::Publishable, "{id}: publishable");
        assert!(!detector.publishable || detector.privilege == Privilege::None, "{id}: privilege");
        assert!(!detector.shared || !detector.context_words.is_empty(), "{id}: shared without names");
        assert!(detector.kind != Kind::OauthRefresh || detector.verify.is_none(), "{id}: would be exchanged");
        if let Some(verify) = &detector.verify {
            assert!(!verify.live.is_empty() || !verify.when.is_empty(), "{id}: nothing means live");
            let lists = [&verify.live, &verify.limited, &verify.dead];
            let statuses: Vec<_> = lists.into_iter().flatten().collect();
            let distinct: HashSet<_> = statuses.iter().collect();
            assert_eq!(statuses.len(), distinct.len(), "{id}: a status means two things");
            let uses = |text: &String| ["{secret}", "{basic}", "{part."].iter().any(|part| text.contains(part));
            let sent = verify.headers.values().chain(&verify.body).any(uses) || verify.secret_in_path;
            let ways = usize::from(sent) + usize::from(verify.sign.is_some()) + usize::from(verify.proof.is_some());
            assert_eq!(ways, 1, "{id}: is either sent, or signed with, or looked for in a public list");
        }
    }
}

#[test]
fn no_two_detectors_claim_one_shape_unless_they_share_it() {
    let registry = Registry::built_in();
    let mut claimed = std::collections::HashMap::new();
    for detector in registry
        .detectors()
        .iter()
        .filter(|detector| !detector.shared && detector.keywords.is_empty() && detector.claims.is_empty())
    {
        for shape in &detector.shapes {
            let before = claimed.insert(shape, &detector.id);
            assert!(before.is_none(), "{} and {before:?} both claim {shape}", detector.id);
        }
    }
}

#[test]
fn claims_are_put_in_where_an_example_is_made() {
    let registry = Registry::built_in();
    let mut generator = Generator::new(12);
    let with_claims: Vec<_> = registry.detectors().iter().filter(|detector| !detector.claims.is_empty()).collect();
    assert!(with_claims.len() >= 3);
    for detector in with_claims {
        for shape in &detector.shapes {
            let bare = example::expand(shape, &mut generator).expect("an example");
            assert!(!super::claims::satisfied(&detector.claims, &bare), "{}: any token will do", detector.id);
            let value = example::expand_for(detector, shape, &mut generator).expect("an example");
            assert!(super::claims::satisfied(&detector.claims, &value), "{}", detector.id);
        }
    }
}

#[test]
fn checksums_are_filled_in_where_an_example_is_made() {
    let registry = Registry::built_in();
    let mut generator = Generator::new(11);
    let with_checksum =
        registry.detectors().iter().filter_map(|detector| Some((detector, detector.checksum.as_ref()?)));
    let mut seen = 0;
    for (detector, sum) in with_checksum {
        for shape in &detector.shapes {
            let value = example::expand_for(detector, shape, &mut generator).expect("an example");
            assert!(super::checksum::valid(sum, &value), "{}", detector.id);
            seen += 1;
        }
    }
    assert!(seen >= 5, "only {seen} shapes with a checksum");
}

#[test]
fn the_detector_files_hold_nothing_that_a_detector_finds() {
    let registry = Registry::built_in();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("detectors");
    let texts: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            (path.clone(), std::fs::read(path).expect("a file"))
        })
        .collect();
    assert!(texts.len() > 200);
    for (detector, rules) in rules_by_detector(&registry) {
        // Beside a name any word may have the right length; there the filters of the scan decide.
        for (number, rule) in rules.into_iter().filter(|(_, rule)| !matches!(rule.place, Place::Near(_))) {
            let (regex, anchors) = (regex(rule), anchors_of(&registry, number));
            for (path, text) in &texts {
                let found = anchors.iter().any(|anchor| {
                    find(text, *anchor)
                        .into_iter()
                        .filter_map(|start| hit(rule, &regex, text, start, anchor.0.len()))
                        .any(|range| is_whole(rule, text, range))
                });
                assert!(!found, "{}: {} holds one", detector.id, path.display());
            }
        }
    }
}
