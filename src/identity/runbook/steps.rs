//! The ten steps, each with what is known of this credential in it, in the order that its state asks for.

use super::break_check::{BreakCheck, KnownBy};
use super::revocation::{Command, Revocation, quoted};
use super::routing::Routing;
use super::{Exposure, Order, Step, Subject};
use crate::finding::{Liveness, SourceKind};

/// How many places a step names.
const MOST_PLACES: usize = 10;

/// Everything that the steps are written from.
struct Facts<'a> {
    subject: &'a Subject<'a>,
    order: Order,
    exposure: Exposure,
    check: &'a BreakCheck,
    way: &'a Revocation,
    routing: &'a Routing,
}

/// Returns the ten steps in their order.
pub(super) fn steps(
    subject: &Subject<'_>,
    order: Order,
    exposure: Exposure,
    check: &BreakCheck,
    way: &Revocation,
    routing: &Routing,
) -> Vec<Step> {
    let facts = Facts { subject, order, exposure, check, way, routing };
    let (confirm, consumers, tell, contain, replace) =
        (facts.confirm(), facts.consumers(), facts.tell(), facts.contain(), facts.replace());
    let first = match order {
        Order::RevokeFirst => [confirm, contain, tell, consumers, replace],
        Order::Overlap => [confirm, consumers, tell, replace, contain],
        Order::CleanUp | Order::LeaveTrap => [confirm, consumers, tell, contain, replace],
    };
    let then = [facts.look_for_use(), facts.remove(), facts.prove(), facts.fix_cause(), facts.close()];
    first.into_iter().chain(then).collect()
}

fn step(title: &str, details: Vec<String>, commands: Vec<String>) -> Step {
    Step { title: title.to_owned(), details, commands }
}

