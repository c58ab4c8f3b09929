//! The set-up script on machines that lack something; the package manager in these tests is a stand-in that installs nothing.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::{Command, Output};

use crate::harness::{Scratch, project, write};

/// A machine with the tools that are named, and nothing else on its path.
struct Machine {
    scratch: Scratch,
}

impl Machine {
    fn new() -> Self {
        let scratch = Scratch::new();
        std::fs::copy(project("bootstrap.sh"), scratch.path("bootstrap.sh")).unwrap();
        let machine = Self { scratch };
        let real = ["sh", "id", "sed", "grep", "cat", "mkdir", "dirname", "head", "rm", "env"];
        std::fs::create_dir_all(machine.scratch.elsewhere("bin")).unwrap();
        for tool in real {
            let found = std::env::split_paths(&std::env::var_os("PATH").unwrap())
                .map(|folder| folder.join(tool))
                .find(|path| path.exists())
                .unwrap();
            symlink(found, machine.scratch.elsewhere("bin").join(tool)).unwrap();
        }
        for tool in ["git", "make", "cc", "cargo"] {
            machine.tool(tool, "exit 0");
        }
        machine.tool("rustc", "echo 'rustc 1.95.0 (stand-in)'");
        machine
    }

    fn tool(&self, name: &str, script: &str) {
        let path = self.scratch.elsewhere("bin").join(name);
        write(&path, format!("#!/bin/sh\n{script}\n"));
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn remove(&self, name: &str) {
        std::fs::remove_file(self.scratch.elsewhere("bin").join(name)).unwrap();
    }

    /// A package manager that writes down what it is asked, and fails.
    fn apt(&self) {
        let log = self.scratch.elsewhere("apt.log");
        self.tool("apt-get", &format!("echo \"$*\" >> '{}'; exit 100", log.display()));
        self.tool("apt-cache", "exit 0");
        self.tool("sudo", "[ \"$1\" = -n ] && shift; [ \"$1\" = true ] && exit 0; exec \"$@\"");
    }

    fn asked_of_apt(&self) -> String {
        std::fs::read_to_string(self.scratch.elsewhere("apt.log")).unwrap_or_default()
    }

    fn set_up(&self) -> Output {
        let mut command = Command::new(self.scratch.elsewhere("bin/sh"));
        command.arg(self.scratch.path("bootstrap.sh")).env_clear();
        command.env("PATH", self.scratch.elsewhere("bin")).env("HOME", "/nonexistent").output().unwrap()
    }

    #[track_caller]
    fn ends(&self, status: i32, says: &str) {
        let output = self.set_up();
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{said}");
        assert!(said.contains(says), "{says:?} is not said: {said}");
        assert_eq!(output.stdout, b"", "standard output is for reports");
    }

    fn engine(&self) -> String {
        std::fs::read_to_string(self.scratch.path("target/engine")).unwrap()
    }
}

#[test]
fn with_everything_in_place_it_says_nothing_and_asks_nothing() {
    let machine = Machine::new();
    machine.apt();
    machine.tool("pkg-config", "exit 0");
    machine.ends(0, "");
    assert_eq!(machine.engine(), "--features hyperscan\n");
    assert!(machine.set_up().stderr.is_empty());
    assert_eq!(machine.asked_of_apt(), "");
}

#[test]
fn without_hyperscan_it_goes_on_with_the_other_engine_and_says_so() {
    let machine = Machine::new();
    machine.ends(0, "pure-Rust engine");
    assert_eq!(machine.engine(), "\n");
}

#[test]
fn what_cannot_be_installed_is_tried_once() {
    let machine = Machine::new();
    machine.apt();
    machine.ends(0, "pure-Rust engine");
    let asked = machine.asked_of_apt();
    assert!(asked.contains("hyperscan-dev") && asked.contains("update"), "{asked}");
    machine.ends(0, "pure-Rust engine");
    assert_eq!(asked, machine.asked_of_apt());
}

#[test]
fn a_rust_that_is_too_old_or_missing_ends_with_the_way_to_get_one() {
    let machine = Machine::new();
    machine.tool("rustc", "echo 'rustc 1.63.0 (stand-in)'");
    machine.ends(1, "Rust 1.89 or newer is needed (found: rustc 1.63.0");
    machine.remove("rustc");
    machine.remove("cargo");
    machine.ends(1, "found: none");
    let least = std::fs::read_to_string(project("Cargo.toml")).unwrap();
    assert!(least.contains("rust-version = \"1.89\""), "bootstrap.sh asks for another Rust than Cargo.toml");
}

#[test]
fn a_missing_compiler_is_installed_or_named() {
    let machine = Machine::new();
    machine.remove("cc");
    machine.ends(1, "cc is missing");
    machine.apt();
    machine.ends(1, "build-essential");
    assert!(machine.asked_of_apt().contains("install -y"), "{}", machine.asked_of_apt());
}

#[test]
fn the_pure_rust_engine_can_be_asked_for() {
    let machine = Machine::new();
    machine.tool("pkg-config", "exit 0");
    machine.ends(0, "");
    let output = Command::new(machine.scratch.elsewhere("bin/sh"))
        .arg(machine.scratch.path("bootstrap.sh"))
        .env_clear()
        .env("PATH", machine.scratch.elsewhere("bin"))
        .env("CREDTRACE_ENGINE", "rust")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(machine.engine(), "\n");
}
