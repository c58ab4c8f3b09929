//! The list of personal access tokens of a Databricks workspace.
//!
//! Nothing in it recognises a value for sure: that a token's id were the digest of the token is not documented. The host of
//! the workspace is the account, and stands beside tokens that leak: `--account adb-1.azuredatabricks.net`.

use super::super::model::{CredentialRecord, IdentityRecord, Join, Person};
use super::claims::Claims;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// `GET /api/2.0/token-management/tokens`, or `/api/2.0/token/list` of one user.
pub(super) const TOKENS: Format = Format {
    provider: "databricks",
    lists: &["token_infos"],
    sorts: &["databricks-token"],
    reach: Reach::List,
    accepts: |row| row.has(&["token_id"]) && row.has(&["creation_time"]),
    read,
};

fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let record_id = row.id(&["token_id"])?;
    let expires = row.expiry(&["expiry_time"]);
    let over = expires.as_deref().is_some_and(|end| super::is_over(end, options));
    let creator = row.optional_id(&["created_by_username"]);
    let owner = row.optional_id(&["owner_id"]);
    let made_by_owner = owner.is_some() && owner == row.optional_id(&["created_by_id"]);
    let mut claims = Claims { account: options.account.clone(), ..Claims::default() };
    let identity = owner.as_ref().map(|owner| {
        // A bare number needs the provider's name before it; where the owner made the token, the address is known.
        let alias = format!("databricks:{owner}");
        let email = creator.clone().filter(|name| made_by_owner && name.contains('@'));
        if let Some(email) = &email {
            claims.people.push(Person { id: email.clone(), aliases: vec![alias.clone()], ..Person::default() });
        }
        IdentityRecord {
            id: format!("databricks:user/{owner}"),
            kind: email.is_some().then(|| "human".into()),
            name: email.clone(),
            provider: Some("databricks".into()),
            account: options.account.clone(),
            owner: email.or(Some(alias)),
            external_ids: [("databricks_user".to_owned(), owner.clone())].into(),
            ..IdentityRecord::default()
        }
    });
    claims.credentials.push(CredentialRecord {
        id: format!("databricks:{record_id}"),
        identity: identity.as_ref().map(|identity| identity.id.clone()),
        sort: Some("databricks-token".into()),
        provider: Some("databricks".into()),
        account: options.account.clone(),
        name: row.text(&["comment"]),
        status: Some(if over { "expired" } else { "active" }.into()),
        issued: row.time(&["creation_time"]),
        expires,
        last_used: row.time(&["last_used_day"]),
        created_by: creator,
        scopes: row.texts(&["scopes"]),
        join: Join {
            ids: vec![format!("databricks:{record_id}")],
            account: options
                .account
                .iter()
                .filter(|account| account.contains('.'))
                .map(|host| format!("host:{host}"))
                .collect(),
            ..Join::default()
        },
        record_id: Some(record_id),
        ..CredentialRecord::default()
    });
    claims.identities.extend(identity);
    Ok(claims)
}
