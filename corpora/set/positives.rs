//! Texts with a credential: every detector in every context.

use credtrace::detector::Registry;
use credtrace::detector::compile::{Detector, shape};
use credtrace::detector::example::{self, Generator};

use super::altered::{self, Asks};
use super::templates::{FILES, OUTPUT, WRITING};
use super::{Positive, variable};

/// The greatest range of lengths at which a wrapped credential can be told from what follows it.
const KNOWN_LENGTH: u32 = 16;

/// Makes the texts of all detectors, with `each` credentials of every detector in every context.
pub(crate) fn all(registry: &Registry, each: u32) -> Vec<Positive> {
    let mut positives = Vec::new();
    for (number, detector) in registry.detectors().iter().enumerate() {
        let mut generator = Generator::new(0xc0de ^ number as u64);
        if let Some(name) = variable(detector).filter(|_| !detector.shapes.is_empty()) {
            for round in 0..each {
                in_contexts(number as u16, detector, &name, round, &mut generator, &mut positives);
            }
        }
    }
    positives
}

fn in_contexts(
    number: u16,
    detector: &Detector,
    name: &str,
    round: u32,
    generator: &mut Generator,
    positives: &mut Vec<Positive>,
) {
    for (index, (context, template)) in FILES.iter().chain(&OUTPUT).chain(&WRITING).enumerate() {
        let shape = &detector.shapes[(index + round as usize) % detector.shapes.len()];
        let secret = example::expand_for(detector, shape, generator).expect("a shape");
        // What a grammar gives a meaning of its own is never written there as it is.
        if matches!(*context, "query of an address" | "XML") && secret.iter().any(|byte| b"+/=&|".contains(byte)) {
            continue;
        }
        let text = fill(template, name, &secret);
        positives.push(Positive { context, detector: number, secret, text });
    }
    let shape = &detector.shapes[round as usize % detector.shapes.len()];
    let secret = example::expand_for(detector, shape, generator).expect("a shape");
    for (context, asks, text) in altered::all(name, &secret) {
        if offers(detector, shape, asks) {
            positives.push(Positive { context, detector: number, secret: secret.clone(), text });
        }
    }
}

/// Whether a detector's credentials have what a context asks of them.
fn offers(detector: &Detector, text: &str, asks: Asks) -> bool {
    let prefixed = detector.keywords.is_empty() && !detector.shared;
    let slack = || {
        let lengths =
            shape::parse(text).expect("a shape of a detector").iter().map(shape::Shape::lengths).collect::<Vec<_>>();
        lengths.iter().map(|(least, most)| most - least).max().unwrap_or(0)
    };
    match asks {
        Asks::Nothing => true,
        Asks::Prefix => prefixed,
        Asks::Length => detector.checksum.is_some() || (prefixed && slack() <= KNOWN_LENGTH),
    }
}

/// Fills a template in.
pub(crate) fn fill(template: &str, name: &str, value: &[u8]) -> Vec<u8> {
    let lower = name.to_ascii_lowercase();
    let head = template.replace("@N", name).replace("@n", &lower).replace("@c", &camel(&lower));
    let mut parts = head.split("@V");
    let mut text = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        text.extend(value);
        text.extend(part.as_bytes());
    }
    text
}

/// `my_api_key` as `myApiKey`.
fn camel(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        text.push_str(&word[..1].to_ascii_uppercase());
        text.push_str(&word[1..]);
    }
    text
}
