//! What is read of made-up values, among them the published vectors; all are assembled here.

use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;
use crate::credential::{FoundCompanion, Surroundings};
use crate::identity::testing;
use crate::secret::Secret;

fn found(secret: &[u8]) -> FoundCredential {
    FoundCredential::alone(Secret::new(secret))
}

fn of_value(detector: &str, provider: &str, secret: &[u8]) -> Facts {
    of(&testing::finding(detector, provider, secret), Some(&found(secret)))
}

fn ids(facts: &Facts) -> Vec<&str> {
    facts.public_ids.iter().map(|id| id.value.as_str()).collect()
}

fn accounts(facts: &Facts) -> Vec<&str> {
    facts.accounts.iter().map(|account| account.value.as_str()).collect()
}

/// The key id of the vector, in pieces so that no file holds it.
fn key_id() -> String {
    ["AKIA", "BTX3", "GSDS", "QBNK", "KPGD"].concat()
}

fn token(header: &str, payload: &str) -> Vec<u8> {
    format!("{}.{}.c2ln", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload)).into_bytes()
}

#[test]
fn the_account_of_an_access_key_id_is_that_of_the_vector() {
    assert_eq!(aws_account(&key_id()).as_deref(), Some("111122223333"));
    let old = key_id().replacen("AKIAB", "AKIAI", 1);
    assert_eq!(aws_account(&old), None);
    assert_eq!(aws_account("AKIA"), None);
    let facts = of_value("aws-access-key-id", "aws", key_id().as_bytes());
    assert_eq!((ids(&facts), accounts(&facts)), (vec![format!("aws:{}", key_id()).as_str()], vec!["aws:111122223333"]));
    assert!(facts.public_ids[0].sole);
}

#[test]
fn a_secret_has_the_id_of_its_companion_and_without_one_the_nearest_id() {
    let finding = testing::finding("aws-secret-access-key", "aws", &[b'x'; 40]);
    let mut beside = found(&[b'x'; 40]);
    let other = ["AKIA", &"Q".repeat(16)].concat();
    beside.surroundings = Surroundings { ids: vec![other.clone(), key_id()], ..Surroundings::default() };
    let nearest = of(&finding, Some(&beside));
    assert_eq!(nearest.public_ids, [PublicId { value: format!("aws:{other}"), sole: false }]);
    let half = |value: &str| FoundCompanion {
        detector: "aws-access-key-id".into(),
        secret: Secret::new(value.as_bytes()),
        distance: 3,
    };
    beside.companions = vec![half(&key_id())];
    assert_eq!(of(&finding, Some(&beside)).public_ids, [PublicId { value: format!("aws:{}", key_id()), sole: true }]);
    beside.companions.push(half(&other));
    assert!(of(&finding, Some(&beside)).public_ids.iter().all(|id| !id.sole));
}

#[test]
fn a_bedrock_key_names_its_user_and_account() {
    for (alias, versionless) in [
        ("BedrockAPIKey-ex01-at-111122223333", "BedrockAPIKey-ex01-at-111122223333"),
        ("BedrockAPIKey-ex01-at-111122223333+2", "BedrockAPIKey-ex01-at-111122223333"),
    ] {
        let inner = STANDARD.encode(format!("{alias}:{}", "z".repeat(60)));
        let facts = of_value("aws-bedrock-long-term-key", "aws", format!("ABSK{inner}").as_bytes());
        let mut expected = vec![format!("bedrock:{alias}")];
        expected.extend((alias != versionless).then(|| format!("bedrock:{versionless}")));
        assert_eq!(ids(&facts), expected);
    }
    let inner = STANDARD.encode(format!("BedrockAPIKey-ex01-at-111122223333:{}", "z".repeat(60)));
    let facts = of_value("aws-bedrock-long-term-key", "aws", format!("ABSK{inner}").as_bytes());
    assert_eq!(accounts(&facts), ["aws:111122223333"]);
}

#[test]
fn a_key_file_names_key_account_and_project() {
    let file = r#"{"private_key_id":"0123456789abcdef0123456789abcdef01234567","client_email":"rag-prod@acme-ai.iam.gserviceaccount.com","project_id":"acme-ai"}"#;
    let facts = of_value("google-service-account-key", "google", file.as_bytes());
    assert_eq!(ids(&facts), ["gcp-key:0123456789abcdef0123456789abcdef01234567"]);
    assert_eq!(accounts(&facts), ["gcp:acme-ai"]);
    assert_eq!(facts.external_ids, ["gcp_service_account:rag-prod@acme-ai.iam.gserviceaccount.com"]);
}

