//! Everything that names a commit: refs, HEAD and its like, the heads of other work trees, and all reflogs.
//!
//! Read from the files themselves: a repository has thousands of refs, nearly all of them in `packed-refs` with what
//! their tags lead to, and one pass over that file is all they need. Nothing here reads objects.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::object::ObjectId;
use crate::error::{Error, Problem, Result};
use crate::source::file;

/// What sort of name a ref is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefKind {
    /// HEAD of this repository.
    Head,
    /// HEAD or a ref of one work tree beside the main one.
    WorkTree,
    /// `ORIG_HEAD`, `FETCH_HEAD`, `MERGE_HEAD` and their like.
    Pseudo,
    /// `refs/heads/`.
    Branch,
    /// `refs/remotes/`.
    RemoteBranch,
    /// `refs/tags/`.
    Tag,
    /// `refs/notes/`.
    Note,
    /// `refs/stash`.
    Stash,
    /// Any other name below `refs/`, such as pull requests.
    Other,
}

/// One name and what it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// The full name, such as `refs/heads/main`; for another work tree `worktrees/NAME/HEAD`.
    pub name: Vec<u8>,
    /// What sort of name.
    pub kind: RefKind,
    /// What it names: a commit, an annotated tag, or rarely a tree or blob.
    pub id: ObjectId,
    /// What the tag leads to, where `packed-refs` says so.
    pub peeled: Option<ObjectId>,
}

/// All that names a commit in a repository.
#[derive(Debug, Default)]
pub struct Refs {
    /// What HEAD leads to; `None` before the first commit.
    pub head: Option<ObjectId>,
    /// The refs in the order of their names.
    pub refs: Vec<Reference>,
    /// Every id that a reflog mentions, in order and once. Many are of objects that were collected since.
    pub reflog_ids: Vec<ObjectId>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// A file that names a commit is shorter than this; the rest of a longer one is not read (`FETCH_HEAD` excepted).
const LONGEST_REF: u64 = 4096;
/// `packed-refs` of a million refs has about 70 MB.
const LARGEST_PACKED: u64 = 1 << 30;
/// The longest chain of symbolic refs; git has the same.
const SYMBOLIC_CHAIN: usize = 5;

impl Refs {
    /// Reads the refs of a repository.
    ///
    /// # Errors
    /// Where `packed-refs` or HEAD cannot be read, or the refs are in a form other than files.
    pub fn read(repository: &git2::Repository) -> Result<Self> {
        Self::read_folders(repository.path(), repository.commondir())
    }

    /// Reads the refs that are in `own`, the folder of one work tree, and `common`, the one that all share; they are
    /// the same folder in most repositories.
    ///
    /// # Errors
    /// As [`Refs::read`].
    pub fn read_folders(own: &Path, common: &Path) -> Result<Self> {
        if common.join("reftable").is_dir() {
            let reason = "its refs are in the reftable form, which is not read; convert a clone of it with \
                          `git refs migrate --ref-format=files`";
            return Err(Error::Repository { path: common.to_owned(), reason: reason.to_owned() });
        }
        let mut reader = Reader::default();
        reader.packed(&common.join("packed-refs"))?;
        reader.loose(common, &common.join("refs"), b"refs");
        reader.pseudo(common, b"");
        reader.reflogs(&common.join("logs"));
        reader.work_trees(common);
        let head = reader.own_head(own, common)?;
        Ok(reader.finish(head))
    }
}

/// What a ref's file says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Id(ObjectId, Option<ObjectId>),
    Symbolic(Vec<u8>),
}

#[derive(Default)]
struct Reader {
    /// Loose refs replace packed ones of the same name.
    values: HashMap<Vec<u8>, Value>,
    reflog_ids: HashSet<ObjectId>,
    problems: Vec<Problem>,
}

impl Reader {
    fn packed(&mut self, path: &Path) -> Result<()> {
        let file = match file::open_of_git(path) {
            Ok(file) => file,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(fault) => return Err(Error::io(path)(fault)),
        };
        let mut text = Vec::new();
        file.take(LARGEST_PACKED + 1).read_to_end(&mut text).map_err(Error::io(path))?;
        if text.len() as u64 > LARGEST_PACKED {
            self.problem(path, "it is larger than 1 GiB; the refs past that are not read");
        }
        let mut last: Option<&[u8]> = None;
        let mut unreadable = 0;
        for line in text.split(|&byte| byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if let Some(peeled) = line.strip_prefix(b"^") {
                if let (Some(Value::Id(_, known)), Some(id)) =
                    (last.and_then(|name| self.values.get_mut(name)), ObjectId::from_hex(peeled))
                {
                    *known = Some(id);
                }
            } else if let Some((id, name)) = packed_line(line) {
                self.values.insert(name.to_vec(), Value::Id(id, None));
                last = Some(name);
            } else if !line.is_empty() && !line.starts_with(b"#") {
                unreadable += 1;
            }
        }
        if unreadable > 0 {
            self.problem(path, &format!("{unreadable} lines are not refs"));
        }
        Ok(())
    }

