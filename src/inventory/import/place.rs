//! Where a row stands in a file, in the words of the person who opens it.

use std::fmt;

/// The place of a row; every number counts from 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// Which of several documents in one file.
    pub(super) document: usize,
    /// The line where the document begins.
    pub(super) line: Option<usize>,
    /// The member that holds the rows.
    pub(super) list: Option<&'static str>,
    /// Which row of the list or array.
    pub(super) index: Option<usize>,
}

impl Place {
    /// The place of a line of text.
    pub(super) fn at_line(line: usize) -> Self {
        Self { document: 1, line: Some(line), ..Self::default() }
    }

    /// The place of a list within this document or row.
    pub(super) fn list(self, name: &'static str) -> Self {
        Self { list: Some(name), index: None, ..self }
    }

    /// The place of an element within this list.
    pub(super) fn element(self, index: usize) -> Self {
        Self { index: Some(index), ..self }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One row a line: the line says it all.
        if self.index.is_none()
            && let Some(line) = self.line
        {
            return write!(formatter, "line {line}");
        }
        if self.document > 1 {
            write!(formatter, "document {}, ", self.document)?;
        }
        match (self.list, self.index) {
            (Some(list), Some(index)) => write!(formatter, "{list}[{index}]"),
            (Some(list), None) => formatter.write_str(list),
            (None, index) => write!(formatter, "row {}", index.unwrap_or(1)),
        }
    }
}
