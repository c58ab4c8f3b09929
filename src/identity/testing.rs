//! Made-up findings for the tests of this folder.

use std::sync::OnceLock;

use crate::detector::Registry;
use crate::finding::{
    Confidence, FINDING_SCHEMA, Finding, Identity, Kind, Occurrence, Severity, SourceKind, Verification,
};
use crate::secret::{FingerprintKey, Secret};

/// The built-in detectors, decoded once.
pub(crate) fn registry() -> &'static Registry {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    REGISTRY.get_or_init(Registry::built_in)
}

/// The key of tests.
pub(crate) fn key() -> FingerprintKey {
    FingerprintKey::from_hex(&"5f".repeat(32)).expect("a key")
}

/// A finding of a secret, in one file.
pub(crate) fn finding(detector: &str, provider: &str, secret: &[u8]) -> Finding {
    let head = registry().get(detector).map_or(0, |detector| {
        let shapes = detector.shapes.iter().filter_map(|shape| shape.find('{'));
        shapes.min().unwrap_or(0)
    });
    Finding {
        schema: FINDING_SCHEMA.into(),
        fingerprint: key().write(&key().fingerprint(secret)),
        detector: detector.into(),
        provider: Some(provider.into()),
        provider_candidates: Vec::new(),
        kind: Kind::ApiKey,
        ai: true,
        confidence: Confidence::High,
        severity: Severity::High,
        redacted: Secret::new(secret).redacted(head),
        secret: None,
        decoded: Vec::new(),
        companions: Vec::new(),
        first_seen: None,
        last_seen: None,
        occurrences: vec![place("src/a.py")],
        verification: Verification::default(),
        identity: Identity::default(),
        identity_findings: Vec::new(),
    }
}

/// A place in a file.
pub(crate) fn place(path: &str) -> Occurrence {
    Occurrence {
        source: SourceKind::File,
        target: ".".into(),
        path: path.into(),
        path_bytes_b64: None,
        line: 1,
        column: 1,
        start: 0,
        end: 1,
        blob: None,
        commit: None,
        author: None,
        date: None,
        in_head: None,
        versions: None,
        context: None,
        excerpt: String::new(),
    }
}
