//! Makes requests of what a detector declares and of the parts of a credential. Nothing here decides whether to ask.
//!
//! A value goes only where its detector's text puts it, escaped for that place, so that no value can add a header, a field
//! or a segment of a path. Where a value fits no such place there is no request.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use regex::bytes::Regex;
use serde_json::Value;

use crate::credential::FoundCredential;
use crate::detector::claims;
use crate::detector::compile::schema::Verify;
use crate::detector::compile::template::{self, CLAIM, NAMED, NEAR, PART, Piece};
use crate::finding::{Liveness, Verification};
use crate::secret::Secret;

use super::endpoints::is_label;
use super::exchange::{Endpoint, Request, RequestPath};

/// How many seconds ago a signed token says that it was made: clocks differ.
const ISSUED_BEFORE: i64 = 60;
/// How many seconds a signed token holds; no provider that is asked lets one hold for less than ten minutes.
const EXPIRES_AFTER: i64 = 540;
/// The most labels that a named value may put into a host.
const MOST_LABELS: usize = 3;

/// Why there is no request: the verdict and its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    state: Liveness,
    reason: String,
}

impl Refusal {
    /// What is missing or unfit, so that nothing is known.
    pub(crate) fn unknown(reason: impl Into<String>) -> Self {
        Self { state: Liveness::Unknown, reason: reason.into() }
    }

    /// What is ambiguous, so that nobody may be asked.
    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self { state: Liveness::Refused, reason: reason.into() }
    }

    /// What nobody can be asked about.
    pub(crate) fn not_checked(reason: impl Into<String>) -> Self {
        Self { state: Liveness::NotChecked, reason: reason.into() }
    }
}

impl Refusal {
    /// Returns the reason.
    pub(crate) fn reason(self) -> String {
        self.reason
    }
}

impl From<Refusal> for Verification {
    fn from(refusal: Refusal) -> Self {
        Self { reason: Some(refusal.reason), ..Self::new(refusal.state) }
    }
}

/// What the parts of a detector's texts stand for.
pub(crate) struct Parts<'found> {
    found: &'found FoundCredential,
    verify: &'found Verify,
    claims: Option<Value>,
    /// What the secret is cut into, by the names of its detector's form.
    pieces: BTreeMap<String, String>,
    now: Timestamp,
    /// The region, where one is known.
    pub(crate) region: Option<String>,
    /// The name of the tenant whose host is asked, where one is.
    pub(crate) tenant: Option<String>,
    /// The token that the secret signed, where the request carries one.
    pub(crate) token: Option<Secret>,
}

impl<'found> Parts<'found> {
    /// The parts of a credential for the request that its detector declares.
    pub(crate) fn new(found: &'found FoundCredential, verify: &'found Verify, now: Timestamp) -> Self {
        let claims = claims::payload(found.secret.expose());
        Self { found, verify, claims, pieces: BTreeMap::new(), now, region: None, tenant: None, token: None }
    }

    /// The parts of a credential, cut as its detector's form says.
    ///
    /// # Errors
    /// A secret that does not fit the form.
    pub(crate) fn cut(found: &'found FoundCredential, verify: &'found Verify, now: Timestamp) -> Result<Self, Refusal> {
        let mut parts = Self::new(found, verify, now);
        let Some(form) = &verify.form else { return Ok(parts) };
        let unfit = || Refusal::not_checked("no read-only request is known for a value of its form");
        let form = Regex::new(&format!("^(?-u:{form})$")).map_err(|_| unfit())?;
        let groups = form.captures(found.secret.expose()).ok_or_else(unfit)?;
        for name in form.capture_names().flatten() {
            let piece = groups.name(name).and_then(|piece| std::str::from_utf8(piece.as_bytes()).ok());
            parts.pieces.extend(piece.map(|piece| (name.to_owned(), piece.to_owned())));
        }
        Ok(parts)
    }

