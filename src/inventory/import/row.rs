//! One row of an export and how its fields are read. A field that cannot be used is as good as absent and leaves a remark;
//! only a row without what makes it a row is refused. No remark and no reason repeats a value: it may be a secret.

use std::cell::RefCell;

use serde_json::{Map, Value};

use super::place::Place;
use super::time::{self, Time};
use super::walk::Envelope;

/// The longest id, in bytes.
const LONGEST_ID: usize = 256;
/// The longest other text, in bytes.
const LONGEST_TEXT: usize = 1024;
/// The most entries of a list.
const MOST_ENTRIES: usize = 256;

/// One row.
pub(super) struct Row<'a> {
    /// Where it stands.
    pub(super) place: Place,
    /// Its fields.
    pub(super) fields: Map<String, Value>,
    /// What stands round it.
    pub(super) envelope: &'a Envelope,
    remarks: RefCell<Vec<String>>,
}

impl<'a> Row<'a> {
    /// Makes a row of its fields.
    pub(super) fn new(place: Place, fields: Map<String, Value>, envelope: &'a Envelope) -> Self {
        Self { place, fields, envelope, remarks: RefCell::default() }
    }

    /// Returns the value at a path; null is none.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Value> {
        within(&self.fields, path)
    }

    /// Whether there is anything at a path.
    pub(super) fn has(&self, path: &[&str]) -> bool {
        self.at(path).is_some()
    }

    /// Whether the text at a path is this one.
    pub(super) fn says(&self, path: &[&str], text: &str) -> bool {
        self.at(path).and_then(Value::as_str) == Some(text)
    }

    /// Returns an object at a path as a row of its own, at the same place.
    pub(super) fn part(&self, value: &Value) -> Option<Row<'a>> {
        let fields = value.as_object()?.clone();
        Some(Self { place: self.place, fields, envelope: self.envelope, remarks: RefCell::default() })
    }

    /// Adds the remarks of a part.
    pub(super) fn take_remarks(&self, part: &Row<'_>) {
        self.remarks.borrow_mut().append(&mut part.remarks.borrow_mut());
    }

    /// Says something of the row.
    pub(super) fn remark(&self, text: impl Into<String>) {
        let text = text.into();
        let mut remarks = self.remarks.borrow_mut();
        if !remarks.contains(&text) {
            remarks.push(text);
        }
    }

    /// Returns what was said of the row.
    pub(super) fn into_remarks(self) -> Vec<String> {
        self.remarks.into_inner()
    }

    /// Returns text or a number as text; empty text is none, and too long text leaves a remark.
    pub(super) fn text(&self, path: &[&str]) -> Option<String> {
        let text = plain(self.at(path)?)?;
        if text.len() > LONGEST_TEXT {
            self.remark(format!("{} is longer than {LONGEST_TEXT} bytes and is left out", path.join(".")));
            return None;
        }
        Some(text)
    }

    /// Returns an id at a path, where it is a usable one.
    pub(super) fn optional_id(&self, path: &[&str]) -> Option<String> {
        let id = plain(self.at(path)?)?;
        if is_id(&id) {
            return Some(id);
        }
        self.remark(format!("{} is no usable id and is left out", path.join(".")));
        None
    }

    /// Returns the id that makes it a row.
    ///
    /// # Errors
    /// Why it is refused.
    pub(super) fn id(&self, path: &[&str]) -> Result<String, String> {
        let name = path.join(".");
        let id = self.at(path).and_then(plain).ok_or_else(|| format!("has no {name}"))?;
        match is_id(&id) {
            true => Ok(id),
            false => {
                Err(format!("{name} is no usable id: at most {LONGEST_ID} bytes, no blanks and no control characters"))
            }
        }
    }

    /// Returns a yes or no, also where it is written as text.
    pub(super) fn flag(&self, path: &[&str]) -> Option<bool> {
        match self.at(path)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
            Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
            Value::Number(number) => {
                number.as_i64().filter(|number| *number == 0 || *number == 1).map(|number| number == 1)
            }
            _ => None,
        }
    }

    /// Returns a list of texts, also where it is one text with commas or blanks between them.
    pub(super) fn texts(&self, path: &[&str]) -> Vec<String> {
        let mut texts: Vec<String> = match self.at(path) {
            Some(Value::Array(entries)) => entries.iter().take(MOST_ENTRIES + 1).filter_map(plain).collect(),
            Some(Value::String(text)) => {
                let split = text.split([',', ' ']).map(str::trim).filter(|entry| !entry.is_empty());
                split.take(MOST_ENTRIES + 1).map(str::to_owned).collect()
            }
            _ => Vec::new(),
        };
        if texts.len() > MOST_ENTRIES {
            self.remark(format!("{} has more than {MOST_ENTRIES} entries; the first are kept", path.join(".")));
            texts.truncate(MOST_ENTRIES);
        }
        texts.retain(|text| text.len() <= LONGEST_TEXT);
        texts
    }

    /// Returns a time; one that is absurd leaves a remark, one that never comes is none.
    pub(super) fn time(&self, path: &[&str]) -> Option<String> {
        match self.read_time(path) {
            Time::At(text) => Some(text),
            Time::Never => None,
            Time::Absent | Time::Absurd => None,
        }
    }

    /// Returns when something ends, `never` where the provider says so by a number or a year.
    pub(super) fn expiry(&self, path: &[&str]) -> Option<String> {
        match self.read_time(path) {
            Time::At(text) => Some(text),
            Time::Never => Some("never".into()),
            Time::Absent | Time::Absurd => None,
        }
    }

    /// As [`Row::expiry`], for providers whose null means that it never ends: the field must be there.
    pub(super) fn expiry_or_never(&self, name: &str) -> Option<String> {
        match self.fields.get(name) {
            Some(Value::Null) => Some("never".into()),
            _ => self.expiry(&[name]),
        }
    }

    /// Returns when something was last used, for providers whose null means never: the field must be there.
    pub(super) fn last_use_or_never(&self, name: &str) -> Option<String> {
        match self.fields.get(name) {
            Some(Value::Null) => Some("never".into()),
            _ => self.expiry(&[name]),
        }
    }

    fn read_time(&self, path: &[&str]) -> Time {
        let time = time::read(self.at(path));
        if time == Time::Absurd {
            self.remark(format!("{} is no time of this age and is left out", path.join(".")));
        }
        time
    }

    /// Warns where a row holds the credential itself, as answers to its making do. The value is not kept.
    pub(super) fn warn_of_secret(&self, fields: &[&[&str]]) {
        for path in fields {
            if self.at(path).and_then(Value::as_str).is_some_and(|text| text.len() >= 16) {
                self.remark(format!(
                    "{} holds the credential itself; it is not kept here, but the file is as secret as it is: delete it",
                    path.join(".")
                ));
            }
        }
    }
}

/// Returns the value at a path within an object; null is none.
pub(super) fn within<'v>(fields: &'v Map<String, Value>, path: &[&str]) -> Option<&'v Value> {
    let (first, rest) = path.split_first()?;
    let value = rest.iter().try_fold(fields.get(*first)?, |value, name| value.get(*name))?;
    (!value.is_null()).then_some(value)
}

/// Returns text, or a number as text.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// Whether text can be an id.
pub(super) fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len()) && !text.chars().any(|character| character.is_control() || character == ' ')
}
