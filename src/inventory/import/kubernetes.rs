//! Service accounts of a Kubernetes cluster. A leaked token names its account's uid, which is exact. Annotations tie the
//! account to the cloud identity that it stands for.
//!
//! The list does not name the cluster: `--account` does, best by the issuer's address, which tokens carry.

use serde_json::Value;

use super::super::model::{CredentialRecord, IdentityRecord, Join, JwtClaims};
use super::claims::Claims;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// Annotations that name an identity elsewhere, and how it is called here.
const CLOUD_IDENTITIES: [(&str, &str); 3] = [
    ("eks.amazonaws.com/role-arn", "aws_role"),
    ("iam.gke.io/gcp-service-account", "gcp_service_account"),
    ("azure.workload.identity/client-id", "entra_app"),
];

/// `kubectl get serviceaccounts --all-namespaces --output json`.
pub(super) const SERVICE_ACCOUNTS: Format = Format {
    provider: "kubernetes",
    lists: &["items"],
    sorts: &["kubernetes-service-account-token"],
    reach: Reach::List,
    accepts: |row| row.says(&["kind"], "ServiceAccount") && row.has(&["metadata"]),
    read,
};

fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let uid = row.id(&["metadata", "uid"])?;
    let name = row.id(&["metadata", "name"])?;
    let namespace = row.optional_id(&["metadata", "namespace"]).unwrap_or_else(|| "default".into());
    let subject = format!("system:serviceaccount:{namespace}:{name}");
    let mut identity = IdentityRecord {
        id: format!("kubernetes:{uid}"),
        kind: Some("workload".into()),
        name: Some(format!("{namespace}/{name}")),
        provider: Some("kubernetes".into()),
        account: options.account.clone(),
        container: Some(namespace),
        created: row.time(&["metadata", "creationTimestamp"]),
        status: Some("active".into()),
        ..IdentityRecord::default()
    };
    for (annotation, system) in CLOUD_IDENTITIES {
        if let Some(id) = row.optional_id(&["metadata", "annotations", annotation]) {
            identity.external_ids.insert(system.into(), id);
        }
    }
    read_owner(row, &mut identity);
    // A subject alone is the same in every cluster; only with its issuer it names one.
    let jwt = options.account.clone().filter(|account| account.starts_with("https://")).map(|issuer| JwtClaims {
        iss: Some(issuer),
        sub: Some(subject),
        ..JwtClaims::default()
    });
    let credential = CredentialRecord {
        id: format!("kubernetes:{uid}"),
        identity: Some(identity.id.clone()),
        sort: Some("kubernetes-service-account-token".into()),
        provider: Some("kubernetes".into()),
        account: options.account.clone(),
        name: identity.name.clone(),
        status: Some("active".into()),
        issued: identity.created.clone(),
        last_used: row.time(&["metadata", "labels", "kubernetes.io/legacy-token-last-used"]),
        join: Join { public_ids: vec![format!("k8s-sa:{uid}")], jwt, ..Join::default() },
        record_id: Some(uid),
        ..CredentialRecord::default()
    };
    let account = options.account.clone();
    Ok(Claims { account, identities: vec![identity], credentials: vec![credential], ..Claims::default() })
}

/// Teams note owners in annotations and labels, as `owner` or behind a domain. What is no address may be a team, and a team
/// is no owner.
fn read_owner(row: &Row<'_>, identity: &mut IdentityRecord) {
    for place in ["annotations", "labels"] {
        let Some(entries) = row.at(&["metadata", place]).and_then(Value::as_object) else { continue };
        for (key, value) in entries {
            let Some(value) = value.as_str().map(str::trim).filter(|value| (1..=256).contains(&value.len())) else {
                continue;
            };
            match key.rsplit('/').next().unwrap_or(key) {
                "owner" if value.contains('@') => identity.owner = identity.owner.take().or(Some(value.into())),
                "owner" | "team" => identity.team = identity.team.take().or(Some(value.into())),
                _ => {}
            }
        }
    }
}
