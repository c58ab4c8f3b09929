//! Commits: reading one from its bytes, however damaged, and all of them stored densely.
//!
//! A scan looks at commit messages anyway, so it can fill a [`CommitCollector`] from its own walk: parse a commit once
//! with [`parse_commit`], look at the message, and hand the fields to its thread's [`CommitBatch`].

use std::sync::Mutex;

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

use super::ObjectSource;
use super::ids::{FastMap, next_number};
use crate::source::git::object::{Object, ObjectId, ObjectKind, Unread, Visitor};
use crate::sync::{into_inner, lock};

/// A moment as a commit states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitTime {
    /// Seconds since 1970 in UTC; never negative, never past the year 9999.
    pub seconds: i64,
    /// How far local time is ahead of UTC, in minutes; 0 where the stated zone cannot be one.
    pub offset_minutes: i32,
}

impl CommitTime {
    /// The moment in RFC 3339, in the zone that the commit states.
    pub fn rfc3339(self) -> Option<String> {
        let timestamp = Timestamp::from_second(self.seconds).ok()?;
        let offset = Offset::from_seconds(self.offset_minutes.checked_mul(60)?).ok()?;
        let zoned = timestamp.to_zoned(TimeZone::fixed(offset));
        Some(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
    }
}

/// What a commit says, borrowed from its bytes. What is missing or unreadable is `None` or empty.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CommitFields<'data> {
    /// The commit's root tree.
    pub tree: Option<ObjectId>,
    /// Its parents, in order.
    pub parents: Vec<ObjectId>,
    /// The author as `Name <address>`, in whatever encoding it is.
    pub author: &'data [u8],
    /// When it was written.
    pub author_time: Option<CommitTime>,
    /// The committer as `Name <address>`.
    pub committer: &'data [u8],
    /// When it was committed.
    pub committer_time: Option<CommitTime>,
    /// All after the first empty line.
    pub message: &'data [u8],
}

/// Reads a commit. Never fails: a scan must look at the message of a damaged commit too.
pub fn parse_commit(data: &[u8]) -> CommitFields<'_> {
    let mut fields = CommitFields::default();
    let mut rest = data;
    let mut author_seen = false;
    while !rest.is_empty() {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let line = &rest[..end];
        rest = rest.get(end + 1..).unwrap_or_default();
        if line.is_empty() {
            fields.message = rest;
            break;
        }
        // A line that begins with a space continues a signature or an embedded tag, whose own headers are not ours;
        // it matches no name below.
        if let Some(hex) = line.strip_prefix(b"tree ") {
            fields.tree = fields.tree.or_else(|| ObjectId::from_hex(hex));
        } else if let Some(hex) = line.strip_prefix(b"parent ") {
            // Git reads parents only where they stand, above the author.
            fields.parents.extend(ObjectId::from_hex(hex).filter(|_| !author_seen));
        } else if let Some(person) = line.strip_prefix(b"author ").filter(|_| !author_seen) {
            author_seen = true;
            (fields.author, fields.author_time) = parse_person(person);
        } else if let Some(person) = line.strip_prefix(b"committer ").filter(|_| fields.committer.is_empty()) {
            (fields.committer, fields.committer_time) = parse_person(person);
        }
    }
    fields
}

/// Splits `Name <address> seconds zone`.
pub fn parse_person(line: &[u8]) -> (&[u8], Option<CommitTime>) {
    let Some(bracket) = memchr::memrchr(b'>', line) else {
        return (line.trim_ascii(), None);
    };
    let (person, time) = line.split_at(bracket + 1);
    (person.trim_ascii(), parse_time(time))
}

fn parse_time(text: &[u8]) -> Option<CommitTime> {
    let mut words = std::str::from_utf8(text).ok()?.split_ascii_whitespace();
    let seconds = words.next()?;
    if !seconds.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = seconds.parse().ok().filter(|&seconds| seconds <= Timestamp::MAX.as_second())?;
    let offset_minutes = words.next().and_then(parse_zone).unwrap_or(0);
    Some(CommitTime { seconds, offset_minutes })
}

