//! Every format over the same reports: what a hostile repository may write, what must never leak, what must be valid.

use std::collections::BTreeMap;

use base64::Engine as _;
use serde_json::Value;

use super::{Format, Options, RuleInfo, write};
use crate::finding::{
    Candidate, Confidence, FINDING_SCHEMA, Finding, Identity, Kind, Liveness, Occurrence, Person, Report,
    SUMMARY_SCHEMA, Severity, SourceKind, Summary, Verification,
};

pub(super) fn occurrence() -> Occurrence {
    Occurrence {
        source: SourceKind::Git,
        target: ".".into(),
        path: "src/agents/client.py".into(),
        path_bytes_b64: None,
        line: 12,
        column: 29,
        start: 310,
        end: 418,
        blob: Some("5b".repeat(20)),
        commit: Some("1a2b3c4d".repeat(5)),
        author: Some("Ann Lee <ann@example.org>".into()),
        date: Some("2024-03-01T10:00:00+01:00".into()),
        in_head: Some(true),
        versions: Some(3),
        context: None,
        excerpt: "    client = Anthropic(api_key=\"sk-ant-api03-…igAA\")".into(),
    }
}

pub(super) fn finding() -> Finding {
    Finding {
        schema: FINDING_SCHEMA.into(),
        fingerprint: format!("b3k1:k1-0a1b2c3d:{}", "3f2a9c81".repeat(4)),
        detector: "anthropic-api-key".into(),
        provider: Some("anthropic".into()),
        provider_candidates: vec![],
        kind: Kind::ApiKey,
        ai: true,
        confidence: Confidence::High,
        severity: Severity::High,
        redacted: "sk-ant-api03-…igAA".into(),
        secret: None,
        decoded: vec![],
        companions: Vec::new(),
        first_seen: Some("2024-03-01T10:00:00+01:00".into()),
        last_seen: None,
        occurrences: vec![occurrence()],
        verification: Verification::default(),
        identity: Identity::default(),
        identity_findings: vec![],
    }
}

pub(super) fn report(findings: Vec<Finding>) -> Report {
    let summary = Summary {
        schema: SUMMARY_SCHEMA.into(),
        complete: true,
        findings: findings.len() as u64,
        blobs_scanned: 57_302,
        bytes_scanned: 799_000_000,
        skipped: BTreeMap::from([("too-large".to_owned(), 0)]),
        suppressed: BTreeMap::new(),
        errors: vec![],
        warnings: vec![],
        detectors: 312,
        engine: "hyperscan".into(),
        fingerprint_key: "k1-0a1b2c3d".into(),
        seconds: 0.7,
    };
    Report { findings, summary }
}

pub(super) fn rules(id: &str) -> Option<RuleInfo> {
    (id == "anthropic-api-key").then(|| RuleInfo {
        name: "Anthropic API key".into(),
        provider_name: "Anthropic".into(),
        help: Some("https://docs.example.org/keys".into()),
        rotate: Some("https://docs.example.org/rotate".into()),
        console: Some("https://console.example.org/settings/keys".into()),
    })
}

pub(super) fn written(report: &Report, format: Format) -> Vec<u8> {
    written_with(report, format, &Options { rules: &rules, version: "0.0.0", ..Options::default() })
}

fn written_with(report: &Report, format: Format, options: &Options<'_>) -> Vec<u8> {
    let mut output = Vec::new();
    write(report, format, options, &mut output).expect("a vector takes all");
    output
}

fn text(report: &Report, format: Format) -> String {
    String::from_utf8(written(report, format)).expect("UTF-8")
}

/// What an attacker may put where text is taken from a source.
const HOSTILE: [&str; 14] = [
    "\x1b]52;c;ZXZpbA==\x07",
    "\x1b[2J\x1b[1;1H",
    "a\rb",
    "bell\x07",
    "\u{202e}txt.exe",
    "\u{9b}31m\u{90}\u{9c}",
    "<script>alert(1)</script>",
    "\"onload=\"alert(1)",
    "=cmd|'/C calc'!A0",
    "+1+1",
    "-1-1",
    "@SUM(1)",
    "\t=1]]>&{0}[x](javascript:y)",
    "line\n::error::forged\nhttps://x/\u{200b}\u{e0041}",
];

