//! `--history RANGE`: the commits of a range as git writes it, and what each of them introduces.
//!
//! A commit is compared with all its parents, tree by tree, without looking for renames, so the cost grows with what the
//! range changed and not with the repository. libgit2 resolves names and walks; objects are read raw, so that a malformed
//! tree gives what is left of it.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::rc::Rc;

use git2::{Odb, Oid, Repository};

use super::object::ObjectId;
use super::provenance::Bounds;
use super::provenance::commits::{CommitCollector, CommitFields, Commits, parse_commit};
use super::provenance::entry::{Entry, EntryKind, entries};
use super::provenance::order::{Reach, order};
use super::provenance::paths::{Paths, ROOT};
use crate::error::{Error, Result};

/// A commit or tree larger than this is not read, and counted as damaged.
const LARGEST_OBJECT: usize = 256 << 20;
/// How many introductions are kept: about 250 MB of them.
const MOST_INTRODUCTIONS: usize = 8_000_000;

/// A blob at a path that a commit introduces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Introduced {
    /// The blob.
    pub blob: ObjectId,
    commit: u32,
    path: u32,
}

/// What of a range is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RangeGaps {
    /// Parents of commits of the range that are not there, as at the end of a shallow clone. They count as none, so the
    /// commits below them seem to introduce all that they have.
    pub parents: usize,
    /// Trees that are not there; they count as empty.
    pub trees: usize,
    /// Commits and trees that cannot be read, and trees with bytes that are no entry.
    pub damaged: usize,
}

/// The commits of a range and what they introduce.
#[derive(Debug)]
pub struct Range {
    /// The commits, ancestors first, then by committer time, then by id.
    pub commits: Vec<ObjectId>,
    /// What they introduce, in the order of the commits. The same blob and path can be introduced by several.
    pub introduced: Vec<Introduced>,
    /// What is not there; anything but zeros means that the range could not be read whole.
    pub gaps: RangeGaps,
    /// Whether a bound cut something off.
    pub cut: bool,
    /// Authors and times of the commits.
    pub store: Commits,
    paths: Paths,
    names: Vec<Box<[u8]>>,
}

impl Range {
    /// Reads a range. `on_commit` is given every commit of it, in no particular order, for its message and author.
    ///
    /// # Errors
    /// [`Error::Range`] where a name is unknown or the text is no range.
    pub fn read(
        repository: &Repository,
        range: &str,
        bounds: Bounds,
        mut on_commit: impl FnMut(ObjectId, &CommitFields<'_>),
    ) -> Result<Self> {
        let ends = Ends::parse(repository, range)?;
        let odb = repository.odb().map_err(|fault| range_error(repository, range, fault.message()))?;
        let ids = ends.walk(repository).map_err(|fault| range_error(repository, range, fault.message()))?;
        let mut reader = RangeReader::new(&odb, bounds);
        let collector = CommitCollector::default();
        let mut batch = collector.batch();
        for &id in &ids {
            let Some(data) = reader.object(&id) else {
                reader.gaps.damaged += 1;
                continue;
            };
            let fields = parse_commit(&data);
            on_commit(id, &fields);
            reader.graph.insert(id, (fields.tree, fields.parents.clone()));
            batch.add(id, &fields);
        }
        drop(batch);
        let store = collector.finish();
        let order = order(&store, &vec![Reach::Ref; store.len()]);
        let commits: Vec<_> = order.into_iter().map(|number| store.commit(number).id).collect();
        for (number, commit) in (0..).zip(&commits) {
            reader.commit(number, commit);
        }
        let RangeReader { introduced, gaps, cut, paths, names, .. } = reader;
        Ok(Self { commits, introduced, gaps, cut, store, paths, names: names.into_list() })
    }

    /// The path of an introduction, from the root of the repository.
    pub fn path(&self, introduced: &Introduced) -> Vec<u8> {
        self.paths.bytes(introduced.path, &self.names)
    }

    /// The commit of an introduction.
    pub fn commit(&self, introduced: &Introduced) -> ObjectId {
        self.commits[introduced.commit as usize]
    }
}

fn range_error(repository: &Repository, range: &str, reason: impl Into<String>) -> Error {
    Error::Range { path: PathBuf::from(repository.path()), range: range.to_owned(), reason: reason.into() }
}

/// Where a range begins and ends.
#[derive(Debug, Default)]
struct Ends {
    wanted: Vec<Oid>,
    excluded: Vec<Oid>,
}

impl Ends {
    fn parse(repository: &Repository, range: &str) -> Result<Self> {
        let mut ends = Self::default();
        for word in words(range) {
            ends.add(repository, word).map_err(|reason| range_error(repository, range, reason))?;
        }
        if ends.wanted.is_empty() {
            return Err(range_error(repository, range, "it names no commit to start from"));
        }
        Ok(ends)
    }

