//! Draws one AI system as SVG: its identities, their credentials and what they reach, in columns from left to right.
//!
//! The layout is ours, so that the page needs no script: an identity is as high as its credentials are together, what is
//! reached stands near the middle of those who reach it, and lines run between columns only. Shapes have classes and no
//! styles; the page says how they look.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::map_text::{NO_SYSTEM, mark};
use crate::finding::Liveness;
use crate::identity::map::{MapCredential, MapIdentity, System};
use crate::report::escape::{markup, terminal};
use crate::report::text::{columns, cut};

/// How wide a drawing is, in units of the picture; the columns' edges follow.
pub(super) const WIDTH: f64 = 1080.0;
const SYSTEM: (f64, f64) = (8.0, 150.0);
const IDENTITY: (f64, f64) = (196.0, 250.0);
const CREDENTIAL: (f64, f64) = (500.0, 280.0);
const REACH: (f64, f64) = (850.0, 222.0);
/// Where the lines of an identity's credentials meet before they part to what is reached.
const JUNCTION: f64 = 806.0;

const IDENTITY_HEIGHT: f64 = 46.0;
const CREDENTIAL_HEIGHT: f64 = 38.0;
const REACH_HEIGHT: f64 = 26.0;
const GAP: f64 = 8.0;
const BLOCK_GAP: f64 = 18.0;
const TOP: f64 = 34.0;
/// How wide a character of the two sizes of text is, at the most.
const WIDE: f64 = 7.3;
const NARROW: f64 = 6.4;

/// One identity with its place.
struct Block<'a> {
    node: &'a MapIdentity,
    top: f64,
    height: f64,
}

impl Block<'_> {
    fn middle(&self) -> f64 {
        self.top + self.height / 2.0
    }
}

/// Returns the drawing of a system.
pub(super) fn drawing(system: &System) -> String {
    let blocks = blocks(system);
    let reached = reached(&blocks);
    let end = |top: f64, height: f64| top + height + BLOCK_GAP;
    let left = blocks.last().map_or(TOP, |block| end(block.top, block.height));
    let right = reached.values().fold(TOP, |most, top| most.max(end(*top, REACH_HEIGHT)));
    let height = left.max(right);
    let name = system.name.as_deref().unwrap_or(NO_SYSTEM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"Map of {}\">\n",
        markup(name)
    );
    headings(&mut svg);
    trunk(&mut svg, name, &blocks);
    for block in &blocks {
        lines(&mut svg, block, &reached);
    }
    for block in &blocks {
        identity(&mut svg, block);
        for (index, credential) in block.node.credentials.iter().enumerate() {
            self::credential(&mut svg, credential, credential_top(block, index));
        }
    }
    for (reach, top) in &reached {
        let middle = top + REACH_HEIGHT / 2.0 + 4.0;
        svg += &boxed(
            "reach",
            REACH,
            *top,
            REACH_HEIGHT,
            reach,
            &text(REACH.0 + 10.0, middle, "", reach, REACH.1 - 20.0, NARROW),
        );
    }
    svg + "</svg>\n"
}

/// Puts identities under each other, each as high as its credentials.
fn blocks(system: &System) -> Vec<Block<'_>> {
    let mut top = TOP;
    let mut blocks = Vec::with_capacity(system.identities.len());
    for node in &system.identities {
        let count = node.credentials.len() as f64;
        let stacked = count * CREDENTIAL_HEIGHT + (count - 1.0).max(0.0) * GAP;
        let height = stacked.max(IDENTITY_HEIGHT);
        blocks.push(Block { node, top, height });
        top += height + BLOCK_GAP;
    }
    blocks
}

fn credential_top(block: &Block<'_>, index: usize) -> f64 {
    let count = block.node.credentials.len() as f64;
    let stacked = count * CREDENTIAL_HEIGHT + (count - 1.0) * GAP;
    block.top + (block.height - stacked) / 2.0 + index as f64 * (CREDENTIAL_HEIGHT + GAP)
}

/// Puts everything that is reached near the middle of those who reach it, from top to bottom without overlap.
fn reached<'a>(blocks: &[Block<'a>]) -> BTreeMap<&'a str, f64> {
    let mut wanted: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for block in blocks {
        for reach in &block.node.reaches {
            let sum = wanted.entry(reach).or_default();
            *sum = (sum.0 + block.middle(), sum.1 + 1.0);
        }
    }
    let mut order: Vec<(&str, f64)> = wanted.into_iter().map(|(reach, (sum, count))| (reach, sum / count)).collect();
    order.sort_by(|left, right| left.1.total_cmp(&right.1).then(left.0.cmp(right.0)));
    let step = REACH_HEIGHT + GAP;
    let mut places = BTreeMap::new();
    // What wants the same height spreads round it, not below it alone.
    let mut index = 0;
    let mut free = TOP;
    while index < order.len() {
        let run = order[index..].iter().take_while(|other| (other.1 - order[index].1).abs() < 1.0).count();
        let start = order[index].1 - (run as f64 * step - GAP) / 2.0;
        for (reach, _) in &order[index..index + run] {
            let top = free.max(start);
            places.insert(*reach, top);
            free = top + step;
        }
        index += run;
    }
    places
}

fn headings(svg: &mut String) {
    for (column, name) in [(SYSTEM, "AI system"), (IDENTITY, "identity"), (CREDENTIAL, "credential"), (REACH, "reach")]
    {
        let _ = writeln!(svg, "<text class=\"heading\" x=\"{}\" y=\"16\">{name}</text>", column.0);
    }
}

