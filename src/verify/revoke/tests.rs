//! Tests of requests that end credentials: over all built-in detectors, and what an answer means.

use super::*;
use crate::detector::registry::Registry;
use crate::verify::testing::{answer, secret};

fn callable(registry: &Registry) -> impl Iterator<Item = (&Detector, &RevokeCall)> {
    registry.detectors().iter().filter_map(|detector| Some((detector, detector.revoke.as_ref()?.call.as_ref()?)))
}

fn given(call: &RevokeCall, value: &str) -> BTreeMap<String, String> {
    names(call).into_iter().map(|name| (name.to_owned(), value.to_owned())).collect()
}

fn endpoints(detector: &Detector, call: &RevokeCall) -> Endpoints {
    let named = format!("{}=https://own.example.com", detector.provider);
    match call.host {
        Some(_) => Endpoints::default(),
        None => Endpoints::parse(&[named], Registry::built_in().detectors(), false).expect("an endpoint"),
    }
}

#[test]
fn every_declared_request_is_made_and_shown_without_its_secret() {
    let registry = Registry::built_in();
    let text = String::from_utf8(secret().expose().to_vec()).expect("text");
    let mut count = 0;
    for (detector, call) in callable(&registry) {
        let endpoints = endpoints(detector, call);
        let revocation =
            Revocation::new(detector, given(call, "part-1"), &endpoints).expect("parts").expect("a request");
        assert!(revocation.missing().is_empty(), "{}", detector.id);
        let request = revocation.request(&secret()).expect(&detector.id);
        let expected = call.host.as_deref().unwrap_or("own.example.com");
        assert_eq!(request.endpoint.host, expected, "{}", detector.id);
        assert!(request.endpoint.secure);
        assert!(
            !request.path.expose().contains(&text) && !request.path.expose().contains('{'),
            "{}: {:?}",
            detector.id,
            request.path
        );
        let carried = request.headers.iter().map(|(_, value)| value).chain(&request.body).map(Secret::expose);
        let encoded = call.basic.is_some();
        let plain = carried.clone().any(|value| memchr::memmem::find(value, text.as_bytes()).is_some());
        assert!(plain || encoded, "{}: the secret is not in it", detector.id);
        for value in carried {
            assert!(
                memchr::memmem::find(value, b"{admin}").is_none() && memchr::memmem::find(value, b"{secret}").is_none()
            );
        }
        let shown = revocation.shown();
        assert!(!shown.contains(&text) && shown.contains(revocation.authority().wanted()), "{}: {shown}", detector.id);
        assert!(shown.starts_with(&format!("{} https://{expected}/", call.method)), "{shown}");
        assert!(!shown.contains("{record_id}"), "{shown}");
        count += 1;
    }
    assert!(count >= 50, "{count} detectors can be revoked");
}

#[test]
fn what_is_missing_is_named_as_the_option_that_gives_it() {
    let registry = Registry::built_in();
    let openai = registry.get("openai-project-key").expect("a detector");
    let none = Revocation::new(openai, BTreeMap::new(), &Endpoints::default()).expect("parts").expect("a request");
    assert_eq!(none.missing(), ["--part project_id=VALUE", "--record-id ID"]);
    assert_eq!(none.authority(), Authority::Administrator);
    assert!(
        none.shown()
            .starts_with("DELETE https://api.openai.com/v1/organization/projects/{project_id}/api_keys/{record_id}\n")
    );
    assert!(none.request(&secret()).expect_err("a refusal").to_string().contains("--record-id ID"));
    let databricks = registry.get("databricks-token").expect("a detector");
    let none = Revocation::new(databricks, BTreeMap::new(), &Endpoints::default()).expect("parts").expect("a request");
    assert!(none.missing().contains(&"--endpoint databricks=https://HOST".to_owned()));
    assert!(none.shown().starts_with("DELETE https://{host}/api/2.0/"));
}

#[test]
fn unknown_parts_and_odd_values_are_refused_and_values_stay_in_their_place() {
    let registry = Registry::built_in();
    let openai = registry.get("openai-project-key").expect("a detector");
    let parts = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
    let made = |name: &str, value: &str| Revocation::new(openai, parts(name, value), &Endpoints::default());
    for (name, value) in [("nothing", "x"), ("secret", "x"), ("admin", "x"), ("record_id", ""), ("record_id", "a\nb")] {
        assert!(made(name, value).is_err(), "{name}={value:?}");
    }
    assert!(made("record_id", &"x".repeat(LONGEST_PART + 1)).is_err());
    let mut both = parts("record_id", "../../users?x=1#y");
    both.insert("project_id".into(), "a/b".into());
    let revocation = Revocation::new(openai, both, &Endpoints::default()).expect("parts").expect("a request");
    let request = revocation.request(&secret()).expect("a request");
    assert_eq!(request.path.expose(), "/v1/organization/projects/a%2Fb/api_keys/..%2F..%2Fusers%3Fx%3D1%23y");
    let dots = BTreeMap::from([("record_id".to_owned(), "..".to_owned()), ("project_id".to_owned(), "p".to_owned())]);
    let revocation = Revocation::new(openai, dots, &Endpoints::default()).expect("parts").expect("a request");
    assert!(revocation.request(&secret()).is_err());
}

#[test]
fn only_what_is_documented_is_taken_for_done() {
    let registry = Registry::built_in();
    let of = |id: &str| {
        let detector = registry.get(id).expect("a detector");
        Revocation::new(detector, BTreeMap::new(), &Endpoints::default()).expect("parts").expect("a request")
    };
    let github = of("github-classic-token");
    assert!(github.done(&answer(202, "")));
    assert_eq!(github.authority(), Authority::Itself);
    for status in [200, 204, 301, 401, 404, 422, 500] {
        assert!(!github.done(&answer(status, "{}")), "{status}");
    }
    let slack = of("slack-bot-token");
    assert!(slack.done(&answer(200, "{\"ok\": true, \"revoked\": true}")));
    assert!(!slack.done(&answer(200, "{\"ok\":false,\"error\":\"invalid_auth\"}")));
}

#[test]
fn a_detector_without_a_request_has_none() {
    let registry = Registry::built_in();
    let detector = registry.get("openai-legacy-key").expect("a detector");
    assert!(Revocation::new(detector, BTreeMap::new(), &Endpoints::default()).expect("parts").is_none());
}
