//! Texts without a credential, by what they look like. Where a class depends on a name, every detector's is tried: silence
//! must hold beside all of them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use credtrace::detector::Registry;
use credtrace::detector::compile::{Detector, Kind, shape};
use credtrace::detector::example::Generator;

use super::{Negative, expand, variable};

/// Templates by class: `@N` is a variable's name, `@n` the same in small letters, `@p` the provider; what stands in `{}` is
/// a shape.
const TEMPLATES: [(&str, &[&str]); 9] = [
    (
        "placeholder",
        &[
            "@N=your-@n-here\n",
            "@N=<your @n>\n",
            "@N=changeme\n",
            "@n: \"REPLACE_WITH_YOUR_@N_VALUE\"\n",
            "@N=INSERT_YOUR_@N_HERE_PLEASE\n",
            "@n = \"put-your-@p-key-right-here\"\n",
            "\"@n\": \"<API_KEY>\",\n",
            "export @N=\"my-super-secret-@p-api-key\"\n",
        ],
    ),
    (
        "hash",
        &[
            "\"@p\": {\"integrity\": \"sha512-{86:base64}==\"}\n",
            "@p/client.py,sha256={43:url},5121\n",
            "@p==1.2.0 --hash=sha256:{64:hex}\n",
            "github.com/@p/sdk v1.2.0 h1:{43:base64}=\n",
            "name = \"@p\"\nchecksum = \"{64:hex}\"\n",
            "{file = \"@p-1.0.0.tar.gz\", hash = \"sha256:{64:hex}\"}\n",
            "image: @p/server@sha256:{64:hex}\n",
            "# @p model, commit {40:hex}\n",
            "@p_md5: {32:hex}\n",
            "{\"@p_revision\": \"{40:hex}\"}\n",
            "@p fingerprint {40:hex}\n",
        ],
    ),
    (
        "id",
        &[
            "@p request_id={8:hex}-{4:hex}-{4:hex}-{4:hex}-{12:hex} status=200\n",
            "\"@p_run_id\": \"{8:hex}-{4:hex}-{4:hex}-{4:hex}-{12:hex}\",\n",
            "@p trace_id={32:hex}\n",
            "{\"provider\": \"@p\", \"id\": \"{32:hex}\"}\n",
            "@p.projectId = '{24:hex}'\n",
        ],
    ),
    (
        "reference",
        &[
            "@N=${@N}\n",
            "@N=$@N\n",
            "@n = os.environ[\"@N\"]\n",
            "@n: process.env.@N,\n",
            "@n: ${{ secrets.@N }}\n",
            "@n: {{ .Values.@p.apiKeySecretNameReference }}\n",
            "@N=vault:secret/data/@p#api_key_for_production\n",
            "@N=op://engineering/@p/credential-of-the-service\n",
            "<%= ENV['@N'] %>\n",
            "@n = get_secret(\"production-@p-credentials-latest\")\n",
            "@n = settings.@p_configuration.api_key_for_production\n",
        ],
    ),
    (
        "code",
        &[
            "class @pForConditionalGeneration(PreTrainedModel):\n",
            "from @p.resources.chat.completions import AsyncCompletionsWithStreamingResponse\n",
            "\"@p\": \"AutoModelForSequenceClassification\",\n",
            "@n = convert_message_content_to_string_format\n",
            "@n: \"application_configuration_with_defaults\"\n",
            "@p = new TextEncoderStreamControllerFactory(options)\n",
            "def test_@p_returns_error_when_authentication_fails_twice(self):\n",
            "var e=@p,t=n(4521),r=o(function(e){return e.getOwnPropertyDescriptorsOfPrototype});\n",
        ],
    ),
    (
        "address",
        &[
            "https://cdn.internal/@p/{40:hex}/logo.svg\n",
            "https://docs.internal/@p/d/{44:url}/edit\n",
            "https://storage.internal/@p-models/{32:hex}.bin\n",
            "s3://bucket/@p/{8:hex}-{4:hex}-{4:hex}-{4:hex}-{12:hex}/part.parquet\n",
        ],
    ),
    (
        "masked",
        &[
            "@N=sk-...{4:alnum}\n",
            "@N={4:alnum}****************************{4:alnum}\n",
            "@N=********************************\n",
            "@N={8:alnum}...{4:alnum}\n",
            "@N=[REDACTED]\n",
            "@N=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
        ],
    ),
    (
        "certificate or public key",
        &[
            "-----BEGIN CERTIFICATE-----\nMIID{60:base64}\n{64:base64}\n{64:base64}\n-----END CERTIFICATE-----\n",
            "-----BEGIN PUBLIC KEY-----\nMIIB{60:base64}\n{64:base64}\n-----END PUBLIC KEY-----\n",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{43:base64} @p@host\n",
        ],
    ),
    (
        "password in an address",
        &[
            "postgres://user:password@localhost:5432/@p\n",
            "postgresql://postgres:postgres@db:5432/@p\n",
            "redis://:${REDIS_PASSWORD}@redis:6379/0\n",
            "mysql://root:root@127.0.0.1/@p\n",
            "mongodb+srv://<username>:<password>@cluster.internal/@p\n",
            "amqp://guest:guest@rabbitmq:5672//\n",
            "https://user:pass@example.com/@p\n",
            "mysql+pymysql://scott:tiger@localhost/test\n",
            "postgres://app:changeme123@db.internal/@p\n",
        ],
    ),
];

