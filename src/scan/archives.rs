//! Scans what lies in archives. Each member is a text of its own, whose places are counted from its own beginning; a large
//! one goes through in chunks, as a large file does. What was left out of an archive is counted and said here; the bytes of
//! one that cannot be decoded are left to the caller, who has them.

use std::ffi::OsStr;
use std::io::{Cursor, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::chunks::{self, CHUNK};
use super::collect::{Hit, Scene};
use super::files::{Context, Place, STANDARD_INPUT};
use super::records::{self, TextKind};
use super::tally::Tally;
use super::text::{TextHits, TextScanner, TextWorker};
use crate::error::{Error, Problem, Result};
use crate::finding::SourceKind;
use crate::source::Skip;
use crate::source::archive::{self, Format, HEAD, Limits, Outcome, Seekable, Source};

/// A member with something in it.
#[derive(Debug)]
pub(super) struct Member {
    /// The path below the archive, with the mark before it; empty for what is merely compressed.
    pub(super) path: Vec<u8>,
    /// What it holds.
    pub(super) hits: TextHits,
}

/// What the members of an archive hold.
#[derive(Debug)]
pub(super) struct Unpacked {
    /// Those with something in them, in the order of the archive.
    pub(super) members: Vec<Member>,
    /// How many there are, and how many bytes they have.
    pub(super) texts: u64,
    pub(super) bytes: u64,
    /// What was left out.
    pub(super) outcome: Outcome,
    format: Format,
}

impl Unpacked {
    /// Whether the archive's own bytes have to be looked at too, since what they hold did not all come out.
    pub(super) fn is_text_as_well(&self) -> bool {
        self.outcome.damage.is_some() || self.format.is_text_as_well()
    }

    /// Counts what was scanned, and says what was left out of the archive of this name. A person who names an archive as a
    /// target wants all of it: where it is damaged, the scan is not complete.
    pub(super) fn note(&self, tally: &Tally<'_>, name: &str, is_target: bool) {
        tally.scanned(self.texts, self.bytes);
        for (reason, count) in &self.outcome.left_out {
            tally.skip(*reason, *count, || name.to_owned());
        }
        for member in &self.members {
            let place = || format!("{name}{}", String::from_utf8_lossy(&member.path));
            tally.skip(Skip::MatchCap, member.hits.beyond_cap, place);
            tally.spent(member.hits.spending, place);
        }
        if let Some(reason) = self.outcome.damage.as_ref().filter(|_| is_target) {
            let reason = format!("not all of it can be decoded ({reason}); its bytes were scanned as they are");
            tally.problem(Problem::new(name, reason));
        }
        let quiet = |reason: Skip| reason == Skip::ArchiveDamaged || (reason == Skip::ArchiveFormat && !is_target);
        let told: Vec<String> =
            self.outcome.left_out.iter().filter(|(reason, _)| !quiet(**reason)).map(in_words).collect();
        if !told.is_empty() {
            tally.warn(format!("{name}: not everything in it was scanned: {}", told.join("; ")));
        }
    }
}

/// Says what was left out of an archive.
fn in_words((reason, count): (&Skip, &u64)) -> String {
    match reason {
        Skip::ArchiveMember => format!("{count} members are larger than the limit for one"),
        Skip::ArchiveTotal => "more came out of it than the limit for all of it".into(),
        Skip::ArchiveRatio => format!("{count} texts are compressed beyond the limit"),
        Skip::ArchiveEntries => "it has more members than the limit".into(),
        Skip::ArchiveDepth => format!("{count} archives lie deeper in others than the limit"),
        Skip::ArchiveMemory => format!("{count} archives in it need more memory than the limit"),
        Skip::ArchiveEncrypted => format!("{count} members are encrypted"),
        Skip::ArchiveFormat => format!("{count} archives or members are packed in a way that is not read"),
        other => format!("{count} {}", other.name()),
    }
}

/// On which threads large members are scanned.
#[derive(Clone, Copy)]
enum Threads<'scan> {
    /// On this one.
    This,
    /// On all of the current pool, which must not wait for this one.
    All(&'scan TextScanner<'scan>),
}

/// How archives are taken apart.
#[derive(Clone, Copy)]
struct Unpacking<'scan> {
    limits: Limits,
    threads: Threads<'scan>,
    /// Whether a person wants to stop.
    stop: &'scan (dyn Fn() -> bool + Sync),
    /// Told how many bytes were scanned.
    seen: &'scan dyn Fn(u64),
    /// Where the archive lies and what sort of text it holds, if its records are to tell more.
    records: Option<(&'scan Path, Option<TextKind>)>,
}

