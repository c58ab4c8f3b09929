//! The public half of a leaked private key, so that its published fingerprint can be looked up.
//!
//! Read are PKCS#1, PKCS#8 and SEC1 in PEM, and OpenSSH's own container. RSA keys hold their public half in clear, so a small
//! reader of DER suffices and also takes keys that are too short for `ring`; Ed25519 and elliptic curves are computed or
//! checked by `ring`. A key under a pass phrase gives nothing, but for OpenSSH's container, whose public half is in clear.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use ring::signature::{Ed25519KeyPair, KeyPair};
use zeroize::Zeroizing;

/// The most beginnings of blocks in one text that are looked at.
const MOST_BLOCKS: usize = 8;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
/// The field of a SEC1 key that holds the public point.
const PUBLIC_POINT: u8 = 0xa1;
/// The field of a SEC1 key that names the curve.
const PARAMETERS: u8 = 0xa0;

const RSA_ALGORITHM: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";
const RSA_OID: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
const ED25519_ALGORITHM: &[u8] = b"\x30\x05\x06\x03\x2b\x65\x70";
const ED25519_OID: &[u8] = b"\x06\x03\x2b\x65\x70";
const CURVE_KEY_OID: &[u8] = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01";
/// The curves that SSH knows: OID, SSH's name, and the length of a point.
const CURVES: [(&[u8], &str, usize); 3] = [
    (b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", "nistp256", 65),
    (b"\x06\x05\x2b\x81\x04\x00\x22", "nistp384", 97),
    (b"\x06\x05\x2b\x81\x04\x00\x23", "nistp521", 133),
];

/// One block of PEM.
#[derive(Clone)]
pub(super) struct Block {
    /// What stands after `BEGIN`.
    pub(super) label: String,
    /// What is inside, decoded.
    pub(super) der: Zeroizing<Vec<u8>>,
}

/// The public half of a key pair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PublicKey {
    /// Modulus and exponent as DER writes their integers, with a leading zero where the first bit is set.
    Rsa {
        /// The modulus.
        modulus: Vec<u8>,
        /// The exponent.
        exponent: Vec<u8>,
    },
    /// A point of a curve, uncompressed.
    Curve {
        /// The place of the curve in the list of those that are known.
        curve: usize,
        /// The point.
        point: Vec<u8>,
    },
    /// An Ed25519 key.
    Ed25519([u8; 32]),
}

/// Returns the blocks of PEM in a text, also where its line ends are written as `\n`.
pub(super) fn blocks(text: &[u8]) -> Vec<Block> {
    let Ok(text) = std::str::from_utf8(text) else { return Vec::new() };
    let mut blocks = Vec::new();
    let mut rest = text;
    // Counted are beginnings, not blocks: a text of beginnings without ends must not be read again for each.
    for _ in 0..MOST_BLOCKS {
        let Some((_, begun)) = rest.split_once("-----BEGIN ") else { break };
        let Some((label, body)) = begun.split_once("-----") else { break };
        let end = format!("-----END {label}-----");
        let Some((body, after)) = body.split_once(end.as_str()) else {
            rest = begun;
            continue;
        };
        rest = after;
        if let Some(der) = decoded(body) {
            blocks.push(Block { label: label.to_owned(), der });
        }
    }
    blocks
}

/// Decodes the base64 of a block. Header lines (`Proc-Type: 4,ENCRYPTED`) mean a pass phrase.
fn decoded(body: &str) -> Option<Zeroizing<Vec<u8>>> {
    let unescaped = Zeroizing::new(body.replace("\\r", "").replace("\\n", "\n").replace('\\', ""));
    if unescaped.contains(':') {
        return None;
    }
    let kept = |character: &char| !character.is_whitespace() && *character != '=';
    let text = Zeroizing::new(unescaped.chars().filter(kept).collect::<String>());
    STANDARD_NO_PAD.decode(text.as_bytes()).ok().map(Zeroizing::new)
}

/// Returns the public half of a private key's block.
pub(super) fn of_block(block: &Block) -> Option<PublicKey> {
    match block.label.as_str() {
        "RSA PRIVATE KEY" => of_pkcs1(&block.der),
        "PRIVATE KEY" => of_pkcs8(&block.der),
        "EC PRIVATE KEY" => of_sec1(&block.der, None),
        "OPENSSH PRIVATE KEY" => of_openssh(&block.der),
        _ => None,
    }
}

