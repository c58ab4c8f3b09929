//! What two reports of the same places differ in: credentials that are new, gone, and still there.
//!
//! A credential that is gone from a report is not gone from the world: whoever read it has it, and a second scan that
//! looked at less, or was told to leave more out, finds less. What is known of that stands in the warnings.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use serde::Serialize;

use super::escape::{terminal, write_json};
use super::text::counted;
use super::{Options, place, severity_name};
use crate::finding::{Finding, Occurrence, Report, Summary};
use crate::scan::collect::place_order;

/// The schema name of one change.
pub const CHANGE_SCHEMA: &str = "credtrace/change/1";
/// The schema name of the summary of all changes.
pub const SUMMARY_SCHEMA: &str = "credtrace/diff-summary/1";

/// How many places of a credential people are shown.
const MOST_PLACES: usize = 3;

/// What became of a credential between two reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Only the second report has it.
    New,
    /// Only the first report has it.
    Gone,
    /// Both have it.
    StillThere,
}

/// A credential of either report.
#[derive(Debug, Serialize)]
pub struct Change<'a> {
    schema: &'static str,
    change: Fate,
    /// How many places the second report has that the first has not.
    new_places: usize,
    /// How many places the first report has that the second has not.
    gone_places: usize,
    /// What the newest report that has it says of it.
    finding: &'a Finding,
}

/// What two reports differ in.
#[derive(Debug)]
pub struct Difference<'a> {
    /// The changes: what is new, what is gone, what is still there; each in the order of its report.
    pub changes: Vec<Change<'a>>,
    /// How many there are of each, and whether the answer is certain.
    pub summary: DiffSummary,
}

/// How many changes there are, and whether the answer is certain.
#[derive(Debug, Serialize)]
pub struct DiffSummary {
    schema: &'static str,
    /// Whether both reports are complete.
    pub complete: bool,
    /// How many credentials only the second report has.
    pub new: usize,
    gone: usize,
    still_there: usize,
    errors: Vec<String>,
    warnings: Vec<String>,
    fingerprint_key: String,
}

/// Compares two reports under one key.
pub fn difference<'a>(old: &'a Report, new: &'a Report) -> Difference<'a> {
    let known: HashMap<&str, &Finding> =
        old.findings.iter().map(|finding| (finding.fingerprint.as_str(), finding)).collect();
    let kept: HashMap<&str, ()> = new.findings.iter().map(|finding| (finding.fingerprint.as_str(), ())).collect();
    let mut changes: Vec<Change<'_>> =
        new.findings.iter().map(|finding| change(known.get(&*finding.fingerprint).copied(), finding)).collect();
    let gone = old.findings.iter().filter(|finding| !kept.contains_key(&*finding.fingerprint));
    changes.extend(gone.map(|finding| Change {
        schema: CHANGE_SCHEMA,
        change: Fate::Gone,
        new_places: 0,
        gone_places: finding.occurrences.len(),
        finding,
    }));
    changes.sort_by_key(|change| change.change);
    let count = |fate| changes.iter().filter(|change| change.change == fate).count();
    let summary = DiffSummary {
        schema: SUMMARY_SCHEMA,
        complete: old.summary.complete && new.summary.complete,
        new: count(Fate::New),
        gone: count(Fate::Gone),
        still_there: count(Fate::StillThere),
        errors: errors(&old.summary, &new.summary),
        warnings: warnings(&old.summary, &new.summary),
        fingerprint_key: new.summary.fingerprint_key.clone(),
    };
    Difference { changes, summary }
}

fn change<'a>(old: Option<&Finding>, new: &'a Finding) -> Change<'a> {
    fn places(finding: &Finding) -> Vec<impl Ord + '_> {
        let mut places: Vec<_> = finding.occurrences.iter().map(where_it_is).collect();
        places.sort();
        places.dedup();
        places
    }
    let after = places(new);
    let before = old.map(places).unwrap_or_default();
    Change {
        schema: CHANGE_SCHEMA,
        change: if old.is_some() { Fate::StillThere } else { Fate::New },
        new_places: after.iter().filter(|place| before.binary_search(place).is_err()).count(),
        gone_places: before.iter().filter(|place| after.binary_search(place).is_err()).count(),
        finding: new,
    }
}

/// A place without its offset and blob, which an edit elsewhere in the file changes.
fn where_it_is(place: &Occurrence) -> impl Ord + '_ {
    let (target, source, path, ..) = place_order(place);
    (target, source, path)
}

