//! A key in one place alone, wherever git can keep one: each is found, loose or packed.

use serde_json::Value;

use crate::harness::{Repository, Run, Scratch, key, write};

/// One place: the seed of its key, what it is, and where the report must say that it is.
struct Planted {
    seed: u64,
    place: &'static str,
    path: Option<&'static str>,
    commit: Option<String>,
}

/// Plants keys one after the other; each is gone from HEAD, index and work tree before the next.
struct Planter {
    repository: Repository,
    planted: Vec<Planted>,
}

impl Planter {
    fn new(repository: Repository) -> Self {
        repository.commit_file("README", "a repository\n", "start");
        Self { repository, planted: Vec::new() }
    }

    /// The next key, as it would stand in a file.
    fn text(&self) -> String {
        format!("ANTHROPIC_API_KEY={}\n", key(self.seed()))
    }

    fn seed(&self) -> u64 {
        100 + self.planted.len() as u64
    }

    fn note(&mut self, place: &'static str, path: Option<&'static str>, commit: Option<String>) {
        let seed = self.seed();
        self.planted.push(Planted { seed, place, path, commit });
    }

    fn remove(&self, path: &str) {
        self.repository.git(&["rm", "-q", "-f", path]);
        self.repository.commit("remove it");
    }

    fn file(&mut self, place: &'static str, path: &'static str, bytes: &[u8]) {
        let commit = self.repository.commit_file(path, bytes, "add a file");
        self.note(place, Some(path), Some(commit));
        self.remove(path);
    }

    fn merge_commit(&mut self) {
        let repository = &self.repository;
        repository.git(&["switch", "-q", "-c", "topic"]);
        repository.commit_file("topic.txt", "topic\n", "topic");
        repository.git(&["switch", "-q", "main"]);
        repository.commit_file("main.txt", "main\n", "main");
        repository.git(&["merge", "-q", "--no-commit", "--no-ff", "topic"]);
        let commit = repository.commit_file("merged.txt", self.text(), "merge topic");
        assert_eq!(repository.git(&["show", "-s", "--format=%P", "HEAD"]).split(' ').count(), 2);
        self.note("a merge commit", Some("merged.txt"), Some(commit));
        self.remove("merged.txt");
    }

    fn file_without_diff(&mut self) {
        self.repository.commit_file(".gitattributes", "*.env -diff -text\n", "attributes");
        self.file("a -diff file", "prod.env", self.text().as_bytes());
    }

    fn utf16(&mut self) {
        let little: Vec<u8> = format!("\u{feff}{}", self.text()).encode_utf16().flat_map(u16::to_le_bytes).collect();
        self.file("a UTF-16 LE file", "little.txt", &little);
        let big: Vec<u8> = format!("\u{feff}{}", self.text()).encode_utf16().flat_map(u16::to_be_bytes).collect();
        self.file("a UTF-16 BE file", "big.txt", &big);
    }

    fn renamed_and_edited(&mut self) {
        let lines: String = (0..40).map(|number| format!("setting number {number}\n")).collect();
        self.repository.commit_file("old.txt", &lines, "settings");
        self.repository.git(&["mv", "old.txt", "new.txt"]);
        let commit = self.repository.commit_file("new.txt", lines + &self.text(), "rename and edit");
        assert!(self.repository.git(&["show", "-M", "--name-status", "--format=", "HEAD"]).starts_with('R'));
        self.note("a renamed and edited file", Some("new.txt"), Some(commit));
        self.remove("new.txt");
    }

    fn link_made_a_file(&mut self) {
        std::os::unix::fs::symlink("README", self.repository.path("link")).unwrap();
        self.repository.commit("a link");
        std::fs::remove_file(self.repository.path("link")).unwrap();
        let commit = self.repository.commit_file("link", self.text(), "the link becomes a file");
        self.note("a link that became a file", Some("link"), Some(commit));
        self.remove("link");
    }

    fn stashes(&mut self) {
        for (place, dropped) in [("a dropped stash", true), ("a stash", false)] {
            self.repository.write("README", format!("a repository\n{}", self.text()));
            self.repository.git(&["stash", "-q"]);
            if dropped {
                self.repository.git(&["stash", "drop", "-q"]);
            }
            // The name of what a dropped stash holds is lost with it.
            self.note(place, (!dropped).then_some("README"), None);
        }
    }

