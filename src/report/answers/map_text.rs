//! The map as a tree of lines: AI system, identity, credential, reach.

use std::io::{self, Write};

use crate::identity::card::in_words;
use crate::identity::map::{AiMap, MapCredential, MapIdentity};
use crate::report::escape::terminal;
use crate::report::text::counted;

/// What stands for identities that name no AI system.
pub(super) const NO_SYSTEM: &str = "(no AI system named)";

/// Writes the tree.
///
/// # Errors
/// What the writer says.
pub fn write(map: &AiMap, output: &mut dyn Write) -> io::Result<()> {
    for system in &map.systems {
        writeln!(output, "{}", terminal(system.name.as_deref().unwrap_or(NO_SYSTEM)))?;
        let last = system.identities.len().saturating_sub(1);
        for (index, identity) in system.identities.iter().enumerate() {
            self::identity(identity, index == last, output)?;
        }
        writeln!(output)?;
    }
    if !map.unlinked.is_empty() {
        writeln!(output, "(found by scans, linked to no identity)")?;
        let last = map.unlinked.len() - 1;
        for (index, credential) in map.unlinked.iter().enumerate() {
            writeln!(output, "{}{}", branch(index == last), terminal(&credential_in_words(credential)))?;
        }
        writeln!(output)?;
    }
    writeln!(output, "{}", totals(map))
}

fn branch(is_last: bool) -> &'static str {
    if is_last { "└── " } else { "├── " }
}

fn identity(node: &MapIdentity, is_last: bool, output: &mut dyn Write) -> io::Result<()> {
    let indent = if is_last { "    " } else { "│   " };
    writeln!(output, "{}{}{}", branch(is_last), terminal(&in_words(&node.identity)), terminal(&facts(node)))?;
    let mut lines: Vec<String> = node.credentials.iter().map(credential_in_words).collect();
    if !node.reaches.is_empty() {
        lines.push(format!("reaches {}", node.reaches.join(", ")));
    }
    let last = lines.len().saturating_sub(1);
    for (index, line) in lines.iter().enumerate() {
        writeln!(output, "{indent}{}{}", branch(index == last), terminal(line))?;
    }
    Ok(())
}

fn facts(node: &MapIdentity) -> String {
    let mut facts = Vec::new();
    facts.extend(node.identity.environment.clone());
    facts.extend(node.identity.privilege.clone());
    facts.push(match &node.owner {
        Some(owner) if owner.has_left() => format!("owner {} HAS LEFT", owner.id),
        Some(owner) => format!("owner {}", owner.id),
        None => "NO OWNER".into(),
    });
    format!(" [{}]", facts.join(", "))
}

/// A credential in one line: what it is, what the record says, and how scans found it.
fn credential_in_words(credential: &MapCredential) -> String {
    let sort = credential.sort.as_deref().unwrap_or("credential");
    let mut text = format!("{sort} {}", credential.label);
    if let Some(status) = &credential.status {
        text += &format!(", {status}");
    }
    if let Some(expires) = &credential.expires {
        text += &format!(", expires {expires}");
    }
    if let Some(mark) = mark(credential) {
        let places = credential.leak.as_ref().map_or(0, |leak| leak.places);
        text += &format!(" [{mark} in {}]", counted(places, "place", "places"));
    }
    text
}

/// What a leaked credential is marked with.
pub(super) fn mark(credential: &MapCredential) -> Option<&'static str> {
    use crate::finding::Liveness;
    let leak = credential.leak.as_ref()?;
    Some(match leak.state {
        Liveness::Live | Liveness::Limited => "LEAKED, LIVE",
        Liveness::Dead => "leaked, dead",
        Liveness::Canary => "trap",
        _ => "LEAKED",
    })
}

/// How much there is, in a sentence.
pub(super) fn totals(map: &AiMap) -> String {
    let totals = &map.totals;
    let many = |number: usize, one: &str, many: &str| counted(number as u64, one, many);
    let mut text = format!(
        "{}, {}, {}, {}",
        many(totals.systems, "AI system", "AI systems"),
        many(totals.identities, "identity", "identities"),
        many(totals.credentials, "credential", "credentials"),
        many(totals.reached, "thing reached", "things reached"),
    );
    if totals.unowned > 0 {
        text += &format!("; {} without an owner who is there", totals.unowned);
    }
    if totals.leaked > 0 {
        text += &format!("; {} leaked, {} of them live", totals.leaked, totals.live);
    }
    text
}
