//! Text that can be read at any place, once more after it was scanned.

use std::borrow::Cow;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;

/// A text that can be read at any place.
pub(in crate::scan) trait Text {
    /// Returns up to `length` bytes from a place on; fewer at the end, and where they cannot be read any more.
    fn bytes(&mut self, from: u64, length: usize) -> Cow<'_, [u8]>;
}

impl Text for &[u8] {
    fn bytes(&mut self, from: u64, length: usize) -> Cow<'_, [u8]> {
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(self.len());
        Cow::Borrowed(&self[from..from.saturating_add(length).min(self.len())])
    }
}

impl Text for File {
    fn bytes(&mut self, from: u64, length: usize) -> Cow<'_, [u8]> {
        let mut bytes = vec![0; length];
        let mut filled = 0;
        while filled < length {
            match self.read_at(&mut bytes[filled..], from + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        bytes.truncate(filled);
        Cow::Owned(bytes)
    }
}

/// How many bytes are read at once.
pub(super) const STEP: usize = 64 << 10;

/// Returns where the line lies that a place is on, without its line feed; at most `longest` bytes of it on each side.
pub(super) fn line_round(text: &mut dyn Text, at: u64, longest: u64) -> Range<u64> {
    let first = at.saturating_sub(longest);
    let mut start = at;
    while start > first {
        let from = start.saturating_sub(STEP as u64).max(first);
        let bytes = text.bytes(from, (start - from) as usize);
        if let Some(feed) = memchr::memrchr(b'\n', &bytes) {
            start = from + feed as u64 + 1;
            break;
        }
        start = from;
    }
    let mut end = at;
    while end < at + longest {
        let bytes = text.bytes(end, STEP);
        if bytes.is_empty() {
            break;
        }
        if let Some(feed) = memchr::memchr(b'\n', &bytes) {
            end += feed as u64;
            break;
        }
        end += bytes.len() as u64;
    }
    start..end
}
