//! The controls that identity findings support evidence for, as the taxonomies of a SARIF run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::finding::Finding;
use crate::identity::controls::{Control, Framework, Rule};

/// The controls of all findings, by framework.
pub(super) struct Taxonomies(BTreeMap<Framework, BTreeSet<&'static str>>);

impl Taxonomies {
    /// Gathers the controls of the findings of a report.
    pub(super) fn of(findings: &[&Finding]) -> Self {
        let mut known: BTreeMap<Framework, BTreeSet<&'static str>> = BTreeMap::new();
        for control in findings.iter().flat_map(|finding| controls(finding)) {
            known.entry(control.framework).or_default().insert(control.id);
        }
        Self(known)
    }

    /// Returns the run's taxonomies; nothing where there is none.
    pub(super) fn all(&self) -> Vec<Value> {
        let taxonomy = |(framework, ids): (&Framework, &BTreeSet<&str>)| {
            json!({
                "name": framework.title(),
                "shortDescription": {"text": "A result supports evidence for these controls; it proves no compliance."},
                "isComprehensive": false,
                "taxa": ids.iter().map(|id| json!({"id": id})).collect::<Vec<_>>(),
            })
        };
        self.0.iter().map(taxonomy).collect()
    }

    /// Returns the references of one finding to the run's taxonomies.
    pub(super) fn taxa(&self, finding: &Finding) -> Vec<Value> {
        let reference = |control: Control| {
            let index = self.0.keys().position(|framework| *framework == control.framework);
            json!({"id": control.id, "toolComponent": {"name": control.framework.title(), "index": index}})
        };
        controls(finding).into_iter().map(reference).collect()
    }
}

/// Returns the controls of what is wrong with a finding, without doubles.
fn controls(finding: &Finding) -> BTreeSet<Control> {
    let rules = finding.identity_findings.iter().filter_map(|tag| Rule::from_tag(tag));
    rules.flat_map(Rule::controls).collect()
}
