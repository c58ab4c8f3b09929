//! Tests of what answers mean, and of what is told of them.

use super::*;
use crate::detector::compile::Detector;
use crate::verify::exchange::Endpoint;
use crate::verify::testing::{PLAIN, answer, detector, secret};

fn judged(detector: &Detector, answer: &Answer) -> Verification {
    let mut request = Request::new(Endpoint::of_host("api.acme.example"), "GET", "/v1/me");
    request.held.push(secret());
    judge(detector, detector.verify.as_ref().expect("verify"), &request, answer)
}

fn state(detector: &Detector, answer: &Answer) -> Liveness {
    judged(detector, answer).state
}

fn with(lines: &str) -> Detector {
    detector(&format!("{PLAIN}{lines}"))
}

#[test]
fn only_documented_statuses_decide() {
    let plain = detector(PLAIN);
    for (status, expected) in [(200, Liveness::Live), (429, Liveness::Limited), (401, Liveness::Dead)] {
        let verdict = judged(&plain, &answer(status, "{}"));
        assert_eq!(verdict.state, expected);
        assert_eq!(verdict.reason.as_deref(), Some(format!("api.acme.example answered {status}").as_str()));
    }
    for status in [100, 201, 204, 301, 302, 307, 308, 400, 402, 403, 404, 407, 500, 502, 503] {
        let verdict = judged(&plain, &answer(status, "{}"));
        assert_eq!(verdict.state, Liveness::Unknown, "{status}");
        assert!(verdict.reason.expect("a reason").contains(&status.to_string()));
    }
}

#[test]
fn a_page_of_html_or_garbage_means_nothing() {
    let plain = with("html = [403]\n");
    let page = |status, body: &str, kind: &str| Answer {
        headers: vec![("content-type".into(), kind.into())],
        ..answer(status, body)
    };
    let html = "<!DOCTYPE html><html><body>Log in to the network</body></html>";
    assert_eq!(state(&plain, &page(200, html, "text/html; charset=utf-8")), Liveness::Unknown);
    assert_eq!(state(&plain, &page(200, html, "application/json")), Liveness::Unknown);
    assert_eq!(state(&plain, &page(200, "{}", "text/html")), Liveness::Unknown);
    assert_eq!(state(&plain, &page(429, html, "text/html")), Liveness::Unknown);
    // Servers answer 401 with a page of their own; it says as much as a bare 401.
    assert_eq!(state(&plain, &page(401, html, "text/html")), Liveness::Dead);
    for body in ["", "OK", "{", "{\"a\":", "\u{1}\u{2}", "[1,"] {
        assert_eq!(state(&plain, &answer(200, body)), Liveness::Unknown, "{body:?}");
    }
    assert_eq!(state(&plain, &answer(401, "")), Liveness::Dead);
    let forbidden = with("when = [{ status = 403, contains = \"gone\", state = \"dead\" }]\n");
    assert_eq!(state(&forbidden, &page(403, "<html>gone</html>", "text/html")), Liveness::Unknown);
    assert_eq!(state(&forbidden, &answer(403, "{\"error\":\"gone\"}")), Liveness::Dead);
    let known = with("html = [403]\nwhen = [{ status = 403, contains = \"gone\", state = \"dead\" }]\n");
    assert_eq!(state(&known, &page(403, "<html>gone</html>", "text/html")), Liveness::Dead);
}

#[test]
fn a_plain_answer_counts_where_the_detector_says_so() {
    let plain = with("plain = true\n");
    assert_eq!(state(&plain, &answer(200, "OK")), Liveness::Live);
    assert_eq!(state(&plain, &answer(200, "<html>")), Liveness::Unknown);
    let empty = detector(&PLAIN.replace("live = [200]", "live = [204]"));
    assert_eq!(state(&empty, &answer(204, "")), Liveness::Live);
}

#[test]
fn the_first_fitting_condition_decides_without_regard_to_spaces() {
    let when = with(
        "when = [{ status = 200, contains = '\"disabled\":true', state = \"dead\" },\n\
         { status = 200, contains = \"disabled\", state = \"limited\" },\n\
         { status = 401, contains = \"address\", state = \"limited\" },\n\
         { status = 404, contains = \"nobody\", state = \"unknown\" }]\n",
    );
    assert_eq!(state(&when, &answer(200, "{\"disabled\" :\n true}")), Liveness::Dead);
    assert_eq!(state(&when, &answer(200, "{\"disabled\":false}")), Liveness::Limited);
    assert_eq!(state(&when, &answer(200, "{}")), Liveness::Live);
    assert_eq!(state(&when, &answer(401, "{\"e\":\"address\"}")), Liveness::Limited);
    assert_eq!(state(&when, &answer(401, "{}")), Liveness::Dead);
    assert_eq!(state(&when, &answer(404, "nobody")), Liveness::Unknown);
    let reason = judged(&when, &answer(401, "{\"e\":\"address\"}")).reason.expect("a reason");
    assert_eq!(reason, "api.acme.example answered 401 with \"address\"");
}

