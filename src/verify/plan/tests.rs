//! Tests of whom a credential may be sent to, and of what answers mean together.

use super::*;
use crate::detector::registry::Registry;
use crate::secret::Secret;
use crate::verify::testing::{PLAIN, answer, detector, found, now, parsed, secret};

pub(crate) mod built_in;

fn asked(detector: &Detector, found: &FoundCredential) -> Result<Vec<String>, (Liveness, String)> {
    hosts_of(plan(detector, false, found, &Endpoints::default(), now()))
}

fn hosts_of(plan: Plan) -> Result<Vec<String>, (Liveness, String)> {
    match plan {
        Plan::Ask(requests) => Ok(requests.into_iter().map(|request| request.endpoint.host).collect()),
        Plan::Settled(verdict) => Err((verdict.state, verdict.reason.expect("a reason"))),
    }
}

fn refusal(detector: &Detector, found: &FoundCredential) -> (Liveness, String) {
    asked(detector, found).expect_err("nobody is asked")
}

fn tenants() -> Detector {
    detector(&PLAIN.replace(
        "hosts = [\"api.acme.example\"]",
        "host-suffixes = [\".cloud.acme.example\", \".acme-cloud.example\"]",
    ))
}

#[test]
fn a_hosts_name_in_the_text_changes_nothing_for_a_provider_with_hosts_of_its_own() {
    let near = found(&[], &["evil.example", "api.acme.example.evil.example", "x.api.acme.example"]);
    assert_eq!(asked(&detector(PLAIN), &near), Ok(vec!["api.acme.example".to_owned()]));
}

#[test]
fn an_open_attribution_and_a_refresh_token_are_refused() {
    let near = found(&[], &[]);
    let open = hosts_of(plan(&detector(PLAIN), true, &near, &Endpoints::default(), now())).expect_err("nobody");
    assert_eq!(open.0, Liveness::Refused);
    let refresh = Detector { kind: Kind::OauthRefresh, ..detector(PLAIN) };
    let (state, reason) = refusal(&refresh, &near);
    assert_eq!(state, Liveness::Refused);
    assert!(reason.contains("exchanging"), "{reason}");
    let silent = Detector { verify: None, ..detector(PLAIN) };
    assert_eq!(refusal(&silent, &near), (Liveness::NotChecked, "no read-only request is known".to_owned()));
}

#[test]
fn a_tenants_host_must_be_the_only_one_and_under_the_providers_domain() {
    let tenants = tenants();
    for host in
        ["me.cloud.acme.example", "ME.cloud.acme.example", "adb-1.7.cloud.acme.example", "a-b.acme-cloud.example"]
    {
        let near = found(&[], &[host, "evil.example"]);
        assert_eq!(asked(&tenants, &near), Ok(vec![host.to_ascii_lowercase()]));
    }
    for host in [
        "cloud.acme.example",
        ".cloud.acme.example",
        "me.cloud.acme.example.evil.example",
        "evilcloud.acme.example",
        "evil.example/.cloud.acme.example",
        "evil.example#.cloud.acme.example",
        "user@me.cloud.acme.example",
        "me:80.cloud.acme.example",
        "m_e.cloud.acme.example",
        "-me.cloud.acme.example",
        "a.b.c.d.cloud.acme.example",
        "..cloud.acme.example",
        "m\u{e9}.cloud.acme.example",
        "me.cloud.acme.example.",
    ] {
        let (state, reason) = refusal(&tenants, &found(&[], &[host]));
        assert_eq!(state, Liveness::Unknown, "{host}");
        assert!(reason.contains("--endpoint acme=https://NAME.cloud.acme.example"), "{reason}");
    }
    let (state, reason) = refusal(&tenants, &found(&[], &["me.cloud.acme.example", "you.cloud.acme.example"]));
    assert_eq!(state, Liveness::Refused);
    assert!(reason.contains("--endpoint acme="), "{reason}");
    let same = found(&[], &["me.cloud.acme.example", "ME.cloud.acme.example"]);
    assert!(asked(&tenants, &same).is_ok());
}

#[test]
fn a_provider_with_both_asks_the_tenants_host_where_one_is_near() {
    let both = detector(&format!("host-suffixes = [\".cloud.acme.example\"]\n{PLAIN}"));
    assert_eq!(asked(&both, &found(&[], &[])), Ok(vec!["api.acme.example".to_owned()]));
    assert_eq!(asked(&both, &found(&[], &["me.cloud.acme.example"])), Ok(vec!["me.cloud.acme.example".to_owned()]));
}

