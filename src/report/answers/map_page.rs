//! The map as one self-contained page with a drawing for each AI system: no script, no request, no handler.
//!
//! The policy in the head forbids everything but the one style, named by its hash, so that even a fault in the escaping would
//! leave a page that does nothing. Each drawing has a table beneath it with the same facts, for those who search, copy or
//! have the page read to them.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::map_drawing::drawing;
use super::map_text::{NO_SYSTEM, mark, totals};
use crate::identity::map::{AiMap, MapCredential, MapIdentity, System};
use crate::report::escape::markup;
use crate::report::text::counted;

const STYLE: &str = "\
:root{color-scheme:light dark;--back:#fff;--text:#1b1f24;--dim:#59636e;--line:#b6bec8;--box:#f6f8fa;--edge:#8b96a3;\
--system:#dbe9ff;--system-edge:#3b78c2;--reach:#eef3ea;--reach-edge:#6b8f5a;--live:#c3002f;--live-back:#ffe5ea;\
--leaked:#b34a00;--leaked-back:#fff0e0}\
@media(prefers-color-scheme:dark){:root{--back:#14171b;--text:#e6e9ed;--dim:#9aa4af;--line:#47505b;--box:#1e2329;\
--edge:#6b7683;--system:#16304f;--system-edge:#6aa5ea;--reach:#1e2a1c;--reach-edge:#87b074;--live:#ff7a90;\
--live-back:#43141d;--leaked:#ffb072;--leaked-back:#3d2612}}\
body{font:15px/1.5 system-ui,sans-serif;margin:1.5rem auto;max-width:72rem;padding:0 1rem;background:var(--back);color:var(--text)}\
h1{font-size:1.4rem;margin:0}h2{font-size:1.1rem;margin:2rem 0 .3rem;scroll-margin-top:1rem}.dim{color:var(--dim)}\
nav{columns:16rem auto;margin:.6rem 0}nav a{display:block;color:inherit}figure{margin:0;overflow-x:auto}svg{display:block}\
.key span{display:inline-block;border:1.5px solid var(--edge);border-radius:5px;padding:0 .5rem;margin:.1rem .4rem .1rem 0;\
background:var(--box);font-size:.85rem}.key .live{border-color:var(--live);background:var(--live-back);color:var(--live)}\
.key .leaked{border-color:var(--leaked);background:var(--leaked-back);color:var(--leaked)}\
.key .dead{color:var(--dim);border-style:dotted}.key .unowned{border-style:dashed;border-color:var(--leaked)}\
text{font:12px ui-monospace,Menlo,Consolas,monospace;fill:var(--text)}text.strong{font-weight:600}\
text.small{font-size:10.5px;fill:var(--dim)}text.heading{font:600 12px system-ui,sans-serif;fill:var(--dim)}\
rect{fill:var(--box);stroke:var(--edge);stroke-width:1.2}.system rect{fill:var(--system);stroke:var(--system-edge)}\
.reach rect{fill:var(--reach);stroke:var(--reach-edge)}.line{fill:none;stroke:var(--line);stroke-width:1.4}\
.dashed{stroke-dasharray:4 4}.junction{fill:var(--line)}.identity.unowned rect{stroke:var(--leaked);stroke-dasharray:5 3}\
.credential.live rect{stroke:var(--live);fill:var(--live-back);stroke-width:2}.credential.live text.small{fill:var(--live);font-weight:600}\
.credential.leaked rect{stroke:var(--leaked);fill:var(--leaked-back)}.credential.leaked text.small{fill:var(--leaked);font-weight:600}\
.credential.dead rect{stroke-dasharray:2 3}.credential.dead text{fill:var(--dim)}.line.live{stroke:var(--live);stroke-width:2}\
.line.leaked{stroke:var(--leaked)}summary{cursor:pointer;color:var(--dim)}\
table{border-collapse:collapse;font-size:.85rem;margin:.4rem 0}th,td{text-align:left;vertical-align:top;padding:.25rem .6rem;\
border-bottom:1px solid var(--line)}td{overflow-wrap:anywhere}";

