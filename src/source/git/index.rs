//! A reader of git's index file, versions 2, 3 and 4, with its cache of tree ids.
//!
//! It exists because a hook must be quick whatever the size of the repository: entries are located in one pass, without
//! an allocation for each, and the file's SHA-1 is not computed. It does not write, does not look at the work tree, and
//! does not read forms in which the file alone is not the whole index (split, sparse, unknown extensions): those are
//! reported as [`IndexError::Unsupported`], and the caller asks git.
//!
//! The format is git's `gitformat-index`. Everything is bounds-checked: a file that ends early or contradicts itself is
//! [`IndexError::Malformed`].

mod cache_tree;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

use memchr::memchr;

pub use self::cache_tree::CacheTree;
use super::object::ObjectId;

/// Signature, version and count of entries.
const HEADER_LENGTH: usize = 12;
/// The SHA-1 (or zeroes) at the end of the file.
const TRAILER_LENGTH: usize = 20;
/// An entry up to and with its flags; the path follows, in some entries after two more bytes of flags.
const FIXED_LENGTH: usize = 62;
const MODE_OFFSET: usize = 24;
const ID_OFFSET: usize = 40;
const FLAGS_OFFSET: usize = 60;

const ASSUME_VALID: u16 = 0x8000;
const EXTENDED: u16 = 0x4000;
const STAGE: u16 = 0x3000;
const PATH_LENGTH: u16 = 0x0fff;
const SKIP_WORKTREE: u16 = 0x4000;
const INTENT_TO_ADD: u16 = 0x2000;

/// Version 4 stores what a path adds to the one before, so that a small file can name very long paths. Past this sum of
/// bytes the file is left to git.
const LARGEST_PATHS: usize = 1 << 30;

/// Why an index could not be read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// The file is damaged.
    #[error("the index is malformed: {what} (at byte {offset})")]
    Malformed {
        /// What is wrong.
        what: &'static str,
        /// Where, from the start of the file.
        offset: usize,
    },
    /// The file is of a form that git itself must read.
    #[error("the index has a form that is left to git: {0}")]
    Unsupported(&'static str),
}

/// What sort of thing an entry names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file, executable or not.
    File,
    /// A symbolic link; its blob is the target.
    Symlink,
    /// The commit of a submodule.
    Gitlink,
}

impl EntryKind {
    /// Returns the kind that a mode says, where git knows it.
    pub fn from_mode(mode: u32) -> Option<Self> {
        match mode >> 12 {
            0o10 => Some(Self::File),
            0o12 => Some(Self::Symlink),
            0o16 => Some(Self::Gitlink),
            _ => None,
        }
    }
}

/// One entry of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'index> {
    /// The path from the root of the work tree, in bytes, with `/` between its parts.
    pub path: &'index [u8],
    /// The blob, or the commit of a submodule.
    pub id: ObjectId,
    /// The mode as git stores it, such as `0o100644`.
    pub mode: u32,
    /// What the mode says.
    pub kind: EntryKind,
    /// 0, or in a conflict 1 (base), 2 (ours), 3 (theirs).
    pub stage: u8,
    /// The user promised that the file in the work tree is unchanged.
    pub assume_valid: bool,
    /// The file is outside a sparse checkout.
    pub skip_worktree: bool,
    /// The path was announced with `git add -N`; it has no content yet and is not committed.
    pub intent_to_add: bool,
}

/// Where an entry stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// In the file.
    start: u32,
    /// In the file, or for version 4 in the unfolded paths.
    path_start: u32,
    path_length: u32,
}

/// An index in memory.
#[derive(Debug)]
pub struct Index {
    data: Vec<u8>,
    /// The whole paths of version 4, one after the other.
    unfolded_paths: Option<Vec<u8>>,
    places: Vec<Place>,
    cache_tree: Option<CacheTree>,
}

impl Index {
    /// Reads an index from the bytes of its file.
    ///
    /// # Errors
    ///
    /// See [`IndexError`].
    pub fn parse(data: Vec<u8>) -> Result<Self, IndexError> {
        let scan = Scan::run(&data)?;
        Ok(Self { unfolded_paths: scan.unfolded_paths, places: scan.places, cache_tree: scan.cache_tree, data })
    }

    /// Returns an index without entries, as before the first file was ever added.
    pub fn empty() -> Self {
        Self { data: Vec::new(), unfolded_paths: None, places: Vec::new(), cache_tree: None }
    }

    /// Returns the number of entries.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Tells whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Returns the ids of unchanged trees, where the file has them in good order.
    pub fn cache_tree(&self) -> Option<&CacheTree> {
        self.cache_tree.as_ref()
    }

    /// Returns the path of the entry at `position`. Paths ascend by their bytes.
    ///
    /// # Panics
    ///
    /// Where `position` is not below [`Index::len`].
    pub fn path(&self, position: usize) -> &[u8] {
        let place = self.places[position];
        let paths = self.unfolded_paths.as_ref().unwrap_or(&self.data);
        &paths[place.path_start as usize..][..place.path_length as usize]
    }

