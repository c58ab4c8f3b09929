//! Made-up findings for the tests of this folder.

use std::sync::OnceLock;

use crate::detector::Registry;
use crate::finding::{Finding, Kind, Occurrence, Severity, SourceKind};
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
    let key = key();
    let fingerprint = key.write(&key.fingerprint(secret));
    Finding {
        detector: detector.into(),
        provider: Some(provider.into()),
        kind: Kind::ApiKey,
        ai: true,
        severity: Severity::High,
        occurrences: vec![place("src/a.py")],
        ..Finding::of(&registry().detectors()[0], fingerprint, Secret::new(secret).redacted(head))
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
