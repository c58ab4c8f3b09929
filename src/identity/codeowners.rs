//! Who owns a path by the CODEOWNERS file of its repository: the last line that matches wins.
//!
//! Read is what GitHub and GitLab have in common, with GitLab's section headers for default owners. Lines that neither
//! understands (negation, bad patterns) are passed over, as the hosts do.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Where a repository may keep the file; the first that is there counts.
pub const PLACES: [&str; 4] = [".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];
/// The largest file that is read, in bytes; the hosts read no larger one.
pub const LARGEST: u64 = 3 << 20;
/// The most lines that count.
const MOST_RULES: usize = 5_000;

/// The rules of one file.
#[derive(Debug, Clone, Default)]
pub struct Codeowners {
    globs: GlobSet,
    /// For each glob its line; a line may have two.
    lines: Vec<usize>,
    /// For each line its pattern and owners.
    rules: Vec<(String, Vec<String>)>,
}

impl Codeowners {
    /// Reads a file.
    pub fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut file = Self::default();
        let mut builder = GlobSetBuilder::new();
        let mut default_owners = Vec::new();
        for line in text.lines() {
            if file.rules.len() >= MOST_RULES {
                break;
            }
            if let Some(owners) = section(line) {
                default_owners = owners;
                continue;
            }
            let Some((pattern, mut owners)) = rule(line) else { continue };
            let globs: Vec<_> = globs_of(&pattern)
                .iter()
                .filter_map(|glob| GlobBuilder::new(glob).literal_separator(true).backslash_escape(true).build().ok())
                .collect();
            if globs.is_empty() {
                continue;
            }
            for glob in globs {
                builder.add(glob);
                file.lines.push(file.rules.len());
            }
            if owners.is_empty() {
                owners.clone_from(&default_owners);
            }
            file.rules.push((pattern, owners));
        }
        match builder.build() {
            Ok(globs) => Self { globs, ..file },
            Err(_) => Self::default(),
        }
    }

    /// Returns the pattern and the owners of a path within the repository; nothing where no line matches, or where the last
    /// one that does takes the owners away.
    pub fn owners(&self, path: &str) -> Option<(&str, &[String])> {
        let path = path.trim_start_matches("./").trim_start_matches('/');
        let line = self.globs.matches(path).into_iter().map(|glob| self.lines[glob]).max()?;
        let (pattern, owners) = &self.rules[line];
        (!owners.is_empty()).then_some((pattern.as_str(), owners.as_slice()))
    }
}

/// Reads the header of a section, such as `[Documentation][2] @docs-team` or `^[Optional]`, and returns its default owners.
fn section(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    let inner = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?;
    let (_, after) = inner.split_once(']')?;
    let after = after.strip_prefix('[').and_then(|count| count.split_once(']')).map_or(after, |(_, rest)| rest);
    after.is_empty().then(Vec::new).or_else(|| {
        after.starts_with(char::is_whitespace).then(|| after.split_whitespace().map(str::to_owned).collect())
    })
}

/// Reads a line as pattern and owners. A blank in a pattern is written `\ `.
fn rule(line: &str) -> Option<(String, Vec<String>)> {
    let line = line.trim();
    if line.is_empty() || line.starts_with(['#', '!']) {
        return None;
    }
    let mut pattern = String::new();
    let mut rest = line.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' => pattern.extend(rest.next()),
            _ if character.is_whitespace() => break,
            _ => pattern.push(character),
        }
    }
    let owners = rest.as_str().split_whitespace().take_while(|word| !word.starts_with('#'));
    Some((pattern, owners.filter(|word| word.contains('@')).map(str::to_owned).collect()))
}

/// Returns the globs that mean the same as a pattern.
fn globs_of(pattern: &str) -> Vec<String> {
    let is_anchored = pattern.trim_end_matches('/').contains('/');
    let inner = pattern.trim_start_matches('/');
    // Braces and brackets are plain characters here, and special in a glob.
    let mut plain = String::new();
    for character in inner.chars() {
        if matches!(character, '{' | '}' | '[' | ']' | '\\') {
            plain.push('\\');
        }
        plain.push(character);
    }
    let base = if is_anchored || pattern.starts_with('/') { plain } else { format!("**/{plain}") };
    if let Some(folder) = base.strip_suffix('/') {
        return vec![format!("{folder}/**")];
    }
    // `docs/*` means the files of one folder; a plain name means a file or all of a folder.
    let last = base.rsplit('/').next().unwrap_or_default();
    if last.contains('*') { vec![base] } else { vec![format!("{base}/**"), base] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FILE: &str = "\
# who owns what
*                 @acme/everyone
*.js              @js-owner #  this is a comment
/build/logs/      @doctocat
docs/*            docs@example.com
apps/             @octocat
/apps/github      @hubot
/with\\ blank.txt  @blank
!negated          @nobody
/apps/free
";

    fn owner(path: &str) -> Option<String> {
        Codeowners::parse(FILE.as_bytes()).owners(path).map(|(_, owners)| owners.join(" "))
    }

    #[test]
    fn the_last_line_that_matches_wins() {
        for (path, expected) in [
            ("README", Some("@acme/everyone")),
            ("src/deep/a.js", Some("@js-owner")),
            ("build/logs/x/y.txt", Some("@doctocat")),
            ("sub/build/logs/x", Some("@acme/everyone")),
            ("docs/getting-started.md", Some("docs@example.com")),
            ("docs/build-app/troubleshooting.md", Some("@acme/everyone")),
            ("sub/apps/a.py", Some("@octocat")),
            ("apps/github", Some("@hubot")),
            ("apps/github/main.py", Some("@hubot")),
            ("with blank.txt", Some("@blank")),
            ("apps/free", None),
        ] {
            assert_eq!(owner(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_section_gives_its_owners_to_lines_without_any() {
        let file = Codeowners::parse(b"[Models][2] @acme/ml\nmodels/\nmodels/eval/ @eva\n^[Optional]\nrest/\n");
        assert_eq!(file.owners("models/a.bin").map(|found| found.1), Some(&["@acme/ml".to_owned()][..]));
        assert_eq!(file.owners("models/eval/a").map(|found| found.1), Some(&["@eva".to_owned()][..]));
        assert_eq!(file.owners("rest/a"), None);
    }

    proptest! {
        #[test]
        fn no_file_and_no_path_make_reading_fail(file in proptest::collection::vec(any::<u8>(), 0..300), path in ".{0,60}") {
            Codeowners::parse(&file).owners(&path);
        }

        #[test]
        fn any_pattern_of_the_special_characters_is_read(pattern in r"[a\[\]{}*?/\\! #@.]{1,30}", path in "[a/.]{1,20}") {
            Codeowners::parse(format!("{pattern} @a").as_bytes()).owners(&path);
        }
    }
}
