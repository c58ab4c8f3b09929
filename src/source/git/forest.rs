//! How the entries of a pack hang together: which is whose delta base, and in which order a walk is cheapest. It reads
//! every entry's header once and inflates nothing.

use rayon::prelude::*;

use crate::source::git::object::{ObjectId, ObjectKind};
use crate::source::git::pack::{EntrySort, Pack};

/// Stands for "no entry"; an index with as many objects is refused.
const NONE: u32 = u32::MAX;
/// How many entries a thread reads the headers of at a time.
const CHUNK: usize = 4096;

/// The delta trees of one pack. An entry's number is its place in the order of the pack.
#[derive(Debug)]
pub(crate) struct Forest {
    /// Where each entry stands in the pack.
    offsets: Vec<u64>,
    /// Each entry's position in the index.
    positions: Vec<u32>,
    /// Where each entry's children begin in `children`; one more than there are entries.
    first_child: Vec<u32>,
    /// The delta children of all entries, those of one entry together, the lightest first.
    children: Vec<u32>,
    /// How many entries of each entry's tree, itself included, are to be visited.
    weights: Vec<u32>,
    /// Entries that another store hands out; empty where there are none.
    repeated: Vec<bool>,
    /// The entries that are no delta against an entry of this pack, in order.
    pub(crate) roots: Vec<Root>,
    /// Deltas that are, by way of others, their own base; nothing can be made of them.
    pub(crate) looped: Vec<u32>,
}

/// The head of a delta tree.
#[derive(Debug, Clone)]
pub(crate) struct Root {
    /// The entry's number.
    pub(crate) entry: u32,
    /// What it is.
    pub(crate) sort: RootSort,
    /// The declared size of the entry in bytes, 0 where it cannot be read.
    pub(crate) size: u64,
}

/// What stands at the head of a delta tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RootSort {
    /// A whole object.
    Whole(ObjectKind),
    /// A delta against an object that this pack lacks.
    Outside(ObjectId),
    /// An entry of which not even the header makes sense; the text says how.
    Broken(&'static str),
}

impl Forest {
    /// Reads the headers of all entries. `repeated` tells by index position which objects another store hands out.
    pub(crate) fn grow(pack: &Pack, repeated: &[bool]) -> Self {
        let (offsets, positions) = pack_order(pack);
        let (bases, roots) = link(pack, &Offsets::new(&offsets));
        let (first_child, children) = children_of(&bases);
        drop(bases);
        let repeated = if repeated.is_empty() {
            Vec::new()
        } else {
            positions.iter().map(|position| repeated[*position as usize]).collect()
        };
        let mut forest = Self {
            offsets,
            positions,
            first_child,
            children,
            weights: Vec::new(),
            repeated,
            roots,
            looped: Vec::new(),
        };
        forest.weigh();
        forest
    }

    /// Returns where an entry stands in the pack.
    pub(crate) fn offset(&self, entry: u32) -> u64 {
        self.offsets[entry as usize]
    }

    /// Returns how many bytes an entry takes in the pack, 0 for the last one.
    pub(crate) fn stored_length(&self, entry: u32) -> u64 {
        self.offsets.get(entry as usize + 1).map_or(0, |next| next.saturating_sub(self.offset(entry)))
    }

    /// Returns an entry's position in the index.
    pub(crate) fn position(&self, entry: u32) -> usize {
        self.positions[entry as usize] as usize
    }

    /// Returns whether another store hands this entry's object out.
    pub(crate) fn is_repeated(&self, entry: u32) -> bool {
        self.repeated.get(entry as usize).copied().unwrap_or(false)
    }

    /// Returns how many entries of this entry's tree are to be visited.
    pub(crate) fn weight(&self, entry: u32) -> u32 {
        self.weights[entry as usize]
    }

    /// Returns the delta children below which something is to be visited, the lightest first: a walk that goes down the
    /// heaviest last, and by then needs the parent no more, holds few objects at a time.
    pub(crate) fn children(&self, entry: u32) -> &[u32] {
        let range = self.first_child[entry as usize] as usize..self.first_child[entry as usize + 1] as usize;
        let children = &self.children[range];
        let idle = children.iter().take_while(|child| self.weight(**child) == 0).count();
        &children[idle..]
    }

    /// Weighs every tree, puts children in order and finds the entries that no root leads to.
    fn weigh(&mut self) {
        let count = self.offsets.len();
        let mut order: Vec<u32> = Vec::with_capacity(count);
        let mut reached = vec![false; count];
        order.extend(self.roots.iter().map(|root| root.entry));
        let mut next = 0;
        while let Some(&entry) = order.get(next) {
            next += 1;
            reached[entry as usize] = true;
            let range = self.first_child[entry as usize] as usize..self.first_child[entry as usize + 1] as usize;
            order.extend_from_slice(&self.children[range]);
        }
        let mut weights: Vec<u32> = (0..count).map(|entry| u32::from(!self.is_repeated_at(entry))).collect();
        for &entry in order.iter().rev() {
            let range = self.first_child[entry as usize] as usize..self.first_child[entry as usize + 1] as usize;
            let children = &mut self.children[range];
            // An entry has one base, so that the sum counts no entry twice and fits like their number.
            weights[entry as usize] += children.iter().map(|child| weights[*child as usize]).sum::<u32>();
            children.sort_unstable_by_key(|child| (weights[*child as usize], *child));
        }
        let unreached = (0..count).zip(&reached).filter(|(_, reached)| !**reached);
        self.looped = unreached.filter_map(|(entry, _)| u32::try_from(entry).ok()).collect();
        self.weights = weights;
    }

