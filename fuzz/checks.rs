//! What must hold for any input, one function a fuzz target: no panic, no hang, no memory beyond the limits, and what each
//! function asserts. The fuzz targets run them on what the fuzzer makes up, and the test suite on seeds and on every input
//! that ever failed, so nothing here needs more than a stable compiler.

use std::collections::{HashMap, HashSet};
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use credtrace::baseline::Baseline;
use credtrace::detector::compile::{self, SourceFile};
use credtrace::detector::registry::Registry;
use credtrace::finding::{
    Confidence, FINDING_SCHEMA, Finding, Identity, Kind, Liveness, Occurrence, Report, SUMMARY_SCHEMA, Severity,
    SourceKind, Summary, Verification,
};
use credtrace::matcher::engine::{EngineChoice, Workload};
use credtrace::matcher::evaluate::compile_regex;
use credtrace::matcher::views::{View, decode, join, undo};
use credtrace::report::merge::Merger;
use credtrace::report::{self, Format, Options, diff, read};
use credtrace::scan::text::TextScanner;
use credtrace::source::archive::{self, Format as Packing, Source as ArchiveSource};
use credtrace::source::git::index::{CacheTree, Index};
use credtrace::source::git::object::{Object, ObjectId, ObjectKind, Unread, Visitor};
use credtrace::source::git::objects::{ALL_KINDS, Limits, Objects};
use credtrace::source::git::provenance::commits::Commits;
use credtrace::source::git::provenance::{Bounds, ObjectSource, Provenance};
use credtrace::source::git::refs::Refs;

/// The largest object that the git checks let through, in bytes.
const LARGEST_OBJECT: u64 = 1 << 20;

/// A detector file is refused with a reason, or every rule of it compiles and matches.
pub(crate) fn detector_file(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let file = SourceFile { path: "fuzz.toml".into(), text: text.to_owned() };
    let Ok(set) = compile::compile(&[file]) else { return };
    for rule in &set.rules {
        assert!(compile_regex(rule).is_ok(), "a rule was accepted and does not compile");
    }
    let registry = Registry::from_set(set);
    let scanner = TextScanner::new(&registry, EngineChoice::Pure, Workload::Small, true).expect("an engine");
    scanner.worker().expect("a worker").scan(data).expect("a scan");
}

/// Both engines find the same, inside the text, and show none of it.
pub(crate) fn scan_bytes(data: &[u8]) {
    let [first, second] = scanners();
    let found = first.worker().expect("a worker").scan(data).expect("a scan");
    let other = second.worker().expect("a worker").scan(data).expect("a scan");
    let candidates = |hits: &credtrace::scan::text::TextHits| {
        hits.located.iter().map(|located| located.candidate.clone()).collect::<Vec<_>>()
    };
    assert_eq!(candidates(&found), candidates(&other), "the engines differ");
    assert_eq!(found.beyond_cap, other.beyond_cap, "the engines differ beyond the cap");
    let lines = data.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
    for located in &found.located {
        let candidate = &located.candidate;
        assert!(candidate.start < candidate.end && candidate.end <= data.len(), "outside the text");
        assert!((1..=lines).contains(&located.line) && located.column >= 1, "no such line");
        let secret = candidate.secret.expose();
        let shown = candidate.secret.redacted(candidate.head);
        if let Ok(secret) = std::str::from_utf8(secret) {
            assert!(!shown.contains(secret), "the redacted text is the secret");
            // A shorter one may be a common word.
            assert!(secret.len() < 6 || !located.excerpt.contains(secret), "the excerpt shows the secret");
        }
    }
}

