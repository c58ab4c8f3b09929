//! What the next commit adds over HEAD: the blobs of the index that HEAD does not have at the same path.
//!
//! The index decides, never the work tree, and ids are compared, never lines: attributes, encodings, renames and file
//! types can hide nothing. Where the index's cache of tree ids says that a directory is as in HEAD, nothing of that
//! directory is read, so that the cost is that of the index file and of the changed directories. An index of a form that
//! [`super::index`] leaves to git is listed by a git command whose configuration is shut off.
//!
//! Nothing here looks for credentials, and nothing reads the environment: what a hook inherits from git is passed in as
//! [`StagedEnvironment`].

mod ask_git;
mod compare;
mod objects;
#[cfg(test)]
mod tests;

use std::ffi::OsStr;
use std::fmt::Display;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Repository, RepositoryOpenFlags};

use self::objects::Tree;
use super::index::{Index, IndexError};
use super::object::{ObjectId, ObjectKind, Unread};
use super::objects::{Limits, Objects};
use crate::error::{Error, Result};
use crate::source::file;

/// The largest index that is read, in bytes: more than the positions in it can say.
pub(super) const LARGEST_INDEX: u64 = 4 << 30;
/// The largest MERGE_HEAD, in bytes: a thousand parents.
const LARGEST_MERGE_HEAD: u64 = 41_000;

/// What git tells a hook through its environment, and where git is. Relative paths are as git hands them to a hook.
#[derive(Debug, Clone, Default)]
pub struct StagedEnvironment {
    /// `GIT_INDEX_FILE`: the index that git will commit, which `commit -a` and `commit PATH` keep in a file of their
    /// own. Relative to the root of the work tree.
    pub index_file: Option<PathBuf>,
    /// `GIT_OBJECT_DIRECTORY`: where new objects are, for one thing in quarantine. Relative to the start folder.
    pub object_directory: Option<PathBuf>,
    /// `GIT_ALTERNATE_OBJECT_DIRECTORIES`, split. Relative to the start folder.
    pub alternate_object_directories: Vec<PathBuf>,
    /// `GIT_DIR`. Relative to the start folder.
    pub git_dir: Option<PathBuf>,
    /// `GIT_WORK_TREE`. Relative to the start folder.
    pub work_tree: Option<PathBuf>,
    /// The git program, by its absolute path, for an index that only git can read. Without it such an index is an error.
    pub git_program: Option<PathBuf>,
}

/// A blob that the next commit has at a path where HEAD has another or none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StagedBlob {
    /// The path from the root of the work tree, in bytes, with `/` between its parts.
    pub path: Vec<u8>,
    /// The blob. For a symbolic link its content is the target.
    pub id: ObjectId,
    /// The mode as git stores it, such as `0o100644`.
    pub mode: u32,
    /// The blobs that HEAD and each merge parent have at this path, HEAD's first, each once. In a merge it may hold `id`
    /// itself: then another parent has this very content.
    pub before: Vec<ObjectId>,
}

/// A repository with an index that is about to be committed.
pub struct StagedRepository {
    repository: Repository,
    /// Absolute.
    work_tree: PathBuf,
    /// Absolute.
    index_file: PathBuf,
    /// Whether the environment named the index, which then must exist.
    index_is_named: bool,
    /// The repository's own stores and those that the environment names. An object is named by its content, so it does no
    /// harm that the repository's own stay among them in a quarantine.
    objects: Objects,
    /// What the environment names, absolute, for a git that is asked.
    object_directory: Option<PathBuf>,
    alternates: Vec<PathBuf>,
    git_program: Option<PathBuf>,
}

impl std::fmt::Debug for StagedRepository {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut fields = formatter.debug_struct("StagedRepository");
        fields.field("git_dir", &self.git_dir()).field("work_tree", &self.work_tree);
        fields.field("index_file", &self.index_file).finish_non_exhaustive()
    }
}

impl StagedRepository {
    /// Opens the repository that `start`, a folder of its work tree, belongs to, or the one that the environment names.
    ///
    /// # Errors
    ///
    /// [`Error::Repository`] where there is none, where it is bare, where it belongs to someone else, or where it has a
    /// form that cannot be read; [`Error::Io`] where `start` is relative and the current folder is gone, or where there
    /// is no folder of objects.
    pub fn open(start: &Path, environment: StagedEnvironment) -> Result<Self> {
        let start = std::path::absolute(start).map_err(Error::io(start))?;
        let repository = match &environment.git_dir {
            Some(git_dir) => open_at(&start.join(git_dir), RepositoryOpenFlags::NO_SEARCH)?,
            None => open_at(&start, RepositoryOpenFlags::empty())?,
        };
        let work_tree = work_tree(&repository, &start, &environment)?;
        let index_file = match &environment.index_file {
            Some(file) => work_tree.join(file),
            None => repository.path().join("index"),
        };
        let object_directory = environment.object_directory.map(|folder| start.join(folder));
        let alternates: Vec<PathBuf> =
            environment.alternate_object_directories.iter().map(|folder| start.join(folder)).collect();
        let more: Vec<PathBuf> = object_directory.iter().chain(&alternates).cloned().collect();
        Ok(Self {
            objects: Objects::open(&repository.commondir().join("objects"), &more, Limits::default())?,
            object_directory,
            alternates,
            work_tree,
            index_file,
            index_is_named: environment.index_file.is_some(),
            git_program: environment.git_program,
            repository,
        })
    }

    /// Returns the root of the work tree, as an absolute path.
    pub fn work_tree(&self) -> &Path {
        &self.work_tree
    }

    /// Returns the folder with this work tree's HEAD: `.git`, or for a linked work tree a folder inside one.
    pub fn git_dir(&self) -> &Path {
        self.repository.path()
    }

