//! All trees of a repository, read once and kept as they are stored: what a tree shares with its delta base is kept as
//! stretches of the base's entries, so that a history of thousands of versions of a folder costs what changed in them.
//!
//! Only entries that can matter are kept: folders, and the blobs that places are wanted for. What they add up to is
//! worked out in `reduce`.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::entry::{Entry, EntryKind, entry_at};
use super::ids::{FastMap, HitSet, next_number};
use crate::source::git::object::{CopiedRun, Inherited, Object, ObjectId, ObjectKind, Visitor};
use crate::sync::{into_inner, lock};

/// What an entry of a [`TreeStore`] names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Child {
    /// One of the wanted blobs, by number.
    Blob(u32),
    /// A folder, by the number of its tree.
    Tree(u32),
    /// A folder whose tree is not there.
    Missing,
}

/// An entry that can matter. Entries that are the same in several trees are one.
#[derive(Debug, Clone, Copy)]
pub(super) struct KeptEntry {
    pub(super) name: u32,
    pub(super) child: Child,
}

/// A stretch of entries that a tree has in common with its base. Positions count all entries of a tree, kept or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CopiedEntries {
    pub(super) base_first: u32,
    pub(super) first: u32,
    pub(super) count: u32,
}

/// A kept entry that the base does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FreshEntry {
    pub(super) position: u32,
    pub(super) entry: u32,
}

/// One tree: its base and where its stretches and fresh entries end in the pools (they begin where the last tree's end).
#[derive(Debug, Clone, Copy)]
struct StoredTree<Base> {
    id: ObjectId,
    base: Option<Base>,
    copies_end: usize,
    fresh_end: usize,
}

/// All trees of a repository.
#[derive(Debug, Default)]
pub(super) struct TreeStore {
    trees: Vec<StoredTree<u32>>,
    copies: Vec<CopiedEntries>,
    fresh: Vec<FreshEntry>,
    pub(super) entries: Vec<KeptEntry>,
    /// In the order of their bytes.
    pub(super) names: Vec<Box<[u8]>>,
    numbers: FastMap<ObjectId, u32>,
    /// How many different trees are named by an entry and not there.
    pub(super) missing: usize,
    /// How many trees have bytes that are no entry.
    pub(super) damaged: usize,
}

impl TreeStore {
    pub(super) fn len(&self) -> usize {
        self.trees.len()
    }

    pub(super) fn number(&self, id: &ObjectId) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    pub(super) fn base(&self, tree: u32) -> Option<u32> {
        self.trees[tree as usize].base
    }

    pub(super) fn copies(&self, tree: u32) -> &[CopiedEntries] {
        let tree = tree as usize;
        let start = tree.checked_sub(1).map_or(0, |before| self.trees[before].copies_end);
        &self.copies[start..self.trees[tree].copies_end]
    }

    pub(super) fn fresh(&self, tree: u32) -> &[FreshEntry] {
        let tree = tree as usize;
        let start = tree.checked_sub(1).map_or(0, |before| self.trees[before].fresh_end);
        &self.fresh[start..self.trees[tree].fresh_end]
    }
}

/// Where a tree was put: the batch and the place in it.
type Place = (u32, u32);

/// Takes the trees of a walk.
#[derive(Debug)]
pub(super) struct TreeCollector<'hits> {
    hits: &'hits HitSet,
    next_batch: AtomicU32,
    batches: Mutex<Vec<(u32, Batch)>>,
}

/// What one thread met.
#[derive(Debug, Default)]
struct Batch {
    trees: Vec<StoredTree<Place>>,
    copies: Vec<CopiedEntries>,
    fresh: Vec<FreshEntry>,
    names: FastMap<Box<[u8]>, u32>,
    entries: FastMap<(u32, ObjectId, EntryKind), u32>,
    damaged: usize,
}

/// The buffer of one thread; what it holds reaches the collector when it is dropped.
#[derive(Debug)]
pub(super) struct TreeBatch<'collector> {
    collector: &'collector TreeCollector<'collector>,
    number: u32,
    batch: Batch,
}

/// What a delta child has to know of its base.
#[derive(Debug, Default)]
pub(super) struct TreeState {
    place: Option<Place>,
    /// Where each entry begins.
    starts: Vec<u32>,
    /// Where the last whole entry ends.
    end: u32,
}

impl<'hits> TreeCollector<'hits> {
    pub(super) fn new(hits: &'hits HitSet) -> Self {
        Self { hits, next_batch: AtomicU32::new(0), batches: Mutex::default() }
    }

