//! Tests of what credentials say of themselves.

use super::*;
use crate::detector::registry::Registry;
use crate::verify::testing::{PLAIN, detector, now};

fn said_of(value: &[u8]) -> Option<(Liveness, String)> {
    let verdict = evidence(&detector(PLAIN), &Secret::new(value), now())?;
    Some((verdict.state, verdict.reason.expect("a reason")))
}

fn token(claims: &str) -> Vec<u8> {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    [part("{\"alg\":\"HS256\"}"), part(claims), part("signature")].join(".").into_bytes()
}

fn second(moment: &str) -> i64 {
    moment.parse::<Timestamp>().expect("a moment").as_second()
}

#[test]
fn an_expired_token_is_dead_by_its_own_word() {
    let (state, reason) =
        said_of(&token(&format!("{{\"exp\":{}}}", second("2025-01-01T10:00:00Z")))).expect("evidence");
    assert_eq!(state, Liveness::Dead);
    assert_eq!(reason, "expired on 2025-01-01 by its own exp claim; nobody was asked");
    let (state, reason) =
        said_of(&token(&format!("{{\"nbf\":{}}}", second("2027-01-01T10:00:00Z")))).expect("evidence");
    assert_eq!(state, Liveness::Unknown);
    assert!(reason.starts_with("not valid before 2027-01-01 by its own nbf claim"), "{reason}");
}

#[test]
fn dates_that_say_nothing_are_no_evidence() {
    let soon = second("2026-05-31T23:57:00Z");
    for claims in [
        "{}".to_owned(),
        format!("{{\"exp\":{soon}}}"),
        format!("{{\"exp\":{}}}", second("2026-07-01T00:00:00Z")),
        // Milliseconds, a text, nothing, and beyond the calendar.
        "{\"exp\":1735725600000}".to_owned(),
        "{\"exp\":\"1735725600\"}".to_owned(),
        "{\"exp\":0}".to_owned(),
        "{\"exp\":-5}".to_owned(),
        "{\"exp\":1e300}".to_owned(),
        "{\"exp\":null}".to_owned(),
        "[1]".to_owned(),
    ] {
        assert_eq!(said_of(&token(&claims)), None, "{claims}");
    }
    let old = token("{\"exp\":1}");
    let longer = [&old[..], b".more"].concat();
    for value in [&longer[..], &old[4..], b"a.b.c", b"..", b"", b"eyJ"] {
        assert_eq!(said_of(value), None);
    }
}

/// A short-term key of Bedrock as its provider makes it, with another key id.
fn short_term(day: &str, life: &str) -> Vec<u8> {
    let id = ["ASIA", "QQQQ7ABCDEFGHIJK"].concat();
    let url = format!(
        "bedrock.amazonaws.com/?Action=CallWithBearerToken&X-Amz-Algorithm=AWS4-HMAC-SHA256&\
         X-Amz-Credential={id}%2F20260501%2Feu-west-1%2Fbedrock%2Faws4_request&X-Amz-Date={day}&X-Amz-Expires={life}&\
         X-Amz-SignedHeaders=host&X-Amz-Signature=0&Version=1"
    );
    [PRESIGNED_HEAD, base64::engine::general_purpose::STANDARD.encode(url).as_bytes()].concat()
}

#[test]
fn a_presigned_key_tells_its_dates_its_region_and_its_key() {
    let (state, reason) = said_of(&short_term("20260501T100000Z", "43200")).expect("evidence");
    assert_eq!(state, Liveness::Dead);
    assert_eq!(reason, "expired on 2026-05-01 by its own presigned dates; nobody was asked");
    let current = short_term("20260531T200000Z", "43200");
    assert_eq!(said_of(&current), None);
    assert_eq!(presigned_region(&current).as_deref(), Some("eu-west-1"));
    assert_eq!(presigned_key_id(&current).map(|id| id.len()), Some(20));
    assert_eq!(said_of(&short_term("20270531T200000Z", "60")).expect("evidence").0, Liveness::Unknown);
    for odd in
        [("20260501T100000Z", "0"), ("20260501T100000Z", "x"), ("20261301T100000Z", "60"), ("99990501T100000Z", "60")]
    {
        let said = said_of(&short_term(odd.0, odd.1));
        assert!(said.is_none_or(|(state, _)| state == Liveness::Unknown), "{odd:?}");
    }
    assert_eq!(presigned_region(b"bedrock-api-key-!!!"), None);
}

