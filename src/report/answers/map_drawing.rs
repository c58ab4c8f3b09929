//! Draws one AI system as SVG: its identities, their credentials and what they reach, in columns from left to right.
//!
//! The layout is ours, so that the page needs no script: an identity is as high as its credentials are together, what is
//! reached stands near the middle of those who reach it, and lines run between columns only. Shapes have classes and no
//! styles; the page says how they look.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::map_text::{NO_SYSTEM, mark};
use crate::finding::Liveness;
use crate::identity::card::PersonCard;
use crate::identity::map::{MapCredential, MapIdentity, System};
use crate::report::escape::{markup, terminal};
use crate::report::text::{columns, cut};

/// How wide a drawing is, in units of the picture; the columns' edges follow.
const WIDTH: f64 = 1120.0;
const SYSTEM: (f64, f64) = (8.0, 140.0);
const IDENTITY: (f64, f64) = (180.0, 270.0);
const CREDENTIAL: (f64, f64) = (490.0, 310.0);
const REACH: (f64, f64) = (864.0, 248.0);
/// Where the lines of an identity's credentials meet before they part to what is reached.
const JUNCTION: f64 = 826.0;
/// From so many identities on, each has what it reaches beside it: lines to shared boxes would be a tangle.
const MANY: usize = 7;

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

/// Something that is reached, with its place.
struct Reached<'a> {
    name: &'a str,
    /// By how many identities of the system.
    by: usize,
    top: f64,
}

/// Everything with its place, and by which line an identity leads to what it reaches.
struct Layout<'a> {
    blocks: Vec<Block<'a>>,
    reached: Vec<Reached<'a>>,
    /// Pairs of places in the two lists.
    lines: Vec<(usize, usize)>,
}

/// Returns the drawing of a system.
pub(super) fn drawing(system: &System) -> String {
    let layout = if system.identities.len() < MANY { shared(system) } else { repeated(system) };
    let left = layout.blocks.iter().map(|block| block.top + block.height);
    let right = layout.reached.iter().map(|reached| reached.top + REACH_HEIGHT);
    let height = left.chain(right).fold(TOP, f64::max) + BLOCK_GAP;
    let name = system.name.as_deref().unwrap_or(NO_SYSTEM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" width=\"{WIDTH}\" \
         height=\"{height:.0}\" role=\"img\" aria-label=\"Map of {}\">\n",
        markup(name)
    );
    headings(&mut svg);
    trunk(&mut svg, name, &layout.blocks);
    for block in &layout.blocks {
        lines(&mut svg, block);
    }
    for (block, reached) in &layout.lines {
        let from = (JUNCTION, layout.blocks[*block].middle());
        svg += &curve("line", from, (REACH.0, layout.reached[*reached].top + REACH_HEIGHT / 2.0));
    }
    for block in &layout.blocks {
        identity(&mut svg, block);
        for (index, credential) in block.node.credentials.iter().enumerate() {
            self::credential(&mut svg, credential, credential_top(block, index));
        }
    }
    for reached in &layout.reached {
        svg += &reach(reached);
    }
    svg + "</svg>\n"
}

/// How high so many boxes are under each other.
fn stacked(count: usize, height: f64) -> f64 {
    count as f64 * height + (count as f64 - 1.0).max(0.0) * GAP
}

/// Puts identities under each other, each as high as its credentials, or as what it reaches where that stands beside it.
fn blocks(system: &System, with_reach: bool) -> Vec<Block<'_>> {
    let mut top = TOP;
    let mut blocks = Vec::with_capacity(system.identities.len());
    for node in &system.identities {
        let reaches = if with_reach { stacked(node.reaches.len(), REACH_HEIGHT) } else { 0.0 };
        let height = stacked(node.credentials.len(), CREDENTIAL_HEIGHT).max(IDENTITY_HEIGHT).max(reaches);
        blocks.push(Block { node, top, height });
        top += height + BLOCK_GAP;
    }
    blocks
}

fn credential_top(block: &Block<'_>, index: usize) -> f64 {
    let all = stacked(block.node.credentials.len(), CREDENTIAL_HEIGHT);
    block.top + (block.height - all) / 2.0 + index as f64 * (CREDENTIAL_HEIGHT + GAP)
}

/// By how many identities each thing is reached.
fn counts(system: &System) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for reach in system.identities.iter().flat_map(|node| &node.reaches) {
        *counts.entry(reach.as_str()).or_default() += 1;
    }
    counts
}

/// Draws what is reached once, near the middle of those who reach it, from top to bottom without overlap.
fn shared(system: &System) -> Layout<'_> {
    let blocks = blocks(system, false);
    let mut wanted: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    for block in &blocks {
        for reach in &block.node.reaches {
            let sum = wanted.entry(reach).or_default();
            *sum = (sum.0 + block.middle(), sum.1 + 1);
        }
    }
    let mut order: Vec<(&str, f64, usize)> =
        wanted.into_iter().map(|(name, (sum, by))| (name, sum / by as f64, by)).collect();
    order.sort_by(|left, right| left.1.total_cmp(&right.1).then(left.0.cmp(right.0)));
    let mut reached = Vec::with_capacity(order.len());
    let mut free = TOP;
    // What wants the same height spreads round it, not below it alone.
    for run in order.chunk_by(|left, right| (left.1 - right.1).abs() < 1.0) {
        let start = run[0].1 - stacked(run.len(), REACH_HEIGHT) / 2.0;
        for (name, _, by) in run {
            let top = free.max(start);
            reached.push(Reached { name, by: *by, top });
            free = top + REACH_HEIGHT + GAP;
        }
    }
    let places: BTreeMap<&str, usize> = reached.iter().enumerate().map(|(place, one)| (one.name, place)).collect();
    let mut lines = Vec::new();
    for (number, block) in blocks.iter().enumerate() {
        lines.extend(block.node.reaches.iter().filter_map(|reach| Some((number, *places.get(reach.as_str())?))));
    }
    Layout { blocks, reached, lines }
}

