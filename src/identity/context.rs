//! Whom to ask where no record says it: owners suggested by where a credential was found. They are suggestions and say so;
//! no sign adds more than a quarter, and all together stay far below what names an owner.
//!
//! Files come as bytes and the inventory through [`Directory`], so nothing here reads a disk or a store.

use std::collections::BTreeMap;

use super::codeowners::Codeowners;
use super::mailmap::{Author, Mailmap};
use super::score::{CONTEXT_EACH, CONTEXT_TOGETHER};
use crate::credential::FoundCredential;
use crate::error::Result;
use crate::finding::{Candidate, Finding, Person};

/// A reference to a store of secrets beside the credential leads to a record.
const REFERENCE: f64 = CONTEXT_EACH;
/// A name of the inventory stands in the variable, the path or the repository.
const NAME: f64 = 0.20;
/// CODEOWNERS names them for the path.
const CODEOWNERS: f64 = 0.20;
/// They wrote the commit.
const AUTHOR: f64 = 0.15;
/// How many places of a finding are looked at.
const MOST_PLACES: usize = 16;
/// How many suggestions are made.
const MOST_SUGGESTIONS: usize = 5;

/// What the repository of a target says of itself.
#[derive(Debug, Clone, Default)]
pub struct TargetFiles {
    codeowners: Option<Codeowners>,
    mailmap: Mailmap,
}

impl TargetFiles {
    /// Reads the two files, where they are there.
    pub fn parse(codeowners: Option<&[u8]>, mailmap: Option<&[u8]>) -> Self {
        Self { codeowners: codeowners.map(Codeowners::parse), mailmap: mailmap.map(Mailmap::parse).unwrap_or_default() }
    }
}

/// The files of all targets, by the target as it was given.
pub type Neighbourhood = BTreeMap<String, TargetFiles>;

/// An identity that a name or a reference leads to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// The identity's id.
    pub id: String,
    /// The identity's name.
    pub name: Option<String>,
    /// Who answers for it.
    pub owner: Option<Person>,
    /// What of it was found, for the reason.
    pub by: String,
}

/// What of the inventory is asked.
pub trait Directory {
    /// Returns the person who is known by an id, an address or a log-in.
    ///
    /// # Errors
    /// Where the inventory cannot be read.
    fn person(&self, name: &str) -> Result<Option<Person>>;

    /// Returns identities of a provider whose name or one of whose consumers has only words of these.
    ///
    /// # Errors
    /// Where the inventory cannot be read.
    fn named(&self, provider: Option<&str>, words: &[String]) -> Result<Vec<Named>>;

    /// Returns identities one of whose credentials may stand at this place.
    ///
    /// # Errors
    /// Where the inventory cannot be read.
    fn stored_at(&self, reference: &str) -> Result<Vec<Named>>;
}

/// One suggested owner with the signs for it.
#[derive(Debug, Clone, PartialEq)]
pub struct Suggestion {
    /// The identity and the owner, as far as the signs tell.
    pub candidate: Candidate,
    /// What speaks for it, the strongest first.
    pub signs: Vec<String>,
}

/// Suggests owners for a finding, the likeliest first.
///
/// # Errors
/// Where the inventory cannot be read.
pub fn suggestions(
    finding: &Finding,
    found: Option<&FoundCredential>,
    files: &Neighbourhood,
    directory: &dyn Directory,
) -> Result<Vec<Suggestion>> {
    let mut signs = Signs::default();
    for reference in found.iter().flat_map(|found| &found.surroundings.references).take(8) {
        for named in directory.stored_at(reference)? {
            signs.add_identity(named, REFERENCE, "a reference to where it may be stored stands beside it");
        }
    }
    let words = words_round(finding, found);
    for named in directory.named(finding.provider.as_deref(), &words)? {
        let text = format!("{} stands in its name or path", named.by);
        signs.add_identity(named, NAME, &text);
    }
    for place in finding.occurrences.iter().take(MOST_PLACES) {
        let Some(known) = files.get(&place.target) else { continue };
        if let Some((pattern, owners)) = known.codeowners.as_ref().and_then(|file| file.owners(&place.path)) {
            for owner in owners.iter().take(MOST_SUGGESTIONS) {
                signs.add_owner(directory, owner, CODEOWNERS, &format!("CODEOWNERS ({pattern})"))?;
            }
        }
    }
    // Whoever introduced it first knows more of it than who copied it.
    let authors = finding.occurrences.iter().filter_map(|place| Some((place, place.author.as_deref()?)));
    let first = authors.min_by(|left, right| left.0.date.cmp(&right.0.date));
    if let Some((place, author)) = first
        && let Some(author) = Author::parse(author)
    {
        let author = files.get(&place.target).map_or_else(|| author.clone(), |known| known.mailmap.resolve(&author));
        signs.add_author(directory, &author)?;
    }
    Ok(signs.finish())
}

/// Signs by whom they speak for.
#[derive(Debug, Default)]
struct Signs(BTreeMap<String, Gathered>);

