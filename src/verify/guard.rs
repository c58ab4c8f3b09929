//! The last look at a verdict before it leaves the process: what a provider said may repeat what was sent to it.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use crate::finding::Verification;
use crate::secret::{Secret, hex};

/// How many bytes of a secret in a row may be told; one more is a leak.
const MOST: usize = 8;
/// How long a fact of an account may be, in bytes.
const LONGEST: usize = 256;

/// Takes out of a verdict what repeats one of these secrets: as it is, in hexadecimal digits, base64 or percent signs. The
/// hosts that were asked are the detector's words, also where a secret is an address that begins with one.
pub(super) fn cleaned(mut verification: Verification, secrets: &[&Secret], hosts: &[&str]) -> Verification {
    let leaks = |text: &str| secrets.iter().any(|secret| repeats(text, secret.expose()));
    verification.account.retain(|name, value| value.len() <= LONGEST && !leaks(name) && !leaks(value));
    let without_hosts = |reason: &str| hosts.iter().fold(reason.to_owned(), |text, host| text.replace(host, " "));
    if verification.reason.as_deref().is_some_and(|reason| leaks(&without_hosts(reason))) {
        verification.reason = Some("the answer repeats the credential, so it is not told".into());
    }
    verification
}

/// Returns whether a text holds more than eight bytes of a secret in a row, in one of the forms.
fn repeats(text: &str, secret: &[u8]) -> bool {
    let unescaped = percent_decoded(text.as_bytes());
    let forms = [&unescaped[..], text.as_bytes()];
    forms.iter().any(|text| shares(text, secret, MOST + 1) || shares_encoded(text, secret))
}

fn shares_encoded(text: &[u8], secret: &[u8]) -> bool {
    let lower: Vec<u8> = text.iter().map(u8::to_ascii_lowercase).collect();
    if shares(&lower, hex(secret).as_bytes(), 2 * (MOST + 1)) {
        return true;
    }
    // What stands before a secret moves it against the groups of three bytes that base64 writes.
    (0..3).any(|lead| {
        let shifted = [&[0; 3][..lead], secret].concat();
        let standard = STANDARD_NO_PAD.encode(&shifted);
        let url_safe = URL_SAFE_NO_PAD.encode(&shifted);
        [standard, url_safe].iter().any(|form| shares(text, &form.as_bytes()[lead.min(form.len())..], 12))
    })
}

/// Returns whether two texts have a part of this length in common; the whole of `secret`, where that is shorter.
fn shares(text: &[u8], secret: &[u8], length: usize) -> bool {
    let length = length.min(secret.len());
    length > 3 && secret.windows(length).any(|part| memchr::memmem::find(text, part).is_some())
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        decoded.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { &after[2..] } else { after };
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Liveness;

    fn verdict(reason: &str, facts: &[(&str, &str)]) -> Verification {
        let account = facts.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Verification { reason: Some(reason.into()), account, ..Verification::new(Liveness::Live) }
    }

    #[test]
    fn every_form_of_a_secret_is_taken_out_and_the_rest_is_kept() {
        let value = "zq9/Xw+7Lm2_kTr5Vb8nYc3Hd6Jf1Gs4";
        let secret = Secret::new(value.as_bytes());
        let spaced: String = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let forms = [
            value.to_owned(),
            format!("key {} is not known", &value[5..14]),
            hex(value.as_bytes()),
            hex(value.as_bytes()).to_uppercase(),
            STANDARD_NO_PAD.encode(value),
            STANDARD_NO_PAD.encode(format!("api:{value}")),
            URL_SAFE_NO_PAD.encode(format!("x{value}")),
            value.replace('/', "%2F").replace('+', "%2b"),
            spaced,
        ];
        for form in &forms {
            let cleaned = cleaned(verdict(form, &[("org", form), (form, "x"), ("plan", "pro")]), &[&secret], &[]);
            assert!(!format!("{cleaned:?}").contains(form.as_str()), "{form}");
            assert_eq!(cleaned.account.keys().collect::<Vec<_>>(), ["plan"], "{form}");
        }
        let kept = cleaned(verdict("status 200", &[("org", "acme"), ("hint", &value[..8])]), &[&secret], &[]);
        assert_eq!(kept, verdict("status 200", &[("org", "acme"), ("hint", &value[..8])]));
    }

    #[test]
    fn the_host_that_was_asked_is_told_though_an_address_begins_with_it_and_nothing_else_of_the_address_is() {
        let secret = Secret::new(b"https://hooks.example.com/in/zq9Xw7Lm2kTr5Vb8");
        let of = |reason: &str| cleaned(verdict(reason, &[]), &[&secret], &["hooks.example.com"]).reason;
        let told = "hooks.example.com answered 404";
        assert_eq!(of(told).as_deref(), Some(told));
        assert!(!of("hooks.example.com/in/zq9Xw7Lm answered 404").expect("a reason").contains("zq9"));
    }

    #[test]
    fn a_fact_without_end_is_dropped() {
        let secret = Secret::new(b"zq9/Xw+7Lm2_kTr5");
        assert!(cleaned(verdict("x", &[("org", &"a".repeat(9999))]), &[&secret], &[]).account.is_empty());
    }
}
