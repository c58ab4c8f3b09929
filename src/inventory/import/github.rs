//! The lists of GitHub: credentials that members authorised for an organisation with single sign-on, and fine-grained
//! personal access tokens with access to an organisation.
//!
//! A personal token acts as its user, so the identity is the user, of kind `human` until a hand-kept record says that it is
//! a machine's. The log-in is the owner; the export knows no person behind it.

use super::super::keys::{KeyKind, normalised};
use super::super::model::{CredentialRecord, IdentityRecord, Join};
use super::claims::Claims;
use super::hint;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// `GET /orgs/{org}/credential-authorizations`.
pub(super) const CREDENTIAL_AUTHORIZATIONS: Format = Format {
    provider: "github",
    lists: &["credential_authorizations", "data"],
    sorts: &["github-classic-token", "github-oauth-token"],
    reach: Reach::List,
    accepts: |row| row.has(&["credential_id"]) && row.has(&["credential_type"]),
    read: authorization,
};

/// `GET /orgs/{org}/personal-access-tokens`.
pub(super) const FINE_GRAINED_TOKENS: Format = Format {
    provider: "github",
    lists: &["personal_access_tokens", "data"],
    sorts: &["github-fine-grained-token"],
    reach: Reach::List,
    accepts: |row| row.has(&["token_id"]) && row.has(&["owner"]) && row.has(&["access_granted_at"]),
    read: fine_grained_token,
};

/// Makes the identity of a user.
pub(super) fn user(login: &str, account: Option<&str>) -> IdentityRecord {
    let is_bot = login.ends_with("[bot]");
    IdentityRecord {
        id: format!("github:{login}"),
        kind: Some(if is_bot { "service_account" } else { "human" }.into()),
        name: Some(login.to_owned()),
        provider: Some("github".into()),
        account: account.map(str::to_owned),
        owner: (!is_bot).then(|| login.to_owned()),
        ..IdentityRecord::default()
    }
}

/// Names a fine-grained token, in this list and in the audit log.
pub(super) fn fine_grained_id(token: &str) -> String {
    format!("github:fine-grained/{token}")
}

fn authorization(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let record_id = row.id(&["credential_id"])?;
    let login = row.id(&["login"])?;
    let identity = user(&login, options.account.as_deref());
    let expires = row
        .expiry_or_never("authorized_credential_expires_at")
        .or_else(|| row.expiry_or_never("credential_expires_at"));
    let over = expires.as_deref().is_some_and(|end| super::is_over(end, options));
    let join = Join {
        ids: vec![format!("github:credential/{record_id}")],
        // A fingerprint of another digest than SHA-256 recognises nothing here.
        digests: row
            .text(&["fingerprint"])
            .and_then(|text| normalised(KeyKind::Digest, &format!("ssh-sha256:{text}")).ok())
            .into_iter()
            .collect(),
        hint: row.optional_id(&["token_last_eight"]).map(|tail| hint::of_tail(&tail, "token_last_eight")),
        ..Join::default()
    };
    let credential = CredentialRecord {
        id: format!("github:credential/{record_id}"),
        identity: Some(identity.id.clone()),
        sort: Some(sort(row)),
        provider: Some("github".into()),
        account: options.account.clone(),
        name: row.text(&["authorized_credential_note"]).or_else(|| row.text(&["authorized_credential_title"])),
        status: Some(if over { "expired" } else { "active" }.into()),
        // When it was authorised is not when it was made, which may be long before.
        issued: None,
        expires,
        last_used: row.last_use_or_never("credential_accessed_at"),
        scopes: row.texts(&["scopes"]),
        join,
        record_id: Some(record_id),
        ..CredentialRecord::default()
    };
    Ok(Claims {
        account: options.account.clone(),
        identities: vec![identity],
        credentials: vec![credential],
        ..Claims::default()
    })
}

/// The list holds classic tokens, tokens of OAuth apps and SSH keys; the words for them are not specified.
fn sort(row: &Row<'_>) -> String {
    let word = row.text(&["credential_type"]).unwrap_or_default();
    match word.to_ascii_lowercase().as_str() {
        "personal access token" | "personal access token (classic)" => "github-classic-token".into(),
        "fine-grained personal access token" => "github-fine-grained-token".into(),
        text if text.starts_with("oauth app") || text == "oauth access token" => "github-oauth-token".into(),
        _ => word,
    }
}

fn fine_grained_token(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let token = row.id(&["token_id"])?;
    let grant = row.optional_id(&["id"]);
    let login = row.id(&["owner", "login"])?;
    let identity = user(&login, options.account.as_deref());
    let expires = row.expiry_or_never("token_expires_at");
    let over = row.flag(&["token_expired"]) == Some(true)
        || expires.as_deref().is_some_and(|end| super::is_over(end, options));
    let credential = CredentialRecord {
        id: fine_grained_id(&token),
        identity: Some(identity.id.clone()),
        sort: Some("github-fine-grained-token".into()),
        provider: Some("github".into()),
        account: options.account.clone(),
        name: row.text(&["token_name"]),
        status: Some(if over { "expired" } else { "active" }.into()),
        expires,
        last_used: row.last_use_or_never("token_last_used_at"),
        scopes: permissions(row),
        join: Join { ids: vec![fine_grained_id(&token)], ..Join::default() },
        // An organisation ends the access by the id of the grant.
        record_id: grant.or(Some(token)),
        ..CredentialRecord::default()
    };
    Ok(Claims {
        account: options.account.clone(),
        identities: vec![identity],
        credentials: vec![credential],
        ..Claims::default()
    })
}

/// Permissions stand in groups: `{"repository":{"contents":"write"}}` is `repository:contents:write`.
fn permissions(row: &Row<'_>) -> Vec<String> {
    let groups = row.at(&["permissions"]).and_then(|value| value.as_object()).into_iter().flatten();
    let all = groups.flat_map(|(group, entries)| {
        let entries = entries.as_object().into_iter().flatten();
        entries.filter_map(move |(name, level)| Some(format!("{group}:{name}:{}", level.as_str()?)))
    });
    let mut scopes: Vec<String> = all.take(256).collect();
    scopes.extend(row.text(&["repository_selection"]).map(|selection| format!("repositories:{selection}")));
    scopes
}