    /// Returns the secret itself.
    pub(crate) fn secret(&self) -> &'found Secret {
        &self.found.secret
    }

    /// Returns the one companion of a detector.
    pub(crate) fn companion(&self, detector: &str) -> Result<&'found Secret, Refusal> {
        let mut values: Vec<&Secret> = Vec::new();
        for companion in self.found.companions.iter().filter(|companion| companion.detector == detector) {
            if !values.contains(&&companion.secret) {
                values.push(&companion.secret);
            }
        }
        match values[..] {
            [value] => Ok(value),
            [] => Err(Refusal::unknown(format!(
                "its {detector} does not stand near it; without that nobody can be asked"
            ))),
            _ => Err(Refusal::refused(format!(
                "{} different values of {detector} stand near it and nothing says which belongs to it; nobody was asked",
                values.len()
            ))),
        }
    }

    /// Returns a claim of the secret as text.
    fn claim(&self, name: &str) -> Result<String, Refusal> {
        match self.claims.as_ref().and_then(|claims| claims.get(name)) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
            Some(Value::Number(number)) => Ok(number.to_string()),
            _ => Err(Refusal::unknown(format!("it has no claim {name:?}; without that nobody can be asked"))),
        }
    }

    /// Returns the one id or host near the credential that fits a named glob.
    fn id_near(&self, name: &str) -> Result<&'found str, Refusal> {
        let glob = self.verify.near.get(name).map(String::as_str).unwrap_or_default();
        let near = &self.found.surroundings;
        let fitting = near.ids.iter().chain(&near.hosts).filter(|id| claims::glob_matches(glob, id));
        only(fitting, &format!("{name} ({glob})"))
    }

    /// Returns the one value beside the surest of a part's names that stands near.
    pub(crate) fn named(&self, part: &str) -> Result<&'found str, Refusal> {
        let names = self.verify.named.get(part).map(Vec::as_slice).unwrap_or_default();
        for name in names {
            let beside = self.found.surroundings.named.iter().filter(|(known, _)| known == name);
            let mut values: Vec<&str> = beside.map(|(_, value)| value.as_str()).collect();
            values.sort_unstable();
            values.dedup();
            match values[..] {
                [] => {}
                [value] => return Ok(value),
                _ => {
                    return Err(Refusal::refused(format!(
                        "{} different values of {name} stand near it and nothing says which is its {part}; nobody was asked",
                        values.len()
                    )));
                }
            }
        }
        Err(Refusal::unknown(format!(
            "its {part} ({}) does not stand near it; without that nobody can be asked",
            names.join(", ")
        )))
    }

    /// Returns a moment as seconds, so many from now.
    fn seconds(&self, from_now: i64) -> Cow<'found, [u8]> {
        let moment = self.now.saturating_add(SignedDuration::from_secs(from_now)).unwrap_or(self.now);
        Cow::Owned(moment.as_second().to_string().into_bytes())
    }

    /// Returns what a part stands for.
    pub(crate) fn value(&self, name: &str) -> Result<Cow<'found, [u8]>, Refusal> {
        if let Some(claim) = name.strip_prefix(CLAIM) {
            return self.claim(claim).map(|text| Cow::Owned(text.into_bytes()));
        }
        if let Some(name) = name.strip_prefix(NEAR) {
            return self.id_near(name).map(|id| Cow::Borrowed(id.as_bytes()));
        }
        if let Some(name) = name.strip_prefix(NAMED) {
            return self.named(name).map(|value| Cow::Borrowed(value.as_bytes()));
        }
        if let Some(piece) = name.strip_prefix(PART) {
            return match self.pieces.get(piece) {
                Some(piece) => Ok(Cow::Owned(piece.clone().into_bytes())),
                None => Err(Refusal::not_checked(format!("its form has no {piece}; nobody can be asked"))),
            };
        }
        match name {
            "secret" => Ok(Cow::Borrowed(self.found.secret.expose())),
            // One beside a name of the provider's is surer than the only one near.
            "email" => {
                let near = &self.found.surroundings.emails;
                let only_one = || only(near.iter(), "owner's e-mail address");
                let address = match self.named("email") {
                    Err(missing) if missing.state == Liveness::Unknown => {
                        let has_names = self.verify.named.contains_key("email");
                        if near.is_empty() && has_names { Err(missing) } else { only_one() }
                    }
                    beside_a_name => beside_a_name,
                };
                address.map(|address| Cow::Borrowed(address.as_bytes()))
            }
            "tenant" => match &self.tenant {
                Some(tenant) => Ok(Cow::Owned(tenant.clone().into_bytes())),
                None => Err(Refusal::unknown("the name of its account is not known")),
            },
            "region" => match &self.region {
                Some(region) => Ok(Cow::Owned(region.clone().into_bytes())),
                None => Err(Refusal::unknown("its region is not known")),
            },
            "issued" => Ok(self.seconds(-ISSUED_BEFORE)),
            "expires" => Ok(self.seconds(EXPIRES_AFTER)),
            "token" => match &self.token {
                Some(token) => Ok(Cow::Owned(token.expose().to_vec())),
                None => Err(Refusal::unknown("it signs no token; nobody was asked")),
            },
            _ => self.companion(name).map(|secret| Cow::Borrowed(secret.expose())),
        }
    }

    /// Returns whether a name in a body is a part of this credential and no word of GraphQL.
    fn is_part(name: &str, declared: &[&str]) -> bool {
        matches!(name, "secret" | "region" | "tenant" | "email")
            || name.starts_with(CLAIM)
            || name.starts_with(PART)
            || name.starts_with(NEAR)
            || name.starts_with(NAMED)
            || declared.contains(&name)
    }
}

