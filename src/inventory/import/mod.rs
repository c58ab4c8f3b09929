//! Reads what providers export of their credentials and of their use into [`Batch`]es of claims.
//!
//! Pure: bytes in, batches out. Nothing is asked of anyone, no file is opened, no store is touched, and the one clock is
//! [`ImportOptions::now`]. The neutral files (TOML, JSON, CSV) that people keep are not read here.
//!
//! # What a file may look like
//!
//! The provider's answer as it came: one object, a page with its rows in a member, an array of either, several documents
//! one after the other (`cat page*.json`), one document a line; UTF-8 with or without a byte order mark, or UTF-16 with
//! one. The pages of one list belong into one file, or each is imported as `partial`.
//!
//! # What is done about a bad one
//!
//! * A row that cannot be used is refused with its place and the reason; the others are kept. So are the rows before the
//!   place where a file is cut off or stops being JSON. No reason repeats a value of the file.
//! * A file without one usable row is an error, also an empty list: an empty inventory must be meant.
//! * A file of another kind is an error that names the kind.
//! * Unknown fields are passed over. A date that is absurd is left out with a remark; the year 9999 and -1 mean `never`.
//! * Of two rows with one id, the later counts, with a remark where they differ. Rows of the same identity add up.
//! * Cut off, refused rows, `has_more` or a page token without the next page, `partial`: the coverage is not complete.
//! * Rows are parsed one by one. One above [`LONGEST_ROW`] is refused; a file with more than [`MOST_RECORDS`] records or
//!   [`MOST_EVENTS`] events is an error that says to split it.
//!
//! # Ids
//!
//! Identities and credentials are `provider:native id`, with the account before ids that are unique within it only. A
//! credential's `type` is the id of the detector that finds such values. An AWS access key has the type of the secret half
//! (`aws-secret-access-key`): the key id names the pair and stands in `join.public_ids`, and the secret half is what must
//! not leak. Where a redacted form does not tell which detector finds the value, the type is the provider's own word
//! (`organization.project.api_key`), which is no detector's id and so excludes none.
//!
//! The owner is whom the provider calls so; who made a credential stands in `created_by` alone. Owners are named as the
//! export names them: by e-mail address where there is one, else by log-in or user id, behind the provider's name where
//! it is a bare number (`gitlab:3`). An alias of a person makes the two one.

mod anthropic;
mod aws;
mod aws_report;
mod claims;
mod cloudtrail;
mod databricks;
mod entra;
mod gather;
mod gitguardian;
mod github;
mod github_audit;
mod gitlab;
mod google;
mod hint;
mod kubernetes;
mod langfuse;
mod okta;
mod openai;
mod openai_audit;
mod paging;
mod people;
mod place;
mod row;
mod snowflake;
mod standards;
#[cfg(test)]
mod tests;
mod text;
mod time;
mod walk;

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;

use self::claims::Claims;
use self::gather::Gatherer;
use self::row::Row;
use super::batch::Batch;
use super::times;
use crate::error::{Error, Result};

/// The longest row, in bytes.
pub const LONGEST_ROW: usize = 1024 * 1024;
/// The most people, identities and credentials of one file.
pub const MOST_RECORDS: usize = 250_000;
/// The most events of one log.
pub const MOST_EVENTS: usize = 1_000_000;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $variant:ident = $name:literal => $format:expr,)*) => {
        /// What an export is a list of.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[doc = $doc])* $variant,)*
        }

        impl Kind {
            /// Every kind.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Returns the name by which it is asked for.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            fn format(self) -> &'static Format {
                match self {
                    $(Self::$variant => &$format,)*
                }
            }
        }
    };
}

