//! Where the program's state lives, and the fingerprint key in it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::secret::FingerprintKey;
use crate::store::Store;

/// Returns the folder of the program's state: `$CREDTRACE_HOME`, else the user's data folder.
pub fn folder() -> Option<PathBuf> {
    let named = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    named("CREDTRACE_HOME")
        .or_else(|| named("XDG_DATA_HOME").map(|data| data.join("credtrace")))
        .or_else(|| named("HOME").map(|home| home.join(".local/share/credtrace")))
}

/// Whether the environment names the fingerprint key, so that this machine is not the only one that has it.
pub fn key_is_given() -> bool {
    std::env::var_os("CREDTRACE_FINGERPRINT_KEY").is_some()
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

/// Returns where the store is: the file that was named, else `inventory.db` in the home.
///
/// # Errors
/// Where there is no home and no file was named.
pub fn store_path(named: Option<&Path>) -> Result<PathBuf> {
    match (named, folder()) {
        (Some(named), _) => Ok(named.to_path_buf()),
        (None, Some(home)) => Ok(home.join("inventory.db")),
        (None, None) => bail!("there is no home for the inventory; set CREDTRACE_HOME or name a file with --inventory"),
    }
}

/// Opens the store for questions: the file that was named must be there, the one in the home may be missing.
///
/// # Errors
/// A store that is missing where it was named, or cannot be opened.
pub fn store_for_questions(named: Option<&Path>) -> Result<Option<Store>> {
    let path = store_path(named)?;
    if named.is_none() && !path.exists() {
        return Ok(None);
    }
    Ok(Some(Store::open(&path)?))
}

/// Opens the store for changes, and makes it where there is none.
///
/// # Errors
/// A store that cannot be opened or made.
pub fn store_for_changes(named: Option<&Path>) -> Result<Store> {
    Ok(Store::open_or_create(&store_path(named)?)?)
}

/// Says that there is no inventory yet, and what to do.
pub fn no_inventory() -> &'static str {
    "there is no inventory yet; `credtrace inventory import` makes one (`credtrace inventory template` prints one to begin with), \
     and --inventory names another"
}