#[test]
fn a_product_that_customers_run_is_not_asked_at_its_makers_when_a_customers_host_is_near() {
    let hosted = detector(&format!("self-hosted = true\n{PLAIN}"));
    for host in ["acme.customer.example", "git.acme.customer.example", "acme-prod.customer.example"] {
        let (state, reason) = refusal(&hosted, &found(&[], &[host]));
        assert_eq!(state, Liveness::Refused);
        assert!(reason.contains(host) && reason.contains("--endpoint acme="), "{reason}");
    }
    for host in ["api.acme.example", "customer.example", "acmeville.example"] {
        assert!(asked(&hosted, &found(&[], &[host])).is_ok(), "{host}");
    }
    assert!(asked(&detector(PLAIN), &found(&[], &["acme.customer.example"])).is_ok());
}

#[test]
fn a_token_of_github_may_be_one_of_a_companys_own_server() {
    let registry = Registry::built_in();
    let detector = registry.get("github-fine-grained-token").expect("a detector");
    for host in ["github.com", "api.github.com", "docs.github.com", "raw.githubusercontent.com"] {
        assert_eq!(asked(detector, &found(&[], &[host])), Ok(vec!["api.github.com".to_owned()]), "{host}");
    }
    let (state, reason) = refusal(detector, &found(&[], &["github.acme.example"]));
    assert_eq!(state, Liveness::Refused);
    assert!(reason.contains("github.acme.example") && reason.contains("--endpoint github="), "{reason}");
    let judged = |endpoints: &Endpoints| verdict(detector, endpoints, vec![Ok(answer(401, "{}"))]);
    let public = judged(&Endpoints::default());
    assert_eq!(public.state, Liveness::Unknown);
    let reason = public.reason.expect("a reason");
    assert!(reason.contains("--endpoint github=https://api.github.com if it belongs to none"), "{reason}");
    let named = Endpoints::parse(&["github=https://api.github.com"], registry.detectors(), false).expect("an endpoint");
    assert_eq!(judged(&named).state, Liveness::Dead);
}

#[test]
fn what_the_makers_do_not_know_may_live_on_a_customers_server() {
    let hosted = detector(&format!("self-hosted = true\n{PLAIN}"));
    let dead = || vec![Ok(answer(401, "{}"))];
    let asked = verdict(&hosted, &Endpoints::default(), dead());
    assert_eq!(asked.state, Liveness::Unknown);
    assert!(asked.reason.expect("a reason").contains("--endpoint acme="));
    assert_eq!(verdict(&hosted, &Endpoints::default(), vec![Ok(answer(200, "{}"))]).state, Liveness::Live);
    assert_eq!(verdict(&hosted, &endpoints("acme=https://own.example.com"), dead()).state, Liveness::Dead);
    let nowhere = detector(&format!("self-hosted = true\n{}", PLAIN.replace("hosts = [\"api.acme.example\"]\n", "")));
    let (state, reason) = refusal(&nowhere, &found(&[], &["api.acme.example"]));
    assert!(matches!(state, Liveness::Refused | Liveness::Unknown));
    assert!(reason.contains("--endpoint acme="), "{reason}");
}

#[test]
fn a_region_comes_from_one_host_near_it() {
    let regional = detector(&PLAIN.replace("api.acme.example", "api.{region}.acme.example"));
    let near = |hosts: &[&str]| asked(&regional, &found(&[], hosts));
    assert_eq!(near(&["run.eu-west-1.acme.example"]), Ok(vec!["api.eu-west-1.acme.example".to_owned()]));
    assert_eq!(near(&["a.eu-west-1.acme.example", "b.eu-west-1.acme.example"]).map(|hosts| hosts.len()), Ok(1));
    for hosts in [
        &[][..],
        &["a.eu-west-1.acme.example", "a.us-east-1.acme.example"],
        &["eu-west-1.evil.example"],
        &["x.acme.example"],
    ] {
        let (state, reason) = near(hosts).expect_err("nobody");
        assert_eq!(state, Liveness::Unknown);
        assert!(reason.contains("--endpoint acme=https://api.REGION.acme.example"), "{reason}");
    }
}

