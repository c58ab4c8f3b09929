//! What stands near a candidate: the other half of a pair, and, for those who ask the provider or the inventory, names,
//! hosts, ids and references. None of it decides whether a candidate is one.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::credential::{Address, FoundCompanion, Surroundings};
use crate::detector::registry::Registry;
use crate::matcher::Candidate;

/// How many bytes on each side are looked at for names, hosts, ids and references.
const WINDOW: usize = 2048;
/// A half that begins earlier than this before a candidate's reach is not looked for, however long it is.
const LONGEST: usize = 4096;
/// How many of each are kept.
const MOST: usize = 16;

/// Finds for each candidate of a text the other halves that its detector names. Candidates come in order of their start.
///
/// The nearest two are a pair, then the nearest of the rest, and so on. A further half that is nobody's and
/// not much farther is told as well: then nothing says which of them it is.
pub(super) fn companions(candidates: &[&Candidate], registry: &Registry) -> Vec<Vec<FoundCompanion>> {
    let links = links(candidates, registry);
    if links.is_empty() {
        return vec![Vec::new(); candidates.len()];
    }
    let pairs = pairs(&links, candidates);
    let partner = |index: usize, of: usize| pairs.get(&(index, candidates[of].detector)).copied();
    let mut found = vec![Vec::new(); candidates.len()];
    for link in &links {
        let (own, half) = (candidates[link.from].detector, candidates[link.to].detector);
        let is_pair = partner(link.from, link.to) == Some(link.to);
        let owner = pairs.get(&(link.to, own)).copied();
        let same_secret = |other: usize| candidates[other].secret == candidates[link.from].secret;
        let paired = pairs.get(&(link.from, half)).map(|partner| gap(candidates[link.from], candidates[*partner]));
        let is_spare = owner.is_none() && paired.is_some_and(|nearest| link.gap <= 4 * nearest.max(16));
        if is_pair || is_spare || owner.is_some_and(same_secret) {
            found[link.from].push(FoundCompanion {
                detector: registry.detector(half).id.clone(),
                secret: candidates[link.to].secret.clone(),
                distance: link.gap,
            });
        }
    }
    found
}

/// A candidate, a half that its detector names, and the bytes between them.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    gap: usize,
    from: usize,
    to: usize,
}

/// Returns who could belong to whom, the nearest first.
fn links(candidates: &[&Candidate], registry: &Registry) -> Vec<Link> {
    let mut links = Vec::new();
    for (from, here) in candidates.iter().enumerate() {
        for wanted in &registry.detector(here.detector).companions {
            let within = wanted.within as usize;
            let before = (0..from).rev().take_while(|other| here.start - candidates[*other].start <= within + LONGEST);
            let after = (from + 1..candidates.len()).take_while(|other| candidates[*other].start <= here.end + within);
            for to in before.chain(after) {
                let gap = gap(here, candidates[to]);
                if gap <= within && registry.detector(candidates[to].detector).id == wanted.detector {
                    links.push(Link { gap, from, to });
                }
            }
        }
    }
    links.sort();
    links
}

/// Joins the nearest first; each candidate has at most one partner of a detector.
fn pairs(links: &[Link], candidates: &[&Candidate]) -> HashMap<(usize, u16), usize> {
    let mut pairs = HashMap::new();
    for link in links {
        let there = (link.from, candidates[link.to].detector);
        let back = (link.to, candidates[link.from].detector);
        if !pairs.contains_key(&there) && !pairs.contains_key(&back) {
            pairs.insert(there, link.to);
            pairs.insert(back, link.from);
        }
    }
    pairs
}

fn gap(left: &Candidate, right: &Candidate) -> usize {
    if left.start < right.start { right.start.saturating_sub(left.end) } else { left.start.saturating_sub(right.end) }
}

/// A name and what assigns to it, right before a value.
static ASSIGNED: LazyLock<Regex> = LazyLock::new(|| {
    let text = r#"([A-Za-z_][A-Za-z0-9_.-]{1,63})["'`\]\\ \t]{0,4}(?::=|=>|=|:)[ \t]{0,16}["'`({\[\\]{0,4}(?:(?i:bearer|basic|token)[ \t]+)?$"#;
    Regex::new(text).expect("the pattern is fixed")
});

