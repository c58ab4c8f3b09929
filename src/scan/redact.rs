//! Takes secrets out of what stands round a finding: a path, an author, a line that names a second secret. What reports
//! write of these comes from here, so that no format can let one through.

use std::collections::HashMap;

use aho_corasick::{AhoCorasick, MatchKind};

use super::text::{TextScanner, TextWorker};
use crate::error::Result;
use crate::finding::Finding;
use crate::secret::Secret;

/// A secret shorter than this stands in ordinary words, which would be torn by masking it wherever it occurs.
const SHORTEST: usize = 8;

/// Masks in the places of all findings every secret that was found anywhere, and in paths and authors also what a
/// detector finds there.
///
/// # Errors
/// Where the engine fails; then nothing of the findings may be written.
pub fn redact_places(findings: &mut [Finding], secrets: &[Secret], scanner: &TextScanner<'_>) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let long: Vec<&Secret> = secrets.iter().filter(|secret| secret.expose().len() >= SHORTEST).collect();
    let known = AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostLongest)
        .build(long.iter().map(|secret| secret.expose()))
        .map_err(|error| crate::Error::Usage(format!("too many secrets to mask: {error}")))?;
    let mut mask = Mask { known, worker: scanner.worker()?, seen: HashMap::new() };
    for place in findings.iter_mut().flat_map(|finding| &mut finding.occurrences) {
        place.excerpt = mask.of_known(&place.excerpt);
        let path = mask.of_all(&place.path)?;
        if path != place.path {
            // The bytes of such a path would give the secret away again.
            place.path_bytes_b64 = None;
            place.path = path;
        }
        if let Some(author) = &mut place.author {
            *author = mask.of_all(author)?;
        }
    }
    Ok(())
}

struct Mask<'scanner> {
    known: AhoCorasick,
    worker: TextWorker<'scanner>,
    /// Texts that were masked before; paths and authors recur.
    seen: HashMap<String, String>,
}

impl Mask<'_> {
    fn of_known(&self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut position = 0;
        for found in self.known.find_iter(text.as_bytes()) {
            // A secret may begin inside a character of the text only where it is no text itself.
            masked.push_str(text.get(position..found.start()).unwrap_or_default());
            masked.push('…');
            position = found.end();
        }
        masked.push_str(text.get(position..).unwrap_or_default());
        masked
    }

    fn of_all(&mut self, text: &str) -> Result<String> {
        if let Some(masked) = self.seen.get(text) {
            return Ok(masked.clone());
        }
        let mut masked = self.of_known(text);
        let hits = self.worker.scan(masked.as_bytes())?;
        for located in hits.located.iter().rev() {
            let candidate = &located.candidate;
            if masked.is_char_boundary(candidate.start) && masked.is_char_boundary(candidate.end) {
                masked.replace_range(candidate.start..candidate.end, &candidate.secret.redacted(candidate.head));
            }
        }
        self.seen.insert(text.to_owned(), masked.clone());
        Ok(masked)
    }
}
