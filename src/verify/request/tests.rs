//! Tests of how values are put into requests.

use super::*;
use crate::detector::compile::Detector;
use crate::verify::exchange::Endpoint;
use crate::verify::testing::{PLAIN, detector, found, now, secret};

const ID: &str = "acme-id";

fn made(detector: &Detector, companions: &[(&str, &str)]) -> Result<Request, Refusal> {
    let found = found(companions, &[]);
    made_of(detector, &found, Endpoint::of_host("api.acme.example"))
}

fn made_of(detector: &Detector, found: &FoundCredential, endpoint: Endpoint) -> Result<Request, Refusal> {
    let verify = detector.verify.as_ref().expect("verify");
    build(verify, &[ID], &Parts::new(found, verify, now()), endpoint)
}

fn with(lines: &str) -> Detector {
    detector(&format!("hosts = [\"api.acme.example\"]\nmethod = \"POST\"\nlive = [200]\ndead = [401]\n{lines}"))
}

fn header_of<'request>(request: &'request Request, name: &str) -> &'request [u8] {
    request.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.expose()).expect("the header")
}

#[test]
fn a_plain_request_carries_the_secret_where_the_detector_puts_it() {
    let request = made(&detector(PLAIN), &[]).expect("a request");
    assert_eq!((request.method.as_str(), request.path.expose()), ("GET", "/v1/me"));
    assert_eq!(request.endpoint, Endpoint::of_host("api.acme.example"));
    let expected = [b"Bearer ", secret().expose()].concat();
    assert_eq!(header_of(&request, "authorization"), expected);
    assert!(request.body.is_none());
    assert_eq!(request.held, [secret()]);
}

#[test]
fn basic_is_the_base64_of_both_halves() {
    let basic = with("path = \"/\"\nheaders = { authorization = \"Basic {basic}\" }\nbasic = \"{acme-id}:{secret}\"\n");
    let request = made(&basic, &[(ID, "me")]).expect("a request");
    let pair = [b"me:", secret().expose()].concat();
    assert_eq!(header_of(&request, "authorization"), format!("Basic {}", STANDARD.encode(pair)).as_bytes());
    assert_eq!(request.held.len(), 2);
}

#[test]
fn a_missing_companion_is_named_and_two_are_ambiguous() {
    let basic = with("path = \"/\"\nheaders = { x = \"{acme-id}\" }\n");
    let verdict = |companions: &[(&str, &str)]| Verification::from(made(&basic, companions).expect_err("a refusal"));
    let missing = verdict(&[("other-id", "me")]);
    assert_eq!(missing.state, Liveness::Unknown);
    assert!(missing.reason.expect("a reason").contains(ID));
    let both = verdict(&[(ID, "me"), (ID, "you")]);
    assert_eq!(both.state, Liveness::Refused);
    assert!(both.reason.expect("a reason").contains(ID));
    assert!(made(&basic, &[(ID, "me"), (ID, "me")]).is_ok());
}

#[test]
fn values_are_escaped_for_their_place() {
    let nasty = "a\"b&c=d/../\\e{secret}";
    let json = with(
        "path = \"/x/{acme-id}?q={acme-id}\"\nheaders = { content-type = \"application/json\" }\nbody = '{\"id\":\"{acme-id}\",\"q\":\"query{me{id}}\"}'\n",
    );
    let request = made(&json, &[(ID, nasty)]).expect("a request");
    let body: Value = serde_json::from_slice(request.body.as_ref().expect("a body").expose()).expect("JSON");
    assert_eq!(body["id"], nasty);
    assert_eq!(body["q"], "query{me{id}}");
    assert_eq!(body.as_object().map(serde_json::Map::len), Some(2));
    assert_eq!(request.path.expose().matches('/').count(), 2, "{:?}", request.path);
    assert_eq!(request.path.expose().matches('=').count(), 1, "{:?}", request.path);
    let form = with(
        "path = \"/\"\nheaders = { content-type = \"application/x-www-form-urlencoded\" }\nbody = \"token={acme-id}&x=1\"\n",
    );
    let request = made(&form, &[(ID, nasty)]).expect("a request");
    let body = request.body.as_ref().expect("a body").expose();
    assert_eq!(body.split(|byte| *byte == b'&').count(), 2);
    assert!(memchr::memmem::find(body, b"secret}").is_none());
}

