//! Joins reports by fingerprint: one finding a credential, with what any of the reports says of it.
//!
//! The order of the reports decides nothing but where two of them tell different things of one and the same place, such as
//! whether HEAD still has it: there the later one is believed. Reports under different keys cannot be joined, since the
//! same secret has another fingerprint in each.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::read::Part;
use crate::finding::{
    Finding, Identity, LinkTier, Liveness, Occurrence, Report, SUMMARY_SCHEMA, Summary, Verification,
};
use crate::scan::collect::{instant, place_order, stable_order};
use crate::secret;

/// Takes the parts of reports one by one and makes one report of them.
#[derive(Debug, Default)]
pub struct Merger {
    findings: HashMap<String, Finding>,
    /// The id of the key of all fingerprints, as soon as one is seen.
    key: Option<String>,
    /// How many findings the report that is being read has had.
    seen: u64,
    /// How many reports had findings.
    with_findings: u64,
    ephemeral: bool,
    summary: Option<Summary>,
    engines: BTreeSet<String>,
    warnings: BTreeSet<String>,
    errors: Vec<String>,
}

impl Merger {
    /// Takes a part of the report that is called `name`.
    ///
    /// # Errors
    /// A part under another key than those before it.
    pub fn take(&mut self, name: &str, part: Part) -> Result<(), String> {
        match part {
            Part::Finding(finding) => self.finding(*finding),
            Part::Summary(summary) => self.summary(name, *summary),
        }
    }

    /// Notes that a report breaks off; the whole is not complete then.
    pub fn cut(&mut self, name: &str, reason: &str) {
        self.errors.push(format!("{name}: {reason}"));
        self.ended();
    }

    fn finding(&mut self, finding: Finding) -> Result<(), String> {
        self.same_key(secret::key_of(&finding.fingerprint).unwrap_or_default())?;
        self.seen += 1;
        match self.findings.entry(finding.fingerprint.clone()) {
            Entry::Occupied(mut known) => join(known.get_mut(), finding),
            Entry::Vacant(free) => drop(free.insert(finding)),
        }
        Ok(())
    }

    fn same_key(&mut self, id: &str) -> Result<(), String> {
        match &self.key {
            Some(known) if known != id => Err(different_keys(known, id)),
            Some(_) => Ok(()),
            None => {
                self.key = Some(id.to_owned());
                Ok(())
            }
        }
    }

    fn summary(&mut self, name: &str, summary: Summary) -> Result<(), String> {
        match summary.fingerprint_key.as_str() {
            "ephemeral" => self.ephemeral |= self.seen > 0,
            // A report without findings has nothing to be joined, whatever its key.
            _ if self.seen == 0 => {}
            id => self.same_key(id)?,
        }
        if summary.findings != self.seen {
            let (held, counted) = (self.seen, summary.findings);
            self.errors.push(format!("{name}: holds {held} findings, and its summary counts {counted}"));
        }
        self.ended();
        if self.ephemeral && self.with_findings > 1 {
            return Err(
                "was made under a key for its run alone (ephemeral), so its fingerprints are nobody else's; scan \
                        again with CREDTRACE_FINGERPRINT_KEY or --fingerprint-key-file"
                    .into(),
            );
        }
        self.errors.extend(summary.errors.iter().map(|error| format!("{name}: {error}")));
        self.warnings.extend(summary.warnings.iter().cloned());
        self.engines.insert(summary.engine.clone());
        match &mut self.summary {
            Some(sum) => add(sum, &summary),
            None => self.summary = Some(Summary { errors: Vec::new(), warnings: Vec::new(), ..summary }),
        }
        Ok(())
    }

    fn ended(&mut self) {
        self.with_findings += u64::from(std::mem::take(&mut self.seen) > 0);
    }

