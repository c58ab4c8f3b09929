//! Join keys in the one form in which the store holds them and questions ask for them. What an export, a hand-kept file or
//! a leaked value calls by another spelling (base64 for hex, upper case, colons) is made equal here and nowhere else.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::model::JwtClaims;
use crate::secret::hex;

/// The longest join key, in bytes.
const LONGEST: usize = 512;

/// The kinds of join keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// A keyed fingerprint: `b3k1:<key id>:<32 hex>` or `hs256:<key id>:<64 hex>`.
    Fingerprint,
    /// A digest that a provider publishes: `gh-sha256:<64 hex>`.
    Digest,
    /// The provider's record id: `openai:key_ex01`.
    Id,
    /// An id that stands in the leaked text itself: `aws:AKIA…`.
    PublicId,
    /// An account: `aws:111122223333`.
    Account,
    /// Claims of a signed token, in the form that [`jwt_key`] writes.
    Jwt,
    /// What an identity is called elsewhere: `spiffe:spiffe://acme.example/rag`.
    ExternalId,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Fingerprint, Self::Digest, Self::Id, Self::PublicId, Self::Account, Self::Jwt, Self::ExternalId];

    /// Returns the name under which the store keeps it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fingerprint => "fp",
            Self::Digest => "digest",
            Self::Id => "id",
            Self::PublicId => "public-id",
            Self::Account => "account",
            Self::Jwt => "jwt",
            Self::ExternalId => "external-id",
        }
    }

    /// Returns the kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// Digests that providers publish, each with its length in bytes.
const DIGESTS: [(&str, usize); 6] =
    [("gh-sha256", 32), ("hmsl", 32), ("spki-sha256", 32), ("ssh-sha256", 32), ("x509-sha1", 20), ("x509-sha256", 32)];

/// Returns a join key in the form in which the store holds it.
///
/// # Errors
/// Why the value is no key of this kind, without the value.
pub fn normalised(kind: KeyKind, value: &str) -> Result<String, String> {
    let value = value.trim();
    if value.is_empty() || value.len() > LONGEST {
        return Err(format!("must have 1 to {LONGEST} bytes"));
    }
    if value.chars().any(char::is_control) {
        return Err("holds control characters".into());
    }
    match kind {
        KeyKind::Fingerprint => fingerprint(value),
        KeyKind::Digest => digest(value),
        KeyKind::Jwt => Ok(value.to_owned()),
        KeyKind::Id | KeyKind::PublicId | KeyKind::Account | KeyKind::ExternalId => named(kind, value),
    }
}

/// A fingerprint under a key; anything unkeyed is refused, since it lets everyone confirm a guess.
fn fingerprint(value: &str) -> Result<String, String> {
    const FORM: &str = "must be b3k1:<key id>:<32 hex> or hs256:<key id>:<64 hex>; `credtrace enroll` makes it. An unkeyed \
        digest is refused: whoever reads it can confirm a guess";
    let mut parts = value.splitn(3, ':');
    let (Some(scheme), Some(key), Some(digits)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(FORM.into());
    };
    let digits = digits.to_ascii_lowercase();
    let key_fits =
        (1..=64).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let own_key = key.strip_prefix("k1-").is_some_and(|id| id.len() == 8 && is_hex(id));
    let fits = match scheme {
        "b3k1" => own_key && digits.len() == 32,
        "hs256" => key_fits && digits.len() == 64,
        _ => false,
    };
    if !fits || !is_hex(&digits) {
        return Err(FORM.into());
    }
    Ok(format!("{scheme}:{key}:{digits}"))
}

fn digest(value: &str) -> Result<String, String> {
    let known = || DIGESTS.map(|entry| entry.0).join(", ");
    let (scheme, text) =
        value.split_once(':').ok_or_else(|| format!("must begin with one of {} and a colon", known()))?;
    let scheme = scheme.to_ascii_lowercase();
    let Some((_, length)) = DIGESTS.iter().find(|entry| entry.0 == scheme) else {
        return Err(format!(
            "is of no kind that a provider publishes ({}); other digests of a secret are refused",
            known()
        ));
    };
    let bytes = digest_bytes(text, *length)
        .ok_or_else(|| format!("{scheme}: must be {length} bytes in hexadecimal digits or base64"))?;
    Ok(format!("{scheme}:{}", hex(&bytes)))
}

