//! Who a git author is by the `.mailmap` of the repository: names and addresses of commits, led back to one person.

use std::collections::HashMap;

/// The largest file that is read, in bytes.
pub const LARGEST: u64 = 3 << 20;
/// The most lines that count.
const MOST_LINES: usize = 50_000;

/// An author as a commit writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// The name.
    pub name: String,
    /// The address.
    pub email: String,
}

impl Author {
    /// Reads `Name <address>`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('<')?;
        let (email, _) = rest.split_once('>')?;
        Some(Self { name: name.trim().to_owned(), email: email.trim().to_owned() })
    }
}

/// What takes the place of a name or address of a commit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Proper {
    name: Option<String>,
    email: Option<String>,
}

/// The lines of one file.
#[derive(Debug, Clone, Default)]
pub struct Mailmap {
    /// By the commit's address and, where the line has one, the commit's name; both lower case.
    entries: HashMap<(String, Option<String>), Proper>,
}

impl Mailmap {
    /// Reads a file; lines that are none of git's four forms are passed over.
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut mailmap = Self::default();
        for line in text.lines().take(MOST_LINES) {
            mailmap.read(line.split('#').next().unwrap_or_default());
        }
        mailmap
    }

    fn read(&mut self, line: &str) {
        let Some((name, email, rest)) = part(line) else { return };
        let (key, proper) = match part(rest) {
            None => ((email, None), Proper { name, email: None }),
            Some((commit_name, commit_email, _)) => ((commit_email, commit_name), Proper { name, email: Some(email) }),
        };
        let key = (key.0.to_lowercase(), key.1.map(|name| name.to_lowercase()));
        let known = self.entries.entry(key).or_default();
        known.name = proper.name.or(known.name.take());
        known.email = proper.email.or(known.email.take());
    }

    /// Returns the person behind an author of a commit.
    pub fn resolve(&self, author: &Author) -> Author {
        let email = author.email.to_lowercase();
        let exact = self.entries.get(&(email.clone(), Some(author.name.to_lowercase())));
        match exact.or_else(|| self.entries.get(&(email, None))) {
            Some(proper) => Author {
                name: proper.name.clone().unwrap_or_else(|| author.name.clone()),
                email: proper.email.clone().unwrap_or_else(|| author.email.clone()),
            },
            None => author.clone(),
        }
    }
}

/// Reads a name, which may be missing, and an address in angle brackets; returns them with the rest of the line.
fn part(text: &str) -> Option<(Option<String>, String, &str)> {
    let (name, rest) = text.split_once('<')?;
    let (email, rest) = rest.split_once('>')?;
    let name = Some(name.trim()).filter(|name| !name.is_empty()).map(str::to_owned);
    let email = Some(email.trim()).filter(|email| !email.is_empty())?.to_owned();
    Some((name, email, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "\
# people
Owner A <a@old.example>
<a@acme.example> <A@Older.example>
Owner B <b@acme.example> <b@laptop.local>
Owner C <c@acme.example> Shared Name <root@ci.local>
nonsense
";

    fn resolved(text: &str) -> String {
        let author = Mailmap::parse(FILE.as_bytes()).resolve(&Author::parse(text).expect("an author"));
        format!("{} <{}>", author.name, author.email)
    }

    #[test]
    fn all_four_forms_of_git_are_read() {
        for (commit, person) in [
            ("aa <a@old.example>", "Owner A <a@old.example>"),
            ("aa <a@older.example>", "aa <a@acme.example>"),
            ("x <B@laptop.local>", "Owner B <b@acme.example>"),
            ("shared name <root@ci.local>", "Owner C <c@acme.example>"),
            ("other name <root@ci.local>", "other name <root@ci.local>"),
            ("New <new@acme.example>", "New <new@acme.example>"),
        ] {
            assert_eq!(resolved(commit), person, "{commit}");
        }
        assert_eq!(Author::parse("no address"), None);
    }
}