#[test]
fn a_shared_access_signature_tells_its_end() {
    let sas = |dates: &str| format!("sv=2024-11-04&ss=b&{dates}&sp=r&sig=abc").into_bytes();
    for dates in
        ["se=2025-03-04T05:06:07Z", "se=2025-03-04T05%3A06%3A07Z", "se=2025-03-04", "st=2024-01-01&se=2025-03-04"]
    {
        let (state, reason) = said_of(&sas(dates)).expect("evidence");
        assert_eq!(state, Liveness::Dead, "{dates}");
        assert!(reason.contains("2025-03-04"), "{reason}");
    }
    assert_eq!(said_of(&sas("se=1735725600")).expect("evidence").0, Liveness::Dead);
    assert_eq!(said_of(&sas("st=2027-01-01T00:00:00Z")).expect("evidence").0, Liveness::Unknown);
    for dates in ["se=2026-12-01T00:00:00Z", "se=soon", "x=1"] {
        assert_eq!(said_of(&sas(dates)), None, "{dates}");
    }
}

fn certificate(until: i32) -> String {
    let mut parameters = rcgen::CertificateParams::new(vec!["acme.example".to_owned()]).expect("parameters");
    parameters.not_before = rcgen::date_time_ymd(2020, 1, 2);
    parameters.not_after = rcgen::date_time_ymd(until, 3, 4);
    let key = rcgen::KeyPair::generate().expect("a key");
    parameters.self_signed(&key).expect("a certificate").pem()
}

#[test]
fn a_certificate_beside_its_key_tells_its_end() {
    for (year, expected) in [(2025, true), (2030, false), (2051, false)] {
        let pem = format!("key first\n{}", certificate(year));
        for value in [pem.clone(), pem.replace('\n', "\\n"), pem.replace('\n', "\r\n")] {
            let said = said_of(value.as_bytes());
            assert_eq!(said.is_some(), expected, "{year}");
            if let Some((state, reason)) = said {
                assert_eq!(state, Liveness::Dead);
                assert_eq!(reason, "expired on 2025-03-04 by its own certificate; nobody was asked");
            }
        }
        assert_eq!(
            certificate::dates(pem.as_bytes()).and_then(|dates| dates.1).map(day_of),
            Some(format!("{year}-03-04"))
        );
    }
}

#[test]
fn a_damaged_certificate_says_nothing() {
    let pem = certificate(2025);
    for cut in (0..pem.len()).step_by(7) {
        let mut damaged = pem.clone().into_bytes();
        damaged[cut] = b'!';
        let _ = said_of(&damaged);
        let _ = said_of(&pem.as_bytes()[..cut]);
    }
    assert_eq!(said_of(b"-----BEGIN CERTIFICATE-----MIIB-----END CERTIFICATE-----"), None);
}

#[test]
fn a_wrong_checksum_is_dead_and_a_right_one_says_nothing() {
    let registry = Registry::built_in();
    let github = registry.get("github-classic-token").expect("a detector");
    let mut generator = crate::detector::example::Generator::new(5);
    let mut value =
        crate::detector::example::expand_for(github, &github.shapes[0], &mut generator).expect("an example");
    assert!(evidence(github, &Secret::new(&value), now()).is_none());
    let last = value.len() - 1;
    value[last] = if value[last] == b'a' { b'b' } else { b'a' };
    let verdict = evidence(github, &Secret::new(&value), now()).expect("evidence");
    assert_eq!(verdict.state, Liveness::Dead);
    assert!(verdict.reason.expect("a reason").contains("checksum"));
}

proptest::proptest! {
    #[test]
    fn no_value_makes_it_panic(value in proptest::collection::vec(proptest::num::u8::ANY, 0..300), claims in "\\PC{0,60}") {
        let _ = said_of(&value);
        let _ = said_of(&token(&claims));
        let _ = said_of(&[PRESIGNED_HEAD, &value].concat());
        let _ = said_of(&[b"-----BEGIN CERTIFICATE-----", &value[..], b"-----END CERTIFICATE-----"].concat());
    }
}
