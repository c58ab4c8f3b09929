//! The README and the pages behind it: every command in them is run, the report in the README is the one that the program
//! prints, their links lead somewhere.
//!
//! The info string of a block says what is done with it: `sh exit=N` is run and must end with N; `sh fingerprint` is run
//! once for each credential of the scratch repository, with its fingerprint in `$FINGERPRINT`; `sh build` and `sh network`
//! would build the program or fetch something, so they are read by a shell and not run (make is run dry); `console` is what
//! a terminal shows, and `UPDATE_GENERATED=1` writes it anew; `toml NAME` is put into that file. Commands of credtrace in
//! `yaml` blocks are run as well. A server on this machine stands in for every provider: the `credtrace` in `PATH` adds it
//! to each command that asks one.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use credtrace::detector::example::{Generator, expand};

use crate::harness::server::{Reply, Server};
use crate::harness::{Repository, Scratch, binary, git_environment, project};

/// The providers of the example's keys, and the hosts in whose place the server answers.
const PROVIDERS: [(&str, &str, &str); 3] = [
    ("openai", "OpenAI", "api.openai.com"),
    ("anthropic", "Anthropic", "api.anthropic.com"),
    ("groq", "Groq", "api.groq.com"),
];

/// A fenced block of a page.
struct Block {
    info: String,
    text: String,
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(info) = line.strip_prefix("```") {
            let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block { info: info.to_owned(), text: text.join("\n") });
        }
    }
    blocks
}

fn readme() -> String {
    std::fs::read_to_string(project("README.md")).unwrap()
}

/// The folder that the README's examples run in.
struct Example {
    scratch: Scratch,
    server: Server,
}

impl Example {
    fn new() -> Self {
        let scratch = Scratch::new();
        let openai = support_bot(&scratch.repository("support-bot"));
        scratch.write("key.txt", format!("{openai}\n"));
        std::os::unix::fs::symlink(project(""), scratch.path("credtrace")).unwrap();
        let server = Server::plain(move |received| match received.bearer() {
            Some(key) if key == openai => {
                let organization = ("openai-organization".into(), "org-acme".into());
                Reply::Answer(200, vec![organization], b"{\"data\":[]}".to_vec())
            }
            _ => Reply::status(401, "{}"),
        });
        let example = Self { scratch, server };
        for name in ["support-bot", "billing"] {
            let mirror = format!("git clone -q --mirror support-bot mirrors/{name}.git");
            assert!(example.shell(&mirror).status.success());
        }
        example
    }

    /// Runs a script as a person would, with the program under test first in `PATH`.
    fn shell(&self, script: &str) -> Output {
        self.prepared(script).output().unwrap()
    }

    fn prepared(&self, script: &str) -> Command {
        let program = self.scratch.elsewhere("bin/credtrace");
        if !program.exists() {
            self.put_program(&program);
        }
        let home = self.scratch.home();
        let rest = std::env::var("PATH").unwrap_or_default();
        let mut command = Command::new("sh");
        command.args(["-euc", script]).current_dir(self.scratch.path("")).stdin(Stdio::null());
        command.env_clear().envs(git_environment(&home));
        command.env("PATH", format!("{}:{rest}", program.parent().unwrap().display()));
        command.env("CREDTRACE_HOME", &home).env("CREDTRACE_FINGERPRINT_KEY", "0c".repeat(32));
        for end in ["BASE", "CI_MERGE_REQUEST_DIFF_BASE_SHA"] {
            command.env(end, "origin/main");
        }
        command
    }

    /// Puts a program into `PATH` that never asks a provider itself.
    fn put_program(&self, program: &Path) {
        let url = self.server.url();
        let places: String = PROVIDERS.iter().map(|(provider, ..)| format!(" --endpoint {provider}={url}")).collect();
        let asking = format!("exec '{}' \"$@\" --allow-insecure-endpoints{places}", binary().display());
        let script = format!(
            "#!/bin/sh\ncase \" $* \" in\n*' --verify '* | ' verify '*) {asking} ;;\n*' --yes '*) exit 99 ;;\nesac\n\
             exec '{}' \"$@\"\n",
            binary().display()
        );
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        std::fs::write(program, script).unwrap();
        std::fs::set_permissions(program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    }

    /// Puts the files of the README where its commands expect them.
    fn put_files(&self, page: &str) {
        for block in blocks(page) {
            if let Some(name) = block.info.strip_prefix("toml ") {
                self.scratch.write(name, &block.text);
            }
        }
    }

    #[track_caller]
    fn ends(&self, script: &str, status: i32) -> String {
        let output = self.shell(script);
        let (said, talk) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(status), "{script}\n--- standard output\n{said}\n--- error\n{talk}");
        said.into_owned()
    }
}

