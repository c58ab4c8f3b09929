//! What a value says of itself, and what stood near it says of it, without asking anyone: account, public ids, claims, people.
//!
//! Facts are read, never trusted: nothing here checks a signature, and a fact only links where the inventory knows it. All
//! are written as the inventory writes its join keys (`aws:AKIA...`, `gcp:acme-ai`), so a look-up is an equality.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::Value;

use super::digest;
use crate::credential::FoundCredential;
use crate::detector::claims;
use crate::finding::Finding;
use crate::inventory::model::JwtClaims;

/// All that is known of a credential beside its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Ids that stand in the value or beside it.
    pub public_ids: Vec<PublicId>,
    /// Where an id is the beginning of the value, of a length that the provider decides: the inventory's system name and the
    /// value. It is looked up and never written.
    pub leading_id: Option<(&'static str, String)>,
    /// The provider's ids of the record: `openai:key_ex01`. Sole where an answer told it, else it stands near.
    pub record_ids: Vec<PublicId>,
    /// Organisations, tenants, projects, hosts.
    pub accounts: Vec<Account>,
    /// What a signed token claims.
    pub claims: Option<JwtClaims>,
    /// What the identity is called elsewhere: `spiffe:spiffe://...`, `gcp_service_account:...`, `gitlab-user:7`.
    pub external_ids: Vec<String>,
    /// Log-ins, addresses and user ids of whom it belongs to, as the value or an answer tells them.
    pub people: Vec<String>,
}

/// An id that stands in the leaked text itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicId {
    /// System and id: `aws:AKIA...`.
    pub value: String,
    /// Whether it names one secret only, and surely the one that was found.
    pub sole: bool,
}

/// An account that a value belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// System and account: `aws:111122223333`, or the provider's slug and the account.
    pub value: String,
    /// Whether the value or the provider says so, rather than the text round it.
    pub certain: bool,
}

/// How many ids near a credential are tried in pairs.
const MOST_PAIRED: usize = 4;
/// What the address of a service account of Google's ends with, after the project.
const SERVICE_ACCOUNT_HOST: &str = ".iam.gserviceaccount.com";
/// The longest text of a fact.
const LONGEST: usize = 512;

/// Collects what is known of a finding; of one without its secret only what a provider answered.
pub fn of(finding: &Finding, found: Option<&FoundCredential>) -> Facts {
    let mut facts = Facts::default();
    if let Some(found) = found {
        let secret = digest::canonical(found.secret.expose());
        facts.read_value(finding, secret);
        facts.read_companions(finding, found);
        facts.read_hosts(found);
    }
    facts.read_answer(finding);
    facts
}

impl Facts {
    fn read_value(&mut self, finding: &Finding, secret: &[u8]) {
        let provider = finding.provider.as_deref().unwrap_or_default();
        if let Some(id) = std::str::from_utf8(secret).ok().filter(|text| is_aws_id(text)) {
            self.add_aws_id(id, true);
        }
        match provider {
            "aws" => self.read_bedrock(secret),
            "gitlab" => self.read_routing(secret),
            "slack" => self.read_slack(secret),
            "wandb" => self.leading_id = std::str::from_utf8(secret).ok().map(|text| ("wandb", text.to_owned())),
            _ => {}
        }
        self.read_public_half(secret);
        self.read_key_file(secret);
        self.read_token(secret);
    }

    /// A finding that is itself the public half of a pair.
    fn read_public_half(&mut self, secret: &[u8]) {
        let half = std::str::from_utf8(secret).ok().and_then(public_half);
        // Forty hexadecimal digits are many things; only beside a key of Google's are they its id.
        if let Some(id) = half.filter(|id| !id.starts_with("gcp-key:")) {
            self.add_id(id, true);
        }
    }

    fn read_companions(&mut self, finding: &Finding, found: &FoundCredential) {
        for companion in &found.companions {
            let Ok(text) = std::str::from_utf8(companion.secret.expose()) else { continue };
            // Two of one detector mean that nothing says which belongs to it.
            let sole = found.companions.iter().filter(|other| other.detector == companion.detector).count() == 1;
            self.add_half(text, sole);
        }
        let known: Vec<String> = self.public_ids.iter().map(|id| id.value.clone()).collect();
        let wanted = |id: &str| halves_of(finding).iter().any(|system| id.starts_with(system));
        let mut nearest = None;
        for id in &found.surroundings.ids {
            let Some(half) = public_half(id).filter(|half| wanted(half)) else { continue };
            // The nearest only, and none where a companion was found.
            if known.is_empty() && nearest.is_none() {
                self.add_half(id, false);
                nearest = Some(half);
            }
        }
        if finding.detector.starts_with("azure-entra-client-secret") {
            self.add_entra_pairs(&found.surroundings.ids);
        }
        self.read_near_ids(finding, &found.surroundings.ids);
    }

