//! Which controls a bundle supports evidence for, and by which findings and events. That something supports evidence for a
//! control says nothing of compliance with it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::action;
use super::event::Event;
use crate::error::{Error, Result};
use crate::finding::{Finding, Liveness};

/// The frameworks by their short names, with their names for people.
pub const FRAMEWORKS: [(&str, &str); 6] = [
    ("nhi", "OWASP Non-Human Identities Top 10 2025"),
    ("csf", "NIST Cybersecurity Framework 2.0"),
    ("iso", "ISO/IEC 27001:2022 Annex A"),
    ("soc2", "SOC 2 Trust Services Criteria"),
    ("pci", "PCI DSS 4.0"),
    ("attack", "MITRE ATT&CK"),
];

/// What a leaked credential supports evidence for.
const LEAKED: &[(&str, &[&str])] = &[
    ("nhi", &["NHI2:2025"]),
    ("csf", &["PR.AA-01", "PR.DS-01", "ID.RA-01", "PR.PS-06"]),
    ("iso", &["A.5.17", "A.8.4", "A.8.28"]),
    ("soc2", &["CC6.1"]),
    ("pci", &["8.3.2"]),
    ("attack", &["T1552.001"]),
];
/// What a live one adds.
const LIVE: &[(&str, &[&str])] =
    &[("csf", &["DE.AE-02", "RS.MI-01"]), ("iso", &["A.5.26"]), ("soc2", &["CC7.3"]), ("attack", &["T1078.004"])];
/// What a record of events supports evidence for.
const RECORD: &[(&str, &[&str])] = &[("csf", &["RS.AN-06", "RS.AN-07"]), ("iso", &["A.5.28"]), ("soc2", &["CC7.4"])];
/// What an import of the inventory supports evidence for.
const INVENTORY: &[(&str, &[&str])] = &[("csf", &["ID.AM-02", "ID.AM-04"]), ("iso", &["A.5.9"]), ("soc2", &["CC6.1"])];
/// What a revocation supports evidence for.
const REVOCATION: &[(&str, &[&str])] =
    &[("csf", &["RS.MI-01", "RS.MI-02"]), ("iso", &["A.5.26"]), ("soc2", &["CC7.4"])];

/// One control and what supports evidence for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Control {
    /// The framework's short name.
    pub framework: String,
    /// The framework's name for people.
    pub framework_name: String,
    /// The control's id.
    pub id: String,
    /// Always `supports evidence for`.
    pub relation: &'static str,
    /// The fingerprints of findings.
    pub findings: BTreeSet<String>,
    /// The numbers of events.
    pub events: BTreeSet<u64>,
}

/// Returns the controls of the frameworks that were asked for, or of all.
///
/// # Errors
/// An unknown framework.
pub fn matrix(findings: &[Finding], events: &[Event], frameworks: &[String]) -> Result<Vec<Control>> {
    let known = |name: &str| FRAMEWORKS.iter().any(|(short, _)| *short == name);
    if let Some(unknown) = frameworks.iter().find(|name| !known(name)) {
        let names: Vec<&str> = FRAMEWORKS.iter().map(|(short, _)| *short).collect();
        return Err(Error::Usage(format!("--framework {unknown}: these are known: {}", names.join(", "))));
    }
    let mut rows = Rows::default();
    for finding in findings {
        rows.finding(LEAKED, finding);
        if matches!(finding.verification.state, Liveness::Live | Liveness::Limited) {
            rows.finding(LIVE, finding);
        }
        // A finding about an identity begins with the id that it stands under: `NHI7:2025/long-lived`.
        for about in finding.identity_findings.iter().filter_map(|text| text.split('/').next()) {
            if about.starts_with("NHI") {
                rows.row("nhi", about).findings.insert(finding.fingerprint.clone());
            }
        }
    }
    for event in events {
        rows.event(RECORD, event);
        match event.action.as_str() {
            action::IMPORTED | action::ENROLLED => rows.event(INVENTORY, event),
            action::REVOKED => rows.event(REVOCATION, event),
            _ => {}
        }
    }
    let asked = |control: &Control| frameworks.is_empty() || frameworks.contains(&control.framework);
    Ok(rows.0.into_values().filter(asked).collect())
}

/// Returns the ids of the controls of one finding, by the framework's name; for a ticket.
pub fn of_finding(finding: &Finding) -> Vec<(String, Vec<String>)> {
    let rows = matrix(std::slice::from_ref(finding), &[], &[]).unwrap_or_default();
    let mut by_framework: Vec<(String, Vec<String>)> = Vec::new();
    for (short, name) in FRAMEWORKS {
        let ids: Vec<String> = rows.iter().filter(|row| row.framework == short).map(|row| row.id.clone()).collect();
        if !ids.is_empty() {
            by_framework.push((name.to_owned(), ids));
        }
    }
    by_framework
}

#[derive(Default)]
struct Rows(BTreeMap<(usize, String), Control>);

impl Rows {
    fn row(&mut self, framework: &str, id: &str) -> &mut Control {
        let place = FRAMEWORKS.iter().position(|(short, _)| *short == framework).unwrap_or(FRAMEWORKS.len());
        let name = FRAMEWORKS.get(place).map_or(framework, |(_, name)| name);
        self.0.entry((place, id.to_owned())).or_insert_with(|| Control {
            framework: framework.to_owned(),
            framework_name: name.to_owned(),
            id: id.to_owned(),
            relation: "supports evidence for",
            findings: BTreeSet::new(),
            events: BTreeSet::new(),
        })
    }

    fn finding(&mut self, controls: &[(&str, &[&str])], finding: &Finding) {
        for (framework, ids) in controls {
            for id in *ids {
                self.row(framework, id).findings.insert(finding.fingerprint.clone());
            }
        }
    }

    fn event(&mut self, controls: &[(&str, &[&str])], event: &Event) {
        for (framework, ids) in controls {
            for id in *ids {
                self.row(framework, id).events.insert(event.seq);
            }
        }
    }
}
