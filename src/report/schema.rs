//! The JSON schema of a report's lines, for `credtrace generate schema`; a copy is kept under `docs/`.
//!
//! Written by hand beside the types of [`crate::finding`] and held to them by tests: nothing may be written that it does not
//! name, and every field of it is written by some finding.

use serde_json::{Map, Value, json};

/// The name of what `credtrace verify` prints as JSON.
pub const VERIFICATION_SCHEMA: &str = "credtrace/verification/1";
/// Where the schema is kept in the repository.
pub const PATH: &str = "docs/report.schema.json";

/// Returns the schema as text, as it stands under `docs/`.
pub fn text() -> String {
    format!("{:#}\n", document())
}

/// Returns the schema of one line of JSONL: a finding or a summary. `#/$defs/document` is the JSON form, and `#/$defs/answer`
/// what `credtrace verify --format json` prints.
pub fn document() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "credtrace report",
        "description": "One line of `--format jsonl`: a finding, or the summary, which is the last line. `#/$defs` has the JSON form of a report (document), and what `diff` and `baseline show` write.",
        "oneOf": [{"$ref": "#/$defs/finding"}, {"$ref": "#/$defs/summary"}],
        "$defs": {
            "document": object(&["findings", "summary"], json!({
                "findings": {"type": "array", "items": {"$ref": "#/$defs/finding"}},
                "summary": {"$ref": "#/$defs/summary"},
            })),
            "finding": finding(),
            "occurrence": occurrence(),
            "verification": verification(),
            "answer": answer(),
            "identity": identity(),
            "person": texts(&["id", "name", "email", "status"]),
            "summary": summary(),
            "baseline": baseline(),
            "change": change(),
            "diff_summary": diff_summary(),
            "diff": object(&["changes", "summary"], json!({
                "changes": {"type": "array", "items": {"$ref": "#/$defs/change"}},
                "summary": {"$ref": "#/$defs/diff_summary"},
            })),
        },
    })
}

fn finding() -> Value {
    object(
        &[
            "schema",
            "fingerprint",
            "detector",
            "provider",
            "provider_candidates",
            "kind",
            "ai",
            "confidence",
            "severity",
            "redacted",
            "decoded",
            "occurrences",
            "verification",
            "identity",
            "identity_findings",
        ],
        json!({
            "schema": {"const": crate::finding::FINDING_SCHEMA},
            "fingerprint": fingerprint(),
            "detector": {"type": "string"},
            "provider": {"type": ["string", "null"]},
            "provider_candidates": list(&json!({"type": "string"})),
            "kind": {"enum": [
                "api-key", "admin-key", "access-key-id", "secret-key", "personal-token", "service-account-key",
                "oauth-access", "oauth-refresh", "client-secret", "session", "webhook", "signing-secret", "private-key",
                "connection-uri", "password", "jwt", "publishable",
            ]},
            "ai": {"type": "boolean"},
            "confidence": {"enum": ["low", "medium", "high"]},
            "severity": {"enum": ["low", "medium", "high", "critical"]},
            "redacted": {"type": "string"},
            "secret": {"type": "string", "description": "Only with --show-secrets."},
            "decoded": list(&json!({"type": "string"})),
            "companions": list(&object(&["detector", "fingerprint"], json!({
                "detector": {"type": "string"}, "fingerprint": fingerprint(),
            }))),
            "first_seen": time(),
            "last_seen": time(),
            "occurrences": list(&json!({"$ref": "#/$defs/occurrence"})),
            "verification": {"$ref": "#/$defs/verification"},
            "identity": {"$ref": "#/$defs/identity"},
            "identity_findings": list(&json!({"type": "string"})),
        }),
    )
}

fn occurrence() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    object(
        &["source", "target", "path", "line", "column", "start", "end"],
        json!({
            "source": {"enum": ["git", "index", "file", "stdin", "archive", "ticket", "log", "transcript"]},
            "target": {"type": "string", "description": "As it was given."},
            "path": {"type": "string"},
            "path_bytes_b64": {"type": "string", "description": "The path's bytes, where it is not UTF-8."},
            "line": {"type": "integer", "minimum": 1},
            "column": {"type": "integer", "minimum": 1, "description": "In bytes."},
            "start": {"type": "integer", "minimum": 0, "description": "A byte offset in the original bytes."},
            "end": count,
            "blob": {"type": "string"},
            "commit": {"type": "string", "description": "The commit that introduced it."},
            "author": {"type": "string"},
            "date": time(),
            "in_head": {"type": "boolean"},
            "versions": count,
            "context": texts(&["ticket", "by", "at"]),
        }),
    )
}

