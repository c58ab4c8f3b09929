//! One pack with its index: where an object stands, what its entry's header says, and its bytes inflated. Which entry is
//! whose delta base is the business of `forest`.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use libdeflater::{DecompressionError, Decompressor};

use crate::source::git::buffers::Buffer;
use crate::source::git::delta::{self, DeltaSizes};
use crate::source::git::forest::Forest;
use crate::source::git::index_file::{IndexFault, IndexFile};
use crate::source::git::object::{ObjectId, ObjectKind, Unread, UnreadReason};
use crate::source::git::objects::Limits;
use crate::source::mmap::MappedFile;

const HEADER_LENGTH: usize = 12;
const TRAILER_LENGTH: usize = 20;
/// Of a large pack no more than a few times this many bytes count as memory in use. To map again what is needed again
/// costs 1.5 % of a walk at this size.
const RELEASE_STEP: u64 = 16 << 20;

/// A mapped pack with its index.
#[derive(Debug)]
pub(crate) struct Pack {
    path: PathBuf,
    data: MappedFile,
    /// How many bytes were read so far, some of them several times.
    touched: AtomicU64,
    /// Which ids the pack holds, and where.
    pub(crate) index: IndexFile,
    /// How the entries hang together, once a walk has asked.
    pub(crate) forest: OnceLock<Forest>,
}

/// What stands before an entry's compressed bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EntryHeader {
    /// The sort of entry.
    pub(crate) sort: EntrySort,
    /// The size in bytes that the inflated entry declares.
    pub(crate) size: u64,
    /// Where the compressed bytes begin in the pack.
    pub(crate) data_start: usize,
}

/// The sort of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntrySort {
    /// The object itself.
    Whole(ObjectKind),
    /// A delta against the entry at this offset.
    OffsetDelta(u64),
    /// A delta against the object of this id.
    IdDelta(ObjectId),
}

/// Why a pack is of no use.
#[derive(Debug)]
pub(crate) enum PackFault {
    /// It belongs to a repository whose ids are SHA-256.
    LongIds,
    /// Pack or index cannot be used; the text says why and what to do.
    Unusable(String),
}

impl Pack {
    /// Maps a pack and its index, which stands beside it.
    pub(crate) fn open(path: &Path) -> Result<Self, PackFault> {
        let index_path = path.with_extension("idx");
        let index = IndexFile::open(&index_path).map_err(|fault| match fault {
            IndexFault::LongIds => PackFault::LongIds,
            IndexFault::Io(error) => {
                PackFault::Unusable(format!("its index cannot be read ({error}); {}", remedy(path)))
            }
            IndexFault::Malformed(how) => {
                PackFault::Unusable(format!("its index is unusable: {how}; {}", remedy(path)))
            }
        })?;
        let data = MappedFile::open(path).map_err(|error| PackFault::Unusable(error.to_string()))?;
        if data.len() < HEADER_LENGTH + TRAILER_LENGTH || !data.starts_with(b"PACK") {
            return Err(PackFault::Unusable("it is not a pack, or it is cut short".into()));
        }
        if !matches!(data[4..8], [0, 0, 0, 2 | 3]) {
            return Err(PackFault::Unusable("its version is neither 2 nor 3".into()));
        }
        Ok(Self { path: path.into(), data, touched: AtomicU64::new(0), index, forest: OnceLock::new() })
    }

    /// Returns what speaks against this index being that of this pack. The entries that it names can be tried all the same.
    pub(crate) fn disagreement(&self) -> Option<Unread> {
        let declared = u32::from_be_bytes(self.data[8..12].try_into().expect("the header has twelve bytes"));
        let trailer = &self.data[self.data.len() - TRAILER_LENGTH..];
        let reason = if declared as usize != self.index.count() {
            format!("the pack declares {declared} objects and its index names {}", self.index.count())
        } else if trailer != self.index.pack_checksum() {
            "the pack does not end with the checksum that its index recorded".into()
        } else {
            return None;
        };
        let reason = UnreadReason::Damaged(format!("{reason}; {}", remedy(&self.path)));
        Some(Unread { id: None, place: self.path.display().to_string(), reason })
    }

    /// Counts bytes that were read, and each time that it comes to [`RELEASE_STEP`] lets the system take the memory back.
    pub(crate) fn touched(&self, bytes: u64) {
        let before = self.touched.fetch_add(bytes, Ordering::Relaxed);
        if before / RELEASE_STEP != before.wrapping_add(bytes) / RELEASE_STEP {
            self.data.release();
        }
    }

    /// Names an entry for a person.
    pub(crate) fn place(&self, offset: u64) -> String {
        format!("{} at offset {offset}", self.path.display())
    }