    fn is_repeated_at(&self, entry: usize) -> bool {
        self.repeated.get(entry).copied().unwrap_or(false)
    }
}

/// Returns the offsets of all entries in order, and beside each its position in the index.
fn pack_order(pack: &Pack) -> (Vec<u64>, Vec<u32>) {
    let count = u32::try_from(pack.index.count()).expect("the index was refused if it names more");
    let mut entries: Vec<(u64, u32)> = (0..count)
        .into_par_iter()
        // An offset that the index lacks becomes one that no pack has, and so is told of as damaged.
        .map(|position| (pack.index.offset(position as usize).unwrap_or(u64::MAX), position))
        .collect();
    entries.par_sort_unstable();
    entries.into_iter().unzip()
}

/// Finds the base of every entry: its number, or [`NONE`] for the roots, which are returned beside.
fn link(pack: &Pack, offsets: &Offsets<'_>) -> (Vec<u32>, Vec<Root>) {
    let parts: Vec<(Vec<u32>, Vec<Root>)> = offsets
        .sorted
        .par_chunks(CHUNK)
        .enumerate()
        .map(|(chunk, part)| {
            let mut roots = Vec::new();
            let base = |(index, offset): (usize, &u64)| match find_base(pack, offsets, *offset) {
                Ok(base) => base,
                Err((sort, size)) => {
                    let entry = u32::try_from(chunk * CHUNK + index).expect("entries are counted in 32 bits");
                    roots.push(Root { entry, sort, size });
                    NONE
                }
            };
            let bases = part.iter().enumerate().map(base).collect();
            let last = part.last().copied().unwrap_or(0);
            pack.touched(last.saturating_sub(part.first().copied().unwrap_or(last)));
            (bases, roots)
        })
        .collect();
    let mut bases = Vec::with_capacity(offsets.sorted.len());
    let mut roots = Vec::new();
    for (some_bases, some_roots) in parts {
        bases.extend(some_bases);
        roots.extend(some_roots);
    }
    (bases, roots)
}

/// Returns the number of an entry's base, or what root it is.
fn find_base(pack: &Pack, offsets: &Offsets<'_>, offset: u64) -> Result<u32, (RootSort, u64)> {
    let header = pack.header(offset).map_err(|how| (RootSort::Broken(how), 0))?;
    match header.sort {
        EntrySort::Whole(kind) => Err((RootSort::Whole(kind), header.size)),
        EntrySort::OffsetDelta(base) => {
            offsets.find(base).ok_or((RootSort::Broken("its delta base is not in the pack's index"), header.size))
        }
        EntrySort::IdDelta(id) => {
            let base = pack.index.find(&id).and_then(|position| pack.index.offset(position));
            base.and_then(|base| offsets.find(base)).ok_or((RootSort::Outside(id), header.size))
        }
    }
}

/// The sorted offsets with a table of where to begin looking, for a search takes longer than reading a header.
struct Offsets<'pack> {
    sorted: &'pack [u64],
    /// Of each bucket of offsets, the number of the first entry at or after its begin; one more than there are buckets.
    buckets: Vec<u32>,
    shift: u32,
}

impl<'pack> Offsets<'pack> {
    fn new(sorted: &'pack [u64]) -> Self {
        let last_real = sorted.iter().rev().find(|offset| **offset != u64::MAX).copied().unwrap_or(0);
        let mut shift = 0;
        while last_real >> shift > sorted.len() as u64 {
            shift += 1;
        }
        let mut buckets = Vec::with_capacity((last_real >> shift) as usize + 2);
        for (entry, offset) in sorted.iter().enumerate() {
            while buckets.len() as u64 <= offset.min(&last_real) >> shift {
                buckets.push(u32::try_from(entry).expect("entries are counted in 32 bits"));
            }
        }
        buckets.push(u32::try_from(sorted.len()).expect("entries are counted in 32 bits"));
        Self { sorted, buckets, shift }
    }

    /// Returns the number of the entry at exactly this offset.
    fn find(&self, offset: u64) -> Option<u32> {
        let bucket = usize::try_from(offset >> self.shift).ok()?;
        let start = *self.buckets.get(bucket)?;
        let end = *self.buckets.get(bucket.checked_add(1)?)?;
        let found = self.sorted[start as usize..end as usize].binary_search(&offset).ok()?;
        Some(start + u32::try_from(found).ok()?)
    }
}

/// Turns "whose base" into "which children": for each entry where its children begin, and all children.
fn children_of(bases: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut first_child = vec![0_u32; bases.len() + 1];
    for base in bases.iter().filter(|base| **base != NONE) {
        first_child[*base as usize + 1] += 1;
    }
    for entry in 0..bases.len() {
        first_child[entry + 1] += first_child[entry];
    }
    let mut free: Vec<u32> = first_child[..bases.len()].to_vec();
    let mut children = vec![0_u32; first_child[bases.len()] as usize];
    for (entry, base) in bases.iter().enumerate().filter(|(_, base)| **base != NONE) {
        let place = &mut free[*base as usize];
        children[*place as usize] = u32::try_from(entry).expect("entries are counted in 32 bits");
        *place += 1;
    }
    (first_child, children)
}
