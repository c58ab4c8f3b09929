//! Gathers the claims of rows into batches: one for each account or container, every record once, with what was refused
//! and what the list says of its own end.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::batch::{Batch, Rank, Rejected, Remark};
use super::super::model::Coverage;
use super::super::times;
use super::claims::{Claims, Gathered};
use super::paging::says_more;
use super::place::Place;
use super::row::Row;
use super::walk::{Envelope, Visitor, walk};
use super::{ImportOptions, Kind, LONGEST_ROW, MOST_EVENTS, MOST_RECORDS, Reach, text};
use crate::error::{Error, Result};

/// How many refused rows, and how many remarks, are told one by one.
const MOST_TOLD: usize = 1000;

/// Gathers the rows of one file.
pub(super) struct Gatherer<'a> {
    kind: Kind,
    options: &'a ImportOptions,
    as_of: Option<String>,
    batches: BTreeMap<(String, String), Gathered>,
    rejected: Told<Rejected>,
    remarks: Told<Remark>,
    /// By what a page belongs to: whether its last page says that there are more.
    more: BTreeMap<String, bool>,
    whole: bool,
    records: usize,
    events: usize,
    passed_over: usize,
    /// A kind of which a refused row is.
    other: Option<Kind>,
}

/// A list of which the first entries are told and the others counted.
struct Told<T> {
    entries: Vec<T>,
    untold: usize,
}

impl<T> Told<T> {
    fn new() -> Self {
        Self { entries: Vec::new(), untold: 0 }
    }

    fn push(&mut self, entry: impl FnOnce() -> T) {
        match self.entries.len() < MOST_TOLD {
            true => self.entries.push(entry()),
            false => self.untold += 1,
        }
    }
}

impl<'a> Gatherer<'a> {
    /// Starts with nothing.
    pub(super) fn new(kind: Kind, options: &'a ImportOptions, as_of: Option<String>) -> Self {
        Self {
            kind,
            options,
            as_of,
            batches: BTreeMap::new(),
            rejected: Told::new(),
            remarks: Told::new(),
            more: BTreeMap::new(),
            whole: true,
            records: 0,
            events: 0,
            passed_over: 0,
            other: None,
        }
    }

    /// Reads all rows of a text.
    ///
    /// # Errors
    /// Too many records.
    pub(super) fn read(&mut self, text: &[u8]) -> Result<()> {
        walk(text, self.kind.format().lists, self)
    }

    /// Takes a row, whatever file it came from.
    ///
    /// # Errors
    /// Too many records.
    pub(super) fn take(&mut self, row: Row<'_>) -> Result<()> {
        let format = self.kind.format();
        if !(format.accepts)(&row) {
            self.refuse_foreign(&row);
            return Ok(());
        }
        match (format.read)(&row, self.options) {
            Ok(claims) => {
                let place = row.place;
                for text in row.into_remarks() {
                    self.remark(place.to_string(), text);
                }
                self.add(place, claims)
            }
            Err(reason) => {
                self.reject(row.place, reason);
                Ok(())
            }
        }
    }

    /// Says when the list was made, where the options do not.
    pub(super) fn made_at(&mut self, as_of: Option<String>) {
        self.as_of = self.as_of.take().or(as_of);
    }

    /// Refuses a row.
    pub(super) fn reject(&mut self, place: Place, reason: impl Into<String>) {
        self.whole = false;
        self.rejected.push(|| Rejected { place: place.to_string(), reason: reason.into() });
    }

    fn remark(&mut self, place: String, text: String) {
        self.remarks.push(|| Remark { place, text });
    }

    /// Refuses a row of another kind, and names that kind where it is known.
    fn refuse_foreign(&mut self, row: &Row<'_>) {
        let other = Kind::ALL.iter().copied().find(|kind| *kind != self.kind && (kind.format().accepts)(row));
        self.other = self.other.or(other);
        let reason = match other {
            Some(other) => format!("is of {other}, not of {}", self.kind),
            None if is_error(row) => "is the answer of a request that failed, not a list".into(),
            None => format!("has not the fields of {}", self.kind),
        };
        self.reject(row.place, reason);
    }

