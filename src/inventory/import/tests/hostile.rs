//! Every importer on hostile files: none panics, hangs or makes more of a file than it holds, and none makes an empty
//! inventory of it in silence.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::{Kind, LONGEST_ROW, MOST_RECORDS, parse};
use super::samples::*;

/// Imports, and demands a record, an event or an error.
fn try_out(kind: Kind, bytes: &[u8]) -> bool {
    match parse(kind, bytes, &options()) {
        Err(error) => {
            assert!(error.to_string().starts_with("export.json: "), "{error}");
            false
        }
        Ok(batches) => {
            let records = |batch: &crate::inventory::batch::Batch| {
                batch.people.len() + batch.identities.len() + batch.credentials.len() + batch.observations.len()
            };
            assert!(!batches.is_empty() && batches.iter().all(|batch| records(batch) > 0), "{kind}: an empty batch");
            true
        }
    }
}

#[test]
fn a_cut_at_any_place_keeps_whole_rows_and_is_never_complete() {
    for kind in Kind::ALL {
        let text = sample(*kind);
        let whole = parse(*kind, text.as_bytes(), &options()).expect("usable");
        let count = |batches: &[crate::inventory::batch::Batch]| -> usize {
            batches
                .iter()
                .map(|batch| {
                    batch.people.len() + batch.identities.len() + batch.credentials.len() + batch.observations.len()
                })
                .sum()
        };
        let end = text.trim_end().len();
        for cut in 0..end {
            let Some(part) = text.get(..cut) else { continue };
            let Ok(batches) = parse(*kind, part.as_bytes(), &options()) else { continue };
            assert!(count(&batches) <= count(&whole), "{kind} cut at {cut}");
            // A cut between two lines or documents, or within a table's last number, cannot be seen.
            let is_seen = batches[0]
                .rejected
                .iter()
                .any(|rejected| rejected.reason.contains("cut off") || rejected.reason.contains("columns"));
            let between = part.ends_with(['\n', '}']) || *kind == Kind::AwsCredentialReport;
            assert!(is_seen || between, "{kind} cut at {cut}: {part}");
            if is_seen {
                assert!(
                    batches.iter().all(|batch| batch.coverage.iter().all(|coverage| !coverage.complete)),
                    "{kind} cut at {cut}"
                );
            }
        }
    }
}

