//! The lists of an organisation's users at AI providers: people, with their addresses and the user ids by which the lists
//! of keys name them.

use super::super::model::Person;
use super::claims::Claims;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// `GET /v1/organization/users`, `GET /v1/organization/projects/{project_id}/users`.
pub(super) const OPENAI_USERS: Format = Format {
    provider: "openai",
    lists: &["data", "users"],
    sorts: &[],
    reach: Reach::Cases,
    accepts: |row| row.says(&["object"], "organization.user") || row.says(&["object"], "organization.project.user"),
    read,
};

/// `GET /v1/organizations/users`.
pub(super) const ANTHROPIC_USERS: Format = Format {
    provider: "anthropic",
    lists: &["data", "users"],
    sorts: &[],
    reach: Reach::Cases,
    accepts: |row| row.says(&["type"], "user") && row.has(&["email"]) && row.has(&["role"]) && !row.has(&["object"]),
    read,
};

/// A person by address; without one, the list would say no more than the lists of keys do.
fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let id = row.id(&["id"])?;
    let email = row.optional_id(&["email"]).or_else(|| row.optional_id(&["user", "email"]));
    let email = email.filter(|email| email.contains('@')).ok_or("has no e-mail address")?;
    let name = row.text(&["name"]).or_else(|| row.text(&["user", "name"]));
    let person = Person { id: email, name, aliases: vec![id], ..Person::default() };
    Ok(Claims { account: options.account.clone(), people: vec![person], ..Claims::default() })
}
