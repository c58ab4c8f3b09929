//! Judges one answer by what a detector says of statuses and bodies. What is not documented there is unknown.
//!
//! Facts of the account are taken from the places that the detector names and from nowhere else, cut to a bounded length,
//! and never where they repeat the credential in any spelling.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::detector::compile::Detector;
use crate::detector::compile::schema::{State, Verify};
use crate::finding::{Liveness, Verification};
use crate::secret::{Secret, hex};

use super::exchange::{Answer, Request};
use super::published;
use super::request::percent;

/// The longest fact, in characters.
const LONGEST_FACT: usize = 200;
/// The most facts of one answer, and the most elements of a list that are told.
const MOST_FACTS: usize = 24;
/// The longest run of a secret's variable part that may be told on, in characters.
const LONGEST_RUN: usize = 8;

/// Says what an answer means for the credential that it was asked about.
pub(crate) fn judge(detector: &Detector, verify: &Verify, request: &Request, answer: &Answer) -> Verification {
    let document = serde_json::from_slice::<Value>(&answer.body).ok().filter(|_| !answer.cut);
    let (mut state, mut why) = meaning(verify, answer, document.as_ref());
    if let (Liveness::Live, Some(mark)) = (state, &request.proof) {
        (state, why) = proven(document.as_ref(), mark);
    }
    let reason = format!("{} answered {}{why}", request.endpoint.host, answer.status);
    let mut verdict = Verification { reason: Some(reason), ..Verification::new(state) };
    if state != Liveness::Unknown {
        verdict.account = account(detector, verify, request, answer, document.as_ref());
    }
    verdict
}

/// Returns what the answer means and, behind its status, why.
fn meaning(verify: &Verify, answer: &Answer, document: Option<&Value>) -> (Liveness, String) {
    let unknown = |why: &str| (Liveness::Unknown, format!(", {why}"));
    if (300..400).contains(&answer.status) {
        return unknown("a redirect, which is not followed");
    }
    if is_html(answer) && answer.status != 401 && !verify.html.contains(&answer.status) {
        return unknown("a page of HTML, which is no answer of its API");
    }
    let conditions: Vec<_> = verify.when.iter().filter(|condition| condition.status == answer.status).collect();
    let body = without_spaces(&answer.body);
    for condition in &conditions {
        if contains(&body, &without_spaces(condition.contains.as_bytes())) {
            let mut why = format!(" with {:?}", condition.contains);
            if condition.state == State::Unknown && verify.sign.is_some() {
                why += ", as it would if the public half that stands near belonged to another";
            }
            return checked(verify, answer, document, condition.state, &why);
        }
    }
    if !conditions.is_empty() && answer.cut {
        return unknown("too long to be read to its end");
    }
    for (list, state) in [(&verify.live, State::Live), (&verify.limited, State::Limited), (&verify.dead, State::Dead)] {
        if list.contains(&answer.status) {
            return checked(verify, answer, document, state, "");
        }
    }
    unknown(match answer.status {
        429 => "which asks to come later",
        500..=599 => "a fault of its own",
        200..=299 if !conditions.is_empty() => "in words that are not documented",
        _ => "which is not documented for this credential",
    })
}

/// Says what a list of what is in force means for the credential whose mark is sought in it.
fn proven(document: Option<&Value>, mark: &str) -> (Liveness, String) {
    match document {
        Some(list @ Value::Object(_)) if published::lists(list, mark) => {
            (Liveness::Live, " with its public half among those in force; nobody signed in".into())
        }
        Some(Value::Object(_)) => (Liveness::Dead, ", and its public half is not among those in force".into()),
        _ => (Liveness::Unknown, ", but with no list of what is in force".into()),
    }
}

/// Takes an answer that means that it works only if it looks like one of an API.
fn checked(verify: &Verify, answer: &Answer, document: Option<&Value>, state: State, why: &str) -> (Liveness, String) {
    let works = matches!(state, State::Live | State::Limited);
    let success = (200..300).contains(&answer.status) && answer.status != 204;
    // A body beyond the cap cannot be parsed; its beginning and its content type must speak for it.
    let looks_whole = document.is_some() || (answer.cut && begins_as_json(answer));
    if works && success && !verify.plain && !looks_whole {
        return (Liveness::Unknown, ", but with a body that is no JSON".into());
    }
    let state = match state {
        State::Live => Liveness::Live,
        State::Limited => Liveness::Limited,
        State::Dead => Liveness::Dead,
        State::Unknown => Liveness::Unknown,
    };
    (state, why.to_owned())
}

