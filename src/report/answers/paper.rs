//! Lines of an answer for people: labels in one column, texts wrapped beside them, nothing that acts on a terminal.

use std::io::{self, Write};

use crate::report::escape::terminal;
use crate::report::text::{columns, wrapped};

/// How wide the column of labels is.
const LABELS: usize = 14;

/// Where an answer is written.
pub(super) struct Paper<'a> {
    output: &'a mut dyn Write,
    width: usize,
}

impl<'a> Paper<'a> {
    /// Writes lines of at most `width` columns; at least 40 are assumed.
    pub(super) fn new(output: &'a mut dyn Write, width: usize) -> Self {
        Self { output, width: width.clamp(40, 120) }
    }

    /// Writes a heading, with a blank line before it unless it is the first.
    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.output, "\n{}", terminal(text))
    }

    /// Writes text that wraps, so far from the edge.
    pub(super) fn text(&mut self, indent: usize, text: &str) -> io::Result<()> {
        for line in wrapped(&terminal(text), self.width - indent) {
            writeln!(self.output, "{:indent$}{line}", "")?;
        }
        Ok(())
    }

    /// Writes a label and the text beside it.
    pub(super) fn field(&mut self, label: &str, text: &str) -> io::Result<()> {
        let clean = terminal(text);
        let mut label = label;
        for line in wrapped(&clean, self.width - LABELS - 2) {
            let gap = LABELS.saturating_sub(columns(label));
            writeln!(self.output, "  {label}{:gap$}{line}", "")?;
            label = "";
        }
        Ok(())
    }

    /// Writes a label and the text beside it, where there is any.
    pub(super) fn field_of(&mut self, label: &str, text: Option<&str>) -> io::Result<()> {
        text.map_or(Ok(()), |text| self.field(label, text))
    }

    /// Writes an item of a list.
    pub(super) fn item(&mut self, indent: usize, text: &str) -> io::Result<()> {
        let clean = terminal(text);
        let mut mark = "- ";
        for line in wrapped(&clean, self.width - indent - 2) {
            writeln!(self.output, "{:indent$}{mark}{line}", "")?;
            mark = "  ";
        }
        Ok(())
    }

    /// Writes one line as it is, for a command that somebody copies: escaped, never wrapped.
    pub(super) fn line(&mut self, indent: usize, text: &str) -> io::Result<()> {
        writeln!(self.output, "{:indent$}{}", "", terminal(text))
    }
}
