//! Lines of build logs: the time that stands before them, and the job, step or section that they belong to.
//!
//! GitHub Actions writes a time with seven digits of a second before each line, and `gh run view --log` job and step, with
//! tabs, before that; its steps begin with `##[group]Run`, those of Azure Pipelines with `##[section]Starting:`. GitLab
//! writes the stream behind the time and marks sections by `section_start:TIME:NAME`. Jenkins puts the time into brackets,
//! Buildkite into an escape; containers' logs have the stream behind it.

use std::ops::Range;

use super::text::Text;
use super::{Origin, time};
use crate::finding::{Context, SourceKind};

/// How far back the beginning of a step is looked for, in bytes.
const STEP_WITHIN: u64 = 1 << 20;
/// How much of a line is looked at.
const HEAD: usize = 1024;

/// What a line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The time before it.
    pub(super) at: Option<String>,
    /// Job, step or section.
    pub(super) place: Option<String>,
    /// Whether no other text has such a line.
    sure: bool,
}

/// Makes an origin of what a line says.
pub(super) fn origin(said: Said) -> Origin {
    let context = Context { ticket: said.place, by: None, at: said.at };
    Origin { source: SourceKind::Log, context: (context != Context::default()).then_some(context) }
}

/// Says what a line tells, if it is surely one of a build log, and so is one beside it.
pub(super) fn surely(steps: &mut Steps, text: &mut dyn Text, line: &Range<u64>, bytes: &[u8]) -> Option<Said> {
    if !prefix(bytes).sure {
        return None;
    }
    let before = line.start.checked_sub(1).map(|end| {
        let from = end.saturating_sub(HEAD as u64 * 4);
        let bytes = text.bytes(from, (end - from) as usize);
        let start = memchr::memrchr(b'\n', &bytes).map_or(0, |feed| feed + 1);
        // Of a longer line the beginning is not there.
        (start > 0 || from == 0) && prefix(&bytes[start..]).sure
    });
    let after = text.bytes(line.end + 1, HEAD).into_owned();
    let alone = before.is_none() && after.is_empty();
    (alone || before == Some(true) || prefix(&after).sure).then(|| said(steps, text, line, bytes))
}

/// Says what a line tells, and which step it belongs to.
pub(super) fn said(steps: &mut Steps, text: &mut dyn Text, line: &Range<u64>, bytes: &[u8]) -> Said {
    let said = prefix(bytes);
    steps.advance(text, line.start);
    let place = said.place.or_else(|| steps.open.clone());
    Said { place, ..said }
}

/// Reads what stands before the text of a line.
fn prefix(line: &[u8]) -> Said {
    let line = &line[..line.len().min(HEAD)];
    let end = memchr::memchr(b'\n', line).unwrap_or(line.len());
    let line = line[..end].strip_prefix(b"\xef\xbb\xbf").unwrap_or(&line[..end]);
    if let Some(at) = buildkite(line) {
        return Said { at: Some(at), place: None, sure: true };
    }
    let mut tabs = line.splitn(3, |byte| *byte == b'\t');
    if let (Some(job), Some(step), Some(rest)) = (tabs.next(), tabs.next(), tabs.next())
        && let Some((at, _, digits)) = leading_time(rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest))
    {
        let place = [job, step].map(|part| String::from_utf8_lossy(part).trim().to_owned()).join(" / ");
        return Said { at: Some(at), place: Some(place), sure: digits == 7 };
    }
    if let Some(inside) = line.strip_prefix(b"[")
        && let Some((at, rest, _)) = leading_time(inside)
    {
        return Said { at: Some(at), place: None, sure: rest.starts_with(b"]") };
    }
    match leading_time(line) {
        Some((at, rest, digits)) => Said { at: Some(at), place: None, sure: digits == 7 || has_stream(rest) },
        None => Said::default(),
    }
}

/// The time of `ESC _bk;t=MILLISECONDS BEL`.
fn buildkite(line: &[u8]) -> Option<String> {
    let rest = line.strip_prefix(b"\x1b_bk;t=")?;
    let digits = std::str::from_utf8(&rest[..memchr::memchr(7, rest)?]).ok()?;
    time::since_1970(digits.parse().ok()?)
}

/// Whether the stream of a container's log or of GitLab's stands behind the time: ` stdout F `, ` 00O `.
fn has_stream(rest: &[u8]) -> bool {
    let Some(rest) = rest.strip_prefix(b" ") else { return false };
    let named = [&b"stdout "[..], b"stderr "].into_iter().find_map(|name| rest.strip_prefix(name));
    let of_container = matches!(named, Some([b'F' | b'P', b' ', ..]));
    let of_gitlab = matches!(rest, [first, second, b'O' | b'E', b' ' | b'+', ..]
        if first.is_ascii_hexdigit() && second.is_ascii_hexdigit());
    of_container || of_gitlab
}

/// Reads a time at the beginning, in RFC 3339; returns it, what follows, and how many digits of a second it has.
fn leading_time(line: &[u8]) -> Option<(String, &[u8], usize)> {
    if !matches!(line, [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', b'-', ..]) {
        return None;
    }
    let length =
        line.iter().take(40).position(|byte| matches!(byte, b' ' | b']' | b'\t' | b'\r')).unwrap_or(line.len());
    let text = std::str::from_utf8(line.get(..length.min(40))?).ok()?;
    let digits = text.split_once('.').map_or(0, |(_, rest)| rest.bytes().take_while(u8::is_ascii_digit).count());
    // A time alone has a zone, else it could be any of a day; a date alone is none.
    Some((text.contains('T').then(|| time::written(text))??, &line[length..], digits))
}

/// The steps of a log, followed from one hit to the next.
#[derive(Default)]
pub(super) struct Steps {
    /// How far the log was read.
    upto: u64,
    /// The step that is open there.
    open: Option<String>,
}

/// What begins and ends steps.
const MARKS: [&[u8]; 5] =
    [b"##[group]Run ", b"##[section]Starting: ", b"section_start:", b"##[section]Finishing: ", b"section_end:"];
/// How many of those begin one.
const BEGINNINGS: usize = 3;

impl Steps {
    /// Reads on to a place; of what lies far before it nothing is known.
    fn advance(&mut self, text: &mut dyn Text, to: u64) {
        let from = self.upto.max(to.saturating_sub(STEP_WITHIN)).min(to);
        if from > self.upto {
            self.open = None;
        }
        let bytes = text.bytes(from, (to - from) as usize);
        let mut marks: Vec<(usize, usize)> = Vec::new();
        for (number, mark) in MARKS.iter().enumerate() {
            marks.extend(memchr::memmem::find_iter(&bytes, mark).map(|at| (at, number)));
        }
        marks.sort_unstable();
        for (at, number) in marks {
            let name = step_name(&bytes[at + MARKS[number].len()..], MARKS[number].starts_with(b"section_"));
            if number < BEGINNINGS {
                self.open = name;
            } else if name == self.open {
                self.open = None;
            }
        }
        self.upto = to;
    }
}

/// The name of a step behind its mark: the rest of the line, or what stands in `TIME:NAME[OPTION=VALUE]`.
fn step_name(rest: &[u8], is_section: bool) -> Option<String> {
    let rest = &rest[..rest.len().min(HEAD)];
    let end = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len());
    let line = String::from_utf8_lossy(&rest[..end]);
    let name = if is_section { line.split_once(':')?.1.split('[').next()? } else { &line };
    Some(name.trim().to_owned())
}
