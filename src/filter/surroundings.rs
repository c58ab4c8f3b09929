//! What the text round a value says of it: the run it is part of, the name it is given to, the code it belongs to.

use super::Value;
use super::characters;
use super::grammar::{self, Relation};
use crate::detector::compile::{Detector, Kind};

/// How far a run of base64 is followed, in bytes.
const RUN_REACH: usize = 96;
/// How long a run beside a value must be before it counts.
const RUN_LENGTH: usize = 24;
/// The evidence for chance, in nats, at which a run is data and not a path.
const RUN_EVIDENCE: f32 = 12.0;

/// Returns whether a run of base64 goes right up to a value, or on after it: then its prefix arose by chance.
pub fn inside_base64(value: &Value<'_>) -> bool {
    let joins = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b'/' | b'+' | b'-' | b'_'));
    let in_run = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'-' | b'_');
    if joins(value.before.last()) {
        let length = value.before.iter().rev().take(RUN_REACH).take_while(in_run).count();
        if is_data(&value.before[value.before.len() - length..]) {
            return true;
        }
    }
    if joins(value.after.first()) {
        let length = value.after.iter().take(RUN_REACH).take_while(in_run).count();
        return is_data(&value.after[..length]);
    }
    false
}

fn is_data(run: &[u8]) -> bool {
    run.len() >= RUN_LENGTH && characters::weigh(run).total >= RUN_EVIDENCE
}

/// Returns whether a value is, or is part of, what a hash's label goes before: `sha256=...`, `"sha512-...`.
pub fn is_labelled_hash(value: &Value<'_>) -> bool {
    const LABELS: [&str; 10] =
        ["h1", "sha1", "sha224", "sha256", "sha384", "sha512", "md5", "blake2b", "blake3", "sha3"];
    let in_run = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+' | b'-' | b'_' | b'=' | b':');
    let length = value.before.iter().rev().take(RUN_REACH + 8).take_while(in_run).count();
    let run = value.before[value.before.len() - length..].to_ascii_lowercase();
    let first = run.iter().position(|byte| matches!(byte, b'=' | b'-' | b':')).unwrap_or(run.len());
    first < run.len() && LABELS.iter().any(|label| label.as_bytes() == &run[..first])
}

/// Returns whether marks on either side say that a part of a value is left out: `...`, `…`, `***`.
pub fn is_cut_off(value: &Value<'_>) -> bool {
    const MARKS: [&[u8]; 5] = [b"...", "…".as_bytes(), b"***", b"[...", b"<..."];
    MARKS.iter().any(|mark| value.after.starts_with(mark)) || MARKS[..3].iter().any(|mark| value.before.ends_with(mark))
}

/// Returns whether what stands before a word makes it the name of a value that is kept elsewhere.
pub fn is_reference(before: &[u8]) -> bool {
    const OPENERS: [&str; 15] = [
        "${",
        "$(",
        "<%=",
        "%(",
        "#{",
        "environ[",
        "environ.get(",
        "getenv(",
        "env(",
        "env[",
        "env.",
        "secrets.",
        "secrets[",
        "secret(",
        "var.",
    ];
    let lead = trimmed_end(before, |byte| matches!(byte, b'"' | b'\'' | b'`' | b' ' | b':'));
    let tail = lower_tail(lead, 16);
    OPENERS.iter().any(|opener| tail.ends_with(opener.as_bytes()))
}

/// Returns whether a value goes on as code does: it is called, indexed, a member of something or has members.
pub fn is_code(value: &Value<'_>) -> bool {
    let after = value.after;
    after.starts_with(b"(")
        || after.starts_with(b"[")
        || after.starts_with(b"::")
        || after.starts_with(b"->")
        || value.before.ends_with(b"::")
        || value.before.ends_with(b"->")
}

/// Returns the name that a value is given to: the last word before the operator before it, or nothing.
pub fn key_name(before: &[u8]) -> &[u8] {
    // Columns are aligned with blanks, and those may be many.
    let is_mark = |byte: &&u8| matches!(byte, b'"' | b'\'' | b'`' | b' ' | b'\t' | b'\\');
    let marks = before.iter().rev().take(MOST_BLANKS).take_while(is_mark).count();
    let lead = &before[..before.len() - marks];
    let operator = trimmed_end(lead, |byte| matches!(byte, b'=' | b':' | b'>'));
    if operator.len() == lead.len() {
        return b"";
    }
    let name = trimmed_end(operator, |byte| matches!(byte, b'"' | b'\'' | b'`' | b' ' | b'\t' | b']' | b'\\'));
    let length = name.iter().rev().take(64).take_while(|byte| is_of_a_name(**byte)).count();
    &name[name.len() - length..]
}

