//! Whose is it? The answer to a fingerprint, a redacted form, an id, an address or a value: the identity, the people who
//! answer for it, what the link rests on, and every rival where several fit.
//!
//! A value comes only as what the link made of it: this module never sees a secret.

use serde::Serialize;

use super::card::{IdentityCard, PersonCard};
use super::facts;
use super::reader::{Reader, Role};
use super::standing;
use crate::error::Result;
use crate::finding::{Finding, Identity, IdentityStatus, LinkTier, Occurrence};
use crate::identity::remembered;
use crate::inventory::model::CredentialRecord;
use crate::inventory::records;

/// How many characters of a redacted form must be seen before anything is looked up by it.
const LEAST_SHOWN: usize = 3;
/// How many rivals an answer lists.
const MOST_RIVALS: usize = 25;

/// What was asked about, as it was recognised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    /// A keyed fingerprint.
    Fingerprint(String),
    /// A digest that a provider publishes, or a join key in its written form.
    Key(String),
    /// A redacted form: what is shown before and after the gap.
    Hint {
        /// Before the gap.
        head: String,
        /// After the gap.
        tail: String,
    },
    /// A SPIFFE id.
    Spiffe(String),
    /// An address.
    Email(String),
    /// Anything else that may be an id or a name.
    Id(String),
}

impl Asked {
    /// Recognises what a person typed.
    pub fn parse(text: &str) -> Self {
        let text = text.trim();
        let own = || text.to_owned();
        if text.starts_with("b3k1:") || text.starts_with("hs256:") {
            return Self::Fingerprint(own());
        }
        if text.starts_with("spiffe://") {
            return Self::Spiffe(own());
        }
        if let Some((head, tail)) = redacted_form(text) {
            return Self::Hint { head, tail };
        }
        if is_address(text) {
            return Self::Email(own());
        }
        let digests = ["gh-sha256:", "hmsl:", "spki-sha256:", "ssh-sha256:", "x509-sha1:", "x509-sha256:"];
        if digests.iter().any(|prefix| text.starts_with(prefix)) {
            return Self::Key(own());
        }
        Self::Id(own())
    }
}

/// Parts a redacted form at its gap: two or more full stops, an ellipsis, or asterisks.
pub fn redacted_form(text: &str) -> Option<(String, String)> {
    let is_gap = |character: char| matches!(character, '…' | '*' | '•');
    let (start, end) = match text.find("..") {
        Some(start) => (start, start + text[start..].bytes().take_while(|byte| *byte == b'.').count()),
        None => {
            let start = text.find(is_gap)?;
            let gap: usize = text[start..].chars().take_while(|character| is_gap(*character)).map(char::len_utf8).sum();
            (start, start + gap)
        }
    };
    let (head, tail) = (&text[..start], &text[end..]);
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_graphic()) && !part.contains(['*', '…']);
    (plain(head) && plain(tail)).then(|| (head.to_owned(), tail.to_owned()))
}

/// Whether a text may be a secret that no detector knows: long, without blanks, and of mixed characters as random values
/// are. Ids may look so too, which is why this is asked only of what the inventory does not know.
pub fn may_be_secret(text: &str) -> bool {
    let random = |byte: u8| byte.is_ascii_alphanumeric() || b"_-+/=.~".contains(&byte);
    let is_form = text.starts_with("b3k1:") || text.starts_with("hs256:") || is_address(text);
    if text.len() < 20 || is_form || !text.bytes().all(random) {
        return false;
    }
    let has = |fits: fn(&u8) -> bool| text.as_bytes().iter().any(fits);
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_digit);
    let is_hexadecimal = text.len() >= 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_mixed || is_hexadecimal
}

fn is_address(text: &str) -> bool {
    text.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && host.contains('.') && !text.contains([' ', '/', ':']) && !host.contains('@')
    })
}

/// How an answer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// One identity, or one person, is named.
    Answered,
    /// Several fit, so none is named.
    Tie,
    /// Only the account, or a suggestion.
    Open,
    /// Nothing fits.
    Unknown,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Answer {
    /// What was asked about, in words and redacted.
    pub asked: String,
    /// How the answer stands.
    pub standing: Standing,
    /// What the link rests on: tier, score, reason and rivals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<Identity>,
    /// The identities that fit: one where one is named, all where several tie.
    pub identities: Vec<IdentityCard>,
    /// The credential records that fit.
    pub credentials: Vec<CredentialRecord>,
    /// The person, where a person was asked about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonAnswer>,
    /// Where it was found, as scans remember it.
    pub found: Vec<Found>,
    /// What else the reader should know.
    pub notes: Vec<String>,
}

/// A person and what they answer for.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PersonAnswer {
    /// The person.
    pub person: PersonCard,
    /// The identities for which they have a role.
    pub identities: Vec<PersonIdentity>,
}

