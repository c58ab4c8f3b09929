//! How likely text is written by people or chance: a character model of identifiers, paths and words.
//!
//! A value is cut at its separators. Each segment is compared under two explanations: that it is text (a trigram model,
//! trained by `corpora/train`) and that it was drawn at random from its own alphabet. The sum over all segments is the
//! evidence for chance, in nats; that of the best segment tells a key with words before it. The model knows no case and
//! nothing of a value's meaning: a hash and a key are the same to it.

/// How many symbols the model tells apart: letters, digits, separators, the rest.
pub const SYMBOLS: usize = 38;
/// How many bytes a model has: one a trigram.
pub const MODEL_BYTES: usize = SYMBOLS * SYMBOLS * SYMBOLS;
/// The symbol of separators; also what stands before the first character.
pub const SEPARATOR: usize = 36;
const OTHER: usize = 37;
/// How many units of the model make a nat.
const UNITS: f32 = 16.0;

/// The model of this program.
static MODEL: &[u8; MODEL_BYTES] = include_bytes!("characters.bin");

static SYMBOL_OF: [u8; 256] = symbols();

const fn symbols() -> [u8; 256] {
    let mut table = [OTHER as u8; 256];
    let mut byte = 0;
    while byte < 256 {
        let character = byte as u8;
        table[byte] = match character {
            b'a'..=b'z' => character - b'a',
            b'A'..=b'Z' => character - b'A',
            b'0'..=b'9' => 26 + character - b'0',
            b'_' | b'-' | b'.' | b'/' | b' ' | b'+' => SEPARATOR as u8,
            _ => OTHER as u8,
        };
        byte += 1;
    }
    table
}

/// Returns the symbol of a byte, below [`SYMBOLS`].
#[inline]
pub fn symbol(byte: u8) -> usize {
    SYMBOL_OF[byte as usize] as usize
}

/// What the characters of a value say.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Evidence {
    /// The evidence for chance over all segments, in nats: negative where the value reads like text.
    pub total: f32,
    /// That of the segment that looks most like chance.
    pub best: f32,
    /// The evidence for text a character: above 0 for words, below for chance.
    pub wordiness: f32,
}

/// Weighs a value under the program's model.
pub fn weigh(value: &[u8]) -> Evidence {
    weigh_with(MODEL, value)
}

/// Weighs a value under a model of [`MODEL_BYTES`] bytes: the logarithm of each trigram's chance, an `i8` in 1/16 nat.
pub fn weigh_with(model: &[u8; MODEL_BYTES], value: &[u8]) -> Evidence {
    let mut evidence = Evidence { best: f32::MIN, ..Evidence::default() };
    let mut characters = 0_usize;
    for segment in value.split(|byte| IS_CUT[usize::from(*byte)]).filter(|segment| !segment.is_empty()) {
        let weight = alphabet_cost(segment) - text_cost(model, segment);
        evidence.total += weight;
        evidence.best = evidence.best.max(weight);
        characters += segment.len();
    }
    if characters == 0 {
        return Evidence::default();
    }
    evidence.wordiness = -evidence.total / characters as f32;
    evidence
}

/// Where a value is cut into segments.
static IS_CUT: [bool; 256] = cuts();

const fn cuts() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(byte as u8, b'-' | b'_' | b'.' | b':' | b'/' | b'|' | b'~' | b' ' | b'+' | b'=');
        byte += 1;
    }
    table
}

/// The logarithm of a segment's chance as text, in nats.
fn text_cost(model: &[u8; MODEL_BYTES], segment: &[u8]) -> f32 {
    let (mut before, mut last) = (SEPARATOR, SEPARATOR);
    let mut sum = 0_i32;
    for byte in segment {
        let next = symbol(*byte);
        sum += i32::from(model[(before * SYMBOLS + last) * SYMBOLS + next] as i8);
        (before, last) = (last, next);
    }
    sum as f32 / UNITS
}

/// The logarithm of a segment's chance as a draw from its own alphabet, the case of letters left open, in nats.
fn alphabet_cost(segment: &[u8]) -> f32 {
    // Counted without branches: random characters are what a branch predictor cannot learn.
    let count = |belongs: fn(&u8) -> bool| segment.iter().map(|byte| u32::from(belongs(byte))).sum::<u32>();
    let digits = count(u8::is_ascii_digit);
    let (lower, upper) = (count(u8::is_ascii_lowercase), count(u8::is_ascii_uppercase));
    let beyond_hex = count(u8::is_ascii_hexdigit) < segment.len() as u32;
    let other = segment.len() as u32 - digits - lower - upper;
    let letters = lower + upper;
    let cases: f32 = if lower > 0 && upper > 0 { 2.0 } else { 1.0 };
    let size = match (digits > 0, letters > 0) {
        (true, false) => 10.0,
        (true, true) if !beyond_hex && cases < 2.0 => 16.0,
        (true, true) => 10.0 + 26.0 * cases,
        (false, true) => 26.0 * cases,
        (false, false) => 32.0,
    } + if other > 0 && digits + letters > 0 { 32.0 } else { 0.0 };
    // A letter stands for both of its cases where both occur.
    let folded = letters as f32 * cases.ln();
    folded - segment.len() as f32 * size.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::example::Generator;

    const WORDS: [&str; 16] = [
        "MistralForSequenceClassification",
        "Mistral3ForConditionalGeneration",
        "DeepgramAudioTranscriptionConfig",
        "watsonx_proxy_route_watsonx__endpoint__get",
        "MIGRATE_FROM_MASTER_KEY_ENV_VAR",
        "GenericForSequenceClassification",
        "application/vnd.openxmlformats-officedocument",
        "the-quick-brown-fox-jumps-over",
        "src/components/navigation/sidebar",
        "getElementsByTagNameAndClassName",
        "my-super-secret-api-key-for-testing",
        "production-database-connection-pool",
        "huggingface_hub.inference_client",
        "some_other_environment_variable",
        "convert_tokens_to_string_batched",
        "AutoModelForCausalLMWithValueHead",
    ];

    #[test]
    fn words_are_told_from_chance() {
        for word in WORDS {
            let evidence = weigh(word.as_bytes());
            assert!(evidence.total < 0.0 && evidence.best < 4.0 && evidence.wordiness > 0.0, "{word}: {evidence:?}");
        }
    }

    #[test]
    fn chance_is_told_from_words_in_every_alphabet() {
        let mut generator = Generator::new(9);
        for alphabet in ["hex", "HEX", "lowernum", "uppernum", "alnum", "url", "base64", "base32", "lower"] {
            let least = (0..2000).map(|_| {
                let text = crate::detector::example::expand(&format!("{{32:{alphabet}}}"), &mut generator);
                weigh(&text.expect("a shape")).total
            });
            let least = least.fold(f32::MAX, f32::min);
            assert!(least >= 4.0, "{alphabet}: {least}");
        }
    }

    #[test]
    fn a_random_segment_is_seen_among_words() {
        let evidence = weigh(b"my-service-production-q8Zk2Vx0Lr7Tn4Wd9Gb3");
        assert!(evidence.best > 8.0, "{evidence:?}");
        assert_eq!(weigh(b""), Evidence::default());
        assert_eq!(weigh(b"--__--"), Evidence::default());
    }
}
