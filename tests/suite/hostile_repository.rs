//! Repositories that want the scanner to run their programs, or that belong to somebody else.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::harness::{Repository, Scratch, is_root, key, write};

/// A repository in which every setting that names a program names one that leaves a mark.
struct Trap {
    scratch: Scratch,
    repository: Repository,
    mark: PathBuf,
}

impl Trap {
    fn new() -> Self {
        let scratch = Scratch::new();
        let repository = scratch.repository("repo");
        repository.commit_file(".gitattributes", "* diff=trap filter=trap merge=trap\n", "attributes");
        repository.commit_file("a.txt", format!("{}\n", key(1)), "first");
        repository.commit_file("b.txt", "nothing\n", "second");
        repository.write("staged.txt", key(2));
        repository.git(&["add", "staged.txt"]);
        let mark = scratch.elsewhere("MARK");
        let program = scratch.elsewhere("trap");
        Self::program(&program, &mark);
        let trap = Self { scratch, repository, mark };
        trap.set(program.to_str().unwrap());
        trap
    }

    fn program(path: &std::path::Path, mark: &std::path::Path) {
        write(path, format!("#!/bin/sh\n: > '{}'\nexit 0\n", mark.display()));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn set(&self, program: &str) {
        let hooks = self.scratch.elsewhere("hooks");
        for hook in ["pre-commit", "post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"]
        {
            Self::program(&hooks.join(hook), &self.mark);
            Self::program(&self.repository.path(".git/hooks").join(hook), &self.mark);
        }
        let program_settings = [
            "core.fsmonitor",
            "core.sshCommand",
            "core.pager",
            "core.editor",
            "core.askPass",
            "core.gitProxy",
            "core.alternateRefsCommand",
            "sequence.editor",
            "diff.external",
            "diff.trap.command",
            "diff.trap.textconv",
            "filter.trap.clean",
            "filter.trap.smudge",
            "filter.trap.process",
            "merge.trap.driver",
            "gpg.program",
            "gpg.ssh.program",
            "credential.helper",
            "pager.log",
            "pager.diff",
            "uploadpack.packObjectsHook",
        ];
        let mut text = std::fs::read_to_string(self.repository.path(".git/config")).unwrap();
        for setting in program_settings {
            let (section, name) = setting.rsplit_once('.').unwrap();
            let header = match section.split_once('.') {
                Some((section, sub)) => format!("[{section} \"{sub}\"]"),
                None => format!("[{section}]"),
            };
            text += &format!("{header}\n\t{name} = {program}\n");
        }
        text += &format!("[core]\n\thooksPath = {}\n", hooks.display());
        text += "[filter \"trap\"]\n\trequired = true\n[log]\n\tshowSignature = true\n";
        text += &format!("[remote \"origin\"]\n\turl = ext::{program} %S\n\tfetch = +refs/heads/*:refs/remotes/o/*\n");
        write(&self.repository.path(".git/config"), text);
    }
}

#[test]
fn no_program_that_a_repository_names_is_run() {
    let trap = Trap::new();
    // The trap works: git itself runs it.
    trap.repository.try_git(&["status"]);
    assert!(trap.mark.exists(), "git did not run the trap, so this test would prove nothing");
    std::fs::remove_file(&trap.mark).unwrap();
    let cases: [(&[&str], i32); 5] = [
        (&["scan", "repo"], 1),
        (&["scan", "--format", "human", "repo"], 1),
        (&["scan", "--worktree-only", "repo"], 1),
        (&["scan", "--worktree-only", "--include-ignored", "repo"], 1),
        (&["scan", "--staged", "repo"], 1),
    ];
    for (arguments, status) in cases {
        trap.scratch.command(arguments).env("PATH", "").run().status(status);
        assert!(!trap.mark.exists(), "{arguments:?} ran a program that the repository names");
    }
    trap.scratch.command(&["hook"]).in_folder(trap.repository.path("")).env("PATH", "").run().status(1);
    assert!(!trap.mark.exists(), "the hook ran a program that the repository names");
    let run = trap.scratch.scan_command(&["repo"]).env("PATH", "").run().status(1);
    run.finding(&key(1));
    run.finding(&key(2));
    assert_eq!(run.summary()["complete"], true, "{run:?}");
    assert!(!trap.mark.exists());
}

#[test]
fn no_program_is_run_for_a_range() {
    let trap = Trap::new();
    for (range, status) in [("HEAD~1..HEAD", 0), ("HEAD~2..HEAD", 1)] {
        trap.scratch.command(&["scan", "--history", range, "repo"]).env("PATH", "").run().status(status);
        assert!(!trap.mark.exists(), "{range} ran a program that the repository names");
    }
}

#[test]
fn a_fifo_in_the_place_of_the_index_is_not_waited_for() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("a.txt", key(6), "a");
    let index = repository.path(".git/index");
    std::fs::remove_file(&index).unwrap();
    assert!(Command::new("mkfifo").arg(&index).status().unwrap().success());
    let run = scratch.scan(&["repo"]).within(Duration::from_secs(2)).status(2);
    run.finding(&key(6));
}

#[test]
fn a_program_beside_the_files_is_not_taken_for_git() {
    let trap = Trap::new();
    let fake = trap.repository.path("git");
    Trap::program(&fake, &trap.mark);
    let here = trap.repository.path("");
    for path in ["", ".", here.to_str().unwrap()] {
        trap.scratch.command(&["scan", "."]).in_folder(&here).env("PATH", path).run().status(1);
        assert!(!trap.mark.exists(), "with PATH={path:?}");
    }
}

#[test]
fn a_repository_of_another_user_is_refused_with_the_way_out() {
    if !is_root() {
        eprintln!("skipped: only root can give a repository away");
        return;
    }
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("a.txt", key(3), "a");
    let given = Command::new("chown").args(["-R", "65534:65534"]).arg(repository.path("")).status().unwrap();
    assert!(given.success());
    let run = scratch.scan(&["repo"]).status(2).says("safe.directory");
    assert_eq!(run.summary()["complete"], false, "{run:?}");
    scratch.scan(&["--history", "HEAD~0..HEAD", "repo"]).status(2).says("safe.directory");
    scratch.command(&["hook"]).in_folder(repository.path("")).run().status(2);
}

#[test]
fn alternates_and_links_of_a_repository_do_not_lead_to_other_secrets() {
    let scratch = Scratch::new();
    let repository = scratch.repository("repo");
    repository.commit_file("a.txt", key(4), "a");
    // A blob that is a link to a file outside is the text of the link, not the file.
    write(&scratch.elsewhere("secret.txt"), key(5));
    std::os::unix::fs::symlink(scratch.elsewhere("secret.txt"), repository.path("link")).unwrap();
    repository.commit("a link");
    let run = scratch.scan(&["repo"]).status(1);
    run.finding(&key(4));
    assert!(run.finding_of(&key(5)).is_none(), "a link was followed{run:?}");
}
