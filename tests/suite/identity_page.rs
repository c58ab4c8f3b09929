//! `docs/identity.md`: its worked example is run from the leak to the closed ticket and must print what the page shows, and
//! its tables of fields name every field that the inventory has.
//!
//! `UPDATE_GENERATED=1` writes the example's output into the page anew.

use std::process::{Command, Stdio};

use jiff::{SignedDuration, Timestamp};

use crate::harness::{KeyKind, Scratch, binary, fake_key, git_environment, project};

const PAGE: &str = "docs/identity.md";
/// The moment at which the page's example is said to have been run.
const SAID: &str = "2026-11-22T10:00:00Z";

fn page() -> String {
    std::fs::read_to_string(project(PAGE)).unwrap()
}

/// The company of the page: its repository with a leak, and the program first in the path.
struct Example {
    scratch: Scratch,
    key: String,
    began: Timestamp,
}

impl Example {
    fn new() -> Self {
        let scratch = Scratch::new();
        let key = fake_key(KeyKind::OpenAi, 11);
        let repository = scratch.repository("web");
        repository.commit_file("README.md", "A bot.\n", "Begin");
        repository.commit_file("deploy/values.yaml", format!("env:\n  OPENAI_API_KEY: {key}\n"), "Deploy");
        let program = scratch.elsewhere("bin/credtrace");
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(binary(), &program).unwrap();
        Self { scratch, key, began: Timestamp::now() }
    }

    /// Runs a command as a person would and returns what the terminal shows, without what differs from run to run.
    fn shows(&self, command: &str) -> String {
        let path = std::env::var("PATH").unwrap_or_default();
        let path = format!("{}:{path}", self.scratch.elsewhere("bin").display());
        let output = Command::new("sh")
            .args(["-c", &format!("{{ {command}\n}} 2>&1")])
            .current_dir(self.scratch.path(""))
            .stdin(Stdio::null())
            .env_clear()
            .envs(git_environment(&self.scratch.home()))
            .envs([("PATH", path.as_str()), ("USER", "ana"), ("COLUMNS", "100"), ("NO_COLOR", "1")])
            .env("CREDTRACE_HOME", self.scratch.home())
            .env("CREDTRACE_FINGERPRINT_KEY", "0c".repeat(32))
            .output()
            .unwrap();
        assert!(output.status.code().is_some_and(|status| status < 2), "{command}: {output:?}");
        self.steady(&String::from_utf8_lossy(&output.stdout))
    }

    /// Takes out of a text what another run would print otherwise: times after its beginning, hashes over them, and how much
    /// was read how fast.
    fn steady(&self, text: &str) -> String {
        let time = regex::Regex::new(r"\b20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z").unwrap();
        let said: Timestamp = SAID.parse().unwrap();
        let text = time.replace_all(text, |found: &regex::Captures<'_>| {
            let seconds = found[0].parse::<Timestamp>().unwrap().as_second() - self.began.as_second();
            // A run takes seconds, and what it names after its end lies minutes and more ahead.
            let minutes = (seconds + 30).div_euclid(60);
            if seconds < -60 { found[0].to_owned() } else { (said + SignedDuration::from_mins(minutes)).to_string() }
        });
        let today = [self.began, Timestamp::now()].map(|moment| moment.to_string()[..10].to_owned());
        let text = today.iter().fold(text.into_owned(), |text, day| text.replace(day, &SAID[..10]));
        let mut steady = text;
        for (pattern, instead) in [
            (r"\b[0-9a-f]{64}\b", "9f2c...e11a"),
            (r"\bevidence-[0-9a-f]{8}\b", "evidence-9f2c"),
            (r"Scanned .* detectors\.", "Scanned 6 files, blobs and messages (1.2 kB) in 0.1 s with 400 detectors."),
        ] {
            steady = regex::Regex::new(pattern).unwrap().replace_all(&steady, instead).into_owned();
        }
        steady.trim_end().to_owned()
    }
}

/// Returns the page as it is when its example has just been run.
fn fresh(page: &str) -> String {
    let example = Example::new();
    let mut written = String::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        written += line;
        written.push('\n');
        if !line.starts_with("```") {
            continue;
        }
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match line {
            "```toml" => {
                example.scratch.write("acme.toml", block.join("\n") + "\n");
                written += &(block.join("\n") + "\n");
            }
            "```console" => {
                for command in block.iter().filter_map(|line| line.strip_prefix("$ ")) {
                    let shown = example.shows(command);
                    written += &format!("$ {command}\n{shown}{}", if shown.is_empty() { "" } else { "\n" });
                }
            }
            other => panic!("an unknown block: {other}"),
        }
        written += "```\n";
    }
    let secret = example.key.strip_prefix("sk-proj-").unwrap();
    assert!((0..secret.len() - 9).all(|start| !written.contains(&secret[start..start + 9])), "the page shows the key");
    written
}

#[test]
fn the_worked_example_prints_what_the_page_shows() {
    let page = page();
    let fresh = fresh(&page);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(project(PAGE), fresh).unwrap();
        return;
    }
    let differs = page.lines().zip(fresh.lines()).position(|(shown, printed)| shown != printed);
    let line = differs.map(|line| line + 1);
    assert!(
        page == fresh,
        "line {line:?} differs; run `UPDATE_GENERATED=1 cargo test --test main identity_page`\n{fresh}"
    );
}

#[test]
fn the_tables_name_every_field_of_the_inventory() {
    let source = std::fs::read_to_string(project("src/inventory/model.rs")).unwrap();
    let page = page();
    for (record, heading) in [
        ("Person", "### People"),
        ("IdentityRecord", "### Identities"),
        ("CredentialRecord", "### Credentials"),
        ("Join", "### What a leaked value is recognised by"),
    ] {
        let body = source.split(&format!("pub struct {record} {{")).nth(1).unwrap().split("\n}").next().unwrap();
        let fields = body.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next());
        // One field has another name in files than in the program.
        let fields: Vec<&str> = fields.map(|field| if field == "sort" { "type" } else { field }).collect();
        let table = page.split(heading).nth(1).unwrap().split("\n#").next().unwrap();
        let rows: Vec<&str> = table.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
        assert_eq!(rows, fields, "{record}");
    }
}
