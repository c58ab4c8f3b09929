//! One sample of each kind, as its provider documents it; the company is Acme and the account 111122223333.

use jiff::Timestamp;

use super::super::{ImportOptions, Kind, parse};
use crate::error::Result;
use crate::inventory::batch::Batch;

/// The time at which everything is imported: 2026-11-22T12:00:00Z.
pub(super) fn options() -> ImportOptions {
    ImportOptions::new("export.json", Timestamp::from_second(1_795_348_800).expect("a time"))
}

/// Imports a kind's sample, which is of one account.
pub(super) fn import(kind: Kind) -> Batch {
    let mut batches = import_with(kind, &sample(kind), &options()).expect("usable");
    assert_eq!(batches.len(), 1, "one account");
    batches.remove(0)
}

/// Imports a text.
pub(super) fn import_with(kind: Kind, text: &str, options: &ImportOptions) -> Result<Vec<Batch>> {
    parse(kind, text.as_bytes(), options)
}

/// The message with which a text is refused.
pub(super) fn refusal(kind: Kind, text: &str) -> String {
    import_with(kind, text, &options()).expect_err("must be refused").to_string()
}

const OPENAI_PROJECT_KEYS: &str = r#"{"object":"list","data":[
 {"object":"organization.project.api_key","id":"key_ex01","name":"support-bot-prod","redacted_value":"sk-proj-EXa...9Zq",
  "created_at":1746000000,"last_used_at":1763700000,"owner_project_access":"active",
  "owner":{"type":"service_account","service_account":{"id":"svc_acct_ex01","name":"support-bot","role":"member","created_at":1746000000}}},
 {"object":"organization.project.api_key","id":"key_ex02","name":"notebook","redacted_value":"sk-...Zz09",
  "created_at":1746000000,"last_used_at":null,"owner_project_access":"inactive",
  "owner":{"type":"user","user":{"id":"user_ex01","name":"Owner A","email":"owner.a@acme.example","role":"member","created_at":1700000000}}}],
 "first_id":"key_ex01","last_id":"key_ex02","has_more":false}"#;

const OPENAI_ADMIN_KEYS: &str = r#"{"object":"list","data":[
 {"object":"organization.admin_api_key","id":"key_ex91","name":"billing","redacted_value":"sk-admin...xyz","created_at":1711471533,
  "expires_at":null,"last_used_at":1711471534,
  "owner":{"type":"service_account","object":"organization.service_account","id":"sa_ex9","name":"My SA","created_at":1711471533,"role":"member"}},
 {"object":"organization.admin_api_key","id":"key_ex92","name":"old","redacted_value":"sk-admin-...abc","created_at":1711471533,
  "expires_at":1721471533,"owner":{"type":"user","object":"organization.user","id":"user_ex02","name":"Owner B","role":"owner"}}],
 "has_more":false}"#;

const ANTHROPIC_API_KEYS: &str = r#"{"data":[
 {"id":"apikey_01EXAMPLE000000000000001","type":"api_key","name":"ci-codegen","status":"active","created_at":"2025-03-02T09:00:00Z",
  "expires_at":null,"created_by":{"id":"user_01EXAMPLEaaa","type":"user"},
  "principal":{"type":"service_account_actor","service_account_id":"svac_01EXAMPLE"},
  "partial_key_hint":"sk-ant-api03-ExA...zQAA","scope":{"type":"workspace","workspace_id":"wrkspc_01EXAMPLE"},"workspace_id":"wrkspc_01EXAMPLE"},
 {"id":"apikey_01EXAMPLE000000000000002","type":"api_key","name":"legacy","status":"inactive","created_at":"2024-03-02T09:00:00Z",
  "created_by":null,"partial_key_hint":"sk-ant-api03-R2D...igAA","workspace_id":null},
 {"id":"apikey_01EXAMPLE000000000000003","type":"api_key","name":"mine","status":"archived","created_at":"2024-03-02T09:00:00Z",
  "expires_at":"9999-12-31T23:59:59Z","created_by":{"id":"user_01EXAMPLEaaa","type":"user"},
  "principal":{"type":"user_actor","user_id":"user_01EXAMPLEbbb"},
  "partial_key_hint":"sk-ant-api03-Qqq...11AA","scope":{"type":"organization"},"workspace_id":null}],
 "has_more":false,"first_id":"apikey_01EXAMPLE000000000000001","last_id":"apikey_01EXAMPLE000000000000003"}"#;

