//! The order in which commits are asked whether they introduced something.
//!
//! Ancestors come first; of commits whose ancestors have all had their turn, the one with the oldest committer time is
//! next, and of those with the same time the one with the smallest id. All that a ref reaches comes before what only a
//! reflog reaches, and that before what nothing reaches.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::commits::Commits;

/// What leads to a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// A ref, HEAD, or the HEAD of a work tree.
    Ref,
    /// Only a reflog: reset away, or a dropped stash.
    Reflog,
    /// Nothing: git will collect it one day.
    Nothing,
}

/// The reach of every commit, by its number.
pub(super) fn reach(commits: &Commits, refs: &[u32], reflogs: &[u32]) -> Vec<Reach> {
    let mut reach = vec![Reach::Nothing; commits.len()];
    for (roots, level) in [(refs, Reach::Ref), (reflogs, Reach::Reflog)] {
        let mut waiting = roots.to_vec();
        while let Some(number) = waiting.pop() {
            let known = &mut reach[number as usize];
            if *known <= level {
                continue;
            }
            *known = level;
            waiting.extend_from_slice(commits.parents(number));
        }
    }
    reach
}

/// All commits by number, in order.
pub(crate) fn order(commits: &Commits, reach: &[Reach]) -> Vec<u32> {
    let all = 0..super::ids::next_number(commits.len());
    let key = |number: u32| {
        // A commit without a possible time is the last of its rank.
        let seconds = commits.commit(number).committer_seconds.unwrap_or(i64::MAX);
        Reverse((reach[number as usize], seconds, number))
    };
    let children = Children::new(commits);
    let mut waits: Vec<usize> = all.clone().map(|number| commits.parents(number).len()).collect();
    let mut ready: BinaryHeap<_> = all.clone().filter(|&number| waits[number as usize] == 0).map(key).collect();
    let mut order = Vec::with_capacity(commits.len());
    while let Some(Reverse((_, _, number))) = ready.pop() {
        order.push(number);
        for &child in children.of(number) {
            waits[child as usize] -= 1;
            if waits[child as usize] == 0 {
                ready.push(key(child));
            }
        }
    }
    // Honest ids allow no cycle, but a forged pack index can name one: such commits come last.
    let mut left: Vec<_> = all.filter(|&number| waits[number as usize] > 0).map(key).collect();
    left.sort_unstable();
    order.extend(left.into_iter().rev().map(|Reverse((_, _, number))| number));
    order
}

/// For each commit the commits that name it as a parent, once for each time they do.
struct Children {
    starts: Vec<usize>,
    children: Vec<u32>,
}

impl Children {
    fn new(commits: &Commits) -> Self {
        let all = 0..super::ids::next_number(commits.len());
        let edges: Vec<_> =
            all.flat_map(|child| commits.parents(child).iter().map(move |&parent| (parent, child))).collect();
        let (starts, children) = group(commits.len(), &edges);
        Self { starts, children }
    }

    fn of(&self, number: u32) -> &[u32] {
        let number = number as usize;
        &self.children[self.starts[number]..self.starts[number + 1]]
    }
}

/// Sorts edges by where they come from: the ends of those from `node` are at `starts[node]..starts[node + 1]`.
pub(super) fn group(nodes: usize, edges: &[(u32, u32)]) -> (Vec<usize>, Vec<u32>) {
    let mut starts = vec![0; nodes + 1];
    for &(from, _) in edges {
        starts[from as usize + 1] += 1;
    }
    for node in 0..nodes {
        starts[node + 1] += starts[node];
    }
    let mut next = starts.clone();
    let mut ends = vec![0; edges.len()];
    for &(from, to) in edges {
        ends[next[from as usize]] = to;
        next[from as usize] += 1;
    }
    (starts, ends)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::git::object::ObjectId;
    use crate::source::git::provenance::commits::{CommitCollector, CommitFields, CommitTime};

    /// Commits given as (id, seconds, parents).
    fn graph(commits: &[(u8, i64, &[u8])]) -> Commits {
        let collector = CommitCollector::default();
        let mut batch = collector.batch();
        for &(id, seconds, parents) in commits {
            let fields = CommitFields {
                parents: parents.iter().map(|&parent| ObjectId([parent; 20])).collect(),
                committer_time: (seconds >= 0).then_some(CommitTime { seconds, offset_minutes: 0 }),
                ..CommitFields::default()
            };
            batch.add(ObjectId([id; 20]), &fields);
        }
        drop(batch);
        collector.finish()
    }

    fn ordered(commits: &Commits, refs: &[u8], reflogs: &[u8]) -> Vec<u8> {
        let numbers = |ids: &[u8]| ids.iter().filter_map(|&id| commits.number(&ObjectId([id; 20]))).collect::<Vec<_>>();
        let reach = reach(commits, &numbers(refs), &numbers(reflogs));
        order(commits, &reach).into_iter().map(|number| commits.commit(number).id.0[0]).collect()
    }

    #[test]
    fn ancestors_come_first_even_with_a_wrong_clock() {
        let commits = graph(&[(1, 900, &[]), (2, 5, &[1]), (3, 7, &[1]), (4, 6, &[2, 3]), (5, 1, &[])]);
        assert_eq!(ordered(&commits, &[4, 5], &[]), [5, 1, 2, 3, 4]);
    }

    #[test]
    fn ties_go_to_the_smaller_id_and_commits_without_time_last() {
        let commits = graph(&[(9, 5, &[]), (3, 5, &[]), (7, -1, &[]), (8, 4, &[])]);
        assert_eq!(ordered(&commits, &[9, 3, 7, 8], &[]), [8, 3, 9, 7]);
    }

    #[test]
    fn what_no_ref_reaches_comes_after_all_that_one_does() {
        let commits = graph(&[(1, 50, &[]), (2, 60, &[1]), (3, 1, &[]), (4, 2, &[1]), (5, 70, &[4])]);
        assert_eq!(ordered(&commits, &[2], &[4]), [1, 2, 4, 3, 5]);
    }

    #[test]
    fn a_forged_cycle_and_a_doubled_parent_end() {
        let commits = graph(&[(1, 1, &[2]), (2, 2, &[1]), (3, 3, &[3]), (4, 4, &[]), (5, 5, &[4, 4])]);
        assert_eq!(ordered(&commits, &[1, 2, 3, 4, 5], &[]), [4, 5, 1, 2, 3]);
    }
}
