//! The client's side of SCRAM (RFC 5802, RFC 7677), by which PostgreSQL and MongoDB let a password be proved without sending
//! it. Without channel binding.

use std::num::NonZeroU32;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::{digest, hmac, pbkdf2};

/// The most rounds that a server may ask for; more would be work for its own sake.
const MOST_ROUNDS: u32 = 600_000;

/// The hash that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    /// SHA-1, of old servers of MongoDB.
    Sha1,
    /// SHA-256.
    Sha256,
}

impl Hash {
    fn hmac(self, key: &[u8], text: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), text).as_ref().to_vec()
    }

    fn digest(self, text: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
        };
        digest::digest(algorithm, text).as_ref().to_vec()
    }

    fn salted(self, password: &[u8], salt: &[u8], rounds: NonZeroU32) -> Vec<u8> {
        let (algorithm, length) = match self {
            Self::Sha1 => (pbkdf2::PBKDF2_HMAC_SHA1, digest::SHA1_OUTPUT_LEN),
            Self::Sha256 => (pbkdf2::PBKDF2_HMAC_SHA256, digest::SHA256_OUTPUT_LEN),
        };
        let mut key = vec![0; length];
        pbkdf2::derive(algorithm, rounds, salt, password, &mut key);
        key
    }
}

/// A conversation whose first word is said.
pub(super) struct Scram {
    hash: Hash,
    nonce: String,
    first: String,
}

impl Scram {
    /// Begins one as a user; PostgreSQL leaves the name empty.
    pub(super) fn new(hash: Hash, user: &str) -> Option<Self> {
        let mut bytes = [0; 18];
        getrandom::fill(&mut bytes).ok()?;
        Some(Self::with_nonce(hash, user, &STANDARD.encode(bytes)))
    }

    fn with_nonce(hash: Hash, user: &str, nonce: &str) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Self { hash, nonce: nonce.to_owned(), first: format!("n={user},r={nonce}") }
    }

    /// Returns the first word.
    pub(super) fn first(&self) -> String {
        format!("n,,{}", self.first)
    }

    /// Answers the server's first word: the last one of ours, and the server's proof that it knows the password too.
    pub(super) fn last(&self, server: &str, password: &[u8]) -> Option<(String, String)> {
        let field = |name: &str| server.split(',').find_map(|field| field.strip_prefix(name));
        let nonce = field("r=").filter(|nonce| nonce.len() > self.nonce.len() && nonce.starts_with(&self.nonce))?;
        let salt = STANDARD.decode(field("s=")?).ok()?;
        let rounds = field("i=")?.parse().ok().filter(|rounds| (1..=MOST_ROUNDS).contains(rounds))?;
        let salted = self.hash.salted(password, &salt, NonZeroU32::new(rounds)?);
        let without_proof = format!("c=biws,r={nonce}");
        let text = format!("{},{server},{without_proof}", self.first);
        let key = self.hash.hmac(&salted, b"Client Key");
        let signature = self.hash.hmac(&self.hash.digest(&key), text.as_bytes());
        let proof: Vec<u8> = key.iter().zip(&signature).map(|(left, right)| left ^ right).collect();
        let expected = self.hash.hmac(&self.hash.hmac(&salted, b"Server Key"), text.as_bytes());
        Some((format!("{without_proof},p={}", STANDARD.encode(proof)), STANDARD.encode(expected)))
    }
}

/// Returns whether a server's last word holds the proof that was expected.
pub(super) fn proves(server: &str, expected: &str) -> bool {
    server.split(',').find_map(|field| field.strip_prefix("v=")) == Some(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfcs_are_spoken() {
        for (hash, nonce, server, proof, expected) in [
            (
                Hash::Sha256,
                "rOprNGfwEbeRWgbNEkqO",
                "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
                "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
                "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
            ),
            (
                Hash::Sha1,
                "fyko+d2lbbFgONRv9qkxdawL",
                "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
                "v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
                "rmF9pqV8S7suAoZWja4dJRkFsKQ=",
            ),
        ] {
            let scram = Scram::with_nonce(hash, "user", nonce);
            assert_eq!(scram.first(), format!("n,,n=user,r={nonce}"));
            let (last, server_proof) = scram.last(server, b"pencil").expect("an answer");
            assert_eq!(last.split(",p=").nth(1), Some(proof));
            assert_eq!(server_proof, expected);
            assert!(proves(&format!("v={expected}"), &server_proof) && !proves("v=AAAA", &server_proof));
            for bad in [
                "",
                "r=other,s=QSXCR+Q6sek8bf92,i=4096",
                &server.replace("4096", "0"),
                &server.replace("4096", "9999999"),
            ] {
                assert!(scram.last(bad, b"pencil").is_none(), "{bad}");
            }
        }
    }
}
