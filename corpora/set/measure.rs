//! Runs the library over the set and counts.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use credtrace::detector::Registry;
use credtrace::finding::Confidence;
use credtrace::matcher::engine::{EngineChoice, Workload};
use credtrace::scan::text::TextScanner;

use super::{Negative, Positive, negatives, positives};

/// How many there are, and how many of them came out right.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Share {
    /// How many there are.
    pub(crate) all: u64,
    /// How many came out right.
    pub(crate) right: u64,
}

impl Share {
    fn add(&mut self, right: bool) {
        self.all += 1;
        self.right += u64::from(right);
    }

    /// The share that came out right, from 0 to 1.
    pub(crate) fn rate(self) -> f64 {
        if self.all == 0 { 1.0 } else { self.right as f64 / self.all as f64 }
    }
}

/// What a scan of the set comes to.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    /// Found at confidence medium and above, of detectors that may reach it.
    pub(crate) recall: Share,
    /// Found at any confidence, of detectors that are never surer than low.
    pub(crate) recall_low: Share,
    /// Whose provider is right, of those found.
    pub(crate) provider: Share,
    /// Recall by provider.
    pub(crate) by_provider: BTreeMap<String, Share>,
    /// Found with the right provider, by context.
    pub(crate) by_context: BTreeMap<&'static str, Share>,
    /// In how many contexts each provider was tried.
    pub(crate) contexts_of: BTreeMap<String, BTreeSet<&'static str>>,
    /// Recall by detector.
    pub(crate) by_detector: BTreeMap<String, Share>,
    /// Texts without a finding at medium and above, by class.
    pub(crate) silence: BTreeMap<&'static str, Share>,
    /// Texts without a finding at low, by class.
    pub(crate) silence_low: BTreeMap<&'static str, Share>,
    /// What was not found: context, detector and, where another one took it, that one.
    pub(crate) misses: Vec<(&'static str, String, String)>,
    /// What was found where nothing is: class, detector and text.
    pub(crate) alarms: Vec<(&'static str, String, String)>,
    /// How many bytes were scanned.
    pub(crate) bytes: u64,
    /// How long that took.
    pub(crate) time: Duration,
}

/// Scans the whole set on one thread, with `each` credentials of every detector in every context.
pub(crate) fn run(each: u32) -> Measured {
    let registry = Registry::built_in();
    let scanner = TextScanner::new(&registry, EngineChoice::Fastest, Workload::Large, false).expect("an engine opens");
    let positives = positives::all(&registry, each);
    let negatives = negatives::all(&registry);
    let mut measured = Measured::default();
    let start = Instant::now();
    for positive in &positives {
        measured.positive(&registry, &scanner, positive);
    }
    for negative in &negatives {
        measured.negative(&registry, &scanner, negative);
    }
    measured.time = start.elapsed();
    measured
}

impl Measured {
    fn positive(&mut self, registry: &Registry, scanner: &TextScanner<'_>, positive: &Positive) {
        let detector = registry.detector(positive.detector);
        self.bytes += positive.text.len() as u64;
        let hits = scanner.worker().expect("buffers").scan(&positive.text).expect("a scan");
        let mut found = hits.located.iter().map(|located| &located.candidate);
        let found = found.find(|candidate| candidate.secret.expose() == positive.secret);
        self.contexts_of.entry(detector.provider.clone()).or_default().insert(positive.context);
        let least = detector.confidence.min(Confidence::Medium);
        let reported = found.is_some_and(|candidate| candidate.confidence >= least);
        let right = found.is_some_and(|candidate| registry.detector(candidate.detector).provider == detector.provider);
        if !reported || !right {
            let taken = hits.located.first().map_or("", |located| &registry.detector(located.candidate.detector).id);
            self.misses.push((positive.context, detector.id.clone(), taken.to_owned()));
        }
        if detector.confidence == Confidence::Low {
            return self.recall_low.add(reported);
        }
        self.recall.add(reported);
        self.by_provider.entry(detector.provider.clone()).or_default().add(reported);
        self.by_context.entry(positive.context).or_default().add(reported && right);
        self.by_detector.entry(detector.id.clone()).or_default().add(reported);
        if reported {
            self.provider.add(right);
        }
    }

    fn negative(&mut self, registry: &Registry, scanner: &TextScanner<'_>, negative: &Negative) {
        self.bytes += negative.text.len() as u64;
        let hits = scanner.worker().expect("buffers").scan(&negative.text).expect("a scan");
        let surest = hits.located.iter().map(|located| &located.candidate).max_by_key(|candidate| candidate.confidence);
        let alarm = surest.filter(|candidate| candidate.confidence >= Confidence::Medium);
        self.silence.entry(negative.class).or_default().add(alarm.is_none());
        self.silence_low.entry(negative.class).or_default().add(surest.is_none());
        if let Some(candidate) = alarm {
            let text = String::from_utf8_lossy(&negative.text[..negative.text.len().min(120)]).trim_end().to_owned();
            self.alarms.push((negative.class, registry.detector(candidate.detector).id.clone(), text));
        }
    }

    /// The least number of contexts in which a provider was tried.
    pub(crate) fn fewest_contexts(&self) -> usize {
        self.contexts_of.values().map(BTreeSet::len).min().unwrap_or(0)
    }

    /// The share of texts without a credential in which nothing is found at medium and above.
    pub(crate) fn silent(&self) -> Share {
        self.silence
            .values()
            .fold(Share::default(), |sum, share| Share { all: sum.all + share.all, right: sum.right + share.right })
    }
}