/// Writes the page.
///
/// # Errors
/// What the writer says.
pub fn write(map: &AiMap, output: &mut dyn Write) -> io::Result<()> {
    let hash = STANDARD.encode(ring::digest::digest(&ring::digest::SHA256, STYLE.as_bytes()));
    writeln!(output, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">")?;
    writeln!(
        output,
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-{hash}'; \
         base-uri 'none'; form-action 'none'\">"
    )?;
    writeln!(output, "<meta name=\"referrer\" content=\"no-referrer\">")?;
    writeln!(output, "<meta name=\"viewport\" content=\"width=device-width\">\n<title>credtrace map</title>")?;
    writeln!(output, "<style>{STYLE}</style>\n</head>\n<body>\n<h1>AI systems, identities and credentials</h1>")?;
    writeln!(output, "<p>{}</p>", markup(&totals(map)))?;
    key(output)?;
    contents(map, output)?;
    for (number, system) in map.systems.iter().enumerate() {
        section(number, system, output)?;
    }
    unlinked(map, output)?;
    writeln!(output, "</body>\n</html>")
}

fn key(output: &mut dyn Write) -> io::Result<()> {
    writeln!(
        output,
        "<p class=\"key\"><span class=\"live\">leaked and live</span><span class=\"leaked\">leaked</span>\
         <span class=\"dead\">ended</span><span class=\"unowned\">no owner, or owner has left</span>\
         <span>known, not found by a scan</span></p>"
    )
}

/// A list of systems, where there are several.
fn contents(map: &AiMap, output: &mut dyn Write) -> io::Result<()> {
    if map.systems.len() < 2 {
        return Ok(());
    }
    writeln!(output, "<nav>")?;
    for (number, system) in map.systems.iter().enumerate() {
        let name = system.name.as_deref().unwrap_or(NO_SYSTEM);
        let identities = counted(system.identities.len() as u64, "identity", "identities");
        writeln!(output, "<a href=\"#system-{number}\">{} <span class=\"dim\">{identities}</span></a>", markup(name))?;
    }
    writeln!(output, "</nav>")
}

fn section(number: usize, system: &System, output: &mut dyn Write) -> io::Result<()> {
    let name = system.name.as_deref().unwrap_or(NO_SYSTEM);
    writeln!(output, "<section id=\"system-{number}\">\n<h2>{}</h2>\n<figure>", markup(name))?;
    write!(output, "{}", drawing(system))?;
    writeln!(output, "</figure>\n<details><summary>The same as a table</summary><table>")?;
    writeln!(output, "<tr><th>Identity<th>Owner<th>Where and what<th>Credentials<th>Reach</tr>")?;
    for node in &system.identities {
        row(node, output)?;
    }
    writeln!(output, "</table></details>\n</section>")
}

fn row(node: &MapIdentity, output: &mut dyn Write) -> io::Result<()> {
    let identity = &node.identity;
    let owner = node.owner.as_ref().map_or_else(|| "nobody".into(), |owner| owner.in_words());
    let left = if node.owner.as_ref().is_some_and(|owner| owner.has_left()) { " (has left)" } else { "" };
    let facts: Vec<&str> = [&identity.environment, &identity.privilege, &identity.provider]
        .into_iter()
        .filter_map(|fact| fact.as_deref())
        .collect();
    let credentials: Vec<String> = node.credentials.iter().map(in_words).collect();
    writeln!(
        output,
        "<tr><td>{}<br><span class=\"dim\">{}</span><td>{}{left}<td>{}<td>{}<td>{}</tr>",
        markup(identity.name.as_deref().unwrap_or(&identity.id)),
        markup(&identity.id),
        markup(&owner),
        markup(&facts.join(", ")),
        lines(&credentials),
        lines(&node.reaches),
    )
}

fn lines(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| markup(text)).collect();
    texts.join("<br>")
}

fn in_words(credential: &MapCredential) -> String {
    let facts = [&credential.sort, &credential.status].into_iter().flatten().cloned();
    let mut text = facts.fold(credential.label.clone(), |text, fact| format!("{text}, {fact}"));
    if let (Some(mark), Some(leak)) = (mark(credential), &credential.leak) {
        text += &format!(", {mark} in {}", counted(leak.places, "place", "places"));
    }
    text
}

fn unlinked(map: &AiMap, output: &mut dyn Write) -> io::Result<()> {
    if map.unlinked.is_empty() {
        return Ok(());
    }
    writeln!(output, "<h2>Found by scans, linked to no identity</h2>\n<ul>")?;
    for credential in &map.unlinked {
        writeln!(output, "<li>{}</li>", markup(&in_words(credential)))?;
    }
    writeln!(output, "</ul>")
}
