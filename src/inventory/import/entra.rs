//! Applications and service principals of Microsoft Entra with their client secrets and certificates.
//!
//! A secret's hint is its first three characters, which is little; the application's id and the tenant beside a leaked
//! secret say more. The export does not name the tenant of an application: `--account` does.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::super::model::{CredentialRecord, IdentityRecord, Join, Person};
use super::claims::Claims;
use super::hint;
use super::row::Row;
use super::{Format, ImportOptions, Reach};
use crate::secret::hex;

/// The most secrets of one application that are read.
const MOST_CREDENTIALS: usize = 1000;

/// `GET /applications?$expand=owners`, or the service principals in the same form.
pub(super) const APPLICATIONS: Format = Format {
    provider: "azure",
    lists: &["value"],
    sorts: &["azure-entra-client-secret", "azure-entra-client-secret-old"],
    reach: Reach::List,
    accepts: |row| {
        row.has(&["appId"])
            && (row.has(&["passwordCredentials"]) || row.has(&["keyCredentials"]) || row.has(&["displayName"]))
    },
    read,
};

fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let application = row.id(&["appId"])?.to_ascii_lowercase();
    let tenant = options.account.clone().or_else(|| row.optional_id(&["appOwnerOrganizationId"]));
    if tenant.is_none() {
        row.remark(
            "no tenant is named, so a secret is not recognised by the ids beside it; --account names the tenant's id",
        );
    }
    let mut identity = IdentityRecord {
        id: format!("azure:{application}"),
        kind: Some(if is_agent(row) { "agent" } else { "oauth_app" }.into()),
        name: row.text(&["displayName"]),
        provider: Some("azure".into()),
        account: tenant.clone(),
        purpose: row.text(&["description"]).or_else(|| row.text(&["notes"])),
        created: row.time(&["createdDateTime"]),
        status: Some(if row.flag(&["accountEnabled"]) == Some(false) { "disabled" } else { "active" }.into()),
        third_party: third_party(row, tenant.as_deref()),
        ..IdentityRecord::default()
    };
    identity.external_ids.insert("entra_app".into(), application.clone());
    let people: Vec<Person> = owners(row);
    identity.owner = people.first().map(|person| person.id.clone());
    identity.backup_owner = people.get(1).map(|person| person.id.clone());
    let join = Join {
        public_ids: tenant.iter().map(|tenant| format!("entra:{tenant}/{application}")).collect(),
        account: tenant.iter().map(|tenant| format!("azure-tenant:{tenant}")).collect(),
        ..Join::default()
    };
    let shared = Shared { application: &application, identity: &identity, join, options };
    let mut credentials = shared.all(row, "passwordCredentials", Shared::secret);
    credentials.extend(shared.all(row, "keyCredentials", Shared::certificate));
    Ok(Claims { account: tenant, people, identities: vec![identity], credentials, ..Claims::default() })
}

/// What all credentials of one application have in common.
struct Shared<'a> {
    application: &'a str,
    identity: &'a IdentityRecord,
    join: Join,
    options: &'a ImportOptions,
}