/// Makes the texts of all classes.
pub(crate) fn all(registry: &Registry) -> Vec<Negative> {
    let mut negatives = Vec::new();
    let mut generator = Generator::new(0x51e7);
    for detector in registry.detectors() {
        let name = variable(detector).unwrap_or_else(|| format!("{}_API_KEY", detector.provider.to_ascii_uppercase()));
        for (class, templates) in TEMPLATES {
            for template in templates {
                let text = fill(template, &name, &detector.provider, &mut generator);
                negatives.push(Negative { class, text: text.into_bytes() });
            }
        }
        typed(detector, &name, &mut negatives);
    }
    documented(&mut negatives);
    for _ in 0..40 {
        images(&mut generator, &mut negatives);
    }
    negatives
}

fn fill(template: &str, name: &str, provider: &str, generator: &mut Generator) -> String {
    // Braces that belong to the text are told from shapes by what they hold.
    let mut text = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        text.push_str(&rest[..open]);
        let tail = &rest[open..];
        let end = tail.find('}').map_or(tail.len(), |close| close + 1);
        let is_shape = tail[1..end].starts_with(|first: char| first.is_ascii_digit());
        let taken = if is_shape { end } else { 1 };
        text.push_str(&if is_shape { expand(&tail[..end], generator) } else { tail[..1].to_owned() });
        rest = &tail[taken..];
    }
    text.push_str(rest);
    text.replace("@N", name).replace("@n", &name.to_ascii_lowercase()).replace("@p", provider)
}

/// Values of a detector's own shape as people type them: one character, a sequence, a repetition.
fn typed(detector: &Detector, name: &str, negatives: &mut Vec<Negative>) {
    // A checksum or claims decide those, and a pattern has no shape to fill.
    for text in detector.shapes.iter().filter(|_| detector.kind != Kind::Publishable) {
        for shape in shape::parse(text).expect("a shape of a detector").iter().take(2) {
            let mut counter = 0;
            let mut values: Vec<Vec<u8>> = vec![shape.expand(&mut |_| 0), shape.expand(&mut |bound| bound - 1)];
            values.push(shape.expand(&mut |bound| {
                counter += 1;
                counter % bound
            }));
            values.push(shape.expand(&mut |bound| {
                counter += 1;
                (counter % 4) % bound
            }));
            for value in values {
                let text = [name.as_bytes(), b"=", &value, b"\n"].concat();
                negatives.push(Negative { class: "typed", text });
            }
        }
    }
}

/// Values that documentation prints, put together here so that no file holds them.
fn documented(negatives: &mut Vec<Negative>) {
    let payload = r#"{"sub":"1234567890","name":"John Doe","iat":1516239022}"#;
    let header = r#"{"alg":"HS256","typ":"JWT"}"#;
    let url_safe = |text: &str| STANDARD.encode(text).replace('=', "");
    let token = format!("{}.{}.{}", url_safe(header), url_safe(payload), "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c");
    let values = [
        ("AWS_ACCESS_KEY_ID", ["AKIA", "IOSFODNN7", "EXAMPLE"].concat()),
        ("AWS_SECRET_ACCESS_KEY", ["wJalrXUtnFEMI/", "K7MDENG/bPxRfiCY", "EXAMPLEKEY"].concat()),
        ("STRIPE_SECRET_KEY", ["sk_test_", "4eC39HqLyjWDarj", "tT1zdp7dc"].concat()),
        ("AUTHORIZATION", format!("Bearer {token}")),
        ("OPENAI_API_KEY", ["sk-", "1234567890abcdef", "1234567890abcdef", "1234567890abcdef"].concat()),
        ("GITHUB_TOKEN", ["ghp_", "xxxxxxxxxxxxxxxxxx", "xxxxxxxxxxxxxxxxxx"].concat()),
        ("ANTHROPIC_API_KEY", ["sk-ant-api03-", "..."].concat()),
        ("HF_TOKEN", ["hf_", "xxxxxxxxxxxxxxxxx", "xxxxxxxxxxxxxxxxx"].concat()),
        ("DEEPGRAM_API_KEY", ["a1b2c3d4e5f6a7b8c9d0", "a1b2c3d4e5f6a7b8c9d0"].concat()),
        ("MISTRAL_API_KEY", ["abcdefghijklmnop", "qrstuvwxyz123456"].concat()),
    ];
    for (name, value) in values {
        negatives.push(Negative { class: "documented", text: format!("{name}={value}\n").into_bytes() });
    }
}

/// Pictures, fonts and source maps in base64, long enough that prefixes of keys turn up in them by chance.
fn images(generator: &mut Generator, negatives: &mut Vec<Negative>) {
    let data = expand(&"{8000:base64}".repeat(4), generator);
    let url_safe = expand(&"{8000:url}".repeat(4), generator);
    let lines: Vec<&str> = data.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    for text in [
        format!("<img src=\"data:image/png;base64,{data}\">"),
        format!("src:url(data:font/woff2;base64,{data})"),
        format!("{{\"mappings\": \"{url_safe}\"}}"),
        lines.join("\n"),
    ] {
        negatives.push(Negative { class: "base64", text: text.into_bytes() });
    }
}
