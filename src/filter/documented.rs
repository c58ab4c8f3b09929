//! Values that documentation, standards and emulators give everyone. They are kept as hashes: no file of this project
//! holds a string that it would report.

use crate::detector::claims;
use crate::detector::compile::Kind;

/// The first eight bytes of the BLAKE3 hash of each.
const KNOWN: [u64; 22] = [
    // Two test keys of Stripe's documentation.
    0x286e_3a91_f00e_bdbe,
    0x864b_ab38_fcb7_b648,
    // The account keys of Azure's storage and Cosmos DB emulators.
    0xe832_2be1_fa3e_0aa3,
    0xd410_8a2a_2f94_4066,
    // UUIDs that standards and manuals print.
    0x9978_87f4_486a_91db,
    0x86d6_92bf_5558_dfab,
    0x555a_150e_0d7d_b59a,
    0x8058_80ff_cc81_a515,
    // MD5, SHA-1 and SHA-256 of nothing, and MD5 of "hello", "password" and "test".
    0x4fea_0b60_4aa4_c410,
    0xe38e_5499_1984_8bd9,
    0xc077_a356_e5d0_e938,
    0x1816_1bd0_c292_a725,
    0x61db_f654_84a4_a564,
    0x1d1e_f238_9897_242f,
    // What examples of AWS print: two key ids, tokens of its sign-in, an account of Twilio and a signature of Azure, this
    // with and without the entities of HTML.
    0xaa2c_0a61_295b_8149,
    0x806a_6149_fea6_90fb,
    0x16b7_5758_1599_3edd,
    0x9db4_300a_347e_5a31,
    0xe0a2_eebf_1244_ca5d,
    0x70c7_e7c9_062a_09e7,
    0xf921_1872_14e2_4423,
    0xcc85_1fab_0356_0585,
];

/// Returns whether a value is one that documentation gives everyone.
pub fn is_documented(kind: Kind, value: &[u8]) -> bool {
    let hash = blake3::hash(value);
    let head = hash.as_bytes().first_chunk().map(|bytes| u64::from_be_bytes(*bytes));
    head.is_some_and(|head| KNOWN.contains(&head)) || (kind == Kind::Jwt && is_sample_token(value))
}

/// The longest payload of a signed token that can be a tutorial's, in bytes.
const LONGEST_SAMPLE: usize = 160;

/// Words that stand for a value in the tokens of tutorials and tests.
const SAMPLE_WORDS: [&str; 12] =
    ["foo", "bar", "baz", "foobar", "test", "testing", "value", "some value", "joe", "example", "data", "hello"];

/// Whether a signed token is one of a tutorial: for the person and subject that all of them use, with claims that stand for
/// claims, or with neither a number nor a time in all that it says.
fn is_sample_token(token: &[u8]) -> bool {
    let Some(serde_json::Value::Object(payload)) = claims::payload(token) else { return false };
    let is = |claim: &str, expected: &[&str]| {
        payload.get(claim).and_then(|value| value.as_str()).is_some_and(|text| expected.contains(&text))
    };
    if is("sub", &["1234567890"]) || is("name", &["John Doe", "Jane Doe"]) {
        return true;
    }
    let text = serde_json::Value::Object(payload.clone()).to_string();
    if text.len() > LONGEST_SAMPLE {
        return false;
    }
    let stands_in = |value: &serde_json::Value| value.as_str().is_some_and(|text| SAMPLE_WORDS.contains(&text));
    payload.values().any(stands_in)
        || payload.keys().any(|name| name == "foo")
        || !text.bytes().any(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn known_examples_are_known_by_their_hash() {
        let stripe = ["sk_test_", "4eC39HqLyjWDarj", "tT1zdp7dc"].concat();
        assert!(is_documented(Kind::SecretKey, stripe.as_bytes()));
        assert!(!is_documented(Kind::SecretKey, &stripe.as_bytes()[1..]));
    }

    fn token(payload: &str) -> String {
        format!("{}.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256"}"#), URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn the_token_of_tutorials_is_known_whatever_signs_it() {
        assert!(is_documented(Kind::Jwt, token(r#"{"sub":"1234567890","iat":1516239022}"#).as_bytes()));
        assert!(is_documented(Kind::Jwt, token(r#"{"name":"John Doe"}"#).as_bytes()));
        assert!(!is_documented(Kind::Jwt, token(r#"{"sub":"user-17"}"#).as_bytes()));
    }

    #[test]
    fn claims_that_stand_for_claims_make_a_sample() {
        for payload in [
            r#"{"foo":"bar","nbf":1444478400}"#,
            r#"{"exp":15000,"iss":"test"}"#,
            r#"{"iss":"joe","exp":1300819380,"http://example.com/is_root":true}"#,
            r#"{"key":"value"}"#,
            r#"{"sub":"username:bob"}"#,
        ] {
            assert!(is_documented(Kind::Jwt, token(payload).as_bytes()), "{payload}");
        }
        let session = r#"{"session":"73534e48-dd5a-4ef4-a702-fbbba9d00f27","exp":1740266464}"#;
        assert!(!is_documented(Kind::Jwt, token(session).as_bytes()));
        let long = format!(r#"{{"aud":"test","sub":"{}"}}"#, "a1".repeat(80));
        assert!(!is_documented(Kind::Jwt, token(&long).as_bytes()), "a token of a service says more");
    }
}