impl Facts<'_> {
    fn fingerprint(&self) -> String {
        quoted(&self.subject.finding.fingerprint)
    }

    fn confirm(&self) -> Step {
        let finding = self.subject.finding;
        let mut details = Vec::new();
        details.push(match &finding.identity.why {
            Some(why) => format!("The link: {why}."),
            None => "No identity is linked: find out whose it is before anything is told to anyone.".into(),
        });
        details.push(match finding.verification.state {
            Liveness::Live | Liveness::Limited => "The provider says that it works.".into(),
            Liveness::Dead => "The provider says that it does not work any more.".into(),
            Liveness::Canary => "It is a trap: do not use it, its owner would be alarmed.".into(),
            _ => "Nobody has asked the provider whether it works.".into(),
        });
        if self.exposure == Exposure::Unknown {
            details.push("Find out who can read the places. If strangers can, revoke first.".into());
        }
        let mut commands = vec![format!("credtrace who {}", self.fingerprint())];
        if finding.verification.state != Liveness::Canary {
            commands.push(self.verification());
        }
        step("Confirm whose it is and whether it works", details, commands)
    }

    /// Asks the provider; the value comes from standard input, never from the command line.
    fn verification(&self) -> String {
        format!("credtrace verify --detector {} < FILE_WITH_THE_VALUE", quoted(&self.subject.finding.detector))
    }

    fn consumers(&self) -> Step {
        let mut details = vec![format!("Verdict: {}.", self.check.verdict.in_words())];
        details.extend(self.check.reasons.iter().map(|reason| format!("{}.", capitalised(reason))));
        for consumer in &self.check.consumers {
            let known = match consumer.known_by {
                KnownBy::Declared => "declared",
                KnownBy::Found => "found by a scan",
            };
            details.push(format!("{} ({known})", consumer.name));
        }
        let title = match self.order {
            Order::RevokeFirst => "See what broke: what used it, and can it be restored",
            _ => "See what would break",
        };
        step(title, details, Vec::new())
    }

    fn tell(&self) -> Step {
        let mut details = vec![match &self.routing.to {
            Some(to) => format!("Tell {to}."),
            None => "Nobody is known who could be told.".into(),
        }];
        details.push(format!("{}.", capitalised(&self.routing.why)));
        if let Some(contact) = self.subject.card.and_then(|card| card.contact.as_ref()) {
            details.push(format!("Contact: {contact}."));
        }
        step("Tell who answers for it", details, Vec::new())
    }

    fn contain(&self) -> Step {
        let mut details = Vec::new();
        match self.order {
            Order::LeaveTrap => {
                details.push("Nothing is ended: a trap that is gone catches nobody.".into());
                return step("Leave the trap in place", details, Vec::new());
            }
            Order::CleanUp => details.push("It does not work any more; delete what is left of it at the provider.".into()),
            Order::RevokeFirst => details.push("Now, before anyone is asked. An outage is accepted.".into()),
            Order::Overlap => details.push(
                "Once the new one is in use and the last use of the old one stands still: switch it off, wait, then delete it."
                    .into(),
            ),
        }
        if self.way.reversible == Some(false) {
            details.push("It cannot be taken back.".into());
        }
        if !self.way.missing.is_empty() {
            details.push(format!("Fill in {}: the inventory does not say.", self.way.missing.join(", ")));
        }
        let mut commands = Vec::new();
        for (when, list) in [("", &self.way.contain), ("Later: ", &self.way.finish)] {
            for Command { does, shell } in list {
                details.push(format!("{when}{does}."));
                commands.extend(shell.clone());
            }
        }
        if let Some(plan) = self.subject.card.and_then(|card| card.identity.revoke.as_ref()?.runbook.as_ref()) {
            details.push(format!("The owner's own runbook: {plan}."));
        }
        if let Some(console) = &self.way.console {
            details.push(format!("By hand: {console}"));
        }
        if commands.is_empty() && self.way.console.is_none() && self.way.contain.is_empty() {
            details.push("No way to end it is known here: look at the provider's console.".into());
        }
        step("End the old one", details, commands)
    }

    fn replace(&self) -> Step {
        let mut details = Vec::new();
        if matches!(self.order, Order::LeaveTrap | Order::CleanUp) {
            details.push("Only where something still needs it.".into());
        }
        let stored = self.subject.record.and_then(|record| record.stored_at.as_ref());
        details.push(match stored {
            Some(place) => format!("Make a new one and put it where it belongs, {place}; nowhere else."),
            None => "Make a new one and put it into the store of secrets that its consumers read; nowhere else.".into(),
        });
        match self.check.overlap {
            Some(true) => {
                details.push("Both work side by side: deploy the new one, and watch the last use of the old.".into())
            }
            Some(false) => details.push("The two cannot work side by side: agree on a window.".into()),
            None => {}
        }
        if let Some(rotate) = &self.way.rotate {
            details.push(format!("How: {rotate}"));
        }
        step("Put a new one in its place", details, Vec::new())
    }

    fn look_for_use(&self) -> Step {
        let finding = self.subject.finding;
        let since = finding.first_seen.as_deref();
        let mut details = vec![match since {
            Some(since) => format!("Since {since}, when it was first exposed, not since it was noticed."),
            None => {
                "Since it was first exposed, not since it was noticed; the scan does not know when that was.".into()
            }
        }];
        let mut commands = Vec::new();
        if finding.provider.as_deref() == Some("aws")
            && let Some(id) = self.subject.record.and_then(|record| record.record_id.as_deref())
        {
            let start = since.map(|since| format!(" --start-time {}", quoted(since))).unwrap_or_default();
            let attribute = quoted(&format!("AttributeKey=AccessKeyId,AttributeValue={id}"));
            commands.push(format!("aws cloudtrail lookup-events --lookup-attributes {attribute}{start}"));
        }
        match self.subject.card {
            Some(card) => {
                details.push(
                    "With the provider's audit log, credtrace compares what was declared with what was done.".into(),
                );
                commands
                    .push(format!("credtrace blast {} --observed AUDIT_LOG --from KIND", quoted(&card.identity.id)));
            }
            None => details.push("Ask the provider for the use of this credential.".into()),
        }
        step("Look for use by strangers", details, commands)
    }

    fn remove(&self) -> Step {
        let places = &self.subject.finding.occurrences;
        let mut details: Vec<String> = places
            .iter()
            .take(MOST_PLACES)
            .map(|place| match (place.source, place.in_head) {
                (SourceKind::Git, Some(false)) => format!("{}:{} (in the history only)", place.path, place.line),
                _ => format!("{}:{}", place.path, place.line),
            })
            .collect();
        if places.len() > MOST_PLACES {
            details.push(format!("and {} more places", places.len() - MOST_PLACES));
        }
        details
            .push("Rewriting the history comes last and never replaces revocation: clones and forks keep it.".into());
        step("Remove it from where it stands", details, vec!["credtrace scan --worktree-only".into()])
    }

    fn prove(&self) -> Step {
        if self.order == Order::LeaveTrap {
            return step("Nothing to prove: a trap stays", Vec::new(), Vec::new());
        }
        let details = vec!["The answer must be dead; anything else means that it is not done.".into()];
        step("Prove that it is dead", details, vec![self.verification()])
    }

    fn fix_cause(&self) -> Step {
        let mut details: Vec<String> =
            self.subject.finding.identity_findings.iter().map(|finding| format!("Found as well: {finding}.")).collect();
        details.push(federated(self.subject.finding.provider.as_deref()).into());
        details
            .push("Give each agent an identity of its own, only the scope that its task needs, and an expiry.".into());
        details.push("Put the hook before every commit, so that the next one is stopped.".into());
        step("Fix the cause", details, Vec::new())
    }

    fn close(&self) -> Step {
        let details = vec![
            "Import the provider's list again, so that the inventory knows the new credential and the end of \
                            the old one; then export the evidence."
                .into(),
        ];
        step("Update the inventory and close", details, vec!["credtrace evidence --output evidence".into()])
    }
}

/// What a provider offers in place of a key that lives for long.
fn federated(provider: Option<&str>) -> &'static str {
    match provider.unwrap_or_default() {
        "aws" => "Where it can be: a role with temporary credentials in place of a long-lived key.",
        "google" | "gcp" | "google-cloud" => "Where it can be: workload identity federation in place of a key file.",
        "azure" | "entra" | "microsoft" => {
            "Where it can be: a managed identity or a federated credential in place of a secret."
        }
        "github" => "Where it can be: a GitHub App or the workflow's own token in place of a personal token.",
        "gitlab" => "Where it can be: the job's own token or an ID token in place of a personal token.",
        "databricks" => "Where it can be: OAuth of a service principal in place of a personal token.",
        _ => "Where it can be: a service account of the provider in place of a person's key.",
    }
}

/// Begins a sentence.
fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + characters.as_str()
}
