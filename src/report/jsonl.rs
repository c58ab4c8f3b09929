//! JSON Lines: one finding a line in the report's own order, the summary last. Streams; nothing is held.

use std::io::{self, Write};

use super::escape::write_json;
use crate::finding::Report;

pub(super) fn write(report: &Report, output: &mut dyn Write) -> io::Result<()> {
    for finding in &report.findings {
        write_json(output, finding)?;
        output.write_all(b"\n")?;
    }
    write_json(output, &report.summary)?;
    output.write_all(b"\n")
}