impl Unpacking<'_> {
    /// Scans the members of an archive.
    ///
    /// # Errors
    /// Where the engine fails.
    fn scan(
        &self,
        worker: &mut TextWorker<'_>,
        format: Format,
        source: Source<'_>,
        size: Option<u64>,
    ) -> Result<Unpacked> {
        let mut found = Unpacked { members: Vec::new(), texts: 0, bytes: 0, outcome: Outcome::default(), format };
        let mut buffer = Vec::new();
        let outcome = archive::walk(format, source, size, self.limits, self.stop, &mut |path, text| {
            let (hits, bytes) = self.scan_member(worker, path, text, &mut buffer)?;
            found.texts += 1;
            found.bytes += bytes;
            (self.seen)(bytes);
            if !hits.is_empty() {
                found.members.push(Member { path: path.to_vec(), hits });
            }
            Ok(())
        })?;
        Ok(Unpacked { outcome, ..found })
    }

    fn scan_member(
        &self,
        worker: &mut TextWorker<'_>,
        path: &[u8],
        text: &mut (dyn Read + Send),
        buffer: &mut Vec<u8>,
    ) -> Result<(TextHits, u64)> {
        buffer.clear();
        // The text of a member has no faults: where it cannot be read, it ends.
        let _ = text.take(CHUNK as u64 + 1).read_to_end(buffer);
        if buffer.len() <= CHUNK {
            let mut hits = worker.scan(buffer)?;
            if let Some((archive, kind)) = self.records.filter(|_| !hits.located.is_empty()) {
                let path = [archive.as_os_str().as_bytes(), path].concat();
                records::tell(&mut hits.located, &mut &buffer[..], Path::new(OsStr::from_bytes(&path)), kind);
            }
            return Ok((hits, buffer.len() as u64));
        }
        let mut all = buffer.chain(text);
        let mut stream = match self.threads {
            Threads::This => chunks::scan_reader_alone(worker, &mut all)?,
            Threads::All(scanner) => chunks::scan_reader(scanner, &mut all, &|_| {})?,
        };
        records::tell_kind(&mut stream.hits.located, self.records.and_then(|(_, kind)| kind));
        Ok((stream.hits, stream.bytes))
    }
}

/// Scans the members of an archive that is in memory, on this thread; nothing where it is none. `path` is where it lies.
///
/// # Errors
/// Where the engine fails.
pub(super) fn scan_bytes(
    context: Context<'_>,
    worker: &mut TextWorker<'_>,
    bytes: &[u8],
    path: &Path,
) -> Result<Option<Unpacked>> {
    let records = Some((path, context.options.kind_of(path)));
    scan_in_memory(worker, bytes, records, &|| context.progress.interrupted(), &|bytes| {
        context.progress.advance(0, bytes);
    })
}

/// As [`scan_bytes`], of a blob: what a repository knows of it is told instead of what its records say.
///
/// # Errors
/// Where the engine fails.
pub(super) fn scan_blob(context: Context<'_>, worker: &mut TextWorker<'_>, bytes: &[u8]) -> Result<Option<Unpacked>> {
    scan_in_memory(worker, bytes, None, &|| context.progress.interrupted(), &|bytes| {
        context.progress.advance(0, bytes);
    })
}

/// As [`scan_blob`], for the hook, which shows no progress.
///
/// # Errors
/// Where the engine fails.
pub(super) fn scan_staged(worker: &mut TextWorker<'_>, bytes: &[u8]) -> Result<Option<Unpacked>> {
    scan_in_memory(worker, bytes, None, &|| false, &|_| {})
}

fn scan_in_memory(
    worker: &mut TextWorker<'_>,
    bytes: &[u8],
    records: Option<(&Path, Option<TextKind>)>,
    stop: &(dyn Fn() -> bool + Sync),
    seen: &dyn Fn(u64),
) -> Result<Option<Unpacked>> {
    let Some(format) = archive::recognise(bytes) else { return Ok(None) };
    let unpacking = Unpacking { limits: Limits::default(), threads: Threads::This, stop, seen, records };
    let source = Source::Seekable(&mut Cursor::new(bytes));
    unpacking.scan(worker, format, source, Some(bytes.len() as u64)).map(Some)
}

/// The hits of an archive, and whether its bytes have to be scanned as text as well.
pub(super) struct ArchiveHits {
    pub(super) hits: Vec<Hit>,
    pub(super) is_text_as_well: bool,
}

/// Makes hits of what the members of a file hold; counts and says what belongs to it.
pub(super) fn member_hits(context: Context<'_>, unpacked: &Unpacked, place: &Place<'_>, name: &str) -> Vec<Hit> {
    unpacked.note(context.tally, name, place.is_target);
    let mut hits = Vec::new();
    for member in &unpacked.members {
        let path = [place.shown, &member.path].concat();
        context.explain(&String::from_utf8_lossy(&path), &member.hits);
        context.progress.found(member.hits.located.len() as u64);
        let scene = Scene::plain(SourceKind::Archive, place.target, &path);
        hits.extend(member.hits.located.iter().map(|located| scene.hit(located, 0)));
    }
    hits
}