#[test]
fn a_key_near_another_partition_of_aws_is_not_called_dead_by_the_global_one() {
    let registry = Registry::built_in();
    let detector = registry.get("aws-secret-access-key").expect("a detector");
    let id = ["AKIA", "QQQQ7ABCDEFGHIJK"].concat();
    let near = |hosts: &[&str]| asked(detector, &found(&[("aws-access-key-id", &id)], hosts));
    assert_eq!(near(&["s3.eu-west-1.amazonaws.com"]), Ok(vec!["sts.amazonaws.com".to_owned()]));
    assert_eq!(near(&["us-gov-west-1.example.com"]).map(|hosts| hosts.len()), Ok(1));
    for (host, word) in [
        ("s3.cn-north-1.amazonaws.com.cn", "aws=https://sts.cn-north-1.amazonaws.com.cn"),
        ("s3.us-gov-west-1.amazonaws.com", "aws=https://sts.us-gov-west-1.amazonaws.com"),
    ] {
        let (state, reason) = near(&[host]).expect_err("nobody");
        assert_eq!(state, Liveness::Unknown);
        assert!(reason.contains(word), "{reason}");
    }
}

fn endpoints(value: &str) -> Endpoints {
    Endpoints::parse(&[value], &[detector(PLAIN)], true).expect("an endpoint")
}

#[test]
fn a_named_endpoint_stands_for_all_hosts() {
    for lines in [
        PLAIN.to_owned(),
        PLAIN.replace("api.acme.example\"", "api.acme.example\", \"eu.acme.example\""),
        format!("self-hosted = true\n{PLAIN}"),
    ] {
        let near = found(&[], &["acme.customer.example", "me.cloud.acme.example"]);
        let planned = plan(&detector(&lines), false, &near, &endpoints("acme=http://127.0.0.1:4000/base"), now());
        let Plan::Ask(requests) = planned else { panic!("it is asked") };
        assert_eq!(requests.len(), 1);
        assert_eq!(
            format!("{}{}", requests[0].endpoint, requests[0].path.expose()),
            "http://127.0.0.1:4000/base/v1/me"
        );
    }
    let several = found(&[], &["me.cloud.acme.example", "you.cloud.acme.example"]);
    assert_eq!(
        hosts_of(plan(&tenants(), false, &several, &endpoints("acme=https://me.example"), now())),
        Ok(vec!["me.example".into()])
    );
    let open = plan(&tenants(), true, &several, &endpoints("acme=https://me.example"), now());
    assert_eq!(hosts_of(open).expect_err("nobody").0, Liveness::Refused);
}

type Outcome = Result<Answer, Failure>;

fn verdict(detector: &Detector, endpoints: &Endpoints, outcomes: Vec<Outcome>) -> Verification {
    let Plan::Ask(requests) = plan(detector, false, &found(&[], &[]), endpoints, now()) else { panic!("it is asked") };
    assert_eq!(requests.len(), outcomes.len());
    judge(detector, &requests.into_iter().zip(outcomes).collect::<Vec<_>>())
}

#[test]
fn of_several_sites_one_that_knows_it_is_enough_and_dead_is_what_all_say() {
    let sites = detector(&PLAIN.replace("\"api.acme.example\"", "\"api.acme.example\", \"eu.acme.example\""));
    let both = |first: Outcome, second: Outcome| verdict(&sites, &Endpoints::default(), vec![first, second]);
    let live = || Ok(answer(200, "{}"));
    let limited = || Ok(answer(429, "{}"));
    let dead = || Ok(answer(401, "{}"));
    let fault = || Ok(answer(500, "{}"));
    let silent = || Err(Failure::Unresolved { host: "eu.acme.example".into() });
    assert_eq!(both(live(), dead()).state, Liveness::Live);
    assert_eq!(both(dead(), live()).state, Liveness::Live);
    assert_eq!(both(silent(), live()).state, Liveness::Live);
    assert_eq!(both(limited(), live()).state, Liveness::Live);
    assert_eq!(both(dead(), limited()).state, Liveness::Limited);
    assert_eq!(both(dead(), dead()).state, Liveness::Dead);
    assert_eq!(both(dead(), fault()).state, Liveness::Unknown);
    assert_eq!(both(silent(), dead()).state, Liveness::Unknown);
    let reason = both(dead(), dead()).reason.expect("a reason");
    assert_eq!(reason, "api.acme.example answered 401; eu.acme.example answered 401");
    assert!(both(dead(), silent()).reason.expect("a reason").contains("could not be resolved"));
    assert_eq!(judge(&sites, &[]).state, Liveness::Unknown);
}

