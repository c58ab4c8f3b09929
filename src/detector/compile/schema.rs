//! What a detector file may say: one TOML file a provider, every field typed, nothing unknown accepted.

use serde::{Deserialize, Serialize};

use super::checks::{check_entry, check_slug};
use super::{DetectorError, SourceFile};

/// Words too common to be looked for by themselves.
pub const WEAK_WORDS: [&str; 12] =
    ["key", "token", "api", "secret", "aws", "password", "auth", "bearer", "apikey", "api_key", "api-key", "access"];

/// One file of `detectors/`: a provider and its credentials.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderFile {
    /// The provider's slug, as its users write the name: `openai`.
    pub provider: String,
    /// The provider's name for people: `OpenAI`.
    pub name: String,
    /// Whether AI workloads are what the provider serves.
    #[serde(default)]
    pub ai: bool,
    /// Words by which text names the provider, lower case; they decide shapes that several providers share.
    #[serde(default)]
    pub names: Vec<String>,
    /// The provider's own hosts; as `names`.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The provider's credentials.
    #[serde(default)]
    pub detector: Vec<toml::Spanned<Entry>>,
}

/// One `[[detector]]` of a file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Entry {
    /// Unique, kebab case, at most 48 characters.
    pub id: String,
    /// What it is, for people.
    pub name: String,
    /// What sort of credential.
    pub kind: Kind,
    /// How it looks, in the shape language.
    #[serde(default)]
    pub shapes: Vec<String>,
    /// How it looks, as a byte regex, where a shape cannot say it; a group `secret` marks the credential.
    pub pattern: Option<String>,
    /// With a pattern: literals of which every match contains one.
    #[serde(default)]
    pub anchors: Vec<String>,
    /// Names beside which alone the value counts; without them the shape is enough.
    #[serde(default)]
    pub keywords: Vec<String>,
    /// With keywords: how many bytes after the name the value may begin.
    pub distance: Option<u32>,
    /// How many bytes after the credential its verdict may read; for companions.
    pub reach: Option<u32>,
    /// Whether other providers' credentials look the same, so that a name nearby must decide.
    #[serde(default)]
    pub shared: bool,
    /// The most that a match may claim, whatever its context.
    pub confidence: Option<Confidence>,
    /// A checksum inside the value.
    pub checksum: Option<Checksum>,
    /// For a signed token: the claims that it must have, each with a glob for its value. They prove whose it is.
    #[serde(default)]
    pub claims: std::collections::BTreeMap<String, String>,
    /// Credentials that belong to this one and stand near it.
    #[serde(default)]
    pub companions: Vec<Companion>,
    /// Environment variables that hold it.
    #[serde(default)]
    pub environment: Vec<String>,
    /// What its holder may do.
    pub privilege: Privilege,
    /// Whether the provider means it to be public; then it is not reported by default.
    #[serde(default)]
    pub publishable: bool,
    /// What can be read from the value without asking anyone.
    #[serde(default)]
    pub offline: Vec<String>,
    /// How to ask whether it still works.
    pub verify: Option<Verify>,
    /// How to end it.
    pub revoke: Option<Revoke>,
    /// Where the provider tells how to rotate it.
    pub rotate: Option<String>,
    /// Which list of the provider names it, and by which hint.
    pub inventory: Option<Inventory>,
    /// Where the facts come from.
    #[serde(default)]
    pub references: Vec<String>,
    /// Texts with shapes that must be found; where none is given, each shape is its own example.
    #[serde(default)]
    pub examples: Vec<String>,
    /// Texts with shapes in which this detector must find nothing.
    #[serde(default)]
    pub counter_examples: Vec<String>,
}

/// What sort of credential a detector finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A key for an API.
    ApiKey,
    /// A key that manages other keys, users or an organisation.
    AdminKey,
    /// The public half of a pair, which names the key.
    AccessKeyId,
    /// The secret half of a pair.
    SecretKey,
    /// A token of a person.
    PersonalToken,
    /// A credential of a service account.
    ServiceAccountKey,
    /// A short-lived OAuth access token.
    OauthAccess,
    /// An OAuth refresh token; never exchanged.
    OauthRefresh,
    /// An OAuth client secret.
    ClientSecret,
    /// A session cookie or session key.
    Session,
    /// A URL or token that lets anyone post.
    Webhook,
    /// A signing or encryption secret.
    SigningSecret,
    /// A private key in PEM or another container.
    PrivateKey,
    /// A URI with a password in it.
    ConnectionUri,
    /// A password.
    Password,
    /// A signed token with claims.
    Jwt,
    /// A key that is meant to be public.
    Publishable,
}