    /// Returns the file of the index, as an absolute path.
    pub fn index_file(&self) -> &Path {
        &self.index_file
    }

    /// Reads a blob of at most `largest` bytes. The size is known before anything is unpacked.
    ///
    /// # Errors
    ///
    /// Says why it was not read: too large, or missing, damaged or no blob.
    pub fn read_blob(&self, id: ObjectId, largest: u64) -> Result<Vec<u8>, Unread> {
        self.object(id, ObjectKind::Blob, largest)
    }

    /// Returns the index, or nothing where only git can read it.
    fn index(&self) -> Result<Result<Index, &'static str>> {
        let data = match read_regular(&self.index_file, LARGEST_INDEX) {
            Ok(data) => data,
            // A repository where nothing was ever added has no index. One that git named exists.
            Err(error) if error.kind() == ErrorKind::NotFound && !self.index_is_named => return Ok(Ok(Index::empty())),
            Err(error) => return Err(Error::io(&self.index_file)(error)),
        };
        match Index::parse(data) {
            Ok(index) => Ok(Ok(index)),
            Err(IndexError::Unsupported(form)) => Ok(Err(form)),
            Err(error) => Err(Error::Repository { path: self.index_file.clone(), reason: error.to_string() }),
        }
    }

    /// Returns the trees that the commit comes after: HEAD's, nothing where there is no commit yet, then those of the
    /// other parents of a merge.
    fn trees_before(&self) -> Result<Vec<Option<Tree>>> {
        let mut trees = vec![match self.repository.head() {
            Ok(head) => {
                let commit = head.target().and_then(|commit| ObjectId::from_bytes(commit.as_bytes()));
                Some(self.tree_of_commit(commit.ok_or_else(|| self.failure("HEAD names no commit"))?)?)
            }
            Err(error) if error.code() == ErrorCode::UnbornBranch => None,
            Err(error) => return Err(self.failure(error)),
        }];
        for parent in self.merge_parents()? {
            trees.push(Some(self.tree_of_commit(parent)?));
        }
        Ok(trees)
    }

    /// Reads MERGE_HEAD, which exists while a merge is in progress: one id a line.
    fn merge_parents(&self) -> Result<Vec<ObjectId>> {
        let file = self.git_dir().join("MERGE_HEAD");
        let text = match read_regular(&file, LARGEST_MERGE_HEAD) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(Error::io(file)(error)),
        };
        let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
        let parents: Option<Vec<ObjectId>> = lines.map(|line| ObjectId::from_hex(line.trim_ascii_end())).collect();
        parents.ok_or_else(|| Error::Repository { path: file, reason: "it is not a list of commit ids".to_owned() })
    }

    fn failure(&self, reason: impl Display) -> Error {
        Error::Repository { path: self.work_tree.clone(), reason: reason.to_string() }
    }
}

/// Returns what the index has that HEAD does not have at the same path, in the order of paths: added, changed and retyped
/// files and symbolic links, and the sides of a conflict. Deletions, submodules, changes of the executable bit alone, and
/// files announced with `git add -N` are no content. Without a HEAD everything is new; nothing staged is an empty list.
///
/// # Errors
///
/// [`Error::Io`] and [`Error::Repository`] where the index, HEAD, a parent of a merge in progress or a tree cannot be
/// read. Never a part of the list.
pub fn staged(repository: &StagedRepository) -> Result<Vec<StagedBlob>> {
    let trees = repository.trees_before()?;
    match repository.index()? {
        Ok(index) => compare::with_index(repository, &index, trees),
        Err(form) => compare::with_listing(repository, &ask_git::list(repository, form)?, &trees),
    }
}

/// Reads a file of at most `largest` bytes. What is no regular file, and may never end, is not opened.
pub(super) fn read_regular(path: &Path, largest: u64) -> std::io::Result<Vec<u8>> {
    let file = file::open_of_git(path)?;
    if file.metadata()?.len() > largest {
        return Err(std::io::Error::new(ErrorKind::FileTooLarge, format!("it is larger than {largest} bytes")));
    }
    let mut data = Vec::new();
    file.take(largest).read_to_end(&mut data)?;
    Ok(data)
}

fn open_at(path: &Path, flags: RepositoryOpenFlags) -> Result<Repository> {
    Repository::open_ext(path, flags, &[] as &[&OsStr]).map_err(|error| {
        let reason = match error.code() {
            ErrorCode::NotFound => "neither this folder nor one above it is a git repository".to_owned(),
            ErrorCode::Owner => format!(
                "the repository belongs to another user ({}); if you trust it: git config --global --add safe.directory \
                 FOLDER",
                error.message()
            ),
            _ => error.message().to_owned(),
        };
        Error::Repository { path: path.to_owned(), reason }
    })
}

/// Finds the root of the work tree as git does: what the environment or the configuration says; next to a git folder
/// that the environment names, the start folder; else the folder that holds `.git`.
fn work_tree(repository: &Repository, start: &Path, environment: &StagedEnvironment) -> Result<PathBuf> {
    if let Some(work_tree) = &environment.work_tree {
        return Ok(start.join(work_tree));
    }
    let Some(found) = repository.workdir().filter(|_| !repository.is_bare()) else {
        let reason = "a bare repository has no work tree and no index, so nothing can be staged in it".to_owned();
        return Err(Error::Repository { path: repository.path().to_owned(), reason });
    };
    let configured = || repository.config().is_ok_and(|config| config.get_path("core.worktree").is_ok());
    if environment.git_dir.is_some() && !configured() {
        return Ok(start.to_owned());
    }
    Ok(found.to_owned())
}
