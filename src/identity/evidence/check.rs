//! Whether a record of events is what was written: finds events that were edited, cut out or put into another order.
//!
//! What it cannot find by itself is a record that was written anew from some event on to its end, or whose last events were
//! cut off: for that it needs the hash of the last event as someone else kept it.

use std::collections::HashMap;
use std::io::{self, BufRead, Read as _};

use super::event::{Event, FIRST_PREVIOUS, MOST_BYTES};

/// How many faults are told one by one.
const MOST_FAULTS: usize = 20;

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line, counted from 1, or the place among the events of a store.
    pub place: u64,
    /// What sort of fault.
    pub sort: FaultSort,
    /// In words.
    pub text: String,
}

/// What sort of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultSort {
    /// The event is not what was written.
    Edited,
    /// Events are missing before this place, or after it where it is the last.
    Cut,
    /// The event stands where it was not written.
    Reordered,
    /// The line is no event.
    Unreadable,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// How many events were read.
    pub events: u64,
    /// The number of the first event; 0 where there is none.
    pub first: u64,
    /// The number of the last event.
    pub last: u64,
    /// The hash of the last event, to be kept elsewhere; [`FIRST_PREVIOUS`] where there is none.
    pub head: String,
    /// What is wrong, the first faults.
    pub faults: Vec<Fault>,
    /// How many further faults there are.
    pub more_faults: u64,
    /// Where the hash stands that was kept elsewhere; `None` where none was named.
    pub kept: Option<Kept>,
}

/// Where the hash stands that was kept elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is that of the last event.
    Last,
    /// So many events were added after it, as is usual.
    Earlier(u64),
    /// Nowhere.
    Missing,
}

impl Verdict {
    /// Whether nothing is wrong.
    pub fn is_whole(&self) -> bool {
        self.faults.is_empty()
    }
}

/// What the reader knows of the record beforehand.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The hash of the last event, as someone kept it.
    pub head: Option<String>,
    /// Where an excerpt begins: the number of its first event and the hash before it.
    pub begins: Option<(u64, String)>,
    /// Whether names were replaced, so that no hash can be reckoned and only the chain itself is looked at.
    pub pseudonyms: bool,
}

/// Checks events that were read from a store.
pub fn check(events: &[Event], known: &Known) -> Verdict {
    let mut checker = Checker::new(known);
    for (event, place) in events.iter().zip(1..) {
        checker.event(place, event);
    }
    checker.end()
}

/// Checks a file of events, a line at a time.
///
/// # Errors
/// What the reader says.
pub fn check_lines(input: &mut dyn BufRead, known: &Known) -> io::Result<Verdict> {
    let mut checker = Checker::new(known);
    let mut line = Vec::new();
    for place in 1.. {
        line.clear();
        if (&mut *input).take(MOST_BYTES as u64 + 2).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let ended = line.ends_with(b"\n");
        if !ended && line.len() > MOST_BYTES {
            checker.fault(place, FaultSort::Unreadable, format!("the line is longer than {MOST_BYTES} bytes"));
            break;
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        checker.line(place, text);
        if !ended {
            checker.fault(place, FaultSort::Cut, "the last line has no end: the file was cut off in it".into());
        }
    }
    Ok(checker.end())
}

/// The state of a check between two events.
struct Checker<'a> {
    known: &'a Known,
    verdict: Verdict,
    /// The number and hash of the event before, as the record has them.
    before: Option<(u64, String)>,
    /// Where each hash was seen, so that an event that was moved can be told from one that was cut out.
    seen: HashMap<[u8; 32], u64>,
    /// Gaps that wait for the end: an event that was moved forward shows up later.
    gaps: Vec<Gap>,
}

/// A place where the event before is not the one that the event names.
struct Gap {
    place: u64,
    seq: u64,
    before: u64,
    prev: String,
}