    /// Ids by which a provider names accounts and records, near a credential of that provider.
    fn read_near_ids(&mut self, finding: &Finding, ids: &[String]) {
        let Some(provider) = finding.provider.as_deref() else { return };
        for id in ids {
            let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| id.starts_with(prefix));
            if begins(&["org-", "org_", "proj_", "wrkspc_"]) {
                self.add_account(format!("{provider}:{id}"), false);
            } else if begins(&["key_", "apikey_"]) {
                self.record_ids.push(PublicId { value: format!("{provider}:{id}"), sole: false });
            }
        }
        // Of several service accounts, nothing says which one the key is of.
        let mut emails = ids.iter().filter(|id| id.ends_with(SERVICE_ACCOUNT_HOST));
        if let (Some(email), None, "google") = (emails.next(), emails.next(), provider) {
            self.add_service_account(email, false);
        }
    }

    fn add_half(&mut self, text: &str, sole: bool) {
        if is_aws_id(text) {
            self.add_aws_id(text, sole);
        } else if let Some(id) = public_half(text) {
            self.add_id(id, sole);
        }
    }

    /// Tenant and application stand near a client secret as two GUIDs; nothing says which is which.
    fn add_entra_pairs(&mut self, ids: &[String]) {
        let guids: Vec<&String> = ids.iter().filter(|id| is_guid(id)).take(MOST_PAIRED).collect();
        for tenant in &guids {
            for application in guids.iter().filter(|other| *other != tenant) {
                self.add_id(format!("entra:{tenant}/{application}"), false);
            }
            self.add_account(format!("azure-tenant:{tenant}"), false);
        }
    }

    fn read_hosts(&mut self, found: &FoundCredential) {
        for host in found.surroundings.hosts.iter().take(8) {
            self.add_account(format!("host:{host}"), false);
        }
    }

    fn read_bedrock(&mut self, secret: &[u8]) {
        if let Some(alias) = bedrock_alias(secret) {
            if let Some(account) =
                alias.rsplit_once("-at-").map(|(_, account)| account).filter(|text| is_aws_account(text))
            {
                self.add_account(format!("aws:{account}"), true);
            }
            let versionless = without_version(&alias).to_owned();
            self.add_id(format!("bedrock:{alias}"), false);
            self.add_id(format!("bedrock:{versionless}"), false);
        } else if let Some(id) = presigned_key_id(secret) {
            self.add_aws_id(&id, false);
        }
    }

    /// The user, group or project of a token of GitLab that tells its servers where it belongs.
    fn read_routing(&mut self, secret: &[u8]) {
        for (letter, number) in routing(secret) {
            match letter {
                'u' => {
                    self.people.push(format!("gitlab:{number}"));
                    self.external_ids.push(format!("gitlab-user:{number}"));
                }
                'g' => self.add_account(format!("gitlab-group:{number}"), true),
                'p' => self.add_account(format!("gitlab-project:{number}"), true),
                'o' => self.add_account(format!("gitlab-organisation:{number}"), true),
                _ => {}
            }
        }
    }

    fn read_slack(&mut self, secret: &[u8]) {
        let Ok(text) = std::str::from_utf8(secret) else { return };
        // .../services/T.../B.../...
        let team = text.split('/').find(|part| part.len() >= 9 && part.starts_with('T') && is_upper_id(part));
        if let Some(team) = team {
            self.add_account(format!("slack:{team}"), true);
        }
    }

    /// A whole key file of Google's, such as a person may paste.
    fn read_key_file(&mut self, secret: &[u8]) {
        if !secret.starts_with(b"{") {
            return;
        }
        let Ok(Value::Object(file)) = serde_json::from_slice::<Value>(secret) else { return };
        let text = |name: &str| file.get(name).and_then(Value::as_str).filter(|text| text.len() <= LONGEST);
        if let Some(id) = text("private_key_id") {
            self.add_id(format!("gcp-key:{id}"), true);
        }
        if let Some(email) = text("client_email") {
            self.add_service_account(email, true);
        }
        if let Some(project) = text("project_id") {
            self.add_account(format!("gcp:{project}"), true);
        }
    }

    fn add_service_account(&mut self, email: &str, certain: bool) {
        self.external_ids.push(format!("gcp_service_account:{email}"));
        let project = email.split_once('@').and_then(|(_, host)| host.strip_suffix(SERVICE_ACCOUNT_HOST));
        if let Some(project) = project {
            self.add_account(format!("gcp:{project}"), certain);
        }
    }

    fn read_token(&mut self, secret: &[u8]) {
        let Some(Value::Object(payload)) = claims::payload(secret) else { return };
        let text = |name: &str| {
            payload.get(name).and_then(Value::as_str).filter(|text| text.len() <= LONGEST).map(str::to_owned)
        };
        let claims = JwtClaims { iss: text("iss"), sub: text("sub"), jti: text("jti"), kid: header_kid(secret) };
        if let Some(uid) = service_account_uid(&payload) {
            self.add_id(format!("k8s-sa:{uid}"), false);
        }
        let spiffe = claims.sub.iter().filter(|subject| subject.starts_with("spiffe://"));
        self.external_ids.extend(spiffe.map(|id| format!("spiffe:{id}")));
        if let Some(tenant) = text("tid").filter(|id| is_guid(id)) {
            self.add_account(format!("azure-tenant:{tenant}"), true);
            if let Some(application) = text("appid").or_else(|| text("azp")) {
                self.add_id(format!("entra:{tenant}/{application}"), false);
            }
        }
        if let Some(email) = claims.iss.as_deref().filter(|issuer| issuer.ends_with(SERVICE_ACCOUNT_HOST)) {
            let email = email.to_owned();
            self.add_service_account(&email, true);
        }
        self.people.extend(text("email").or_else(|| text("upn")));
        if claims != JwtClaims::default() {
            self.claims = Some(claims);
        }
    }

    /// What a provider answered when it was asked whether the credential works.
    fn read_answer(&mut self, finding: &Finding) {
        let provider = finding.provider.as_deref().unwrap_or_default();
        for (name, value) in &finding.verification.account {
            let value = value.trim();
            if value.is_empty() || value.len() > LONGEST {
                continue;
            }
            match name.replace('_', "-").as_str() {
                "account" | "account-id" if is_aws_account(value) => self.add_account(format!("aws:{value}"), true),
                "arn" => self.read_arn(value),
                "tenant" | "tenant-id" => self.add_account(format!("azure-tenant:{value}"), true),
                "organization" | "organisation" | "organization-id" | "organizations-id" | "org" | "org-id"
                | "team-id" | "team" | "workspace" | "workspace-id" | "account" | "account-id" | "project"
                | "project-id" => {
                    self.add_account(format!("{provider}:{value}"), true);
                }
                "email" | "login" | "user" | "user-id" | "username" | "id" => self.people.push(value.to_owned()),
                "key-id" | "api-key-id" | "token-id" => {
                    self.record_ids.push(PublicId { value: format!("{provider}:{value}"), sole: true });
                }
                _ => {}
            }
        }
    }

    fn read_arn(&mut self, arn: &str) {
        let mut parts = arn.splitn(6, ':');
        if let Some(account) = parts.nth(4).filter(|text| is_aws_account(text)) {
            self.add_account(format!("aws:{account}"), true);
        }
        if let Some(name) = parts.next().and_then(|resource| resource.strip_prefix("user/")) {
            self.people.push(name.rsplit('/').next().unwrap_or(name).to_owned());
        }
    }

    fn add_aws_id(&mut self, id: &str, sole: bool) {
        self.add_id(format!("aws:{id}"), sole);
        if let Some(account) = aws_account(id) {
            self.add_account(format!("aws:{account}"), true);
        }
    }

    fn add_id(&mut self, value: String, sole: bool) {
        if value.len() <= LONGEST && !self.public_ids.iter().any(|known| known.value == value) {
            self.public_ids.push(PublicId { value, sole });
        }
    }

    fn add_account(&mut self, value: String, certain: bool) {
        match self.accounts.iter_mut().find(|known| known.value == value) {
            Some(known) => known.certain |= certain,
            None if value.len() <= LONGEST => self.accounts.push(Account { value, certain }),
            None => {}
        }
    }
}

