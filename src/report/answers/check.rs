//! What is wrong with identities, what a person leaves behind and what may go, for people.

use std::io::{self, Write};

use super::paper::Paper;
use crate::identity::check::{IdentityFinding, SubjectKind};
use crate::identity::offboard::Offboarding;
use crate::identity::review::Proposal;
use crate::report::severity_name;
use crate::report::text::counted;

/// Writes identity findings, worst first, in lines of `width` columns.
///
/// # Errors
/// What the writer says.
pub fn check(found: &[IdentityFinding], width: usize, output: &mut dyn Write) -> io::Result<()> {
    let mut paper = Paper::new(output, width);
    for finding in found {
        let severity = severity_name(finding.severity).to_uppercase();
        paper.heading(&format!("{severity}  {}: {}", finding.rule.id(), finding.rule.title()))?;
        paper.field(subject_label(finding.subject_kind), &subject(finding))?;
        paper.field("why", &finding.reason)?;
        paper.field_of("owner", finding.owner.as_deref())?;
        if !finding.evidence.is_empty() {
            paper.field("evidence", &finding.evidence.join("; "))?;
        }
        paper.field("supports", &format!("evidence for {}", controls(finding)))?;
    }
    let total = counted(found.len() as u64, "identity finding", "identity findings");
    paper.heading(&format!("{total}. What supports evidence for a control proves no compliance with it."))
}

fn subject_label(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Identity => "identity",
        SubjectKind::Credential => "credential",
        SubjectKind::Finding => "found",
        SubjectKind::Provider => "provider",
    }
}

fn subject(finding: &IdentityFinding) -> String {
    finding.name.as_ref().map_or_else(|| finding.subject.clone(), |name| format!("{name} ({})", finding.subject))
}

/// Names the controls, framework by framework.
fn controls(finding: &IdentityFinding) -> String {
    let mut told: Vec<String> = Vec::new();
    let mut last = None;
    for control in &finding.controls {
        match told.last_mut().filter(|_| last == Some(control.framework)) {
            Some(line) => line.push_str(&format!(" {}", control.id)),
            None => told.push(format!("{} {}", control.framework, control.id)),
        }
        last = Some(control.framework);
    }
    told.join("; ")
}

/// Writes what a person leaves behind.
///
/// # Errors
/// What the writer says.
pub fn offboard(left: &Offboarding, width: usize, output: &mut dyn Write) -> io::Result<()> {
    let mut paper = Paper::new(output, width);
    let person = &left.person;
    paper.text(0, &person.in_words())?;
    paper.field("status", person.status.as_deref().unwrap_or("not said"))?;
    paper.field("leaves", &counted(left.items.len() as u64, "identity", "identities"))?;
    for item in &left.items {
        let name =
            item.name.as_ref().map_or_else(|| item.identity.clone(), |name| format!("{name} ({})", item.identity));
        paper.heading(&name)?;
        let roles: Vec<_> = item.roles.iter().map(|role| role.in_words()).collect();
        paper.field("as", &roles.join(", "))?;
        if !item.credentials.is_empty() {
            paper.field("credentials", &item.credentials.join(", "))?;
        }
        for task in &item.tasks {
            paper.item(2, task)?;
        }
    }
    Ok(())
}

/// Writes what may go.
///
/// # Errors
/// What the writer says.
pub fn review(proposals: &[Proposal], width: usize, output: &mut dyn Write) -> io::Result<()> {
    let mut paper = Paper::new(output, width);
    for proposal in proposals {
        let name = proposal.name.as_ref();
        paper
            .heading(&name.map_or_else(|| proposal.subject.clone(), |name| format!("{name} ({})", proposal.subject)))?;
        paper.field_of("identity", proposal.identity.as_deref())?;
        paper.field("owner", proposal.owner.as_deref().unwrap_or("nobody is named"))?;
        proposal.reasons.iter().try_for_each(|reason| paper.field("may go", reason))?;
        proposal.against.iter().try_for_each(|reason| paper.field("but", reason))?;
    }
    let total = counted(proposals.len() as u64, "proposal", "proposals");
    paper.heading(&format!("{total} for removal. Nothing was changed: a person decides, then `credtrace revoke`."))
}
