//! The lists of clouds, code hosts and platforms.

use super::super::{ImportOptions, Kind};
use super::samples::*;
use crate::inventory::batch::Batch;
use crate::inventory::model::{CredentialRecord, IdentityRecord};

fn import_of(kind: Kind, account: &str) -> Batch {
    let options = ImportOptions { account: Some(account.into()), ..options() };
    let mut batches = import_with(kind, &sample(kind), &options).expect("usable");
    assert_eq!(batches.len(), 1, "one account");
    let batch = batches.remove(0);
    assert_eq!(batch.rejected, []);
    batch
}

fn credential<'b>(batch: &'b Batch, id: &str) -> &'b CredentialRecord {
    batch
        .credentials
        .iter()
        .find(|credential| credential.id == id)
        .unwrap_or_else(|| panic!("{id}: {:#?}", batch.credentials))
}

fn identity<'b>(batch: &'b Batch, id: &str) -> &'b IdentityRecord {
    batch
        .identities
        .iter()
        .find(|identity| identity.id == id)
        .unwrap_or_else(|| panic!("{id}: {:#?}", batch.identities))
}

#[test]
fn access_keys_of_aws_tell_their_account_unless_they_are_old() {
    let batches = import_with(Kind::AwsAccessKeys, &sample(Kind::AwsAccessKeys), &options()).expect("usable");
    let [unknown, known] = &batches[..] else { panic!("two accounts: {batches:#?}") };
    assert_eq!((known.source.as_str(), unknown.source.as_str()), ("aws-access-keys/111122223333", "aws-access-keys"));
    assert_eq!(known.coverage[0].account, "111122223333");
    let key = credential(known, "aws:user/111122223333/bedrock-rag#2024-02-01T10:00:00Z");
    assert_eq!(key.record_id.as_deref(), Some(access_key_id().as_str()));
    assert_eq!(key.join.public_ids, [format!("aws:{}", access_key_id())]);
    assert_eq!(key.join.account, ["aws:111122223333"]);
    assert_eq!((key.sort.as_deref(), key.status.as_deref()), (Some("aws-secret-access-key"), Some("active")));
    assert_eq!(unknown.credentials[0].status.as_deref(), Some("disabled"));
    assert!(
        unknown
            .remarks
            .iter()
            .any(|remark| remark.place == "document 2, AccessKeyMetadata[1]" && remark.text.contains("--account"))
    );

    let named = import_of(Kind::AwsAccessKeys, "111122223333");
    assert_eq!(named.credentials.len(), 2);
    assert!(named.remarks.is_empty());
    let other = import_of(Kind::AwsAccessKeys, "444455556666");
    assert!(other.remarks[0].text.contains("another account"));
}

#[test]
fn the_credential_report_names_keys_by_user_and_second() {
    let batch = import(Kind::AwsCredentialReport);
    assert_eq!(batch.source, "aws-credential-report/111122223333");
    assert!(!batch.coverage[0].complete, "without key ids it covers no value");
    let first = credential(&batch, "aws:user/111122223333/bedrock-rag#2024-02-01T10:00:00Z");
    assert_eq!((first.status.as_deref(), first.last_used.as_deref()), (Some("active"), Some("2025-11-20T08:00:00Z")));
    assert_eq!((first.record_id.as_deref(), first.join.public_ids.len()), (None, 0));
    let second = credential(&batch, "aws:user/111122223333/bedrock-rag#2023-01-01T00:00:00Z");
    assert_eq!((second.status.as_deref(), second.last_used.as_deref()), (Some("disabled"), Some("never")));
    assert_eq!(batch.credentials.len(), 2, "empty slots are no keys");
    let user = identity(&batch, "aws:user/111122223333/bedrock-rag");
    assert_eq!((user.kind.as_deref(), user.interactive_use), (Some("service_account"), Some(false)));
    assert_eq!(
        (user.last_used.as_deref(), user.last_rotated.as_deref()),
        (Some("2025-11-20T08:00:00Z"), Some("2024-02-01T10:00:00Z"))
    );
    assert_eq!(identity(&batch, "aws:user/111122223333/<root_account>").privilege.as_deref(), Some("org-admin"));
}

