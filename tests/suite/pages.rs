//! The pages of reference: what they list is what the program has. `UPDATE_GENERATED=1` writes the generated parts anew.

use credtrace::baseline::Baseline;
use credtrace::cli::agents;
use credtrace::detector::registry::Registry;
use credtrace::finding::Liveness;
use credtrace::identity::controls::{Framework, Rule};
use credtrace::identity::policy::{Limits, Policy};
use credtrace::source::archive::{self, Limits as ArchiveLimits};
use credtrace::verify::endpoints::Endpoints;

use crate::harness::project;

fn page(name: &str) -> String {
    std::fs::read_to_string(project(name)).unwrap()
}

/// Compares a generated part of a page, or writes it anew.
#[track_caller]
fn is_fresh(name: &str, old: &str, fresh: &str) {
    assert!(page(name).contains(old), "{name} has no such part: {old}");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(project(name), page(name).replacen(old, fresh, 1)).unwrap();
    } else {
        assert_eq!(old, fresh, "run `UPDATE_GENERATED=1 cargo test --test main pages`");
    }
}

/// Returns the table of a page whose head begins so.
fn table(name: &str, head: &str) -> String {
    let text = page(name);
    let start = text.find(head).unwrap_or_else(|| panic!("{name} has no table {head}"));
    text[start..].split("\n\n").next().unwrap().trim_end().to_owned()
}

