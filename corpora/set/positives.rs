//! Texts with a credential: every detector in every context.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use credtrace::detector::Registry;
use credtrace::detector::compile::Detector;
use credtrace::detector::example::{self, Generator};

use super::{Positive, variable};

/// Contexts as templates: `@N` is the variable, `@n` the same in small letters, `@c` in camel case, `@V` the value.
const CONTEXTS: [(&str, &str); 29] = [
    ("environment file", "# settings\nDEBUG=1\n@N=@V\nPORT=8080\n"),
    ("quoted environment file", "@N=\"@V\"\n"),
    ("shell", "set -e\nexport @N='@V'\n./run.sh\n"),
    ("JSON", "{\n  \"region\": \"eu\",\n  \"@n\": \"@V\",\n  \"retries\": 3\n}\n"),
    ("JSON on one line", "{\"@n\":\"@V\",\"ok\":true}"),
    ("escaped JSON", "{\"body\": \"{\\\"@n\\\": \\\"@V\\\"}\"}"),
    ("YAML", "service:\n  @n: @V\n  replicas: 2\n"),
    ("TOML", "[service]\n@n = \"@V\"\n"),
    ("INI", "[service]\n@n=@V\n"),
    ("Python", "import os\n\n@N = \"@V\"  # move me\nclient = make(@N)\n"),
    ("Python dictionary", "config = {'@n': '@V', 'timeout': 30}\n"),
    ("Python environment", "os.environ[\"@N\"] = \"@V\"\n"),
    ("notebook", "   \"source\": [\n    \"os.environ[\\\"@N\\\"] = \\\"@V\\\"\\n\",\n"),
    ("JavaScript", "const @c = '@V';\nmodule.exports = { @c };\n"),
    ("TypeScript object", "  @c: `@V`,\n"),
    ("Go", "\t@c := \"@V\"\n"),
    ("Java", "  private static final String @N = \"@V\";\n"),
    ("Rust", "const @N: &str = \"@V\";\n"),
    ("Terraform", "variable \"x\" {}\nlocals {\n  @n = \"@V\"\n}\n"),
    ("compose file", "    environment:\n      - @N=@V\n      - TZ=UTC\n"),
    ("Dockerfile", "FROM debian\nENV @N=@V\n"),
    ("log line", "2026-03-01T10:22:33Z INFO worker[12]: loaded @N=@V from environment\n"),
    ("build log", "#8 [2/3] 0.412 + export @N=@V\n"),
    ("ticket", "Hi all, our @N is: @V. Could somebody rotate it, please?\n"),
    ("chat", "*@N*: `@V` (do not share)\n"),
    ("Markdown", "Run `@N=@V make test` and wait.\n"),
    ("XML", "<settings><@n>@V</@n></settings>\n"),
    ("query of an address", "GET https://api.internal/v1/models?@n=@V&limit=3 HTTP/1.1\n"),
    ("diff", "--- a/.env\n+++ b/.env\n@@ -1 +1 @@\n-@N=\n+@N=@V\n"),
];

/// How many credentials of each detector stand in each context.
const EACH: u32 = 2;

/// Makes the texts of all detectors.
pub(crate) fn all(registry: &Registry) -> Vec<Positive> {
    let mut positives = Vec::new();
    for (number, detector) in registry.detectors().iter().enumerate() {
        let mut generator = Generator::new(0xc0de ^ number as u64);
        if let Some(name) = variable(detector).filter(|_| !detector.shapes.is_empty()) {
            for round in 0..EACH {
                in_contexts(number as u16, detector, &name, round, &mut generator, &mut positives);
            }
        }
    }
    positives
}

fn in_contexts(
    number: u16,
    detector: &Detector,
    name: &str,
    round: u32,
    generator: &mut Generator,
    positives: &mut Vec<Positive>,
) {
    for (index, (context, template)) in CONTEXTS.iter().enumerate() {
        let shape = &detector.shapes[(index + round as usize) % detector.shapes.len()];
        let secret = example::expand_for(detector, shape, generator).expect("a shape");
        // What a grammar gives a meaning of its own is never written there as it is.
        if matches!(*context, "query of an address" | "XML") && secret.iter().any(|byte| b"+/=&|".contains(byte)) {
            continue;
        }
        let text = fill(template, name, &secret);
        positives.push(Positive { context, pending: false, detector: number, secret, text });
    }
    let shape = &detector.shapes[round as usize % detector.shapes.len()];
    let secret = example::expand_for(detector, shape, generator).expect("a shape");
    let plain = fill("[service]\n@N=@V\n", name, &secret);
    for (context, pending, text) in encoded(&plain, name, &secret) {
        positives.push(Positive { context, pending, detector: number, secret: secret.clone(), text });
    }
}

/// The same line in encodings, and torn apart.
fn encoded(plain: &[u8], name: &str, secret: &[u8]) -> Vec<(&'static str, bool, Vec<u8>)> {
    let wide = |order: fn(u16) -> [u8; 2]| {
        [0xFEFF].into_iter().chain(plain.iter().map(|byte| u16::from(*byte))).flat_map(order).collect::<Vec<u8>>()
    };
    let middle = secret.len() / 2;
    let torn = |between: &str| [&secret[..middle], between.as_bytes(), &secret[middle..]].concat();
    let named = |value: &[u8]| fill("@N=\"@V\"\n", name, value);
    let hexadecimal: String = plain.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        ("UTF-16, little end first", false, wide(u16::to_le_bytes)),
        ("UTF-16, big end first", false, wide(u16::to_be_bytes)),
        ("colours round it", true, fill("\u{1b}[32m@N\u{1b}[0m=\u{1b}[33m@V\u{1b}[0m\n", name, secret)),
        ("base64", true, format!("data: {}\n", STANDARD.encode(plain)).into_bytes()),
        ("hexadecimal", true, format!("data: {hexadecimal}\n").into_bytes()),
        ("colour inside it", true, named(&torn("\u{1b}[0m"))),
        ("wrapped line", true, named(&torn("\n    "))),
        ("joined strings", true, named(&torn("\" + \""))),
        ("zero-width character inside it", true, named(&torn("\u{200b}"))),
    ]
}

fn fill(template: &str, name: &str, value: &[u8]) -> Vec<u8> {
    let lower = name.to_ascii_lowercase();
    let head = template.replace("@N", name).replace("@n", &lower).replace("@c", &camel(&lower));
    let mut parts = head.split("@V");
    let mut text = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        text.extend(value);
        text.extend(part.as_bytes());
    }
    text
}

/// `my_api_key` as `myApiKey`.
fn camel(name: &str) -> String {
    let mut words = name.split('_').filter(|word| !word.is_empty());
    let mut text = words.next().unwrap_or_default().to_owned();
    for word in words {
        text.push_str(&word[..1].to_ascii_uppercase());
        text.push_str(&word[1..]);
    }
    text
}
