//! Reads zips by their directory, one record at a time, so that two million members take no more memory than one. Names
//! that occur twice, sizes that are not true and members that share bytes are taken as they come: each record is a member.
//! Where the directory is missing, the members are read from the first on, as far as that goes.

use std::io::{self, BufReader, Read, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::budget::{Metered, counted};
use super::{Format, Limits, Seekable, Skip, Walker, decoders, member_path};
use crate::error::Result;

/// The length of a record of the directory without its names.
const RECORD: usize = 46;
/// The length of a member's own header without its names.
const LOCAL: usize = 30;
/// The length of the record that ends a zip, without its comment.
const END: usize = 22;
/// How many bytes of the directory are read at once.
const STEP: usize = 64 << 10;

fn u16_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u64 {
    u16_at(bytes, at) | u16_at(bytes, at + 2) << 16
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u32_at(bytes, at) | u32_at(bytes, at + 4) << 32
}

/// Reads bytes at a place, as many as there are up to `length`.
fn read_at(source: &mut dyn Seekable, at: u64, length: usize) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::with_capacity(length.min(STEP));
    source.take(length as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Hands out the members of a zip.
pub(super) fn walk(source: &mut dyn Seekable, path: &[u8], depth: usize, walker: &mut Walker<'_, '_>) -> Result<()> {
    match find_directory(source) {
        Ok(Some(directory)) => walk_directory(source, directory, path, depth, walker),
        Ok(None) => {
            walker.budget.damaged(path, "the zip has no directory; it may be cut off");
            walk_from_the_first(source, path, depth, walker)
        }
        Err(error) => {
            walker.budget.damaged(path, &error.to_string());
            Ok(())
        }
    }
}

/// Where the directory lies and what it should hold.
struct Directory {
    at: u64,
    end: u64,
    /// How many members it should name.
    members: u64,
    /// Whether `members` is counted modulo 65,536.
    wraps: bool,
    /// What has to be added to every place that the zip names: it may have been put behind something.
    shift: u64,
}

/// Finds the directory by the record at the end.
fn find_directory(source: &mut dyn Seekable) -> io::Result<Option<Directory>> {
    let length = source.seek(SeekFrom::End(0))?;
    let tail_at = length.saturating_sub((END + 0xffff) as u64);
    let tail = read_at(source, tail_at, END + 0xffff)?;
    let marks = memchr::memmem::rfind_iter(&tail, b"PK\x05\x06").filter(|at| at + END <= tail.len());
    // The last one whose comment fits into what is left; it need not reach the end, something may have been put behind.
    let Some(at) = marks.into_iter().find(|at| at + END + u16_at(&tail, at + 20) as usize <= tail.len()) else {
        return Ok(None);
    };
    let end_at = tail_at + at as u64;
    let record = &tail[at..at + END];
    let (mut members, mut size, mut start) = (u16_at(record, 10), u32_at(record, 12), u32_at(record, 16));
    let mut end = end_at;
    let mut wraps = true;
    if let Some((large, large_at)) = find_large_end(source, end_at)? {
        (members, size, start) = (u64_at(&large, 32), u64_at(&large, 40), u64_at(&large, 48));
        (end, wraps) = (large_at, false);
    }
    let begins = |source: &mut dyn Seekable, at: u64| -> io::Result<bool> {
        Ok(size == 0 || read_at(source, at, 4)? == b"PK\x01\x02")
    };
    let told = Directory { at: start, end, members, wraps, shift: 0 };
    if start <= end && begins(source, start)? {
        return Ok(Some(told));
    }
    match end.checked_sub(size) {
        Some(at) if at >= start && begins(source, at)? => Ok(Some(Directory { at, shift: at - start, ..told })),
        _ => Ok(None),
    }
}

/// Finds the end record of zips with more or larger members than the usual one can tell.
fn find_large_end(source: &mut dyn Seekable, end_at: u64) -> io::Result<Option<(Vec<u8>, u64)>> {
    let Some(locator_at) = end_at.checked_sub(20) else { return Ok(None) };
    let locator = read_at(source, locator_at, 20)?;
    if !locator.starts_with(b"PK\x06\x07") || locator.len() < 20 {
        return Ok(None);
    }
    let at = u64_at(&locator, 8);
    if at > locator_at {
        return Ok(None);
    }
    let record = read_at(source, at, 56)?;
    Ok((record.len() == 56 && record.starts_with(b"PK\x06\x06")).then_some((record, at)))
}

/// What is known of a member.
struct Member {
    name: Vec<u8>,
    encrypted: bool,
    method: u64,
    /// How many bytes it takes in the zip; of a member whose header does not say it, as many as there are.
    stored: u64,
    /// How many bytes of text it says that it has.
    plain: u64,
    /// Whether the sizes cannot both be true, so that bytes may lie where no member is read.
    hides: bool,
    /// Where its header begins.
    at: u64,
}

impl Member {
    /// Reads a record of the directory. Sizes that do not fit into it stand in an extra field.
    fn read(record: &[u8], shift: u64) -> Self {
        let name_end = RECORD + u16_at(record, 28) as usize;
        let name = record[RECORD..name_end].to_vec();
        let extra = &record[name_end..name_end + u16_at(record, 30) as usize];
        let (packed, plain, at) = (u32_at(record, 20), u32_at(record, 24), u32_at(record, 42));
        let mut large = large_sizes(extra);
        let mut real = |told: u64| {
            if told != 0xffff_ffff || large.len() < 8 {
                return told;
            }
            let value = u64_at(large, 0);
            large = &large[8..];
            value
        };
        // In this order.
        let (plain, packed, at) = (real(plain), real(packed), real(at));
        let method = u16_at(record, 10);
        let encrypted = u16_at(record, 8) & 0x2041 != 0 || method == 99;
        // What is stored as it is has one size.
        let hides = (packed == 0 && plain > 0) || (method == 0 && packed != plain && !encrypted);
        Self { name, encrypted, method, stored: packed, plain, hides, at: at.saturating_add(shift) }
    }
}

/// The extra field that holds sizes of eight bytes.
fn large_sizes(mut extra: &[u8]) -> &[u8] {
    while extra.len() >= 4 {
        let length = u16_at(extra, 2) as usize;
        let Some(field) = extra.get(4..4 + length) else { break };
        if u16_at(extra, 0) == 1 {
            return field;
        }
        extra = &extra[4 + length..];
    }
    &[]
}

/// Reads the directory's records, a piece of it at a time.
struct Records {
    next: u64,
    end: u64,
    bytes: Vec<u8>,
    used: usize,
}

impl Records {
    /// Returns the bytes of the next record; nothing where none follows.
    fn next(&mut self, source: &mut dyn Seekable) -> io::Result<Option<&[u8]>> {
        if !self.fill(source, RECORD)? || !self.bytes[self.used..].starts_with(b"PK\x01\x02") {
            return Ok(None);
        }
        let record = &self.bytes[self.used..];
        let length = RECORD + [28, 30, 32].map(|at| u16_at(record, at) as usize).iter().sum::<usize>();
        if !self.fill(source, length)? {
            return Ok(None);
        }
        let start = self.used;
        self.used += length;
        Ok(Some(&self.bytes[start..start + length]))
    }

    /// Has at least so many bytes ready; returns false where the directory ends before.
    fn fill(&mut self, source: &mut dyn Seekable, length: usize) -> io::Result<bool> {
        if self.bytes.len() - self.used < length && self.next < self.end {
            self.bytes.drain(..self.used);
            self.used = 0;
            let step = (STEP.max(length) as u64).min(self.end - self.next) as usize;
            let more = read_at(source, self.next, step)?;
            self.next = if more.is_empty() { self.end } else { self.next + more.len() as u64 };
            self.bytes.extend(more);
        }
        Ok(self.bytes.len() - self.used >= length)
    }
}

fn walk_directory(
    source: &mut dyn Seekable,
    directory: Directory,
    path: &[u8],
    depth: usize,
    walker: &mut Walker<'_, '_>,
) -> Result<()> {
    let mut records = Records { next: directory.at, end: directory.end, bytes: Vec::new(), used: 0 };
    let mut seen = 0_u64;
    loop {
        let member = match records.next(source) {
            Ok(Some(record)) => Member::read(record, directory.shift),
            Ok(None) => break,
            Err(error) => {
                walker.budget.damaged(path, &error.to_string());
                return Ok(());
            }
        };
        seen += 1;
        if !walker.budget.enter() {
            return Ok(());
        }
        if walker.budget.is_spent() {
            walker.budget.leave_out(Skip::ArchiveTotal);
            return Ok(());
        }
        take_member(source, &member, path, depth, walker)?;
    }
    let counted = if directory.wraps { seen & 0xffff } else { seen };
    if counted != directory.members {
        walker.budget.damaged(path, "the directory of the zip breaks off before its end");
    }
    Ok(())
}

fn take_member(
    source: &mut dyn Seekable,
    member: &Member,
    path: &[u8],
    depth: usize,
    walker: &mut Walker<'_, '_>,
) -> Result<()> {
    if member.stored == 0 && !member.hides {
        return Ok(());
    }
    if member.encrypted {
        walker.budget.leave_out(Skip::ArchiveEncrypted);
        return Ok(());
    }
    let name = member_path(path, &member.name);
    if member.hides {
        walker.budget.damaged(&name, "the zip tells two sizes of which one must be wrong");
    }
    match data_at(source, member.at) {
        Ok(Some(data)) => read_member(source, member, data, name, depth, walker).map(|_| ()),
        Ok(None) => {
            walker.budget.damaged(&name, "the directory of the zip names a place where no member begins");
            Ok(())
        }
        Err(error) => {
            walker.budget.damaged(&name, &error.to_string());
            Ok(())
        }
    }
}

/// Where the bytes of the member lie whose header begins at `at`.
fn data_at(source: &mut dyn Seekable, at: u64) -> io::Result<Option<u64>> {
    let header = read_at(source, at, LOCAL)?;
    let fits = header.len() == LOCAL && header.starts_with(b"PK\x03\x04");
    Ok(fits.then(|| at + LOCAL as u64 + u16_at(&header, 26) + u16_at(&header, 28)))
}

/// Hands out the text of a member whose bytes lie at `data`; returns how many of them its decoder took.
fn read_member(
    source: &mut dyn Seekable,
    member: &Member,
    data: u64,
    name: Vec<u8>,
    depth: usize,
    walker: &mut Walker<'_, '_>,
) -> Result<u64> {
    if let Some(text) = inflate_at_once(source, member, data, &walker.budget.limits) {
        let consumed = Arc::new(AtomicU64::new(member.stored));
        return metered(&mut io::Cursor::new(text), consumed, name, depth, walker);
    }
    if let Err(error) = source.seek(SeekFrom::Start(data)) {
        walker.budget.damaged(&name, &error.to_string());
        return Ok(0);
    }
    let (packed, consumed) = counted(source.take(member.stored));
    let packed_as = match member.method {
        0 => {
            let mut packed = packed;
            return metered(&mut packed, consumed, name, depth, walker);
        }
        8 => {
            let mut decoder = flate2::bufread::DeflateDecoder::new(BufReader::new(packed));
            metered(&mut decoder, consumed, name, depth, walker)?;
            return Ok(decoder.total_in());
        }
        12 => Format::Bzip2,
        93 => Format::Zstd,
        95 => Format::Xz,
        _ => {
            walker.budget.leave_out(Skip::ArchiveFormat);
            return Ok(0);
        }
    };
    match decoders::open(packed_as, packed, walker.budget) {
        Some(mut decoder) => metered(&mut decoder, consumed, name, depth, walker),
        None => {
            walker.budget.leave_out(Skip::ArchiveMemory);
            Ok(0)
        }
    }
}

/// The largest text that is inflated in one go, in bytes.
const AT_ONCE: u64 = 4 << 20;

/// Inflates a small member in one go, which takes a third of the time; nothing where its sizes are not true, or for other
/// members.
fn inflate_at_once(source: &mut dyn Seekable, member: &Member, data: u64, limits: &Limits) -> Option<Vec<u8>> {
    let most = limits.ratio_from.max(member.stored.saturating_mul(limits.ratio)).min(AT_ONCE);
    if member.method != 8 || member.stored > AT_ONCE || member.plain > most {
        return None;
    }
    let packed = read_at(source, data, member.stored as usize).ok()?;
    let mut text = vec![0; member.plain as usize];
    let length = libdeflater::Decompressor::new().deflate_decompress(&packed, &mut text).ok()?;
    text.truncate(length);
    Some(text)
}

fn metered(
    text: &mut (dyn Read + Send),
    consumed: Arc<AtomicU64>,
    name: Vec<u8>,
    depth: usize,
    walker: &mut Walker<'_, '_>,
) -> Result<u64> {
    let mut text = Metered::decoded(text, walker.budget, Arc::clone(&consumed)).named(&name);
    walker.member(name, &mut text, depth)?;
    Ok(consumed.load(Ordering::Relaxed))
}

/// Hands out the members of a zip without a directory, as long as one header follows the other.
fn walk_from_the_first(
    source: &mut dyn Seekable,
    path: &[u8],
    depth: usize,
    walker: &mut Walker<'_, '_>,
) -> Result<()> {
    let mut at = 0;
    while let Ok(Some(found)) = find_header(source, at) {
        let Ok(header) = read_at(source, found, LOCAL) else { break };
        if header.len() < LOCAL || !walker.budget.enter() {
            break;
        }
        let names = (u16_at(&header, 26), u16_at(&header, 28));
        let data = found + LOCAL as u64 + names.0 + names.1;
        let flags = u16_at(&header, 6);
        // With this flag the sizes stand behind the member, and its decoder knows where it ends.
        let unknown = flags & 8 != 0 && u32_at(&header, 18) == 0;
        let member = Member {
            name: read_at(source, found + LOCAL as u64, names.0 as usize).unwrap_or_default(),
            encrypted: flags & 0x2041 != 0 || u16_at(&header, 8) == 99,
            method: u16_at(&header, 8),
            stored: if unknown { u64::MAX >> 1 } else { u32_at(&header, 18) },
            plain: u64::MAX,
            hides: false,
            at: found,
        };
        let taken = match (member.encrypted, unknown && member.method != 8) {
            (true, _) => {
                walker.budget.leave_out(Skip::ArchiveEncrypted);
                0
            }
            // Nothing says where it ends: its bytes are looked at as part of the whole zip.
            (_, true) => 0,
            _ => read_member(source, &member, data, member_path(path, &member.name), depth, walker)?,
        };
        at = data + if unknown { taken } else { member.stored };
    }
    Ok(())
}

/// Finds the next header of a member, at most a piece of the directory's size ahead.
fn find_header(source: &mut dyn Seekable, from: u64) -> io::Result<Option<u64>> {
    if read_at(source, from, 4)? == b"PK\x03\x04" {
        return Ok(Some(from));
    }
    let bytes = read_at(source, from, STEP)?;
    Ok(memchr::memmem::find(&bytes, b"PK\x03\x04").map(|at| from + at as u64))
}
