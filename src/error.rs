//! What can go wrong in the library: one variant a cause, each saying what, where and what to do.
//!
//! No variant ever holds bytes of a scanned text. Faults that leave the rest of a scan possible are not errors but
//! [`Problem`]s, which the report lists under `complete: false`.

use std::io;
use std::path::{Path, PathBuf};

use crate::detector::compile::DetectorError;

/// A result of the library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A fault that ends what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file or folder could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A target names nothing.
    #[error("{}: no such file or directory{}", .0.display(), hint_for(.0))]
    NoSuchTarget(PathBuf),
    /// A target is of a kind that cannot be scanned.
    #[error("{}: {reason}", path.display())]
    UnusableTarget {
        /// The target.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// A repository could not be opened or read.
    #[error("{}: {reason}", path.display())]
    Repository {
        /// The repository.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// A revision range names something that the repository lacks.
    #[error("{}: --history {range}: {reason}", path.display())]
    Range {
        /// The repository.
        path: PathBuf,
        /// The range as given.
        range: String,
        /// Which part of it is unknown, and what to do.
        reason: String,
    },
    /// A detector file is at fault.
    #[error(transparent)]
    Detector(#[from] DetectorError),
    /// No detector is left to scan with.
    #[error("no detector is selected: {0}; `credtrace detectors list` names them all")]
    NoDetectors(String),
    /// The anchor engine could not be opened or gave wrong answers in its self-test.
    #[error("engine {engine}: {reason}")]
    Engine {
        /// The engine's name.
        engine: &'static str,
        /// Why, and what to do.
        reason: String,
    },
    /// The fingerprint key is missing or malformed.
    #[error("fingerprint key: {0}")]
    FingerprintKey(String),
    /// The store could not be opened, read or written.
    #[error("{}: {reason}", path.display())]
    Store {
        /// The store's file.
        path: PathBuf,
        /// Why, and what to do.
        reason: String,
    },
    /// A file of the inventory, or what it says, was refused.
    #[error("{subject}: {reason}")]
    Inventory {
        /// The file, or the source that it speaks for.
        subject: String,
        /// Why, and what to do; without any value that could be a secret.
        reason: String,
    },
    /// An option or value is not usable.
    #[error("{0}")]
    Usage(String),
}

/// Says what to do about a target that names something elsewhere.
fn hint_for(target: &Path) -> &'static str {
    let name = target.to_string_lossy();
    match name.contains("://") || name.starts_with("git@") {
        true => "; a scan needs no network: clone it first (git clone --mirror) and name the clone",
        false => "",
    }
}

impl Error {
    /// Wraps what the system said about a path.
    pub fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

/// Something that could not be done while the rest went on; it makes a scan incomplete.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Problem {
    /// The file, object or place at fault.
    pub subject: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Problem {
    /// Names a fault.
    pub fn new(subject: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { subject: subject.into(), reason: reason.into() }
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.subject, self.reason)
    }
}
