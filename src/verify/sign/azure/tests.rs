//! Tests on the vector that Cosmos DB publishes; Storage and Service Bus publish none with a key, so theirs were reckoned
//! apart from this program.

use super::*;
use crate::verify::exchange::Endpoint;
use crate::verify::testing::now;

fn clock() -> Clock {
    Clock::at(now()).expect("a clock")
}

fn header(request: &Request, name: &str) -> String {
    let (_, value) = request.headers.iter().find(|(known, _)| known == name).expect("the header");
    String::from_utf8(value.expose().to_vec()).expect("text")
}

#[test]
fn a_request_to_storage_has_the_signature_that_was_reckoned_apart() {
    let secret = Secret::new(STANDARD.encode((0..64).collect::<Vec<u8>>()).as_bytes());
    let host = Endpoint::of_host("acme1.blob.core.windows.net");
    for path in ["/?comp=properties&restype=service", "/?restype=service&comp=properties"] {
        let mut request = Request::new(host.clone(), "GET", path);
        add(&mut request, "x-ms-version", "2021-08-06");
        add(&mut request, "accept", "application/xml");
        storage(&mut request, "acme1", &secret, &clock()).expect("signed");
        assert_eq!(header(&request, "x-ms-date"), "Mon, 01 Jun 2026 00:00:00 GMT");
        let expected = "SharedKey acme1:r20sPqeuYQCQ6k9Pomcf9MKzb3omMCPINjds9OEoYwA=";
        assert_eq!(header(&request, "authorization"), expected, "{path}");
    }
}

#[test]
fn cosmos_has_its_documented_signature() {
    let key = ["dsZQi3KtZmCv1ljt3VNW", "Nm7sQUF1y5rJfC6kv5JiwvW0EndX", "dDku/dkKBp8/ufDToSxLzR4y+O/0H/t4bQtVNw=="];
    let mut request = Request::new(Endpoint::of_host("a.documents.azure.com"), "GET", "/dbs/ToDoList");
    let moment = "2017-04-27T00:51:12Z".parse().expect("a moment");
    let secret = Secret::new(key.concat().as_bytes());
    cosmos(&mut request, &secret, &Clock::at(moment).expect("a clock")).expect("signed");
    let expected = "type%3Dmaster%26ver%3D1.0%26sig%3Dc09PEVJrgp2uQRkr934kFbTqhByc7TVr3OHyqlu%2Bc%2Bc%3D";
    assert_eq!(header(&request, "authorization"), expected);
    assert_eq!(header(&request, "x-ms-date"), "Thu, 27 Apr 2017 00:51:12 GMT");
}

#[test]
fn a_shared_access_signature_is_the_one_that_was_reckoned_apart() {
    let mut request = Request::new(Endpoint::of_host("acme1.servicebus.windows.net"), "GET", "/");
    messaging(&mut request, "Root", &Secret::new(b"a secret of nobody"), &clock()).expect("signed");
    assert_eq!(
        header(&request, "authorization"),
        "SharedAccessSignature sr=https%3A%2F%2Facme1.servicebus.windows.net%2F\
         &sig=ZvJYD2FO20ULO3TGreD%2F672wK2V2mfIz4tMfgLDFs4U%3D&se=1780272300&skn=Root"
    );
}

#[test]
fn what_is_no_base64_signs_nothing() {
    let mut request = Request::new(Endpoint::of_host("a.documents.azure.com"), "GET", "/");
    assert!(cosmos(&mut request, &Secret::new(b"not base64!"), &clock()).is_err());
    assert!(storage(&mut request, "acme1", &Secret::new(b"not base64!"), &clock()).is_err());
}
