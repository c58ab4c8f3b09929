//! Buffers that a thread uses again and again, so that a walk over gigabytes allocates a handful of times.

/// Bytes with a length of their own: what is allocated beyond it stays written, so that a buffer is zeroed only once.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    length: usize,
}

impl Buffer {
    /// Sets the length. What the bytes are is not specified: the caller writes them.
    pub(crate) fn set_length(&mut self, length: usize) {
        if self.bytes.len() < length {
            // A fresh allocation comes zeroed from the system; growing in place would copy what nobody needs.
            self.bytes = Vec::new();
            self.bytes = vec![0; length.saturating_add((length / 4).min(MOST_HEADROOM)).next_multiple_of(4096)];
        }
        self.length = length;
    }

    /// Returns the bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes[..self.length]
    }

    /// Returns the bytes for writing.
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes[..self.length]
    }

    /// Returns the length in bytes.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Gives the memory back where it is more than `limit` bytes.
    pub(crate) fn shrink(&mut self, limit: usize) {
        if self.bytes.len() > limit {
            *self = Self::default();
        }
    }
}

impl From<Vec<u8>> for Buffer {
    fn from(bytes: Vec<u8>) -> Self {
        Self { length: bytes.len(), bytes }
    }
}

/// A buffer is made so much larger than asked for at most, so that the next version of a file fits as well.
const MOST_HEADROOM: usize = 1 << 20;

/// How many unused buffers one thread keeps: a delta chain needs two, a branching one a few more.
const KEPT_BUFFERS: usize = 4;
/// As many bytes they may have together, so that large files do not stay in memory for the whole walk.
const KEPT_BYTES: usize = 16 << 20;

/// The unused buffers of one thread.
#[derive(Debug, Default)]
pub(crate) struct BufferPool(Vec<Buffer>);

impl BufferPool {
    /// Hands out a buffer of exactly `length` bytes of unspecified content: the smallest that is large enough.
    pub(crate) fn take(&mut self, length: usize) -> Buffer {
        let sizes = self.0.iter().map(|buffer| buffer.bytes.len()).enumerate();
        let fitting = sizes.clone().filter(|(_, size)| *size >= length).min_by_key(|(_, size)| *size);
        let chosen = fitting.or_else(|| sizes.max_by_key(|(_, size)| *size));
        let mut buffer = chosen.map(|(index, _)| self.0.swap_remove(index)).unwrap_or_default();
        buffer.set_length(length);
        buffer
    }

    /// Takes a buffer back.
    pub(crate) fn give_back(&mut self, buffer: Buffer) {
        let kept: usize = self.0.iter().map(|buffer| buffer.bytes.len()).sum();
        if self.0.len() < KEPT_BUFFERS && kept.saturating_add(buffer.bytes.len()) <= KEPT_BYTES {
            self.0.push(buffer);
        }
    }
}
