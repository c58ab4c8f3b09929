//! What `credtrace verify` says of a report or a fingerprint: they hold no value that could be asked about, but a report
//! knows where it stands.

use std::io::Write;
use std::path::Path;

use anyhow::{Result, bail};

use crate::cli::commands::answers;
use crate::finding::Finding;
use crate::report::escape;

/// Says that the value is needed, and where the reports that were named say that it stands.
///
/// # Errors
/// What is neither, and a report that cannot be read.
pub(super) fn tell(what: &[String]) -> Result<()> {
    let (fingerprints, reports): (Vec<&String>, Vec<&String>) = what.iter().partition(|text| text.starts_with("b3k1:"));
    let mut output = std::io::stdout().lock();
    let mut told = 0;
    for path in &reports {
        for known in read(Path::new(path))? {
            if fingerprints.is_empty() || fingerprints.contains(&&known.fingerprint) {
                told += 1;
                write(&mut output, &known)?;
            }
        }
    }
    match (fingerprints.is_empty(), told) {
        (false, 0) if !reports.is_empty() => bail!("no such fingerprint stands in the report"),
        (false, 0) => bail!(
            "a fingerprint says nothing of the value; name the report that has it as well, to learn where the value \
             stands, and give the value on standard input with --detector"
        ),
        (_, _) => bail!(
            "a report holds no value that could be asked about: give it on standard input with --detector, or scan \
             again with --verify"
        ),
    }
}

fn read(path: &Path) -> Result<Vec<Finding>> {
    if std::fs::File::open(path).is_err() {
        // What is no file may be the credential itself, so it is not repeated.
        bail!(
            "an argument is neither a fingerprint nor a report that can be read; a credential is never given as an \
             argument, where other users see it: give it on standard input"
        );
    }
    answers::read_report(path)
}

fn write(output: &mut dyn Write, known: &Finding) -> Result<()> {
    let (detector, redacted) = (escape::terminal(&known.detector), escape::terminal(&known.redacted));
    writeln!(output, "{}  {detector}  {redacted}", escape::terminal(&known.fingerprint))?;
    for place in &known.occurrences {
        let commit = place.commit.as_deref().map(|commit| format!(" in {}", escape::terminal(commit)));
        let (target, path) = (escape::terminal(&place.target), escape::terminal(&place.path));
        let commit = commit.unwrap_or_default();
        writeln!(output, "  {target}: {path}:{}:{}{commit}", place.line, place.column)?;
    }
    Ok(())
}
