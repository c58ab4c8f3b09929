//! Provenance against git's own answers, on histories made by hand and at random, and on what no honest git writes.

use std::collections::{BTreeMap, BTreeSet};

use super::commits::Commits;
use super::testing::{
    Files, Introduction, LibgitSource, Random, TestCommit, TestRepository, all_of_kind, introductions_by_git,
    random_history,
};
use super::*;
use crate::source::git::object::{CopiedRun, Inherited, Object};

struct Answer {
    commits: Commits,
    resolution: Resolution,
}

fn resolve(repository: &TestRepository, blobs: &[ObjectId]) -> Answer {
    resolve_within(repository, blobs, Bounds::default())
}

fn resolve_within(repository: &TestRepository, blobs: &[ObjectId], bounds: Bounds) -> Answer {
    let source = LibgitSource::new(repository);
    let (commits, unread) = Commits::load(&source);
    assert_eq!(unread, []);
    let refs = Refs::read(&source.repository).unwrap();
    let blobs: HashSet<_> = blobs.iter().copied().collect();
    let resolution = Provenance::new(&commits, &refs, &source, bounds).resolve(&source, &blobs);
    Answer { commits, resolution }
}

fn blob(repository: &TestRepository, text: &str) -> ObjectId {
    repository.write("blob", text.as_bytes())
}

/// The places of a blob as (path, commit).
fn places(answer: &Answer, blob: ObjectId) -> Vec<(String, ObjectId)> {
    let places = answer.resolution.places.get(&blob).map(Vec::as_slice).unwrap_or_default();
    places.iter().map(|place| (String::from_utf8(place.path.clone()).unwrap(), place.commit)).collect()
}

/// All commits in the order that the module's documentation states, worked out in the plainest way from git's lists.
fn order_by_git(repository: &TestRepository) -> Vec<(ObjectId, Reach)> {
    let ids = |arguments: &[&str]| -> HashSet<ObjectId> {
        let text = repository.git(arguments, b"");
        text.lines().filter_map(|line| ObjectId::from_hex(line.as_bytes())).collect()
    };
    let from_refs = ids(&["rev-list", "--all"]);
    let from_reflogs = ids(&["rev-list", "--reflog"]);
    let input: String = all_of_kind(repository, "commit").iter().map(|id| format!("{id}\n")).collect();
    let text = repository.git(&["log", "--stdin", "--no-walk=unsorted", "--format=%H %ct %P"], input.as_bytes());
    let mut waiting: BTreeMap<(Reach, i64, ObjectId), Vec<ObjectId>> = BTreeMap::new();
    for line in text.lines() {
        let words: Vec<_> = line.split(' ').collect();
        let id = ObjectId::from_hex(words[0].as_bytes()).unwrap();
        let reach = match (from_refs.contains(&id), from_reflogs.contains(&id)) {
            (true, _) => Reach::Ref,
            (false, true) => Reach::Reflog,
            (false, false) => Reach::Nothing,
        };
        let parents = words[2..].iter().filter_map(|id| ObjectId::from_hex(id.as_bytes())).collect();
        waiting.insert((reach, words[1].parse().unwrap(), id), parents);
    }
    let mut order = Vec::new();
    let mut done = HashSet::new();
    while !waiting.is_empty() {
        let next = *waiting.iter().find(|(_, parents)| parents.iter().all(|id| done.contains(id))).unwrap().0;
        waiting.remove(&next);
        done.insert(next.2);
        order.push((next.2, next.0));
    }
    order
}

