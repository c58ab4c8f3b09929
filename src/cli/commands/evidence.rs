//! `credtrace evidence`: what was done and what was found, in a form whose later change is seen.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde_json::json;

use super::answers;
use crate::cli::actor::actor;
use crate::cli::exit::Status;
use crate::cli::{home, talk};
use crate::detector::registry::Registry;
use crate::identity::controls::Framework;
use crate::identity::evidence::bundle::{self, Bundle, MANIFEST, Maker, Scope};
use crate::identity::evidence::bundle_check::{self, BundleVerdict};
use crate::identity::evidence::check::{self, Kept, Known, Verdict};
use crate::identity::evidence::pseudonyms::Pseudonyms;
use crate::identity::evidence::{self, action};
use crate::inventory::records;
use crate::report;
use crate::report::escape::terminal;
use crate::store::Store;

/// The largest file of a bundle that is read, in bytes.
const LARGEST: u64 = 2 << 30;

/// What the help ends with.
const AFTER: &str = "Examples:
  credtrace evidence --from 2026-10-01 --to 2026-12-31 --framework csf,nhi --output evidence
  credtrace evidence verify                    the record of the store
  credtrace evidence verify evidence           a bundle
  credtrace evidence verify evidence --head 9f2c...

Exit status of verify: 0 nothing was changed, 1 something was, 2 it could not be read.";

/// Arguments of `credtrace evidence`.
#[derive(Debug, Args)]
#[command(after_help = AFTER, args_conflicts_with_subcommands = true)]
pub struct EvidenceArguments {
    /// What to do instead of writing a bundle
    #[command(subcommand)]
    pub action: Option<EvidenceAction>,

    /// From this day or time on (2026-11-20 or 2026-11-20T08:00:00Z)
    #[arg(long, value_name = "DATE")]
    pub from: Option<String>,

    /// Until the end of this day, or this time
    #[arg(long, value_name = "DATE")]
    pub to: Option<String>,

    /// The frameworks of the control matrix: nhi, csf, zero-trust, iso, iso-42001, soc2, pci, attack, atlas, agentic
    /// [default: all]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub framework: Vec<String>,

    /// Replace the names of people
    #[arg(long)]
    pub pseudonyms: bool,

    /// A folder for the files of the bundle, or a name that ends with .json for one file
    #[arg(long, value_name = "DIR|FILE")]
    pub output: Option<PathBuf>,

    /// The inventory [default: inventory.db in $CREDTRACE_HOME]
    #[arg(long, value_name = "FILE")]
    pub inventory: Option<PathBuf>,
}

/// What to do with evidence.
#[derive(Debug, Subcommand)]
pub enum EvidenceAction {
    /// Find edits, cuts and another order in the record of the store, in a bundle, or in events.jsonl
    Verify {
        /// A bundle or an events.jsonl [default: the record of the store]
        file: Option<PathBuf>,

        /// The hash of the last event, or of the manifest, as it was kept elsewhere
        #[arg(long, value_name = "HASH")]
        head: Option<String>,

        /// The inventory [default: inventory.db in $CREDTRACE_HOME]
        #[arg(long, value_name = "FILE")]
        inventory: Option<PathBuf>,
    },
}

/// Runs the command.
///
/// # Errors
/// A store or bundle that cannot be read, a date or framework that is none, a folder that cannot be written.
pub fn run(arguments: &EvidenceArguments) -> Result<Status> {
    match &arguments.action {
        Some(EvidenceAction::Verify { file, head, inventory }) => {
            verify(file.as_deref(), head.as_deref(), inventory.as_deref())
        }
        None => export(arguments),
    }
}