/// Makes the repository that the README scans: a key that was removed, one that is still there, one that nobody committed.
/// Returns the second, which works.
fn support_bot(repository: &Repository) -> String {
    let made_up =
        |shape: &str, seed: u64| String::from_utf8(expand(shape, &mut Generator::new(seed)).unwrap()).unwrap();
    let anthropic = made_up("sk-ant-api03-{93:url}AA", 1);
    let openai = made_up("sk-proj-{74:url}T3BlbkFJ{74:url}", 2);
    let groq = made_up("gsk_{52:alnum}", 3);
    repository.commit_file("README.md", "A bot.\n", "Begin");
    repository.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    let client = |key: &str| format!("import anthropic\n\nclient = anthropic.Anthropic({key})\n");
    repository.commit_file("src/agent.py", client(&format!("api_key=\"{anthropic}\"")), "Answer tickets");
    repository.commit_file("src/agent.py", client(""), "Read the key from the environment");
    repository.commit_file("deploy/values.yaml", format!("env:\n  OPENAI_API_KEY: {openai}\n"), "Deploy");
    repository.write("logs/run.log", format!("12:01:07 POST /openai/v1/chat authorization: Bearer {groq}\n"));
    openai
}

#[test]
fn every_command_does_what_the_readme_says() {
    let example = Example::new();
    let pages =
        ["README.md", "docs/baseline.md", "docs/reports.md", "docs/liveness.md", "docs/policy.md", "docs/sources.md"]
            .map(|page| std::fs::read_to_string(project(page)));
    let pages = pages.map(Result::unwrap).join("\n");
    example.put_files(&pages);
    let mut run = 0;
    for block in blocks(&pages) {
        match block.info.as_str() {
            "sh build" | "sh network" => assert!(reads(&block.text), "{}", block.text),
            "sh fingerprint" => accepts(&example, &block.text),
            "yaml" => run += commands_of(&block.text).map(|command| in_ci(&example, command)).count(),
            "console" | "json" | "text" => {}
            info if info.starts_with("toml ") => {}
            info => {
                let status = info.strip_prefix("sh exit=").unwrap_or_else(|| panic!("an unknown block: {info:?}"));
                example.ends(&block.text, status.parse().unwrap());
                run += 1;
            }
        }
    }
    assert!(run > 10, "{run}");
}

/// Returns whether a shell can read a script; it is not run.
fn reads(script: &str) -> bool {
    Command::new("sh").args(["-nc", script]).status().unwrap().success()
}

/// Runs the command that accepts a credential for each one that the hook stops, and commits then.
fn accepts(example: &Example, script: &str) {
    let found = example.ends("cd support-bot; git add -A; git commit -q -m x 2>&1 || true", 0);
    let fingerprints: Vec<&str> = found.split_whitespace().filter(|word| word.starts_with("b3k1:")).collect();
    assert!(!fingerprints.is_empty(), "the hook did not stop the commit: {found}");
    for fingerprint in fingerprints {
        let accepted = example.prepared(script).env("FINGERPRINT", fingerprint).status().unwrap();
        assert!(accepted.success());
    }
    example.ends("cd support-bot; git commit -q -m x", 0);
}

/// Returns the commands of credtrace in a workflow.
fn commands_of(workflow: &str) -> impl Iterator<Item = &str> {
    workflow.lines().filter_map(|line| {
        let line = line.trim().trim_start_matches("- ").trim_start_matches("run: ");
        line.starts_with("credtrace ").then_some(line)
    })
}

/// Runs a command of a workflow in the repository; it must find what the branch adds, but for what is known, and write its
/// report.
fn in_ci(example: &Example, command: &str) {
    let expected = if command.contains("--baseline") { 0 } else { 2 };
    example.ends(&format!("cd support-bot; {command}"), i32::from(expected > 0));
    let report = command.rsplit(' ').next().unwrap();
    let text = std::fs::read_to_string(example.scratch.path("support-bot").join(report)).unwrap();
    std::fs::remove_file(example.scratch.path("support-bot").join(report)).unwrap();
    let report: serde_json::Value = serde_json::from_str(&text).unwrap();
    let findings = report.pointer("/runs/0/results").or(report.get("vulnerabilities")).unwrap();
    assert_eq!(findings.as_array().unwrap().len(), expected, "{text}");
}

