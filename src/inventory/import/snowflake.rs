//! The programmatic access tokens of Snowflake's users, as JSON. Nothing in the list recognises a value; the account's host
//! stands beside tokens that leak: `--account acme-prod`, the account's identifier.

use super::super::model::{CredentialRecord, IdentityRecord, Join};
use super::claims::Claims;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// `SHOW USER PROGRAMMATIC ACCESS TOKENS`, with `snow sql --format json`.
pub(super) const ACCESS_TOKENS: Format = Format {
    provider: "snowflake",
    lists: &["data"],
    sorts: &["snowflake-access-token"],
    reach: Reach::List,
    accepts: |row| row.has(&["user_name"]) && row.has(&["name"]) && row.has(&["created_on"]) && row.has(&["status"]),
    read,
};

fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let user = row.id(&["user_name"])?;
    let name = row.id(&["name"])?;
    let account = options.account.clone();
    let within = account.as_deref().map(|account| format!("{account}/")).unwrap_or_default();
    let identity = IdentityRecord {
        id: format!("snowflake:{within}user/{user}"),
        name: Some(user.clone()),
        provider: Some("snowflake".into()),
        account: account.clone(),
        external_ids: [("snowflake_user".to_owned(), format!("{within}{user}"))].into(),
        ..IdentityRecord::default()
    };
    let status = match row.text(&["status"]).unwrap_or_default().to_ascii_uppercase().as_str() {
        "ACTIVE" => Some("active"),
        "EXPIRED" => Some("expired"),
        "DISABLED" => Some("disabled"),
        _ => None,
    };
    let credential = CredentialRecord {
        id: format!("snowflake:{within}{user}/{name}"),
        identity: Some(identity.id.clone()),
        sort: Some("snowflake-access-token".into()),
        provider: Some("snowflake".into()),
        account: account.clone(),
        name: Some(name.clone()),
        status: status.map(str::to_owned),
        issued: row.time(&["created_on"]),
        expires: row.expiry_or_never("expires_at"),
        // The name of a removed user is replaced by a number.
        created_by: row.optional_id(&["created_by"]),
        scopes: row.text(&["role_restriction"]).map(|role| format!("role:{role}")).into_iter().collect(),
        join: Join {
            account: account.iter().map(|account| format!("host:{account}.snowflakecomputing.com")).collect(),
            ..Join::default()
        },
        // A token is ended by its name and its user's.
        record_id: Some(name),
        ..CredentialRecord::default()
    };
    Ok(Claims { account, identities: vec![identity], credentials: vec![credential], ..Claims::default() })
}
