//! From what was typed to what it means: the only place that reads targets, environment and detectors for a scan.

use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::agents::{self, AgentPlaces};
use super::args::{DetectorSelection, EngineName, KindName, MinConfidence, ScanArguments};
use super::home;
use crate::detector::registry::Registry;
use crate::finding::Confidence;
use crate::matcher::engine::EngineChoice;
use crate::report::Format;
use crate::scan::check;
use crate::scan::options::{History, ScanOptions};
use crate::scan::records::TextKind;
use crate::source::git::staged::StagedEnvironment;

impl From<MinConfidence> for Confidence {
    fn from(least: MinConfidence) -> Self {
        match least {
            MinConfidence::Low => Self::Low,
            MinConfidence::Medium => Self::Medium,
            MinConfidence::High => Self::High,
        }
    }
}

impl From<KindName> for TextKind {
    fn from(name: KindName) -> Self {
        match name {
            KindName::Text => Self::Text,
            KindName::Log => Self::Log,
            KindName::Ticket => Self::Ticket,
            KindName::Transcript => Self::Transcript,
        }
    }
}

/// Loads the detectors that are on. Those of a folder must keep what their examples promise before any of them is used.
///
/// # Errors
/// A folder or glob at fault.
pub fn registry(selection: &DetectorSelection) -> Result<Registry> {
    let registry = match &selection.folder {
        Some(folder) => {
            let registry = Registry::with_folder(folder)?;
            let faults = check::check_folder(&registry, folder)?.faults;
            if let Some(first) = faults.first() {
                bail!("{first}; credtrace detectors check {} tells all", folder.display());
            }
            registry
        }
        None => Registry::built_in(),
    };
    Ok(registry.select(&selection.include, &selection.exclude)?)
}

/// Returns how the report is written: as asked, else for people on a terminal and for programs elsewhere.
pub fn format(named: Option<Format>, output: Option<&Path>) -> Format {
    let for_people = output.is_none() && std::io::stdout().is_terminal();
    named.unwrap_or(if for_people { Format::Human } else { Format::Jsonl })
}

/// Returns the options of a scan.
///
/// # Errors
/// A targets file or fingerprint key that cannot be read.
pub fn scan_options(arguments: &ScanArguments) -> Result<ScanOptions> {
    let history = match arguments.history.as_str() {
        "all" => History::All,
        "none" => History::None,
        range => History::Range(range.to_owned()),
    };
    let AgentPlaces { targets: agents, kinds } = agents(arguments)?;
    let mut targets = targets(arguments)?;
    targets.extend(agents.iter().filter(|place| !arguments.targets.contains(place)).cloned());
    if targets.iter().filter(|target| target.as_path() == Path::new("-")).count() > 1 {
        bail!("standard input (-) can be named once only");
    }
    Ok(ScanOptions {
        targets,
        kind: arguments.kind.map(TextKind::from),
        kinds_below: kinds,
        never_ignored: agents,
        history,
        staged: arguments.staged,
        worktree_only: arguments.worktree_only,
        include_ignored: arguments.include_ignored,
        min_confidence: arguments.min_confidence.into(),
        show_secrets: arguments.show_secrets,
        gather: false,
        explain: arguments.explain || arguments.verbose > 2,
        strict: arguments.strict,
        map_files: arguments.mmap,
        threads: arguments.threads,
        engine: engine(arguments.engine),
        delta: !arguments.no_delta,
        max_object_bytes: arguments.max_object_size.unwrap_or(arguments.memory / 4).saturating_mul(1 << 20),
        memory_bytes: arguments.memory.saturating_mul(1 << 20),
        never: home::folder().into_iter().chain(arguments.output.clone()).collect(),
        git_environment: git_environment(),
        key: home::fingerprint_key(arguments.fingerprint_key_file.as_deref())?,
    })
}

fn engine(name: EngineName) -> EngineChoice {
    match name {
        EngineName::Fastest => EngineChoice::Fastest,
        EngineName::Pure => EngineChoice::Pure,
    }
}

/// Finds the agents' places, where they were asked for.
fn agents(arguments: &ScanArguments) -> Result<AgentPlaces> {
    if !arguments.agents {
        return Ok(AgentPlaces::default());
    }
    let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let Some(home) = path("HOME") else { bail!("--agents: there is no home folder; set HOME") };
    let found = agents::find(&home, &path);
    if found.targets.is_empty() && arguments.targets.is_empty() && arguments.targets_from.is_none() {
        bail!("--agents: no agent keeps anything below {}; name a target to scan", home.display());
    }
    Ok(found)
}

/// Returns the targets, the listed ones after those of the command line; without any it is the current folder.
fn targets(arguments: &ScanArguments) -> Result<Vec<PathBuf>> {
    let mut targets = arguments.targets.clone();
    let Some(list) = &arguments.targets_from else {
        if targets.is_empty() && !arguments.agents {
            targets.push(PathBuf::from("."));
        }
        return Ok(targets);
    };
    let reader: Box<dyn BufRead> = if list == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(list).with_context(|| format!("--targets-from {}", list.display()))?;
        Box::new(std::io::BufReader::new(file))
    };
    for line in reader.lines() {
        let line = line.with_context(|| format!("--targets-from {}", list.display()))?;
        if !line.trim().is_empty() {
            targets.push(PathBuf::from(line));
        }
    }
    if targets.is_empty() {
        bail!("--targets-from {} names no target", list.display());
    }
    Ok(targets)
}

/// Reads what git tells its hooks.
pub fn git_environment() -> StagedEnvironment {
    let path = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    StagedEnvironment {
        index_file: path("GIT_INDEX_FILE"),
        object_directory: path("GIT_OBJECT_DIRECTORY"),
        alternate_object_directories: std::env::var_os("GIT_ALTERNATE_OBJECT_DIRECTORIES")
            .map(|list| std::env::split_paths(&list).collect())
            .unwrap_or_default(),
        git_dir: path("GIT_DIR"),
        work_tree: path("GIT_WORK_TREE"),
        git_program: program("git"),
    }
}

/// Finds a program in `PATH`, by its absolute path.
fn program(name: &str) -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    std::env::split_paths(&folders)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}