fn export(arguments: &EvidenceArguments) -> Result<Status> {
    let Some(output) = &arguments.output else {
        bail!(
            "--output names the folder for the bundle, or a file that ends with .json; `evidence verify` checks a record"
        )
    };
    let mut store = answers::store(arguments.inventory.as_deref())?;
    let scope = Scope {
        from: arguments.from.as_deref().map(|text| moment(text, false)).transpose()?,
        to: arguments.to.as_deref().map(|text| moment(text, true)).transpose()?,
        frameworks: frameworks(&arguments.framework)?,
    };
    let key = home::fingerprint_key(None)?;
    let registry = Registry::built_in();
    let maker = maker(&registry, key.id())?;
    let pseudonyms = match arguments.pseudonyms {
        true => Some(Pseudonyms::new(&records::people(&store)?, key.clone())),
        false => None,
    };
    let now = jiff::Timestamp::now();
    let reader = answers::reader(&store, &registry, Some(&key))?;
    let bundle = bundle::bundle(&reader, &scope, maker, pseudonyms.as_ref(), now)?;
    drop(reader);
    write(&bundle, output)?;
    let data = json!({ "manifest": bundle.hash(), "head": bundle.manifest.events.head });
    evidence::append(&mut store, &actor(), action::EXPORTED, &output.display().to_string(), &data, now)?;
    tell(&bundle, output)?;
    Ok(if bundle.manifest.events.unbroken { Status::Clean } else { Status::Findings })
}

fn frameworks(names: &[String]) -> Result<Vec<Framework>> {
    let parsed = names.iter().map(|name| name.trim().to_ascii_lowercase().parse::<Framework>());
    Ok(parsed.collect::<Result<_, _>>()?)
}

/// Reads a day, whose end counts where a period ends, or a time.
fn moment(text: &str, is_end: bool) -> Result<jiff::Timestamp> {
    let text = text.trim();
    let whole = match (text.len() == 10, is_end) {
        (true, false) => format!("{text}T00:00:00Z"),
        (true, true) => format!("{text}T23:59:59Z"),
        (false, _) => text.to_owned(),
    };
    whole.parse().with_context(|| format!("{text:?} is no day (2026-11-20) and no time (2026-11-20T08:00:00Z)"))
}

fn maker(registry: &Registry, key: &str) -> Result<Maker> {
    let detectors = serde_json::to_vec(registry.detectors())?;
    Ok(Maker {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        detectors: blake3::hash(&detectors).to_hex().to_string(),
        detector_count: registry.len() as u64,
        fingerprint_key: key.to_owned(),
    })
}

/// Writes one document where the name says so, else a folder of files, the manifest last.
fn write(bundle: &Bundle, output: &Path) -> Result<()> {
    if output.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        let text = bundle.document();
        return Ok(report::output::write_whole(output, false, |file| file.write_all(text.as_bytes()))?);
    }
    let named = || output.display().to_string();
    std::fs::create_dir_all(output).with_context(named)?;
    let mut entries = std::fs::read_dir(output).with_context(named)?;
    let is_ours = |name: &std::ffi::OsStr| bundle.files.iter().any(|(ours, _)| name.to_str() == Some(ours));
    if let Some(entry) = entries.find_map(|entry| entry.ok().filter(|entry| !is_ours(&entry.file_name()))) {
        bail!("{}: holds other files ({}); name a folder of its own", named(), entry.file_name().to_string_lossy());
    }
    // Without its manifest a half-written folder is no bundle.
    for (name, text) in bundle.files.iter().rev() {
        report::output::write_whole(&output.join(name), false, |file| file.write_all(text.as_bytes()))?;
    }
    Ok(())
}

fn tell(bundle: &Bundle, output: &Path) -> Result<()> {
    let manifest = &bundle.manifest;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}: {}", terminal(&output.display().to_string()), manifest.counts_in_words())?;
    writeln!(out, "manifest {}", bundle.hash())?;
    writeln!(out, "head     {}", manifest.events.head)?;
    writeln!(out, "Keep one of the two where nobody who can write here can write: {}", tag(&bundle.hash()))?;
    if !manifest.events.unbroken {
        talk("credtrace: the record of events in the store is broken; `credtrace evidence verify` says where");
    }
    Ok(())
}

fn tag(hash: &str) -> String {
    format!("git tag -s evidence-{} -m {hash}", &hash[..8.min(hash.len())])
}

fn verify(file: Option<&Path>, head: Option<&str>, inventory: Option<&Path>) -> Result<Status> {
    match file {
        None => {
            let store: Store = answers::store(inventory)?;
            let known = Known { head: head.map(str::to_owned), ..Known::default() };
            say(&check::check(&evidence::read(&store)?, &known), head)
        }
        Some(path) if path.is_dir() => of_bundle(path, &folder(path)?, head),
        Some(path) => of_file(path, head),
    }
}