/// What the holder of a credential may do; severity follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Privilege {
    /// Nothing by itself: a public half or a publishable key.
    None,
    /// Read or write one narrow thing, such as ingesting events.
    Limited,
    /// Use a service at its owner's cost and read what it stores.
    Use,
    /// Read and change an account's data and code.
    Write,
    /// Manage users, keys or a whole account.
    Admin,
}

/// How bad a leak of it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth a note.
    Low,
    /// Worth a ticket.
    Medium,
    /// Worth today.
    High,
    /// Worth tonight.
    Critical,
}

impl From<Privilege> for Severity {
    fn from(privilege: Privilege) -> Self {
        match privilege {
            Privilege::None => Self::Low,
            Privilege::Limited => Self::Medium,
            Privilege::Use => Self::High,
            Privilege::Write | Privilege::Admin => Self::Critical,
        }
    }
}

/// How sure a finding is to be what it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Confidence {
    /// It may be one.
    Low,
    /// The provider is named next to a fitting value.
    Medium,
    /// Its own prefix with exact alphabet and length, or a checksum, proves the kind.
    High,
}

/// A checksum inside a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Checksum {
    /// How it is reckoned and written.
    pub algorithm: ChecksumAlgorithm,
    /// How many bytes of the value's head are not covered.
    #[serde(default)]
    pub skip: u32,
    /// How many bytes at the value's end hold it.
    pub length: u32,
}

/// The checksums that are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChecksumAlgorithm {
    /// CRC-32 in base 62, digits in the order 0-9A-Za-z, padded with zeros on the left.
    Crc32Base62,
    /// CRC-32 as lower-case hexadecimal digits.
    Crc32Hex,
    /// CRC-32 as upper-case hexadecimal digits (Atlassian).
    Crc32HexUpper,
    /// CRC-32 in base 36, digits in the order 0-9a-z, padded with zeros on the left (GitLab's routable tokens).
    Crc32Base36,
    /// Marvin32 under Microsoft Entra's public seed, in base 66; its first digits are kept.
    EntraMarvin32,
}

/// A credential that belongs to another and stands near it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Companion {
    /// The detector of the other half.
    pub detector: String,
    /// How many bytes may lie between them.
    pub within: u32,
}

/// How to ask a provider whether a credential works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Verify {
    /// The only hosts this secret may be sent to. Of several, each is a site with keys of its own: dead means all say so.
    /// One label of a host may be a part: `{region}`, which a host near the credential or the credential itself names, or
    /// `{claim.NAME}`, a claim of the credential read as a signed token.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Where each customer has a host: its endings, such as `.openai.azure.com`. The text near the credential, or
    /// `--endpoint`, must name the host itself.
    #[serde(default)]
    pub host_suffixes: Vec<String>,
    /// Whether customers run servers of their own, which only `--endpoint` can name; then there need be no hosts. Where a
    /// host near the credential bears the provider's name and is none of `hosts`, nobody is asked until a person says
    /// whom. What the provider's own hosts refuse may work on such a server: dead counts only of an endpoint that a
    /// person named.
    #[serde(default)]
    pub self_hosted: bool,
    /// `GET` or `POST`.
    pub method: String,
    /// The path and query, with ids of companions, `{region}`, `{claim.NAME}` and other parts in it; `{secret}` and
    /// `{part.NAME}` only with `secret-in-path`.
    pub path: String,
    /// Whether something of the secret stands in the path or query, because the provider takes it nowhere else. Such a path
    /// is never shown, and the request goes over https alone.
    #[serde(default)]
    pub secret_in_path: bool,
    /// How the whole secret is cut: a byte regex with named groups, each of which is a `{part.NAME}`. A secret that does not
    /// fit it is not asked about.
    pub form: Option<String>,
    /// Headers, values with `{secret}`, `{basic}` or ids of companions in them.
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    /// What `{basic}` stands for before it is written in base64: text with `{secret}` and, in braces, ids of companions
    /// in it, such as `api:{secret}`.
    pub basic: Option<String>,
    /// The body, with parts of the credential in braces, escaped as the content type asks. A word in braces that is no part
    /// is text, as in GraphQL.
    pub body: Option<String>,
    /// How the request is signed, where the secret itself is never sent.
    pub sign: Option<Signing>,
    /// Whether it is asked once more without the credential, where an answer would mean that it works: what is told to
    /// anybody says nothing of it. For lists of which the provider does not say whether they are open.
    #[serde(default)]
    pub compare: bool,
    /// The public half that a signature names, as a text with parts; AWS's is a companion by itself.
    pub signer: Option<String>,
    /// The claims of a token that the secret signs, as JSON with parts; `{token}` in a header stands for the token,
    /// `{issued}` and `{expires}` for seconds a minute ago and nine minutes ahead.
    pub token: Option<String>,
    /// Public ids that stand near the credential, each a glob by its name: `{near.NAME}` in a path or header stands for the
    /// one id or host that fits. Ids are UUIDs, key ids and names of service accounts.
    #[serde(default)]
    pub near: std::collections::BTreeMap<String, String>,
    /// Public values that stand near the credential beside a name, each with the names that it goes by, the surest first:
    /// `{named.NAME}` stands for the one value beside the first of them that is there. A name in the text fits if it is
    /// one of these or ends with one behind an underscore; capital letters and dashes make no difference.
    #[serde(default)]
    pub named: std::collections::BTreeMap<String, Vec<String>>,
    /// What an answer that would mean that it works must list as well; where it does not, the credential is dead.
    pub proof: Option<Proof>,
    /// Statuses that mean that it works.
    pub live: Vec<u16>,
    /// Statuses that mean that it works within limits.
    #[serde(default)]
    pub limited: Vec<u16>,
    /// Statuses that mean that it does not work.
    pub dead: Vec<u16>,
    /// Answers whose body decides, before the lists of statuses do; the first that fits counts.
    #[serde(default)]
    pub when: Vec<Condition>,
    /// Whether an answer that means that it works is plain text or empty; else it must be JSON, and anything else, such as
    /// the page of a captive portal, means nothing.
    #[serde(default)]
    pub plain: bool,
    /// Statuses that the provider is known to answer with a page of HTML; such a page at another status than 401 means
    /// nothing.
    #[serde(default)]
    pub html: Vec<u16>,
    /// Where the answer names the account: a fact's name and a header or a JSON pointer.
    #[serde(default)]
    pub account: std::collections::BTreeMap<String, String>,
}

