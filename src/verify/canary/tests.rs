//! Tests of planted keys: the account that an id holds, and when it counts.

use super::*;
use crate::credential::{FoundCompanion, FoundCredential};
use crate::detector::registry::Registry;
use crate::secret::Secret;

/// Makes an access key id that holds an account's number.
fn id_of(account: u64) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let number = ((account << 7) | (1 << 47)) << 2;
    let digits = (0..10).rev().map(|place| char::from(alphabet[(number >> (5 * place)) as usize & 31]));
    ["AKIA".to_owned(), digits.collect(), "QRSTUV".to_owned()].concat()
}

#[test]
fn the_account_of_a_documented_id_is_decoded() {
    let id = ["AKIA", "BTX3GSDSQBNKKPGD"].concat();
    assert_eq!(account_of(id.as_bytes()).as_deref(), Some("111122223333"));
}

#[test]
fn every_account_comes_back_from_an_id_made_of_it() {
    for account in [1, 7, 123_456_789_012, 999_999_999_999, 52_310_077_262] {
        assert_eq!(account_of(id_of(account).as_bytes()), Some(format!("{account:012}")), "{account}");
    }
}

#[test]
fn old_ids_and_other_texts_hold_no_account() {
    let good = id_of(123_456_789_012);
    let old = [&good[..4], "I", &good[5..]].concat();
    let older = [&good[..4], "J", &good[5..]].concat();
    let digit = [&good[..19], "1"].concat();
    let role = ["AROA", &good[4..]].concat();
    for text in [old.as_str(), &older, &digit, &role, &good[..19], "", "AKIA"] {
        assert_eq!(account_of(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn a_planted_key_is_recognised_by_its_id_alone_or_beside_the_secret() {
    let registry = Registry::built_in();
    let id_detector = registry.get("aws-access-key-id").expect("a detector");
    let secret_detector = registry.get("aws-secret-access-key").expect("a detector");
    let companion = |id: &str| FoundCompanion {
        detector: "aws-access-key-id".into(),
        secret: Secret::new(id.as_bytes()),
        distance: 3,
    };
    for account in ACCOUNTS {
        let id = id_of(account.parse().expect("a number"));
        let alone = FoundCredential::alone(Secret::new(id.as_bytes()));
        let verdict = recognised(id_detector, &alone).expect("a canary");
        assert_eq!(verdict.state, Liveness::Canary);
        assert_eq!(verdict.account["account"], account);
        let mut pair = FoundCredential::alone(Secret::new(&[b'x'; 40]));
        assert!(recognised(secret_detector, &pair).is_none());
        pair.companions.push(companion(&id));
        assert!(recognised(secret_detector, &pair).is_some());
    }
    let other = FoundCredential::alone(Secret::new(id_of(123_456_789_012).as_bytes()));
    assert!(recognised(id_detector, &other).is_none());
    let openai = registry.get("openai-project-key").expect("a detector");
    assert!(recognised(openai, &FoundCredential::alone(Secret::new(id_of(52_310_077_262).as_bytes()))).is_none());
}

#[test]
fn an_address_or_a_clusters_token_for_a_host_that_waits_is_planted_and_a_providers_key_beside_it_is_not() {
    let registry = Registry::built_in();
    let of = |detector: &str, hosts: &[&str]| {
        let mut found = FoundCredential::alone(Secret::new(&[b'x'; 40]));
        found.surroundings.hosts = hosts.iter().map(|host| (*host).to_owned()).collect();
        recognised(registry.get(detector).expect("a detector"), &found).map(|verdict| verdict.state)
    };
    let planted = ["a1b2c3.canarytokens.com", "db.example.com"];
    for detector in ["postgres-connection-uri", "url-password", "kubernetes-service-account-token"] {
        assert_eq!(of(detector, &planted), Some(Liveness::Canary), "{detector}");
        for others in [
            &["db.example.com", "a1b2c3.canarytokens.com"][..],
            &["xcanarytokens.com"],
            &["canarytokens.com.example"],
            &[],
        ] {
            assert_eq!(of(detector, others), None, "{detector} {others:?}");
        }
    }
    assert_eq!(of("openai-project-key", &planted), None);
}

#[test]
fn an_id_nearby_does_not_make_a_canary_of_a_key_whose_own_id_is_known() {
    let registry = Registry::built_in();
    let detector = registry.get("aws-access-key-id").expect("a detector");
    let mut found = FoundCredential::alone(Secret::new(id_of(123_456_789_012).as_bytes()));
    found.surroundings.ids.push(id_of(52_310_077_262));
    assert!(recognised(detector, &found).is_none());
}
