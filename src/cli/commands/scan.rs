//! `credtrace scan`: scans targets and writes one report.

use std::io::{ErrorKind, IsTerminal, Write};

use anyhow::{Result, bail};

use crate::cli::args::{FailOn, ScanArguments};
use crate::cli::exit::Status;
use crate::cli::{enrich, progress, resolve, talk};
use crate::detector::registry::Registry;
use crate::finding::{Finding, IdentityStatus, Report};
use crate::report::{self, Format, RuleInfo};
use crate::scan;

/// Runs the command.
///
/// # Errors
/// What makes a scan impossible: options, detectors, the fingerprint key, or a report that cannot be written.
pub fn run(arguments: ScanArguments) -> Result<Status> {
    let registry = resolve::registry(&arguments.detectors)?;
    let options = resolve::scan_options(&arguments)?;
    let mut inventory = enrich::Inventory::open(arguments.inventory.as_deref())?;
    progress::watch_for_interrupts();
    let bar = progress::Bar::new(arguments.no_progress || arguments.quiet);
    let mut outcome = scan::run(&options, &registry, &bar, &mut progress::PatientInput(std::io::stdin()));
    bar.finish();
    inventory.enrich(&mut outcome, &options.targets, &registry, &options.key);
    for line in &outcome.explanations {
        talk(&report::escape::terminal(line));
    }
    let format = resolve::format(&arguments);
    write(&outcome.report, format, &arguments, &registry)?;
    if !arguments.quiet && (format != Format::Human || arguments.output.is_some()) {
        tell(&outcome.report);
    }
    Ok(if outcome.interrupted { Status::Interrupted } else { status(&outcome.report, arguments.fail_on) })
}

/// Returns how a report ends the program, by what a person said to fail on.
fn status(report: &Report, fail_on: FailOn) -> Status {
    let is_unlinked = |finding: &Finding| finding.identity.status != IdentityStatus::Linked;
    match fail_on {
        FailOn::Any => Status::of(report),
        FailOn::Unlinked => Status::where_some_count(report, is_unlinked),
    }
}

fn write(report: &Report, format: Format, arguments: &ScanArguments, registry: &Registry) -> Result<()> {
    let rules = |id: &str| registry.get(id).map(RuleInfo::from);
    let options = report::Options {
        colour: arguments.output.is_none() && colour(std::io::stdout().is_terminal()),
        width: width(),
        rules: &rules,
        finished: jiff::Timestamp::now(),
        accept_hint: None,
        ..report::Options::default()
    };
    match &arguments.output {
        Some(path) => {
            let write = |output: &mut dyn Write| report::write(report, format, &options, output);
            report::output::write_whole(path, arguments.show_secrets, write)?;
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
fn tell(report: &Report) {
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
