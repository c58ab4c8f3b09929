//! Makes findings of hits: one a distinct secret, with every place where it occurs.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::mask::Masked;
use super::near;
use super::options::ScanOptions;
use super::text::Located;
use crate::credential::{FoundCompanion, FoundCredential, Surroundings};
use crate::detector::compile::Detector;
use crate::detector::registry::Registry;
use crate::finding::{CompanionNote, Confidence, Finding, Occurrence, SourceKind};
use crate::matcher::Candidate;
use crate::secret::Secret;
use crate::source::archive::PIECES;

/// A candidate at one place.
#[derive(Debug, Clone)]
pub struct Hit {
    /// What was found.
    pub candidate: Candidate,
    /// Where it occurs.
    pub occurrence: Occurrence,
    /// The other halves that stand near it there.
    pub companions: Vec<FoundCompanion>,
    /// What else stands near it there, where that was asked for.
    pub surroundings: Option<Box<Surroundings>>,
    /// For git: where its commit stands among all, ancestors first; the least is the introduction that is told.
    pub order: u64,
}

/// Everything that can be said of a place before it is known what was found there.
#[derive(Debug, Clone)]
pub struct Scene {
    /// Where the text came from.
    pub source: SourceKind,
    /// The target as it was given.
    pub target: String,
    /// The path's bytes, or what the text is.
    pub path: Vec<u8>,
    /// The blob, for git.
    pub blob: Option<String>,
    /// The commit, for git.
    pub commit: Option<String>,
    /// The commit's author.
    pub author: Option<String>,
    /// The commit's date.
    pub date: Option<String>,
    /// Whether HEAD still has it.
    pub in_head: Option<bool>,
}

impl Scene {
    /// A place that is not git's.
    pub fn plain(source: SourceKind, target: &str, path: &[u8]) -> Self {
        Self {
            source,
            target: target.to_owned(),
            path: path.to_vec(),
            blob: None,
            commit: None,
            author: None,
            date: None,
            in_head: None,
        }
    }

    /// Puts a candidate into this place, which is one of several.
    pub fn hit(&self, located: &Located, order: u64) -> Hit {
        self.only_hit(located.clone(), order)
    }

    /// Puts a candidate into this place, the only one that it has.
    pub fn only_hit(&self, located: Located, order: u64) -> Hit {
        use base64::Engine;
        let lossless = std::str::from_utf8(&self.path).is_ok();
        let origin = located.origin.as_deref();
        let occurrence = Occurrence {
            source: origin.map_or(self.source, |origin| origin.source),
            target: self.target.clone(),
            path: String::from_utf8_lossy(&self.path).into_owned(),
            path_bytes_b64: (!lossless).then(|| base64::engine::general_purpose::STANDARD.encode(&self.path)),
            line: located.line,
            column: located.column,
            start: located.candidate.start as u64,
            end: located.candidate.end as u64,
            blob: self.blob.clone(),
            commit: self.commit.clone(),
            author: self.author.clone(),
            date: self.date.clone(),
            in_head: self.in_head,
            versions: self.blob.is_some().then_some(1),
            context: origin.and_then(|origin| origin.context.clone()),
            excerpt: located.excerpt,
        };
        Hit {
            candidate: located.candidate,
            occurrence,
            companions: located.companions,
            surroundings: located.surroundings,
            order,
        }
    }
}

/// What was found and what was left out of the report.
#[derive(Debug, Default)]
pub struct Collected {
    /// The findings to report, in their stable order.
    pub findings: Vec<Finding>,
    /// The secret of each finding and what stood near it, in the same order.
    pub credentials: Vec<FoundCredential>,
    /// What was found but is not reported, counted by reason.
    pub suppressed: BTreeMap<String, u64>,
    /// Every secret that was found, reported or not, with what is shown in its place, so that none is told beside another.
    pub(crate) secrets: Vec<Masked>,
}

/// Makes findings of hits. The order of hits does not matter.
pub fn collect(hits: Vec<Hit>, registry: &Registry, options: &ScanOptions) -> Collected {
    let mut groups: HashMap<Secret, Vec<Hit>> = HashMap::new();
    for hit in hits {
        // Most secrets occur once, and a vector that grows makes room for four.
        let group = groups.entry(hit.candidate.secret.clone()).or_insert_with(|| Vec::with_capacity(1));
        group.push(hit);
    }
    let mut collected = Collected::default();
    for (secret, hits) in groups {
        let (best, detector) = best_of(&hits, registry);
        let reason = if detector.publishable {
            Some("publishable")
        } else if best.confidence < options.min_confidence {
            Some("below-min-confidence")
        } else {
            None
        };
        match reason {
            Some(reason) => *collected.suppressed.entry(reason.into()).or_default() += 1,
            None => {
                let credential = credential(&secret, &hits);
                let mut finding = finding(&secret, &best, detector, registry, options);
                finding.companions = companion_notes(&credential, options);
                collected.findings.push(with_occurrences(finding, hits));
                collected.credentials.push(credential);
            }
        }
        let shown = secret.redacted(best.head);
        collected.secrets.push((secret, shown));
    }
    collected.sort();
    collected
}

