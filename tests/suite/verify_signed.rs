//! Checks that a secret signs instead of being sent: what a provider's server gets, what its answers mean, and what is asked
//! where the public half is missing, another's, or at an address that is no provider's.

use credtrace::detector::example::{Generator, expand};
use serde_json::{Value, json};

use crate::harness::rsa_key::{rsa_claims, rsa_pkcs1_pem, rsa_pkcs8_base64, rsa_pkcs8_pem};
use crate::harness::server::{Received, Reply, Server};
use crate::harness::{Run, Scratch};
use crate::suite::leaks::{folder_holds_none, run_holds_none};

/// The id of the App whose key the tests' key is.
const APP: &str = "123456";
/// What GitHub says of a token that no key of the App signed.
const UNDECODED: &str = "{\"message\":\"A JSON web token could not be decoded\"}";

fn claims(received: &Received) -> Option<Value> {
    let token = received.header("authorization")?.strip_prefix("Bearer ")?;
    serde_json::from_str(&rsa_claims(token)?).ok()
}

/// GitHub as it answers about Apps: it knows one, by its id.
fn github(received: &Received) -> Reply {
    match claims(received) {
        Some(claims) if claims["iss"] == APP && received.path == "/app" => {
            let owner = json!({"login": "acme", "type": "Organization"});
            let app = json!({"id": 123_456, "slug": "deployer", "owner": owner, "permissions": {"contents": "write"}});
            Reply::status(200, &app.to_string())
        }
        Some(claims) if claims["iss"] == "999999" => Reply::status(404, "{\"message\":\"Integration not found\"}"),
        _ => Reply::status(401, UNDECODED),
    }
}

fn scan(scratch: &Scratch, provider: &str, server: &Server, text: &str) -> Run {
    scratch.write("a.txt", text);
    let endpoint = format!("{provider}={}", server.url());
    scratch.scan(&["a.txt", "--verify", "--verify-max-age", "0", "--allow-insecure-endpoints", "--endpoint", &endpoint])
}

/// The verdict on the one finding of a detector.
fn verdict(run: &Run, detector: &str) -> Value {
    let lines = run.lines();
    let found = lines.iter().find(|line| line["detector"] == detector);
    found.unwrap_or_else(|| panic!("{detector} is found: {run:?}"))["verification"].clone()
}

fn reason(verdict: &Value) -> &str {
    verdict["reason"].as_str().unwrap_or_default()
}

/// A private key as it leaks: in an env file, in YAML, in JSON.
fn notations(app: &str) -> [String; 4] {
    let (real, written) = (rsa_pkcs1_pem("\n"), rsa_pkcs1_pem("\\n"));
    let indented = rsa_pkcs1_pem("\n    ");
    [
        format!("GITHUB_APP_ID={app}\nGITHUB_APP_PRIVATE_KEY=\"{real}\"\n"),
        format!("export GITHUB_APP_PRIVATE_KEY='{}'\nexport GITHUB_APP_ID='{app}'\n", rsa_pkcs8_pem("\\n")),
        format!("github-app:\n  private-key: |\n    {indented}\n  app-id: {app}\n"),
        format!("{{\"app_id\": {app}, \"name\": \"deployer\", \"private_key\": \"{written}\\n\"}}\n"),
    ]
}

#[test]
fn a_github_apps_key_is_live_with_its_app_in_every_notation() {
    let scratch = Scratch::new();
    for text in notations(APP) {
        let server = Server::plain(github);
        let run = scan(&scratch, "github", &server, &text).status(1);
        let said = verdict(&run, "github-app-private-key");
        assert_eq!(said["state"], "live", "{said} {text}");
        let account = &said["account"];
        assert_eq!(
            (&account["app"], &account["owner"], &account["contents"]),
            (&"deployer".into(), &"acme".into(), &"write".into())
        );
        let claims = claims(&server.requests()[0]).expect("a token");
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 600);
        let piece = rsa_pkcs1_pem("")[60..100].to_owned();
        assert!(!String::from_utf8_lossy(&server.bytes()).contains(&piece), "the key itself is never sent");
        run_holds_none(&run, std::slice::from_ref(&piece));
        folder_holds_none(&scratch.home(), &[piece]);
    }
}

