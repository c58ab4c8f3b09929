//! Tests on the vectors that the clouds publish, and, where one publishes none with a key, on one reckoned apart from this
//! program.

use super::*;
use crate::verify::exchange::Endpoint;
use crate::verify::testing::now;

fn header(request: &Request, name: &str) -> String {
    let (_, value) = request.headers.iter().find(|(known, _)| known == name).expect("the header");
    String::from_utf8(value.expose().to_vec()).expect("text")
}

fn with(mut request: Request, headers: &[(&str, &str)]) -> Request {
    headers.iter().for_each(|(name, value)| add(&mut request, name, value));
    request
}

#[test]
fn alibabas_example_has_its_documented_signature() {
    let path = "/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai";
    let request = Request::new(Endpoint::of_host("ecs.cn-shanghai.aliyuncs.com"), "POST", path);
    let mut request = with(request, &[("x-acs-action", "RunInstances"), ("x-acs-version", "2014-05-26")]);
    let secret = Secret::new(b"YourAccessKeySecret");
    let nonce = "3156853299f313e23d1673dc12e1703d";
    alibaba_at(&mut request, "YourAccessKeyId", &secret, "2023-10-26T10:22:32Z", nonce);
    assert_eq!(
        header(&request, "authorization"),
        "ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;\
         x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
    );
}

#[test]
fn alibabas_nonce_is_new_at_each_moment_and_holds_nothing() {
    let secret = Secret::new(b"YourAccessKeySecret");
    let nonce = |seconds: i64| {
        let mut request = Request::new(Endpoint::of_host("sts.aliyuncs.com"), "POST", "/");
        let moment = now().saturating_add(jiff::SignedDuration::from_secs(seconds)).expect("a moment");
        alibaba(&mut request, "id", &secret, &Clock::at(moment).expect("a clock")).expect("signed");
        header(&request, "x-acs-signature-nonce")
    };
    assert_eq!(nonce(0), nonce(0));
    assert_ne!(nonce(0), nonce(1));
    assert_eq!(nonce(0).len(), 32);
}

#[test]
fn tencents_example_has_its_documented_signature() {
    let mut request = Request::new(Endpoint::of_host("cvm.tencentcloudapi.com"), "POST", "/");
    request = with(request, &[("content-type", "application/json; charset=utf-8")]);
    let body = r#"{"Limit": 1, "Filters": [{"Values": ["\u672a\u547d\u540d"], "Name": "instance-name"}]}"#;
    request.body = Some(Secret::new(body.as_bytes()));
    let secret = Secret::new(["Gu5t9xGARNpq86", "cd98joQYCN3", "EXAMPLE"].concat().as_bytes());
    let moment = jiff::Timestamp::from_second(1_551_113_065).expect("a moment");
    tencent(&mut request, "id", &secret, &Clock::at(moment).expect("a clock")).expect("signed");
    assert_eq!(
        header(&request, "authorization"),
        "TC3-HMAC-SHA256 Credential=id/2019-02-25/cvm/tc3_request, SignedHeaders=content-type;host, \
         Signature=72e494ea809ad7a8c8f7a4507b9bddcbaa8e581f516e8da2f66e2c5a96525168"
    );
    assert_eq!(header(&request, "x-tc-timestamp"), "1551113065");
}

#[test]
fn volcengines_signature_is_the_one_that_was_reckoned_apart() {
    let path = "/?Action=GetCallerIdentity&Version=2018-01-01";
    let mut request = Request::new(Endpoint::of_host("sts.volcengineapi.com"), "GET", path);
    let secret = Secret::new(b"a secret of nobody");
    volcengine(&mut request, "id", &secret, &Clock::at(now()).expect("a clock")).expect("signed");
    assert_eq!(
        header(&request, "authorization"),
        "HMAC-SHA256 Credential=id/20260601/cn-beijing/sts/request, SignedHeaders=host;x-content-sha256;x-date, \
         Signature=f927ecdec9bd0c1205bb5addca517500c5073a24e72961a75763801692b2ebcb"
    );
}

#[test]
fn at_an_endpoint_of_ones_own_the_service_is_the_one_that_tells_who_it_is() {
    for (host, service) in [("iam.volcengineapi.com", "iam"), ("127.0.0.1", "sts"), ("proxy.example.com", "sts")] {
        let request = Request::new(Endpoint::of_host(host), "GET", "/");
        assert_eq!(service_of(&request, ".volcengineapi.com"), service, "{host}");
    }
}
