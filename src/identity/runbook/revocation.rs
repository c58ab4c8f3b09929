//! How a credential is ended at its provider: complete commands that name the provider's record and never the value.
//!
//! The record's id is what the link brings; what the inventory does not say stands in capitals, to be filled in. Where this
//! module knows no command, the detector's own words about revocation stand in its place.

use serde::Serialize;

use crate::detector::compile::Detector;
use crate::inventory::model::{CredentialRecord, IdentityRecord};

/// What is known of the credential that is to be ended.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The provider's slug.
    pub provider: Option<&'a str>,
    /// The detector that found it, or of the record's sort.
    pub detector: Option<&'a Detector>,
    /// The sort that the record names.
    pub sort: Option<&'a str>,
    /// The record.
    pub record: Option<&'a CredentialRecord>,
    /// Its identity.
    pub identity: Option<&'a IdentityRecord>,
}

/// How a credential is ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Revocation {
    /// What makes it stop, the gentlest way first.
    pub contain: Vec<Command>,
    /// What removes it for good, once nothing misses it.
    pub finish: Vec<Command>,
    /// Whether what stops it can be taken back; nothing where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reversible: Option<bool>,
    /// Whether an old and a new one can work side by side.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<bool>,
    /// The page where a person does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub console: Option<String>,
    /// Where the provider tells how to rotate it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rotate: Option<String>,
    /// What has to be filled into the commands, as they write it.
    pub missing: Vec<String>,
}

/// A command, or an instruction where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Command {
    /// What it does.
    pub does: String,
    /// The command for a shell; nothing where only a person can do it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shell: Option<String>,
}

/// Returns how a credential is ended.
pub fn revocation(subject: &Subject<'_>) -> Revocation {
    let mut way = Revocation::default();
    let sort = subject.sort.or(subject.detector.map(|detector| detector.id.as_str())).unwrap_or_default();
    match subject.provider.unwrap_or_default() {
        "openai" => openai(subject, sort, &mut way),
        "anthropic" => anthropic(subject, sort, &mut way),
        "aws" => aws(subject, sort, &mut way),
        "google" | "gcp" | "google-cloud" => google(subject, sort, &mut way),
        "github" => github(subject, &mut way),
        "gitlab" => gitlab(subject, &mut way),
        "azure" | "entra" | "microsoft" => entra(subject, sort, &mut way),
        "okta" => okta(subject, &mut way),
        "databricks" => databricks(subject, &mut way),
        "langfuse" => langfuse(subject, &mut way),
        _ => {}
    }
    if let Some(detector) = subject.detector {
        way.rotate.clone_from(&detector.rotate);
        in_the_detectors_words(detector, &mut way);
    }
    way
}

/// Takes over what the detector says of revocation; its request only where there is no command yet.
fn in_the_detectors_words(detector: &Detector, way: &mut Revocation) {
    let Some(revoke) = &detector.revoke else { return };
    way.console.clone_from(&revoke.console);
    if way.contain.is_empty() {
        let told = [revoke.request_in_words(), revoke.steps.clone()].into_iter().flatten();
        way.contain = told.map(|does| Command { does, shell: None }).collect();
    }
}

impl Revocation {
    fn stops(&mut self, does: &str, shell: String) {
        self.contain.push(Command { does: does.to_owned(), shell: Some(shell) });
    }

    fn removes(&mut self, does: &str, shell: String) {
        self.finish.push(Command { does: does.to_owned(), shell: Some(shell) });
    }

    /// Returns the value, or the name that stands for it in a command.
    fn or_ask(&mut self, value: Option<&str>, name: &str) -> String {
        match value.map(str::trim).filter(|value| !value.is_empty()) {
            Some(value) => value.to_owned(),
            None => {
                self.missing.push(name.to_owned());
                name.to_owned()
            }
        }
    }

    fn record_id(&mut self, subject: &Subject<'_>, name: &str) -> String {
        let id = subject.record.and_then(|record| record.record_id.as_deref());
        self.or_ask(id, name)
    }
}

fn openai(subject: &Subject<'_>, sort: &str, way: &mut Revocation) {
    (way.reversible, way.overlap) = (Some(false), Some(true));
    let id = way.record_id(subject, "KEY_ID");
    let key = ["authorization: Bearer $OPENAI_ADMIN_KEY"];
    let path = if sort.contains("admin") {
        format!("admin_api_keys/{}", segment(&id))
    } else {
        let project = subject.identity.and_then(|identity| identity.container.as_deref());
        let of_account = subject.record.and_then(|record| record.account.as_deref());
        let project =
            project.or(of_account.and_then(|account| account.rsplit('/').find(|part| part.starts_with("proj_"))));
        format!("projects/{}/api_keys/{}", segment(&way.or_ask(project, "PROJECT_ID")), segment(&id))
    };
    let shell = curl("DELETE", &key, &format!("https://api.openai.com/v1/organization/{path}"), None);
    way.stops("Deletes the key; this cannot be taken back", shell);
}