const AWS_ACCESS_KEYS: &str = r#"{"AccessKeyMetadata":[
 {"UserName":"bedrock-rag","AccessKeyId":"{AKIA}","Status":"Active","CreateDate":"2024-02-01T10:00:00+00:00"}],"IsTruncated":false}
{"AccessKeyMetadata":[
 {"UserName":"old-bot","AccessKeyId":"{OLD}","Status":"Inactive","CreateDate":"2016-02-01T10:00:00Z"}]}"#;

pub(super) const REPORT_HEADER: &str = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,\
password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,\
access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,\
access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,\
cert_2_active,cert_2_last_rotated\n";

const REPORT_ROWS: &str = "\
<root_account>,arn:aws:iam::111122223333:root,2020-01-01T00:00:00+00:00,not_supported,2025-01-01T00:00:00+00:00,not_supported,\
not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A
bedrock-rag,arn:aws:iam::111122223333:user/bedrock-rag,2024-02-01T10:00:00+00:00,false,N/A,N/A,N/A,false,true,\
2024-02-01T10:00:00+00:00,2025-11-20T08:00:00+00:00,us-east-1,bedrock,false,2023-01-01T00:00:00+00:00,N/A,N/A,N/A,false,N/A,false,N/A
";

const AWS_BEDROCK_CREDENTIALS: &str = r#"{"ServiceSpecificCredentials":[
 {"UserName":"BedrockAPIKey-ex01","Status":"Active","ServiceName":"bedrock.amazonaws.com",
  "ServiceCredentialAlias":"BedrockAPIKey-ex01-at-111122223333","ServiceSpecificCredentialId":"{ACCA}1",
  "CreateDate":"2025-08-01T00:00:00Z","ExpirationDate":"2026-08-01T00:00:00Z"},
 {"UserName":"git-bot","Status":"Inactive","ServiceName":"codecommit.amazonaws.com","ServiceUserName":"git-bot-at-111122223333",
  "ServiceSpecificCredentialId":"{ACCA}2","CreateDate":"2019-08-01T00:00:00Z"}]}"#;

const GCP_SERVICE_ACCOUNT_KEYS: &str = r#"[
 {"name":"projects/acme-ai/serviceAccounts/rag-prod@acme-ai.iam.gserviceaccount.com/keys/{HEX40}",
  "keyAlgorithm":"KEY_ALG_RSA_2048","keyOrigin":"GOOGLE_PROVIDED","keyType":"USER_MANAGED",
  "validAfterTime":"2024-11-01T00:00:00Z","validBeforeTime":"9999-12-31T23:59:59Z","disabled":false},
 {"name":"projects/-/serviceAccounts/old@acme-ai.iam.gserviceaccount.com/keys/ABCDEF","validAfterTime":"2020-11-01T00:00:00Z",
  "validBeforeTime":"2022-11-01T00:00:00Z","disabled":true,"disableReason":"SERVICE_ACCOUNT_KEY_DISABLE_REASON_EXPOSED"}]"#;

const GITHUB_CREDENTIAL_AUTHORIZATIONS: &str = r#"[
 {"login":"owner-a","credential_id":161195,"credential_type":"personal access token","token_last_eight":"Eonly000",
  "credential_authorized_at":"2025-01-26T19:06:43Z","credential_accessed_at":"2025-11-01T00:00:00Z","scopes":["repo","workflow"],
  "authorized_credential_id":12345678,"authorized_credential_note":"agent runner","authorized_credential_expires_at":null},
 {"login":"owner-b","credential_id":161196,"credential_type":"SSH Key","credential_authorized_at":"2019-03-29T19:06:43Z",
  "credential_accessed_at":null,"fingerprint":"SHA256:vNlZTNaUpDT36vlPU+Hn2KZwg/l5Ey9J58samkwyWcU","authorized_credential_title":"laptop"}]"#;

