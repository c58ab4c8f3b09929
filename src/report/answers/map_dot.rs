//! The map in the language of Graphviz, for those who want another drawing.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::map_text::{NO_SYSTEM, mark};
use crate::identity::map::AiMap;
use crate::report::escape::terminal;

/// Writes the graph.
///
/// # Errors
/// What the writer says.
pub fn write(map: &AiMap, output: &mut dyn Write) -> io::Result<()> {
    writeln!(output, "digraph credtrace {{\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];")?;
    let mut reached: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut identity_number, mut credential_number) = (0, 0);
    for (system_number, system) in map.systems.iter().enumerate() {
        let name = system.name.as_deref().unwrap_or(NO_SYSTEM);
        writeln!(output, "  s{system_number} [shape=folder, label={}];", quoted(name))?;
        for node in &system.identities {
            let label = node.identity.name.as_deref().unwrap_or(&node.identity.id);
            let owner = node.owner.as_ref().map_or("no owner", |owner| owner.id.as_str());
            let style = if node.is_unowned() { ", style=dashed" } else { "" };
            writeln!(output, "  i{identity_number} [label={}{style}];", quoted(&format!("{label}\n{owner}")))?;
            writeln!(output, "  s{system_number} -> i{identity_number};")?;
            for credential in &node.credentials {
                let marked = mark(credential).map(|mark| format!("\n{mark}")).unwrap_or_default();
                let colour = if marked.is_empty() { "" } else { ", color=red" };
                let label = quoted(&format!("{}{marked}", credential.label));
                writeln!(output, "  c{credential_number} [shape=note, label={label}{colour}];")?;
                writeln!(output, "  i{identity_number} -> c{credential_number};")?;
                credential_number += 1;
            }
            for reach in &node.reaches {
                let next = reached.len();
                let number = *reached.entry(reach).or_insert(next);
                writeln!(output, "  i{identity_number} -> r{number} [style=dotted];")?;
            }
            identity_number += 1;
        }
    }
    for (reach, number) in &reached {
        writeln!(output, "  r{number} [shape=cylinder, label={}];", quoted(reach))?;
    }
    writeln!(output, "}}")
}

/// Writes a text as DOT quotes it; a line break of ours becomes one of the label.
fn quoted(text: &str) -> String {
    let lines: Vec<String> =
        text.split('\n').map(|line| terminal(line).replace('\\', "\\\\").replace('"', "\\\"")).collect();
    format!("\"{}\"", lines.join("\\n"))
}
