//! Signatures of the clouds that learned from AWS and went ways of their own: Alibaba Cloud, Tencent Cloud, Volcengine.
//!
//! Rules and vectors: <https://www.alibabacloud.com/help/en/sdk/product-overview/v3-request-structure-and-signature>,
//! <https://cloud.tencent.com/document/api/213/30654>, <https://www.volcengine.com/docs/6369/67269>.

use ring::hmac;

use super::{Clock, add, canonical, derived, hashed_body, hmac_sha256, host_of, sha256_hex, signed_headers};
use crate::secret::{Secret, hex};
use crate::verify::exchange::Request;
use crate::verify::request::Refusal;

/// The service that answers who a key belongs to; what stands first in these clouds' hosts names it.
const WHO: &str = "sts";
/// The region that the global hosts of Volcengine sign for.
const VOLCENGINE_REGION: &str = "cn-beijing";

/// Signs in Alibaba's way, `ACS3-HMAC-SHA256`, over the host and all headers of its own.
pub(super) fn alibaba(request: &mut Request, key_id: &str, secret: &Secret, clock: &Clock) -> Result<(), Refusal> {
    // The nonce must be new with each request and tell nothing: it comes of the moment, under the secret.
    let seed = clock.now.as_nanosecond().to_string();
    let nonce = hex(&hmac_sha256(secret.expose(), seed.as_bytes()).as_ref()[..16]);
    alibaba_at(request, key_id, secret, &clock.spelled("%Y-%m-%dT%H:%M:%SZ"), &nonce);
    Ok(())
}

fn alibaba_at(request: &mut Request, key_id: &str, secret: &Secret, moment: &str, nonce: &str) {
    add(request, "x-acs-date", moment);
    add(request, "x-acs-signature-nonce", nonce);
    let hashed = hashed_body(request);
    add(request, "x-acs-content-sha256", &hashed);
    let headers = signed_headers(request, |name| name.starts_with("x-acs-") || name == "content-type");
    let (text, signed) = canonical(request, &headers);
    let to_sign = format!("ACS3-HMAC-SHA256\n{}", sha256_hex(text.as_bytes()));
    let signature = hex(hmac_sha256(secret.expose(), to_sign.as_bytes()).as_ref());
    let value = format!("ACS3-HMAC-SHA256 Credential={key_id},SignedHeaders={signed},Signature={signature}");
    add(request, "authorization", &value);
}

/// Signs in Tencent's way, `TC3-HMAC-SHA256`, over the host and the content type.
pub(super) fn tencent(request: &mut Request, key_id: &str, secret: &Secret, clock: &Clock) -> Result<(), Refusal> {
    let (moment, day) = (clock.now.as_second().to_string(), clock.spelled("%Y-%m-%d"));
    add(request, "x-tc-timestamp", &moment);
    let service = service_of(request, ".tencentcloudapi.com");
    let (text, signed) = canonical(request, &signed_headers(request, |name| name == "content-type"));
    let scope = format!("{day}/{service}/tc3_request");
    let to_sign = format!("TC3-HMAC-SHA256\n{moment}\n{scope}\n{}", sha256_hex(text.as_bytes()));
    let first = zeroize::Zeroizing::new([b"TC3", secret.expose()].concat());
    let key = derived(&first, &[&day, &service, "tc3_request"]);
    let signature = hex(hmac_sha256(&key, to_sign.as_bytes()).as_ref());
    let value = format!("TC3-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={signed}, Signature={signature}");
    add(request, "authorization", &value);
    Ok(())
}

/// Signs in Volcengine's way, `HMAC-SHA256`, over the host, the moment and the body's digest.
pub(super) fn volcengine(request: &mut Request, key_id: &str, secret: &Secret, clock: &Clock) -> Result<(), Refusal> {
    let (moment, day) = (&clock.packed, &clock.packed[..8]);
    add(request, "x-date", moment);
    let hashed = hashed_body(request);
    add(request, "x-content-sha256", &hashed);
    let service = service_of(request, ".volcengineapi.com");
    let headers = signed_headers(request, |name| matches!(name, "x-date" | "x-content-sha256" | "content-type"));
    let (text, signed) = canonical(request, &headers);
    let scope = format!("{day}/{VOLCENGINE_REGION}/{service}/request");
    let to_sign = format!("HMAC-SHA256\n{moment}\n{scope}\n{}", sha256_hex(text.as_bytes()));
    let key = derived(secret.expose(), &[day, VOLCENGINE_REGION, &service, "request"]);
    let signature = hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), to_sign.as_bytes()).as_ref());
    let value = format!("HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders={signed}, Signature={signature}");
    add(request, "authorization", &value);
    Ok(())
}

/// Returns the service that a host names; at an endpoint that a person named, the one that tells who a key belongs to.
fn service_of(request: &Request, domain: &str) -> String {
    let host = host_of(&request.endpoint);
    let label = host.split('.').next().filter(|_| host.ends_with(domain));
    label.unwrap_or(WHO).to_owned()
}

#[cfg(test)]
mod tests;