const GITHUB_FINE_GRAINED_TOKENS: &str = r#"[
 {"id":25381,"owner":{"login":"owner-a","id":1,"type":"User"},"repository_selection":"all",
  "repositories_url":"https://api.github.com/organizations/652551/personal-access-tokens/25381/repositories",
  "permissions":{"organization":{"members":"read"},"repository":{"contents":"write"}},"access_granted_at":"2025-05-16T08:47:09.000-07:00",
  "token_id":98716,"token_name":"agent","token_expired":false,"token_expires_at":"2027-11-16T08:47:09.000-07:00","token_last_used_at":null}]"#;

const GITHUB_AUDIT_LOG: &str = r#"{"action":"git.clone","actor":"owner-a","hashed_token":"vNlZTNaUpDT36vlPU+Hn2KZwg/l5Ey9J58samkwyWcU=","programmatic_access_type":"Personal access token (classic)","token_scopes":"repo,workflow","@timestamp":1763600000000,"org":["acme","acme-labs"],"repo":"acme/web","actor_ip":"203.0.113.7","_document_id":"doc1","external_identity_nameid":"owner.a@acme.example"}
{"action":"git.push","actor":"owner-a","hashed_token":"bcd9594cd694a434f7eaf94f53e1e7d8a67083f979132f49e7cb1a9a4c3259c5","programmatic_access_type":"Personal access token (classic)","token_scopes":"repo","@timestamp":1763700000000,"org":"acme","repo":"acme/web","_document_id":"doc2"}
{"action":"git.clone","actor":"owner-a","hashed_token":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=","programmatic_access_type":"Fine-grained personal access token","token_id":98716,"@timestamp":1763500000000,"org":"acme","_document_id":"doc3"}
{"action":"git.clone","actor":"ci[bot]","hashed_token":"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=","programmatic_access_type":"GitHub App server-to-server token","@timestamp":1763500000000,"org":"acme","_document_id":"doc4"}
{"action":"org.add_member","actor":"owner-b","@timestamp":1763500000000,"org":"acme","_document_id":"doc5"}
"#;

const GITLAB_TOKENS: &str = r#"[
 {"id":4,"name":"agent","revoked":false,"created_at":"2025-01-31T00:00:00.000Z","scopes":["api"],"user_id":3,"last_used_at":null,
  "active":true,"expires_at":"2027-01-31"},
 {"id":5,"name":"ci","revoked":true,"created_at":"2025-01-31T00:00:00.000Z","scopes":["read_api"],"user_id":9,
  "last_used_at":"2025-11-01T00:00:00Z","active":false,"expires_at":null,"access_level":40,"resource_type":"project","resource_id":77},
 {"id":4,"name":"pull","username":"gitlab+deploy-token-4","expires_at":null,"scopes":["read_registry"],"revoked":false,"expired":false}]"#;

const ENTRA_APPLICATIONS: &str = r##"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#applications","value":[
 {"id":"22222222-2222-3333-4444-555555555555","appId":"11111111-2222-3333-4444-555555555555","displayName":"doc-summarizer",
  "passwordCredentials":[{"keyId":"aaaaaaaa-0000-4000-8000-000000000001","displayName":"prod","hint":"Ex8",
   "startDateTime":"2025-01-01T00:00:00Z","endDateTime":"2027-01-01T00:00:00Z","secretText":null,"customKeyIdentifier":null}],
  "keyCredentials":[{"keyId":"aaaaaaaa-0000-4000-8000-000000000002","type":"AsymmetricX509Cert","usage":"Verify",
   "customKeyIdentifier":"52ED9B5038A47B9E2E2190715CC238359D4F8F73","startDateTime":"2023-01-01T00:00:00Z","endDateTime":"2024-01-01T00:00:00Z"}],
  "owners":[{"@odata.type":"#microsoft.graph.servicePrincipal","id":"x"},
   {"@odata.type":"#microsoft.graph.user","id":"33333333-2222-3333-4444-555555555555","userPrincipalName":"owner.a@acme.example","displayName":"Owner A"},
   {"id":"44444444-2222-3333-4444-555555555555","userPrincipalName":"owner.b@acme.example"}]}]}"##;

