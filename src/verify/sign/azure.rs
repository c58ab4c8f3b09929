//! Signatures of Azure's data services, whose keys are never sent: Storage (`SharedKey`), Cosmos DB (master key), and
//! Service Bus with Event Hubs (shared access signatures).
//!
//! Rules: <https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key>,
//! <https://learn.microsoft.com/rest/api/cosmos-db/access-control-on-cosmosdb-resources>,
//! <https://learn.microsoft.com/rest/api/eventhub/generate-sas-token>.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use base64::{alphabet, engine::DecodePaddingMode};
use zeroize::Zeroizing;

use super::{Clock, add, hmac_sha256, whole_path};
use crate::secret::Secret;
use crate::verify::exchange::Request;
use crate::verify::request::{Refusal, percent};

/// How many seconds a shared access signature holds.
const LIFE: i64 = 300;
/// Base64 of the usual alphabet, however its end is written.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Decodes an account's key.
fn key_of(secret: &Secret) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    let key = LENIENT.decode(secret.expose()).map_err(|_| Refusal::unknown("it is no base64; nobody was asked"))?;
    Ok(Zeroizing::new(key))
}

/// Signs a request without body to an account of Azure Storage.
pub(super) fn storage(request: &mut Request, account: &str, secret: &Secret, clock: &Clock) -> Result<(), Refusal> {
    let key = key_of(secret)?;
    add(request, "x-ms-date", &clock.of_http());
    let mut headers: Vec<String> = Vec::new();
    for (name, value) in request.headers.iter().filter(|(name, _)| name.starts_with("x-ms-")) {
        headers.push(format!("{name}:{}\n", String::from_utf8_lossy(value.expose()).trim()));
    }
    headers.sort();
    let query = request.path.expose().split_once('?').map_or("", |(_, query)| query);
    let mut fields: Vec<String> = query.split('&').map(|field| format!("\n{}", field.replacen('=', ":", 1))).collect();
    fields.sort();
    let resource = format!("/{account}{}{}", whole_path(request), fields.concat());
    // Eleven headers of HTTP that a request without body does not have stand between the method and Azure's own.
    let text = format!("{}{}{}{resource}", request.method, "\n".repeat(12), headers.concat());
    let signature = STANDARD.encode(hmac_sha256(&key, text.as_bytes()));
    add(request, "authorization", &format!("SharedKey {account}:{signature}"));
    Ok(())
}

/// Signs a request to an account of Cosmos DB with a key of the account.
pub(super) fn cosmos(request: &mut Request, secret: &Secret, clock: &Clock) -> Result<(), Refusal> {
    let key = key_of(secret)?;
    let date = clock.of_http();
    let segments: Vec<&str> = request.path.expose().split('/').filter(|segment| !segment.is_empty()).collect();
    // A path names types and ids by turns; one that ends with a type is about all of it under what stands before.
    let (kind, link) = match segments.len() {
        0 => ("", String::new()),
        count if count % 2 == 1 => (segments[count - 1], segments[..count - 1].join("/")),
        count => (segments[count - 2], segments.join("/")),
    };
    let text = format!("{}\n{kind}\n{link}\n{}\n\n", request.method.to_lowercase(), date.to_lowercase());
    let signature = STANDARD.encode(hmac_sha256(&key, text.as_bytes()));
    add(request, "x-ms-date", &date);
    add(request, "authorization", &percent(format!("type=master&ver=1.0&sig={signature}").as_bytes()));
    Ok(())
}

/// Makes a shared access signature for a name space of Service Bus or Event Hubs. The key is used as it is written.
pub(super) fn messaging(request: &mut Request, name: &str, secret: &Secret, clock: &Clock) -> Result<(), Refusal> {
    let resource = percent(format!("https://{}/", request.endpoint.host).as_bytes());
    let until = clock.now.as_second().saturating_add(LIFE);
    let signature = STANDARD.encode(hmac_sha256(secret.expose(), format!("{resource}\n{until}").as_bytes()));
    let (signature, name) = (percent(signature.as_bytes()), percent(name.as_bytes()));
    let value = format!("SharedAccessSignature sr={resource}&sig={signature}&se={until}&skn={name}");
    add(request, "authorization", &value);
    Ok(())
}

#[cfg(test)]
mod tests;
