//! Tests of tokens on the vectors of RFC 7515, and of what is no key.

use super::*;
use crate::credential::FoundCredential;
use crate::secret::hex;
use crate::verify::test_key::{rsa_claims, rsa_pkcs1_pem, rsa_pkcs8_base64, rsa_pkcs8_pem};
use crate::verify::testing::{detector, found, now};

/// The claims of the RFC's examples.
const CLAIMS: &str = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

fn text(head: &str) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(CLAIMS))
}

fn key(text: &str) -> KeyPair {
    key_of(&Secret::new(text.as_bytes())).expect("a key")
}

#[test]
fn hmac_signs_as_the_rfc_shows() {
    let key = ["AyM1SysPpbyDfgZld3umj1qzKObwVMko", "qQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0i", "PS4hcgUuTwjAzZr1Z9CAow"];
    let key = URL_SAFE_NO_PAD.decode(key.concat()).expect("base64");
    let tag = hmac_sha256(&key, text("{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}").as_bytes());
    assert_eq!(URL_SAFE_NO_PAD.encode(tag), "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    let token = hs256(&key, b"{}");
    let token = std::str::from_utf8(token.expose()).expect("text");
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let check = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
    let signature = URL_SAFE_NO_PAD.decode(signature).expect("base64");
    ring::hmac::verify(&check, signed.as_bytes(), &signature).expect("it is the key's");
}

#[test]
fn rsa_signs_as_the_rfc_shows_from_every_form_of_the_key() {
    let published = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5juj\
        Gbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN93\
        83LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmt\
        VrBp0igcN_IoypGlUPQGe77Rw";
    let forms = ["\n", "\r\n", "\\n", "\\\\n"].map(|end| [rsa_pkcs1_pem(end), rsa_pkcs8_pem(end)]).concat();
    for form in forms.into_iter().chain([rsa_pkcs8_base64()]) {
        let signature = rs256_signature(&key(&form), text("{\"alg\":\"RS256\"}").as_bytes()).expect("signed");
        assert_eq!(URL_SAFE_NO_PAD.encode(signature), published, "{}", &form[..20]);
    }
}

#[test]
fn what_is_no_rsa_key_signs_nothing_and_a_locked_one_says_so() {
    let whole = rsa_pkcs1_pem("\n");
    let locked = whole.replace("-----\nMII", "-----\nProc-Type: 4,ENCRYPTED\n\nMII");
    for bad in ["", "MII", "nonsense", &whole[..400], &whole.replacen("MII", "MIH", 1), &"A".repeat(20_000)] {
        let refusal = key_of(&Secret::new(bad.as_bytes())).expect_err("it is no key").reason();
        assert!(refusal.contains("no private RSA key"), "{refusal}");
    }
    assert!(key_of(&Secret::new(locked.as_bytes())).expect_err("locked").reason().contains("passphrase"));
}

#[test]
fn a_fingerprint_is_that_of_the_public_half() {
    // As `openssl rsa -pubout -outform DER | openssl dgst -sha256 -binary | base64` says.
    assert_eq!(fingerprint(&key(&rsa_pkcs8_pem("\n"))), "SHA256:b9E8JDWjYefFiM0X9V9a098Bd6ZsFyemogCEX016uIw=");
    assert_eq!(hex(&[0x0f]), "0f");
}

/// The request of a detector whose token the RSA key signs.
fn token_of(lines: &str, named: &[(&str, &str)]) -> Result<String, Refusal> {
    let detector = detector(&format!(
        "hosts = [\"api.acme.example\"]\nmethod = \"GET\"\npath = \"/\"\nlive = [200]\ndead = []\n\
         headers = {{ authorization = \"Bearer {{token}}\" }}\n{lines}"
    ));
    let mut near = found(&[], &[]);
    near.surroundings.named = named.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let found = FoundCredential { secret: Secret::new(rsa_pkcs8_pem("\n").as_bytes()), ..near };
    let verify = detector.verify.as_ref().expect("verify");
    let token = of(verify, &Parts::new(&found, verify, now()))?.expect("a token");
    Ok(String::from_utf8(token.expose().to_vec()).expect("text"))
}

#[test]
fn snowflakes_claims_name_account_and_user_in_capitals_without_the_region() {
    let lines = "sign = \"snowflake-jwt\"\nnamed = { account = [\"account\"], user = [\"user\"] }\n";
    let claims = |account: &str| token_of(lines, &[("account", account), ("user", "loader")]);
    for account in ["xy12345", "xy12345.eu-west-1", "XY12345"] {
        let claims = rsa_claims(&claims(account).expect("a token")).expect("it is signed");
        let claims: serde_json::Value = serde_json::from_str(&claims).expect("claims");
        let fingerprint = "SHA256:b9E8JDWjYefFiM0X9V9a098Bd6ZsFyemogCEX016uIw=";
        assert_eq!(claims["iss"], format!("XY12345.LOADER.{fingerprint}"));
        assert_eq!(claims["sub"], "XY12345.LOADER");
        assert_eq!(claims["iat"].as_i64().map(|made| made + 600), claims["exp"].as_i64());
    }
    assert!(token_of(lines, &[("account", "xy12345")]).expect_err("no user").reason().contains("its user (user)"));
}

#[test]
fn the_claims_of_a_detector_are_filled_and_escaped() {
    let lines = "sign = \"jwt-rs256\"\nnamed = { app = [\"app_id\", \"client_id\"] }\n\
        token = '{\"iat\":{issued},\"exp\":{expires},\"iss\":\"{named.app}\"}'\n";
    let claims = |named: &[(&str, &str)]| {
        let claims = rsa_claims(&token_of(lines, named).expect("a token")).expect("it is signed");
        serde_json::from_str::<serde_json::Value>(&claims).expect("claims")
    };
    let of_app = claims(&[("client_id", "Iv1.abc"), ("app_id", "12345")]);
    assert_eq!((&of_app["iss"], of_app["iat"].as_i64()), (&"12345".into(), Some(now().as_second() - 60)));
    assert_eq!(of_app["exp"].as_i64(), Some(now().as_second() + 540));
    assert_eq!(claims(&[("client_id", "Iv1.\"x")])["iss"], "Iv1.\"x");
    let two = token_of(lines, &[("app_id", "1"), ("app_id", "2")]).expect_err("nothing says which").reason();
    assert!(two.contains("2 different values of app_id"), "{two}");
}
