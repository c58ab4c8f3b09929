//! The index of a pack (`.idx`, version 2): which ids the pack holds and where. It says nothing of what they are.

use std::io;
use std::path::Path;

use crate::source::git::object::ObjectId;
use crate::source::mmap::MappedFile;

const SIGNATURE: [u8; 8] = [0xff, b't', b'O', b'c', 0, 0, 0, 2];
const FAN_OUT_START: usize = SIGNATURE.len();
const FAN_OUT_END: usize = FAN_OUT_START + 256 * 4;
const ID_LENGTH: usize = 20;
/// The pack's checksum and the index's own.
const TRAILER_LENGTH: usize = 2 * ID_LENGTH;

/// A mapped index. A position is the place of an id in the sorted list, counted from 0.
#[derive(Debug)]
pub(crate) struct IndexFile {
    file: MappedFile,
    count: usize,
}

/// Why an index is of no use.
#[derive(Debug)]
pub(crate) enum IndexFault {
    /// The system could not read it.
    Io(io::Error),
    /// It belongs to a repository whose ids are SHA-256.
    LongIds,
    /// Its content is not that of an index of version 2; the text says how.
    Malformed(&'static str),
}

impl IndexFile {
    /// Maps an index and checks everything about it that does not take reading it whole.
    pub(crate) fn open(path: &Path) -> Result<Self, IndexFault> {
        let file = MappedFile::open(path).map_err(IndexFault::Io)?;
        if !file.starts_with(&SIGNATURE) {
            return Err(IndexFault::Malformed("it is not an index of version 2"));
        }
        if file.len() < FAN_OUT_END + TRAILER_LENGTH {
            return Err(IndexFault::Malformed("it is cut short"));
        }
        let fan_out: Vec<u32> = file[FAN_OUT_START..FAN_OUT_END].chunks_exact(4).map(big_endian).collect();
        if !fan_out.is_sorted() {
            return Err(IndexFault::Malformed("its fan-out table is not in order"));
        }
        // One number is kept back so that an entry's number always leaves room for "none".
        let count = fan_out.last().copied().filter(|count| *count < u32::MAX);
        let count = count.ok_or(IndexFault::Malformed("it names too many objects"))? as usize;
        check_length(file.len(), count)?;
        Ok(Self { file, count })
    }

    /// Returns how many ids there are.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns the id at a position, which must be less than the count.
    pub(crate) fn id(&self, position: usize) -> ObjectId {
        let start = FAN_OUT_END + position * ID_LENGTH;
        ObjectId::from_bytes(&self.file[start..start + ID_LENGTH]).expect("the slice has the length of an id")
    }

    /// Returns the offset in the pack of the object at a position, or none where the index points outside itself.
    pub(crate) fn offset(&self, position: usize) -> Option<u64> {
        let short_offsets = FAN_OUT_END + self.count * (ID_LENGTH + 4);
        let start = short_offsets + position * 4;
        let short = big_endian(&self.file[start..start + 4]);
        if short >> 31 == 0 {
            return Some(u64::from(short));
        }
        let long_offsets = short_offsets + self.count * 4;
        let start = long_offsets + (short & 0x7fff_ffff) as usize * 8;
        let end = start.checked_add(8).filter(|end| *end <= self.file.len() - TRAILER_LENGTH)?;
        self.file[start..end].try_into().ok().map(u64::from_be_bytes)
    }

    /// Returns the position of an id.
    pub(crate) fn find(&self, id: &ObjectId) -> Option<usize> {
        let first = usize::from(id.0[0]);
        let fan_out = |byte: usize| {
            let start = FAN_OUT_START + byte * 4;
            big_endian(&self.file[start..start + 4]) as usize
        };
        let mut low = if first == 0 { 0 } else { fan_out(first - 1) };
        let mut high = fan_out(first);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.id(middle).cmp(id) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
                std::cmp::Ordering::Equal => return Some(middle),
            }
        }
        None
    }

    /// Returns the checksum of the pack that this index was made for.
    pub(crate) fn pack_checksum(&self) -> &[u8] {
        let start = self.file.len() - TRAILER_LENGTH;
        &self.file[start..start + ID_LENGTH]
    }
}

/// Checks that the file has room for `count` ids, checksums and offsets, and not for ids of 32 bytes.
fn check_length(length: usize, count: usize) -> Result<(), IndexFault> {
    let expected = |id_length: usize| count * (id_length + 8) + FAN_OUT_END + 2 * id_length;
    let fits = |id_length| {
        let long_offsets = length.checked_sub(expected(id_length));
        long_offsets.is_some_and(|bytes| bytes % 8 == 0 && bytes / 8 <= count)
    };
    if fits(ID_LENGTH) {
        Ok(())
    } else if fits(32) {
        Err(IndexFault::LongIds)
    } else {
        Err(IndexFault::Malformed("its length does not fit the number of its objects"))
    }
}

fn big_endian(bytes: &[u8]) -> u32 {
    u32::from_be_bytes(bytes.try_into().expect("callers hand over four bytes"))
}