#[test]
fn a_body_beyond_the_cap_decides_nothing_that_its_end_could_change() {
    let cut = |kind: &str, body: &str| Answer {
        cut: true,
        headers: vec![("content-type".into(), kind.into())],
        ..answer(200, body)
    };
    let plain = detector(PLAIN);
    assert_eq!(state(&plain, &cut("application/json", "{\"data\":[1,2")), Liveness::Live);
    assert_eq!(state(&plain, &cut("application/octet-stream", "{\"data\":[1,2")), Liveness::Unknown);
    assert_eq!(state(&plain, &cut("application/json", "\0\0\0")), Liveness::Unknown);
    let when = with("when = [{ status = 200, contains = \"disabled\", state = \"dead\" }]\n");
    assert_eq!(state(&when, &cut("application/json", "{\"data\":[1,2")), Liveness::Unknown);
    assert_eq!(state(&when, &cut("application/json", "{\"disabled\":1,")), Liveness::Dead);
}

#[test]
fn facts_come_from_the_named_places_alone() {
    let told = with(
        "[detector.verify.account]\nid = \"/user/id\"\nname = \"/name\"\nscopes = \"/scopes\"\nadmin = \"/admin\"\norganization = \"x-organization\"\nnone = \"/nothing\"\nobject = \"/user\"\n",
    );
    let body = r#"{"user":{"id":7,"password":"p"},"name":" Ann ","scopes":["a","b",{"c":1}],"admin":true}"#;
    let mut whole = answer(200, body);
    whole.headers.push(("x-organization".into(), "acme".into()));
    let account = judged(&told, &whole).account;
    let facts: Vec<(&str, &str)> = account.iter().map(|(name, fact)| (name.as_str(), fact.as_str())).collect();
    assert_eq!(facts, [("admin", "true"), ("id", "7"), ("name", "Ann"), ("organization", "acme"), ("scopes", "a, b")]);
    assert!(judged(&told, &answer(500, body)).account.is_empty());
    assert!(judged(&told, &answer(302, body)).account.is_empty());
}

fn named(fact: &str) -> Option<String> {
    let told = with("account = { name = \"/name\" }\n");
    let body = serde_json::json!({ "name": fact }).to_string();
    judged(&told, &answer(200, &body)).account.remove("name")
}

#[test]
fn facts_are_cut_and_cleaned() {
    assert_eq!(named("a\u{1b}[31mb\r\n\u{202e}c\u{200b}\u{7f}d").as_deref(), Some("a[31mbcd"));
    assert_eq!(named(&"x".repeat(5000)).map(|fact| fact.len()), Some(LONGEST_FACT));
    assert_eq!(named("\u{1}\u{2} "), None);
}

#[test]
fn a_fact_that_repeats_the_secret_in_any_spelling_is_left_out() {
    use base64::engine::general_purpose::URL_SAFE;
    let secret = secret();
    let text = String::from_utf8(secret.expose().to_vec()).expect("text");
    for spelling in [
        text.clone(),
        format!("key {text} is yours"),
        text[5..].to_owned(),
        text[10..19].to_owned(),
        STANDARD.encode(&text),
        STANDARD.encode(format!("x{text}")),
        URL_SAFE.encode(format!("me:{text}")),
        hex(text.as_bytes()),
        hex(text.as_bytes()).to_uppercase(),
        percent(text.as_bytes()),
    ] {
        assert_eq!(named(&spelling), None, "{spelling}");
    }
    // What providers show of a key is no more than eight characters of it.
    let shown = format!("acme_{}...{}", &text[5..9], &text[text.len() - 4..]);
    assert_eq!(named(&shown), Some(shown));
    assert_eq!(named("acme_").as_deref(), Some("acme_"));
}

#[test]
fn the_reason_never_repeats_the_body() {
    let body = format!("{{\"error\":\"{}\"}}", String::from_utf8_lossy(secret().expose()));
    for status in [200, 401, 429, 500] {
        let verdict = judged(&detector(PLAIN), &answer(status, &body));
        assert!(!format!("{verdict:?}").contains("Ab3dEfGh"), "{status}");
    }
}

proptest::proptest! {
    #[test]
    fn whatever_is_answered_is_judged_and_nothing_of_the_secret_told(
        status in 0_u16..700,
        body in proptest::collection::vec(proptest::num::u8::ANY, 0..200),
        cut: bool,
    ) {
        let told = with("account = { name = \"/name\", header = \"x-name\" }\n");
        let headers = vec![("x-name".to_owned(), String::from_utf8_lossy(&body).into_owned())];
        let verdict = judged(&told, &Answer { status, headers, body, cut });
        if ![200, 401, 429].contains(&status) {
            proptest::prop_assert_eq!(verdict.state, Liveness::Unknown);
        }
        proptest::prop_assert!(verdict.account.values().all(|fact| fact.chars().count() <= LONGEST_FACT));
    }
}
