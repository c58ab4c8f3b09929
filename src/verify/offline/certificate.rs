//! Reads the dates of an X.509 certificate in PEM that stands in a value beside its key (RFC 5280, 4.1.2.5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

const BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const END: &[u8] = b"-----END CERTIFICATE-----";
/// The longest certificate that is decoded, in bytes of PEM.
const LONGEST: usize = 64 * 1024;

/// The tags of DER that a certificate's way to its dates leads through.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// Returns from when and until when the first certificate of a value holds.
pub(super) fn dates(value: &[u8]) -> Option<(Option<Timestamp>, Option<Timestamp>)> {
    let start = memchr::memmem::find(value, BEGIN)? + BEGIN.len();
    let length = memchr::memmem::find(&value[start..], END).filter(|length| *length <= LONGEST)?;
    // Line ends may be written as the two characters \n, as in JSON.
    let text = String::from_utf8_lossy(&value[start..start + length]).replace("\\n", "").replace("\\r", "");
    let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let der = STANDARD.decode(packed).ok()?;
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

/// Splits off an element with a tag: its content and what follows it.
fn element(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (first, rest) = bytes.split_first().filter(|(first, _)| **first == tag)?;
    debug_assert_eq!(*first, tag);
    let (length, rest) = rest.split_first()?;
    let (length, rest) = match *length {
        short @ 0..0x80 => (usize::from(short), rest),
        long => {
            let digits = usize::from(long & 0x7f);
            if digits == 0 || digits > 3 || rest.len() < digits {
                return None;
            }
            let length = rest[..digits].iter().fold(0, |length, byte| (length << 8) | usize::from(*byte));
            (length, &rest[digits..])
        }
    };
    (length <= rest.len()).then(|| rest.split_at(length))
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
