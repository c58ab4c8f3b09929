//! Times as exports and logs write them, told in RFC 3339. A time without its zone is none: it could be any of a day.

use jiff::Timestamp;
use serde_json::Value;

/// Reads the time in a field: a text, or the seconds or milliseconds since 1970 as a number or in digits.
pub(super) fn of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => written(text).or_else(|| text.parse().ok().and_then(since_1970)),
        Value::Number(number) => since_1970(number.as_f64()?),
        _ => None,
    }
}

/// Reads a time that is written out, with its zone.
pub(super) fn written(text: &str) -> Option<String> {
    let time: Option<Timestamp> = text.parse().ok();
    // Jira writes the zone without a colon.
    let time = time.or_else(|| Timestamp::strptime("%Y-%m-%dT%H:%M:%S%.f%z", text).ok());
    time.map(|time| time.to_string())
}

/// Reads seconds, or milliseconds where seconds would be a time long after us.
pub(super) fn since_1970(number: f64) -> Option<String> {
    let (earliest, latest) = (500_000_000.0, 100_000_000_000.0);
    if !(earliest..latest * 1000.0).contains(&number) {
        return None;
    }
    let seconds = if number < latest { number } else { number / 1000.0 };
    // As many digits of a second as the number has room for.
    Timestamp::from_microsecond((seconds * 1_000_000.0).round() as i64).ok().map(|time| time.to_string())
}