/// Returns whether a value is given to a name that says that it is a credential and nothing of whose: `api_key = "value"`.
pub fn is_given_to_a_key(before: &[u8]) -> bool {
    const NAMES: [&str; 9] = [
        "apikey",
        "apitoken",
        "apisecret",
        "accesskey",
        "accesstoken",
        "authtoken",
        "secretkey",
        "subscriptionkey",
        "clientsecret",
    ];
    let name = key_name(before);
    let last = name.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    let plain: Vec<u8> = last.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect();
    NAMES.iter().any(|known| known.as_bytes() == plain)
}

/// The most blanks between an operator and the value that it assigns.
const MOST_BLANKS: usize = 80;

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The last words of names whose values are no secrets.
const NAMES_OF_IDS: [&str; 30] = [
    "id",
    "uuid",
    "guid",
    "sha",
    "sha1",
    "sha256",
    "md5",
    "hash",
    "digest",
    "checksum",
    "commit",
    "rev",
    "revision",
    "etag",
    "fingerprint",
    "version",
    "url",
    "path",
    "file",
    "filename",
    "model",
    "name",
    "organization",
    "organisation",
    "project",
    "tenant",
    "workspace",
    "zone",
    "region",
    "ref",
];

/// Returns whether a value that may be any number is a hash or an id by what names it. Digits of a hash and of a key are
/// equal by value, so that only hexadecimal values and UUIDs are judged by words.
pub fn is_number_of_a_hash(detector: &Detector, value: &Value<'_>, relation: Relation, name: &[u8]) -> bool {
    let number = value.bytes.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-');
    if is_id_name(name) && detector.kind != Kind::AccessKeyId && !asks_for_ids(detector) {
        return true;
    }
    if !number {
        return false;
    }
    if is_git_id(value) {
        return true;
    }
    // An assigned value is what its own name says, whatever else stands on the line.
    let from = match (relation, value.name) {
        (Relation::Assigned, Some(name)) => start_of_word(value.before, name),
        _ => 0,
    };
    grammar::speaks_of_a_hash(&value.before[from..])
}

/// Returns whether a value stands where git's ids do: before a ref (`packed-refs`, `ls-remote`), behind the archive or the
/// package that it pins (`x.tgz#id`, `host/owner/name id`).
fn is_git_id(value: &Value<'_>) -> bool {
    if value.bytes.len() != 40 {
        return false;
    }
    if value.after.starts_with(b" refs/") || value.after.starts_with(b"\trefs/") || value.before.ends_with(b"#") {
        return true;
    }
    let blanks = value.before.iter().rev().take(16).take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let head = &value.before[..value.before.len() - blanks];
    let word = head.iter().rev().take(128).take_while(|byte| is_of_a_name(**byte) || **byte == b'/').count();
    let word = &head[head.len() - word..];
    blanks > 0 && word.iter().filter(|byte| **byte == b'/').count() == 2 && word.contains(&b'.')
}

fn is_id_name(name: &[u8]) -> bool {
    let last = name.rsplit(|byte| matches!(byte, b'_' | b'-' | b'.')).next().unwrap_or_default();
    let camel =
        last.iter().rposition(u8::is_ascii_uppercase).filter(|at| last[..*at].iter().any(u8::is_ascii_lowercase));
    let word = &last[camel.unwrap_or(0)..];
    NAMES_OF_IDS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word))
}

/// Whether the detector's own names end as those of ids do.
fn asks_for_ids(detector: &Detector) -> bool {
    detector.keywords.iter().chain(&detector.environment).any(|name| is_id_name(name.as_bytes()))
}

fn start_of_word(text: &[u8], position: usize) -> usize {
    let head = &text[..position.min(text.len())];
    head.len() - head.iter().rev().take_while(|byte| is_of_a_name(**byte)).count()
}

/// Returns whether a value says what its name says, marks and case aside.
pub fn echoes(name: &[u8], value: &[u8]) -> bool {
    let plain = |text: &[u8]| -> Vec<u8> {
        text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
    };
    if name.is_empty() || value.len() > 64 {
        return false;
    }
    let (name, value) = (plain(name), plain(value));
    let holds = |whole: &[u8], part: &[u8]| part.len() >= 6 && memchr::memmem::find(whole, part).is_some();
    holds(&name, &value) || holds(&value, &name)
}

fn trimmed_end(text: &[u8], drop: impl Fn(u8) -> bool) -> &[u8] {
    let kept = text.iter().rposition(|byte| !drop(*byte)).map_or(0, |last| last + 1);
    // A line of blanks is no assignment: nothing is followed further than a few marks.
    if text.len() - kept > 16 { text } else { &text[..kept] }
}

