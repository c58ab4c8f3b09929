//! The list of service-account keys of Google Cloud.
//!
//! The last segment of a key's name is the `private_key_id` of the key file, so a leaked file is recognised by it; where the
//! list holds the public half (`publicKeyData`), a private key that leaked without its file is recognised as well.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

use super::super::model::{CredentialRecord, IdentityRecord, Join};
use super::claims::Claims;
use super::row::Row;
use super::{Format, ImportOptions, Reach};
use crate::secret::hex;

/// `gcloud iam service-accounts keys list --format=json`.
pub(super) const SERVICE_ACCOUNT_KEYS: Format = Format {
    provider: "google",
    lists: &["keys"],
    sorts: &["google-service-account-key"],
    reach: Reach::List,
    accepts: |row| row.text(&["name"]).is_some_and(|name| named(&name).is_some()),
    read,
};

/// The parts of a key's name.
struct Named {
    project: String,
    email: String,
    key: String,
}

/// Reads `projects/<project>/serviceAccounts/<e-mail>/keys/<id>`, also behind the name of the service.
fn named(name: &str) -> Option<Named> {
    let from = name.find("projects/")?;
    let parts: Vec<&str> = name[from..].split('/').collect();
    let ["projects", project, "serviceAccounts", email, "keys", key] = parts[..] else { return None };
    let usable = |part: &str| !part.is_empty() && part.len() <= 256 && !part.contains([' ', '\n', '\t']);
    let all = [project, email, key].into_iter().all(usable);
    all.then(|| Named { project: project.into(), email: email.into(), key: key.to_ascii_lowercase() })
}

fn read(row: &Row<'_>, options: &ImportOptions) -> Result<Claims, String> {
    let Named { project, email, key } = named(&row.id(&["name"])?).ok_or("name is no name of a key")?;
    // `-` stands for whatever project the account is of.
    let of_email = || email.split_once('@')?.1.strip_suffix(".iam.gserviceaccount.com").map(str::to_owned);
    let project = if project == "-" { of_email().or_else(|| options.account.clone()) } else { Some(project) };
    row.warn_of_secret(&[&["privateKeyData"]]);
    let expires = row.expiry(&["validBeforeTime"]);
    let identity = IdentityRecord {
        id: format!("google:{email}"),
        kind: Some("service_account".into()),
        name: Some(email.clone()),
        provider: Some("google".into()),
        account: project.clone(),
        status: Some("active".into()),
        external_ids: [("gcp_service_account".to_owned(), email)].into(),
        ..IdentityRecord::default()
    };
    let credential = CredentialRecord {
        id: format!("google:{key}"),
        identity: Some(identity.id.clone()),
        sort: Some("google-service-account-key".into()),
        provider: identity.provider.clone(),
        account: project.clone(),
        status: Some(status(row, expires.as_deref(), options).into()),
        issued: row.time(&["validAfterTime"]),
        expires,
        join: Join {
            ids: vec![format!("google:{key}")],
            public_ids: vec![format!("gcp-key:{key}")],
            digests: public_key(row).into_iter().collect(),
            account: project.iter().map(|project| format!("gcp:{project}")).collect(),
            ..Join::default()
        },
        record_id: Some(key),
        ..CredentialRecord::default()
    };
    Ok(Claims { account: project, identities: vec![identity], credentials: vec![credential], ..Claims::default() })
}

fn status(row: &Row<'_>, expires: Option<&str>, options: &ImportOptions) -> &'static str {
    let reason = row.text(&["disableReason"]).unwrap_or_default();
    if reason.ends_with("EXPOSED") || reason.ends_with("COMPROMISE_DETECTED") {
        row.remark("Google disabled the key since it leaked");
    }
    match row.flag(&["disabled"]) {
        Some(true) => "disabled",
        _ if expires.is_some_and(|end| super::is_over(end, options)) => "expired",
        _ => "active",
    }
}

/// Returns the digest of the public half, where the list holds it as a certificate or a public key, in PEM inside base64.
fn public_key(row: &Row<'_>) -> Option<String> {
    let data = row.at(&["publicKeyData"])?.as_str()?;
    let told = of_public_key_data(data);
    if told.is_none() {
        row.remark("publicKeyData is no certificate and no public key, and is left out");
    }
    told
}

fn of_public_key_data(data: &str) -> Option<String> {
    let pem = if data.contains("-----BEGIN") {
        data.to_owned()
    } else {
        String::from_utf8(STANDARD.decode(data.trim()).ok()?).ok()?
    };
    let (label, rest) = pem.split_once("-----BEGIN ")?.1.split_once("-----")?;
    let body: String = rest.split_once("-----END")?.0.split_ascii_whitespace().collect();
    let der = STANDARD.decode(body).ok()?;
    let key = match label {
        "PUBLIC KEY" => &der[..],
        "CERTIFICATE" => key_of_certificate(&der)?,
        _ => return None,
    };
    Some(format!("spki-sha256:{}", hex(digest(&SHA256, key).as_ref())))
}

/// Returns the subject's public key of an X.509 certificate, with its header (RFC 5280, section 4.1): within the signed
/// part it is what follows version, serial number, algorithm, issuer, validity and subject.
fn key_of_certificate(der: &[u8]) -> Option<&[u8]> {
    const VERSION: u8 = 0xa0;
    let (_, certificate, _) = element(der)?;
    let (_, mut signed, _) = element(certificate)?;
    if signed.first() == Some(&VERSION) {
        signed = element(signed)?.2;
    }
    for _ in 0..5 {
        signed = element(signed)?.2;
    }
    let (whole, _, _) = element(signed)?;
    Some(whole)
}

/// Splits off the first element of DER: the whole of it, its content, and what follows.
fn element(der: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let first = usize::from(*der.get(1)?);
    let (header, length) = match first {
        0..=0x7f => (2, first),
        0x81..=0x84 => {
            let digits = der.get(2..2 + (first & 0x7f))?;
            (2 + digits.len(), digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)))
        }
        _ => return None,
    };
    let end = header.checked_add(length)?;
    Some((der.get(..end)?, der.get(header..end)?, der.get(end..)?))
}

#[cfg(test)]
mod tests {
    use rcgen::PublicKeyData;

    use super::*;

    #[test]
    fn the_public_half_is_found_in_a_certificate_and_in_a_public_key() {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(vec!["acme.example".into()]).expect("a certificate");
        let expected = format!("spki-sha256:{}", hex(digest(&SHA256, &signing_key.subject_public_key_info()).as_ref()));
        assert_eq!(of_public_key_data(&STANDARD.encode(cert.pem())), Some(expected.clone()));
        assert_eq!(of_public_key_data(&cert.pem()), Some(expected.clone()));
        let key = format!(
            "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----",
            STANDARD.encode(signing_key.subject_public_key_info())
        );
        assert_eq!(of_public_key_data(&key), Some(expected));
        for length in 0..cert.der().len() {
            let _ = key_of_certificate(&cert.der()[..length]);
        }
        assert_eq!(of_public_key_data("Zm9v"), None);
    }

    #[test]
    fn names_of_keys_are_read_and_others_are_not() {
        assert!(named("//iam.googleapis.com/projects/p/serviceAccounts/a@b/keys/1").is_some());
        for name in ["projects/p/serviceAccounts/a@b", "projects/p/serviceAccounts//keys/1", "keys/1", ""] {
            assert!(named(name).is_none(), "{name}");
        }
    }
}
