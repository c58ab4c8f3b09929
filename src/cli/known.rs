//! `--baseline`: leaves what is known out of a scan's report, and adds to the file what a scan finds.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;
use jiff::civil::Date;

use super::actor::actor;
use super::{home, talk};
use crate::baseline::{Baseline, Entry};
use crate::scan::ScanOptions;
use crate::scan::run::Outcome;
use crate::secret::FingerprintKey;
use crate::source::git::repository::{Repository, enclosing_work_tree};

/// How many expired entries are told one by one.
const MOST_TOLD: usize = 20;

/// What is known, and what becomes known.
#[derive(Debug, Args, Clone, Default)]
#[command(next_help_heading = "Known credentials")]
pub struct KnownArguments {
    /// Do not report the credentials that this file lists, each with a reason and an expiry
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,

    /// Add what this scan finds to the --baseline file, and make the file where there is none
    #[arg(long, requires_all = ["baseline", "reason"])]
    pub update_baseline: bool,

    /// Why what is added is known and not reported
    #[arg(long, value_name = "TEXT", requires = "update_baseline")]
    pub reason: Option<String>,

    /// The last day on which what is added is not reported, such as 2027-01-31 [default: for good]
    #[arg(long, value_name = "DATE", requires = "update_baseline", value_parser = |text: &str| text.parse::<Date>())]
    pub expires: Option<Date>,
}

/// The known credentials of a scan, read before it begins so that a file at fault is told at once.
#[derive(Debug)]
pub struct Known {
    path: PathBuf,
    baseline: Baseline,
    today: Date,
    /// What new entries are given, where the scan adds.
    adding: Option<Entry>,
    /// Why the file does not count in this scan.
    refused: Option<String>,
}

impl KnownArguments {
    /// Reads the file that was named.
    ///
    /// # Errors
    /// A file that is missing, at fault or of another key; a reason or expiry that means nothing.
    pub fn open(&self, options: &ScanOptions, own_key: bool) -> Result<Option<Known>> {
        let Some(path) = &self.baseline else { return Ok(None) };
        let today = jiff::Zoned::now().date();
        let adding = self.update_baseline.then(|| self.template(&options.key, today)).transpose()?;
        let baseline = match &adding {
            Some(_) => Baseline::read_or_empty(path)?,
            None if !path.exists() => bail!(
                "--baseline {}: no such file; --update-baseline --reason TEXT makes one of what a scan finds",
                path.display()
            ),
            None => Baseline::read(path)?,
        };
        baseline.check_key(path, &options.key)?;
        if adding.is_some() && own_key {
            talk(&format!(
                "credtrace: the fingerprints are made under the key {} of this machine; to use the file elsewhere, as in \
                 CI, give the same key there (CREDTRACE_FINGERPRINT_KEY; it is fingerprint.key in {})",
                options.key.id(),
                home::folder().unwrap_or_default().display()
            ));
        }
        let refused = options.strict.then(|| inside(path, &options.targets)).flatten();
        Ok(Some(Known { path: path.clone(), baseline, today, adding, refused }))
    }

    /// What every new entry says beside its credential.
    fn template(&self, key: &FingerprintKey, today: Date) -> Result<Entry> {
        let reason = self.reason.as_deref().unwrap_or_default();
        if reason.trim().is_empty() {
            bail!("--reason must say why what is found is not to be reported");
        }
        if let Some(past) = self.expires.filter(|last| *last < today) {
            bail!("--expires {past} is over; name a day to come");
        }
        if key.id() == "ephemeral" {
            bail!(
                "--update-baseline: there is no fingerprint key but one for this run alone, under which nothing would be \
                 recognised again; set CREDTRACE_HOME to a folder that can be written, or CREDTRACE_FINGERPRINT_KEY"
            );
        }
        Ok(Entry { expires: self.expires, ..Entry::new("", reason, &actor(), today) })
    }
}