pub(super) fn hostile_report() -> Report {
    let mut findings: Vec<Finding> = HOSTILE
        .iter()
        .map(|text| {
            let text = (*text).to_owned();
            let mut finding = finding();
            finding.redacted.clone_from(&text);
            finding.decoded = vec![text.clone()];
            finding.verification = Verification {
                state: Liveness::Live,
                reason: Some(text.clone()),
                checked_at: Some(text.clone()),
                account: BTreeMap::from([(text.clone(), text.clone())]),
            };
            finding.identity.status = crate::finding::IdentityStatus::Linked;
            finding.identity.name = Some(text.clone());
            finding.identity.why = Some(text.clone());
            finding.identity.team = Some(text.clone());
            finding.identity.owner = Some(Person { name: Some(text.clone()), ..Person::default() });
            finding.identity.candidates = vec![Candidate { name: Some(text.clone()), ..Candidate::default() }];
            let place = &mut finding.occurrences[0];
            place.target.clone_from(&text);
            place.path.clone_from(&text);
            place.author = Some(format!("{text} <{text}>"));
            place.date = Some(text.clone());
            place.commit = Some(text.clone());
            place.excerpt = format!("{text} = {text}");
            place.context = Some(crate::finding::Context {
                ticket: Some(text.clone()),
                by: Some(text.clone()),
                at: Some(text.clone()),
            });
            finding
        })
        .collect();
    findings[0].occurrences[0].path = "a\u{fffd}.py".into();
    findings[0].occurrences[0].path_bytes_b64 = Some(base64::engine::general_purpose::STANDARD.encode(b"a\xff\x1b.py"));
    let mut report = report(findings);
    report.summary.complete = false;
    report.summary.errors = HOSTILE.map(str::to_owned).to_vec();
    report.summary.warnings = HOSTILE.map(str::to_owned).to_vec();
    report.summary.skipped = HOSTILE.iter().map(|text| ((*text).to_owned(), 1)).collect();
    report.summary.suppressed = report.summary.skipped.clone();
    report
}

/// Whether a character may stand in a text that somebody shows on a terminal.
fn is_harmless(character: char) -> bool {
    !character.is_control() && !"\u{202e}\u{200b}\u{e0041}\u{feff}".contains(character)
}

#[test]
fn no_format_shows_a_byte_that_acts() {
    let report = hostile_report();
    for format in Format::ALL {
        let text = text(&report, format);
        for line in text.split('\n') {
            // RFC 4180 ends a row with both.
            let line = if format == Format::Csv { line.strip_suffix('\r').unwrap_or(line) } else { line };
            assert!(line.chars().all(is_harmless), "{format}: {line:?}");
        }
    }
}

#[test]
fn colour_is_all_that_colour_adds() {
    let report = hostile_report();
    let coloured = Options { colour: true, rules: &rules, ..Options::default() };
    let coloured = String::from_utf8(written_with(&report, Format::Human, &coloured)).expect("UTF-8");
    let mut plain = coloured.clone();
    for code in ["0", "1", "2", "36", "1;31", "1;32", "1;33", "1;34"] {
        plain = plain.replace(&format!("\x1b[{code}m"), "");
    }
    assert_ne!(plain, coloured);
    assert_eq!(plain, text(&report, Format::Human));
}

#[test]
fn human_lines_fit_eighty_columns_but_for_what_must_stay_whole() {
    for line in text(&hostile_report(), Format::Human).lines() {
        assert!(line.chars().count() <= 80 || line.contains("://"), "{line}");
    }
}