fn anthropic(subject: &Subject<'_>, sort: &str, way: &mut Revocation) {
    way.overlap = Some(true);
    if sort.contains("admin") {
        return;
    }
    way.reversible = Some(true);
    let id = way.record_id(subject, "API_KEY_ID");
    let url = format!("https://api.anthropic.com/v1/organizations/api_keys/{}", segment(&id));
    let ask = |status: &str| {
        let body = format!("{{\"status\":\"{status}\"}}");
        curl("POST", &["x-api-key: $ANTHROPIC_ADMIN_KEY", "anthropic-version: 2023-06-01"], &url, Some(&body))
    };
    way.stops("Switches the key off; status active switches it on again", ask("inactive"));
    way.removes("Archives the key for good", ask("archived"));
}

fn aws(subject: &Subject<'_>, sort: &str, way: &mut Revocation) {
    (way.reversible, way.overlap) = (Some(true), Some(true));
    let user = subject.identity.and_then(|identity| identity.name.as_deref());
    let user = quoted(&way.or_ask(user, "USER_NAME"));
    let id = way.record_id(subject, "KEY_ID");
    let id = quoted(&id);
    if sort.contains("bedrock") {
        let which = format!("--user-name {user} --service-specific-credential-id {id}");
        way.stops(
            "Switches the credential off; --status Active switches it on again",
            format!("aws iam update-service-specific-credential {which} --status Inactive"),
        );
        way.removes("Deletes it", format!("aws iam delete-service-specific-credential {which}"));
    } else {
        let which = format!("--user-name {user} --access-key-id {id}");
        way.stops(
            "Switches the key off; --status Active switches it on again",
            format!("aws iam update-access-key {which} --status Inactive"),
        );
        way.removes("Deletes the key", format!("aws iam delete-access-key {which}"));
    }
}

fn google(subject: &Subject<'_>, sort: &str, way: &mut Revocation) {
    if !sort.contains("service-account") && !looks_like_service_account(subject) {
        return;
    }
    (way.reversible, way.overlap) = (Some(true), Some(true));
    let account = service_account(subject);
    let account = quoted(&way.or_ask(account.as_deref(), "SERVICE_ACCOUNT_EMAIL"));
    let id = way.record_id(subject, "KEY_ID");
    let which = format!("{} --iam-account {account}", quoted(id.rsplit('/').next().unwrap_or(&id)));
    way.stops(
        "Disables the key; enable switches it on again",
        format!("gcloud iam service-accounts keys disable {which}"),
    );
    way.removes("Deletes the key", format!("gcloud iam service-accounts keys delete {which}"));
}

fn looks_like_service_account(subject: &Subject<'_>) -> bool {
    service_account(subject).is_some()
}

/// The address of a Google service account, wherever the records have it.
fn service_account(subject: &Subject<'_>) -> Option<String> {
    let identity = subject.identity?;
    let texts =
        [Some(&identity.id), identity.name.as_ref()].into_iter().flatten().chain(identity.external_ids.values());
    let record = subject.record.and_then(|record| record.record_id.as_ref());
    let parts = texts.chain(record).flat_map(|text| text.split(['/', ':']));
    parts.filter(|part| part.ends_with(".gserviceaccount.com")).map(str::to_owned).next()
}

fn github(subject: &Subject<'_>, way: &mut Revocation) {
    (way.reversible, way.overlap) = (Some(false), Some(true));
    let organisation = subject.record.and_then(|record| record.account.as_deref());
    let organisation = organisation.or(subject.identity.and_then(|identity| identity.account.as_deref()));
    if subject.record.is_some_and(|record| record.record_id.is_some()) {
        let organisation = way.or_ask(organisation, "ORGANISATION");
        let id = way.record_id(subject, "CREDENTIAL_ID");
        way.stops(
            "Takes the token's access to the organisation away; the token itself goes on to exist for its owner",
            format!(
                "gh api --method DELETE {}",
                quoted(&format!("/orgs/{}/credential-authorizations/{}", segment(&organisation), segment(&id)))
            ),
        );
    }
    way.contain.push(Command {
        does: "Ends the token itself: its owner deletes it in the settings, or `credtrace revoke` with the value on standard \
               input asks GitHub to"
            .into(),
        shell: None,
    });
}

