//! Signs JSON Web Tokens with a secret or a private key, for providers that take the token in its place.
//!
//! RFC 7515 (JWS), RFC 7518 3.2 and 3.3 (HS256, RS256). Tokens hold for minutes and are made to ask one question; nothing
//! here exchanges one for another.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest;
use ring::rand::SystemRandom;
use ring::rsa::KeyPair;
use ring::signature::{self, KeyPair as _};
use zeroize::Zeroizing;

use super::hmac_sha256;
use crate::detector::compile::schema::{Signing, Verify};
use crate::secret::Secret;
use crate::verify::der;
use crate::verify::request::{Parts, Refusal, filled_body};

/// The content type whose escapes the claims of a token take.
const JSON: &str = "application/json";
/// The longest key in base64 alone, in bytes.
const LONGEST_KEY: usize = 16 * 1024;
/// Names of parts that stand for numbers in claims.
const MOMENTS: [&str; 2] = ["issued", "expires"];

/// Makes the token that a detector's request carries; nothing where it carries none.
///
/// # Errors
/// A part that is missing or ambiguous, or a secret that is no key.
pub(crate) fn of(verify: &Verify, parts: &Parts<'_>) -> Result<Option<Secret>, Refusal> {
    let Some(signing) = verify.sign.filter(|signing| signing.makes_a_token()) else { return Ok(None) };
    let values = |name: &str| parts.value(name);
    let is_part = |name: &str| MOMENTS.contains(&name) || name.contains(['.', '-']);
    let claims = || filled_body(verify.token.as_deref().unwrap_or_default(), JSON, &is_part, &values);
    let secret = parts.secret();
    Ok(Some(match signing {
        Signing::JwtHs256 => hs256(secret.expose(), claims()?.expose()),
        Signing::JwtRs256 => rs256(&key_of(secret)?, claims()?.expose())?,
        _ => {
            let key = key_of(secret)?;
            rs256(&key, snowflake_claims(&key, parts)?.as_bytes())?
        }
    }))
}

/// Joins the two parts of a token that are signed.
fn signed_parts(algorithm: &str, claims: &[u8]) -> String {
    let head = format!("{{\"alg\":\"{algorithm}\",\"typ\":\"JWT\"}}");
    format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims))
}

fn hs256(key: &[u8], claims: &[u8]) -> Secret {
    let text = signed_parts("HS256", claims);
    let signature = URL_SAFE_NO_PAD.encode(hmac_sha256(key, text.as_bytes()));
    Secret::new(format!("{text}.{signature}").as_bytes())
}

fn rs256(key: &KeyPair, claims: &[u8]) -> Result<Secret, Refusal> {
    let text = signed_parts("RS256", claims);
    let signature = rs256_signature(key, text.as_bytes())?;
    Ok(Secret::new(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)).as_bytes()))
}

fn rs256_signature(key: &KeyPair, text: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&signature::RSA_PKCS1_SHA256, &SystemRandom::new(), text, &mut signature)
        .map_err(|_| Refusal::unknown("this machine could not sign with it; nobody was asked"))?;
    Ok(signature)
}

/// Reads a private RSA key: PEM of PKCS #1 or PKCS #8, or the base64 of either alone.
fn key_of(secret: &Secret) -> Result<KeyPair, Refusal> {
    let text = secret.expose();
    let sealed = |mark: &[u8]| memchr::memmem::find(text, mark).is_some();
    if sealed(b"ENCRYPTED") {
        return Err(Refusal::not_checked("a passphrase locks it, so nothing can be signed with it"));
    }
    let fault = || Refusal::unknown("it is no private RSA key that can be read; nobody was asked");
    let bare = || STANDARD.decode(text).ok().filter(|_| text.len() <= LONGEST_KEY);
    let bytes = der::pem(text, "RSA PRIVATE KEY").or_else(|| der::pem(text, "PRIVATE KEY")).or_else(bare);
    let bytes = Zeroizing::new(bytes.ok_or_else(fault)?);
    KeyPair::from_pkcs8(&bytes).or_else(|_| KeyPair::from_der(&bytes)).map_err(|_| fault())
}

/// Returns Snowflake's fingerprint of a key: the digest of its public half as DER
/// (<https://docs.snowflake.com/en/user-guide/key-pair-auth>).
fn fingerprint(key: &KeyPair) -> String {
    let public = key.public_key().as_ref();
    // AlgorithmIdentifier of rsaEncryption with its NULL.
    let algorithm = [
        &[der::SEQUENCE, 0x0d, 0x06, 0x09][..],
        &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01],
        &[0x05, 0x00],
    ]
    .concat();
    let bits = der::written(der::BITS, &[&[0], public].concat());
    let whole = der::written(der::SEQUENCE, &[algorithm, bits].concat());
    format!("SHA256:{}", STANDARD.encode(digest::digest(&digest::SHA256, &whole)))
}

/// Writes the claims by which Snowflake knows a key pair
/// (<https://docs.snowflake.com/en/developer-guide/sql-api/authenticating>): the account without its region, in capitals.
fn snowflake_claims(key: &KeyPair, parts: &Parts<'_>) -> Result<String, Refusal> {
    let account = parts.named("account")?.split('.').next().unwrap_or_default().to_uppercase();
    let subject = format!("{account}.{}", parts.named("user")?.to_uppercase());
    let moment = |name: &str| parts.value(name).map(|digits| String::from_utf8_lossy(&digits).into_owned());
    let issuer = serde_json::Value::from(format!("{subject}.{}", fingerprint(key)));
    let subject = serde_json::Value::from(subject);
    Ok(format!("{{\"iss\":{issuer},\"sub\":{subject},\"iat\":{},\"exp\":{}}}", moment("issued")?, moment("expires")?))
}

#[cfg(test)]
mod tests;