/// Findings as a repository in use has them: several places, a long line, a shared shape, a message.
fn everyday_report() -> Report {
    let mut minified = occurrence();
    minified.path = "web/dist/app.min.js".into();
    minified.line = 1;
    minified.column = 48_211;
    minified.in_head = Some(false);
    minified.versions = Some(1);
    minified.excerpt = format!("{}key:\"sk-ant-api03-…igAA\",{}", "var a=1;".repeat(400), "b(c);".repeat(300));
    let mut key = finding();
    key.occurrences = vec![minified, occurrence()];
    key.occurrences
        .extend((1..=16).map(|number| Occurrence { path: format!("logs/run-{number}.log"), ..occurrence() }));
    let mut shared = finding();
    shared.detector = "hex-32-key".into();
    shared.provider = None;
    shared.provider_candidates = ["assemblyai", "elevenlabs", "portkey", "together"].map(str::to_owned).to_vec();
    shared.confidence = Confidence::Low;
    shared.severity = Severity::Medium;
    shared.redacted = "4f1c…90ab".into();
    shared.decoded = vec!["base64".into()];
    shared.occurrences[0].path = "<commit message>".into();
    shared.occurrences[0].excerpt = "日本語の長い説明がここにあります。".repeat(6) + " key 4f1c…90ab";
    let mut admin = finding();
    admin.detector = "openai-admin-key".into();
    admin.provider = Some("openai".into());
    admin.severity = Severity::Critical;
    admin.verification = Verification {
        state: Liveness::Live,
        reason: None,
        checked_at: None,
        account: BTreeMap::from([("organisation".into(), "Acme Research".into())]),
    };
    admin.identity.status = crate::finding::IdentityStatus::Linked;
    admin.identity.name = Some("Support bot".into());
    admin.identity.team = Some("Customer care".into());
    admin.identity.why = Some("the last four characters and the project fit one record alone".into());
    admin.identity.tier = Some(crate::finding::LinkTier::HintUnique);
    admin.identity.score = Some(0.97);
    admin.identity.as_of = Some("2026-11-20T08:00:00Z".into());
    let left = Some("left".to_owned());
    let owner = Person { name: Some("Ben Ode".into()), status: left, ..Person::default() };
    admin.identity.owner = Some(owner.clone());
    let mut tie = finding();
    tie.identity.status = crate::finding::IdentityStatus::Tie;
    tie.identity.tier = Some(crate::finding::LinkTier::HintTie);
    tie.identity.score = Some(0.485);
    tie.identity.why = Some("2 records fit equally well, so none is named".into());
    let rival = |name: &str| Candidate { name: Some(name.into()), score: 0.485, ..Candidate::default() };
    tie.identity.candidates = vec![
        Candidate { owner: Some(owner), record_id: Some("key_ex01".into()), ..rival("Support bot") },
        rival("Search"),
    ];
    let mut report = report(vec![shared, key, admin, tie]);
    report.summary.suppressed = BTreeMap::from([("baseline".into(), 2), ("inline".into(), 1)]);
    report.summary.skipped = BTreeMap::from([("too-large".into(), 3)]);
    report.summary.warnings = vec!["vendored: a shallow clone, of which 214 commits were read and no more".into()];
    report
}

fn human(report: &Report) -> String {
    let hint = "To accept a finding:\n  credtrace scan --baseline FILE --update-baseline --reason TEXT";
    let options = Options { rules: &rules, accept_hint: Some(hint), ..Options::default() };
    String::from_utf8(written_with(report, Format::Human, &options)).expect("UTF-8")
}

#[test]
fn human_report_of_everyday_findings() {
    insta::assert_snapshot!(human(&everyday_report()));
}

#[test]
fn human_report_of_one_finding_in_colour() {
    let options = Options { rules: &rules, colour: true, ..Options::default() };
    let coloured = written_with(&report(vec![finding()]), Format::Human, &options);
    let coloured = String::from_utf8(coloured).expect("UTF-8");
    insta::assert_snapshot!(coloured.replace('\x1b', "<ESC>"));
}

#[test]
fn human_report_of_nothing_found() {
    insta::assert_snapshot!(human(&report(vec![])));
}

#[test]
fn human_report_of_nothing_scanned() {
    let mut report = report(vec![]);
    report.summary.blobs_scanned = 0;
    report.summary.bytes_scanned = 0;
    insta::assert_snapshot!(human(&report));
}

#[test]
fn human_report_of_an_incomplete_scan() {
    let mut report = report(vec![finding()]);
    report.summary.complete = false;
    report.summary.errors = vec![
        "acme/web: pack-1c9e is damaged at byte 8,812,004; run git fsck there and scan again".into(),
        "logs/build.log: permission denied".into(),
    ];
    insta::assert_snapshot!(human(&report));
}

/// A value that no detector knows and no report may hold.
fn planted() -> String {
    ["zq9", "PLANTED", "x7k2"].concat()
}

#[test]
fn only_a_report_that_was_asked_to_shows_a_secret() {
    let mut asked = report(vec![finding()]);
    asked.findings[0].secret = Some(planted());
    for format in Format::ALL {
        let shows = matches!(format, Format::Human | Format::Jsonl | Format::Json | Format::Csv);
        assert_eq!(text(&asked, format).contains(&planted()), shows, "{format}");
    }
    let mut unasked = asked.clone();
    unasked.findings[0].secret = None;
    for format in Format::ALL {
        let text = text(&unasked, format);
        assert!(!text.contains(&planted()) && !text.contains("\"secret\":"), "{format}");
    }
}

