//! The lists of GitLab's tokens: personal, project, group and deploy tokens.
//!
//! Nothing in them recognises a value. A routable token tells the user's number itself, which is the identity's
//! `gitlab-user` in `external_ids`. Numbers are unique within one instance: `--account` names its host.

use super::super::model::{CredentialRecord, IdentityRecord, Join};
use super::claims::Claims;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// `GET /personal_access_tokens`, `/projects/:id/access_tokens`, `/groups/:id/access_tokens`, `/deploy_tokens`.
pub(super) const TOKENS: Format = Format {
    provider: "gitlab",
    lists: &["tokens", "data"],
    sorts: &[
        "gitlab-access-token",
        "gitlab-access-token-routable",
        "gitlab-access-token-routable-old",
        "gitlab-deploy-token",
    ],
    reach: Reach::List,
    accepts: |row| row.has(&["id"]) && row.has(&["revoked"]) && row.has(&["scopes"]),
    read,
};

fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let record_id = row.id(&["id"])?;
    row.warn_of_secret(&[&["token"]]);
    let is_deploy = row.has(&["username"]) && !row.has(&["user_id"]);
    let account = options.account.clone();
    let within = |what: &str, id: &str| match &account {
        Some(account) => format!("gitlab:{account}/{what}/{id}"),
        None => format!("gitlab:{what}/{id}"),
    };
    let expires = row.expiry_or_never("expires_at");
    let credential_id = within(if is_deploy { "deploy-token" } else { "token" }, &record_id);
    let identity = match row.optional_id(&["user_id"]) {
        Some(user) => of_user(row, options, within("user", &user), user),
        None => IdentityRecord {
            id: credential_id.clone(),
            kind: Some("service_account".into()),
            name: row.text(&["username"]).or_else(|| row.text(&["name"])),
            ..IdentityRecord::default()
        },
    };
    let identity = IdentityRecord { provider: Some("gitlab".into()), account: account.clone(), ..identity };
    let credential = CredentialRecord {
        id: credential_id,
        identity: Some(identity.id.clone()),
        sort: Some(if is_deploy { "gitlab-deploy-token" } else { "gitlab-access-token" }.into()),
        provider: Some("gitlab".into()),
        account: account.clone(),
        name: row.text(&["name"]),
        status: status(row, expires.as_deref(), options),
        issued: row.time(&["created_at"]),
        last_used: if is_deploy { None } else { row.last_use_or_never("last_used_at") },
        expires,
        scopes: row.texts(&["scopes"]),
        join: Join {
            account: account
                .iter()
                .filter(|account| account.contains('.'))
                .map(|host| format!("host:{host}"))
                .collect(),
            ..Join::default()
        },
        record_id: Some(record_id),
        ..CredentialRecord::default()
    };
    Ok(Claims { account, identities: vec![identity], credentials: vec![credential], ..Claims::default() })
}

/// The user whom a token acts as. A token of a project or group, which has an access level, acts as a bot of its own.
fn of_user(row: &Row<'_>, options: &ImportOptions, id: String, user: String) -> IdentityRecord {
    let level = row.at(&["access_level"]).and_then(serde_json::Value::as_u64);
    let mut identity = IdentityRecord { id, ..IdentityRecord::default() };
    identity.external_ids.insert("gitlab-user".into(), user.clone());
    if let Some(level) = level {
        identity.kind = Some("service_account".into());
        identity.name = row.text(&["name"]);
        identity.container = row.optional_id(&["resource_id"]).or_else(|| options.project.clone());
        // Guest, reporter, developer, maintainer, owner.
        identity.privilege = match level {
            ..30 => Some("read".into()),
            30..40 => Some("write".into()),
            _ => Some("admin".into()),
        };
    } else {
        identity.kind = Some("human".into());
        identity.owner = Some(format!("gitlab-user:{user}"));
    }
    identity
}

fn status(row: &Row<'_>, expires: Option<&str>, options: &ImportOptions) -> Option<String> {
    let word = if row.flag(&["revoked"]) == Some(true) {
        "revoked"
    } else if row.flag(&["expired"]) == Some(true) || expires.is_some_and(|end| super::is_over(end, options)) {
        "expired"
    } else if row.flag(&["active"]) == Some(false) {
        "disabled"
    } else {
        "active"
    };
    Some(word.into())
}
