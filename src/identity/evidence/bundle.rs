//! What an auditor gets: the record of events with what it is about, under a manifest that names every file by its hash.
//!
//! The manifest says what was scanned and what was skipped, since evidence of what was found is worth nothing without it.
//! Findings are redacted; names of people can be replaced, see [`super::pseudonyms`].

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::check::{self, Known};
use super::event::Event;
use super::matrix;
use super::pseudonyms::Pseudonyms;
use super::{action, form};
use crate::error::{Error, Result};
use crate::finding::Finding;
use crate::identity;
use crate::identity::check::IdentityFinding;
use crate::identity::controls::Framework;
use crate::identity::decisions::Decision;
use crate::identity::policy::Policy;
use crate::identity::reader::Reader;
use crate::identity::standing;
use crate::inventory::model::Coverage;
use crate::inventory::records;
use crate::inventory::records::ImportRecord;
use crate::inventory::times;

/// The schema name of a manifest.
pub const SCHEMA: &str = "credtrace/evidence/1";
/// The name of the manifest.
pub const MANIFEST: &str = "manifest.json";
/// The name of the record of events.
pub const EVENTS: &str = "events.jsonl";

/// What goes into a bundle.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// From when on; nothing for the beginning.
    pub from: Option<Timestamp>,
    /// Until when, included; nothing for the end.
    pub to: Option<Timestamp>,
    /// The frameworks of the control matrix; none for all.
    pub frameworks: Vec<Framework>,
}

/// What made the bundle.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Maker {
    /// The program's version.
    pub version: String,
    /// BLAKE3 over the detectors, as `detectors list --format json` writes them.
    pub detectors: String,
    /// How many detectors there are.
    pub detector_count: u64,
    /// The id of the fingerprint key, so that fingerprints can be told apart from those of another.
    pub fingerprint_key: String,
}

/// The manifest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// When it was made, in RFC 3339.
    pub made_at: String,
    /// What made it.
    pub maker: Maker,
    /// The time that was asked for.
    pub period: (Option<String>, Option<String>),
    /// How the bundle was asked for.
    pub config: Value,
    /// The files that the inventory was made of.
    pub imports: Value,
    /// Of what the inventory has lists, and which of them are whole.
    pub coverage: Value,
    /// What was scanned and what was skipped: the data of every scan in the period.
    pub scans: Vec<Value>,
    /// What is in the record of events.
    pub events: Chain,
    /// How many of each there are.
    pub counts: Value,
    /// BLAKE3 of every other file, by its name.
    pub files: std::collections::BTreeMap<String, String>,
    /// What the reader must know.
    pub remarks: Vec<String>,
}

impl Manifest {
    /// Returns how many of each there are, in words.
    pub fn counts_in_words(&self) -> String {
        let count = |name: &str, one: &str, many: &str| match self.counts[name].as_u64().unwrap_or(0) {
            1 => format!("1 {one}"),
            several => format!("{several} {many}"),
        };
        let parts = [
            count("events", "event", "events"),
            count("findings", "finding", "findings"),
            count("decisions", "decision", "decisions"),
            count("imports", "import", "imports"),
        ];
        parts.join(", ")
    }
}

/// The record of events in a bundle.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// The number of the first event; 0 where there is none.
    pub first: u64,
    /// The number of the last event.
    pub last: u64,
    /// The hash before the first event.
    pub begins: String,
    /// The hash of the last event.
    pub head: String,
    /// Whether the whole record of the store was unbroken when the bundle was made.
    pub unbroken: bool,
    /// Whether names were replaced, so that hashes cannot be reckoned again.
    pub pseudonyms: bool,
}

/// A bundle: its files, the manifest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The manifest.
    pub manifest: Manifest,
    /// Every file with its name and text.
    pub files: Vec<(String, String)>,
}

