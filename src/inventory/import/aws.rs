//! The lists of access keys and of service-specific credentials (Bedrock keys) of AWS.
//!
//! An access key's record is named after its user and the second when it was made, where both are known: the credential
//! report, which has no key ids, names it the same way, and so the claims of both lists meet in one record, in any order.
//! The account is the one that the options name, else the one that the key id tells.

use super::super::model::{CredentialRecord, IdentityRecord, Join};
use super::claims::Claims;
use super::row::Row;
use super::{Format, ImportOptions, Reach};

/// `aws iam list-access-keys`.
pub(super) const ACCESS_KEYS: Format = Format {
    provider: "aws",
    lists: &["AccessKeyMetadata"],
    sorts: &["aws-access-key-id", "aws-secret-access-key"],
    reach: Reach::List,
    accepts: |row| row.has(&["AccessKeyId"]) && !row.has(&["EventId"]) && !row.has(&["eventVersion"]),
    read: access_key,
};

/// `aws iam list-service-specific-credentials`.
pub(super) const BEDROCK_CREDENTIALS: Format = Format {
    provider: "aws",
    lists: &["ServiceSpecificCredentials"],
    sorts: &["aws-bedrock-long-term-key"],
    reach: Reach::List,
    accepts: |row| row.has(&["ServiceSpecificCredentialId"]),
    read: service_credential,
};

/// Names the identity of a user.
pub(super) fn user_id(account: Option<&str>, user: &str) -> String {
    match account {
        Some(account) => format!("aws:user/{account}/{user}"),
        None => format!("aws:user/{user}"),
    }
}

/// Names an access key of which no more is known than whose it is and when it was made.
pub(super) fn key_id(identity: &str, issued: &str) -> String {
    format!("{identity}#{issued}")
}

fn access_key(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let record_id = row.id(&["AccessKeyId"])?;
    let is_form = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    if !(16..=128).contains(&record_id.len()) || !record_id.bytes().all(is_form) {
        return Err("AccessKeyId is no id of an access key".into());
    }
    row.warn_of_secret(&[&["SecretAccessKey"], &["SessionToken"]]);
    let told = account_of_key(&record_id);
    if let (Some(named), Some(told)) = (&options.account, &told)
        && named != told
    {
        row.remark("the key id tells of another account than --account names; --account is believed");
    }
    let account = options.account.clone().or(told);
    if account.is_none() {
        row.remark("the key id tells no account, since it is of the old form; --account names it");
    }
    let issued = row.time(&["CreateDate"]);
    let identity = row.optional_id(&["UserName"]).map(|user| identity(account.as_deref(), &user));
    let known = identity.as_ref().zip(issued.as_ref()).filter(|_| account.is_some());
    let last_used = row.time(&["AccessKeyLastUsed", "LastUsedDate"]).or_else(|| row.time(&["LastUsedDate"]));
    let credential = CredentialRecord {
        id: known.map_or_else(|| format!("aws:{record_id}"), |(identity, issued)| key_id(&identity.id, issued)),
        identity: identity.as_ref().map(|identity| identity.id.clone()),
        sort: Some("aws-secret-access-key".into()),
        provider: Some("aws".into()),
        account: account.clone(),
        status: status(row),
        issued,
        expires: Some("never".into()),
        last_used,
        join: Join {
            ids: vec![format!("aws:{record_id}")],
            public_ids: vec![format!("aws:{record_id}")],
            account: account.iter().map(|account| format!("aws:{account}")).collect(),
            ..Join::default()
        },
        record_id: Some(record_id),
        ..CredentialRecord::default()
    };
    Ok(Claims {
        account,
        identities: identity.into_iter().collect(),
        credentials: vec![credential],
        ..Claims::default()
    })
}

