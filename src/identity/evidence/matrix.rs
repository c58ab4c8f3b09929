//! Which controls a bundle supports evidence for, and by which findings and events. That something supports evidence for a
//! control says nothing of compliance with it. What supports what, [`super::super::controls`] knows of findings; this
//! module adds what a kept record of events shows.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::action;
use super::event::Event;
use crate::identity::check::IdentityFinding;
use crate::identity::controls::Framework;

/// What a record whose integrity can be checked supports evidence for.
const RECORD: &[(Framework, &[&str])] =
    &[(Framework::Csf, &["RS.AN-06", "RS.AN-07"]), (Framework::Iso27001, &["A.5.28"]), (Framework::Soc2, &["CC7.4"])];
/// What an import into the inventory supports evidence for.
const INVENTORY: &[(Framework, &[&str])] =
    &[(Framework::Csf, &["ID.AM-02", "ID.AM-04"]), (Framework::Iso27001, &["A.5.9"]), (Framework::Soc2, &["CC6.1"])];
/// What a revocation supports evidence for.
const REVOCATION: &[(Framework, &[&str])] =
    &[(Framework::Csf, &["RS.MI-01", "RS.MI-02"]), (Framework::Iso27001, &["A.5.26"]), (Framework::Soc2, &["CC7.4"])];

/// One control and what supports evidence for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The framework.
    pub framework: Framework,
    /// The framework's name for people.
    pub framework_name: &'static str,
    /// The control's id, as the framework writes it.
    pub id: String,
    /// Always `supports evidence for`.
    pub relation: &'static str,
    /// What was found, by the rule's id.
    pub rules: BTreeSet<&'static str>,
    /// Of what: fingerprints, ids of records, providers.
    pub subjects: BTreeSet<String>,
    /// The numbers of events.
    pub events: BTreeSet<u64>,
}

/// Returns the controls of the frameworks that were asked for; of all where none was.
pub fn matrix(found: &[IdentityFinding], events: &[Event], frameworks: &[Framework]) -> Vec<Row> {
    let mut rows = Rows::default();
    for finding in found {
        for control in &finding.controls {
            let row = rows.row(control.framework, control.id);
            row.rules.insert(finding.rule.id());
            row.subjects.insert(finding.subject.clone());
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
    let asked = |row: &Row| frameworks.is_empty() || frameworks.contains(&row.framework);
    rows.0.into_values().filter(asked).collect()
}

/// Returns the ids of the controls that some findings support evidence for, by the framework's name; for a ticket.
pub fn in_words(found: &[IdentityFinding]) -> Vec<(String, Vec<String>)> {
    let mut by_framework: Vec<(String, Vec<String>)> = Vec::new();
    for row in matrix(found, &[], &[]) {
        match by_framework.last_mut().filter(|(name, _)| name == row.framework_name) {
            Some((_, ids)) => ids.push(row.id),
            None => by_framework.push((row.framework_name.to_owned(), vec![row.id])),
        }
    }
    by_framework
}

#[derive(Default)]
struct Rows(BTreeMap<(Framework, String), Row>);

impl Rows {
    fn row(&mut self, framework: Framework, id: &str) -> &mut Row {
        self.0.entry((framework, id.to_owned())).or_insert_with(|| Row {
            framework,
            framework_name: framework.title(),
            id: id.to_owned(),
            relation: "supports evidence for",
            rules: BTreeSet::new(),
            subjects: BTreeSet::new(),
            events: BTreeSet::new(),
        })
    }

    fn event(&mut self, controls: &[(Framework, &[&str])], event: &Event) {
        for (framework, ids) in controls {
            for id in *ids {
                self.row(*framework, id).events.insert(event.seq);
            }
        }
    }
}