    fn add(&mut self, place: Place, claims: Claims) -> Result<()> {
        self.records += claims.records();
        self.events += claims.observations.len();
        if self.records > MOST_RECORDS {
            return Err(self.options.fault(format!(
                "holds more than {MOST_RECORDS} records; split it and import each part with --partial"
            )));
        }
        if self.events > MOST_EVENTS {
            return Err(self
                .options
                .fault(format!("holds more than {MOST_EVENTS} events; split it and import each part")));
        }
        if claims.records() + claims.observations.len() == 0 {
            self.passed_over += 1;
            return Ok(());
        }
        let key = (claims.account.clone().unwrap_or_default(), claims.container.clone().unwrap_or_default());
        let gathered = self.batches.entry(key).or_insert_with(|| Gathered::new(self.kind));
        let differing = gathered.add(claims, self.kind.is_log());
        for text in differing {
            self.remark(place.to_string(), text);
        }
        Ok(())
    }

    /// Ends the file.
    ///
    /// # Errors
    /// Not one usable row.
    pub(super) fn finish(mut self, text: &[u8]) -> Result<Vec<Batch>> {
        if self.batches.is_empty() {
            return Err(self.nothing_usable(text));
        }
        let complete = self.whole && !self.options.partial && !self.says_there_is_more();
        let as_of = self.as_of.take().unwrap_or_else(|| times::written(self.options.now));
        self.remark_on_list();
        let mut batches = Vec::with_capacity(self.batches.len());
        for ((account, container), gathered) in std::mem::take(&mut self.batches) {
            match self.kind.is_log() {
                true => batches.extend(self.ended_log(gathered.batch, &account, &as_of)),
                false => batches.push(self.ended_list(gathered.batch, &account, &container, &as_of, complete)),
            }
        }
        if let Some(first) = batches.first_mut() {
            first.rejected = self.rejected.entries;
            if self.rejected.untold > 0 {
                let reason = format!("{} more rows were refused", self.rejected.untold);
                first.rejected.push(Rejected { place: "list".into(), reason });
            }
            first.remarks = self.remarks.entries;
            if self.remarks.untold > 0 {
                let text = format!("there are {} more remarks", self.remarks.untold);
                first.remarks.push(Remark { place: "list".into(), text });
            }
        }
        Ok(batches)
    }

    fn says_there_is_more(&self) -> bool {
        self.more.values().any(|more| *more)
    }

    fn remark_on_list(&mut self) {
        let provider = self.kind.provider();
        let mut on_list = Vec::new();
        if self.says_there_is_more() {
            on_list.push(
                "the list says that there are more pages: it does not count as complete; put all pages into one file"
                    .into(),
            );
        }
        if self.kind.format().reach == Reach::List && self.batches.keys().any(|(account, _)| account.is_empty()) {
            on_list.push(format!(
                "no account is named, so it counts as the list of all accounts at {provider}; --account names one"
            ));
        }
        if self.passed_over > 0 {
            let what = if self.kind.is_log() { "events name no credential" } else { "rows are of other things" };
            on_list.push(format!("{} {what} and were passed over", self.passed_over));
        }
        for text in on_list {
            self.remark("list".into(), text);
        }
    }

    /// Names the source of a list and says what it covers.
    fn ended_list(&self, mut batch: Batch, account: &str, container: &str, as_of: &str, complete: bool) -> Batch {
        let listed: Vec<&str> = [account, container].into_iter().filter(|part| !part.is_empty()).collect();
        batch.source = [&[self.kind.name()], &listed[..]].concat().join("/");
        // Parts of a list stand side by side: none replaces another.
        if self.options.partial || self.says_there_is_more() {
            batch.source = format!("{}#{}", batch.source, self.options.file_name);
        }
        batch.as_of = as_of.to_owned();
        let reach = self.kind.format().reach;
        if reach != Reach::Cases {
            batch.coverage.push(Coverage {
                provider: self.kind.provider().into(),
                account: listed.join("/"),
                as_of: as_of.to_owned(),
                complete: complete && reach == Reach::List,
                source: self.options.file_name.clone(),
            });
        }
        batch
    }

