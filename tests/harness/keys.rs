//! Synthetic keys, made from shapes when a test runs.

use credtrace::detector::compile::shape;

/// What sort of key to make up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// An API key of Anthropic.
    Anthropic,
    /// A project key of OpenAI.
    OpenAi,
    /// A personal token of GitHub, with its checksum.
    GitHub,
    /// An API key of Groq.
    Groq,
}

impl KeyKind {
    fn shape(self) -> &'static str {
        match self {
            Self::Anthropic => "sk-ant-api03-{93:url}AA",
            Self::OpenAi => "sk-proj-{74:url}T3BlbkFJ{74:url}",
            Self::GitHub => "ghp_{30:alnum}",
            Self::Groq => "gsk_{52:alnum}",
        }
    }

    /// Returns the provider's slug.
    pub(crate) fn provider(self) -> &'static str {
        match self {
            Self::Anthropic => "anthropic",
            Self::OpenAi => "openai",
            Self::GitHub => "github",
            Self::Groq => "groq",
        }
    }
}

/// Returns an Anthropic key; another seed gives another key.
pub(crate) fn key(seed: u64) -> String {
    fake_key(KeyKind::Anthropic, seed)
}

/// Returns a key of a kind; another seed gives another key, and the same seed the same.
pub(crate) fn fake_key(kind: KeyKind, seed: u64) -> String {
    // Two rounds tell seeds apart: the states of neighbouring seeds must not be steps of one sequence.
    let mut generator = Generator(mixed(mixed(seed) ^ kind as u64));
    let mut draw = |bound: u32| generator.below(bound);
    let mut bytes = shape::parse(kind.shape()).unwrap()[0].expand(&mut draw);
    if kind == KeyKind::GitHub {
        let checksum = crc32(&bytes["ghp_".len()..]);
        bytes.extend(base62(checksum));
    }
    String::from_utf8(bytes).unwrap()
}

/// SplitMix64: small, seeded, the same on every machine.
struct Generator(u64);

impl Generator {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (mixed(self.0) % u64::from(bound)) as u32
    }
}

fn mixed(mut value: u64) -> u64 {
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(u32::MAX, |sum, byte| (0..8).fold(sum ^ u32::from(*byte), step))
}

fn base62(mut number: u32) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut text = [b'0'; 6];
    for place in text.iter_mut().rev() {
        *place = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    text
}

#[test]
fn keys_differ_by_seed_and_kind_and_are_the_same_each_time() {
    assert_eq!(key(1), key(1));
    assert_ne!(key(1)[13..17], key(2)[13..17]);
    assert!(!key(1).contains(&key(2)[20..30]), "one sequence");
    assert_eq!(key(1).len(), 108);
    assert_eq!(fake_key(KeyKind::GitHub, 1).len(), 40);
    assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
}
