//! What a person accepted at the hook: fingerprints with reasons, in a file of this clone that is never committed.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::source::git::staged::StagedRepository;

/// The file's name in the git folder.
const NAME: &str = "credtrace-accepted";

/// Returns where this clone keeps what was accepted.
pub fn path(repository: &StagedRepository) -> PathBuf {
    repository.git_dir().join(NAME)
}

/// Reads the accepted fingerprints; a file that is not there holds none.
///
/// # Errors
/// A file that is there and cannot be read.
pub fn read(path: &Path) -> Result<HashSet<String>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(HashSet::new()),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    Ok(lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect())
}

/// Adds a fingerprint with the reason why it is accepted.
///
/// # Errors
/// Text that is no fingerprint, an empty reason, or a file that cannot be written.
pub fn add(path: &Path, fingerprint: &str, reason: &str) -> Result<()> {
    if !is_fingerprint(fingerprint) {
        bail!("{fingerprint:?} is no fingerprint; copy it from what the hook printed (b3k1:k1-...:...)");
    }
    let reason = reason.trim();
    if reason.is_empty() {
        bail!("--reason must say why the credential may be committed");
    }
    let line = format!("{fingerprint} {}\n", reason.replace(['\n', '\r'], " "));
    let mut file =
        std::fs::OpenOptions::new().create(true).append(true).open(path).with_context(|| path.display().to_string())?;
    file.write_all(line.as_bytes()).with_context(|| path.display().to_string())
}

fn is_fingerprint(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    matches!(parts[..], ["b3k1", key, digits]
        if key.starts_with("k1-") && digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_is_read_again_and_nonsense_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join(NAME);
        let fingerprint = format!("b3k1:k1-00aa11bb:{}", "0f".repeat(16));
        assert!(read(&file).expect("no file").is_empty());
        add(&file, &fingerprint, "test data\nof ours").expect("accepted");
        assert!(read(&file).expect("a file").contains(&fingerprint));
        for nonsense in ["", "b3k1", "b3k1:k1-1:zz", "sha256:k1-1:00"] {
            assert!(add(&file, nonsense, "x").is_err(), "{nonsense}");
        }
        assert!(add(&file, &fingerprint, " ").is_err());
    }
}