#[test]
fn make_has_the_targets_that_the_readme_names() {
    let page = readme();
    let text: String =
        blocks(&page).iter().filter(|block| block.info == "sh build").map(|block| block.text.clone() + "\n").collect();
    let commands: Vec<&str> = text.lines().filter(|line| line.starts_with("make ")).collect();
    assert_eq!(commands, ["make scan TARGET=path/to/repository", "make test"]);
    for command in commands.into_iter().chain(["make install", "make scan TARGET=. ARGS=\"--format json\""]) {
        assert!(page.contains(command), "{command}");
        let dry = command.replacen("make", "make -n", 1);
        let output = Command::new("sh").args(["-euc", &dry]).current_dir(project("")).output().unwrap();
        assert!(output.status.success(), "{dry}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn the_pictured_report_is_what_the_program_prints() {
    let example = Example::new();
    std::fs::remove_dir_all(example.scratch.path("mirrors")).unwrap();
    let page = readme();
    example.put_files(&page);
    example.ends("credtrace inventory import --from toml --as-of 2026-11-20 acme.toml", 0);
    let picture = blocks(&page).into_iter().find(|block| block.info == "console").expect("a picture");
    let command = picture.text.lines().next().and_then(|line| line.strip_prefix("$ ")).expect("a command");
    // What a terminal gets by itself.
    let printed = example.ends(&format!("{command} --format human"), 1);
    let fresh = format!("$ {command}\n{}", with_hosts(printed.trim_end()));
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        let page =
            page.replacen(&format!("```console\n{}\n```", picture.text), &format!("```console\n{fresh}\n```"), 1);
        std::fs::write(project("README.md"), page).unwrap();
    } else {
        let hint = "run `UPDATE_GENERATED=1 cargo test --test main readme`";
        assert_eq!(steady(&picture.text), steady(&fresh), "{hint}");
    }
    for secret in ["sk-ant-", "sk-proj-", "gsk_"] {
        assert!(fresh.contains(secret), "{fresh}");
    }
}

/// A report with the host of each provider in the place of the server that answered for it.
fn with_hosts(report: &str) -> String {
    let mut host = "";
    let mut lines = Vec::new();
    for line in report.lines() {
        let named = PROVIDERS.iter().find(|(_, name, _)| line.starts_with(&format!("HIGH  {name} ")));
        host = named.map_or(host, |(.., host)| host);
        lines.push(line.replace("127.0.0.1", host));
    }
    lines.join("\n")
}

/// A report without what differs between runs and machines: how much of git's own files was read, and how fast.
fn steady(report: &str) -> String {
    let keep = |line: &str| if line.starts_with("Scanned ") { "Scanned".to_owned() } else { line.to_owned() };
    report.lines().map(keep).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_field_that_the_readme_explains_is_in_a_finding_and_no_other() {
    let example = Example::new();
    let finding = example.ends("credtrace scan support-bot", 1);
    let finding: serde_json::Value = serde_json::from_str(finding.lines().next().unwrap()).unwrap();
    let mut written: Vec<&str> = finding.as_object().unwrap().keys().map(String::as_str).collect();
    written.retain(|field| *field != "schema");
    let page = readme();
    let table = page.split("| field | meaning |").nth(1).unwrap().split("\n\n").next().unwrap();
    let cells = table.lines().filter_map(|line| line.strip_prefix("| `")?.split(" |").next());
    let mut named: Vec<&str> = cells.flat_map(|cell| cell.split(", ").map(|name| name.trim_matches('`'))).collect();
    named.sort_unstable();
    written.sort_unstable();
    assert_eq!(named, written);
}

#[test]
fn links_and_hooks_of_the_pages_are_there() {
    let pages = [
        "how-it-works",
        "confidence",
        "detectors",
        "baseline",
        "reports",
        "identity",
        "liveness",
        "policy",
        "native-deps",
        "sources",
    ];
    let pages = pages.map(|name| format!("docs/{name}.md"));
    let others = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "detectors/README.md"].map(str::to_owned);
    for page in pages.iter().chain(&others) {
        let text = std::fs::read_to_string(project(page)).unwrap();
        let folder = project(page).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap();
            assert!(link.contains("://") || Path::new(&folder.join(path)).exists(), "{page}: {link}");
        }
    }
    let hooks = std::fs::read_to_string(project(".pre-commit-hooks.yaml")).unwrap();
    let page = readme();
    for id in page.lines().filter_map(|line| line.trim().strip_prefix("- id: ")) {
        let id = id.split_whitespace().next().unwrap();
        assert!(hooks.lines().any(|line| line == format!("- id: {id}")), "{id}");
    }
}

#[test]
fn every_reason_to_drop_a_value_is_explained() {
    let source = std::fs::read_to_string(project("src/filter/mod.rs")).unwrap();
    let words = source.split("pub fn in_words").nth(1).unwrap().split("\n    }\n").next().unwrap();
    let reasons: Vec<&str> = words.split('"').skip(1).step_by(2).collect();
    assert!(reasons.len() >= 7, "{reasons:?}");
    let page = std::fs::read_to_string(project("docs/confidence.md")).unwrap();
    for reason in reasons {
        assert!(page.contains(&format!("| {reason} |")), "docs/confidence.md lacks {reason:?}");
    }
}

#[test]
fn the_way_through_the_sources_names_files_that_are_there() {
    let page = std::fs::read_to_string(project("docs/how-it-works.md")).unwrap();
    let names = page
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|name| name.starts_with("src/") && !["FORMAT", "PROVIDER"].iter().any(|any| name.contains(any)));
    let missing: Vec<&str> = names.filter(|name| !project(name).exists()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
