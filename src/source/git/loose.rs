//! Loose objects: one file each, read with every size checked before memory is set aside for it.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::ZlibDecoder;

use crate::source::file::open_of_git;
use crate::source::git::object::{ObjectId, ObjectKind, UnreadReason};
use crate::source::git::objects::Limits;

/// The longest header: the longest kind, a space, 20 digits and a NUL.
const LONGEST_HEADER: usize = 32;
/// As much as the body's buffer may be set aside on a header's word alone.
const TRUSTED_SIZE: usize = 1 << 20;

/// The folders `00` to `ff` of one objects folder.
#[derive(Debug)]
pub(crate) struct LooseStore {
    folder: PathBuf,
}

/// What reading a loose object came to.
#[derive(Debug)]
pub(crate) enum LooseObject {
    /// It was read; its bytes are in the buffer.
    Whole(ObjectKind),
    /// It is of a kind that was not asked for.
    OtherKind,
    /// There is no such file.
    Absent,
}

impl LooseStore {
    /// Names the objects folder; nothing is read yet.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.into() }
    }

    /// Returns one of the 256 folders.
    pub(crate) fn folder_path(&self, first_byte: u8) -> PathBuf {
        self.folder.join(format!("{first_byte:02x}"))
    }

    /// Returns where an object is or would be.
    pub(crate) fn path(&self, id: &ObjectId) -> PathBuf {
        let name = id.to_string();
        self.folder.join(&name[..2]).join(&name[2..])
    }

    /// Returns whether there is a file for an id.
    pub(crate) fn contains(&self, id: &ObjectId) -> bool {
        self.path(id).is_file()
    }

    /// Guesses the number of objects from one folder of the 256, as git does.
    pub(crate) fn estimate(&self) -> u64 {
        self.list(0x17).map_or(0, |ids| ids.len() as u64 * 256)
    }

    /// Lists the ids in one of the 256 folders, in order. Files that are named otherwise are no objects.
    ///
    /// # Errors
    /// Where the folder is there but cannot be listed.
    pub(crate) fn list(&self, first_byte: u8) -> io::Result<Vec<ObjectId>> {
        let name = format!("{first_byte:02x}");
        let entries = match std::fs::read_dir(self.folder.join(&name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut ids = Vec::new();
        for entry in entries {
            let rest = entry?.file_name();
            let full_name = [name.as_bytes(), rest.as_encoded_bytes()].concat();
            ids.extend(ObjectId::from_hex(&full_name));
        }
        ids.sort_unstable();
        Ok(ids)
    }

    /// Returns the kind of an object from its header.
    pub(crate) fn kind(&self, id: &ObjectId) -> Result<ObjectKind, UnreadReason> {
        let file = open_of_git(&self.path(id)).map_err(damaged)?;
        let (kind, _) = read_header(&mut ZlibDecoder::new(BufReader::with_capacity(1 << 10, file)))?;
        Ok(kind)
    }

    /// Reads an object of one of these kinds into `body`; of another kind no more than its header is read.
    pub(crate) fn read(
        &self,
        id: &ObjectId,
        kinds: &[ObjectKind],
        limits: &Limits,
        body: &mut Vec<u8>,
    ) -> Result<LooseObject, UnreadReason> {
        let file = match open_of_git(&self.path(id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(LooseObject::Absent),
            file => file.map_err(damaged)?,
        };
        let mut decoder = ZlibDecoder::new(BufReader::with_capacity(16 << 10, file));
        let (kind, size) = read_header(&mut decoder)?;
        if !kinds.contains(&kind) {
            return Ok(LooseObject::OtherKind);
        }
        read_body(&mut decoder, limits.check(size)?, body)?;
        Ok(LooseObject::Whole(kind))
    }
}

/// Reads "kind size NUL" from the head of an object.
fn read_header(decoder: &mut ZlibDecoder<BufReader<File>>) -> Result<(ObjectKind, u64), UnreadReason> {
    let mut header = [0; LONGEST_HEADER];
    let mut length = 0;
    loop {
        let byte = header.get_mut(length..=length).ok_or_else(|| damaged("its header has no end"))?;
        decoder.read_exact(byte).map_err(damaged)?;
        if byte[0] == 0 {
            break;
        }
        length += 1;
    }
    parse_header(&header[..length]).ok_or_else(|| damaged("its header is malformed"))
}

fn parse_header(header: &[u8]) -> Option<(ObjectKind, u64)> {
    let (kind, size) = std::str::from_utf8(header).ok()?.split_once(' ')?;
    let kind = match kind {
        "commit" => ObjectKind::Commit,
        "tree" => ObjectKind::Tree,
        "blob" => ObjectKind::Blob,
        "tag" => ObjectKind::Tag,
        _ => return None,
    };
    let digits = size.bytes().all(|byte| byte.is_ascii_digit());
    Some((kind, size.parse().ok().filter(|_| digits)?))
}

/// Reads a body of exactly `size` bytes.
fn read_body(decoder: &mut impl Read, size: usize, body: &mut Vec<u8>) -> Result<(), UnreadReason> {
    body.clear();
    body.reserve(size.min(TRUSTED_SIZE));
    // One byte more than declared tells a body that is too long, and makes the decoder check its sum.
    let wanted = u64::try_from(size).map_or(u64::MAX, |size| size.saturating_add(1));
    decoder.take(wanted).read_to_end(body).map_err(damaged)?;
    match body.len().cmp(&size) {
        std::cmp::Ordering::Less => Err(damaged("it inflates to less than it declares")),
        std::cmp::Ordering::Greater => Err(damaged("it inflates to more than it declares")),
        std::cmp::Ordering::Equal => Ok(()),
    }
}

fn damaged(how: impl std::fmt::Display) -> UnreadReason {
    UnreadReason::Damaged(how.to_string())
}
