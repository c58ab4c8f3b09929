//! What a detector file must keep to beyond its types: well-formed ids, hosts and templates, and a request that can lead
//! nowhere but to the provider.

use std::collections::BTreeMap;

use super::rule;
use super::schema::{Entry, RevokeCall, Signing, Verify};
use super::template::{self, CLAIM, NAMED, NEAR, PART, Piece, RESERVED};

/// Endings under which anybody may have a host: none of them says whose it is.
const ANYBODYS: [&str; 14] = [
    ".amazonaws.com",
    ".cloudfront.net",
    ".azure.com",
    ".azurewebsites.net",
    ".windows.net",
    ".googleapis.com",
    ".run.app",
    ".appspot.com",
    ".herokuapp.com",
    ".vercel.app",
    ".netlify.app",
    ".workers.dev",
    ".pages.dev",
    ".github.io",
];

/// Returns whether a provider's or detector's id is well formed.
pub(super) fn check_slug(slug: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if slug.is_empty() || slug.len() > 48 || !slug.bytes().all(fits) {
        return Err(format!("{slug:?} is not 1 to 48 of a-z, 0-9 and -"));
    }
    Ok(())
}

/// Checks what the types cannot say.
pub(super) fn check_entry(entry: &Entry) -> Result<(), String> {
    check_slug(&entry.id)?;
    if entry.reach.is_some_and(|reach| reach > 4096) || entry.distance.is_some_and(|distance| distance > 4096) {
        return Err("reach and distance may be 4,096 bytes at the most".into());
    }
    entry.verify.as_ref().map_or(Ok(()), |verify| check_verify(entry, verify))?;
    let Some(revoke) = &entry.revoke else { return Ok(()) };
    if revoke.call.is_some() && revoke.request.is_some() {
        return Err("revoke.call makes revoke.request needless".into());
    }
    revoke.call.as_ref().map_or(Ok(()), check_revoke_call)
}

fn check_revoke_call(call: &RevokeCall) -> Result<(), String> {
    if !matches!(call.method.as_str(), "POST" | "PUT" | "PATCH" | "DELETE") {
        return Err(format!("revoke.call: the method {:?} changes nothing", call.method));
    }
    if let Some(host) = &call.host {
        check_host(host)?;
        if host.contains('{') {
            return Err("revoke.call: leave host out where a person must name it".into());
        }
    }
    check_path("revoke.call.path", &call.path)?;
    check_header_texts("revoke.call.headers", &call.headers)?;
    if template::parts(&call.path).any(|part| matches!(part, "secret" | "admin" | "basic")) {
        return Err("revoke.call.path must not hold a secret: paths end up in logs".into());
    }
    if call.headers.values().any(|value| value.contains("{basic}")) != call.basic.is_some() {
        return Err("revoke.call.basic and a header with {basic} belong together".into());
    }
    let has = |name: &str| call.texts().flat_map(|text| template::parts(text)).any(|part| part == name);
    if has("secret") == has("admin") {
        return Err("revoke.call takes either {secret} or {admin}: one of them comes on standard input".into());
    }
    if call.done.is_empty() || call.done.iter().any(|status| !(200..300).contains(status)) {
        return Err("revoke.call.done must be statuses from 200 to 299".into());
    }
    Ok(())
}

fn check_path(field: &str, path: &str) -> Result<(), String> {
    if !path.starts_with('/') || path.contains('#') || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("{field}: {path:?} is no path of a URL"));
    }
    Ok(())
}

fn check_verify(entry: &Entry, verify: &Verify) -> Result<(), String> {
    if verify.hosts.is_empty() && verify.host_suffixes.is_empty() && !verify.self_hosted {
        return Err("verify names no hosts; say self-hosted where only a person can name the server".into());
    }
    verify.hosts.iter().try_for_each(|host| check_host(host))?;
    verify.host_suffixes.iter().try_for_each(|suffix| check_suffix(suffix))?;
    if verify.method != "GET" && verify.method != "POST" {
        return Err(format!("verify.method: {:?} is neither GET nor POST", verify.method));
    }
    check_path("verify.path", &verify.path)?;
    check_path_parts(verify)?;
    check_form(verify)?;
    if verify.headers.values().any(|value| value.contains("{basic}")) != verify.basic.is_some() {
        return Err("verify.basic and a header with {basic} belong together".into());
    }
    check_header_texts("verify.headers", &verify.headers)?;
    check_parts(entry, verify)?;
    check_meanings(verify)
}