/// Draws the system with a trunk from which a branch leads to each identity, which stays readable at any length.
fn trunk(svg: &mut String, name: &str, blocks: &[Block<'_>]) {
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else { return };
    let y = first.middle();
    let x = f64::midpoint(SYSTEM.0 + SYSTEM.1, IDENTITY.0);
    let _ = writeln!(svg, "<path class=\"line\" d=\"M{} {y}H{x}V{}\"/>", SYSTEM.0 + SYSTEM.1, last.middle());
    for block in blocks {
        let _ = writeln!(svg, "<path class=\"line\" d=\"M{x} {}H{}\"/>", block.middle(), IDENTITY.0);
    }
    let label = text(SYSTEM.0 + 10.0, y + 4.0, "strong", name, SYSTEM.1 - 20.0, WIDE);
    *svg += &boxed("system", SYSTEM, y - REACH_HEIGHT / 2.0, REACH_HEIGHT, name, &label);
}

fn lines(svg: &mut String, block: &Block<'_>, reached: &BTreeMap<&str, f64>) {
    let from = (IDENTITY.0 + IDENTITY.1, block.middle());
    let junction = (JUNCTION, block.middle());
    let reaches = !block.node.reaches.is_empty();
    for (index, credential) in block.node.credentials.iter().enumerate() {
        let middle = credential_top(block, index) + CREDENTIAL_HEIGHT / 2.0;
        let class = class_of(credential);
        *svg += &curve(&format!("line {class}"), from, (CREDENTIAL.0, middle));
        if reaches {
            *svg += &curve("line", (CREDENTIAL.0 + CREDENTIAL.1, middle), junction);
        }
    }
    if block.node.credentials.is_empty() && reaches {
        *svg += &curve("line dashed", from, junction);
    }
    for reach in &block.node.reaches {
        if let Some(top) = reached.get(reach.as_str()) {
            *svg += &curve("line", junction, (REACH.0, top + REACH_HEIGHT / 2.0));
        }
    }
    if reaches {
        let _ = writeln!(svg, "<circle class=\"junction\" cx=\"{}\" cy=\"{}\" r=\"3\"/>", junction.0, junction.1);
    }
}

fn curve(class: &str, from: (f64, f64), to: (f64, f64)) -> String {
    let middle = f64::midpoint(from.0, to.0);
    format!(
        "<path class=\"{class}\" d=\"M{} {:.1}C{middle} {:.1} {middle} {:.1} {} {:.1}\"/>\n",
        from.0, from.1, from.1, to.1, to.0, to.1
    )
}

fn identity(svg: &mut String, block: &Block<'_>) {
    let node = block.node;
    let top = block.middle() - IDENTITY_HEIGHT / 2.0;
    let name = node.identity.name.as_deref().unwrap_or(&node.identity.id);
    let owner = match &node.owner {
        Some(owner) if owner.has_left() => format!("{} HAS LEFT", owner.id),
        Some(owner) => owner.id.clone(),
        None => "NO OWNER".into(),
    };
    let facts: Vec<String> =
        node.identity.environment.iter().chain(&node.identity.privilege).cloned().chain([owner]).collect();
    let facts = facts.join(" · ");
    let class = if node.is_unowned() { "identity unowned" } else { "identity" };
    let room = IDENTITY.1 - 20.0;
    let inner = text(IDENTITY.0 + 10.0, top + 19.0, "strong", name, room, WIDE)
        + &text(IDENTITY.0 + 10.0, top + 36.0, "small", &facts, room, NARROW);
    let title = format!("{} ({}): {facts}", name, node.identity.id);
    *svg += &boxed(class, IDENTITY, top, IDENTITY_HEIGHT, &title, &inner);
}

fn credential(svg: &mut String, credential: &MapCredential, top: f64) {
    let marked = mark(credential);
    let facts: Vec<String> = [&credential.sort, &credential.status].into_iter().flatten().cloned().collect();
    let mut facts = facts.join(" · ");
    if let (Some(mark), Some(leak)) = (marked, &credential.leak) {
        facts = format!("{mark} ({}) · {facts}", leak.places);
    }
    let room = CREDENTIAL.1 - 20.0;
    let inner = text(CREDENTIAL.0 + 10.0, top + 16.0, "", &credential.label, room, WIDE)
        + &text(CREDENTIAL.0 + 10.0, top + 31.0, "small", &facts, room, NARROW);
    let class = format!("credential {}", class_of(credential));
    *svg += &boxed(&class, CREDENTIAL, top, CREDENTIAL_HEIGHT, &format!("{}: {facts}", credential.label), &inner);
}

fn class_of(credential: &MapCredential) -> &'static str {
    let ended = matches!(credential.status.as_deref(), Some("revoked" | "disabled" | "expired" | "archived"));
    match credential.leak.as_ref().map(|leak| leak.state) {
        Some(Liveness::Live | Liveness::Limited) => "live",
        Some(Liveness::Dead) => "dead",
        Some(_) => "leaked",
        None if ended => "dead",
        None => "",
    }
}

/// A box with the whole text as its title, which a browser shows on pointing.
fn boxed(class: &str, column: (f64, f64), top: f64, height: f64, title: &str, inner: &str) -> String {
    format!(
        "<g class=\"{class}\"><title>{}</title><rect x=\"{}\" y=\"{top:.1}\" width=\"{}\" height=\"{height}\" rx=\"5\"/>{inner}</g>\n",
        markup(title),
        column.0,
        column.1
    )
}

/// A line of text, shortened to what fits.
fn text(x: f64, y: f64, class: &str, text: &str, room: f64, wide: f64) -> String {
    let clean = terminal(text);
    let most = (room / wide) as usize;
    let shown = if columns(&clean) <= most { clean.into_owned() } else { cut(&clean, most) };
    format!("<text class=\"{class}\" x=\"{x}\" y=\"{y:.1}\">{}</text>", markup(&shown))
}