/// Compares all that is told of all blobs with what git tells.
fn check_against_git(repository: &TestRepository) {
    let blobs = all_of_kind(repository, "blob");
    let answer = resolve(repository, &blobs);
    let order = order_by_git(repository);
    let ranks: HashMap<ObjectId, usize> = order.iter().enumerate().map(|(rank, (id, _))| (*id, rank)).collect();
    let commits: Vec<_> = order.iter().map(|(id, _)| *id).collect();
    let mut expected: BTreeMap<(ObjectId, String), ObjectId> = BTreeMap::new();
    for (blob, path, commit) in introductions_by_git(repository, &commits) {
        let first = expected.entry((blob, path)).or_insert(commit);
        if ranks[&commit] < ranks[first] {
            *first = commit;
        }
    }
    let listing = repository.git(&["ls-tree", "-r", "HEAD"], b"");
    let in_head: BTreeSet<_> = listing
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(fields, path)| (fields.split(' ').nth(2).unwrap().to_owned(), path.to_owned()))
        .collect();
    let mut found = BTreeMap::new();
    for (blob, places) in &answer.resolution.places {
        assert!(places.is_sorted());
        for place in places {
            let path = String::from_utf8(place.path.clone()).unwrap();
            assert_eq!(place.in_head, in_head.contains(&(blob.to_string(), path.clone())), "{blob} {path}");
            assert_eq!(place.reach, order[ranks[&place.commit]].1);
            assert!(found.insert((*blob, path), place.commit).is_none());
        }
    }
    assert_eq!(found, expected);
    assert!(!answer.resolution.cut);
    assert_eq!(answer.resolution.missing, Missing::default());
    assert_eq!(answer.commits.len(), order.len());
}

#[test]
fn random_histories_give_the_answers_of_git() {
    for seed in 0..12 {
        let repository = TestRepository::new();
        let history = random_history(&mut Random(seed), 60);
        let ids = repository.import(&history);
        repository.git(&["update-ref", "refs/heads/main", &ids[40].to_string()], b"");
        // Some commits lose their names: reset away with a reflog, or without any.
        for number in (2..60).filter(|number| number % 3 != 0) {
            repository.git(&["update-ref", "-d", &format!("refs/heads/c{number}")], b"");
        }
        let log = ids[50..55].iter().map(|id| format!("{id} {id} T <t@example.org> 1 +0000\tx\n")).collect::<String>();
        std::fs::create_dir_all(repository.path().join(".git/logs")).unwrap();
        std::fs::write(repository.path().join(".git/logs/HEAD"), log).unwrap();
        check_against_git(&repository);
    }
}

#[test]
fn packs_and_loose_objects_give_the_same_places() {
    let repository = TestRepository::new();
    let ids = repository.import(&random_history(&mut Random(77), 150));
    repository.git(&["update-ref", "refs/heads/main", &ids[149].to_string()], b"");
    let blobs: HashSet<_> = all_of_kind(&repository, "blob").into_iter().collect();
    let own = |threads: usize| {
        let objects = repository.path().join(".git/objects");
        let source = Objects::open(&objects, &[], crate::source::git::objects::Limits::default()).unwrap();
        let refs = Refs::read(&repository.open()).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (commits, _) = Commits::load(&source);
            Provenance::new(&commits, &refs, &source, Bounds::default()).resolve(&source, &blobs)
        })
    };
    let expected = resolve(&repository, &blobs.iter().copied().collect::<Vec<_>>()).resolution.places;
    repository.git(&["repack", "-adfq", "--depth=50", "--window=50"], b"");
    for threads in [1, 3] {
        let packed = own(threads);
        assert_eq!((packed.places, packed.unread), (expected.clone(), vec![]));
    }
    // Unpacking takes nothing that is there, so the packs have to leave first.
    let packs = repository.path().join(".git/objects/pack");
    let aside = repository.path().join("aside");
    std::fs::rename(&packs, &aside).unwrap();
    let mut packs = std::fs::read_dir(&aside).unwrap().map(|entry| entry.unwrap().path());
    let pack = packs.find(|path| path.extension().is_some_and(|end| end == "pack")).unwrap();
    repository.git(&["unpack-objects", "-q"], &std::fs::read(pack).unwrap());
    assert_eq!(own(2).places, expected);
}

