//! Reads the times of exports: seconds or milliseconds since 1970, RFC 3339 in any zone, whole days, and the many ways to
//! write "never" and "not known".

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::Value;

use super::super::times::written;

/// What a field says of a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Time {
    /// A moment (`2026-11-20T08:00:00Z`) or a day (`2026-11-20`).
    At(String),
    /// It never comes: `-1`, the year 9999.
    Never,
    /// The field says nothing: absent, null, empty, `N/A`, 0.
    Absent,
    /// The field says something that is no time of this age.
    Absurd,
}

/// Numbers from here on are milliseconds: as seconds they would lie beyond the year 5138.
const LEAST_MILLISECONDS: i64 = 100_000_000_000;
/// The seconds of the year 9999: as milliseconds they would lie in January 1978, when no export was written.
const YEAR_9999: std::ops::RangeInclusive<i64> = 253_370_764_800..=253_402_300_799;

/// Reads a field.
pub(super) fn read(value: Option<&Value>) -> Time {
    match value {
        None | Some(Value::Null) => Time::Absent,
        Some(Value::Number(number)) => {
            match number.as_i64().or_else(|| number.as_f64().map(|seconds| seconds as i64)) {
                Some(number) => of_number(number),
                None => Time::Absurd,
            }
        }
        Some(Value::String(text)) => of_text(text),
        Some(_) => Time::Absurd,
    }
}

/// Reads a number since 1970.
fn of_number(number: i64) -> Time {
    match number {
        0 => Time::Absent,
        -1 => Time::Never,
        ..0 => Time::Absurd,
        _ if YEAR_9999.contains(&number) => Time::Never,
        LEAST_MILLISECONDS.. => Timestamp::from_millisecond(number).map_or(Time::Absurd, of_moment),
        _ => Timestamp::from_second(number).map_or(Time::Absurd, of_moment),
    }
}

/// Reads text.
pub(super) fn of_text(text: &str) -> Time {
    let text = text.trim();
    match text.to_ascii_lowercase().as_str() {
        "" | "n/a" | "null" | "none" | "no_information" | "not_supported" | "unknown" => return Time::Absent,
        "never" => return Time::Never,
        _ => {}
    }
    if let Ok(number) = text.parse() {
        return of_number(number);
    }
    if text.len() == 10
        && let Ok(day) = text.parse::<Date>()
    {
        return of_year(day.year(), day.to_string());
    }
    // A year that no calendar has here, such as 10000, is as far away as 9999.
    match text.parse::<Timestamp>().or_else(|_| with_zone(text).parse()) {
        Ok(moment) => of_moment(moment),
        Err(_) if text.starts_with("9999-") => Time::Never,
        Err(_) => Time::Absurd,
    }
}

/// Completes what some exports write: a blank between day and time, and no zone, which means UTC.
fn with_zone(text: &str) -> String {
    let text = text.trim_end_matches(" UTC").replacen(' ', "T", 1);
    match text.ends_with('Z') || text.rfind(['+', '-']).is_some_and(|at| at > 10) {
        true => text.replace(' ', ""),
        false => format!("{text}Z"),
    }
}

fn of_moment(moment: Timestamp) -> Time {
    let year = moment.to_zoned(jiff::tz::TimeZone::UTC).year();
    of_year(year, written(moment))
}

fn of_year(year: i16, text: String) -> Time {
    match year {
        1970..=2199 => Time::At(text),
        // Providers write the year 9999, and .NET's last day, for what never ends; a zone may move it to 9998.
        9998..=9999 => Time::Never,
        _ => Time::Absurd,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_of_every_export_are_read_alike() {
        let at = Time::At("2025-11-20T08:00:00Z".into());
        for value in [
            json!(1_763_625_600),
            json!(1_763_625_600_000_i64),
            json!("1763625600"),
            json!(1_763_625_600.7),
            json!("2025-11-20T08:00:00Z"),
            json!("2025-11-20T10:00:00.123+02:00"),
            json!("2025-11-20T08:00:00+00:00"),
            json!("2025-11-20 08:00:00 UTC"),
            json!("2025-11-20 08:00:00"),
            json!("2025-11-20T08:00:00"),
            json!(" 2025-11-20 08:00:00 +0000 "),
        ] {
            assert_eq!(read(Some(&value)), at, "{value}");
        }
        assert_eq!(read(Some(&json!("2026-01-31"))), Time::At("2026-01-31".into()));
    }

    #[test]
    fn never_absent_and_absurd_are_told_apart() {
        for value in [
            json!(-1),
            json!("-1"),
            json!("never"),
            json!("9999-12-31T23:59:59Z"),
            json!("9999-12-31"),
            json!(253_402_300_799_i64),
        ] {
            assert_eq!(read(Some(&value)), Time::Never, "{value}");
        }
        for value in [json!(null), json!(0), json!(""), json!("N/A"), json!("no_information")] {
            assert_eq!(read(Some(&value)), Time::Absent, "{value}");
        }
        for value in [
            json!(-2),
            json!("0001-01-01T00:00:00Z"),
            json!("2500-01-01"),
            json!(i64::MAX),
            json!(1e300),
            json!([]),
            json!("soon"),
            json!("9-9"),
        ] {
            assert_eq!(read(Some(&value)), Time::Absurd, "{value}");
        }
    }
}
