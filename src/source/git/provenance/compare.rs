//! Which commit introduced which wanted blob at which path: reduced trees compared with those of all parents.
//!
//! Every walk over paths has a bound, since a few nested folders that name each other many times over stand for more
//! paths than there are atoms.

use std::collections::HashSet;
use std::rc::Rc;

use super::ids::FastMap;
use super::paths::{Bounds, Paths, ROOT};
use super::reduce::{EMPTY, Held, NodeEntry, ReducedTrees};

/// A wanted blob at a path, with the commit that introduced it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FoundPlace {
    pub(super) blob: u32,
    pub(super) path: Vec<u8>,
    pub(super) commit: u32,
    pub(super) in_head: bool,
}

/// A folder to be compared with what the parents have at its path.
struct Pair {
    path: u32,
    node: u32,
    parents: Rc<[u32]>,
}

/// A path and a wanted blob, both by number.
type Spot = (u32, u32);

/// Compares commits in order and keeps the first that introduced each (path, blob).
pub(super) struct Comparison<'trees> {
    trees: &'trees ReducedTrees,
    names: &'trees [Box<[u8]>],
    bounds: Bounds,
    paths: Paths,
    introduced: FastMap<Spot, u32>,
    places: FastMap<u32, usize>,
    steps: u64,
    /// How long all paths of all places are together.
    path_bytes: usize,
    /// Whether a bound cut something off.
    pub(super) cut: bool,
}

impl<'trees> Comparison<'trees> {
    pub(super) fn new(trees: &'trees ReducedTrees, names: &'trees [Box<[u8]>], bounds: Bounds) -> Self {
        Self {
            trees,
            names,
            bounds,
            paths: Paths::default(),
            introduced: FastMap::default(),
            places: FastMap::default(),
            steps: 0,
            path_bytes: 0,
            cut: false,
        }
    }

    /// Takes the next commit: the node of its root and those of its parents' roots.
    pub(super) fn commit(&mut self, commit: u32, root: u32, parents: &[u32]) {
        for spot in self.differences(root, parents) {
            if self.introduced.contains_key(&spot) {
                continue;
            }
            let places = self.places.entry(spot.1).or_insert(0);
            if *places >= self.bounds.places_per_blob || self.path_bytes > self.bounds.all_path_bytes {
                self.cut = true;
                continue;
            }
            *places += 1;
            self.path_bytes += self.paths.length(spot.0);
            self.introduced.insert(spot, commit);
        }
    }

    /// All places, in the order of blob and path, with what HEAD's root has.
    pub(super) fn finish(mut self, head: Option<u32>) -> (Vec<FoundPlace>, bool) {
        let in_head: HashSet<Spot> =
            head.map(|root| self.differences(root, &[])).unwrap_or_default().into_iter().collect();
        let found = |(&(path, blob), &commit): (&Spot, &u32)| FoundPlace {
            blob,
            path: self.paths.bytes(path, self.names),
            commit,
            in_head: in_head.contains(&(path, blob)),
        };
        let mut places: Vec<_> = self.introduced.iter().map(found).collect();
        places.sort_unstable_by(|left, right| (left.blob, &left.path).cmp(&(right.blob, &right.path)));
        (places, self.cut)
    }

    /// What a root has and no parent's root has at the same path.
    fn differences(&mut self, root: u32, parents: &[u32]) -> Vec<Spot> {
        let mut found = Vec::new();
        if root == EMPTY || parents.contains(&root) {
            return found;
        }
        let mut waiting = vec![Pair { path: ROOT, node: root, parents: different(parents.to_vec()).into() }];
        while let Some(pair) = waiting.pop() {
            self.folder(&pair, &mut waiting, &mut found);
        }
        found
    }

    /// Compares one folder; the folders in it that differ are left to `waiting`.
    fn folder(&mut self, pair: &Pair, waiting: &mut Vec<Pair>, found: &mut Vec<Spot>) {
        let trees = self.trees;
        let mut others: Vec<_> = pair.parents.iter().map(|&parent| trees.entries(parent)).collect();
        let entries = trees.entries(pair.node);
        self.steps += (entries.len() + others.iter().map(|other| other.len()).sum::<usize>()) as u64;
        if self.steps > self.bounds.steps {
            self.cut = true;
            return;
        }
        // A damaged tree can have one name many times over: what the parents have by it is gathered once.
        let mut group: Option<(u32, Rc<[u32]>)> = None;
        for &(name, held) in entries {
            for other in &mut others {
                while other.first().is_some_and(|&(other_name, _)| other_name < name) {
                    *other = &other[1..];
                }
            }
            if others.iter().any(|other| has(other, name, held)) {
                continue;
            }
            let Some(path) = self.paths.join(pair.path, name, self.names[name as usize].len(), &self.bounds) else {
                self.cut = true;
                continue;
            };
            match held {
                Held::Blob(blob) => found.push((path, blob)),
                Held::Node(node) => {
                    let (_, parents) = group
                        .take_if(|(group_name, _)| *group_name == name)
                        .unwrap_or_else(|| (name, folders(&others, name)));
                    group = Some((name, Rc::clone(&parents)));
                    waiting.push(Pair { path, node, parents });
                }
            }
        }
    }
}

/// Whether sorted entries, whose first name is `name` or a later one, have an entry.
fn has(entries: &[NodeEntry], name: u32, held: Held) -> bool {
    match entries {
        [first, ..] if first.0 != name => false,
        [first, ..] if first.1 == held => true,
        [_, second, ..] if second.0 == name => entries.binary_search(&(name, held)).is_ok(),
        _ => false,
    }
}

/// The folders of a name at the front of sorted entries.
fn folders(others: &[&[NodeEntry]], name: u32) -> Rc<[u32]> {
    let named = others.iter().flat_map(|other| other.iter().take_while(|entry| entry.0 == name));
    different(named.filter_map(|entry| as_node(entry.1)).collect()).into()
}

fn as_node(held: Held) -> Option<u32> {
    match held {
        Held::Node(node) => Some(node),
        Held::Blob(_) => None,
    }
}

fn different(mut nodes: Vec<u32>) -> Vec<u32> {
    nodes.retain(|&node| node != EMPTY);
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}
