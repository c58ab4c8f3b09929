//! Incidents of GitGuardian: secrets that it saw leak. Its `hmsl_hash` recognises the same value exactly. They are cases,
//! not a list of credentials, and cover nothing.
//!
//! Whose the secret is, an incident does not know; whom it is assigned to answers for it, and so stands as the owner until
//! another source names one.

use super::super::keys::{KeyKind, normalised};
use super::super::model::{CredentialRecord, IdentityRecord, Join, Person};
use super::claims::Claims;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// `GET /v1/incidents/secrets`.
pub(super) const INCIDENTS: Format = Format {
    provider: "gitguardian",
    lists: &["incidents", "results", "data"],
    sorts: &[],
    reach: Reach::Cases,
    accepts: |row| {
        row.has(&["hmsl_hash"]) || (row.has(&["secret_hash"]) && row.has(&["detector"])) || row.has(&["secret_revoked"])
    },
    read,
};

fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let record_id = row.id(&["id"])?;
    let digest = row.text(&["hmsl_hash"]).map(|hash| normalised(KeyKind::Digest, &format!("hmsl:{hash}")));
    let digest = match digest {
        Some(Ok(digest)) => Some(digest),
        Some(Err(_)) => {
            row.remark("hmsl_hash is no such digest and is left out");
            None
        }
        None => {
            row.remark("has no hmsl_hash, so no value is recognised by it");
            None
        }
    };
    let owner = row.optional_id(&["assignee_email"]);
    let name = row.text(&["detector", "display_name"]).or_else(|| row.text(&["detector", "name"]));
    let identity = IdentityRecord {
        id: format!("gitguardian:incident/{record_id}"),
        name: name.clone().map(|name| format!("{name}, incident {record_id}")),
        account: options.account.clone(),
        owner: owner.clone(),
        ..IdentityRecord::default()
    };
    let credential = CredentialRecord {
        id: format!("gitguardian:incident/{record_id}"),
        identity: Some(identity.id.clone()),
        sort: row.text(&["detector", "name"]),
        account: options.account.clone(),
        name,
        status: Some(status(row).into()),
        join: Join {
            ids: vec![format!("gitguardian:{record_id}")],
            digests: digest.into_iter().collect(),
            ..Join::default()
        },
        record_id: Some(record_id),
        ..CredentialRecord::default()
    };
    let people = owner.filter(|owner| owner.contains('@')).map(|id| Person { id, ..Person::default() });
    Ok(Claims {
        account: options.account.clone(),
        people: people.into_iter().collect(),
        identities: vec![identity],
        credentials: vec![credential],
        ..Claims::default()
    })
}

/// An incident says whether the secret was revoked, by a person's word or by a check.
fn status(row: &Row<'_>) -> &'static str {
    let invalid = row.text(&["validity"]).is_some_and(|validity| validity == "invalid");
    if row.flag(&["secret_revoked"]) == Some(true) || invalid { "revoked" } else { "active" }
}
