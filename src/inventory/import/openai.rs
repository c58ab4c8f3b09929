//! The lists of project keys, of admin keys and of service accounts of OpenAI.
//!
//! Neither says of which organisation it is, and the list of project keys not even of which project: `--account` and
//! `--project` do, or a wrapper `{"project":{"id":…},"api_keys":{…}}` round the pages of each project. How a value is
//! redacted is not specified (`sk-abc...def`, `sk-...abcd`, `sk-proj-...9f2c`), so the type is told by the visible head
//! where that has a prefix of its own, and is the provider's word for the object where it has none.

use super::super::model::{CredentialRecord, IdentityRecord, Join, Person};
use super::claims::Claims;
use super::hint;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// The constant beginnings of keys, and the detectors that find them.
const PREFIXES: [(&str, &str); 4] = [
    ("sk-proj-", "openai-project-key"),
    ("sk-svcacct-", "openai-service-account-key"),
    ("sk-admin-", "openai-admin-key"),
    ("sk-None-", "openai-none-project-key"),
];

/// `GET /v1/organization/projects/{project_id}/api_keys`.
pub(super) const PROJECT_KEYS: Format = Format {
    provider: "openai",
    lists: &["data", "api_keys"],
    sorts: &["openai-project-key", "openai-service-account-key", "openai-none-project-key", "openai-legacy-key"],
    reach: Reach::List,
    accepts: |row| row.says(&["object"], "organization.project.api_key") || (is_key(row) && !is_admin_key(row)),
    read: project_key,
};

/// `GET /v1/organization/admin_api_keys`.
pub(super) const ADMIN_KEYS: Format = Format {
    provider: "openai",
    lists: &["data", "admin_api_keys"],
    sorts: &["openai-admin-key"],
    reach: Reach::List,
    accepts: |row| is_admin_key(row),
    read: admin_key,
};

/// `GET /v1/organization/projects/{project_id}/service_accounts`.
pub(super) const SERVICE_ACCOUNTS: Format = Format {
    provider: "openai",
    lists: &["data", "service_accounts"],
    sorts: &[],
    reach: Reach::Part,
    accepts: |row| row.says(&["object"], "organization.project.service_account"),
    read: service_account,
};

fn service_account(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let id = row.id(&["id"])?;
    let project = project_of(row, options);
    let identity = IdentityRecord {
        id: format!("openai:{id}"),
        kind: Some("service_account".into()),
        name: row.text(&["name"]),
        provider: Some("openai".into()),
        account: options.account.clone(),
        container: project.clone(),
        privilege: role(row.text(&["role"]).as_deref()),
        created: row.time(&["created_at"]),
        status: Some("active".into()),
        external_ids: [("openai_service_account".to_owned(), id)].into(),
        ..IdentityRecord::default()
    };
    Ok(Claims { account: options.account.clone(), container: project, identities: vec![identity], ..Claims::default() })
}

fn is_key(row: &Row<'_>) -> bool {
    row.has(&["redacted_value"]) && row.has(&["id"]) && !row.has(&["partial_key_hint"])
}

fn is_admin_key(row: &Row<'_>) -> bool {
    row.says(&["object"], "organization.admin_api_key")
        || (is_key(row)
            && !row.says(&["object"], "organization.project.api_key")
            && row.text(&["redacted_value"]).is_some_and(|value| value.starts_with("sk-admin")))
}

fn project_key(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let project = project_of(row, options);
    if project.is_none() {
        row.remark(
            "no project is named; --project names the one that was listed, without which the key cannot be revoked",
        );
    }
    let mut claims = Claims { account: options.account.clone(), container: project.clone(), ..Claims::default() };
    let mut credential = credential(row, options, "organization.project.api_key")?;
    let mut identity = identity(row, &["owner"], &credential, &mut claims);
    identity.container = project;
    identity.owner_access =
        row.text(&["owner_project_access"]).filter(|access| access == "active" || access == "inactive");
    credential.identity = Some(identity.id.clone());
    claims.identities.push(identity);
    claims.credentials.push(credential);
    Ok(claims)
}

fn admin_key(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let mut claims = Claims { account: options.account.clone(), ..Claims::default() };
    let mut credential = credential(row, options, "organization.admin_api_key")?;
    if credential.sort.as_deref() == Some("organization.admin_api_key") {
        credential.sort = Some("openai-admin-key".into());
    }
    let mut identity = identity(row, &["owner"], &credential, &mut claims);
    identity.privilege = Some("org-admin".into());
    credential.identity = Some(identity.id.clone());
    claims.identities.push(identity);
    claims.credentials.push(credential);
    Ok(claims)
}