/// Reads `+hhmm`; no place on earth is further than 14 hours from UTC, a day is what the reports can carry.
fn parse_zone(zone: &str) -> Option<i32> {
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits = zone.get(1..).filter(|digits| digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()))?;
    let number: i32 = digits.parse().ok()?;
    let (hours, minutes) = (number / 100, number % 100);
    (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// What is kept of one commit.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) id: ObjectId,
    pub(super) tree: Option<ObjectId>,
    pub(super) committer_seconds: Option<i64>,
    author: u32,
    author_time: Option<CommitTime>,
    parents: std::ops::Range<usize>,
}

/// All commits of a repository, in the order of their ids.
#[derive(Debug, Default)]
pub struct Commits {
    commits: Vec<Commit>,
    /// The parents of all commits as numbers, absent ones left out.
    parents: Vec<u32>,
    authors: Vec<Box<[u8]>>,
    numbers: FastMap<ObjectId, u32>,
    missing_parents: usize,
    damaged: usize,
}

/// What is told of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitInfo<'commits> {
    /// The author as `Name <address>`, in whatever encoding it is.
    pub author: &'commits [u8],
    /// When it was written; `None` where the commit states no possible time.
    pub author_time: Option<CommitTime>,
    /// When it was committed, in seconds since 1970.
    pub committer_seconds: Option<i64>,
}

impl Commits {
    /// Reads all commits of a repository; the second part tells which could not be read.
    pub fn load<Source: ObjectSource>(source: &Source) -> (Self, Vec<Unread>) {
        let collector = CommitCollector::default();
        let unread = source.walk(&[ObjectKind::Commit], &LoadCommits(&collector));
        (collector.finish(), unread)
    }

    /// How many commits there are.
    pub fn len(&self) -> usize {
        self.commits.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.commits.is_empty()
    }

    /// How many different commits are named as a parent and not there, as at the end of a shallow clone.
    pub fn missing_parents(&self) -> usize {
        self.missing_parents
    }

    /// How many commits name no tree.
    pub fn damaged(&self) -> usize {
        self.damaged
    }

    /// What is known of a commit.
    pub fn get(&self, id: &ObjectId) -> Option<CommitInfo<'_>> {
        let commit = &self.commits[self.number(id)? as usize];
        let author = &self.authors[commit.author as usize];
        let Commit { author_time, committer_seconds, .. } = *commit;
        Some(CommitInfo { author, author_time, committer_seconds })
    }

    /// The number of a commit: its place in the order of ids.
    pub(super) fn number(&self, id: &ObjectId) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    pub(crate) fn commit(&self, number: u32) -> &Commit {
        &self.commits[number as usize]
    }

    pub(super) fn parents(&self, number: u32) -> &[u32] {
        &self.parents[self.commits[number as usize].parents.clone()]
    }
}

/// Gathers commits from the threads of a walk.
#[derive(Debug, Default)]
pub struct CommitCollector {
    batches: Mutex<Vec<Batch>>,
}

#[derive(Debug, Default)]
struct Batch {
    commits: Vec<Commit>,
    parents: Vec<ObjectId>,
    authors: FastMap<Box<[u8]>, u32>,
}

/// The commits that one thread met; they reach the collector when it is dropped.
#[derive(Debug)]
pub struct CommitBatch<'collector> {
    collector: &'collector CommitCollector,
    batch: Batch,
}

impl CommitCollector {
    /// Makes the buffer of one thread.
    pub fn batch(&self) -> CommitBatch<'_> {
        CommitBatch { collector: self, batch: Batch::default() }
    }

    /// Joins what all threads met. Every batch must have been dropped.
    pub fn finish(self) -> Commits {
        let batches = into_inner(self.batches);
        let mut joined = Batch::default();
        for batch in batches {
            joined.append(batch);
        }
        joined.into_commits()
    }
}

