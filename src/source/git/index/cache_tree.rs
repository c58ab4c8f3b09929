//! The index's TREE extension: the ids of the trees that a commit of unchanged directories would write.
//!
//! It only saves work. Where it is missing or damaged, directories are compared entry by entry, with the same result.

use std::ops::Range;

use memchr::memchr;

use super::ObjectId;

/// One directory.
#[derive(Debug)]
struct Node {
    /// In the names.
    name: Range<usize>,
    /// How many entries of the index are in it, and its tree; none where something in it changed.
    tree: Option<(usize, ObjectId)>,
    /// The node that follows all those under this one.
    next: usize,
}

/// The tree of directories, in the order of the file: a directory, then all that is under it.
#[derive(Debug)]
pub struct CacheTree {
    names: Vec<u8>,
    nodes: Vec<Node>,
}

impl CacheTree {
    /// The node of the work tree's root.
    pub const ROOT: usize = 0;

    /// Reads the extension's content; nothing where it is not exactly one tree of directories.
    pub(super) fn parse(mut content: &[u8]) -> Option<Self> {
        let mut tree = Self { names: Vec::new(), nodes: Vec::new() };
        // The open directories with the number of children that each still lacks.
        let mut open: Vec<(usize, usize)> = Vec::new();
        loop {
            let children = tree.node(&mut content)?;
            open.push((tree.nodes.len() - 1, children));
            while let Some((node, missing)) = open.last_mut() {
                if *missing > 0 {
                    *missing -= 1;
                    break;
                }
                tree.nodes[*node].next = tree.nodes.len();
                open.pop();
            }
            if open.is_empty() {
                return content.is_empty().then_some(tree);
            }
        }
    }

    /// Reads one node, appends it, and returns the number of its children.
    fn node(&mut self, content: &mut &[u8]) -> Option<usize> {
        let name = until(content, 0)?;
        let entries = number(until(content, b' ')?)?;
        let children = number(until(content, b'\n')?)?;
        let tree = match usize::try_from(entries) {
            Ok(entries) => {
                let (id, rest) = content.split_at_checked(20)?;
                *content = rest;
                Some((entries, ObjectId::from_bytes(id)?))
            }
            Err(_) => None,
        };
        let start = self.names.len();
        self.names.extend_from_slice(name);
        self.nodes.push(Node { name: start..self.names.len(), tree, next: 0 });
        usize::try_from(children).ok()
    }

    /// Returns the tree of a directory and how many entries of the index are in it, where nothing in it changed.
    ///
    /// # Panics
    ///
    /// Where `node` is neither [`CacheTree::ROOT`] nor from [`CacheTree::children`].
    pub fn unchanged(&self, node: usize) -> Option<(usize, ObjectId)> {
        self.nodes[node].tree
    }

    /// Returns the directories in a directory as names and nodes, ordered by name.
    ///
    /// # Panics
    ///
    /// Where `node` is neither [`CacheTree::ROOT`] nor from this method.
    pub fn children(&self, node: usize) -> Vec<(&[u8], usize)> {
        let end = self.nodes[node].next;
        let mut children = Vec::new();
        let mut child = node + 1;
        while child < end {
            children.push((&self.names[self.nodes[child].name.clone()], child));
            child = self.nodes[child].next;
        }
        children.sort_unstable();
        children
    }
}

/// Takes the bytes before `end`, and `end` itself, off the front.
fn until<'content>(content: &mut &'content [u8], end: u8) -> Option<&'content [u8]> {
    let length = memchr(end, content)?;
    let (taken, rest) = content.split_at(length);
    *content = &rest[1..];
    Some(taken)
}

fn number(digits: &[u8]) -> Option<i32> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}
