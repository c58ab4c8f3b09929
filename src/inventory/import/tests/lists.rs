//! The lists of AI providers, and what all lists have in common.

use super::super::Kind;
use super::samples::*;

#[test]
fn keys_of_an_openai_project_say_whom_they_act_as_and_who_owns_them() {
    let mut options = options();
    options.account = Some("org-acme".into());
    options.project = Some("proj_ex".into());
    let batches = import_with(Kind::OpenaiProjectKeys, &sample(Kind::OpenaiProjectKeys), &options).expect("usable");
    let [batch] = &batches[..] else { panic!("one project") };
    assert_eq!(batch.source, "openai-project-keys/org-acme/proj_ex");
    assert_eq!((&batch.rejected[..], &batch.remarks[..]), (&[][..], &[][..]));

    let [bot, notebook] = &batch.credentials[..] else { panic!("two keys") };
    assert_eq!((bot.id.as_str(), bot.record_id.as_deref()), ("openai:key_ex01", Some("key_ex01")));
    assert_eq!(
        (bot.sort.as_deref(), bot.identity.as_deref()),
        (Some("openai-project-key"), Some("openai:svc_acct_ex01"))
    );
    assert_eq!((bot.issued.as_deref(), bot.status.as_deref()), (Some("2025-04-30T08:00:00Z"), Some("active")));
    assert_eq!(bot.join.ids, ["openai:key_ex01"]);
    let hint = bot.join.hint.as_ref().expect("a hint");
    assert_eq!(
        (hint.head.as_str(), hint.tail.as_str(), hint.source.as_deref()),
        ("sk-proj-EXa", "9Zq", Some("redacted_value"))
    );
    // The head says nothing of the sort, so no detector is excluded.
    assert_eq!(notebook.sort.as_deref(), Some("organization.project.api_key"));
    assert_eq!(notebook.last_used, None);

    let [account, key] = &batch.identities[..] else { panic!("two identities") };
    assert_eq!((account.kind.as_deref(), account.name.as_deref()), (Some("service_account"), Some("support-bot")));
    assert_eq!((account.account.as_deref(), account.container.as_deref()), (Some("org-acme"), Some("proj_ex")));
    assert_eq!((account.owner.as_deref(), account.owner_access.as_deref()), (None, Some("active")));
    assert_eq!(account.privilege.as_deref(), Some("inference"));
    assert_eq!(account.external_ids["openai_service_account"], "svc_acct_ex01");
    assert_eq!((key.kind.as_deref(), key.owner.as_deref()), (Some("api_key"), Some("owner.a@acme.example")));
    assert_eq!(key.owner_access.as_deref(), Some("inactive"));
    assert_eq!(batch.people[0].aliases, ["user_ex01"]);

    let coverage = &batch.coverage[0];
    assert_eq!((coverage.provider.as_str(), coverage.account.as_str()), ("openai", "org-acme/proj_ex"));
    assert!(coverage.complete && coverage.source == "export.json" && coverage.as_of == "2026-11-22T12:00:00Z");
}

#[test]
fn admin_keys_of_openai_name_their_owner_in_either_form() {
    let batch = import(Kind::OpenaiAdminKeys);
    let [billing, old] = &batch.credentials[..] else { panic!("two keys") };
    assert_eq!((billing.sort.as_deref(), billing.status.as_deref()), (Some("openai-admin-key"), Some("active")));
    assert_eq!((old.status.as_deref(), old.expires.as_deref()), (Some("expired"), Some("2024-07-20T10:32:13Z")));
    assert_eq!(billing.identity.as_deref(), Some("openai:sa_ex9"));
    assert_eq!(batch.identities[1].owner.as_deref(), Some("user_ex02"));
    assert!(batch.identities.iter().all(|identity| identity.privilege.as_deref() == Some("org-admin")));
}