    /// Returns the entry at `position`.
    ///
    /// # Panics
    ///
    /// Where `position` is not below [`Index::len`].
    pub fn entry(&self, position: usize) -> Entry<'_> {
        let fixed = &self.data[self.places[position].start as usize..];
        let mode = big_endian_32(fixed, MODE_OFFSET).expect("the scan checked the length");
        let flags = big_endian_16(fixed, FLAGS_OFFSET).expect("the scan checked the length");
        let more = if flags & EXTENDED == 0 { None } else { big_endian_16(fixed, FIXED_LENGTH) }.unwrap_or(0);
        Entry {
            path: self.path(position),
            id: ObjectId::from_bytes(&fixed[ID_OFFSET..FLAGS_OFFSET]).expect("twenty bytes"),
            mode,
            kind: EntryKind::from_mode(mode).expect("the scan checked the mode"),
            stage: stage(flags),
            assume_valid: flags & ASSUME_VALID != 0,
            skip_worktree: more & SKIP_WORKTREE != 0,
            intent_to_add: more & INTENT_TO_ADD != 0,
        }
    }

    /// Returns all entries in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        (0..self.len()).map(|position| self.entry(position))
    }
}

/// One pass over a file.
struct Scan<'data> {
    /// The file without its trailer.
    body: &'data [u8],
    version: u32,
    places: Vec<Place>,
    unfolded_paths: Option<Vec<u8>>,
    cache_tree: Option<CacheTree>,
    /// The first thing that no whole index has. A split index has such entries too, and only the extensions, which come
    /// last, say whether it is one.
    oddity: Option<IndexError>,
}

impl<'data> Scan<'data> {
    fn run(data: &'data [u8]) -> Result<Self, IndexError> {
        if u32::try_from(data.len()).is_err() {
            return Err(IndexError::Unsupported("it is larger than 4 GiB"));
        }
        let Some(body) = data.len().checked_sub(TRAILER_LENGTH).map(|length| &data[..length]) else {
            return Err(malformed("it ends within its header", data.len()));
        };
        let (Some(version), Some(count)) = (big_endian_32(body, 4), big_endian_32(body, 8)) else {
            return Err(malformed("it ends within its header", data.len()));
        };
        if !body.starts_with(b"DIRC") {
            return Err(malformed("it does not begin with DIRC", 0));
        }
        if !(2..=4).contains(&version) {
            return Err(IndexError::Unsupported("its version is not 2, 3 or 4"));
        }
        let unfolded_paths = (version == 4).then(Vec::new);
        let mut scan = Self { body, version, places: Vec::new(), unfolded_paths, cache_tree: None, oddity: None };
        let extensions = scan.entries(count as usize)?;
        scan.extensions(extensions)?;
        match scan.oddity.take() {
            Some(oddity) => Err(oddity),
            None => Ok(scan),
        }
    }

    /// Locates `count` entries and returns where the extensions begin.
    fn entries(&mut self, count: usize) -> Result<usize, IndexError> {
        if count > self.body.len() / FIXED_LENGTH {
            return Err(malformed("it is too short for its number of entries", 8));
        }
        self.places.reserve_exact(count);
        let mut start = HEADER_LENGTH;
        let mut previous_stage = 0;
        for _ in 0..count {
            let flags = self.fixed_part(start)?;
            let path_start = start + if flags & EXTENDED == 0 { FIXED_LENGTH } else { FIXED_LENGTH + 2 };
            let (place, path_end) = match self.version {
                4 => self.folded_path(start, path_start)?,
                _ => self.plain_path(start, path_start)?,
            };
            if usize::from(flags & PATH_LENGTH) != (place.path_length as usize).min(PATH_LENGTH.into()) {
                return Err(malformed("a path does not have the length that its entry says", start));
            }
            self.check_order(place, previous_stage, stage(flags));
            self.places.push(place);
            previous_stage = stage(flags);
            // The path ends with a zero; versions 2 and 3 fill the entry with more, to a multiple of eight bytes.
            start = if self.version == 4 { path_end + 1 } else { start + ((path_end - start + 8) & !7) };
        }
        if start > self.body.len() {
            return Err(malformed("it ends within an entry", self.body.len()));
        }
        Ok(start)
    }

    /// Checks the part of an entry before its path and returns its flags.
    fn fixed_part(&mut self, start: usize) -> Result<u16, IndexError> {
        let fixed = self.body.get(start..).unwrap_or_default();
        let (Some(mode), Some(flags)) = (big_endian_32(fixed, MODE_OFFSET), big_endian_16(fixed, FLAGS_OFFSET)) else {
            return Err(malformed("it ends within an entry", start));
        };
        if EntryKind::from_mode(mode).is_none() {
            self.remember(malformed("an entry has a mode that git does not know", start));
        }
        if flags & EXTENDED != 0 {
            match big_endian_16(fixed, FIXED_LENGTH) {
                None => return Err(malformed("it ends within an entry", start)),
                Some(more) if more & !(SKIP_WORKTREE | INTENT_TO_ADD) != 0 => {
                    return Err(IndexError::Unsupported("an entry has unknown flags"));
                }
                Some(_) => {}
            }
        }
        Ok(flags)
    }

