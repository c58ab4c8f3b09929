//! Reduced trees: what is left of each tree when all but the wanted blobs and the folders above them is left out.
//!
//! Two trees that hold the same wanted blobs at the same paths reduce to the same node, so whether a commit changed
//! anything that matters is one comparison of numbers. Three steps, none of them recursive:
//!
//! 1. mark: which trees may hold a wanted blob, upwards from the blobs. A tree counts as marked when its delta base is,
//!    which marks too many but needs no look at what they share;
//! 2. replay: for each marked tree the list of its entries that lead to wanted blobs, made from its base's list;
//! 3. reduce: for each different list its node, folders after what they hold.

use std::rc::Rc;

use super::ids::{FastMap, next_number};
use super::order::group;
use super::trees::{Child, FreshEntry, TreeStore};

/// The node of a tree without any wanted blob.
pub(super) const EMPTY: u32 = 0;

/// What a reduced entry names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Held {
    /// A wanted blob, by number.
    Blob(u32),
    /// A node that holds some.
    Node(u32),
}

/// An entry of a node: the number of its name and what it names.
pub(super) type NodeEntry = (u32, Held);

/// The nodes that all trees reduce to.
#[derive(Debug)]
pub(super) struct ReducedTrees {
    nodes: Vec<Rc<[NodeEntry]>>,
    /// The list of each tree; list 0 is empty.
    tree_lists: Vec<u32>,
    list_nodes: Vec<u32>,
    /// Whether trees past the bound were left empty.
    pub(super) cut: bool,
}

impl ReducedTrees {
    /// Reduces all trees of a store, as long as no more than `most_entries` have to be kept.
    pub(super) fn new(store: &TreeStore, most_entries: usize) -> Self {
        let marked = mark(store);
        let lists = replay(store, &marked, most_entries);
        let (nodes, list_nodes) = Reducer::new(store, &lists).run();
        Self { nodes, tree_lists: lists.of_tree, list_nodes, cut: lists.cut }
    }

    /// The node of a tree.
    pub(super) fn node(&self, tree: u32) -> u32 {
        self.list_nodes[self.tree_lists[tree as usize] as usize]
    }

    /// The entries of a node in the order of name and what they name, each once.
    pub(super) fn entries(&self, node: u32) -> &[NodeEntry] {
        &self.nodes[node as usize]
    }
}

/// Which trees may hold a wanted blob, at any depth.
fn mark(store: &TreeStore) -> Vec<bool> {
    let mut edges = Vec::new();
    let mut marked = vec![false; store.len()];
    let mut waiting = Vec::new();
    for tree in 0..next_number(store.len()) {
        edges.extend(store.base(tree).map(|base| (base, tree)));
        for fresh in store.fresh(tree) {
            match store.entries[fresh.entry as usize].child {
                Child::Blob(_) if !marked[tree as usize] => {
                    marked[tree as usize] = true;
                    waiting.push(tree);
                }
                Child::Tree(child) => edges.push((child, tree)),
                Child::Blob(_) | Child::Missing => {}
            }
        }
    }
    let (starts, ends) = group(store.len(), &edges);
    drop(edges);
    while let Some(tree) = waiting.pop() {
        let tree = tree as usize;
        for &above in &ends[starts[tree]..starts[tree + 1]] {
            if !std::mem::replace(&mut marked[above as usize], true) {
                waiting.push(above);
            }
        }
    }
    marked
}

/// The different lists of entries that lead to wanted blobs, and which tree has which.
struct Lists {
    /// The entries of all lists, one list after the other.
    entries: Vec<u32>,
    /// Where each list ends.
    ends: Vec<usize>,
    of_tree: Vec<u32>,
    cut: bool,
}

impl Lists {
    fn get(&self, list: u32) -> &[u32] {
        let list = list as usize;
        let start = list.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.entries[start..self.ends[list]]
    }
}

/// A tree's list with the position of each entry, and its number.
#[derive(Default)]
struct Positioned {
    entries: Vec<FreshEntry>,
    list: u32,
}

fn replay(store: &TreeStore, marked: &[bool], most_entries: usize) -> Lists {
    let all = 0..next_number(store.len());
    let edges: Vec<_> = all.clone().filter_map(|tree| store.base(tree).map(|base| (base, tree))).collect();
    let (starts, children) = group(store.len(), &edges);
    let mut lists = Lists { entries: Vec::new(), ends: vec![0], of_tree: vec![0; store.len()], cut: false };
    let mut known: FastMap<Vec<u32>, u32> = FastMap::default();
    known.insert(Vec::new(), 0);
    let nothing = Rc::new(Positioned::default());
    // A base comes before its children: a stack from the trees that have none.
    let roots = all.filter(|&tree| store.base(tree).is_none());
    let mut waiting: Vec<(u32, Rc<Positioned>)> = roots.map(|tree| (tree, Rc::clone(&nothing))).collect();
    while let Some((tree, base)) = waiting.pop() {
        let own = if marked[tree as usize] {
            let entries = positioned_entries(store, marked, tree, &base.entries);
            let list = number_list(&mut lists, &mut known, &entries, &base, most_entries);
            lists.of_tree[tree as usize] = list;
            Rc::new(Positioned { entries, list })
        } else {
            Rc::clone(&nothing)
        };
        let children = &children[starts[tree as usize]..starts[tree as usize + 1]];
        waiting.extend(children.iter().map(|&child| (child, Rc::clone(&own))));
    }
    lists
}

