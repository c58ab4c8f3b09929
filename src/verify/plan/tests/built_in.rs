//! Tests over all built-in detectors: each builds its request from synthetic parts, each documented answer means what it
//! is documented to mean, every other one nothing, and no request ever goes to a host that is not the detector's.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::credential::{FoundCompanion, Surroundings};
use crate::detector::compile::schema::{Signing, State};
use crate::detector::compile::template::{self, CLAIM};
use crate::detector::example::{Generator, expand_for};

/// A synthetic value of a detector. Those with a pattern alone get one of letters and digits.
fn value_of(detector: &Detector, generator: &mut Generator) -> Secret {
    let text = detector.shapes.first().cloned().unwrap_or_else(|| "{40:alnum}".to_owned());
    Secret::new(&expand_for(detector, &text, generator).expect("an example"))
}

/// Every text of a verify block that may hold parts.
fn templates(verify: &Verify) -> impl Iterator<Item = &String> {
    let request = verify.hosts.iter().chain([&verify.path]).chain(verify.headers.values());
    request.chain(&verify.basic).chain(&verify.body).chain(&verify.signer).chain(&verify.token)
}

/// A credential of a detector with everything near it that its request needs.
pub(crate) fn complete(registry: &Registry, detector: &Detector, verify: &Verify, seed: u64) -> FoundCredential {
    let mut generator = Generator::new(seed);
    let mut secret = value_of(detector, &mut generator);
    let parts = templates(verify).flat_map(|text| template::parts(text));
    let claims: Vec<&str> = parts.filter_map(|part| part.strip_prefix(CLAIM)).collect();
    if !claims.is_empty() {
        let payload: serde_json::Map<_, _> = claims.iter().map(|claim| ((*claim).to_owned(), "acme1".into())).collect();
        secret = token_of(&serde_json::Value::Object(payload));
    }
    if verify.proof.is_some() {
        secret = published::tests::private_key(&[0xc1; 256], "\n");
    }
    if matches!(verify.sign, Some(Signing::JwtRs256 | Signing::SnowflakeJwt)) {
        secret = Secret::new(crate::verify::test_key::rsa_pkcs8_pem("\n").as_bytes());
    }
    let named = verify.named.values().map(|names| (names[0].clone(), "acme1".to_owned())).collect();
    let ids = verify.near.values().map(|glob| glob.replace('*', "acme-1")).collect();
    let companions = detector.companions.iter().map(|companion| {
        let other = registry.get(&companion.detector).expect("a companion's detector");
        FoundCompanion { detector: other.id.clone(), secret: value_of(other, &mut generator), distance: 9 }
    });
    let companions = companions.collect();
    let tenant = verify.host_suffixes.first().map(|suffix| format!("acme1{suffix}"));
    let regional =
        verify.hosts.iter().filter_map(|host| Some(format!("x.eu-west-1{}", host.split_once("{region}")?.1)));
    let hosts = tenant.into_iter().chain(regional.take(1)).collect();
    let emails = vec!["ana@acme.example".to_owned()];
    let surroundings = Surroundings { hosts, ids, emails, named, ..Surroundings::default() };
    FoundCredential { secret, companions, surroundings }
}

/// A signed token with these claims.
fn token_of(claims: &serde_json::Value) -> Secret {
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let parts = [part("{\"alg\":\"none\"}".into()), part(claims.to_string()), part("signature".into())];
    Secret::new(parts.join(".").as_bytes())
}

/// The requests of a detector; where only a person can name the server, one is named.
fn requests_of(detector: &Detector, found: &FoundCredential) -> Vec<Request> {
    let verify = detector.verify.as_ref().expect("verify");
    let endpoints = match verify.hosts.is_empty() && verify.host_suffixes.is_empty() {
        true => named_for(&detector.provider),
        false => Endpoints::default(),
    };
    match plan(detector, false, found, &endpoints, now()) {
        Plan::Ask(requests) => requests,
        Plan::Settled(verdict) => panic!("{}: {verdict:?}", detector.id),
    }
}

pub(crate) fn named_for(provider: &str) -> Endpoints {
    let value = format!("{provider}=https://server.example.com");
    Endpoints::parse(&[value], Registry::built_in().detectors(), false).expect("an endpoint")
}

