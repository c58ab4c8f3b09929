//! `credtrace inventory import` and `diff`: reads files into batches, and takes them into the store or tells what that would
//! do. All files are read before anything is written, and all are taken or none.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, Result, bail};
use jiff::Timestamp;
use serde_json::json;

use super::{Chosen, DiffArguments, Facts, ImportArguments, Written};
use crate::cli::actor::actor;
use crate::cli::exit::Status;
use crate::cli::{home, talk};
use crate::identity::evidence::{self, action};
use crate::inventory::batch::{Batch, Rank};
use crate::inventory::columns::{self, ColumnMap};
use crate::inventory::hand_kept::{self, FileFacts, Format};
use crate::inventory::import::{self as exports, ImportOptions};
use crate::inventory::records::{self, Change, ImportedFile, Ingested, What};
use crate::inventory::times;
use crate::report::escape::terminal;
use crate::secret::hex;
use crate::store::Store;

/// The largest export, in bytes.
const LARGEST_EXPORT: u64 = 512 << 20;
/// How many refused rows of a batch, and how many changes, are told one by one.
const MOST_TOLD: usize = 100;

/// Runs `import`.
pub(super) fn run(arguments: &ImportArguments, store: Option<&Path>) -> Result<Status> {
    let now = Timestamp::now();
    let batches = read_all(arguments.from, &arguments.files, &arguments.facts, now)?;
    let mut store = home::store_for_changes(store)?;
    refuse_namesakes(&store, &batches)?;
    let done = records::ingest_all(&mut store, &batches, now)?;
    let mut output = std::io::stdout().lock();
    for ((batch, file), ingested) in batches.iter().zip(&done) {
        note(&mut store, batch, file, ingested, now)?;
        writeln!(output, "{}", summary(batch, ingested))?;
    }
    output.flush()?;
    Ok(tell(&batches, &done))
}

/// Runs `diff`.
pub(super) fn diff(arguments: &DiffArguments, store: Option<&Path>) -> Result<Status> {
    let Some(from) = arguments.from else { return last_changes(arguments.format, store) };
    let now = Timestamp::now();
    let batches = read_all(from, &arguments.files, &arguments.facts, now)?;
    let mut store = match home::store_for_questions(store)? {
        Some(store) => store,
        // Against nothing, everything is new.
        None => Store::in_memory()?,
    };
    refuse_namesakes(&store, &batches)?;
    let told = records::preview(&mut store, &batches, now)?;
    let sources = batches.iter().map(|(batch, _)| batch.source.clone());
    write_changes(arguments.format, sources.zip(told.iter().map(|told| told.changes.clone())).collect())?;
    Ok(tell(&batches, &told))
}

fn last_changes(format: Written, store: Option<&Path>) -> Result<Status> {
    let Some(store) = home::store_for_questions(store)? else { bail!(home::no_inventory()) };
    let mut sources: Vec<String> = Vec::new();
    for import in records::imports(&store)? {
        if !sources.contains(&import.source) {
            sources.push(import.source);
        }
    }
    let mut changes = Vec::new();
    for source in sources {
        changes.push((source.clone(), records::last_changes(&store, &source)?));
    }
    write_changes(format, changes)?;
    Ok(Status::Clean)
}

/// Reads every file, before anything is written.
fn read_all(from: Chosen, files: &[PathBuf], facts: &Facts, now: Timestamp) -> Result<Vec<(Batch, ImportedFile)>> {
    let is_export = matches!(from, Chosen::Export(_));
    if !is_export && (facts.account.is_some() || facts.project.is_some() || facts.partial) {
        bail!("--account, --project and --partial are for providers' lists; a file that people keep says it itself");
    }
    if facts.map.is_some() && from != Chosen::HandKept(Format::Csv) {
        bail!("--map belongs to --from csv");
    }
    let as_of = facts.as_of.as_deref().map(times::normalised).transpose();
    let as_of = as_of.map_err(|reason| anyhow::anyhow!("--as-of {reason}"))?;
    let map = facts.map.as_deref().map(column_map).transpose()?;
    let mut all: Vec<(Batch, ImportedFile)> = Vec::new();
    for path in files {
        let read = ReadFile::read(path, if is_export { LARGEST_EXPORT } else { hand_kept::LARGEST_FILE })?;
        let as_of = as_of.clone().unwrap_or_else(|| read.changed(now));
        let file = ImportedFile {
            name: read.name(is_export),
            sha256: hex(ring::digest::digest(&ring::digest::SHA256, &read.bytes).as_ref()),
            may_be_empty: facts.allow_empty,
        };
        let parsed = parse(from, &read, as_of, facts, map.as_ref(), now);
        let parsed = parsed.with_context(|| path.display().to_string())?;
        all.extend(parsed.into_iter().map(|batch| (batch, file.clone())));
    }
    refuse_doubles(&all)?;
    Ok(all)
}