fn gitlab(subject: &Subject<'_>, way: &mut Revocation) {
    (way.reversible, way.overlap) = (Some(false), Some(true));
    let host = host_of(subject).unwrap_or_else(|| "gitlab.com".into());
    let id = way.record_id(subject, "TOKEN_ID");
    let url = format!("https://{host}/api/v4/personal_access_tokens/{}", segment(&id));
    way.stops(
        "Revokes the token; this cannot be taken back",
        curl("DELETE", &["private-token: $GITLAB_TOKEN"], &url, None),
    );
}

fn entra(subject: &Subject<'_>, sort: &str, way: &mut Revocation) {
    let is_client = sort.contains("client") || sort.contains("entra") || sort.contains("password");
    if !is_client || !subject.record.is_some_and(|record| record.record_id.is_some()) {
        return;
    }
    (way.reversible, way.overlap) = (Some(false), Some(true));
    let application = subject.identity.and_then(|identity| {
        let named = ["entra_app_id", "app_id", "entra"].into_iter().find_map(|name| identity.external_ids.get(name));
        named.map(String::as_str).or_else(|| identity.id.rsplit([':', '/']).next())
    });
    let application = way.or_ask(application, "APP_ID");
    let id = way.record_id(subject, "KEY_ID");
    let url =
        format!("https://graph.microsoft.com/v1.0/applications(appId='{}')/removePassword", segment(&application));
    let body = format!("{{\"keyId\":\"{}\"}}", segment(&id));
    let shell = format!("az rest --method POST --url {} --body {}", quoted(&url), quoted(&body));
    way.stops("Removes the client secret; this cannot be taken back", shell);
}

fn okta(subject: &Subject<'_>, way: &mut Revocation) {
    (way.reversible, way.overlap) = (Some(true), Some(true));
    let host = host_of(subject);
    let host = way.or_ask(host.as_deref(), "OKTA_DOMAIN");
    let application = subject.identity.and_then(|identity| identity.id.rsplit(':').next());
    let application = way.or_ask(application, "APP_ID");
    let id = way.record_id(subject, "SECRET_ID");
    let url = format!("https://{host}/api/v1/apps/{}/credentials/secrets/{}", segment(&application), segment(&id));
    let key = ["authorization: SSWS $OKTA_TOKEN"];
    way.stops(
        "Deactivates the secret; activate switches it on again",
        curl("POST", &key, &format!("{url}/lifecycle/deactivate"), None),
    );
    way.removes("Deletes the secret", curl("DELETE", &key, &url, None));
}

fn databricks(subject: &Subject<'_>, way: &mut Revocation) {
    (way.reversible, way.overlap) = (Some(false), Some(true));
    let host = host_of(subject);
    let host = way.or_ask(host.as_deref(), "WORKSPACE_HOST");
    let id = way.record_id(subject, "TOKEN_ID");
    let url = format!("https://{host}/api/2.0/token-management/tokens/{}", segment(&id));
    way.stops(
        "Deletes the token; this cannot be taken back",
        curl("DELETE", &["authorization: Bearer $DATABRICKS_TOKEN"], &url, None),
    );
}

fn langfuse(subject: &Subject<'_>, way: &mut Revocation) {
    (way.reversible, way.overlap) = (Some(false), Some(true));
    let host = host_of(subject).unwrap_or_else(|| "cloud.langfuse.com".into());
    let project = subject.identity.and_then(|identity| identity.container.as_deref());
    let project = project.or(subject.record.and_then(|record| record.account.as_deref()));
    let project = way.or_ask(project, "PROJECT_ID");
    let id = way.record_id(subject, "API_KEY_ID");
    let url = format!("https://{host}/api/public/projects/{}/apiKeys/{}", segment(&project), segment(&id));
    let key = ["authorization: Basic $LANGFUSE_ORGANISATION_BASIC"];
    way.stops("Deletes the key pair; this cannot be taken back", curl("DELETE", &key, &url, None));
}

/// The host that a record names as its account.
fn host_of(subject: &Subject<'_>) -> Option<String> {
    let fits = |host: &&str| {
        host.contains('.') && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'))
    };
    let keys = subject.record.map(|record| record.join.account.as_slice()).unwrap_or_default();
    let named = keys.iter().filter_map(|key| key.strip_prefix("host:"));
    let account = subject.record.and_then(|record| record.account.as_deref());
    let of_identity = subject.identity.and_then(|identity| identity.account.as_deref());
    named.chain(account).chain(of_identity).find(fits).map(str::to_ascii_lowercase)
}

