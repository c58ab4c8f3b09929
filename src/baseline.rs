//! Known credentials: a file that people keep beside their code and review, with the reason and the expiry of each.
//!
//! An entry names one credential by its keyed fingerprint, wherever it stands: it hides no other one on the same line, and
//! it goes on hiding where the line moves. The file holds no secret. What the entries of a file do to a scan, the command
//! line decides; nothing here knows where the file lies or who named it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::{Error, Result};
use crate::finding::Finding;
use crate::identity::policy::day;
use crate::report::{escape, output};
use crate::secret::{self, FingerprintKey};

/// The schema name of a baseline.
pub const SCHEMA: &str = "credtrace/baseline/1";

/// The largest file that is read, in bytes: room for some hundred thousand entries.
const LARGEST: u64 = 64 << 20;

/// What stands above the entries.
const HEAD: &str = "\
# Known credentials: a scan with --baseline does not report these, each until the end of the day on which it expires.
# `credtrace scan --update-baseline` adds, `credtrace baseline prune` removes; comments of your own are not kept.
";

/// A known credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The keyed fingerprint: `b3k1:<key id>:<digits>`.
    pub fingerprint: String,
    /// The id of the detector that found it, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub detector: Option<String>,
    /// Its redacted form, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub redacted: Option<String>,
    /// Why it is known and not reported.
    pub reason: String,
    /// Who added it.
    pub added_by: String,
    /// When it was added.
    #[serde(deserialize_with = "day", serialize_with = "text")]
    pub added: Date,
    /// The last day on which it hides; without one it hides for good.
    #[serde(
        deserialize_with = "some_day",
        serialize_with = "some_text",
        skip_serializing_if = "Option::is_none",
        default
    )]
    pub expires: Option<Date>,
}

fn some_day<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Date>, D::Error> {
    day(deserializer).map(Some)
}

fn text<S: Serializer>(date: &Date, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(date)
}

fn some_text<S: Serializer>(date: &Option<Date>, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(&date.unwrap_or_default())
}

impl Entry {
    /// An entry of today for a credential of which the fingerprint alone is known. Line breaks and what acts on a terminal
    /// are taken out of the reason: the file is read in reviews.
    pub fn new(fingerprint: &str, reason: &str, added_by: &str, today: Date) -> Self {
        let one_line = |text: &str| {
            let words: Vec<&str> = text.split_whitespace().collect();
            escape::terminal(&words.join(" ")).into_owned()
        };
        Self {
            fingerprint: fingerprint.to_owned(),
            detector: None,
            redacted: None,
            reason: one_line(reason),
            added_by: one_line(added_by),
            added: today,
            expires: None,
        }
    }

    /// Adds what a finding says of the credential.
    #[must_use]
    pub fn describing(self, finding: &Finding) -> Self {
        Self { detector: Some(finding.detector.clone()), redacted: Some(finding.redacted.clone()), ..self }
    }

    /// Whether it hides no longer.
    pub fn is_expired(&self, today: Date) -> bool {
        self.expires.is_some_and(|last| last < today)
    }
}

/// What a file says.
#[derive(Debug, Default, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    schema: String,
    #[serde(default)]
    credential: Vec<Entry>,
}

/// Known credentials, one entry each.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Baseline {
    entries: BTreeMap<String, Entry>,
}

impl Baseline {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that is missing, cannot be read, is too large or says something that is not understood, with its line.
    pub fn read(path: &Path) -> Result<Self> {
        let mut text = String::new();
        let file = std::fs::File::open(path).map_err(Error::io(path))?;
        file.take(LARGEST + 1).read_to_string(&mut text).map_err(Error::io(path))?;
        if text.len() as u64 > LARGEST {
            return Err(refused(path, &format!("is larger than {} MiB, which no baseline is", LARGEST >> 20)));
        }
        Self::parse(&text).map_err(|reason| refused(path, &reason))
    }

