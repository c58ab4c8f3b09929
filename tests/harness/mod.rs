//! A scratch folder, the program under test in a clean environment, and what came out of it.

pub(crate) mod archives;
mod hooked;
mod keys;
mod limited;
pub(crate) mod packs;
mod repository;
pub(crate) mod rsa_key;
pub(crate) mod server;

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) use hooked::{COMMIT, Hooked};
pub(crate) use keys::{KeyKind, fake_key, key};
pub(crate) use limited::scale;
pub(crate) use repository::{Repository, git_environment};

/// How long a run may take before the test fails; every run of the suite ends within a small part of it.
const DEADLINE: Duration = Duration::from_secs(30);

/// Returns the program under test.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("CREDTRACE_TEST_BIN").map_or_else(|| env!("CARGO_BIN_EXE_credtrace").into(), PathBuf::from)
}

/// Returns a path of this project.
pub(crate) fn project(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// Returns whether this process may do what only root may, such as giving files away.
pub(crate) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A folder of its own for one test: `work` for what is scanned, and beside it a home and a state folder.
pub(crate) struct Scratch {
    folder: tempfile::TempDir,
}

impl Scratch {
    /// Makes the folder; it goes away with the value.
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("credtrace-test-").tempdir().unwrap();
        for name in ["work", "home", "elsewhere"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        // Other users must be able to look inside, for the tests about files of other users.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { folder }
    }

    /// Returns a path in the folder that is scanned.
    pub(crate) fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join("work").join(relative)
    }

    /// Returns a path in a folder that no test names as a target.
    pub(crate) fn elsewhere(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join("elsewhere").join(relative)
    }

    /// Returns the state folder of the program.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home/state")
    }

    /// Writes a file in the folder that is scanned.
    pub(crate) fn write(&self, relative: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(relative);
        write(&path, bytes);
        path
    }

    /// Makes a repository in the folder that is scanned.
    pub(crate) fn repository(&self, name: &str) -> Repository {
        Repository::init(&self.path(name), &self.folder.path().join("home"))
    }

    /// Returns the program with a clean environment, run in the folder that is scanned.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Invocation {
        let mut environment = git_environment(&self.folder.path().join("home"));
        environment.push(("CREDTRACE_HOME".into(), self.home().into()));
        environment.push(("NO_COLOR".into(), "1".into()));
        Invocation {
            program: binary(),
            arguments: arguments.iter().map(|argument| argument.as_ref().to_owned()).collect(),
            environment,
            folder: self.path(""),
            input: Vec::new(),
        }
    }

    /// Runs the program.
    pub(crate) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Run {
        self.command(arguments).run()
    }

    /// Runs `scan` with a report that shows the secrets, so that a test can tell which key was found.
    pub(crate) fn scan<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Run {
        self.scan_command(arguments).run()
    }

    /// Prepares what [`Scratch::scan`] runs.
    pub(crate) fn scan_command<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Invocation {
        let mut all: Vec<OsString> = ["scan", "--format", "jsonl", "--show-secrets"].map(OsString::from).to_vec();
        all.extend(arguments.iter().map(|argument| argument.as_ref().to_owned()));
        self.command(&all)
    }
}

/// Writes a file, with the folders that lead to it.
pub(crate) fn write(path: &Path, bytes: impl AsRef<[u8]>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Makes a character device with major number 1, and returns whether that worked; only root may.
pub(crate) fn make_device(path: &Path, minor: &str) -> bool {
    let made = std::process::Command::new("mknod").arg(path).args(["c", "1", minor]).output();
    made.is_ok_and(|output| output.status.success())
}

/// The program with its arguments, environment and input, before it runs.
pub(crate) struct Invocation {
    program: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    folder: PathBuf,
    input: Vec<u8>,
}

impl Invocation {
    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.as_ref().to_owned()));
        self
    }

    /// Runs in another folder.
    pub(crate) fn in_folder(mut self, folder: impl AsRef<Path>) -> Self {
        self.folder = folder.as_ref().to_owned();
        self
    }

    /// Gives text on standard input.
    pub(crate) fn input(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.input = bytes.as_ref().to_owned();
        self
    }

    /// Runs a copy of the program as a user without rights; the copy lies where that user can reach it.
    pub(crate) fn run_by_nobody(mut self, copy: &Path) -> Self {
        std::fs::copy(&self.program, copy).unwrap();
        std::fs::set_permissions(copy, std::fs::Permissions::from_mode(0o755)).unwrap();
        self.program = copy.to_owned();
        let rest = std::mem::replace(
            &mut self.arguments,
            ["--reuid=65534", "--regid=65534", "--clear-groups"].map(OsString::from).to_vec(),
        );
        self.arguments.push(std::mem::replace(&mut self.program, "setpriv".into()).into());
        self.arguments.extend(rest);
        self
    }

    /// Runs it and interrupts it as a person at the keyboard would once it is ready for that; its input stays open.
    pub(crate) fn interrupt(self) -> Run {
        let mut command = std::process::Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(self.environment).current_dir(&self.folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let began = Instant::now();
        let mut child = command.spawn().unwrap();
        let mut input = child.stdin.take().unwrap();
        std::io::Write::write_all(&mut input, &self.input).unwrap();
        while !catches_interrupts(child.id()) {
            assert!(began.elapsed() < DEADLINE, "it never gets ready for an interrupt");
            std::thread::sleep(Duration::from_millis(5));
        }
        let process = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(process, rustix::process::Signal::INT).unwrap();
        // It must end although its input does not.
        while child.try_wait().unwrap().is_none() && began.elapsed() < DEADLINE {
            std::thread::sleep(Duration::from_millis(5));
        }
        drop(input);
        let output = child.wait_with_output().unwrap();
        Run::new(self.arguments, &output, began.elapsed())
    }

    /// Runs it and waits for the end.
    pub(crate) fn run(self) -> Run {
        let mut command = assert_cmd::Command::new(&self.program);
        command.args(&self.arguments).env_clear().envs(self.environment).current_dir(&self.folder);
        command.timeout(DEADLINE).write_stdin(self.input);
        let began = Instant::now();
        let output = command.output().unwrap_or_else(|error| panic!("{}: {error}", self.program.display()));
        Run::new(self.arguments, &output, began.elapsed())
    }
}

