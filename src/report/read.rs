//! Reads reports back, in JSON and JSONL, one part at a time: what is held at once is one finding, however long the report.
//!
//! A report may come from anywhere, so nothing of it is believed but its form: its schema and version, the form of its
//! fingerprints, a bound on each line. Its texts are as hostile as those of a scanned source, and the formats escape them.

use std::borrow::Cow;
use std::io::{BufRead, Read as _};

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::finding::{FINDING_SCHEMA, Finding, SUMMARY_SCHEMA, Summary};
use crate::secret;

/// The longest line of JSONL, in bytes: a finding with some hundred thousand places.
const LONGEST_LINE: u64 = 64 << 20;

/// How many bytes tell the two forms apart.
const START: u64 = 64;

/// A part of a report.
#[derive(Debug)]
pub enum Part {
    /// A finding.
    Finding(Box<Finding>),
    /// The summary, which ends a report. Reports that were put into one file have one each.
    Summary(Box<Summary>),
}

/// Takes the parts of a report; the fault that it returns ends the reading.
pub type Sink<'a> = dyn FnMut(Part) -> Result<(), String> + 'a;

/// Reads a report. Returns why it is not whole where it breaks off: what came before has been handed on.
///
/// # Errors
/// What is no report, or one of another version; what the sink says.
pub fn read(mut input: impl BufRead, sink: &mut Sink<'_>) -> Result<Option<String>, String> {
    // A pipe may give a byte at a time.
    let mut start = Vec::new();
    input.by_ref().take(START).read_to_end(&mut start).map_err(|error| error.to_string())?;
    if start.trim_ascii().is_empty() && (start.len() as u64) < START {
        return Err("is empty; a report has a summary at least".into());
    }
    let document = is_document(&start);
    let input = std::io::Cursor::new(start).chain(input);
    match document {
        true => read_document(input, sink),
        false => read_lines(input, sink),
    }
}

/// Whether a text begins as the JSON form does; a line of JSONL has other fields.
fn is_document(start: &[u8]) -> bool {
    let after = |text: &[u8], sign: &[u8]| text.strip_prefix(sign).map(|rest| rest.trim_ascii_start().to_vec());
    let field = after(start.trim_ascii_start(), b"{").unwrap_or_default();
    // A summary has a field of the first name, too, but a number in it.
    let list = after(&field, b"\"findings\"").and_then(|rest| after(&rest, b":")).unwrap_or_default();
    list.starts_with(b"[") || field.starts_with(b"\"summary\"")
}

fn read_lines(mut input: impl BufRead, sink: &mut Sink<'_>) -> Result<Option<String>, String> {
    let mut line = Vec::new();
    let mut open = true;
    for number in 1_u64.. {
        line.clear();
        let length =
            input.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut line).map_err(|error| error.to_string())?;
        if length == 0 {
            break;
        }
        if length as u64 > LONGEST_LINE {
            return Err(format!("line {number} is longer than {} MiB, which no finding is", LONGEST_LINE >> 20));
        }
        let whole = line.ends_with(b"\n");
        if line.trim_ascii().is_empty() {
            continue;
        }
        let part = match part_of(&line) {
            Ok(part) => part,
            // Only what is cut off in its midst has no end: a line with an end is wrong.
            Err(Fault::Cut) if !whole && number > 1 => return Ok(Some(format!("breaks off in line {number}"))),
            Err(fault) => return Err(format!("line {number} {fault}")),
        };
        open = matches!(part, Part::Finding(_));
        sink(part)?;
    }
    Ok(open.then(|| "ends without its summary, so it was cut off".to_owned()))
}

/// Why a line is no part of a report.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("breaks off, so it is no report; reports are read in JSON or JSONL")]
    Cut,
    #[error("is no JSON ({0}), so it is no report; reports are read in JSON or JSONL")]
    NoJson(serde_json::Error),
    #[error("is no part of a report: it has no schema")]
    NoSchema,
    #[error("is of another version{0}; this program reads {FINDING_SCHEMA} and {SUMMARY_SCHEMA}")]
    OtherVersion(String),
    #[error("is not what its schema says: {0}")]
    Form(String),
}