fn of_pkcs1(der: &[u8]) -> Option<PublicKey> {
    let mut fields = Der(Der(der).take(SEQUENCE)?);
    fields.take(INTEGER)?;
    let (modulus, exponent) = (fields.take(INTEGER)?.to_vec(), fields.take(INTEGER)?.to_vec());
    (modulus.len() >= 64 && !exponent.is_empty()).then_some(PublicKey::Rsa { modulus, exponent })
}

fn of_pkcs8(der: &[u8]) -> Option<PublicKey> {
    let mut fields = Der(Der(der).take(SEQUENCE)?);
    fields.take(INTEGER)?;
    let algorithm = fields.take(SEQUENCE)?;
    let key = fields.take(OCTET_STRING)?;
    if algorithm.starts_with(RSA_OID) {
        of_pkcs1(key)
    } else if algorithm.starts_with(ED25519_OID) {
        let seed = Der(key).take(OCTET_STRING)?;
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        Some(PublicKey::Ed25519(pair.public_key().as_ref().try_into().ok()?))
    } else if let Some(curve) = algorithm.strip_prefix(CURVE_KEY_OID) {
        of_sec1(key, curve_of(curve))
    } else {
        None
    }
}

/// Reads a SEC1 key. Its public point is optional; every program that writes such files writes it.
fn of_sec1(der: &[u8], curve: Option<usize>) -> Option<PublicKey> {
    let mut fields = Der(Der(der).take(SEQUENCE)?);
    fields.take(INTEGER)?;
    fields.take(OCTET_STRING)?;
    let named = fields.take(PARAMETERS).and_then(curve_of);
    let point = Der(Der(fields.0).take(PUBLIC_POINT)?).take(BIT_STRING)?.strip_prefix(&[0])?;
    let curve = curve.or(named)?;
    (point.len() == CURVES[curve].2 && point[0] == 4).then(|| PublicKey::Curve { curve, point: point.to_vec() })
}

fn curve_of(oid: &[u8]) -> Option<usize> {
    CURVES.iter().position(|(known, _, _)| oid == *known)
}

/// Reads the public half of OpenSSH's container, which is in clear even where the private one is not.
fn of_openssh(bytes: &[u8]) -> Option<PublicKey> {
    let mut fields = Wire(bytes.strip_prefix(b"openssh-key-v1\0")?);
    for _ in 0..3 {
        fields.take()?;
    }
    let (count, rest) = fields.0.split_at_checked(4)?;
    if count != [0, 0, 0, 1] {
        return None;
    }
    let mut blob = Wire(Wire(rest).take()?);
    match blob.take()? {
        b"ssh-rsa" => {
            let (exponent, modulus) = (blob.take()?.to_vec(), blob.take()?.to_vec());
            Some(PublicKey::Rsa { modulus, exponent })
        }
        b"ssh-ed25519" => Some(PublicKey::Ed25519(blob.take()?.try_into().ok()?)),
        _ => {
            let name = blob.take()?;
            let curve = CURVES.iter().position(|(_, known, _)| name == known.as_bytes())?;
            Some(PublicKey::Curve { curve, point: blob.take()?.to_vec() })
        }
    }
}

impl PublicKey {
    /// Returns the key as SubjectPublicKeyInfo in DER.
    pub(super) fn spki(&self) -> Option<Vec<u8>> {
        let (algorithm, key) = match self {
            Self::Rsa { modulus, exponent } => {
                let numbers = [element(INTEGER, modulus)?, element(INTEGER, exponent)?].concat();
                (RSA_ALGORITHM.to_vec(), element(SEQUENCE, &numbers)?)
            }
            Self::Curve { curve, point } => {
                (element(SEQUENCE, &[CURVE_KEY_OID, CURVES[*curve].0].concat())?, point.clone())
            }
            Self::Ed25519(key) => (ED25519_ALGORITHM.to_vec(), key.to_vec()),
        };
        let bits = element(BIT_STRING, &[&[0], key.as_slice()].concat())?;
        element(SEQUENCE, &[algorithm, bits].concat())
    }