#[test]
fn reports_for_code_hosts_hold_no_address() {
    let mut report = report(vec![finding()]);
    report.findings[0].identity.id = Some("bot@example.org".into());
    for format in [Format::Sarif, Format::Gitlab, Format::Github, Format::Junit] {
        assert!(!text(&report, format).contains("example.org>"), "{format}");
        assert!(!text(&report, format).contains('@'), "{format}");
    }
}

#[test]
fn no_format_takes_an_incomplete_or_an_empty_scan_for_a_clean_one() {
    let clean = report(vec![]);
    let mut incomplete = clean.clone();
    incomplete.summary.complete = false;
    incomplete.summary.errors = vec!["repo: pack-1 is damaged".into()];
    for format in Format::ALL {
        let text = text(&incomplete, format);
        let says = match format {
            Format::Json | Format::Jsonl => text.contains("\"complete\":false"),
            Format::Sarif => text.contains("\"executionSuccessful\":false"),
            Format::Gitlab => text.contains("\"status\":\"failure\""),
            Format::Junit => text.contains("errors=\"1\"") && text.contains("<error"),
            _ => text.contains("NOT COMPLETE") && text.contains("pack-1 is damaged"),
        };
        assert!(says, "{format}: {text}");
    }
    let mut nothing = clean;
    nothing.summary.blobs_scanned = 0;
    let mut blind = report(vec![]);
    blind.summary.detectors = 0;
    for format in Format::ALL.into_iter().filter(|format| !matches!(format, Format::Json | Format::Jsonl)) {
        assert!(
            text(&nothing, format).contains("Nothing was scanned: the range or the index adds nothing"),
            "{format}"
        );
        assert!(text(&blind, format).contains("Nothing was scanned: no detector was on"), "{format}");
    }
}

#[test]
fn json_and_jsonl_say_the_same_and_lose_nothing() {
    let report = hostile_report();
    let lines: Vec<Value> =
        text(&report, Format::Jsonl).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let document: Value = serde_json::from_str(&text(&report, Format::Json)).expect("JSON");
    let (summary, findings) = lines.split_last().expect("a summary");
    assert_eq!(document["findings"].as_array().expect("findings").as_slice(), findings);
    assert_eq!(&document["summary"], summary);
    let read: Vec<Finding> =
        findings.iter().map(|line| serde_json::from_value(line.clone()).expect("a finding")).collect();
    let mut expected = report.findings.clone();
    for place in expected.iter_mut().flat_map(|finding| &mut finding.occurrences) {
        place.excerpt.clear();
    }
    assert_eq!(read, expected);
}

#[test]
fn fields_come_in_the_order_of_the_contract() {
    let line = text(&report(vec![finding()]), Format::Jsonl);
    let order = ["schema", "fingerprint", "detector", "provider", "provider_candidates", "kind", "ai", "confidence"]
        .into_iter()
        .chain(["severity", "redacted", "decoded", "first_seen", "occurrences", "verification", "identity"]);
    let places: Vec<usize> =
        order.map(|name| line.find(&format!("\"{name}\":")).unwrap_or_else(|| panic!("{name}"))).collect();
    assert!(places.is_sorted(), "{line}");
}

#[test]
fn sarif_is_valid_by_the_standards_schema() {
    let schema: Value =
        serde_json::from_str(include_str!("../../tests/data/sarif-schema-2.1.0.json")).expect("a schema");
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    for report in [hostile_report(), report(vec![finding()]), report(vec![])] {
        let document = serde_json::from_slice(&written(&report, Format::Sarif)).expect("JSON");
        let faults: Vec<String> =
            validator.iter_errors(&document).map(|fault| format!("{}: {fault}", fault.instance_path)).collect();
        assert!(faults.is_empty(), "{faults:#?}");
    }
    assert!(!validator.is_valid(&serde_json::json!({"version": "2.1.0"})), "the schema must refuse something");
}

