//! `credtrace generate`: prints what is made from the program itself, so that it is never out of date.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;

use anyhow::{Context, Result};
use clap::CommandFactory;

use crate::cli::args::{Arguments, GenerateArguments, Generated};
use crate::cli::exit::Status;
use crate::detector::compile::{Confidence, Detector};
use crate::detector::registry::Registry;

/// Runs the command.
///
/// # Errors
/// What standard output says.
pub fn run(arguments: &GenerateArguments) -> Result<Status> {
    let mut output = std::io::stdout().lock();
    match &arguments.what {
        Generated::Man { command } => man_page(command.as_deref())?.render(&mut output)?,
        Generated::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut Arguments::command(), "credtrace", &mut script);
            output.write_all(&script)?;
        }
        Generated::Schema => output.write_all(crate::report::schema::text().as_bytes())?,
        Generated::DetectorTable => output.write_all(detector_table(&Registry::built_in()).as_bytes())?,
    }
    output.flush()?;
    Ok(Status::Clean)
}

/// Makes the man page of the program, or of one of its commands.
fn man_page(command: Option<&str>) -> Result<clap_mangen::Man> {
    let program = Arguments::command();
    let Some(name) = command else { return Ok(clap_mangen::Man::new(program)) };
    let known: Vec<&str> = program.get_subcommands().map(clap::Command::get_name).collect();
    let found = program
        .find_subcommand(name)
        .with_context(|| format!("no command {name:?}; there are {}", known.join(", ")))?;
    let title: &'static str = format!("credtrace-{name}").leak();
    Ok(clap_mangen::Man::new(found.clone().name(title)))
}

/// What stands over the tables.
const LEGEND: &str = "
* **found by**: its own shape (a prefix that no other credential has); its shape and a name or host of the provider near
  it, where several providers share a shape; the provider's name beside it, where the value has no mark of its own.
* **confidence at best**: what a match can claim; [confidence.md](confidence.md) says when it claims less.
* **severity** follows from what the credential's holder may do.
* **verification known**: whether the detector says how to ask the provider whether a credential still works. A scan
  asks with `--verify` alone ([liveness.md](liveness.md)).

`credtrace detectors show ID` prints everything that is known of one.
";

/// Returns the table of detectors in Markdown, as it stands in `docs/detectors.md`.
pub fn detector_table(registry: &Registry) -> String {
    let mut page =
        String::from("# Detectors\n\nMade by `credtrace generate detector-table`; edit `detectors/` instead.\n\n");
    let (for_ai, others): (Vec<&Detector>, Vec<&Detector>) =
        registry.detectors().iter().partition(|detector| detector.ai);
    let _ = writeln!(page, "{}.", counted(&registry.detectors().iter().collect::<Vec<_>>()));
    page.push_str(LEGEND);
    for (title, mut detectors) in [("Providers of AI services", for_ai), ("What AI workloads use beside them", others)]
    {
        detectors.sort_by_key(|detector| (&detector.provider, &detector.id));
        let _ = writeln!(page, "\n## {title}\n\n{}.\n", counted(&detectors));
        page.push_str("| provider | detector | what it finds | kind | found by | confidence at best | severity | verification known |\n");
        page.push_str("|---|---|---|---|---|---|---|---|\n");
        detectors.iter().for_each(|detector| page.push_str(&row(detector)));
    }
    page
}

fn row(detector: &Detector) -> String {
    format!(
        "| {} | `{}` | {} | {} | {} | {} | {} | {} |\n",
        detector.provider,
        detector.id,
        detector.name.replace('|', "\\|"),
        word(&detector.kind),
        found_by(detector),
        word(&best_confidence(detector)),
        word(&detector.severity()),
        if detector.verify.is_some() { "yes" } else { "no" },
    )
}

fn counted(detectors: &[&Detector]) -> String {
    let providers: BTreeSet<&str> = detectors.iter().map(|detector| detector.provider.as_str()).collect();
    format!("{} detectors of {} providers", detectors.len(), providers.len())
}

fn found_by(detector: &Detector) -> &'static str {
    match (detector.keywords.is_empty(), detector.shared, detector.publishable) {
        (_, _, true) => "its shape; public by design, counted and not reported",
        (false, _, _) => "the provider's name beside it",
        (true, true, _) => "its shape and the provider's name near it",
        (true, false, _) => "its own shape",
    }
}

/// The most that a match can claim: what stands alone proves its kind, what needs a name beside it does not.
fn best_confidence(detector: &Detector) -> Confidence {
    let alone = detector.keywords.is_empty() && !detector.shared;
    detector.confidence.min(if alone { Confidence::High } else { Confidence::Medium })
}

/// Returns the name that an enumeration has in files and reports.
pub fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::example::{self, Generator};
    use crate::matcher::engine::{EngineChoice, Workload};
    use crate::scan::text::TextScanner;

    #[test]
    fn the_table_in_the_repository_is_fresh() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/detectors.md");
        let fresh = detector_table(&Registry::built_in());
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            std::fs::write(&path, &fresh).expect("written");
        }
        let kept = std::fs::read_to_string(&path).expect("docs/detectors.md");
        assert!(kept == fresh, "run `UPDATE_GENERATED=1 cargo test --lib generate`");
    }

    #[test]
    fn no_match_claims_more_than_the_table_says_and_nearly_all_reach_it() {
        let registry = Registry::built_in();
        let scanner = TextScanner::new(&registry, EngineChoice::Pure, Workload::Large, false).expect("an engine");
        let mut worker = scanner.worker().expect("a worker");
        let mut reaching = 0;
        for (number, detector) in registry.detectors().iter().enumerate() {
            let mut best = None;
            for text in example::texts(detector) {
                let text = example::expand_for(detector, &text, &mut Generator::new(1)).expect("an example");
                let found = worker.scan(&text).expect("scanned").located.into_iter().map(|located| located.candidate);
                best = best.max(
                    found.filter(|found| usize::from(found.detector) == number).map(|found| found.confidence).max(),
                );
            }
            assert!(best <= Some(best_confidence(detector)), "{}: {best:?}", detector.id);
            reaching += usize::from(best == Some(best_confidence(detector)));
        }
        assert!(reaching * 10 > registry.len() * 9, "{reaching} of {}", registry.len());
    }

    #[test]
    fn a_man_page_is_made_of_each_command_and_of_no_other() {
        for command in [None, Some("scan"), Some("hook"), Some("detectors"), Some("generate")] {
            let mut page = Vec::new();
            man_page(command).expect("a page").render(&mut page).expect("written");
            let name = command.map_or("credtrace".to_owned(), |command| format!("credtrace-{command}"));
            assert!(String::from_utf8_lossy(&page).contains(&format!(".TH {name} 1")), "{command:?}");
        }
        assert!(man_page(Some("nonsense")).is_err());
    }
}
