//! Views of a window: the same text with what people and machines did to it undone, and the way back to the original
//! offsets.
//!
//! These make views: [`undo`] takes out terminal codes and invisible characters and undoes escapes, [`join`] puts
//! together what line ends and string concatenations cut, [`decode`] reads what is wholly encoded (base64, hexadecimal,
//! wide characters); [`value`] does so for a value beside a name. None of them decides what a credential is, and each reads only the slice that it is given.

pub mod decode;
pub mod join;
pub mod undo;
pub mod value;

use std::borrow::Cow;

use crate::detector::compile::gate;

/// What was undone to read a stretch of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Undone {
    /// Terminal codes were taken out.
    Ansi,
    /// Invisible characters were taken out.
    Invisible,
    /// Escapes of C, JSON or a shell.
    Escape,
    /// Percent signs with two hexadecimal digits.
    Percent,
    /// HTML entities.
    Html,
    /// Equals signs with two hexadecimal digits, and soft line breaks.
    QuotedPrintable,
    /// String literals beside each other, or a line that a backslash continues.
    Concatenation,
    /// Lines that a terminal or a mail client wrapped.
    Wrapping,
    /// Base64, either alphabet.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// Characters of two bytes.
    Utf16,
    /// Characters of four bytes.
    Utf32,
}

impl Undone {
    /// The name that findings give.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ansi => "ansi",
            Self::Invisible => "invisible",
            Self::Escape => "json-escape",
            Self::Percent => "percent",
            Self::Html => "html",
            Self::QuotedPrintable => "quoted-printable",
            Self::Concatenation => "concatenation",
            Self::Wrapping => "wrapping",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Utf16 => "utf-16",
            Self::Utf32 => "utf-32",
        }
    }
}

/// A window as it is matched, with a map to where its bytes stand in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View<'text> {
    /// The bytes that are matched.
    pub bytes: Cow<'text, [u8]>,
    /// Where places are counted from in the text.
    base: usize,
    /// For each byte the stretch of the text that it was read from; empty where the view is the text itself.
    places: Vec<(u32, u32)>,
    /// Where in the text something was undone, in the order in which it was.
    undone: Vec<(u32, Undone)>,
}

impl<'text> View<'text> {
    /// The text itself; `base` is where it stands in the whole.
    pub fn raw(bytes: &'text [u8], base: usize) -> Self {
        Self { bytes: Cow::Borrowed(bytes), base, places: Vec::new(), undone: Vec::new() }
    }

    /// Returns the smallest stretch of the text that the bytes from `from` to `to` were read from.
    pub fn span(&self, from: usize, to: usize) -> (usize, usize) {
        if self.places.is_empty() {
            return (self.base + from, self.base + to);
        }
        let start = self.place(from).0;
        let end = if to > from { self.place(to - 1).1 } else { start };
        (self.base + start as usize, self.base + end as usize)
    }

    /// Returns the names of what was undone inside a stretch of the text, outermost first.
    pub fn undone(&self, start: usize, end: usize) -> Vec<&'static str> {
        let mut names = Vec::new();
        for (place, undone) in &self.undone {
            let inside = (start..end).contains(&(self.base + *place as usize));
            if inside && !names.contains(&undone.name()) {
                names.push(undone.name());
            }
        }
        names
    }

    /// Returns whether something of this sort was undone inside a stretch of the text.
    pub fn has(&self, sort: Undone, start: usize, end: usize) -> bool {
        let inside = |place: u32| (start..end).contains(&(self.base + place as usize));
        self.undone.iter().any(|(place, undone)| *undone == sort && inside(*place))
    }

    /// Returns the first position whose byte was read from `offset` of the text or after it.
    pub fn position(&self, offset: usize) -> usize {
        let relative = offset.saturating_sub(self.base);
        if self.places.is_empty() {
            return relative.min(self.bytes.len());
        }
        self.places.partition_point(|(_, end)| (*end as usize) <= relative)
    }

    fn place(&self, position: usize) -> (u32, u32) {
        if self.places.is_empty() {
            return (position as u32, position as u32 + 1);
        }
        let last = self.places.last().map_or((0, 0), |(_, end)| (*end, *end));
        self.places.get(position).copied().unwrap_or(last)
    }
}

/// The longest token whose end is looked for as a rule, in bytes.
pub const LONGEST_TOKEN: usize = 512;

/// How many bytes [`is_cut`] reads beyond `end`, where the token is at most so long.
pub fn cut_reach(longest: usize) -> usize {
    longest + 2 * undo::LONGEST
}

/// How many bytes [`may_be_cut`] reads beyond the reach of a gate.
pub const LOOK: usize = 4;

/// Returns whether something stands so close behind an anchor that it may be what keeps a gate from passing, and be
/// something that views undo. Reads no more than [`LOOK`] bytes beyond the reach of a gate.
pub fn may_be_cut(text: &[u8], end: usize) -> bool {
    let rest = &text[end..(end + gate::REACH).min(text.len())];
    let end = end + join::run(rest);
    let rest = &text[end..(end + LOOK).min(text.len())];
    match rest {
        [b'\n' | b'\r', next, ..] => {
            join::TOKEN.contains(*next) || !next.is_ascii_punctuation() || matches!(next, b'>' | b'|' | b'#' | b'[')
        }
        [b' ', b' ' | b'\n' | b'\r', ..] | [0x1b | b'\\' | b'%' | b'&' | b'=' | b'^' | 0xC2 | 0xE2 | 0xEF, ..] => true,
        [b'"' | b'\'' | b'`', next, ..] => matches!(
            next,
            b' ' | b'\t' | b'\n' | b'\r' | b'+' | b'.' | b'&' | b'|' | b'<' | b'~' | b'_' | b'\\' | b'"' | b'\'' | b'`'
        ),
        _ => false,
    }
}

