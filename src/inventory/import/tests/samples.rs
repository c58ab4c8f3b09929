//! One sample of each kind, as its provider documents it; the company is Acme and the account 111122223333.

use jiff::Timestamp;

use super::super::{ImportOptions, Kind, parse};
use crate::error::Result;
use crate::inventory::batch::Batch;

/// The time at which everything is imported: 2026-11-22T12:00:00Z.
pub(super) fn options() -> ImportOptions {
    ImportOptions::new("export.json", Timestamp::from_second(1_795_348_800).expect("a time"))
}

/// Imports a text that must be usable.
pub(super) fn import(kind: Kind, text: &str) -> Batch {
    let mut batches = import_with(kind, text, &options()).expect("usable");
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

pub(super) const OPENAI_PROJECT_KEYS: &str = r#"{"object":"list","data":[
 {"object":"organization.project.api_key","id":"key_ex01","name":"support-bot-prod","redacted_value":"sk-proj-EXa...9Zq",
  "created_at":1746000000,"last_used_at":1763700000,"owner_project_access":"active",
  "owner":{"type":"service_account","service_account":{"id":"svc_acct_ex01","name":"support-bot","role":"member","created_at":1746000000}}},
 {"object":"organization.project.api_key","id":"key_ex02","name":"notebook","redacted_value":"sk-...Zz09",
  "created_at":1746000000,"last_used_at":null,"owner_project_access":"inactive",
  "owner":{"type":"user","user":{"id":"user_ex01","name":"Owner A","email":"owner.a@acme.example","role":"member","created_at":1700000000}}}],
 "first_id":"key_ex01","last_id":"key_ex02","has_more":false}"#;

pub(super) const OPENAI_ADMIN_KEYS: &str = r#"{"object":"list","data":[
 {"object":"organization.admin_api_key","id":"key_ex91","name":"billing","redacted_value":"sk-admin...xyz","created_at":1711471533,
  "expires_at":null,"last_used_at":1711471534,
  "owner":{"type":"service_account","object":"organization.service_account","id":"sa_ex9","name":"My SA","created_at":1711471533,"role":"member"}},
 {"object":"organization.admin_api_key","id":"key_ex92","name":"old","redacted_value":"sk-admin-...abc","created_at":1711471533,
  "expires_at":1721471533,"owner":{"type":"user","object":"organization.user","id":"user_ex02","name":"Owner B","role":"owner"}}],
 "has_more":false}"#;

pub(super) const ANTHROPIC_API_KEYS: &str = r#"{"data":[
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
