//! Reads the dates of an X.509 certificate in PEM that stands in a value beside its key (RFC 5280, 4.1.2.5).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::verify::der::{INTEGER, SEQUENCE, element, pem};

/// The tags of DER that only a certificate has on the way to its dates.
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Returns from when and until when the first certificate of a value holds.
pub(super) fn dates(value: &[u8]) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
    let der = pem(value, "CERTIFICATE")?;
    let (certificate, _) = element(&der, SEQUENCE)?;
    let (mut fields, _) = element(certificate, SEQUENCE)?;
    if let Some((_, rest)) = element(fields, VERSION) {
        fields = rest;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        fields = element(fields, tag)?.1;
    }
    let (validity, _) = element(fields, SEQUENCE)?;
    let (from, rest) = moment(validity)?;
    let (until, _) = moment(rest)?;
    Some((Some(from), Some(until)))
}

fn moment(bytes: &[u8]) -> Option<(Timestamp, &[u8])> {
    let (text, rest) = element(bytes, UTC_TIME).or_else(|| element(bytes, GENERALIZED_TIME))?;
    let text = std::str::from_utf8(text).ok()?;
    let whole = match text.len() {
        // Two digits of a year below 50 are of this century (RFC 5280, 4.1.2.5.1).
        13 => format!("{}{text}", if text.get(..2)? < "50" { "20" } else { "19" }),
        15 => text.to_owned(),
        _ => return None,
    };
    let civil = DateTime::strptime("%Y%m%d%H%M%SZ", whole).ok()?;
    Some((civil.to_zoned(TimeZone::UTC).ok()?.timestamp(), rest))
}
