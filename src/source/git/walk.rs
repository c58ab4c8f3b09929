//! The walk over everything that a repository stores: cuts the work into tasks and spreads them over the threads.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::source::git::forest::{Forest, Root, RootSort};
use crate::source::git::object::{ObjectKind, Unread, Visitor};
use crate::source::git::objects::Objects;
use crate::source::git::tree_walk::TreeWalker;
use crate::sync::{into_inner, lock};

/// A tree that makes about this many bytes or more is a task of its own, and is begun before the small ones.
const LARGE_TREE: u64 = 16 << 20;
/// As many small trees are one task at most.
const TREES_A_TASK: usize = 64;

/// A part of a walk, for one thread.
enum Task {
    /// Delta trees of one pack, by their place in the list of roots.
    Trees { pack: usize, roots: Range<usize> },
    /// One large delta tree.
    LargeTree { pack: usize, root: usize },
    /// What of one pack belongs to no tree.
    Looped { pack: usize },
    /// One of the 256 folders of a loose store.
    Loose { store: usize, folder: u8 },
}

impl Objects {
    /// Hands out every object of these kinds once over all stores, on the threads of the current rayon pool, bases before
    /// their delta children. Returns what could not be read, in a fixed order; what of it a second store has whole was
    /// handed out from there. Of an object whose kind cannot be told it says so whatever the kinds. Faults found on opening
    /// are in [`Objects::unopened`] and not repeated here.
    pub fn walk<V: Visitor>(&self, kinds: &[ObjectKind], visitor: &V) -> Vec<Unread> {
        let forests = self.forests();
        let tasks = self.tasks(&forests, kinds);
        let next = AtomicUsize::new(0);
        let collected = Mutex::new(Vec::new());
        rayon::scope(|scope| {
            for _ in 0..rayon::current_num_threads().min(tasks.len()) {
                scope.spawn(|_| {
                    let mut walker = TreeWalker::new(self, kinds, visitor);
                    while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                        self.carry_out(task, &forests, &mut walker);
                    }
                    lock(&collected).extend(walker.into_unread());
                });
            }
        });
        let mut unread = into_inner(collected);
        unread.sort_by(|one, other| (&one.place, &one.id).cmp(&(&other.place, &other.id)));
        unread
    }

    /// Returns about how many objects of these kinds a walk hands out: the number of loose ones is a guess, as is what
    /// deltas against other stores are. Reads the packs' entry headers, which the walk needs anyway.
    pub fn count(&self, kinds: &[ObjectKind]) -> u64 {
        let wanted = |root: &&Root| !matches!(root.sort, RootSort::Whole(kind) if !kinds.contains(&kind));
        let weight = |forest: &Forest, root: &Root| u64::from(forest.weight(root.entry));
        let packed = self
            .forests()
            .into_iter()
            .flat_map(|forest| forest.roots.iter().filter(wanted).map(move |root| weight(forest, root)));
        packed.sum::<u64>() + self.loose_estimate()
    }

    fn forests(&self) -> Vec<&Forest> {
        let repeated = self.repeated();
        let packs = self.packs.iter().zip(repeated);
        packs.map(|(pack, repeated)| pack.forest.get_or_init(|| Forest::grow(pack, repeated))).collect()
    }

    fn tasks(&self, forests: &[&Forest], kinds: &[ObjectKind]) -> Vec<Task> {
        let mut large = Vec::new();
        let mut small = Vec::new();
        for (pack, forest) in forests.iter().enumerate() {
            cut(pack, forest, kinds, &mut large, &mut small);
            if !forest.looped.is_empty() {
                small.push(Task::Looped { pack });
            }
        }
        large.sort_by_key(|(bytes, _)| std::cmp::Reverse(*bytes));
        let mut tasks: Vec<Task> = large.into_iter().map(|(_, task)| task).collect();
        tasks.append(&mut small);
        let folders = (0..self.loose.len()).flat_map(|store| (0..=u8::MAX).map(move |folder| (store, folder)));
        tasks.extend(folders.map(|(store, folder)| Task::Loose { store, folder }));
        tasks
    }

    fn carry_out<'walk, V: Visitor>(
        &'walk self,
        task: &Task,
        forests: &[&'walk Forest],
        walker: &mut TreeWalker<'walk, V>,
    ) {
        match task {
            Task::Trees { pack, roots } => {
                let forest = forests[*pack];
                for root in forest.roots[roots.clone()].iter().filter(|root| bytes_of(forest, root) < LARGE_TREE) {
                    walker.tree(&self.packs[*pack], forest, root);
                }
            }
            Task::LargeTree { pack, root } => {
                walker.tree(&self.packs[*pack], forests[*pack], &forests[*pack].roots[*root]);
            }
            Task::Looped { pack } => walker.looped(&self.packs[*pack], forests[*pack]),
            Task::Loose { store, folder } => walker.loose(*store, *folder),
        }
    }
}

/// Cuts the trees of one pack into tasks: large ones alone, with their weight, and small ones in the order of the pack.
fn cut(pack: usize, forest: &Forest, kinds: &[ObjectKind], large: &mut Vec<(u64, Task)>, small: &mut Vec<Task>) {
    let mut start = 0;
    let mut bytes = 0;
    let mut trees = 0;
    for (number, root) in forest.roots.iter().enumerate() {
        if matches!(root.sort, RootSort::Whole(kind) if !kinds.contains(&kind)) {
            continue;
        }
        let tree_bytes = bytes_of(forest, root);
        if tree_bytes >= LARGE_TREE {
            large.push((tree_bytes, Task::LargeTree { pack, root: number }));
            continue;
        }
        bytes += tree_bytes;
        trees += 1;
        if bytes >= LARGE_TREE || trees == TREES_A_TASK {
            small.push(Task::Trees { pack, roots: start..number + 1 });
            (start, bytes, trees) = (number + 1, 0, 0);
        }
    }
    if trees > 0 {
        small.push(Task::Trees { pack, roots: start..forest.roots.len() });
    }
}

/// Guesses how many bytes a tree makes: as if every version were as long as the first.
fn bytes_of(forest: &Forest, root: &Root) -> u64 {
    root.size.saturating_mul(u64::from(forest.weight(root.entry)))
}