    /// Joins what all threads met.
    pub(super) fn finish(self) -> TreeStore {
        let mut batches = into_inner(self.batches);
        batches.sort_unstable_by_key(|&(number, _)| number);
        Joiner::default().join(batches, self.hits)
    }
}

/// The visitor that fills a [`TreeCollector`].
#[derive(Debug)]
pub(super) struct CollectTrees<'collector>(pub(super) &'collector TreeCollector<'collector>);

impl<'collector> Visitor for CollectTrees<'collector> {
    type Worker = TreeBatch<'collector>;
    type State = TreeState;

    fn worker(&self) -> Self::Worker {
        let number = self.0.next_batch.fetch_add(1, Ordering::Relaxed);
        TreeBatch { collector: self.0, number, batch: Batch::default() }
    }

    fn visit(&self, worker: &mut Self::Worker, object: Object<'_, TreeState>) -> TreeState {
        // Positions are counted in 32 bits; a tree of 4 GiB is above every limit on objects.
        if object.kind != ObjectKind::Tree || u32::try_from(object.data.len()).is_err() {
            return TreeState::default();
        }
        worker.add(&object)
    }
}

impl TreeBatch<'_> {
    fn add(&mut self, object: &Object<'_, TreeState>) -> TreeState {
        let data = object.data;
        let base = object.inherited.as_ref().and_then(|inherited| inherited.base.place);
        let mut shared = object.inherited.as_ref().filter(|_| base.is_some()).map(Shared::new);
        let mut starts = Vec::with_capacity(data.len() / 32 + 1);
        let mut position = 0;
        while position < data.len() {
            if let Some(copied) = shared.as_mut().and_then(|shared| shared.take(position, &mut starts)) {
                self.batch.copies.push(copied.entries);
                position += copied.length;
                continue;
            }
            let Some(entry) = entry_at(data, position) else {
                self.batch.damaged += 1;
                break;
            };
            self.batch.keep(&entry, starts.len() as u32, self.collector.hits);
            starts.push(position as u32);
            position = entry.end;
        }
        let place = (self.number, next_number(self.batch.trees.len()));
        let (copies_end, fresh_end) = (self.batch.copies.len(), self.batch.fresh.len());
        self.batch.trees.push(StoredTree { id: object.id, base, copies_end, fresh_end });
        TreeState { place: Some(place), starts, end: position as u32 }
    }
}

impl Drop for TreeBatch<'_> {
    fn drop(&mut self) {
        lock(&self.collector.batches).push((self.number, std::mem::take(&mut self.batch)));
    }
}

impl Batch {
    fn keep(&mut self, entry: &Entry<'_>, position: u32, hits: &HitSet) {
        let wanted = match entry.kind {
            EntryKind::Blob => hits.number(&entry.id).is_some(),
            EntryKind::Tree => true,
            EntryKind::Submodule => false,
        };
        if !wanted {
            return;
        }
        let next_name = next_number(self.names.len());
        let name = match self.names.get(entry.name) {
            Some(&number) => number,
            None => {
                self.names.insert(entry.name.into(), next_name);
                next_name
            }
        };
        let next_entry = next_number(self.entries.len());
        let entry = *self.entries.entry((name, entry.id, entry.kind)).or_insert(next_entry);
        self.fresh.push(FreshEntry { position, entry });
    }
}

/// Finds the entries that a tree shares with its base.
struct Shared<'walk> {
    base: &'walk TreeState,
    runs: &'walk [CopiedRun],
}

/// A stretch of entries taken from the base, and how many bytes it has.
struct Taken {
    entries: CopiedEntries,
    length: usize,
}

impl<'walk> Shared<'walk> {
    fn new(inherited: &Inherited<'walk, TreeState>) -> Self {
        Self { base: inherited.base, runs: inherited.runs }
    }

