//! What scans found, seen with the inventory: where a secret stands, whether it works, whose it is.

use std::collections::{BTreeMap, BTreeSet};

use super::{Sink, Subject, SubjectKind, days_since, is_over};
use crate::error::Result;
use crate::finding::{Finding, IdentityStatus, Kind, Liveness, Occurrence};
use crate::identity::controls::Rule;
use crate::identity::reader::Reader;
use crate::inventory::model::{CredentialRecord, IdentityRecord};
use crate::inventory::records;
use crate::store::Store;

/// Files in which people's own shells and tools keep what they typed.
const PERSONAL: [&str; 9] = [
    ".bash_history",
    ".zsh_history",
    ".python_history",
    ".psql_history",
    ".node_repl_history",
    ".netrc",
    ".bashrc",
    ".zshrc",
    ".profile",
];
/// Files and folders that run machines.
const AUTOMATION: [&str; 7] = [
    ".github/workflows/",
    ".gitlab-ci.yml",
    "Jenkinsfile",
    ".circleci/",
    "azure-pipelines.yml",
    "docker-compose",
    "Dockerfile",
];
/// Files by which somebody else's tool gets a credential.
const TOOLS: [&str; 10] = [
    "mcp.json",
    "claude_desktop_config.json",
    ".cursor/",
    ".continue/",
    ".vscode/",
    ".idea/",
    ".windsurf/",
    ".codex/",
    ".aider",
    "cline_mcp_settings.json",
];
/// Words in a path or a target that name an environment.
const ENVIRONMENTS: [(&str, &str); 9] = [
    ("prod", "prod"),
    ("production", "prod"),
    ("staging", "staging"),
    ("stage", "staging"),
    ("test", "test"),
    ("testing", "test"),
    ("dev", "dev"),
    ("development", "dev"),
    ("sandbox", "sandbox"),
];
/// How many places are told as evidence.
const MOST_PLACES: usize = 5;

pub(super) fn check(store: &Store, findings: &[Finding], sink: &mut Sink<'_>) -> Result<()> {
    let reader = Reader::new(store);
    for finding in findings {
        let identity =
            finding.identity.id.as_deref().map(|id| records::identity(reader.store(), id)).transpose()?.flatten();
        let record = record_of(&reader, finding)?;
        let seen = Seen { finding, identity: identity.as_ref(), record: record.as_ref() };
        seen.exposure(sink);
        seen.liveness(sink);
        seen.places(sink);
    }
    gaps(findings, sink);
    Ok(())
}

/// Returns the credential record that a finding is linked to.
fn record_of(reader: &Reader<'_>, finding: &Finding) -> Result<Option<CredentialRecord>> {
    let Some(id) = finding.identity.credential.as_ref().and_then(|record| record.record_id.as_deref()) else {
        return Ok(None);
    };
    let records = reader.credentials_by_record_id(id)?;
    Ok(records.into_iter().find(|record| record.identity == finding.identity.id))
}

/// A finding with what it is linked to.
struct Seen<'a> {
    finding: &'a Finding,
    identity: Option<&'a IdentityRecord>,
    record: Option<&'a CredentialRecord>,
}