    /// Returns the key as SSH writes it.
    pub(super) fn ssh(&self) -> Option<Vec<u8>> {
        let parts: [&[u8]; 3] = match self {
            Self::Rsa { modulus, exponent } => [b"ssh-rsa", exponent, modulus],
            Self::Curve { curve, point } => {
                let name = CURVES[*curve].1;
                return wire(&[format!("ecdsa-sha2-{name}").as_bytes(), name.as_bytes(), point]);
            }
            Self::Ed25519(key) => return wire(&[b"ssh-ed25519", key]),
        };
        wire(&parts)
    }
}

fn wire(parts: &[&[u8]]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend(u32::try_from(part.len()).ok()?.to_be_bytes());
        bytes.extend(*part);
    }
    Some(bytes)
}

/// Writes one element of DER; none is longer than 64 KiB.
fn element(tag: u8, content: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(content.len()).ok()?;
    let mut bytes = vec![tag];
    match length {
        0..=127 => bytes.push(length as u8),
        128..=255 => bytes.extend([0x81, length as u8]),
        _ => bytes.extend([&[0x82][..], &length.to_be_bytes()].concat()),
    }
    bytes.extend(content);
    Some(bytes)
}

/// DER, read element by element.
struct Der<'bytes>(&'bytes [u8]);

impl<'bytes> Der<'bytes> {
    /// Returns the content of the next element if it has this tag; else stays where it is.
    fn take(&mut self, tag: u8) -> Option<&'bytes [u8]> {
        let [found, first, rest @ ..] = self.0 else { return None };
        let (length, rest) = match first {
            0..=127 => (usize::from(*first), rest),
            0x81 => (usize::from(*rest.first()?), rest.get(1..)?),
            0x82 => (usize::from(u16::from_be_bytes([*rest.first()?, *rest.get(1)?])), rest.get(2..)?),
            _ => return None,
        };
        let (content, after) = rest.split_at_checked(length)?;
        (*found == tag).then(|| {
            self.0 = after;
            content
        })
    }
}

/// Strings of SSH, each after its length.
struct Wire<'bytes>(&'bytes [u8]);

impl<'bytes> Wire<'bytes> {
    fn take(&mut self) -> Option<&'bytes [u8]> {
        let (length, rest) = self.0.split_first_chunk::<4>()?;
        let (content, after) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        self.0 = after;
        Some(content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;
    use proptest::prelude::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};

    fn pem(label: &str, der: &[u8]) -> Vec<u8> {
        let text: Vec<String> =
            STANDARD.encode(der).as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect();
        let dashes = "-----";
        format!("{dashes}BEGIN {label}{dashes}\n{}\n{dashes}END {label}{dashes}\n", text.join("\n")).into_bytes()
    }

    fn public_half(text: &[u8]) -> PublicKey {
        let blocks = blocks(text);
        assert_eq!(blocks.len(), 1);
        of_block(&blocks[0]).expect("a public half")
    }

    /// A made-up RSA key of 2048 bits: its modulus is a count, and no two numbers of it belong together.
    fn made_up_rsa() -> Vec<u8> {
        let modulus: Vec<u8> = [0, 0xc1].into_iter().chain((0..255).map(|place| place as u8)).collect();
        let numbers = [&[0][..], &modulus, &[1, 0, 1], &[7], &[7], &[7], &[7], &[7], &[7]];
        let fields: Vec<u8> = numbers.iter().flat_map(|number| element(INTEGER, number).expect("short")).collect();
        element(SEQUENCE, &fields).expect("short")
    }

    #[test]
    fn an_rsa_key_has_the_fingerprints_that_openssl_and_ssh_keygen_show() {
        let key = public_half(&pem("RSA PRIVATE KEY", &made_up_rsa()));
        let spki = super::super::digest::sha256(&key.spki().expect("SPKI"));
        let ssh = super::super::digest::sha256(&key.ssh().expect("a blob"));
        assert_eq!(spki, "bb7d8fb3615e1d7fd15c2c8ce57c8a06883441fa8e489762461fd45b934950f4");
        assert_eq!(ssh, "1b7529cc3f13609f6f0682c7c4f40eb1ffa9d574385d496032ec662d33c05686");
    }

