//! Takes secrets out of what is told beside them, by their value: a password stands in an address and once more before it,
//! a key in an author's name or in the name of a file.
//!
//! Secrets are found by how they end, since those of one sort begin alike. That takes some dozen bytes a secret, where an
//! automaton takes thousands.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::secret::Secret;

/// Shorter secrets are left in names: a password such as `admin` would make half of all paths unreadable.
pub(crate) const SHORTEST_IN_NAMES: usize = 16;
/// Shorter ones are left in lines wherever no candidate was found.
pub(crate) const SHORTEST_IN_LINES: usize = 6;

/// A secret and what is shown in its place.
pub(crate) type Masked = (Secret, String);

/// So many secrets are looked for one after another: most texts hold one or two.
const FEW: usize = 12;

/// The last bytes of a secret.
type Ending = [u8; SHORTEST_IN_LINES];

/// Finds many secrets in a text at once.
pub(crate) struct Mask<'secrets> {
    shown: HashMap<&'secrets [u8], &'secrets str>,
    /// How long the secrets are that end alike; made for many alone.
    endings: HashMap<Ending, Vec<u32>>,
}

impl<'secrets> Mask<'secrets> {
    /// Prepares to mask secrets of a least length; none where there is nothing to mask.
    pub(crate) fn new(secrets: impl Iterator<Item = &'secrets Masked>, shortest: usize) -> Option<Self> {
        let shortest = shortest.max(SHORTEST_IN_LINES);
        let texts = secrets.map(|(secret, shown)| (secret.expose(), shown.as_str()));
        let shown: HashMap<_, _> =
            texts.filter(|(secret, _)| secret.len() >= shortest && std::str::from_utf8(secret).is_ok()).collect();
        let mut endings: HashMap<Ending, Vec<u32>> = HashMap::new();
        for secret in shown.keys().filter(|_| shown.len() > FEW) {
            let lengths =
                secret.last_chunk().map(|ending| endings.entry(*ending).or_insert_with(|| Vec::with_capacity(1)));
            if let (Some(lengths), Ok(length)) = (lengths, u32::try_from(secret.len()))
                && !lengths.contains(&length)
            {
                lengths.push(length);
            }
        }
        (!shown.is_empty()).then_some(Self { shown, endings })
    }

    /// Returns the text with every secret replaced by its redacted form, if there is one in it. Of those that overlap, the
    /// first is, and of those that begin alike the longest.
    pub(crate) fn apply(&self, text: &str) -> Option<String> {
        let mut found = if self.shown.len() <= FEW { self.each_in(text) } else { self.all_in(text) };
        if found.is_empty() {
            return None;
        }
        found.sort_unstable_by_key(|(start, end)| (*start, Reverse(*end)));
        let (mut told, mut position) = (String::with_capacity(text.len()), 0);
        for (start, end) in found {
            if start >= position {
                told.push_str(&text[position..start]);
                told.push_str(self.shown[&text.as_bytes()[start..end]]);
                position = end;
            }
        }
        told.push_str(&text[position..]);
        Some(told)
    }

    /// Returns where secrets stand, looking for one after another.
    fn each_in(&self, text: &str) -> Vec<(usize, usize)> {
        let places = |secret: &&[u8]| {
            let length = secret.len();
            memchr::memmem::find_iter(text.as_bytes(), *secret)
                .map(move |start| (start, start + length))
                .collect::<Vec<_>>()
        };
        self.shown.keys().flat_map(places).collect()
    }

    /// Returns where secrets stand, looking for all at once.
    fn all_in(&self, text: &str) -> Vec<(usize, usize)> {
        let bytes = text.as_bytes();
        let mut found = Vec::new();
        for (index, ending) in bytes.windows(SHORTEST_IN_LINES).enumerate() {
            let Some(lengths) = <&Ending>::try_from(ending).ok().and_then(|ending| self.endings.get(ending)) else {
                continue;
            };
            let end = index + SHORTEST_IN_LINES;
            let starts = lengths.iter().filter_map(|length| end.checked_sub(*length as usize));
            found.extend(starts.filter(|start| self.shown.contains_key(&bytes[*start..end])).map(|start| (start, end)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(count: usize) -> Vec<Masked> {
        let mut secrets: Vec<Masked> = (0..count)
            .map(|number| (Secret::new(format!("begin-{number:06}-end").as_bytes()), format!("<{number}>")))
            .collect();
        secrets.push((Secret::new(b"000007-end"), "<inner>".into()));
        secrets.push((Secret::new("sch\u{fc}ssel".as_bytes()), "<umlaut>".into()));
        secrets.push((Secret::new(b"short"), "<never>".into()));
        secrets.push((Secret::new(b"\xff\xfe not text"), "<never>".into()));
        secrets
    }

    #[test]
    fn few_and_many_secrets_are_masked_alike() {
        for count in [8, 1000] {
            let secrets = masked(count);
            let mask = Mask::new(secrets.iter(), SHORTEST_IN_LINES).expect("secrets");
            for (text, told) in [
                ("a begin-000007-end, begin-000003-endbegin-000003-end", Some("a <7>, <3><3>")),
                ("x000007-end and der sch\u{fc}ssel!", Some("x<inner> and der <umlaut>!")),
                ("begin-000007-en short \u{fffd}\u{fffd} not text", None),
                ("", None),
            ] {
                assert_eq!(mask.apply(text).as_deref(), told, "{text} of {count}");
            }
        }
    }

    #[test]
    fn short_ones_are_left_in_names() {
        let secrets = masked(20);
        let mask = Mask::new(secrets.iter(), SHORTEST_IN_NAMES).expect("secrets");
        assert_eq!(mask.apply("begin-000007-end/000007-end").as_deref(), Some("<7>/000007-end"));
        assert!(Mask::new(secrets[20..].iter(), SHORTEST_IN_NAMES).is_none());
    }
}
