//! The audit log of a GitHub organisation or enterprise, as JSON: use, and with it the tokens that it was done with.
//!
//! `hashed_token` is the SHA-256 of the token, so a leaked token is recognised exactly. The API writes it in base64; some
//! tools write it in hexadecimal digits. Tokens of an app's installation live for an hour: their use is kept, and no record
//! is made of them.

use super::super::keys::{KeyKind, normalised};
use super::super::model::{CredentialRecord, Join, Observation, Person};
use super::claims::Claims;
use super::github::{fine_grained_id, user};
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// `GET /orgs/{org}/audit-log`, or the export of the page.
pub(super) const AUDIT_LOG: Format = Format {
    provider: "github",
    lists: &[],
    sorts: &[],
    reach: Reach::Log,
    accepts: |row| {
        row.has(&["action"]) && (row.has(&["@timestamp"]) || row.has(&["_document_id"]) || row.has(&["hashed_token"]))
    },
    read,
};

fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    // The organisation may be one, several, or none.
    let organisation = row.texts(&["org"]).into_iter().next();
    let account = options.account.clone().or(organisation);
    let mut claims = Claims { account: account.clone(), ..Claims::default() };
    let Some(digest) = row.text(&["hashed_token"]) else { return Ok(claims) };
    let digest = normalised(KeyKind::Digest, &format!("gh-sha256:{digest}"))
        .map_err(|reason| format!("hashed_token {reason}"))?;
    let at = row.time(&["@timestamp"]).or_else(|| row.time(&["created_at"])).ok_or("has no usable @timestamp")?;
    let action = row.text(&["action"]).unwrap_or_default();
    let actor = row.optional_id(&["actor"]);
    let event = row.optional_id(&["_document_id"]).or_else(|| row.optional_id(&["request_id"]));
    claims.observations.push(Observation {
        event: event.unwrap_or_else(|| format!("{at} {action} {}", row.place)),
        key_kind: "digest".into(),
        key_value: digest.clone(),
        action,
        target: ["repo", "repository", "user", "team"].iter().find_map(|name| row.texts(&[name]).into_iter().next()),
        actor: actor.clone(),
        address: row.optional_id(&["actor_ip"]),
        at: at.clone(),
    });
    let Some(sort) = sort(&row.text(&["programmatic_access_type"]).unwrap_or_default()) else { return Ok(claims) };
    let mut credential = CredentialRecord {
        id: token_id(row, sort, &digest),
        sort: Some(sort.into()),
        provider: Some("github".into()),
        account: account.clone(),
        last_used: Some(at),
        scopes: row.texts(&["token_scopes"]),
        join: Join { digests: vec![digest], ..Join::default() },
        ..CredentialRecord::default()
    };
    if let Some(login) = actor {
        let identity = user(&login, account.as_deref());
        credential.identity = Some(identity.id.clone());
        claims.people.extend(person(row, &login));
        claims.identities.push(identity);
    }
    claims.credentials.push(credential);
    Ok(claims)
}

/// Names a token: as the list of fine-grained tokens does, or by its digest.
fn token_id(row: &Row<'_>, sort: &str, digest: &str) -> String {
    match row.optional_id(&["token_id"]) {
        Some(token) if sort == "github-fine-grained-token" => fine_grained_id(&token),
        _ => format!("github:hashed/{}", digest.trim_start_matches("gh-sha256:")),
    }
}

/// Tells which detector finds a token; nothing where no record of it is made.
fn sort(access: &str) -> Option<&'static str> {
    match access.to_ascii_lowercase().as_str() {
        "personal access token (classic)" => Some("github-classic-token"),
        "fine-grained personal access token" => Some("github-fine-grained-token"),
        "oauth access token" => Some("github-oauth-token"),
        "github app user-to-server token" => Some("github-app-user-token"),
        "github app server-to-server token" => None,
        // An unknown word, or none: the type is left open.
        _ => Some("token"),
    }
}

/// With single sign-on, an enterprise's log names the address behind a log-in.
fn person(row: &Row<'_>, login: &str) -> Option<Person> {
    let names = [&["external_identity_nameid"], &["external_identity_username"]];
    let email = names.into_iter().find_map(|path| row.optional_id(path).filter(|name| name.contains('@')))?;
    Some(Person { id: email, aliases: vec![login.to_owned()], ..Person::default() })
}