#[test]
fn a_creator_at_anthropic_is_no_owner() {
    let batch = import(Kind::AnthropicApiKeys);
    let [codegen, legacy, mine] = &batch.credentials[..] else { panic!("three keys") };
    assert_eq!(codegen.identity.as_deref(), Some("anthropic:svac_01EXAMPLE"));
    assert_eq!((codegen.created_by.as_deref(), codegen.expires.as_deref()), (Some("user_01EXAMPLEaaa"), Some("never")));
    assert_eq!((codegen.sort.as_deref(), codegen.status.as_deref()), (Some("anthropic-api-key"), Some("active")));
    assert_eq!(
        (legacy.status.as_deref(), legacy.created_by.as_deref(), legacy.expires.as_deref()),
        (Some("disabled"), None, None)
    );
    assert_eq!((mine.status.as_deref(), mine.expires.as_deref()), (Some("revoked"), Some("never")));
    assert_eq!(mine.scopes, ["organization"]);
    let owners: Vec<Option<&str>> = batch.identities.iter().map(|identity| identity.owner.as_deref()).collect();
    assert_eq!(owners, [None, None, Some("user_01EXAMPLEbbb")]);
    assert_eq!(batch.identities[0].container.as_deref(), Some("wrkspc_01EXAMPLE"));
    assert!(batch.coverage[0].complete);
}

#[test]
fn users_give_addresses_to_the_ids_by_which_keys_name_them() {
    for (kind, id) in [(Kind::OpenaiUsers, "user_ex02"), (Kind::AnthropicUsers, "user_01EXAMPLEbbb")] {
        let batch = import(kind);
        assert_eq!(
            (batch.people[0].id.as_str(), &batch.people[0].aliases[..]),
            ("owner.b@acme.example", &[id.to_owned()][..])
        );
        assert!(batch.coverage.is_empty() && batch.identities.is_empty());
    }
}

#[test]
fn service_accounts_of_openai_have_the_ids_that_keys_name() {
    let batch = import(Kind::OpenaiServiceAccounts);
    let account = &batch.identities[0];
    assert_eq!((account.id.as_str(), account.privilege.as_deref()), ("openai:svc_acct_ex01", Some("admin")));
    assert!(!batch.coverage[0].complete, "it lists no keys");
}

#[test]
fn a_token_of_snowflake_is_its_users() {
    let mut options = options();
    options.account = Some("acme-prod".into());
    let kind = Kind::SnowflakeAccessTokens;
    let batches = import_with(kind, &sample(kind), &options).expect("usable");
    let token = &batches[0].credentials[0];
    assert_eq!((token.status.as_deref(), token.expires.as_deref()), (Some("expired"), Some("2025-06-09T13:49:46Z")));
    assert_eq!(token.identity.as_deref(), Some("snowflake:acme-prod/user/RAG_BOT"));
    assert_eq!(
        (&token.scopes[..], token.created_by.as_deref()),
        (&["role:RAG_READER".to_owned()][..], Some("OWNER_A"))
    );
    assert_eq!(token.join.account, ["host:acme-prod.snowflakecomputing.com"]);
}

#[test]
fn an_agent_of_scim_has_owners_and_a_subject() {
    let batch = import(Kind::ScimAgents);
    let agent = &batch.identities[0];
    assert_eq!((agent.kind.as_deref(), agent.status.as_deref()), (Some("agent"), Some("disabled")));
    assert_eq!((agent.owner.as_deref(), agent.backup_owner.as_deref()), (Some("owner.a@acme.example"), Some("u2")));
    assert_eq!(
        (agent.external_ids["spiffe"].as_str(), &agent.scopes[..]),
        ("spiffe://acme.example/triage", &["reader".to_owned()][..])
    );
    let more = sample(Kind::ScimAgents).replace(r#""totalResults":1"#, r#""totalResults":2"#);
    let batches = import_with(Kind::ScimAgents, &more, &options()).expect("usable");
    assert!(batches[0].remarks.iter().any(|remark| remark.text.contains("more pages")));
}

#[test]
fn a_compromised_token_of_cyclonedx_is_revoked_and_libraries_are_passed_over() {
    let batch = import(Kind::Cyclonedx);
    let [token] = &batch.credentials[..] else { panic!("one") };
    assert_eq!(
        (token.id.as_str(), token.sort.as_deref(), token.status.as_deref()),
        ("cyclonedx:tok-ex01", Some("token"), Some("revoked"))
    );
    assert!(batch.remarks[0].text.starts_with("1 rows are of other things"));
}
