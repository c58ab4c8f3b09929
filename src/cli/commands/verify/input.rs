//! What comes on standard input of `credtrace verify`: a credential, and on the last lines its other halves.

use std::io::{IsTerminal, Read};

use anyhow::{Result, bail};
use zeroize::Zeroizing;

use crate::cli::progress::{self, PatientInput};
use crate::cli::quiet::Quiet;
use crate::cli::talk;
use crate::cli::value::credentials_in;
use crate::credential::FoundCredential;
use crate::detector::compile::{Detector, Kind};
use crate::detector::registry::Registry;
use crate::matcher::engine::{EngineChoice, Workload};
use crate::scan::text::TextScanner;
use crate::secret::Secret;

/// The most that is read, in bytes: no credential is longer.
const LONGEST: u64 = 64 * 1024;

/// A credential and its other halves, each with its detector's id.
pub(super) type Halves = (Secret, Vec<(String, Secret)>);

/// Reads a credential and its other halves, which are the last lines; nothing where a person stopped it.
///
/// # Errors
/// Nothing on standard input, too much, or fewer lines than halves.
pub(super) fn read(companions: &[String]) -> Result<Option<Halves>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST as usize + 1));
    {
        if std::io::stdin().is_terminal() {
            talk("credtrace: type or paste the credential, then press Enter and Ctrl-D; it is not shown");
        }
        let _quiet = Quiet::start()?;
        PatientInput(std::io::stdin()).take(LONGEST + 1).read_to_end(&mut bytes)?;
    }
    if progress::interrupted() {
        return Ok(None);
    }
    if bytes.len() as u64 > LONGEST {
        bail!("standard input holds more than {LONGEST} bytes; one credential is asked about");
    }
    split(&bytes, companions).map(Some)
}

fn split(bytes: &[u8], companions: &[String]) -> Result<Halves> {
    let mut rest = without_line_end(bytes);
    let mut halves = Vec::new();
    for id in companions.iter().rev() {
        let Some(end) = rest.iter().rposition(|byte| *byte == b'\n') else {
            bail!(
                "standard input must hold the credential and then {} more: one line for each --companion",
                companions.len()
            );
        };
        halves.push((id.clone(), Secret::new(without_line_end(&rest[end + 1..]))));
        rest = without_line_end(&rest[..=end]);
    }
    if rest.is_empty() || halves.iter().any(|(_, half)| half.expose().is_empty()) {
        bail!("standard input holds no credential");
    }
    halves.reverse();
    Ok((Secret::new(rest), halves))
}

/// Takes off one line end, as an editor or `echo` leaves it.
fn without_line_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// Checks that a value is what a detector finds, and returns how many of its leading bytes are a constant of its type.
///
/// # Errors
/// A value of another form, with what it looks like instead.
pub(super) fn head_of(secret: &Secret, detector: &Detector, registry: &Registry) -> Result<usize> {
    let alone = registry.clone().select(&[detector.id.as_str()], &[])?;
    let names = detector.environment.iter().chain(&detector.keywords).chain(&detector.context_words);
    for name in std::iter::once("").chain(names.map(String::as_str)) {
        if let Some((_, head)) = recognised(secret, name, &alone)? {
            return Ok(head);
        }
    }
    let hint = match recognised(secret, "", registry)? {
        Some((id, _)) => format!("it looks like {id}"),
        None => format!("`credtrace detectors show {}` tells how one looks", detector.id),
    };
    bail!("what came on standard input is no {}, so nothing was sent; {hint}", detector.name)
}

/// Reads a whole connection URI: its password, with the address round it. Nothing where the detector finds no addresses or
/// the text is none.
///
/// # Errors
/// A scanner that cannot be made.
pub(super) fn address_of(text: &Secret, detector: &Detector, registry: &Registry) -> Result<Option<FoundCredential>> {
    if detector.kind != Kind::ConnectionUri {
        return Ok(None);
    }
    let alone = registry.clone().select(&[detector.id.as_str()], &[])?;
    let line = Zeroizing::new([text.expose(), b"\n"].concat());
    let scanner = TextScanner::new(&alone, EngineChoice::Pure, Workload::Small, false)?.gathering(true);
    let mut located = scanner.worker()?.scan(&line)?.located.into_iter();
    let (first, second) = (located.next(), located.next());
    let only = first.filter(|first| second.is_none() && first.candidate.secret != *text);
    Ok(only.map(|only| FoundCredential {
        secret: only.candidate.secret,
        companions: Vec::new(),
        surroundings: only.surroundings.map(|near| *near).unwrap_or_default(),
    }))
}

