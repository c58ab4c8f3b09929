//! Ends a credential at its provider: makes the request that a detector declares, shows it without any secret in it, and
//! says what the answer means. Nothing here sends it or decides that it should be sent.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::detector::compile::Detector;
use crate::detector::compile::schema::RevokeCall;
use crate::detector::compile::template;
use crate::error::{Error, Result};
use crate::secret::Secret;

use super::endpoints::Endpoints;
use super::exchange::{Answer, Endpoint, Request};
use super::request::{self, Refusal};

/// The longest value of a part that a person gives, in bytes.
const LONGEST_PART: usize = 512;

/// Whose secret a request to end a credential carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Authority {
    /// The credential itself ends itself.
    Itself,
    /// Somebody who may end it.
    Administrator,
}

impl Authority {
    /// Says what is asked for on standard input.
    pub fn wanted(self) -> &'static str {
        match self {
            Self::Itself => "the value to be ended",
            Self::Administrator => "the credential of somebody who may end it",
        }
    }

    /// The name of its part.
    fn part(self) -> &'static str {
        match self {
            Self::Itself => "secret",
            Self::Administrator => "admin",
        }
    }
}

/// A request to end a credential, with the parts of it that a person named.
#[derive(Debug, Clone)]
pub struct Revocation<'detector> {
    call: &'detector RevokeCall,
    endpoint: Option<Endpoint>,
    provider: &'detector str,
    parts: BTreeMap<String, String>,
}

impl<'detector> Revocation<'detector> {
    /// Prepares the request that a detector declares; there is none where it declares none. `parts` are named values, such
    /// as `record_id`; an endpoint that a person named for the provider stands for the declared host.
    ///
    /// # Errors
    /// A part that the request does not have, or a value that is empty, too long or no text of one line.
    pub fn new(
        detector: &'detector Detector,
        parts: BTreeMap<String, String>,
        endpoints: &Endpoints,
    ) -> Result<Option<Self>> {
        let Some(call) = detector.revoke.as_ref().and_then(|revoke| revoke.call.as_ref()) else { return Ok(None) };
        let known = names(call);
        for (name, value) in &parts {
            if !known.contains(&name.as_str()) {
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(Error::Usage(format!("the request has no part {name:?}; it has: {known}")));
            }
            if value.is_empty() || value.len() > LONGEST_PART || value.chars().any(char::is_control) {
                return Err(Error::Usage(format!("{name} must be 1 to {LONGEST_PART} bytes on one line")));
            }
        }
        let declared = call.host.as_deref().map(Endpoint::of_host);
        let endpoint = endpoints.of(&detector.provider).cloned().or(declared);
        Ok(Some(Self { call, endpoint, provider: &detector.provider, parts }))
    }

    /// Returns whose secret the request carries.
    pub fn authority(&self) -> Authority {
        let has_secret = self.call.texts().flat_map(|text| template::parts(text)).any(|part| part == "secret");
        if has_secret { Authority::Itself } else { Authority::Administrator }
    }

    /// Returns what else the request does, or that it can be taken back.
    pub fn effect(&self) -> Option<&str> {
        self.call.effect.as_deref()
    }

    /// Returns what a person must still give, as the options that give it.
    pub fn missing(&self) -> Vec<String> {
        let option = |name: &str| match name {
            "record_id" => "--record-id ID".to_owned(),
            _ => format!("--part {name}=VALUE"),
        };
        let mut missing: Vec<String> =
            names(self.call).into_iter().filter(|name| !self.parts.contains_key(*name)).map(option).collect();
        if self.endpoint.is_none() {
            missing.push(format!("--endpoint {}=https://HOST", self.provider));
        }
        missing
    }

    /// Writes the whole request with a word in the place of every secret, and what is missing still in braces.
    pub fn shown(&self) -> String {
        let word = format!("<{}>", self.authority().wanted());
        let shown = |text: &str| self.worded(text, &word);
        let place = self.endpoint.as_ref().map_or_else(|| "https://{host}".to_owned(), ToString::to_string);
        let path = self
            .endpoint
            .as_ref()
            .map_or_else(|| self.call.path.clone(), |endpoint| request::path_at(endpoint, &self.call.path));
        let mut text = format!("{} {place}{}\n", self.call.method, shown(&path));
        for (name, value) in &self.call.headers {
            let pair = format!("base64 of {}", shown(self.call.basic.as_deref().unwrap_or_default()));
            text += &format!("{name}: {}\n", shown(value).replace("{basic}", &pair));
        }
        if let Some(body) = &self.call.body {
            text += &format!("\n{}\n", shown(body));
        }
        text
    }

    fn worded(&self, text: &str, word: &str) -> String {
        let pieces = template::pieces(text).into_iter().map(|piece| match piece {
            template::Piece::Text(text) => text.to_owned(),
            template::Piece::Part("secret" | "admin") => word.to_owned(),
            template::Piece::Part(name) => self.parts.get(name).cloned().unwrap_or_else(|| format!("{{{name}}}")),
        });
        pieces.collect()
    }

    /// Makes the request with its secret.
    ///
    /// # Errors
    /// What is missing, or a value that has no place in the request.
    pub fn request(&self, secret: &Secret) -> Result<Request> {
        let missing = self.missing();
        let (Some(endpoint), true) = (&self.endpoint, missing.is_empty()) else {
            return Err(Error::Usage(format!("the request needs {}", missing.join(", "))));
        };
        self.filled(endpoint, secret).map_err(|refusal| Error::Usage(refusal.reason()))
    }

    fn filled(&self, endpoint: &Endpoint, secret: &Secret) -> Result<Request, Refusal> {
        let own = self.authority().part();
        let values = |name: &str| match self.parts.get(name) {
            Some(value) => Ok(Cow::Borrowed(value.as_bytes())),
            None if name == own => Ok(Cow::Borrowed(secret.expose())),
            None => Err(Refusal::unknown(format!("{name} is not given"))),
        };
        let mut request = Request::new(endpoint.clone(), &self.call.method, "/");
        request.path = request::path_behind(endpoint, request::filled_path(&self.call.path, &values)?);
        for (name, value) in &self.call.headers {
            let value = request::header(name, value, self.call.basic.as_deref(), &values)?;
            request.headers.push((name.clone(), value));
        }
        let kind = self.call.headers.get("content-type").map(String::as_str).unwrap_or_default();
        let body = |body: &String| request::filled_body(body, kind, &|_| true, &values);
        request.body = self.call.body.as_ref().map(body).transpose()?;
        request.held.push(secret.clone());
        Ok(request)
    }

    /// Returns whether an answer says that the credential is ended.
    pub fn done(&self, answer: &Answer) -> bool {
        let packed = |text: &[u8]| text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect::<Vec<u8>>();
        let says = |text: &String| memchr::memmem::find(&packed(&answer.body), &packed(text.as_bytes())).is_some();
        self.call.done.contains(&answer.status) && self.call.contains.as_ref().is_none_or(says)
    }
}

/// Returns the names of the parts that a person gives, each once, in the order of the request.
fn names(call: &RevokeCall) -> Vec<&str> {
    let mut names = Vec::new();
    for name in call.texts().flat_map(|text| template::parts(text)) {
        if !matches!(name, "secret" | "admin" | "basic") && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
mod tests;
