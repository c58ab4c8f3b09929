//! The credential report of AWS: CSV with one row a user and the facts of two key slots, but no key ids; also inside the
//! answer of `aws iam get-credential-report`, which holds it in base64.
//!
//! A slot's key is named after the user and the second when it was made, as the list of access keys names it. Two keys of
//! one user made in the same second cannot be told apart, and are left to that list.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::super::model::{CredentialRecord, IdentityRecord, Join};
use super::aws::{key_id, user_id};
use super::claims::{Claims, later};
use super::gather::Gatherer;
use super::place::Place;
use super::row::Row;
use super::text::first_line;
use super::time::{self, Time};
use super::walk::Envelope;
use super::{Format, ImportOptions, LONGEST_ROW, Reach};
use crate::error::Result;

/// The columns without which a table is no credential report.
const NEEDED: [&str; 4] = ["user", "arn", "access_key_1_active", "access_key_1_last_rotated"];

/// `aws iam get-credential-report`.
pub(super) const CREDENTIAL_REPORT: Format = Format {
    provider: "aws",
    lists: &[],
    sorts: &["aws-access-key-id", "aws-secret-access-key"],
    reach: Reach::Part,
    accepts: |row| NEEDED.iter().all(|column| row.has(&[column])),
    read,
};

/// Whether a text begins as a credential report does.
pub(super) fn is_report(text: &[u8]) -> bool {
    let header = first_line(text).to_ascii_lowercase();
    let columns: Vec<&[u8]> = header.split(|byte| *byte == b',').collect();
    NEEDED.iter().all(|needed| columns.iter().any(|column| column.trim_ascii() == needed.as_bytes()))
}

/// Takes the report out of the answer that holds it: the table, and when it was made. Other text is returned as it is.
///
/// # Errors
/// An answer whose content cannot be read.
pub(super) fn unwrapped(text: &[u8]) -> Result<(Option<Vec<u8>>, Option<String>), String> {
    if text.trim_ascii_start().first() != Some(&b'{') {
        return Ok((None, None));
    }
    let Ok(answer) = serde_json::from_slice::<Map<String, Value>>(text) else {
        // The table is but one long text, of which a part cannot be read.
        let begins = text.get(..4096).unwrap_or(text);
        return match begins.windows(9).any(|part| part == b"\"Content\"") {
            true => Err("is an answer of get-credential-report that is cut off; export it again".into()),
            false => Ok((None, None)),
        };
    };
    let Some(content) = answer.get("Content").and_then(Value::as_str) else { return Ok((None, None)) };
    let table = STANDARD.decode(content.trim()).map_err(|_| "its Content is cut off or no base64; export it again")?;
    let made = match time::read(answer.get("GeneratedTime")) {
        Time::At(made) => Some(made),
        _ => None,
    };
    Ok((Some(table), made))
}

/// Gathers the rows of the table.
///
/// # Errors
/// Too many records.
pub(super) fn gather(text: &[u8], gatherer: &mut Gatherer<'_>) -> Result<()> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(text);
    let header = match reader.byte_headers() {
        Ok(header) => header.iter().map(|name| String::from_utf8_lossy(name).to_ascii_lowercase()).collect::<Vec<_>>(),
        Err(_) => Vec::new(),
    };
    let envelope = Envelope::new();
    for row in reader.byte_records() {
        let row = match row {
            Ok(row) => row,
            Err(error) => {
                gatherer.reject(place_of(error.position()), "is no readable row");
                continue;
            }
        };
        let place = place_of(row.position());
        if row.len() != header.len() {
            gatherer.reject(place, format!("has {} columns, and the header {}", row.len(), header.len()));
        } else if row.as_slice().len() > LONGEST_ROW {
            gatherer.reject(place, format!("is longer than {LONGEST_ROW} bytes"));
        } else {
            let value = |field: &[u8]| Value::from(String::from_utf8_lossy(field).into_owned());
            let fields = header.iter().cloned().zip(row.iter().map(value)).collect();
            gatherer.take(Row::new(place, fields, &envelope))?;
        }
    }
    Ok(())
}

fn place_of(position: Option<&csv::Position>) -> Place {
    Place::at_line(position.map_or(0, |position| usize::try_from(position.line()).unwrap_or(usize::MAX)))
}

fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let user = row.id(&["user"])?;
    let arn = row.id(&["arn"])?;
    let account = arn.split(':').nth(4).filter(|id| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit()));
    let account = account.map(str::to_owned).or_else(|| options.account.clone()).ok_or("arn names no account")?;
    let is_root = user == "<root_account>";
    let has_password = row.flag(&["password_enabled"]);
    let mut identity = IdentityRecord {
        id: user_id(Some(&account), &user),
        // A user with a password is one that a person may sign in as.
        kind: has_password
            .or(is_root.then_some(true))
            .map(|human| if human { "human" } else { "service_account" }.into()),
        name: Some(user),
        provider: Some("aws".into()),
        account: Some(account.clone()),
        privilege: is_root.then(|| "org-admin".into()),
        interactive_use: has_password,
        created: row.time(&["user_creation_time"]),
        last_used: row.time(&["password_last_used"]),
        status: Some("active".into()),
        ..IdentityRecord::default()
    };
    identity.external_ids.insert("aws_arn".into(), arn);
    let slots: Vec<CredentialRecord> = [1, 2].into_iter().filter_map(|slot| key(row, slot, &identity)).collect();
    for key in &slots {
        identity.last_used = later(identity.last_used.take(), key.last_used.clone());
        identity.last_rotated = later(identity.last_rotated.take(), key.issued.clone());
    }
    let credentials = match &slots[..] {
        [first, second] if first.id == second.id => {
            row.remark("two keys were made in the same second; only the list of access keys tells them apart");
            Vec::new()
        }
        _ => slots,
    };
    Ok(Claims { account: Some(account), identities: vec![identity], credentials, ..Claims::default() })
}

/// Returns the key of a slot, where it has one: a slot that never had one says `N/A` for all its times.
fn key(row: &Row<'_>, slot: u8, identity: &IdentityRecord) -> Option<CredentialRecord> {
    let column = |name: &str| format!("access_key_{slot}_{name}");
    let issued = row.time(&[&column("last_rotated")])?;
    let active = row.flag(&[&column("active")])?;
    let used = row.time(&[&column("last_used_date")]);
    // Of a key that is there, N/A says that it was never used.
    let unused = row.says(&[&column("last_used_date")], "N/A").then(|| "never".to_owned());
    Some(CredentialRecord {
        id: key_id(&identity.id, &issued),
        identity: Some(identity.id.clone()),
        sort: Some("aws-secret-access-key".into()),
        provider: identity.provider.clone(),
        account: identity.account.clone(),
        status: Some(if active { "active" } else { "disabled" }.into()),
        issued: Some(issued),
        expires: Some("never".into()),
        last_used: used.or(unused),
        join: Join {
            account: identity.account.iter().map(|account| format!("aws:{account}")).collect(),
            ..Join::default()
        },
        ..CredentialRecord::default()
    })
}