    fn messages(&mut self) {
        self.repository.git(&["notes", "add", "-m", &self.text(), "HEAD"]);
        self.note("a note", None, None);
        self.repository.git(&["tag", "-a", "v1", "-m", &self.text()]);
        let tag = self.repository.git(&["rev-parse", "v1^{tag}"]);
        self.note("a tag message", None, Some(tag));
        let commit = self.repository.commit(&format!("subject\n\nbody {}", self.text()));
        self.note("a commit message", None, Some(commit));
        let author = format!("{} <a@example.com>", key(self.seed()));
        self.repository.git(&["commit", "-q", "--allow-empty", "-m", "by a key", "--author", &author]);
        let commit = self.repository.head();
        self.note("an author field", None, Some(commit));
    }

    fn unreachable(&mut self) {
        self.repository.commit_file("reset.txt", self.text(), "to be reset");
        self.repository.git(&["reset", "-q", "--hard", "HEAD~1"]);
        self.note("a commit that was reset away", None, None);
        self.repository.git(&["switch", "-q", "-c", "doomed"]);
        self.repository.commit_file("doomed.txt", self.text(), "on a doomed branch");
        self.repository.git(&["switch", "-q", "main"]);
        self.repository.git(&["branch", "-q", "-D", "doomed"]);
        self.note("a deleted branch", None, None);
        write(&self.repository.path(".git/planted"), self.text());
        self.repository.git(&["hash-object", "-w", ".git/planted"]);
        std::fs::remove_file(self.repository.path(".git/planted")).unwrap();
        self.note("a dangling blob", None, None);
        self.repository.git(&["commit", "-q", "--allow-empty", "-m", &format!("oops {}", self.text())]);
        self.repository.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "nothing to see"]);
        self.note("an amended commit message", None, None);
    }

    fn index_only(&mut self) {
        self.repository.write("staged.txt", self.text());
        self.repository.git(&["add", "staged.txt"]);
        std::fs::remove_file(self.repository.path("staged.txt")).unwrap();
        self.note("the index", Some("staged.txt"), None);
    }

    fn all(repository: Repository) -> Self {
        let mut planter = Self::new(repository);
        planter.merge_commit();
        planter.file_without_diff();
        planter.utf16();
        planter.renamed_and_edited();
        planter.link_made_a_file();
        planter.stashes();
        planter.messages();
        planter.unreachable();
        planter.index_only();
        planter
    }

    #[track_caller]
    fn check(&self, run: &Run) {
        let missed: Vec<_> = self
            .planted
            .iter()
            .filter(|place| run.finding_of(&key(place.seed)).is_none())
            .map(|place| place.place)
            .collect();
        assert!(missed.is_empty(), "not found: {missed:?}{run:?}");
        for planted in &self.planted {
            let places = run.occurrences(&key(planted.seed));
            if let Some(path) = planted.path {
                assert!(places.iter().any(|place| place["path"] == path), "{}: no {path} in {places:?}", planted.place);
            }
            if let Some(commit) = &planted.commit {
                let told: Vec<&Value> = places.iter().map(|place| &place["commit"]).collect();
                assert!(told.iter().any(|told| *told == commit), "{}: {commit} is not in {told:?}", planted.place);
            }
        }
        assert_eq!(run.summary()["complete"], true, "{run:?}");
    }
}

#[test]
fn every_place_is_found_among_loose_objects() {
    let scratch = Scratch::new();
    let planter = Planter::all(scratch.repository("repo"));
    planter.check(&scratch.scan(&["repo"]).status(1));
}

#[test]
fn every_place_is_found_in_a_pack() {
    let scratch = Scratch::new();
    let planter = Planter::all(scratch.repository("repo"));
    let dangling = planter.repository.git(&["fsck", "--no-reflogs", "--unreachable", "--no-progress"]);
    assert!(dangling.lines().count() > 3, "the unreachable objects are there: {dangling}");
    // All objects of the store, reachable or not, go into one pack.
    let folder = planter.repository.path(".git/objects");
    let listed = planter.repository.git(&["cat-file", "--batch-check=%(objectname)", "--batch-all-objects"]);
    let mut child = planter
        .repository
        .command(&["pack-objects", "-q", ".git/objects/pack/pack"])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), (listed + "\n").as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
    planter.repository.git(&["prune-packed", "-q"]);
    let loose = std::fs::read_dir(folder).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.len() == 2
    });
    assert_eq!(loose.count(), 0, "no loose object is left");
    planter.check(&scratch.scan(&["repo"]).status(1));
}

#[test]
fn a_key_in_a_file_name_or_a_branch_name_does_no_harm() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file(&format!("{}.txt", key(1)), "nothing\n", "a name");
    repository.git(&["branch", &key(2)]);
    let run = scratch.run(&["scan", "--format", "jsonl", "repo"]);
    assert_eq!(run.summary()["complete"], true, "{run:?}");
    run.never_says(key(1)).never_says(key(2));
}
