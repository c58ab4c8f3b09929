//! Whether a bundle is as it was made: every file by its hash, and the record of events by its chain.

use std::io::Cursor;

use serde::Deserialize;
use std::collections::BTreeMap;

use super::bundle::{EVENTS, MANIFEST, Manifest, SCHEMA};
use super::check::{self, Known, Verdict};
use crate::error::{Error, Result};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BundleVerdict {
    /// What the record of events shows.
    pub events: Verdict,
    /// What is wrong with the files, each a sentence.
    pub faults: Vec<String>,
    /// BLAKE3 of the manifest, to be kept elsewhere.
    pub manifest: String,
    /// Whether names were replaced, so that only the chain could be checked.
    pub pseudonyms: bool,
}

impl BundleVerdict {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty() && self.events.is_whole()
    }
}

/// Takes a bundle that is one document apart.
///
/// # Errors
/// What is no bundle.
pub fn document(name: &str, bytes: &[u8]) -> Result<BTreeMap<String, Vec<u8>>> {
    #[derive(Deserialize)]
    struct Document {
        schema: String,
        files: BTreeMap<String, String>,
    }
    let fault = |reason: String| Error::Usage(format!("{name}: {reason}"));
    let document: Document = serde_json::from_slice(bytes)
        .map_err(|_| fault("is neither a bundle of evidence nor a record of events".into()))?;
    if document.schema != SCHEMA {
        return Err(fault(format!("is of the form {:?}, this version knows {SCHEMA}", document.schema)));
    }
    Ok(document.files.into_iter().map(|(name, text)| (name, text.into_bytes())).collect())
}

/// Checks a bundle; `head` is the hash of the last event or of the manifest, as someone kept it.
///
/// # Errors
/// A bundle without a manifest that can be read.
pub fn check(name: &str, files: &BTreeMap<String, Vec<u8>>, head: Option<&str>) -> Result<BundleVerdict> {
    let fault = |reason: &str| Error::Usage(format!("{name}: {reason}"));
    let text =
        files.get(MANIFEST).ok_or_else(|| fault("there is no manifest.json, so this is no bundle of evidence"))?;
    let manifest: Manifest =
        serde_json::from_slice(text).map_err(|_| fault("manifest.json is damaged or of another version"))?;
    let hash = blake3::hash(text).to_hex().to_string();
    let mut faults = file_faults(files, &manifest);
    let head = head.map(|head| head.trim().to_ascii_lowercase());
    let is_of_manifest = head.as_deref() == Some(&hash);
    let chain = &manifest.events;
    let known = Known {
        // The hash of the manifest vouches for all that it names.
        head: head.filter(|_| !is_of_manifest),
        begins: (chain.first > 0).then(|| (chain.first, chain.begins.clone())),
        pseudonyms: chain.pseudonyms,
    };
    let events = files.get(EVENTS).map_or(&b""[..], Vec::as_slice);
    let verdict =
        check::check_lines(&mut Cursor::new(events), &known).map_err(|_| fault("events.jsonl cannot be read"))?;
    if verdict.last != chain.last || (chain.first > 0 && verdict.head != chain.head) {
        faults.push("events.jsonl does not end with the event that the manifest names".into());
    }
    Ok(BundleVerdict { events: verdict, faults, manifest: hash, pseudonyms: chain.pseudonyms })
}

fn file_faults(files: &BTreeMap<String, Vec<u8>>, manifest: &Manifest) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, hash) in &manifest.files {
        match files.get(name) {
            None => faults.push(format!("{name} is missing")),
            Some(bytes) if blake3::hash(bytes).to_hex().as_str() != hash => {
                faults.push(format!("{name} was changed: its hash is not the one in the manifest"));
            }
            Some(_) => {}
        }
    }
    let unknown = files.keys().filter(|name| *name != MANIFEST && !manifest.files.contains_key(*name));
    faults.extend(unknown.map(|name| format!("{name} is not named in the manifest")));
    faults
}