/// A way to sign a request with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signing {
    /// AWS Signature Version 4; the key id and the session token are companions.
    AwsSigV4,
    /// `ACS3-HMAC-SHA256` of Alibaba Cloud.
    AlibabaV3,
    /// `TC3-HMAC-SHA256` of Tencent Cloud.
    TencentV3,
    /// `HMAC-SHA256` of Volcengine.
    VolcengineV4,
    /// `SharedKey` of Azure Storage.
    AzureStorage,
    /// The master key of Azure Cosmos DB.
    AzureCosmos,
    /// A shared access signature of Azure Service Bus and Event Hubs.
    AzureMessaging,
    /// A JSON Web Token under HMAC-SHA256, with the claims of `token`.
    JwtHs256,
    /// A JSON Web Token under RSA and SHA-256, with the claims of `token`.
    JwtRs256,
    /// The token by which Snowflake takes a key pair; `{named.account}` and `{named.user}` say whose.
    SnowflakeJwt,
}

impl Signing {
    /// Whether it makes a token, which a header carries as `{token}`.
    pub fn makes_a_token(self) -> bool {
        matches!(self, Self::JwtHs256 | Self::JwtRs256 | Self::SnowflakeJwt)
    }

    /// Whether the claims of the token stand in the detector.
    pub fn wants_claims(self) -> bool {
        matches!(self, Self::JwtHs256 | Self::JwtRs256)
    }

    /// Whether the signature names a public half that the detector must point at.
    pub fn wants_a_signer(self) -> bool {
        matches!(
            self,
            Self::AlibabaV3 | Self::TencentV3 | Self::VolcengineV4 | Self::AzureStorage | Self::AzureMessaging
        )
    }
}

/// What an answer lists of a credential that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proof {
    /// A certificate, as a value of an object in PEM, with the public half of the private RSA key that the secret is.
    RsaPublicKey,
}

/// An answer whose body decides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The status of the answer.
    pub status: u16,
    /// Text that its body contains, without regard to spaces.
    pub contains: String,
    /// What it means then.
    pub state: State,
}

/// What an answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// It works.
    Live,
    /// It works within limits.
    Limited,
    /// It does not work.
    Dead,
    /// Nothing is known.
    Unknown,
}

/// How to end a credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Revoke {
    /// The request that ends it, where it can be made here.
    pub call: Option<RevokeCall>,
    /// The request that ends it in words, where it cannot be made here.
    pub request: Option<String>,
    /// The page where a person ends it.
    pub console: Option<String>,
    /// What a person does, in words, where there is neither.
    pub steps: Option<String>,
}

impl Revoke {
    /// Says in words which request ends it.
    pub fn request_in_words(&self) -> Option<String> {
        let made = |call: &RevokeCall| {
            let host = call.host.as_deref().unwrap_or("{host}");
            let admin = call.texts().any(|text| text.contains("{admin}"));
            let whose = if admin { "with an administrator's credential" } else { "with the value itself" };
            format!("{} https://{host}{} {whose}", call.method, call.path)
        };
        self.call.as_ref().map(made).or_else(|| self.request.clone())
    }
}