    /// Parts a log into its events, which add up with those of other files, and the records that are made of them, which
    /// are of this file and as old as its last event.
    fn ended_log(&self, mut batch: Batch, account: &str, as_of: &str) -> Vec<Batch> {
        let listed: Vec<&str> = [self.kind.name(), account].into_iter().filter(|part| !part.is_empty()).collect();
        batch.source = listed.join("/");
        batch.as_of = as_of.to_owned();
        batch.observations.sort_by(|left, right| left.event.cmp(&right.event));
        batch.observations.dedup_by(|left, right| left.event == right.event);
        if batch.credentials.is_empty() {
            return vec![batch];
        }
        let last = batch.observations.iter().map(|seen| seen.at.as_str()).max().unwrap_or(as_of);
        let mut records = Batch::new(
            format!("{}#{}", batch.source, self.options.file_name),
            self.kind.name(),
            last.min(as_of),
            Rank::Imported,
        );
        records.people = std::mem::take(&mut batch.people);
        records.identities = std::mem::take(&mut batch.identities);
        records.credentials = std::mem::take(&mut batch.credentials);
        vec![batch, records]
    }

    fn nothing_usable(&self, text: &[u8]) -> Error {
        let kind = self.kind;
        let other = self.other.or_else(|| recognised(text).filter(|other| *other != kind));
        let reason = if let Some(other) = other {
            format!("looks like an export of {other}, not of {kind}; if it is, import it with --from {other}")
        } else if let Some(described) = text::described(text).filter(|_| self.passed_over == 0) {
            described.to_owned()
        } else if let Some(first) = self.rejected.entries.first() {
            format!("holds no usable row of {kind}; {}: {}", first.place, first.reason)
        } else if self.passed_over > 0 {
            format!("none of its {} rows names a credential or an identity", self.passed_over)
        } else {
            format!("holds no row of {kind}; an empty list is not imported")
        };
        self.options.fault(reason)
    }
}

impl Visitor for Gatherer<'_> {
    type Stop = Error;

    fn row(&mut self, place: Place, text: &[u8], envelope: &Envelope) -> Result<()> {
        if text.len() > LONGEST_ROW {
            self.reject(place, format!("is longer than {LONGEST_ROW} bytes"));
            return Ok(());
        }
        match serde_json::from_slice(text) {
            Ok(fields) => self.take(Row::new(place, fields, envelope)),
            Err(error) => {
                // The position within the row; the words of the parser name no value.
                self.reject(place, format!("is no well-formed JSON, {} bytes into the row", error.column()));
                Ok(())
            }
        }
    }

    fn page(&mut self, envelope: &Envelope) {
        let of = ["project", "UserName", "account", "org"].map(|name| envelope.get(name).map(Value::to_string));
        if let Some(more) = says_more(envelope) {
            let of = of.map(Option::unwrap_or_default).join(" ");
            match self.more.len() < MOST_TOLD || self.more.contains_key(&of) {
                true => drop(self.more.insert(of, more)),
                // Of so many lists, the end of each is no longer followed.
                false => self.whole &= !more,
            }
        }
    }

    fn fault(&mut self, place: Place, reason: &'static str) {
        self.reject(place, reason);
    }
}

/// Looks at the first rows of a text for those of any kind.
fn recognised(text: &[u8]) -> Option<Kind> {
    struct Look(Option<Kind>, usize);

    impl Visitor for Look {
        type Stop = ();

        fn row(&mut self, place: Place, text: &[u8], envelope: &Envelope) -> Result<(), ()> {
            self.1 += 1;
            if text.len() <= LONGEST_ROW
                && let Ok(fields) = serde_json::from_slice(text)
            {
                let row = Row::new(place, fields, envelope);
                self.0 = Kind::ALL.iter().copied().find(|kind| (kind.format().accepts)(&row));
            }
            if self.0.is_some() || self.1 > 100 { Err(()) } else { Ok(()) }
        }

        fn page(&mut self, _: &Envelope) {}

        fn fault(&mut self, _: Place, _: &'static str) {}
    }

    let mut lists: Vec<&'static str> = Kind::ALL.iter().flat_map(|kind| kind.format().lists).copied().collect();
    lists.sort_unstable();
    lists.dedup();
    let mut look = Look(None, 0);
    // It stops where it has seen enough.
    let _ = walk(text, &lists, &mut look);
    look.0
}

/// Whether a row is how providers say that a request failed.
fn is_error(row: &Row<'_>) -> bool {
    row.at(&["error"]).is_some_and(|error| error.is_object() || error.is_string())
        || row.has(&["errorCode"])
        || (row.has(&["message"]) && row.has(&["documentation_url"]))
}
