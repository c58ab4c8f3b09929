//! A repository for one test, made with the git program under a configuration of its own.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::super::{StagedBlob, StagedEnvironment, StagedRepository, staged};
use crate::source::git::object::ObjectId;

/// A repository that vanishes with the test.
pub(super) struct Scratch {
    folder: TempDir,
    root: PathBuf,
}

impl Scratch {
    /// Makes a repository without a commit.
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("work");
        fs::create_dir(&root).unwrap();
        let scratch = Self { folder, root };
        scratch.git(&["init", "--quiet", "--initial-branch=main"]);
        scratch
    }

    /// Makes a repository with one commit of a few files in folders.
    pub(super) fn with_commit() -> Self {
        let scratch = Self::new();
        for path in ["readme", "src/main.rs", "src/deep/er/file.txt", "src/deep/other.txt", "tests/a", "tests/b", "z"] {
            scratch.write(path, format!("content of {path}\n").repeat(5).as_bytes());
        }
        scratch.git(&["add", "."]);
        scratch.git(&["commit", "--quiet", "-m", "start"]);
        scratch
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// A path beside the work tree.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.root.with_file_name(name)
    }

    pub(super) fn write(&self, path: &str, content: &[u8]) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(super) fn remove(&self, path: &str) {
        fs::remove_file(self.root.join(path)).unwrap();
    }

    pub(super) fn link(&self, target: &str, path: &str) {
        std::os::unix::fs::symlink(target, self.root.join(path)).unwrap();
    }

    /// Runs git, which must succeed, and returns what it printed.
    pub(super) fn git(&self, arguments: &[&str]) -> Vec<u8> {
        self.git_in(&self.root, arguments)
    }

    /// Runs git in a folder.
    pub(super) fn git_in(&self, folder: &Path, arguments: &[&str]) -> Vec<u8> {
        let output = command(folder).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// Runs git and expects it to fail, as a merge with conflicts does.
    pub(super) fn git_fails(&self, arguments: &[&str]) {
        assert!(!command(&self.root).args(arguments).output().unwrap().status.success(), "git {arguments:?}");
    }

    /// Runs git with bytes on its standard input.
    pub(super) fn git_with_input(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut command = command(&self.root);
        let mut child = command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}");
        output.stdout
    }

    /// Stores a blob and returns its id in hexadecimal.
    pub(super) fn blob(&self, content: &[u8]) -> String {
        let id = self.git_with_input(&["hash-object", "-w", "--stdin"], content);
        String::from_utf8(id).unwrap().trim().to_owned()
    }

    pub(super) fn open(&self) -> StagedRepository {
        StagedRepository::open(&self.root, environment()).unwrap()
    }

    /// What the library lists as staged.
    pub(super) fn staged(&self) -> Vec<StagedBlob> {
        staged(&self.open()).unwrap()
    }

    /// Compares the library with git and returns what both say.
    #[track_caller]
    pub(super) fn agreed(&self) -> Vec<String> {
        let repository = self.open();
        agreed(self, &repository, &[])
    }

    /// Where the scratch's temporary folder is.
    pub(super) fn outside(&self) -> &Path {
        self.folder.path()
    }
}

/// The environment of a scan outside a hook.
pub(super) fn environment() -> StagedEnvironment {
    StagedEnvironment { git_program: Some(git_program()), ..StagedEnvironment::default() }
}

/// Finds git as the command line does for the library.
pub(super) fn git_program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|folder| folder.join("git")).find(|file| file.is_file()).unwrap()
}

/// A git command that neither the machine's configuration nor an outer hook's environment reaches.
pub(super) fn command(folder: &Path) -> Command {
    let mut command = Command::new(git_program());
    command.current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder);
    command.args(["-c", "user.name=Someone", "-c", "user.email=someone@example.com"]);
    command.args(["-c", "protocol.file.allow=always", "-c", "gc.auto=0", "-c", "maintenance.auto=false"]);
    command
}

/// Compares the library with `git diff --cached`, which gets the same variables, and returns the paths that both list.
#[track_caller]
pub(super) fn agreed(scratch: &Scratch, repository: &StagedRepository, variables: &[(&str, &str)]) -> Vec<String> {
    let ours: Vec<(Vec<u8>, String)> = staged(repository)
        .unwrap()
        .into_iter()
        .map(|blob| (blob.path, format!("{:o} {}", blob.mode, blob.id)))
        .collect();
    let theirs = oracle(scratch, repository.work_tree(), variables);
    assert_eq!(readable(&ours), readable(&theirs));
    ours.into_iter().map(|(path, _)| String::from_utf8_lossy(&path).into_owned()).collect()
}

fn readable(list: &[(Vec<u8>, String)]) -> Vec<String> {
    list.iter().map(|(path, blob)| format!("{blob} {}", path.escape_ascii())).collect()
}

/// What git says: changed paths with their new blob, without submodules and changes of the mode alone, conflicts replaced
/// by those of their sides that HEAD does not have.
fn oracle(scratch: &Scratch, work_tree: &Path, variables: &[(&str, &str)]) -> Vec<(Vec<u8>, String)> {
    let run = |arguments: &[&str]| {
        let output = command(work_tree).args(arguments).envs(variables.iter().copied()).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let raw = run(&["diff", "--cached", "--raw", "-z", "--no-renames", "--abbrev=40", "--diff-filter=d"]);
    let raw = String::from_utf8(raw).expect("tests that compare use UTF-8 paths");
    let fields: Vec<&str> = raw.split_terminator('\0').collect();
    let mut list = Vec::new();
    for pair in fields.chunks(2) {
        let words: Vec<&str> = pair[0].split(' ').collect();
        if words[4] == "U" {
            list.extend(sides(&run(&["ls-files", "-s", "-z", "--", pair[1]]), &head_blob(scratch, work_tree, pair[1])));
        } else if words[1] != "160000" && words[2] != words[3] {
            list.push((pair[1].as_bytes().to_vec(), format!("{} {}", words[1], words[3])));
        }
    }
    list
}

fn sides(raw: &[u8], head: &str) -> Vec<(Vec<u8>, String)> {
    let text = std::str::from_utf8(raw).unwrap();
    let sides = text.split_terminator('\0').map(|side| side.split_once('\t').unwrap());
    let sides = sides.map(|(blob, path)| (path.as_bytes().to_vec(), blob.rsplit_once(' ').unwrap().0.to_owned()));
    sides.filter(|(_, blob)| !blob.ends_with(head)).collect()
}

/// The blob that HEAD has at a path, or something that no blob ends with.
fn head_blob(scratch: &Scratch, work_tree: &Path, path: &str) -> String {
    let listed = scratch.git_in(work_tree, &["ls-tree", "-z", "HEAD", "--", path]);
    let listed = String::from_utf8(listed).unwrap();
    listed.split('\t').next().and_then(|blob| blob.split(' ').nth(2)).unwrap_or("none").to_owned()
}

/// Reads an id.
pub(super) fn id(hexadecimal: &str) -> ObjectId {
    ObjectId::from_hex(hexadecimal.as_bytes()).unwrap()
}
