//! What a signed token (JWT) says of itself: the claims by which a detector tells its provider's from all others.
//!
//! Claims are read, never trusted: nothing here checks a signature, so they name a candidate's kind and no more.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The longest payload that is decoded, in characters of base64.
const LONGEST_PAYLOAD: usize = 64 * 1024;

/// Returns whether a token has every claim with a value that fits its glob. No claims are asked of most detectors, and then
/// any value will do. Of a list, one element must fit; of an object or a truth value, that it is there fits `*` alone.
pub fn satisfied(claims: &BTreeMap<String, String>, token: &[u8]) -> bool {
    if claims.is_empty() {
        return true;
    }
    let Some(Value::Object(payload)) = payload(token) else { return false };
    claims.iter().all(|(name, glob)| payload.get(name).is_some_and(|value| fits(glob, value)))
}

/// Decodes the payload of a token: its second part.
pub fn payload(token: &[u8]) -> Option<Value> {
    let part = token.split(|byte| *byte == b'.').nth(1)?;
    if part.len() > LONGEST_PAYLOAD {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// Returns whether a token says nothing but the hash of something: it is a signature under a text and opens nothing.
pub fn signs_a_hash(token: &[u8]) -> bool {
    let Some(Value::Object(payload)) = payload(token) else { return false };
    let of_a_hash =
        |name: &String| matches!(name.as_str(), "hash" | "digest" | "sha256" | "checksum" | "version" | "v");
    payload.keys().all(of_a_hash) && payload.keys().any(|name| !matches!(name.as_str(), "version" | "v"))
}

fn fits(glob: &str, value: &Value) -> bool {
    match value {
        Value::String(text) => glob_matches(glob, text),
        Value::Number(number) => glob_matches(glob, &number.to_string()),
        Value::Array(values) => values.iter().any(|value| !value.is_array() && fits(glob, value)),
        Value::Object(_) | Value::Bool(_) => glob == "*",
        Value::Null => false,
    }
}

/// Returns whether a glob of literals, `*` and `?` matches the whole text, in time linear in the product of both.
pub(crate) fn glob_matches(glob: &str, text: &str) -> bool {
    let (glob, text) = (glob.as_bytes(), text.as_bytes());
    let (mut at, mut position) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while position < text.len() {
        match glob.get(at) {
            Some(b'*') => {
                retry = Some((at + 1, position));
                at += 1;
            }
            Some(byte) if *byte == b'?' || *byte == text[position] => {
                at += 1;
                position += 1;
            }
            _ => {
                let Some((after_star, taken)) = retry else { return false };
                retry = Some((after_star, taken + 1));
                (at, position) = (after_star, taken + 1);
            }
        }
    }
    glob[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_ids() {
        for (glob, id, expected) in [
            ("openai-*", "openai-project-key", true),
            ("*", "anything", true),
            ("*-key", "openai-project-key", true),
            ("openai", "openai-project-key", false),
            ("openai-pro?ect-key", "openai-project-key", true),
            ("*a*b", "aab", true),
            ("*a*b", "aabc", false),
            ("", "", true),
            ("?", "", false),
        ] {
            assert_eq!(glob_matches(glob, id), expected, "{glob} {id}");
        }
    }

    fn token(payload: &str) -> Vec<u8> {
        format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(payload)).into_bytes()
    }

    fn claims(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter().map(|(name, glob)| ((*name).to_owned(), (*glob).to_owned())).collect()
    }

    #[test]
    fn every_claim_must_be_there_and_fit() {
        let asked = claims(&[("iss", "https://login.*/"), ("aud", "api"), ("sub", "*"), ("exp", "*")]);
        let whole = r#"{"iss":"https://login.example/","aud":["web","api"],"sub":{"id":1},"exp":5}"#;
        assert!(satisfied(&asked, &token(whole)));
        assert!(!satisfied(&asked, &token(&whole.replace("login", "logon"))));
        assert!(!satisfied(&asked, &token(&whole.replace("exp", "nbf"))));
        assert!(!satisfied(&asked, &token(&whole.replace("{\"id\":1}", "null"))));
    }

    #[test]
    fn a_token_that_only_holds_a_hash_signs_one() {
        assert!(signs_a_hash(&token(r#"{"hash":"7f28c1b6","version":1}"#)));
        for payload in ["{}", r#"{"version":1}"#, r#"{"hash":"7f28c1b6","sub":"a"}"#] {
            assert!(!signs_a_hash(&token(payload)), "{payload}");
        }
    }

    #[test]
    fn what_is_no_token_has_no_claims() {
        let asked = claims(&[("iss", "*")]);
        for text in [&b""[..], b".", b"a.b.c", b"eyJ.eyJ.x", b"one.W10.x"] {
            assert!(!satisfied(&asked, text), "{text:?}");
            assert!(satisfied(&claims(&[]), text));
        }
    }
}