#[test]
fn a_value_that_would_add_a_header_or_a_segment_is_refused() {
    let header = with("path = \"/\"\nheaders = { x-key = \"{acme-id}\" }\n");
    for bad in ["a\r\nhost: evil", "a\nb", "a\0", "\u{e9}", " a", "a ", "a\u{7f}"] {
        assert!(made(&header, &[(ID, bad)]).is_err(), "{bad:?}");
    }
    let path = with("path = \"/v1/{acme-id}/x\"\n");
    for bad in ["", ".", ".."] {
        assert!(made(&path, &[(ID, bad)]).is_err(), "{bad:?}");
    }
}

#[test]
fn claims_of_a_signed_token_fill_paths_and_hosts_but_only_as_one_label() {
    let claiming = |claims: &str| {
        let token = ["eyJhbGciOiJIUzI1NiJ9", &base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims), "c2ln"];
        FoundCredential::alone(Secret::new(token.join(".").as_bytes()))
    };
    let path = with("path = \"/v1/{claim.org}\"\n");
    let endpoint = || Endpoint::of_host("api.acme.example");
    let request = made_of(&path, &claiming(r#"{"org":"a/b"}"#), endpoint()).expect("a request");
    assert_eq!(request.path.expose(), "/v1/a%2Fb");
    assert_eq!(made_of(&path, &claiming(r#"{"org":7}"#), endpoint()).expect("a request").path.expose(), "/v1/7");
    assert!(made_of(&path, &claiming(r#"{"other":1}"#), endpoint()).is_err());
    let detector = detector(PLAIN);
    let verify = detector.verify.as_ref().expect("verify");
    let host = |claims: &str| filled_host("{claim.ref}.acme.example", &Parts::new(&claiming(claims), verify, now()));
    assert_eq!(host(r#"{"ref":"Abc-1"}"#).expect("a host"), "abc-1.acme.example");
    for bad in ["", "a.b", "evil.example/", "a@", "-a", "a b", "\u{e9}"] {
        assert!(host(&format!(r#"{{"ref":"{bad}"}}"#)).is_err(), "{bad}");
    }
}

#[test]
fn a_gateways_base_is_kept_and_what_it_doubles_is_not() {
    let at = |host: &str, base: &str, path: &str| {
        let endpoint = Endpoint { base_path: base.into(), named: true, ..Endpoint::of_host(host) };
        let path = path_at(&endpoint, path);
        format!("{base}{path}")
    };
    let any = "gateway.example.com";
    assert_eq!(at(any, "", "/v1/models"), "/v1/models");
    assert_eq!(at(any, "/v1", "/v1/models"), "/v1/models");
    assert_eq!(at(any, "/api/v1", "/v1/models"), "/api/v1/models");
    assert_eq!(at(any, "/openai", "/v1/models"), "/openai/v1/models");
    assert_eq!(at(any, "/openai/v1", "/openai/v1/models"), "/openai/v1/models");
    assert_eq!(at(any, "/xv1", "/v1/models"), "/xv1/v1/models");
    assert_eq!(at(any, "/v1/models", "/v1/models"), "/v1/models/v1/models");
    assert_eq!(at(any, "/v1", "/v1"), "/v1/v1");
    assert_eq!(at(any, "/a", "/b?x=/a/c"), "/a/b?x=/a/c");
    let cloudflare = "gateway.ai.cloudflare.com";
    assert_eq!(at(cloudflare, "/v1/acc/gate/openai", "/v1/models"), "/v1/acc/gate/openai/models");
    assert_eq!(at(cloudflare, "/v1/acc/gate/groq", "/openai/v1/models"), "/v1/acc/gate/groq/models");
    assert_eq!(at(cloudflare, "/v1/acc/gate/anthropic", "/v1/models"), "/v1/acc/gate/anthropic/v1/models");
}

#[test]
fn a_path_with_the_secret_shows_what_stands_before_it_and_needs_encryption() {
    let lines = "path = \"/v1/bot{secret}/me?q={acme-id}\"\nsecret-in-path = true\n";
    let hidden = with(lines);
    let request = made(&hidden, &[(ID, "me")]).expect("a request");
    let secret = String::from_utf8(secret().expose().to_vec()).expect("text");
    assert_eq!(request.path.expose(), format!("/v1/bot{secret}/me?q=me"));
    assert_eq!(request.path.shown(), "/v1/bot…");
    let based = Endpoint { base_path: "/gate/v1".into(), named: true, ..Endpoint::of_host("gateway.example.com") };
    let found = found(&[(ID, "me")], &[]);
    let behind = made_of(&hidden, &found, based.clone()).expect("a request");
    assert_eq!(behind.path.expose(), format!("/bot{secret}/me?q=me"));
    assert_eq!(behind.path.shown(), "/bot…");
    let told = format!("{request:?} {behind:?} {:?}", request.path);
    assert!(!told.contains(&secret[5..14]), "{told}");
    assert!(made_of(&hidden, &found, Endpoint { secure: false, ..based }).is_err());
}

#[test]
fn a_form_cuts_the_secret_and_another_form_is_not_asked_about() {
    let cut = with(
        "path = \"/v1/{part.tail}/x\"\nsecret-in-path = true\nform = 'acme_[A-Za-z0-9]{36}(?P<tail>.*)'\nheaders = { x = \"{part.tail}\" }\n",
    );
    let verify = cut.verify.as_ref().expect("verify");
    let of = |text: &[u8]| {
        let found = FoundCredential::alone(Secret::new(text));
        let parts = Parts::cut(&found, verify, now())?;
        build(verify, &[], &parts, Endpoint::of_host("api.acme.example"))
    };
    let request = of(secret().expose()).expect("a request");
    let tail = String::from_utf8(secret().expose()[41..].to_vec()).expect("text");
    assert_eq!(request.path.expose(), format!("/v1/{tail}/x"));
    assert_eq!(request.path.shown(), "/v1/…");
    let verdict = Verification::from(of(b"acme_short").expect_err("another form"));
    assert_eq!(verdict.state, Liveness::NotChecked);
    // What is not matched from its beginning to its end is of another form.
    assert!(of(&[b" ", secret().expose()].concat()).is_err());
}

#[test]
fn an_address_of_e_mail_is_the_only_one_near() {
    let asked = with("path = \"/\"\nheaders = { authorization = \"Basic {basic}\" }\nbasic = \"{email}:{secret}\"\n");
    let of = |emails: &[&str]| {
        let mut found = found(&[], &[]);
        found.surroundings.emails = emails.iter().map(|text| (*text).to_owned()).collect();
        made_of(&asked, &found, Endpoint::of_host("api.acme.example"))
    };
    let pair = [b"ana@acme.example:", secret().expose()].concat();
    let request = of(&["ana@acme.example"]).expect("a request");
    assert_eq!(header_of(&request, "authorization"), format!("Basic {}", STANDARD.encode(pair)).as_bytes());
    assert_eq!(Verification::from(of(&[]).expect_err("none")).state, Liveness::Unknown);
    assert_eq!(Verification::from(of(&["a@b.example", "c@d.example"]).expect_err("two")).state, Liveness::Refused);
}

#[test]
fn a_bare_request_holds_nothing_of_the_credential() {
    let with_version = detector(&PLAIN.replace("Bearer {secret}\"", "Bearer {secret}\", acme-version = \"1\""));
    let verify = with_version.verify.as_ref().expect("verify");
    let endpoint = Endpoint { named: true, ..Endpoint::of_host("gateway.example.com") };
    let request = made_of(&with_version, &found(&[], &[]), endpoint).expect("a request");
    let bare = without_secret(&request, verify);
    assert_eq!(bare.headers.len(), 1);
    assert_eq!(header_of(&bare, "acme-version"), b"1");
    assert!(bare.bare && !request.bare);
}

proptest::proptest! {
    #[test]
    fn whatever_a_companion_holds_a_request_keeps_its_form(value in proptest::collection::vec(proptest::num::u8::ANY, 0..60)) {
        let found = {
            let mut found = found(&[], &[]);
            let companion = crate::credential::FoundCompanion { detector: ID.into(), secret: Secret::new(&value), distance: 1 };
            found.companions.push(companion);
            found
        };
        let all = with("path = \"/a/{acme-id}/b\"\nheaders = { content-type = \"application/json\", x = \"{acme-id}\" }\nbody = '{\"id\":\"{acme-id}\"}'\n");
        if let Ok(request) = made_of(&all, &found, Endpoint::of_host("api.acme.example")) {
            proptest::prop_assert_eq!(request.path.expose().matches('/').count(), 3);
            proptest::prop_assert!(request.path.expose().bytes().all(|byte| byte.is_ascii_graphic()));
            proptest::prop_assert!(request.headers.iter().all(|(_, value)| value.expose().iter().all(|byte| (0x20..0x7f).contains(byte))));
            let body: Value = serde_json::from_slice(request.body.as_ref().expect("a body").expose()).expect("JSON");
            proptest::prop_assert_eq!(body.as_object().map(serde_json::Map::len), Some(1));
        }
    }
}
