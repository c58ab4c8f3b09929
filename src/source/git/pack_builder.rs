//! Packs written by hand, for tests: with lies, loops and damage that git would never write.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::source::git::object::ObjectId;

/// What an entry is a delta of.
pub(crate) enum Base {
    /// The entry at this offset.
    Offset(u64),
    /// The object of this id.
    Id(ObjectId),
}

/// A pack with its index in the making.
pub(crate) struct PackBuilder {
    bytes: Vec<u8>,
    /// Ids and offsets; a test may add what is not true.
    pub(crate) index: Vec<(ObjectId, u64)>,
    /// The number of objects that the pack's header declares, where it is to be a wrong one.
    pub(crate) declared: Option<u32>,
}

impl PackBuilder {
    pub(crate) fn new() -> Self {
        Self { bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), index: Vec::new(), declared: None }
    }

    /// Adds a blob and returns its offset.
    pub(crate) fn blob(&mut self, id: ObjectId, data: &[u8]) -> u64 {
        self.raw(id, 3, data.len() as u64, &[], &compressed(data))
    }

    /// Adds a delta and returns its offset.
    pub(crate) fn delta(&mut self, id: ObjectId, base: &Base, delta: &[u8]) -> u64 {
        let offset = self.bytes.len() as u64;
        match base {
            Base::Offset(base) => self.raw(id, 6, delta.len() as u64, &distance(offset - base), &compressed(delta)),
            Base::Id(base) => self.raw(id, 7, delta.len() as u64, &base.0, &compressed(delta)),
        }
    }

    /// Adds any entry: type number, declared size, base, and the bytes that stand for the compressed ones.
    pub(crate) fn raw(&mut self, id: ObjectId, sort: u8, size: u64, base: &[u8], compressed: &[u8]) -> u64 {
        let offset = self.bytes.len() as u64;
        self.index.push((id, offset));
        let mut first = sort << 4 | (size & 0x0f) as u8;
        let mut rest = size >> 4;
        while rest > 0 {
            self.bytes.push(first | 0x80);
            first = (rest & 0x7f) as u8;
            rest >>= 7;
        }
        self.bytes.push(first);
        self.bytes.extend(base);
        self.bytes.extend(compressed);
        offset
    }

    /// Writes pack and index into `objects/pack` below a folder and returns the pack's path.
    pub(crate) fn write(mut self, folder: &Path, name: &str) -> PathBuf {
        let packs = folder.join("objects/pack");
        std::fs::create_dir_all(&packs).expect("a folder");
        let declared = self.declared.unwrap_or(self.index.len() as u32);
        self.bytes[8..12].copy_from_slice(&declared.to_be_bytes());
        self.bytes.extend([b'c'; 20]);
        let pack = packs.join(format!("pack-{name}.pack"));
        std::fs::write(&pack, &self.bytes).expect("a pack");
        std::fs::write(pack.with_extension("idx"), self.index_bytes()).expect("an index");
        pack
    }

    fn index_bytes(&mut self) -> Vec<u8> {
        self.index.sort();
        let mut bytes = b"\xfftOc\0\0\0\x02".to_vec();
        for first in 0..=255_u8 {
            let count = self.index.iter().filter(|(id, _)| id.0[0] <= first).count();
            bytes.extend((count as u32).to_be_bytes());
        }
        bytes.extend(self.index.iter().flat_map(|(id, _)| id.0));
        bytes.extend(vec![0; 4 * self.index.len()]);
        let mut long = Vec::new();
        for (_, offset) in &self.index {
            let short = u32::try_from(*offset).ok().filter(|short| short >> 31 == 0).unwrap_or_else(|| {
                long.extend(offset.to_be_bytes());
                0x8000_0000 | (long.len() / 8 - 1) as u32
            });
            bytes.extend(short.to_be_bytes());
        }
        bytes.extend(long);
        bytes.extend([b'c'; 20]);
        bytes.extend([b'i'; 20]);
        bytes
    }
}

/// An id that names a number.
pub(crate) fn id(number: u32) -> ObjectId {
    let mut bytes = [0x5a; 20];
    bytes[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
    bytes[4..8].copy_from_slice(&number.to_be_bytes());
    ObjectId(bytes)
}

/// Bytes as zlib compresses them.
pub(crate) fn compressed(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// A delta from its two sizes and its instructions.
pub(crate) fn delta(base_size: u64, result_size: u64, instructions: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for mut size in [base_size, result_size] {
        while size > 0x7f {
            bytes.push(size as u8 | 0x80);
            size >>= 7;
        }
        bytes.push(size as u8);
    }
    bytes.extend(instructions);
    bytes
}

/// The instruction to copy, with all operands written out.
pub(crate) fn copy(offset: u32, length: u32) -> Vec<u8> {
    let (offset, length) = (offset.to_le_bytes(), length.to_le_bytes());
    [&[0xff], &offset[..], &length[..3]].concat()
}

/// The instruction to insert.
pub(crate) fn insert(bytes: &[u8]) -> Vec<u8> {
    [&[u8::try_from(bytes.len()).expect("short")], bytes].concat()
}

/// How far back a base stands, as a pack writes it.
fn distance(mut distance: u64) -> Vec<u8> {
    let mut bytes = vec![(distance & 0x7f) as u8];
    while distance > 0x7f {
        distance = (distance >> 7) - 1;
        bytes.insert(0, 0x80 | (distance & 0x7f) as u8);
    }
    bytes
}