/// Returns whether a host is one that a detector allows.
fn allowed(verify: &Verify, host: &str) -> bool {
    let fits = |pattern: &String| match pattern.split_once('{') {
        None => host == pattern,
        Some((head, rest)) => {
            let tail = rest.split_once('}').expect("a part").1;
            host.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail)).is_some_and(is_label)
        }
    };
    verify.hosts.iter().any(fits) || verify.host_suffixes.iter().any(|suffix| is_tenant(host, suffix))
}

pub(crate) fn verified(registry: &Registry) -> impl Iterator<Item = (&Detector, &Verify)> {
    registry.detectors().iter().filter_map(|detector| Some((detector, detector.verify.as_ref()?)))
}

#[test]
fn every_verify_block_makes_requests_to_its_own_hosts_and_shows_no_path_with_a_secret() {
    let registry = Registry::built_in();
    let mut count = 0;
    for (detector, verify) in verified(&registry) {
        let found = complete(&registry, detector, verify, 11);
        count += 1;
        for request in requests_of(detector, &found) {
            let endpoint = &request.endpoint;
            let anywhere = verify.hosts.is_empty() && verify.host_suffixes.is_empty();
            assert_eq!(endpoint.named, anywhere, "{}", detector.id);
            assert!(endpoint.named || allowed(verify, &endpoint.host), "{}: {endpoint}", detector.id);
            assert!(endpoint.secure, "{}", detector.id);
            let path = request.path.expose();
            assert!(!path.contains(['{', '}']), "{}: {path}", detector.id);
            assert_eq!(request.path.holds_secret(), verify.secret_in_path, "{}", detector.id);
            let secret = found.secret.expose();
            assert!(memchr::memmem::find(request.path.shown().as_bytes(), secret).is_none(), "{}", detector.id);
            assert!(memchr::memmem::find(request.endpoint.host.as_bytes(), secret).is_none(), "{}", detector.id);
            for text in request.headers.iter().map(|(_, value)| value).chain(&request.body).map(Secret::expose) {
                for part in [b"{secret}".as_slice(), b"{basic}", b"{region}", b"{claim.", b"{token}", b"{named."] {
                    assert!(memchr::memmem::find(text, part).is_none(), "{}: a part is not filled", detector.id);
                }
            }
        }
    }
    assert!(count >= 150, "{count} detectors can be verified");
}

/// Makes a body of JSON that contains a text, of the shapes that providers answer with.
pub(crate) fn body_with(text: &str) -> String {
    let mut bodies = vec![format!("{{\"message\":\"{text}\"}}")];
    for tail in ["", "}", "\"\"}", "1}", "}}", ":1}", ":1}}", ":{}}", "\"x\":1}", "]}", "}]}", "}]}}", "\"}", "\"}}"] {
        bodies.push(format!("{{{text}{tail}"));
    }
    bodies.push(text.to_owned());
    let parses = |body: &&String| serde_json::from_str::<serde_json::Value>(body).is_ok();
    bodies.iter().find(parses).unwrap_or_else(|| panic!("no JSON holds {text:?}")).clone()
}

fn liveness(state: State) -> Liveness {
    match state {
        State::Live => Liveness::Live,
        State::Limited => Liveness::Limited,
        State::Dead => Liveness::Dead,
        State::Unknown => Liveness::Unknown,
    }
}

/// What a detector documents for a status and a body of JSON.
pub(crate) fn documented(verify: &Verify, status: u16, body: &str) -> Liveness {
    let packed = |text: &str| text.replace(|character: char| character.is_ascii_whitespace(), "");
    let fits = |contains: &str| packed(body).contains(&packed(contains));
    if let Some(condition) = verify.when.iter().find(|when| when.status == status && fits(&when.contains)) {
        return liveness(condition.state);
    }
    let lists = [(&verify.live, Liveness::Live), (&verify.limited, Liveness::Limited), (&verify.dead, Liveness::Dead)];
    lists.iter().find(|(list, _)| list.contains(&status)).map_or(Liveness::Unknown, |(_, state)| *state)
}

