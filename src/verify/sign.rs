//! Signs requests with a secret, so that the secret itself is never sent: which way a detector declares, and what the ways
//! have in common. Each way stands in a file of its own with the vectors that its provider publishes.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ring::{digest, hmac};

use crate::detector::compile::schema::{Signing, Verify};
use crate::secret::{Secret, hex};

use super::exchange::{Endpoint, Request};
use super::request::{Parts, Refusal, raw};

mod aws;
mod azure;
mod clouds;
mod token;

pub(crate) use aws::is_region;
pub(super) use token::of as token;

/// Signs a request in the way that its detector declares. What a token signs is in a header already.
///
/// # Errors
/// A public half that is missing or ambiguous, a secret that signs nothing, or a clock outside the calendar.
pub(super) fn sign(
    signing: Signing,
    request: &mut Request,
    verify: &Verify,
    parts: &Parts<'_>,
    now: Timestamp,
) -> Result<(), Refusal> {
    let secret = parts.secret();
    let signer = || {
        let text = raw(verify.signer.as_deref().unwrap_or_default(), &|name| parts.value(name))?;
        String::from_utf8(text).map_err(|_| Refusal::unknown("its public half is no text; nobody was asked"))
    };
    match signing {
        Signing::AwsSigV4 => aws::sign_found(request, secret, parts, now),
        Signing::AlibabaV3 => clouds::alibaba(request, &signer()?, secret, &Clock::at(now)?),
        Signing::TencentV3 => clouds::tencent(request, &signer()?, secret, &Clock::at(now)?),
        Signing::VolcengineV4 => clouds::volcengine(request, &signer()?, secret, &Clock::at(now)?),
        Signing::AzureStorage => azure::storage(request, &signer()?, secret, &Clock::at(now)?),
        Signing::AzureCosmos => azure::cosmos(request, secret, &Clock::at(now)?),
        Signing::AzureMessaging => azure::messaging(request, &signer()?, secret, &Clock::at(now)?),
        Signing::JwtHs256 | Signing::JwtRs256 | Signing::SnowflakeJwt => Ok(()),
    }
}

/// A moment in the spellings that signatures want.
struct Clock {
    now: Timestamp,
    /// `20260601T000000Z`.
    packed: String,
}

impl Clock {
    /// # Errors
    /// A year that has not four digits.
    fn at(now: Timestamp) -> Result<Self, Refusal> {
        let packed = now.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string();
        if packed.len() != 16 {
            return Err(Refusal::unknown("the clock of this machine is outside the calendar; nobody was asked"));
        }
        Ok(Self { now, packed })
    }

    /// `2026-06-01T00:00:00Z`, or another spelling.
    fn spelled(&self, format: &str) -> String {
        self.now.to_zoned(TimeZone::UTC).strftime(format).to_string()
    }

    /// The date of HTTP: `Mon, 01 Jun 2026 00:00:00 GMT`.
    fn of_http(&self) -> String {
        self.spelled("%a, %d %b %Y %H:%M:%S GMT")
    }
}

/// Returns what the header `host` will say.
fn host_of(endpoint: &Endpoint) -> String {
    endpoint.port.map_or_else(|| endpoint.host.clone(), |port| format!("{}:{port}", endpoint.host))
}

/// Adds a header.
fn add(request: &mut Request, name: &str, value: &str) {
    request.headers.push((name.to_owned(), Secret::new(value.as_bytes())));
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Returns the digest of a request's body.
fn hashed_body(request: &Request) -> String {
    sha256_hex(request.body.as_ref().map_or(&[][..], Secret::expose))
}

/// Returns HMAC-SHA256 of a text under a key.
fn hmac_sha256(key: &[u8], text: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text)
}

/// Derives a key from a first one, word by word.
fn derived(first: &[u8], words: &[&str]) -> Vec<u8> {
    words.iter().fold(first.to_vec(), |key, word| hmac_sha256(&key, word.as_bytes()).as_ref().to_vec())
}

/// Returns the fields of a request's query, sorted, each with an equals sign.
fn sorted_query(request: &Request) -> String {
    let query = request.path.expose().split_once('?').map_or("", |(_, query)| query);
    let mut fields: Vec<&str> = query.split('&').filter(|field| !field.is_empty()).collect();
    fields.sort_unstable();
    let whole = |field: &&str| if field.contains('=') { (*field).to_owned() } else { format!("{field}=") };
    fields.iter().map(whole).collect::<Vec<_>>().join("&")
}

/// Returns a request's path with its endpoint's base and without its query.
fn whole_path(request: &Request) -> String {
    let path = request.path.expose().split('?').next().unwrap_or_default();
    format!("{}{path}", request.endpoint.base_path)
}

/// Returns the headers that fit, and the host, sorted by name.
fn signed_headers(request: &Request, fits: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let text = |value: &Secret| String::from_utf8_lossy(value.expose()).trim().to_owned();
    let own = request.headers.iter().filter(|(name, _)| fits(name)).map(|(name, value)| (name.clone(), text(value)));
    let mut headers: Vec<_> = own.chain([("host".to_owned(), host_of(&request.endpoint))]).collect();
    headers.sort();
    headers
}

/// Writes a request the way that the clouds which learned from AWS sign it: the text, and the names of its headers.
fn canonical(request: &Request, headers: &[(String, String)]) -> (String, String) {
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    let signed = names.join(";");
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let (method, path, query) = (&request.method, whole_path(request), sorted_query(request));
    (format!("{method}\n{path}\n{query}\n{lines}\n{signed}\n{}", hashed_body(request)), signed)
}
