//! Turns detector files (TOML) into the tables that a scan runs on.
//!
//! This tree is compiled twice: into the library, for `--detectors DIR` and `detectors check`, and into `build.rs`, which
//! runs it over `detectors/` so that a broken detector is a build error and a scan starts with ready tables. It therefore
//! uses nothing of the crate outside this folder. It does not match text: that is [`crate::matcher`].

pub mod byteset;
mod checks;
pub mod forms;
pub mod gate;
pub mod rule;
pub mod schema;
pub mod shape;
pub mod template;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use byteset::ByteSet;
pub use gate::Gate;
pub use rule::{Anchor, Encoding, Place, Rule};
pub use schema::{Confidence, Detector, Kind, Privilege, ProviderFile, Severity};

/// A fault in a detector file: which file, where in it, and what to change.
#[derive(Debug, thiserror::Error)]
#[error("{}{}: {reason}", file.display(), line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct DetectorError {
    /// The file at fault.
    pub file: PathBuf,
    /// The line at fault, counted from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub reason: String,
}

/// One detector file as text: where it came from and what it says.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The path named in errors.
    pub path: PathBuf,
    /// The TOML text.
    pub text: String,
}

/// A set of detectors, ready to match: what `build.rs` writes and a scan reads.
///
/// `facts` is kept apart from the rules because a scan needs a fact (how to verify, where to revoke) only for what it finds.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CompiledSet {
    /// What stands in the files, one entry a detector, with its provider's facts filled in.
    pub detectors: Vec<Detector>,
    /// What matching runs on; several rules may belong to one detector.
    pub rules: Vec<Rule>,
    /// The literals that both engines look for, without doubles.
    pub anchors: Vec<Anchor>,
}

/// Compiles detector files into one set. Order of files does not matter: detectors are sorted by id.
///
/// # Errors
/// The first fault found: text that is no TOML of the schema, a duplicate id, a shape or pattern that does not parse or
/// is too large, or a detector without an anchor. No partial set is ever returned.
pub fn compile(files: &[SourceFile]) -> Result<CompiledSet, DetectorError> {
    let mut located = Vec::new();
    for file in files {
        for (detector, line) in schema::parse(file)? {
            located.push((detector, file, line));
        }
    }
    located.sort_by(|left, right| left.0.id.cmp(&right.0.id));
    refuse_duplicates(&located)?;
    let mut set = CompiledSet::default();
    let mut anchors: BTreeMap<(Vec<u8>, bool), Vec<u16>> = BTreeMap::new();
    for (index, (detector, file, line)) in located.into_iter().enumerate() {
        let fault = |reason: String| DetectorError {
            file: file.path.clone(),
            line,
            reason: format!("{}: {reason}", detector.id),
        };
        let number = u16::try_from(index).map_err(|_| fault("more than 65,535 detectors".into()))?;
        for (rule, literals) in rule::rules_of(&detector, number).map_err(fault)? {
            let rule_number = u16::try_from(set.rules.len()).map_err(|_| fault("more than 65,535 rules".into()))?;
            for literal in literals {
                anchors.entry((literal.bytes, literal.caseless)).or_default().push(rule_number);
            }
            set.rules.push(rule);
        }
        set.detectors.push(detector);
    }
    set.anchors = forms::written_forms(&anchors);
    Ok(set)
}

fn refuse_duplicates(located: &[(Detector, &SourceFile, Option<usize>)]) -> Result<(), DetectorError> {
    for pair in located.windows(2) {
        if pair[0].0.id == pair[1].0.id {
            return Err(DetectorError {
                file: pair[1].1.path.clone(),
                line: pair[1].2,
                reason: format!(
                    "detector id {:?} is already declared in {}; give this one another id",
                    pair[1].0.id,
                    pair[0].1.path.display()
                ),
            });
        }
    }
    Ok(())
}
