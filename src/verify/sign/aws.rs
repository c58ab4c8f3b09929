//! Signs a request with AWS Signature Version 4, so that the secret half of a key pair is never sent.
//!
//! Rules and vectors: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>. Only what
//! our requests need is here: no payload in chunks, no presigned URL, no S3 spelling of paths.

use jiff::Timestamp;
use ring::{digest, hmac};

use crate::secret::{Secret, hex};

use super::Clock;
use crate::verify::exchange::Request;
use crate::verify::request::{Parts, Refusal};

/// The detector of the public half, which names the key.
const KEY_ID: &str = "aws-access-key-id";
/// The detector of the token that temporary keys need.
const SESSION_TOKEN: &str = "aws-session-token";
/// The region that the endpoints without a region in their name sign for.
const HOME_REGION: &str = "us-east-1";

/// A key pair, the token where it is temporary, and what it signs for.
pub(crate) struct Signer<'key> {
    /// The public half.
    pub(crate) key_id: &'key str,
    /// The secret half.
    pub(crate) secret: &'key Secret,
    /// The token of a temporary key.
    pub(crate) token: Option<&'key Secret>,
    /// The region, such as `us-east-1`.
    pub(crate) region: &'key str,
    /// The service, such as `sts`.
    pub(crate) service: &'key str,
}

/// Signs a request to an AWS service with a found secret and its companions.
///
/// # Errors
/// A key id that is missing or ambiguous, or a temporary one without its token.
pub(crate) fn sign_found(
    request: &mut Request,
    secret: &Secret,
    parts: &Parts<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let key_id = parts.companion(KEY_ID)?;
    let key_id =
        std::str::from_utf8(key_id.expose()).map_err(|_| Refusal::unknown(format!("its {KEY_ID} is no text")))?;
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html: ASIA marks what STS gave for a time.
    let token = match key_id.starts_with("ASIA") {
        true => Some(parts.companion(SESSION_TOKEN)?),
        false => None,
    };
    let (service, region) = scope_of(&request.endpoint.host);
    let signer = Signer { key_id, secret, token, region: &region, service: &service };
    signer.sign(request, now)
}

/// Returns service and region of a host: `sts.eu-west-1.amazonaws.com`. Where the host does not say, as at an endpoint
/// that a person named, they are those of the global service that answers who a key belongs to.
fn scope_of(host: &str) -> (String, String) {
    let mut labels = host.split('.');
    let service = labels.next().filter(|_| host.contains("amazonaws.com")).unwrap_or("sts");
    let region = labels.next().filter(|label| is_region(label)).unwrap_or(HOME_REGION);
    (service.to_owned(), region.to_owned())
}

/// Returns whether a label is a region of AWS: `us-east-1`, `us-gov-west-1`, `ap-southeast-2`.
pub(crate) fn is_region(label: &str) -> bool {
    let words: Vec<&str> = label.split('-').collect();
    let letters = |word: &&str| (2..=12).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase());
    matches!(words.len(), 3 | 4)
        && words[0].len() == 2
        && words[..words.len() - 1].iter().all(letters)
        && words
            .last()
            .is_some_and(|word| (1..=2).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Signer<'_> {
    /// Signs a request: adds `x-amz-date`, the token where there is one, and `authorization`.
    ///
    /// # Errors
    /// A date that the calendar of the signature cannot write.
    pub(crate) fn sign(&self, request: &mut Request, now: Timestamp) -> Result<(), Refusal> {
        let moment = Clock::at(now)?.packed;
        request.headers.push(("x-amz-date".into(), Secret::new(moment.as_bytes())));
        if let Some(token) = self.token {
            request.headers.push(("x-amz-security-token".into(), token.clone()));
        }
        let (canonical, signed) = canonical_request(request);
        let scope = format!("{}/{}/{}/aws4_request", &moment[..8], self.region, self.service);
        let hashed = hex(digest::digest(&digest::SHA256, &canonical).as_ref());
        let to_sign = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashed}");
        let signature = hex(hmac::sign(&self.key(&moment[..8]), to_sign.as_bytes()).as_ref());
        let value = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={signed}, Signature={signature}",
            self.key_id
        );
        request.headers.push(("authorization".into(), Secret::new(value.as_bytes())));
        Ok(())
    }

    /// Derives the key of one day, region and service.
    fn key(&self, day: &str) -> hmac::Key {
        let mut seed = b"AWS4".to_vec();
        seed.extend_from_slice(self.secret.expose());
        let mut key = hmac::Key::new(hmac::HMAC_SHA256, &seed);
        zeroize::Zeroize::zeroize(&mut seed);
        for word in [day, self.region, self.service, "aws4_request"] {
            key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, word.as_bytes()).as_ref());
        }
        key
    }
}

/// Writes a request as it is signed, and the names of the headers that are part of it.
fn canonical_request(request: &Request) -> (Vec<u8>, String) {
    let (path, query) = request.path.expose().split_once('?').unwrap_or((request.path.expose(), ""));
    let mut fields: Vec<&str> = query.split('&').filter(|field| !field.is_empty()).collect();
    fields.sort_unstable();
    let fields: Vec<String> = fields
        .iter()
        .map(|field| if field.contains('=') { (*field).to_owned() } else { format!("{field}=") })
        .collect();
    let endpoint = &request.endpoint;
    let host = ("host".to_owned(), Secret::new(super::host_of(endpoint).as_bytes()));
    let mut headers: Vec<&(String, Secret)> = request.headers.iter().chain([&host]).collect();
    headers.sort_by(|left, right| left.0.cmp(&right.0));
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let signed = names.join(";");
    let mut text = format!("{}\n{}{path}\n{}\n", request.method, endpoint.base_path, fields.join("&")).into_bytes();
    for (name, value) in headers {
        text.extend_from_slice(name.as_bytes());
        text.push(b':');
        text.extend_from_slice(&single_spaced(value.expose()));
        text.push(b'\n');
    }
    let body = request.body.as_ref().map_or(&[][..], Secret::expose);
    let hashed = hex(digest::digest(&digest::SHA256, body).as_ref());
    text.extend_from_slice(format!("\n{signed}\n{hashed}").as_bytes());
    (text, signed)
}

/// Trims a header's value and joins runs of spaces in it, as the signature reads it.
fn single_spaced(value: &[u8]) -> Vec<u8> {
    let words: Vec<&[u8]> = value.split(|byte| *byte == b' ').filter(|word| !word.is_empty()).collect();
    words.join(&b' ')
}

#[cfg(test)]
mod tests;
