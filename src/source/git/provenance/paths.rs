//! Paths kept as a tree of names, and the bounds within which they are followed.

use super::ids::{FastMap, next_number};

/// Bounds of the comparison of trees. What they cut off is counted, never silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// The longest path in bytes.
    pub path_bytes: usize,
    /// How many different folders and files are looked at.
    pub paths: usize,
    /// How many places are kept for one blob.
    pub places_per_blob: usize,
    /// How many bytes the paths of all places may have together.
    pub all_path_bytes: usize,
    /// How many entries that lead to wanted blobs are kept for all trees together; each takes some 20 bytes.
    pub kept_entries: usize,
    /// How many entries are compared in all.
    pub steps: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            path_bytes: 16 << 10,
            paths: 1_000_000,
            places_per_blob: 10_000,
            all_path_bytes: 256 << 20,
            kept_entries: 64 << 20,
            steps: 500_000_000,
        }
    }
}

/// The path of the root.
pub(crate) const ROOT: u32 = 0;

/// Paths as a tree of names.
#[derive(Debug)]
pub(crate) struct Paths {
    known: FastMap<(u32, u32), u32>,
    /// The folder, the name, and the length of the whole path in bytes.
    nodes: Vec<(u32, u32, usize)>,
}

impl Default for Paths {
    fn default() -> Self {
        Self { known: FastMap::default(), nodes: vec![(ROOT, 0, 0)] }
    }
}

impl Paths {
    /// The number of the path of a name in a folder, or `None` where it is past a bound.
    pub(crate) fn join(&mut self, folder: u32, name: u32, name_length: usize, bounds: &Bounds) -> Option<u32> {
        if let Some(&path) = self.known.get(&(folder, name)) {
            return Some(path);
        }
        let before = self.nodes[folder as usize].2;
        let length = before + usize::from(folder != ROOT) + name_length;
        if length > bounds.path_bytes || self.nodes.len() > bounds.paths {
            return None;
        }
        let path = next_number(self.nodes.len());
        self.nodes.push((folder, name, length));
        self.known.insert((folder, name), path);
        Some(path)
    }

    /// How many bytes a path has.
    pub(crate) fn length(&self, path: u32) -> usize {
        self.nodes[path as usize].2
    }

    /// The bytes of a path.
    pub(crate) fn bytes(&self, mut path: u32, names: &[Box<[u8]>]) -> Vec<u8> {
        let mut parts = Vec::new();
        while path != ROOT {
            let (folder, name, _) = self.nodes[path as usize];
            parts.push(&*names[name as usize]);
            path = folder;
        }
        parts.reverse();
        parts.join(&b'/')
    }
}