/// An identity for which a person has a role.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PersonIdentity {
    /// Which.
    pub identity: IdentityCard,
    /// As what.
    pub roles: Vec<Role>,
}

/// A finding that scans remember.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Found {
    /// Its fingerprint.
    pub fingerprint: String,
    /// Its detector.
    pub detector: String,
    /// Its redacted form.
    pub redacted: String,
    /// Whether it works, in one word.
    pub state: crate::finding::Liveness,
    /// Where.
    pub occurrences: Vec<Occurrence>,
}

impl From<&Finding> for Found {
    fn from(finding: &Finding) -> Self {
        Self {
            fingerprint: finding.fingerprint.clone(),
            detector: finding.detector.clone(),
            redacted: finding.redacted.clone(),
            state: finding.verification.state,
            occurrences: finding.occurrences.clone(),
        }
    }
}

impl Answer {
    fn empty(asked: String) -> Self {
        Self {
            asked,
            standing: Standing::Unknown,
            link: None,
            identities: Vec::new(),
            credentials: Vec::new(),
            person: None,
            found: Vec::new(),
            notes: Vec::new(),
        }
    }
}

/// Answers a question that holds no secret.
///
/// # Errors
/// A store that cannot be read, or a redacted form that shows too little.
pub fn who(reader: &Reader<'_>, asked: &Asked) -> Result<Answer> {
    match asked {
        Asked::Fingerprint(text) => by_fingerprint(reader, text),
        Asked::Key(text) => {
            let records = reader.credentials_by_key(text)?;
            let why = "the provider's own digest of the value is that of the record";
            of_records(reader, format!("digest {text}"), records, Some(LinkTier::Exact), why)
        }
        Asked::Hint { head, tail } => by_hint(reader, head, tail),
        Asked::Spiffe(text) => by_external_id(reader, text, "SPIFFE id"),
        Asked::Email(text) => by_name(reader, text, "address"),
        Asked::Id(text) => by_id(reader, text),
    }
}

/// Answers for a value that was linked: `what` names it in words and redacted.
///
/// # Errors
/// A store that cannot be read.
pub fn of_link(reader: &Reader<'_>, what: String, link: Identity, fingerprint: &str) -> Result<Answer> {
    let mut answer = Answer::empty(what);
    answer.found = reader.findings_by_prefix(fingerprint)?.iter().map(Found::from).collect();
    take_link(reader, &mut answer, link)?;
    Ok(answer)
}

fn by_fingerprint(reader: &Reader<'_>, text: &str) -> Result<Answer> {
    let records = reader.credentials_by_key(text)?;
    let found = reader.findings_by_prefix(text)?;
    let asked = format!("fingerprint {text}");
    if let [finding] = &found[..] {
        let link = standing::link_of(reader, finding)?;
        if records.is_empty() || link.status == IdentityStatus::Linked {
            return of_link(reader, asked, link, &finding.fingerprint);
        }
    }
    let why = "the fingerprint of the value is that of the record";
    let mut answer = of_records(reader, asked, records, Some(LinkTier::Exact), why)?;
    if found.len() > 1 {
        answer.notes.push(format!("{} remembered findings begin so; name more of the fingerprint", found.len()));
    }
    answer.found = found.iter().map(Found::from).collect();
    if answer.standing == Standing::Unknown && answer.found.is_empty() {
        answer.notes.push(
            "no record has this fingerprint and no scan remembers it; a fingerprint of another key is never found: \
             compare its key id with that of this home"
                .into(),
        );
    }
    Ok(answer)
}

fn by_hint(reader: &Reader<'_>, head: &str, tail: &str) -> Result<Answer> {
    if head.len() + tail.len() < LEAST_SHOWN {
        return Err(crate::Error::Usage(format!(
            "a redacted form must show at least {LEAST_SHOWN} characters; paste it as the list or the report shows it"
        )));
    }
    let asked = format!("redacted form {head}…{tail}");
    let fits = |finding: &Finding| {
        redacted_form(&finding.redacted).is_some_and(|(front, back)| {
            (front.starts_with(head) || head.starts_with(&front)) && (back.ends_with(tail) || tail.ends_with(&back))
        })
    };
    let found: Vec<Finding> = remembered::all(reader.store())?.into_iter().filter(fits).take(MOST_RIVALS).collect();
    let records = reader.credentials_by_hint(head, tail)?;
    if let ([finding], []) = (&found[..], &records[..]) {
        return of_link(reader, asked, standing::link_of(reader, finding)?, &finding.fingerprint);
    }
    let why = "the provider's list shows the same redacted form";
    let mut answer = of_records(reader, asked, records, Some(LinkTier::HintUnique), why)?;
    if answer.standing == Standing::Answered {
        answer.notes.push(
            "a redacted form is not the value: confirm with the value on standard input (credtrace who -) before acting"
                .into(),
        );
    }
    answer.found = found.iter().map(Found::from).collect();
    Ok(answer)
}