fn lower_tail(text: &[u8], length: usize) -> Vec<u8> {
    text[text.len().saturating_sub(length)..].to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value<'text>(before: &'text [u8], bytes: &'text [u8], after: &'text [u8]) -> Value<'text> {
        Value { bytes, body: bytes, before, after, exact: false, name: None }
    }

    #[test]
    fn a_run_of_data_swallows_a_value_and_a_path_does_not() {
        let run = "q8Zk2Vx0Lr7Tn4Wd9Gb3Yc6Hf1Js5Mp";
        let joined = format!("data:image/png;base64,{run}/");
        assert!(inside_base64(&value(joined.as_bytes(), b"AKIA", b"")));
        assert!(inside_base64(&value(b"", b"AKIA", format!("/{run}").as_bytes())));
        assert!(!inside_base64(&value(b"/home/user/projects/settings/", b"AKIA", b"/more/of/the/path/settings")));
        assert!(!inside_base64(&value(format!("{run} ").as_bytes(), b"AKIA", b"")));
    }

    #[test]
    fn a_label_makes_a_hash_of_all_that_follows_it() {
        for before in ["a/b.py,sha256=", "\"integrity\": \"sha512-", "x sha256=q8Zk2Vx0Lr7Tn4Wd9-", "md5:"] {
            assert!(is_labelled_hash(&value(before.as_bytes(), b"value", b"")), "{before}");
        }
        for before in ["sha256 = 1\nkey=", "API_KEY=", "sha256sum ", ""] {
            assert!(!is_labelled_hash(&value(before.as_bytes(), b"value", b"")), "{before}");
        }
    }

    #[test]
    fn the_name_that_a_value_is_given_to_is_read_back() {
        for (before, name) in [
            ("export WANDB_API_KEY=\"", "WANDB_API_KEY"),
            ("  \"commit\": \"", "commit"),
            ("headers['x-api-key'] = '", "x-api-key"),
            ("{\\\"apiKey\\\": \\\"", "apiKey"),
            ("wandb login ", ""),
            ("\t\"project_id\":                               \"", "project_id"),
            ("key => ", "key"),
        ] {
            assert_eq!(String::from_utf8_lossy(key_name(before.as_bytes())), name, "{before}");
        }
    }

    #[test]
    fn names_of_ids_are_told_from_names_of_keys() {
        for name in ["scw_organization", "commit", "run_id", "projectId", "MODEL-SHA256", "image.digest"] {
            assert!(is_id_name(name.as_bytes()), "{name}");
        }
        for name in ["WANDB_API_KEY", "valid", "token", "apiKey", "fluid"] {
            assert!(!is_id_name(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_bare_name_of_a_key_is_told_from_one_that_names_somebody() {
        for before in ["api_key = \"", "openai.api_key=\"", "\"apiKey\": \"", "client-secret: "] {
            assert!(is_given_to_a_key(before.as_bytes()), "{before}");
        }
        for before in ["DEEPGRAM_API_KEY=", "key: ", "cache_key = '", "commit ", ""] {
            assert!(!is_given_to_a_key(before.as_bytes()), "{before}");
        }
    }

    #[test]
    fn ids_of_git_are_known_by_what_they_stand_beside() {
        let id = [b'7'; 40];
        assert!(is_git_id(&value(b"", &id, b" refs/heads/cohere")));
        assert!(is_git_id(&value(b"https://r.example/cohere-6.2.2.tgz#", &id, b"\"")));
        assert!(is_git_id(&value(b"code.example/cloud/tool ", &id, b"\n")));
        for before in [&b"cohere key "[..], b"COHERE_API_KEY=", b"see a/b/c ", b"http.code.example "] {
            assert!(!is_git_id(&value(before, &id, b"\n")), "{}", String::from_utf8_lossy(before));
        }
    }

    #[test]
    fn references_and_code_are_told_from_values() {
        for before in ["KEY=${", "os.environ[\"", "os.getenv('", "${{ secrets.", "process.env."] {
            assert!(is_reference(before.as_bytes()), "{before}");
        }
        for before in ["KEY=", "getenv('KEY', '", "password: \"", "{"] {
            assert!(!is_reference(before.as_bytes()), "{before}");
        }
        assert!(is_code(&value(b"x = ", b"make_client", b"(key)")));
        assert!(!is_code(&value(b"f(", b"value", b")")));
    }

    #[test]
    fn a_value_that_repeats_its_name_is_an_echo() {
        assert!(echoes(b"MISTRAL_API_KEY", b"mistral-api-key-value"));
        assert!(echoes(b"my_mistral_api_key", b"mistralApiKey"));
        assert!(!echoes(b"key", b"keykeykeyabc"));
        assert!(!echoes(b"MISTRAL_API_KEY", b"Q8fK2mZr7Lp0x91Lq20dkfj"));
    }

    #[test]
    fn marks_of_omission_cut_a_value_off() {
        assert!(is_cut_off(&value(b"", b"sk-abc", b"...")) && is_cut_off(&value("…".as_bytes(), b"abc", b"")));
        assert!(!is_cut_off(&value(b"", b"sk-abc", b". ")));
    }
}
