//! Archives, built byte by byte, so that they can be honest or lie.

use std::io::Write;

/// A member of a zip: what its headers say, and its bytes.
#[derive(Clone)]
pub(crate) struct ZipMember {
    pub(crate) name: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) flags: u16,
    /// The bytes as they lie in the zip.
    pub(crate) packed: Vec<u8>,
    /// The size that the headers tell.
    pub(crate) size: u32,
}

impl ZipMember {
    /// A member as it is.
    pub(crate) fn stored(name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Self {
        let data = data.as_ref();
        Self { name: name.as_ref().into(), method: 0, flags: 0, packed: data.into(), size: data.len() as u32 }
    }

    /// A compressed member.
    pub(crate) fn deflated(name: impl AsRef<[u8]>, data: impl AsRef<[u8]>) -> Self {
        let data = data.as_ref();
        Self { name: name.as_ref().into(), method: 8, flags: 0, packed: deflate(data), size: data.len() as u32 }
    }

    /// The member's own header. With flag 8 its sizes come behind it.
    fn header(&self) -> Vec<u8> {
        let (packed, size) = if self.flags & 8 == 0 { (self.packed.len() as u32, self.size) } else { (0, 0) };
        let mut bytes = b"PK\x03\x04\x14\0".to_vec();
        bytes.extend([self.flags.to_le_bytes(), self.method.to_le_bytes()].concat());
        bytes.extend([0; 8]);
        bytes.extend([packed.to_le_bytes(), size.to_le_bytes()].concat());
        bytes.extend([(self.name.len() as u16).to_le_bytes(), [0; 2]].concat());
        bytes.extend(&self.name);
        bytes
    }

    /// The record of the directory for a member at a place.
    fn record(&self, at: u32) -> Vec<u8> {
        let mut bytes = b"PK\x01\x02\x14\0\x14\0".to_vec();
        bytes.extend([self.flags.to_le_bytes(), self.method.to_le_bytes()].concat());
        bytes.extend([0; 8]);
        bytes.extend([(self.packed.len() as u32).to_le_bytes(), self.size.to_le_bytes()].concat());
        bytes.extend((self.name.len() as u16).to_le_bytes());
        bytes.extend([0; 12]);
        bytes.extend(at.to_le_bytes());
        bytes.extend(&self.name);
        bytes
    }
}

/// A zip of these members.
pub(crate) fn zip(members: &[ZipMember]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut directory = Vec::new();
    for member in members {
        directory.extend(member.record(bytes.len() as u32));
        bytes.extend(member.header());
        bytes.extend(&member.packed);
        if member.flags & 8 != 0 {
            bytes.extend(b"PK\x07\x08\0\0\0\0");
            bytes.extend([(member.packed.len() as u32).to_le_bytes(), member.size.to_le_bytes()].concat());
        }
    }
    ended(bytes, &directory, members.len())
}

/// A zip whose directory names one and the same member many times, each with a name of its own.
pub(crate) fn overlapping_zip(member: &ZipMember, times: u32) -> Vec<u8> {
    let bytes = [member.header(), member.packed.clone()].concat();
    let named = |number: u32| ZipMember { name: format!("{number:04}").into(), ..member.clone() };
    let directory: Vec<u8> = (0..times).flat_map(|number| named(number).record(0)).collect();
    ended(bytes, &directory, times as usize)
}

/// Puts the directory behind the members, and the end behind the directory.
fn ended(mut bytes: Vec<u8>, directory: &[u8], members: usize) -> Vec<u8> {
    let at = bytes.len() as u32;
    bytes.extend(directory);
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend([(members as u16).to_le_bytes(); 2].concat());
    bytes.extend([(directory.len() as u32).to_le_bytes(), at.to_le_bytes()].concat());
    bytes.extend([0; 2]);
    bytes
}

/// A header of a tar with its checksum.
pub(crate) fn tar_header(name: impl AsRef<[u8]>, kind: u8, size: usize) -> Vec<u8> {
    let mut header = vec![0; 512];
    let name = name.as_ref();
    header[..name.len()].copy_from_slice(name);
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{size:011o}\0").as_bytes());
    header[136..148].copy_from_slice(b"00000000000\0");
    header[148..156].fill(b' ');
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// A member of a tar: header, bytes, padding.
pub(crate) fn tar_member(name: impl AsRef<[u8]>, kind: u8, data: impl AsRef<[u8]>) -> Vec<u8> {
    let data = data.as_ref();
    let mut bytes = tar_header(name, kind, data.len());
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(512), 0);
    bytes
}

/// A tar of these members.
pub(crate) fn tar(members: &[Vec<u8>]) -> Vec<u8> {
    [&members.concat()[..], &[0; 1024]].concat()
}

/// A tar of one plain file.
pub(crate) fn tar_of(name: &str, data: impl AsRef<[u8]>) -> Vec<u8> {
    tar(&[tar_member(name, b'0', data)])
}

/// A raw deflate stream.
pub(crate) fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A gzip file.
pub(crate) fn gzip(data: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// A bzip2 file.
pub(crate) fn bzip2(data: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
    encoder.write_all(data.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// A zstd file.
pub(crate) fn zstd(data: impl AsRef<[u8]>) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(data.as_ref(), ruzstd::encoding::CompressionLevel::Fastest)
}

/// An xz file, of text that is not compressed but laid out as xz wants it.
pub(crate) fn xz(data: impl AsRef<[u8]>) -> Vec<u8> {
    let data = data.as_ref();
    let mut file = b"\xfd7zXZ\0\0\0".to_vec();
    file.extend(crc32fast::hash(&file[6..8]).to_le_bytes());
    // One block: a filter, LZMA2, with the smallest dictionary; no sizes.
    let mut block = vec![2, 0, 0x21, 1, 0, 0, 0, 0];
    block.extend(crc32fast::hash(&block).to_le_bytes());
    for (number, piece) in data.chunks(1 << 16).enumerate() {
        block.push(if number == 0 { 1 } else { 2 });
        block.extend((piece.len() as u16 - 1).to_be_bytes());
        block.extend(piece);
    }
    block.push(0);
    let unpadded = block.len() as u64;
    block.resize(block.len().next_multiple_of(4), 0);
    file.extend(&block);
    let mut index = vec![0, 1];
    index.extend(varint(unpadded));
    index.extend(varint(data.len() as u64));
    index.resize(index.len().next_multiple_of(4), 0);
    index.extend(crc32fast::hash(&index).to_le_bytes());
    file.extend(&index);
    let mut footer = ((index.len() / 4 - 1) as u32).to_le_bytes().to_vec();
    footer.extend([0, 0]);
    file.extend(crc32fast::hash(&footer).to_le_bytes());
    file.extend(&footer);
    file.extend(b"YZ");
    file
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A zip of one member and then of very many that have no bytes, all under one name.
pub(crate) fn zip_of_empty_members(first: &ZipMember, count: usize) -> Vec<u8> {
    let bytes = [first.header(), first.packed.clone()].concat();
    let directory = [first.record(0), ZipMember::stored("e", "").record(0).repeat(count)].concat();
    ended(bytes, &directory, count + 1)
}
