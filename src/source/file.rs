//! Opens files without being held up or led astray: no pipe is waited for, no link is followed, nothing but regular files
//! is read. Files are read, not mapped: one that shrinks under a map would end the program.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::Skip;

/// What became of opening a small file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opened {
    /// It is wholly in the buffer.
    Whole,
    /// It is larger than the limit; the buffer holds nothing of use.
    Larger,
    /// It is nothing that is read.
    Skipped(Skip),
}

/// Opens a file for reading; a pipe or a device in its place does not hold the program up.
fn open_at_once(path: &Path, more: OFlags) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | more;
    std::fs::OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)
}

/// Opens a regular file of git's own, through links as git does.
///
/// # Errors
/// What the system says, or [`io::ErrorKind::InvalidInput`] where the path is something else than a regular file.
pub(crate) fn open_of_git(path: &Path) -> io::Result<File> {
    let file = open_at_once(path, OFlags::empty())?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(file)
}

/// Opens a regular file that is scanned; a link or anything else is a reason to skip.
///
/// # Errors
/// What the system said.
pub fn open_scanned(path: &Path) -> io::Result<Result<File, Skip>> {
    let file = match open_at_once(path, OFlags::NOFOLLOW) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Err(Skip::ChangedDuringScan)),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Ok(Err(Skip::Symlink));
        }
        // A socket cannot be opened at all.
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::NXIO.raw_os_error()) => {
            return Ok(Err(Skip::Special));
        }
        Err(error) => return Err(error),
    };
    if file.metadata()?.is_file() { Ok(Ok(file)) } else { Ok(Err(Skip::Special)) }
}

/// Reads a regular file of at most `limit` bytes into a buffer that is used again and again.
///
/// # Errors
/// What the system said.
pub fn read_small(path: &Path, limit: u64, buffer: &mut Vec<u8>) -> io::Result<Opened> {
    buffer.clear();
    let file = match open_scanned(path)? {
        Ok(file) => file,
        Err(skip) => return Ok(Opened::Skipped(skip)),
    };
    let size = file.metadata()?.len();
    if size > limit {
        return Ok(Opened::Larger);
    }
    buffer.reserve(size as usize + 1);
    // The size is what it was a moment ago, and some file systems do not know it: read to the end, by the limit.
    file.take(limit + 1).read_to_end(buffer)?;
    Ok(if buffer.len() as u64 > limit { Opened::Larger } else { Opened::Whole })
}

/// Returns whether a folder looks like the git folder of a work tree or a bare repository.
pub fn is_git_folder(path: &Path) -> bool {
    path.join("HEAD").is_file() && path.join("objects").is_dir() && path.join("refs").is_dir()
}

/// Files and folders, known by device and inode so that no other name of theirs hides them.
#[derive(Debug, Clone, Default)]
pub struct Identities(Vec<(u64, u64)>);

impl Identities {
    /// Looks up the identities of those paths that exist.
    pub fn of(paths: &[PathBuf]) -> Self {
        Self(
            paths
                .iter()
                .filter_map(|path| std::fs::metadata(path).ok())
                .map(|known| (known.dev(), known.ino()))
                .collect(),
        )
    }

    /// Returns whether a path is one of them.
    pub fn contains(&self, path: &Path) -> bool {
        !self.0.is_empty()
            && std::fs::symlink_metadata(path).is_ok_and(|known| self.0.contains(&(known.dev(), known.ino())))
    }
}