    /// Returns the one report.
    pub fn finish(self) -> Report {
        let mut findings: Vec<Finding> = self.findings.into_values().collect();
        findings.iter_mut().for_each(|finding| unite(&mut finding.occurrences));
        // Two credentials may look and stand alike in reports; then the fingerprint tells them apart.
        findings.sort_by(|left, right| {
            stable_order(left).cmp(&stable_order(right)).then_with(|| left.fingerprint.cmp(&right.fingerprint))
        });
        let mut summary = self.summary.unwrap_or_else(nothing);
        summary.complete &= self.errors.is_empty();
        summary.findings = findings.len() as u64;
        summary.fingerprint_key = match (self.ephemeral, self.key) {
            (true, _) => "ephemeral".into(),
            (false, Some(key)) => key,
            (false, None) => summary.fingerprint_key,
        };
        summary.engine = self.engines.into_iter().collect::<Vec<_>>().join(", ");
        summary.seconds = (summary.seconds * 1000.0).round() / 1000.0;
        (summary.errors, summary.warnings) = (self.errors, self.warnings.into_iter().collect());
        Report { findings, summary }
    }
}

fn different_keys(one: &str, other: &str) -> String {
    format!(
        "is under the fingerprint key {other}, and what was read before under {one}: the same secret has another \
         fingerprint in each, so they cannot be compared; scan again with one key for all, in CREDTRACE_FINGERPRINT_KEY or \
         with --fingerprint-key-file"
    )
}

/// What is known where no report came to its summary.
fn nothing() -> Summary {
    Summary {
        schema: SUMMARY_SCHEMA.into(),
        complete: false,
        findings: 0,
        blobs_scanned: 0,
        bytes_scanned: 0,
        skipped: Default::default(),
        suppressed: Default::default(),
        errors: Vec::new(),
        warnings: Vec::new(),
        detectors: 0,
        engine: String::new(),
        fingerprint_key: String::new(),
        seconds: 0.0,
    }
}

/// Adds a summary to the sum of others. Of detectors, the scan that had the fewest decides what was looked for everywhere.
fn add(sum: &mut Summary, other: &Summary) {
    sum.complete &= other.complete;
    sum.blobs_scanned = sum.blobs_scanned.saturating_add(other.blobs_scanned);
    sum.bytes_scanned = sum.bytes_scanned.saturating_add(other.bytes_scanned);
    sum.seconds += other.seconds;
    sum.detectors = sum.detectors.min(other.detectors);
    for (sums, counts) in [(&mut sum.skipped, &other.skipped), (&mut sum.suppressed, &other.suppressed)] {
        for (reason, count) in counts {
            let sum = sums.entry(reason.clone()).or_default();
            *sum = sum.saturating_add(*count);
        }
    }
}

/// Joins what two reports say of one credential.
fn join(known: &mut Finding, mut other: Finding) {
    let mut occurrences = std::mem::take(&mut known.occurrences);
    occurrences.append(&mut other.occurrences);
    let mut companions = std::mem::take(&mut known.companions);
    companions.append(&mut other.companions);
    companions.sort_by(|left, right| (&left.detector, &left.fingerprint).cmp(&(&right.detector, &right.fingerprint)));
    companions.dedup();
    let mut identity_findings = std::mem::take(&mut known.identity_findings);
    identity_findings.append(&mut other.identity_findings);
    identity_findings.sort();
    identity_findings.dedup();
    let secret = known.secret.take().or(other.secret.take());
    let first_seen = sooner(known.first_seen.take(), other.first_seen.take(), true);
    let last_seen = sooner(known.last_seen.take(), other.last_seen.take(), false);
    let verification = newest(std::mem::take(&mut known.verification), std::mem::take(&mut other.verification));
    let identity = surest(std::mem::take(&mut known.identity), std::mem::take(&mut other.identity));
    // What it is, the report says that is surest.
    let rank = |finding: &Finding| (finding.confidence, std::cmp::Reverse(finding.detector.clone()));
    if rank(&other) > rank(known) {
        std::mem::swap(known, &mut other);
    }
    known.occurrences = occurrences;
    known.companions = companions;
    known.identity_findings = identity_findings;
    known.secret = secret;
    (known.first_seen, known.last_seen) = (first_seen, last_seen);
    (known.verification, known.identity) = (verification, identity);
}