impl Shared<'_> {
    fn all(
        &self,
        row: &Row<'_>,
        name: &str,
        read: fn(&Self, &Row<'_>) -> Option<CredentialRecord>,
    ) -> Vec<CredentialRecord> {
        let entries: &[Value] = row.at(&[name]).and_then(Value::as_array).map_or(&[], Vec::as_slice);
        if entries.len() > MOST_CREDENTIALS {
            row.remark(format!("{name} has more than {MOST_CREDENTIALS} entries; the first are kept"));
        }
        let mut credentials = Vec::new();
        for entry in entries.iter().take(MOST_CREDENTIALS) {
            let credential = row.part(entry).and_then(|part| {
                let credential = read(self, &part);
                row.take_remarks(&part);
                credential
            });
            match credential {
                Some(credential) => credentials.push(credential),
                None => row.remark(format!("an entry of {name} has no usable keyId and is left out")),
            }
        }
        credentials
    }

    fn credential(&self, part: &Row<'_>) -> Option<CredentialRecord> {
        let key = part.optional_id(&["keyId"])?;
        let expires = part.expiry(&["endDateTime"]);
        let over = expires.as_deref().is_some_and(|end| super::is_over(end, self.options));
        Some(CredentialRecord {
            // The same keyId may stand at the application and at its service principal.
            id: format!("azure:{}/{key}", self.application),
            identity: Some(self.identity.id.clone()),
            provider: Some("azure".into()),
            account: self.identity.account.clone(),
            name: part.text(&["displayName"]),
            status: Some(if over { "expired" } else { "active" }.into()),
            issued: part.time(&["startDateTime"]),
            expires,
            join: Join { ids: vec![format!("azure:{key}")], ..self.join.clone() },
            record_id: Some(key),
            ..CredentialRecord::default()
        })
    }

    fn secret(&self, part: &Row<'_>) -> Option<CredentialRecord> {
        part.warn_of_secret(&[&["secretText"]]);
        let mut credential = self.credential(part)?;
        credential.sort = Some("azure-entra-client-secret".into());
        credential.join.hint = part.optional_id(&["hint"]).map(|head| hint::of_head(&head, "hint"));
        Some(credential)
    }

    /// A certificate is recognised by its thumbprint, which Entra keeps as the custom identifier: SHA-1 in hexadecimal
    /// digits, or those bytes in base64.
    fn certificate(&self, part: &Row<'_>) -> Option<CredentialRecord> {
        let mut credential = self.credential(part)?;
        credential.sort = Some(part.text(&["type"]).unwrap_or_else(|| "keyCredential".into()));
        // The ids beside it belong to secrets.
        credential.join.public_ids.clear();
        credential.join.digests =
            part.text(&["customKeyIdentifier"]).and_then(|text| thumbprint(&text)).into_iter().collect();
        Some(credential)
    }
}

fn thumbprint(text: &str) -> Option<String> {
    if text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(format!("x509-sha1:{}", text.to_ascii_lowercase()));
    }
    let bytes = STANDARD.decode(text).ok()?;
    match bytes.len() {
        20 => Some(format!("x509-sha1:{}", hex(&bytes))),
        32 => Some(format!("x509-sha256:{}", hex(&bytes))),
        // Base64 of the digits themselves.
        40 => thumbprint(std::str::from_utf8(&bytes).ok()?),
        _ => None,
    }
}

/// The people among the owners; an application may own another one.
fn owners(row: &Row<'_>) -> Vec<Person> {
    let entries: &[Value] = row.at(&["owners"]).and_then(Value::as_array).map_or(&[], Vec::as_slice);
    let person = |entry: &Value| {
        let part = row.part(entry)?;
        let name = part.optional_id(&["userPrincipalName"]).or_else(|| part.optional_id(&["mail"]))?;
        let mail = part.optional_id(&["mail"]).filter(|mail| *mail != name);
        let aliases = part.optional_id(&["id"]).into_iter().chain(mail).filter(|alias| alias.len() > 1).collect();
        let status = match part.flag(&["accountEnabled"]) {
            Some(true) => Some("active".into()),
            Some(false) => Some("left".into()),
            None => None,
        };
        Some(Person { id: name, name: part.text(&["displayName"]), status, aliases, ..Person::default() })
    };
    entries.iter().take(16).filter_map(person).collect()
}

/// Agent identities are service principals of a kind of their own.
fn is_agent(row: &Row<'_>) -> bool {
    row.text(&["@odata.type"]).is_some_and(|kind| kind.to_ascii_lowercase().contains("agentidentity"))
        || row.text(&["servicePrincipalType"]).is_some_and(|kind| kind.eq_ignore_ascii_case("AgentIdentity"))
}

/// A service principal whose application belongs to another tenant is a third party's.
fn third_party(row: &Row<'_>, tenant: Option<&str>) -> Option<bool> {
    let home = row.optional_id(&["appOwnerOrganizationId"])?;
    Some(!home.eq_ignore_ascii_case(tenant?))
}