impl Seen<'_> {
    fn add(&self, sink: &mut Sink<'_>, rule: Rule, reason: impl Into<String>, evidence: Vec<String>) {
        let owner = self.finding.identity.owner.as_ref();
        let subject = Subject {
            kind: SubjectKind::Finding,
            id: &self.finding.fingerprint,
            name: self.finding.identity.name.as_deref().or(Some(&self.finding.redacted)),
            owner: owner.and_then(|owner| owner.id.as_deref().or(owner.name.as_deref())),
        };
        sink.add(rule, &subject, reason, evidence);
    }

    fn works(&self) -> bool {
        matches!(self.finding.verification.state, Liveness::Live | Liveness::Limited)
    }

    fn exposure(&self, sink: &mut Sink<'_>) {
        let finding = self.finding;
        if finding.verification.state == Liveness::Canary {
            return;
        }
        let places = told_places(&finding.occurrences);
        self.add(sink, Rule::Leaked, format!("it stands in {}", counted(finding.occurrences.len())), places.clone());
        let public = finding.occurrences.iter().find(|place| sink.policy.is_public(&place.target));
        if let Some(place) = public.filter(|_| self.works()) {
            let reason = format!("the provider accepts it, and everybody can read {}", place.target);
            self.add(sink, Rule::LeakedLivePublic, reason, places.clone());
        }
        if finding.identity.status == IdentityStatus::Shadow {
            let reason = finding.identity.why.clone();
            let reason = reason.unwrap_or_else(|| "no record of its provider fits it".to_owned());
            self.add(
                sink,
                Rule::Shadow,
                reason,
                finding.identity.as_of.iter().map(|at| format!("as of {at}")).collect(),
            );
        }
        if let Some(stored_at) = self.record.and_then(|record| record.stored_at.as_deref()) {
            let reason = format!("its place is {stored_at}, and it stands elsewhere");
            self.add(sink, Rule::OutsideStore, reason, places);
        }
    }

    fn liveness(&self, sink: &mut Sink<'_>) {
        if !self.works() {
            return;
        }
        let checked = self.finding.verification.checked_at.iter().map(|at| format!("accepted at {at}"));
        let status = self.record.and_then(|record| record.status.as_deref());
        let retired = self.identity.and_then(|identity| identity.status.as_deref());
        if let Some(status) = [status, retired].into_iter().flatten().find(|status| is_over(Some(status))) {
            let reason = format!("the inventory says {status}, and the provider accepts it");
            self.add(sink, Rule::RevokedLive, reason, checked.clone().collect());
        }
        let ends = self.record.and_then(|record| record.expires.as_deref());
        let over = ends.filter(|ends| days_since(ends, sink.today).is_some_and(|days| days > 0));
        if let Some(ends) = over {
            let reason = format!("it ended on {ends}, and the provider accepts it");
            self.add(sink, Rule::ExpiredLive, reason, checked.collect());
        }
    }

    fn places(&self, sink: &mut Sink<'_>) {
        let places = &self.finding.occurrences;
        let targets: BTreeSet<&str> = places.iter().map(|place| place.target.as_str()).collect();
        if targets.len() > 1 {
            let reason = format!("it stands in {} targets", targets.len());
            self.add(
                sink,
                Rule::Shared,
                reason,
                targets.iter().take(MOST_PLACES).map(|name| (*name).to_owned()).collect(),
            );
        }
        self.environments(sink);
        let personal = first_with(places, &PERSONAL);
        let own = matches!(self.finding.kind, Kind::PersonalToken | Kind::OauthAccess | Kind::Session);
        if let Some(place) = personal.filter(|_| !own) {
            let reason = format!("a machine's credential stands in a person's own file, {}", place.path);
            self.add(sink, Rule::HumanUse, reason, told_places(std::slice::from_ref(place)));
        }
        if let Some(place) = first_with(places, &AUTOMATION).filter(|_| self.finding.kind == Kind::PersonalToken) {
            let reason = format!("a person's token stands in what runs a machine, {}", place.path);
            self.add(sink, Rule::HumanUse, reason, told_places(std::slice::from_ref(place)));
        }
        if let Some(place) = first_with(places, &TOOLS) {
            let reason = format!("it is handed to a tool by its settings, {}", place.path);
            self.add(sink, Rule::ThirdParty, reason, told_places(std::slice::from_ref(place)));
        }
    }

    fn environments(&self, sink: &mut Sink<'_>) {
        let mut named: BTreeMap<&str, String> = BTreeMap::new();
        for place in &self.finding.occurrences {
            if let Some(environment) = environment_of(&place.path) {
                named.entry(environment).or_insert_with(|| place.path.clone());
            }
        }
        if let Some(environment) = self.identity.and_then(|identity| identity.environment.as_deref()) {
            named.entry(environment).or_insert_with(|| format!("environment {environment} in the inventory"));
        }
        if named.len() > 1 {
            let names: Vec<&str> = named.keys().copied().collect();
            self.add(sink, Rule::CrossEnv, format!("it serves {}", names.join(" and ")), named.into_values().collect());
        }
    }
}

/// Returns the environment that a path names.
fn environment_of(path: &str) -> Option<&'static str> {
    let words = path.split(|character: char| !character.is_ascii_alphanumeric());
    let known = |word: &str| ENVIRONMENTS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|known| known.1);
    // `test` and `dev` name folders of source code more often than environments.
    let told: BTreeSet<&str> = words.filter_map(known).collect();
    let in_settings = path.rsplit('/').next().is_some_and(|name| name.starts_with(".env") || name.contains("env"));
    told.into_iter().find(|name| in_settings || !matches!(*name, "test" | "dev"))
}

fn first_with<'a>(places: &'a [Occurrence], names: &[&str]) -> Option<&'a Occurrence> {
    places.iter().find(|place| names.iter().any(|name| place.path.contains(name)))
}

fn told_places(places: &[Occurrence]) -> Vec<String> {
    let told = |place: &Occurrence| format!("{}: {}:{}", place.target, place.path, place.line);
    places.iter().take(MOST_PLACES).map(told).collect()
}

fn counted(places: usize) -> String {
    if places == 1 { "1 place".to_owned() } else { format!("{places} places") }
}

/// Names the providers of which credentials were found and the inventory has no list.
fn gaps(findings: &[Finding], sink: &mut Sink<'_>) {
    let mut providers: BTreeMap<&str, usize> = BTreeMap::new();
    for finding in findings.iter().filter(|finding| finding.identity.status == IdentityStatus::NotCovered) {
        if let Some(provider) = &finding.provider {
            *providers.entry(provider).or_default() += 1;
        }
    }
    for (provider, count) in providers {
        let subject = Subject { kind: SubjectKind::Provider, id: provider, name: None, owner: None };
        let reason = format!("{count} of its credentials were found, and no list of it was imported");
        sink.add(Rule::InventoryGap, &subject, reason, Vec::new());
    }
}