    /// Reads the header of the entry at `offset`. The message says what is wrong with it.
    pub(crate) fn header(&self, offset: u64) -> Result<EntryHeader, &'static str> {
        let end = self.data.len() - TRAILER_LENGTH;
        let start = usize::try_from(offset).ok().filter(|start| (HEADER_LENGTH..end).contains(start));
        let start = start.ok_or("its offset is outside the pack")?;
        let bytes = &self.data[start..end];
        let (sort, size, used) = sort_and_size(bytes)?;
        let bytes = &bytes[used..];
        let (sort, used_by_base) = match sort {
            1 => (EntrySort::Whole(ObjectKind::Commit), 0),
            2 => (EntrySort::Whole(ObjectKind::Tree), 0),
            3 => (EntrySort::Whole(ObjectKind::Blob), 0),
            4 => (EntrySort::Whole(ObjectKind::Tag), 0),
            6 => {
                let (distance, used) = base_distance(bytes)?;
                let base = offset.checked_sub(distance).filter(|_| distance > 0);
                (EntrySort::OffsetDelta(base.ok_or("its delta base is outside the pack")?), used)
            }
            7 => {
                let id = bytes.get(..20).and_then(ObjectId::from_bytes).ok_or("its entry is cut short")?;
                (EntrySort::IdDelta(id), 20)
            }
            _ => return Err("its entry is of an unknown type"),
        };
        Ok(EntryHeader { sort, size, data_start: start + used + used_by_base })
    }

    /// Returns the compressed bytes of an entry, and whatever follows it in the pack.
    fn compressed(&self, header: &EntryHeader) -> &[u8] {
        &self.data[header.data_start..self.data.len() - TRAILER_LENGTH]
    }

    /// Inflates an entry, object or delta, whose declared size the caller has not yet checked.
    pub(crate) fn inflate(
        &self,
        header: &EntryHeader,
        limits: &Limits,
        inflater: &mut Decompressor,
        into: &mut Buffer,
    ) -> Result<(), UnreadReason> {
        into.set_length(limits.check(header.size)?);
        let damaged = |how: &str| Err(UnreadReason::Damaged(how.into()));
        match inflater.zlib_decompress(self.compressed(header), into.bytes_mut()) {
            Ok(length) if length == into.length() => Ok(()),
            Ok(_) => damaged("it inflates to less than it declares"),
            Err(DecompressionError::InsufficientSpace) => damaged("it inflates to more than it declares"),
            Err(DecompressionError::BadData) => damaged("its compressed bytes are damaged"),
        }
    }

    /// Reads the sizes at the head of a delta without inflating the rest of it.
    pub(crate) fn delta_sizes(&self, header: &EntryHeader) -> Result<DeltaSizes, &'static str> {
        let mut head = [0; delta::LONGEST_HEADER];
        let mut inflater = flate2::Decompress::new(true);
        let inflated = inflater.decompress(self.compressed(header), &mut head, flate2::FlushDecompress::None);
        inflated.map_err(|_| "its compressed bytes are damaged")?;
        let length = usize::try_from(inflater.total_out()).map_or(head.len(), |length| length.min(head.len()));
        delta::sizes(&head[..length])
    }
}

fn remedy(pack: &Path) -> String {
    format!("make the index anew with: git index-pack {}", pack.display())
}

/// Reads an entry's type number and declared size; returns them with their length in bytes.
fn sort_and_size(bytes: &[u8]) -> Result<(u8, u64, usize), &'static str> {
    const CUT_SHORT: &str = "its entry is cut short";
    let first = *bytes.first().ok_or(CUT_SHORT)?;
    let sort = first >> 4 & 7;
    let mut size = u64::from(first & 0x0f);
    let mut used = 1;
    let mut more = first & 0x80 != 0;
    let mut shift = 4_u32;
    while more {
        let byte = *bytes.get(used).ok_or(CUT_SHORT)?;
        let part = u64::from(byte & 0x7f);
        if shift > 63 || (part << shift) >> shift != part {
            return Err("its entry declares a size beyond 64 bits");
        }
        size |= part << shift;
        shift += 7;
        used += 1;
        more = byte & 0x80 != 0;
    }
    Ok((sort, size, used))
}

/// Reads how far before an entry its base stands; returns it with its length in bytes.
fn base_distance(bytes: &[u8]) -> Result<(u64, usize), &'static str> {
    let mut distance = 0_u64;
    for (index, byte) in bytes.iter().enumerate() {
        if distance >> 57 != 0 {
            return Err("its delta base is outside the pack");
        }
        distance = distance << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok((distance, index + 1));
        }
        // Each further byte stands for numbers that the shorter forms could not name.
        distance += 1;
    }
    Err("its entry is cut short")
}
