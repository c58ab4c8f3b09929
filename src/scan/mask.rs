//! Takes secrets out of what is told beside them, by their value: a password stands in an address and once more before it,
//! a key in an author's name or in the name of a file.

use std::cell::OnceCell;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

/// Shorter secrets are left in names: a password such as `admin` would make half of all paths unreadable.
const SHORTEST_IN_NAMES: usize = 16;
/// Shorter ones are left in lines wherever no candidate was found.
const SHORTEST_IN_LINES: usize = 6;

/// A secret and what is shown in its place.
pub(crate) type Masked = (Vec<u8>, String);

/// So many secrets are looked for one after another before an automaton finds them all at once: most texts hold one or two,
/// and hardly any line holds one of them twice.
const FEW: usize = 12;

/// Finds many secrets in a text at once.
pub(crate) struct Mask {
    secrets: Vec<String>,
    shown: Vec<String>,
    automaton: OnceCell<Option<AhoCorasick>>,
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
        (!secrets.is_empty()).then(|| Self { secrets, shown, automaton: OnceCell::new() })
    }

    /// Returns the text with every secret replaced by its redacted form, if there is one in it.
    pub(crate) fn apply(&self, text: &str) -> Option<String> {
        let holds = |secret: &String| memchr::memmem::find(text.as_bytes(), secret.as_bytes()).is_some();
        if self.secrets.len() <= FEW && !self.secrets.iter().any(holds) {
            return None;
        }
        let automaton = self.automaton.get_or_init(|| self.build()).as_ref()?;
        automaton.is_match(text).then(|| automaton.replace_all(text, &self.shown))
    }

    /// Builds the automaton; none where there are more secrets than one can hold, and no report can hold those either.
    fn build(&self) -> Option<AhoCorasick> {
        // What is built fastest: most texts are a few lines.
        let kind = Some(AhoCorasickKind::NoncontiguousNFA);
        AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).kind(kind).build(&self.secrets).ok()
    }
}
