//! The list of API keys of Anthropic.
//!
//! Who made a key (`created_by`, null for keys of the system and of old) is told apart from whom it acts as
//! (`principal`): only a person who is the principal is the owner. There is no last use in this list.

use super::super::model::{CredentialRecord, IdentityRecord, Join};
use super::claims::Claims;
use super::hint;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// The constant beginnings of keys, and the detectors that find them.
const PREFIXES: [(&str, &str); 2] =
    [("sk-ant-api03-", "anthropic-api-key"), ("sk-ant-admin01-", "anthropic-admin-key")];

/// `GET /v1/organizations/api_keys`.
pub(super) const API_KEYS: Format = Format {
    provider: "anthropic",
    lists: &["data", "api_keys"],
    sorts: &["anthropic-api-key"],
    reach: Reach::List,
    accepts: |row| {
        row.has(&["partial_key_hint"])
            || (row.says(&["type"], "api_key") && row.has(&["workspace_id"]))
            || has_record_id(row)
    },
    read: api_key,
};

fn has_record_id(row: &Row<'_>) -> bool {
    row.text(&["id"]).is_some_and(|id| id.starts_with("apikey_"))
}

fn api_key(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let record_id = row.id(&["id"])?;
    let hint = row.text(&["partial_key_hint"]).and_then(|text| {
        let prefixes = PREFIXES.map(|(prefix, _)| prefix);
        hint::redacted(&text, &prefixes, "partial_key_hint").map_err(|reason| row.remark(reason)).ok()
    });
    let sort = hint.as_ref().and_then(|hint| PREFIXES.iter().find(|(prefix, _)| hint.head.starts_with(prefix)));
    let credential = CredentialRecord {
        id: format!("anthropic:{record_id}"),
        sort: Some(sort.map_or("api_key", |(_, detector)| detector).into()),
        provider: Some("anthropic".into()),
        account: options.account.clone(),
        name: row.text(&["name"]),
        status: status(row, options),
        issued: row.time(&["created_at"]),
        expires: row.expiry_or_never("expires_at"),
        created_by: row.optional_id(&["created_by", "id"]),
        join: Join { ids: vec![format!("anthropic:{record_id}")], hint, ..Join::default() },
        record_id: Some(record_id),
        ..CredentialRecord::default()
    };
    Ok(with_identity(row, options, credential))
}

fn status(row: &Row<'_>, options: &ImportOptions) -> Option<String> {
    if row.expiry(&["expires_at"]).is_some_and(|end| super::is_over(&end, options)) {
        return Some("expired".into());
    }
    let word = match row.text(&["status"])?.as_str() {
        "active" => "active",
        "inactive" => "disabled",
        "archived" => "revoked",
        "expired" => "expired",
        _ => return None,
    };
    Some(word.into())
}

fn with_identity(row: &Row<'_>, options: &ImportOptions, mut credential: CredentialRecord) -> Claims {
    let scope = row.text(&["scope", "type"]);
    let workspace = row.optional_id(&["scope", "workspace_id"]).or_else(|| row.optional_id(&["workspace_id"]));
    let is_admin = credential.sort.as_deref() == Some("anthropic-admin-key");
    let mut identity = IdentityRecord {
        id: credential.id.clone(),
        kind: Some("api_key".into()),
        name: credential.name.clone(),
        provider: credential.provider.clone(),
        account: options.account.clone(),
        container: workspace,
        created_by: credential.created_by.clone(),
        privilege: Some(if is_admin { "org-admin" } else { "inference" }.into()),
        status: Some("active".into()),
        ..IdentityRecord::default()
    };
    // A key of the organisation reaches every workspace.
    credential.scopes = scope.into_iter().collect();
    if let Some(account) = row.optional_id(&["principal", "service_account_id"]) {
        identity.id = format!("anthropic:{account}");
        identity.kind = Some("service_account".into());
        // The name is the key's, and one account may have several keys.
        identity.name = None;
        identity.created_by = None;
        identity.external_ids.insert("anthropic_service_account".into(), account);
    } else {
        identity.created = credential.issued.clone();
        identity.expires = credential.expires.clone();
        identity.owner = row.optional_id(&["principal", "user_id"]);
    }
    credential.identity = Some(identity.id.clone());
    Claims {
        account: options.account.clone(),
        identities: vec![identity],
        credentials: vec![credential],
        ..Claims::default()
    }
}