/// What `credtrace verify` says of one credential.
fn answer() -> Value {
    object(
        &["schema", "detector", "provider", "fingerprint", "redacted", "verification"],
        json!({
            "schema": {"const": VERIFICATION_SCHEMA},
            "detector": {"type": "string"},
            "provider": {"type": "string"},
            "fingerprint": fingerprint(),
            "redacted": {"type": "string"},
            "verification": {"$ref": "#/$defs/verification"},
        }),
    )
}

fn verification() -> Value {
    object(
        &["state"],
        json!({
            "state": {"enum": ["live", "limited", "dead", "unknown", "canary", "refused", "not-checked"]},
            "reason": {"type": "string"},
            "checked_at": time(),
            "account": {"type": "object", "additionalProperties": {"type": "string"}},
        }),
    )
}

fn identity() -> Value {
    let score = json!({"type": "number", "minimum": 0, "maximum": 1});
    let text = json!({"type": "string"});
    let person = json!({"$ref": "#/$defs/person"});
    object(
        &["status"],
        json!({
            "status": {"enum": ["linked", "tie", "account", "suggested", "shadow", "not-covered", "no-inventory"]},
            "tier": {"enum": ["exact", "public-id", "hint-unique", "hint-tie", "account", "context"]},
            "score": score,
            "why": text,
            "id": text,
            "name": text,
            "owner": person,
            "backup_owner": text,
            "team": text,
            "environment": text,
            "ai_system": text,
            "credential": texts(&["record_id", "type", "status", "created", "last_used"]),
            "candidates": list(&object(&["score"], json!({
                "record_id": text, "id": text, "name": text, "owner": person, "score": score,
            }))),
            "as_of": time(),
        }),
    )
}

fn summary() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    let counts = json!({"type": "object", "additionalProperties": count});
    object(
        &[
            "schema",
            "complete",
            "findings",
            "blobs_scanned",
            "bytes_scanned",
            "skipped",
            "suppressed",
            "errors",
            "warnings",
            "detectors",
            "engine",
            "fingerprint_key",
            "seconds",
        ],
        json!({
            "schema": {"const": crate::finding::SUMMARY_SCHEMA},
            "complete": {"type": "boolean", "description": "Whether all that was asked was done."},
            "findings": count,
            "blobs_scanned": count,
            "bytes_scanned": count,
            "skipped": counts,
            "suppressed": counts,
            "errors": list(&json!({"type": "string"})),
            "warnings": list(&json!({"type": "string"})),
            "detectors": count,
            "engine": {"type": "string"},
            "fingerprint_key": {"type": "string"},
            "seconds": {"type": "number", "minimum": 0},
        }),
    )
}

/// What `baseline show --format json` writes.
fn baseline() -> Value {
    let text = json!({"type": "string"});
    let entry = object(
        &["fingerprint", "reason", "added_by", "added", "expired"],
        json!({
            "fingerprint": fingerprint(),
            "detector": text,
            "redacted": text,
            "reason": text,
            "added_by": text,
            "added": {"type": "string", "description": "A day."},
            "expires": {"type": "string", "description": "The last day on which it hides."},
            "expired": {"type": "boolean"},
        }),
    );
    let schema = json!({"const": crate::baseline::SCHEMA});
    object(&["schema", "credentials"], json!({"schema": schema, "credentials": list(&entry)}))
}

/// One line of `diff --format jsonl`.
fn change() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    object(
        &["schema", "change", "new_places", "gone_places", "finding"],
        json!({
            "schema": {"const": super::diff::CHANGE_SCHEMA},
            "change": {"enum": ["new", "gone", "still-there"]},
            "new_places": count,
            "gone_places": count,
            "finding": {"$ref": "#/$defs/finding"},
        }),
    )
}