/// Returns the earlier of two dates, or the later; what is no date loses.
fn sooner(one: Option<String>, other: Option<String>, earlier: bool) -> Option<String> {
    let time = |text: &Option<String>| text.as_deref().and_then(instant);
    match (time(&one), time(&other)) {
        (Some(first), Some(second)) if (first <= second) == earlier => one,
        (Some(_), Some(_)) => other,
        (None, Some(_)) => other,
        (_, None) => one.or(other),
    }
}

/// Returns the verdict that was given last; one that was given wins over none.
fn newest(one: Verification, other: Verification) -> Verification {
    let rank = |said: &Verification| {
        let time = said.checked_at.as_deref().and_then(instant).unwrap_or(Timestamp::MIN);
        // Of two of the same time, what works counts.
        (said.state != Liveness::NotChecked, time, std::cmp::Reverse(said.state))
    };
    if rank(&other) > rank(&one) { other } else { one }
}

/// Returns the link that rests on the surest ground; of equal ones, the one of the newer inventory.
fn surest(one: Identity, other: Identity) -> Identity {
    let ground = |identity: &Identity| match identity.tier {
        Some(tier) => (0, Some(tier)),
        None => (1, None::<LinkTier>),
    };
    let score = |identity: &Identity| identity.score.filter(|score| score.is_finite()).unwrap_or(0.0);
    let time = |identity: &Identity| identity.as_of.as_deref().and_then(|text| text.get(..10).map(str::to_owned));
    let order = (ground(&other), other.status)
        .cmp(&(ground(&one), one.status))
        .then_with(|| score(&one).total_cmp(&score(&other)))
        .then_with(|| time(&one).cmp(&time(&other)));
    if order.is_lt() { other } else { one }
}