#[test]
fn every_documented_answer_means_its_state_and_every_other_nothing() {
    let registry = Registry::built_in();
    for (detector, verify) in verified(&registry) {
        let requests = requests_of(detector, &complete(&registry, detector, verify, 12));
        let judged = |given: &Answer| {
            // Without the secret, a server that looks at keys answers something else.
            let outcome = |request: &Request| match request.bare {
                true => Ok(answer(418, "{}")),
                false => Ok(given.clone()),
            };
            judge(detector, &requests.iter().map(|request| (request.clone(), outcome(request))).collect::<Vec<_>>())
        };
        let expected = |status, body: &str| match documented(verify, status, body) {
            // It may belong to a server that nobody asked.
            Liveness::Dead if verify.self_hosted && !requests[0].endpoint.named => Liveness::Unknown,
            // A list without its mark says that it is over.
            Liveness::Live if verify.proof.is_some() => Liveness::Dead,
            state => state,
        };
        for condition in &verify.when {
            let body = body_with(&condition.contains);
            let expected = expected(condition.status, &body);
            assert_eq!(judged(&answer(condition.status, &body)).state, expected, "{} {body}", detector.id);
        }
        for status in 100..=599 {
            let verdict = judged(&answer(status, "{}"));
            assert_eq!(verdict.state, expected(status, "{}"), "{} {status}", detector.id);
            assert!(verdict.reason.is_some(), "{} {status}", detector.id);
        }
        let page = Answer { headers: Vec::new(), ..answer(200, "<!doctype html><title>Log in</title>") };
        assert_eq!(judged(&page).state, Liveness::Unknown, "{}", detector.id);
    }
}

#[test]
fn no_condition_is_hidden_by_one_before_it() {
    let registry = Registry::built_in();
    for (detector, verify) in verified(&registry) {
        for condition in &verify.when {
            let state = documented(verify, condition.status, &body_with(&condition.contains));
            assert_eq!(state, liveness(condition.state), "{}: {}", detector.id, condition.contains);
        }
    }
}

#[test]
fn a_missing_companion_of_a_request_is_named_and_two_are_refused() {
    let registry = Registry::built_in();
    let mut seen = 0;
    for (detector, verify) in verified(&registry) {
        let found = complete(&registry, detector, verify, 13);
        let used: Vec<&str> = templates(verify).flat_map(|text| template::parts(text)).collect();
        for companion in detector.companions.iter().filter(|companion| used.contains(&companion.detector.as_str())) {
            let mut without = found.clone();
            without.companions.retain(|known| known.detector != companion.detector);
            let (state, reason) = refusal(detector, &without);
            assert_eq!(state, Liveness::Unknown, "{}", detector.id);
            assert!(reason.contains(&companion.detector), "{}: {reason}", detector.id);
            let mut doubled = found.clone();
            let value = Secret::new(b"another-value-of-it");
            doubled.companions.push(FoundCompanion {
                detector: companion.detector.clone(),
                secret: value,
                distance: 1,
            });
            assert_eq!(refusal(detector, &doubled).0, Liveness::Refused, "{}", detector.id);
            seen += 1;
        }
    }
    assert!(seen >= 2, "{seen} companions are parts of requests");
}