/// The last line of `diff --format jsonl`.
fn diff_summary() -> Value {
    let count = json!({"type": "integer", "minimum": 0});
    object(
        &["schema", "complete", "new", "gone", "still_there", "errors", "warnings", "fingerprint_key"],
        json!({
            "schema": {"const": super::diff::SUMMARY_SCHEMA},
            "complete": {"type": "boolean", "description": "Whether both reports are complete."},
            "new": count,
            "gone": count,
            "still_there": count,
            "errors": list(&json!({"type": "string"})),
            "warnings": list(&json!({"type": "string"})),
            "fingerprint_key": {"type": "string"},
        }),
    )
}

fn fingerprint() -> Value {
    json!({"type": "string", "pattern": "^b3k1:k1-[0-9a-f]{8}:[0-9a-f]{32}$",
        "description": "Keyed: equal for equal secrets under one key, useless without it."})
}

fn object(required: &[&str], properties: Value) -> Value {
    json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
}

/// An object of texts, each of which may be missing.
fn texts(names: &[&str]) -> Value {
    let properties: Map<String, Value> =
        names.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
    object(&[], Value::Object(properties))
}

fn list(items: &Value) -> Value {
    json!({"type": "array", "items": items})
}

fn time() -> Value {
    json!({"type": "string", "description": "A time in RFC 3339."})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::finding::{
        Candidate, CompanionNote, Context, CredentialRecord, Finding, Identity, IdentityStatus, LinkTier, Liveness,
        Person, Verification,
    };
    use crate::report::Format;
    use crate::report::tests::{finding, report, written};

    /// A finding in which every field is filled.
    fn full() -> Finding {
        let text = || Some("text".to_owned());
        let person = Person { id: text(), name: text(), email: text(), status: text() };
        let mut full = finding();
        full.secret = text();
        full.last_seen = text();
        full.companions = vec![CompanionNote { detector: "text".into(), fingerprint: full.fingerprint.clone() }];
        full.verification = Verification {
            state: Liveness::Live,
            reason: text(),
            checked_at: text(),
            account: BTreeMap::from([("organisation".into(), "text".into())]),
        };
        full.identity = Identity {
            status: IdentityStatus::Linked,
            tier: Some(LinkTier::HintUnique),
            score: Some(0.97),
            why: text(),
            id: text(),
            name: text(),
            owner: Some(person.clone()),
            backup_owner: text(),
            team: text(),
            environment: text(),
            ai_system: text(),
            credential: Some(CredentialRecord {
                record_id: text(),
                sort: text(),
                status: text(),
                created: text(),
                last_used: text(),
            }),
            candidates: vec![Candidate {
                record_id: text(),
                id: text(),
                name: text(),
                owner: Some(person),
                score: 0.5,
            }],
            as_of: text(),
        };
        full.occurrences[0].path_bytes_b64 = text();
        full.occurrences[0].context = Some(Context { ticket: text(), by: text(), at: text() });
        full
    }

    #[test]
    fn every_line_is_valid_and_every_field_is_named() {
        let schema = document();
        let validator = jsonschema::validator_for(&schema).expect("a valid schema");
        let text = String::from_utf8(written(&report(vec![finding(), full()]), Format::Jsonl)).expect("UTF-8");
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).expect("JSON");
            assert!(validator.is_valid(&line), "{line:#}");
        }
        let mut strange: Value = serde_json::from_str(text.lines().next().expect("a line")).expect("JSON");
        strange["unknown"] = Value::Null;
        assert!(!validator.is_valid(&strange));
    }

    #[test]
    fn every_named_field_is_written() {
        let written = serde_json::to_value(full()).expect("JSON");
        let schema = document();
        let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
        let named = |name: &str| keys(&schema["$defs"][name]["properties"]);
        assert_eq!(keys(&written), named("finding"));
        assert_eq!(keys(&written["occurrences"][0]), named("occurrence"));
        assert_eq!(keys(&written["verification"]), named("verification"));
        assert_eq!(keys(&written["identity"]), named("identity"));
        assert_eq!(keys(&serde_json::to_value(report(vec![]).summary).expect("JSON")), named("summary"));
    }

    #[test]
    fn the_copy_in_the_repository_is_fresh() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(PATH);
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            std::fs::write(&path, text()).expect("written");
        }
        let kept = std::fs::read_to_string(&path).expect("docs/report.schema.json");
        assert_eq!(kept, text(), "run `UPDATE_GENERATED=1 cargo test --lib schema`");
    }
}
