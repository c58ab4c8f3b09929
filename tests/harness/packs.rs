//! Packs written by hand: with objects that git would refuse to write, and with lies.

use std::io::Write;
use std::path::Path;

/// The number of an entry's sort in a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Commit = 1,
    Tree = 2,
    Blob = 3,
}

/// An object's id.
pub(crate) type Id = [u8; 20];

/// A pack in the making, with its index.
pub(crate) struct Pack {
    bytes: Vec<u8>,
    index: Vec<(Id, u32)>,
}

impl Pack {
    pub(crate) fn new() -> Self {
        Self { bytes: b"PACK\0\0\0\x02\0\0\0\0".to_vec(), index: Vec::new() }
    }

    /// Adds an object under its true id.
    pub(crate) fn add(&mut self, sort: Sort, data: &[u8]) -> Id {
        let kind = match sort {
            Sort::Commit => git2::ObjectType::Commit,
            Sort::Tree => git2::ObjectType::Tree,
            Sort::Blob => git2::ObjectType::Blob,
        };
        let id: Id = git2::Oid::hash_object(kind, data).unwrap().as_bytes().try_into().unwrap();
        self.raw(id, sort as u8, data.len() as u64, &[], &compressed(data));
        id
    }

    /// Adds a delta of the entry at an offset; returns its own offset.
    pub(crate) fn delta(&mut self, id: Id, base: u32, delta: &[u8]) -> u32 {
        let mut distance = self.bytes.len() as u32 - base;
        let mut bytes = vec![(distance & 0x7f) as u8];
        while distance > 0x7f {
            distance = (distance >> 7) - 1;
            bytes.insert(0, 0x80 | (distance & 0x7f) as u8);
        }
        self.raw(id, 6, delta.len() as u64, &bytes, &compressed(delta))
    }

    /// Adds any entry; returns its offset.
    pub(crate) fn raw(&mut self, id: Id, sort: u8, size: u64, base: &[u8], compressed: &[u8]) -> u32 {
        let offset = self.bytes.len() as u32;
        self.index.push((id, offset));
        let (mut first, mut rest) = (sort << 4 | (size & 15) as u8, size >> 4);
        while rest > 0 {
            self.bytes.push(first | 0x80);
            (first, rest) = ((rest & 0x7f) as u8, rest >> 7);
        }
        self.bytes.push(first);
        self.bytes.extend(base);
        self.bytes.extend(compressed);
        offset
    }

    /// Writes the pack and its index into a repository with a work tree.
    pub(crate) fn write(mut self, repository: &Path) {
        let folder = repository.join(".git/objects/pack");
        std::fs::create_dir_all(&folder).unwrap();
        self.bytes[8..12].copy_from_slice(&(self.index.len() as u32).to_be_bytes());
        self.bytes.extend([b'c'; 20]);
        std::fs::write(folder.join("pack-hostile.pack"), &self.bytes).unwrap();
        std::fs::write(folder.join("pack-hostile.idx"), self.index()).unwrap();
    }

    fn index(&mut self) -> Vec<u8> {
        self.index.sort_unstable();
        let mut bytes = b"\xfftOc\0\0\0\x02".to_vec();
        for first in 0..=255 {
            let count = self.index.partition_point(|(id, _)| id[0] <= first);
            bytes.extend((count as u32).to_be_bytes());
        }
        bytes.extend(self.index.iter().flat_map(|(id, _)| *id));
        bytes.extend(vec![0; 4 * self.index.len()]);
        bytes.extend(self.index.iter().flat_map(|(_, offset)| offset.to_be_bytes()));
        bytes.extend([b'c'; 20]);
        bytes.extend([b'i'; 20]);
        bytes
    }
}

/// Bytes as zlib writes them.
pub(crate) fn compressed(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// One entry of a tree.
pub(crate) fn tree_entry(mode: &str, name: &str, id: &Id) -> Vec<u8> {
    [mode.as_bytes(), b" ", name.as_bytes(), b"\0", id].concat()
}

/// An id in hexadecimal.
pub(crate) fn hex(id: &Id) -> String {
    id.iter().map(|byte| format!("{byte:02x}")).collect()
}