    fn add(&mut self, repository: &Repository, word: &str) -> Result<(), String> {
        if word.starts_with('-') {
            return Err(format!("{word:?} is an option, not a revision"));
        }
        if let Some((left, right)) = word.split_once("...") {
            let (left, right) = (commit(repository, left)?, commit(repository, right)?);
            // Histories that have nothing in common have no merge base, and nothing is excluded.
            if let Ok(bases) = repository.merge_bases(left, right) {
                self.excluded.extend(bases.iter());
            }
            self.wanted.extend([left, right]);
        } else if let Some((left, right)) = word.split_once("..") {
            if left.is_empty() && right.is_empty() {
                return Err("\"..\" names no revision".to_owned());
            }
            self.excluded.push(commit(repository, left)?);
            self.wanted.push(commit(repository, right)?);
        } else if let Some(name) = word.strip_prefix('^') {
            self.excluded.push(named_commit(repository, name)?);
        } else if let Some(name) = word.strip_suffix("^!") {
            let id = named_commit(repository, name)?;
            self.wanted.push(id);
            self.excluded.extend(parents(repository, id)?);
        } else if let Some(name) = word.strip_suffix("^@") {
            self.wanted.extend(parents(repository, named_commit(repository, name)?)?);
        } else {
            self.wanted.push(named_commit(repository, word)?);
        }
        Ok(())
    }

    /// All that the wanted ends reach and the excluded do not.
    fn walk(&self, repository: &Repository) -> Result<Vec<ObjectId>, git2::Error> {
        let mut walk = repository.revwalk()?;
        for &id in &self.wanted {
            walk.push(id)?;
        }
        for &id in &self.excluded {
            walk.hide(id)?;
        }
        walk.map(|id| id.map(|id| object_id(&id))).collect()
    }
}

/// The words of a range; white space inside braces, as in `main@{2 days ago}`, does not part them.
fn words(range: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    let parts = range.split(move |letter: char| {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter.is_whitespace() && depth == 0
    });
    parts.filter(|word| !word.is_empty())
}

/// The commit of one side of a range, where nothing means HEAD.
fn commit(repository: &Repository, name: &str) -> Result<Oid, String> {
    named_commit(repository, if name.is_empty() { "HEAD" } else { name })
}

fn named_commit(repository: &Repository, name: &str) -> Result<Oid, String> {
    let found = repository.revparse_single(name).and_then(|object| object.peel_to_commit());
    found.map(|commit| commit.id()).map_err(|fault| {
        let hint = if repository.is_shallow() {
            "; this is a shallow clone: `git fetch --unshallow` gets the rest of its history"
        } else {
            ""
        };
        format!("unknown revision {name:?}: {}{hint}", fault.message())
    })
}

fn parents(repository: &Repository, id: Oid) -> Result<Vec<Oid>, String> {
    let commit = repository.find_commit(id).map_err(|fault| fault.message().to_owned())?;
    Ok(commit.parent_ids().collect())
}

fn object_id(id: &Oid) -> ObjectId {
    let mut bytes = [0; 20];
    bytes.copy_from_slice(&id.as_bytes()[..20]);
    ObjectId(bytes)
}

/// Names by number.
#[derive(Debug, Default)]
struct Names(HashMap<Box<[u8]>, u32>);

impl Names {
    fn number(&mut self, name: &[u8]) -> u32 {
        if let Some(&number) = self.0.get(name) {
            return number;
        }
        let number = super::provenance::ids::next_number(self.0.len());
        self.0.insert(name.into(), number);
        number
    }

    fn into_list(self) -> Vec<Box<[u8]>> {
        let mut list = vec![Box::default(); self.0.len()];
        for (name, number) in self.0 {
            list[number as usize] = name;
        }
        list
    }
}

/// A folder to be compared with what the parents have at its path.
struct Folder {
    path: u32,
    tree: ObjectId,
    parents: Rc<[ObjectId]>,
}

struct RangeReader<'repository> {
    odb: &'repository Odb<'repository>,
    bounds: Bounds,
    /// Tree and parents of the commits of the range, and of their parents.
    graph: HashMap<ObjectId, (Option<ObjectId>, Vec<ObjectId>)>,
    missing: HashSet<ObjectId>,
    introduced: Vec<Introduced>,
    gaps: RangeGaps,
    cut: bool,
    steps: u64,
    paths: Paths,
    names: Names,
}

impl<'repository> RangeReader<'repository> {
    fn new(odb: &'repository Odb<'repository>, bounds: Bounds) -> Self {
        Self {
            odb,
            bounds,
            graph: HashMap::new(),
            missing: HashSet::new(),
            introduced: Vec::new(),
            gaps: RangeGaps::default(),
            cut: false,
            steps: 0,
            paths: Paths::default(),
            names: Names::default(),
        }
    }