kinds! {
    /// `GET /v1/organization/projects/{project_id}/api_keys` of OpenAI.
    OpenaiProjectKeys = "openai-project-keys" => openai::PROJECT_KEYS,
    /// `GET /v1/organization/admin_api_keys` of OpenAI.
    OpenaiAdminKeys = "openai-admin-keys" => openai::ADMIN_KEYS,
    /// `GET /v1/organizations/api_keys` of Anthropic.
    AnthropicApiKeys = "anthropic-api-keys" => anthropic::API_KEYS,
    /// `aws iam list-access-keys`, of each user.
    AwsAccessKeys = "aws-access-keys" => aws::ACCESS_KEYS,
    /// `aws iam get-credential-report`, as CSV or as it answers.
    AwsCredentialReport = "aws-credential-report" => aws_report::CREDENTIAL_REPORT,
    /// `aws iam list-service-specific-credentials`.
    AwsBedrockCredentials = "aws-bedrock-credentials" => aws::BEDROCK_CREDENTIALS,
    /// `gcloud iam service-accounts keys list --format=json`, of each account.
    GcpServiceAccountKeys = "gcp-service-account-keys" => google::SERVICE_ACCOUNT_KEYS,
    /// `GET /orgs/{org}/credential-authorizations` of GitHub.
    GithubCredentialAuthorizations = "github-credential-authorizations" => github::CREDENTIAL_AUTHORIZATIONS,
    /// `GET /orgs/{org}/personal-access-tokens` of GitHub.
    GithubFineGrainedTokens = "github-fine-grained-tokens" => github::FINE_GRAINED_TOKENS,
    /// `GET /orgs/{org}/audit-log` of GitHub.
    GithubAuditLog = "github-audit-log" => github_audit::AUDIT_LOG,
    /// `GET /api/v4/personal_access_tokens` of GitLab, and the lists of project, group and deploy tokens.
    GitlabTokens = "gitlab-tokens" => gitlab::TOKENS,
    /// `GET /v1.0/applications` of Microsoft Graph, with their owners.
    EntraApplications = "entra-applications" => entra::APPLICATIONS,
    /// `GET /api/2.0/token-management/tokens` of Databricks.
    DatabricksTokens = "databricks-tokens" => databricks::TOKENS,
    /// `GET /api/public/projects/{projectId}/apiKeys` of Langfuse.
    LangfuseApiKeys = "langfuse-api-keys" => langfuse::API_KEYS,
    /// `GET /privileged-access/api/v1/service-accounts` of Okta.
    OktaServiceAccounts = "okta-service-accounts" => okta::SERVICE_ACCOUNTS,
    /// `kubectl get serviceaccounts --all-namespaces --output json`.
    KubernetesServiceAccounts = "kubernetes-service-accounts" => kubernetes::SERVICE_ACCOUNTS,
    /// `GET /v1/incidents/secrets` of GitGuardian.
    GitguardianIncidents = "gitguardian-incidents" => gitguardian::INCIDENTS,
    /// `GET /v1/organization/audit_logs` of OpenAI.
    OpenaiAuditLog = "openai-audit-log" => openai_audit::AUDIT_LOG,
    /// `GET /v1/organization/projects/{project_id}/service_accounts` of OpenAI.
    OpenaiServiceAccounts = "openai-service-accounts" => openai::SERVICE_ACCOUNTS,
    /// `GET /v1/organization/users` of OpenAI, and the users of a project.
    OpenaiUsers = "openai-users" => people::OPENAI_USERS,
    /// `GET /v1/organizations/users` of Anthropic.
    AnthropicUsers = "anthropic-users" => people::ANTHROPIC_USERS,
    /// `SHOW USER PROGRAMMATIC ACCESS TOKENS` of Snowflake, as JSON.
    SnowflakeAccessTokens = "snowflake-access-tokens" => snowflake::ACCESS_TOKENS,
    /// `GET /Agents` of a SCIM server.
    ScimAgents = "scim-agents" => standards::SCIM_AGENTS,
    /// A CycloneDX document with cryptographic assets.
    Cyclonedx = "cyclonedx" => standards::CYCLONEDX,
    /// Files that a trail of AWS CloudTrail delivers, unpacked, or `aws cloudtrail lookup-events`.
    AwsCloudtrail = "aws-cloudtrail" => cloudtrail::EVENTS,
}