/// Returns the only one of what stands near a credential and could be `what`.
fn only<'near>(fitting: impl Iterator<Item = &'near String>, what: &str) -> Result<&'near str, Refusal> {
    let mut fitting: Vec<&String> = fitting.collect();
    fitting.sort_unstable();
    fitting.dedup();
    match fitting[..] {
        [one] => Ok(one),
        [] => Err(Refusal::unknown(format!("its {what} does not stand near it; without that nobody can be asked"))),
        _ => Err(Refusal::refused(format!(
            "{} of them stand near it and nothing says which is its {what}; nobody was asked",
            fitting.len()
        ))),
    }
}

/// Says what the name of a part stands for.
pub(crate) type Values<'values> = dyn Fn(&str) -> Result<Cow<'values, [u8]>, Refusal> + 'values;

/// Makes the request that a detector declares. `declared` are the ids of its companions.
///
/// # Errors
/// A part that is missing or ambiguous, or a value that has no place in a header.
pub(crate) fn build(
    verify: &Verify,
    declared: &[&str],
    parts: &Parts<'_>,
    endpoint: Endpoint,
) -> Result<Request, Refusal> {
    let values = |name: &str| parts.value(name);
    let path = path_behind(&endpoint, filled_path(&verify.path, &values)?);
    if path.holds_secret() && !endpoint.secure {
        return Err(Refusal::refused(
            "its path would hold the secret, and the endpoint is not encrypted; nobody was asked",
        ));
    }
    let mut request = Request::new(endpoint, &verify.method, "/");
    request.path = path;
    for (name, value) in &verify.headers {
        request.headers.push((name.clone(), header(name, value, verify.basic.as_deref(), &values)?));
    }
    let kind = verify.headers.get("content-type").map(String::as_str).unwrap_or_default();
    let is_part = |name: &str| Parts::is_part(name, declared);
    request.body = verify.body.as_deref().map(|body| filled_body(body, kind, &is_part, &values)).transpose()?;
    request.held.push(parts.found.secret.clone());
    request.held.extend(parts.found.companions.iter().map(|companion| companion.secret.clone()));
    request.held.extend(parts.token.clone());
    Ok(request)
}

/// Makes the same request without any part of the credential in it. What answers it as it answers the real one looks at
/// no key.
pub(crate) fn without_secret(request: &Request, verify: &Verify) -> Request {
    let mut bare = Request::new(request.endpoint.clone(), &request.method, "/");
    bare.path = request.path.clone();
    let constant =
        |name: &String| verify.headers.get(name).is_some_and(|value| template::parts(value).next().is_none());
    bare.headers = request.headers.iter().filter(|(name, _)| constant(name)).cloned().collect();
    bare.held.clone_from(&request.held);
    bare.bare = true;
    bare
}

/// Fills the one part that a declared host may have; what is put in is one label, of a named value up to three, so the
/// host stays under its domain.
///
/// # Errors
/// A part that is missing or is no label.
pub(crate) fn filled_host(host: &str, parts: &Parts<'_>) -> Result<String, Refusal> {
    let mut filled = String::new();
    for piece in template::pieces(host) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Part(name) => {
                let value = parts.value(name)?;
                let most = if name.starts_with(NAMED) { MOST_LABELS } else { 1 };
                let fits = |text: &&str| text.split('.').count() <= most && text.split('.').all(is_label);
                let label = std::str::from_utf8(&value).ok().filter(fits);
                filled += label.ok_or_else(|| Refusal::unknown(format!("its {name} is no name of a host")))?;
            }
        }
    }
    Ok(filled.to_ascii_lowercase())
}

/// Fills a path; a value is one segment or one field of the query. From the first part of the secret on it is kept back.
///
/// # Errors
/// A part that is missing, or that would be no segment.
pub(crate) fn filled_path(path: &str, values: &Values<'_>) -> Result<RequestPath, Refusal> {
    let mut filled = String::new();
    let mut hidden_from = None;
    for piece in template::pieces(path) {
        match piece {
            Piece::Text(text) => filled.push_str(text),
            Piece::Part(name) => {
                let value = values(name)?;
                if value.is_empty() || value.iter().all(|byte| *byte == b'.') {
                    return Err(Refusal::unknown(format!("its {name} has no place in a path")));
                }
                if name == "secret" || name.starts_with(PART) {
                    hidden_from.get_or_insert(filled.len());
                }
                // A colon may stand in a segment and in a query as it is, and some servers know it in no other spelling.
                filled += &percent(&value).replace("%3A", ":");
            }
        }
    }
    Ok(hidden_from.map_or_else(|| RequestPath::open(&filled), |from| RequestPath::hidden(&filled, from)))
}

