//! Files mapped into memory. Of this crate's own files this is one of the
//! two that may hold `unsafe`. Not a cache, and not for files that somebody may be writing: see [`MappedFile::open`].

use std::io;
use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;

use super::file::open_of_git;

/// The bytes of a file, read from disk as they are touched.
#[derive(Debug)]
pub(crate) struct MappedFile(Mmap);

impl MappedFile {
    /// Maps a whole regular file.
    ///
    /// The caller must name a file that nobody changes in place: git writes packs and their indexes under another name
    /// and renames them when they are whole. Where such a file is cut short all the same, the system ends the process.
    ///
    /// # Errors
    /// Where the path is not a regular file, or cannot be opened or mapped.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let file = open_of_git(path)?;
        #[expect(unsafe_code, reason = "a pack of gigabytes is walked in place instead of being copied into memory")]
        // SAFETY: the mapping is read-only, and git never changes a pack or an index in place, it only replaces them by
        // rename, which leaves the mapped file as it was. The bytes are used as plain bytes, so that even a writer who
        // broke this rule could not break a type's invariant; every read of them is checked against the length.
        let map = unsafe { Mmap::map(&file)? };
        Ok(Self(map))
    }

    /// Lets the system take back the memory of what was read so far; what is touched again is mapped again. Where the
    /// system cannot, nothing happens.
    pub(crate) fn release(&self) {
        #[cfg(unix)]
        {
            use memmap2::UncheckedAdvice;
            #[expect(unsafe_code, reason = "a pack larger than memory is to be walked in bounded memory")]
            // SAFETY: this advice loses what was written to private pages. The mapping is read-only, so that there is no
            // such page: its bytes come back from the file, which has not changed (see `open`).
            let released = unsafe { self.0.unchecked_advise(UncheckedAdvice::DontNeed) };
            // Memory that stays in use is no fault.
            drop(released);
        }
    }
}

impl Deref for MappedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}
