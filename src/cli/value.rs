//! What a value is that a person gave alone, without the text that it was found in.

use anyhow::Result;
use zeroize::Zeroizing;

use crate::detector::registry::Registry;
use crate::matcher::Candidate;
use crate::matcher::engine::{EngineChoice, Workload};
use crate::scan::text::TextScanner;
use crate::secret::Secret;

/// Finds the credentials in a value, as a scan does in a file that holds nothing else; behind a name where one is given.
/// Places are counted from the value's first byte, and what begins before it is none of it.
///
/// # Errors
/// Where the engine fails.
pub fn credentials_in(value: &Secret, name: &str, registry: &Registry) -> Result<Vec<Candidate>> {
    let before = if name.is_empty() { String::new() } else { format!("{name}=") };
    let text = Zeroizing::new([before.as_bytes(), value.expose(), b"\n"].concat());
    let scanner = TextScanner::new(registry, EngineChoice::Pure, Workload::Small, false)?;
    let found = scanner.worker()?.scan(&text)?.located.into_iter().map(|located| located.candidate);
    let inside = found.filter(|found| found.start >= before.len());
    let counted =
        |found: Candidate| Candidate { start: found.start - before.len(), end: found.end - before.len(), ..found };
    Ok(inside.map(counted).collect())
}
