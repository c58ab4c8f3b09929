//! Tells from the certificates that a provider publishes for an account whether a private key is still in force: its public
//! half stands in one of them. The key itself is never sent, and nobody signs in with it.

use serde_json::Value;

use crate::secret::{Secret, hex};

use super::der::{self, INTEGER, OCTETS, SEQUENCE};

/// The shortest modulus that is looked for, in bytes; a shorter one could stand in a certificate by chance.
const SHORTEST: usize = 64;
/// The most certificates that are looked into.
const MOST: usize = 256;

/// Returns the public mark of a private RSA key in PKCS #8 PEM: its modulus in hexadecimal digits.
pub(super) fn mark_of(secret: &Secret) -> Option<String> {
    let bytes = zeroize::Zeroizing::new(der::pem(secret.expose(), "PRIVATE KEY")?);
    let (fields, _) = der::element(&bytes, SEQUENCE)?;
    let (_, rest) = der::element(fields, INTEGER)?;
    let (_, rest) = der::element(rest, SEQUENCE)?;
    let (inner, _) = der::element(rest, OCTETS)?;
    let (key, _) = der::element(inner, SEQUENCE)?;
    let (_, rest) = der::element(key, INTEGER)?;
    let (modulus, _) = der::element(rest, INTEGER)?;
    // A number whose first bit is set has a zero before it.
    let modulus = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    (modulus.len() >= SHORTEST).then(|| hex(modulus))
}

/// Returns whether one of the certificates in an answer holds a mark: the values of an object, each in PEM.
pub(super) fn lists(document: &Value, mark: &str) -> bool {
    let Some(certificates) = document.as_object() else { return false };
    let texts = certificates.values().take(MOST).filter_map(Value::as_str);
    texts.filter_map(|text| der::pem(text.as_bytes(), "CERTIFICATE")).any(|bytes| hex(&bytes).contains(mark))
}

#[cfg(test)]
pub(super) mod tests;
