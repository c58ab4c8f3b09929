//! Words that say that a value is an example or to be replaced.

/// Words that end the matter wherever they stand in a value: five letters and more, so that chance does not make them.
const ANYWHERE: [&str; 21] = [
    "example",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "replace",
    "redacted",
    "your_",
    "your-",
    "yourapi",
    "yourkey",
    "yoursecret",
    "yourtoken",
    "dummy",
    "insert_",
    "insert-",
    "notareal",
    "not_a_real",
    "not-a-real",
    "scrubbed",
    "abcdefgh",
];

/// Words that end the matter where they are a whole segment of a value.
const SEGMENTS: [&str; 24] = [
    "test", "fake", "mock", "sample", "invalid", "none", "null", "here", "todo", "demo", "your", "my", "xxx", "key",
    "token", "secret", "api", "foo", "bar", "baz", "abc", "abc123", "foobar", "masked",
];

/// Returns whether a value of a fixed shape is made of words instead of random characters.
pub fn is_placeholder(body: &[u8]) -> bool {
    let lower = body.to_ascii_lowercase();
    let contains = |word: &&str| memchr::memmem::find(&lower, word.as_bytes()).is_some();
    // A long token holds any five letters by chance.
    let short = lower.len() <= 200;
    let omitted = short && memchr::memmem::find(&lower, b"...").is_some();
    if omitted || ANYWHERE.iter().any(|word| (short || word.len() >= 7) && contains(word)) {
        return true;
    }
    // Segments say nothing in a random URL-safe value, whose separators are chance: most must be words.
    let segments: Vec<&[u8]> =
        lower.split(|byte| matches!(byte, b'-' | b'_' | b'.')).filter(|part| !part.is_empty()).collect();
    let wordy: usize = segments.iter().filter(|part| is_word(part)).map(|part| part.len()).sum();
    segments.len() > 1 && wordy * 2 > lower.len()
}

fn is_word(segment: &[u8]) -> bool {
    SEGMENTS.iter().any(|word| word.as_bytes() == segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_placeholders_and_random_values_are_not() {
        for value in
            ["your_api_key_here", "EXAMPLEEXAMPLE", "my-test-key", "REPLACE-WITH-KEY", "abcdefghijk", "s...abcd"]
        {
            assert!(is_placeholder(value.as_bytes()), "{value}");
        }
        for value in ["Q8fK2mZr7Lp0-test-x91Lq20dkfj", "a91f03c7b2d84e60", "kEy_9fJq2LmZ8"] {
            assert!(!is_placeholder(value.as_bytes()), "{value}");
        }
    }
}