impl CommitBatch<'_> {
    /// Keeps a commit.
    pub fn add(&mut self, id: ObjectId, fields: &CommitFields<'_>) {
        let start = self.batch.parents.len();
        self.batch.parents.extend_from_slice(&fields.parents);
        let author = self.batch.author(fields.author);
        self.batch.commits.push(Commit {
            id,
            tree: fields.tree,
            committer_seconds: fields.committer_time.map(|time| time.seconds),
            author,
            author_time: fields.author_time,
            parents: start..self.batch.parents.len(),
        });
    }
}

impl Drop for CommitBatch<'_> {
    fn drop(&mut self) {
        lock(&self.collector.batches).push(std::mem::take(&mut self.batch));
    }
}

impl Batch {
    fn author(&mut self, author: &[u8]) -> u32 {
        if let Some(&number) = self.authors.get(author) {
            return number;
        }
        let number = next_number(self.authors.len());
        self.authors.insert(author.into(), number);
        number
    }

    fn append(&mut self, other: Self) {
        let shift = self.parents.len();
        self.parents.extend(other.parents);
        let mut author_numbers = vec![0; other.authors.len()];
        for (author, number) in other.authors {
            author_numbers[number as usize] = self.author(&author);
        }
        self.commits.extend(other.commits.into_iter().map(|mut commit| {
            commit.author = author_numbers[commit.author as usize];
            commit.parents = commit.parents.start + shift..commit.parents.end + shift;
            commit
        }));
    }

    fn into_commits(mut self) -> Commits {
        self.commits.sort_unstable_by_key(|commit| commit.id);
        self.commits.dedup_by_key(|commit| commit.id);
        let numbers: FastMap<_, _> = (0..).zip(&self.commits).map(|(number, commit)| (commit.id, number)).collect();
        let mut parents = Vec::with_capacity(self.parents.len());
        let mut missing = Vec::new();
        for commit in &mut self.commits {
            let start = parents.len();
            for parent in &self.parents[commit.parents.clone()] {
                match numbers.get(parent) {
                    Some(&number) => parents.push(number),
                    None => missing.push(*parent),
                }
            }
            commit.parents = start..parents.len();
        }
        missing.sort_unstable();
        missing.dedup();
        let mut authors = vec![Box::default(); self.authors.len()];
        for (author, number) in self.authors {
            authors[number as usize] = author;
        }
        let damaged = self.commits.iter().filter(|commit| commit.tree.is_none()).count();
        Commits { commits: self.commits, parents, authors, numbers, missing_parents: missing.len(), damaged }
    }
}

struct LoadCommits<'collector>(&'collector CommitCollector);

impl<'collector> Visitor for LoadCommits<'collector> {
    type Worker = CommitBatch<'collector>;
    type State = ();

    fn worker(&self) -> Self::Worker {
        self.0.batch()
    }

