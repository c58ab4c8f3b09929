//! Repositories in which the hook is installed, and commits that it lets pass or stops.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use super::{Repository, Scratch, binary, git_environment, key, project, write};

/// The arguments of a commit of the index.
pub(crate) const COMMIT: [&str; 4] = ["commit", "-q", "-m", "change"];

/// A repository with the hook installed, and the program on the path that git gives the hook.
pub(crate) struct Hooked {
    pub(crate) scratch: Scratch,
    pub(crate) repository: Repository,
}

impl Hooked {
    /// With a first commit.
    pub(crate) fn new() -> Self {
        let hooked = Self::unborn();
        hooked.repository.write("README", "a repository\n");
        hooked.repository.git(&["add", "-A"]);
        hooked.passes(&["commit", "-q", "-m", "start"]);
        hooked
    }

    /// Without any commit.
    pub(crate) fn unborn() -> Self {
        let scratch = Scratch::new();
        let repository = scratch.repository("repo");
        let hooked = Self { scratch, repository };
        std::fs::create_dir_all(hooked.programs()).unwrap();
        std::os::unix::fs::symlink(binary(), hooked.programs().join("credtrace")).unwrap();
        let installed = hooked
            .with_program(Command::new("sh"))
            .arg(project("pre-commit-hook/install.sh"))
            .current_dir(hooked.repository.path(""))
            .output()
            .unwrap();
        assert!(installed.status.success(), "install.sh: {}", String::from_utf8_lossy(&installed.stderr));
        hooked
    }

    /// The folder in which git's hook finds the program under test.
    pub(crate) fn programs(&self) -> PathBuf {
        self.scratch.elsewhere("bin")
    }

    /// Puts a script in the place of the program under test, or nothing.
    pub(crate) fn replace_program(&self, script: Option<&str>) {
        let program = self.programs().join("credtrace");
        std::fs::remove_file(&program).unwrap();
        if let Some(script) = script {
            write(&program, script);
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// Gives a command the environment of a user who has credtrace installed.
    pub(crate) fn with_program(&self, mut command: Command) -> Command {
        let home = self.scratch.home();
        command.env_clear().envs(git_environment(home.parent().unwrap()));
        // A credtrace that is installed on this machine is another one than the one under test.
        let path = std::env::var_os("PATH").unwrap_or_default();
        let others = std::env::split_paths(&path).filter(|folder| !folder.join("credtrace").exists());
        let path = std::env::join_paths(std::iter::once(self.programs()).chain(others)).unwrap();
        command.env("PATH", path).env("CREDTRACE_HOME", home);
        command
    }

    /// Runs git in the work tree, and with it the hook.
    pub(crate) fn git(&self, arguments: &[&str], input: &str) -> Output {
        self.git_in(&self.repository.path(""), arguments, input)
    }

    /// Runs git in a folder, and with it the hook.
    pub(crate) fn git_in(&self, folder: &Path, arguments: &[&str], input: &str) -> Output {
        let mut command = self.with_program(Command::new("git"));
        command.args(["-c", "protocol.file.allow=always"]).args(arguments).current_dir(folder);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A git that reads nothing may have closed its input already; that is no fault of the test.
        let _ = std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes());
        child.wait_with_output().unwrap()
    }

    /// Runs git, which must make its commit.
    #[track_caller]
    pub(crate) fn passes(&self, arguments: &[&str]) {
        let output = self.git(arguments, "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "git {arguments:?} was stopped: {said}");
    }

    /// Runs git, which the hook must stop; no commit is made and the message shows no secret. Returns what was said.
    #[track_caller]
    pub(crate) fn stopped(&self, arguments: &[&str]) -> String {
        self.stopped_in(&self.repository.path(""), arguments)
    }

    /// As [`Hooked::stopped`], in another folder.
    #[track_caller]
    pub(crate) fn stopped_in(&self, folder: &Path, arguments: &[&str]) -> String {
        let before = self.repository.try_git(&["rev-parse", "--all"]).stdout;
        let output = self.git_in(folder, arguments, "");
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        assert!(!output.status.success(), "git {arguments:?} was not stopped: {said}");
        assert!(said.contains("credtrace"), "the hook says nothing: {said}");
        assert_eq!(before, self.repository.try_git(&["rev-parse", "--all"]).stdout, "there is a new commit");
        for seed in 1..10 {
            assert!(!said.contains(&key(seed)[20..60]), "the message shows a secret: {said}");
        }
        said
    }

    /// Writes a file with the key of this seed, which is below 10, in it.
    pub(crate) fn write_secret(&self, path: &str, seed: u64) {
        self.repository.write(path, format!("first\nANTHROPIC_API_KEY={}\n", key(seed)));
    }

    /// Stages a path.
    pub(crate) fn add(&self, path: &str) {
        self.repository.git(&["add", "--", path]);
    }
}