    /// Reads the files below `folder`, named `prefix` and their path. Links are read as links and never followed, so a
    /// folder cannot contain itself.
    fn loose(&mut self, root: &Path, folder: &Path, prefix: &[u8]) {
        let mut waiting = vec![(folder.to_owned(), prefix.to_vec())];
        while let Some((folder, prefix)) = waiting.pop() {
            for (path, kind) in self.list(&folder) {
                let name = [&prefix[..], b"/", file_name(&path)].concat();
                if kind.is_dir() {
                    waiting.push((path, name));
                } else if !name.ends_with(b".lock") {
                    self.file(root, &path, name);
                }
            }
        }
    }

    /// The files of a folder; none where there is no such folder.
    fn list(&mut self, folder: &Path) -> Vec<(PathBuf, fs::FileType)> {
        let entries = fs::read_dir(folder).and_then(|entries| {
            entries.map(|entry| entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))).collect()
        });
        entries.unwrap_or_else(|fault| {
            if fault.kind() != io::ErrorKind::NotFound {
                self.problem(folder, &fault.to_string());
            }
            Vec::new()
        })
    }

    fn file(&mut self, root: &Path, path: &Path, name: Vec<u8>) {
        match read_ref(path) {
            Ok(Some(value)) => {
                self.values.insert(name, value);
            }
            Ok(None) => {
                let shown = path.strip_prefix(root).unwrap_or(path);
                self.problem(shown, "it is not a ref");
            }
            Err(fault) => self.problem(path, &fault.to_string()),
        }
    }

    /// Reads the files of a git folder that name commits: HEAD, `FETCH_HEAD`, `MERGE_HEAD` and their like.
    fn pseudo(&mut self, folder: &Path, prefix: &[u8]) {
        for (path, kind) in self.list(folder) {
            let own = file_name(&path);
            let upper = own.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_');
            if !kind.is_dir() && upper && (own.ends_with(b"HEAD") || own == b"AUTO_MERGE") {
                let name = [prefix, own].concat();
                self.pseudo_file(&path, &name);
            }
        }
    }

    /// `FETCH_HEAD` and `MERGE_HEAD` have a line a commit.
    fn pseudo_file(&mut self, path: &Path, name: &[u8]) {
        if let Ok(Some(value @ Value::Symbolic(_))) = read_ref(path) {
            self.values.insert(name.to_vec(), value);
            return;
        }
        let mut ids = Vec::new();
        let read = for_each_line_start(path, |line| ids.extend(line.get(..40).and_then(ObjectId::from_hex)));
        if let Err(fault) = read {
            self.problem(path, &fault.to_string());
        }
        for (number, id) in ids.into_iter().enumerate() {
            let suffix = if number == 0 { String::new() } else { format!("#{}", number + 1) };
            self.values.insert([name, suffix.as_bytes()].concat(), Value::Id(id, None));
        }
    }

    /// Reads every reflog below a folder: the old and the new id at the start of each line.
    fn reflogs(&mut self, folder: &Path) {
        let mut waiting = vec![folder.to_owned()];
        while let Some(folder) = waiting.pop() {
            for (path, kind) in self.list(&folder) {
                if kind.is_dir() {
                    waiting.push(path);
                } else if kind.is_file() {
                    self.reflog(&path);
                }
            }
        }
    }

    fn reflog(&mut self, path: &Path) {
        let ids = &mut self.reflog_ids;
        let read = for_each_line_start(path, |line| {
            let pair = [line.get(..40), line.get(41..81)];
            ids.extend(pair.into_iter().flatten().filter_map(ObjectId::from_hex).filter(|id| id.0 != [0; 20]));
        });
        if let Err(fault) = read {
            self.problem(path, &fault.to_string());
        }
    }

    /// Reads what other work trees keep for themselves.
    fn work_trees(&mut self, common: &Path) {
        for (folder, kind) in self.list(&common.join("worktrees")) {
            if kind.is_dir() {
                let prefix = [b"worktrees/", file_name(&folder), b"/"].concat();
                self.pseudo(&folder, &prefix);
                self.loose(common, &folder.join("refs"), &[&prefix[..], b"refs"].concat());
                self.reflogs(&folder.join("logs"));
            }
        }
    }

    /// HEAD of the work tree at hand; an error where it has none, since then it is no repository.
    fn own_head(&self, own: &Path, common: &Path) -> Result<Option<ObjectId>> {
        let path = own.join("HEAD");
        let unreadable =
            || Error::Repository { path: path.clone(), reason: "it names neither a commit nor a branch".to_owned() };
        let value = if own == common { self.values.get(b"HEAD".as_slice()).cloned() } else { None };
        let value = match value {
            Some(value) => value,
            None => read_ref(&path).map_err(Error::io(&path))?.ok_or_else(unreadable)?,
        };
        Ok(self.follow(&value).map(|(id, _)| id))
    }

    fn follow(&self, value: &Value) -> Option<(ObjectId, Option<ObjectId>)> {
        let mut value = value;
        for _ in 0..=SYMBOLIC_CHAIN {
            match value {
                Value::Id(id, peeled) => return Some((*id, *peeled)),
                Value::Symbolic(name) => value = self.values.get(name)?,
            }
        }
        None
    }

    fn problem(&mut self, path: &Path, reason: &str) {
        self.problems.push(Problem::new(path.display().to_string(), reason));
    }

    fn finish(self, head: Option<ObjectId>) -> Refs {
        let named = |(name, value): (&Vec<u8>, &Value)| {
            let (id, peeled) = self.follow(value)?;
            Some(Reference { name: name.clone(), kind: kind_of(name), id, peeled })
        };
        let mut refs: Vec<_> = self.values.iter().filter_map(named).collect();
        refs.sort_unstable_by(|left, right| left.name.cmp(&right.name));
        let mut reflog_ids: Vec<_> = self.reflog_ids.into_iter().collect();
        reflog_ids.sort_unstable();
        let mut problems = self.problems;
        problems.sort_unstable();
        Refs { head, refs, reflog_ids, problems }
    }
}

