//! Reads the few objects that a staged change needs: commits for their trees, trees, blobs. Where and how they are stored
//! is the business of [`crate::source::git::objects`].

use std::ops::Range;

use memchr::memchr;

use super::{Result, StagedRepository};
use crate::source::git::object::{ObjectId, ObjectKind, Unread, UnreadReason};
use crate::source::git::objects::Limits;

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
        let data = self.object(id, ObjectKind::Tree, LARGEST_TREE).map_err(|unread| self.unreadable(id, &unread))?;
        Tree::parse(id, data).ok_or_else(|| self.failure(format!("tree {id} is malformed")))
    }

    /// Reads the tree of a commit.
    pub(super) fn tree_of_commit(&self, id: ObjectId) -> Result<Tree> {
        let data = self.object(id, ObjectKind::Commit, LARGEST_TREE).map_err(|unread| self.unreadable(id, &unread))?;
        let tree = data.strip_prefix(b"tree ").and_then(|rest| ObjectId::from_hex(rest.get(..40)?));
        self.tree(tree.ok_or_else(|| self.failure(format!("commit {id} is malformed")))?)
    }

    /// Reads one object of a kind and of at most `largest` bytes.
    pub(super) fn object(&self, id: ObjectId, kind: ObjectKind, largest: u64) -> Result<Vec<u8>, Unread> {
        let limits = Limits { max_object_bytes: largest, ..Limits::default() };
        let unread = |how: String| {
            let place = self.repository.commondir().display().to_string();
            Unread { id: Some(id), place, reason: UnreadReason::Damaged(how) }
        };
        match self.objects.read_within(&id, &limits)? {
            Some((found, data)) if found == kind => Ok(data),
            Some((found, _)) => Err(unread(format!("it is a {found:?}, where a {kind:?} is needed").to_lowercase())),
            None => Err(unread(self.missing())),
        }
    }

    /// Says that an object is missing, and what could not be opened, which may be why.
    fn missing(&self) -> String {
        let faults = self.objects.unopened().iter().filter_map(|unread| match &unread.reason {
            UnreadReason::Damaged(how) => Some(format!("; {}: {how}", unread.place)),
            UnreadReason::TooLarge { .. } => None,
        });
        "it is in no store of objects".to_owned() + &faults.collect::<String>()
    }

    fn unreadable(&self, id: ObjectId, unread: &Unread) -> super::Error {
        match &unread.reason {
            UnreadReason::TooLarge { size } => self.failure(format!("object {id} is too large ({size} bytes)")),
            UnreadReason::Damaged(how) => self.failure(format!("object {id} cannot be read: {how}")),
        }
    }
}
