//! `credtrace scan`: scans targets and writes one report.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::Path;

use anyhow::{Result, bail};

use crate::cli::args::{FailOn, ScanArguments};
use crate::cli::exit::Status;
use crate::cli::verifying::Verifying;
use crate::cli::{enrich, home, progress, resolve, talk, words};
use crate::detector::registry::Registry;
use crate::finding::Report;
use crate::identity::policy::Policy;
use crate::report::{self, Format, RuleInfo};
use crate::scan::run::Outcome;
use crate::scan::{self, Progress, ScanOptions};

/// Runs the command.
///
/// # Errors
/// What makes a scan impossible: options, detectors, the fingerprint key, or a report that cannot be written.
pub fn run(arguments: ScanArguments) -> Result<Status> {
    let registry = resolve::registry(&arguments.detectors)?;
    let verifying = verifying(&arguments, &registry)?;
    let mut inventory = enrich::Inventory::open(arguments.inventory.as_deref())?;
    let mut options = resolve::scan_options(&arguments)?;
    options.gather = arguments.verify || inventory.is_open();
    let own_key = arguments.fingerprint_key_file.is_none() && !home::key_is_given();
    let mut known = arguments.known.open(&options, own_key)?;
    let policy = policy(&arguments)?;
    if arguments.agents && !arguments.quiet {
        talk(&agents_in_words(&options));
    }
    progress::watch_for_interrupts();
    let bar = progress::Bar::new(arguments.no_progress || arguments.quiet).telling(arguments.verbose);
    let mut outcome = scan::run(&options, &registry, &bar, &mut progress::PatientInput(std::io::stdin()));
    if let Some(Err(error)) = known.as_mut().map(|known| known.apply(&mut outcome)) {
        outcome.report.summary.complete = false;
        outcome.report.summary.errors.push(format!("baseline: {error:#}"));
    }
    if let Some(verifying) = verifying.filter(|_| !outcome.interrupted) {
        ask(&verifying, &mut outcome, &options, &bar);
    }
    if inventory.is_open() {
        bar.begin("inventory", None);
    }
    let identity_findings = inventory.enrich(&mut outcome, &options, &registry, &policy);
    bar.finish();
    // All quote targets and names, and a credential may have been given as one.
    words::clean(&mut outcome.explanations);
    words::clean(&mut outcome.report.summary.errors);
    words::clean(&mut outcome.report.summary.warnings);
    for line in &outcome.explanations {
        talk(&report::escape::terminal(line));
    }
    let destination = Destination {
        format: resolve::format(arguments.format, arguments.output.as_deref()),
        output: arguments.output.as_deref(),
        private: arguments.show_secrets,
    };
    write(&outcome.report, &destination, &registry)?;
    if !arguments.quiet && (destination.format != Format::Human || arguments.output.is_some()) {
        tell(&outcome.report);
    }
    let status = Status::of(&outcome.report, arguments.fail_on);
    let fails = arguments.fail_on == FailOn::Policy && policy.fails(&outcome.report.findings, &identity_findings);
    Ok(match (outcome.interrupted, status) {
        (true, _) => Status::Interrupted,
        (false, Status::Clean) if fails => Status::Findings,
        (false, status) => status,
    })
}

/// Says which places of agents are scanned too.
fn agents_in_words(options: &ScanOptions) -> String {
    let places: Vec<String> = options
        .never_ignored
        .iter()
        .map(|place| report::escape::terminal(&place.to_string_lossy()).into_owned())
        .collect();
    match places.is_empty() {
        true => "credtrace: --agents: no agent keeps anything below the home folder".into(),
        false => format!("credtrace: --agents adds {}", places.join(", ")),
    }
}

