//! How a [`Report`] is written: one file a format, and one file for all escaping.
//!
//! A report is data; this module only lays it out. It reads neither the environment nor the clock nor the terminal: what
//! depends on those (colour, width, the time) comes in [`Options`]. Every text that came from what was scanned goes through
//! [`escape`] at the moment it is written. Secrets appear only where [`Finding::secret`] is filled, and then only in
//! the formats that stay with the person who asked: human, JSONL, JSON and CSV.

pub mod answers;
mod csv;
pub mod diff;
pub mod escape;
mod github;
mod gitlab;
mod html;
mod human;
mod json;
mod jsonl;
mod junit;
pub mod merge;
pub mod output;
mod owner;
mod place;
pub mod read;
mod sarif;
pub mod schema;
mod taxonomies;
mod text;

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use jiff::Timestamp;

use crate::detector::compile::Detector;
use crate::finding::{Confidence, Finding, Kind, Liveness, Report, Severity, Summary};

/// The forms in which a report can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// For the person at the terminal.
    Human,
    /// One JSON object a line, the summary last.
    Jsonl,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// A table for spreadsheets, one occurrence a row.
    Csv,
    /// One self-contained page.
    Html,
    /// JUnit XML, for build servers.
    Junit,
    /// GitLab's secret-detection report.
    Gitlab,
    /// Annotation lines of a GitHub workflow.
    Github,
}

impl Format {
    /// Every format, in the order in which help names them.
    pub const ALL: [Self; 9] = [
        Self::Human,
        Self::Jsonl,
        Self::Json,
        Self::Sarif,
        Self::Csv,
        Self::Html,
        Self::Junit,
        Self::Gitlab,
        Self::Github,
    ];

    /// Returns the name by which `--format` knows it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Jsonl => "jsonl",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Csv => "csv",
            Self::Html => "html",
            Self::Junit => "junit",
            Self::Gitlab => "gitlab",
            Self::Github => "github",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = crate::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let known = Self::ALL.map(Self::name).join(", ");
            crate::Error::Usage(format!("there is no format {name:?}; use one of {known}"))
        })
    }
}

/// What a report says of a detector beyond its id. All of it comes from detector files, none from what was scanned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleInfo {
    /// What it is, for people: `Anthropic API key`.
    pub name: String,
    /// The provider's name for people: `Anthropic`.
    pub provider_name: String,
    /// Where to read about this credential.
    pub help: Option<String>,
    /// Where the provider tells how to rotate it.
    pub rotate: Option<String>,
    /// The page where a person ends it.
    pub console: Option<String>,
}

impl From<&Detector> for RuleInfo {
    fn from(detector: &Detector) -> Self {
        Self {
            name: detector.name.clone(),
            provider_name: detector.provider_name.clone(),
            help: detector.references.iter().find(|reference| reference.starts_with("https://")).cloned(),
            rotate: detector.rotate.clone(),
            console: detector.revoke.as_ref().and_then(|revoke| revoke.console.clone()),
        }
    }
}

/// What the writing of a report depends on beside the report.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// Whether the human format may use colour.
    pub colour: bool,
    /// How many columns the human format has; at least 40 are assumed.
    pub width: usize,
    /// What is known of a detector, by its id.
    pub rules: &'a dyn Fn(&str) -> Option<RuleInfo>,
    /// The version of the program, named in reports for machines.
    pub version: &'a str,
    /// When the scan ended; only formats that must name a time use it.
    pub finished: Timestamp,
    /// How a finding is accepted, for the last lines of the human format; `None` leaves the hint out.
    pub accept_hint: Option<&'a str>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            colour: false,
            width: 80,
            rules: &|_| None,
            version: env!("CARGO_PKG_VERSION"),
            finished: Timestamp::UNIX_EPOCH,
            accept_hint: None,
        }
    }
}

impl Options<'_> {
    /// Returns what is known of a finding's detector, with its id and provider slug where nothing is.
    fn rule(&self, finding: &Finding) -> RuleInfo {
        (self.rules)(&finding.detector).unwrap_or_else(|| RuleInfo {
            name: finding.detector.clone(),
            provider_name: finding.provider.clone().unwrap_or_default(),
            ..RuleInfo::default()
        })
    }
}

/// Writes a report in a format. The writer should be buffered.
///
/// # Errors
/// What the writer says; nothing of the report itself can fail.
pub fn write(report: &Report, format: Format, options: &Options<'_>, output: &mut dyn Write) -> io::Result<()> {
    match format {
        Format::Human => human::write(report, options, output),
        Format::Jsonl => jsonl::write(report, output),
        Format::Json => json::write(report, output),
        Format::Sarif => sarif::write(report, options, output),
        Format::Csv => csv::write(report, options, output),
        Format::Html => html::write(report, options, output),
        Format::Junit => junit::write(report, options, output),
        Format::Gitlab => gitlab::write(report, options, output),
        Format::Github => github::write(report, options, output),
    }
}

/// Returns the findings with the worst first: by severity, then by confidence, then in the report's own order.
fn worst_first(report: &Report) -> Vec<&Finding> {
    let mut findings: Vec<&Finding> = report.findings.iter().collect();
    findings.sort_by_key(|finding| std::cmp::Reverse((finding.severity, finding.confidence)));
    findings
}

/// Says why a scan proves nothing although nothing failed: it read nothing, or looked for nothing. A complete scan that
/// read nothing was asked for a range or an index that adds nothing; anything else without a text is an error.
fn emptiness(summary: &Summary) -> Option<&'static str> {
    match (summary.detectors, summary.blobs_scanned) {
        (0, _) => Some("Nothing was scanned: no detector was on. This is no clean result."),
        (_, 0) if summary.complete => Some("Nothing was scanned: the range or the index adds nothing."),
        (_, 0) => Some("Nothing was scanned: there was nothing to read. This is no clean result."),
        _ => None,
    }
}

fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// Says of a credential whether it works, to be put behind its name; nothing where that is not known.
fn whether_it_works(finding: &Finding) -> &'static str {
    match finding.verification.state {
        Liveness::Live => ", which works",
        Liveness::Limited => ", which works within limits",
        Liveness::Dead => ", which does not work any more",
        Liveness::Canary => ", a trap that alarms its owner",
        Liveness::Unknown | Liveness::Refused | Liveness::NotChecked => "",
    }
}

fn confidence_name(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Low => "low",
        Confidence::Medium => "medium",
        Confidence::High => "high",
    }
}

fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::ApiKey => "api-key",
        Kind::AdminKey => "admin-key",
        Kind::AccessKeyId => "access-key-id",
        Kind::SecretKey => "secret-key",
        Kind::PersonalToken => "personal-token",
        Kind::ServiceAccountKey => "service-account-key",
        Kind::OauthAccess => "oauth-access",
        Kind::OauthRefresh => "oauth-refresh",
        Kind::ClientSecret => "client-secret",
        Kind::Session => "session",
        Kind::Webhook => "webhook",
        Kind::SigningSecret => "signing-secret",
        Kind::PrivateKey => "private-key",
        Kind::ConnectionUri => "connection-uri",
        Kind::Password => "password",
        Kind::Jwt => "jwt",
        Kind::Publishable => "publishable",
    }
}