#[derive(Debug, Default)]
struct Gathered {
    candidate: Candidate,
    signs: Vec<(f64, String)>,
}

impl Signs {
    fn add_identity(&mut self, named: Named, weight: f64, sign: &str) {
        let key =
            named.owner.as_ref().and_then(|owner| owner.id.clone()).unwrap_or_else(|| format!("identity {}", named.id));
        let entry = self.0.entry(key.to_lowercase()).or_default();
        entry.candidate.id.get_or_insert(named.id);
        entry.candidate.name = entry.candidate.name.take().or(named.name);
        entry.candidate.owner = entry.candidate.owner.take().or(named.owner);
        entry.add(weight, sign);
    }

    /// Adds an owner as CODEOWNERS writes it: `@log-in`, `@organisation/team` or an address.
    fn add_owner(&mut self, directory: &dyn Directory, owner: &str, weight: f64, sign: &str) -> Result<()> {
        let login = owner.strip_prefix('@').unwrap_or(owner);
        match directory.person(login)? {
            Some(person) => self.add_person(person, weight, sign),
            None if owner.starts_with('@') && owner.contains('/') => {
                // A team is whom to ask; it is never the owner.
                let entry = self.0.entry(owner.to_lowercase()).or_default();
                entry.candidate.name.get_or_insert_with(|| format!("team {owner}"));
                entry.add(weight, sign);
            }
            None => self.add_person(stranger(login, None), weight, sign),
        }
        Ok(())
    }

    fn add_author(&mut self, directory: &dyn Directory, author: &Author) -> Result<()> {
        if author.email.is_empty() && author.name.is_empty() {
            return Ok(());
        }
        let known = match directory.person(&author.email)? {
            Some(person) => person,
            None => stranger(&author.email, Some(&author.name)),
        };
        self.add_person(known, AUTHOR, "author of the commit that introduced it");
        Ok(())
    }

    fn add_person(&mut self, person: Person, weight: f64, sign: &str) {
        let key = person.id.clone().or_else(|| person.email.clone()).unwrap_or_default();
        let entry = self.0.entry(key.to_lowercase()).or_default();
        entry.candidate.owner.get_or_insert(person);
        entry.add(weight, sign);
    }

    fn finish(self) -> Vec<Suggestion> {
        let mut all: Vec<Suggestion> = self.0.into_values().map(Gathered::finish).collect();
        // The order of equals is that of their keys.
        all.sort_by(|left, right| right.candidate.score.total_cmp(&left.candidate.score));
        all.truncate(MOST_SUGGESTIONS);
        all
    }
}

impl Gathered {
    fn add(&mut self, weight: f64, sign: &str) {
        if !self.signs.iter().any(|(_, known)| known == sign) {
            self.signs.push((weight.min(CONTEXT_EACH), sign.to_owned()));
        }
    }

    fn finish(mut self) -> Suggestion {
        self.signs.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| left.1.cmp(&right.1)));
        // Several lines of one sort are one sign.
        let mut kinds: Vec<u64> = self.signs.iter().map(|(weight, _)| weight.to_bits()).collect();
        kinds.dedup();
        let sum: f64 = kinds.into_iter().map(f64::from_bits).sum();
        self.candidate.score = sum.min(CONTEXT_TOGETHER);
        Suggestion { candidate: self.candidate, signs: self.signs.into_iter().map(|(_, sign)| sign).collect() }
    }
}

/// A person whom the inventory does not know.
fn stranger(id: &str, name: Option<&str>) -> Person {
    let email = id.contains('@').then(|| id.to_owned());
    let name = name.filter(|name| !name.is_empty()).map(str::to_owned);
    Person { id: Some(id.to_owned()).filter(|id| !id.is_empty()), name, email, status: None }
}

/// Words that say nothing of a service.
const COMMON: [&str; 44] = [
    "api",
    "key",
    "keys",
    "token",
    "tokens",
    "secret",
    "secrets",
    "auth",
    "access",
    "client",
    "prod",
    "production",
    "staging",
    "stage",
    "dev",
    "development",
    "test",
    "tests",
    "src",
    "lib",
    "app",
    "apps",
    "main",
    "config",
    "configs",
    "settings",
    "env",
    "service",
    "services",
    "server",
    "default",
    "local",
    "the",
    "and",
    "for",
    "json",
    "yaml",
    "yml",
    "toml",
    "py",
    "js",
    "ts",
    "go",
    "rs",
];

/// Splits text into lower-case words, without those that say nothing of a service. A change from lower to upper case parts
/// words, as everything does that is no letter or digit.
pub fn words_of(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut previous_lower = false;
    for character in text.chars().chain([' ']) {
        let ends = !character.is_alphanumeric() || (previous_lower && character.is_uppercase());
        if ends && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if character.is_alphanumeric() {
            word.extend(character.to_lowercase());
        }
        previous_lower = character.is_lowercase();
    }
    words.retain(|word| word.len() > 1 && !COMMON.contains(&word.as_str()));
    words.dedup();
    words
}