fn service_credential(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let record_id = row.id(&["ServiceSpecificCredentialId"])?;
    row.warn_of_secret(&[&["ServiceCredentialSecret"], &["ServicePassword"]]);
    let alias = row.optional_id(&["ServiceCredentialAlias"]);
    let told = alias.as_deref().and_then(account_of_alias);
    if let (Some(named), Some(told)) = (&options.account, &told)
        && named != told
    {
        row.remark("the alias names another account than --account; the alias is believed");
    }
    let account = told.or_else(|| options.account.clone());
    let service = row.text(&["ServiceName"]);
    let is_bedrock = service.as_deref() == Some("bedrock.amazonaws.com") || (service.is_none() && alias.is_some());
    let identity = row.optional_id(&["UserName"]).map(|user| identity(account.as_deref(), &user));
    // AWS leaves the date out where the credential never ends.
    let expires = row.expiry(&["ExpirationDate"]).or_else(|| (!row.has(&["ExpirationDate"])).then(|| "never".into()));
    let over = expires.as_deref().is_some_and(|end| super::is_over(end, options));
    let credential = CredentialRecord {
        id: format!("aws:{record_id}"),
        identity: identity.as_ref().map(|identity| identity.id.clone()),
        sort: if is_bedrock { Some("aws-bedrock-long-term-key".into()) } else { service },
        provider: Some("aws".into()),
        account: account.clone(),
        status: if over { Some("expired".into()) } else { status(row) },
        issued: row.time(&["CreateDate"]),
        expires,
        join: Join {
            ids: vec![format!("aws:{record_id}")],
            public_ids: alias.iter().filter(|_| is_bedrock).map(|alias| format!("bedrock:{alias}")).collect(),
            account: account.iter().map(|account| format!("aws:{account}")).collect(),
            ..Join::default()
        },
        name: alias,
        record_id: Some(record_id),
        ..CredentialRecord::default()
    };
    Ok(Claims {
        account,
        identities: identity.into_iter().collect(),
        credentials: vec![credential],
        ..Claims::default()
    })
}

fn identity(account: Option<&str>, user: &str) -> IdentityRecord {
    IdentityRecord {
        id: user_id(account, user),
        name: Some(user.to_owned()),
        provider: Some("aws".into()),
        account: account.map(str::to_owned),
        status: Some("active".into()),
        ..IdentityRecord::default()
    }
}

fn status(row: &Row<'_>) -> Option<String> {
    match row.text(&["Status"])?.to_ascii_lowercase().as_str() {
        "active" => Some("active".into()),
        "inactive" => Some("disabled".into()),
        "expired" => Some("expired".into()),
        _ => None,
    }
}

/// Returns the account that an alias ends with: `BedrockAPIKey-ex01-at-111122223333`, perhaps with a version after it.
fn account_of_alias(alias: &str) -> Option<String> {
    let (_, rest) = alias.rsplit_once("-at-")?;
    let digits = rest.split(['+', '-']).next()?;
    (digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.to_owned())
}

/// Returns the account that an access key id tells: the characters after the fourth are base 32, and the bits 7 to 46 of
/// their first six bytes are its number. Ids of the old form, with I or J there, tell none.
pub(super) fn account_of_key(id: &str) -> Option<String> {
    let digits = id.as_bytes().get(4..14)?;
    if matches!(digits[0], b'I' | b'J') {
        return None;
    }
    let mut bits: u64 = 0;
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'2'..=b'7' => digit - b'2' + 26,
            _ => return None,
        };
        bits = (bits << 5) | u64::from(value);
    }
    // Ten digits hold 50 bits; the first six bytes are 48 of them.
    let number = ((bits >> 2) & 0x7fff_ffff_ff80) >> 7;
    Some(format!("{number:012}")).filter(|account| account.len() == 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_key_id_tells_its_account() {
        assert_eq!(account_of_key(&["AKIA", "BTX3GSDSQBNKKPGD"].concat()).as_deref(), Some("111122223333"));
        assert_eq!(account_of_key(&["AKIA", "IOSFODNN7EXAMPLE"].concat()), None);
        assert_eq!(account_of_key(&["AKIA", "J"].concat()), None);
        assert_eq!(account_of_key(&["AKIA", "B0000000000000000"].concat()), None);
    }

    #[test]
    fn an_alias_tells_its_account() {
        for alias in ["BedrockAPIKey-ex01-at-111122223333", "a-at-b-at-111122223333+2", "x-at-111122223333-1"] {
            assert_eq!(account_of_alias(alias).as_deref(), Some("111122223333"), "{alias}");
        }
        assert_eq!(account_of_alias("BedrockAPIKey-ex01"), None);
        assert_eq!(account_of_alias("x-at-11112222333"), None);
    }
}