/// Checks that a path holds something of the secret only where the file says so.
fn check_path_parts(verify: &Verify) -> Result<(), String> {
    let mut parts = template::parts(&verify.path);
    if parts.any(|part| part == "basic") {
        return Err("verify.path must not hold {basic}".into());
    }
    let holds = template::parts(&verify.path).any(is_of_secret);
    match (holds, verify.secret_in_path) {
        (true, false) => {
            Err("verify.path must not hold the secret: paths end up in logs; where the provider takes it \
            nowhere else, say secret-in-path"
                .into())
        }
        (false, true) => Err("verify.secret-in-path: the path holds nothing of the secret".into()),
        (true, true) if verify.hosts.is_empty() => {
            Err("verify.secret-in-path needs hosts: such a request goes to the provider's own alone".into())
        }
        _ => Ok(()),
    }
}

/// Returns whether a part is the secret or a piece of it.
fn is_of_secret(part: &str) -> bool {
    part == "secret" || part.starts_with(PART)
}

/// Checks that the form of a secret names every piece that is used, and no other.
fn check_form(verify: &Verify) -> Result<(), String> {
    let texts = verify.hosts.iter().chain([&verify.path]).chain(verify.headers.values()).chain(&verify.basic);
    let texts = texts.chain(&verify.body);
    let used: Vec<&str> =
        texts.flat_map(|text| template::parts(text)).filter_map(|part| part.strip_prefix(PART)).collect();
    let Some(form) = &verify.form else {
        return used.first().map_or(Ok(()), |part| Err(format!("verify: {{part.{part}}} needs verify.form")));
    };
    let named = rule::group_names(form).map_err(|reason| format!("verify.form: {reason}"))?;
    if let Some(part) = used.iter().find(|part| !named.iter().any(|name| name == *part)) {
        return Err(format!("verify: {{part.{part}}} is no group of verify.form"));
    }
    if let Some(name) = named.iter().find(|name| !used.contains(&name.as_str())) {
        return Err(format!("verify.form: the group {name:?} is not used"));
    }
    Ok(())
}

/// Checks a host: a name of labels, of which one but the last two may be a part.
fn check_host(host: &str) -> Result<(), String> {
    let fault = |reason: &str| Err(format!("verify.hosts: {host:?} {reason}"));
    let labels: Vec<&str> = host.split('.').collect();
    // The names of a claim, a piece and a named value hold a dot.
    let joined =
        [CLAIM, PART, NAMED].iter().fold(host.to_owned(), |host, sort| host.replace(&format!("{{{sort}"), "{"));
    let labels = if joined.len() == host.len() { labels } else { joined.split('.').collect() };
    let is_part = |label: &&str| label.starts_with('{') && label.ends_with('}');
    let plain = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if labels.len() < 2 || !labels.iter().all(|label| is_part(label) || plain(label)) {
        return fault("must be a host name without scheme or path");
    }
    let parts = labels.iter().filter(|label| is_part(label)).count();
    if parts == 0 {
        return Ok(());
    }
    if parts > 1 || labels.iter().rev().take(2).any(is_part) {
        return fault("may have one part, with two labels behind it");
    }
    match template::parts(host).next() {
        Some(part) if part == "region" || [CLAIM, PART, NAMED].iter().any(|sort| part.starts_with(sort)) => Ok(()),
        _ => fault("may have {region}, {claim.NAME}, {part.NAME} or {named.NAME} as its part"),
    }
}

fn check_suffix(suffix: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'.';
    let labels = suffix.strip_prefix('.').map_or(0, |rest| rest.split('.').filter(|label| !label.is_empty()).count());
    if labels < 2 || suffix.contains("..") || suffix.ends_with('.') || !suffix.bytes().all(fits) {
        return Err(format!("verify.host-suffixes: {suffix:?} must be the end of a host name, from a dot on"));
    }
    if ANYBODYS.contains(&suffix) {
        return Err(format!("verify.host-suffixes: anybody may have a host under {suffix:?}; name more of it"));
    }
    Ok(())
}

fn check_header_texts(field: &str, headers: &BTreeMap<String, String>) -> Result<(), String> {
    for (name, value) in headers {
        let named = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
        if name.is_empty() || !name.bytes().all(named) || matches!(name.as_str(), "host" | "content-length") {
            return Err(format!("{field}: {name:?} is no lower-case name of a header that may be set"));
        }
        if !value.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            return Err(format!("{field}: the value of {name} holds what no header may"));
        }
    }
    Ok(())
}