impl Collected {
    /// Puts findings into their stable order, and each credential beside its finding. Nothing is copied: findings are large.
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.findings.len()).collect();
        order.sort_by(|left, right| stable_order(&self.findings[*left]).cmp(&stable_order(&self.findings[*right])));
        let mut targets = vec![0; order.len()];
        for (target, place) in order.into_iter().enumerate() {
            targets[place] = target;
        }
        for place in 0..targets.len() {
            while targets[place] != place {
                let target = targets[place];
                self.findings.swap(place, target);
                self.credentials.swap(place, target);
                targets.swap(place, target);
            }
        }
    }
}

/// The most telling candidate of a secret: the surest, then the most specific, then the first detector by id.
fn best_of<'registry>(hits: &[Hit], registry: &'registry Registry) -> (Candidate, &'registry Detector) {
    let mut best: Option<&Candidate> = None;
    for hit in hits {
        let rank = |candidate: &Candidate| (candidate.rank(), std::cmp::Reverse(candidate.detector));
        if best.is_none_or(|known| rank(known) < rank(&hit.candidate)) {
            best = Some(&hit.candidate);
        }
    }
    let mut best = best.expect("a group has at least one hit").clone();
    for hit in hits {
        best.rivals.extend(hit.candidate.rivals.iter().copied().chain([hit.candidate.detector]));
    }
    best.rivals.sort_unstable();
    best.rivals.dedup();
    let detector = registry.detector(best.detector);
    (best, detector)
}

/// Joins what stood near a secret at all its places.
fn credential(secret: &Secret, hits: &[Hit]) -> FoundCredential {
    let mut credential = FoundCredential::alone(secret.clone());
    for hit in hits {
        for companion in &hit.companions {
            let same =
                |known: &&mut FoundCompanion| known.detector == companion.detector && known.secret == companion.secret;
            match credential.companions.iter_mut().find(same) {
                Some(known) => known.distance = known.distance.min(companion.distance),
                None => credential.companions.push(companion.clone()),
            }
        }
        if let Some(near) = &hit.surroundings {
            near::join(&mut credential.surroundings, near);
        }
    }
    let order = |companion: &FoundCompanion| (companion.detector.clone(), companion.distance);
    credential
        .companions
        .sort_by(|left, right| (order(left), left.secret.expose()).cmp(&(order(right), right.secret.expose())));
    credential
}

/// Names the other halves of a finding as the report may: by fingerprint.
fn companion_notes(credential: &FoundCredential, options: &ScanOptions) -> Vec<CompanionNote> {
    let note = |companion: &FoundCompanion| CompanionNote {
        detector: companion.detector.clone(),
        fingerprint: options.key.write(&options.key.fingerprint(companion.secret.expose())),
    };
    credential.companions.iter().map(note).collect()
}

fn finding(
    secret: &Secret,
    best: &Candidate,
    detector: &Detector,
    registry: &Registry,
    options: &ScanOptions,
) -> Finding {
    // A shape that several providers share names none of them unless something near the value does.
    let open = best.shared && best.confidence == Confidence::Low;
    let mut candidates: Vec<String> =
        best.rivals.iter().map(|rival| registry.detector(*rival).provider.clone()).collect();
    candidates.sort();
    candidates.dedup();
    let ai = if open { best.rivals.iter().any(|rival| registry.detector(*rival).ai) } else { detector.ai };
    let fingerprint = options.key.write(&options.key.fingerprint(secret.expose()));
    Finding {
        provider: (!open && !best.generic).then(|| detector.provider.clone()),
        provider_candidates: if open { candidates } else { Vec::new() },
        ai,
        confidence: best.confidence,
        // Asked for on the command line: the one place where a secret goes into a report.
        secret: options.show_secrets.then(|| String::from_utf8_lossy(secret.expose()).into_owned()),
        decoded: best.decoded.iter().map(|step| (*step).to_owned()).collect(),
        ..Finding::of(detector, fingerprint, secret.redacted(best.head))
    }
}

