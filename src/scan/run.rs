//! Scans all targets and makes one report. Nothing that fails on the way loses what was found before.

use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Instant;

use super::collect::{self, Collected, Hit};
use super::files::{self, Context, TreeKind};
use super::options::{History, ScanOptions};
use super::progress::{Detail, Progress};
use super::tally::{Rest, Tally};
use super::text::TextScanner;
use super::{budget, redact, repository, revisions};
use crate::credential::FoundCredential;
use crate::detector::registry::Registry;
use crate::error::{Error, Problem, Result};
use crate::finding::{Confidence, Report, SUMMARY_SCHEMA, Summary};
use crate::matcher::engine::Workload;
use crate::source::Skip;
use crate::source::git::repository::{Repository, enclosing_work_tree};

/// A report and what was asked beside it.
#[derive(Debug)]
pub struct Outcome {
    /// The report.
    pub report: Report,
    /// The secret of each finding and what stood near it, in the order of the report's findings.
    pub credentials: Vec<FoundCredential>,
    /// Why candidates were kept and dropped, one line each, where that was asked.
    pub explanations: Vec<String>,
    /// Whether a person stopped the scan.
    pub interrupted: bool,
}

/// Text of at most this size is small work, for which the engine that starts at once is the faster one.
const SMALL_WORK: u64 = 1 << 20;

/// Scans the targets of `options` for the credentials of `registry`. Whatever fails stands in the report's errors.
pub fn run(
    options: &ScanOptions,
    registry: &Registry,
    progress: &dyn Progress,
    input: &mut (dyn Read + Send),
) -> Outcome {
    let started = Instant::now();
    let tally = Tally::new(progress);
    let mut engine = "none";
    let mut explanations = Vec::new();
    let collected = scan(options, registry, progress, input, &tally, &mut engine, &mut explanations);
    let collected = collected.unwrap_or_else(|error| {
        tally.problem(Problem::new("scan", error.to_string()));
        Collected::default()
    });
    if tally.highest_spending() > 0 {
        let share = tally.highest_spending();
        progress
            .say(Detail::Stages, &format!("the stretch of text that was the most work took {share} % of its budget"));
    }
    let interrupted = progress.interrupted();
    if interrupted {
        tally.problem(Problem::new("scan", "interrupted; what was found until then is reported"));
    }
    let rest = tally.finish();
    explanations.extend(rest.explanations.iter().cloned());
    explanations.sort();
    let summary = summary(options, registry, &collected, tally.totals(), rest, engine, started);
    let Collected { findings, credentials, .. } = collected;
    Outcome { report: Report { findings, summary }, credentials, explanations, interrupted }
}

fn scan(
    options: &ScanOptions,
    registry: &Registry,
    progress: &dyn Progress,
    input: &mut (dyn Read + Send),
    tally: &Tally<'_>,
    engine: &mut &'static str,
    explanations: &mut Vec<String>,
) -> Result<Collected> {
    let scanner =
        TextScanner::new(registry, options.engine, workload(options), options.explain)?.gathering(options.gather);
    *engine = scanner.engine_name();
    let (detectors, key) = (registry.len(), options.key.id());
    progress.say(Detail::Stages, &format!("engine {engine}, {detectors} detectors, fingerprint key {key}"));
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads)
        .build()
        .map_err(|error| Error::Usage(format!("--threads {}: {error}", options.threads)))?;
    let context = Context { scanner: &scanner, options, tally, progress };
    let mut hits = Vec::new();
    pool.install(|| {
        for target in &options.targets {
            progress.say(Detail::Stages, &format!("target {}", target.display()));
            match scan_target(context, target, input) {
                Ok(found) => hits.extend(found),
                Err(error) => tally.problem(problem_of(target, &error)),
            }
        }
    });
    if options.explain {
        explanations.extend(hits.iter().map(|hit| kept_because(hit, registry)));
    }
    let mut collected = collect::collect(hits, registry, options);
    if !options.show_secrets {
        redact::redact_places(&mut collected.findings, &collected.secrets, &scanner)?;
    }
    Ok(collected)
}

fn problem_of(target: &Path, error: &Error) -> Problem {
    // Most errors name the path themselves.
    let text = error.to_string();
    let name = target.display().to_string();
    match text.strip_prefix(&format!("{name}: ")) {
        Some(rest) => Problem::new(name, rest),
        None => Problem::new(name, text),
    }
}

fn workload(options: &ScanOptions) -> Workload {
    let small =
        |target: &Path| std::fs::metadata(target).is_ok_and(|known| known.is_file() && known.len() <= SMALL_WORK);
    if options.staged || options.targets.iter().all(|target| small(target)) { Workload::Small } else { Workload::Large }
}

fn scan_target(context: Context<'_>, target: &Path, input: &mut (dyn Read + Send)) -> Result<Vec<Hit>> {
    let name = target.display().to_string();
    if target == Path::new("-") {
        refuse_git_options(context.options, target)?;
        context.progress.begin("standard input", None);
        return files::scan_standard_input(context, input);
    }
    let known = match std::fs::metadata(target) {
        Ok(known) => known,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::NoSuchTarget(target.to_path_buf()));
        }
        Err(error) => return Err(Error::io(target)(error)),
    };
    if known.is_dir() {
        return scan_folder(context, target, &name);
    }
    refuse_git_options(context.options, target)?;
    if !known.is_file() {
        let reason = "is neither a file nor a folder; to scan what a pipe gives, name - and redirect it".into();
        return Err(Error::UnusableTarget { path: target.to_path_buf(), reason });
    }
    context.progress.begin("file", None);
    // A link that a person names is meant.
    let path = std::fs::canonicalize(target).map_err(Error::io(target))?;
    let shown = target.as_os_str().as_bytes();
    files::scan_file(context, &path, &files::Place { target: &name, shown, is_target: true })
}

