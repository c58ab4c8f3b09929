//! Tests of what `--endpoint` takes and what the list names.

use super::*;
use crate::detector::registry::Registry;

fn parse(values: &[&str], insecure: bool) -> Result<Endpoints> {
    Endpoints::parse(values, Registry::built_in().detectors(), insecure)
}

fn one(url: &str, insecure: bool) -> Option<Endpoint> {
    parse(&[&format!("openai={url}")], insecure).ok().and_then(|endpoints| endpoints.of("openai").cloned())
}

#[test]
fn a_url_is_taken_apart_and_its_base_path_kept() {
    let endpoint = one("https://Gateway.Example.com:8443/team-1/v1/", false).expect("an endpoint");
    assert_eq!(endpoint.host, "gateway.example.com");
    assert_eq!(endpoint.port, Some(8443));
    assert_eq!(endpoint.base_path, "/team-1/v1");
    assert!(endpoint.secure && endpoint.named);
    assert_eq!(one("https://gateway.example.com", false).expect("an endpoint").base_path, "");
    assert_eq!(one("https://[2001:DB8::1]:9/x", false).expect("an endpoint").host, "[2001:db8::1]");
    assert_eq!(one("https://192.0.2.7", false).expect("an endpoint").host, "192.0.2.7");
    assert_eq!(one("https://localhost:1", false).expect("an endpoint").dialled_port(), 1);
}

#[test]
fn http_needs_leave() {
    assert!(one("http://127.0.0.1:4000", false).is_none());
    let endpoint = one("http://127.0.0.1:4000", true).expect("an endpoint");
    assert!(!endpoint.secure);
}

#[test]
fn what_could_lead_elsewhere_is_refused() {
    for url in [
        "",
        "gateway.example.com",
        "ftp://gateway.example.com",
        "https://",
        "https:///v1",
        "https://user@gateway.example.com",
        "https://user:word@gateway.example.com",
        "https://gateway.example.com?x=1",
        "https://gateway.example.com/#x",
        "https://gateway.example.com/a/../b",
        "https://gateway.example.com/./b",
        "https://gateway.example.com//b",
        "https://gateway.example.com/a\\b",
        "https://gate way.example.com",
        "https://gateway_example.com",
        "https://-gateway.example.com",
        "https://gateway..example.com",
        "https://gateway.example.com:0",
        "https://gateway.example.com:65536",
        "https://gateway.example.com:",
        "https://gateway.example.com:+80",
        "https://127.1",
        "https://2130706433",
        "https://[::1",
        "https://[gateway]",
        "https://[::1]x",
        "https://g\u{e4}teway.example.com",
    ] {
        assert!(one(url, false).is_none(), "{url}");
    }
    assert!(one(&format!("https://{}.example.com", "a".repeat(64)), false).is_none());
    assert!(one(&format!("https://a.example.com/{}", "a".repeat(4000)), false).is_none());
}

#[test]
fn providers_must_exist_and_be_named_once_and_no_fault_repeats_the_url() {
    assert!(parse(&["nobody=https://a.example.com"], false).is_err());
    assert!(parse(&["openai"], false).is_err());
    assert!(parse(&["openai=https://a.example.com", "openai=https://b.example.com"], false).is_err());
    let fault = parse(&["openai=https://me:hunter2@a.example.com"], false).expect_err("a fault").to_string();
    assert!(!fault.contains("hunter2") && fault.contains("openai"), "{fault}");
}

#[test]
fn the_list_names_every_host_of_every_detector_and_what_a_person_named_instead() {
    let registry = Registry::built_in();
    let list = Endpoints::default().list(registry.detectors());
    let has = |provider: &str, place: &str| list.iter().any(|item| item.provider == provider && item.place == place);
    assert!(has("openai", "https://api.openai.com"));
    assert!(has("azure", "https://*.openai.azure.com"));
    assert!(has("aws", "https://sts.amazonaws.com"));
    assert!(has("aws", "https://bedrock.{region}.amazonaws.com"));
    assert!(list.is_sorted());
    let named = parse(&["azure=https://me.openai.azure.com/x"], false).expect("endpoints").list(registry.detectors());
    let azure: Vec<_> = named.iter().filter(|item| item.provider == "azure").collect();
    assert_eq!(azure.len(), 1);
    assert!(azure[0].named && azure[0].place == "https://me.openai.azure.com/x");
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic_and_what_it_takes_is_one_host(text in "\\PC{0,60}") {
        if let Some(endpoint) = one(&format!("https://{text}"), false) {
            proptest::prop_assert!(!endpoint.host.contains(['@', '/', '?', '#', ' ']));
            let authority = text.split('/').next().unwrap_or_default().to_ascii_lowercase();
            proptest::prop_assert!(authority.starts_with(&endpoint.host));
        }
    }
}

#[test]
fn a_header_goes_to_the_endpoint_of_its_provider_alone() {
    let mut endpoints = parse(&["openai=https://gateway.example.com"], false).expect("an endpoint");
    let value = || Secret::new(b"the gateway's own");
    endpoints.add_header("openai", "CF-AIG-Authorization", value()).expect("added");
    assert_eq!(endpoints.header_names("openai"), ["cf-aig-authorization"]);
    assert!(endpoints.header_names("anthropic").is_empty());
    let dressed = |endpoint: Endpoint, carriers: &[&str]| {
        let mut request = Request::new(endpoint, "GET", "/");
        endpoints.dress("openai", &mut request, carriers).map(|()| request.headers.len())
    };
    let named = || endpoints.of("openai").expect("an endpoint").clone();
    assert_eq!(dressed(named(), &["authorization"]), Ok(1));
    assert_eq!(dressed(Endpoint::of_host("api.openai.com"), &[]), Ok(0), "only where a person named it");
    assert!(dressed(named(), &["cf-aig-authorization"]).is_err(), "the credential's own header is kept");
    let other = parse(&["openai=https://gateway.example.com"], false).expect("an endpoint");
    assert_ne!(endpoints.header_mark("openai"), other.header_mark("openai"));
    assert_eq!(endpoints.header_mark("anthropic"), other.header_mark("openai"));
    assert!(!format!("{endpoints:?}").contains("gateway's"), "no value is printed");
}

#[test]
fn a_header_that_no_gateway_may_want_is_refused() {
    let mut endpoints = parse(&["openai=https://gateway.example.com"], false).expect("an endpoint");
    let mut refused = |provider: &str, name: &str, value: &[u8]| {
        let error = endpoints.add_header(provider, name, Secret::new(value)).expect_err(name).to_string();
        assert!(!error.contains("value-of-it"), "{error}");
        error
    };
    assert!(refused("anthropic", "x-a", b"value-of-it").contains("--endpoint anthropic=URL"));
    for name in ["", "x a", "x:a", "x\na", "\u{e9}", &"x".repeat(65)] {
        assert!(refused("openai", name, b"value-of-it").contains("name of a header"), "{name}");
    }
    for name in ["Host", "content-length", "transfer-encoding", "connection"] {
        assert!(refused("openai", name, b"value-of-it").contains("connection's own"), "{name}");
    }
    for value in [&b""[..], b"value-of-it\r\nx: y", b" value-of-it", b"value-of-it\0", &[b'x'; 9000]] {
        assert!(refused("openai", "x-a", value).contains("printable"), "{value:?}");
    }
    endpoints.add_header("openai", "x-a", Secret::new(b"1")).expect("added");
    assert!(endpoints.add_header("openai", "X-A", Secret::new(b"2")).is_err(), "twice");
}
