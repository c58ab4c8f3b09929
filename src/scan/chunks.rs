//! Text of any length in a constant of memory: chunks with context on both sides. A candidate belongs to the chunk in which
//! it begins, so that none is lost at a boundary and none counted twice. A chunk evaluates the anchors near it as well:
//! what begins in it may have its anchor outside, be covered by a neighbour, or stand beside a secret to be masked.

use std::borrow::Cow;
use std::io::Read;

use rayon::prelude::*;

use super::excerpt::{self, LineCount};
use super::text::{TextHits, TextScanner, TextWorker};
use crate::error::Result;

/// How many bytes a chunk owns.
pub const CHUNK: usize = 2 << 20;
/// How many bytes of context a chunk sees on each side: more than any verdict reads.
pub const CONTEXT: usize = 128 << 10;

/// How a text is cut. Both sizes are multiples of four, so that characters of two and four bytes keep their step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ChunkSize {
    /// How many bytes a chunk owns.
    pub(crate) owned: usize,
    /// How many bytes it sees on each side: twice what a verdict may read.
    pub(crate) context: usize,
}

impl Default for ChunkSize {
    fn default() -> Self {
        Self { owned: CHUNK, context: CONTEXT }
    }
}

/// What one chunk holds, with places counted from the chunk's first owned byte.
struct ChunkHits {
    hits: TextHits,
    /// The lines that begin in it; places are in the chunk's bytes.
    lines: [LineCount; excerpt::WAYS],
}

/// A chunk and its context: `bytes[owned]` is what it owns, and `base` is where `bytes` begins in the whole text.
struct Chunk<'text> {
    bytes: Cow<'text, [u8]>,
    owned: std::ops::Range<usize>,
    base: u64,
}

/// What a stream holds.
#[derive(Debug, Default)]
pub struct StreamHits {
    /// The candidates and drops, with places in the whole text.
    pub hits: TextHits,
    /// How many bytes were read.
    pub bytes: u64,
    /// Why reading ended before the end of the text.
    pub failure: Option<String>,
}

/// Scans everything that a reader gives, several chunks at a time on the current thread pool. What was read before a
/// fault is scanned; the fault stands in the answer.
///
/// # Errors
/// Where the engine fails.
pub fn scan_reader(
    scanner: &TextScanner<'_>,
    reader: &mut (dyn Read + Send),
    seen: &dyn Fn(u64),
) -> Result<StreamHits> {
    scan_reader_in(ChunkSize::default(), scanner, reader, seen)
}

/// As [`scan_reader`], in chunks of any size.
pub(crate) fn scan_reader_in(
    size: ChunkSize,
    scanner: &TextScanner<'_>,
    reader: &mut (dyn Read + Send),
    seen: &dyn Fn(u64),
) -> Result<StreamHits> {
    let mut cutter = Cutter::new(reader, size);
    let mut lines = LineKeeper::default();
    let mut answer = StreamHits::default();
    let mut batch = cutter.next_batch();
    while !batch.is_empty() {
        // Reading waits for the disk or the system: the next chunks come in while these are looked at.
        let (scanned, next) = rayon::join(|| scan_batch(scanner, &batch, size.context / 2), || cutter.next_batch());
        let owned: u64 = batch.iter().map(|chunk| chunk.owned.len() as u64).sum();
        for (chunk, hits) in batch.iter().zip(scanned) {
            lines.take(chunk, hits?, &mut answer.hits);
        }
        answer.bytes += owned;
        seen(owned);
        batch = next;
    }
    answer.failure = cutter.failure;
    Ok(answer)
}

/// Scans everything that a reader gives, on this thread alone.
///
/// # Errors
/// Where the engine fails.
pub fn scan_reader_alone(worker: &mut TextWorker<'_>, reader: &mut (dyn Read + Send)) -> Result<StreamHits> {
    let size = ChunkSize::default();
    let mut cutter = Cutter::new(reader, size);
    let mut lines = LineKeeper::default();
    let mut answer = StreamHits::default();
    while let Some(chunk) = cutter.next() {
        let hits = scan_chunk(Ok(worker), &chunk, size.context / 2)?;
        answer.bytes += chunk.owned.len() as u64;
        lines.take(&chunk, hits, &mut answer.hits);
    }
    answer.failure = cutter.failure;
    Ok(answer)
}

/// Scans chunks on all threads of the current pool.
fn scan_batch(scanner: &TextScanner<'_>, batch: &[Chunk<'_>], margin: usize) -> Vec<Result<ChunkHits>> {
    batch.par_iter().map_init(|| scanner.worker(), |worker, chunk| scan_chunk(worker.as_mut(), chunk, margin)).collect()
}

/// Scans text that is in memory or mapped, on all threads of the current pool.
///
/// # Errors
/// Where the engine fails.
pub fn scan_mapped(scanner: &TextScanner<'_>, text: &[u8], seen: &dyn Fn(u64)) -> Result<StreamHits> {
    let chunks: Vec<Chunk<'_>> = (0..text.len())
        .step_by(CHUNK)
        .map(|start| {
            let end = (start + CHUNK).min(text.len());
            let base = start.saturating_sub(CONTEXT);
            let bytes = &text[base..(end + CONTEXT).min(text.len())];
            Chunk { bytes: Cow::Borrowed(bytes), owned: start - base..end - base, base: base as u64 }
        })
        .collect();
    let scanned = scan_batch(scanner, &chunks, CONTEXT / 2);
    let mut answer = StreamHits { bytes: text.len() as u64, ..StreamHits::default() };
    let mut lines = LineKeeper::default();
    for (chunk, hits) in chunks.iter().zip(scanned) {
        lines.take(chunk, hits?, &mut answer.hits);
    }
    seen(answer.bytes);
    Ok(answer)
}