/// Finds a value in a text of its own, behind a name where one is given; returns the detector and the constant head.
fn recognised(secret: &Secret, name: &str, registry: &Registry) -> Result<Option<(String, usize)>> {
    let whole = credentials_in(secret, name, registry)?.into_iter().find(|found| found.secret == *secret);
    Ok(whole.map(|found| (registry.detector(found.detector).id.clone(), found.head)))
}

/// Checks that a detector knows another half and that the value looks like one.
///
/// # Errors
/// A half that the detector does not name, or a value of another form.
pub(super) fn check_companion(id: &str, secret: &Secret, detector: &Detector, registry: &Registry) -> Result<()> {
    if !detector.companions.iter().any(|companion| companion.detector == id) {
        let known: Vec<&str> = detector.companions.iter().map(|companion| companion.detector.as_str()).collect();
        let hint = if known.is_empty() { "it has none".into() } else { format!("it has {}", known.join(", ")) };
        bail!("--companion {id}: {} has no such other half; {hint}", detector.id);
    }
    match registry.get(id) {
        Some(half) => head_of(secret, half, registry).map(|_| ()),
        None => bail!("--companion {id}: there is no such detector"),
    }
}

/// Reads public values that a person names in place of what a scan would have found beside the credential.
///
/// # Errors
/// Text that is no `NAME=VALUE`, or a name that the detector's request has no use for.
pub(super) fn named(given: &[String], detector: &Detector) -> Result<Vec<(String, String)>> {
    let mut values = Vec::new();
    for text in given {
        let Some((part, value)) = text.split_once('=').filter(|(_, value)| !value.is_empty()) else {
            bail!("--near: must be NAME=VALUE, such as app=123456");
        };
        let known = detector.verify.iter().flat_map(|verify| &verify.named);
        let Some((_, names)) = known.clone().find(|(name, _)| *name == part) else {
            let known: Vec<&str> = known.map(|(name, _)| name.as_str()).collect();
            let hint = if known.is_empty() { "it needs none".into() } else { format!("it needs {}", known.join(", ")) };
            bail!("--near: {} has no use for {part:?}; {hint}", detector.id);
        };
        values.push((names[0].clone(), value.to_owned()));
    }
    Ok(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str, companions: &[&str]) -> Result<Vec<String>> {
        let ids: Vec<String> = companions.iter().map(|id| (*id).to_owned()).collect();
        let (secret, halves) = split(text.as_bytes(), &ids)?;
        let shown = |secret: &Secret| String::from_utf8_lossy(secret.expose()).into_owned();
        Ok(std::iter::once(shown(&secret))
            .chain(halves.iter().map(|(id, half)| format!("{id}:{}", shown(half))))
            .collect())
    }

    #[test]
    fn one_line_end_is_taken_off_and_the_last_lines_are_the_other_halves() {
        assert_eq!(parts("abc\n", &[]).expect("one"), ["abc"]);
        assert_eq!(parts("abc\r\n", &[]).expect("one"), ["abc"]);
        assert_eq!(parts("abc", &[]).expect("one"), ["abc"]);
        assert_eq!(parts("a\nb\nc\n", &[]).expect("a block"), ["a\nb\nc"]);
        assert_eq!(parts("s\nx\n", &["x"]).expect("two"), ["s", "x:x"]);
        assert_eq!(parts("s\r\n1\r\n2\r\n", &["x", "y"]).expect("three"), ["s", "x:1", "y:2"]);
        assert_eq!(parts("a\nb\nx", &["x"]).expect("a block and one"), ["a\nb", "x:x"]);
    }

    #[test]
    fn what_is_missing_is_told() {
        assert!(parts("", &[]).is_err());
        assert!(parts("\n", &[]).is_err());
        assert!(parts("s\n", &["x"]).is_err());
        assert!(parts("\nx\n", &["x"]).is_err());
        assert!(parts("s\n\n", &["x"]).is_err());
    }
}
