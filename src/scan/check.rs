//! Checks detectors by what they promise: every example is found by its detector through the whole pipeline and by both
//! engines, every counter-example is not, and no other detector claims an example.

use std::path::Path;

use super::text::{TextHits, TextScanner};
use crate::detector::compile::Detector;
use crate::detector::example::{self, Generator};
use crate::detector::registry::{self, Registry};
use crate::error::Result;
use crate::matcher::engine::{EngineChoice, Workload};

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckOutcome {
    /// How many examples were expanded and scanned.
    pub examples: usize,
    /// How many counter-examples were expanded and scanned.
    pub counter_examples: usize,
    /// The engines that took part.
    pub engines: Vec<&'static str>,
    /// What is not as it should be, one line each.
    pub faults: Vec<String>,
}

/// How often each example is expanded.
const EXPANSIONS: u64 = 8;

/// Checks every detector of a registry.
///
/// # Errors
/// Where an engine does not open or fails.
pub fn check(registry: &Registry) -> Result<CheckOutcome> {
    check_some(registry, &|_| Some(String::new()))
}

/// Checks the detectors of a folder that was added to the built-in ones; faults name file and line.
///
/// # Errors
/// As [`check`], and where the folder cannot be read.
pub fn check_folder(registry: &Registry, folder: &Path) -> Result<CheckOutcome> {
    let places = registry::places(folder)?;
    check_some(registry, &|id| places.get(id).map(|place| format!("{place}: ")))
}

/// Checks the detectors for which `place` returns what their faults begin with.
fn check_some(registry: &Registry, place: &dyn Fn(&str) -> Option<String>) -> Result<CheckOutcome> {
    let mut check = Check { registry, scanners: Vec::new(), outcome: CheckOutcome::default() };
    for workload in [Workload::Small, Workload::Large] {
        let scanner = TextScanner::new(registry, EngineChoice::Fastest, workload, false)?;
        if !check.outcome.engines.contains(&scanner.engine_name()) {
            check.outcome.engines.push(scanner.engine_name());
            check.scanners.push(scanner);
        }
    }
    for (number, detector) in registry.detectors().iter().enumerate() {
        let Some(place) = place(&detector.id) else { continue };
        let before = check.outcome.faults.len();
        for seed in 0..EXPANSIONS {
            check.detector(number as u16, detector, seed)?;
        }
        check.outcome.faults[before..].iter_mut().for_each(|fault| fault.insert_str(0, &place));
    }
    check.outcome.faults.sort();
    check.outcome.faults.dedup();
    Ok(check.outcome)
}

struct Check<'registry> {
    registry: &'registry Registry,
    scanners: Vec<TextScanner<'registry>>,
    outcome: CheckOutcome,
}

impl Check<'_> {
    fn detector(&mut self, number: u16, detector: &Detector, seed: u64) -> Result<()> {
        for text in example::texts(detector) {
            self.outcome.examples += 1;
            let Some(hits) = self.scan(detector, &text, seed)? else { continue };
            let mut found = hits.located.iter().map(|located| &located.candidate);
            if !found.any(|candidate| candidate.detector == number || candidate.rivals.contains(&number)) {
                self.missed(detector, &text, &hits);
            }
        }
        for text in &detector.counter_examples {
            self.outcome.counter_examples += 1;
            let Some(hits) = self.scan(detector, text, seed)? else { continue };
            if hits.located.iter().any(|located| located.candidate.detector == number) {
                self.outcome.faults.push(format!("{}: counter-example {text:?} is found", detector.id));
            }
        }
        Ok(())
    }

    fn missed(&mut self, detector: &Detector, text: &str, hits: &TextHits) {
        let claimed = hits.located.iter().map(|located| self.registry.detector(located.candidate.detector).id.as_str());
        let others: Vec<&str> = claimed.collect();
        self.outcome.faults.push(if others.is_empty() {
            format!("{}: example {text:?} is not found", detector.id)
        } else {
            format!("{}: example {text:?} is claimed by {}", detector.id, others.join(", "))
        });
    }

    /// Scans one expansion with every engine; notes where they differ.
    fn scan(&mut self, detector: &Detector, text: &str, seed: u64) -> Result<Option<TextHits>> {
        let bytes = match example::expand_for(detector, text, &mut Generator::new(seed)) {
            Ok(bytes) => bytes,
            Err(reason) => {
                self.outcome.faults.push(format!("{}: example {text:?}: {reason}", detector.id));
                return Ok(None);
            }
        };
        let spans = |hits: &TextHits| hits.located.iter().map(|located| located.candidate.clone()).collect::<Vec<_>>();
        let mut first: Option<TextHits> = None;
        for scanner in &self.scanners {
            let hits = scanner.worker()?.scan(&bytes)?;
            match &first {
                Some(known) if spans(known) != spans(&hits) => {
                    let fault = format!("{}: example {text:?}: the engines differ (seed {seed})", detector.id);
                    self.outcome.faults.push(fault);
                }
                Some(_) => {}
                None => first = Some(hits),
            }
        }
        Ok(first)
    }
}
