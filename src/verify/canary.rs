//! Recognises credentials that were planted so that their use raises an alarm, before anybody is asked about them.
//!
//! Known are the AWS accounts that issue them to the public: an access key id holds its account's number, so that no
//! request is needed. Known as well are the hosts under which such a service waits for whoever uses an address or the
//! settings of a cluster. A planted key of any other account or host cannot be told from a real one.

use crate::credential::FoundCredential;
use crate::detector::compile::Detector;
use crate::finding::{Liveness, Verification};

/// The accounts of canarytokens.org, which gives planted keys to anyone: public since they stand in the names of the users
/// that such keys belong to. Each is named by at least two independent publications, among them
/// <https://trufflesecurity.com/blog/canaries>, Rhino Security's `iam__detect_honeytokens` module of Pacu, and the lists
/// of known AWS accounts.
const ACCOUNTS: [&str; 11] = [
    "052310077262",
    "171436882533",
    "266735846894",
    "534261010715",
    "595918472158",
    "717712589309",
    "729780141977",
    "730335385048",
    "819147034852",
    "893192397702",
    "992382622183",
];

/// The domains under which canarytokens.org waits: whoever resolves or calls a host there raises the alarm
/// (<https://docs.canarytokens.org/guide/dns-token.html>).
const DOMAINS: [&str; 2] = ["canarytokens.com", "canarytokens.org"];

/// What the beginnings of AWS's key ids are
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>).
const KEY_ID_HEADS: [&[u8]; 4] = [b"AKIA", b"ASIA", b"ABIA", b"ACCA"];

/// Returns the verdict on a credential that is known to be planted.
pub(crate) fn recognised(detector: &Detector, found: &FoundCredential) -> Option<Verification> {
    if detector.provider == "aws" { of_account(found) } else { of_host(detector, found) }
}

/// Returns the verdict on a credential for a server that its text names, where the one named nearest is such a host. What
/// has providers' hosts of its own is not for that server.
fn of_host(detector: &Detector, found: &FoundCredential) -> Option<Verification> {
    if detector.verify.as_ref().is_some_and(|verify| !verify.hosts.is_empty()) {
        return None;
    }
    let host = found.surroundings.hosts.first()?;
    let is_under =
        |domain: &&&str| host.strip_suffix(**domain).is_some_and(|name| name.is_empty() || name.ends_with('.'));
    let domain = DOMAINS.iter().find(is_under)?;
    let reason = format!(
        "the host named nearest to it is one of {domain}: it was planted so that its use alarms its owner; nobody was asked"
    );
    Some(Verification { reason: Some(reason), ..Verification::new(Liveness::Canary) })
}

/// Returns the verdict on a key of AWS whose account is one of those that plant keys.
fn of_account(found: &FoundCredential) -> Option<Verification> {
    let companions = found.companions.iter().map(|companion| companion.secret.expose());
    let ids = found.surroundings.ids.iter().map(String::as_bytes);
    let presigned = super::offline::presigned_key_id(found.secret.expose());
    let near = [found.secret.expose()].into_iter().chain(companions).chain(presigned.as_deref().map(str::as_bytes));
    // Of the ids that merely stand near, another key's may be one: they count where nothing nearer names the key.
    let account = near.filter_map(account_of).next().or_else(|| ids.filter_map(account_of).next())?;
    if !ACCOUNTS.contains(&account.as_str()) {
        return None;
    }
    let reason = format!(
        "its account {account} belongs to canarytokens.org: it was planted so that its use alarms its owner; nobody was asked"
    );
    let mut verdict = Verification { reason: Some(reason), ..Verification::new(Liveness::Canary) };
    verdict.account.insert("account".into(), account);
    Some(verdict)
}

/// Decodes the account's number from an AWS access key id, without asking anyone. Ids of the old form, whose fifth
/// character is I or J, do not hold it.
///
/// The 16 characters behind the head are base 32; the top 48 bits, without the first and the last seven, are the account
/// (<https://trufflesecurity.com/blog/research-uncovers-aws-account-numbers-hidden-in-access-keys>).
pub fn account_of(key_id: &[u8]) -> Option<String> {
    if key_id.len() != 20 || !KEY_ID_HEADS.contains(&&key_id[..4]) || matches!(key_id[4], b'I' | b'J') {
        return None;
    }
    // Ten digits hold 50 bits, the last two of which are not part of the number; the rest of the id must be base 32 too.
    let mut number = 0_u64;
    for (index, byte) in key_id[4..].iter().enumerate() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        if index < 10 {
            number = (number << 5) | u64::from(digit);
        }
    }
    let account = ((number >> 2) & 0x7fff_ffff_ff80) >> 7;
    Some(format!("{account:012}"))
}

#[cfg(test)]
mod tests;