impl<'a> Checker<'a> {
    fn new(known: &'a Known) -> Self {
        let head = FIRST_PREVIOUS.to_owned();
        let verdict = Verdict { events: 0, first: 0, last: 0, head, faults: Vec::new(), more_faults: 0, kept: None };
        Self { known, verdict, before: None, seen: HashMap::new(), gaps: Vec::new() }
    }

    fn fault(&mut self, place: u64, sort: FaultSort, text: String) {
        if self.verdict.faults.len() < MOST_FAULTS {
            self.verdict.faults.push(Fault { place, sort, text });
        } else {
            self.verdict.more_faults += 1;
        }
    }

    fn line(&mut self, place: u64, text: &[u8]) {
        match serde_json::from_slice::<Event>(text) {
            Ok(event) => {
                // JSON can say one thing in many ways, and a double key hides one value behind another.
                if event.line().as_bytes() != text {
                    self.fault(
                        place,
                        FaultSort::Edited,
                        format!("event {} is not in the form it was written in", event.seq),
                    );
                }
                self.event(place, &event);
            }
            Err(error) => {
                self.fault(place, FaultSort::Unreadable, format!("is no event ({})", kind_of(&error)));
            }
        }
    }

    fn event(&mut self, place: u64, event: &Event) {
        let seq = event.seq;
        if !self.known.pseudonyms && event.reckoned_hash() != event.hash {
            self.fault(place, FaultSort::Edited, format!("event {seq} was edited: its hash does not fit what it says"));
        }
        match &self.before {
            None => self.beginning(place, event),
            Some((before, hash)) if *hash != event.prev || before.checked_add(1) != Some(seq) => {
                self.gaps.push(Gap { place, seq, before: *before, prev: event.prev.clone() });
            }
            Some(_) => {}
        }
        if let Some(earlier) = self.seen.insert(name_of(&event.hash), place) {
            self.fault(place, FaultSort::Reordered, format!("event {seq} stands here and at {earlier}"));
        }
        self.verdict.events += 1;
        if self.verdict.events == 1 {
            self.verdict.first = seq;
        }
        (self.verdict.last, self.verdict.head) = (seq, event.hash.clone());
        self.before = Some((seq, event.hash.clone()));
    }

    /// The first event must be the first of all, or the one that an excerpt says it begins with.
    fn beginning(&mut self, place: u64, event: &Event) {
        let whole = (1, FIRST_PREVIOUS.to_owned());
        let (seq, prev) = self.known.begins.as_ref().unwrap_or(&whole);
        if event.seq > *seq {
            let text = format!("events {seq} to {} are missing at the beginning", event.seq - 1);
            self.fault(place, FaultSort::Cut, text);
        } else if event.seq < *seq || event.prev != *prev {
            let text =
                format!("event {} does not begin the record: what came before it is not what it names", event.seq);
            self.fault(place, FaultSort::Edited, text);
        }
    }

    fn end(mut self) -> Verdict {
        for gap in std::mem::take(&mut self.gaps) {
            let (sort, text) = self.explained(&gap);
            self.fault(gap.place, sort, text);
        }
        if let Some(kept) = &self.known.head {
            let kept = kept.trim().to_ascii_lowercase();
            let place = self.seen.get(&name_of(&kept)).copied();
            self.verdict.kept = Some(match place {
                Some(place) if place == self.verdict.events => Kept::Last,
                Some(place) => Kept::Earlier(self.verdict.events.saturating_sub(place)),
                None => Kept::Missing,
            });
            if place.is_none() {
                let text = "the hash that was kept is not in the record: its end was cut off, or it was written anew";
                self.fault(self.verdict.events, FaultSort::Cut, text.into());
            }
        }
        self.verdict.faults.sort_by_key(|fault| fault.place);
        self.verdict
    }

