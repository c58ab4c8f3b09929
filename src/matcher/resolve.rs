//! Of candidates that overlap, one stands: the most specific. Equal ones of several providers become one without a provider.

use super::candidate::Candidate;
use crate::finding::Confidence;

/// Resolves the candidates of one text: sorts them, joins doubles, drops what a more specific one covers.
pub fn resolve(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by_key(Candidate::order);
    // One secret of one detector found from several names is one candidate: the surest, then the nearest comes first.
    candidates.dedup_by_key(|candidate| (candidate.start, candidate.end, candidate.detector));
    let mut standing: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        admit(&mut standing, candidate);
    }
    standing
}

/// Adds a candidate unless one that stands covers it better; those that it covers better fall.
fn admit(standing: &mut Vec<Candidate>, mut candidate: Candidate) {
    while let Some(last) = standing.last_mut() {
        if last.end <= candidate.start {
            break;
        }
        if same_span(last, &candidate) && is_open(last) && is_open(&candidate) {
            last.rivals.push(candidate.detector);
            last.rivals.append(&mut candidate.rivals);
            last.rivals.sort_unstable();
            last.rivals.dedup();
            return;
        }
        if last.rank() >= candidate.rank() {
            return;
        }
        standing.pop();
    }
    standing.push(candidate);
}

fn same_span(left: &Candidate, right: &Candidate) -> bool {
    left.start == right.start && left.end == right.end && left.detector != right.detector
}

/// Whether nothing says which provider a candidate belongs to.
fn is_open(candidate: &Candidate) -> bool {
    candidate.shared && candidate.confidence == Confidence::Low
}
