//! Texts in which a credential is not written as it is: encoded as a whole, in escapes, coloured, or cut.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::positives::fill;

/// What can be found of a credential that has nothing of its own by which it could be known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asks {
    /// Any credential.
    Nothing,
    /// A prefix of its own.
    Prefix,
    /// A prefix of its own and a length that is known to some characters, or a checksum: without it nothing says whether the
    /// next line belongs to it.
    Length,
}

/// A text: what stands round the credential, what it asks of it, and the bytes.
pub(crate) type Altered = (&'static str, Asks, Vec<u8>);

/// The ways in which one credential is written.
pub(crate) fn all(name: &str, secret: &[u8]) -> Vec<Altered> {
    let plain = fill("REGION=eu\n@N=@V\nTZ=UTC\n", name, secret);
    let mut texts = wide(&plain);
    texts.extend(coded(&plain, name, secret));
    texts.extend(escaped(name, secret));
    texts.extend(coloured(name, secret));
    texts.extend(cut(name, secret));
    texts
}

/// Characters of two and four bytes.
fn wide(plain: &[u8]) -> Vec<Altered> {
    let two = |order: fn(u16) -> [u8; 2]| {
        [0xFEFF].into_iter().chain(plain.iter().map(|byte| u16::from(*byte))).flat_map(order).collect::<Vec<u8>>()
    };
    let four = |order: fn(u32) -> [u8; 4]| {
        [0xFEFF].into_iter().chain(plain.iter().map(|byte| u32::from(*byte))).flat_map(order).collect::<Vec<u8>>()
    };
    vec![
        ("UTF-16, little end first", Asks::Nothing, two(u16::to_le_bytes)),
        ("UTF-16, big end first", Asks::Nothing, two(u16::to_be_bytes)),
        ("UTF-32, little end first", Asks::Nothing, four(u32::to_le_bytes)),
        ("UTF-32, big end first", Asks::Nothing, four(u32::to_be_bytes)),
    ]
}

/// Base64 and hexadecimal digits, of the value and of the text round it.
fn coded(plain: &[u8], name: &str, secret: &[u8]) -> Vec<Altered> {
    let once = STANDARD.encode(plain);
    let lines: Vec<&str> = once.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).expect("ASCII")).collect();
    let digits = |capitals: bool| -> String {
        let write = |byte: &u8| if capitals { format!("{byte:02X}") } else { format!("{byte:02x}") };
        plain.iter().map(write).collect()
    };
    let manifest = format!("kind: Secret\ndata:\n  @n: {}\ntype: Opaque\n", STANDARD.encode(secret));
    let command: Vec<u8> = fill("$env:@N = \"@V\"; .\\run.ps1", name, secret)
        .iter()
        .flat_map(|byte| u16::from(*byte).to_le_bytes())
        .collect();
    let text = |text: String| text.into_bytes();
    vec![
        ("base64", Asks::Nothing, text(format!("file: {once}\n"))),
        ("base64 over lines", Asks::Nothing, text(format!("{}\n", lines.join("\n")))),
        ("base64 for addresses", Asks::Nothing, text(format!("/f?d={}\n", URL_SAFE_NO_PAD.encode(plain)))),
        ("base64 twice", Asks::Prefix, text(format!("file: {}\n", STANDARD.encode(&once)))),
        ("Kubernetes secret", Asks::Nothing, fill(&manifest, name, secret)),
        ("encoded PowerShell", Asks::Nothing, text(format!("powershell -enc {}\n", STANDARD.encode(command)))),
        ("hexadecimal", Asks::Nothing, text(format!("data: {}\n", digits(false)))),
        ("hexadecimal capitals", Asks::Nothing, text(format!("data: {}\n", digits(true)))),
    ]
}