/// Draws what is reached beside each identity that reaches it, with the number of those who do.
fn repeated(system: &System) -> Layout<'_> {
    let blocks = blocks(system, true);
    let counts = counts(system);
    let (mut reached, mut lines) = (Vec::new(), Vec::new());
    for (number, block) in blocks.iter().enumerate() {
        let start = block.middle() - stacked(block.node.reaches.len(), REACH_HEIGHT) / 2.0;
        for (index, name) in block.node.reaches.iter().enumerate() {
            lines.push((number, reached.len()));
            let by = counts.get(name.as_str()).copied().unwrap_or(1);
            reached.push(Reached { name, by, top: start + index as f64 * (REACH_HEIGHT + GAP) });
        }
    }
    Layout { blocks, reached, lines }
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

/// Draws the lines from an identity to its credentials, and from those to where they meet.
fn lines(svg: &mut String, block: &Block<'_>) {
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
    if reaches {
        let _ = writeln!(svg, "<circle class=\"junction\" cx=\"{}\" cy=\"{}\" r=\"3\"/>", junction.0, junction.1);
    }
}

fn reach(reached: &Reached<'_>) -> String {
    let y = reached.top + REACH_HEIGHT / 2.0 + 4.0;
    let title = match reached.by {
        1 => reached.name.to_owned(),
        by => format!("{}, reached by {by} identities of this system", reached.name),
    };
    let mut inner = text(REACH.0 + 10.0, y, "", reached.name, REACH.1 - 48.0, WIDE);
    if reached.by > 1 {
        let count = format!("×{}", reached.by);
        let x = REACH.0 + REACH.1 - 10.0 - columns(&count) as f64 * NARROW;
        inner += &text(x, y, "small", &count, 60.0, NARROW);
    }
    boxed("reach", REACH, reached.top, REACH_HEIGHT, &title, &inner)
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
    // What has to be seen comes first: the rest may be cut.
    let owner = match &node.owner {
        Some(owner) if owner.has_left() => format!("OWNER HAS LEFT ({})", called(owner)),
        Some(owner) => called(owner).to_owned(),
        None => "NO OWNER".into(),
    };
    let facts: Vec<String> =
        [owner].into_iter().chain(node.identity.environment.clone()).chain(node.identity.privilege.clone()).collect();
    let facts = facts.join(" · ");
    let class = if node.is_unowned() { "identity unowned" } else { "identity" };
    let room = IDENTITY.1 - 20.0;
    let inner = text(IDENTITY.0 + 10.0, top + 19.0, "strong", name, room, WIDE)
        + &text(IDENTITY.0 + 10.0, top + 36.0, "small", &facts, room, NARROW);
    let title = format!("{} ({}): {facts}", name, node.identity.id);
    *svg += &boxed(class, IDENTITY, top, IDENTITY_HEIGHT, &title, &inner);
}

fn called(person: &PersonCard) -> &str {
    person.name.as_deref().unwrap_or(&person.id)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::model::IdentityRecord;

    /// A system of so many identities with some credentials and reach each.
    fn system(identities: usize) -> System {
        let node = |number: usize| MapIdentity {
            identity: IdentityRecord { id: format!("nhi-{number}"), ..IdentityRecord::default() },
            owner: None,
            credentials: vec![MapCredential::default(); number % 4],
            reaches: (0..number % 5).map(|reach| format!("reach-{reach}")).collect(),
        };
        System { name: Some("s".into()), identities: (0..identities).map(node).collect() }
    }

    #[test]
    fn no_boxes_of_a_column_overlap_whatever_their_number() {
        for identities in [1, 2, 5, MANY - 1, MANY, 50, 200] {
            let system = system(identities);
            let layout = if identities < MANY { shared(&system) } else { repeated(&system) };
            let apart = |tops: &[f64], height: f64| tops.windows(2).all(|pair| pair[0] + height < pair[1]);
            let tops: Vec<f64> = layout.reached.iter().map(|reached| reached.top).collect();
            assert!(apart(&tops, REACH_HEIGHT), "{identities} identities: reach {tops:?}");
            let credentials = |block: &Block<'_>| {
                (0..block.node.credentials.len()).map(|index| credential_top(block, index)).collect::<Vec<_>>()
            };
            let tops: Vec<f64> = layout.blocks.iter().flat_map(credentials).collect();
            assert!(apart(&tops, CREDENTIAL_HEIGHT), "{identities} identities: credentials {tops:?}");
            assert!(tops.iter().chain(layout.reached.iter().map(|one| &one.top)).all(|top| *top >= TOP - 1.0));
            let leads: usize = system.identities.iter().map(|node| node.reaches.len()).sum();
            assert_eq!(layout.lines.len(), leads);
        }
    }

    #[test]
    fn a_thing_reached_by_several_is_drawn_once_in_a_small_system_and_counted_in_a_large_one() {
        assert_eq!(shared(&system(5)).reached.len(), 4);
        let large = system(10);
        let layout = repeated(&large);
        assert_eq!(layout.reached.len(), 20);
        assert!(layout.reached.iter().filter(|one| one.name == "reach-0").all(|one| one.by == 8));
        assert!(drawing(&large).contains("×8"));
    }
}
