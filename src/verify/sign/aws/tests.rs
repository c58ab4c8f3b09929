//! Tests of signatures on the vectors that AWS publishes: the example of its documentation and its test suite.

use super::*;
use crate::verify::exchange::Endpoint;
use crate::verify::testing::{PLAIN, detector, found, now};

/// The key pair of AWS's documentation, made of pieces: no file holds a key, not even a documented one.
fn documented() -> (String, Secret) {
    let secret = ["wJalrXUtn", "FEMI/K7MDENG+bPx", "RfiCYEXAMPLEKEY"].concat();
    (["AKID", "EXAMPLE"].concat(), Secret::new(secret.as_bytes()))
}

/// Signs as the test suite does: on 2015-08-30 in us-east-1, and returns the signature and the signed headers.
fn signed(mut request: Request, service: &str, token: Option<&Secret>) -> (String, String) {
    let (key_id, secret) = documented();
    let signer = Signer { key_id: &key_id, secret: &secret, token, region: "us-east-1", service };
    signer.sign(&mut request, "2015-08-30T12:36:00Z".parse().expect("a moment")).expect("a signature");
    let (_, value) = request.headers.iter().find(|(name, _)| name == "authorization").expect("it is signed");
    let value = String::from_utf8(value.expose().to_vec()).expect("text");
    let after = |mark: &str| value.split(mark).nth(1).expect("the mark").split(',').next().expect("a field").to_owned();
    (after("Signature="), after("SignedHeaders="))
}

fn request(method: &str, path: &str) -> Request {
    Request::new(Endpoint::of_host("example.amazonaws.com"), method, path)
}

fn with(mut request: Request, name: &str, value: &str) -> Request {
    request.headers.push((name.to_owned(), Secret::new(value.as_bytes())));
    request
}

#[test]
fn the_documented_example_has_its_documented_signature() {
    let request = Request::new(Endpoint::of_host("iam.amazonaws.com"), "GET", "/?Action=ListUsers&Version=2010-05-08");
    let request = with(request, "content-type", "application/x-www-form-urlencoded; charset=utf-8");
    let (signature, headers) = signed(request, "iam", None);
    assert_eq!(signature, "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7");
    assert_eq!(headers, "content-type;host;x-amz-date");
}

#[test]
fn the_test_suite_is_signed_as_published() {
    for (name, request, expected) in [
        ("get-vanilla", request("GET", "/"), "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ("post-vanilla", request("POST", "/"), "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            "get-vanilla-query-order-key-case",
            request("GET", "/?Param2=value2&Param1=value1"),
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            "post-header-value-case",
            with(request("POST", "/"), "my-header1", "VALUE1"),
            "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
        ),
        (
            "get-header-value-trim",
            with(with(request("GET", "/"), "my-header1", " value1"), "my-header2", " \"a   b   c\""),
            "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
        ),
    ] {
        assert_eq!(signed(request, "service", None).0, expected, "{name}");
    }
}

#[test]
fn a_form_in_the_body_is_part_of_the_signature() {
    let mut form = with(request("POST", "/"), "content-type", "application/x-www-form-urlencoded");
    form.body = Some(Secret::new(b"Param1=value1"));
    let (signature, _) = signed(form, "service", None);
    assert_eq!(signature, "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a");
}

#[test]
fn the_token_of_a_temporary_key_is_a_signed_header() {
    let token = [
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKW",
        "HGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4",
        "IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE",
        "8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yj",
        "c8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==",
    ];
    let token = Secret::new(token.concat().as_bytes());
    let (signature, headers) = signed(request("POST", "/"), "service", Some(&token));
    assert_eq!(signature, "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
    assert_eq!(headers, "host;x-amz-date;x-amz-security-token");
}

#[test]
fn service_and_region_are_those_of_the_host() {
    for (host, service, region) in [
        ("sts.amazonaws.com", "sts", "us-east-1"),
        ("sts.eu-central-1.amazonaws.com", "sts", "eu-central-1"),
        ("sts.cn-north-1.amazonaws.com.cn", "sts", "cn-north-1"),
        ("sts.us-gov-west-1.amazonaws.com", "sts", "us-gov-west-1"),
        ("127.0.0.1", "sts", "us-east-1"),
    ] {
        assert_eq!(scope_of(host), (service.to_owned(), region.to_owned()), "{host}");
    }
}

#[test]
fn regions_are_told_from_other_labels() {
    for label in ["us-east-1", "ap-southeast-2", "us-gov-west-1", "mx-central-1", "me-south-10"] {
        assert!(is_region(label), "{label}");
    }
    for label in [
        "",
        "bedrock",
        "us-east",
        "us-east-a",
        "use-east-1",
        "us-east-1a",
        "a-b-1",
        "compute-1",
        "us--1",
        "us-east-100",
    ] {
        assert!(!is_region(label), "{label}");
    }
}

fn sign(companions: &[(&str, &str)]) -> Result<Request, Refusal> {
    let found = found(companions, &[]);
    let mut request = Request::new(Endpoint::of_host("sts.amazonaws.com"), "POST", "/");
    let detector = detector(PLAIN);
    let verify = detector.verify.as_ref().expect("verify");
    sign_found(&mut request, &found.secret, &Parts::new(&found, verify, now()), now()).map(|()| request)
}

#[test]
fn a_temporary_key_needs_its_token_and_no_other_has_one() {
    let lasting = ["AKIA", "QQQQ7ABCDEFGHIJK"].concat();
    let temporary = ["ASIA", "QQQQ7ABCDEFGHIJK"].concat();
    let header = |request: &Request, name: &str| request.headers.iter().any(|(known, _)| known == name);
    assert!(sign(&[]).is_err());
    assert!(sign(&[(KEY_ID, &temporary)]).is_err());
    assert!(sign(&[(KEY_ID, &lasting), (KEY_ID, &temporary)]).is_err());
    assert!(header(&sign(&[(KEY_ID, &temporary), (SESSION_TOKEN, "t0ken")]).expect("signed"), "x-amz-security-token"));
    assert!(!header(&sign(&[(KEY_ID, &lasting), (SESSION_TOKEN, "t0ken")]).expect("signed"), "x-amz-security-token"));
}

#[test]
fn the_secret_is_nowhere_in_a_signed_request() {
    let lasting = ["AKIA", "QQQQ7ABCDEFGHIJK"].concat();
    let request = sign(&[(KEY_ID, &lasting)]).expect("signed");
    let secret = crate::verify::testing::secret();
    for (name, value) in &request.headers {
        assert!(memchr::memmem::find(value.expose(), secret.expose()).is_none(), "{name}");
    }
}