#[test]
fn merges_introduce_only_what_no_parent_has() {
    let repository = TestRepository::new();
    let ids = repository.import(&[
        TestCommit::new(&[], 10, &[("base", "b")]),
        TestCommit::new(&[0], 20, &[("base", "b"), ("left", "l")]),
        TestCommit::new(&[0], 30, &[("base", "b"), ("right", "r")]),
        TestCommit::new(&[1, 2], 40, &[("base", "b"), ("left", "l"), ("right", "r"), ("evil", "e")]),
        // The other half of a criss-cross, and an octopus over all.
        TestCommit::new(&[2, 1], 41, &[("base", "b"), ("left", "r"), ("right", "l")]),
        TestCommit::new(&[1, 2, 3, 4], 50, &[("base", "b"), ("left", "r"), ("right", "r"), ("octopus", "o")]),
    ]);
    let answer = resolve(&repository, &["b", "l", "r", "e", "o"].map(|text| blob(&repository, text)));
    let at = |text: &str| places(&answer, blob(&repository, text));
    assert_eq!(at("b"), [("base".to_owned(), ids[0])]);
    assert_eq!(at("l"), [("left".to_owned(), ids[1]), ("right".to_owned(), ids[4])]);
    assert_eq!(at("r"), [("left".to_owned(), ids[4]), ("right".to_owned(), ids[2])]);
    assert_eq!(at("e"), [("evil".to_owned(), ids[3])]);
    assert_eq!(at("o"), [("octopus".to_owned(), ids[5])]);
}

#[test]
fn renamed_folders_give_a_second_path_and_readded_files_keep_their_first_commit() {
    let repository = TestRepository::new();
    let ids = repository.import(&[
        TestCommit::new(&[], 10, &[("old/sub/key", "k"), ("gone", "g")]),
        TestCommit::new(&[0], 20, &[("new/sub/key", "k")]),
        TestCommit::new(&[1], 30, &[("new/sub/key", "k"), ("gone", "g"), ("copy", "k")]),
        // The same change on another branch, with an older date on a younger line: ancestors still come first.
        TestCommit::new(&[0], 5, &[("old/sub/key", "k"), ("gone", "g"), ("picked", "g")]),
        TestCommit::new(&[2], 4, &[("new/sub/key", "k"), ("gone", "g"), ("copy", "k"), ("picked", "g")]),
    ]);
    repository.git(&["update-ref", "refs/heads/main", &ids[4].to_string()], b"");
    let (key, gone) = (blob(&repository, "k"), blob(&repository, "g"));
    let answer = resolve(&repository, &[key, gone, blob(&repository, "never committed")]);
    let named = |path: &str, number: usize| (path.to_owned(), ids[number]);
    assert_eq!(places(&answer, key), [named("copy", 2), named("new/sub/key", 1), named("old/sub/key", 0)]);
    assert_eq!(places(&answer, gone), [named("gone", 0), named("picked", 3)]);
    let in_head: Vec<_> = answer.resolution.places[&key].iter().map(|place| place.in_head).collect();
    assert_eq!(in_head, [true, true, false]);
    assert_eq!(answer.resolution.places.len(), 2, "a blob that no tree holds has no place");
    assert_eq!(answer.commits.get(&ids[0]).unwrap().author, b"T <t@example.org>");
}

#[test]
fn a_reachable_commit_is_told_before_an_older_one_that_nothing_reaches() {
    let repository = TestRepository::new();
    let ids = repository.import(&[
        TestCommit::new(&[], 10, &[("key", "k")]),
        TestCommit::new(&[], 20, &[("key", "k")]),
        TestCommit::new(&[], 5, &[("only", "lost")]),
    ]);
    repository.git(&["update-ref", "-d", "refs/heads/c0"], b"");
    repository.git(&["update-ref", "-d", "refs/heads/c2"], b"");
    repository.git(&["update-ref", "HEAD", &ids[1].to_string()], b"");
    repository.git(&["tag", "-a", "-m", "m", "t1", &ids[1].to_string()], b"");
    repository.git(&["update-ref", "-d", "refs/heads/c1"], b"");
    repository.git(&["update-ref", "-d", "refs/heads/main"], b"");
    std::fs::remove_dir_all(repository.path().join(".git/logs")).unwrap();
    let (key, lost) = (blob(&repository, "k"), blob(&repository, "lost"));
    let answer = resolve(&repository, &[key, lost]);
    assert_eq!(places(&answer, key), [("key".to_owned(), ids[1])]);
    assert_eq!(answer.resolution.places[&key][0].reach, Reach::Ref, "through a tag that is an object");
    assert_eq!(answer.resolution.places[&lost][0].reach, Reach::Nothing);
    assert!(!answer.resolution.places[&key][0].in_head);
}

