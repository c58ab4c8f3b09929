//! A secret in memory, the keyed fingerprint that stands for it outside, and its redacted form.
//!
//! [`Secret`] has no `Display` and no `Serialize`, and its `Debug` shows a length: the bytes come out only through
//! [`Secret::expose`], which is easy to search for. Wiping is best effort: a mapped file and a regex engine's buffers are
//! beyond it.

use std::fmt;
use std::path::Path;

use zeroize::Zeroize;

use crate::error::{Error, Result};

/// The bytes of a credential.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Takes the bytes of a credential.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.into())
    }

    /// Hands the bytes out. Every caller must have a reason that is written down.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Returns the redacted form: at most a quarter and at most eight characters of the value in all, with the rest left
    /// out. A value shorter than 16 bytes shows nothing. `head` is how many leading bytes are a constant of the type
    /// (`sk-ant-api03-`), which say nothing of the value and are shown in full.
    pub fn redacted(&self, head: usize) -> String {
        let head = head.min(self.0.len());
        let variable = self.0.len() - head;
        // Four characters of the tail are what providers' own lists show.
        let is_block = self.0.starts_with(b"-----BEGIN");
        let quarter = if variable < 16 || is_block { 0 } else { variable / 4 };
        let printable = |bytes: &[u8]| {
            bytes
                .iter()
                .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '?' })
                .collect::<String>()
        };
        let (front, back) =
            if head > 0 { (head, quarter.min(4)) } else { ((quarter / 2).min(4), (quarter / 2).min(4)) };
        format!("{}…{}", printable(&self.0[..front]), printable(&self.0[self.0.len() - back..]))
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Secret({} bytes)", self.0.len())
    }
}

/// A keyed fingerprint: equal for equal secrets under one key, and useless without the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

/// The key of fingerprints: 32 random bytes that live outside every report and inventory.
#[derive(Clone)]
pub struct FingerprintKey {
    derived: [u8; 32],
    authentication: ring::hmac::Key,
    id: String,
    ephemeral: bool,
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FingerprintKey({})", self.id())
    }
}

impl FingerprintKey {
    /// Derives the working key and its id from the 32 bytes that a person keeps.
    pub fn new(mut key: [u8; 32], ephemeral: bool) -> Self {
        let derived = blake3::derive_key("credtrace 2026-11 credential fingerprint v1", &key);
        let id = blake3::derive_key("credtrace key id v1", &key);
        let authentication = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
        key.zeroize();
        Self { derived, authentication, id: format!("k1-{}", hex(&id[..4])), ephemeral }
    }

    /// Reads a key from text of 64 hexadecimal digits.
    ///
    /// # Errors
    /// Text of any other form.
    pub fn from_hex(text: &str) -> Result<Self> {
        let digits = text.trim().as_bytes();
        let mut key = [0_u8; 32];
        let fits = digits.len() == 64
            && key.iter_mut().zip(digits.chunks_exact(2)).all(|(byte, pair)| {
                std::str::from_utf8(pair)
                    .ok()
                    .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                    .map(|value| *byte = value)
                    .is_some()
            });
        if !fits {
            return Err(Error::FingerprintKey("must be 64 hexadecimal digits (32 bytes)".into()));
        }
        Ok(Self::new(key, false))
    }

    /// Makes a key for this run alone.
    ///
    /// # Errors
    /// Where the system has no random bytes to give.
    pub fn ephemeral() -> Result<Self> {
        Ok(Self::new(random_key()?, true))
    }

    /// Reads the key at `path`, or makes one there with mode 0600 if there is none; where that cannot be written, the key
    /// is for this run alone. Two processes that start at once end with the same key.
    ///
    /// # Errors
    /// A key file that is there but malformed or unreadable.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => Self::from_hex(&text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => create(path),
            Err(error) => Err(Error::FingerprintKey(format!("{}: {error}", path.display()))),
        }
    }

    /// Returns the key's id: `k1-` and eight hexadecimal digits, or `ephemeral`.
    pub fn id(&self) -> &str {
        if self.ephemeral { "ephemeral" } else { &self.id }
    }

    /// Returns the fingerprint of a secret.
    pub fn fingerprint(&self, secret: &[u8]) -> Fingerprint {
        let hash = blake3::keyed_hash(&self.derived, secret);
        let mut short = [0; 16];
        short.copy_from_slice(&hash.as_bytes()[..16]);
        Fingerprint(short)
    }

    /// Returns the fingerprint that other programs make with the same key: HMAC-SHA-256 over the value, written as
    /// `hs256:<key id>:<64 hexadecimal digits>`.
    pub fn hs256(&self, secret: &[u8]) -> String {
        format!("hs256:{}:{}", self.id, hex(ring::hmac::sign(&self.authentication, secret).as_ref()))
    }

    /// Returns the written form: `b3k1:<key id>:<32 hexadecimal digits>`.
    pub fn write(&self, fingerprint: &Fingerprint) -> String {
        format!("b3k1:{}:{}", self.id, hex(&fingerprint.0))
    }
}