fn part_of(line: &[u8]) -> Result<Part, Fault> {
    #[derive(Deserialize)]
    struct Tag<'a> {
        #[serde(borrow, default)]
        schema: Option<Cow<'a, str>>,
    }
    let tag: Tag<'_> = serde_json::from_slice(line).map_err(|error| match error.is_eof() {
        true => Fault::Cut,
        false => Fault::NoJson(error),
    })?;
    let form = |error: serde_json::Error| Fault::Form(error.to_string());
    match tag.schema.as_deref() {
        Some(FINDING_SCHEMA) => {
            let finding: Finding = serde_json::from_slice(line).map_err(form)?;
            checked(finding).map(|finding| Part::Finding(Box::new(finding))).map_err(Fault::Form)
        }
        Some(SUMMARY_SCHEMA) => {
            serde_json::from_slice(line).map(|summary| Part::Summary(Box::new(summary))).map_err(form)
        }
        Some(other) => Err(Fault::OtherVersion(version(other))),
        None => Err(Fault::NoSchema),
    }
}

/// Names another version, in brackets. Whatever else stands in its place is not repeated: it may be anything.
fn version(schema: &str) -> String {
    let is_name = |text: &str| {
        text.len() < 40 && text.bytes().all(|byte| byte.is_ascii_lowercase() || b"/-0123456789".contains(&byte))
    };
    if schema.starts_with("credtrace/") && is_name(schema) { format!(" ({schema})") } else { String::new() }
}

fn checked(finding: Finding) -> Result<Finding, String> {
    if finding.schema != FINDING_SCHEMA {
        let other = version(&finding.schema);
        return Err(format!("it is of another version{other}; this program reads {FINDING_SCHEMA}"));
    }
    match secret::key_of(&finding.fingerprint) {
        Some(_) => Ok(finding),
        None => Err("its fingerprint is none (b3k1:k1-...:...)".into()),
    }
}

fn read_document(input: impl BufRead, sink: &mut Sink<'_>) -> Result<Option<String>, String> {
    let mut document = Document { sink, refused: None, ended: false };
    let mut deserializer = serde_json::Deserializer::from_reader(input);
    let read = deserializer.deserialize_map(&mut document).and_then(|()| deserializer.end());
    match (read, document.refused, document.ended) {
        (_, Some(refused), _) => Err(refused),
        (Ok(()), None, true) => Ok(None),
        (Ok(()), None, false) => Ok(Some("has no summary, so it was cut".into())),
        (Err(error), None, _) if error.is_eof() => Ok(Some(format!("breaks off in line {}", error.line()))),
        (Err(error), None, _) => Err(format!("is no report in the form of {FINDING_SCHEMA}: {error}")),
    }
}

/// The JSON form on its way to the sink.
struct Document<'a, 'sink> {
    sink: &'a mut Sink<'sink>,
    /// What the sink said, which the parser would put into words of its own.
    refused: Option<String>,
    ended: bool,
}

impl Document<'_, '_> {
    fn take<E: serde::de::Error>(&mut self, part: Part) -> Result<(), E> {
        (self.sink)(part).map_err(|refused| {
            let error = E::custom(&refused);
            self.refused = Some(refused);
            error
        })
    }
}

impl<'de> Visitor<'de> for &mut Document<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a report: findings and a summary")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key::<String>()? {
            match field.as_str() {
                "findings" => map.next_value_seed(Findings(&mut *self))?,
                "summary" => {
                    let summary: Summary = map.next_value()?;
                    if summary.schema != SUMMARY_SCHEMA {
                        return Err(A::Error::custom("its summary is of another version"));
                    }
                    self.ended = true;
                    self.take(Part::Summary(Box::new(summary)))?;
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(())
    }
}

