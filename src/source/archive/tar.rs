//! Reads tars as a stream of blocks. The names, sizes and ends that a tar declares decide where its members lie and nothing
//! else; where they make no sense any more, what is left is taken as text.

use std::io::Read;

use super::budget::Metered;
use super::{HEAD, Walker, member_path};
use crate::error::Result;

/// The longest name or extended header that is kept, in bytes.
const LONGEST_HEADER: u64 = 1 << 20;

/// What becomes of the rest of a tar whose headers make no sense any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// It is a text of its own: the stream comes only once.
    IsText,
    /// It is left alone, since all bytes of the tar are looked at once more.
    IsReadAgain,
}

/// Whether the checksum of a header fits.
pub(super) fn checksum_fits(header: &[u8]) -> bool {
    // Most texts have no octal number there.
    let Some(told) = octal(&header[148..156]) else { return false };
    let sum = |byte: fn(u8) -> i64| -> i64 {
        let fields = header.iter().enumerate();
        fields.map(|(at, value)| if (148..156).contains(&at) { 32 } else { byte(*value) }).sum()
    };
    // Old programs took bytes for signed numbers.
    told != 0 && (sum(i64::from) == told as i64 || sum(|byte| i64::from(byte.cast_signed())) == told as i64)
}

/// Reads a number in octal digits, with spaces before and a space or a zero byte behind.
fn octal(field: &[u8]) -> Option<u64> {
    let digits = field.trim_ascii_start();
    let end = digits.iter().position(|byte| matches!(byte, 0 | b' ')).unwrap_or(digits.len());
    let (digits, rest) = digits.split_at(end);
    if rest.iter().any(|byte| !matches!(byte, 0 | b' ')) {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| match digit {
        b'0'..=b'7' => number.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// Reads a size: octal, or, with the highest bit set, in bytes.
fn size(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 == 0 {
        return octal(field);
    }
    // A negative number has the next bit set too.
    let first = u64::from(field[0] & 0x7f);
    field[1..].iter().try_fold(first, |number, byte| number.checked_mul(256)?.checked_add(u64::from(*byte)))
}

/// What stands before the first zero byte.
fn until_zero(field: &[u8]) -> &[u8] {
    &field[..memchr::memchr(0, field).unwrap_or(field.len())]
}

/// What headers say of the member that comes after them.
#[derive(Default)]
struct Announced {
    path: Option<Vec<u8>>,
    size: Option<u64>,
}

impl Announced {
    /// Takes the records of an extended header, each `LENGTH KEY=VALUE` with a line feed.
    fn read(&mut self, mut records: &[u8]) {
        while let Some(space) = memchr::memchr(b' ', records) {
            let length = std::str::from_utf8(&records[..space]).ok().and_then(|digits| digits.parse::<usize>().ok());
            let Some(record) = length.and_then(|length| records.get(space + 1..length)) else { return };
            records = &records[space + 1 + record.len()..];
            let record = record.strip_suffix(b"\n").unwrap_or(record);
            let Some(equals) = memchr::memchr(b'=', record) else { continue };
            let value = &record[equals + 1..];
            match &record[..equals] {
                b"path" | b"GNU.sparse.name" => self.path = Some(value.to_vec()),
                b"size" => self.size = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()),
                _ => {}
            }
        }
    }
}

/// Hands out the members of a tar.
pub(super) fn walk(
    stream: &mut (dyn Read + Send),
    path: &[u8],
    depth: usize,
    rest: Rest,
    walker: &mut Walker<'_, '_>,
) -> Result<()> {
    let mut announced = Announced::default();
    let mut header = [0; HEAD];
    loop {
        match read_block(stream, &mut header) {
            Ok(0) => return Ok(()),
            Ok(HEAD) if header.iter().all(|byte| *byte == 0) => continue,
            Ok(HEAD) if checksum_fits(&header) => {}
            Ok(length) => {
                walker.budget.damaged(path, "a header of the tar makes no sense; what follows is no member");
                if rest == Rest::IsText {
                    let mut left = header[..length].chain(stream);
                    let mut text = Metered::plain(&mut left, walker.budget);
                    (walker.visit)(&member_path(path, b"<rest of a damaged archive>"), &mut text)?;
                }
                return Ok(());
            }
            Err(error) => {
                walker.budget.damaged(path, &error.to_string());
                return Ok(());
            }
        }
        if !walker.budget.enter() {
            return Ok(());
        }
        if !take_member(stream, &header, path, depth, &mut announced, walker)? {
            return Ok(());
        }
    }
}

/// Reads a block, or what is left of it; returns how many bytes there are.
fn read_block(stream: &mut (dyn Read + Send), block: &mut [u8; HEAD]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < block.len() {
        match stream.read(&mut block[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Takes what one header speaks of; returns false where the stream breaks off in it.
fn take_member(
    stream: &mut (dyn Read + Send),
    header: &[u8; HEAD],
    path: &[u8],
    depth: usize,
    announced: &mut Announced,
    walker: &mut Walker<'_, '_>,
) -> Result<bool> {
    let Some(told) = size(&header[124..136]) else {
        walker.budget.damaged(path, "the size of a member of the tar makes no sense");
        return Ok(false);
    };
    let kind = header[156];
    match kind {
        b'x' | b'g' | b'L' | b'K' => {
            let mut bytes = Vec::new();
            let whole = within(stream, told, &mut |text| {
                // What is kept is bounded; the rest is read over. A fault ends the tar below.
                let _ = text.take(LONGEST_HEADER).read_to_end(&mut bytes);
                Ok(())
            })?;
            match kind {
                b'L' => announced.path = Some(until_zero(&bytes).to_vec()),
                b'x' => announced.read(&bytes),
                _ => {}
            }
            return Ok(broken_off(whole, path, walker));
        }
        _ => {}
    }
    let announced = std::mem::take(announced);
    if kind == b'S' && !read_sparse_map(stream, header) {
        return Ok(broken_off(false, path, walker));
    }
    // Links, devices and folders have no text, whatever size they tell.
    let size = if matches!(kind, b'1'..=b'6') { 0 } else { announced.size.unwrap_or(told) };
    if size == 0 {
        return Ok(true);
    }
    let name = member_path(path, &announced.path.unwrap_or_else(|| name(header)));
    let whole = within(stream, size, &mut |text| {
        let mut text = Metered::plain(text, walker.budget).named(&name);
        walker.member(name.clone(), &mut text, depth)
    })?;
    Ok(broken_off(whole, &name, walker))
}

/// Notes where a stream ends before its member does; returns whether it goes on.
fn broken_off(whole: bool, path: &[u8], walker: &Walker<'_, '_>) -> bool {
    if !whole {
        walker.budget.damaged(path, "breaks off before its end");
    }
    whole
}

/// Lends the next bytes of a stream, and passes over what was not read of them and of their last block. Returns whether
/// they were all there.
fn within(
    stream: &mut (dyn Read + Send),
    size: u64,
    take: &mut dyn FnMut(&mut (dyn Read + Send)) -> Result<()>,
) -> Result<bool> {
    let mut text = stream.take(size);
    take(&mut text)?;
    // A fault is one of a stream that breaks off, and so is an end before this one.
    let _ = std::io::copy(&mut text, &mut std::io::sink());
    let missing = text.limit();
    let padding = size.next_multiple_of(HEAD as u64) - size;
    let _ = std::io::copy(&mut stream.take(padding), &mut std::io::sink());
    Ok(missing == 0)
}

/// Passes over the blocks that say where the holes of a sparse file are; returns whether they were all there.
fn read_sparse_map(stream: &mut (dyn Read + Send), header: &[u8; HEAD]) -> bool {
    let mut goes_on = header[482] != 0;
    let mut block = [0; HEAD];
    while goes_on {
        if !matches!(read_block(stream, &mut block), Ok(HEAD)) {
            return false;
        }
        goes_on = block[504] != 0;
    }
    true
}

/// The name in a header.
fn name(header: &[u8; HEAD]) -> Vec<u8> {
    let name = until_zero(&header[..100]);
    let prefix = until_zero(&header[345..500]);
    // The other sort of header has dates where this one has the beginning of a long name.
    if header[257..263] == *b"ustar\0" && !prefix.is_empty() { [prefix, b"/", name].concat() } else { name.to_vec() }
}
