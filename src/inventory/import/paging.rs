//! What a page says of further pages, in the ways of the providers.

use serde_json::Value;

use super::row::within;
use super::walk::Envelope;

/// What a page says of further pages, in the ways of the providers; nothing where it does not say.
pub(super) fn says_more(envelope: &Envelope) -> Option<bool> {
    let mut said = None;
    for name in ["has_more", "hasMore", "IsTruncated"] {
        said = said.or(envelope.get(name).and_then(Value::as_bool));
    }
    if said == Some(true) {
        return said;
    }
    const TOKENS: [&[&str]; 13] = [
        &["next_page"],
        &["next_page_token"],
        &["nextPageToken"],
        &["next_cursor"],
        &["nextCursor"],
        &["nextToken"],
        &["NextToken"],
        &["Marker"],
        &["next"],
        &["next_link"],
        &["@odata.nextLink"],
        &["metadata", "continue"],
        &["meta", "next_cursor"],
    ];
    for path in TOKENS {
        match within(envelope, path) {
            Some(Value::String(token)) if !token.is_empty() => return Some(true),
            Some(Value::Number(page)) if page.as_u64().is_some_and(|page| page > 0) => return Some(true),
            Some(_) => said = said.or(Some(false)),
            None => {}
        }
    }
    let number = |path: &[&str]| within(envelope, path).and_then(Value::as_u64);
    if let (Some(total), Some(start), Some(shown)) =
        (number(&["totalResults"]), number(&["startIndex"]), number(&["itemsPerPage"]))
    {
        // SCIM counts from 1.
        return Some(start.saturating_add(shown) <= total);
    }
    match (number(&["meta", "page"]), number(&["meta", "totalPages"])) {
        (Some(page), Some(pages)) => Some(page < pages),
        // A page without a token is the last one of the providers that leave it out there.
        _ => Some(said.unwrap_or(false)),
    }
}
