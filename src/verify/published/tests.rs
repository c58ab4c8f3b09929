//! Tests of public halves in published certificates, on keys whose numbers are no key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::*;
use crate::credential::FoundCredential;
use crate::detector::registry::Registry;
use crate::finding::{Liveness, Verification};
use crate::verify::endpoints::Endpoints;
use crate::verify::exchange::Answer;
use crate::verify::plan::{Plan, judge, plan};
use crate::verify::testing::{answer, now};

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a short element").to_be_bytes();
    [&[tag, 0x82], &length[..], content].concat()
}

fn block(label: &str, bytes: &[u8], end: &str) -> String {
    format!("-----BEGIN {label}-----{end}{}{end}-----END {label}-----{end}", STANDARD.encode(bytes))
}

/// Something built as a private key is, round a modulus; no number in it belongs to another.
pub(crate) fn private_key(modulus: &[u8], end: &str) -> Secret {
    let number = element(INTEGER, &[&[0], modulus].concat());
    let key = element(SEQUENCE, &[element(INTEGER, &[0]), number, element(INTEGER, &[1, 0, 1])].concat());
    let whole = [element(INTEGER, &[0]), element(SEQUENCE, &[5, 0]), element(OCTETS, &key)].concat();
    Secret::new(block("PRIVATE KEY", &element(SEQUENCE, &whole), end).as_bytes())
}

fn certificate(modulus: &[u8]) -> String {
    block("CERTIFICATE", &element(SEQUENCE, &[b"names and dates ", modulus, b" signature"].concat()), "\n")
}

#[test]
fn a_key_is_known_by_its_modulus_however_its_lines_end() {
    let modulus = [0xc1; 256];
    for end in ["\n", "\\n", "\\\\n"] {
        assert_eq!(mark_of(&private_key(&modulus, end)), Some(hex(&modulus)), "{end}");
    }
    assert_eq!(mark_of(&private_key(&[0xc1; 32], "\n")), None);
    for odd in [&b""[..], b"-----BEGIN PRIVATE KEY-----AAAA-----END PRIVATE KEY-----", b"-----BEGIN PRIVATE KEY-----!"]
    {
        assert_eq!(mark_of(&Secret::new(odd)), None);
    }
}

#[test]
fn it_is_listed_where_one_certificate_holds_it() {
    let mark = hex(&[0xc1; 256]);
    assert!(lists(&json!({ "a": certificate(&[0xd2; 256]), "b": certificate(&[0xc1; 256]) }), &mark));
    assert!(!lists(&json!({ "a": certificate(&[0xd2; 256]) }), &mark));
    for odd in [json!({}), json!([]), json!(null), json!({ "a": 1 }), json!({ "a": mark.clone() })] {
        assert!(!lists(&odd, &mark), "{odd}");
    }
}

const ACCOUNT: &str = "robot@acme-1.iam.gserviceaccount.com";

fn verdict(ids: &[&str], answer: &Answer) -> Verification {
    let registry = Registry::built_in();
    let detector = registry.get("google-service-account-key").expect("a detector");
    let mut found = FoundCredential::alone(private_key(&[0xc1; 256], "\\n"));
    found.surroundings.ids = ids.iter().map(|id| (*id).to_owned()).collect();
    match plan(detector, false, &found, &Endpoints::default(), now()) {
        Plan::Settled(verdict) => verdict,
        Plan::Ask(requests) => {
            assert_eq!(requests.len(), 1);
            assert_eq!(requests[0].path.expose(), format!("/robot/v1/metadata/x509/{}", ACCOUNT.replace('@', "%40")));
            assert!(requests[0].body.is_none());
            judge(detector, &[(requests[0].clone(), Ok(answer.clone()))])
        }
    }
}

#[test]
fn a_service_accounts_key_is_judged_by_the_published_certificates() {
    let listed = answer(200, &json!({ "k": certificate(&[0xc1; 256]) }).to_string());
    let others = answer(200, &json!({ "k": certificate(&[0xd2; 256]) }).to_string());
    assert_eq!(verdict(&[ACCOUNT], &listed).state, Liveness::Live);
    let dead = verdict(&[ACCOUNT, "other-id"], &others);
    assert_eq!(dead.state, Liveness::Dead);
    assert!(dead.reason.expect("a reason").contains("public half"));
    assert_eq!(verdict(&[ACCOUNT], &answer(404, "{}")).state, Liveness::Unknown);
    assert_eq!(verdict(&[ACCOUNT], &answer(200, "[]")).state, Liveness::Unknown);
    assert_eq!(verdict(&[ACCOUNT], &Answer { cut: true, ..others }).state, Liveness::Unknown);
    assert_eq!(verdict(&[], &listed).state, Liveness::Unknown);
    assert_eq!(verdict(&[ACCOUNT, "b@acme-1.iam.gserviceaccount.com"], &listed).state, Liveness::Refused);
}
