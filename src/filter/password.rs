//! Passwords in addresses and netrc files. The grammar of the address says what the password is; what is left to tell is
//! whether it is one: a reference, a stand-in, a mask, or what tutorials write.

use std::borrow::Cow;

use super::characters;
use super::placeholder;
use super::runs;
use super::{DropReason, Value};

/// The evidence for chance, in nats, that a password for a host of this machine must have.
const ENOUGH_AT_HOME: f32 = 6.0;

/// Returns why a password is none.
pub(super) fn reason(value: &Value<'_>) -> Option<DropReason> {
    let decoded = without_percent(value.bytes);
    let password: &[u8] = &decoded;
    if is_reference(value.bytes) || is_reference(password) {
        return Some(DropReason::Reference);
    }
    if is_written_in_escapes(password) || is_of_a_pattern(password) {
        return Some(DropReason::Code);
    }
    if is_masked(password) {
        return Some(DropReason::Masked);
    }
    let plain = in_letters(password);
    if is_common(password) || is_common(&plain) || is_port(password) {
        return Some(DropReason::Placeholder);
    }
    if repeats_the_user(value) {
        return Some(DropReason::Echo);
    }
    if runs::is_run(password) || is_doubled(password) {
        return Some(DropReason::Repetition);
    }
    // Words are real passwords too, but not beside a host that only exists on this machine or in documentation.
    let evidence = characters::weigh(password).best.min(characters::weigh(&plain).best);
    (is_stand_in_host(value.after) && evidence < ENOUGH_AT_HOME).then_some(DropReason::Words)
}

/// Returns whether a password is a short word: one that a person may have chosen, and that examples are written with.
pub fn is_weak(password: &[u8]) -> bool {
    let letters = password.iter().all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_' | b'.'));
    let spoken = password.iter().all(u8::is_ascii_alphabetic) && characters::weigh(password).total < 0.0;
    (letters && password.len() < 12) || (spoken && password.len() < 16)
}

/// Undoes the escapes of addresses.
fn without_percent(password: &[u8]) -> Cow<'_, [u8]> {
    if !password.contains(&b'%') {
        return Cow::Borrowed(password);
    }
    let digit = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut plain = Vec::with_capacity(password.len());
    let mut position = 0;
    while let Some(byte) = password.get(position) {
        let pair = (digit(password.get(position + 1)), digit(password.get(position + 2)));
        if let (b'%', (Some(high), Some(low))) = (byte, pair) {
            plain.push((high * 16 + low) as u8);
            position += 3;
        } else {
            plain.push(*byte);
            position += 1;
        }
    }
    Cow::Owned(plain)
}

/// Reads digits and marks as the letters that people write them for, and leaves out other marks: `p@ss:w0rd`.
fn in_letters(password: &[u8]) -> Vec<u8> {
    let letter = |byte: u8| match byte {
        b'0' => Some(b'o'),
        b'1' => Some(b'l'),
        b'3' => Some(b'e'),
        b'4' | b'@' => Some(b'a'),
        b'5' | b'$' => Some(b's'),
        b'7' => Some(b't'),
        _ => byte.is_ascii_alphanumeric().then(|| byte.to_ascii_lowercase()),
    };
    password.iter().filter_map(|byte| letter(*byte)).collect()
}

/// Whether a short password is two or three letters twice.
fn is_doubled(password: &[u8]) -> bool {
    let half = password.len() / 2;
    password.len() <= 6 && password.len().is_multiple_of(2) && password[..half] == password[half..]
}

/// Returns whether a value names where to find it: `${VAR}`, `{{ .x }}`, `$(cmd)`, `%VAR%`, `<password>`, `[password]`.
pub fn is_reference(value: &[u8]) -> bool {
    let ends = (value.first(), value.last());
    let wrapped = matches!(
        ends,
        (Some(b'<'), Some(b'>'))
            | (Some(b'['), Some(b']'))
            | (Some(b'{'), Some(b'}'))
            | (Some(b'%'), Some(b'%'))
            | (Some(b'('), Some(b')'))
            | (Some(b'_'), Some(b'_'))
    );
    const MARKS: [&str; 18] = [
        "${",
        "$(",
        "{{",
        "{0}",
        "{}",
        "%s",
        "%v",
        "%d",
        "#{",
        "<%",
        "os.environ",
        "process.env",
        "secrets.",
        "getenv",
        "%3C",
        "%7B",
        "vault:",
        "op://",
    ];
    wrapped
        || value.first() == Some(&b'$')
        || MARKS.iter().any(|mark| memchr::memmem::find(value, mark.as_bytes()).is_some())
}