/// A call with the caller's own key in an environment variable, which the shell fills in.
fn curl(method: &str, headers: &[&str], url: &str, body: Option<&str>) -> String {
    // Double quotes round a header, so that the shell fills in the variable; nothing in it comes from outside.
    let headers: String = headers.iter().map(|header| format!(" --header \"{header}\"")).collect();
    let body = body.map(|body| format!(" --header \"content-type: application/json\" --data {}", quoted(body)));
    format!("curl --fail --request {method}{headers}{} {}", body.unwrap_or_default(), quoted(url))
}

/// Writes a part of a URL's path so that it stays one part.
fn segment(text: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let written =
        text.bytes().map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    written.collect()
}

/// Writes an argument so that a shell takes it as it is, whatever an export put there.
pub fn quoted(text: &str) -> String {
    let plain =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b':' | b'@' | b'=');
    // A leading minus would be an option.
    if !text.is_empty() && !text.starts_with('-') && text.bytes().all(plain) {
        return text.to_owned();
    }
    let clean: String = text.chars().filter(|character| !character.is_control()).collect();
    format!("'{}'", clean.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str) -> CredentialRecord {
        CredentialRecord { id: format!("x:{id}"), record_id: Some(id.into()), ..CredentialRecord::default() }
    }

    fn of<'a>(
        provider: &'a str,
        sort: &'a str,
        record: &'a CredentialRecord,
        identity: &'a IdentityRecord,
    ) -> Revocation {
        let (provider, sort) = (Some(provider), Some(sort));
        revocation(&Subject { provider, sort, record: Some(record), identity: Some(identity), detector: None })
    }

    #[test]
    fn commands_are_complete_where_the_inventory_says_all() {
        let identity = IdentityRecord {
            id: "aws:111122223333:bedrock-rag".into(),
            name: Some("bedrock-rag".into()),
            container: Some("proj_ex".into()),
            external_ids: [("gcp".to_owned(), "rag@acme-ai.iam.gserviceaccount.com".to_owned())].into(),
            ..IdentityRecord::default()
        };
        let key = record("key_ex01");
        let first =
            |provider: &str, sort: &str| of(provider, sort, &key, &identity).contain[0].shell.clone().expect("one");
        assert_eq!(
            first("openai", "openai-project-key"),
            "curl --fail --request DELETE --header \"authorization: Bearer $OPENAI_ADMIN_KEY\" \
             https://api.openai.com/v1/organization/projects/proj_ex/api_keys/key_ex01"
        );
        assert_eq!(
            first("anthropic", "anthropic-api-key"),
            "curl --fail --request POST --header \"x-api-key: $ANTHROPIC_ADMIN_KEY\" --header \
             \"anthropic-version: 2023-06-01\" --header \"content-type: application/json\" --data \
             '{\"status\":\"inactive\"}' https://api.anthropic.com/v1/organizations/api_keys/key_ex01"
        );
        assert_eq!(
            first("aws", "aws-access-key"),
            "aws iam update-access-key --user-name bedrock-rag --access-key-id key_ex01 --status Inactive"
        );
        assert_eq!(
            first("google", "gcp-service-account-key"),
            "gcloud iam service-accounts keys disable key_ex01 --iam-account rag@acme-ai.iam.gserviceaccount.com"
        );
        assert_eq!(of("aws", "aws-access-key", &key, &identity).missing, Vec::<String>::new());
    }

    #[test]
    fn what_is_missing_stands_in_capitals_and_is_named() {
        let (key, nobody) = (CredentialRecord::default(), IdentityRecord::default());
        let way = of("openai", "openai-project-key", &key, &nobody);
        assert_eq!(way.missing, ["KEY_ID", "PROJECT_ID"]);
        assert!(way.contain[0].shell.as_ref().expect("one").ends_with("/projects/PROJECT_ID/api_keys/KEY_ID"));
    }

    #[test]
    fn an_id_from_an_export_cannot_leave_its_place_in_a_command() {
        let key = record("x; rm -rf ~ $(id) `id` '\n../../users");
        let identity = IdentityRecord { name: Some("--profile admin".into()), ..IdentityRecord::default() };
        for (provider, sort) in
            [("aws", "aws-access-key"), ("openai", ""), ("databricks", ""), ("google", "service-account")]
        {
            for command in of(provider, sort, &key, &identity).contain {
                let shell = command.shell.expect("a command");
                let script = format!("curl() {{ :; }}; aws() {{ :; }}; gcloud() {{ :; }}; {shell}");
                let words = outside_quotes(&script);
                assert!(!words.contains("rm") && !words.contains('`') && !words.contains("$(id"), "{shell}");
                assert!(!shell.contains('\n'), "{shell}");
            }
        }
    }

    /// What a shell reads outside single quotes.
    fn outside_quotes(script: &str) -> String {
        script.replace("'\\''", "").split('\'').step_by(2).collect()
    }
}
