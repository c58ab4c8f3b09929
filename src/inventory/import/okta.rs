//! The list of an Okta organisation's app service accounts: identities with owners. It names no credential that a value
//! could be recognised by, and says nothing of API tokens, so it covers the account in part only.

use super::super::model::IdentityRecord;
use super::claims::Claims;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// `GET /privileged-access/api/v1/service-accounts`.
pub(super) const SERVICE_ACCOUNTS: Format = Format {
    provider: "okta",
    lists: &["data", "service_accounts"],
    sorts: &[],
    reach: Reach::Part,
    accepts: |row| row.has(&["containerOrn"]) || row.has(&["ownerUserIds"]) || row.has(&["ownerGroupIds"]),
    read,
};

fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let id = row.id(&["id"])?;
    let owners = row.texts(&["ownerUserIds"]);
    let username = row.optional_id(&["username"]);
    let mut identity = IdentityRecord {
        id: format!("okta:{id}"),
        kind: Some("service_account".into()),
        name: row.text(&["name"]).or_else(|| username.clone()),
        provider: Some("okta".into()),
        account: options.account.clone().or_else(|| organisation(row)),
        container: row.text(&["containerInstanceName"]).or_else(|| row.text(&["containerGlobalName"])),
        owner: owners.first().cloned(),
        backup_owner: owners.get(1).cloned(),
        team: row.texts(&["ownerGroupIds"]).into_iter().next(),
        purpose: row.text(&["description"]),
        created: row.time(&["created"]),
        status: Some(status(row).into()),
        ..IdentityRecord::default()
    };
    identity.external_ids.insert("okta_service_account".into(), id);
    identity.external_ids.extend(username.map(|name| ("okta_username".to_owned(), name)));
    identity.external_ids.extend(row.optional_id(&["containerOrn"]).map(|orn| ("okta_app".to_owned(), orn)));
    Ok(Claims { account: identity.account.clone(), identities: vec![identity], ..Claims::default() })
}

/// The organisation is the third part of a resource name: `orn:okta:idp:00o1abc:apps:…`.
fn organisation(row: &Row<'_>) -> Option<String> {
    let orn = row.optional_id(&["containerOrn"])?;
    orn.split(':').nth(3).filter(|id| id.starts_with("00o")).map(str::to_owned)
}

fn status(row: &Row<'_>) -> &'static str {
    let detail = row.text(&["statusDetail"]).unwrap_or_default().to_ascii_uppercase();
    match row.text(&["status"]).unwrap_or_default().to_ascii_uppercase().as_str() {
        "INACTIVE" | "DEPROVISIONED" | "SUSPENDED" => "disabled",
        "PENDING" | "STAGED" => "pending",
        _ if detail.ends_with("_PENDING") => "pending",
        _ => "active",
    }
}