/// Reads the bytes of a digest from hexadecimal digits, with or without colons, or from base64 of either alphabet, with
/// or without padding.
fn digest_bytes(text: &str, length: usize) -> Option<Vec<u8>> {
    let text = text.strip_prefix("SHA256:").unwrap_or(text);
    let digits: String = text.chars().filter(|character| *character != ':').collect();
    if digits.len() == length * 2 && is_hex(&digits) {
        return Some(unhex(&digits));
    }
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let alphabet = if text.contains(['-', '_']) { alphabet::URL_SAFE } else { alphabet::STANDARD };
    let bytes = GeneralPurpose::new(&alphabet, config).decode(text).ok()?;
    (bytes.len() == length).then_some(bytes)
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Reads hexadecimal digits, which the caller has looked at.
fn unhex(digits: &str) -> Vec<u8> {
    let value = |byte: u8| (byte as char).to_digit(16).unwrap_or(0) as u8;
    digits.as_bytes().chunks_exact(2).map(|pair| value(pair[0]) << 4 | value(pair[1])).collect()
}

/// An id behind the name of the system that gave it.
fn named(kind: KeyKind, value: &str) -> Result<String, String> {
    let form = || "must be <system>:<value>, such as openai:key_ex01".to_owned();
    let (system, rest) = value.split_once(':').ok_or_else(form)?;
    let (system, rest) = (system.trim().to_ascii_lowercase(), rest.trim());
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' || byte == b'.';
    if system.is_empty() || system.len() > 48 || !system.bytes().all(fits) || rest.is_empty() {
        return Err(form());
    }
    let rest = match (kind, system.as_str()) {
        (KeyKind::PublicId, "aws") => rest.to_ascii_uppercase(),
        (KeyKind::PublicId, "gcp-key" | "langfuse" | "entra" | "k8s-sa") => rest.to_ascii_lowercase(),
        (KeyKind::Account, "host") => rest.trim_end_matches('.').to_ascii_lowercase(),
        (KeyKind::Account, "azure-tenant") => rest.to_ascii_lowercase(),
        _ => rest.to_owned(),
    };
    Ok(format!("{system}:{rest}"))
}

/// Writes the claims of a record as one key, or nothing where they name no token: an issuer alone signs for everyone.
pub fn jwt_key(claims: &JwtClaims) -> Option<String> {
    let present = |value: &Option<String>| value.as_deref().filter(|value| !value.is_empty()).map(str::to_owned);
    let parts = [present(&claims.iss), present(&claims.sub), present(&claims.jti), present(&claims.kid)];
    if parts[1..].iter().all(Option::is_none) {
        return None;
    }
    // A JSON list keeps every character apart from what separates the claims.
    let key = serde_json::to_string(&parts).ok()?;
    (key.len() <= LONGEST * 4).then_some(key)
}

/// Returns the keys under which a record may name a token with these claims, the one that names most claims first: a
/// record says some of what a token says.
pub fn jwt_lookups(claims: &JwtClaims) -> Vec<String> {
    let mut masks: Vec<u32> = (1..16).collect();
    masks.sort_by_key(|mask| (std::cmp::Reverse(mask.count_ones()), *mask));
    let mut keys: Vec<String> = Vec::new();
    for mask in masks {
        let keep = |bit: u32, value: &Option<String>| value.clone().filter(|_| mask & (1 << bit) != 0);
        let some = JwtClaims {
            iss: keep(0, &claims.iss),
            sub: keep(1, &claims.sub),
            jti: keep(2, &claims.jti),
            kid: keep(3, &claims.kid),
        };
        // A claim that the token lacks makes two subsets the same.
        keys.extend(jwt_key(&some).filter(|key| !keys.contains(key)));
    }
    keys
}

/// Reads a redacted form as head and tail: any two stretches with one gap of dots, an ellipsis, asterisks or bullets
/// between them. A text without a gap, or with two, is no redacted form.
pub fn parse_hint(text: &str) -> Option<(String, String)> {
    let text = text.trim();
    let is_gap = |character: char| matches!(character, '.' | '…' | '*' | '•');
    let mut gaps: Vec<(usize, usize)> = Vec::new();
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (is_gap(character), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                // One full stop is a part of the value, as in `hvs.abc`.
                gaps.extend((&text[from..at] != ".").then_some((from, at)));
                start = None;
            }
            _ => {}
        }
    }
    let [(from, to)] = gaps[..] else { return None };
    let (head, tail) = (&text[..from], &text[to..]);
    let plain = |part: &str| part.chars().all(|character| character.is_ascii_graphic());
    ((head.len() + tail.len() > 0) && plain(head) && plain(tail)).then(|| (head.to_owned(), tail.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_of_github_is_the_same_in_base64_and_hex() {
        let digest = "vNlZTNaUpDT36vlPU+Hn2KZwg/l5Ey9J58samkwyWcU=";
        let known = normalised(KeyKind::Digest, &format!("gh-sha256:{digest}")).expect("base64");
        assert!(known.starts_with("gh-sha256:bcd9594cd694a434"), "{known}");
        assert_eq!(
            normalised(KeyKind::Digest, &known.to_uppercase().replace("GH-SHA256", "gh-sha256")),
            Ok(known.clone())
        );
        let url_safe = digest.trim_end_matches('=').replace('+', "-").replace('/', "_");
        assert_eq!(normalised(KeyKind::Digest, &format!("gh-sha256:{url_safe}")), Ok(known.clone()));
        let colons: Vec<String> =
            known.as_bytes()["gh-sha256:".len()..].chunks(2).map(|pair| String::from_utf8_lossy(pair).into()).collect();
        assert_eq!(normalised(KeyKind::Digest, &format!("gh-sha256:{}", colons.join(":"))), Ok(known));
        assert!(normalised(KeyKind::Digest, "gh-sha256:abcd").is_err());
    }

    #[test]
    fn an_unkeyed_digest_of_ours_is_refused() {
        for value in [
            format!("sha256:{}", "ab".repeat(32)),
            "ab".repeat(32),
            format!("b3k1:{}", "ab".repeat(16)),
            format!("b3k1:k1-5f2c9a10:{}", "ab".repeat(32)),
            format!("hs256::{}", "ab".repeat(32)),
        ] {
            let reason = normalised(KeyKind::Fingerprint, &value).expect_err("must be refused");
            assert!(reason.contains("enroll") && !reason.contains("abab"), "{reason}");
        }
        assert!(normalised(KeyKind::Digest, &format!("sha256:{}", "ab".repeat(32))).is_err());
        let good = format!("b3k1:k1-5f2c9a10:{}", "AB".repeat(16));
        assert_eq!(normalised(KeyKind::Fingerprint, &good), Ok(good.replace("AB", "ab")));
    }

    #[test]
    fn ids_keep_their_case_unless_their_system_has_none() {
        assert_eq!(normalised(KeyKind::Id, "OpenAI:key_Ex01").as_deref(), Ok("openai:key_Ex01"));
        assert_eq!(normalised(KeyKind::Account, "host:ADB-1.Azure.net.").as_deref(), Ok("host:adb-1.azure.net"));
        assert_eq!(normalised(KeyKind::PublicId, "gcp-key:ABCDEF").as_deref(), Ok("gcp-key:abcdef"));
        for value in ["key_ex01", ":x", "openai:", "two words:x", "a:b\nc"] {
            assert!(normalised(KeyKind::Id, value).is_err(), "{value}");
        }
    }

    #[test]
    fn any_form_of_a_redacted_value_is_read() {
        let read = |text| parse_hint(text).map(|(head, tail)| format!("{head}|{tail}"));
        assert_eq!(read("sk-abc...def").as_deref(), Some("sk-abc|def"));
        assert_eq!(read("sk-ant-api03-R2D...igAA").as_deref(), Some("sk-ant-api03-R2D|igAA"));
        assert_eq!(read("sk-proj-****1234").as_deref(), Some("sk-proj-|1234"));
        assert_eq!(read("***MQGQ").as_deref(), Some("|MQGQ"));
        assert_eq!(read("hvs.ab…cd").as_deref(), Some("hvs.ab|cd"));
        assert_eq!(read("Ex8*****").as_deref(), Some("Ex8|"));
        for text in ["", "...", "whole-value", "a..b..c", "a b...c", "é…x"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_token_is_found_by_what_a_record_says_of_it() {
        let some = |text: &str| Some(text.to_owned());
        let token = JwtClaims { iss: some("https://a"), sub: some("s"), jti: some("j"), kid: None };
        let record = JwtClaims { iss: some("https://a"), sub: some("s"), jti: None, kid: None };
        let lookups = jwt_lookups(&token);
        assert!(lookups.contains(&jwt_key(&record).expect("a key")));
        assert_eq!(lookups[0], jwt_key(&token).expect("a key"));
        let other = JwtClaims { kid: some("k"), ..record };
        assert!(!lookups.contains(&jwt_key(&other).expect("a key")));
        assert_eq!(jwt_key(&JwtClaims { iss: some("https://a"), ..JwtClaims::default() }), None);
    }
}
