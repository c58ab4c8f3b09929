//! The records of the inventory: people, identities, credentials, coverage. One set of types serves hand-kept files,
//! importers and the store, so a field means the same everywhere.
//!
//! Every field but the id is optional: a source says what it knows, and the effective record joins what all sources say.
//! Dates are RFC 3339, a whole day as `2026-11-20`; a credential that never expires has `expires = "never"`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A person who may answer for an identity.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Person {
    /// Unique; an e-mail address where there is one.
    pub id: String,
    /// The name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The address, where the id is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// `active`, `left` or `leave`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// The id of the person's manager.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// The team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Other names of the same person: log-ins and user ids at providers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
}

/// An identity that is no person: what a credential acts as.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "docs/identity.md describes the fields")]
pub struct IdentityRecord {
    /// Unique; importers make it as `provider:native id`.
    pub id: String,
    /// `human`, `service_account`, `api_key`, `oauth_app`, `oauth_grant`, `agent`, `workload`, `ci` or `device`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The provider's slug, as detectors write it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The organisation, tenant or account at the provider, without the provider's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The project, workspace or resource group within the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// `prod`, `staging`, `test`, `dev`, `sandbox` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// One named person; a team never stands here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backup_owner: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sponsor: Option<String>,
    /// Who made it, which does not make them the owner.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// What the provider says of the owner's access: `active` or `inactive`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner_access: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ai_system: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approved: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub approval_ref: Option<String>,
    /// What it may do: `inference`, `read`, `write`, `deploy`, `admin`, `org-admin` or `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privilege: Option<String>,
    /// What its task needs, in the words of `privilege`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// What it can reach, as `system:resource`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reaches: Vec<String>,
    /// What breaks when it is revoked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consumers: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub data_classes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interactive_use: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub third_party: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_rotated: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_due: Option<String>,
    /// How many days a credential of it may live.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age_days: Option<u32>,
    /// `active`, `disabled`, `revoked`, `retired` or `pending`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Its ids elsewhere, by the system's name: `spiffe`, `openai_service_account`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub external_ids: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoke: Option<RevokePlan>,
}

/// How the owner wants an identity's credentials to be ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RevokePlan {
    /// The name or address of the runbook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// Whether it can be switched on again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reversible: Option<bool>,
    /// Whether an old and a new credential may both work for a while.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<bool>,
    /// Whom to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
}

/// One credential of an identity: the provider's record of it and what a leaked value can be recognised by.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CredentialRecord {
    /// Unique; importers make it as `provider:native id`.
    pub id: String,
    /// The id of the identity it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// The sort: a detector's id where one finds it (`openai-project-key`), else the provider's own word.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// The provider's slug.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The organisation, tenant or account at the provider, without the provider's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The name that its maker gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The provider's own id, by which it can be revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_id: Option<String>,
    /// `active`, `disabled`, `revoked`, `expired` or `pending`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issued: Option<String>,
    /// When it ends, or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires: Option<String>,
    /// When it was last used, or `never`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used: Option<String>,
    /// The place where it may stand, such as `vault:kv/support/openai`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored_at: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// What it may do beyond or within its identity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scopes: Vec<String>,
    /// What recognises a leaked value.
    #[serde(skip_serializing_if = "Join::is_empty")]
    pub join: Join,
}

/// What recognises a leaked value without holding it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Join {
    /// Keyed fingerprints: `b3k1:<key id>:<32 hex>`, `hs256:<key id>:<64 hex>`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fp: Vec<String>,
    /// Digests that providers publish, normalised to lower-case hex: `gh-sha256:`, `hmsl:`, `spki-sha256:`,
    /// `ssh-sha256:`, `x509-sha1:`, `x509-sha256:`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub digests: Vec<String>,
    /// The provider's record ids: `openai:key_ex01`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<String>,
    /// Ids that stand in the leaked text itself: `aws:AKIA...`, `gcp-key:<40 hex>`, `bedrock:<alias>`, `langfuse:pk-lf-...`,
    /// `wandb:<id>`, `modal:ak-...`, `entra:<tenant>/<app id>`, `k8s-sa:<uid>`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub public_ids: Vec<String>,
    /// The redacted form that the provider's list shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<Hint>,
    /// Accounts: `aws:111122223333`, `gcp:acme-ai`, `azure-tenant:<id>`, `host:adb-1.azuredatabricks.net`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub account: Vec<String>,
    /// Claims of a signed token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jwt: Option<JwtClaims>,
}

impl Join {
    /// Whether it recognises nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// A redacted form: what is shown of the value's beginning and end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hint {
    /// The characters before the gap, the type's constant prefix included.
    pub head: String,
    /// The characters after the gap.
    pub tail: String,
    /// The field of the list that showed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// The claims by which a signed token is recognised.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs, reason = "the fields are those of RFC 7519 and 7515")]
pub struct JwtClaims {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kid: Option<String>,
}

/// Of what the inventory has a list: only within it may "unknown" be said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Coverage {
    /// The provider's slug.
    pub provider: String,
    /// The account that was listed; empty for all.
    pub account: String,
    /// When the list was made.
    pub as_of: String,
    /// Whether it is whole.
    pub complete: bool,
    /// The file it came from.
    pub source: String,
}

/// Use of a credential or identity that an audit log shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Observation {
    /// The event's id in its log, or its place there.
    pub event: String,
    /// The kind of join key that the log carries: `digest`, `id`, `public-id`, `external-id`.
    pub key_kind: String,
    /// The key's value, in the form of [`Join`].
    pub key_value: String,
    /// What was done: `git.clone`, `InvokeModel`.
    pub action: String,
    /// To what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Who the log says did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// From where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// When, in RFC 3339.
    pub at: String,
}