/// As [`may_be_cut`] for what stands before an anchor.
pub fn may_be_cut_before(text: &[u8], start: usize) -> bool {
    let back = text[..start].iter().rev().take(gate::REACH).take_while(|byte| join::TOKEN.contains(**byte)).count();
    let Some(before) = (start - back).checked_sub(1).map(|index| text[index]) else { return false };
    back < gate::REACH
        && (!before.is_ascii()
            || matches!(before, b'"' | b'\'' | b'`' | b'\n' | b'\t' | b' ' | b'[' | b'>' | b';' | b'\\' | b'|' | b'='))
}

/// Returns whether a value ends with an equals sign just where mails break their lines with one.
pub fn may_end_a_mail_line(text: &[u8], end: usize) -> bool {
    const COLUMNS: std::ops::RangeInclusive<usize> = 74..=76;
    let line = &text[end.saturating_sub(*COLUMNS.end() + 1).min(text.len())..end.min(text.len())];
    line.ends_with(b"=")
        && memchr::memrchr(b'\n', line)
            .map_or(COLUMNS.contains(&line.len()), |newline| COLUMNS.contains(&(line.len() - newline - 1)))
}

/// Returns whether the token that goes on at `end` is cut by something that a view can undo. `start` is where its anchor
/// begins: an anchor right behind itself begins nothing. No more than `longest` bytes of the token are followed.
pub fn is_cut(text: &[u8], start: usize, end: usize, longest: usize) -> bool {
    if end > start && text[..start].ends_with(&text[start..end]) {
        return false;
    }
    let rest = &text[end..(end + longest).min(text.len())];
    let end = end + join::long_run(rest);
    let rest = &text[end..(end + 2 * undo::LONGEST).min(text.len())];
    undo::begins(rest) || join::goes_on(rest)
}

/// Returns whether a token that its anchor stands inside of, `offset` bytes behind its start, is cut before the anchor by
/// something that a view can undo.
pub fn is_cut_before(text: &[u8], start: usize, offset: usize) -> bool {
    let back = text[..start].iter().rev().take(offset).take_while(|byte| join::TOKEN.contains(**byte)).count();
    let first = (start - back).saturating_sub(2 * undo::LONGEST);
    back < offset
        && (first..start - back).any(|position| {
            let rest = &text[position..(position + 2 * undo::LONGEST).min(text.len())];
            undo::begins(rest) || join::goes_on(rest)
        })
}

/// Returns whether an operator that gives a value stands within `distance` bytes of a name.
pub fn is_given(text: &[u8], end: usize, distance: usize) -> bool {
    text[end..(end + distance).min(text.len())].iter().any(|byte| matches!(byte, b'=' | b':' | b'(' | b',' | b'>'))
}

/// Returns whether something is escaped within `distance` bytes of a name or at the end of a value that begins there that
/// would hide a value. Escaped quotes and line ends do not: a value ends at them as they stand.
pub fn is_escaped(text: &[u8], end: usize, distance: usize) -> bool {
    let last = (end + distance).min(text.len());
    let over = join::long_run(&text[last..(last + LONGEST_TOKEN).min(text.len())]);
    let last = (last + over + usize::from(over > 0)).min(text.len());
    let starts = text[end..last].iter().enumerate().filter(|(_, byte)| undo::starts(**byte));
    starts.map(|(index, _)| end + index).any(|position| {
        let rest = &text[position..];
        match rest {
            [b'\\', b'"' | b'\'' | b'\\' | b'n' | b'r' | b't', ..] => false,
            [b'=', b'\r' | b'\n', ..] => may_end_a_mail_line(text, position + 1),
            _ => undo::begins(rest),
        }
    })
}

/// Writes a view from another one, which keeps the way back to the text.
struct Writer<'source> {
    source: &'source View<'source>,
    bytes: Vec<u8>,
    places: Vec<(u32, u32)>,
    undone: Vec<(u32, Undone)>,
}

impl<'source> Writer<'source> {
    fn new(source: &'source View<'source>) -> Self {
        let length = source.bytes.len();
        Self {
            source,
            bytes: Vec::with_capacity(length),
            places: Vec::with_capacity(length),
            undone: source.undone.clone(),
        }
    }

    /// Copies one byte of the source.
    fn copy(&mut self, position: usize) {
        self.bytes.push(self.source.bytes[position]);
        self.places.push(self.source.place(position));
    }

    /// Copies a stretch of the source.
    fn copy_all(&mut self, from: usize, to: usize) {
        self.bytes.extend_from_slice(&self.source.bytes[from..to]);
        match self.source.places.get(from..to) {
            Some(places) => self.places.extend_from_slice(places),
            None => self.places.extend((from..to).map(|position| self.source.place(position))),
        }
    }

    /// Writes a byte that stands for a stretch of the source.
    fn put(&mut self, byte: u8, from: usize, to: usize, undone: Undone) {
        let (start, end) = (self.source.place(from).0, self.source.place(to - 1).1);
        self.bytes.push(byte);
        self.places.push((start, end));
        self.undone.push((start, undone));
    }

    /// Leaves out what stands at a position of the source.
    fn leave_out(&mut self, from: usize, undone: Undone) {
        self.undone.push((self.source.place(from).0, undone));
    }

    /// Returns the view, or nothing where it would be its source again.
    fn finish(self) -> Option<View<'static>> {
        let changed = self.undone.len() > self.source.undone.len();
        changed.then_some(View {
            bytes: Cow::Owned(self.bytes),
            base: self.source.base,
            places: self.places,
            undone: self.undone,
        })
    }
}