    fn visit(&self, worker: &mut Self::Worker, object: Object<'_, ()>) {
        if object.kind == ObjectKind::Commit {
            worker.add(object.id, &parse_commit(object.data));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> ObjectId {
        ObjectId([byte; 20])
    }

    fn commit_text(middle: &str) -> Vec<u8> {
        format!("tree {}\nparent {}\nparent {}\n{middle}", id(1), id(2), id(3)).into_bytes()
    }

    #[test]
    fn all_fields_of_a_whole_commit_are_read() {
        let text = commit_text(
            "author Ann Lee <ann@example.org> 1500000000 +0230\ncommitter Bob <bob@example.org> 1500000060 -0100\n\
             encoding latin1\n\nSubject\n\nparent is not a header here\n",
        );
        let fields = parse_commit(&text);
        assert_eq!(fields.tree, Some(id(1)));
        assert_eq!(fields.parents, [id(2), id(3)]);
        assert_eq!(fields.author, b"Ann Lee <ann@example.org>");
        assert_eq!(fields.author_time, Some(CommitTime { seconds: 1_500_000_000, offset_minutes: 150 }));
        assert_eq!(fields.committer, b"Bob <bob@example.org>");
        assert_eq!(fields.committer_time, Some(CommitTime { seconds: 1_500_000_060, offset_minutes: -60 }));
        assert_eq!(fields.message, b"Subject\n\nparent is not a header here\n");
    }

    #[test]
    fn signatures_and_embedded_tags_are_not_taken_for_headers() {
        let inner = format!(" tree {0}\n parent {0}\n author Evil <e@example.org> 1 +0000\n \n", id(9));
        let text = commit_text(&format!(
            "author A <a@example.org> 5 +0000\ncommitter C <c@example.org> 6 +0000\ngpgsig -----BEGIN\n{inner} -----END\n\
             mergetag object {0}\n{inner} tagger T <t@example.org> 2 +0000\nparent {0}\n\nmessage",
            id(9)
        ));
        let fields = parse_commit(&text);
        assert_eq!((fields.tree, fields.parents.len()), (Some(id(1)), 2));
        assert_eq!((fields.author, fields.message), (b"A <a@example.org>".as_slice(), b"message".as_slice()));
    }

    #[test]
    fn impossible_times_are_none_and_impossible_zones_utc() {
        let time = |text: &str| parse_person(format!("N <n@example.org> {text}").as_bytes()).1;
        for impossible in ["", "x", "-5 +0000", "9999999999999 +9999", "99999999999999999999 +0000", "+7 +0000", "1.5"]
        {
            assert_eq!(time(impossible), None, "{impossible}");
        }
        for zone in ["+9999", "+2400", "+0060", "0200", "+200", "+12345", "é", ""] {
            assert_eq!(time(&format!("7 {zone}")), Some(CommitTime { seconds: 7, offset_minutes: 0 }), "{zone}");
        }
        let last = time(&format!("{} +2359", Timestamp::MAX.as_second())).unwrap();
        assert!(last.rfc3339().unwrap().starts_with("9999-12-31"));
        assert_eq!(time("1500000000 -0730").unwrap().rfc3339().unwrap(), "2017-07-13T19:10:00-07:30");
    }

    #[test]
    fn damaged_commits_give_what_is_left_of_them() {
        assert_eq!(parse_commit(b""), CommitFields::default());
        assert_eq!(parse_commit(b"\n\xff\x00x").message, b"\xff\x00x");
        assert_eq!(parse_commit(b"tree 12\nparent \nauthor").tree, None);
        let fields = parse_commit(b"author \xe9\xff no brackets 12 +0000\n\nm");
        assert_eq!((fields.author, fields.author_time), (b"\xe9\xff no brackets 12 +0000".as_slice(), None));
        let text = commit_text("author A <a@example.org> 5 +0000\n\nm");
        for cut in 0..text.len() {
            assert!(parse_commit(&text[..cut]).parents.len() <= 2);
        }
    }

    #[test]
    fn batches_are_joined_without_doubles_and_absent_parents_are_counted() {
        let collector = CommitCollector::default();
        let fields = |author: &'static str, parents: &[ObjectId]| CommitFields {
            tree: Some(id(9)),
            author: author.as_bytes(),
            parents: parents.to_vec(),
            ..CommitFields::default()
        };
        let (mut first, mut second) = (collector.batch(), collector.batch());
        first.add(id(5), &fields("A", &[id(1), id(7)]));
        first.add(id(6), &CommitFields { tree: None, ..fields("B", &[id(7)]) });
        second.add(id(1), &fields("B", &[]));
        second.add(id(5), &fields("A", &[id(1), id(7)]));
        drop((first, second));
        let commits = collector.finish();
        assert_eq!((commits.len(), commits.missing_parents(), commits.damaged()), (3, 1, 1));
        assert_eq!(commits.parents(commits.number(&id(5)).unwrap()), [commits.number(&id(1)).unwrap()]);
        assert_eq!(commits.get(&id(1)).unwrap().author, b"B");
        assert_eq!(commits.get(&id(5)).unwrap().author, b"A");
        assert_eq!(commits.get(&id(7)), None);
    }
}