/// A range or the index can only be asked of a repository.
fn refuse_git_options(options: &ScanOptions, target: &Path) -> Result<()> {
    let asked = match (&options.history, options.staged) {
        (_, true) => "--staged",
        (History::Range(_), _) => "--history with a range",
        _ => return Ok(()),
    };
    let reason = format!("is no git repository, so {asked} means nothing here; name the repository's top folder");
    Err(Error::UnusableTarget { path: target.to_path_buf(), reason })
}

fn scan_folder(context: Context<'_>, target: &Path, name: &str) -> Result<Vec<Hit>> {
    let options = context.options;
    let Some(repository) = Repository::open(target)? else {
        refuse_git_options(options, target)?;
        return scan_plain_folder(context, target, name);
    };
    if options.staged {
        return revisions::scan_staged(context, target, name);
    }
    if let History::Range(range) = &options.history {
        return revisions::scan_range(context, &repository, name, range);
    }
    let mut hits = Vec::new();
    let before = context.tally.totals().0;
    if options.history == History::All && !options.worktree_only {
        hits.extend(repository::scan_history(context, &repository, name)?);
    } else if !options.worktree_only {
        hits.extend(repository::scan_index(context, &repository, name)?);
    }
    let (root, kind) = match repository.work_tree() {
        Some(root) => (root.to_path_buf(), TreeKind::WorkTree),
        None => (target.to_path_buf(), TreeKind::Folder),
    };
    if !context.progress.interrupted() {
        hits.extend(scan_tree(context, &root, name, kind)?);
    }
    if context.tally.totals().0 == before {
        return Err(nothing_to_scan(target));
    }
    Ok(hits)
}

fn scan_plain_folder(context: Context<'_>, target: &Path, name: &str) -> Result<Vec<Hit>> {
    let before = context.tally.totals().0;
    let kind = match enclosing_work_tree(target) {
        Some(root) => {
            context.tally.warn(format!(
                "{name} lies inside the repository {}; only its files are scanned, name the repository for its history",
                root.display()
            ));
            TreeKind::WorkTree
        }
        None => TreeKind::Folder,
    };
    let hits = scan_tree(context, target, name, kind)?;
    if context.tally.totals().0 == before {
        return Err(nothing_to_scan(target));
    }
    Ok(hits)
}

fn nothing_to_scan(target: &Path) -> Error {
    Error::UnusableTarget { path: target.to_path_buf(), reason: "holds nothing to scan".into() }
}

/// Scans the files of a tree and the history of the repositories that lie in it.
fn scan_tree(context: Context<'_>, root: &Path, name: &str, kind: TreeKind) -> Result<Vec<Hit>> {
    context.progress.begin("files", None);
    let found = files::scan_tree(context, root, name, kind)?;
    let mut hits = found.hits;
    if context.options.history != History::All || context.options.worktree_only {
        return Ok(hits);
    }
    for folder in found.repositories {
        let nested = folder.display().to_string();
        let scanned = match Repository::open(&folder) {
            Ok(Some(repository)) => repository::scan_history(context, &repository, &nested),
            Ok(None) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        match scanned {
            Ok(more) => hits.extend(more),
            Err(error) => context.tally.problem(problem_of(&folder, &error)),
        }
    }
    Ok(hits)
}

fn summary(
    options: &ScanOptions,
    registry: &Registry,
    collected: &Collected,
    (texts, bytes): (u64, u64),
    rest: Rest,
    engine: &str,
    started: Instant,
) -> Summary {
    let mut warnings = rest.warnings;
    if let Some(count) = rest.skipped.get(&Skip::WorkCap) {
        warnings.insert(format!(
            "{count} stretches of {} KiB are so full of beginnings of credentials that not all of them were looked at; \
             -vv says where",
            budget::STRETCH >> 10
        ));
    }
    let limited = options.strict && rest.skipped.iter().any(|(reason, _)| reason.is_limit());
    Summary {
        schema: SUMMARY_SCHEMA.into(),
        complete: rest.problems.is_empty() && !limited,
        findings: collected.findings.len() as u64,
        blobs_scanned: texts,
        bytes_scanned: bytes,
        skipped: rest.skipped.iter().map(|(reason, count)| (reason.name().to_owned(), *count)).collect(),
        suppressed: collected.suppressed.clone(),
        errors: rest.problems.iter().map(ToString::to_string).collect(),
        warnings: warnings.into_iter().collect(),
        detectors: registry.len() as u64,
        engine: engine.to_owned(),
        fingerprint_key: options.key.id().to_owned(),
        seconds: (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
    }
}

fn kept_because(hit: &Hit, registry: &Registry) -> String {
    let detector = registry.detector(hit.candidate.detector);
    let reason = match (hit.candidate.confidence, &detector.checksum) {
        (_, Some(_)) => "its checksum fits",
        (Confidence::High, None) => "its own prefix, alphabet and length fit",
        (Confidence::Medium, None) => "the provider is named next to a fitting value",
        (Confidence::Low, None) => "its shape fits, and nothing near it names the provider",
    };
    let confidence = match hit.candidate.confidence {
        Confidence::High => "high",
        Confidence::Medium => "medium",
        Confidence::Low => "low",
    };
    let place = &hit.occurrence;
    format!(
        "{}: {}: byte {}: {} kept, confidence {confidence}: {reason}",
        place.target, place.path, place.start, detector.id
    )
}
