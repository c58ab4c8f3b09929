//! A private RSA key for tests: the one that RFC 7515 publishes in its appendix A.2, put together from its numbers, so that no
//! file holds a key in a form that anything reads.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// The numbers of the key: modulus, exponents, primes and what is reckoned of them.
const NUMBERS: [&[&str]; 8] = [
    &[
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql",
        "L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUs",
        "LA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoud",
        "F8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    ],
    &["AQAB"],
    &[
        "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe",
        "46sui395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9J",
        "YanrC4D4qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuh",
        "LhBOneufuBiB4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    ],
    &[
        "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJ",
        "NPY8cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    ],
    &[
        "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_Yw",
        "D66t62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
    ],
    &[
        "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJ",
        "eDCjn12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
    ],
    &[
        "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-N",
        "KJnwgjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
    ],
    &[
        "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi8",
        "7w93IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
    ],
];

/// Writes an element of DER.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let digits: Vec<u8> = length.into_iter().skip_while(|digit| *digit == 0).collect();
    let long = (content.len() >= 0x80).then_some(0x80 | digits.len() as u8);
    [&[tag][..], long.as_slice(), &digits, content].concat()
}

fn number(bytes: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if bytes[0] >= 0x80 { &[0] } else { &[] };
    element(0x02, &[sign, bytes].concat())
}

fn pkcs1() -> Vec<u8> {
    let bytes = |pieces: &&[&str]| URL_SAFE_NO_PAD.decode(pieces.concat()).expect("base64");
    let numbers: Vec<u8> = NUMBERS.iter().flat_map(|pieces| number(&bytes(pieces))).collect();
    element(0x30, &[&element(0x02, &[0])[..], &numbers].concat())
}

fn pkcs8() -> Vec<u8> {
    let identifier = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    let algorithm = element(0x30, &[element(0x06, &identifier), vec![0x05, 0x00]].concat());
    element(0x30, &[element(0x02, &[0]), algorithm, element(0x04, &pkcs1())].concat())
}

fn pem(label: &str, bytes: &[u8], end: &str) -> String {
    let text = STANDARD.encode(bytes);
    let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    let (head, foot) = (["-----BEGIN ", label, "-----"].concat(), ["-----END ", label, "-----"].concat());
    format!("{head}{end}{}{end}{foot}", lines.join(end))
}

/// Returns the key in PEM of PKCS #1, its lines ended as told.
pub(crate) fn rsa_pkcs1_pem(end: &str) -> String {
    pem("RSA PRIVATE KEY", &pkcs1(), end)
}

/// Returns the key in PEM of PKCS #8, its lines ended as told.
pub(crate) fn rsa_pkcs8_pem(end: &str) -> String {
    pem("PRIVATE KEY", &pkcs8(), end)
}

/// Returns the key in PKCS #8 as base64 alone.
pub(crate) fn rsa_pkcs8_base64() -> String {
    STANDARD.encode(pkcs8())
}

/// Returns whether a token was signed with the key, and its claims.
pub(crate) fn rsa_claims(token: &str) -> Option<String> {
    let (text, signature) = token.rsplit_once('.')?;
    let bytes = |pieces: &[&str]| URL_SAFE_NO_PAD.decode(pieces.concat()).expect("base64");
    let public = ring::signature::RsaPublicKeyComponents { n: bytes(NUMBERS[0]), e: bytes(NUMBERS[1]) };
    let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
    public.verify(&ring::signature::RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature).ok()?;
    String::from_utf8(URL_SAFE_NO_PAD.decode(text.split('.').nth(1)?).ok()?).ok()
}
