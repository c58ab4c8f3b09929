//! What a scan is asked to do, free of any command line.

use std::path::{Path, PathBuf};

use super::records::TextKind;
use crate::finding::Confidence;
use crate::matcher::engine::EngineChoice;
use crate::secret::FingerprintKey;
use crate::source::git::staged::StagedEnvironment;

/// How much of a repository's history is scanned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum History {
    /// Every object, the index and the work tree.
    #[default]
    All,
    /// The index and the work tree alone.
    None,
    /// What a range of commits introduces, as git writes it; nothing else.
    Range(String),
}

/// What a scan is asked to do.
#[derive(Debug, Clone)]
pub struct ScanOptions {
    /// Files, folders and repositories; `-` is standard input.
    pub targets: Vec<PathBuf>,
    /// What sort of text the targets are, where a person says so; else each record tells where it is surely one.
    pub kind: Option<TextKind>,
    /// Folders and files whose text is of a sort, whatever it looks like; the longest path counts.
    pub kinds_below: Vec<(PathBuf, TextKind)>,
    /// How much of a repository's history is scanned.
    pub history: History,
    /// Only what the index adds over HEAD.
    pub staged: bool,
    /// Only the files of a work tree.
    pub worktree_only: bool,
    /// Also the files that `.gitignore` names.
    pub include_ignored: bool,
    /// Targets of which nothing is left out because a `.gitignore` names it, whatever repository they lie in.
    pub never_ignored: Vec<PathBuf>,
    /// The least confidence that is reported.
    pub min_confidence: Confidence,
    /// Whether findings hold the secret itself.
    pub show_secrets: bool,
    /// Whether to gather what stands near each credential, for those who ask the provider or the inventory about it.
    pub gather: bool,
    /// Whether to say why candidates were kept and dropped.
    pub explain: bool,
    /// Whether skips by a limit make the scan incomplete.
    pub strict: bool,
    /// Whether large files are mapped instead of read; one that shrinks meanwhile then ends the program.
    pub map_files: bool,
    /// How many threads; zero is one a processor.
    pub threads: usize,
    /// Which engine.
    pub engine: EngineChoice,
    /// Whether a version of a file takes over what was found in the version that it is stored as a delta against.
    pub delta: bool,
    /// The largest git object that is scanned, in bytes; files of any size are.
    pub max_object_bytes: u64,
    /// How much memory the walk of a history keeps to, in bytes, beside mapped packs. Objects that the threads hold on
    /// their way share half of it; what has no room is made again.
    pub memory_bytes: u64,
    /// Folders and files that are never scanned: the program's own state and the report being written.
    pub never: Vec<PathBuf>,
    /// Environment that git sets for its hooks.
    pub git_environment: StagedEnvironment,
    /// The key of fingerprints.
    pub key: FingerprintKey,
}

impl ScanOptions {
    /// Returns what `credtrace scan` does when nothing but targets is named: everything that is there, medium confidence
    /// and up, no secret in the report.
    pub fn new(targets: Vec<PathBuf>, key: FingerprintKey) -> Self {
        Self {
            delta: true,
            map_files: false,
            targets,
            kind: None,
            kinds_below: Vec::new(),
            history: History::All,
            staged: false,
            worktree_only: false,
            include_ignored: false,
            never_ignored: Vec::new(),
            min_confidence: Confidence::Medium,
            show_secrets: false,
            gather: false,
            explain: false,
            strict: false,
            threads: 0,
            engine: EngineChoice::Fastest,
            max_object_bytes: 128 << 20,
            memory_bytes: 512 << 20,
            never: Vec::new(),
            git_environment: StagedEnvironment::default(),
            key,
        }
    }
    /// Returns what sort of text a file is, where that was said.
    pub fn kind_of(&self, path: &Path) -> Option<TextKind> {
        let below = self.kinds_below.iter().filter(|(folder, _)| path.starts_with(folder));
        self.kind.or_else(|| below.max_by_key(|(folder, _)| folder.as_os_str().len()).map(|(_, kind)| *kind))
    }
}
