//! One JSON document with what the JSONL form says, still one finding a line so that it can be compared and searched.

use std::io::{self, Write};

use super::escape::write_json;
use crate::finding::Report;

pub(super) fn write(report: &Report, output: &mut dyn Write) -> io::Result<()> {
    output.write_all(b"{\"findings\":[")?;
    for (index, finding) in report.findings.iter().enumerate() {
        output.write_all(if index == 0 { b"\n" } else { b",\n" })?;
        write_json(output, finding)?;
    }
    if !report.findings.is_empty() {
        output.write_all(b"\n")?;
    }
    output.write_all(b"],\"summary\":")?;
    write_json(output, &report.summary)?;
    output.write_all(b"}\n")
}