/// Says which target holds a file, or the work tree in which a target lies: who writes there can let anything pass.
fn inside(path: &Path, targets: &[PathBuf]) -> Option<String> {
    let path = std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).ok()?;
    let holds = |root: &Path| std::fs::canonicalize(root).is_ok_and(|root| path.starts_with(root));
    let work_tree = |target: &Path| match Repository::open(target) {
        Ok(Some(repository)) => repository.work_tree().map(Path::to_path_buf),
        _ => enclosing_work_tree(target),
    };
    // What comes on standard input lies nowhere.
    let mut named = targets.iter().filter(|target| target.as_path() != Path::new("-"));
    let found = named.find(|target| holds(target) || work_tree(target).is_some_and(|root| holds(&root)));
    found.map(|target| target.display().to_string())
}

impl Known {
    /// Adds what was found where that was asked, and takes out of the report what is known.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn apply(&mut self, outcome: &mut Outcome) -> Result<()> {
        self.add(outcome)?;
        let summary = &mut outcome.report.summary;
        *summary.suppressed.entry("baseline".into()).or_default() += 0;
        let name = self.path.display();
        if let Some(target) = &self.refused {
            summary
                .warnings
                .push(format!("{name} lies in what is scanned ({target}), so with --strict it hides nothing"));
            return Ok(());
        }
        summary.warnings.extend(expired(
            &self.baseline,
            outcome.report.findings.iter().map(|found| &*found.fingerprint),
            self.today,
            &name.to_string(),
        ));
        let before = outcome.report.findings.len();
        let known: Vec<bool> =
            outcome.report.findings.iter().map(|found| self.baseline.hides(&found.fingerprint, self.today)).collect();
        let (mut findings, mut credentials) = (known.iter(), known.iter());
        outcome.report.findings.retain(|_| findings.next() == Some(&false));
        outcome.credentials.retain(|_| credentials.next() == Some(&false));
        let left = outcome.report.findings.len();
        let summary = &mut outcome.report.summary;
        summary.findings = left as u64;
        *summary.suppressed.entry("baseline".into()).or_default() += (before - left) as u64;
        Ok(())
    }

    /// Adds what is not hidden already. An entry that has expired is replaced: the new reason is the one that counts.
    fn add(&mut self, outcome: &Outcome) -> Result<()> {
        let Some(template) = self.adding.as_ref().filter(|_| !outcome.interrupted) else { return Ok(()) };
        let found = outcome.report.findings.iter();
        let new: Vec<Entry> = found
            .filter(|finding| !self.baseline.hides(&finding.fingerprint, self.today))
            .map(|finding| Entry { fingerprint: finding.fingerprint.clone(), ..template.clone() }.describing(finding))
            .collect();
        let added = new.len();
        new.into_iter().for_each(|entry| self.baseline.put(entry));
        // A file that is named in a build's steps must be there, even where nothing is known yet.
        if added > 0 || !self.path.exists() {
            self.baseline.write(&self.path)?;
        }
        let all = self.baseline.entries().len();
        talk(&format!("credtrace: {}: {added} added, {all} in all", self.path.display()));
        Ok(())
    }
}

/// Says which entries hid something until they expired.
pub fn expired<'a>(
    baseline: &Baseline,
    fingerprints: impl Iterator<Item = &'a str>,
    today: Date,
    name: &str,
) -> Vec<String> {
    let over: Vec<&Entry> =
        fingerprints.filter_map(|found| baseline.get(found)).filter(|entry| entry.is_expired(today)).collect();
    let told = over.iter().take(MOST_TOLD).map(|entry| {
        let last = entry.expires.unwrap_or_default();
        format!(
            "{name}: the entry of {} hides it no longer: it expired on {last} ({})",
            entry.fingerprint, entry.reason
        )
    });
    let more = over.len().saturating_sub(MOST_TOLD);
    told.chain((more > 0).then(|| format!("{name}: {more} more entries have expired"))).collect()
}