const DATABRICKS_TOKENS: &str = r#"{"token_infos":[
 {"token_id":"{HEX64}","creation_time":1700000000000,"expiry_time":-1,"comment":"rag job","owner_id":42,
  "created_by_username":"owner.a@acme.example","last_used_day":1763510400000},
 {"token_id":"cafe","creation_time":1700000000000,"expiry_time":1710000000000,"owner_id":43,"created_by_id":43,
  "created_by_username":"owner.b@acme.example"}]}"#;

const LANGFUSE_API_KEYS: &str = r#"{"apiKeys":[
 {"id":"cmex01","createdAt":"2025-01-01T00:00:00.000Z","expiresAt":null,"lastUsedAt":"2025-11-01T00:00:00.000Z","note":"prod",
  "publicKey":"{PK}1","displaySecretKey":"sk-lf-...abcd"},
 {"id":"cmex02","createdAt":"2025-02-01T00:00:00.000Z","expiresAt":null,"lastUsedAt":null,"note":null,
  "publicKey":"{PK}2","displaySecretKey":"sk-lf-...abcd"}]}"#;

const OKTA_SERVICE_ACCOUNTS: &str = r#"[
 {"id":"a747a818-a4c4-4446-8a87-704216495a08","name":"salesforce Prod-1 account","username":"testuser-salesforce-1@acme.example",
  "containerOrn":"orn:okta:idp:00o1n8sbwArJ7OQRw406:apps:salesforce:0oa1gkh63g214q0Hq0g4","containerInstanceName":"Salesforce - Prod",
  "description":"syncs cases","ownerUserIds":["00u1exA","00u1exB"],"ownerGroupIds":["00g1ex"],"status":"UNSECURED","statusDetail":"ROTATED",
  "created":"2023-04-04T15:56:05.000Z","lastUpdated":"2023-05-05T18:15:44.000Z"}]"#;

const KUBERNETES_SERVICE_ACCOUNTS: &str = r#"{"apiVersion":"v1","kind":"List","metadata":{"resourceVersion":""},"items":[
 {"apiVersion":"v1","kind":"ServiceAccount","automountServiceAccountToken":false,"metadata":{"name":"rag","namespace":"ai",
  "uid":"55555555-2222-3333-4444-555555555555","creationTimestamp":"2025-01-01T00:00:00Z","labels":{"team":"ai-platform"},
  "annotations":{"eks.amazonaws.com/role-arn":"arn:aws:iam::111122223333:role/rag","acme.example/owner":"owner.a@acme.example"}}},
 {"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"rag","namespace":"lab","uid":"66666666-2222-3333-4444-555555555555",
  "annotations":{"iam.gke.io/gcp-service-account":"rag-prod@acme-ai.iam.gserviceaccount.com","owner":"ai-platform"}}}]}"#;

const GITGUARDIAN_INCIDENTS: &str = r#"[
 {"id":3759,"date":"2025-08-22T14:15:22Z","detector":{"name":"openai_apikey","display_name":"OpenAI API Key","family":"apikey"},
  "secret_hash":"{HASH}","hmsl_hash":"927ea7a167be2f3f4d1729a8539655f4428e68ea42cc9c4aee6a3850abb2fb60","status":"ASSIGNED",
  "severity":"high","validity":"valid","assignee_email":"owner.a@acme.example","occurrences_count":4,"secret_revoked":false},
 {"id":3760,"detector":{"name":"generic","display_name":"Generic"},"secret_hash":"{HASH}","hmsl_hash":null,"status":"RESOLVED",
  "validity":"invalid","assignee_email":null,"secret_revoked":true}]"#;