    #[test]
    fn both_containers_of_an_rsa_key_give_the_same_half_also_with_escaped_line_ends() {
        let inner = element(OCTET_STRING, &made_up_rsa()).expect("short");
        let pkcs8 = element(SEQUENCE, &[&[INTEGER, 1, 0], RSA_ALGORITHM, &inner].concat()).expect("short");
        let outer = pem("PRIVATE KEY", &pkcs8);
        let expected = public_half(&pem("RSA PRIVATE KEY", &made_up_rsa()));
        assert_eq!(public_half(&outer), expected);
        let escaped = String::from_utf8_lossy(&outer).replace('\n', "\\n");
        assert_eq!(public_half(escaped.as_bytes()), expected);
    }

    #[test]
    fn an_ed25519_key_gives_the_half_that_ring_computes() {
        let made = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        let pair = Ed25519KeyPair::from_pkcs8(made.as_ref()).expect("a key");
        let key = public_half(&pem("PRIVATE KEY", made.as_ref()));
        assert_eq!(key, PublicKey::Ed25519(pair.public_key().as_ref().try_into().expect("32 bytes")));
        assert_eq!(key.spki().expect("SPKI").len(), 44);
        assert_eq!(key.ssh().expect("a blob").len(), 4 + 11 + 4 + 32);
    }

    #[test]
    fn a_key_of_a_curve_gives_its_point_in_both_containers() {
        let random = SystemRandom::new();
        let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, made.as_ref(), &random).expect("a key");
        let expected = PublicKey::Curve { curve: 0, point: pair.public_key().as_ref().to_vec() };
        assert_eq!(public_half(&pem("PRIVATE KEY", made.as_ref())), expected);
        assert_eq!(expected.spki().expect("SPKI").len(), 91);
        assert_eq!(expected.ssh().expect("a blob").len(), 4 + 19 + 4 + 8 + 4 + 65);

        let point = element(BIT_STRING, &[&[0], pair.public_key().as_ref()].concat()).expect("short");
        let fields = [
            &[INTEGER, 1, 1][..],
            &element(OCTET_STRING, &[7; 32]).expect("short"),
            &element(PARAMETERS, CURVES[0].0).expect("short"),
            &element(PUBLIC_POINT, &point).expect("short"),
        ];
        let sec1 = element(SEQUENCE, &fields.concat()).expect("short");
        assert_eq!(public_half(&pem("EC PRIVATE KEY", &sec1)), expected);
    }

    #[test]
    fn the_public_half_of_an_openssh_container_is_read_though_the_private_one_is_encrypted() {
        let blob = wire(&[b"ssh-ed25519", &[9; 32]]).expect("short");
        let head = wire(&[b"aes256-ctr", b"bcrypt", b"options"]).expect("short");
        let tail = wire(&[&blob, b"what nobody can read"]).expect("short");
        let container = [&b"openssh-key-v1\0"[..], &head, &[0, 0, 0, 1], &tail].concat();
        assert_eq!(public_half(&pem("OPENSSH PRIVATE KEY", &container)), PublicKey::Ed25519([9; 32]));
    }

    #[test]
    fn a_key_under_a_pass_phrase_gives_nothing() {
        let text = String::from_utf8_lossy(&pem("RSA PRIVATE KEY", &made_up_rsa())).into_owned();
        let encrypted = text.replacen('\n', "\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n", 1);
        assert!(blocks(encrypted.as_bytes()).is_empty());
        assert_eq!(of_block(&Block { label: "ENCRYPTED PRIVATE KEY".into(), der: made_up_rsa().into() }), None);
    }

    #[test]
    fn a_text_of_beginnings_alone_is_read_at_once() {
        let text = ["-----BE", "GIN A-----"].concat().repeat(60_000);
        let began = std::time::Instant::now();
        assert!(blocks(text.as_bytes()).is_empty());
        assert!(began.elapsed() < std::time::Duration::from_secs(2), "{:?}", began.elapsed());
    }

    proptest! {
        #[test]
        fn no_bytes_make_reading_fail(der in proptest::collection::vec(any::<u8>(), 0..200), label in 0_usize..4) {
            let labels = ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"];
            of_block(&Block { label: labels[label].into(), der: der.into() });
        }

        #[test]
        fn a_cut_key_gives_nothing_or_the_same(cut in 0_usize..400) {
            let whole = made_up_rsa();
            let block = Block { label: "RSA PRIVATE KEY".into(), der: whole[..cut.min(whole.len())].to_vec().into() };
            let found = of_block(&block);
            prop_assert!(found.is_none() || cut >= whole.len());
        }
    }
}