#[test]
fn submodules_are_not_entered_and_links_are_files() {
    let repository = TestRepository::new();
    let inner = repository.import(&[TestCommit::new(&[], 10, &[("key", "k")])]);
    let mut files = Files::new();
    files.insert("module".to_owned(), ("160000", inner[0].to_string()));
    files.insert("link".to_owned(), ("120000", "k".to_owned()));
    let outer = repository.import(&[TestCommit { parents: vec![], seconds: 20, files }]);
    let key = blob(&repository, "k");
    let expected = [("key".to_owned(), inner[0]), ("link".to_owned(), outer[0])];
    assert_eq!(places(&resolve(&repository, &[key]), key), expected, "and no module/key");
}

fn tree_entry(mode: &str, name: &str, id: ObjectId) -> Vec<u8> {
    [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &id.0].concat()
}

#[test]
fn damaged_trees_give_what_is_left_and_are_counted() {
    let repository = TestRepository::new();
    let (one, two) = (blob(&repository, "1"), blob(&repository, "2"));
    let folder = repository.write("tree", &tree_entry("100644", "f", two));
    let doubled = [
        tree_entry("100644", "same", one),
        tree_entry("100644", "same", two),
        tree_entry("40000", "same", folder),
        tree_entry("rubbish", "odd", one),
        tree_entry("100644", "", two),
        tree_entry("100644", "a/b", one),
    ]
    .concat();
    let cut = [&doubled[..], b"100644 cut\0only a few bytes"].concat();
    let first = repository.write_commit(repository.write("tree", &cut), &[], 10);
    let second = repository.write_commit(repository.write("tree", &doubled), &[first], 20);
    repository.write("tree", b"no entry at all");
    repository.git(&["update-ref", "refs/heads/main", &second.to_string()], b"");
    let answer = resolve(&repository, &[one, two]);
    let all = |paths: &[&str]| paths.iter().map(|path| ((*path).to_owned(), first)).collect::<Vec<_>>();
    assert_eq!(places(&answer, one), all(&["a/b", "odd", "same"]));
    assert_eq!(places(&answer, two), all(&["", "same", "same/f"]));
    assert!(answer.resolution.places[&one].iter().all(|place| place.in_head));
    assert_eq!(answer.resolution.damaged_trees, 2);
}

#[test]
fn what_is_missing_counts_as_empty_and_is_counted() {
    let repository = TestRepository::new();
    let key = blob(&repository, "k");
    let absent = ObjectId([0xee; 20]);
    let tree = [tree_entry("40000", "absent", absent), tree_entry("100644", "key", key)].concat();
    let tree = repository.write("tree", &tree);
    let cut_off = repository.write_commit(tree, &[ObjectId([0xdd; 20])], 10);
    let treeless = repository.write_commit(ObjectId([0xcc; 20]), &[cut_off], 20);
    let again = repository.write_commit(tree, &[treeless], 30);
    repository.write("commit", b"no header at all");
    repository.git(&["update-ref", "refs/heads/main", &again.to_string()], b"");
    std::fs::write(repository.path().join(".git/refs/heads/lost"), format!("{}\n", ObjectId([0xbb; 20]))).unwrap();
    let collected = format!("{0} {0} A <a@example.org> 1 +0000\tx\n", ObjectId([0xaa; 20]));
    std::fs::create_dir_all(repository.path().join(".git/logs")).unwrap();
    std::fs::write(repository.path().join(".git/logs/HEAD"), collected).unwrap();
    let answer = resolve(&repository, &[key]);
    assert_eq!(places(&answer, key), [("key".to_owned(), cut_off)]);
    assert_eq!(answer.resolution.missing, Missing { parents: 1, trees: 2, roots: 1 });
    assert_eq!(answer.commits.damaged(), 1);
}

