//! Words that say that a value is an example, to be replaced, or stands somewhere else.

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
    if ANYWHERE.iter().any(|word| contains(word)) || memchr::memmem::find(&lower, b"...").is_some() {
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

/// Returns whether a value names where to find it: `${VAR}`, `{{ .x }}`, `$(cmd)`, `%VAR%`, `<password>`, `[password]`.
pub fn is_reference(value: &[u8]) -> bool {
    let ends = (value.first(), value.last());
    let wrapped = matches!(
        ends,
        (Some(b'<'), Some(b'>')) | (Some(b'['), Some(b']')) | (Some(b'{'), Some(b'}')) | (Some(b'%'), Some(b'%'))
    );
    wrapped
        || value.first() == Some(&b'$')
        || [&b"${"[..], b"$(", b"{{", b"{0}", b"{}", b"%s", b"%v", b"#{", b"os.environ", b"process.env", b"secrets."]
            .iter()
            .any(|mark| memchr::memmem::find(value, mark).is_some())
}

/// Passwords that only ever stand in documentation, tests and local set-ups.
const COMMON_PASSWORDS: [&str; 30] = [
    "password",
    "passwd",
    "pass",
    "pwd",
    "secret",
    "changeme",
    "postgres",
    "postgresql",
    "mysql",
    "root",
    "admin",
    "user",
    "username",
    "guest",
    "test",
    "testing",
    "example",
    "redis",
    "rabbitmq",
    "mongo",
    "mongodb",
    "default",
    "dev",
    "foobar",
    "hunter2",
    "letmein",
    "qwerty",
    "token",
    "mypassword",
    "your_password",
];

/// Returns whether a password is one that only stands in for one.
pub fn is_common_password(password: &[u8]) -> bool {
    let lower = password.to_ascii_lowercase();
    let letters: Vec<u8> = lower.iter().copied().filter(|byte| byte.is_ascii_alphabetic() || *byte == b'_').collect();
    let known = |text: &[u8]| COMMON_PASSWORDS.iter().any(|word| word.as_bytes() == text);
    let masked = lower.iter().all(|byte| matches!(byte, b'*' | b'x' | b'.' | b'-' | b'_'));
    masked || known(&lower) || (letters.len() + 3 >= lower.len() && known(&letters)) || is_placeholder(password)
}

/// Returns whether the body between the markers of a key block is no key: too short, or words.
pub fn in_key_block(block: &[u8]) -> bool {
    let body: Vec<u8> = block
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(b"-----"))
        .flatten()
        .copied()
        .filter(u8::is_ascii_alphanumeric)
        .collect();
    let lower = body.to_ascii_lowercase();
    ["example", "placeholder", "redacted", "yourprivatekey", "privatekeyhere"]
        .iter()
        .any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some())
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

    #[test]
    fn references_and_stand_in_passwords_are_known() {
        for value in ["${DB_PASS}", "<password>", "{{ .Values.pw }}", "%PASS%", "$PASS"] {
            assert!(is_reference(value.as_bytes()), "{value}");
        }
        for value in ["postgres", "password123", "****", "xxxx", "your_password"] {
            assert!(is_common_password(value.as_bytes()), "{value}");
        }
        assert!(!is_common_password(b"t7Gq-92xLm") && !is_reference(b"t7Gq-92xLm"));
    }
}
