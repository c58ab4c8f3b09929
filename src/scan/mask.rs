//! Takes secrets out of what is told beside them, by their value: a password stands in an address and once more before it,
//! a key in an author's name or in the name of a file.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// Shorter secrets are left in names: a password such as `admin` would make half of all paths unreadable.
const SHORTEST_IN_NAMES: usize = 16;
/// Shorter ones are left in lines wherever no candidate was found.
const SHORTEST_IN_LINES: usize = 6;

/// A secret and what is shown in its place.
pub(crate) type Masked = (Vec<u8>, String);

/// Finds many secrets in a text at once.
pub(crate) struct Mask {
    automaton: AhoCorasick,
    shown: Vec<String>,
}

impl Mask {
    /// Prepares to mask secrets in the lines round them; none where there is nothing to mask.
    pub(crate) fn of_lines(secrets: impl Iterator<Item = Masked>) -> Option<Self> {
        Self::new(secrets.filter(|(secret, _)| secret.len() >= SHORTEST_IN_LINES))
    }

    /// Prepares to mask secrets in names.
    pub(crate) fn of_names(secrets: impl Iterator<Item = Masked>) -> Option<Self> {
        Self::new(secrets.filter(|(secret, _)| secret.len() >= SHORTEST_IN_NAMES))
    }

    fn new(secrets: impl Iterator<Item = Masked>) -> Option<Self> {
        let texts = secrets.filter_map(|(secret, shown)| Some((String::from_utf8(secret).ok()?, shown)));
        let (secrets, shown): (Vec<String>, Vec<String>) = texts.unzip();
        if secrets.is_empty() {
            return None;
        }
        // What is built fastest: most texts are a few lines.
        let kind = Some(AhoCorasickKind::NoncontiguousNFA);
        let built = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).kind(kind).build(&secrets);
        // More than an automaton can hold no report can hold either.
        Some(Self { automaton: built.ok()?, shown })
    }

    /// Returns the text with every secret replaced by its redacted form, if there is one in it.
    pub(crate) fn apply(&self, text: &str) -> Option<String> {
        self.automaton.is_match(text).then(|| self.automaton.replace_all(text, &self.shown))
    }
}