/// Objects that are only in memory: ids are whatever the test says.
#[derive(Default)]
struct MadeUp(Vec<(ObjectId, ObjectKind, Vec<u8>)>);

impl ObjectSource for MadeUp {
    fn walk<V: Visitor>(&self, kinds: &[ObjectKind], visitor: &V) -> Vec<Unread> {
        let mut worker = visitor.worker();
        for (id, kind, data) in self.0.iter().filter(|(_, kind, _)| kinds.contains(kind)) {
            visitor
                .visit(&mut worker, crate::source::git::object::Object { id: *id, kind: *kind, data, inherited: None });
        }
        Vec::new()
    }

    fn read(&self, id: &ObjectId) -> Result<Option<(ObjectKind, Vec<u8>)>, Unread> {
        Ok(self.0.iter().find(|(other, _, _)| other == id).map(|(_, kind, data)| (*kind, data.clone())))
    }
}

impl MadeUp {
    fn number(number: usize) -> ObjectId {
        let mut id = [0; 20];
        id[..8].copy_from_slice(&(number as u64 + 1).to_be_bytes());
        ObjectId(id)
    }

    fn tree(&mut self, number: usize, data: Vec<u8>) {
        self.0.push((Self::number(number), ObjectKind::Tree, data));
    }

    /// A commit with the tree of that number.
    fn commit(&mut self, number: usize, tree: usize) {
        let text = format!("tree {}\n\nm", Self::number(tree));
        self.0.push((Self::number(number), ObjectKind::Commit, text.into_bytes()));
    }

    fn resolve(&self, blob: ObjectId, bounds: Bounds) -> Resolution {
        let (commits, _) = Commits::load(self);
        Provenance::new(&commits, &Refs::default(), self, bounds).resolve(self, &HashSet::from([blob]))
    }
}

const KEY: ObjectId = ObjectId([0xab; 20]);

/// Hands out the second of two trees as a delta of the first, in one run.
struct OneDelta {
    objects: MadeUp,
    run: CopiedRun,
}

impl ObjectSource for OneDelta {
    fn walk<V: Visitor>(&self, kinds: &[ObjectKind], visitor: &V) -> Vec<Unread> {
        if !kinds.contains(&ObjectKind::Tree) {
            return self.objects.walk(kinds, visitor);
        }
        let [base, child] = [0, 1].map(|number| &self.objects.0[number]);
        let whole = |(id, kind, data): &(ObjectId, ObjectKind, Vec<u8>), inherited| {
            visitor.visit(&mut visitor.worker(), Object { id: *id, kind: *kind, data: &data.clone(), inherited })
        };
        let state = whole(base, None);
        let runs = [self.run];
        whole(child, Some(Inherited { base: &state, base_length: base.2.len(), runs: &runs }));
        Vec::new()
    }

    fn read(&self, id: &ObjectId) -> Result<Option<(ObjectKind, Vec<u8>)>, Unread> {
        self.objects.read(id)
    }
}

#[test]
fn bytes_that_are_an_entry_only_in_the_child_are_read_as_one() {
    let own = [tree_entry("100644", "key", KEY), tree_entry("100644", "other", ObjectId([1; 20]))].concat();
    // In the base the same bytes are the end of a longer name, or part of an id, and what follows is an entry in both.
    let mut id = [b'x'; 20];
    id[9..].copy_from_slice(b"100644 key\0");
    let in_id = [tree_entry("100644", "a", ObjectId(id)), KEY.0.to_vec(), own[31..].to_vec()].concat();
    let bases = [([b"100644 zz ", &own[..]].concat(), 10), (in_id, 18)];
    for (base, base_start) in bases {
        let length = own.len();
        assert_eq!(base[base_start..base_start + length], own);
        for length in [length, length - 1, 31, 12] {
            let mut objects = MadeUp::default();
            objects.tree(0, base.clone());
            objects.tree(1, own.clone());
            objects.commit(2, 1);
            let source = OneDelta { objects, run: CopiedRun { start: 0, base_start, length } };
            let (commits, _) = Commits::load(&source);
            let answer = Provenance::new(&commits, &Refs::default(), &source, Bounds::default());
            let places = answer.resolve(&source, &HashSet::from([KEY])).places;
            let paths: Vec<_> = places.get(&KEY).into_iter().flatten().map(|place| place.path.as_slice()).collect();
            assert_eq!(paths, [b"key"], "{base_start} {length}");
        }
    }
}

