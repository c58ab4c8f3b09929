//! Neutral formats: agents of a SCIM server (individual drafts, so only what they agree on is read) and cryptographic
//! assets of a CycloneDX document. They belong to no provider that detectors know, and cover nothing.

use super::super::model::{CredentialRecord, IdentityRecord, Join};
use super::claims::Claims;
use super::row::{Row, plain};
use super::{Format, ImportOptions, Reach};

/// `GET /Agents`.
pub(super) const SCIM_AGENTS: Format = Format {
    provider: "scim",
    lists: &["Resources"],
    sorts: &[],
    reach: Reach::Cases,
    accepts: |row| row.texts(&["schemas"]).iter().any(|schema| schema.ends_with(":Agent")),
    read: agent,
};

/// A document of CycloneDX 1.6 or later.
pub(super) const CYCLONEDX: Format = Format {
    provider: "cyclonedx",
    lists: &["components"],
    sorts: &[],
    reach: Reach::Cases,
    accepts: |row| {
        let is_component = row.has(&["type"]) && (row.has(&["bom-ref"]) || row.has(&["purl"]) || row.has(&["version"]));
        row.has(&["cryptoProperties"]) || (is_component && row.has(&["name"]) && !row.has(&["id"]))
    },
    read: component,
};

fn agent(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let id = row.id(&["id"])?;
    // An owner is a reference: its value is an id, and what it displays may be an address.
    let owners: Vec<String> = row
        .at(&["owners"])
        .and_then(|owners| owners.as_array())
        .into_iter()
        .flatten()
        .take(8)
        .filter_map(|owner| {
            let shown =
                owner.get("display").and_then(plain).filter(|shown| shown.contains('@') && !shown.contains(' '));
            shown
                .or_else(|| owner.get("value").and_then(plain))
                .or_else(|| plain(owner))
                .filter(|owner| owner.len() <= 256)
        })
        .collect();
    let name = ["displayName", "agentUserName", "name"].into_iter().find_map(|field| row.text(&[field]));
    let mut identity = IdentityRecord {
        id: format!("scim:{id}"),
        kind: Some("agent".into()),
        name,
        account: options.account.clone(),
        owner: owners.first().cloned(),
        backup_owner: owners.get(1).cloned(),
        purpose: row.text(&["description"]),
        scopes: ["roles", "entitlements"].into_iter().flat_map(|field| values(row, field)).collect(),
        created: row.time(&["meta", "created"]),
        status: row.flag(&["active"]).map(|active| if active { "active" } else { "disabled" }.into()),
        ..IdentityRecord::default()
    };
    identity.external_ids.insert("scim".into(), id);
    if let Some(subject) = row.optional_id(&["subject"]) {
        let system = if subject.starts_with("spiffe://") { "spiffe" } else { "subject" };
        identity.external_ids.insert(system.into(), subject);
    }
    Ok(Claims { account: options.account.clone(), identities: vec![identity], ..Claims::default() })
}

/// Multi-valued attributes hold objects with a `value`, or plain text.
fn values(row: &Row<'_>, field: &str) -> Vec<String> {
    let entries = row.at(&[field]).and_then(|entries| entries.as_array()).into_iter().flatten();
    entries.take(256).filter_map(|entry| entry.get("value").and_then(plain).or_else(|| plain(entry))).collect()
}

/// Only keys, tokens and passwords are credentials; other components are passed over. A fingerprint is not taken: of what,
/// and under which key, the format does not say.
fn component(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    const MATERIAL: [&str; 2] = ["cryptoProperties", "relatedCryptoMaterialProperties"];
    let field = |name| [MATERIAL[0], MATERIAL[1], name];
    let Some(kind) = row.text(&field("type")) else { return Ok(Claims::default()) };
    let is_credential = ["private-key", "secret-key", "shared-secret", "password", "credential", "token", "key"]
        .contains(&kind.as_str());
    if !is_credential {
        return Ok(Claims::default());
    }
    row.warn_of_secret(&[&field("value")]);
    let id = row
        .optional_id(&field("id"))
        .or_else(|| row.optional_id(&["bom-ref"]))
        .ok_or("has neither an id nor a bom-ref")?;
    let status = match row.text(&field("state")).unwrap_or_default().as_str() {
        "pre-activation" => Some("pending"),
        "active" => Some("active"),
        "suspended" | "deactivated" => Some("disabled"),
        "compromised" | "destroyed" => Some("revoked"),
        _ => None,
    };
    let credential = CredentialRecord {
        id: format!("cyclonedx:{id}"),
        sort: Some(kind),
        account: options.account.clone(),
        name: row.text(&["name"]),
        status: status.map(str::to_owned),
        issued: row.time(&field("activationDate")).or_else(|| row.time(&field("creationDate"))),
        expires: row.expiry(&field("expirationDate")),
        join: Join { ids: vec![format!("cyclonedx:{id}")], ..Join::default() },
        record_id: Some(id),
        ..CredentialRecord::default()
    };
    Ok(Claims { account: options.account.clone(), credentials: vec![credential], ..Claims::default() })
}
