//! Ranges against `git rev-list` and `git log`.

use std::collections::BTreeSet;

use super::*;
use crate::source::git::provenance::testing::{
    Introduction, Random, TestCommit, TestRepository, introductions_by_git, random_history,
};

fn read(repository: &TestRepository, range: &str) -> Range {
    Range::read(&repository.open(), range, Bounds::default(), |_, _| {}).unwrap()
}

fn introductions(range: &Range) -> BTreeSet<Introduction> {
    let found = range.introduced.iter();
    let found: Vec<_> =
        found.map(|one| (one.blob, String::from_utf8(range.path(one)).unwrap(), range.commit(one))).collect();
    let different: BTreeSet<_> = found.iter().cloned().collect();
    assert_eq!(different.len(), found.len(), "an introduction is told once");
    different
}

fn listed_by_git(repository: &TestRepository, range: &str) -> Vec<ObjectId> {
    let arguments: Vec<_> = std::iter::once("rev-list").chain(range.split(' ')).collect();
    repository.git(&arguments, b"").lines().filter_map(|line| ObjectId::from_hex(line.as_bytes())).collect()
}

fn check(repository: &TestRepository, text: &str) {
    let range = read(repository, text);
    let listed = listed_by_git(repository, text);
    let sorted = |ids: &[ObjectId]| ids.iter().copied().collect::<BTreeSet<_>>();
    assert_eq!(sorted(&range.commits), sorted(&listed), "{text}");
    // Without a commit on its list git would show HEAD.
    let expected = if listed.is_empty() { BTreeSet::new() } else { introductions_by_git(repository, &listed) };
    assert_eq!(introductions(&range), expected, "{text}");
    assert_eq!((range.gaps, range.cut), (RangeGaps::default(), false), "{text}");
    let places: HashMap<_, _> = range.commits.iter().zip(0..).collect();
    for commit in &range.commits {
        let parents = repository.git(&["rev-parse", &format!("{commit}^@")], b"");
        for parent in parents.lines().filter_map(|line| ObjectId::from_hex(line.as_bytes())) {
            assert!(places.get(&parent).is_none_or(|place| *place < places[commit]), "ancestors come first");
        }
    }
}

#[test]
fn ranges_of_random_histories_give_the_answers_of_git() {
    for seed in 100..104 {
        let repository = TestRepository::new();
        let ids = repository.import(&random_history(&mut Random(seed), 40));
        repository.git(&["update-ref", "refs/heads/main", &ids[30].to_string()], b"");
        repository.git(&["tag", "-a", "-m", "m", "v1", &ids[12].to_string()], b"");
        let ranges =
            ["v1..c39", "c39...c35", "HEAD", "^v1 c38 c37", "c20..", "..c39", "c33^!", "c39^@", "c39..v1", "c7..c7"];
        ranges.iter().for_each(|range| check(&repository, range));
    }
}

#[test]
fn every_commit_of_a_range_is_handed_out_once_with_its_message() {
    let repository = TestRepository::new();
    let ids = repository.import(&[
        TestCommit::new(&[], 10, &[("a", "1")]),
        TestCommit::new(&[0], 20, &[("a", "2")]),
        TestCommit::new(&[1], 30, &[("a", "3")]),
    ]);
    let mut seen = Vec::new();
    let range = Range::read(&repository.open(), "c0..c2", Bounds::default(), |id, fields| {
        seen.push((id, fields.message.to_vec()));
    })
    .unwrap();
    seen.sort_unstable();
    let mut expected = vec![(ids[1], b"m".to_vec()), (ids[2], b"m".to_vec())];
    expected.sort_unstable();
    assert_eq!(seen, expected);
    assert_eq!(range.commits, ids[1..]);
    assert_eq!(range.store.get(&ids[2]).unwrap().author, b"T <t@example.org>");
}

#[test]
fn unknown_revisions_and_texts_that_are_no_range_are_errors() {
    let repository = TestRepository::new();
    repository.import(&[TestCommit::new(&[], 10, &[("a", "1")])]);
    for range in
        ["nowhere", "c0..nowhere", "nowhere...c0", "^nowhere c0", "", "  ", "^c0", "..", "--all", "c0:a", "c0^!x"]
    {
        let result = Range::read(&repository.open(), range, Bounds::default(), |_, _| {});
        assert!(matches!(result, Err(Error::Range { .. })), "{range:?}");
    }
    let error = Range::read(&repository.open(), "c0..nowhere", Bounds::default(), |_, _| {}).unwrap_err().to_string();
    assert!(error.contains("\"nowhere\""), "{error}");
}

#[test]
fn words_are_not_parted_inside_braces() {
    assert_eq!(words(" a@{2 days ago}..b  ^c ").collect::<Vec<_>>(), ["a@{2 days ago}..b", "^c"]);
}

#[test]
fn the_end_of_a_shallow_clone_is_told() {
    let origin = TestRepository::new();
    let ids = origin.import(&[
        TestCommit::new(&[], 10, &[("a", "1"), ("b", "1")]),
        TestCommit::new(&[0], 20, &[("a", "2"), ("b", "1")]),
        TestCommit::new(&[1], 30, &[("a", "3"), ("b", "1")]),
    ]);
    origin.git(&["update-ref", "refs/heads/main", &ids[2].to_string()], b"");
    let clone = TestRepository::new();
    let url = format!("file://{}", origin.path().display());
    clone.git(&["fetch", "-q", "--depth=2", &url, "main:refs/heads/copy"], b"");
    let range = read(&clone, "copy");
    assert_eq!(range.commits, ids[1..]);
    assert_eq!(range.gaps, RangeGaps { parents: 1, ..RangeGaps::default() });
    assert_eq!(range.introduced.len(), 3, "the commit at the end seems to introduce all it has");
    assert_eq!(read(&clone, "copy^!").gaps, RangeGaps::default(), "what is past the range is not needed");
    let error = Range::read(&clone.open(), "copy~2..copy", Bounds::default(), |_, _| {}).unwrap_err().to_string();
    assert!(error.contains("shallow"), "{error}");
}

#[test]
fn missing_and_damaged_trees_are_counted_and_countless_paths_cut_off() {
    let repository = TestRepository::new();
    let entry = |mode: &str, name: &str, id: ObjectId| [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &id.0].concat();
    let blob = repository.write("blob", b"1");
    let mut tree = repository.write("tree", &entry("100644", "key", blob));
    for _ in 0..12 {
        let doubled: Vec<u8> = (0..4).flat_map(|name| entry("40000", &name.to_string(), tree)).collect();
        tree = repository.write("tree", &doubled);
    }
    let damaged = [entry("100644", "a", blob), entry("40000", "b", ObjectId([9; 20])), b"100644 cut".to_vec()].concat();
    let first = repository.write_commit(repository.write("tree", &damaged), &[], 10);
    let second = repository.write_commit(tree, &[first], 20);
    repository.git(&["update-ref", "refs/heads/main", &second.to_string()], b"");
    let bounds = Bounds { paths: 1000, ..Bounds::default() };
    let range = Range::read(&repository.open(), "main", bounds, |_, _| {}).unwrap();
    assert_eq!(range.commits, [first, second]);
    assert!(range.cut);
    assert_eq!(range.gaps, RangeGaps { parents: 0, trees: 1, damaged: 1 });
    assert_eq!((range.path(&range.introduced[0]), range.introduced[0].blob), (b"a".to_vec(), blob));
}