impl Bundle {
    /// Returns the BLAKE3 of the manifest, which stands for the whole bundle.
    pub fn hash(&self) -> String {
        let text = self.files.iter().find(|(name, _)| name == MANIFEST).map(|(_, text)| text.as_str());
        blake3::hash(text.unwrap_or_default().as_bytes()).to_hex().to_string()
    }

    /// Returns the bundle as one JSON document.
    pub fn document(&self) -> String {
        let files: serde_json::Map<String, Value> =
            self.files.iter().map(|(name, text)| (name.clone(), text.as_str().into())).collect();
        form::canonical(&json!({ "schema": SCHEMA, "files": files })) + "\n"
    }
}

/// Makes a bundle of what a store holds.
///
/// # Errors
/// A store that cannot be read, or a period that ends before it begins.
pub fn bundle(
    reader: &Reader<'_>,
    scope: &Scope,
    maker: Maker,
    pseudonyms: Option<&Pseudonyms>,
    now: Timestamp,
) -> Result<Bundle> {
    if let (Some(from), Some(to)) = (scope.from, scope.to)
        && to < from
    {
        return Err(Error::Usage(format!("the period ends ({to}) before it begins ({from})")));
    }
    let contents = Contents::of(reader, scope, now)?;
    let controls = matrix::matrix(&contents.identity_findings, &contents.events, &scope.frameworks);
    let hide = |value: Value| pseudonyms.map_or(value.clone(), |names| names.replaced(&value));
    let texts = vec![
        (EVENTS.to_owned(), lines(contents.events.iter().map(|event| hide(value_of(event))))),
        ("findings.jsonl".to_owned(), lines(contents.findings.iter().map(|finding| hide(value_of(finding))))),
        (
            "identity_findings.jsonl".to_owned(),
            lines(contents.identity_findings.iter().map(|found| hide(value_of(found)))),
        ),
        ("links.jsonl".to_owned(), lines(contents.findings.iter().map(|finding| hide(link_value(finding))))),
        ("decisions.jsonl".to_owned(), lines(contents.decisions.iter().map(|decision| hide(value_of(decision))))),
        ("controls.json".to_owned(), form::canonical(&value_of(&controls)) + "\n"),
    ];
    let manifest = contents.manifest(scope, maker, pseudonyms, &texts, now);
    let mut files = vec![(MANIFEST.to_owned(), form::canonical(&value_of(&manifest)) + "\n")];
    files.extend(texts);
    Ok(Bundle { manifest, files })
}

fn lines(values: impl Iterator<Item = Value>) -> String {
    values.map(|value| form::canonical(&value) + "\n").collect()
}

fn value_of(record: &impl Serialize) -> Value {
    serde_json::to_value(record).unwrap_or(Value::Null)
}

/// The link of a finding with its reason, apart from the finding.
fn link_value(finding: &Finding) -> Value {
    json!({ "fingerprint": finding.fingerprint, "link": finding.identity })
}

/// What a bundle is made of.
struct Contents {
    events: Vec<Event>,
    /// The hash before the first event.
    begins: String,
    unbroken: bool,
    findings: Vec<Finding>,
    identity_findings: Vec<IdentityFinding>,
    decisions: Vec<Decision>,
    imports: Vec<ImportRecord>,
    coverage: Vec<Coverage>,
}