fn begins_as_json(answer: &Answer) -> bool {
    let json = answer.header("content-type").is_some_and(|kind| kind.to_ascii_lowercase().contains("json"));
    json && matches!(answer.body.trim_ascii_start().first(), Some(b'{' | b'['))
}

fn is_html(answer: &Answer) -> bool {
    let kind = answer.header("content-type").unwrap_or_default().to_ascii_lowercase();
    let head: Vec<u8> = answer.body.trim_ascii_start().iter().take(15).map(u8::to_ascii_lowercase).collect();
    kind.starts_with("text/html")
        || kind.starts_with("application/xhtml")
        || head.starts_with(b"<!doctype html")
        || head.starts_with(b"<html")
}

fn without_spaces(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect()
}

fn contains(text: &[u8], sought: &[u8]) -> bool {
    memchr::memmem::find(text, sought).is_some()
}

fn account(
    detector: &Detector,
    verify: &Verify,
    request: &Request,
    answer: &Answer,
    document: Option<&Value>,
) -> BTreeMap<String, String> {
    let forms: Vec<Vec<u8>> = request.held.iter().flat_map(|secret| forms(secret, head_of(detector, secret))).collect();
    let mut facts = BTreeMap::new();
    for (name, place) in verify.account.iter().take(MOST_FACTS) {
        let told = match place.starts_with('/') {
            true => document.and_then(|document| document.pointer(place)).and_then(written),
            false => answer.header(place).map(str::to_owned),
        };
        let fact = told.map(|text| clean(&text)).filter(|fact| !fact.is_empty() && !repeats(fact, &forms));
        facts.extend(fact.map(|fact| (name.clone(), fact)));
    }
    facts
}

/// Writes a value of JSON: text, a number, a truth value, or a list of these.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(held) => Some(held.to_string()),
        Value::Array(values) => {
            let flat = values.iter().filter(|value| !value.is_array());
            let words: Vec<String> = flat.take(MOST_FACTS).filter_map(written).collect();
            Some(words.join(", "))
        }
        Value::Null | Value::Object(_) => None,
    }
}

/// Takes out what steers a terminal or hides text, and cuts to length.
fn clean(text: &str) -> String {
    let hidden = |character: &char| {
        character.is_control()
            || matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let cleaned: String = text.chars().filter(|character| !hidden(character)).take(LONGEST_FACT).collect();
    cleaned.trim().to_owned()
}

/// Returns how many leading bytes of a secret are a constant of its type.
fn head_of(detector: &Detector, secret: &Secret) -> usize {
    let heads = detector.shapes.iter().map(|shape| shape.split('{').next().unwrap_or_default());
    heads.filter(|head| secret.expose().starts_with(head.as_bytes())).map(str::len).max().unwrap_or(0)
}

/// Returns the spellings in which the variable part of a secret would be recognised.
fn forms(secret: &Secret, head: usize) -> Vec<Vec<u8>> {
    let variable = &secret.expose()[head.min(secret.expose().len())..];
    let mut forms = vec![variable.to_vec(), hex(variable).into_bytes(), percent(variable).into_bytes()];
    forms.push(hex(variable).to_ascii_uppercase().into_bytes());
    // Base64 has three alignments; which one depends on what stands before the secret.
    for skipped in 0..3.min(variable.len()) {
        let encoded = STANDARD.encode(&variable[skipped..]).trim_end_matches('=').to_owned();
        forms.push(encoded.replace('+', "-").replace('/', "_").into_bytes());
        forms.push(encoded.into_bytes());
    }
    forms
}

/// Returns whether a text holds more of a spelling than may be told on.
fn repeats(text: &str, forms: &[Vec<u8>]) -> bool {
    let run = LONGEST_RUN + 1;
    forms.iter().any(|form| match form.len() {
        0..4 => false,
        short if short < run => contains(text.as_bytes(), form),
        _ => text.as_bytes().windows(run).any(|window| contains(form, window)),
    })
}

#[cfg(test)]
mod tests;
