//! The labelled set: texts with a key in them, texts with what only looks like one, and what a scan makes of both.
//!
//! Everything is made from shapes and templates with a seed, so that no file holds a key and every run measures the same.

#![allow(dead_code, reason = "the program prints what the test does not look at")]

pub(crate) mod altered;
pub(crate) mod measure;
pub(crate) mod negatives;
pub(crate) mod positives;
pub(crate) mod templates;

use credtrace::detector::compile::Detector;
use credtrace::detector::example::{self, Generator};

/// A text with a credential in it.
pub(crate) struct Positive {
    /// What stands round the credential.
    pub(crate) context: &'static str,
    /// The detector, by its place in the registry.
    pub(crate) detector: u16,
    /// The credential.
    pub(crate) secret: Vec<u8>,
    /// The text.
    pub(crate) text: Vec<u8>,
}

/// A text without a credential.
pub(crate) struct Negative {
    /// What it looks like.
    pub(crate) class: &'static str,
    /// The text.
    pub(crate) text: Vec<u8>,
}

/// The name by which configuration calls a detector's credential: a variable in capitals.
pub(crate) fn variable(detector: &Detector) -> Option<String> {
    let is_name = |text: &&str| {
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && text.starts_with(|first: char| first.is_ascii_alphabetic())
    };
    let names = if detector.keywords.is_empty() { &detector.context_words } else { &detector.keywords };
    let lower = |text: &str| text.to_ascii_lowercase();
    let named = |variable: &&str| names.iter().any(|word| lower(variable).contains(&lower(word)));
    let environment = detector.environment.iter().map(String::as_str).filter(is_name);
    if detector.keywords.is_empty() && !detector.shared {
        return Some(environment.clone().next().map_or_else(|| "SERVICE_API_KEY".into(), str::to_owned));
    }
    let word = environment.filter(named).chain(names.iter().map(String::as_str).filter(is_name)).next()?;
    let says_what = ["key", "token", "secret", "pat", "password"].iter().any(|part| lower(word).contains(part));
    Some(if says_what { word.to_ascii_uppercase() } else { format!("{}_API_KEY", word.to_ascii_uppercase()) })
}

/// Expands a shape that is known to parse.
pub(crate) fn expand(text: &str, generator: &mut Generator) -> String {
    let bytes = example::expand(text, generator).expect("a shape of this file");
    String::from_utf8(bytes).expect("shapes are ASCII")
}