fn kind_of(name: &[u8]) -> RefKind {
    let kinds: [(&[u8], RefKind); 6] = [
        (b"refs/heads/", RefKind::Branch),
        (b"refs/remotes/", RefKind::RemoteBranch),
        (b"refs/tags/", RefKind::Tag),
        (b"refs/notes/", RefKind::Note),
        (b"refs/", RefKind::Other),
        (b"worktrees/", RefKind::WorkTree),
    ];
    match name {
        b"HEAD" => RefKind::Head,
        b"refs/stash" => RefKind::Stash,
        _ => kinds.iter().find(|(prefix, _)| name.starts_with(prefix)).map_or(RefKind::Pseudo, |(_, kind)| *kind),
    }
}

fn packed_line(line: &[u8]) -> Option<(ObjectId, &[u8])> {
    let name = line.get(41..).filter(|name| !name.is_empty() && line[40] == b' ')?;
    Some((ObjectId::from_hex(&line[..40])?, name))
}

fn file_name(path: &Path) -> &[u8] {
    path.file_name().unwrap_or_default().as_encoded_bytes()
}

/// Reads one ref. An old form of symbolic ref is a symbolic link to the ref's file.
fn read_ref(path: &Path) -> io::Result<Option<Value>> {
    let kind = fs::symlink_metadata(path)?.file_type();
    if kind.is_symlink() {
        let target = fs::read_link(path)?;
        let name = target.as_os_str().as_encoded_bytes();
        return Ok(name.starts_with(b"refs/").then(|| Value::Symbolic(name.to_vec())));
    }
    if !kind.is_file() {
        return Ok(None);
    }
    let mut text = Vec::new();
    file::open_of_git(path)?.take(LONGEST_REF).read_to_end(&mut text)?;
    if let Some(name) = text.strip_prefix(b"ref:") {
        return Ok(Some(Value::Symbolic(name.trim_ascii().to_vec())));
    }
    Ok(ObjectId::from_hex(text.trim_ascii()).map(|id| Value::Id(id, None)))
}

/// The longest start of a line that [`for_each_line_start`] hands out: two ids and what is between them.
const LINE_START: usize = 81;

/// Hands out the first bytes of each line of a file, however long the lines and the file are.
fn for_each_line_start(path: &Path, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 16, file::open_of_git(path)?);
    let mut start = Vec::with_capacity(LINE_START);
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        let line_end = memchr::memchr(b'\n', buffer);
        let part = &buffer[..line_end.unwrap_or(buffer.len())];
        start.extend_from_slice(&part[..part.len().min(LINE_START - start.len())]);
        let used = part.len() + usize::from(line_end.is_some());
        reader.consume(used);
        if line_end.is_some() {
            take(&start);
            start.clear();
        }
    }
    if !start.is_empty() {
        take(&start);
    }
    Ok(())
}

#[cfg(test)]
#[path = "refs_tests.rs"]
mod tests;
