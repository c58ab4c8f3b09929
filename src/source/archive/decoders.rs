//! The decoders of compressed texts, each with a bound on the memory that its window takes.

use std::io::{self, BufRead, BufReader, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::Format;
use super::budget::{Budget, Held};

/// The largest window that xz and zstd may ask for, in bytes: that of `xz -9`.
const WINDOW: u64 = 64 << 20;
/// What a decoder takes beside its window, in bytes.
const OVERHEAD: u64 = 1 << 20;

/// A decoder, with the memory that was set aside for its window.
pub(super) struct Decoder<'budget, R: Read> {
    inner: Inner<R>,
    _window: Option<Held<'budget>>,
}

enum Inner<R: Read> {
    Gzip(flate2::bufread::MultiGzDecoder<BufReader<R>>),
    Bzip2(Box<bzip2::bufread::MultiBzDecoder<BufReader<R>>>),
    Xz(Box<lzma_rust2::XzReader<BufReader<R>>>),
    Zstd(Box<Zstd<BufReader<R>>>),
}

/// Opens the decoder of a compressed text; nothing where there is no memory for it, or for a format of many members.
pub(super) fn open<'budget, R: Read>(
    packed: Format,
    stream: R,
    budget: &'budget Budget<'budget>,
) -> Option<Decoder<'budget, R>> {
    let stream = BufReader::with_capacity(1 << 16, stream);
    let window = match packed {
        Format::Xz | Format::Zstd => Some(budget.hold(WINDOW + OVERHEAD)?),
        _ => None,
    };
    let inner = match packed {
        Format::Gzip => Inner::Gzip(flate2::bufread::MultiGzDecoder::new(stream)),
        Format::Bzip2 => Inner::Bzip2(Box::new(bzip2::bufread::MultiBzDecoder::new(stream))),
        Format::Xz => {
            let kilobytes = ((WINDOW + OVERHEAD) >> 10) as u32;
            Inner::Xz(Box::new(lzma_rust2::XzReader::new_mem_limit(stream, true, kilobytes)))
        }
        Format::Zstd => Inner::Zstd(Box::new(Zstd::new(stream))),
        Format::Zip | Format::Tar | Format::Sqlite | Format::Other => return None,
    };
    Some(Decoder { inner, _window: window })
}

impl<R: Read> Read for Decoder<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.inner {
            Inner::Gzip(decoder) => decoder.read(buffer),
            Inner::Bzip2(decoder) => decoder.read(buffer),
            Inner::Xz(decoder) => decoder.read(buffer),
            Inner::Zstd(decoder) => decoder.read(buffer),
        }
    }
}

/// The frames of a zstd file one after another; those that hold no text are passed over.
struct Zstd<R> {
    stream: R,
    decoder: FrameDecoder,
    /// Whether a frame was begun and not yet read to its end.
    open: bool,
}

impl<R: BufRead> Zstd<R> {
    fn new(stream: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        Self { stream, decoder, open: false }
    }

    /// Opens the next frame with text; returns false at the end.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.stream.fill_buf()?.is_empty() {
            match self.decoder.init(&mut self.stream) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    if io::copy(&mut (&mut self.stream).take(length), &mut io::sink())? < length {
                        return Err(io::ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(io::Error::other(error)),
            }
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.open {
                self.open = self.next_frame()?;
                if !self.open {
                    return Ok(0);
                }
            }
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.decoder.is_finished() {
                self.open = false;
            } else {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder.decode_blocks(&mut self.stream, one).map_err(io::Error::other)?;
            }
        }
    }
}