fn errors(old: &Summary, new: &Summary) -> Vec<String> {
    let told = |which: &'static str, summary: &Summary| {
        let undone =
            (!summary.complete && summary.errors.is_empty()).then(|| format!("the {which} report is not complete"));
        let errors: Vec<String> = summary.errors.iter().map(|error| format!("{which}: {error}")).collect();
        errors.into_iter().chain(undone)
    };
    told("old", old).chain(told("new", new)).collect()
}

/// Says what makes less of a difference, or more, than there is.
fn warnings(old: &Summary, new: &Summary) -> Vec<String> {
    let mut warnings = Vec::new();
    if old.detectors != new.detectors {
        warnings.push(format!(
            "the two scans looked for different things: {} detectors in the old one, {} in the new one",
            old.detectors, new.detectors
        ));
    }
    let counted = |counts: &BTreeMap<String, u64>, reason: &str| counts.get(reason).copied().unwrap_or_default();
    for reason in new.suppressed.keys().chain(old.suppressed.keys().filter(|key| !new.suppressed.contains_key(*key))) {
        let (before, after) = (counted(&old.suppressed, reason), counted(&new.suppressed, reason));
        if before != after {
            let effect = if after > before { "counts as gone" } else { "counts as new" };
            warnings.push(format!(
                "the old report leaves out {before} and the new one {after} as {reason}: what is left out of one alone {effect}"
            ));
        }
    }
    warnings
}

/// Writes a difference as one JSON document.
///
/// # Errors
/// What the writer says, as for all forms.
pub fn write_document(difference: &Difference<'_>, output: &mut dyn Write) -> io::Result<()> {
    output.write_all(b"{\"changes\":[")?;
    for (index, change) in difference.changes.iter().enumerate() {
        output.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        write_json(output, change)?;
    }
    output.write_all(if difference.changes.is_empty() { b"],\"summary\":" } else { b"\n],\"summary\":" })?;
    write_json(output, &difference.summary)?;
    output.write_all(b"}\n")
}

/// Writes a difference as JSON lines: one change a line, the summary last.
///
/// # Errors
/// What the writer says.
pub fn write_lines(difference: &Difference<'_>, output: &mut dyn Write) -> io::Result<()> {
    for change in &difference.changes {
        write_json(output, change)?;
        output.write_all(b"\n")?;
    }
    write_json(output, &difference.summary)?;
    output.write_all(b"\n")
}

/// Writes a difference for people.
///
/// # Errors
/// What the writer says.
pub fn write_human(difference: &Difference<'_>, options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    difference.changes.iter().try_for_each(|change| write_change(change, options, output))?;
    let summary = &difference.summary;
    if !difference.changes.is_empty() {
        writeln!(output)?;
    }
    for (label, texts) in [("warning", &summary.warnings), ("error", &summary.errors)] {
        texts.iter().try_for_each(|text| writeln!(output, "{label}: {}", terminal(text)))?;
    }
    let verdict =
        if summary.complete { "Both reports are complete." } else { "NOT COMPLETE: there may be more of each." };
    writeln!(output, "{} new, {} gone, {} still there. {verdict}", summary.new, summary.gone, summary.still_there)
}

fn write_change(change: &Change<'_>, options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    let finding = change.finding;
    let label = match change.change {
        Fate::New => "NEW",
        Fate::Gone => "GONE",
        Fate::StillThere => "still there",
    };
    let rule = options.rule(finding);
    let (name, redacted) = (terminal(&rule.name), terminal(&finding.redacted));
    writeln!(output, "{label}  {}  {name}  {redacted}", severity_name(finding.severity).to_uppercase())?;
    writeln!(output, "  {}", terminal(&finding.fingerprint))?;
    if change.change == Fate::StillThere {
        return match (change.new_places, change.gone_places) {
            (0, 0) => Ok(()),
            (new, gone) => writeln!(output, "  {}, {gone} gone", counted(new as u64, "new place", "new places")),
        };
    }
    for occurrence in finding.occurrences.iter().take(MOST_PLACES) {
        let shown = place::shown(occurrence);
        writeln!(output, "  {}:{}:{}", terminal(&shown), occurrence.line, occurrence.column)?;
    }
    match finding.occurrences.len().saturating_sub(MOST_PLACES) {
        0 => Ok(()),
        more => writeln!(output, "  ... and {more} more (--format jsonl names them all)"),
    }
}