/// Escapes of addresses, JSON, HTML and mails.
fn escaped(name: &str, secret: &[u8]) -> Vec<Altered> {
    let each = |only: &[u8], write: fn(u8) -> String| -> Vec<u8> {
        let one = |byte: &u8| if only.contains(byte) { write(*byte).into_bytes() } else { vec![*byte] };
        secret.iter().flat_map(one).collect()
    };
    let signs = b":/+=@";
    let with = |template: &str, value: &[u8]| fill(template, name, value);
    let line = "{\"line\":\"@N\\u003d@V\\u0026x=1\"}";
    let all = fill("@N=@V\n", name, secret).iter().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let mail = quoted_printable(&with("Hi,\n\nplease use @N=@V from now on, and tell the others.\n", secret));
    vec![
        ("JSON escapes beside it", Asks::Nothing, with(line, secret)),
        ("JSON escapes of signs", Asks::Nothing, with("\"@n\": \"@V\"\n", &each(b"/+=", in_json))),
        ("percent signs", Asks::Nothing, with("/cb?@n=@V&b=1\n", &each(signs, |byte| format!("%{byte:02X}")))),
        ("percent-encoded query", Asks::Nothing, with("GET /r?u=%3F@n%3D@V%26b%3D1 HTTP/1.1\n", secret)),
        ("percent-encoded throughout", Asks::Prefix, all.into_bytes()),
        ("HTML entities of signs", Asks::Nothing, with("@N: @V<br>\n", &each(signs, |byte| format!("&#{byte};")))),
        ("quoted-printable", Asks::Nothing, mail),
    ]
}

/// Writes a sign as the libraries for JSON do that escape it.
fn in_json(byte: u8) -> String {
    if byte == b'/' { "\\/".to_owned() } else { format!("\\u{byte:04x}") }
}

/// Writes a text as mails do: signs in escapes, and lines of 76 characters at the most.
fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut written = Vec::new();
    let mut column = 0;
    for byte in text {
        let character = match byte {
            b'\n' => b"\r\n".to_vec(),
            b'=' | 0x7F.. => format!("={byte:02X}").into_bytes(),
            _ => vec![*byte],
        };
        if *byte != b'\n' && column + character.len() > 75 {
            written.extend(b"=\r\n");
            column = 0;
        }
        column = if *byte == b'\n' { 0 } else { column + character.len() };
        written.extend(character);
    }
    written
}

/// Colours and characters that nobody sees.
fn coloured(name: &str, secret: &[u8]) -> Vec<Altered> {
    let middle = secret.len() / 2;
    let torn = |between: &str| {
        let value = [&secret[..middle], between.as_bytes(), &secret[middle..]].concat();
        fill("@N=\"@V\"\n", name, &value)
    };
    let around = |text: &str| fill(text, name, secret);
    vec![
        ("colours round it", Asks::Nothing, around("\u{1b}[32m@N\u{1b}[0m=\u{1b}[33m@V\u{1b}[0m\n")),
        ("colours as text round it", Asks::Nothing, around("{\"log\":\"\\u001b[32m@N=\\u001b[1;33m@V\\u001b[0m\"}\n")),
        ("colour inside it", Asks::Nothing, torn("\u{1b}[0m")),
        ("colour inside it as text", Asks::Nothing, torn("\\u001b[0m")),
        ("zero-width characters round it", Asks::Nothing, around("@N=\u{200b}@V\u{200b}\n")),
        ("zero-width character inside it", Asks::Nothing, torn("\u{200b}")),
        ("soft hyphen inside it", Asks::Nothing, torn("\u{ad}")),
        ("joined by an underscore", Asks::Prefix, around("bucket MY_@V\n")),
    ]
}

/// Line ends and string literals that cut it.
fn cut(name: &str, secret: &[u8]) -> Vec<Altered> {
    let middle = secret.len() / 2;
    let torn = |template: &str, between: &str| {
        fill(template, name, &[&secret[..middle], between.as_bytes(), &secret[middle..]].concat())
    };
    let log = "2026-03-01T10:22:33.10Z @N=@V\n2026-03-01T10:22:33.11Z next\n";
    vec![
        ("wrapped by a terminal", Asks::Length, torn("the value of @N is @V\n$ ls\n", "\n")),
        ("wrapped and indented", Asks::Length, torn("  @N: @V\n", "\n        ")),
        ("wrapped in a mail", Asks::Length, torn("> the @N is @V\n> and so on\n", "\n> ")),
        ("wrapped in a log", Asks::Length, torn(log, "\n2026-03-01T10:22:33.10Z ")),
        ("shell continuation", Asks::Nothing, torn("export @N=@V\n", "\\\n")),
        ("joined in JavaScript", Asks::Nothing, torn("const @c = \"@V\";\n", "\" + \"")),
        ("joined in Python", Asks::Nothing, torn("@N = (\n    \"@V\"\n)\n", "\"\n    \"")),
        ("joined in PHP", Asks::Nothing, torn("$@n = '@V';\n", "' . '")),
        ("joined in Visual Basic", Asks::Nothing, torn("@N = \"@V\"\r\n", "\" & \"")),
        ("joined in Lua", Asks::Nothing, torn("local @n = \"@V\"\n", "\" .. \"")),
    ]
}
