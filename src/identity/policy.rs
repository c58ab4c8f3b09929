//! What an organisation holds to be too old, too wide or unacceptable: limits, severities, exceptions, and what fails a
//! build. A file that a person keeps; it is never taken from what is scanned.

use std::collections::BTreeMap;
use std::path::Path;

use globset::{Glob, GlobSet, GlobSetBuilder};
use jiff::civil::Date;
use serde::Deserialize;

use super::check::IdentityFinding;
use super::controls::Rule;
use crate::error::{Error, Result};
use crate::finding::{Finding, Liveness, Severity};

/// The schema name of a policy file.
pub const SCHEMA: &str = "credtrace.policy/1";

/// A policy.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Policy {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// After how much time something is too old.
    pub limits: Limits,
    /// Targets that everybody can read: globs over a target's name as the scan was given it.
    pub public: Vec<String>,
    /// Severities that differ from the usual, by the identity finding's id.
    pub severity: BTreeMap<Rule, Severity>,
    /// What fails a build with `--fail-on policy`.
    pub fail: Fail,
    /// Exceptions, each with a reason and an end.
    pub accept: Vec<Exception>,
    #[serde(skip)]
    public_globs: Option<GlobSet>,
}

/// After how many days something is too old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Limits {
    /// Days without use.
    pub unused_days: u32,
    /// Days since the last rotation, where the identity has no `max_age_days` of its own.
    pub rotation_days: u32,
    /// Days between the beginning and the end of a credential.
    pub lifetime_days: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { unused_days: 90, rotation_days: 365, lifetime_days: 365 }
    }
}

/// What fails a build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Fail {
    /// Identity findings of these ids.
    pub rules: Vec<Rule>,
    /// Identity findings of at least this severity.
    pub severity: Option<Severity>,
    /// Findings whose liveness is one of these.
    pub liveness: Vec<Liveness>,
}

/// An exception.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exception {
    /// The identity finding's id.
    pub rule: Rule,
    /// The id of the identity, credential or provider, or the fingerprint.
    pub subject: String,
    /// Why it is accepted.
    pub reason: String,
    /// The last day on which it is, as `2027-01-31`.
    #[serde(deserialize_with = "day")]
    pub expires: Date,
}

/// Reads a day, written as a date of TOML or in quotes.
pub(crate) fn day<'de, D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Date, D::Error> {
    let text = match toml::Value::deserialize(deserializer)? {
        toml::Value::Datetime(date) => date.to_string(),
        toml::Value::String(text) => text,
        _ => String::new(),
    };
    text.parse().map_err(|_| serde::de::Error::custom("must be a day, such as 2027-01-31"))
}

impl Policy {
    /// Reads a policy file.
    ///
    /// # Errors
    /// A file that cannot be read or says something unknown, with its line.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        Self::parse(&text).map_err(|reason| Error::Usage(format!("{}: {reason}", path.display())))
    }

    /// Parses the text of a policy file.
    ///
    /// # Errors
    /// What is wrong with it and on which line.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let mut policy: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            format!("line {line}: {}", error.message().replace('\n', " "))
        })?;
        if policy.schema != SCHEMA {
            return Err(format!("line 1: schema must be {SCHEMA:?}"));
        }
        if let Some(exception) = policy.accept.iter().find(|exception| exception.reason.trim().is_empty()) {
            return Err(format!("accept: {} of {} has no reason", exception.rule, exception.subject));
        }
        let mut globs = GlobSetBuilder::new();
        for glob in &policy.public {
            globs.add(Glob::new(glob).map_err(|error| format!("public: {error}"))?);
        }
        policy.public_globs = Some(globs.build().map_err(|error| format!("public: {error}"))?);
        Ok(policy)
    }

    /// Returns how bad a finding is here.
    pub fn severity_of(&self, rule: Rule) -> Severity {
        self.severity.get(&rule).copied().unwrap_or_else(|| rule.severity())
    }

    /// Whether everybody can read a target.
    pub fn is_public(&self, target: &str) -> bool {
        self.public_globs.as_ref().is_some_and(|globs| globs.is_match(target))
    }

    /// Returns the exception that holds for an identity finding on a day.
    pub fn exception(&self, rule: Rule, subject: &str, today: Date) -> Option<&Exception> {
        let holds = |exception: &&Exception| {
            exception.rule == rule && exception.subject == subject && exception.expires >= today
        };
        self.accept.iter().find(holds)
    }

    /// Whether what was found fails a build.
    pub fn fails(&self, findings: &[Finding], identity_findings: &[IdentityFinding]) -> bool {
        let bad_rule = |found: &IdentityFinding| {
            self.fail.rules.contains(&found.rule) || self.fail.severity.is_some_and(|least| found.severity >= least)
        };
        findings.iter().any(|finding| self.fail.liveness.contains(&finding.verification.state))
            || identity_findings.iter().any(bad_rule)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
schema = "credtrace.policy/1"
public = ["https://code.example.com/public/*"]
[limits]
unused-days = 30
[severity]
long-lived = "low"
[fail]
rules = ["shadow", "owner-left"]
severity = "critical"
liveness = ["live"]
[[accept]]
rule = "unowned"
subject = "nhi-old"
reason = "retired next month"
expires = 2026-12-31
"#;

    #[test]
    fn a_policy_says_limits_severities_exceptions_and_what_is_public() {
        let policy = Policy::parse(TEXT).expect("a policy");
        assert_eq!(policy.limits, Limits { unused_days: 30, ..Limits::default() });
        assert_eq!(policy.severity_of(Rule::LongLived), Severity::Low);
        assert_eq!(policy.severity_of(Rule::Shadow), Severity::High);
        assert!(policy.is_public("https://code.example.com/public/app"));
        assert!(!policy.is_public("https://code.example.com/private/app"));
        let day = |text: &str| text.parse::<Date>().expect("a day");
        assert!(policy.exception(Rule::Unowned, "nhi-old", day("2026-12-31")).is_some());
        assert!(policy.exception(Rule::Unowned, "nhi-old", day("2027-01-01")).is_none());
        assert!(policy.exception(Rule::Unowned, "nhi-other", day("2026-12-31")).is_none());
    }

    #[test]
    fn what_is_unknown_or_unexplained_is_refused_with_its_line() {
        for (text, expected) in [
            ("schema = \"credtrace.policy/1\"\nlimit = 3\n", "line 2"),
            ("schema = \"credtrace.policy/2\"\n", "schema must be"),
            ("schema = \"credtrace.policy/1\"\n[fail]\nrules = [\"no-such\"]\n", "line 3"),
            (&TEXT.replace("retired next month", " "), "no reason"),
            (&TEXT.replace("public/*", "public/[a"), "public:"),
        ] {
            let reason = Policy::parse(text).expect_err(text);
            assert!(reason.contains(expected), "{reason}");
        }
    }
}