const OPENAI_AUDIT_LOG: &str = r#"{"object":"list","data":[
 {"id":"audit_log-xxx_20251101","type":"project.archived","effective_at":1763600000,
  "actor":{"type":"api_key","api_key":{"id":"key_ex01","type":"user","user":{"id":"user_ex01","email":"owner.a@acme.example"}}},
  "project.archived":{"id":"proj_ex"}},
 {"id":"audit_log-yyy_20251102","type":"api_key.updated","effective_at":1763700000,
  "actor":{"type":"session","session":{"user":{"id":"user_ex02","email":"owner.b@acme.example"},"ip_address":"203.0.113.7","user_agent":"x"}},
  "api_key.updated":{"id":"key_ex02","changes_requested":{"scopes":["model.request"]}}},
 {"id":"audit_log-zzz_20251103","type":"service_account.deleted","effective_at":1763700001,
  "actor":{"type":"session","session":{"user":{"id":"user_ex02"}}},"service_account.deleted":{"id":"svc_acct_ex01"}},
 {"id":"audit_log-www_20251103","type":"login.succeeded","effective_at":1763700001,"actor":{"type":"session","session":{"user":{"id":"user_ex02"}}}}],
 "first_id":"audit_log-xxx_20251101","last_id":"audit_log-www_20251103","has_more":false}"#;

const AWS_CLOUDTRAIL: &str = r#"{"Records":[
 {"eventVersion":"1.09","userIdentity":{"type":"IAMUser","principalId":"AIDAEXAMPLE","arn":"arn:aws:iam::111122223333:user/bedrock-rag",
   "accountId":"111122223333","accessKeyId":"{AKIA}","userName":"bedrock-rag"},"eventTime":"2025-11-20T08:00:00Z",
  "eventSource":"bedrock.amazonaws.com","eventName":"InvokeModel","awsRegion":"us-east-1","sourceIPAddress":"203.0.113.7",
  "requestParameters":{"modelId":"anthropic.claude-x"},"eventID":"e1","recipientAccountId":"111122223333"},
 {"eventVersion":"1.09","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/console"},"eventTime":"2025-11-20T08:00:01Z",
  "eventSource":"signin.amazonaws.com","eventName":"ConsoleLogin","eventID":"e2","recipientAccountId":"111122223333"},
 {"eventVersion":"1.09","userIdentity":{"type":"AWSService","invokedBy":"ec2.amazonaws.com"},"eventTime":"2025-11-20T08:00:02Z",
  "eventSource":"sts.amazonaws.com","eventName":"AssumeRole","eventID":"e3","recipientAccountId":"111122223333"}]}"#;

const OPENAI_SERVICE_ACCOUNTS: &str = r#"{"object":"list","data":[
 {"object":"organization.project.service_account","id":"svc_acct_ex01","name":"support-bot","role":"owner","created_at":1746000000}],
 "first_id":"svc_acct_ex01","last_id":"svc_acct_ex01","has_more":false}"#;

const OPENAI_USERS: &str = r#"{"object":"list","data":[
 {"object":"organization.user","id":"user_ex02","name":"Owner B","email":"owner.b@acme.example","role":"owner","added_at":1711471533}],
 "has_more":false}"#;

const ANTHROPIC_USERS: &str = r#"{"data":[
 {"type":"user","id":"user_01EXAMPLEbbb","email":"owner.b@acme.example","name":"Owner B","role":"developer","added_at":"2024-10-30T23:58:27Z"}],
 "has_more":false,"first_id":"user_01EXAMPLEbbb","last_id":"user_01EXAMPLEbbb"}"#;

const SNOWFLAKE_ACCESS_TOKENS: &str = r#"[
 {"name":"RAG_TOKEN","user_name":"RAG_BOT","role_restriction":"RAG_READER","expires_at":"2025-06-09 06:49:46.360 -0700","status":"EXPIRED",
  "comment":null,"created_on":"2025-05-25 06:49:46.360 -0700","created_by":"OWNER_A","mins_to_bypass_network_policy_requirement":null,
  "rotated_to":null}]"#;