struct Findings<'a, 'b, 'sink>(&'a mut Document<'b, 'sink>);

impl<'de> DeserializeSeed<'de> for Findings<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Findings<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a list of findings")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(finding) = list.next_element::<Finding>()? {
            let finding = checked(finding).map_err(A::Error::custom)?;
            self.0.take(Part::Finding(Box::new(finding)))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Format;
    use crate::report::tests::{finding, report, written};

    /// How many findings and summaries a text gives, and what is said of its end.
    fn counted(text: &[u8]) -> Result<(usize, usize, Option<String>), String> {
        let (mut findings, mut summaries) = (0, 0);
        let cut = read(text, &mut |part| {
            match part {
                Part::Finding(_) => findings += 1,
                Part::Summary(_) => summaries += 1,
            }
            Ok(())
        })?;
        Ok((findings, summaries, cut))
    }

    #[test]
    fn both_forms_are_read_as_they_were_written_and_also_indented_or_put_together() {
        let report = report(vec![finding(), finding()]);
        for format in [Format::Json, Format::Jsonl] {
            let text = written(&report, format);
            let mut read_again = Vec::new();
            let cut = read(&text[..], &mut |part| {
                if let Part::Finding(finding) = part {
                    read_again.push(*finding);
                }
                Ok(())
            });
            assert_eq!(cut, Ok(None));
            let expected: Vec<Finding> = report.findings.iter().cloned().map(without_excerpt).collect();
            assert_eq!(read_again, expected, "{format}");
        }
        let lines = written(&report, Format::Jsonl);
        assert_eq!(counted(&[&lines[..], b"\n", &lines[..]].concat()), Ok((4, 2, None)));
        let document: serde_json::Value = serde_json::from_slice(&written(&report, Format::Json)).expect("JSON");
        assert_eq!(counted(format!("\n {document:#}\n").as_bytes()), Ok((2, 1, None)));
    }

    fn without_excerpt(mut finding: Finding) -> Finding {
        finding.occurrences.iter_mut().for_each(|place| place.excerpt.clear());
        finding
    }

    #[test]
    fn a_report_that_is_cut_anywhere_is_never_taken_for_a_whole_one() {
        let report = report(vec![finding(), finding()]);
        for format in [Format::Json, Format::Jsonl] {
            let text = written(&report, format);
            let whole = text.trim_ascii_end().len();
            for length in (0..whole).step_by(7) {
                match counted(&text[..length]) {
                    Ok((findings, _, cut)) => {
                        assert!(cut.is_some(), "{format}: {length} of {whole}");
                        assert!(findings <= 2);
                    }
                    Err(reason) => assert!(!reason.is_empty()),
                }
            }
        }
    }

    #[test]
    fn what_is_no_report_or_of_another_version_is_refused() {
        let line = String::from_utf8(written(&report(vec![finding()]), Format::Jsonl)).expect("UTF-8");
        let document = String::from_utf8(written(&report(vec![finding()]), Format::Json)).expect("UTF-8");
        for (text, told) in [
            (String::new(), "empty"),
            ("\n".into(), "empty"),
            ("nonsense".into(), "no JSON"),
            ("[]".into(), "line 1"),
            ("{}\n".into(), "no schema"),
            (line.replace("finding/1", "finding/2"), "another version (credtrace/finding/2)"),
            (document.replace("finding/1", "finding/2"), "another version (credtrace/finding/2)"),
            (document.replace("summary/1", "summary/2"), "another version"),
            (line.replace("b3k1:", "sha1:"), "fingerprint"),
            (line.replace("\"kind\":\"api-key\"", "\"kind\":\"poem\""), "line 1"),
            (format!("{}{}", "[".repeat(100_000), "\n"), "line 1"),
            (format!("{{\"findings\":{}", "[".repeat(100_000)), "no report"),
        ] {
            let refused = counted(text.as_bytes()).expect_err("refused");
            assert!(refused.contains(told), "{refused}");
        }
    }
}