/// Returns what stands in backquotes in the first column.
fn first_column(table: &str) -> Vec<String> {
    let cells = table.lines().skip(2).map(|row| row.split('|').nth(1).unwrap());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// Returns the names of a structure's fields, as a file writes them.
fn fields_of(structure: &str) -> Vec<String> {
    let source = page("src/detector/compile/schema.rs");
    let body = source.split(&format!("pub struct {structure} {{\n")).nth(1).unwrap().split("\n}\n").next().unwrap();
    let names = body.lines().filter_map(|line| line.trim().strip_prefix("pub ")?.split(':').next());
    names.map(|name| name.replace('_', "-")).collect()
}

#[test]
fn the_table_of_identity_findings_is_that_of_the_program() {
    let controls = |rule: Rule| {
        let ids = |framework: Framework| {
            let ids: Vec<_> =
                rule.controls().iter().filter(|control| control.framework == framework).map(|one| one.id).collect();
            (!ids.is_empty()).then(|| format!("{framework} {}", ids.join(" ")))
        };
        Framework::ALL.into_iter().filter_map(ids).collect::<Vec<_>>().join("; ")
    };
    let row = |rule: Rule| {
        let severity = serde_json::to_value(rule.severity()).unwrap();
        format!("| `{}` | {} | {} | {} |", rule.id(), rule.title(), severity.as_str().unwrap(), controls(rule))
    };
    let head = "| finding | what it says | severity | supports evidence for |";
    let fresh = format!("{head}\n|---|---|---|---|\n{}", Rule::ALL.map(row).join("\n"));
    is_fresh("docs/policy.md", &table("docs/policy.md", head), &fresh);
    let frameworks = Framework::ALL.map(|framework| format!("| `{framework}` | {} |", framework.title()));
    let head = "| name | framework |";
    let fresh = format!("{head}\n|---|---|\n{}", frameworks.join("\n"));
    is_fresh("docs/policy.md", &table("docs/policy.md", head), &fresh);
    let count = format!("the {} findings of `check`", Rule::ALL.len());
    assert!(page("README.md").replace('\n', " ").contains(&count), "README.md lacks {count:?}");
}

#[test]
fn the_example_of_a_policy_is_one_with_the_usual_limits_and_every_part() {
    let text = page("docs/policy.md");
    let example = text.split("```toml policy.toml\n").nth(1).unwrap().split("```").next().unwrap();
    let policy = Policy::parse(example).unwrap();
    assert_eq!(policy.limits, Limits::default());
    assert!(policy.is_public("/srv/mirrors/public/app.git"));
    assert!(!policy.severity.is_empty() && !policy.fail.rules.is_empty() && !policy.fail.liveness.is_empty());
    assert_eq!((policy.accept.len(), policy.accept[0].rule), (1, Rule::Unowned));
}

#[test]
fn the_example_of_a_baseline_is_one() {
    let text = page("docs/baseline.md");
    let example = text.split("```toml credtrace-known-example.toml\n").nth(1).unwrap().split("```").next().unwrap();
    let baseline = Baseline::parse(example).unwrap();
    let order: Vec<&str> = baseline.entries().iter().map(|entry| entry.detector.as_deref().unwrap()).collect();
    assert_eq!(order, ["anthropic-api-key", "openai-project-key"]);
    assert!(baseline.entries()[1].expires.is_some());
}

#[test]
fn the_page_on_liveness_has_every_verdict_and_every_field() {
    let name = "docs/liveness.md";
    let states = [
        Liveness::Live,
        Liveness::Limited,
        Liveness::Dead,
        Liveness::Unknown,
        Liveness::Canary,
        Liveness::Refused,
        Liveness::NotChecked,
    ];
    let states = states.map(|state| serde_json::to_value(state).unwrap().as_str().unwrap().to_owned());
    assert_eq!(first_column(&table(name, "| state | what it means |")), states);
    for (head, structure) in [("`verify`", "Verify"), ("`revoke`", "Revoke"), ("`revoke.call`", "RevokeCall")] {
        let mut told = first_column(&table(name, &format!("| field of {head} |")));
        let mut known = fields_of(structure);
        told.sort_unstable();
        known.sort_unstable();
        assert_eq!(told, known, "{structure}");
    }
}

#[test]
fn the_page_on_liveness_counts_right() {
    let registry = Registry::built_in();
    let detectors = registry.detectors();
    let asked = detectors.iter().filter(|detector| detector.verify.is_some()).count();
    let ended = detectors
        .iter()
        .filter(|detector| detector.revoke.as_ref().is_some_and(|revoke| revoke.call.is_some()))
        .count();
    let places: std::collections::BTreeSet<String> =
        Endpoints::default().list(detectors).into_iter().map(|callable| callable.place).collect();
    let name = "docs/liveness.md";
    let text = page(name);
    let old = text.lines().find(|line| line.contains("say how to ask, at")).expect("a count");
    let fresh = format!(
        "{asked} of {} detectors say how to ask, at {} places; {}",
        detectors.len(),
        places.len(),
        old.split_once("places; ").expect("words behind it").1
    );
    is_fresh(name, old, &fresh);
    let old = text.split(" detectors declare such a request").next().and_then(|text| text.rsplit(' ').next()).unwrap();
    is_fresh(
        name,
        &format!("{old} detectors declare such a request"),
        &format!("{ended} detectors declare such a request"),
    );
    // What the README says in words.
    assert!(asked * 20 > detectors.len() * 13 && asked * 4 < detectors.len() * 3, "{asked}");
}

#[test]
fn the_limits_of_archives_are_those_of_the_program() {
    let limits = ArchiveLimits::default();
    let mebibytes = |bytes: u64| format!("{} MiB", bytes >> 20);
    let table = table("docs/sources.md", "| reason | limit |");
    let told = |reason: &str| {
        let row = table.lines().find(|row| row.starts_with(&format!("| `{reason}` |")));
        row.unwrap_or_else(|| panic!("no row {reason}")).to_owned()
    };
    assert!(told("archive-member-size").contains(&mebibytes(limits.member_bytes)));
    assert!(told("archive-total-size").contains(&mebibytes(limits.total_bytes)));
    assert!(told("archive-total-size").contains(&format!("{} times", limits.ratio)));
    let ratio = format!(
        "{} bytes of text for each byte that its decoder takes, from {}",
        limits.ratio,
        mebibytes(limits.ratio_from)
    );
    assert!(told("archive-ratio").contains(&ratio));
    assert!(told("archive-entries").contains(&format!("{} members", limits.entries)));
    assert!(told("archive-depth").contains(&format!("{} archives", limits.depth)));
    assert!(told("archive-memory").contains(&mebibytes(limits.held_bytes)));
    let reasons: Vec<&str> = archive::SKIPS.iter().map(|skip| skip.name()).collect();
    assert_eq!(first_column(&table), reasons);
}

#[test]
fn every_place_of_agents_is_named() {
    let table = table("docs/sources.md", "| product | places");
    for place in agents::PLACES.iter().filter(|place| !place.starts_with("Library/")) {
        assert!(table.contains(&format!("`{place}`")), "docs/sources.md lacks {place}");
    }
    for (variable, _) in agents::MOVED {
        assert!(table.contains(&format!("`${variable}`")), "docs/sources.md lacks {variable}");
    }
}