    /// Reads a file; one that is not there holds nothing.
    ///
    /// # Errors
    /// As [`Baseline::read`].
    pub fn read_or_empty(path: &Path) -> Result<Self> {
        match Self::read(path) {
            Err(Error::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            read => read,
        }
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// What is wrong with it and on which line.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            format!("line {line}: {}", error.message().replace('\n', " "))
        })?;
        if written.schema != SCHEMA {
            return Err(format!("is of another version ({:?}); this program reads {SCHEMA:?}", written.schema));
        }
        let mut baseline = Self::default();
        for entry in written.credential {
            let fingerprint = &entry.fingerprint;
            if secret::key_of(fingerprint).is_none() {
                return Err(format!("{fingerprint:?} is no fingerprint (b3k1:k1-...:...)"));
            }
            if entry.reason.trim().is_empty() {
                return Err(format!("the entry of {fingerprint} has no reason"));
            }
            // Which of the two was meant, with which expiry, nobody can say.
            if let Some(twice) = baseline.entries.insert(fingerprint.clone(), entry) {
                return Err(format!("{} stands there twice; keep one of the two entries", twice.fingerprint));
            }
        }
        Ok(baseline)
    }

    /// Writes the file, whole or not at all.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        output::write_whole(path, false, |output| output.write_all(self.text().as_bytes()))
    }

    /// Returns the text of the file: sorted, so that equal contents are equal files and a change is a change of its lines.
    pub fn text(&self) -> String {
        let mut text = format!("{HEAD}schema = \"{SCHEMA}\"\n");
        for entry in self.entries() {
            text.push_str("\n[[credential]]\n");
            let fields = [
                ("fingerprint", Some(&entry.fingerprint)),
                ("detector", entry.detector.as_ref()),
                ("redacted", entry.redacted.as_ref()),
                ("reason", Some(&entry.reason)),
                ("added_by", Some(&entry.added_by)),
            ];
            for (name, value) in fields {
                if let Some(value) = value {
                    let _ = writeln!(text, "{name} = {}", toml::Value::String(value.clone()));
                }
            }
            for (name, date) in [("added", Some(entry.added)), ("expires", entry.expires)] {
                if let Some(date) = date {
                    let _ = writeln!(text, "{name} = {date}");
                }
            }
        }
        text
    }

    /// Returns the entries, by detector and then by fingerprint.
    pub fn entries(&self) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = self.entries.values().collect();
        entries.sort_by_key(|entry| (&entry.detector, &entry.fingerprint));
        entries
    }

    /// Returns the entry of a credential, whether it is expired or not.
    pub fn get(&self, fingerprint: &str) -> Option<&Entry> {
        self.entries.get(fingerprint)
    }

    /// Whether a credential is not to be reported on a day.
    pub fn hides(&self, fingerprint: &str, today: Date) -> bool {
        self.get(fingerprint).is_some_and(|entry| !entry.is_expired(today))
    }

    /// Adds an entry, in place of an older one of the same credential.
    pub fn put(&mut self, entry: Entry) {
        self.entries.insert(entry.fingerprint.clone(), entry);
    }

    /// Removes the entries that do not pass.
    pub fn retain(&mut self, mut keep: impl FnMut(&Entry) -> bool) {
        self.entries.retain(|_, entry| keep(entry));
    }

    /// Checks that the entries were made under a key. Under another one nothing would be recognised, and a scan would
    /// report everything without a word about why.
    ///
    /// # Errors
    /// The first entry of another key, and what to do.
    pub fn check_key(&self, path: &Path, key: &FingerprintKey) -> Result<()> {
        let other = self.entries.keys().filter_map(|known| secret::key_of(known)).find(|id| *id != key.id());
        let Some(other) = other else { return Ok(()) };
        let have = match key.id() {
            "ephemeral" => "there is no key here but one for this run alone".to_owned(),
            id => format!("the key here is {id}"),
        };
        Err(refused(
            path,
            &format!(
                "its fingerprints were made under the key {other}, and {have}, so nothing would be recognised; give the \
                 same key to everyone who uses the file, in CREDTRACE_FINGERPRINT_KEY or with --fingerprint-key-file \
                 (where the file was made, the key is fingerprint.key in $CREDTRACE_HOME)"
            ),
        ))
    }
}