#[test]
fn a_public_value_that_is_missing_is_named_and_two_are_refused() {
    let registry = Registry::built_in();
    let mut seen = 0;
    for (detector, verify) in verified(&registry) {
        for names in verify.named.values() {
            let mut found = complete(&registry, detector, verify, 16);
            found.surroundings.named.push((names[0].clone(), "acme2".to_owned()));
            assert_eq!(refusal(detector, &found).0, Liveness::Refused, "{}", detector.id);
            found.surroundings.named.retain(|(name, _)| *name != names[0]);
            found.surroundings.emails.clear();
            let (state, reason) = refusal(detector, &found);
            assert_eq!(state, Liveness::Unknown, "{}", detector.id);
            assert!(reason.contains(&names[0]), "{}: {reason}", detector.id);
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen} public values are parts of requests");
}

#[test]
fn what_signs_is_in_no_part_of_its_request() {
    let registry = Registry::built_in();
    let signed = verified(&registry).filter(|(_, verify)| verify.sign.is_some());
    let mut seen = 0;
    for (detector, verify) in signed {
        let found = complete(&registry, detector, verify, 17);
        for request in requests_of(detector, &found) {
            for (name, value) in &request.headers {
                let told = memchr::memmem::find(value.expose(), found.secret.expose()).is_some();
                assert!(!told, "{}: {name}", detector.id);
            }
            let authorization = request.headers.iter().filter(|(name, _)| name == "authorization").count();
            assert_eq!(authorization, 1, "{}", detector.id);
        }
        seen += 1;
    }
    assert!(seen >= 11, "{seen} detectors sign");
}

#[test]
fn no_answer_puts_the_secret_into_a_verdict() {
    let registry = Registry::built_in();
    for (detector, verify) in verified(&registry) {
        let found = complete(&registry, detector, verify, 14);
        let secret = String::from_utf8_lossy(found.secret.expose()).into_owned();
        let Some((head, _)) = detector.shapes.first().and_then(|shape| shape.split_once('{')) else { continue };
        let variable = secret.strip_prefix(head).unwrap_or(&secret);
        let run = variable.get(..9).unwrap_or(variable);
        let mut echoing = answer(200, &echo_of(verify, &secret));
        for place in verify.account.values().filter(|place| !place.starts_with('/')) {
            echoing.headers.push((place.clone(), secret.clone()));
        }
        for request in requests_of(detector, &found) {
            for status in verify.live.iter().chain(&verify.dead).chain(&[200]) {
                let outcome = Ok(Answer { status: *status, ..echoing.clone() });
                let told = format!("{:?}", judge(detector, &[(request.clone(), outcome)]));
                assert!(!told.contains(run), "{} {status}", detector.id);
            }
        }
    }
}

/// A document that holds the secret in every place that a detector reads.
fn echo_of(verify: &Verify, secret: &str) -> String {
    let mut document = serde_json::json!({});
    for pointer in verify.account.values().filter(|place| place.starts_with('/')) {
        let mut place = &mut document;
        for key in pointer[1..].split('/') {
            if !place.is_object() {
                *place = serde_json::json!({});
            }
            // An object with the key "0" answers the same pointer as a list does.
            place = place.as_object_mut().expect("an object").entry(key).or_insert(serde_json::Value::Null);
        }
        *place = secret.into();
    }
    document.to_string()
}

#[test]
fn no_refresh_token_has_a_request() {
    for detector in Registry::built_in().detectors() {
        assert!(detector.kind != Kind::OauthRefresh || detector.verify.is_none(), "{}", detector.id);
    }
}

fn near_hosts() -> impl proptest::strategy::Strategy<Value = Vec<String>> {
    let registry = Registry::built_in();
    let mut known: Vec<String> = verified(&registry)
        .flat_map(|(_, verify)| verify.hosts.iter().chain(&verify.host_suffixes))
        .map(|host| host.replace("{region}", "eu-west-1"))
        .collect();
    known.sort_unstable();
    known.dedup();
    let odd = "[a-z0-9.@:/#?_-]{0,12}";
    let host = (odd, proptest::sample::select(known), odd);
    let host = proptest::strategy::Strategy::prop_map(host, |(before, known, after)| format!("{before}{known}{after}"));
    proptest::collection::vec(host, 0..4)
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 32, ..Default::default() })]
    #[test]
    fn no_text_leads_a_request_to_a_host_that_is_not_the_detectors(hosts in near_hosts(), claim in "\\PC{0,20}") {
        let registry = Registry::built_in();
        let named = ["openai=https://gateway.example.com/v1"];
        let named = Endpoints::parse(&named, registry.detectors(), false).expect("endpoints");
        for (detector, verify) in verified(&registry) {
            let mut found = complete(&registry, detector, verify, 15);
            found.surroundings.hosts.clone_from(&hosts);
            if templates(verify).any(|text| text.contains(CLAIM)) {
                let claims = serde_json::json!({ "ref": claim, "iss": claim, "sub": claim, "aud": claim });
                found.secret = token_of(&claims);
            }
            for endpoints in [&Endpoints::default(), &named] {
                let Plan::Ask(requests) = plan(detector, false, &found, endpoints, now()) else { continue };
                proptest::prop_assert!(!requests.is_empty());
                for Request { endpoint, .. } in requests {
                    let is_named = endpoints.of(&detector.provider) == Some(&endpoint);
                    proptest::prop_assert!(is_named || allowed(verify, &endpoint.host), "{}: {}", detector.id, endpoint);
                    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
                    proptest::prop_assert!(endpoint.host.bytes().all(plain));
                }
            }
        }
    }
}