#[test]
fn a_token_of_a_service_account_names_it_by_its_claims() {
    let payload = r#"{"iss":"https://kubernetes.default.svc","sub":"system:serviceaccount:support:copilot","jti":"j-1",
        "kubernetes.io":{"namespace":"support","serviceaccount":{"name":"copilot","uid":"u-1"}}}"#;
    let facts = of_value("kubernetes-service-account-token", "kubernetes", &token(r#"{"kid":"k-1"}"#, payload));
    assert_eq!(ids(&facts), ["k8s-sa:u-1"]);
    let claims = facts.claims.expect("claims");
    assert_eq!(
        (claims.sub.as_deref(), claims.jti.as_deref(), claims.kid.as_deref()),
        (Some("system:serviceaccount:support:copilot"), Some("j-1"), Some("k-1"))
    );
    let facts = of_value("generic-jwt", "generic", &token("{}", r#"{"sub":"spiffe://acme.example/ns/a/sa/b"}"#));
    assert_eq!(facts.external_ids, ["spiffe:spiffe://acme.example/ns/a/sa/b"]);
}

#[test]
fn a_routable_token_of_gitlab_names_its_user() {
    let payload =
        URL_SAFE_NO_PAD.encode(b"o:1\nu:1a\n\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10");
    let value = format!("glpat-{payload}.01.0w1234567");
    let facts = of_value("gitlab-access-token-routable", "gitlab", value.as_bytes());
    assert_eq!(
        (facts.people.clone(), facts.external_ids.clone()),
        (vec!["gitlab:46".into()], vec!["gitlab-user:46".into()])
    );
    assert_eq!(accounts(&facts), ["gitlab-organisation:1"]);
    assert!(of_value("gitlab-access-token", "gitlab", b"glpat-xxxxxxxxxxxxxxxxxxxx").people.is_empty());
}

#[test]
fn a_webhook_of_slack_names_its_team_and_a_key_of_wandb_begins_with_its_id() {
    let url = ["https://hooks.slack.com/services/", "T02EXAMPLE", "/B02EXAMPLE/", &"x".repeat(24)].concat();
    assert_eq!(accounts(&of_value("slack-webhook-url", "slack", url.as_bytes())), ["slack:T02EXAMPLE"]);
    let facts = of_value("wandb-api-key", "wandb", b"wandb_v1_abc");
    assert_eq!(facts.leading_id, Some(("wandb", "wandb_v1_abc".to_owned())));
    assert!(of_value("wandb-legacy-api-key", "wandb", &[b'a'; 40]).public_ids.is_empty());
}

#[test]
fn two_guids_near_a_client_secret_are_tried_both_ways() {
    let guids = ["11111111-2222-3333-4444-555555555555", "aaaaaaaa-0000-4000-8000-000000000001"];
    let mut near = found(b"abc8Q~xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    near.surroundings.ids = guids.map(str::to_owned).to_vec();
    let facts = of(&testing::finding("azure-entra-client-secret", "azure", b"abc8Q~"), Some(&near));
    let expected = [format!("entra:{}/{}", guids[0], guids[1]), format!("entra:{}/{}", guids[1], guids[0])];
    assert_eq!(ids(&facts), expected);
    assert!(facts.accounts.iter().all(|account| !account.certain));
}

#[test]
fn ids_near_a_key_are_facts_of_less_weight_and_of_two_service_accounts_none_counts() {
    let finding = testing::finding("openai-project-key", "openai", b"x");
    let mut near = found(b"x");
    near.surroundings.ids = ["proj_Ex0001", "key_Ex0001", "user_Ex0001"].map(str::to_owned).to_vec();
    let facts = of(&finding, Some(&near));
    assert_eq!(facts.accounts, [Account { value: "openai:proj_Ex0001".into(), certain: false }]);
    assert_eq!(facts.record_ids, [PublicId { value: "openai:key_Ex0001".into(), sole: false }]);

    let finding = testing::finding("google-service-account-key", "google", b"x");
    let email = |name: &str| format!("{name}@acme-ai.iam.gserviceaccount.com");
    near.surroundings.ids = vec!["0123456789abcdef0123456789abcdef01234567".into(), email("rag")];
    let facts = of(&finding, Some(&near));
    assert_eq!(ids(&facts), ["gcp-key:0123456789abcdef0123456789abcdef01234567"]);
    assert_eq!(facts.external_ids, [format!("gcp_service_account:{}", email("rag"))]);
    near.surroundings.ids.push(email("other"));
    assert!(of(&finding, Some(&near)).external_ids.is_empty());
}

#[test]
fn what_a_provider_answered_is_a_fact_also_without_the_secret() {
    let mut finding = testing::finding("github-classic-token", "github", b"x");
    for (name, value) in [
        ("login", "owner-a"),
        ("organization-id", "org-acme"),
        ("key-id", "key_ex01"),
        ("arn", "arn:aws:iam::111122223333:user/ops/bedrock-rag"),
        ("nothing", "known"),
    ] {
        finding.verification.account.insert(name.into(), value.into());
    }
    let facts = of(&finding, None);
    assert_eq!(facts.people, ["bedrock-rag", "owner-a"]);
    assert_eq!(facts.record_ids, [PublicId { value: "github:key_ex01".into(), sole: true }]);
    assert_eq!(accounts(&facts), ["aws:111122223333", "github:org-acme"]);
}

proptest! {
    #[test]
    fn no_bytes_make_reading_fail(secret in proptest::collection::vec(any::<u8>(), 0..300), which in 0_usize..6) {
        let providers = ["aws", "gitlab", "slack", "google", "wandb", "generic"];
        let prefixes: [&[u8]; 6] = [b"ABSK", b"glpat-", b"https://hooks/", b"{", b"", b"eyJ.eyJ."];
        for prefix in prefixes {
            of_value("any", providers[which], &[prefix, &secret].concat());
        }
    }
}
