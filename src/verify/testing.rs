//! What the tests of this folder share: detectors from a line of TOML, credentials and answers.

use crate::credential::{FoundCompanion, FoundCredential, Surroundings};
use crate::detector::compile::SourceFile;
use crate::detector::compile::schema::{self, Detector};
use crate::secret::Secret;

use super::exchange::Answer;

/// A moment that all tests stand at: 2026-06-01.
pub(crate) const NOW: &str = "2026-06-01T00:00:00Z";

/// Returns the moment that all tests stand at.
pub(crate) fn now() -> jiff::Timestamp {
    NOW.parse().expect("a moment")
}

/// Parses a detector `acme-key` of a provider `acme` from the lines behind `[detector.verify]`.
pub(crate) fn detector(verify: &str) -> Detector {
    parsed(verify).expect("a detector")
}

/// Parses the same, which may be refused; the reason is returned then.
pub(crate) fn parsed(verify: &str) -> Result<Detector, String> {
    let text = format!(
        "provider = \"acme\"\nname = \"Acme\"\n[[detector]]\nid = \"acme-key\"\nname = \"key\"\nkind = \"api-key\"\n\
         shapes = [\"acme_{{40:alnum}}\"]\nprivilege = \"use\"\n\
         companions = [{{ detector = \"acme-id\", within = 64 }}, {{ detector = \"aws-access-key-id\", within = 64 }}]\n\
         [detector.verify]\n{verify}"
    );
    let file = SourceFile { path: "acme.toml".into(), text };
    schema::parse(&file).map(|mut found| found.remove(0).0).map_err(|error| error.reason)
}

/// What a plain detector says behind its host.
pub(crate) const PLAIN: &str = "hosts = [\"api.acme.example\"]\nmethod = \"GET\"\npath = \"/v1/me\"\n\
    headers = { authorization = \"Bearer {secret}\" }\nlive = [200]\nlimited = [429]\ndead = [401]\n";

/// A secret of the plain detector, made of pieces.
pub(crate) fn secret() -> Secret {
    Secret::new(["acme_", "Ab3dEfGh1jKlMn0pQrSt", "Uv2xYzaBcDeFgHiJkLmN"].concat().as_bytes())
}

/// A credential with companions and hosts near it.
pub(crate) fn found(companions: &[(&str, &str)], hosts: &[&str]) -> FoundCredential {
    let companions = companions.iter().map(|(detector, value)| FoundCompanion {
        detector: (*detector).to_owned(),
        secret: Secret::new(value.as_bytes()),
        distance: 8,
    });
    let surroundings =
        Surroundings { hosts: hosts.iter().map(|host| (*host).to_owned()).collect(), ..Surroundings::default() };
    FoundCredential { secret: secret(), companions: companions.collect(), surroundings }
}

/// An answer of JSON.
pub(crate) fn answer(status: u16, body: &str) -> Answer {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Answer { status, headers, body: body.as_bytes().to_vec(), cut: false }
}