/// Returns whether a process has a handler for the interrupt signal (bit 1 of the signals that it catches).
fn catches_interrupts(process: u32) -> bool {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or_default();
    u64::from_str_radix(caught.trim(), 16).unwrap_or_default() & 0b10 != 0
}

/// How a run ended.
pub(crate) struct Run {
    arguments: Vec<OsString>,
    /// The exit status, or nothing where a signal ended it (the deadline does).
    pub(crate) status: Option<i32>,
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    /// How long it took.
    pub(crate) elapsed: Duration,
}

impl fmt::Debug for Run {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arguments: Vec<_> = self.arguments.iter().map(|argument| argument.to_string_lossy()).collect();
        let head = |text: &str| text.chars().take(6000).collect::<String>();
        write!(
            formatter,
            "\n$ credtrace {}\nstatus {:?} after {:?}\n--- standard output\n{}\n--- standard error\n{}",
            arguments.join(" "),
            self.status,
            self.elapsed,
            head(&self.stdout),
            head(&self.stderr)
        )
    }
}

impl Run {
    fn new(arguments: Vec<OsString>, output: &Output, elapsed: Duration) -> Self {
        Self {
            arguments,
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            elapsed,
        }
    }

    /// Fails unless the run ended with this status.
    #[track_caller]
    pub(crate) fn status(self, expected: i32) -> Self {
        assert_eq!(self.status, Some(expected), "the exit status is not the expected one{self:?}");
        self
    }

    /// Fails unless the run ended within this time.
    #[track_caller]
    pub(crate) fn within(self, limit: Duration) -> Self {
        assert!(self.elapsed < limit, "took longer than {limit:?}{self:?}");
        self
    }

    /// Fails unless standard error holds this text, in any case.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.to_lowercase().contains(&text.to_lowercase()), "standard error lacks {text:?}{self:?}");
        self
    }

    /// Fails if either output holds this text.
    #[track_caller]
    pub(crate) fn never_says(self, text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        assert!(!self.stdout.contains(text) && !self.stderr.contains(text), "an output holds {text:?}{self:?}");
        self
    }

    /// Returns the lines of a JSONL report.
    #[track_caller]
    pub(crate) fn lines(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}{self:?}"));
        self.stdout.lines().map(parse).collect()
    }

    /// Returns the findings of a JSONL report.
    #[track_caller]
    pub(crate) fn findings(&self) -> Vec<Value> {
        self.lines().into_iter().filter(|line| line["schema"] == "credtrace/finding/1").collect()
    }

    /// Returns the summary of a JSONL report: its last line.
    #[track_caller]
    pub(crate) fn summary(&self) -> Value {
        let last = self.lines().pop().unwrap_or_else(|| panic!("no report{self:?}"));
        assert_eq!(last["schema"], "credtrace/summary/1", "the last line is no summary{self:?}");
        last
    }

    /// Returns the finding of this key. The report must show secrets.
    #[track_caller]
    pub(crate) fn finding(&self, key: &str) -> Value {
        self.finding_of(key).unwrap_or_else(|| panic!("a key was not found: {key}{self:?}"))
    }

    /// Returns the finding of this key, if there is one. The report must show secrets.
    #[track_caller]
    pub(crate) fn finding_of(&self, key: &str) -> Option<Value> {
        self.findings().into_iter().find(|finding| finding["secret"] == key)
    }

    /// Returns the occurrences of this key. The report must show secrets.
    #[track_caller]
    pub(crate) fn occurrences(&self, key: &str) -> Vec<Value> {
        self.finding(key)["occurrences"].as_array().cloned().unwrap_or_else(|| panic!("no occurrences{self:?}"))
    }

    /// Returns the paths at which this key occurs, in the order of the report.
    #[track_caller]
    pub(crate) fn paths(&self, key: &str) -> Vec<String> {
        self.occurrences(key).iter().map(|place| place["path"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Returns how many things the summary says were skipped, over all reasons.
    #[track_caller]
    pub(crate) fn skipped(&self) -> u64 {
        let summary = self.summary();
        summary["skipped"].as_object().unwrap().values().filter_map(Value::as_u64).sum()
    }
}