/// Returns the words of the variable, the paths and the repositories.
fn words_round(finding: &Finding, found: Option<&FoundCredential>) -> Vec<String> {
    let variable = found.and_then(|found| found.surroundings.variable.as_deref());
    let mut words = words_of(variable.unwrap_or_default());
    for place in finding.occurrences.iter().take(MOST_PLACES) {
        words.extend(words_of(&place.path));
        let repository = place.target.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        words.extend(words_of(repository.trim_end_matches(".git")));
    }
    words.sort();
    words.dedup();
    words.truncate(64);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::credential::Surroundings;
    use crate::identity::testing;
    use crate::secret::Secret;

    struct Acme;

    fn owner_a() -> Person {
        Person { id: Some("owner.a@acme.example".into()), name: Some("Owner A".into()), ..Person::default() }
    }

    impl Directory for Acme {
        fn person(&self, name: &str) -> Result<Option<Person>> {
            Ok(["owner-a", "owner.a@acme.example"].contains(&name).then(owner_a))
        }

        fn named(&self, _: Option<&str>, words: &[String]) -> Result<Vec<Named>> {
            let fits = ["support", "bot"].iter().all(|word| words.iter().any(|known| known == word));
            let by = "support bot".into();
            let named = Named { id: "nhi-bot".into(), name: Some("Support bot".into()), owner: Some(owner_a()), by };
            Ok(fits.then_some(named).into_iter().collect())
        }

        fn stored_at(&self, reference: &str) -> Result<Vec<Named>> {
            let fits = reference == "vault:kv/support/openai";
            Ok(fits.then(|| Named { id: "nhi-vault".into(), ..Named::default() }).into_iter().collect())
        }
    }

    fn files() -> Neighbourhood {
        let codeowners = b"* @acme/everyone\n/ml/ @owner-a\n/web/ @stranger\n";
        let mailmap = b"Owner A <owner.a@acme.example> <a@laptop.local>\n";
        BTreeMap::from([(".".to_owned(), TargetFiles::parse(Some(codeowners), Some(mailmap)))])
    }

    fn suggested(finding: &Finding, found: Option<&FoundCredential>) -> Vec<Suggestion> {
        suggestions(finding, found, &files(), &Acme).expect("suggestions")
    }

    fn in_path(path: &str) -> Finding {
        let mut finding = testing::finding("openai-project-key", "openai", b"x");
        finding.occurrences = vec![testing::place(path)];
        finding
    }

    #[test]
    fn codeowners_suggests_a_known_person_a_stranger_or_a_team() {
        let names = |path: &str| {
            let all = suggested(&in_path(path), None);
            assert_eq!(all.len(), 1);
            assert!((all[0].candidate.score - 0.20).abs() < 1e-9);
            let owner = all[0].candidate.owner.clone().and_then(|owner| owner.id);
            (owner, all[0].candidate.name.clone(), all[0].signs.join("; "))
        };
        assert_eq!(names("ml/a.py"), (Some("owner.a@acme.example".into()), None, "CODEOWNERS (/ml/)".into()));
        assert_eq!(names("web/a.py").0.as_deref(), Some("stranger"));
        assert_eq!(names("a.py"), (None, Some("team @acme/everyone".into()), "CODEOWNERS (*)".into()));
    }

    #[test]
    fn signs_for_one_person_add_up_to_the_bound_and_several_lines_are_one_sign() {
        let mut finding = in_path("ml/support_bot/a.py");
        finding.occurrences.push(testing::place("ml/b.py"));
        finding.occurrences[0].author = Some("A <a@laptop.local>".into());
        let mut found = FoundCredential::alone(Secret::new(b"x"));
        let all = suggested(&finding, Some(&found));
        assert_eq!(all.len(), 1);
        assert_eq!(all[0].candidate.id.as_deref(), Some("nhi-bot"));
        assert!((all[0].candidate.score - CONTEXT_TOGETHER).abs() < 1e-9);
        assert_eq!(all[0].signs.len(), 3, "{:?}", all[0].signs);

        found.surroundings =
            Surroundings { references: vec!["vault:kv/support/openai".into()], ..Surroundings::default() };
        let all = suggested(&finding, Some(&found));
        assert_eq!(all.len(), 2);
        assert!(all.iter().all(|one| one.candidate.score <= CONTEXT_TOGETHER));
        let mut two_lines = in_path("ml/a.py");
        two_lines.occurrences.push(testing::place("ml/b.py"));
        assert!((suggested(&two_lines, None)[0].candidate.score - 0.20).abs() < 1e-9);
    }

    #[test]
    fn words_part_at_case_and_signs_and_leave_out_what_says_nothing() {
        assert_eq!(words_of("SUPPORT_BOT_OPENAI_API_KEY"), ["support", "bot", "openai"]);
        assert_eq!(words_of("services/supportBot/config.py"), ["support", "bot"]);
        assert!(words_of("").is_empty());
    }
}