#[test]
fn the_credential_report_is_taken_out_of_its_answer_and_short_rows_are_refused() {
    use base64::Engine;
    let content = base64::engine::general_purpose::STANDARD.encode(sample(Kind::AwsCredentialReport));
    let answer =
        format!(r#"{{"Content":"{content}","ReportFormat":"text/csv","GeneratedTime":"2026-11-20T00:00:00+00:00"}}"#);
    let batches = import_with(Kind::AwsCredentialReport, &answer, &options()).expect("usable");
    assert_eq!((batches[0].credentials.len(), batches[0].as_of.as_str()), (2, "2026-11-20T00:00:00Z"));
    assert!(
        refusal(Kind::AwsCredentialReport, &answer.replace(&content, &content[..content.len() - 3]))
            .contains("cut off")
    );

    let cut = format!("{}short,arn:aws", sample(Kind::AwsCredentialReport));
    let batches = import_with(Kind::AwsCredentialReport, &cut, &options()).expect("the rows before");
    assert_eq!((batches[0].credentials.len(), batches[0].rejected[0].place.as_str()), (2, "line 4"));
    assert!(batches[0].rejected[0].reason.contains("2 columns"));
}

#[test]
fn two_keys_of_one_second_are_left_to_the_list_of_keys() {
    let twins = sample(Kind::AwsCredentialReport).replace("2023-01-01T00:00:00", "2024-02-01T10:00:00");
    let batches = import_with(Kind::AwsCredentialReport, &twins, &options()).expect("usable");
    assert_eq!(batches[0].credentials, []);
    assert!(batches[0].remarks.iter().any(|remark| remark.text.contains("same second")));
    let other = ["AKIA", "BTX3GSDSQBNKKPGE"].concat();
    let row = |id: &str| {
        format!(r#"{{"UserName":"u","AccessKeyId":"{id}","Status":"Active","CreateDate":"2024-02-01T10:00:00Z"}}"#)
    };
    let both = format!("[{},{}]", row(&access_key_id()), row(&other));
    let batches = import_with(Kind::AwsAccessKeys, &both, &options()).expect("usable");
    let ids: Vec<&str> = batches[0].credentials.iter().map(|credential| credential.id.as_str()).collect();
    assert_eq!(ids, ["aws:user/111122223333/u#2024-02-01T10:00:00Z", format!("aws:{other}").as_str()]);
}

#[test]
fn a_bedrock_key_is_recognised_by_its_alias() {
    let batch = import_of(Kind::AwsBedrockCredentials, "111122223333");
    let [bedrock, commit] = &batch.credentials[..] else { panic!("two: {batch:#?}") };
    assert_eq!(bedrock.join.public_ids, ["bedrock:BedrockAPIKey-ex01-at-111122223333"]);
    assert_eq!(
        (bedrock.sort.as_deref(), bedrock.status.as_deref()),
        (Some("aws-bedrock-long-term-key"), Some("expired"))
    );
    assert_eq!(bedrock.identity.as_deref(), Some("aws:user/111122223333/BedrockAPIKey-ex01"));
    assert_eq!((commit.sort.as_deref(), commit.expires.as_deref()), (Some("codecommit.amazonaws.com"), Some("never")));
}

#[test]
fn a_google_key_is_recognised_by_its_id_and_never_ends_in_the_year_9999() {
    let batch = import(Kind::GcpServiceAccountKeys);
    let [key, old] = &batch.credentials[..] else { panic!("two") };
    let id = &"0123456789abcdef".repeat(3)[..40];
    assert_eq!(
        (key.id.as_str(), key.join.public_ids[0].as_str()),
        (format!("google:{id}").as_str(), format!("gcp-key:{id}").as_str())
    );
    assert_eq!((key.expires.as_deref(), key.status.as_deref()), (Some("never"), Some("active")));
    assert_eq!((old.status.as_deref(), old.join.account[0].as_str()), (Some("disabled"), "gcp:acme-ai"));
    assert_eq!(old.join.public_ids, ["gcp-key:abcdef"]);
    assert!(batch.remarks[0].text.contains("leaked"));
    let account = identity(&batch, "google:rag-prod@acme-ai.iam.gserviceaccount.com");
    assert_eq!(account.external_ids["gcp_service_account"], "rag-prod@acme-ai.iam.gserviceaccount.com");
}

#[test]
fn authorised_credentials_of_github_are_recognised_by_their_ends() {
    let batch = import_of(Kind::GithubCredentialAuthorizations, "acme");
    let token = credential(&batch, "github:credential/161195");
    assert_eq!((token.sort.as_deref(), token.expires.as_deref()), (Some("github-classic-token"), Some("never")));
    assert_eq!(
        (token.name.as_deref(), token.last_used.as_deref()),
        (Some("agent runner"), Some("2025-11-01T00:00:00Z"))
    );
    assert_eq!(token.scopes, ["repo", "workflow"]);
    let hint = token.join.hint.as_ref().expect("a hint");
    assert_eq!((hint.head.as_str(), hint.tail.as_str()), ("", "Eonly000"));
    let key = credential(&batch, "github:credential/161196");
    assert_eq!((key.sort.as_deref(), key.last_used.as_deref()), (Some("SSH Key"), Some("never")));
    assert!(key.join.digests[0].starts_with("ssh-sha256:bcd9594cd694a434"));
    let user = identity(&batch, "github:owner-a");
    assert_eq!((user.kind.as_deref(), user.owner.as_deref()), (Some("human"), Some("owner-a")));
}

#[test]
fn a_fine_grained_token_meets_its_digest_of_the_audit_log() {
    let list = import_of(Kind::GithubFineGrainedTokens, "acme");
    let token = credential(&list, "github:fine-grained/98716");
    assert_eq!((token.record_id.as_deref(), token.last_used.as_deref()), (Some("25381"), Some("never")));
    assert_eq!(token.expires.as_deref(), Some("2027-11-16T15:47:09Z"));
    assert_eq!(token.scopes, ["organization:members:read", "repository:contents:write", "repositories:all"]);
    let log = import_with(Kind::GithubAuditLog, &sample(Kind::GithubAuditLog), &options()).expect("usable");
    let [_, records] = &log[..] else { panic!("events and records") };
    assert_eq!(
        credential(records, "github:fine-grained/98716").join.digests,
        [format!("gh-sha256:{}", "00".repeat(32))]
    );
}

#[test]
fn the_audit_log_of_github_tells_tokens_by_digest_in_base64_and_hex() {
    let log = import_with(Kind::GithubAuditLog, &sample(Kind::GithubAuditLog), &options()).expect("usable");
    let [events, records] = &log[..] else { panic!("events and records") };
    assert_eq!(
        (events.source.as_str(), records.source.as_str()),
        ("github-audit-log/acme", "github-audit-log/acme#export.json")
    );
    assert_eq!((events.observations.len(), events.credentials.len(), events.coverage.len()), (4, 0, 0));
    let clone = &events.observations[0];
    assert_eq!((clone.event.as_str(), clone.key_kind.as_str(), clone.action.as_str()), ("doc1", "digest", "git.clone"));
    assert_eq!(
        (clone.target.as_deref(), clone.actor.as_deref(), clone.at.as_str()),
        (Some("acme/web"), Some("owner-a"), "2025-11-20T00:53:20Z")
    );
    // Base64 and hexadecimal digits are one token.
    assert_eq!(clone.key_value, events.observations[1].key_value);
    let [classic, _] = &records.credentials[..] else { panic!("two tokens: {:#?}", records.credentials) };
    assert_eq!(
        (classic.sort.as_deref(), classic.last_used.as_deref()),
        (Some("github-classic-token"), Some("2025-11-21T04:40:00Z"))
    );
    assert_eq!(classic.identity.as_deref(), Some("github:owner-a"));
    assert_eq!(
        (records.people[0].id.as_str(), &records.people[0].aliases[..]),
        ("owner.a@acme.example", &["owner-a".to_owned()][..])
    );
    // As old as its last event, so that an older piece never hides a newer one.
    assert_eq!(records.as_of, "2025-11-21T04:40:00Z");
    assert!(events.remarks.iter().any(|remark| remark.text.starts_with("1 events")));
}

#[test]
fn tokens_of_gitlab_act_as_users_bots_and_themselves() {
    let batch = import_of(Kind::GitlabTokens, "gitlab.acme.example");
    let token = credential(&batch, "gitlab:gitlab.acme.example/token/4");
    assert_eq!(
        (token.status.as_deref(), token.last_used.as_deref(), token.expires.as_deref()),
        (Some("active"), Some("never"), Some("2027-01-31"))
    );
    assert_eq!(token.join.account, ["host:gitlab.acme.example"]);
    let user = identity(&batch, "gitlab:gitlab.acme.example/user/3");
    assert_eq!((user.kind.as_deref(), user.owner.as_deref()), (Some("human"), Some("gitlab-user:3")));
    let bot = identity(&batch, "gitlab:gitlab.acme.example/user/9");
    assert_eq!(
        (bot.kind.as_deref(), bot.privilege.as_deref(), bot.container.as_deref()),
        (Some("service_account"), Some("admin"), Some("77"))
    );
    assert_eq!(credential(&batch, "gitlab:gitlab.acme.example/token/5").status.as_deref(), Some("revoked"));
    assert_eq!(
        credential(&batch, "gitlab:gitlab.acme.example/deploy-token/4").sort.as_deref(),
        Some("gitlab-deploy-token")
    );
}

#[test]
fn a_secret_of_entra_is_recognised_by_hint_and_by_the_ids_beside_it() {
    let tenant = "99999999-2222-3333-4444-555555555555";
    let batch = import_of(Kind::EntraApplications, tenant);
    let [secret, certificate] = &batch.credentials[..] else { panic!("two") };
    assert_eq!(secret.record_id.as_deref(), Some("aaaaaaaa-0000-4000-8000-000000000001"));
    assert_eq!(secret.join.public_ids, [format!("entra:{tenant}/11111111-2222-3333-4444-555555555555")]);
    assert_eq!(secret.join.hint.as_ref().map(|hint| (hint.head.as_str(), hint.tail.as_str())), Some(("Ex8", "")));
    assert_eq!(certificate.join.digests, ["x509-sha1:52ed9b5038a47b9e2e2190715cc238359d4f8f73"]);
    assert_eq!((certificate.status.as_deref(), certificate.join.public_ids.len()), (Some("expired"), 0));
    let app = &batch.identities[0];
    assert_eq!(
        (app.owner.as_deref(), app.backup_owner.as_deref()),
        (Some("owner.a@acme.example"), Some("owner.b@acme.example"))
    );
    assert_eq!(batch.people[0].aliases, ["33333333-2222-3333-4444-555555555555"]);
    let without = import(Kind::EntraApplications);
    assert!(without.credentials[0].join.public_ids.is_empty() && without.remarks[0].text.contains("--account"));
}

#[test]
fn a_databricks_token_that_ends_at_minus_one_never_ends() {
    let batch = import_of(Kind::DatabricksTokens, "adb-1.azuredatabricks.net");
    let [job, old] = &batch.credentials[..] else { panic!("two") };
    assert_eq!((job.expires.as_deref(), job.last_used.as_deref()), (Some("never"), Some("2025-11-19T00:00:00Z")));
    assert_eq!(
        (job.created_by.as_deref(), job.identity.as_deref()),
        (Some("owner.a@acme.example"), Some("databricks:user/42"))
    );
    assert_eq!(job.join.account, ["host:adb-1.azuredatabricks.net"]);
    assert_eq!(old.status.as_deref(), Some("expired"));
    let owners: Vec<Option<&str>> = batch.identities.iter().map(|identity| identity.owner.as_deref()).collect();
    assert_eq!(owners, [Some("databricks:42"), Some("owner.b@acme.example")]);
    assert_eq!(batch.people[0].aliases, ["databricks:43"]);
}

#[test]
fn two_langfuse_keys_with_one_tail_stay_apart_by_their_public_keys() {
    let batch = import(Kind::LangfuseApiKeys);
    let [first, second] = &batch.credentials[..] else { panic!("two") };
    assert_eq!(first.join.hint, second.join.hint);
    assert_ne!(first.join.public_ids, second.join.public_ids);
    assert!(first.join.public_ids[0].starts_with("langfuse:pk-lf-"));
    assert_eq!((first.expires.as_deref(), second.last_used.as_deref()), (Some("never"), None));
}

#[test]
fn service_accounts_of_okta_have_two_owners_and_a_group() {
    let batch = import(Kind::OktaServiceAccounts);
    let account = &batch.identities[0];
    assert_eq!(
        (account.owner.as_deref(), account.backup_owner.as_deref(), account.team.as_deref()),
        (Some("00u1exA"), Some("00u1exB"), Some("00g1ex"))
    );
    assert_eq!(account.account.as_deref(), Some("00o1n8sbwArJ7OQRw406"));
    assert!(!batch.coverage[0].complete, "it says nothing of API tokens");
}

#[test]
fn a_service_account_of_kubernetes_is_tied_to_its_cloud_identity() {
    let batch = import_of(Kind::KubernetesServiceAccounts, "https://oidc.acme.example/cluster");
    let [rag, lab] = &batch.identities[..] else { panic!("two") };
    assert_eq!(rag.external_ids["aws_role"], "arn:aws:iam::111122223333:role/rag");
    assert_eq!((rag.owner.as_deref(), rag.team.as_deref()), (Some("owner.a@acme.example"), Some("ai-platform")));
    assert_eq!(lab.external_ids["gcp_service_account"], "rag-prod@acme-ai.iam.gserviceaccount.com");
    // What is no address may be a team.
    assert_eq!((lab.owner.as_deref(), lab.team.as_deref()), (None, Some("ai-platform")));
    let token = &batch.credentials[0];
    assert_eq!(token.join.public_ids, ["k8s-sa:55555555-2222-3333-4444-555555555555"]);
    let jwt = token.join.jwt.as_ref().expect("claims");
    assert_eq!(
        (jwt.iss.as_deref(), jwt.sub.as_deref()),
        (Some("https://oidc.acme.example/cluster"), Some("system:serviceaccount:ai:rag"))
    );
    assert!(
        import(Kind::KubernetesServiceAccounts).credentials[0].join.jwt.is_none(),
        "a subject alone is in every cluster"
    );
}

#[test]
fn an_incident_of_gitguardian_recognises_its_value() {
    let batch = import(Kind::GitguardianIncidents);
    let [open, closed] = &batch.credentials[..] else { panic!("two") };
    assert_eq!(open.join.digests, ["hmsl:927ea7a167be2f3f4d1729a8539655f4428e68ea42cc9c4aee6a3850abb2fb60"]);
    assert_eq!((open.status.as_deref(), closed.status.as_deref()), (Some("active"), Some("revoked")));
    assert_eq!(batch.identities[0].owner.as_deref(), Some("owner.a@acme.example"));
    assert!(batch.coverage.is_empty(), "cases are no list");
}

#[test]
fn the_audit_log_of_openai_shows_use_and_changes_of_keys() {
    let batch = import_of(Kind::OpenaiAuditLog, "org-acme");
    let keys: Vec<(&str, &str)> =
        batch.observations.iter().map(|seen| (seen.key_kind.as_str(), seen.key_value.as_str())).collect();
    assert_eq!(
        keys,
        [("id", "openai:key_ex01"), ("id", "openai:key_ex02"), ("external-id", "openai_service_account:svc_acct_ex01")]
    );
    assert_eq!(batch.observations[0].actor.as_deref(), Some("owner.a@acme.example"));
    assert_eq!(batch.observations[1].address.as_deref(), Some("203.0.113.7"));
    assert_eq!(
        (batch.source.as_str(), batch.coverage.len(), batch.credentials.len()),
        ("openai-audit-log/org-acme", 0, 0)
    );
    assert!(batch.remarks.iter().any(|remark| remark.text.starts_with("1 events")));
}

#[test]
fn cloudtrail_shows_use_by_key_else_by_user() {
    let batch = import(Kind::AwsCloudtrail);
    let [invoked, console] = &batch.observations[..] else { panic!("two: {batch:#?}") };
    assert_eq!(
        (invoked.key_kind.as_str(), invoked.key_value.as_str()),
        ("public-id", format!("aws:{}", access_key_id()).as_str())
    );
    assert_eq!(
        (invoked.action.as_str(), invoked.target.as_deref()),
        ("bedrock:InvokeModel", Some("anthropic.claude-x"))
    );
    assert_eq!(console.key_value, "aws_arn:arn:aws:iam::111122223333:user/console");
    let event = r#"{"eventName":"Get","eventSource":"s3.amazonaws.com","eventTime":"2025-11-20T08:00:00Z","eventID":"e9","userIdentity":{"accessKeyId":"KEY"}}"#;
    let looked_up = serde_json::json!({"Events": [{"EventId": "e9", "EventName": "Get", "AccessKeyId": "KEY", "CloudTrailEvent": event}]});
    let batches = import_with(Kind::AwsCloudtrail, &looked_up.to_string(), &options()).expect("usable");
    assert_eq!(batches[0].observations[0].key_value, "aws:KEY");
}
