//! Takes secrets out of what a report tells beside them: a key can stand in an author's name or in the name of a file.
//!
//! Lines of text are masked where they are cut out (`excerpt`); this is about names, which are known only once all hits
//! are together.

use aho_corasick::{AhoCorasick, MatchKind};

use crate::finding::Finding;

/// Shorter secrets are left in names: a password such as `admin` would make half of all paths unreadable.
const SHORTEST: usize = 16;

/// A secret and what is shown in its place.
pub(crate) type Masked = (Vec<u8>, String);

/// Replaces every secret in the paths and authors of findings by its redacted form.
pub(crate) fn names(findings: &mut [Finding], secrets: &[Masked]) {
    let secrets: Vec<&Masked> = secrets.iter().filter(|(secret, _)| secret.len() >= SHORTEST).collect();
    let built =
        AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(secrets.iter().map(|known| &known.0));
    // Without secrets there is nothing to look for, and more than the automaton can hold no report can hold either.
    let Ok(automaton) = built else { return };
    let mask = |text: &str| {
        automaton.is_match(text).then(|| {
            let mut shown = String::with_capacity(text.len());
            automaton.replace_all_with(text, &mut shown, |found, _, shown| {
                shown.push_str(&secrets[found.pattern().as_usize()].1);
                true
            });
            shown
        })
    };
    for place in findings.iter_mut().flat_map(|finding| &mut finding.occurrences) {
        if let Some(path) = mask(&place.path) {
            place.path = path;
            place.path_bytes_b64 = None;
        }
        if let Some(author) = place.author.as_deref().and_then(mask) {
            place.author = Some(author);
        }
    }
}