#[test]
fn paths_in_sarif_are_relative_uris_without_loss() {
    let document: Value = serde_json::from_slice(&written(&hostile_report(), Format::Sarif)).expect("JSON");
    let results = document["runs"][0]["results"].as_array().expect("results");
    let uris: Vec<&str> = results
        .iter()
        .map(|result| result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().expect("a uri"))
        .collect();
    assert!(uris.contains(&"a%FF%1B.py"), "{uris:?}");
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/%".contains(&byte);
    assert!(uris.iter().all(|uri| !uri.starts_with('/') && uri.bytes().all(allowed)), "{uris:?}");
}

#[test]
fn csv_rows_hold_no_formula() {
    let table = text(&hostile_report(), Format::Csv);
    let columns = table.lines().next().expect("a header").split(',').count();
    for row in table.lines() {
        let fields = csv_fields(row);
        assert_eq!(fields.len(), columns, "{row}");
        for field in fields {
            assert!(!field.starts_with(['=', '+', '-', '@', '\t', '\r']), "{field:?}");
        }
    }
}

/// Reads one row as a spreadsheet would.
fn csv_fields(row: &str) -> Vec<String> {
    let (mut fields, mut quoted) = (vec![String::new()], false);
    let mut characters = row.chars().peekable();
    while let Some(character) = characters.next() {
        let field = fields.last_mut().expect("one at least");
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => field.extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => field.push(character),
        }
    }
    fields
}

#[test]
fn html_runs_nothing_and_loads_nothing() {
    let page = text(&hostile_report(), Format::Html);
    assert!(page.contains("default-src 'none'"));
    let lower = page.to_lowercase();
    for forbidden in ["<script", "<img", "<iframe", "<link", "\"onload", "href=\"javascript", "<form"] {
        assert!(!lower.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
}

/// Checks that every tag is closed in its order and every `&` begins an entity.
fn assert_well_formed(text: &str, void: &[&str]) {
    let mut open = Vec::new();
    for (index, _) in text.match_indices('<') {
        let tag = &text[index + 1..index + text[index..].find('>').expect("a tag ends")];
        let name = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap_or_default();
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "</{name}>");
        } else if !tag.starts_with(['?', '!']) && !tag.ends_with('/') && !void.contains(&name) {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    for (index, _) in text.match_indices('&') {
        let entity = text[index + 1..].split(';').next().unwrap_or_default();
        assert!(["amp", "lt", "gt", "quot", "#39", "middot"].contains(&entity), "&{entity}");
    }
}

#[test]
fn markup_is_well_formed() {
    let mut long = everyday_report();
    long.findings[1].occurrences = vec![occurrence(); 1_500];
    for report in [hostile_report(), everyday_report(), long, report(vec![])] {
        assert_well_formed(&text(&report, Format::Junit), &[]);
        assert_well_formed(&text(&report, Format::Html), &["meta", "br"]);
    }
}

#[test]
fn annotations_cannot_be_forged_by_a_path() {
    for line in text(&hostile_report(), Format::Github).lines() {
        assert!(line.starts_with("::"), "{line}");
        assert!(!line.starts_with("::error::forged"), "{line}");
    }
}

#[test]
fn formats_are_known_by_name() {
    for format in Format::ALL {
        assert_eq!(format.name().parse::<Format>().expect("known"), format);
    }
    let error = "yaml".parse::<Format>().expect_err("unknown").to_string();
    assert!(error.contains("yaml") && error.contains("jsonl"), "{error}");
}

#[test]
fn every_format_tells_whether_a_credential_works() {
    let words = |format, state: Liveness| {
        let mut found = finding();
        found.verification = Verification { reason: Some("it was asked".into()), ..Verification::new(state) };
        text(&report(vec![found]), format).to_lowercase()
    };
    let told = |format: Format| match format {
        Format::Human | Format::Html | Format::Junit => ["live:", "dead:"],
        Format::Sarif | Format::Gitlab | Format::Github => ["which works", "which does not work"],
        Format::Jsonl | Format::Json | Format::Csv => ["live", "dead"],
    };
    for format in Format::ALL {
        let [live, dead] = told(format);
        let (alive, gone) = (words(format, Liveness::Live), words(format, Liveness::Dead));
        assert!(alive.contains(live) && !alive.contains(dead), "{alive}");
        assert!(gone.contains(dead) && !gone.contains(live), "{gone}");
    }
    assert!(words(Format::Human, Liveness::NotChecked).contains("not asked: it was asked"));
}