/// Reads the policy that was named; without one, the usual limits hold.
fn policy(arguments: &ScanArguments) -> Result<Policy> {
    match &arguments.policy {
        Some(file) => {
            let policy = Policy::read(file)?;
            if arguments.fail_on == FailOn::Policy && !policy.fail.liveness.is_empty() && !arguments.verify {
                bail!("{}: fails on liveness, which needs --verify: nobody is asked without it", file.display());
            }
            Ok(policy)
        }
        None if arguments.fail_on == FailOn::Policy => bail!("--fail-on policy needs --policy FILE"),
        None => Ok(Policy::default()),
    }
}

/// Makes ready to ask providers, where a person wants that.
fn verifying<'a>(arguments: &ScanArguments, registry: &'a Registry) -> Result<Option<Verifying<'a>>> {
    if arguments.verify {
        return arguments.verifying.ready(registry).map(Some);
    }
    arguments.verifying.refuse_without_verify()?;
    if arguments.fail_on == FailOn::Live {
        bail!("--fail-on live needs --verify: nobody is asked without it");
    }
    Ok(None)
}

/// Asks providers; what cannot be done stands in the report, which is written all the same.
fn ask(verifying: &Verifying<'_>, outcome: &mut Outcome, options: &ScanOptions, bar: &progress::Bar) {
    let summary = &mut outcome.report.summary;
    match verifying.ask(&mut outcome.report.findings, &outcome.credentials, &options.key, bar) {
        Ok((asked, warnings)) => {
            // Like what is skipped by a limit: told always, and a fault where a person is strict.
            summary.complete &= !(options.strict && asked.capped + asked.unanswered > 0);
            summary.warnings.extend(warnings);
            outcome.interrupted |= asked.interrupted;
            if asked.interrupted {
                summary.complete = false;
                summary.errors.push("verification: interrupted; what was known until then is reported".into());
            }
        }
        Err(error) => {
            summary.complete = false;
            summary.errors.push(format!("verification: {error:#}"));
        }
    }
}

/// Where a report goes and in which form.
pub(super) struct Destination<'a> {
    /// How it is written.
    pub(super) format: Format,
    /// The file; without one it is standard output.
    pub(super) output: Option<&'a Path>,
    /// Whether only its owner may read the file.
    pub(super) private: bool,
}

/// Writes a report to where it goes.
///
/// # Errors
/// What the file or standard output says.
pub(super) fn write(report: &Report, destination: &Destination<'_>, registry: &Registry) -> Result<()> {
    let Destination { format, output, private } = *destination;
    let rules = |id: &str| registry.get(id).map(RuleInfo::from);
    let options = report::Options {
        colour: output.is_none() && colour(std::io::stdout().is_terminal()),
        width: width(),
        rules: &rules,
        finished: jiff::Timestamp::now(),
        accept_hint: None,
        ..report::Options::default()
    };
    match output {
        Some(path) => {
            let write = |output: &mut dyn Write| report::write(report, format, &options, output);
            report::output::write_whole(path, private, write)?;
        }
        None => {
            let mut output = std::io::BufWriter::new(std::io::stdout().lock());
            let written = report::write(report, format, &options, &mut output).and_then(|()| output.flush());
            // A person who closes a pager has seen enough; a program that reads half a report has not.
            match written {
                Err(error) if error.kind() == ErrorKind::BrokenPipe && format != Format::Human => {
                    bail!("the report was not read to its end")
                }
                written => written?,
            }
        }
    }
    Ok(())
}

/// Says on standard error what a report for programs does not show a person: what failed, and how it ended.
pub(super) fn tell(report: &Report) {
    for error in &report.summary.errors {
        talk(&format!("credtrace: {}", report::escape::terminal(error)));
    }
    for warning in &report.summary.warnings {
        talk(&format!("credtrace: warning: {}", report::escape::terminal(warning)));
    }
}

/// Whether colour is welcome on a stream.
pub fn colour(is_terminal: bool) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_terminal && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// How many columns a terminal has; eighty where there is none.
pub fn width() -> usize {
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    columns
        .or_else(|| rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_col)))
        .filter(|columns| *columns > 0)
        .unwrap_or(80)
}