/// The project that the row, its page or the options name.
fn project_of(row: &Row<'_>, options: &ImportOptions) -> Option<String> {
    let named = row.optional_id(&["project_id"]).or_else(|| row.optional_id(&["project", "id"]));
    let of_page = || {
        let page = Row::new(row.place, row.envelope.clone(), row.envelope);
        let id = page.optional_id(&["project", "id"]).or_else(|| page.optional_id(&["project"]));
        id.or_else(|| page.optional_id(&["project_id"]))
    };
    named.or_else(of_page).or_else(|| options.project.clone())
}

fn credential(row: &Row<'_>, options: &ImportOptions, word: &str) -> Result<CredentialRecord, String> {
    let record_id = row.id(&["id"])?;
    row.warn_of_secret(&[&["value"], &["key"]]);
    let prefixes = PREFIXES.map(|(prefix, _)| prefix);
    let hint = match row.text(&["redacted_value"]).map(|text| hint::redacted(&text, &prefixes, "redacted_value")) {
        Some(Ok(hint)) => Some(hint),
        Some(Err(reason)) => {
            row.remark(reason);
            None
        }
        None => None,
    };
    let sort = hint.as_ref().and_then(|hint| PREFIXES.iter().find(|(prefix, _)| hint.head.starts_with(prefix)));
    Ok(CredentialRecord {
        id: format!("openai:{record_id}"),
        sort: Some(sort.map_or(word, |(_, detector)| detector).into()),
        provider: Some("openai".into()),
        account: options.account.clone(),
        name: row.text(&["name"]),
        status: Some(status(row, options)),
        issued: row.time(&["created_at"]),
        expires: row.expiry(&["expires_at"]),
        last_used: row.time(&["last_used_at"]),
        join: Join { ids: vec![format!("openai:{record_id}")], hint, ..Join::default() },
        record_id: Some(record_id),
        ..CredentialRecord::default()
    })
}

/// A key that is listed works, unless its time is over.
fn status(row: &Row<'_>, options: &ImportOptions) -> String {
    let over = row.expiry(&["expires_at"]).is_some_and(|end| super::is_over(&end, options));
    if over { "expired".into() } else { "active".into() }
}

/// The identity that a key acts as: its service account, or the key itself where a person owns it.
///
/// The owner of an admin key stands in `owner` itself (`{"type":"user","id":…}`), that of a project key one level deeper.
fn identity(row: &Row<'_>, path: &[&str], key: &CredentialRecord, claims: &mut Claims) -> IdentityRecord {
    let owner = row.at(path).and_then(|owner| row.part(owner));
    let mut identity = IdentityRecord {
        id: key.id.clone(),
        kind: Some("api_key".into()),
        name: key.name.clone(),
        provider: key.provider.clone(),
        account: key.account.clone(),
        created: key.issued.clone(),
        last_used: key.last_used.clone(),
        status: Some("active".into()),
        ..IdentityRecord::default()
    };
    let Some(owner) = owner else { return identity };
    let inner = |name: &str| owner.at(&[name]).and_then(|value| owner.part(value));
    let account = inner("service_account").or_else(|| {
        let is_account =
            owner.says(&["type"], "service_account") || owner.says(&["object"], "organization.project.service_account");
        if is_account { row.part(&owner.fields.clone().into()) } else { None }
    });
    if let Some(account) = account {
        if let Some(id) = account.optional_id(&["id"]) {
            identity.id = format!("openai:{id}");
            identity.external_ids.insert("openai_service_account".into(), id);
        }
        identity.kind = Some("service_account".into());
        identity.name = account.text(&["name"]).or(identity.name);
        identity.created = account.time(&["created_at"]);
        identity.privilege = role(account.text(&["role"]).as_deref());
        row.take_remarks(&account);
    } else {
        let user = inner("user").unwrap_or(owner);
        let person = person(&user);
        identity.owner = person.as_ref().map(|person| person.id.clone()).or_else(|| user.optional_id(&["id"]));
        claims.people.extend(person);
    }
    identity
}

fn role(role: Option<&str>) -> Option<String> {
    match role? {
        "owner" => Some("admin".into()),
        "member" => Some("inference".into()),
        _ => None,
    }
}

/// A person of OpenAI, where the address is known: the user's id is an alias then. A person by a user id alone would hide
/// the one of whom that id is an alias.
fn person(user: &Row<'_>) -> Option<Person> {
    let email = user.optional_id(&["email"]).filter(|email| email.contains('@'))?;
    let aliases = user.optional_id(&["id"]).into_iter().collect();
    Some(Person { id: email, name: user.text(&["name"]), aliases, ..Person::default() })
}