/// Fills a header.
///
/// # Errors
/// A part that is missing, or that holds bytes that no header may.
pub(crate) fn header(name: &str, text: &str, basic: Option<&str>, values: &Values<'_>) -> Result<Secret, Refusal> {
    let mut filled = Vec::new();
    for piece in template::pieces(text) {
        match piece {
            Piece::Text(text) => filled.extend_from_slice(text.as_bytes()),
            Piece::Part("basic") => {
                let pair = raw(basic.unwrap_or_default(), values)?;
                filled.extend_from_slice(STANDARD.encode(pair).as_bytes());
            }
            Piece::Part(part) => filled.extend_from_slice(&values(part)?),
        }
    }
    let allowed = |byte: &u8| (0x20..0x7f).contains(byte);
    if !filled.iter().all(allowed) || filled.first() == Some(&b' ') || filled.last() == Some(&b' ') {
        return Err(Refusal::unknown(format!("it holds bytes that the header {name} cannot carry; nobody was asked")));
    }
    Ok(Secret::new(&filled))
}

/// Fills a text without any escape.
///
/// # Errors
/// A part that is missing.
pub(crate) fn raw(text: &str, values: &Values<'_>) -> Result<Vec<u8>, Refusal> {
    let mut filled = Vec::new();
    for piece in template::pieces(text) {
        match piece {
            Piece::Text(text) => filled.extend_from_slice(text.as_bytes()),
            Piece::Part(name) => filled.extend_from_slice(&values(name)?),
        }
    }
    Ok(filled)
}

/// Fills a body of a content type. `is_part` says which names in braces are parts; others are text, as in GraphQL.
///
/// # Errors
/// A part that is missing, or that is no text where the body must be.
pub(crate) fn filled_body(
    body: &str,
    kind: &str,
    is_part: &dyn Fn(&str) -> bool,
    values: &Values<'_>,
) -> Result<Secret, Refusal> {
    let mut filled = Vec::new();
    for piece in template::pieces(body) {
        match piece {
            Piece::Part(name) if is_part(name) => filled.extend_from_slice(&escaped(&values(name)?, kind)?),
            Piece::Part(name) => filled.extend_from_slice(format!("{{{name}}}").as_bytes()),
            Piece::Text(text) => filled.extend_from_slice(text.as_bytes()),
        }
    }
    Ok(Secret::new(&filled))
}

/// Escapes a value for the body of a content type: inside a string of JSON, or as a field of a form.
fn escaped(value: &[u8], kind: &str) -> Result<Vec<u8>, Refusal> {
    if kind.starts_with("application/x-www-form-urlencoded") {
        return Ok(percent(value).into_bytes());
    }
    if !kind.starts_with("application/json") {
        return Ok(value.to_vec());
    }
    let text = std::str::from_utf8(value).map_err(|_| Refusal::unknown("it is no text; nobody was asked"))?;
    let quoted = Value::String(text.to_owned()).to_string();
    Ok(quoted.as_bytes()[1..quoted.len() - 1].to_vec())
}

/// Writes all bytes but the unreserved ones of RFC 3986 as `%XX`.
pub(crate) fn percent(value: &[u8]) -> String {
    let mut text = String::new();
    for byte in value {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(char::from(*byte)),
            _ => text += &format!("%{byte:02X}"),
        }
    }
    text
}

/// The gateways whose base stands for more than a provider's host: the gateway's host, the end of the base, and the head
/// of the provider's paths that the base stands for
/// (<https://developers.cloudflare.com/ai-gateway/usage/providers/>).
const STANDS_FOR: [(&str, &str, &str); 2] =
    [("gateway.ai.cloudflare.com", "/openai", "/v1"), ("gateway.ai.cloudflare.com", "/groq", "/openai/v1")];

/// Returns the path that is asked behind an endpoint's base. A base that ends with what the path begins with, as in
/// `https://gateway.example/v1` for `/v1/models`, does not have it twice.
pub(crate) fn path_at(endpoint: &Endpoint, path: &str) -> String {
    let base = endpoint.base_path.as_str();
    for (host, end, head) in STANDS_FOR {
        if endpoint.host == host && base.ends_with(end) && path.starts_with(&format!("{head}/")) {
            return path[head.len()..].to_owned();
        }
    }
    // The longest head of the path that the base ends with, cut at a slash; something of the path always stays.
    let mut cuts = path.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0 && !path[..*at].contains('?'));
    let doubled = cuts.rfind(|cut| base.ends_with(&path[..*cut]));
    doubled.map_or(path, |cut| &path[cut..]).to_owned()
}

/// Returns a filled path as it is asked behind an endpoint's base.
pub(crate) fn path_behind(endpoint: &Endpoint, path: RequestPath) -> RequestPath {
    let rest = path_at(endpoint, path.expose()).len();
    path.without_head(path.expose().len() - rest)
}

#[cfg(test)]
mod tests;
