//! Takes secrets out of what stands round a finding: a target, a path, an author, a ticket, a line that names a second
//! secret. What reports write of these comes from here, so that no format can let one through.

use std::collections::HashMap;

use super::mask::{Mask, Masked, SHORTEST_IN_LINES, SHORTEST_IN_NAMES};
use super::text::{TextScanner, TextWorker};
use crate::error::Result;
use crate::finding::Finding;

/// Masks in the places of all findings every secret that was found anywhere, and in targets, paths and authors also what
/// a detector finds there.
///
/// # Errors
/// Where the engine fails; then nothing of the findings may be written.
pub(crate) fn redact_places(findings: &mut [Finding], secrets: &[Masked], scanner: &TextScanner<'_>) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let lines = Mask::new(secrets.iter(), SHORTEST_IN_LINES);
    let known = Mask::new(secrets.iter(), SHORTEST_IN_NAMES);
    let mut names = Names { known, worker: scanner.worker()?, seen: HashMap::new() };
    for place in findings.iter_mut().flat_map(|finding| &mut finding.occurrences) {
        if let Some(excerpt) = lines.as_ref().and_then(|mask| mask.apply(&place.excerpt)) {
            place.excerpt = excerpt;
        }
        let path = names.masked(&place.path)?;
        if path != place.path {
            // The bytes of such a path would give the secret away again.
            place.path_bytes_b64 = None;
            place.path = path;
        }
        // A folder may be called after a key, and a target may be an address with a password.
        place.target = names.masked(&place.target)?;
        let context = place.context.iter_mut().flat_map(|context| [&mut context.ticket, &mut context.by]);
        for name in context.chain([&mut place.author]).flatten() {
            *name = names.masked(name)?;
        }
    }
    Ok(())
}

/// Masks targets, paths and authors.
struct Names<'scanner> {
    known: Option<Mask<'scanner>>,
    worker: TextWorker<'scanner>,
    /// What was masked before; they recur.
    seen: HashMap<String, String>,
}

impl Names<'_> {
    fn masked(&mut self, name: &str) -> Result<String> {
        if let Some(masked) = self.seen.get(name) {
            return Ok(masked.clone());
        }
        let known = self.known.as_ref().and_then(|known| known.apply(name));
        let mut masked = known.unwrap_or_else(|| name.to_owned());
        let hits = self.worker.scan(masked.as_bytes())?;
        for located in hits.located.iter().rev() {
            let candidate = &located.candidate;
            if masked.is_char_boundary(candidate.start) && masked.is_char_boundary(candidate.end) {
                masked.replace_range(candidate.start..candidate.end, &candidate.secret.redacted(candidate.head));
            }
        }
        self.seen.insert(name.to_owned(), masked.clone());
        Ok(masked)
    }
}