#[test]
fn every_failure_is_unknown_with_its_reason() {
    let host = "api.acme.example".to_owned();
    for failure in [
        Failure::Unresolved { host: host.clone() },
        Failure::RefusedAddress {
            host: host.clone(),
            address: "127.0.0.1".parse().expect("an address"),
            kind: "loopback",
        },
        Failure::Connect { host: host.clone(), reason: "refused".into() },
        Failure::Tls { host: host.clone(), reason: "expired".into() },
        Failure::Timeout { host: host.clone(), after: std::time::Duration::from_secs(9) },
        Failure::Malformed { host, reason: "no status".into() },
        Failure::Capped { limit: 5 },
        Failure::Interrupted,
    ] {
        let expected = failure.to_string();
        let verdict = verdict(&detector(PLAIN), &Endpoints::default(), vec![Err(failure)]);
        assert_eq!((verdict.state, verdict.reason), (Liveness::Unknown, Some(expected)));
    }
}

#[test]
fn a_gateway_that_shows_its_models_to_anybody_proves_nothing() {
    let models = detector(&PLAIN.replace("/v1/me", "/v1/models"));
    assert_eq!(asked(&models, &found(&[], &[])).map(|hosts| hosts.len()), Ok(1));
    let gateway = endpoints("acme=https://gateway.example.com/v1");
    let pair = |real: Outcome, bare: Outcome| verdict(&models, &gateway, vec![real, bare]);
    let live = || Ok(answer(200, "{}"));
    let dead = || Ok(answer(401, "{}"));
    assert_eq!(pair(live(), dead()).state, Liveness::Live);
    assert_eq!(pair(live(), Ok(answer(403, "{}"))).state, Liveness::Live);
    assert_eq!(pair(dead(), dead()).state, Liveness::Dead);
    assert_eq!(pair(Ok(answer(500, "{}")), live()).state, Liveness::Unknown);
    let open = pair(live(), live());
    assert_eq!(open.state, Liveness::Unknown);
    assert!(open.reason.expect("a reason").contains("without any key"));
    assert_eq!(pair(live(), Err(Failure::Interrupted)).state, Liveness::Unknown);
    let Plan::Ask(requests) = plan(&models, false, &found(&[], &[]), &gateway, now()) else { panic!("it is asked") };
    assert_eq!(requests[1].path, requests[0].path);
    assert!(requests[1].headers.is_empty() && requests[1].body.is_none());
}

#[test]
fn a_list_that_may_be_open_to_anybody_proves_nothing_where_the_bare_request_has_the_same_answer() {
    let compared = detector(&format!("{PLAIN}compare = true\n"));
    assert_eq!(asked(&compared, &found(&[], &[])).map(|hosts| hosts.len()), Ok(2));
    let none = Endpoints::default();
    let pair = |bare: u16| verdict(&compared, &none, vec![Ok(answer(200, "{}")), Ok(answer(bare, "{}"))]).state;
    assert_eq!((pair(401), pair(200)), (Liveness::Live, Liveness::Unknown));
    for lines in ["body = \"x\"", "basic = \"{secret}\""] {
        assert!(parsed(&format!("{PLAIN}compare = true\n{lines}\n")).is_err(), "{lines}");
    }
    assert!(parsed(&PLAIN.replace("hosts = [", "compare = true\nhosts = [\"a.acme.example\", ")).is_err());
}

#[test]
fn what_a_credential_says_of_itself_comes_before_any_request() {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let token = ["{\"alg\":\"none\"}", "{\"exp\":1700000000}", "x"].map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    let expired = FoundCredential::alone(Secret::new(token.as_bytes()));
    for open in [false, true] {
        let Plan::Settled(verdict) = plan(&detector(PLAIN), open, &expired, &Endpoints::default(), now()) else {
            panic!("it is settled")
        };
        assert_eq!(verdict.state, Liveness::Dead);
    }
}