/// Adds the places: one a path for git, told by its first introduction; the rest as they are, without doubles.
fn with_occurrences(mut finding: Finding, hits: Vec<Hit>) -> Finding {
    let mut git: BTreeMap<(String, Option<String>, String), Vec<Hit>> = BTreeMap::new();
    let mut occurrences = Vec::new();
    for hit in hits {
        if hit.occurrence.source == SourceKind::Git && hit.occurrence.blob.is_some() {
            let place = &hit.occurrence;
            git.entry((place.path.clone(), place.path_bytes_b64.clone(), place.target.clone())).or_default().push(hit);
        } else {
            occurrences.push(hit.occurrence);
        }
    }
    let versions: Vec<Occurrence> = git.into_values().map(first_introduction).collect();
    occurrences.retain(|place| !is_told_by_history(place, &versions));
    let staged: Vec<_> = occurrences.iter().filter(|place| place.source == SourceKind::Index).map(same_place).collect();
    let is_file = |place: &Occurrence| !matches!(place.source, SourceKind::Index | SourceKind::Git | SourceKind::Stdin);
    occurrences.retain(|place| !is_file(place) || !staged.contains(&same_place(place)));
    occurrences.extend(versions);
    drop_pieces(&mut occurrences);
    occurrences.sort_by(|left, right| place_order(left).cmp(&place_order(right)));
    occurrences.dedup_by(|later, earlier| place_order(later) == place_order(earlier));
    let dates = || occurrences.iter().filter_map(|place| place.date.as_deref()).filter(|date| *date != "invalid");
    finding.first_seen = dates().min_by_key(|date| instant(date)).map(str::to_owned);
    finding.last_seen = dates().max_by_key(|date| instant(date)).map(str::to_owned);
    occurrences.shrink_to_fit();
    finding.occurrences = occurrences;
    finding
}

/// Drops the places in values that were put together of pieces, where the file itself has one: it is the same.
fn drop_pieces(occurrences: &mut Vec<Occurrence>) {
    let mark = format!("!/{PIECES}");
    let whole: HashSet<(String, String)> =
        occurrences.iter().map(|place| (place.target.clone(), place.path.clone())).collect();
    occurrences.retain(|place| {
        let file = place.path.rfind(&mark).map(|at| place.path[..at].to_owned());
        file.is_none_or(|file| !whole.contains(&(place.target.clone(), file)))
    });
}

/// Joins the versions of one path into the occurrence of the first.
fn first_introduction(mut versions: Vec<Hit>) -> Occurrence {
    versions.sort_by(|left, right| {
        (left.order, &left.occurrence.blob, left.occurrence.start).cmp(&(
            right.order,
            &right.occurrence.blob,
            right.occurrence.start,
        ))
    });
    let in_head = versions.iter().any(|hit| hit.occurrence.in_head == Some(true));
    let mut blobs: Vec<_> = versions.iter().map(|hit| hit.occurrence.blob.clone()).collect();
    blobs.sort();
    blobs.dedup();
    let mut first = versions.swap_remove(0).occurrence;
    first.in_head = Some(in_head);
    first.versions = Some(blobs.len() as u64);
    first
}

/// Whether a file or index entry only repeats what HEAD has at the same path.
fn is_told_by_history(place: &Occurrence, versions: &[Occurrence]) -> bool {
    !matches!(place.source, SourceKind::Git | SourceKind::Stdin)
        && versions.iter().any(|version| {
            version.in_head == Some(true) && version.path == place.path && version.target == place.target
        })
}

/// What a file and the index entry of the same content have in common.
fn same_place(place: &Occurrence) -> (String, String, u64) {
    (place.target.clone(), place.path.clone(), place.start)
}

/// What tells one place from another, in the order in which places are told.
pub(crate) type PlaceOrder<'place> =
    (&'place str, SourceKind, &'place str, u64, Option<&'place str>, Option<&'place str>);

/// Returns what tells one place from another.
pub(crate) fn place_order(place: &Occurrence) -> PlaceOrder<'_> {
    (&place.target, place.source, &place.path, place.start, place.blob.as_deref(), place.commit.as_deref())
}

/// Reads a date of a report; nothing where it is no date.
pub(crate) fn instant(date: &str) -> Option<jiff::Timestamp> {
    date.parse().ok()
}

/// The order of findings: worst first, then by where they occur; it does not depend on the fingerprint's key.
pub(crate) fn stable_order(finding: &Finding) -> impl Ord + '_ {
    let first = finding.occurrences.first().map(place_order);
    (
        std::cmp::Reverse(finding.severity),
        std::cmp::Reverse(finding.confidence),
        first,
        &finding.detector,
        &finding.redacted,
    )
}
