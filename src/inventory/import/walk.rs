//! Finds the rows of an export in JSON without reading the whole of it into memory: a single object, an array, a page
//! with its rows in a member, pages within one another, several documents one after the other, one document a line.
//!
//! Only the extent of each row is found here; a row is then parsed by itself, so that one broken row costs no other. What
//! the fields of a row mean, the importers know.

use memchr::{memchr_iter, memchr2};
use serde_json::{Map, Value};

use super::place::Place;

/// How deep pages may lie within one another: `[{"project":…,"api_keys":{"data":[…]}}]` has three levels.
const DEEPEST_PAGE: usize = 5;
/// The longest member of a page, beside its rows, that is looked at.
const LONGEST_MEMBER: usize = 64 * 1024;
/// How many lists of rows one page may hold.
const MOST_LISTS: usize = 16;

/// Members of a page, beside its rows, that say what the rows belong to and whether there are more of them.
const KEPT_MEMBERS: [&str; 30] = [
    "@odata.context",
    "@odata.nextLink",
    "IsTruncated",
    "Marker",
    "NextToken",
    "account",
    "cursor",
    "has_more",
    "hasMore",
    "metadata",
    "meta",
    "next",
    "nextCursor",
    "nextPageToken",
    "nextToken",
    "next_cursor",
    "next_link",
    "next_page",
    "next_page_token",
    "org",
    "organization",
    "project",
    "projectId",
    "project_id",
    "tenantId",
    "tenant_id",
    "UserName",
    "itemsPerPage",
    "startIndex",
    "totalResults",
];

/// What stands round the rows of a page.
pub(super) type Envelope = Map<String, Value>;

/// Who is told of what is found.
pub(super) trait Visitor {
    /// Why the walk ends early.
    type Stop;

    /// A row, not parsed yet.
    fn row(&mut self, place: Place, text: &[u8], envelope: &Envelope) -> Result<(), Self::Stop>;

    /// A page has ended, or was cut off.
    fn page(&mut self, envelope: &Envelope);

    /// Something that is no row, or the end of what can be read.
    fn fault(&mut self, place: Place, reason: &'static str);
}

/// Walks over all documents of a text. `lists` names the members of a page that hold rows.
///
/// # Errors
/// What the visitor stopped with.
pub(super) fn walk<V: Visitor>(text: &[u8], lists: &[&'static str], visitor: &mut V) -> Result<(), V::Stop> {
    let mut walker = Walker { text, lists, visitor, document: 0, line: 1, counted: 0 };
    let mut at = after_space(text, 0);
    while at < text.len() {
        walker.document += 1;
        walker.count_lines(at);
        let place = Place { document: walker.document, line: Some(walker.line), ..Place::default() };
        let extent = Extent::of(text, at);
        if extent.fault == Some(Fault::NotJson) {
            walker.visitor.fault(place, "from here on it is no JSON");
            break;
        }
        walker.value(&extent, place, &Envelope::new(), 0)?;
        at = after_space(text, extent.end);
        // `},` between documents is what is left of an array whose brackets were cut off.
        if text.get(at) == Some(&b',') {
            at = after_space(text, at + 1);
        }
    }
    Ok(())
}

/// Why a value has no end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The text ends within it.
    Cut,
    /// It begins as no value does.
    NotJson,
}

/// Where a value lies.
#[derive(Debug, Clone, Copy)]
struct Extent {
    start: usize,
    end: usize,
    fault: Option<Fault>,
}

impl Extent {
    /// Finds the end of the value at `start` by its brackets and quotes alone; what is between them is parsed later.
    fn of(text: &[u8], start: usize) -> Self {
        let whole = |end| Self { start, end, fault: None };
        let cut = Self { start, end: text.len(), fault: Some(Fault::Cut) };
        match text.get(start) {
            Some(b'"') => after_string(text, start).map_or(cut, whole),
            Some(b'{' | b'[') => after_brackets(text, start).map_or(cut, whole),
            Some(byte) if byte.is_ascii_alphanumeric() || *byte == b'-' => {
                let ends = |byte: &u8| matches!(byte, b',' | b']' | b'}' | b' ' | b'\t' | b'\r' | b'\n');
                whole(text[start..].iter().position(ends).map_or(text.len(), |length| start + length))
            }
            Some(_) => Self { start, end: text.len(), fault: Some(Fault::NotJson) },
            None => cut,
        }
    }
}

struct Walker<'a, V> {
    text: &'a [u8],
    lists: &'a [&'static str],
    visitor: &'a mut V,
    document: usize,
    line: usize,
    counted: usize,
}