#[test]
fn a_detector_that_could_lead_elsewhere_is_refused() {
    assert!(parsed(PLAIN).is_ok());
    let changed = |from: &str, to: &str| parsed(&PLAIN.replace(from, to));
    let hosts = "hosts = [\"api.acme.example\"]";
    for (from, to, word) in [
        ("api.acme.example", "https://api.acme.example", "host name"),
        ("api.acme.example", "example", "host name"),
        ("api.acme.example", "api.acme.example.", "host name"),
        ("api.acme.example", "API.acme.example", "host name"),
        ("api.acme.example", "*.acme.example", "host name"),
        ("api.acme.example", "{region}.example", "two labels"),
        ("api.acme.example", "acme.{region}", "two labels"),
        ("api.acme.example", "x.{region}.{claim.a}.acme.example", "one part"),
        ("api.acme.example", "{secret}.acme.example", "{region}"),
        ("api.acme.example", "{acme-id}.acme.example", "{region}"),
        ("api.acme.example", "x{region}.acme.example", "host name"),
        (hosts, "hosts = []", "names no hosts"),
        (hosts, "host-suffixes = [\"cloud.acme.example\"]", "from a dot on"),
        (hosts, "host-suffixes = [\".example\"]", "from a dot on"),
        (hosts, "host-suffixes = [\".amazonaws.com\"]", "anybody"),
        ("\"GET\"", "\"DELETE\"", "neither GET nor POST"),
        ("/v1/me", "v1/me", "no path"),
        ("/v1/me", "/v1 /me", "no path"),
        ("/v1/me", "/v1/me#x", "no path"),
        ("/v1/me", "/v1/{secret}", "logs"),
        ("/v1/me", "/v1/{basic}", "{basic}"),
        ("live = [200]", "live = [200]\nsecret-in-path = true", "holds nothing of the secret"),
        ("/v1/me", "/v1/{part.id}", "logs"),
        ("Bearer {secret}", "Bearer {part.id}", "needs verify.form"),
        ("live = [200]", "live = [200]\nform = '(?P<id>x).*'", "not used"),
        ("live = [200]", "live = [200]\nform = '(x).*'", "no name"),
        ("live = [200]", "live = [200]\nform = '(x'", "does not parse"),
        ("/v1/me", "/v1/{other-id}", "declared companion"),
        ("Bearer {secret}", "Bearer {other-id}", "declared companion"),
        ("Bearer {secret}", "Basic {basic}", "belong together"),
        ("Bearer {secret}", "Bearer\\n{secret}", "no header may"),
        ("authorization =", "Authorization =", "lower-case"),
        ("authorization =", "host =", "lower-case"),
        ("live = [200]", "live = []", "means that it works"),
        ("live = [200]", "live = [301]", "mean nothing"),
        ("live = [200]", "live = [200, 401]", "two things"),
        ("live = [200]", "live = [200]\nbody = '{\"x\":\"{other-id}\"}'", "declared companion"),
        (
            "live = [200]",
            "live = [200]\nwhen = [{ status = 200, contains = \" \", state = \"dead\" }]",
            "contains nothing",
        ),
        ("live = [200]", "live = [200]\naccount = { Id = \"X-Id\" }", "JSON pointer"),
        ("live = [200]", "live = [200]\nsurprise = 1", "unknown field"),
    ] {
        let reason = changed(from, to).expect_err(to);
        assert!(reason.contains(word), "{to}: {reason}");
    }
    for (from, to) in [
        ("api.acme.example", "{region}.acme.example"),
        ("api.acme.example", "{claim.ref}.acme.example"),
        ("/v1/me", "/v1/{acme-id}/{claim.org}?x={region}&y={tenant}&z={email}"),
        ("/v1/me\"", "/v1/{secret}\"\nsecret-in-path = true"),
        ("/v1/me\"", "/v1/{part.id}\"\nsecret-in-path = true\nform = '(?P<id>acme_.*)'"),
        ("live = [200]", "live = [200]\nbody = '{\"q\":\"query{viewer{id}}\"}'"),
    ] {
        changed(from, to).expect(to);
    }
}

#[test]
fn the_secret_of_a_plan_is_in_no_debug_text() {
    let text =
        format!("{:?}", plan(&detector(PLAIN), false, &found(&[("acme-id", "me")], &[]), &Endpoints::default(), now()));
    let whole = String::from_utf8_lossy(secret().expose()).into_owned();
    assert!(!text.contains(&whole[5..14]), "{text}");
    assert!(Registry::built_in().len() > 300);
}