fn by_external_id(reader: &Reader<'_>, text: &str, what: &str) -> Result<Answer> {
    let mut answer = Answer::empty(format!("{what} {text}"));
    for identity in reader.identities_by_external_id(text)? {
        answer.identities.push(IdentityCard::of(reader, identity)?);
    }
    answer.standing = standing_of(answer.identities.len());
    Ok(answer)
}

/// An address may be a person, and it may be the name of a service account.
fn by_name(reader: &Reader<'_>, text: &str, what: &str) -> Result<Answer> {
    let mut answer = by_external_id(reader, text, what)?;
    if let Some(person) = records::person(reader.store(), text)? {
        let mut identities = Vec::new();
        for (identity, roles) in reader.identities_of_person(&person)? {
            identities.push(PersonIdentity { identity: IdentityCard::of(reader, identity)?, roles });
        }
        answer.person = Some(PersonAnswer { person: PersonCard::from(&person), identities });
        answer.standing = Standing::Answered;
    }
    Ok(answer)
}

fn by_id(reader: &Reader<'_>, text: &str) -> Result<Answer> {
    if let Some(identity) = records::identity(reader.store(), text)? {
        let mut answer = Answer::empty(format!("identity {text}"));
        answer.identities.push(IdentityCard::of(reader, identity)?);
        answer.standing = Standing::Answered;
        return Ok(answer);
    }
    let mut records: Vec<CredentialRecord> = records::credential(reader.store(), text)?.into_iter().collect();
    if records.is_empty() {
        records = reader.credentials_by_key(text)?;
    }
    if records.is_empty() {
        records = reader.credentials_by_record_id(text)?;
    }
    if !records.is_empty() {
        return of_records(reader, format!("id {text}"), records, None, "the id is that of the record");
    }
    let found = if text.len() >= 6 { reader.findings_by_prefix(text)? } else { Vec::new() };
    if let [finding] = &found[..] {
        let link = standing::link_of(reader, finding)?;
        return of_link(reader, format!("fingerprint {}", finding.fingerprint), link, &finding.fingerprint);
    }
    let answer = by_name(reader, text, "id")?;
    if answer.standing != Standing::Unknown {
        return Ok(answer);
    }
    by_its_name(reader, text, answer)
}

/// The name of an identity or AI system, in any case.
fn by_its_name(reader: &Reader<'_>, text: &str, mut answer: Answer) -> Result<Answer> {
    let is = |name: &Option<String>| name.as_ref().is_some_and(|name| name.eq_ignore_ascii_case(text));
    let named = |identity: &crate::inventory::model::IdentityRecord| is(&identity.name) || is(&identity.ai_system);
    for identity in reader.identities()?.into_iter().filter(named).take(MOST_RIVALS) {
        answer.identities.push(IdentityCard::of(reader, identity)?);
    }
    answer.standing = standing_of(answer.identities.len());
    if answer.standing == Standing::Unknown {
        let note = "nothing in the inventory is called so; `credtrace inventory coverage` says of what it has a list, and \
                    that a list lacks something says nothing where there is no list";
        answer.notes.push(note.into());
        if let Some(account) = facts::aws_account(text) {
            answer.notes.push(format!("the id itself names its account: AWS {account}"));
        }
    }
    Ok(answer)
}

fn standing_of(identities: usize) -> Standing {
    match identities {
        0 => Standing::Unknown,
        1 => Standing::Answered,
        _ => Standing::Tie,
    }
}

/// Takes a link over: its identity where it names one, all of its candidates where it does not.
fn take_link(reader: &Reader<'_>, answer: &mut Answer, link: Identity) -> Result<()> {
    answer.standing = match link.status {
        IdentityStatus::Linked => Standing::Answered,
        IdentityStatus::Tie => Standing::Tie,
        IdentityStatus::Account | IdentityStatus::Suggested => Standing::Open,
        IdentityStatus::Shadow | IdentityStatus::NotCovered | IdentityStatus::NoInventory => Standing::Unknown,
    };
    let named = link.id.iter().chain(link.candidates.iter().filter_map(|candidate| candidate.id.as_ref()));
    let mut ids: Vec<String> = named.cloned().collect();
    ids.dedup();
    if answer.standing == Standing::Answered {
        ids.truncate(1);
    }
    for id in ids.into_iter().take(MOST_RIVALS) {
        match records::identity(reader.store(), &id)? {
            Some(identity) => answer.identities.push(IdentityCard::of(reader, identity)?),
            None => answer.notes.push(format!("the inventory no longer has the identity {id}")),
        }
    }
    if let Some(record) = link.credential.as_ref().and_then(|record| record.record_id.as_deref()) {
        answer.credentials = reader.credentials_by_record_id(record)?;
        answer.credentials.retain(|record| link.id.is_none() || record.identity == link.id);
    }
    agree_on_owner(answer);
    answer.link = Some(link);
    Ok(())
}