impl Contents {
    fn of(reader: &Reader<'_>, scope: &Scope, now: Timestamp) -> Result<Self> {
        let all = super::read(reader.store())?;
        let unbroken = check::check(&all, &Known::default()).is_whole();
        let (from, to) = (scope.from.map(times::written), scope.to.map(times::written));
        let inside =
            |time: &str| from.as_deref().is_none_or(|from| time >= from) && to.as_deref().is_none_or(|to| time <= to);
        // From the first event of the period to the last: a chain has no gaps, whatever a clock did meanwhile.
        let first = all.iter().position(|event| inside(&event.time)).unwrap_or(all.len());
        let end = all.iter().rposition(|event| inside(&event.time)).map_or(first, |last| last + 1);
        let events = all[first..end].to_vec();
        let begins = events.first().map_or_else(|| super::FIRST_PREVIOUS.to_owned(), |event| event.prev.clone());
        let mut findings = reader.findings_between(from.as_deref(), to.as_deref())?;
        for finding in &mut findings {
            finding.secret = None;
            finding.identity = standing::link_of(reader, finding)?;
        }
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let identity_findings = identity::check::check(reader.store(), &findings, &Policy::default(), today)?;
        let decisions = reader.decisions()?.into_iter().filter(|decision| inside(&decision.at)).collect();
        Ok(Self {
            events,
            begins,
            unbroken,
            findings,
            identity_findings,
            decisions,
            imports: records::imports(reader.store())?,
            coverage: records::all_coverage(reader.store(), None)?,
        })
    }

    fn manifest(
        &self,
        scope: &Scope,
        maker: Maker,
        pseudonyms: Option<&Pseudonyms>,
        texts: &[(String, String)],
        now: Timestamp,
    ) -> Manifest {
        let scans = self.events.iter().filter(|event| event.action == action::SCANNED);
        let scans: Vec<Value> = scans
            .map(|event| json!({ "event": event.seq, "at": event.time, "what": event.subject, "data": event.data }))
            .map(|scan| pseudonyms.map_or(scan.clone(), |names| names.replaced(&scan)))
            .collect();
        let hashes =
            texts.iter().map(|(name, text)| (name.clone(), blake3::hash(text.as_bytes()).to_hex().to_string()));
        let hide = |value: Value| pseudonyms.map_or(value.clone(), |names| names.replaced(&value));
        Manifest {
            schema: SCHEMA.to_owned(),
            made_at: times::written(now),
            maker,
            period: (scope.from.map(times::written), scope.to.map(times::written)),
            config: json!({ "frameworks": scope.frameworks, "pseudonyms": pseudonyms.is_some() }),
            imports: hide(value_of(&self.imports)),
            coverage: hide(value_of(&self.coverage)),
            remarks: self.remarks(&scans, pseudonyms.is_some()),
            scans,
            events: Chain {
                first: self.events.first().map_or(0, |event| event.seq),
                last: self.events.last().map_or(0, |event| event.seq),
                begins: self.begins.clone(),
                head: self.events.last().map_or_else(|| self.begins.clone(), |event| event.hash.clone()),
                unbroken: self.unbroken,
                pseudonyms: pseudonyms.is_some(),
            },
            counts: json!({
                "events": self.events.len(), "findings": self.findings.len(), "identity_findings": self.identity_findings.len(), "decisions": self.decisions.len(),
                "imports": self.imports.len(),
            }),
            files: hashes.collect(),
        }
    }

    fn remarks(&self, scans: &[Value], pseudonyms: bool) -> Vec<String> {
        let mut remarks = vec![
            "A chain of hashes shows that nothing inside it was edited, cut out or put into another order. It does not stop \
             someone who writes all of it anew: keep the hash of the last event, or of this manifest, where that person \
             cannot write."
                .to_owned(),
            "The control matrix names what this bundle supports evidence for; it does not say that anything is compliant."
                .to_owned(),
        ];
        if scans.is_empty() {
            remarks.push(
                "No scan is recorded in this period: that nothing is listed does not mean that nothing leaked.".into(),
            );
        }
        if scans.iter().any(|scan| scan["data"]["complete"] == Value::Bool(false)) {
            remarks.push("Some scans were not complete; each says what it could not read.".into());
        }
        if !self.unbroken {
            remarks.push("The record of events in the store was broken when this was made; `credtrace evidence verify` says where.".into());
        }
        if pseudonyms {
            remarks.push(
                "Names of people were replaced: the hashes are those of the true record, and only their chain can be checked here."
                    .into(),
            );
        }
        remarks
    }
}