/// Words that only ever stand in documentation, tests and local set-ups, whole or joined.
const STAND_INS: [&str; 58] = [
    "password",
    "passwd",
    "pass",
    "pwd",
    "passwort",
    "secret",
    "changeme",
    "postgres",
    "postgresql",
    "pgpass",
    "mysql",
    "mariadb",
    "root",
    "toor",
    "admin",
    "administrator",
    "user",
    "username",
    "guest",
    "test",
    "testing",
    "tester",
    "example",
    "redis",
    "rabbitmq",
    "rabbit",
    "mongo",
    "mongodb",
    "neo4j",
    "default",
    "dev",
    "develop",
    "development",
    "local",
    "foo",
    "bar",
    "baz",
    "foobar",
    "hunter2",
    "letmein",
    "qwerty",
    "token",
    "my",
    "your",
    "db",
    "database",
    "the",
    "key",
    "apikey",
    "api",
    "app",
    "strong",
    "scott",
    "tiger",
    "some",
    "passw",
    "word",
    "secure",
];

/// Returns whether a password is one that only stands in for one: such words, joined and numbered in any way.
pub fn is_common(password: &[u8]) -> bool {
    if placeholder::is_placeholder(password) {
        return true;
    }
    let lower = password.to_ascii_lowercase();
    let words = lower.split(|byte| !byte.is_ascii_alphabetic()).filter(|word| !word.is_empty());
    let mut letters = 0;
    for word in words {
        if word.len() > 1 && !is_joined_of_stand_ins(word) {
            return STAND_INS.iter().any(|known| known.as_bytes() == lower);
        }
        letters += word.len();
    }
    letters >= 3 && letters + 4 >= lower.len()
}

/// Whether a word is one stand-in or two in a row: `mypassword`, `testuser`.
fn is_joined_of_stand_ins(word: &[u8]) -> bool {
    let known = |text: &[u8]| STAND_INS.iter().any(|known| known.as_bytes() == text);
    known(word) || (1..word.len()).any(|middle| known(&word[..middle]) && known(&word[middle..]))
}

/// Whether next to nothing is left of a password without its escapes: text of a test, such as `\\xa1\\xa2`.
fn is_written_in_escapes(password: &[u8]) -> bool {
    let escapes = memchr::memmem::find_iter(password, b"\\x").count();
    escapes > 0 && password.len() < escapes * 4 + 4
}

/// Whether a password is a part of a regular expression for addresses: `]+):([^`.
fn is_of_a_pattern(password: &[u8]) -> bool {
    [&b"[^"[..], b"]+)", b"]*)", b"(?:", b".*)", b".+)"]
        .iter()
        .any(|mark| memchr::memmem::find(password, mark).is_some())
}

fn is_masked(password: &[u8]) -> bool {
    password.iter().all(|byte| matches!(byte, b'*' | b'x' | b'X' | b'.' | b'-' | b'_' | b'#' | b'?'))
        || memchr::memmem::find(password, b"***").is_some()
        || memchr::memmem::find(password, b"...").is_some()
        || memchr::memmem::find(password, "…".as_bytes()).is_some()
}

/// A port where a password was looked for: `http://host:8080@...` in a path or a test.
fn is_port(password: &[u8]) -> bool {
    password.len() <= 5 && password.iter().all(u8::is_ascii_digit)
}

/// Whether the user's name before the colon is the password again.
fn repeats_the_user(value: &Value<'_>) -> bool {
    let Some(head) = value.before.strip_suffix(b":") else { return false };
    let user = head.rsplit(|byte| matches!(byte, b'/' | b':' | b'@')).next().unwrap_or_default();
    !user.is_empty() && user.eq_ignore_ascii_case(value.bytes)
}

