//! Puts a text in the place of a file: whole or not at all, with the mode and the owner of the file, and only where the
//! file is still what was read.
//!
//! A symbolic link is refused, and so is a file with several names: replacing would cut the one and leave the credentials
//! under the other names. Neither a pipe nor a device holds the program up.

use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use tempfile::NamedTempFile;

use super::original_of;
use crate::source::Skip;
use crate::source::file::open_scanned;

/// A file that is about to be replaced.
pub(super) struct Source {
    path: PathBuf,
    /// Where the original goes, if it is kept.
    original: Option<PathBuf>,
    file: File,
    known: Metadata,
}

impl Source {
    /// Opens a file.
    ///
    /// # Errors
    /// What is no regular file or has another name, and an original of an earlier run.
    pub(super) fn open(path: &Path, keep_original: bool) -> Result<Self> {
        if std::fs::symlink_metadata(path)?.is_dir() {
            bail!("is a folder; name its files");
        }
        let file = match open_scanned(path)? {
            Ok(file) => file,
            Err(Skip::Symlink) => bail!("is a symbolic link; name the file that it leads to"),
            Err(_) => bail!("is no regular file"),
        };
        let known = file.metadata()?;
        if known.nlink() > 1 {
            bail!(
                "has {} names (hard links), and under the others the credentials would stay; copy it first",
                known.nlink()
            );
        }
        let original = keep_original.then(|| original_of(path)).transpose()?;
        if let Some(original) = original.as_ref().filter(|original| std::fs::symlink_metadata(original).is_ok()) {
            bail!("{} is there already, from an earlier run; move it away, or use --in-place", original.display());
        }
        Ok(Self { path: path.to_owned(), original, file, known })
    }

    /// Reads the file, up to a limit.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn read(&self, limit: u64) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        (&self.file).take(limit).read_to_end(&mut text)?;
        Ok(text)
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// A folder that cannot be written, an owner that cannot be kept, a file that changed meanwhile. The file is then what
    /// it was, and there is no original beside it.
    pub(super) fn replace(self, text: &[u8]) -> Result<()> {
        let new = self.like_it(|file| file.write_all(text)).context("cannot be replaced, so it is unchanged")?;
        self.check_unchanged()?;
        if let Some(original) = &self.original {
            self.keep(original)?;
        }
        if let Err(error) = new.persist(&self.path) {
            if let Some(original) = &self.original {
                let _ = std::fs::remove_file(original);
            }
            return Err(error.error).context("cannot be replaced, so it is unchanged");
        }
        if let Ok(folder) = File::open(self.folder()) {
            let _ = folder.sync_all();
        }
        Ok(())
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Makes a file beside it, with its mode and owner.
    fn like_it(&self, write: impl FnOnce(&mut File) -> std::io::Result<()>) -> std::io::Result<NamedTempFile> {
        let mut new = tempfile::Builder::new().prefix(".credtrace-").suffix(".tmp").tempfile_in(self.folder())?;
        write(new.as_file_mut())?;
        let made = new.as_file().metadata()?;
        if (made.uid(), made.gid()) != (self.known.uid(), self.known.gid()) {
            fchown(new.as_file(), Some(self.known.uid()), Some(self.known.gid()))?;
        }
        new.as_file().set_permissions(self.known.permissions())?;
        new.as_file().sync_all()?;
        Ok(new)
    }

    /// Whether the name still leads to what was read, and nobody wrote to it meanwhile.
    fn check_unchanged(&self) -> Result<()> {
        let state = |known: &Metadata| (known.dev(), known.ino(), known.len(), known.mtime(), known.mtime_nsec());
        let same = std::fs::symlink_metadata(&self.path).is_ok_and(|now| state(&now) == state(&self.known));
        if !same {
            bail!("was changed by another program meanwhile, so it is left alone; run it again");
        }
        Ok(())
    }

    /// Keeps the original under a name that nothing has yet: the same file under a second name or, where the file system
    /// has no such thing, a copy.
    fn keep(&self, original: &Path) -> Result<()> {
        let told = || format!("the original cannot be kept as {}, so nothing is changed", original.display());
        match std::fs::hard_link(&self.path, original) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Err(error).with_context(told),
            Err(_) => {}
        }
        let copy =
            self.like_it(|file| std::io::copy(&mut File::open(&self.path)?, file).map(|_| ())).with_context(told)?;
        copy.persist_noclobber(original).map(|_| ()).map_err(|error| error.error).with_context(told)
    }
}