    fn plain_path(&self, start: usize, path_start: usize) -> Result<(Place, usize), IndexError> {
        let length = memchr(0, self.body.get(path_start..).unwrap_or_default())
            .ok_or_else(|| malformed("it ends within a path", start))?;
        Ok((place(start, path_start, length), path_start + length))
    }

    /// Reads a path of version 4: how many bytes of the one before fall away, and what comes instead.
    fn folded_path(&mut self, start: usize, path_start: usize) -> Result<(Place, usize), IndexError> {
        let (removed, suffix_start) = offset_number(self.body, path_start)
            .ok_or_else(|| malformed("a path does not say how much it shares with the one before", start))?;
        let length = memchr(0, &self.body[suffix_start..]).ok_or_else(|| malformed("it ends within a path", start))?;
        let paths = self.unfolded_paths.get_or_insert_default();
        let (previous_start, previous_length) =
            self.places.last().map_or((0, 0), |last| (last.path_start as usize, last.path_length as usize));
        let shared = previous_length
            .checked_sub(removed)
            .ok_or_else(|| malformed("a path takes more from the one before than that has", start))?;
        if paths.len().saturating_add(shared).saturating_add(length) > LARGEST_PATHS {
            return Err(IndexError::Unsupported("its paths are too long together"));
        }
        let unfolded_start = paths.len();
        paths.extend_from_within(previous_start..previous_start + shared);
        paths.extend_from_slice(&self.body[suffix_start..suffix_start + length]);
        Ok((place(start, unfolded_start, shared + length), suffix_start + length))
    }

    /// Checks that an entry comes after the one before: directories are found by halving, which needs the order.
    fn check_order(&mut self, place: Place, previous_stage: u8, stage: u8) {
        if place.path_length == 0 {
            self.remember(malformed("an entry has no path", place.start as usize));
        }
        let Some(&previous) = self.places.last() else { return };
        let paths = self.unfolded_paths.as_deref().unwrap_or(self.body);
        let path_of = |place: Place| &paths[place.path_start as usize..][..place.path_length as usize];
        match path_of(previous).cmp(path_of(place)) {
            Ordering::Less => {}
            Ordering::Equal if previous_stage < stage => {}
            _ => self.remember(malformed("its entries are not in order", place.start as usize)),
        }
    }

    fn extensions(&mut self, mut start: usize) -> Result<(), IndexError> {
        while start < self.body.len() {
            let rest = &self.body[start..];
            let content = big_endian_32(rest, 4).and_then(|length| rest[8..].get(..length as usize));
            let Some(content) = content else {
                return Err(malformed("it ends within an extension", start));
            };
            match &rest[..4] {
                // What is wrong with this one costs time and nothing else: git leaves it out too.
                b"TREE" => self.cache_tree = CacheTree::parse(content),
                b"link" => return Err(IndexError::Unsupported("it is split: the rest is in a shared file")),
                b"sdir" => return Err(IndexError::Unsupported("it is sparse: some entries stand for folders")),
                [b'A'..=b'Z', ..] => {}
                _ => return Err(IndexError::Unsupported("it has an extension that must be understood and is not")),
            }
            start += 8 + content.len();
        }
        Ok(())
    }

    fn remember(&mut self, oddity: IndexError) {
        self.oddity.get_or_insert(oddity);
    }
}

fn malformed(what: &'static str, offset: usize) -> IndexError {
    IndexError::Malformed { what, offset }
}

/// Places fit 32 bits: the file is at most 4 GiB and unfolded paths are fewer.
fn place(start: usize, path_start: usize, path_length: usize) -> Place {
    let narrow = |number: usize| u32::try_from(number).expect("the scan checked the size of the file");
    Place { start: narrow(start), path_start: narrow(path_start), path_length: narrow(path_length) }
}

fn stage(flags: u16) -> u8 {
    ((flags & STAGE) >> 12) as u8
}

fn big_endian_32(data: &[u8], offset: usize) -> Option<u32> {
    data.get(offset..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

fn big_endian_16(data: &[u8], offset: usize) -> Option<u16> {
    data.get(offset..)?.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))
}

/// Reads a number as pack files write offsets, and returns it with the position behind it.
fn offset_number(data: &[u8], mut position: usize) -> Option<(usize, usize)> {
    let mut byte = *data.get(position)?;
    let mut number = usize::from(byte & 0x7f);
    while byte & 0x80 != 0 {
        position += 1;
        byte = *data.get(position)?;
        number = number.checked_add(1)?.checked_mul(128)?.checked_add(usize::from(byte & 0x7f))?;
    }
    Some((number, position + 1))
}
