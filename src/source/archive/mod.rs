//! Archives and compressed files: recognises them by their first bytes and hands out the text of their members, one after
//! another and as a stream. Nothing is written anywhere, nothing is extracted, and no name that an archive gives leads
//! anywhere: names are shown and that is all. What comes out of decoders is counted as it comes, since every size that an
//! archive declares may be a lie. Of what is found in the members this module knows nothing.

mod budget;
mod decoders;
mod format;
mod sqlite;
mod tar;
mod zip;

use std::io::{self, Cursor, Read, Seek};

pub use budget::{Limits, Outcome};
pub use format::{Format, HEAD, recognise};
pub use sqlite::PIECES;

use self::budget::{Budget, Metered};
use super::Skip;
use crate::error::Result;

/// The reasons to leave something of an archive out.
pub const SKIPS: [Skip; 9] = [
    Skip::ArchiveMember,
    Skip::ArchiveTotal,
    Skip::ArchiveRatio,
    Skip::ArchiveEntries,
    Skip::ArchiveDepth,
    Skip::ArchiveMemory,
    Skip::ArchiveEncrypted,
    Skip::ArchiveFormat,
    Skip::ArchiveDamaged,
];

/// What stands in a path between an archive and its member.
pub const MEMBER_MARK: &[u8] = b"!/";

/// An archive that can be read from any place: a file, or bytes in memory.
pub trait Seekable: Read + Seek + Send {}

impl<T: Read + Seek + Send> Seekable for T {}

/// Where an archive is read from.
pub enum Source<'source> {
    /// From any place, as often as needed.
    Seekable(&'source mut dyn Seekable),
    /// Once, from its first byte on.
    Stream(&'source mut (dyn Read + Send)),
}

/// Takes the text of members: the path below the outermost archive, empty for what is merely compressed, and its bytes.
/// Bytes that cannot be read end the text early; why is told in the [`Outcome`].
pub type Visit<'visit> = dyn FnMut(&[u8], &mut (dyn Read + Send)) -> Result<()> + 'visit;

/// Hands out the members of an archive, and those of archives in it, in the order in which they lie there.
///
/// `size` is how many bytes the archive itself has, where that is known: what comes out in all is bounded by it. The walk
/// ends early where `stop` says so.
///
/// # Errors
/// What `visit` fails with; what is wrong with the archive stands in the answer.
pub fn walk(
    format: Format,
    source: Source<'_>,
    size: Option<u64>,
    limits: Limits,
    stop: &(dyn Fn() -> bool + Sync),
    visit: &mut Visit<'_>,
) -> Result<Outcome> {
    let budget = Budget::new(limits, size, stop);
    Walker { budget: &budget, visit }.open(format, source, Vec::new(), 1)?;
    Ok(budget.finish())
}

/// A walk through an archive and those that lie in it.
struct Walker<'walk, 'visit> {
    budget: &'walk Budget<'walk>,
    visit: &'walk mut Visit<'visit>,
}

impl Walker<'_, '_> {
    /// Hands out what an archive holds, and returns whether all of it could be decoded. `path` is its own.
    fn open(&mut self, format: Format, source: Source<'_>, path: Vec<u8>, depth: usize) -> Result<bool> {
        let faults = self.budget.faults();
        match (format, source) {
            (Format::Zip, Source::Seekable(source)) => zip::walk(source, &path, depth, self)?,
            (Format::Zip, Source::Stream(_)) => self.budget.leave_out(Skip::ArchiveMemory),
            (Format::Tar, Source::Seekable(source)) => {
                let mut stream = io::BufReader::with_capacity(1 << 16, source);
                tar::walk(&mut stream, &path, depth, tar::Rest::IsReadAgain, self)?;
            }
            (Format::Tar, Source::Stream(stream)) => tar::walk(stream, &path, depth, tar::Rest::IsText, self)?,
            (Format::Sqlite, Source::Seekable(source)) => sqlite::walk(source, &path, depth, self)?,
            (Format::Sqlite, Source::Stream(_)) => self.budget.leave_out(Skip::ArchiveMemory),
            (Format::Other, _) => self.budget.leave_out(Skip::ArchiveFormat),
            (packed, Source::Seekable(source)) => self.unpack(packed, source, path, depth)?,
            (packed, Source::Stream(stream)) => self.unpack(packed, stream, path, depth)?,
        }
        Ok(self.budget.faults() == faults)
    }

    /// Hands out what a compressed file holds.
    fn unpack(&mut self, packed: Format, stream: impl Read + Send, path: Vec<u8>, depth: usize) -> Result<()> {
        let (counted, consumed) = budget::counted(stream);
        let Some(mut decoder) = decoders::open(packed, counted, self.budget) else {
            self.budget.leave_out(Skip::ArchiveMemory);
            return Ok(());
        };
        let mut text = Metered::decoded(&mut decoder, self.budget, consumed);
        self.member(path, &mut text, depth)
    }

    /// Hands out a member, or what is in it where it is an archive itself.
    fn member(&mut self, path: Vec<u8>, text: &mut (dyn Read + Send), depth: usize) -> Result<()> {
        let mut head = Vec::with_capacity(HEAD);
        // A metered text has no faults of its own: they are noted, and it ends.
        let _ = text.take(HEAD as u64).read_to_end(&mut head);
        let Some(format) = recognise(&head) else {
            return (self.visit)(&path, &mut head.chain(text));
        };
        if depth >= self.budget.limits.depth {
            self.budget.leave_out(Skip::ArchiveDepth);
            return (self.visit)(&path, &mut head.chain(text));
        }
        let Some(mut held) = self.budget.hold(self.budget.limits.held_bytes.min(self.budget.room())) else {
            return self.stream(format, path, &mut head.chain(text), depth);
        };
        held.bytes.append(&mut head);
        let missing = held.room().saturating_sub(held.bytes.len() as u64);
        let _ = text.take(missing).read_to_end(&mut held.bytes);
        let ended = (held.bytes.len() as u64) < held.room();
        held.shrink();
        if !ended {
            let bytes = std::mem::take(&mut held.bytes);
            return self.stream(format, path, &mut bytes.chain(text), depth);
        }
        let whole = self.open(format, Source::Seekable(&mut Cursor::new(&held.bytes[..])), path.clone(), depth + 1)?;
        if whole && !format.is_text_as_well() { Ok(()) } else { (self.visit)(&path, &mut &held.bytes[..]) }
    }

    /// Hands out what an archive holds that is too large to be held; one that cannot be read in one go is taken as text.
    fn stream(&mut self, format: Format, path: Vec<u8>, text: &mut (dyn Read + Send), depth: usize) -> Result<()> {
        match format {
            Format::Zip | Format::Sqlite => {
                self.budget.leave_out(Skip::ArchiveMemory);
                (self.visit)(&path, text)
            }
            Format::Other => {
                self.budget.leave_out(Skip::ArchiveFormat);
                (self.visit)(&path, text)
            }
            _ => self.open(format, Source::Stream(text), path, depth + 1).map(|_| ()),
        }
    }
}

/// The path of a member: that of its archive, the mark, its name as the archive gives it.
fn member_path(archive: &[u8], name: &[u8]) -> Vec<u8> {
    [archive, MEMBER_MARK, name].concat()
}