/// A request that ends a credential. Its parts are `{secret}`, the value itself, or `{admin}`, the credential of somebody
/// who may end it; `{record_id}`, the provider's id of it; and others that a person gives by their names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RevokeCall {
    /// `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// The host; without one, a person must name it with `--endpoint`.
    pub host: Option<String>,
    /// The path and query, without `{secret}` and `{admin}`.
    pub path: String,
    /// Headers.
    #[serde(default)]
    pub headers: std::collections::BTreeMap<String, String>,
    /// What `{basic}` in a header stands for before it is written in base64.
    pub basic: Option<String>,
    /// The body.
    pub body: Option<String>,
    /// Statuses that mean that it is done.
    pub done: Vec<u16>,
    /// Text that the body must contain as well, without regard to spaces.
    pub contains: Option<String>,
    /// What else it does, or that it can be taken back.
    pub effect: Option<String>,
}

impl RevokeCall {
    /// Returns every text that may hold parts.
    pub fn texts(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.path).chain(self.headers.values()).chain(&self.basic).chain(&self.body)
    }
}

/// Which list of the provider names a credential, and by which hint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Inventory {
    /// The list, as a request or an export.
    pub source: String,
    /// The fields of it that a value can be recognised by.
    pub hints: Vec<String>,
}

/// A detector with its provider's facts filled in: what the rest of the program sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the fields are those of Entry and ProviderFile")]
pub struct Detector {
    pub id: String,
    pub name: String,
    pub provider: String,
    pub provider_name: String,
    pub ai: bool,
    pub context_words: Vec<String>,
    pub kind: Kind,
    pub shapes: Vec<String>,
    pub pattern: Option<String>,
    pub anchors: Vec<String>,
    pub keywords: Vec<String>,
    pub distance: Option<u32>,
    pub reach: Option<u32>,
    pub shared: bool,
    pub confidence: Confidence,
    pub checksum: Option<Checksum>,
    pub claims: std::collections::BTreeMap<String, String>,
    pub companions: Vec<Companion>,
    pub environment: Vec<String>,
    pub privilege: Privilege,
    pub publishable: bool,
    pub offline: Vec<String>,
    pub verify: Option<Verify>,
    pub revoke: Option<Revoke>,
    pub rotate: Option<String>,
    pub inventory: Option<Inventory>,
    pub references: Vec<String>,
    pub examples: Vec<String>,
    pub counter_examples: Vec<String>,
}

impl Detector {
    /// How bad a leak of it is.
    pub fn severity(&self) -> Severity {
        self.privilege.into()
    }
}

/// Parses one file into its detectors, each with the line where it begins.
///
/// # Errors
/// Text that is no TOML of this schema, or an id, slug, keyword or host that is not well formed.
pub fn parse(file: &SourceFile) -> Result<Vec<(Detector, Option<usize>)>, DetectorError> {
    let line_of = |offset: usize| file.text.get(..offset).map(|head| head.matches('\n').count() + 1);
    let fault = |line, reason| DetectorError { file: file.path.clone(), line, reason };
    let parsed: ProviderFile = toml::from_str(&file.text).map_err(|error| {
        fault(error.span().and_then(|span| line_of(span.start)), error.message().replace('\n', " "))
    })?;
    check_slug(&parsed.provider).map_err(|reason| fault(Some(1), reason))?;
    if parsed.detector.is_empty() {
        return Err(fault(None, "declares no [[detector]]; a provider without credentials needs no file".into()));
    }
    let mut detectors = Vec::new();
    for spanned in &parsed.detector {
        let line = line_of(spanned.span().start);
        let entry = spanned.get_ref();
        check_entry(entry).map_err(|reason| fault(line, format!("{}: {reason}", entry.id)))?;
        detectors.push((joined(&parsed, entry.clone()), line));
    }
    Ok(detectors)
}

fn joined(file: &ProviderFile, entry: Entry) -> Detector {
    Detector {
        id: entry.id,
        name: entry.name,
        provider: file.provider.clone(),
        provider_name: file.name.clone(),
        ai: file.ai,
        context_words: file.names.iter().chain(&file.hosts).map(|word| word.to_ascii_lowercase()).collect(),
        kind: entry.kind,
        shapes: entry.shapes,
        pattern: entry.pattern,
        anchors: entry.anchors,
        keywords: entry.keywords,
        distance: entry.distance,
        reach: entry.reach,
        shared: entry.shared,
        confidence: entry.confidence.unwrap_or(Confidence::High),
        checksum: entry.checksum,
        claims: entry.claims,
        companions: entry.companions,
        environment: entry.environment,
        privilege: entry.privilege,
        publishable: entry.publishable,
        offline: entry.offline,
        verify: entry.verify,
        revoke: entry.revoke,
        rotate: entry.rotate,
        inventory: entry.inventory,
        references: entry.references,
        examples: entry.examples,
        counter_examples: entry.counter_examples,
    }
}
