//! Compares an index with the trees before it, directory by directory.

use memchr::memchr;

use super::ask_git::Listed;
use super::objects::Tree;
use super::{Result, StagedBlob, StagedRepository};
use crate::source::git::index::{CacheTree, EntryKind, Index};
use crate::source::git::object::{ObjectId, ObjectKind};

/// A directory with something changed in it.
struct Directory<'index> {
    /// Its entries that are still to be compared.
    next: usize,
    end: usize,
    /// The length of its path with the slash.
    prefix: usize,
    /// Its directories in the index's cache, by name.
    cached: Vec<(&'index [u8], usize)>,
    /// HEAD's tree of it, then those of merge parents; nothing where there is no such directory.
    trees: Vec<Option<Tree>>,
}

/// Compares an index that was read here.
pub(super) fn with_index(
    repository: &StagedRepository,
    index: &Index,
    trees: Vec<Option<Tree>>,
) -> Result<Vec<StagedBlob>> {
    let cache = index.cache_tree();
    let head = trees.first().and_then(Option::as_ref).map(|tree| tree.id);
    let unchanged = cache.and_then(|cache| cache.unchanged(CacheTree::ROOT));
    if unchanged.is_some_and(|(count, tree)| count == index.len() && head == Some(tree)) {
        return Ok(Vec::new());
    }
    let cached = cache.map(|cache| cache.children(CacheTree::ROOT)).unwrap_or_default();
    let mut staged = Vec::new();
    // Not recursive: a path may be deeper than the stack.
    let mut open = vec![Directory { next: 0, end: index.len(), prefix: 0, cached, trees }];
    while let Some(directory) = open.last_mut() {
        if directory.next == directory.end {
            open.pop();
        } else if let Some(length) = memchr(b'/', &index.path(directory.next)[directory.prefix..]) {
            let changed = directory.take_directory(repository, index, length)?;
            open.extend(changed);
        } else {
            staged.extend(directory.take_file(index));
        }
    }
    Ok(staged)
}

impl<'index> Directory<'index> {
    /// Takes the next entry, a file of this directory, and returns it where HEAD has another blob or none.
    fn take_file(&mut self, index: &Index) -> Option<StagedBlob> {
        let entry = index.entry(self.next);
        self.next += 1;
        if entry.kind == EntryKind::Gitlink || entry.intent_to_add {
            return None;
        }
        let name = &entry.path[self.prefix..];
        let blobs = self.trees.iter().map(|tree| tree.as_ref().and_then(|tree| tree.child(name, ObjectKind::Blob)));
        staged_blob(entry.path, entry.id, entry.mode, blobs)
    }

    /// Takes the next entries, those of the directory whose name has `length` bytes, and returns it unless it is as in
    /// HEAD.
    fn take_directory(
        &mut self,
        repository: &StagedRepository,
        index: &'index Index,
        length: usize,
    ) -> Result<Option<Self>> {
        let first = self.next;
        let path = &index.path(first)[..=self.prefix + length];
        let name = &path[self.prefix..path.len() - 1];
        let head = self.trees.first().and_then(Option::as_ref).and_then(|tree| tree.child(name, ObjectKind::Tree));
        let node = self.cached.binary_search_by_key(&name, |(name, _)| name).ok().map(|found| self.cached[found].1);
        let cache = index.cache_tree().zip(node);
        if let Some((count, tree)) = cache.and_then(|(cache, node)| cache.unchanged(node))
            && head == Some(tree)
            && let Some(end) = first.checked_add(count).filter(|&end| end <= self.end)
            && holds_exactly(index, first, end, self.end, path)
        {
            self.next = end;
            return Ok(None);
        }
        self.next = end_of(index, first, self.end, path);
        let mut trees = Vec::with_capacity(self.trees.len());
        for tree in &self.trees {
            let id = tree.as_ref().and_then(|tree| tree.child(name, ObjectKind::Tree));
            trees.push(id.map(|id| repository.tree(id)).transpose()?);
        }
        let cached = cache.map(|(cache, node)| cache.children(node)).unwrap_or_default();
        Ok(Some(Self { next: first, end: self.next, prefix: path.len(), cached, trees }))
    }
}

/// Tells whether the entries from `first` to `end`, and no others, are in the directory: only then the cache speaks of
/// these.
fn holds_exactly(index: &Index, first: usize, end: usize, limit: usize, directory: &[u8]) -> bool {
    end > first
        && index.path(end - 1).starts_with(directory)
        && (end == limit || !index.path(end).starts_with(directory))
}

/// Finds where the entries of a directory end, by halving: paths are in order.
fn end_of(index: &Index, first: usize, limit: usize, directory: &[u8]) -> usize {
    let (mut inside, mut outside) = (first, limit);
    while outside - inside > 1 {
        let middle = inside + (outside - inside) / 2;
        if index.path(middle).starts_with(directory) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    outside
}

/// Compares what git listed.
pub(super) fn with_listing(
    repository: &StagedRepository,
    listing: &[Listed],
    trees: &[Option<Tree>],
) -> Result<Vec<StagedBlob>> {
    let mut staged = Vec::new();
    for listed in listing.iter().filter(|listed| matches!(listed.kind, EntryKind::File | EntryKind::Symlink)) {
        let mut blobs = Vec::with_capacity(trees.len());
        for tree in trees {
            let blob = tree.as_ref().map(|tree| blob_at(repository, tree, &listed.path)).transpose()?;
            blobs.push(blob.flatten());
        }
        staged.extend(staged_blob(&listed.path, listed.id, listed.mode, blobs.into_iter()));
    }
    staged.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(staged)
}

/// Returns the blob that a tree has at a path of several parts.
fn blob_at(repository: &StagedRepository, tree: &Tree, path: &[u8]) -> Result<Option<ObjectId>> {
    let mut inner: Option<Tree> = None;
    let mut rest = path;
    while let Some(slash) = memchr(b'/', rest) {
        let Some(id) = inner.as_ref().unwrap_or(tree).child(&rest[..slash], ObjectKind::Tree) else { return Ok(None) };
        inner = Some(repository.tree(id)?);
        rest = &rest[slash + 1..];
    }
    Ok(inner.as_ref().unwrap_or(tree).child(rest, ObjectKind::Blob))
}

/// Makes the staged blob from what HEAD (first) and the merge parents have at its path; nothing where HEAD has the same.
fn staged_blob(
    path: &[u8],
    id: ObjectId,
    mode: u32,
    blobs: impl Iterator<Item = Option<ObjectId>>,
) -> Option<StagedBlob> {
    let mut before = Vec::new();
    for (position, blob) in blobs.enumerate() {
        let Some(blob) = blob else { continue };
        if position == 0 && blob == id {
            return None;
        }
        if !before.contains(&blob) {
            before.push(blob);
        }
    }
    Some(StagedBlob { path: path.to_vec(), id, mode, before })
}