/// Whether an address goes on with a host that only exists on one machine or in documentation.
fn is_stand_in_host(after: &[u8]) -> bool {
    const HOSTS: [&str; 17] = [
        "localhost",
        "127.0.0.1",
        "[::1]",
        "0.0.0.0",
        "host",
        "hostname",
        "server",
        "db",
        "database",
        "postgres",
        "mysql",
        "redis",
        "mongo",
        "rabbitmq",
        "domain",
        "example",
        "proxy",
    ];
    let Some(rest) = after.strip_prefix(b"@") else { return false };
    let length = rest.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b".-_[]%".contains(byte)).count();
    let host = rest[..length.min(64)].to_ascii_lowercase();
    let first = host.split(|byte| matches!(byte, b'.' | b'-' | b'_')).next().unwrap_or_default();
    let named = HOSTS.iter().any(|known| {
        known.as_bytes() == host || (!known.contains('.') && known.as_bytes() == first && !host.contains(&b'.'))
    });
    named
        || [&b"example.com"[..], b"example.org", b"example.net", b".example", b".test", b".invalid", b".localhost"]
            .iter()
            .any(|end| host.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dropped(user: &str, password: &str, host: &str) -> Option<DropReason> {
        let (before, after) = (format!("postgres://{user}:"), format!("@{host}/app"));
        let (before, after) = (before.as_bytes(), after.as_bytes());
        let bytes = password.as_bytes();
        reason(&Value { bytes, body: bytes, before, after, exact: false, name: None })
    }

    #[test]
    fn references_masks_and_stand_ins_are_no_passwords() {
        for (user, password, reason) in [
            ("app", "${DB_PASS}", DropReason::Reference),
            ("app", "<password>", DropReason::Reference),
            ("app", "{{ .Values.pw }}", DropReason::Reference),
            ("app", "%PASS%", DropReason::Reference),
            ("app", "****", DropReason::Masked),
            ("app", "ab***yz", DropReason::Masked),
            ("app", "postgres", DropReason::Placeholder),
            ("app", "mypassword123", DropReason::Placeholder),
            ("app", "your_db_password", DropReason::Placeholder),
            ("app", "8080", DropReason::Placeholder),
            ("scott", "Tiger", DropReason::Placeholder),
            ("app", r"\xa1\xa2", DropReason::Code),
            (")([^", "]+):([^", DropReason::Code),
            ("app", "s3cret", DropReason::Placeholder),
            ("app", "MyP%40ss%3Aword", DropReason::Placeholder),
            ("app", "somepassword", DropReason::Placeholder),
            ("app", "%24%7BDB_PASS%7D", DropReason::Reference),
            ("app", "pwpw", DropReason::Repetition),
            ("deploybot", "Deploybot", DropReason::Echo),
        ] {
            assert_eq!(dropped(user, password, "db.internal.corp.io"), Some(reason), "{user}:{password}");
        }
    }

    #[test]
    fn words_are_passwords_at_real_hosts_alone() {
        assert_eq!(dropped("app", "sunshine-garden", "localhost:5432"), Some(DropReason::Words));
        assert_eq!(dropped("app", "sunshine-garden", "db.example.com"), Some(DropReason::Words));
        assert_eq!(dropped("app", "c313ry", "mysql"), Some(DropReason::Words));
        assert_eq!(dropped("app", "pa%3Ass%20w%25rd%2B!", "localhost"), Some(DropReason::Words));
        assert_eq!(dropped("app", "sunshine-garden", "db.prod.acme.io"), None);
        assert_eq!(dropped("app", "t7Gq-92xLmw4Zk", "localhost"), None);
    }

    #[test]
    fn short_words_are_weak_and_what_chance_made_is_not() {
        for password in ["bosco", "bobwillknow", "sunshine"] {
            assert!(is_weak(password.as_bytes()), "{password}");
        }
        for password in ["t7Gq92xL", "XqzvKjwpfh", "correct-horse-battery-staple"] {
            assert!(!is_weak(password.as_bytes()), "{password}");
        }
    }
}
