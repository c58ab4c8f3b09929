//! Where the program's state lives, and the fingerprint key in it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::secret::FingerprintKey;

/// Returns the folder of the program's state: `$CREDTRACE_HOME`, else the user's data folder.
pub fn folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named("CREDTRACE_HOME")
        .or_else(|| named("XDG_DATA_HOME").map(|data| data.join("credtrace")))
        .or_else(|| named("HOME").map(|home| home.join(".local/share/credtrace")))
}

/// Returns the fingerprint key: of the file that was named, of the environment, of the home, or for this run alone.
pub fn fingerprint_key(file: Option<&Path>) -> Result<FingerprintKey> {
    if let Some(file) = file {
        let text =
            std::fs::read_to_string(file).with_context(|| format!("--fingerprint-key-file {}", file.display()))?;
        return Ok(FingerprintKey::from_hex(&text)?);
    }
    if let Some(value) = std::env::var_os("CREDTRACE_FINGERPRINT_KEY") {
        let Some(text) = value.to_str() else { bail!("CREDTRACE_FINGERPRINT_KEY is not text") };
        return Ok(FingerprintKey::from_hex(text)?);
    }
    match folder() {
        Some(home) => Ok(FingerprintKey::load_or_create(&home.join("fingerprint.key"))?),
        None => Ok(FingerprintKey::ephemeral()?),
    }
}