const SCIM_AGENTS: &str = r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1,"startIndex":1,"itemsPerPage":1,
 "Resources":[{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Agent"],"id":"agent-ex01","name":"triage","displayName":"Triage agent",
  "description":"sorts tickets","active":false,"subject":"spiffe://acme.example/triage","roles":[{"value":"reader"}],
  "owners":[{"value":"u1","$ref":"../Users/u1","display":"owner.a@acme.example"},{"value":"u2","display":"Owner B"}],
  "meta":{"resourceType":"Agent","created":"2026-01-01T00:00:00Z"}}]}"#;

const CYCLONEDX: &str = r#"{"bomFormat":"CycloneDX","specVersion":"1.7","version":1,"components":[
 {"type":"cryptographic-asset","name":"signing token","bom-ref":"crypto/token@1","cryptoProperties":{"assetType":"related-crypto-material",
  "relatedCryptoMaterialProperties":{"type":"token","id":"tok-ex01","state":"compromised","creationDate":"2025-01-01T00:00:00Z",
   "expirationDate":"2027-01-01T00:00:00Z"}}},
 {"type":"library","name":"serde","version":"1.0","bom-ref":"pkg:cargo/serde"}]}"#;

/// The access key id of account 111122223333.
pub(super) fn access_key_id() -> String {
    ["AKIA", "BTX3GSDSQBNKKPGD"].concat()
}

/// The sample of a kind; what looks like a key is put together here.
pub(super) fn sample(kind: Kind) -> String {
    let text = match kind {
        Kind::OpenaiProjectKeys => OPENAI_PROJECT_KEYS,
        Kind::OpenaiAdminKeys => OPENAI_ADMIN_KEYS,
        Kind::AnthropicApiKeys => ANTHROPIC_API_KEYS,
        Kind::AwsAccessKeys => AWS_ACCESS_KEYS,
        Kind::AwsCredentialReport => return [REPORT_HEADER, REPORT_ROWS].concat(),
        Kind::AwsBedrockCredentials => AWS_BEDROCK_CREDENTIALS,
        Kind::GcpServiceAccountKeys => GCP_SERVICE_ACCOUNT_KEYS,
        Kind::GithubCredentialAuthorizations => GITHUB_CREDENTIAL_AUTHORIZATIONS,
        Kind::GithubFineGrainedTokens => GITHUB_FINE_GRAINED_TOKENS,
        Kind::GithubAuditLog => GITHUB_AUDIT_LOG,
        Kind::GitlabTokens => GITLAB_TOKENS,
        Kind::EntraApplications => ENTRA_APPLICATIONS,
        Kind::DatabricksTokens => DATABRICKS_TOKENS,
        Kind::LangfuseApiKeys => LANGFUSE_API_KEYS,
        Kind::OktaServiceAccounts => OKTA_SERVICE_ACCOUNTS,
        Kind::KubernetesServiceAccounts => KUBERNETES_SERVICE_ACCOUNTS,
        Kind::GitguardianIncidents => GITGUARDIAN_INCIDENTS,
        Kind::OpenaiAuditLog => OPENAI_AUDIT_LOG,
        Kind::AwsCloudtrail => AWS_CLOUDTRAIL,
        Kind::OpenaiServiceAccounts => OPENAI_SERVICE_ACCOUNTS,
        Kind::OpenaiUsers => OPENAI_USERS,
        Kind::AnthropicUsers => ANTHROPIC_USERS,
        Kind::SnowflakeAccessTokens => SNOWFLAKE_ACCESS_TOKENS,
        Kind::ScimAgents => SCIM_AGENTS,
        Kind::Cyclonedx => CYCLONEDX,
    };
    text.replace("{AKIA}", &access_key_id())
        .replace("{OLD}", &["AKIA", "IOSFODNN7EXAMPLE"].concat())
        .replace("{ACCA}", &["ACCA", "EXAMPLE000000000000"].concat())
        .replace("{HEX40}", &"0123456789abcdef".repeat(3)[..40])
        .replace("{HEX64}", &"ab".repeat(32))
        .replace("{HASH}", &"cd".repeat(32))
        .replace("{PK}", &["pk-lf-", "0000abcd-1111-4222-8333-00000000000"].concat())
}