fn refused(path: &Path, reason: &str) -> Error {
    Error::UnusableTarget { path: path.to_owned(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day_of(text: &str) -> Date {
        text.parse().expect("a day")
    }

    fn fingerprint(digit: char) -> String {
        format!("b3k1:k1-00aa11bb:{}", String::from(digit).repeat(32))
    }

    fn entry(digit: char) -> Entry {
        Entry::new(&fingerprint(digit), "known since\nlong ago", "ana", day_of("2026-11-22"))
    }

    #[test]
    fn what_is_written_is_read_again_and_does_not_depend_on_the_order_of_adding() {
        let (mut one, mut other) = (Baseline::default(), Baseline::default());
        let hostile = Entry {
            reason: "quotes \" ' ''' and \\ and \u{202e} and # and ]".into(),
            expires: Some(day_of("2027-01-31")),
            detector: Some("a\nb".into()),
            ..entry('b')
        };
        for new in [entry('c'), hostile.clone(), entry('a')] {
            one.put(new);
        }
        for new in [entry('a'), entry('c'), hostile] {
            other.put(new);
        }
        assert_eq!(one.text(), other.text());
        assert_eq!(Baseline::parse(&one.text()).expect("read"), one);
        assert_eq!(one.get(&fingerprint('a')).expect("there").reason, "known since long ago");
        assert_eq!(entry('a').reason.lines().count(), 1);
    }

    #[test]
    fn an_entry_hides_to_the_end_of_its_last_day_and_nothing_else() {
        let mut baseline = Baseline::default();
        baseline.put(Entry { expires: Some(day_of("2026-12-01")), ..entry('a') });
        assert!(baseline.hides(&fingerprint('a'), day_of("2026-12-01")));
        assert!(!baseline.hides(&fingerprint('a'), day_of("2026-12-02")));
        assert!(!baseline.hides(&fingerprint('b'), day_of("2026-12-01")));
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_place() {
        let text = |entry: &str| format!("schema = \"{SCHEMA}\"\n[[credential]]\n{entry}");
        let whole =
            format!("fingerprint = \"{}\"\nreason = \"x\"\nadded_by = \"a\"\nadded = 2026-01-01\n", fingerprint('a'));
        assert!(Baseline::parse(&text(&whole)).is_ok());
        for (fault, told) in [
            (text(&whole.replace("reason = \"x\"", "reason = \" \"")), "no reason"),
            (text(&whole.replace("b3k1:", "sha1:")), "no fingerprint"),
            (text(&whole.replace("2026-01-01", "2026-02-31")), "line 6"),
            (text(&(whole.clone() + "paths = [\"**\"]\n")), "paths"),
            (text(&format!("{whole}[[credential]]\n{whole}")), "twice"),
            (text(&whole).replace("baseline/1", "baseline/2"), "another version"),
            (whole, "schema"),
            (String::new(), "schema"),
        ] {
            let refused = Baseline::parse(&fault).expect_err(&fault);
            assert!(refused.contains(told), "{refused}");
        }
    }

    #[test]
    fn entries_of_another_key_are_a_fault_that_says_what_to_do() {
        let key = FingerprintKey::from_hex(&"0b".repeat(32)).expect("a key");
        let path = Path::new("known.toml");
        let mut baseline = Baseline::default();
        assert!(baseline.check_key(path, &FingerprintKey::ephemeral().expect("a key")).is_ok());
        baseline.put(Entry { fingerprint: key.write(&key.fingerprint(b"a")), ..entry('a') });
        assert!(baseline.check_key(path, &key).is_ok());
        for other in [FingerprintKey::from_hex(&"0c".repeat(32)), FingerprintKey::ephemeral()] {
            let error = baseline.check_key(path, &other.expect("a key")).expect_err("another key").to_string();
            assert!(error.contains(key.id()) && error.contains("CREDTRACE_FINGERPRINT_KEY"), "{error}");
        }
    }
}
