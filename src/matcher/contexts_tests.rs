//! Keys of several alphabets in everyday contexts of logs and tickets: each must be found by its detector, at its place.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::detector::Registry;
use crate::detector::example::{self, Generator};
use crate::matcher::engine::{EngineChoice, Workload};
use crate::scan::text::TextScanner;

/// A text, and where in it the key stands.
struct Case {
    context: &'static str,
    text: Vec<u8>,
    start: usize,
    end: usize,
}

/// The detectors whose keys are put into contexts, each with the name that stands beside its key.
const DETECTORS: [(&str, &str); 10] = [
    ("anthropic-api-key", "ANTHROPIC_API_KEY"),
    ("openai-project-key", "OPENAI_API_KEY"),
    ("github-classic-token", "GITHUB_TOKEN"),
    ("huggingface-user-token", "HF_TOKEN"),
    ("aws-access-key-id", "AWS_ACCESS_KEY_ID"),
    ("groq-api-key", "GROQ_API_KEY"),
    ("slack-bot-token", "SLACK_BOT_TOKEN"),
    ("cohere-api-key", "COHERE_API_KEY"),
    ("google-api-key", "GOOGLE_API_KEY"),
    ("gitlab-access-token", "GITLAB_TOKEN"),
];

/// Contexts in which the key stands as it is: NAME and KEY are filled in.
const PLAIN: [(&str, &str); 62] = [
    ("assignment", "NAME=KEY"),
    ("export", "export NAME=\"KEY\"\n"),
    ("single quotes", "NAME='KEY'"),
    ("ansi colour round it", "\x1b[36;1mexport NAME=\x1b[32mKEY\x1b[0m\n"),
    ("ansi colour right after", "NAME=KEY\x1b[0m"),
    ("ansi written out", r"NAME=\u001b[32mKEY\u001b[0m"),
    ("github timestamp", "2023-06-29T18:15:54.4601154Z NAME: KEY\n"),
    ("github group", "2023-06-29T18:15:54.4601154Z ##[group]Run x\n2023-06-29T18:15:54.4601154Z   NAME: KEY\n"),
    ("docker step", "#8 [2/3] RUN echo\n#8 0.512 NAME=KEY\n"),
    ("gitlab section", "\x1b[0Ksection_start:1700000000:x\r\x1b[0K\x1b[32;1m$ export NAME=KEY\x1b[0;m\n"),
    ("json log line", "{\"level\":\"info\",\"msg\":\"NAME=KEY\"}\n"),
    ("escaped json", r#"{"log":"{\"NAME\":\"KEY\"}\n"}"#),
    ("twice escaped json", r#"{"log":"{\\\"NAME\\\":\\\"KEY\\\"}\\n"}"#),
    ("newline as text after", r"NAME=KEY\nNEXT=1"),
    ("newline as text before", r"FIRST=1\nNAME=KEY\n"),
    ("tab as text", r"NAME\tKEY\tx"),
    ("stack trace", "  File \"x.py\", line 3, in f\n    client = Client(NAME=\"KEY\")\nValueError: bad\n"),
    ("curl -v", "> GET /v1 HTTP/2\r\n> Host: x\r\n> NAME: KEY\r\n> accept: */*\r\n"),
    ("env dump", "HOME=/root\nNAME=KEY\nPATH=/bin\n"),
    ("nul between", "HOME=/root\0NAME=KEY\0PATH=/bin\0"),
    ("yaml", "env:\n  - name: NAME\n    value: KEY\n"),
    ("yaml map", "NAME: KEY # comment\n"),
    ("toml", "NAME = \"KEY\"\n"),
    ("ini", "[x]\nNAME = KEY\r\n"),
    ("markdown table", "| NAME | KEY |\n|---|---|\n"),
    ("markdown code", "set NAME to `KEY`, then"),
    ("markdown bold", "NAME: **KEY**"),
    ("jira code", "NAME {code}KEY{code}"),
    ("slack link", "NAME <https://x.example/?k=KEY|label>"),
    ("slack text", "NAME is <KEY|shown>"),
    ("cdata", "<NAME><![CDATA[KEY]]></NAME>"),
    ("xml attribute", "<add key=\"NAME\" value=\"KEY\"/>"),
    ("xml element", "<NAME>KEY</NAME>"),
    ("html bold", "NAME: <b>KEY</b>"),
    ("csv", "1,NAME,KEY,2024\n"),
    ("csv quoted", "\"NAME\",\"KEY\",\"x\"\n"),
    ("sql insert", "INSERT INTO t VALUES ('NAME', 'KEY', 1);"),
    ("python bytes", "(b'NAME', b'KEY')"),
    ("python repr", "Settings(NAME='KEY', x=1)"),
    ("header", "NAME: x\nAuthorization: Bearer KEY\n"),
    ("url query", "GET /v1/x?NAME=KEY&b=2 HTTP/1.1"),
    ("cli flag", "tool NAME --api-key=KEY --x"),
    ("docker run", "docker run -e NAME=KEY image"),
    ("shell trace", "+ export NAME=KEY\n+ NAME=KEY\n"),
    ("terraform plan", "      + NAME = \"KEY\" -> null"),
    ("diff added", "+NAME=KEY\n-NAME=x\n"),
    ("powershell", "$env:NAME='KEY'"),
    ("windows set", "set NAME=KEY\r\n"),
    ("full stop", "my NAME is KEY. Please"),
    ("comma", "NAME: KEY, and"),
    ("parenthesis", "(NAME: KEY)"),
    ("bracket", "[NAME: KEY]"),
    ("brace", "{NAME: KEY}"),
    ("semicolon", "NAME=KEY;"),
    ("colon", "NAME=KEY:"),
    ("exclamation mark", "NAME=KEY!"),
    ("angle brackets", "NAME <KEY>"),
    ("html quotes", "NAME=&quot;KEY&quot;"),
    ("smart quotes", "NAME \u{201c}KEY\u{201d}"),
    ("cjk punctuation", "NAME\u{ff1a}KEY\u{3002}"),
    ("no-break space", "NAME:\u{a0}KEY\u{a0}x"),
    ("byte order mark", "\u{feff}NAME=KEY"),
];

/// A key as it is put into contexts.
struct Key<'key> {
    name: &'key str,
    value: &'key str,
    /// Whether it has a prefix of its own; a value beside a name is not joined and not looked for in rare encodings.
    prefixed: bool,
}

impl Key<'_> {
    fn halves(&self) -> (&str, &str) {
        self.value.split_at(self.value.len() / 2)
    }

    /// Fills a template in; the key's first place is the one that is expected.
    fn fill(&self, context: &'static str, template: &str, written: &str) -> Case {
        let (before, after) = template.split_once("KEY").expect("a template has a key");
        let before = before.replace("NAME", self.name);
        let after = after.replace("NAME", "\u{1}").replace("KEY", self.value).replace('\u{1}', self.name);
        let start = before.len();
        Case { context, text: format!("{before}{written}{after}").into(), start, end: start + written.len() }
    }

    /// Writes a whole text in an encoding; `place` says where a byte of the plain text stands in the written one.
    fn encoded(&self, context: &'static str, write: impl Fn(&str) -> Vec<u8>, place: impl Fn(usize) -> usize) -> Case {
        let case = self.fill(context, "FIRST=1\nNAME=KEY\nNEXT=2\n", self.value);
        let plain = String::from_utf8(case.text).expect("text");
        let (start, end) = (place(case.start), place(case.end));
        Case { context, text: write(&plain), start, end }
    }
}

