//! Gateways that want a header of their own beside the credential: it goes to the endpoint that a person named and nowhere
//! else, it comes from a variable or a file, and no output holds it.

use crate::harness::server::{Received, Reply, Server};
use crate::harness::{Run, Scratch, key};
use crate::suite::leaks::{folder_holds_none, run_holds_none};

/// What the gateway's own header must say, put together so that no file holds it.
fn own() -> String {
    ["gw-", "Qx7pLm3Zt9", "Vb5nRk2Wd8", "Jc4sHf6Gy1", "Te0uMq8Xa5", "Lw2zKv9Bn3"].concat()
}

/// A gateway as Portkey and Cloudflare run them: without its own header and the route it answers nobody; behind it, the
/// provider knows one key.
fn gateway(live: &str) -> Server {
    let live = live.to_owned();
    Server::plain(move |received| {
        let own = received.header("cf-aig-authorization") == Some(&format!("Bearer {}", own()));
        let routed = received.header("x-portkey-provider") == Some("anthropic");
        match (own && routed, received.header("x-api-key")) {
            (false, _) => Reply::status(403, "{\"error\":\"gateway\"}"),
            (true, Some(key)) if key == live => Reply::status(200, "{\"data\":[]}"),
            (true, _) => Reply::status(401, "{\"type\":\"error\"}"),
        }
    })
}

fn scan(scratch: &Scratch, server: &Server, more: &[&str]) -> Run {
    let endpoint = format!("anthropic={}", server.url());
    let asking =
        ["scan", "a.txt", "--format", "jsonl", "--verify", "--allow-insecure-endpoints", "--endpoint", &endpoint];
    let arguments = [&asking[..], more].concat();
    scratch.command(&arguments).env("GATEWAY_HEADER", format!("Bearer {}", own())).run()
}

const HEADERS: [&str; 4] = [
    "--endpoint-header",
    "anthropic=cf-aig-authorization:@GATEWAY_HEADER",
    "--endpoint-header",
    "anthropic=x-portkey-provider: anthropic",
];

fn states(run: &Run) -> Vec<String> {
    let found = run.lines();
    let states = found.iter().filter_map(|line| line["verification"]["state"].as_str());
    let mut states: Vec<String> = states.map(str::to_owned).collect();
    states.sort();
    states
}

#[test]
fn a_gateways_own_headers_are_sent_with_each_request_to_it() {
    let scratch = Scratch::new();
    let (live, dead) = (key(1), key(2));
    scratch.write("a.txt", format!("{live}\n{dead}\n"));
    let server = gateway(&live);
    let run = scan(&scratch, &server, &HEADERS).status(1);
    assert_eq!(states(&run), ["dead", "live"], "{run:?}");
    let requests = server.requests();
    let bare: Vec<&Received> = requests.iter().filter(|received| received.header("x-api-key").is_none()).collect();
    assert_eq!((requests.len(), bare.len()), (3, 1), "a list of models is asked for without the key as well");
    let dressed = |received: &Received| received.header("cf-aig-authorization").is_some();
    assert!(requests.iter().all(dressed) && bare.iter().all(|received| dressed(received)));
    run_holds_none(&run, &[own()]);
    folder_holds_none(&scratch.home(), &[own()]);
}

#[test]
fn without_them_the_gateway_says_nothing_and_its_answer_is_not_taken_for_one_with_them() {
    let scratch = Scratch::new();
    scratch.write("a.txt", key(1));
    let server = gateway(&key(1));
    assert_eq!(states(&scan(&scratch, &server, &[]).status(1)), ["unknown"]);
    assert_eq!(states(&scan(&scratch, &server, &HEADERS).status(1)), ["live"]);
    let asked = server.requests().len();
    assert_eq!(states(&scan(&scratch, &server, &HEADERS).status(1)), ["live"]);
    assert_eq!(server.requests().len(), asked, "that answer is remembered");
    assert_eq!(
        states(&scan(&scratch, &server, &[]).status(1)),
        ["unknown"],
        "but not for a request without the headers"
    );
}

#[test]
fn a_header_of_the_credential_or_of_nobody_is_refused_before_anything_is_sent() {
    let scratch = Scratch::new();
    scratch.write("a.txt", key(1));
    let server = gateway(&key(1));
    let run = scan(&scratch, &server, &["--endpoint-header", "anthropic=x-api-key:@GATEWAY_HEADER"]).status(1);
    assert_eq!(states(&run), ["refused"], "{run:?}");
    for (header, word) in [
        ("openai=x-route: a", "no --endpoint openai=URL"),
        ("anthropic=authorization: Bearer x", "every user of this machine"),
        ("anthropic=x-route:@NOT_THERE", "no variable NOT_THERE"),
        ("anthropic=host: example.com", "connection's own"),
        ("anthropic", "PROVIDER=HEADER:VALUE"),
    ] {
        scan(&scratch, &server, &["--endpoint-header", header]).status(2).says(word);
    }
    assert_eq!(server.connections(), 0);
    scratch.run(&["scan", "a.txt", "--endpoint-header", "anthropic=x-route: a"]).status(2).says("without --verify");
}

#[test]
fn the_list_of_endpoints_names_them_and_tells_no_value() {
    let scratch = Scratch::new();
    let options = ["verify", "--list-endpoints", "--endpoint", "anthropic=https://gateway.example.com"];
    let listing = [&options[..], &HEADERS].concat();
    let run = scratch.command(&listing).env("GATEWAY_HEADER", own()).run().status(0);
    assert!(run.stdout.contains("with cf-aig-authorization, x-portkey-provider"), "{run:?}");
    let json = [&listing[..], &["--format", "json"]].concat();
    let run = scratch.command(&json).env("GATEWAY_HEADER", own()).run().status(0);
    let lines = run.lines();
    let named = lines.iter().find(|line| line["named"] == true).expect("the endpoint");
    assert_eq!(named["headers"], serde_json::json!(["cf-aig-authorization", "x-portkey-provider"]));
    run_holds_none(&run, &[own()]);
}