/// `tier` is nothing where no value was compared, only a name.
fn of_records(
    reader: &Reader<'_>,
    asked: String,
    records: Vec<CredentialRecord>,
    tier: Option<LinkTier>,
    why: &str,
) -> Result<Answer> {
    let mut answer = Answer::empty(asked);
    let mut ids: Vec<&String> = records.iter().filter_map(|record| record.identity.as_ref()).collect();
    ids.sort();
    ids.dedup();
    for id in ids.into_iter().take(MOST_RIVALS) {
        if let Some(identity) = records::identity(reader.store(), id)? {
            answer.identities.push(IdentityCard::of(reader, identity)?);
        }
    }
    answer.standing = match (records.len(), answer.identities.len()) {
        (0, _) => return Ok(answer),
        (_, 1) => Standing::Answered,
        (1, 0) => Standing::Open,
        _ => Standing::Tie,
    };
    let mut link = Identity::new(match answer.standing {
        Standing::Tie => IdentityStatus::Tie,
        Standing::Open => IdentityStatus::Account,
        _ => IdentityStatus::Linked,
    });
    let is_tie = records.len() > 1 && tier == Some(LinkTier::HintUnique);
    link.tier = if is_tie { Some(LinkTier::HintTie) } else { tier };
    link.why = Some(match records.len() {
        1 => format!("{why} {}", records[0].id),
        several => format!("{why}, and so it is of {several} records"),
    });
    if let [card] = &answer.identities[..] {
        link.id = Some(card.identity.id.clone());
        link.name.clone_from(&card.identity.name);
    }
    if answer.standing == Standing::Open {
        answer.notes.push(format!("the record {} names no identity: give it one in the inventory", records[0].id));
    }
    answer.credentials = records;
    answer.credentials.truncate(MOST_RIVALS);
    agree_on_owner(&mut answer);
    answer.link = Some(link);
    Ok(answer)
}

/// Rivals that all have one owner leave the credential undecided, but not whom to call.
fn agree_on_owner(answer: &mut Answer) {
    let [first, rest @ ..] = &answer.identities[..] else { return };
    let owner = |card: &IdentityCard| card.owner.as_ref().map(|owner| owner.id.clone());
    if let Some(name) = owner(first)
        && !rest.is_empty()
        && rest.iter().all(|card| owner(card).as_ref() == Some(&name))
    {
        answer
            .notes
            .push(format!("all that fit have one owner, {name}: the credential is undecided, whom to call is not"));
    }
    if answer.standing == Standing::Tie && answer.identities.len() == MOST_RIVALS {
        answer.notes.push(format!("only the first {MOST_RIVALS} that fit are listed"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_is_recognised() {
        let hint = |head: &str, tail: &str| Asked::Hint { head: head.into(), tail: tail.into() };
        for (text, expected) in [
            ("b3k1:k1-00aa11bb:0f", Asked::Fingerprint("b3k1:k1-00aa11bb:0f".into())),
            (" spiffe://acme.example/bot ", Asked::Spiffe("spiffe://acme.example/bot".into())),
            ("ana@acme.example", Asked::Email("ana@acme.example".into())),
            ("sk-proj-EXa...9Zq", hint("sk-proj-EXa", "9Zq")),
            ("sk-ant-api03-…igAA", hint("sk-ant-api03-", "igAA")),
            ("***MQGQ", hint("", "MQGQ")),
            ("gh-sha256:00", Asked::Key("gh-sha256:00".into())),
            ("key_ex01", Asked::Id("key_ex01".into())),
            ("a..b..c", hint("a", "b..c")),
        ] {
            assert_eq!(Asked::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn random_values_may_be_secrets_and_names_may_not() {
        let random = ["Zx9", "Qw3", "Er7", "Ty1", "Ui5", "Op2", "As8"].concat();
        for text in [random.as_str(), &"0a1b".repeat(8)] {
            assert!(may_be_secret(text), "{text}");
        }
        for text in [
            "key_ex01",
            "nhi-support-bot-prod",
            "ana.ray@acme.example.with.a.long.name",
            "b3k1:k1-00aa11bb:0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "support bot in Production 24 7",
            "org-acme/proj_ex/service_accounts/support",
        ] {
            assert!(!may_be_secret(text), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_recognised_as_something(text in "\\PC*|[.*…a]*") {
            Asked::parse(&text);
            may_be_secret(&text);
        }
    }
}
