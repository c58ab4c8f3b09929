//! Repositories made with the system's git, apart from the user's settings and with the same ids each time.

use std::cell::Cell;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::write;

/// The variables that a run of git or credtrace gets, and no others: no settings of the user or the system.
pub(crate) fn git_environment(home: &Path) -> Vec<(OsString, OsString)> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let fixed = [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
        ("GIT_AUTHOR_NAME", "Ada Tester"),
        ("GIT_AUTHOR_EMAIL", "ada@example.com"),
        ("GIT_COMMITTER_NAME", "Ada Tester"),
        ("GIT_COMMITTER_EMAIL", "ada@example.com"),
        ("LC_ALL", "C"),
        ("TZ", "UTC"),
    ];
    let mut all: Vec<(OsString, OsString)> = fixed.map(|(name, value)| (name.into(), value.into())).to_vec();
    all.push(("HOME".into(), home.into()));
    all.push(("PATH".into(), path));
    all
}

/// A repository that a test builds.
pub(crate) struct Repository {
    folder: PathBuf,
    home: PathBuf,
    clock: Cell<u64>,
}

impl Repository {
    /// Makes an empty repository with the branch `main`.
    pub(crate) fn init(folder: &Path, home: &Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let repository = Self { folder: folder.to_owned(), home: home.to_owned(), clock: Cell::new(1_700_000_000) };
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    /// Returns a path in the work tree.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.join(relative)
    }

    /// Writes a file in the work tree.
    pub(crate) fn write(&self, relative: impl AsRef<Path>, bytes: impl AsRef<[u8]>) {
        write(&self.path(relative), bytes);
    }

    /// Runs git, one second later than the last time, and returns what it said. It may fail.
    pub(crate) fn try_git<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Prepares git in the work tree, one second later than the last time.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Command {
        self.clock.set(self.clock.get() + 1);
        let date = format!("{} +0000", self.clock.get());
        let mut command = Command::new("git");
        command.args(["-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "protocol.file.allow=always"]);
        command.args(arguments).current_dir(&self.folder).env_clear().envs(git_environment(&self.home));
        command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", &date);
        command
    }

    /// Runs git, which must succeed, and returns its standard output without the last line break.
    #[track_caller]
    pub(crate) fn git<A: AsRef<OsStr>>(&self, arguments: &[A]) -> String {
        let output = self.try_git(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        let words: Vec<_> = arguments.iter().map(|argument| argument.as_ref().to_string_lossy()).collect();
        assert!(output.status.success(), "git {}: {said}", words.join(" "));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// Adds everything and commits it; returns the commit's id.
    #[track_caller]
    pub(crate) fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.head()
    }

    /// Writes one file and commits it; returns the commit's id.
    #[track_caller]
    pub(crate) fn commit_file(&self, relative: &str, bytes: impl AsRef<[u8]>, message: &str) -> String {
        self.write(relative, bytes);
        self.commit(message)
    }

    /// Returns the id of HEAD.
    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }
}