/// Hosts, ids and references, whichever comes first at a place.
static NAMES: LazyLock<Regex> = LazyLock::new(|| {
    let text = r#"(?x)(?-u)
        (?P<reference> (?:op|vault|keyring|doppler|infisical)://?[^\s"'`<>]{3,200} | vault:[^\s"'`<>]{3,200}
            | arn:aws:secretsmanager:[^\s"'`<>]{3,200} | projects/[a-z0-9_-]{1,64}/secrets/[A-Za-z0-9_-]{1,200} )
      | (?P<id> (?:pk-lf-)?[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}
            | \b(?:AKIA|ASIA|ACCA)[A-Z2-7]{16}\b | \b(?:ak|wk)-[A-Za-z0-9]{20,32}\b
            | \b(?:org|proj|user|svc_acct|svac|wrkspc|apikey|key)[_-][A-Za-z0-9]{6,40}\b
            | [a-z0-9-]{1,64}@[a-z0-9.-]{1,64}\.iam\.gserviceaccount\.com )
      | private_key_id\\{0,8}"\s{0,8}:\s{0,8}\\{0,8}"(?P<key_id>[0-9a-f]{40})\\{0,8}"
      | (?P<host> \b(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.){1,8}[A-Za-z]{2,24}\b )"#;
    Regex::new(text).expect("the pattern is fixed")
});

/// A name and the value that it is given, as env lines, YAML, JSON, TOML and connection strings write it.
static GIVEN: LazyLock<Regex> = LazyLock::new(|| {
    let text = r#"(?x)(?-u)
        \b(?P<name>[A-Za-z][A-Za-z0-9_.-]{1,63}) ["'`\]\\]{0,4} [\x20\t]{0,16} (?::=|=>|=|:) [\x20\t]{0,16} ["'`(\\]{0,4}
        (?P<value>[A-Za-z0-9][A-Za-z0-9._@-]{0,126})"#;
    Regex::new(text).expect("the pattern is fixed")
});

/// Gathers the values near a span that stand beside one of some names, nearest first, each with the name that it fits.
///
/// A name of the text fits if it is one of these or ends with one behind an underscore; case and dashes do not count.
fn named(text: &[u8], start: usize, end: usize, names: &[&str]) -> Vec<(String, String)> {
    let mut found: Vec<(usize, String, String)> = Vec::new();
    if names.is_empty() {
        return Vec::new();
    }
    let window = start.saturating_sub(WINDOW)..end.saturating_add(WINDOW).min(text.len());
    for captures in GIVEN.captures_iter(&text[window.clone()]) {
        let value = captures.get(2).expect("the group is part of every match");
        let (from, to) = (value.start() + window.start, value.end() + window.start);
        if from < end && to > start {
            continue;
        }
        let told = String::from_utf8_lossy(&captures[1]).to_ascii_lowercase().replace(['-', '.'], "_");
        let fits = |name: &&&str| told.strip_suffix(**name).is_some_and(|head| head.is_empty() || head.ends_with('_'));
        let distance = if from < start { start - to } else { from - end };
        for name in names.iter().filter(fits) {
            found.push((distance, (*name).to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
        }
    }
    found.sort();
    let mut near = Vec::new();
    for (_, name, value) in found {
        add_pair(&mut near, (name, value));
    }
    near
}

/// The longest part of a connection URI before or after its password that is read, in bytes.
const LONGEST_URI: usize = 1024;

/// Reads the connection URI that a password stands in.
pub(super) fn address(text: &[u8], start: usize, end: usize) -> Option<Address> {
    let before = std::str::from_utf8(&text[start.saturating_sub(LONGEST_URI)..start]);
    // A window may begin in the middle of a character.
    let before = before.or_else(|_| {
        let line = text[..start].iter().rposition(|byte| byte.is_ascii_whitespace()).map_or(0, |at| at + 1);
        std::str::from_utf8(&text[line..start])
    });
    let (head, user) = before.ok()?.strip_suffix(':')?.rsplit_once("://")?;
    let scheme = head.rsplit(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '+')).next()?;
    let after = text[end..].get(..LONGEST_URI).unwrap_or(&text[end..]).strip_prefix(b"@")?;
    let ends = |byte: &u8| !byte.is_ascii_graphic() || br#""'`<>\(){}|^;"#.contains(byte);
    let rest = &after[..after.iter().position(ends).unwrap_or(after.len())];
    let rest = std::str::from_utf8(rest).ok()?.trim_end_matches(['.', ',', ']']);
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (hosts, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
    let first = hosts.split(',').next()?;
    let (host, port) = match first.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (host, Some(port.parse().ok()?))
        }
        _ => (first, None),
    };
    let user = user.to_owned();
    let found = Address {
        scheme: scheme.to_ascii_lowercase(),
        user,
        host: host.into(),
        port,
        path: path.into(),
        query: query.into(),
    };
    (!found.host.is_empty() && !found.scheme.is_empty()).then_some(found)
}

/// Gathers what stands near a span of a text; `names` are those beside which a request of its detector wants a value.
pub(super) fn surroundings(text: &[u8], start: usize, end: usize, names: &[&str]) -> Surroundings {
    let window = start.saturating_sub(WINDOW)..end.saturating_add(WINDOW).min(text.len());
    let mut found: Vec<(usize, &str, String)> = Vec::new();
    for captures in NAMES.captures_iter(&text[window.clone()]) {
        for sort in ["reference", "id", "key_id", "host"] {
            let Some(group) = captures.name(sort) else { continue };
            let (from, to) = (group.start() + window.start, group.end() + window.start);
            if from < end && to > start {
                continue;
            }
            let distance = if from < start { start - to } else { from - end };
            found.push((distance, sort, String::from_utf8_lossy(group.as_bytes()).into_owned()));
        }
    }
    found.sort();
    let variable = variable(&text[window.start..start]);
    let mut near = Surroundings { variable, named: named(text, start, end, names), ..Surroundings::default() };
    for (_, sort, name) in found {
        let (list, name) = match sort {
            "reference" => (&mut near.references, name),
            "host" => (&mut near.hosts, name.to_ascii_lowercase()),
            _ => (&mut near.ids, if name.as_bytes()[8..].starts_with(b"-") { name.to_ascii_lowercase() } else { name }),
        };
        add(list, name);
    }
    for (_, address) in emails(text, window, start..end) {
        add(&mut near.emails, address);
    }
    near
}

/// Returns the addresses of e-mail in a window that do not overlap a span, the nearest first. The user and password of a
/// URL are none.
fn emails(text: &[u8], window: Range<usize>, span: Range<usize>) -> Vec<(usize, String)> {
    let local = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-');
    let domain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    let mut found = Vec::new();
    for at in memchr::memchr_iter(b'@', &text[window.clone()]).map(|at| at + window.start) {
        let from = at - text[window.start..at].iter().rev().take(64).take_while(|byte| local(byte)).count();
        let to = at + 1 + text[at + 1..window.end].iter().take(253).take_while(|byte| domain(byte)).count();
        let name = String::from_utf8_lossy(&text[at + 1..to]).trim_end_matches(['.', '-']).to_ascii_lowercase();
        let top = name.rsplit_once('.').map_or("", |(_, top)| top);
        let is_name = top.len() >= 2 && top.bytes().all(|byte| byte.is_ascii_alphabetic());
        let in_url = text[window.start..from].ends_with(b":") || text[window.start..from].ends_with(b"/");
        let line = text[window.start..from].rsplit(u8::is_ascii_whitespace).next().unwrap_or_default();
        let of_url = in_url && memchr::memmem::find(line, b"://").is_some();
        if from == at || !is_name || of_url || (from < span.end && to > span.start) {
            continue;
        }
        let distance = if from < span.start { span.start - to } else { from - span.end };
        found.push((distance, format!("{}@{name}", String::from_utf8_lossy(&text[from..at]))));
    }
    found.sort();
    found
}

/// Adds what stood near one place to what stood near others.
pub(super) fn join(all: &mut Surroundings, one: &Surroundings) {
    if all.variable.is_none() {
        all.variable.clone_from(&one.variable);
    }
    for (list, names) in [
        (&mut all.hosts, &one.hosts),
        (&mut all.ids, &one.ids),
        (&mut all.emails, &one.emails),
        (&mut all.references, &one.references),
    ] {
        names.iter().for_each(|name| add(list, name.clone()));
    }
    one.named.iter().for_each(|pair| add_pair(&mut all.named, pair.clone()));
    for address in &one.addresses {
        if all.addresses.len() < MOST && !all.addresses.contains(address) {
            all.addresses.push(address.clone());
        }
    }
}

/// Adds a name with its value to a list that holds no doubles and is bounded.
fn add_pair(list: &mut Vec<(String, String)>, pair: (String, String)) {
    if list.len() < MOST && !list.contains(&pair) {
        list.push(pair);
    }
}

/// Adds a name to a list that holds no doubles and is bounded.
fn add(list: &mut Vec<String>, name: String) {
    if list.len() < MOST && !list.contains(&name) {
        list.push(name);
    }
}

fn variable(before: &[u8]) -> Option<String> {
    let line = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |feed| feed + 1);
    let captures = ASSIGNED.captures(&before[line..])?;
    Some(String::from_utf8_lossy(&captures[1]).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detector::example::{Generator, expand};
    use crate::matcher::engine::{EngineChoice, Workload};
    use crate::scan::text::TextScanner;

    /// Returns the companions of each candidate of a text, as (detector, its start, halves' starts are found by value).
    fn pairs(text: &[u8]) -> Vec<(String, Vec<usize>)> {
        let registry = Registry::built_in();
        let scanner = TextScanner::new(&registry, EngineChoice::Pure, Workload::Small, false).expect("a scanner");
        let hits = scanner.worker().expect("a worker").scan(text).expect("scanned");
        let candidates: Vec<&Candidate> = hits.located.iter().map(|located| &located.candidate).collect();
        let found = companions(&candidates, &registry);
        let place = |half: &FoundCompanion| {
            candidates.iter().position(|candidate| candidate.secret == half.secret).expect("a candidate")
        };
        let name = |index: usize| registry.detector(candidates[index].detector).id.clone();
        found.iter().enumerate().map(|(index, halves)| (name(index), halves.iter().map(place).collect())).collect()
    }

    #[test]
    fn each_profile_of_a_file_is_a_pair_of_its_own() {
        let profile = "[p]\naws_access_key_id = AKIA{16:[A-Z2-7]}\naws_secret_access_key = {40:base64}\n";
        let text = expand(&profile.repeat(3), &mut Generator::new(7)).expect("a text");
        let found = pairs(&text);
        let halves: Vec<_> = found.iter().map(|(_, halves)| halves.clone()).collect();
        assert_eq!(halves, [vec![1], vec![0], vec![3], vec![2], vec![5], vec![4]], "{found:?}");
    }

    #[test]
    fn a_secret_between_two_ids_is_paired_with_the_nearer_one_alone() {
        let text = "AKIA{16:[A-Z2-7]}\n\n\n\n# a note that is long enough to tell the two apart stands here\naws_secret_access_key={40:base64}\nkey id AKIA{16:[A-Z2-7]}\n";
        let found = pairs(&expand(text, &mut Generator::new(3)).expect("a text"));
        assert_eq!(found.iter().map(|(_, halves)| halves.len()).collect::<Vec<_>>(), [0, 1, 1], "{found:?}");
    }

    #[test]
    fn of_two_secrets_beside_one_id_nothing_says_which_it_is() {
        let text = "AKIA{16:[A-Z2-7]}\naws_secret_access_key={40:base64}\naws_secret_access_key={40:base64}\n";
        let found = pairs(&expand(text, &mut Generator::new(5)).expect("a text"));
        assert_eq!(found.iter().map(|(_, halves)| halves.len()).collect::<Vec<_>>(), [2, 1, 0], "{found:?}");
    }

    #[test]
    fn names_hosts_ids_and_references_are_gathered_nearest_first() {
        let text = b"base = https://far.example.com/v1\nop://vault/item/field\nurl: https://Mine.OpenAI.azure.com/x\n\
            tenant=11111111-2222-3333-4444-555555555555\n  \"AZURE_KEY\": \"SECRETVALUE\",\n";
        let start = text.windows(6).position(|window| window == b"SECRET").expect("there");
        let near = surroundings(text, start, start + 11, &[]);
        assert_eq!(near.variable.as_deref(), Some("AZURE_KEY"));
        assert_eq!(near.hosts, ["mine.openai.azure.com", "far.example.com"]);
        assert_eq!(near.ids, ["11111111-2222-3333-4444-555555555555"]);
        assert_eq!(near.references, ["op://vault/item/field"]);
    }

    #[test]
    fn addresses_of_email_are_gathered_and_users_of_urls_are_not() {
        let text =
            b"https://far@example.org x https://me:pass-word@git.example.com/ JIRA_EMAIL=Ana.Ray+bot@Acme.Example.\n\
            curl -u bo@acme.example:SECRETVALUE https://acme.atlassian.net # root@localhost";
        let start = text.windows(6).position(|window| window == b"SECRET").expect("there");
        let near = surroundings(text, start, start + 11, &[]);
        assert_eq!(near.emails, ["bo@acme.example", "Ana.Ray+bot@acme.example"]);
        assert!(near.hosts.contains(&"git.example.com".to_owned()), "{:?}", near.hosts);
    }

    #[test]
    fn a_key_file_gives_the_id_of_its_key_and_other_digits_give_none() {
        let id = "0123456789abcdef".repeat(3)[..40].to_owned();
        for quote in ["\"", "\\\""] {
            let text = format!(
                "commit {id}\n{quote}private_key_id{quote}: {quote}{id}{quote},\n{quote}private_key{quote}: SECRET"
            );
            let start = text.find("SECRET").expect("there");
            let near = surroundings(text.as_bytes(), start, text.len(), &[]);
            assert_eq!(near.ids, std::slice::from_ref(&id), "{text}");
            let bare = format!("commit {id}\nSECRET");
            assert!(surroundings(bare.as_bytes(), bare.len() - 6, bare.len(), &[]).ids.is_empty());
        }
    }

    #[test]
    fn values_beside_the_names_that_are_asked_for_are_gathered_in_every_notation() {
        let names = ["app_id", "appid", "accountname"];
        for (text, expected) in [
            ("GITHUB_APP_ID=12345\nKEY=SECRET", Some(("app_id", "12345"))),
            ("github-app-id: '12345'\nkey: SECRET", Some(("app_id", "12345"))),
            ("{\"app_id\": 12345, \"key\": \"SECRET\"}", Some(("app_id", "12345"))),
            ("{\\\"app_id\\\":\\\"12345\\\",\\\"key\\\":\\\"SECRET\\\"}", Some(("app_id", "12345"))),
            ("new App({ appId: 12345, privateKey: `SECRET` })", Some(("appid", "12345"))),
            ("AccountName=acme1;AccountKey=SECRET", Some(("accountname", "acme1"))),
            ("KEY=SECRET\nAPP_ID=7", Some(("app_id", "7"))),
            ("MAP_ID=1 webapp_id=2 key=SECRET", None),
            ("app_id=SECRET", None),
            ("app_id=\nSECRET", None),
        ] {
            let start = text.find("SECRET").expect("there");
            let found = named(text.as_bytes(), start, start + 6, &names);
            let expected: Vec<_> = expected.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
            assert_eq!(found, expected, "{text}");
        }
        assert!(named(b"app_id=1 SECRET", 9, 15, &[]).is_empty());
        let two = named(b"app_id=1\napp_id=2\nSECRET", 18, 24, &names);
        assert_eq!(two.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>(), ["2", "1"]);
    }

    #[test]
    fn a_header_and_a_shell_line_name_what_they_assign() {
        for (text, name) in [
            (&b"curl -H \"Authorization: Bearer "[..], "Authorization"),
            (b"export OPENAI_API_KEY=", "OPENAI_API_KEY"),
            (b"client = OpenAI(api_key='", "api_key"),
            (b"\\\"token\\\": \\\"", "token"),
        ] {
            assert_eq!(variable(text).as_deref(), Some(name), "{}", String::from_utf8_lossy(text));
        }
        assert_eq!(variable(b"NAME=1\nthe key is "), None);
    }
}
