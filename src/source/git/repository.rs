//! One repository on disk: where its parts lie, and whether it may be read at all.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, RepositoryOpenFlags};

use super::objects::{Limits, Objects};
use super::refs::Refs;
use crate::error::{Error, Result};

/// A repository that was opened with git's own checks of ownership.
pub struct Repository {
    git: git2::Repository,
    path: PathBuf,
    work_tree: Option<PathBuf>,
}

impl Repository {
    /// Opens the repository whose top folder, git folder or bare folder this is; `None` where it is none of those.
    ///
    /// # Errors
    /// A repository that belongs to someone else or has a form that cannot be read.
    pub fn open(path: &Path) -> Result<Option<Self>> {
        if !path.join(".git").exists() && !crate::source::file::is_git_folder(path) {
            return Ok(None);
        }
        let none: [&Path; 0] = [];
        let git = git2::Repository::open_ext(path, RepositoryOpenFlags::NO_SEARCH, none)
            .map_err(|error| Error::Repository { path: path.to_path_buf(), reason: explanation(path, &error) })?;
        let same = |work_tree: &Path| match (work_tree.canonicalize(), path.canonicalize()) {
            (Ok(left), Ok(right)) => left == right,
            _ => false,
        };
        let work_tree = git.workdir().filter(|work_tree| same(work_tree)).map(|_| path.to_path_buf());
        Ok(Some(Self { git, path: path.to_path_buf(), work_tree }))
    }

    /// Returns the work tree, where this is the top folder of one.
    pub fn work_tree(&self) -> Option<&Path> {
        self.work_tree.as_deref()
    }

    /// Returns the path by which it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns libgit2's view of it.
    pub fn git(&self) -> &git2::Repository {
        &self.git
    }

    /// Opens its object stores; `own` is in place of its object folder and `more` beside it.
    ///
    /// # Errors
    /// Where they are in a form that cannot be read.
    pub fn objects(&self, own: Option<&Path>, more: &[PathBuf], max_object_bytes: u64) -> Result<Objects> {
        let folder = own.map_or_else(|| self.git.commondir().join("objects"), Path::to_path_buf);
        Objects::open(&folder, more, Limits { max_object_bytes, ..Limits::default() })
    }

    /// Reads its refs.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn refs(&self) -> Result<Refs> {
        Refs::read(&self.git)
    }

    /// Returns whether history was cut off when it was cloned.
    pub fn is_shallow(&self) -> bool {
        self.git.is_shallow()
    }

    /// Returns whether it was cloned with a filter, so that some objects were left at the place it was cloned from.
    pub fn is_partial(&self) -> bool {
        let Ok(config) = self.git.config() else { return false };
        config.entries(Some(r"remote\..*\.partialclonefilter")).is_ok_and(|mut entries| entries.next().is_some())
    }
}

/// Returns the top folder of the work tree that a path lies in.
pub fn enclosing_work_tree(path: &Path) -> Option<PathBuf> {
    let absolute = path.canonicalize().ok()?;
    absolute.ancestors().skip(1).find(|above| above.join(".git").exists()).map(Path::to_path_buf)
}

fn explanation(path: &Path, error: &git2::Error) -> String {
    if error.code() == ErrorCode::Owner {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        return format!(
            "belongs to another user, so git does not trust it; if you do, run: git config --global --add safe.directory {}",
            path.display()
        );
    }
    format!("cannot be opened as a git repository: {}", error.message())
}
