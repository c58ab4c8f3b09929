//! The audit log of an OpenAI organisation: use of keys, and what was done to keys. Events of a person's session that
//! concern no key and no service account are passed over.

use super::super::model::Observation;
use super::claims::Claims;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// `GET /v1/organization/audit_logs`.
pub(super) const AUDIT_LOG: Format = Format {
    provider: "openai",
    lists: &["data"],
    sorts: &[],
    reach: Reach::Log,
    accepts: |row| row.has(&["effective_at"]) && row.has(&["type"]) && row.has(&["actor"]),
    read,
};

fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let mut claims = Claims { account: options.account.clone(), ..Claims::default() };
    let action = row.text(&["type"]).ok_or("has no type")?;
    let subject = row.optional_id(&[&action, "id"]);
    let Some((key_kind, key_value)) = key(row, &action, subject.as_deref()) else { return Ok(claims) };
    let at = row.time(&["effective_at"]).ok_or("has no usable effective_at")?;
    let event = row.optional_id(&["id"]).unwrap_or_else(|| format!("{at} {action} {}", row.place));
    claims.observations.push(Observation {
        event,
        key_kind: key_kind.into(),
        key_value,
        action,
        target: subject.or_else(|| row.optional_id(&["project", "id"])),
        actor: actor(row),
        address: row.optional_id(&["actor", "session", "ip_address"]),
        at,
    });
    Ok(claims)
}

/// The key that acted; else the key, or the service account, that something was done to.
fn key(row: &Row<'_>, action: &str, subject: Option<&str>) -> Option<(&'static str, String)> {
    if let Some(key) = row.optional_id(&["actor", "api_key", "id"]) {
        return Some(("id", format!("openai:{key}")));
    }
    if let Some(account) = row.optional_id(&["actor", "api_key", "service_account", "id"]) {
        return Some(("external-id", format!("openai_service_account:{account}")));
    }
    match action.split('.').next()? {
        "api_key" | "admin_api_key" => Some(("id", format!("openai:{}", subject?))),
        "service_account" => Some(("external-id", format!("openai_service_account:{}", subject?))),
        _ => None,
    }
}

fn actor(row: &Row<'_>) -> Option<String> {
    let people = [["session", "user"], ["api_key", "user"]];
    let of = |path: [&str; 2], field| row.optional_id(&["actor", path[0], path[1], field]);
    let person = people.into_iter().find_map(|path| of(path, "email").or_else(|| of(path, "id")));
    person.or_else(|| row.optional_id(&["actor", "api_key", "service_account", "id"]))
}