fn written(value: &str, only: &str, write: impl Fn(u8) -> String) -> String {
    let all = only.is_empty();
    let one =
        |byte: u8| if all || only.as_bytes().contains(&byte) { write(byte) } else { char::from(byte).to_string() };
    value.bytes().map(one).collect()
}

/// Contexts in which something stands inside the key or it is written in escapes.
fn altered(key: &Key<'_>) -> Vec<Case> {
    let (first, second) = key.halves();
    let mut cases = Vec::new();
    let inside: [(&'static str, &str); 9] = [
        ("ansi inside", "\x1b[1;31m"),
        ("ansi inside, written out", r"\u001b[0m"),
        ("ansi inside, octal", r"\033[31m"),
        ("ansi inside, caret", "^[[31m"),
        ("zero-width space inside", "\u{200b}"),
        ("soft hyphen inside", "\u{ad}"),
        ("word joiner inside", "\u{2060}"),
        ("html zero-width space inside", "&#8203;"),
        ("quoted-printable soft break", "=\r\n"),
    ];
    for (context, cut) in inside {
        cases.push(key.fill(context, "NAME: KEY\n", &format!("{first}{cut}{second}")));
    }
    let signs = "-_";
    let escapes: [(&'static str, String); 9] = [
        ("json escapes of signs", written(key.value, signs, |byte| format!("\\u{byte:04x}"))),
        ("json escapes of signs, capitals", written(key.value, signs, |byte| format!("\\u{byte:04X}"))),
        ("json escapes, twice", written(key.value, signs, |byte| format!("\\\\u{byte:04x}"))),
        ("c escapes of signs", written(key.value, signs, |byte| format!("\\x{byte:02x}"))),
        ("percent signs", written(key.value, signs, |byte| format!("%{byte:02X}"))),
        ("percent signs, twice", written(key.value, signs, |byte| format!("%25{byte:02X}"))),
        ("html entities of signs", written(key.value, signs, |byte| format!("&#{byte};"))),
        ("quoted-printable signs", written(key.value, signs, |byte| format!("={byte:02X}"))),
        ("markdown escapes", written(key.value, "_", |_| "\\_".to_owned())),
    ];
    for (context, value) in escapes {
        cases.push(key.fill(context, "NAME: KEY\n", &value));
    }
    cases.push(key.fill("percent-encoded assignment", "GET /?q=NAME%3DKEY%26b%3D1 HTTP/1.1", key.value));
    cases.push(key.fill("json-escaped assignment", r"{'a': 'NAME\u003dKEY\u0026b=1'}", key.value));
    cases.push(key.fill("quoted-printable assignment", "export NAME=3DKEY=20\n", key.value));
    cases.push(key.fill("html-escaped assignment", "NAME&#61;&#34;KEY&#34;", key.value));
    cases
}

/// Contexts in which line ends and string literals cut the key.
fn cut(key: &Key<'_>) -> Vec<Case> {
    let (first, second) = key.halves();
    let gaps: [(&'static str, &str, &str); 16] = [
        ("wrapped", "the NAME of the service is KEY and so on\n", "\n"),
        ("wrapped at the end", "the NAME of the service is KEY\nnext line\n", "\n"),
        ("wrapped in a mail", "> the NAME is KEY\n> and so on\n", "\n> "),
        ("wrapped in a log", "2023-06-29T18:15:54.46Z NAME=KEY\n", "\n2023-06-29T18:15:54.46Z "),
        ("wrapped in docker", "#8 1.234 NAME=KEY\n", "\n#8 1.234 "),
        ("wrapped and indented", "  NAME: KEY\n", "\r\n        "),
        ("shell continuation", "export NAME=KEY\n", "\\\n"),
        ("javascript", "const NAME = \"KEY\";", "\" + \""),
        ("javascript over lines", "const NAME = 'KEY';", "' +\n    '"),
        ("php", "$NAME = \"KEY\";", "\" . \""),
        ("lua", "NAME = \"KEY\"", "\" .. \""),
        ("visual basic", "NAME = \"KEY\"", "\" & \""),
        ("python", "NAME = (\"KEY\")", "\"\n        \""),
        ("python continuation", "NAME = \"KEY\"", "\" \\\n    \""),
        ("java in json", r#"{"code":"NAME = \"KEY\";"}"#, r#"\" + \""#),
        ("shell quotes", "NAME='KEY'", "'\"\"'"),
    ];
    gaps[..15]
        .iter()
        .map(|(context, template, gap)| key.fill(context, template, &format!("{first}{gap}{second}")))
        .collect()
}

/// Contexts in which a whole text is encoded.
fn encoded(key: &Key<'_>) -> Vec<Case> {
    let base64_start = |at: usize| at / 3 * 4 + at % 3;
    let base64_end = |at: usize| at / 3 * 4 + [0, 2, 3][at % 3];
    let start = "FIRST=1\nNAME=".replace("NAME", key.name).len();
    let base64 = |at: usize| if at == start { base64_start(at) } else { base64_end(at) };
    let wrapped = |at: usize| {
        let place = base64(at);
        place + (place - usize::from(at != start)) / 76
    };
    let wrap = |text: &str| {
        let lines: Vec<String> =
            STANDARD.encode(text).as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into()).collect();
        lines.join("\n").into_bytes()
    };
    let utf16 = |text: &str, little: bool| -> Vec<u8> {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    };
    let mut cases = vec![
        key.encoded("base64 of a file", |text| STANDARD.encode(text).into_bytes(), base64),
        key.encoded("base64 without padding", |text| URL_SAFE_NO_PAD.encode(text).into_bytes(), base64),
        key.encoded("utf-16, little endian", |text| utf16(text, true), |at| 2 + 2 * at),
        key.encoded("utf-16, big endian", |text| utf16(text, false), |at| 2 + 2 * at),
        key.encoded("base64 over lines", wrap, wrapped),
    ];
    if !key.prefixed {
        cases.pop();
        return cases;
    }
    let wide = |text: &str| text.bytes().flat_map(|byte| [byte, 0, 0, 0]).collect();
    let every = |width: usize| move |at: usize| at * width;
    let each = |write: fn(u8) -> String| move |text: &str| written(text, "", write).into_bytes();
    cases.push(key.encoded("utf-32", wide, every(4)));
    cases.push(key.encoded("hexadecimal", each(|byte| format!("{byte:02x}")), every(2)));
    cases.push(key.encoded("hexadecimal capitals", each(|byte| format!("{byte:02X}")), every(2)));
    cases.push(key.encoded("percent", each(|byte| format!("%{byte:02x}")), every(3)));
    cases.push(key.encoded("percent capitals", each(|byte| format!("%{byte:02X}")), every(3)));
    cases.push(key.encoded("json", each(|byte| format!("\\u{byte:04x}")), every(6)));
    cases.push(key.encoded("json capitals", each(|byte| format!("\\u{byte:04X}")), every(6)));
    cases.push(key.encoded("html", each(|byte| format!("&#x{byte:02x};")), every(6)));
    let decimal = |text: &str| written(text, "", |byte| format!("&#{byte};")).into_bytes();
    let plain = format!("FIRST=1\nNAME={}\n", key.value).replace("NAME", key.name);
    cases.push(key.encoded("html decimal", decimal, |at| decimal(&plain[..at]).len()));
    let once = STANDARD.encode(key.value);
    let bare = once.trim_end_matches('=').len();
    let twice = STANDARD.encode(&once);
    for (context, value, length) in [("base64 of the key", &once, bare), ("base64 twice", &twice, base64_end(bare))] {
        let mut case = key.fill(context, "data: KEY\n", value);
        case.end = case.start + length;
        cases.push(case);
    }
    cases
}

fn keys(registry: &Registry, seed: u64) -> Vec<(String, u16, &'static str, bool)> {
    let mut keys = Vec::new();
    for (id, name) in DETECTORS {
        let number = registry.detectors().iter().position(|detector| detector.id == id).expect("a detector");
        let detector = &registry.detectors()[number];
        let value = example::expand_for(detector, &detector.shapes[0], &mut Generator::new(seed)).expect("a key");
        let prefixed = detector.keywords.is_empty();
        keys.push((String::from_utf8(value).expect("text"), number as u16, name, prefixed));
    }
    keys
}

/// Scans the cases of every key and returns how many there were and, of each miss, what was found instead.
fn misses(cases_of: fn(&Key<'_>) -> Vec<Case>, prefixed_only: bool) -> (usize, Vec<String>) {
    let registry = Registry::built_in();
    let scanner = TextScanner::new(&registry, EngineChoice::Pure, Workload::Large, false).expect("a scanner");
    let mut worker = scanner.worker().expect("a worker");
    let (mut seen, mut misses) = (0, Vec::new());
    for (value, number, name, prefixed) in keys(&registry, 5).into_iter().filter(|key| key.3 || !prefixed_only) {
        for case in cases_of(&Key { name, value: &value, prefixed }) {
            seen += 1;
            let hits = worker.scan(&case.text).expect("a scan");
            let fits = |place: &crate::scan::text::Located| {
                let candidate = &place.candidate;
                let spot = (candidate.start, candidate.end) == (case.start, case.end);
                spot && candidate.detector == number && candidate.secret.expose() == value.as_bytes()
            };
            if !hits.located.iter().any(fits) {
                let found: Vec<String> = hits
                    .located
                    .iter()
                    .map(|place| {
                        let candidate = &place.candidate;
                        format!("{} {}..{}", registry.detector(candidate.detector).id, candidate.start, candidate.end)
                    })
                    .collect();
                let id = &registry.detector(number).id;
                misses.push(format!("{id}, {}: at {}..{}, found {found:?}", case.context, case.start, case.end));
            }
        }
    }
    (seen, misses)
}

fn none_missed(cases_of: fn(&Key<'_>) -> Vec<Case>, prefixed_only: bool, least: usize) {
    let (seen, misses) = misses(cases_of, prefixed_only);
    assert!(seen >= least, "only {seen} cases");
    assert!(misses.is_empty(), "{} of {seen} missed:\n{}", misses.len(), misses.join("\n"));
}

#[test]
fn keys_are_found_whatever_stands_round_them() {
    let plain = |key: &Key<'_>| PLAIN.iter().map(|(context, text)| key.fill(context, text, key.value)).collect();
    none_missed(plain, false, 600);
}

#[test]
fn keys_are_found_with_escapes_and_marks_inside_them() {
    none_missed(altered, true, 190);
}

#[test]
fn keys_are_found_that_lines_and_string_literals_cut() {
    none_missed(cut, true, 130);
}

#[test]
fn keys_are_found_in_encoded_text() {
    none_missed(encoded, false, 140);
}

/// Texts that hold no key, of every sort that views read: each a name and some hundred kilobytes.
fn noise() -> Vec<(&'static str, Vec<u8>)> {
    let mut generator = Generator::new(23);
    let mut drawn = |alphabet: &[u8], count: usize| -> Vec<u8> {
        (0..count).map(|_| alphabet[generator.below(alphabet.len() as u32) as usize]).collect()
    };
    let bytes: Vec<u8> = (0..=255).collect();
    let binary = drawn(&bytes, 300_000);
    let lines = |text: &[u8]| text.chunks(76).collect::<Vec<_>>().join(&b"\n"[..]);
    let base64 = STANDARD.encode(&binary).into_bytes();
    vec![
        ("base64 of an image", base64.clone()),
        ("base64 over lines", lines(&base64)),
        ("base64 for addresses over lines", lines(URL_SAFE_NO_PAD.encode(&binary).as_bytes())),
        ("hexadecimal", drawn(b"0123456789abcdef", 300_000)),
        ("minified code", drawn(b"abcdefghijklmnopqrstuvwxyzAIKEHFYskgph0123456789\"'+-_.,;(){}=\\\n ", 300_000)),
        ("percent signs", drawn(b"%0123456789ABCDEFsk-_", 300_000)),
        ("escapes", drawn(b"\\\\unx0025dfskph_-\"", 300_000)),
        ("lines of words", drawn(b"sk-hf_gAKIAxyz0123456789abcdef\n\n", 300_000)),
        ("binary", binary),
    ]
}

#[test]
fn noise_holds_no_key_in_any_view() {
    let registry = Registry::built_in();
    let scanner = TextScanner::new(&registry, EngineChoice::Pure, Workload::Large, false).expect("a scanner");
    let mut worker = scanner.worker().expect("a worker");
    for (name, text) in noise() {
        let hits = worker.scan(&text).expect("a scan");
        let found: Vec<_> = hits.located.iter().map(|hit| (&hit.candidate, &hit.excerpt)).collect();
        assert!(found.is_empty(), "{name}: {found:?}");
    }
}

#[test]
fn hostile_text_takes_time_in_proportion_to_its_length() {
    let registry = Registry::built_in();
    let scanner = TextScanner::new(&registry, EngineChoice::Pure, Workload::Large, false).expect("a scanner");
    let mut worker = scanner.worker().expect("a worker");
    let nested = |text: &str| STANDARD.encode(STANDARD.encode(text));
    let pieces = [
        "sk-".to_owned(),
        "A".to_owned(),
        "%41".to_owned(),
        "%2d".to_owned(),
        "%41%2d".to_owned(),
        "sk-\n".to_owned(),
        "AKIA\" + \"".to_owned(),
        STANDARD.encode("sk-ant-api03"),
        STANDARD.encode("-----BEGIN PRIVATE KEY-----"),
        nested("sk-ant-"),
        "736b2d616e".to_owned(),
        "\\u002d".to_owned(),
        "s\0k\0-\0".to_owned(),
    ];
    let mut slow = Vec::new();
    for piece in pieces {
        let text = piece.repeat((1 << 18) / piece.len());
        let begun = std::time::Instant::now();
        worker.scan(text.as_bytes()).expect("a scan");
        slow.extend((begun.elapsed().as_secs() >= 10).then(|| (piece, begun.elapsed())));
    }
    assert!(slow.is_empty(), "{slow:?}");
}