/// Returns the id of the key under which a fingerprint was made; nothing for what is no fingerprint.
pub fn key_of(fingerprint: &str) -> Option<&str> {
    let (key, digits) = fingerprint.strip_prefix("b3k1:")?.split_once(':')?;
    let is_hex = |text: &str, length| {
        text.len() == length && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'))
    };
    (is_hex(key.strip_prefix("k1-")?, 8) && is_hex(digits, 32)).then_some(key)
}

fn random_key() -> Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).map_err(|error| Error::FingerprintKey(format!("no random bytes: {error}")))?;
    Ok(key)
}

/// Writes a new key beside `path` and links it into place, so that of two writers one wins whole.
fn create(path: &Path) -> Result<FingerprintKey> {
    let key = random_key()?;
    let written = path.parent().map(|folder| {
        create_private_folder(folder)?;
        let mut file = tempfile::Builder::new().prefix(".key-").tempfile_in(folder)?;
        std::io::Write::write_all(&mut file, format!("{}\n", hex(&key)).as_bytes())?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(path) {
            Ok(_) => Ok(()),
            Err(error) => Err(error.error),
        }
    });
    match written {
        Some(Ok(())) => Ok(FingerprintKey::new(key, false)),
        Some(Err(error)) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            let text = std::fs::read_to_string(path)
                .map_err(|error| Error::FingerprintKey(format!("{}: {error}", path.display())))?;
            FingerprintKey::from_hex(&text)
        }
        _ => Ok(FingerprintKey::new(key, true)),
    }
}

/// Makes a folder that only its owner may look into.
pub(crate) fn create_private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

/// Returns bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_its_length() {
        assert_eq!(format!("{:?}", Secret::new(b"not to be seen")), "Secret(14 bytes)");
    }

    #[test]
    fn redaction_shows_a_constant_head_and_at_most_four_of_the_tail() {
        let long = Secret::new(b"sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789");
        assert_eq!(long.redacted(13), "sk-ant-api03-…6789");
        assert_eq!(Secret::new(b"short-value").redacted(0), "…");
        assert_eq!(Secret::new(b"abcdefghijklmnopqrstuvwxyz").redacted(0), "abc…xyz");
    }

    #[test]
    fn fingerprints_depend_on_key_and_value_and_the_written_form_names_the_key() {
        let key = FingerprintKey::from_hex(&"0b".repeat(32)).expect("a key");
        let other = FingerprintKey::from_hex(&"0c".repeat(32)).expect("a key");
        assert_ne!(key.fingerprint(b"a"), key.fingerprint(b"b"));
        assert_ne!(key.fingerprint(b"a"), other.fingerprint(b"a"));
        assert_eq!(key_of(&key.write(&key.fingerprint(b"a"))), Some(key.id()));
        for nonsense in ["", "b3k1", "b3k1:k1-00aa11bb:zz", "sha256:k1-00aa11bb:00", "b3k1:k1-0:0"] {
            assert_eq!(key_of(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn the_fingerprint_for_other_programs_is_the_hmac_of_the_value() {
        let digits: String = (0..32).map(|byte| format!("{byte:02x}")).collect();
        let key = FingerprintKey::from_hex(&digits).expect("a key");
        let expected = "fe565fd26fe83724dcb41368690c8188b983b0e999ac311f9cee6db368297527";
        assert_eq!(key.hs256(b"EXAMPLE-NOT-A-SECRET"), format!("hs256:{}:{expected}", key.id()));
    }

    #[test]
    fn a_key_file_is_made_once_and_read_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("home/fingerprint.key");
        let first = FingerprintKey::load_or_create(&path).expect("a new key");
        let second = FingerprintKey::load_or_create(&path).expect("the same key");
        assert_eq!(first.id(), second.id());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_key_of_another_form_is_refused() {
        assert!(FingerprintKey::from_hex("abc").is_err());
        assert!(FingerprintKey::from_hex(&"zz".repeat(32)).is_err());
    }
}