    /// Says what a place without connection means, now that all events were seen.
    fn explained(&self, gap: &Gap) -> (FaultSort, String) {
        let Gap { seq, before, .. } = gap;
        if *seq <= *before || self.seen.contains_key(&name_of(&gap.prev)) {
            return (FaultSort::Reordered, format!("event {seq} stands after event {before}: the order was changed"));
        }
        if *seq > before.saturating_add(1) {
            let missing = match seq - before {
                2 => format!("event {} is missing", before + 1),
                _ => format!("events {} to {} are missing", before + 1, seq - 1),
            };
            return (FaultSort::Cut, format!("{missing} before event {seq}"));
        }
        (
            FaultSort::Edited,
            format!("event {seq} does not follow event {before}: one of the two was edited or replaced"),
        )
    }
}

/// A hash as it is looked up: whatever text a hostile file has there, it takes 32 bytes.
fn name_of(hash: &str) -> [u8; 32] {
    *blake3::hash(hash.as_bytes()).as_bytes()
}

fn kind_of(error: &serde_json::Error) -> &'static str {
    match error.classify() {
        serde_json::error::Category::Eof => "it breaks off in the middle",
        serde_json::error::Category::Syntax => "it is not JSON",
        _ => "its fields are not those of an event",
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    /// A record of so many events.
    fn record(length: u64) -> Vec<Event> {
        let mut events: Vec<Event> = Vec::new();
        for number in 0..length {
            let (last, prev) = events.last().map_or((0, FIRST_PREVIOUS), |event| (event.seq, &event.hash));
            let now = Timestamp::from_second(1_700_000_000 + number as i64).expect("a time");
            let data = json!({ "number": number });
            events.push(Event::following(last, prev, now, "ana", "scan-done", "web", data));
        }
        events
    }

    fn text(events: &[Event]) -> String {
        events.iter().map(|event| event.line() + "\n").collect()
    }

    fn lines(text: &str, known: &Known) -> Verdict {
        check_lines(&mut text.as_bytes(), known).expect("text in memory")
    }

    fn sorts(verdict: &Verdict) -> Vec<(u64, FaultSort)> {
        verdict.faults.iter().map(|fault| (fault.place, fault.sort)).collect()
    }

    #[test]
    fn what_was_written_is_whole_and_its_last_hash_is_told() {
        let events = record(5);
        let verdict = check(&events, &Known::default());
        assert!(verdict.is_whole(), "{verdict:?}");
        assert_eq!((verdict.events, verdict.first, verdict.last), (5, 1, 5));
        assert_eq!(verdict.head, events[4].hash);
        assert_eq!(lines(&text(&events), &Known::default()), verdict);
        assert!(check(&[], &Known::default()).is_whole());
    }

    #[test]
    fn an_edit_of_any_field_is_found() {
        let edits: [fn(&mut Event); 6] = [
            |event| event.time = "2020-01-01T00:00:00Z".into(),
            |event| event.actor = "eve".into(),
            |event| event.action = "link-rejected".into(),
            |event| event.subject = "other".into(),
            |event| event.data = json!({"number": 7}),
            |event| event.hash = FIRST_PREVIOUS.into(),
        ];
        for edit in edits {
            let mut events = record(4);
            edit(&mut events[1]);
            let verdict = check(&events, &Known::default());
            assert_eq!(sorts(&verdict)[0], (2, FaultSort::Edited), "{verdict:?}");
        }
    }

    #[test]
    fn an_edit_with_a_new_hash_breaks_the_chain_behind_it() {
        let mut events = record(4);
        events[1].actor = "eve".into();
        events[1].hash = events[1].reckoned_hash();
        assert_eq!(sorts(&check(&events, &Known::default())), [(3, FaultSort::Edited)]);
    }

    #[test]
    fn a_line_that_says_the_same_in_another_form_is_an_edit() {
        let good = text(&record(2));
        let spaced = good.replacen("\"actor\":", "\"actor\": ", 1);
        assert_eq!(sorts(&lines(&spaced, &Known::default())), [(1, FaultSort::Edited)]);
        let doubled = good.replacen("{\"number\":0}", "{\"number\":9,\"number\":0}", 1);
        assert_ne!(good, doubled);
        assert_eq!(sorts(&lines(&doubled, &Known::default())), [(1, FaultSort::Edited)]);
    }

    #[test]
    fn cuts_are_found_in_the_middle_and_at_the_beginning() {
        let mut events = record(6);
        events.drain(2..4);
        let verdict = check(&events, &Known::default());
        assert_eq!(sorts(&verdict), [(3, FaultSort::Cut)]);
        assert!(verdict.faults[0].text.starts_with("events 3 to 4 are missing"), "{verdict:?}");
        assert_eq!(sorts(&check(&record(4)[2..], &Known::default())), [(1, FaultSort::Cut)]);
    }

    #[test]
    fn a_cut_at_the_end_is_found_with_the_hash_that_was_kept() {
        let events = record(4);
        let known = |hash: &str| Known { head: Some(hash.to_owned()), ..Known::default() };
        assert!(check(&events[..3], &Known::default()).is_whole());
        assert_eq!(sorts(&check(&events[..3], &known(&events[3].hash))), [(3, FaultSort::Cut)]);
        assert_eq!(check(&events, &known(&events[3].hash)).kept, Some(Kept::Last));
        let later = check(&events, &known(&events[1].hash));
        assert!(later.is_whole());
        assert_eq!(later.kept, Some(Kept::Earlier(2)));
    }

    #[test]
    fn another_order_and_a_double_are_found() {
        let mut events = record(5);
        events.swap(1, 2);
        let verdict = check(&events, &Known::default());
        assert!(
            !verdict.is_whole() && verdict.faults.iter().all(|fault| fault.sort == FaultSort::Reordered),
            "{verdict:?}"
        );
        let mut events = record(3);
        events.insert(2, events[1].clone());
        assert!(sorts(&check(&events, &Known::default())).contains(&(3, FaultSort::Reordered)));
    }

    #[test]
    fn a_record_written_anew_is_seen_only_with_the_hash_that_was_kept() {
        let kept = record(3)[2].hash.clone();
        let mut events: Vec<Event> = Vec::new();
        for old in record(3) {
            let (last, prev) = events.last().map_or((0, FIRST_PREVIOUS), |event| (event.seq, &event.hash));
            let now = old.time.parse().expect("a time");
            events.push(Event::following(last, prev, now, "eve", &old.action, &old.subject, old.data));
        }
        assert!(check(&events, &Known::default()).is_whole());
        assert_eq!(check(&events, &Known { head: Some(kept), ..Known::default() }).kept, Some(Kept::Missing));
    }

    #[test]
    fn an_excerpt_begins_where_it_says() {
        let events = record(6);
        let known = |seq, prev: &str| Known { begins: Some((seq, prev.to_owned())), ..Known::default() };
        assert!(check(&events[2..], &known(3, &events[1].hash)).is_whole());
        assert_eq!(sorts(&check(&events[3..], &known(3, &events[1].hash))), [(1, FaultSort::Cut)]);
        assert_eq!(sorts(&check(&events[2..], &known(3, &events[0].hash))), [(1, FaultSort::Edited)]);
    }

    #[test]
    fn broken_and_endless_lines_are_told_and_end() {
        let good = text(&record(3));
        let cut = &good[..good.len() - 30];
        let verdict = lines(cut, &Known::default());
        assert_eq!(sorts(&verdict), [(3, FaultSort::Unreadable), (3, FaultSort::Cut)]);
        let endless = "x".repeat(3 * MOST_BYTES);
        assert_eq!(sorts(&lines(&endless, &Known::default())), [(1, FaultSort::Unreadable)]);
        let noise = "{}\n".repeat(100);
        let verdict = lines(&noise, &Known::default());
        assert_eq!((verdict.faults.len(), verdict.more_faults), (MOST_FAULTS, 80));
    }
}