/// The fastest engine, and the pure one in the form that starts at once.
fn scanners() -> &'static [TextScanner<'static>; 2] {
    static REGISTRY: OnceLock<Registry> = OnceLock::new();
    static SCANNERS: OnceLock<[TextScanner<'static>; 2]> = OnceLock::new();
    SCANNERS.get_or_init(|| {
        let registry = REGISTRY.get_or_init(Registry::built_in);
        let open = |choice, workload| TextScanner::new(registry, choice, workload, false).expect("an engine");
        [open(EngineChoice::Fastest, Workload::Large), open(EngineChoice::Pure, Workload::Small)]
    })
}

/// A folder of this process for what can only be read from files.
struct Folder(tempfile::TempDir);

impl Folder {
    fn of(check: &'static str) -> &'static Mutex<Self> {
        static FOLDERS: OnceLock<Mutex<HashMap<&'static str, &'static Mutex<Folder>>>> = OnceLock::new();
        let mut folders = FOLDERS.get_or_init(Mutex::default).lock().unwrap_or_else(PoisonError::into_inner);
        folders.entry(check).or_insert_with(|| {
            let memory = Path::new("/dev/shm");
            let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
            let folder = tempfile::Builder::new().prefix("credtrace-fuzz-").tempdir_in(parent).expect("a folder");
            Box::leak(Box::new(Mutex::new(Self(folder))))
        })
    }

    fn write(&self, relative: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(relative);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(&path, bytes).expect("a file");
        path
    }

    fn objects(&self) -> Objects {
        let limits =
            Limits { max_object_bytes: LARGEST_OBJECT, max_stack_bytes: 4 * LARGEST_OBJECT, max_chain_length: 64 };
        Objects::open(self.0.path(), &[], limits).expect("the folder is there")
    }
}

/// A pack of entries that may lie: what a walk hands out is within the limits and the same as when read alone.
pub(crate) fn pack_entry_and_delta(data: &[u8]) {
    let folder = Folder::of("pack").lock().unwrap_or_else(PoisonError::into_inner);
    let (pack, index) = pack(data);
    folder.write("pack/pack-fuzz.pack", &pack);
    folder.write("pack/pack-fuzz.idx", &index);
    let objects = folder.objects();
    let collector = Collector::default();
    objects.walk(&ALL_KINDS, &collector);
    let walked = collector.0.into_inner().unwrap_or_else(PoisonError::into_inner);
    for (id, (kind, bytes)) in &walked {
        assert!(bytes.len() as u64 <= LARGEST_OBJECT, "an object beyond the limit");
        if let Ok(Some(read)) = objects.read(id) {
            assert!(read.0 == *kind && read.1 == *bytes, "{id} differs between a walk and a single read");
        }
    }
}

/// Entries from bytes: flags, length, and what the flags ask for. Each gets an id of its own.
fn pack(data: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut pack = b"PACK\0\0\0\x02\0\0\0\0".to_vec();
    let mut offsets: Vec<u32> = Vec::new();
    let mut rest = data;
    while let [flags, length, tail @ ..] = rest
        && offsets.len() < 32
    {
        let (payload, tail) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = tail;
        let offset = pack.len() as u32;
        let (base, payload) = payload.split_at(payload.len().min(1));
        let base = usize::from(base.first().copied().unwrap_or_default());
        // Bit 4: the declared size is a lie of up to 64 bits; bit 5: the bytes are not compressed.
        let lie = u64::from_le_bytes(std::array::from_fn(|at| payload.get(at).copied().unwrap_or_default()));
        push_size(&mut pack, flags & 7, if flags & 16 == 0 { payload.len() as u64 } else { lie });
        match flags & 7 {
            6 => push_distance(&mut pack, offsets.get(base).map_or(base as u32, |base| offset - base)),
            7 => pack.extend([base as u8; 20]),
            _ => {}
        }
        pack.extend(if flags & 32 == 0 { compressed(payload) } else { payload.to_vec() });
        offsets.push(offset);
    }
    pack[8..12].copy_from_slice(&(offsets.len() as u32).to_be_bytes());
    pack.extend([b'c'; 20]);
    (pack, index(&offsets))
}

fn push_size(pack: &mut Vec<u8>, sort: u8, size: u64) {
    let mut first = sort << 4 | (size & 15) as u8;
    let mut size = size >> 4;
    while size > 0 {
        pack.push(first | 0x80);
        first = (size & 0x7f) as u8;
        size >>= 7;
    }
    pack.push(first);
}

fn push_distance(pack: &mut Vec<u8>, mut distance: u32) {
    let mut bytes = vec![(distance & 0x7f) as u8];
    while distance > 0x7f {
        distance = (distance >> 7) - 1;
        bytes.insert(0, 0x80 | (distance & 0x7f) as u8);
    }
    pack.extend(bytes);
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}

/// An index in which the entry of number n has an id of twenty n.
fn index(offsets: &[u32]) -> Vec<u8> {
    let mut bytes = b"\xfftOc\0\0\0\x02".to_vec();
    bytes.extend((0..=255_u32).flat_map(|first| (offsets.len() as u32).min(first + 1).to_be_bytes()));
    bytes.extend((0..offsets.len()).flat_map(|number| [number as u8; 20]));
    bytes.extend(vec![0; 4 * offsets.len()]);
    bytes.extend(offsets.iter().flat_map(|offset| offset.to_be_bytes()));
    bytes.extend([b'c'; 20]);
    bytes.extend([b'i'; 20]);
    bytes
}

/// Keeps every object that a walk hands out.
#[derive(Default)]
struct Collector(Mutex<HashMap<ObjectId, (ObjectKind, Vec<u8>)>>);

impl Visitor for Collector {
    type Worker = ();
    type State = ();

    fn worker(&self) {}

    fn visit(&self, (): &mut (), object: Object<'_, ()>) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = seen.insert(object.id, (object.kind, object.data.to_vec()));
        assert!(known.is_none(), "{} was handed out twice", object.id);
    }
}

/// A loose object is read exactly as its header says or not at all. The first byte tells whether the rest is compressed.
pub(crate) fn loose_object(data: &[u8]) {
    let Some((first, payload)) = data.split_first() else { return };
    let folder = Folder::of("loose").lock().unwrap_or_else(PoisonError::into_inner);
    let raw = first & 1 == 1;
    folder.write(&format!("5a/{}", "5a".repeat(19)), &if raw { payload.to_vec() } else { compressed(payload) });
    let read = folder.objects().read(&ObjectId([0x5a; 20]));
    if let Ok(object) = &read {
        let (kind, body) = object.as_ref().expect("the file is there");
        let kind = format!("{kind:?}").to_lowercase();
        assert!(body.len() as u64 <= LARGEST_OBJECT, "an object beyond the limit");
        if !raw {
            let header = payload.split(|byte| *byte == 0).next().unwrap_or_default();
            let expected = format!("{kind} {}", body.len());
            let said = std::str::from_utf8(header).expect("a header that was understood").replace(" 0", " ");
            assert_eq!(said.trim_end_matches(' '), expected.replace(" 0", " ").trim_end_matches(' '));
            assert_eq!(&payload[header.len() + 1..], body, "not the bytes of the object");
        }
    }
    if !raw && is_well_formed(payload) {
        assert!(read.is_ok(), "a good object was refused: {read:?}");
    }
}

/// Whether this is an object as git writes it.
fn is_well_formed(object: &[u8]) -> bool {
    ["commit", "tree", "blob", "tag"].iter().any(|kind| {
        let bodies = (6..=28).filter_map(|length| object.get(length..));
        bodies
            .into_iter()
            .any(|body| object[..object.len() - body.len()] == *format!("{kind} {}\0", body.len()).as_bytes())
    })
}

/// An index is refused, or its entries ascend and its cache speaks of entries that there are.
pub(crate) fn index_file(data: &[u8]) {
    let Ok(index) = Index::parse(data.to_vec()) else { return };
    let mut last: Option<(Vec<u8>, u8)> = None;
    for entry in index.entries() {
        let place = (entry.path.to_vec(), entry.stage);
        assert!(last.is_none_or(|last| last <= place), "paths do not ascend");
        last = Some(place);
    }
    let Some(cache) = index.cache_tree() else { return };
    let mut nodes = vec![CacheTree::ROOT];
    let mut seen = 0;
    while let Some(node) = nodes.pop() {
        seen += 1;
        assert!(seen <= data.len(), "more folders than bytes");
        let _ = cache.unchanged(node);
        nodes.extend(cache.children(node).into_iter().map(|(_, child)| child));
    }
}

/// A history whose commits and trees may be anything: every place is of a blob that was asked for, with a commit that is
/// there.
pub(crate) fn commit_and_tree(data: &[u8]) {
    let source = Source::from_bytes(data);
    let (commits, _) = Commits::load(&source);
    let head = source.0.first().map(|(id, _, _)| *id);
    let refs = Refs {
        head,
        refs: Vec::new(),
        reflog_ids: source.0.iter().map(|(id, _, _)| *id).collect(),
        problems: Vec::new(),
    };
    let provenance = Provenance::new(&commits, &refs, &source, Bounds::default());
    let blobs: HashSet<ObjectId> = (0..64).map(|number| ObjectId([number; 20])).collect();
    let resolution = provenance.resolve(&source, &blobs);
    for (blob, places) in &resolution.places {
        assert!(blobs.contains(blob), "a blob that nobody asked for");
        for place in places {
            let commit = commits.get(&place.commit).expect("a place names a commit that is there");
            let _ = (commit.author, commit.author_time.map(credtrace_time));
            assert!(provenance.position(&place.commit) < commits.len() as u64);
        }
    }
}

fn credtrace_time(time: credtrace::source::git::provenance::commits::CommitTime) -> Option<String> {
    time.rfc3339()
}

/// Objects in memory, in which ids are written short.
struct Source(Vec<(ObjectId, ObjectKind, Vec<u8>)>);

impl Source {
    /// Reads kind, length in two bytes and body, again and again. In a body, the byte 0x80 + n stands for the id of
    /// number n: in hexadecimal in a commit, else in bytes.
    fn from_bytes(data: &[u8]) -> Self {
        let mut objects = Vec::new();
        let mut rest = data;
        while let [kind, high, low, tail @ ..] = rest
            && objects.len() < 64
        {
            let (body, tail) = tail.split_at(usize::from(u16::from_be_bytes([*high, *low])).min(tail.len()));
            rest = tail;
            let id = ObjectId([objects.len() as u8; 20]);
            let kind = ALL_KINDS[usize::from(*kind) % ALL_KINDS.len()];
            let mut bytes = Vec::new();
            for byte in body {
                match (byte.checked_sub(0x80), kind) {
                    (None, _) => bytes.push(*byte),
                    (Some(number), ObjectKind::Tree) => bytes.extend([number; 20]),
                    (Some(number), _) => bytes.extend(ObjectId([number; 20]).to_string().bytes()),
                }
            }
            objects.push((id, kind, bytes));
        }
        Self(objects)
    }
}

impl ObjectSource for Source {
    fn walk<V: Visitor>(&self, kinds: &[ObjectKind], visitor: &V) -> Vec<Unread> {
        let mut worker = visitor.worker();
        for (id, kind, data) in self.0.iter().filter(|(_, kind, _)| kinds.contains(kind)) {
            visitor.visit(&mut worker, Object { id: *id, kind: *kind, data, inherited: None });
        }
        Vec::new()
    }

    fn read(&self, id: &ObjectId) -> Result<Option<(ObjectKind, Vec<u8>)>, Unread> {
        Ok(self.0.iter().find(|object| object.0 == *id).map(|(_, kind, data)| (*kind, data.clone())))
    }
}

/// The limits of the archives that are made up here.
const ARCHIVE_LIMITS: archive::Limits = archive::Limits {
    member_bytes: 64 << 10,
    total_bytes: 256 << 10,
    ratio: 200,
    ratio_from: 4 << 10,
    entries: 64,
    depth: 4,
    // Room for one decoder with a large window.
    held_bytes: 70 << 20,
};

/// No more comes out of an archive than the limits allow, and the same each time. The first byte says how it is packed,
/// so that what no file would begin with is tried too.
pub(crate) fn archive(data: &[u8]) {
    const FORMATS: [Packing; 7] =
        [Packing::Zip, Packing::Tar, Packing::Gzip, Packing::Bzip2, Packing::Xz, Packing::Zstd, Packing::Sqlite];
    let Some((first, packed)) = data.split_first() else { return };
    let format = archive::recognise(packed).unwrap_or(FORMATS[usize::from(*first) % FORMATS.len()]);
    let from_bytes = || members(format, ArchiveSource::Seekable(&mut Cursor::new(packed)), packed.len());
    assert_eq!(from_bytes(), from_bytes(), "not the same twice");
    members(format, ArchiveSource::Stream(&mut &packed[..]), packed.len());
}

/// The members of an archive: path and length of the text.
fn members(format: Packing, source: ArchiveSource<'_>, size: usize) -> Vec<(Vec<u8>, u64)> {
    let mut members = Vec::new();
    let outcome = archive::walk(format, source, Some(size as u64), ARCHIVE_LIMITS, &|| false, &mut |path, text| {
        let length = std::io::copy(&mut text.take(u64::MAX), &mut std::io::sink()).expect("a text has no faults");
        members.push((path.to_vec(), length));
        Ok(())
    });
    let decoded = outcome.expect("nobody failed").decoded;
    assert!(decoded <= ARCHIVE_LIMITS.total_bytes, "{decoded} bytes came out");
    // Of one that cannot be decoded the bytes are a text, and each archive within another may be such a one.
    assert!(members.len() as u64 <= 4 * ARCHIVE_LIMITS.entries, "{} texts", members.len());
    for (_, length) in &members {
        assert!(*length <= ARCHIVE_LIMITS.member_bytes, "a text of {length} bytes");
    }
    members
}

/// Every view maps its bytes to places inside the window that it was made of. The first bytes say where the anchor and the
/// window begin.
pub(crate) fn decode_views(data: &[u8]) {
    let [start, length, back, forward, text @ ..] = data else { return };
    let start = usize::from(*start);
    let end = start + usize::from(*length).max(1);
    let base = start.saturating_sub(usize::from(*back));
    let last = (end + usize::from(*forward)).min(text.len());
    if end > last {
        return;
    }
    let (window, from, to) = (&text[base..last], start - base, end - base);
    let wide =
        [2, 4].into_iter().filter(|_| window[from] != 0).map(|width| decode::wide(window, base, from, to, width));
    let packed = (0..4).map(|phase| decode::base64(window, base, from, to, phase));
    let mut views: Vec<View<'_>> = wide.chain(packed).map(|decoded| decoded.0).collect();
    views.push(decode::hex(window, base, from, to).0);
    views.push(View::raw(window, base));
    let more = |view: &View<'_>| [undo::undo(view, (0, 0)), join::join(view, 0)];
    let further: Vec<View<'_>> = views.iter().flat_map(more).flatten().collect();
    for view in views.iter().chain(&further) {
        for place in 0..view.bytes.len() {
            let (from, to) = view.span(place, place + 1);
            assert!(base <= from && from < to && to <= last, "a byte that was read from nowhere");
        }
    }
}

/// Every format writes hostile text without a control character, and the formats for machines give it back.
pub(crate) fn report_escape(data: &[u8]) {
    let report = report_of(data);
    for format in Format::ALL {
        let mut bytes = Vec::new();
        report::write(&report, format, &Options::default(), &mut bytes).expect("memory takes it");
        let text = String::from_utf8(bytes).unwrap_or_else(|_| panic!("{format} is not UTF-8"));
        let acts = |character: &char| {
            let turns = matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
            turns || character.is_control() && !matches!(character, '\n' | '\r')
        };
        assert_eq!(text.chars().find(acts), None, "{format} holds a control character");
        let carriage = text.replace("\r\n", "\n").contains('\r');
        assert!(!carriage, "{format} holds a carriage return");
        match format {
            Format::Jsonl => {
                let line = text.lines().next().expect("a finding");
                let finding: Finding = serde_json::from_str(line).expect("a finding as JSON");
                assert_eq!(finding, without_excerpts(&report.findings[0]));
            }
            Format::Json | Format::Sarif | Format::Gitlab => {
                let document: serde_json::Value = serde_json::from_str(&text).expect("one JSON document");
                assert!(document.is_object());
            }
            // The head, the finding, and that the scan was not complete.
            Format::Csv => assert_eq!(rows(&text), 3, "a row was broken or added: {text}"),
            Format::Github => assert!(text.lines().all(|line| line.starts_with("::")), "a forged line: {text}"),
            Format::Html => assert!(text.contains("default-src 'none'"), "the page lacks its policy"),
            Format::Human | Format::Junit => {}
        }
    }
}

/// Reads bytes as a report: what is taken can be merged, written and read again without a loss, and compared with itself.
/// The same bytes as a baseline: what is taken is written as what it was.
pub(crate) fn report_read(data: &[u8]) {
    if let Ok(baseline) = std::str::from_utf8(data).map_err(drop).and_then(|text| Baseline::parse(text).map_err(drop)) {
        assert_eq!(Baseline::parse(&baseline.text()).as_ref(), Ok(&baseline));
    }
    let Some(merged) = merged(data) else { return };
    assert!(merged.findings.windows(2).all(|pair| pair[0].fingerprint != pair[1].fingerprint));
    for format in Format::ALL {
        report::write(&merged, format, &Options::default(), &mut std::io::sink()).expect("nothing fails there");
    }
    let mut written = Vec::new();
    report::write(&merged, Format::Jsonl, &Options::default(), &mut written).expect("memory takes it");
    let again = self::merged(&written).expect("our own report");
    assert_eq!(again.findings, merged.findings);
    let difference = diff::difference(&merged, &again);
    assert_eq!(difference.summary.new, 0);
    diff::write_human(&difference, &Options::default(), &mut std::io::sink()).expect("nothing fails there");
}

fn merged(data: &[u8]) -> Option<Report> {
    let mut merger = Merger::default();
    let cut = read::read(data, &mut |part| merger.take("report", part)).ok()?;
    if let Some(cut) = cut {
        merger.cut("report", &cut);
    }
    Some(merger.finish())
}

fn without_excerpts(finding: &Finding) -> Finding {
    let mut finding = finding.clone();
    finding.occurrences.iter_mut().for_each(|place| place.excerpt.clear());
    finding
}

/// Counts the rows of a table, in which line breaks within quotes are text.
fn rows(table: &str) -> usize {
    let mut quoted = false;
    let ends = table.bytes().filter(|byte| {
        quoted ^= *byte == b'"';
        *byte == b'\n' && !quoted
    });
    ends.count()
}

/// One finding whose texts are the parts of the input between zero bytes.
fn report_of(data: &[u8]) -> Report {
    let mut parts = data.split(|byte| *byte == 0).map(|part| String::from_utf8_lossy(part).into_owned());
    let mut next = || parts.next().unwrap_or_default();
    let occurrence = Occurrence {
        source: SourceKind::Git,
        target: next(),
        path: next(),
        path_bytes_b64: None,
        line: 1,
        column: 1,
        start: 0,
        end: 1,
        blob: None,
        commit: Some(next()),
        author: Some(next()),
        date: Some(next()),
        in_head: None,
        versions: Some(2),
        context: None,
        excerpt: next(),
    };
    let mut identity = Identity::default();
    (identity.name, identity.why, identity.team) = (Some(next()), Some(next()), Some(next()));
    let mut verification = Verification::new(Liveness::Live);
    verification.account.insert(next(), next());
    let finding = Finding {
        schema: FINDING_SCHEMA.into(),
        fingerprint: "b3k1:k1-00:00".into(),
        detector: "fuzz-key".into(),
        provider: Some("fuzz".into()),
        provider_candidates: Vec::new(),
        kind: Kind::ApiKey,
        ai: true,
        confidence: Confidence::High,
        severity: Severity::High,
        redacted: next(),
        secret: None,
        decoded: vec![next()],
        companions: Vec::new(),
        first_seen: None,
        last_seen: None,
        occurrences: vec![occurrence],
        verification,
        identity,
        identity_findings: vec![next()],
    };
    Report { findings: vec![finding], summary: summary(next(), next()) }
}

fn summary(error: String, warning: String) -> Summary {
    Summary {
        schema: SUMMARY_SCHEMA.into(),
        complete: false,
        findings: 1,
        blobs_scanned: 1,
        bytes_scanned: 1,
        skipped: [("too-large".to_owned(), 1)].into(),
        suppressed: std::collections::BTreeMap::new(),
        errors: vec![error],
        warnings: vec![warning],
        detectors: 1,
        engine: "aho-corasick".into(),
        fingerprint_key: "k1-00".into(),
        seconds: 0.5,
    }
}
