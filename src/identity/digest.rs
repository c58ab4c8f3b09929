//! What a value is recognised by without being shown: digests that providers publish, and the bytes they are made over.
//!
//! None of these is ever written: without a key they let anyone confirm a guess, so they only serve to look up what an
//! import brought in. The keyed fingerprints are made by [`crate::secret::FingerprintKey`].

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, digest};
use zeroize::Zeroizing;

use super::public_key;
use crate::secret::hex;

/// The prefix of GitHub's `hashed_token`: SHA-256 over the token.
pub const GITHUB: &str = "gh-sha256";
/// The prefix of GitGuardian's `hmsl_hash`: scrypt with a public salt.
pub const HMSL: &str = "hmsl";
/// The prefix of a public key's fingerprint: SHA-256 over its SPKI in DER.
pub const SPKI: &str = "spki-sha256";
/// The prefix of an SSH key's fingerprint: SHA-256 over the public key as SSH writes it.
pub const SSH: &str = "ssh-sha256";
/// The prefix of a certificate's older thumbprint.
pub const X509_SHA1: &str = "x509-sha1";
/// The prefix of a certificate's thumbprint.
pub const X509_SHA256: &str = "x509-sha256";

/// The longest value that digests are made of, in bytes; longer ones are no credential of any provider.
const LONGEST: usize = 1 << 20;

/// Returns the bytes of a secret as it was issued: without the quotes and blanks round it, and of an AWS pair the secret part
/// alone.
pub fn canonical(secret: &[u8]) -> &[u8] {
    let mut bytes = secret.trim_ascii();
    while let [first @ (b'"' | b'\'' | b'`'), inner @ .., last] = bytes
        && first == last
    {
        bytes = inner.trim_ascii();
    }
    match pair(bytes) {
        Some((_, secret)) => secret,
        None => bytes,
    }
}

/// Takes an AWS pair apart: `AKIA...:secret`, the two parted by a colon, a comma or blanks.
pub fn pair(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (id, rest) = bytes.split_at_checked(20)?;
    let is_id = [&b"AKIA"[..], b"ASIA", b"ABIA", b"ACCA"].iter().any(|prefix| id.starts_with(prefix))
        && id.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let is_gap = |byte: &u8| matches!(byte, b':' | b',' | b';') || byte.is_ascii_whitespace();
    let gap = rest.iter().take_while(|byte| is_gap(byte)).count();
    let secret = &rest[gap..];
    let fits = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    (is_id && gap > 0 && secret.len() == 40 && secret.iter().all(fits)).then_some((id, secret))
}

/// Returns the digests of a secret that an inventory may hold, each as prefix and lower-case hexadecimal digits.
/// `wanted` says of which prefixes the inventory has any: what nobody could find is not computed, since some of these
/// take milliseconds.
pub fn digests(secret: &[u8], wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let bytes = canonical(secret);
    if bytes.len() > LONGEST {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut add = |prefix: &str, digits: Option<String>| {
        found.extend(digits.map(|digits| format!("{prefix}:{digits}")));
    };
    if wanted(GITHUB) {
        add(GITHUB, Some(sha256(bytes)));
    }
    if wanted(HMSL) {
        add(HMSL, hmsl(bytes));
    }
    let keys_wanted = wanted(SPKI) || wanted(SSH);
    for block in public_key::blocks(bytes) {
        if block.label == "CERTIFICATE" {
            if wanted(X509_SHA1) {
                add(X509_SHA1, Some(hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, &block.der).as_ref())));
            }
            if wanted(X509_SHA256) {
                add(X509_SHA256, Some(sha256(&block.der)));
            }
        } else if keys_wanted && let Some(key) = public_key::of_block(&block) {
            add(SPKI, key.spki().map(|der| sha256(&der)));
            add(SSH, key.ssh().map(|blob| sha256(&blob)));
        }
    }
    found
}

/// Returns the SHA-256 of bytes in hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// Returns the hash by which GitGuardian's "has my secret leaked" knows a value: scrypt with the SHA-256 of its name as salt,
/// n = 2048, r = 8, p = 1. It takes milliseconds.
pub fn hmsl(bytes: &[u8]) -> Option<String> {
    let parameters = scrypt::Params::new(11, 8, 1, 32).ok()?;
    let mut hash = Zeroizing::new([0_u8; 32]);
    scrypt::scrypt(bytes, digest(&SHA256, b"GitGuardian").as_ref(), &parameters, hash.as_mut()).ok()?;
    Some(hex(hash.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::keys::{self, KeyKind};
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    /// The made-up token of the vector, in pieces so that no file holds it.
    fn token() -> String {
        ["gh", "p_", &"EXAMPLEonly".repeat(3), "000"].concat()
    }

    #[test]
    fn the_vector_of_github_is_reproduced() {
        // Base64 of GitHub's audit log, as an import writes it into the inventory.
        let published = "gh-sha256:vNlZTNaUpDT36vlPU+Hn2KZwg/l5Ey9J58samkwyWcU=";
        let expected = keys::normalised(KeyKind::Digest, published).expect("a digest");
        assert_eq!(digests(token().as_bytes(), &|prefix| prefix == GITHUB), [expected]);
    }

    #[test]
    fn the_vector_of_gitguardian_is_reproduced_and_made_only_where_wanted() {
        let expected = "hmsl:927ea7a167be2f3f4d1729a8539655f4428e68ea42cc9c4aee6a3850abb2fb60";
        assert_eq!(digests(b"EXAMPLE-NOT-A-SECRET", &|prefix| prefix == HMSL), [expected]);
        assert_eq!(digests(b" \"EXAMPLE-NOT-A-SECRET\"\n", &|prefix| prefix == HMSL), [expected]);
        assert!(digests(b"EXAMPLE-NOT-A-SECRET", &|_| false).is_empty());
    }

    #[test]
    fn a_pair_is_the_secret_part() {
        let id = ["AK", "IA", &"Q".repeat(16)].concat();
        let secret = "x".repeat(40);
        for gap in [":", ", ", "\n"] {
            assert_eq!(canonical(format!("'{id}{gap}{secret}'").as_bytes()), secret.as_bytes());
        }
        let other = format!("{id}:{}", "x".repeat(39));
        assert_eq!(canonical(other.as_bytes()), other.as_bytes());
        assert_eq!(canonical(b"\""), b"\"");
        assert_eq!(canonical(b"'a\""), b"'a\"");
    }

    #[test]
    fn certificates_have_thumbprints() {
        let der = b"not a certificate, but the thumbprint is over any bytes";
        let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der));
        let found = digests(pem.as_bytes(), &|prefix| prefix.starts_with("x509"));
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], format!("x509-sha256:{}", sha256(der)));
        assert_eq!(found[0].len(), "x509-sha1:".len() + 40);
    }
}