/// Puts places in order, each once. Of two reports of one place the later one says whether HEAD still has it.
fn unite(places: &mut Vec<Occurrence>) {
    places.sort_by(|left, right| place_order(left).cmp(&place_order(right)));
    places.dedup_by(|later, earlier| {
        let same = place_order(later) == place_order(earlier);
        if same {
            earlier.in_head = later.in_head.or(earlier.in_head);
            earlier.versions = earlier.versions.max(later.versions);
        }
        same
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Confidence, IdentityStatus};
    use crate::report::tests::{finding, occurrence, report};

    fn merged(reports: Vec<Report>) -> Result<Report, String> {
        let mut merger = Merger::default();
        for (number, report) in reports.into_iter().enumerate() {
            let name = format!("r{number}");
            for finding in report.findings {
                merger.take(&name, Part::Finding(Box::new(finding)))?;
            }
            merger.take(&name, Part::Summary(Box::new(report.summary)))?;
        }
        Ok(merger.finish())
    }

    fn at(path: &str) -> Occurrence {
        Occurrence { path: path.into(), ..occurrence() }
    }

    #[test]
    fn a_credential_of_two_reports_is_one_with_all_its_places() {
        let one = Finding {
            occurrences: vec![at("b.py"), at("c.py")],
            first_seen: Some("2024-03-01T10:00:00+01:00".into()),
            last_seen: Some("2024-03-02T10:00:00Z".into()),
            confidence: Confidence::Medium,
            detector: "generic".into(),
            ..finding()
        };
        let other = Finding {
            occurrences: vec![at("a.py"), Occurrence { in_head: Some(false), versions: Some(9), ..at("c.py") }],
            first_seen: Some("2024-03-01T09:30:00Z".into()),
            last_seen: Some("not a date".into()),
            ..finding()
        };
        let joined = merged(vec![report(vec![one]), report(vec![other])]).expect("one key");
        let found = &joined.findings[0];
        let paths: Vec<&str> = found.occurrences.iter().map(|place| place.path.as_str()).collect();
        assert_eq!(paths, ["a.py", "b.py", "c.py"]);
        assert_eq!((found.occurrences[2].in_head, found.occurrences[2].versions), (Some(false), Some(9)));
        assert_eq!(found.first_seen.as_deref(), Some("2024-03-01T10:00:00+01:00"));
        assert_eq!(found.last_seen.as_deref(), Some("2024-03-02T10:00:00Z"));
        assert_eq!((found.detector.as_str(), found.confidence), ("anthropic-api-key", Confidence::High));
        assert_eq!((joined.summary.findings, joined.summary.blobs_scanned), (1, 2 * 57_302));
        assert!(joined.summary.complete && joined.summary.errors.is_empty());
    }

    #[test]
    fn the_newest_verdict_and_the_surest_link_win_in_any_order() {
        let verdict =
            |state, at: Option<&str>| Verification { checked_at: at.map(str::to_owned), ..Verification::new(state) };
        let link = |status, tier, score| Identity { tier, score, ..Identity::new(status) };
        let mut reports = [
            (
                verdict(Liveness::Live, Some("2026-01-01T10:00:00Z")),
                link(IdentityStatus::Tie, Some(LinkTier::HintTie), None),
            ),
            (verdict(Liveness::Dead, Some("2026-01-02T01:00:00+09:00")), link(IdentityStatus::Shadow, None, None)),
            (verdict(Liveness::NotChecked, None), link(IdentityStatus::Linked, Some(LinkTier::HintUnique), Some(0.9))),
            (
                verdict(Liveness::Unknown, Some("nonsense")),
                link(IdentityStatus::Linked, Some(LinkTier::HintUnique), Some(0.7)),
            ),
        ];
        for _ in 0..reports.len() {
            reports.rotate_left(1);
            let all = reports
                .iter()
                .cloned()
                .map(|(verification, identity)| report(vec![Finding { verification, identity, ..finding() }]));
            let joined = merged(all.collect()).expect("one key").findings.remove(0);
            assert_eq!(joined.verification.state, Liveness::Dead);
            assert_eq!((joined.identity.tier, joined.identity.score), (Some(LinkTier::HintUnique), Some(0.9)));
        }
    }

    #[test]
    fn what_is_incomplete_stays_incomplete_and_every_error_names_its_report() {
        let mut bad = report(vec![]);
        bad.summary.complete = false;
        bad.summary.errors = vec!["pack-1 is damaged".into()];
        bad.summary.skipped.insert("too-large".into(), u64::MAX);
        let joined = merged(vec![bad, report(vec![])]).expect("one key").summary;
        assert!(!joined.complete);
        assert_eq!(joined.errors, ["r0: pack-1 is damaged"]);
        assert_eq!(joined.skipped["too-large"], u64::MAX);
        let mut short = report(vec![finding()]);
        short.summary.findings = 2;
        let joined = merged(vec![short]).expect("one key").summary;
        assert!(!joined.complete && joined.errors[0].contains("holds 1 findings"), "{joined:?}");
    }

    #[test]
    fn other_keys_and_keys_of_one_run_are_refused() {
        let other = Finding { fingerprint: finding().fingerprint.replace("k1-0a", "k1-0b"), ..finding() };
        let refused = merged(vec![report(vec![finding()]), report(vec![other])]).expect_err("two keys");
        assert!(refused.contains("k1-0a1b2c3d") && refused.contains("k1-0b1b2c3d"), "{refused}");
        let mut once = report(vec![finding()]);
        once.summary.fingerprint_key = "ephemeral".into();
        assert_eq!(merged(vec![once.clone()]).expect("alone").summary.fingerprint_key, "ephemeral");
        let empty = report(vec![]);
        merged(vec![once.clone(), empty.clone()]).expect("nothing to compare");
        merged(vec![empty, once.clone()]).expect("nothing to compare");
        for pair in [vec![once.clone(), report(vec![finding()])], vec![report(vec![finding()]), once]] {
            let refused = merged(pair).expect_err("a key of one run");
            assert!(refused.contains("ephemeral"), "{refused}");
        }
    }
}