/// Scans the members of a file on all threads, where it is an archive; it is left at its first byte.
///
/// # Errors
/// Where the engine fails; a file that cannot be read is left to the scan of its bytes.
pub(super) fn scan_seekable(
    context: Context<'_>,
    file: &mut dyn Seekable,
    size: u64,
    place: &Place<'_>,
    path: &Path,
) -> Result<ArchiveHits> {
    let name = &path.display().to_string();
    let mut head = Vec::with_capacity(HEAD);
    let read = file.take(HEAD as u64).read_to_end(&mut head);
    let unread = ArchiveHits { hits: Vec::new(), is_text_as_well: true };
    let Some(format) = read.ok().and_then(|_| archive::recognise(&head)) else {
        return rewound(file, name, unread);
    };
    file.rewind().map_err(Error::io(name))?;
    let unpacked = scan_on_all_threads(context, format, Source::Seekable(file), Some(size), path)?;
    let hits = member_hits(context, &unpacked, place, name);
    let is_text_as_well = unpacked.is_text_as_well();
    if !is_text_as_well {
        context.tally.scanned(1, size);
    }
    rewound(file, name, ArchiveHits { hits, is_text_as_well })
}

/// Goes back to the first byte of a file, for the scan of its bytes.
fn rewound(file: &mut dyn Seekable, name: &str, hits: ArchiveHits) -> Result<ArchiveHits> {
    if hits.is_text_as_well {
        file.rewind().map_err(Error::io(name))?;
    }
    Ok(hits)
}

fn scan_on_all_threads(
    context: Context<'_>,
    format: Format,
    source: Source<'_>,
    size: Option<u64>,
    path: &Path,
) -> Result<Unpacked> {
    let unpacking = Unpacking {
        limits: Limits::default(),
        threads: Threads::All(context.scanner),
        stop: &|| context.progress.interrupted(),
        seen: &|bytes| context.progress.advance(0, bytes),
        records: Some((path, context.options.kind_of(path))),
    };
    unpacking.scan(&mut context.scanner.worker()?, format, source, size)
}

/// A text that comes once.
pub(super) type Text<'stream> = Box<dyn Read + Send + 'stream>;

/// Scans the members of what comes once, where it is an archive. Returns the text that is left to be scanned: all of it
/// where it is none. One that fits into memory is read like a file; a larger one goes through once.
///
/// # Errors
/// Where the engine fails.
pub(super) fn scan_stream<'stream>(
    context: Context<'_>,
    stream: &'stream mut (dyn Read + Send),
    place: &Place<'_>,
) -> Result<(Vec<Hit>, Option<Text<'stream>>)> {
    let path = Path::new(STANDARD_INPUT);
    let mut start = Start::default();
    start.read(stream, HEAD as u64);
    let Some(format) = archive::recognise(&start.bytes) else {
        return Ok((Vec::new(), Some(start.and(stream))));
    };
    start.read(stream, Limits::default().held_bytes);
    if start.ended {
        let size = start.bytes.len() as u64;
        let unpacked = scan_seekable(context, &mut Cursor::new(&start.bytes[..]), size, place, path)?;
        let text = unpacked.is_text_as_well.then(|| start.and(stream));
        return Ok((unpacked.hits, text));
    }
    if format == Format::Sqlite {
        return Ok((Vec::new(), Some(start.and(stream))));
    }
    if matches!(format, Format::Zip | Format::Other) {
        let reason = "is an archive that cannot be read from standard input; name the file instead";
        context.tally.problem(Problem::new(STANDARD_INPUT, reason));
        return Ok((Vec::new(), Some(start.and(stream))));
    }
    let mut all = start.and(stream);
    let unpacked = scan_on_all_threads(context, format, Source::Stream(&mut *all), None, path)?;
    Ok((member_hits(context, &unpacked, place, STANDARD_INPUT), None))
}

/// The beginning of a stream.
#[derive(Default)]
pub(super) struct Start {
    pub(super) bytes: Vec<u8>,
    /// Whether that is all.
    pub(super) ended: bool,
    fault: Option<std::io::Error>,
}

impl Start {
    /// Reads on until so many bytes are there.
    pub(super) fn read(&mut self, stream: &mut (dyn Read + Send), length: u64) {
        let missing = length.saturating_sub(self.bytes.len() as u64);
        match stream.take(missing).read_to_end(&mut self.bytes) {
            Ok(_) => self.ended = (self.bytes.len() as u64) < length,
            Err(error) => self.fault = Some(error),
        }
    }

    /// The whole stream again; a fault comes where it came.
    pub(super) fn and<'stream>(self, stream: &'stream mut (dyn Read + Send)) -> Text<'stream> {
        let bytes = Cursor::new(self.bytes);
        match self.fault {
            Some(error) => Box::new(bytes.chain(Broken(Some(error)))),
            None => Box::new(bytes.chain(stream)),
        }
    }
}

/// A reader that fails once.
struct Broken(Option<std::io::Error>);

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
