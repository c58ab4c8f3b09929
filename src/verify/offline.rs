//! Evidence that a credential itself gives on whether it can work: its dates and its checksum. Nobody is asked, and every
//! verdict says so.
//!
//! A date in the past is the issuer's own word that the credential is over. Nothing here says that one works: a signature
//! is never checked, and a provider may have ended it before its time.

use base64::Engine;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{GeneralPurposeConfig, URL_SAFE_NO_PAD};
use base64::{alphabet, engine::DecodePaddingMode};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::detector::compile::Detector;
use crate::detector::{checksum, claims};
use crate::finding::{Liveness, Verification};
use crate::secret::Secret;

mod certificate;

/// How far clocks may differ before a date counts.
const LEEWAY: SignedDuration = SignedDuration::from_mins(5);
/// What short-term Bedrock keys begin with
/// (<https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-how.html>).
const PRESIGNED_HEAD: &[u8] = b"bedrock-api-key-";
/// The longest presigned value that is decoded, in bytes.
const LONGEST_PRESIGNED: usize = 16 * 1024;
/// Base64 of the usual alphabet, with or without its padding.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Returns the verdict that a credential itself gives, if it gives one.
pub(crate) fn evidence(detector: &Detector, secret: &Secret, now: Timestamp) -> Option<Verification> {
    let value = secret.expose();
    if let Some(sum) = &detector.checksum
        && !checksum::valid(sum, value)
    {
        let reason = "its checksum is wrong, so no such credential was ever issued; a cut or mistyped value looks the same; \
            nobody was asked";
        return Some(verdict(Liveness::Dead, reason.into()));
    }
    token_dates(value, now).or_else(|| presigned_dates(value, now)).or_else(|| shared_access_dates(value, now)).or_else(
        || certificate::dates(value).and_then(|(from, until)| outside(from, until, now, "its own certificate")),
    )
}

fn verdict(state: Liveness, reason: String) -> Verification {
    Verification { reason: Some(reason), ..Verification::new(state) }
}

/// Returns the verdict on dates between which something holds, if now is outside them.
fn outside(from: Option<Timestamp>, until: Option<Timestamp>, now: Timestamp, witness: &str) -> Option<Verification> {
    if let Some(until) = until
        && until.duration_until(now) > LEEWAY
    {
        let day = day_of(until);
        return Some(verdict(Liveness::Dead, format!("expired on {day} by {witness}; nobody was asked")));
    }
    let from = from.filter(|from| now.duration_until(*from) > LEEWAY)?;
    let reason = format!("not valid before {} by {witness}; nobody was asked", day_of(from));
    Some(verdict(Liveness::Unknown, reason))
}

fn day_of(moment: Timestamp) -> String {
    moment.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string()
}

/// Reads `exp` and `nbf` of a signed token, in seconds (RFC 7519, 4.1.4 and 4.1.5).
fn token_dates(value: &[u8], now: Timestamp) -> Option<Verification> {
    let payload = token_payload(value)?;
    let date = |name: &str| payload.get(name).and_then(Value::as_f64).and_then(seconds);
    outside(None, date("exp"), now, "its own exp claim")
        .or_else(|| outside(date("nbf"), None, now, "its own nbf claim"))
}

/// Returns the payload of a value that is a signed token and nothing else: three parts, the first an object with `alg`.
fn token_payload(value: &[u8]) -> Option<Value> {
    let mut parts = value.split(|byte| *byte == b'.');
    let head = parts.next().filter(|head| head.len() <= 8192)?;
    if parts.count() != 2 {
        return None;
    }
    let head: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(head).ok()?).ok()?;
    head.get("alg")?;
    claims::payload(value).filter(Value::is_object)
}

/// Reads a number of seconds. What is beyond the year 2286 is no date in seconds and says nothing.
fn seconds(number: f64) -> Option<Timestamp> {
    let whole = number.floor();
    (whole > 0.0 && whole < 10_000_000_000.0).then(|| Timestamp::from_second(whole as i64).ok()).flatten()
}

/// What a short-term Bedrock key says in its presigned URL.
struct Presigned {
    key_id: String,
    region: String,
    from: Timestamp,
    until: Timestamp,
}

/// Reads a short-term Bedrock key: base64 of a presigned URL whose fields name key, day, region and life.
fn presigned(value: &[u8]) -> Option<Presigned> {
    let encoded = value.strip_prefix(PRESIGNED_HEAD).filter(|rest| rest.len() <= LONGEST_PRESIGNED)?;
    let url = String::from_utf8(LENIENT.decode(encoded).ok()?).ok()?;
    let query = url.split_once('?')?.1;
    let field = |name: &str| {
        let value = query.split('&').find_map(|field| field.strip_prefix(name)?.strip_prefix('='))?;
        Some(value.replace("%2F", "/").replace("%2f", "/"))
    };
    let credential = field("X-Amz-Credential")?;
    let mut scope = credential.split('/');
    let key_id = scope.next()?.to_owned();
    let region = scope.nth(1)?.to_owned();
    let moment = DateTime::strptime("%Y%m%dT%H%M%SZ", field("X-Amz-Date")?).ok()?;
    let from = moment.to_zoned(TimeZone::UTC).ok()?.timestamp();
    // Twelve hours are the most that such a key lives; what says more is none of theirs.
    let life: i64 = field("X-Amz-Expires")?.parse().ok().filter(|life| (1..=604_800).contains(life))?;
    let until = from.checked_add(SignedDuration::from_secs(life)).ok()?;
    Some(Presigned { key_id, region, from, until })
}

fn presigned_dates(value: &[u8], now: Timestamp) -> Option<Verification> {
    let presigned = presigned(value)?;
    outside(Some(presigned.from), Some(presigned.until), now, "its own presigned dates")
}

/// Returns the access key id that a presigned value was signed with.
pub(crate) fn presigned_key_id(value: &[u8]) -> Option<String> {
    presigned(value).map(|presigned| presigned.key_id)
}

/// Returns the region that a presigned value was signed for.
pub(crate) fn presigned_region(value: &[u8]) -> Option<String> {
    presigned(value).map(|presigned| presigned.region)
}

/// Reads `st` and `se` of a shared access signature of Azure
/// (<https://learn.microsoft.com/en-us/rest/api/storageservices/create-service-sas>): dates in ISO 8601, or `se` in
/// seconds as the messaging services write it.
fn shared_access_dates(value: &[u8], now: Timestamp) -> Option<Verification> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.len() <= 8192 && text.contains("sig="))?;
    let fields = text.rsplit(['?', ' ']).next()?;
    let field = |name: &str| fields.split('&').find_map(|field| field.strip_prefix(name));
    let date = |text: &str| {
        let text = text.replace("%3A", ":").replace("%3a", ":");
        let day = || text.parse::<jiff::civil::Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
        text.parse()
            .ok()
            .or_else(|| text.parse::<u32>().ok().and_then(|number| seconds(f64::from(number))))
            .or_else(day)
    };
    let (from, until) = (field("st=").and_then(date), field("se=").and_then(date));
    outside(from, until, now, "its own signed dates")
}

#[cfg(test)]
mod tests;