#[test]
fn nested_empty_and_wrong_files_are_errors() {
    let deep = [
        "[".repeat(60_000),
        "{\"data\":".repeat(30_000),
        format!("{}{}", "[".repeat(60_000), "]".repeat(60_000)),
        format!(r#"{{"data":[{{"id":"x","a":{}1{}}}]}}"#, "[".repeat(30_000), "]".repeat(30_000)),
        format!("{}{}", r#"{"data":{"data":"#.repeat(20_000), "}}".repeat(20_000)),
        "{\"".repeat(30_000),
        "\"".repeat(29_999),
        "\\".repeat(30_000),
        ",".repeat(30_000),
        "}]".repeat(30_000),
        "null ".repeat(30_000),
        "\u{0}".repeat(30_000),
        "{}".repeat(30_000),
        "[{},[],null,true,-1e999]".into(),
        format!("{}{}", REPORT_HEADER, "\"".repeat(30_001)),
        format!("{}{}", REPORT_HEADER, ",".repeat(30_000)),
        REPORT_HEADER.into(),
        r#"{"Content":"","ReportFormat":"text/csv"}"#.into(),
        r#"{"Content":"%%%"}"#.into(),
    ];
    for kind in Kind::ALL {
        for text in &deep {
            let started = Instant::now();
            assert!(!try_out(*kind, text.as_bytes()), "{kind}: {}", text.get(..60).unwrap_or(text));
            assert!(started.elapsed() < Duration::from_secs(20), "{kind}: {}", text.get(..60).unwrap_or(text));
        }
        for bytes in [&[0xff, 0xfe, 0x00, 0xd8][..], &[0xef, 0xbb, 0xbf], &[0xff; 1000], b"PK\x03\x04"] {
            assert!(!try_out(*kind, bytes), "{kind}");
        }
    }
}

#[test]
fn fields_of_wrong_types_cost_at_most_their_row() {
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::AwsCredentialReport) {
        let text = sample(*kind);
        let mut fields: Vec<&str> =
            text.split('"').skip(1).step_by(2).filter(|name| text.contains(&format!("\"{name}\":"))).collect();
        fields.sort_unstable();
        fields.dedup();
        for field in fields {
            for value in [
                "null",
                "-1",
                "[]",
                "{}",
                "true",
                "\"\"",
                "1e400",
                "[[\"x\"]]",
                "\"\\u0000\\u001b[2J\"",
                "99999999999999999999999",
            ] {
                // The old value becomes that of a field that nobody knows.
                let changed = text.replace(&format!("\"{field}\":"), &format!("\"{field}\":{value},\"zz\":"));
                try_out(*kind, changed.as_bytes());
            }
        }
    }
}

#[test]
fn a_huge_row_is_refused_and_the_others_stay() {
    let huge = format!(r#"{{"id":"key_huge","redacted_value":"sk-...abcd","name":"{}"}}"#, "x".repeat(LONGEST_ROW));
    let text = format!(r#"[{huge},{{"id":"key_ok","redacted_value":"sk-...abcd"}}]"#);
    let batches = parse(Kind::OpenaiProjectKeys, text.as_bytes(), &options()).expect("usable");
    assert_eq!((batches[0].credentials.len(), batches[0].rejected[0].place.as_str()), (1, "row 1"));
    assert!(batches[0].rejected[0].reason.contains("longer than"));
}

#[test]
fn a_huge_file_is_told_to_be_split_and_its_refusals_are_counted() {
    let mut rows = String::from("[");
    for number in 0..=MOST_RECORDS / 2 {
        rows.push_str(&format!(r#"{{"id":"k{number}","redacted_value":"sk-...abcd"}},"#));
    }
    let message = refusal(Kind::OpenaiProjectKeys, &rows);
    assert!(message.contains("split it"), "{message}");

    let text = format!(r#"[{{"id":"k1","redacted_value":"sk-...abcd"}}{}]"#, ",0".repeat(1_000_000));
    let batches = parse(Kind::OpenaiProjectKeys, text.as_bytes(), &options()).expect("usable");
    let rejected = &batches[0].rejected;
    assert_eq!((rejected.len(), rejected[1000].reason.as_str()), (1001, "999000 more rows were refused"));
}

#[test]
fn no_message_repeats_what_the_file_holds() {
    let marker = "MARKERVALUE";
    for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::AwsCredentialReport) {
        let text = sample(*kind);
        for value in
            [format!("\"{marker} \u{7}\""), format!("[\"{marker}\"]"), format!("{{\"{marker}\":\"{marker}\"}}")]
        {
            let mut changed = text.clone();
            for field in [
                "id",
                "AccessKeyId",
                "name",
                "credential_id",
                "token_id",
                "appId",
                "uid",
                "hashed_token",
                "created_at",
                "expires_at",
                "CreateDate",
                "hint",
                "hmsl_hash",
                "redacted_value",
                "partial_key_hint",
                "displaySecretKey",
                "eventTime",
                "@timestamp",
                "keyId",
            ] {
                changed = changed.replace(&format!("\"{field}\":"), &format!("\"{field}\":{value},\"zz\":"));
            }
            let told = match parse(*kind, changed.as_bytes(), &options()) {
                Err(error) => error.to_string(),
                Ok(batches) => batches.iter().map(|batch| format!("{:?}{:?}", batch.rejected, batch.remarks)).collect(),
            };
            assert!(!told.contains(marker), "{kind}: {told}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_bytes_panic(kind in proptest::sample::select(Kind::ALL), bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        try_out(kind, &bytes);
    }

    #[test]
    fn no_changed_sample_panics(
        kind in proptest::sample::select(Kind::ALL),
        under in proptest::sample::select(Kind::ALL),
        same in any::<bool>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), 0..6_usize, any::<u8>()), 1..12),
    ) {
        let mut bytes = sample(kind).into_bytes();
        for (place, length, byte) in changes {
            let at = place.index(bytes.len());
            let byte = if byte < 128 { b"{}[]\",:0-9\\"[usize::from(byte) % 11] } else { byte };
            let end = (at + length).min(bytes.len());
            bytes.splice(at..end, [byte]);
        }
        try_out(if same { kind } else { under }, &bytes);
    }
}