impl Kind {
    /// Returns the provider's slug.
    pub fn provider(self) -> &'static str {
        self.format().provider
    }

    /// Returns the ids of the detectors whose finds such a list names: of others it says nothing, so an unknown value of
    /// theirs is no shadow.
    pub fn sorts(self) -> &'static [&'static str] {
        self.format().sorts
    }

    /// Whether it is a log of use, which lists nothing and covers nothing.
    pub fn is_log(self) -> bool {
        self.format().reach == Reach::Log
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = Self::ALL.iter().find(|kind| kind.name() == name.trim().to_ascii_lowercase());
        known.copied().ok_or_else(|| {
            let names: Vec<&str> = Self::ALL.iter().map(|kind| kind.name()).collect();
            Error::Usage(format!("no export of that kind is known; these are: {}", names.join(", ")))
        })
    }
}

/// What the file does not say of itself.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// The organisation, tenant, account or host that was listed, without the provider's name. Rows that say it
    /// themselves are believed.
    pub account: Option<String>,
    /// The project or workspace that was listed.
    pub project: Option<String>,
    /// Whether the file is but a part of the list.
    pub partial: bool,
    /// When the list was made, as a day or in RFC 3339; now, where nothing says it.
    pub as_of: Option<String>,
    /// The file's name without its folders, for messages and as the coverage's source.
    pub file_name: String,
    /// What time it is.
    pub now: Timestamp,
}

impl ImportOptions {
    /// Says nothing but what must be said.
    pub fn new(file_name: impl Into<String>, now: Timestamp) -> Self {
        Self { account: None, project: None, partial: false, as_of: None, file_name: file_name.into(), now }
    }

    fn fault(&self, reason: impl Into<String>) -> Error {
        Error::Inventory { subject: self.file_name.clone(), reason: reason.into() }
    }
}

/// What an export is worth as a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// It lists every credential of its sorts, and so covers the account.
    List,
    /// It lists identities, not credentials: it names the account, and covers it in part.
    Part,
    /// It lists cases, and covers nothing.
    Cases,
    /// It lists events, and covers nothing.
    Log,
}

/// How the rows of one kind are told and read.
struct Format {
    /// The provider's slug.
    provider: &'static str,
    /// The members of a page that hold rows.
    lists: &'static [&'static str],
    /// The detectors whose finds it lists.
    sorts: &'static [&'static str],
    /// What it is worth as a list.
    reach: Reach,
    /// Whether a row is of this kind.
    accepts: fn(&Row<'_>) -> bool,
    /// Reads a row, or says why it is refused.
    read: fn(&Row<'_>, &ImportOptions) -> Result<Claims, String>,
}

/// Reads an export into one batch for each account, or container of an account, that it lists.
///
/// What was refused, and remarks, stand in the first batch.
///
/// # Errors
/// [`Error::Inventory`] where the file holds no usable row, is of another kind, or is too large; [`Error::Usage`] where
/// `as_of` is no time.
pub fn parse(kind: Kind, bytes: &[u8], options: &ImportOptions) -> Result<Vec<Batch>> {
    let as_of = match options.as_of.as_deref().map(time::of_text) {
        None => None,
        Some(time::Time::At(as_of)) => Some(as_of),
        Some(_) => {
            return Err(Error::Usage("--as-of must be a day (2026-11-20) or a time (2026-11-20T08:00:00Z)".into()));
        }
    };
    let text = text::decoded(bytes).map_err(|reason| options.fault(reason))?;
    let mut gatherer = Gatherer::new(kind, options, as_of);
    if kind != Kind::AwsCredentialReport {
        if aws_report::is_report(&text) {
            let other = Kind::AwsCredentialReport;
            return Err(
                options.fault(format!("looks like an export of {other}; if it is, import it with --from {other}"))
            );
        }
        gatherer.read(&text)?;
        return gatherer.finish(&text);
    }
    let (table, made) = aws_report::unwrapped(&text).map_err(|reason| options.fault(reason))?;
    gatherer.made_at(made);
    let text = table.as_deref().unwrap_or(&text);
    if aws_report::is_report(text) {
        aws_report::gather(text, &mut gatherer)?;
    } else {
        // Of another kind, most likely: its rows tell.
        gatherer.read(text)?;
    }
    gatherer.finish(text)
}

/// Whether the time at which something ends has passed.
fn is_over(end: &str, options: &ImportOptions) -> bool {
    let now = times::written(options.now);
    // A day is over when the next one begins.
    end != "never" && end < now.get(..end.len()).unwrap_or(&now)
}