fn column_map(path: &Path) -> Result<ColumnMap> {
    let read = ReadFile::read(path, 1 << 20)?;
    let text = String::from_utf8(read.bytes).ok().with_context(|| format!("{}: is not UTF-8", path.display()))?;
    Ok(ColumnMap::parse(&text, &path.display().to_string())?)
}

fn parse(
    from: Chosen,
    read: &ReadFile,
    as_of: String,
    facts: &Facts,
    map: Option<&ColumnMap>,
    now: Timestamp,
) -> Result<Vec<Batch>> {
    match from {
        Chosen::Export(kind) => {
            let options = ImportOptions {
                account: facts.account.clone(),
                project: facts.project.clone(),
                partial: facts.partial,
                as_of: Some(as_of),
                ..ImportOptions::new(read.short_name(), now)
            };
            Ok(exports::parse(kind, &read.bytes, &options)?)
        }
        Chosen::HandKept(format) => {
            let about = FileFacts { name: read.short_name(), as_of };
            Ok(vec![match map {
                Some(map) => columns::parse_mapped(&read.bytes, map, &about)?,
                None => hand_kept::parse(format, &read.bytes, &about)?,
            }])
        }
    }
}

/// Refuses two files that speak for the same list: the second would take away what the first said. Pieces of a log add up.
fn refuse_doubles(batches: &[(Batch, ImportedFile)]) -> Result<()> {
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (batch, file) in batches {
        let lists = !batch.people.is_empty() || !batch.identities.is_empty() || !batch.credentials.is_empty();
        if let Some(other) = seen.insert(&batch.source, &file.name).filter(|_| lists) {
            bail!(
                "{other} and {} both speak for {}, and one would replace the other; put the pages of one list into one file, \
                 or name what tells the lists apart with --account or --project",
                file.name,
                batch.source
            );
        }
    }
    Ok(())
}

/// Refuses a hand-kept file that has the name of another one elsewhere: it would take away what that one said.
fn refuse_namesakes(store: &Store, batches: &[(Batch, ImportedFile)]) -> Result<()> {
    let hand_kept = |batch: &Batch| batch.rank == Rank::HandKept;
    if !batches.iter().any(|(batch, _)| hand_kept(batch)) {
        return Ok(());
    }
    let known = records::imports(store)?;
    for (batch, file) in batches.iter().filter(|(batch, _)| hand_kept(batch)) {
        let last = known.iter().find(|import| import.source == batch.source);
        if let Some(other) = last
            && other.file != file.name
            && Path::new(&other.file).is_absolute()
            && Path::new(&other.file).exists()
        {
            bail!(
                "{} would replace what {} says, which has the same name; give one of them another name",
                file.name,
                other.file
            );
        }
    }
    Ok(())
}

/// Adds an event to the record.
fn note(store: &mut Store, batch: &Batch, file: &ImportedFile, done: &Ingested, now: Timestamp) -> Result<()> {
    let data = json!({
        "kind": batch.kind, "file": file.name, "sha256": file.sha256, "as_of": batch.as_of, "added": done.added,
        "changed": done.changed, "removed": done.removed, "refused": done.rejected.len(),
    });
    evidence::append(store, &actor(), action::IMPORTED, &batch.source, &data, now)?;
    Ok(())
}

fn summary(batch: &Batch, done: &Ingested) -> String {
    let events = match batch.observations.len() {
        0 => String::new(),
        count => format!(", {count} events"),
    };
    format!(
        "{} of {}: {} added, {} changed, {} removed{events}, {} refused",
        terminal(&batch.source),
        terminal(&batch.as_of),
        done.added,
        done.changed,
        done.removed,
        done.rejected.len()
    )
}

