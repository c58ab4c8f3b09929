//! Times of the inventory: whole days and seconds in UTC, written so that they compare as text.

use jiff::Timestamp;
use jiff::civil::Date;

/// Returns a day as `2026-11-20` and a moment as `2026-11-20T08:00:00Z`.
///
/// # Errors
/// Text that is neither, or a year outside 1970 to 9998: exports write such years for "never" and "unknown".
pub fn normalised(text: &str) -> Result<String, String> {
    let text = text.trim();
    let fault = || "must be a day (2026-11-20) or a time (2026-11-20T08:00:00Z) of this age".to_owned();
    let in_this_age = |year: i16| (1970..9999).contains(&year);
    if text.len() == 10 {
        let day: Date = text.parse().map_err(|_| fault())?;
        return if in_this_age(day.year()) { Ok(day.to_string()) } else { Err(fault()) };
    }
    let moment: Timestamp = text.parse().map_err(|_| fault())?;
    if !in_this_age(moment.to_zoned(jiff::tz::TimeZone::UTC).year()) {
        return Err(fault());
    }
    Ok(written(moment))
}

/// Writes a moment to the second.
pub fn written(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Whether a normalised time lies before another. A day and a moment of that day are as old as each other.
pub fn is_older(this: &str, other: &str) -> bool {
    let common = this.len().min(other.len());
    this.get(..common) < other.get(..common)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_any_zone_are_written_alike() {
        assert_eq!(normalised("2026-11-20T10:00:00.5+02:00").as_deref(), Ok("2026-11-20T08:00:00Z"));
        assert_eq!(normalised(" 2026-11-20 ").as_deref(), Ok("2026-11-20"));
        for text in
            ["", "9999-12-31", "9999-12-31T23:59:59Z", "-1", "0000-01-01", "20.11.2026", "2026-13-01", "-000001-01-01"]
        {
            assert!(normalised(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_day_is_as_old_as_its_moments() {
        assert!(!is_older("2026-11-20", "2026-11-20T08:00:00Z"));
        assert!(!is_older("2026-11-20T08:00:00Z", "2026-11-20"));
        assert!(is_older("2026-11-19T23:59:59Z", "2026-11-20"));
        assert!(is_older("2026-11-20T07:00:00Z", "2026-11-20T08:00:00Z"));
    }
}
