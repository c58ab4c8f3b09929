//! Pages, kinds, cut-off files and dates: what all lists have in common, shown on the simplest of them.

use super::super::{ImportOptions, Kind};
use super::samples::*;

/// A row of the list of project keys.
fn key(id: &str, more: &str) -> String {
    format!(r#"{{"object":"organization.project.api_key","id":"{id}","redacted_value":"sk-...{id}"{more}}}"#)
}

fn ids(text: &str) -> Vec<String> {
    let batches = import_with(Kind::OpenaiProjectKeys, text, &options()).expect("usable");
    batches.iter().flat_map(|batch| &batch.credentials).map(|credential| credential.id.replace("openai:", "")).collect()
}

#[test]
fn every_form_of_a_file_gives_the_same_rows() {
    let (one, two) = (key("k1", ""), key("k2", ""));
    for text in [
        format!("[{one},{two}]"),
        format!("{one}\n{two}\n"),
        format!("{one}{two}"),
        format!(r#"{{"object":"list","data":[{one},{two}],"has_more":false}}"#),
        format!(r#"{{"data":[{one}],"has_more":true}} {{"data":[{two}],"has_more":false}}"#),
        format!(r#"[{{"data":[{one}]}},{{"data":[{two}]}}]"#),
        format!("\u{feff}[{one},{two}]"),
        format!("[{one},{two},{one}]"),
    ] {
        assert_eq!(ids(&text), ["k1", "k2"], "{text}");
        let whole = import_with(Kind::OpenaiProjectKeys, &text, &options()).expect("usable");
        assert!(whole[0].coverage[0].complete, "{text}");
    }
    let utf16: Vec<u8> = format!("\u{feff}[{one}]").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let batches = super::super::parse(Kind::OpenaiProjectKeys, &utf16, &options()).expect("usable");
    assert_eq!(batches[0].credentials.len(), 1);
}

#[test]
fn each_project_of_a_wrapper_is_a_list_of_its_own() {
    let text = format!(
        r#"[{{"project":{{"id":"proj_a"}},"api_keys":{{"data":[{}],"has_more":true}}}},
            {{"api_keys":{{"data":[{}],"has_more":false}},"project":{{"id":"proj_b"}}}}]"#,
        key("k1", ""),
        key("k2", "")
    );
    let batches = import_with(Kind::OpenaiProjectKeys, &text, &options()).expect("usable");
    let sources: Vec<&str> = batches.iter().map(|batch| batch.source.as_str()).collect();
    // One of the two goes on elsewhere, and so neither replaces what is known.
    assert_eq!(sources, ["openai-project-keys/proj_a#export.json", "openai-project-keys/proj_b#export.json"]);
    assert_eq!(batches[0].coverage[0].account, "proj_a");
    assert!(batches.iter().all(|batch| !batch.coverage[0].complete));
}

#[test]
fn a_list_that_goes_on_elsewhere_is_not_complete() {
    for more in [
        r#""has_more":true"#,
        r#""next_page":"abc""#,
        r#""nextPageToken":"abc""#,
        r#""@odata.nextLink":"https://x""#,
        r#""IsTruncated":true,"Marker":"x""#,
        r#""metadata":{"continue":"abc"}"#,
        r#""meta":{"page":1,"totalPages":2}"#,
    ] {
        for text in
            [format!(r#"{{"data":[{}],{more}}}"#, key("k1", "")), format!(r#"{{{more},"data":[{}]}}"#, key("k1", ""))]
        {
            let batches = import_with(Kind::OpenaiProjectKeys, &text, &options()).expect("usable");
            assert!(!batches[0].coverage[0].complete, "{text}");
            assert!(
                batches[0].remarks.iter().any(|remark| remark.place == "list" && remark.text.contains("more pages"))
            );
            assert_eq!(batches[0].rejected, []);
        }
    }
    for end in
        [r#""has_more":false"#, r#""next_page":null"#, r#""nextPageToken":"""#, r#""meta":{"page":2,"totalPages":2}"#]
    {
        let text = format!(r#"{{"data":[{}],{end}}}"#, key("k1", ""));
        assert!(
            import_with(Kind::OpenaiProjectKeys, &text, &options()).expect("usable")[0].coverage[0].complete,
            "{text}"
        );
    }
}

#[test]
fn a_part_of_a_list_stands_beside_other_parts() {
    let options = ImportOptions { partial: true, account: Some("org-acme".into()), ..options() };
    let batches = import_with(Kind::OpenaiProjectKeys, &key("k1", ""), &options).expect("usable");
    assert_eq!(batches[0].source, "openai-project-keys/org-acme#export.json");
    assert!(!batches[0].coverage[0].complete);
}

#[test]
fn a_broken_row_costs_itself_and_the_completeness_alone() {
    let text = format!("[{},{},3,{}]", key("k1", ""), r#"{"redacted_value":"sk-...x","id":"k2",}"#, key("k3", ""));
    let batches = import_with(Kind::OpenaiProjectKeys, &text, &options()).expect("usable");
    assert_eq!(batches[0].credentials.len(), 2);
    let places: Vec<&str> = batches[0].rejected.iter().map(|rejected| rejected.place.as_str()).collect();
    assert_eq!(places, ["row 2", "row 3"]);
    assert!(!batches[0].coverage[0].complete);
}

#[test]
fn of_two_rows_with_one_id_the_later_counts() {
    let text = format!("[{},{}]", key("k1", r#","name":"old""#), key("k1", r#","name":"new""#));
    let batches = import_with(Kind::OpenaiProjectKeys, &text, &options()).expect("usable");
    assert_eq!(batches[0].credentials.len(), 1);
    assert_eq!(batches[0].credentials[0].name.as_deref(), Some("new"));
    assert!(
        batches[0].remarks.iter().any(|remark| remark.place == "row 2" && remark.text.contains("later row counts"))
    );
}

#[test]
fn absurd_dates_are_left_out_and_the_row_stays() {
    for (written, expected) in [
        ("-2", None),
        ("99999999999999999", None),
        (r#""0001-01-01T00:00:00Z""#, None),
        ("1746000000", Some("2025-04-30T08:00:00Z")),
    ] {
        let text = key("k1", &format!(r#","created_at":{written}"#));
        let batches = import_with(Kind::OpenaiProjectKeys, &text, &options()).expect("usable");
        assert_eq!(batches[0].credentials[0].issued.as_deref(), expected, "{written}");
        let remarked = batches[0].remarks.iter().any(|remark| remark.text.contains("created_at is no time"));
        assert_eq!(remarked, expected.is_none(), "{written}");
        assert!(batches[0].rejected.is_empty() && batches[0].coverage[0].complete);
    }
}

#[test]
fn a_file_of_another_kind_is_refused_by_name() {
    for kind in Kind::ALL {
        for other in Kind::ALL.iter().filter(|other| *other != kind) {
            let message = refusal(*other, &sample(*kind));
            assert!(
                message.contains(&format!("--from {kind}")) && message.starts_with("export.json: "),
                "{kind} under {other}: {message}"
            );
        }
    }
}

#[test]
fn what_holds_no_row_says_what_it_is() {
    for (text, expected) in [
        ("", "is empty"),
        (" \n", "is empty"),
        ("[]", "an empty list"),
        (r#"{"data":[],"has_more":false}"#, "an empty list"),
        ("<html><body>", "web page"),
        ("a,b,c\n1,2,3\n", "looks like CSV"),
        ("hello", "no JSON"),
        ("\u{1f}\u{8b}", "no JSON"),
        (r#"{"error":{"message":"Incorrect API key provided"}}"#, "request that failed"),
        (r#"[{"foo":1}]"#, "row 1: has not the fields of openai-project-keys"),
        (r#"{"data":[{"#, "data[1]: the file is cut off"),
    ] {
        let message = refusal(Kind::OpenaiProjectKeys, text);
        assert!(message.contains(expected), "{text}: {message}");
    }
    let compressed = super::super::parse(Kind::AwsCloudtrail, &[0x1f, 0x8b, 8, 0], &options()).expect_err("compressed");
    assert!(compressed.to_string().contains("gunzip"));
}

#[test]
fn a_row_that_holds_the_credential_itself_is_told_and_the_value_is_not_kept() {
    let secret = ["sk-", "proj-", &"abcdefghij".repeat(8)].concat();
    let text = key("k1", &format!(r#","value":"{secret}","name":"n""#)).replace("sk-...k1", &secret);
    let batches = import_with(Kind::OpenaiProjectKeys, &text, &options()).expect("usable");
    assert_eq!(batches[0].credentials[0].join.hint, None);
    assert!(batches[0].remarks.iter().any(|remark| remark.text.contains("value holds the credential itself")));
    let all = format!("{batches:?}");
    assert!(!all.contains(&secret[8..17]), "{all}");
}

#[test]
fn a_time_that_is_none_is_refused_and_a_given_one_counts() {
    let with = |as_of: &str| ImportOptions { as_of: Some(as_of.into()), ..options() };
    let batches = import_with(Kind::OpenaiProjectKeys, &key("k1", ""), &with("2026-11-20")).expect("usable");
    assert_eq!((batches[0].as_of.as_str(), batches[0].coverage[0].as_of.as_str()), ("2026-11-20", "2026-11-20"));
    for as_of in ["yesterday", "9999-12-31", ""] {
        assert!(import_with(Kind::OpenaiProjectKeys, &key("k1", ""), &with(as_of)).is_err(), "{as_of}");
    }
}

#[test]
fn kinds_are_asked_for_by_name() {
    for kind in Kind::ALL {
        assert_eq!(kind.name().parse::<Kind>().ok(), Some(*kind));
    }
    let message = "sk-secret".parse::<Kind>().expect_err("no kind").to_string();
    assert!(message.contains("gitlab-tokens") && !message.contains("sk-secret"), "{message}");
}

#[test]
fn every_type_that_a_list_covers_is_a_detector() {
    let registry = crate::detector::registry::Registry::built_in();
    for kind in Kind::ALL {
        for sort in kind.sorts() {
            let detector = registry.get(sort).unwrap_or_else(|| panic!("{kind}: {sort}"));
            assert_eq!(detector.provider, kind.provider(), "{sort}");
        }
    }
}
