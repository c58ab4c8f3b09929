//! The list of API keys of a Langfuse project.
//!
//! The public key stands beside the secret key in most leaks and is exact. What is shown of the secret key is four
//! hexadecimal digits: two keys with the same four are not told apart by it.

use super::super::model::{CredentialRecord, IdentityRecord, Join};
use super::claims::Claims;
use super::hint;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// `GET /api/public/projects/{projectId}/apiKeys`.
pub(super) const API_KEYS: Format = Format {
    provider: "langfuse",
    lists: &["apiKeys", "data"],
    sorts: &["langfuse-secret-key", "langfuse-public-key"],
    reach: Reach::List,
    accepts: |row| row.has(&["publicKey"]) && row.has(&["displaySecretKey"]),
    read,
};

fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let record_id = row.id(&["id"])?;
    row.warn_of_secret(&[&["secretKey"]]);
    let project = row.optional_id(&["projectId"]).or_else(|| options.project.clone());
    let hint = row.text(&["displaySecretKey"]).and_then(|text| {
        hint::redacted(&text, &["sk-lf-"], "displaySecretKey").map_err(|reason| row.remark(reason)).ok()
    });
    let expires = row.expiry_or_never("expiresAt");
    let over = expires.as_deref().is_some_and(|end| super::is_over(end, options));
    let identity = IdentityRecord {
        id: format!("langfuse:{record_id}"),
        kind: Some("api_key".into()),
        name: row.text(&["note"]),
        provider: Some("langfuse".into()),
        account: options.account.clone(),
        container: project.clone(),
        created: row.time(&["createdAt"]),
        status: Some("active".into()),
        ..IdentityRecord::default()
    };
    let credential = CredentialRecord {
        id: format!("langfuse:{record_id}"),
        identity: Some(identity.id.clone()),
        sort: Some("langfuse-secret-key".into()),
        provider: Some("langfuse".into()),
        account: options.account.clone(),
        name: row.text(&["note"]),
        status: Some(if over { "expired" } else { "active" }.into()),
        issued: row.time(&["createdAt"]),
        expires,
        last_used: row.time(&["lastUsedAt"]),
        join: Join {
            ids: vec![format!("langfuse:{record_id}")],
            public_ids: row.optional_id(&["publicKey"]).map(|key| format!("langfuse:{key}")).into_iter().collect(),
            hint,
            ..Join::default()
        },
        record_id: Some(record_id),
        ..CredentialRecord::default()
    };
    let account = options.account.clone();
    Ok(Claims {
        account,
        container: project,
        identities: vec![identity],
        credentials: vec![credential],
        ..Claims::default()
    })
}
