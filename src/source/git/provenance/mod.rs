//! From blobs to where they came from: for any number of blobs their paths, the commit that introduced each, and whether
//! HEAD still has it.
//!
//! A commit *introduces* (blob, path) if its tree has the blob at the path and no parent's tree has it there. A root
//! commit introduces all it has, a merge only what differs from all its parents, and a blob in a renamed folder has two
//! paths. Of several commits that introduce the same, the first in the order that `order` works out is told. What stands below a
//! submodule belongs to another repository. A parent that is not there counts as none, a tree that is not there as
//! empty; both are counted in [`Missing`].
//!
//! All trees are read once, in the order of the pack, and answered from memory for all blobs together. Nothing here
//! reads blobs, follows renames or asks for diffs.

pub mod commits;
mod compare;
pub(crate) mod entry;
pub(super) mod ids;
pub(super) mod order;
pub(super) mod paths;
mod reduce;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod trees;

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

pub use order::Reach;
pub use paths::Bounds;

use self::commits::Commits;
use self::compare::Comparison;
use self::ids::HitSet;
use self::reduce::{EMPTY, ReducedTrees};
use self::trees::{CollectTrees, TreeCollector, TreeStore};
use super::object::{ObjectId, ObjectKind, Unread, Visitor};
use super::objects::Objects;
use super::refs::Refs;

/// Where objects are read from.
pub trait ObjectSource {
    /// Hands every object of some kinds to a visitor, each at least once; returns what could not be read. The buffers of
    /// all threads have been dropped when it returns.
    fn walk<V: Visitor>(&self, kinds: &[ObjectKind], visitor: &V) -> Vec<Unread>;

    /// Reads one object; `None` where it is not there.
    ///
    /// # Errors
    /// Where it is there and cannot be read.
    fn read(&self, id: &ObjectId) -> Result<Option<(ObjectKind, Vec<u8>)>, Unread>;
}

impl ObjectSource for Objects {
    fn walk<V: Visitor>(&self, kinds: &[ObjectKind], visitor: &V) -> Vec<Unread> {
        Self::walk(self, kinds, visitor)
    }

    fn read(&self, id: &ObjectId) -> Result<Option<(ObjectKind, Vec<u8>)>, Unread> {
        Self::read(self, id)
    }
}

/// One place of a blob in the history.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The path from the root of the repository, as git stores it.
    pub path: Vec<u8>,
    /// The commit that introduced it; [`Commits::get`] knows its author and date.
    pub commit: ObjectId,
    /// What leads to that commit.
    pub reach: Reach,
    /// Whether HEAD's tree has the blob at this path.
    pub in_head: bool,
}

/// What was named and not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Missing {
    /// Different commits that are named as a parent.
    pub parents: usize,
    /// Trees that a commit or another tree names.
    pub trees: usize,
    /// Different commits or tags that a ref names; those that only a reflog names do not count.
    pub roots: usize,
}

/// Where blobs came from.
#[derive(Debug, Default)]
pub struct Resolution {
    /// The places of each blob, in the order of their paths. A blob that no commit's tree holds is not in it.
    pub places: HashMap<ObjectId, Vec<Place>>,
    /// What was named and not there.
    pub missing: Missing,
    /// How many trees have bytes that are no entry; the entries before those count.
    pub damaged_trees: usize,
    /// What could not be read.
    pub unread: Vec<Unread>,
    /// Whether one of the [`Bounds`] cut something off, so that places may be missing.
    pub cut: bool,
}

/// The commits of a repository, ready to be asked.
#[derive(Debug)]
pub struct Provenance<'commits> {
    commits: &'commits Commits,
    bounds: Bounds,
    reach: Vec<Reach>,
    order: Vec<u32>,
    /// The place of each commit in `order`.
    positions: Vec<u32>,
    head: Option<u32>,
    missing_roots: usize,
}

impl<'commits> Provenance<'commits> {
    /// Puts commits in order. `source` is asked only for tags that a ref names without saying what they lead to.
    pub fn new<Source: ObjectSource>(commits: &'commits Commits, refs: &Refs, source: &Source, bounds: Bounds) -> Self {
        let mut roots = Roots { commits, source, missing: HashSet::new() };
        let mut from_refs: Vec<u32> =
            refs.refs.iter().filter_map(|root| roots.commit(root.peeled.unwrap_or(root.id))).collect();
        let head = refs.head.and_then(|id| roots.commit(id));
        from_refs.extend(head);
        let missing_roots = roots.missing.len();
        // What a reflog names is often collected already, which is no fault.
        let from_reflogs: Vec<u32> = refs.reflog_ids.iter().filter_map(|id| roots.commit(*id)).collect();
        let reach = order::reach(commits, &from_refs, &from_reflogs);
        let order = order::order(commits, &reach);
        let mut positions = vec![u32::MAX; commits.len()];
        for (position, commit) in (0..).zip(&order) {
            positions[*commit as usize] = position;
        }
        Self { commits, bounds, reach, order, positions, head, missing_roots }
    }

