//! One repository on disk: where its parts lie, and whether it may be read at all.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, RepositoryOpenFlags};

use super::index::{EntryKind, Index, IndexError};
use super::object::ObjectId;
use super::objects::{Limits, Objects};
use super::refs::Refs;
use super::staged::{LARGEST_INDEX, read_regular};
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
        refuse_pipes(path)?;
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
    pub fn objects(&self, own: Option<&Path>, more: &[PathBuf], limits: Limits) -> Result<Objects> {
        let folder = own.map_or_else(|| self.git.commondir().join("objects"), Path::to_path_buf);
        Objects::open(&folder, more, limits)
    }

    /// Reads its refs.
    ///
    /// # Errors
    /// Where they cannot be read.
    pub fn refs(&self) -> Result<Refs> {
        Refs::read(&self.git)
    }

    /// Reads the blobs that the index names, with their paths. A repository where nothing was ever added has none.
    ///
    /// # Errors
    /// Where the index is there and cannot be read.
    pub fn index_blobs(&self) -> Result<Vec<(Vec<u8>, ObjectId)>> {
        let path = self.git.path().join("index");
        let data = match read_regular(&path, LARGEST_INDEX) {
            Ok(data) => data,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io(&path)(error)),
        };
        match Index::parse(data) {
            Ok(index) => {
                let blobs = index.entries().filter(|entry| entry.kind != EntryKind::Gitlink && !entry.intent_to_add);
                Ok(blobs.map(|entry| (entry.path.to_vec(), entry.id)).collect())
            }
            Err(IndexError::Unsupported(_)) => self.index_blobs_of_libgit2(),
            Err(error) => Err(Error::Repository { path, reason: format!("the index cannot be read: {error}") }),
        }
    }

    /// Reads an index of a rare form.
    fn index_blobs_of_libgit2(&self) -> Result<Vec<(Vec<u8>, ObjectId)>> {
        let index = self.git.index().map_err(|error| Error::Repository {
            path: self.path.clone(),
            reason: format!("the index cannot be read: {}", error.message()),
        })?;
        let is_blob = |entry: &git2::IndexEntry| entry.mode & 0o170_000 != 0o160_000;
        let blobs = index.iter().filter(is_blob);
        Ok(blobs.filter_map(|entry| Some((entry.path, ObjectId::from_bytes(entry.id.as_bytes())?))).collect())
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

/// Refuses a repository in which a pipe or device stands where git has a file: opening it could wait for ever.
fn refuse_pipes(path: &Path) -> Result<()> {
    let folder = if path.join(".git").is_dir() { path.join(".git") } else { path.to_path_buf() };
    for name in ["HEAD", "config", "packed-refs", "commondir", "gitdir", "shallow", "../.git"] {
        let file = folder.join(name);
        let is_odd = std::fs::metadata(&file).is_ok_and(|known| !known.is_file() && !known.is_dir());
        if is_odd {
            let reason = format!("{} is no regular file; a repository has a file there", file.display());
            return Err(Error::Repository { path: path.to_path_buf(), reason });
        }
    }
    Ok(())
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