/// Returns the systems whose public halves may stand near a finding.
fn halves_of(finding: &Finding) -> &'static [&'static str] {
    match finding.provider.as_deref() {
        Some("aws") => &["aws:"],
        Some("langfuse") => &["langfuse:"],
        Some("modal") => &["modal:"],
        Some("google") => &["gcp-key:"],
        _ => &[],
    }
}

/// Returns the join key of a public half, by its form.
fn public_half(text: &str) -> Option<String> {
    let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if is_aws_id(text) {
        Some(format!("aws:{text}"))
    } else if text.strip_prefix("pk-lf-").is_some_and(is_guid) {
        Some(format!("langfuse:{text}"))
    } else if ["ak-", "wk-"].iter().any(|prefix| text.starts_with(prefix)) && (20..=40).contains(&text.len()) {
        Some(format!("modal:{text}"))
    } else if text.len() == 40 && is_hex(text) {
        Some(format!("gcp-key:{text}"))
    } else {
        None
    }
}

/// Returns whether a text has the form of an AWS access key id.
pub fn is_aws_id(text: &str) -> bool {
    text.len() == 20
        && ["AKIA", "ASIA", "ABIA", "ACCA"].iter().any(|prefix| text.starts_with(prefix))
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

fn is_aws_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_guid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_upper_id(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Returns the account of an AWS access key id: its characters after the prefix are base 32, and 40 bits of them are the
/// account. Ids of before 2019, whose fifth character is `I` or `J`, do not hold it.
pub fn aws_account(id: &str) -> Option<String> {
    let rest = id.get(4..).filter(|_| is_aws_id(id))?.as_bytes();
    if matches!(rest[0], b'I' | b'J') {
        return None;
    }
    // Ten characters are fifty bits; the number is made of the first 48.
    let mut bits = 0_u64;
    for byte in &rest[..10] {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u64::from(digit);
    }
    Some(format!("{:012}", ((bits >> 2) & 0x7fff_ffff_ff80) >> 7))
}

/// Returns the name of a long-term Bedrock key: what stands before the last colon in its base64.
fn bedrock_alias(secret: &[u8]) -> Option<String> {
    let text =
        STANDARD_NO_PAD.decode(secret.strip_prefix(b"ABSK")?.trim_ascii_end().split(|byte| *byte == b'=').next()?);
    let text = text.ok()?;
    let end = text.iter().rposition(|byte| *byte == b':')?;
    let alias = std::str::from_utf8(&text[..end]).ok()?;
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    (!alias.is_empty() && alias.len() <= LONGEST && alias.bytes().all(fits)).then(|| alias.to_owned())
}

/// Takes a version (`+2`, `-2`) off a Bedrock alias; an account number is none.
fn without_version(alias: &str) -> &str {
    let is_version = |text: &str| !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit());
    match alias.rsplit_once(['+', '-']) {
        Some((name, version)) if is_version(version) => name,
        _ => alias,
    }
}

/// Returns the access key id that signed a short-term Bedrock key.
fn presigned_key_id(secret: &[u8]) -> Option<String> {
    let encoded = secret.strip_prefix(b"bedrock-api-key-")?;
    let bytes = STANDARD_NO_PAD.decode(encoded.split(|byte| *byte == b'=').next()?).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (_, after) = text.split_once("X-Amz-Credential=")?;
    after.get(..20).filter(|id| is_aws_id(id)).map(str::to_owned)
}

/// Returns the numbers of a routable GitLab token by their letters. Its payload is lines of a letter and a number in base 36,
/// followed by random bytes.
fn routing(token: &[u8]) -> Vec<(char, u64)> {
    let payload = || {
        let after = &token[token.iter().position(|byte| *byte == b'-')? + 1..];
        let payload = after.split(|byte| *byte == b'.').next().filter(|payload| payload.len() < after.len())?;
        // The last group may be incomplete after the cut; the lines come first.
        URL_SAFE_NO_PAD.decode(payload.get(..payload.len() / 4 * 4)?).ok()
    };
    let number = |line: &[u8]| {
        let (letter, number) = std::str::from_utf8(line).ok()?.split_once(':')?;
        let letter = letter.chars().next().filter(|_| letter.len() == 1 && number.len() <= 12)?;
        Some((letter, u64::from_str_radix(number, 36).ok()?))
    };
    payload().unwrap_or_default().split(|byte| *byte == b'\n').take(8).map_while(number).collect()
}

fn header_kid(token: &[u8]) -> Option<String> {
    let part = token.split(|byte| *byte == b'.').next().filter(|part| part.len() <= 8192)?;
    let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()?;
    header.get("kid")?.as_str().filter(|kid| kid.len() <= LONGEST).map(str::to_owned)
}

/// Returns the uid of a Kubernetes service account, in the form of bound tokens or of legacy ones.
fn service_account_uid(payload: &serde_json::Map<String, Value>) -> Option<String> {
    let bound = payload.get("kubernetes.io").and_then(|claims| claims.pointer("/serviceaccount/uid"));
    let legacy = payload.get("kubernetes.io/serviceaccount/service-account.uid");
    bound.or(legacy)?.as_str().filter(|uid| uid.len() <= 64).map(str::to_owned)
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