#[test]
fn folders_nested_twenty_thousand_deep_are_followed_as_far_as_a_path_may_be_long() {
    const DEPTH: usize = 20_000;
    let mut objects = MadeUp::default();
    for level in 0..DEPTH {
        let below = tree_entry("40000", "d", MadeUp::number(level + 1));
        objects.tree(level, below);
    }
    objects.tree(DEPTH, tree_entry("100644", "key", KEY));
    objects.commit(DEPTH + 1, 0);
    let short = objects.resolve(KEY, Bounds::default());
    assert!(short.places.is_empty() && short.cut);
    let long = objects.resolve(KEY, Bounds { path_bytes: 1 << 20, ..Bounds::default() });
    assert_eq!(long.places[&KEY][0].path.len(), 2 * DEPTH + 3);
    assert!(!long.cut);
}

#[test]
fn folders_that_stand_for_countless_paths_are_cut_off() {
    let mut objects = MadeUp::default();
    for level in 0..30 {
        let entry = |name: usize| tree_entry("40000", &name.to_string(), MadeUp::number(level + 1));
        objects.tree(level, (0..10).flat_map(entry).collect());
    }
    objects.tree(30, tree_entry("100644", "key", KEY));
    objects.commit(31, 0);
    let bounds = Bounds { paths: 10_000, places_per_blob: 100, ..Bounds::default() };
    let answer = objects.resolve(KEY, bounds);
    assert!(answer.cut);
    assert!(answer.places.get(&KEY).is_none_or(|places| places.len() <= 100));
    let few_steps = objects.resolve(KEY, Bounds { steps: 50, ..Bounds::default() });
    assert!(few_steps.cut);
}

#[test]
fn a_wide_tree_is_searched_whole_and_forged_cycles_end() {
    let mut objects = MadeUp::default();
    let mut wide: Vec<u8> =
        (0..300_000).flat_map(|number| tree_entry("100644", &format!("f{number:07}"), KEY)).collect();
    wide.extend(tree_entry("40000", "self", MadeUp::number(0)));
    wide.extend(tree_entry("40000", "other", MadeUp::number(1)));
    objects.tree(0, wide);
    objects.tree(1, tree_entry("40000", "back", MadeUp::number(0)));
    objects.commit(2, 0);
    let bounds = Bounds { places_per_blob: 400_000, ..Bounds::default() };
    let answer = objects.resolve(KEY, bounds);
    assert!(answer.places[&KEY].len() >= 300_000);
    let cut = objects.resolve(KEY, Bounds { places_per_blob: 1000, ..bounds });
    assert_eq!((cut.places[&KEY].len(), cut.cut), (1000, true));
    let nothing_kept = objects.resolve(KEY, Bounds { kept_entries: 1000, ..bounds });
    assert!(nothing_kept.places.is_empty() && nothing_kept.cut);
}

#[test]
fn nothing_is_read_when_nothing_is_asked() {
    let repository = TestRepository::new();
    repository.import(&[TestCommit::new(&[], 10, &[("key", "k")])]);
    let answer = resolve(&repository, &[]);
    assert!(answer.resolution.places.is_empty());
    let introduced: BTreeSet<Introduction> = introductions_by_git(&repository, &all_of_kind(&repository, "commit"));
    assert_eq!(introduced.len(), 1);
}
