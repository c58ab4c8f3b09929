//! Puts together the values of SQLite databases that do not fit into one page of the file: what stands across the end of a
//! page lies in two pieces there. All other values are whole in the bytes of the file, which are scanned as they are. No
//! query runs and no schema is read: the pages say where their long values go on.

use std::io::{self, Read, SeekFrom};
use std::ops::Range;

use super::budget::{Metered, counted};
use super::{Seekable, Skip, Walker, member_path};
use crate::error::Result;

/// What a database begins with.
pub(super) const MARK: &[u8] = b"SQLite format 3\0";
/// What the name of a value that was put together begins with; the number of its page follows.
pub const PIECES: &str = "<page ";
/// The length of the header of a database, in its first page.
const HEADER: usize = 100;

/// How the pages of a database are laid out.
#[derive(Clone, Copy)]
struct Layout {
    /// How large a page is.
    page: u64,
    /// How much of it is used.
    usable: u64,
}

impl Layout {
    fn read(header: &[u8]) -> Option<Self> {
        let told = u64::from(u16::from_be_bytes([*header.get(16)?, *header.get(17)?]));
        let page = if told == 1 { 65536 } else { told };
        let usable = page.checked_sub(u64::from(*header.get(20)?))?;
        (page.is_power_of_two() && page >= 512 && usable >= 480).then_some(Self { page, usable })
    }

    /// How many bytes of a value lie in its own page, where it does not fit.
    fn local(&self, value: u64, is_table: bool) -> Option<u64> {
        let most = if is_table { self.usable - 35 } else { (self.usable - 12) * 64 / 255 - 23 };
        if value <= most {
            return None;
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let fitting = least + (value - least) % (self.usable - 4);
        Some(if fitting <= most { fitting } else { least })
    }
}

/// Reads a number of one to nine bytes; returns it and its length.
fn number(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (index, byte) in bytes.iter().take(9).enumerate() {
        if index == 8 {
            return Some((value << 8 | u64::from(*byte), 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

fn page_number(bytes: &[u8]) -> Option<u64> {
    Some(u64::from(u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?)))
}

/// Hands out the values of a database that lie in several pieces.
pub(super) fn walk(source: &mut dyn Seekable, path: &[u8], depth: usize, walker: &mut Walker<'_, '_>) -> Result<()> {
    // What cannot be read here cannot be read as text either, and is told there.
    let Ok(length) = source.seek(SeekFrom::End(0)) else { return Ok(()) };
    let header = read_at(source, 0, HEADER as u64).unwrap_or_default();
    let Some(layout) = Layout::read(&header) else { return Ok(()) };
    for page in 1..=length / layout.page {
        let Ok(bytes) = read_at(source, (page - 1) * layout.page, layout.page) else { return Ok(()) };
        for (value, local) in long_values(&bytes, if page == 1 { HEADER } else { 0 }, layout) {
            if !walker.budget.enter() {
                return Ok(());
            }
            if walker.budget.is_spent() {
                walker.budget.leave_out(Skip::ArchiveTotal);
                return Ok(());
            }
            let name = member_path(path, format!("{PIECES}{page}>").as_bytes());
            let (local, next) = bytes[local.clone()].split_at(local.len() - 4);
            let next = page_number(next).unwrap_or_default();
            let left = value.saturating_sub(local.len() as u64);
            let pages = length / layout.page;
            let pieces = Pieces { source: &mut *source, layout, pages, next, left, bytes: Vec::new(), used: 0 };
            let (mut text, consumed) = counted(local.chain(pieces));
            let mut text = Metered::decoded(&mut text, walker.budget, consumed).named(&name);
            walker.member(name, &mut text, depth)?;
        }
    }
    Ok(())
}

fn read_at(source: &mut dyn Seekable, at: u64, length: u64) -> io::Result<Vec<u8>> {
    source.seek(SeekFrom::Start(at))?;
    let mut bytes = Vec::with_capacity(length as usize);
    source.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The values of a page that go on elsewhere: how long each is, and what of it lies here with the page where it goes on.
fn long_values(page: &[u8], header: usize, layout: Layout) -> Vec<(u64, Range<usize>)> {
    let Some(kind) = page.get(header) else { return Vec::new() };
    // Leaves of tables and of indexes, and the inner pages of indexes, which have a page's number before each cell.
    let (is_table, cells_at, before) = match kind {
        13 => (true, header + 8, 0),
        10 => (false, header + 8, 0),
        2 => (false, header + 12, 4),
        _ => return Vec::new(),
    };
    let Some(count) = page.get(header + 3..header + 5) else { return Vec::new() };
    let count = usize::from(u16::from_be_bytes([count[0], count[1]]));
    let cell = |index: usize| {
        let pointer = page.get(cells_at + 2 * index..cells_at + 2 * index + 2)?;
        let cell = page.get(usize::from(u16::from_be_bytes([pointer[0], pointer[1]])) + before..)?;
        let (value, length) = number(cell)?;
        let row = if is_table { number(&cell[length..])?.1 } else { 0 };
        let local = layout.local(value, is_table)? as usize;
        let start = page.len() - cell.len() + length + row;
        let end = start + local + 4;
        (end <= page.len()).then_some((value, start..end))
    };
    (0..count).filter_map(cell).collect()
}

/// What of a value lies in pages of its own, each with the number of the next one before it.
struct Pieces<'source> {
    source: &'source mut dyn Seekable,
    layout: Layout,
    /// How many pages there are.
    pages: u64,
    next: u64,
    left: u64,
    bytes: Vec<u8>,
    used: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.used == self.bytes.len() && self.left > 0 && (1..=self.pages).contains(&self.next) {
            let length = 4 + self.left.min(self.layout.usable - 4);
            self.bytes = read_at(self.source, (self.next - 1) * self.layout.page, length)?;
            self.used = self.bytes.len().min(4);
            self.next = page_number(&self.bytes).unwrap_or_default();
            self.left -= (self.bytes.len() - self.used) as u64;
        }
        let read = (&self.bytes[self.used..]).read(buffer)?;
        self.used += read;
        Ok(read)
    }
}