fn positioned_entries(store: &TreeStore, marked: &[bool], tree: u32, base: &[FreshEntry]) -> Vec<FreshEntry> {
    let mut entries = Vec::with_capacity(base.len());
    for copied in store.copies(tree) {
        let from = base.partition_point(|entry| entry.position < copied.base_first);
        let past = copied.base_first.saturating_add(copied.count);
        let shared = base[from..].iter().take_while(|entry| entry.position < past);
        let shift = copied.first.wrapping_sub(copied.base_first);
        entries.extend(
            shared.map(|entry| FreshEntry { position: entry.position.wrapping_add(shift), entry: entry.entry }),
        );
    }
    let inherited = entries.len();
    entries.extend(store.fresh(tree).iter().filter(|fresh| match store.entries[fresh.entry as usize].child {
        Child::Blob(_) => true,
        Child::Tree(child) => marked[child as usize],
        Child::Missing => false,
    }));
    if inherited > 0 && inherited < entries.len() {
        entries.sort_unstable_by_key(|entry| entry.position);
    }
    entries
}

fn number_list(
    lists: &mut Lists,
    known: &mut FastMap<Vec<u32>, u32>,
    entries: &[FreshEntry],
    base: &Positioned,
    most_entries: usize,
) -> u32 {
    let numbers = entries.iter().map(|entry| entry.entry);
    if base.entries.len() == entries.len() && base.entries.iter().map(|entry| entry.entry).eq(numbers.clone()) {
        return base.list;
    }
    let numbers: Vec<u32> = numbers.collect();
    let next = next_number(lists.ends.len());
    if let Some(&list) = known.get(&numbers) {
        return list;
    }
    if lists.entries.len() + numbers.len() > most_entries {
        lists.cut = true;
        return 0;
    }
    lists.entries.extend_from_slice(&numbers);
    lists.ends.push(lists.entries.len());
    known.insert(numbers, next);
    next
}

/// How far a list has come.
#[derive(Clone, Copy, PartialEq)]
enum Progress {
    New,
    Open,
    Done,
}

struct Reducer<'store> {
    store: &'store TreeStore,
    lists: &'store Lists,
    progress: Vec<Progress>,
    list_nodes: Vec<u32>,
    nodes: Vec<Rc<[NodeEntry]>>,
    known: FastMap<Rc<[NodeEntry]>, u32>,
}

impl<'store> Reducer<'store> {
    fn new(store: &'store TreeStore, lists: &'store Lists) -> Self {
        let count = lists.ends.len();
        let empty: Rc<[NodeEntry]> = Rc::from([]);
        Self {
            store,
            lists,
            progress: vec![Progress::New; count],
            list_nodes: vec![EMPTY; count],
            nodes: vec![Rc::clone(&empty)],
            known: FastMap::from_iter([(empty, EMPTY)]),
        }
    }

    fn run(mut self) -> (Vec<Rc<[NodeEntry]>>, Vec<u32>) {
        let mut open = Vec::new();
        for list in 0..next_number(self.list_nodes.len()) {
            open.push(list);
            while let Some(&list) = open.last() {
                match self.progress[list as usize] {
                    Progress::New => {
                        self.progress[list as usize] = Progress::Open;
                        self.open_folders(list, &mut open);
                    }
                    Progress::Open => {
                        self.close(list);
                        open.pop();
                    }
                    Progress::Done => {
                        open.pop();
                    }
                }
            }
        }
        (self.nodes, self.list_nodes)
    }

    /// Asks for the folders of a list before the list itself. One that is open already holds itself, which only forged
    /// ids can make it do, and counts as empty there.
    fn open_folders(&self, list: u32, open: &mut Vec<u32>) {
        let folders = self.lists.get(list).iter().filter_map(|&entry| self.folder_list(entry));
        open.extend(folders.filter(|&folder| self.progress[folder as usize] == Progress::New));
    }

    fn folder_list(&self, entry: u32) -> Option<u32> {
        match self.store.entries[entry as usize].child {
            Child::Tree(tree) => Some(self.lists.of_tree[tree as usize]),
            Child::Blob(_) | Child::Missing => None,
        }
    }

    fn close(&mut self, list: u32) {
        let mut held = Vec::new();
        for &entry in self.lists.get(list) {
            let name = self.store.entries[entry as usize].name;
            match self.store.entries[entry as usize].child {
                Child::Blob(blob) => held.push((name, Held::Blob(blob))),
                Child::Tree(tree) => {
                    let node = self.list_nodes[self.lists.of_tree[tree as usize] as usize];
                    if node != EMPTY {
                        held.push((name, Held::Node(node)));
                    }
                }
                Child::Missing => {}
            }
        }
        // Git's own order is by bytes with a slash after folders, and a damaged tree has none and may have doubles.
        held.sort_unstable();
        held.dedup();
        let held: Rc<[NodeEntry]> = held.into();
        let next = next_number(self.nodes.len());
        let node = *self.known.entry(Rc::clone(&held)).or_insert(next);
        if node == next {
            self.nodes.push(held);
        }
        self.list_nodes[list as usize] = node;
        self.progress[list as usize] = Progress::Done;
    }
}
