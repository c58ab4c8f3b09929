//! Reads the few objects that a staged change needs: commits for their trees, trees, blobs.
//!
//! Loose objects are inflated here, with their declared size as the limit: libgit2 never returns from one whose file is
//! cut off, as a crash leaves them. Packed ones are read by git2.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::ops::Range;
use std::path::Path;

use flate2::bufread::ZlibDecoder;
use git2::ObjectType;
use memchr::memchr;

use super::{Result, StagedRepository, oid};
use crate::source::git::object::{ObjectId, ObjectKind, UnreadReason};

/// Kind, space, up to 20 digits, zero.
const LONGEST_HEADER: usize = 32;
/// So much memory is set aside on the word of a header; more only as bytes come.
const TRUSTED_SIZE: u64 = 1 << 20;
/// The largest commit or tree that is read, in bytes.
const LARGEST_TREE: u64 = 256 << 20;

/// A tree in memory.
pub(super) struct Tree {
    pub(super) id: ObjectId,
    data: Vec<u8>,
    /// Ordered by name.
    entries: Vec<TreeEntry>,
}

struct TreeEntry {
    name: Range<usize>,
    kind: ObjectKind,
    id: ObjectId,
}

impl Tree {
    /// Reads "mode SPACE name ZERO id" until the end.
    fn parse(id: ObjectId, data: Vec<u8>) -> Option<Self> {
        let mut entries = Vec::new();
        let mut position = 0;
        while position < data.len() {
            let name_start = position + memchr(b' ', &data[position..])? + 1;
            let name_end = name_start + memchr(0, &data[name_start..])?;
            let entry_id = ObjectId::from_bytes(data.get(name_end + 1..name_end + 21)?)?;
            let kind = match &data[position..name_start - 1] {
                b"40000" | b"040000" => ObjectKind::Tree,
                b"160000" => ObjectKind::Commit,
                _ => ObjectKind::Blob,
            };
            entries.push(TreeEntry { name: name_start..name_end, kind, id: entry_id });
            position = name_end + 21;
        }
        entries.sort_by(|one, other| data[one.name.clone()].cmp(&data[other.name.clone()]));
        Some(Self { id, data, entries })
    }

    /// Returns what the tree has under a name, where it is of this kind.
    pub(super) fn child(&self, name: &[u8], kind: ObjectKind) -> Option<ObjectId> {
        let found = self.entries.binary_search_by_key(&name, |entry| &self.data[entry.name.clone()]).ok()?;
        let entry = &self.entries[found];
        (entry.kind == kind).then_some(entry.id)
    }
}

impl StagedRepository {
    /// Reads a tree.
    pub(super) fn tree(&self, id: ObjectId) -> Result<Tree> {
        let data = self.object(id, ObjectKind::Tree, LARGEST_TREE).map_err(|reason| self.unreadable(id, &reason))?;
        Tree::parse(id, data).ok_or_else(|| self.failure(format!("tree {id} is malformed")))
    }

    /// Reads the tree of a commit.
    pub(super) fn tree_of_commit(&self, id: ObjectId) -> Result<Tree> {
        let data = self.object(id, ObjectKind::Commit, LARGEST_TREE).map_err(|reason| self.unreadable(id, &reason))?;
        let tree = data.strip_prefix(b"tree ").and_then(|rest| ObjectId::from_hex(rest.get(..40)?));
        self.tree(tree.ok_or_else(|| self.failure(format!("commit {id} is malformed")))?)
    }

    /// Reads one object of a kind and of at most `largest` bytes.
    pub(super) fn object(&self, id: ObjectId, kind: ObjectKind, largest: u64) -> Result<Vec<u8>, UnreadReason> {
        let own = self.repository.commondir().join("objects");
        let folders = [&own].into_iter().chain(&self.object_directory).chain(&self.alternates);
        let mut failure = None;
        for folder in folders {
            match loose(folder, id, kind, largest) {
                Ok(Some(data)) => return Ok(data),
                Ok(None) => {}
                Err(reason) => failure = Some(reason),
            }
        }
        // A damaged file ends the search: git2 would read it again.
        failure.map_or_else(|| self.other_object(id, kind, largest), Err)
    }

    fn other_object(&self, id: ObjectId, kind: ObjectKind, largest: u64) -> Result<Vec<u8>, UnreadReason> {
        let failed = |error: git2::Error| damaged(error.message());
        let odb = self.repository.odb().map_err(failed)?;
        let (size, found) = odb.read_header(oid(id)).map_err(failed)?;
        let found = match found {
            ObjectType::Commit => ObjectKind::Commit,
            ObjectType::Tree => ObjectKind::Tree,
            ObjectType::Tag => ObjectKind::Tag,
            _ => ObjectKind::Blob,
        };
        check(kind, found, size as u64, largest)?;
        Ok(odb.read(oid(id)).map_err(failed)?.data().to_vec())
    }

    fn unreadable(&self, id: ObjectId, reason: &UnreadReason) -> super::Error {
        match reason {
            UnreadReason::TooLarge { size } => self.failure(format!("object {id} is too large ({size} bytes)")),
            UnreadReason::Damaged(how) => self.failure(format!("object {id} cannot be read: {how}")),
        }
    }
}

/// Reads a loose object; nothing where the folder has no such file.
fn loose(folder: &Path, id: ObjectId, kind: ObjectKind, largest: u64) -> Result<Option<Vec<u8>>, UnreadReason> {
    let name = id.to_string();
    let path = folder.join(&name[..2]).join(&name[2..]);
    match path.metadata() {
        Ok(found) if found.is_file() => {}
        Ok(_) => return Err(damaged("it is not a regular file")),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(damaged(error)),
    }
    let mut inflated = ZlibDecoder::new(BufReader::new(File::open(path).map_err(damaged)?));
    let (found, size) = header(&mut inflated)?.ok_or_else(|| damaged("its header is malformed"))?;
    check(kind, found, size, largest)?;
    let mut data = Vec::with_capacity(usize::try_from(size.min(TRUSTED_SIZE)).unwrap_or_default());
    // One byte more than declared shows what is too long.
    inflated.take(size.saturating_add(1)).read_to_end(&mut data).map_err(damaged)?;
    if data.len() as u64 != size {
        return Err(damaged("it does not inflate to the size that it declares"));
    }
    Ok(Some(data))
}

/// Reads the kind and the size of a loose object, byte by byte so as not to take any of its content.
fn header(inflated: &mut impl Read) -> Result<Option<(ObjectKind, u64)>, UnreadReason> {
    let mut header = [0; LONGEST_HEADER];
    for length in 0..header.len() {
        inflated.read_exact(&mut header[length..=length]).map_err(damaged)?;
        if header[length] == 0 {
            return Ok(parse_header(&header[..length]));
        }
    }
    Ok(None)
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
    Some((kind, size.parse().ok()?))
}

fn check(wanted: ObjectKind, found: ObjectKind, size: u64, largest: u64) -> Result<(), UnreadReason> {
    if found != wanted {
        return Err(damaged(format!("it is a {found:?}, where a {wanted:?} is needed").to_lowercase()));
    }
    if size > largest {
        return Err(UnreadReason::TooLarge { size });
    }
    Ok(())
}

fn damaged(how: impl std::fmt::Display) -> UnreadReason {
    UnreadReason::Damaged(how.to_string())
}