    /// What leads to a commit; `None` for a commit that is not there.
    pub fn reach(&self, commit: &ObjectId) -> Option<Reach> {
        self.commits.number(commit).map(|number| self.reach[number as usize])
    }

    /// Where a commit stands in the order, counted from 0; after all others for a commit that is not there.
    pub fn position(&self, commit: &ObjectId) -> u64 {
        let number = self.commits.number(commit);
        number.map_or(u64::MAX, |number| u64::from(self.positions[number as usize]))
    }

    /// Finds the places of blobs. Reads all trees once, whatever the number of blobs, and none when there are no blobs.
    pub fn resolve<Source: ObjectSource, State: BuildHasher>(
        &self,
        source: &Source,
        blobs: &HashSet<ObjectId, State>,
    ) -> Resolution {
        if blobs.is_empty() {
            return Resolution::default();
        }
        let hits = HitSet::new(blobs);
        let collector = TreeCollector::new(&hits);
        let unread = source.walk(&[ObjectKind::Tree], &CollectTrees(&collector));
        let store = collector.finish();
        let reduced = ReducedTrees::new(&store, self.bounds.kept_entries);
        let roots = RootNodes::new(self.commits, &store, &reduced);
        let mut comparison = Comparison::new(&reduced, &store.names, self.bounds);
        let mut parents = Vec::new();
        for &commit in &self.order {
            parents.clear();
            parents.extend(self.commits.parents(commit).iter().map(|&parent| roots.nodes[parent as usize]));
            comparison.commit(commit, roots.nodes[commit as usize], &parents);
        }
        let (found, cut) = comparison.finish(self.head.map(|head| roots.nodes[head as usize]));
        let mut places: HashMap<ObjectId, Vec<Place>> = HashMap::new();
        for place in found {
            let commit = self.commits.commit(place.commit).id;
            let reach = self.reach[place.commit as usize];
            let place_list = places.entry(hits.id(place.blob)).or_default();
            place_list.push(Place { path: place.path, commit, reach, in_head: place.in_head });
        }
        let missing = Missing {
            parents: self.commits.missing_parents(),
            trees: store.missing + roots.missing,
            roots: self.missing_roots,
        };
        Resolution { places, missing, damaged_trees: store.damaged, unread, cut: cut || reduced.cut }
    }
}

/// The node of each commit's root tree.
struct RootNodes {
    nodes: Vec<u32>,
    missing: usize,
}

impl RootNodes {
    fn new(commits: &Commits, store: &TreeStore, reduced: &ReducedTrees) -> Self {
        let mut missing = HashSet::new();
        let mut node = |number| {
            let tree = commits.commit(number).tree?;
            let found = store.number(&tree);
            if found.is_none() {
                missing.insert(tree);
            }
            found.map(|tree| reduced.node(tree))
        };
        let nodes = (0..ids::next_number(commits.len())).map(|number| node(number).unwrap_or(EMPTY)).collect();
        Self { nodes, missing: missing.len() }
    }
}

/// The longest chain of tags that name tags.
const TAG_CHAIN: usize = 16;

/// Follows refs to commits.
struct Roots<'all, Source> {
    commits: &'all Commits,
    source: &'all Source,
    missing: HashSet<ObjectId>,
}

impl<Source: ObjectSource> Roots<'_, Source> {
    fn commit(&mut self, start: ObjectId) -> Option<u32> {
        let mut id = start;
        for _ in 0..TAG_CHAIN {
            if let Some(number) = self.commits.number(&id) {
                return Some(number);
            }
            if self.missing.contains(&id) {
                return None;
            }
            match self.source.read(&id) {
                Ok(Some((ObjectKind::Tag, data))) => id = tag_target(&data)?,
                Ok(None) => {
                    self.missing.insert(id);
                    return None;
                }
                // A ref to a tree or a blob leads to no commit; a damaged object is told by the walk.
                Ok(Some(_)) | Err(_) => return None,
            }
        }
        None
    }
}

/// What an annotated tag names.
fn tag_target(data: &[u8]) -> Option<ObjectId> {
    ObjectId::from_hex(data.strip_prefix(b"object ")?.get(..40)?)
}