    /// The bytes of an object, unless it is missing, unreadable or too large.
    fn object(&self, id: &ObjectId) -> Option<Vec<u8>> {
        let id = Oid::from_bytes(&id.0).ok()?;
        let (length, _) = self.odb.read_header(id).ok()?;
        if length > LARGEST_OBJECT {
            return None;
        }
        self.odb.read(id).ok().map(|object| object.data().to_vec())
    }

    /// Whether an object that could not be read is not there at all.
    fn is_absent(&self, id: &ObjectId) -> bool {
        Oid::from_bytes(&id.0).is_ok_and(|id| !self.odb.exists(id))
    }

    fn commit(&mut self, number: u32, id: &ObjectId) {
        let Some((Some(tree), parents)) = self.graph.get(id).cloned() else {
            self.gaps.damaged += 1;
            return;
        };
        let mut parent_trees = Vec::new();
        for parent in parents {
            parent_trees.extend(self.tree_of(parent));
        }
        let mut waiting = vec![Folder { path: ROOT, tree, parents: parent_trees.into() }];
        while let Some(folder) = waiting.pop() {
            if !folder.parents.contains(&folder.tree) {
                self.folder(number, &folder, &mut waiting);
            }
        }
    }

    /// The tree of a parent, which may stand outside the range.
    fn tree_of(&mut self, commit: ObjectId) -> Option<ObjectId> {
        if let Some((tree, _)) = self.graph.get(&commit) {
            return *tree;
        }
        let tree = match self.object(&commit) {
            Some(data) => parse_commit(&data).tree,
            None => {
                self.gaps.parents += usize::from(self.missing.insert(commit));
                None
            }
        };
        self.graph.insert(commit, (tree, Vec::new()));
        tree
    }

    fn tree(&mut self, id: &ObjectId) -> Vec<u8> {
        if let Some(data) = self.object(id) {
            return data;
        }
        if self.missing.insert(*id) {
            let gap = if self.is_absent(id) { &mut self.gaps.trees } else { &mut self.gaps.damaged };
            *gap += 1;
        }
        Vec::new()
    }

    /// Compares one folder; the folders in it that differ are left to `waiting`.
    fn folder(&mut self, commit: u32, folder: &Folder, waiting: &mut Vec<Folder>) {
        let own = self.tree(&folder.tree);
        let parent_trees: Vec<_> = folder.parents.iter().map(|parent| self.tree(parent)).collect();
        let bytes = own.len() + parent_trees.iter().map(Vec::len).sum::<usize>();
        self.steps += bytes as u64 / 32;
        let (own, is_damaged) = entries(&own);
        if is_damaged && self.missing.insert(folder.tree) {
            self.gaps.damaged += 1;
        }
        if self.steps > self.bounds.steps {
            self.cut = true;
            return;
        }
        let others = Others::new(&parent_trees);
        for entry in own.iter().filter(|entry| !others.has(entry)) {
            let name = self.names.number(entry.name);
            // Only files and folders have paths that matter.
            if entry.kind == EntryKind::Submodule {
                continue;
            }
            let Some(path) = self.paths.join(folder.path, name, entry.name.len(), &self.bounds) else {
                self.cut = true;
                continue;
            };
            if entry.kind == EntryKind::Tree {
                waiting.push(Folder { path, tree: entry.id, parents: others.folders(entry.name) });
            } else if self.introduced.len() < MOST_INTRODUCTIONS {
                self.introduced.push(Introduced { blob: entry.id, commit, path });
            } else {
                self.cut = true;
            }
        }
    }
}

/// What all parents have in one folder.
struct Others<'trees> {
    known: HashSet<(&'trees [u8], EntryKind, ObjectId)>,
    folders: HashMap<&'trees [u8], Rc<[ObjectId]>>,
}

impl<'trees> Others<'trees> {
    fn new(trees: &'trees [Vec<u8>]) -> Self {
        let mut known = HashSet::new();
        let mut folders: HashMap<&[u8], Vec<ObjectId>> = HashMap::new();
        for entry in trees.iter().flat_map(|tree| entries(tree).0) {
            if known.insert((entry.name, entry.kind, entry.id)) && entry.kind == EntryKind::Tree {
                folders.entry(entry.name).or_default().push(entry.id);
            }
        }
        Self { known, folders: folders.into_iter().map(|(name, ids)| (name, ids.into())).collect() }
    }

    fn has(&self, entry: &Entry<'_>) -> bool {
        self.known.contains(&(entry.name, entry.kind, entry.id))
    }

    fn folders(&self, name: &[u8]) -> Rc<[ObjectId]> {
        self.folders.get(name).map_or_else(|| Rc::from([]), Rc::clone)
    }
}

#[cfg(test)]
#[path = "range_tests.rs"]
mod tests;
