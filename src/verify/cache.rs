//! What providers said before, kept in the store for a while, so that a scan that is run again does not ask again. It holds
//! fingerprints under a key that lives elsewhere, never a credential. Where the key is for one run alone there is no cache:
//! nothing in it could be found again.

use std::time::Duration;

use jiff::Timestamp;
use rusqlite::OptionalExtension;

use crate::error::Result;
use crate::finding::{Liveness, Verification};
use crate::store::Store;

/// How long a verdict holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ages {
    /// That a credential works, within limits or not: it may be revoked at any time.
    pub live: Duration,
    /// That it does not: few come back.
    pub dead: Duration,
}

impl Default for Ages {
    fn default() -> Self {
        Self { live: Duration::from_secs(60 * 60), dead: Duration::from_secs(24 * 60 * 60) }
    }
}

impl Ages {
    /// One age for every verdict; zero asks every time.
    pub fn of(age: Duration) -> Self {
        Self { live: age, dead: age }
    }
}

/// What a verdict is found by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The keyed fingerprint of the credential.
    pub fingerprint: String,
    /// The detector's id.
    pub detector: String,
    /// Who is asked and by which request, with a keyed fingerprint of what goes with the credential.
    pub endpoint: String,
}

/// Verdicts in the store.
#[derive(Debug)]
pub struct Cache {
    store: Store,
    ages: Ages,
}

impl Cache {
    /// Uses a store.
    pub fn new(store: Store, ages: Ages) -> Self {
        Self { store, ages }
    }

    /// Returns what was said, as long as it holds. What seems to have been said in the future was said under a clock that
    /// was wrong, and holds no more.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn verdict(&self, subject: &Subject, now: Timestamp) -> Result<Option<Verification>> {
        let row = self.store.read(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT state, reason, account, checked_at FROM verdict \
                 WHERE fingerprint = ?1 AND detector = ?2 AND endpoint = ?3",
            )?;
            let key = (&subject.fingerprint, &subject.detector, &subject.endpoint);
            let row = statement.query_row(key, |row| {
                Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get::<_, String>(3)?))
            });
            row.optional()
        })?;
        Ok(row.and_then(|(state, reason, account, checked_at)| {
            let (state, age) = match state.as_str() {
                "live" => (Liveness::Live, self.ages.live),
                "limited" => (Liveness::Limited, self.ages.live),
                "dead" => (Liveness::Dead, self.ages.dead),
                _ => return None,
            };
            let asked: Timestamp = checked_at.parse().ok()?;
            let passed = Duration::try_from(now.duration_since(asked)).ok()?;
            let account = serde_json::from_str(&account).ok()?;
            (passed < age).then_some(Verification { state, reason, checked_at: Some(checked_at), account })
        }))
    }

    /// Keeps what was said just now. That nothing is known is never kept.
    ///
    /// # Errors
    /// A store that cannot be written.
    pub fn keep(&mut self, subject: &Subject, said: &Verification) -> Result<()> {
        let state = match said.state {
            Liveness::Live => "live",
            Liveness::Limited => "limited",
            Liveness::Dead => "dead",
            Liveness::Unknown | Liveness::Canary | Liveness::Refused | Liveness::NotChecked => return Ok(()),
        };
        let Some(checked_at) = &said.checked_at else { return Ok(()) };
        let account = serde_json::to_string(&said.account).unwrap_or_else(|_| "{}".into());
        self.store.write(|transaction| {
            let mut statement =
                transaction.prepare_cached("INSERT OR REPLACE INTO verdict VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)")?;
            let key = (&subject.fingerprint, &subject.detector, &subject.endpoint);
            statement.execute((key.0, key.1, key.2, state, &said.reason, account, checked_at)).map(|_| ())
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan;

    use super::*;

    fn subject(endpoint: &str) -> Subject {
        Subject { fingerprint: "b3k1:k1-0:1".into(), detector: "x-key".into(), endpoint: endpoint.into() }
    }

    fn said(state: Liveness, at: Timestamp) -> Verification {
        let account = [("org".to_owned(), "acme".to_owned())].into();
        Verification { state, reason: Some("status 200".into()), checked_at: Some(at.to_string()), account }
    }

    fn cache(ages: Ages) -> Cache {
        Cache::new(Store::in_memory().expect("a store"), ages)
    }

    #[test]
    fn a_verdict_holds_for_its_age_and_for_its_endpoint_alone() {
        let asked: Timestamp = "2026-05-01T10:00:00Z".parse().expect("a time");
        for (state, hours) in [(Liveness::Live, 1), (Liveness::Limited, 1), (Liveness::Dead, 24)] {
            let mut cache = cache(Ages::default());
            cache.keep(&subject("https://a"), &said(state, asked)).expect("kept");
            let at = |now: Timestamp, endpoint: &str| cache.verdict(&subject(endpoint), now).expect("read");
            assert_eq!(at(asked, "https://a"), Some(said(state, asked)));
            assert_eq!(at(asked + hours.hours() - 1.second(), "https://a"), Some(said(state, asked)));
            assert_eq!(at(asked + hours.hours(), "https://a"), None, "{state:?} is too old");
            assert_eq!(at(asked - 1.second(), "https://a"), None, "the clock went backwards");
            assert_eq!(at(asked, "https://b"), None);
        }
    }

    #[test]
    fn what_is_not_known_is_not_kept_and_does_not_replace_what_is() {
        let asked: Timestamp = "2026-05-01T10:00:00Z".parse().expect("a time");
        let mut cache = cache(Ages::default());
        for state in [Liveness::Unknown, Liveness::Canary, Liveness::Refused, Liveness::NotChecked] {
            cache.keep(&subject("https://a"), &said(state, asked)).expect("nothing to do");
            assert_eq!(cache.verdict(&subject("https://a"), asked).expect("read"), None);
        }
        cache.keep(&subject("https://a"), &said(Liveness::Live, asked)).expect("kept");
        cache.keep(&subject("https://a"), &said(Liveness::Dead, asked)).expect("kept");
        let now = cache.verdict(&subject("https://a"), asked).expect("read").expect("a verdict");
        assert_eq!(now.state, Liveness::Dead);
    }

    #[test]
    fn an_age_that_a_person_names_is_that_of_all() {
        let asked: Timestamp = "2026-05-01T10:00:00Z".parse().expect("a time");
        for (seconds, found) in [(0, false), (60, true)] {
            let mut cache = cache(Ages::of(Duration::from_secs(seconds)));
            cache.keep(&subject("https://a"), &said(Liveness::Dead, asked)).expect("kept");
            assert_eq!(cache.verdict(&subject("https://a"), asked).expect("read").is_some(), found);
        }
    }
}