/// Checks that every part is known: the secret, what is made of it, or a declared companion.
fn check_parts(entry: &Entry, verify: &Verify) -> Result<(), String> {
    let companion = |part: &str| entry.companions.iter().any(|companion| companion.detector == part);
    let near = |part: &str| {
        part.strip_prefix(NEAR).is_some_and(|name| verify.near.contains_key(name))
            || part.strip_prefix(NAMED).is_some_and(|name| verify.named.contains_key(name))
    };
    let known = |part: &str| {
        RESERVED.contains(&part)
            || companion(part)
            || near(part)
            || part.starts_with(PART)
            || part.strip_prefix(CLAIM).is_some_and(|claim| !claim.is_empty())
    };
    let templates = verify.headers.values().chain(&verify.basic).chain([&verify.path]);
    let templates = templates.chain(&verify.signer).chain(&verify.token).chain(&verify.hosts);
    for part in templates.flat_map(|text| template::parts(text)) {
        if !known(part) {
            return Err(format!(
                "verify: {{{part}}} is neither {{secret}} nor a declared companion nor in verify.near or verify.named"
            ));
        }
    }
    for piece in verify.body.as_deref().map(template::pieces).unwrap_or_default() {
        // A name with a dash is no word of GraphQL: it was meant as a companion.
        if let Piece::Part(part) = piece
            && part.contains('-')
            && !known(part)
        {
            return Err(format!("verify.body: {{{part}}} is no declared companion"));
        }
    }
    if let Some((name, _)) = verify.near.iter().find(|(_, glob)| glob.trim_matches(['*', '?']).len() < 3) {
        return Err(format!("verify.near: {name} fits nearly everything"));
    }
    let only_site = verify.hosts.len() <= 1;
    let in_headers = verify.headers.values().any(|value| template::parts(value).next().is_some());
    if verify.compare && !(only_site && in_headers && verify.body.is_none() && !verify.secret_in_path) {
        return Err("verify.compare: the credential must stand in a header alone, and there may be one host".into());
    }
    let signed = verify.sign == Some(Signing::AwsSigV4);
    if signed && !companion("aws-access-key-id") {
        return Err("verify.sign: aws-sig-v4 needs the companion aws-access-key-id".into());
    }
    check_names(verify)?;
    check_signing(verify)
}

/// Checks the names beside which public values stand: lower case with underscores, and none so common that anything fits.
fn check_names(verify: &Verify) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    for (part, names) in &verify.named {
        if names.is_empty() || names.iter().any(|name| name.len() < 2 || !name.bytes().all(fits)) {
            return Err(format!("verify.named: {part} must have names of two or more of a-z, 0-9 and _"));
        }
    }
    Ok(())
}

/// Checks that a signature has what it needs, and that what only a signature has stands nowhere else.
fn check_signing(verify: &Verify) -> Result<(), String> {
    let sign = verify.sign;
    if sign.is_some_and(Signing::wants_a_signer) != verify.signer.is_some() {
        return Err("verify.signer and a signature that names a public half belong together".into());
    }
    if sign.is_some_and(Signing::wants_claims) != verify.token.is_some() {
        return Err("verify.token and sign = \"jwt-hs256\" or \"jwt-rs256\" belong together".into());
    }
    let carried = verify.headers.values().any(|value| value.contains("{token}"));
    if sign.is_some_and(Signing::makes_a_token) != carried {
        return Err("a header with {token} and a signature that makes a token belong together".into());
    }
    if sign == Some(Signing::SnowflakeJwt) && !["account", "user"].iter().all(|name| verify.named.contains_key(*name)) {
        return Err("verify.sign: snowflake-jwt needs verify.named.account and verify.named.user".into());
    }
    if sign.is_some() && verify.headers.values().any(|value| value.contains("{secret}")) {
        return Err("verify.sign: what is signed with is not sent as well".into());
    }
    Ok(())
}

/// Checks that no status means two things and that something means that it works.
fn check_meanings(verify: &Verify) -> Result<(), String> {
    let lists = [&verify.live, &verify.limited, &verify.dead];
    for (index, list) in lists.iter().enumerate() {
        for status in list.iter() {
            if !(200..=599).contains(status) || (300..400).contains(status) {
                return Err(format!("verify: a status {status} can mean nothing"));
            }
            if lists[index + 1..].iter().any(|other| other.contains(status)) {
                return Err(format!("verify: the status {status} means two things"));
            }
        }
    }
    if verify.live.is_empty() && !verify.when.iter().any(|condition| condition.state == super::schema::State::Live) {
        return Err("verify: no answer means that it works".into());
    }
    if let Some(condition) = verify.when.iter().find(|condition| condition.contains.trim().is_empty()) {
        return Err(format!("verify.when: the condition for {} contains nothing", condition.status));
    }
    let pointer = |place: &String| {
        place.starts_with('/')
            || place.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    if let Some((fact, _)) = verify.account.iter().find(|(_, place)| !pointer(place)) {
        return Err(format!("verify.account: {fact} must be a JSON pointer or the lower-case name of a header"));
    }
    Ok(())
}