/// Says what was refused and what there is to know, and how it ends.
fn tell(batches: &[(Batch, ImportedFile)], done: &[Ingested]) -> Status {
    let mut status = Status::Clean;
    for ((batch, file), done) in batches.iter().zip(done) {
        for rejected in done.rejected.iter().take(MOST_TOLD) {
            let (place, reason) = (terminal(&rejected.place), terminal(&rejected.reason));
            talk(&format!("credtrace: {}: {place}: {reason}", terminal(&file.name)));
        }
        if done.rejected.len() > MOST_TOLD {
            talk(&format!("credtrace: {}: and {} more", terminal(&file.name), done.rejected.len() - MOST_TOLD));
        }
        for remark in batch.remarks.iter().take(MOST_TOLD) {
            let (place, text) = (terminal(&remark.place), terminal(&remark.text));
            talk(&format!("credtrace: note: {}: {place}: {text}", terminal(&file.name)));
        }
        if done.coverage_lost {
            talk(&format!(
                "credtrace: {}: the list counts as not complete, since rows of it were refused",
                terminal(&batch.source)
            ));
        }
        if !done.rejected.is_empty() {
            status = Status::Failed;
        }
    }
    status
}

fn write_changes(format: Written, changes: Vec<(String, Vec<Change>)>) -> Result<()> {
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    if format == Written::Json {
        let list: Vec<_> =
            changes.iter().map(|(source, changes)| json!({ "source": source, "changes": changes })).collect();
        serde_json::to_writer_pretty(&mut output, &list)?;
        writeln!(output)?;
    } else {
        for (source, changes) in &changes {
            writeln!(output, "{}: {}", terminal(source), counts(changes))?;
            for change in changes {
                writeln!(output, "  {}", line(change))?;
            }
        }
    }
    output.flush()?;
    Ok(())
}

fn counts(changes: &[Change]) -> String {
    let count = |what| changes.iter().filter(|change| change.what == what).count();
    match changes.len() {
        0 => "no change".into(),
        _ => {
            format!("{} added, {} changed, {} removed", count(What::Added), count(What::Changed), count(What::Removed))
        }
    }
}

fn line(change: &Change) -> String {
    let sign = match change.what {
        What::Added => '+',
        What::Changed => '~',
        What::Removed => '-',
    };
    let fields = match change.fields.is_empty() {
        true => String::new(),
        false => format!(": {}", terminal(&change.fields.join(", "))),
    };
    format!("{sign} {} {}{fields}", change.kind.name(), terminal(&change.id))
}

/// A file in memory.
struct ReadFile {
    path: PathBuf,
    bytes: Vec<u8>,
    changed: Option<SystemTime>,
}

impl ReadFile {
    fn read(path: &Path, most: u64) -> Result<Self> {
        let mut bytes = Vec::new();
        if path == Path::new("-") {
            std::io::stdin().lock().take(most + 1).read_to_end(&mut bytes).context("standard input")?;
        } else {
            let name = || path.display().to_string();
            let file = std::fs::File::open(path).with_context(name)?;
            let about = file.metadata().with_context(name)?;
            if about.is_dir() {
                bail!("{}: is a folder; name the files in it", path.display());
            }
            if about.len() <= most {
                file.take(most + 1).read_to_end(&mut bytes).with_context(name)?;
            }
            if about.len() > most || bytes.len() as u64 > most {
                bail!("{}: is larger than {} MB; split it", path.display(), most >> 20);
            }
            return Ok(Self { path: path.to_owned(), bytes, changed: about.modified().ok() });
        }
        if bytes.len() as u64 > most {
            bail!("standard input: is larger than {} MB; split it", most >> 20);
        }
        Ok(Self { path: path.to_owned(), bytes, changed: None })
    }

    /// When it was last changed, as far as that lies in the past.
    fn changed(&self, now: Timestamp) -> String {
        let changed = self.changed.and_then(|time| Timestamp::try_from(time).ok());
        times::written(changed.map_or(now, |changed| changed.min(now)))
    }

    fn short_name(&self) -> String {
        match self.path.file_name() {
            Some(name) if self.path != Path::new("-") => name.to_string_lossy().into_owned(),
            _ => "standard input".into(),
        }
    }

    /// The name under which the import is kept. Hand-kept files are told apart by where they are.
    fn name(&self, is_export: bool) -> String {
        let whole = if is_export { None } else { std::fs::canonicalize(&self.path).ok() };
        whole.unwrap_or_else(|| self.path.clone()).display().to_string()
    }
}