/// A file is a bundle or a record: one document begins with the member that a record has not.
fn of_file(path: &Path, head: Option<&str>) -> Result<Status> {
    let named = || path.display().to_string();
    let file = std::fs::File::open(path).with_context(named)?;
    let mut input = BufReader::new(file);
    let start = input.fill_buf().with_context(named)?;
    if start.starts_with(b"{\"files\":") {
        let mut bytes = Vec::new();
        input.take(LARGEST + 1).read_to_end(&mut bytes).with_context(named)?;
        return of_bundle(path, &bundle_check::document(&named(), &bytes)?, head);
    }
    let known = Known { head: head.map(str::to_owned), ..Known::default() };
    say(&check::check_lines(&mut input, &known).with_context(named)?, head)
}

/// Reads the files of a folder.
fn folder(path: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let named = || path.display().to_string();
    if !path.join(MANIFEST).is_file() {
        bail!("{}: there is no {MANIFEST}, so this is no bundle of evidence", named());
    }
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(path).with_context(named)? {
        let entry = entry.with_context(named)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !entry.file_type().with_context(named)?.is_file() {
            bail!("{}: {} is no file of a bundle", named(), terminal(&name));
        }
        let mut bytes = Vec::new();
        std::fs::File::open(entry.path())
            .with_context(named)?
            .take(LARGEST + 1)
            .read_to_end(&mut bytes)
            .with_context(named)?;
        if bytes.len() as u64 > LARGEST {
            bail!("{}: {} is larger than {} GiB", named(), terminal(&name), LARGEST >> 30);
        }
        files.insert(name, bytes);
    }
    Ok(files)
}

fn of_bundle(path: &Path, files: &BTreeMap<String, Vec<u8>>, head: Option<&str>) -> Result<Status> {
    let verdict: BundleVerdict = bundle_check::check(&path.display().to_string(), files, head)?;
    let mut out = std::io::stdout().lock();
    for fault in &verdict.faults {
        writeln!(out, "CHANGED: {}", terminal(fault))?;
    }
    if verdict.pseudonyms {
        writeln!(out, "Names were replaced here: the chain of hashes is checked, what the events say is not.")?;
    }
    writeln!(out, "manifest {}", verdict.manifest)?;
    drop(out);
    let of_manifest = head.is_some_and(|head| head.trim().eq_ignore_ascii_case(&verdict.manifest));
    let status = say(&verdict.events, head.filter(|_| !of_manifest))?;
    Ok(if verdict.is_whole() { status } else { Status::Findings })
}

/// Says what a check of the chain showed.
fn say(verdict: &Verdict, head: Option<&str>) -> Result<Status> {
    let mut out = std::io::stdout().lock();
    for fault in &verdict.faults {
        writeln!(out, "CHANGED at {}: {}", fault.place, terminal(&fault.text))?;
    }
    if verdict.more_faults > 0 {
        writeln!(out, "and {} more", verdict.more_faults)?;
    }
    let whole = if verdict.is_whole() { "an unbroken chain" } else { "a BROKEN chain" };
    match verdict.events {
        0 => writeln!(out, "no events")?,
        1 => writeln!(out, "1 event, number {}: {whole}", verdict.first)?,
        count => writeln!(out, "{count} events, {} to {}: {whole}", verdict.first, verdict.last)?,
    }
    writeln!(out, "head     {}", verdict.head)?;
    match verdict.kept {
        Some(Kept::Last) => writeln!(out, "It ends with the hash that was kept: nothing was cut off or written anew.")?,
        Some(Kept::Earlier(added)) => {
            let events = if added == 1 { "1 event was".to_owned() } else { format!("{added} events were") };
            writeln!(out, "It holds the hash that was kept, and {events} added after it.")?;
        }
        Some(Kept::Missing) => {}
        None if head.is_none() => {
            writeln!(out, "A chain alone does not stop someone who cuts off its end or writes all of it anew.")?;
            writeln!(out, "Keep the head elsewhere ({}), and give it with --head.", tag(&verdict.head))?;
        }
        None => {}
    }
    Ok(if verdict.is_whole() { Status::Clean } else { Status::Findings })
}