impl<V: Visitor> Walker<'_, V> {
    /// Brings the number of the line up to `at`.
    fn count_lines(&mut self, at: usize) {
        self.line += memchr_iter(b'\n', &self.text[self.counted..at]).count();
        self.counted = at;
    }

    fn value(&mut self, extent: &Extent, place: Place, envelope: &Envelope, depth: usize) -> Result<(), V::Stop> {
        match self.text.get(extent.start) {
            Some(b'[') if depth < DEEPEST_PAGE => self.array(extent, place, envelope, depth),
            Some(b'{') => self.object(extent, place, envelope, depth),
            _ if extent.fault.is_some() => {
                self.visitor.fault(place, CUT);
                Ok(())
            }
            _ => {
                self.visitor.fault(place, "is no object, and so no row");
                Ok(())
            }
        }
    }

    fn array(&mut self, extent: &Extent, place: Place, envelope: &Envelope, depth: usize) -> Result<(), V::Stop> {
        let text = &self.text[..extent.end];
        let mut at = after_space(text, extent.start + 1);
        let mut index = 0;
        while text.get(at) != Some(&b']') {
            index += 1;
            let here = place.element(index);
            let element = Extent::of(text, at);
            match element.fault {
                Some(Fault::NotJson) => {
                    self.visitor.fault(here, "from here on it is no JSON");
                    return Ok(());
                }
                Some(Fault::Cut) if at >= text.len() => {
                    self.visitor.fault(here, CUT);
                    return Ok(());
                }
                _ => self.value(&element, here, envelope, depth + 1)?,
            }
            at = after_space(text, element.end);
            match text.get(at) {
                Some(b',') => at = after_space(text, at + 1),
                Some(b']') => {}
                // A cut element has told of it.
                _ if element.fault.is_some() => return Ok(()),
                None => {
                    self.visitor.fault(place.element(index + 1), CUT);
                    return Ok(());
                }
                Some(_) => {
                    self.visitor.fault(place.element(index + 1), "from here on it is no JSON: a comma is missing");
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// A page, where one of its members holds rows; else a row.
    fn object(&mut self, extent: &Extent, place: Place, outer: &Envelope, depth: usize) -> Result<(), V::Stop> {
        let members = self.members(extent, depth);
        if members.lists.is_empty() {
            if extent.fault.is_some() {
                self.visitor.fault(place, CUT);
                return Ok(());
            }
            return self.visitor.row(place, &self.text[extent.start..extent.end], outer);
        }
        let mut envelope = outer.clone();
        envelope.extend(members.envelope);
        for (name, list) in &members.lists {
            self.value(list, place.list(name), &envelope, depth + 1)?;
        }
        // A list that is cut off has told of it; after a whole one, what says whether there are more may be missing.
        if extent.fault.is_some() && members.lists.iter().all(|(_, list)| list.fault.is_none()) {
            self.visitor.fault(place, CUT);
        }
        // A wrapper round a page has nothing to say of further pages.
        if members.lists.iter().any(|(_, list)| self.text.get(list.start) == Some(&b'[')) {
            self.visitor.page(&envelope);
        }
        Ok(())
    }

    fn members(&self, extent: &Extent, depth: usize) -> Members {
        let text = &self.text[..extent.end];
        let mut members = Members::default();
        let mut at = after_space(text, extent.start + 1);
        while text.get(at) == Some(&b'"') {
            let Some(after_name) = after_string(text, at) else { break };
            let name = &text[at + 1..after_name - 1];
            at = after_space(text, after_name);
            if text.get(at) != Some(&b':') {
                break;
            }
            let value = Extent::of(text, after_space(text, at + 1));
            if value.fault == Some(Fault::NotJson) {
                break;
            }
            members.add(text, name, value, self.lists, depth);
            at = after_space(text, value.end);
            if text.get(at) == Some(&b',') {
                at = after_space(text, at + 1);
            }
        }
        members
    }
}

/// What a cut-off file is refused from on.
pub(super) const CUT: &str = "the file is cut off here; export it again";

#[derive(Default)]
struct Members {
    lists: Vec<(&'static str, Extent)>,
    envelope: Envelope,
}

impl Members {
    fn add(&mut self, text: &[u8], name: &[u8], value: Extent, lists: &[&'static str], depth: usize) {
        let opens = |byte| text.get(value.start) == Some(&byte);
        if let Some(list) = lists.iter().find(|list| list.as_bytes() == name)
            && self.lists.len() < MOST_LISTS
            && depth < DEEPEST_PAGE
            && (opens(b'[') || (opens(b'{') && holds_list(text, value, lists)))
        {
            self.lists.push((list, value));
            return;
        }
        let Some(kept) = KEPT_MEMBERS.iter().find(|kept| kept.as_bytes() == name) else { return };
        if value.end - value.start <= LONGEST_MEMBER
            && let Ok(parsed) = serde_json::from_slice(&text[value.start..value.end])
        {
            self.envelope.insert((*kept).to_owned(), parsed);
        }
    }
}

/// Whether an object has a member that is a list of rows: `"api_keys":{"data":[…]}`.
fn holds_list(text: &[u8], object: Extent, lists: &[&'static str]) -> bool {
    let mut at = after_space(text, object.start + 1);
    let text = &text[..object.end];
    while text.get(at) == Some(&b'"') {
        let Some(after_name) = after_string(text, at) else { return false };
        let name = &text[at + 1..after_name - 1];
        let start = after_space(text, after_space(text, after_name) + 1);
        if text.get(start) == Some(&b'[') && lists.iter().any(|list| list.as_bytes() == name) {
            return true;
        }
        let value = Extent::of(text, start);
        if value.fault.is_some() {
            return false;
        }
        at = after_space(text, value.end);
        if text.get(at) == Some(&b',') {
            at = after_space(text, at + 1);
        }
    }
    false
}

fn after_space(text: &[u8], at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let space = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x1e)).count();
    at.min(text.len()) + space
}

/// Returns the place after the string that begins at `at`, or nothing where it has no end.
fn after_string(text: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr2(b'"', b'\\', text.get(at..)?)?;
        match text[at] {
            b'"' => return Some(at + 1),
            _ => at += 2,
        }
    }
}

/// Returns the place after the bracket that closes the one at `at`. It counts, and so needs no stack for deep nesting.
fn after_brackets(text: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => {
                at = after_string(text, at)?;
                continue;
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Told(Vec<String>);

    impl Visitor for Told {
        type Stop = ();

        fn row(&mut self, place: Place, text: &[u8], envelope: &Envelope) -> Result<(), ()> {
            let envelope =
                if envelope.is_empty() { String::new() } else { format!(" of {}", Value::from(envelope.clone())) };
            self.0.push(format!("{place}: {}{envelope}", String::from_utf8_lossy(text)));
            Ok(())
        }

        fn page(&mut self, envelope: &Envelope) {
            self.0.push(format!("page {}", Value::from(envelope.clone())));
        }

        fn fault(&mut self, place: Place, reason: &'static str) {
            self.0.push(format!("{place}: FAULT {}", reason.split(';').next().unwrap_or_default()));
        }
    }

    fn told(text: &str) -> Vec<String> {
        let mut told = Told::default();
        walk(text.as_bytes(), &["data", "api_keys"], &mut told).expect("it never stops");
        told.0
    }

    #[test]
    fn rows_are_found_in_every_form_of_a_file() {
        assert_eq!(told(r#"{"id":1}"#), [r#"line 1: {"id":1}"#]);
        assert_eq!(told(r#"[{"a":"]}"},{"b":"\"["}]"#), [r#"row 1: {"a":"]}"}"#, r#"row 2: {"b":"\"["}"#]);
        assert_eq!(
            told("{\"a\":1}\n{\"a\":2}\n\n{\"a\":3}"),
            [r#"line 1: {"a":1}"#, r#"line 2: {"a":2}"#, r#"line 4: {"a":3}"#]
        );
        assert_eq!(
            told(r#"{"data":[{"a":1}],"has_more":true} {"has_more":false,"data":[{"a":2}]}"#),
            [
                r#"data[1]: {"a":1} of {"has_more":true}"#,
                r#"page {"has_more":true}"#,
                r#"document 2, data[1]: {"a":2} of {"has_more":false}"#,
                r#"page {"has_more":false}"#
            ]
        );
        assert_eq!(
            told(r#"[{"project":{"id":"p"},"api_keys":{"object":"list","data":[{"a":1}]}}]"#)[0],
            r#"data[1]: {"a":1} of {"project":{"id":"p"}}"#
        );
    }

    #[test]
    fn a_cut_file_keeps_the_rows_before_the_cut() {
        for cut in [r#"[{"a":1},{"b"#, r#"[{"a":1},"#, r#"[{"a":1}"#, r#"[{"a":1},{"b":"x\"#] {
            assert_eq!(told(cut), [r#"row 1: {"a":1}"#, "row 2: FAULT the file is cut off here"], "{cut}");
        }
        let page = told(r#"{"has_more":false,"data":[{"a":1},{"b":["#);
        assert_eq!(page[1], "data[2]: FAULT the file is cut off here");
        assert_eq!(told("{\"a\":1}\n{\"b\":"), [r#"line 1: {"a":1}"#, "line 2: FAULT the file is cut off here"]);
    }

    #[test]
    fn what_is_no_json_is_named_by_its_place() {
        assert_eq!(
            told("user,arn\n"),
            ["line 1: FAULT is no object, and so no row", "line 1: FAULT is no object, and so no row"]
        );
        assert_eq!(told("<html>"), ["line 1: FAULT from here on it is no JSON"]);
        assert_eq!(told(r#"[{"a":1} {"b":2}]"#)[1], "row 2: FAULT from here on it is no JSON: a comma is missing");
        assert_eq!(told("[1,{}]"), ["row 1: FAULT is no object, and so no row", "row 2: {}"]);
    }

    #[test]
    fn deep_nesting_needs_no_stack() {
        assert_eq!(told(&"[".repeat(1_000_000)).len(), 1);
        assert_eq!(told(&"{\"data\":".repeat(200_000)).len(), 1);
        let closed = format!("{}{}", "[".repeat(500_000), "]".repeat(500_000));
        assert_eq!(told(&closed).len(), 1);
    }
}