    /// The whole entries of the base from the one that `position` copies, as far as the run goes. Their beginnings are
    /// added to `starts`. Equal bytes alone prove nothing, since an id may hold the bytes of an entry: the base must
    /// have an entry that begins just here.
    fn take(&mut self, position: usize, starts: &mut Vec<u32>) -> Option<Taken> {
        while self.runs.first().is_some_and(|run| run.start.saturating_add(run.length) <= position) {
            self.runs = &self.runs[1..];
        }
        let run = self.runs.first().filter(|run| run.start <= position)?;
        let from = u32::try_from(run.base_start.checked_add(position - run.start)?).ok()?;
        let to = u32::try_from(run.base_start.checked_add(run.length)?).ok()?;
        let first = self.base.starts.binary_search(&from).ok()?;
        // An entry ends where the next one begins.
        let begun = self.base.starts.partition_point(|&start| start <= to);
        let whole_base = begun == self.base.starts.len() && self.base.end <= to;
        let last = if whole_base { begun } else { begun - 1 };
        if last <= first {
            return None;
        }
        let end = self.base.starts.get(last).copied().unwrap_or(self.base.end);
        let entries =
            CopiedEntries { base_first: first as u32, first: starts.len() as u32, count: (last - first) as u32 };
        let shift = (position as u32).wrapping_sub(from);
        starts.extend(self.base.starts[first..last].iter().map(|start| start.wrapping_add(shift)));
        Some(Taken { entries, length: (end - from) as usize })
    }
}

/// Puts batches together.
#[derive(Default)]
struct Joiner {
    store: TreeStore,
    entries: FastMap<(u32, ObjectId, EntryKind), u32>,
    keys: Vec<(u32, ObjectId, EntryKind)>,
}

impl Joiner {
    fn join(mut self, batches: Vec<(u32, Batch)>, hits: &HitSet) -> TreeStore {
        let name_numbers = self.join_names(&batches);
        let mut offsets = FastMap::default();
        let mut offset = 0_usize;
        for (number, batch) in &batches {
            offsets.insert(*number, offset);
            offset += batch.trees.len();
        }
        self.store.trees.reserve_exact(offset);
        self.store.numbers.reserve(offset);
        for ((_, batch), names) in batches.into_iter().zip(name_numbers) {
            self.append(batch, &names, &offsets);
        }
        self.resolve_children(hits);
        self.store
    }

    /// Numbers all names in the order of their bytes; returns for each batch the new number of each of its names.
    fn join_names(&mut self, batches: &[(u32, Batch)]) -> Vec<Vec<u32>> {
        let mut names: Vec<&[u8]> =
            batches.iter().flat_map(|(_, batch)| batch.names.keys().map(|name| &**name)).collect();
        names.sort_unstable();
        names.dedup();
        let numbers: FastMap<&[u8], u32> = names.iter().copied().zip(0..).collect();
        let renumber = |(_, batch): &(u32, Batch)| {
            let mut new = vec![0; batch.names.len()];
            for (name, &old) in &batch.names {
                new[old as usize] = numbers[&**name];
            }
            new
        };
        let renumbered = batches.iter().map(renumber).collect();
        self.store.names = names.into_iter().map(Box::from).collect();
        renumbered
    }

    fn append(&mut self, batch: Batch, names: &[u32], offsets: &FastMap<u32, usize>) {
        let mut entries = vec![0; batch.entries.len()];
        self.entries.reserve(batch.entries.len());
        for ((name, id, kind), old) in batch.entries {
            let key = (names[name as usize], id, kind);
            let next = next_number(self.keys.len());
            let new = *self.entries.entry(key).or_insert(next);
            if new == next {
                self.keys.push(key);
            }
            entries[old as usize] = new;
        }
        let (copies, fresh) = (self.store.copies.len(), self.store.fresh.len());
        self.store.copies.extend(batch.copies);
        let renumbered = batch.fresh.iter().map(|old| FreshEntry { entry: entries[old.entry as usize], ..*old });
        self.store.fresh.extend(renumbered);
        for tree in batch.trees {
            let number = next_number(self.store.trees.len());
            let base = tree.base.map(|(batch, place)| next_number(offsets[&batch] + place as usize));
            let (copies_end, fresh_end) = (copies + tree.copies_end, fresh + tree.fresh_end);
            self.store.trees.push(StoredTree { id: tree.id, base, copies_end, fresh_end });
            self.store.numbers.insert(tree.id, number);
        }
        self.store.damaged += batch.damaged;
    }

    fn resolve_children(&mut self, hits: &HitSet) {
        let mut missing = Vec::new();
        for &(name, id, kind) in &self.keys {
            let wanted = if kind == EntryKind::Blob { hits.number(&id).map(Child::Blob) } else { None };
            let child = wanted.or_else(|| self.store.number(&id).map(Child::Tree)).unwrap_or(Child::Missing);
            if child == Child::Missing {
                missing.push(id);
            }
            self.store.entries.push(KeptEntry { name, child });
        }
        missing.sort_unstable();
        missing.dedup();
        self.store.missing = missing.len();
    }
}