#[test]
fn a_key_beside_another_apps_id_is_unknown_and_never_dead() {
    let scratch = Scratch::new();
    for (app, word) in [("654321", "could not be decoded"), ("999999", "Integration not found")] {
        for text in notations(app) {
            let run = scan(&scratch, "github", &Server::plain(github), &text).status(1);
            let said = verdict(&run, "github-app-private-key");
            assert_eq!(said["state"], "unknown", "{said}");
            assert!(reason(&said).contains(word) && reason(&said).contains("belonged to another"), "{said}");
        }
    }
}

#[test]
fn without_one_apps_id_or_with_a_key_that_is_none_nobody_is_asked() {
    let scratch = Scratch::new();
    let server = Server::plain(github);
    let key = format!("GITHUB_APP_PRIVATE_KEY=\"{}\"\n", rsa_pkcs1_pem("\n"));
    let cases = [
        (key.clone(), "unknown", "app_id"),
        (format!("GITHUB_APP_ID=1234\nOTHER_GITHUB_APP_ID=5678\n{key}"), "refused", "2 different values"),
        (format!("GITHUB_APP_ID=1234\n{}", key.replacen(&key[300..304], "AAAA", 1)), "unknown", "no private RSA key"),
    ];
    for (text, state, word) in cases {
        let said = verdict(&scan(&scratch, "github", &server, &text).status(1), "github-app-private-key");
        assert_eq!(said["state"], state, "{said}");
        assert!(reason(&said).contains(word), "{said}");
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn answers_that_are_none_and_servers_that_are_none_say_nothing() {
    let scratch = Scratch::new();
    let text = &notations(APP)[0];
    let page = "<!doctype html><title>Sign in</title>";
    for (reply, word) in [
        (Reply::Answer(200, vec![("content-type".into(), "text/html".into())], page.into()), "page of HTML"),
        (Reply::Answer(200, Vec::new(), b"{\"slug\":".to_vec()), "no JSON"),
        (Reply::Answer(302, vec![("location".into(), "https://example.com/".into())], Vec::new()), "redirect"),
        (Reply::Raw(b"nonsense\r\n\r\n".to_vec()), "no answer that can be read"),
        (Reply::status(503, "{}"), "fault"),
    ] {
        let reply = std::sync::Mutex::new(reply);
        let server = Server::plain(move |_| reply.lock().unwrap().clone());
        let said = verdict(&scan(&scratch, "github", &server, text).status(1), "github-app-private-key");
        assert_eq!(said["state"], "unknown", "{said}");
        assert!(reason(&said).contains(word), "{word}: {said}");
    }
    let closed = Server::plain(github).url();
    let endpoint = format!("github={closed}");
    let asking = ["a.txt", "--verify", "--endpoint", &endpoint];
    let run = scratch.scan(&[&asking[..], &["--allow-insecure-endpoints"]].concat()).status(1);
    assert!(reason(&verdict(&run, "github-app-private-key")).contains("no connection"), "{run:?}");
    // Without the word of a person, an address of this machine is no provider's.
    let run = scratch.scan(&["a.txt", "--verify", "--endpoint", "github=https://127.0.0.1:9"]).status(1);
    assert!(reason(&verdict(&run, "github-app-private-key")).contains("loopback address; nothing was sent"), "{run:?}");
}

#[test]
fn a_person_names_the_app_of_a_key_on_standard_input() {
    let scratch = Scratch::new();
    let server = Server::plain(github);
    let endpoint = format!("github={}", server.url());
    let options =
        ["verify", "--detector", "github-app-private-key", "--allow-insecure-endpoints", "--endpoint", &endpoint];
    let ask = |more: &[&str]| scratch.command(&[&options[..], more].concat()).input(rsa_pkcs1_pem("\n")).run();
    let run = ask(&["--near", "app=123456"]).status(1);
    assert!(run.stdout.contains("Live") && run.stdout.contains("deployer"), "{run:?}");
    ask(&[]).status(2).says("--near: app");
    ask(&["--near", "app"]).status(2).says("NAME=VALUE");
    ask(&["--near", "user=x"]).status(2).says("it needs app");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_snowflake_key_pair_is_asked_about_as_its_account_and_user() {
    let scratch = Scratch::new();
    let answering = |received: &Received| match claims(received) {
        Some(claims) if claims["sub"] == "XY12345.LOADER" => {
            Reply::status(200, "{\"data\":[[\"LOADER\",\"SYSADMIN\"]]}")
        }
        _ => Reply::status(401, "{\"code\":\"390144\",\"message\":\"JWT token is invalid. [0ce9]\"}"),
    };
    for key in [rsa_pkcs8_base64(), rsa_pkcs8_pem("\\n")] {
        for (user, state) in [("loader", "live"), ("other", "unknown")] {
            let text = format!(
                "SNOWFLAKE_ACCOUNT=xy12345.eu-west-1\nSNOWFLAKE_USER={user}\nSNOWFLAKE_PRIVATE_KEY=\"{key}\"\n"
            );
            let server = Server::plain(answering);
            let said = verdict(&scan(&scratch, "snowflake", &server, &text).status(1), "snowflake-private-key");
            assert_eq!(said["state"], state, "{said}");
            let received = &server.requests()[0];
            assert_eq!(received.header("x-snowflake-authorization-token-type"), Some("KEYPAIR_JWT"));
            assert_eq!(received.path, "/api/v2/statements");
        }
    }
}

/// A text with shapes in it, expanded.
fn expanded(text: &str, seed: u64) -> String {
    String::from_utf8(expand(text, &mut Generator::new(seed)).unwrap()).unwrap()
}

/// What is signed with, its text, its provider, and what the provider's answers mean.
type Signed = (&'static str, &'static str, &'static str, &'static [(u16, &'static str, &'static str)]);

const SIGNED: [Signed; 9] = [
    (
        "alibaba-access-key-secret",
        "ALIBABA_CLOUD_ACCESS_KEY_ID=LTAI{20:alnum}\nALIBABA_CLOUD_ACCESS_KEY_SECRET={30:alnum}\n",
        "alibaba",
        &[
            (200, "{\"AccountId\":\"1\",\"Arn\":\"acs:ram::1:user/x\"}", "live"),
            (404, "{\"Code\":\"InvalidAccessKeyId.NotFound\"}", "dead"),
            (400, "{\"Code\":\"SignatureDoesNotMatch\"}", "unknown"),
        ],
    ),
    (
        "tencent-secret-key",
        "TENCENTCLOUD_SECRET_ID=AKID{32:alnum}\nTENCENTCLOUD_SECRET_KEY={32:alnum}\n",
        "tencent",
        &[
            (200, "{\"Response\":{\"Arn\":\"qcs::cam::uin/1:uin/1\",\"AccountId\":\"1\"}}", "live"),
            (200, "{\"Response\":{\"Error\":{\"Code\":\"AuthFailure.SecretIdNotFound\"}}}", "dead"),
            (200, "{\"Response\":{\"Error\":{\"Code\":\"AuthFailure.SignatureFailure\"}}}", "unknown"),
            (200, "{\"Response\":{\"Error\":{\"Code\":\"RequestLimitExceeded\"}}}", "unknown"),
        ],
    ),
    (
        "volcengine-secret-access-key",
        "VOLC_ACCESSKEY=AKLT{47:url}\nVOLC_SECRETKEY={58:alnum}==\n",
        "volcengine",
        &[
            (200, "{\"Result\":{\"AccountId\":1,\"Trn\":\"trn:iam::1:user/x\"}}", "live"),
            (401, "{\"ResponseMetadata\":{\"Error\":{\"Code\":\"InvalidAccessKey\"}}}", "dead"),
            (401, "{\"ResponseMetadata\":{\"Error\":{\"Code\":\"SignatureDoesNotMatch\"}}}", "unknown"),
        ],
    ),
    (
        "azure-storage-key",
        "DefaultEndpointsProtocol=https;AccountName=acme1;AccountKey={76:base64}+ASt{6:base64}==;EndpointSuffix=core.windows.net\n",
        "azure",
        &[
            (200, "<?xml version=\"1.0\"?><StorageServiceProperties/>", "live"),
            (403, "<Error>The MAC signature found in the HTTP request 'x' is not the same</Error>", "dead"),
            (403, "<Error>Request date header too old</Error>", "unknown"),
        ],
    ),
    (
        "azure-cosmos-key",
        "AccountEndpoint=https://acme1.documents.azure.com:443/;AccountKey={76:base64}ACDb{6:base64}==;\n",
        "azure",
        &[
            (200, "{\"id\":\"acme1\",\"writableLocations\":[{\"name\":\"West Europe\"}]}", "live"),
            (401, "{\"code\":\"Unauthorized\"}", "dead"),
            (403, "{\"code\":\"Forbidden\"}", "unknown"),
        ],
    ),
    (
        "azure-messaging-connection-string",
        "Endpoint=sb://acme1.servicebus.windows.net/;SharedAccessKeyName=Root;SharedAccessKey={43:base64}=\n",
        "azure",
        &[
            (200, "<feed xmlns=\"http://www.w3.org/2005/Atom\"/>", "live"),
            (401, "<Error>Manage,EntityRead claims required for this operation</Error>", "limited"),
            (401, "<Error>InvalidSignature: The token has an invalid signature.</Error>", "unknown"),
        ],
    ),
    (
        "livekit-api-secret",
        "LIVEKIT_URL=wss://acme1.livekit.cloud\nLIVEKIT_API_KEY=API{12:alnum}\nLIVEKIT_API_SECRET={44:alnum}\n",
        "livekit",
        &[
            (200, "{\"rooms\":[]}", "live"),
            (401, "invalid API key: x", "dead"),
            (401, "invalid token: x, error: go-jose/go-jose: error in cryptographic primitive", "unknown"),
        ],
    ),
    (
        "kling-secret-key",
        "KLING_ACCESS_KEY=AAAA\nKLING_SECRET_KEY={32:alnum}\n",
        "kling",
        &[
            (200, "{\"code\":0,\"message\":\"SUCCEED\",\"data\":{}}", "live"),
            (200, "{\"code\":1200,\"message\":\"x\"}", "unknown"),
            (401, "{\"code\":1002,\"message\":\"x\"}", "unknown"),
        ],
    ),
    (
        "aws-secret-access-key",
        "AWS_ACCESS_KEY_ID=AKIAQ{15:[A-Z2-7]}\nAWS_SECRET_ACCESS_KEY={40:base64}\n",
        "aws",
        &[
            (403, "<Error><Code>InvalidClientTokenId</Code></Error>", "dead"),
            (403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", "unknown"),
        ],
    ),
];

#[test]
fn each_way_of_signing_sends_a_signature_and_takes_the_documented_answers() {
    let scratch = Scratch::new();
    for (index, (detector, text, provider, answers)) in SIGNED.into_iter().enumerate() {
        let text = expanded(text, 40 + index as u64);
        for (status, body, state) in answers.iter().copied() {
            let server = Server::plain(move |_| Reply::Answer(status, Vec::new(), body.as_bytes().to_vec()));
            let run = scan(&scratch, provider, &server, &text).status(1);
            let said = verdict(&run, detector);
            assert_eq!(said["state"], state, "{detector} {status} {body}: {said}");
            let received = &server.requests()[0];
            assert!(received.header("authorization").is_some(), "{detector}");
            let secret = text.split(['=', ';', '\n']).rfind(|piece| piece.len() >= 30 && !piece.contains("://"));
            let secret = secret.expect("a secret").get(..24).expect("it is long");
            assert!(!String::from_utf8_lossy(&server.bytes()).contains(secret), "{detector}: the secret is sent");
        }
    }
}

#[test]
fn a_signing_secret_without_its_public_half_is_told_and_nothing_is_sent() {
    let scratch = Scratch::new();
    let server = Server::plain(|_| Reply::status(200, "{}"));
    for (text, provider, detector, word) in [
        (
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET={30:alnum}\n",
            "alibaba",
            "alibaba-access-key-secret",
            "alibaba-access-key-id",
        ),
        ("LIVEKIT_API_SECRET={44:alnum}\n", "livekit", "livekit-api-secret", "livekit-api-key"),
        ("AZURE_STORAGE_KEY={76:base64}+ASt{6:base64}==\n", "azure", "azure-storage-key", "accountname"),
    ] {
        let run = scan(&scratch, provider, &server, &expanded(text, 70)).status(1);
        let said = verdict(&run, detector);
        assert_eq!(said["state"], "unknown", "{said}");
        assert!(reason(&said).contains(word), "{said}");
    }
    assert_eq!(server.connections(), 0);
}