/// Cuts what a reader gives into chunks that overlap.
struct Cutter<'reader> {
    reader: &'reader mut (dyn Read + Send),
    size: ChunkSize,
    /// Bytes that were read and are still wanted: context before, then what no chunk owns yet.
    carried: Vec<u8>,
    /// How many of them are context.
    before: usize,
    /// Where they begin in the whole text.
    base: u64,
    ended: bool,
    /// Why reading ended before the end.
    failure: Option<String>,
}

impl<'reader> Cutter<'reader> {
    fn new(reader: &'reader mut (dyn Read + Send), size: ChunkSize) -> Self {
        Self { reader, size, carried: Vec::new(), before: 0, base: 0, ended: false, failure: None }
    }

    /// Returns the next chunks, some for each thread; none at the end.
    fn next_batch(&mut self) -> Vec<Chunk<'static>> {
        let most = 2 * rayon::current_num_threads();
        std::iter::from_fn(|| self.next()).take(most).collect()
    }

    /// Returns the next chunk, nothing at the end.
    fn next(&mut self) -> Option<Chunk<'static>> {
        if self.ended {
            return None;
        }
        self.next_chunk()
            .map_err(|error| {
                self.failure = Some(error.to_string());
                self.last_chunk()
            })
            .map_or_else(|last| last, Some)
    }

    fn next_chunk(&mut self) -> std::io::Result<Chunk<'static>> {
        let wanted = self.before + self.size.owned + self.size.context;
        let missing = wanted.saturating_sub(self.carried.len());
        let read = self.reader.take(missing as u64).read_to_end(&mut self.carried)?;
        self.ended = read < missing;
        Ok(self.cut())
    }

    /// Returns what was read before a fault as the last chunk.
    fn last_chunk(&mut self) -> Option<Chunk<'static>> {
        self.ended = true;
        (self.carried.len() > self.before).then(|| self.cut())
    }

    fn cut(&mut self) -> Chunk<'static> {
        let end = if self.ended { self.carried.len() } else { self.carried.len() - self.size.context };
        let owned = self.before..end;
        let keep_from = end.saturating_sub(self.size.context);
        // With room for the next chunk: growing while it is read would copy it several times over.
        let mut carried = Vec::with_capacity(2 * self.size.context + self.size.owned + 1);
        carried.extend_from_slice(&self.carried[keep_from..]);
        let bytes = std::mem::replace(&mut self.carried, carried);
        let chunk = Chunk { bytes: Cow::Owned(bytes), owned, base: self.base };
        self.before = end - keep_from;
        self.base += keep_from as u64;
        chunk
    }
}

/// Evaluates the anchors of a chunk and those up to `margin` bytes beyond it, and keeps what begins in the chunk.
fn scan_chunk(
    worker: Result<&mut TextWorker<'_>, &mut crate::Error>,
    chunk: &Chunk<'_>,
    margin: usize,
) -> Result<ChunkHits> {
    let worker = worker.map_err(|error| crate::Error::Usage(error.to_string()))?;
    let near = chunk.owned.start.saturating_sub(margin)..(chunk.owned.end + margin).min(chunk.bytes.len());
    let mut hits = worker.scan_part(&chunk.bytes, near, chunk.owned.clone())?;
    hits.located.retain(|located| chunk.owned.contains(&located.candidate.start));
    hits.dropped.retain(|dropped| chunk.owned.contains(&dropped.start));
    Ok(ChunkHits { hits, lines: excerpt::count_lines(&chunk.bytes, chunk.owned.clone()) })
}

/// Turns places in chunks into places in the whole text; takes chunks in their order. Lines are counted once for each way
/// in which a line may end.
#[derive(Default)]
struct LineKeeper {
    feeds: [u64; excerpt::WAYS],
    /// Where the line begins that the next chunk goes on with.
    line_start: [u64; excerpt::WAYS],
}

impl LineKeeper {
    fn take(&mut self, chunk: &Chunk<'_>, found: ChunkHits, all: &mut TextHits) {
        let context = excerpt::count_lines(&chunk.bytes, 0..chunk.owned.start);
        for mut located in found.hits.located {
            let start = located.candidate.start;
            let end = excerpt::line_end(&chunk.bytes, &located.candidate);
            // A line that begins inside the chunk's bytes was measured there; one that began before was not.
            if located.line == 1 {
                located.column = (chunk.base + start as u64 + 1).saturating_sub(self.line_start[end]);
            }
            located.line = (located.line + self.feeds[end]).saturating_sub(context[end].feeds);
            located.candidate.start += chunk.base as usize;
            located.candidate.end += chunk.base as usize;
            all.located.push(located);
        }
        for mut dropped in found.hits.dropped {
            dropped.start += chunk.base as usize;
            all.dropped.push(dropped);
        }
        all.beyond_cap += found.hits.beyond_cap;
        all.spending.join(found.hits.spending);
        for (end, count) in found.lines.iter().enumerate() {
            self.feeds[end] += count.feeds;
            self.line_start[end] = count.last_start.map_or(self.line_start[end], |start| chunk.base + start as u64);
        }
    }
}
