//! How a fault is told on standard error: each cause once, and no credential, whatever a person or a file put where a name
//! was expected.

use std::sync::LazyLock;

use crate::detector::registry::Registry;
use crate::matcher::engine::{EngineChoice, Workload};
use crate::report::escape;
use crate::scan::text::TextScanner;

/// Returns the words of an error, safe for a terminal and without credentials.
pub fn of_error(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        // Many errors say their cause themselves, and many causes name the file again.
        if told.ends_with(&cause) {
            continue;
        }
        match cause.starts_with(&format!("{told}: ")) {
            _ if told.is_empty() => told = cause,
            true => told = cause,
            false => told = format!("{told}: {cause}"),
        }
    }
    // An error quotes what a person or a repository named, which may be anything.
    escape::terminal(&without_credentials(&told)).into_owned()
}

/// Returns a text with every credential in it redacted. A value that no detector knows is not seen.
pub fn without_credentials(text: &str) -> String {
    let mut texts = [text.to_owned()];
    clean(&mut texts);
    let [told] = texts;
    told
}

/// The detectors that look for credentials in what is told.
static DETECTORS: LazyLock<Registry> = LazyLock::new(Registry::built_in);

/// Finds them; nothing where the detectors themselves are at fault, since then the message about it is what a person needs.
static SCANNER: LazyLock<Option<TextScanner<'static>>> =
    LazyLock::new(|| TextScanner::new(&DETECTORS, EngineChoice::Pure, Workload::Small, false).ok());

/// Redacts every credential in texts that are about to be told.
pub fn clean(texts: &mut [String]) {
    if texts.is_empty() {
        return;
    }
    let Some(mut worker) = SCANNER.as_ref().and_then(|scanner| scanner.worker().ok()) else { return };
    for text in texts {
        let Ok(hits) = worker.scan(text.as_bytes()) else { continue };
        for located in hits.located.iter().rev() {
            let found = &located.candidate;
            if text.is_char_boundary(found.start) && text.is_char_boundary(found.end) {
                text.replace_range(found.start..found.end, &found.secret.redacted(found.head));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;
    use crate::detector::example::{Generator, expand};

    #[test]
    fn each_cause_is_told_once() {
        let io = || std::io::Error::other("no such file");
        let error = crate::Error::io("a.toml")(io());
        assert_eq!(of_error(&error.into()), "a.toml: no such file");
        let error = anyhow!("a.csv: line 1: no field").context("a.csv");
        assert_eq!(of_error(&error), "a.csv: line 1: no field");
        let error = anyhow::Result::<()>::Err(anyhow!("no number")).context("a.csv").expect_err("an error");
        assert_eq!(of_error(&error), "a.csv: no number");
    }

    #[test]
    fn no_error_repeats_a_credential() {
        let key = expand("sk-ant-api03-{93:url}AA", &mut Generator::new(7)).expect("a key");
        let key = String::from_utf8(key).expect("text");
        let told = of_error(&anyhow!("unknown field `{key}`, expected one of `a`; no detector {key:?}"));
        assert!(told.starts_with("unknown field `sk-ant-api03-…") && !told.contains(&key[20..30]), "{told}");
    }
}
