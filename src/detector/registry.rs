//! The detectors of one run: those built into the program, those of a folder, less what the user left out.
//!
//! Only whole sets are ever handed out: a fault in one file of a folder, a glob that names nothing or a doubled id is an
//! error. Rules and anchors are decoded at once; facts when a scan first asks for one, since most scans find nothing.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::OnceLock;

use super::claims::glob_matches;
use super::compile::{self, Anchor, CompiledSet, Detector, DetectorError, Encoding, Rule, SourceFile};
use crate::error::{Error, Result};

const RULES: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rules.bin"));
const FACTS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/facts.bin"));

/// The largest detector file that is read, in bytes.
const LARGEST_FILE: u64 = 1 << 20;
/// The most that the detector files of a folder may have together, in bytes.
const LARGEST_FOLDER: usize = 16 << 20;
/// The most detector files that a folder may hold.
const MOST_FILES: usize = 4096;

/// The detectors of one run with the rules and anchors that find them.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// What matching runs on; [`Rule::detector`] is a number for [`Registry::detector`].
    pub rules: Vec<Rule>,
    /// The literals to look for; [`Anchor::rules`] are places in `rules`.
    pub anchors: Vec<Anchor>,
    count: usize,
    facts: OnceLock<Vec<Detector>>,
}

impl Registry {
    /// Returns the detectors that are built into the program.
    pub fn built_in() -> Self {
        let (count, rules, anchors): (u16, Vec<Rule>, Vec<Anchor>) =
            postcard::from_bytes(RULES).expect("build.rs wrote the rules with the same types");
        Self { rules, anchors, count: usize::from(count), facts: OnceLock::new() }
    }

    /// Returns the built-in detectors and those of every `.toml` file in a folder.
    ///
    /// # Errors
    /// A folder that cannot be read or holds no detector file, a file at fault, or an id that is declared twice.
    pub fn with_folder(folder: &Path) -> Result<Self> {
        let files = read_folder(folder)?;
        let added = compile::compile(&files)?;
        let built_in = Self::built_in();
        refuse_known(&files, &built_in)?;
        let mut parts = parts_of(built_in.into_set());
        parts.extend(parts_of(added));
        join(parts)
    }

    /// Returns the detectors of a compiled set.
    pub fn from_set(set: CompiledSet) -> Self {
        Self { rules: set.rules, anchors: set.anchors, count: set.detectors.len(), facts: set.detectors.into() }
    }

    /// Returns how many detectors there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Returns whether there is no detector.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the detectors, sorted by id; the first call decodes the facts of the built-in ones.
    pub fn detectors(&self) -> &[Detector] {
        self.facts.get_or_init(|| postcard::from_bytes(FACTS).expect("build.rs wrote the facts with the same types"))
    }

    /// Returns the detector of a rule.
    pub fn detector(&self, number: u16) -> &Detector {
        &self.detectors()[usize::from(number)]
    }

    /// Returns the detector with this id.
    pub fn get(&self, id: &str) -> Option<&Detector> {
        let detectors = self.detectors();
        detectors.binary_search_by(|detector| detector.id.as_str().cmp(id)).ok().map(|index| &detectors[index])
    }

    /// Keeps the detectors whose ids one of `include` names (all, where it is empty) and none of `exclude`. In a glob, `*`
    /// stands for any text and `?` for one character.
    ///
    /// # Errors
    /// A glob that names no detector, or globs that leave none.
    pub fn select<S: AsRef<str>>(self, include: &[S], exclude: &[S]) -> Result<Self> {
        if include.is_empty() && exclude.is_empty() {
            return Ok(self);
        }
        for glob in include.iter().chain(exclude) {
            if !self.detectors().iter().any(|detector| glob_matches(glob.as_ref(), &detector.id)) {
                return Err(Error::NoDetectors(format!("{:?} names no detector", glob.as_ref())));
            }
        }
        let named = |globs: &[S], id: &str| globs.iter().any(|glob| glob_matches(glob.as_ref(), id));
        let mut parts = parts_of(self.into_set());
        parts.retain(|part| {
            (include.is_empty() || named(include, &part.detector.id)) && !named(exclude, &part.detector.id)
        });
        if parts.is_empty() {
            return Err(Error::NoDetectors("what is included is excluded as well".into()));
        }
        join(parts)
    }

    fn into_set(self) -> CompiledSet {
        self.detectors();
        let detectors = self.facts.into_inner().unwrap_or_default();
        CompiledSet { detectors, rules: self.rules, anchors: self.anchors }
    }
}

/// A detector with all that finds it, free of numbers that hold in one set only.
struct Part {
    detector: Detector,
    rules: Vec<(Rule, Vec<Literal>)>,
}

/// The bytes of an anchor, whether its case is ignored and how the text round it is written.
type Literal = (Vec<u8>, bool, Encoding);

fn parts_of(set: CompiledSet) -> Vec<Part> {
    let mut literals: Vec<Vec<Literal>> = vec![Vec::new(); set.rules.len()];
    for anchor in &set.anchors {
        for rule in &anchor.rules {
            literals[usize::from(*rule)].push((anchor.bytes.clone(), anchor.caseless, anchor.encoding));
        }
    }
    let mut parts: Vec<Part> = set.detectors.into_iter().map(|detector| Part { detector, rules: Vec::new() }).collect();
    for (rule, literals) in set.rules.into_iter().zip(literals) {
        parts[usize::from(rule.detector)].rules.push((rule, literals));
    }
    parts
}

fn join(mut parts: Vec<Part>) -> Result<Registry> {
    parts.sort_by(|left, right| left.detector.id.cmp(&right.detector.id));
    let mut set = CompiledSet::default();
    let mut anchors: BTreeMap<Literal, Vec<u16>> = BTreeMap::new();
    for part in parts {
        let too_many = || Error::NoDetectors("more than 65,535 detectors or rules at once".into());
        let number = u16::try_from(set.detectors.len()).map_err(|_| too_many())?;
        for (mut rule, literals) in part.rules {
            let rule_number = u16::try_from(set.rules.len()).map_err(|_| too_many())?;
            rule.detector = number;
            for literal in literals {
                anchors.entry(literal).or_default().push(rule_number);
            }
            set.rules.push(rule);
        }
        set.detectors.push(part.detector);
    }
    set.anchors = anchors
        .into_iter()
        .map(|((bytes, caseless, encoding), rules)| Anchor { bytes, caseless, encoding, rules })
        .collect();
    Ok(Registry::from_set(set))
}

/// Refuses files that declare an id which a built-in detector has.
fn refuse_known(files: &[SourceFile], built_in: &Registry) -> Result<()> {
    for file in files {
        for (detector, line) in compile::schema::parse(file)? {
            if let Some(known) = built_in.get(&detector.id) {
                let reason = format!(
                    "detector id {:?} of {} is already that of a built-in detector of {}; give it another id",
                    detector.id, detector.provider_name, known.provider_name
                );
                return Err(DetectorError { file: file.path.clone(), line, reason }.into());
            }
        }
    }
    Ok(())
}

fn read_folder(folder: &Path) -> Result<Vec<SourceFile>> {
    let fault = |reason: String| DetectorError { file: folder.to_path_buf(), line: None, reason };
    let entries = std::fs::read_dir(folder).map_err(|error| fault(format!("cannot be read: {error}")))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| fault(format!("cannot be read: {error}")))?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            paths.push(path);
        }
        if paths.len() > MOST_FILES {
            return Err(fault(format!("holds more than {MOST_FILES} detector files")).into());
        }
    }
    if paths.is_empty() {
        return Err(fault("holds no detector file (*.toml)".into()).into());
    }
    paths.sort();
    let mut files = Vec::new();
    let mut total = 0;
    for path in paths {
        let file = read_file(path)?;
        total += file.text.len();
        if total > LARGEST_FOLDER {
            return Err(fault(format!("holds more than {LARGEST_FOLDER} bytes of detector files")).into());
        }
        files.push(file);
    }
    Ok(files)
}

fn read_file(path: std::path::PathBuf) -> Result<SourceFile> {
    let fault = |reason: String| DetectorError { file: path.clone(), line: None, reason };
    let metadata = std::fs::metadata(&path).map_err(|error| fault(format!("cannot be read: {error}")))?;
    if !metadata.is_file() || metadata.len() > LARGEST_FILE {
        return Err(fault(format!("is no file of at most {LARGEST_FILE} bytes")).into());
    }
    let text = std::fs::read_to_string(&path).map_err(|error| fault(format!("cannot be read: {error}")))?;
    Ok(SourceFile { path, text })
}

/// Returns where each detector of a folder is declared, as `file:line`.
///
/// # Errors
/// A folder or file at fault.
pub fn places(folder: &Path) -> Result<BTreeMap<String, String>> {
    let mut places = BTreeMap::new();
    for file in read_folder(folder)? {
        for (detector, line) in compile::schema::parse(&file)? {
            let line = line.map(|line| format!(":{line}")).unwrap_or_default();
            places.insert(detector.id, format!("{}{line}", file.path.display()));
        }
    }
    Ok(places)
}

/// Returns the ids that a set's companions name without the set having them.
pub fn unknown_companions(registry: &Registry) -> Vec<String> {
    let ids: HashSet<&str> = registry.detectors().iter().map(|detector| detector.id.as_str()).collect();
    let companions = registry.detectors().iter().flat_map(|detector| &detector.companions);
    companions.map(|companion| &companion.detector).filter(|id| !ids.contains(id.as_str())).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(provider: &str, id: &str) -> String {
        format!(
            "provider = \"{provider}\"\nname = \"{provider}\"\n[[detector]]\nid = \"{id}\"\nname = \"x\"\n\
             kind = \"api-key\"\nprivilege = \"use\"\nshapes = [\"{provider}_{{20:hex}}\"]\n"
        )
    }

    fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            std::fs::write(folder.path().join(name), text).expect("a file");
        }
        folder
    }

    /// What a registry finds, free of numbers: detector id, regex and anchor of each.
    fn meaning(registry: &Registry) -> Vec<(String, String, Vec<u8>)> {
        let mut meaning = Vec::new();
        for anchor in &registry.anchors {
            for rule in &anchor.rules {
                let rule = &registry.rules[usize::from(*rule)];
                let id = registry.detector(rule.detector).id.clone();
                meaning.push((id, rule.regex.clone(), anchor.bytes.clone()));
            }
        }
        meaning.sort();
        meaning
    }

    #[test]
    fn a_selection_keeps_rules_and_anchors_of_what_is_kept_and_nothing_else() {
        let all = Registry::built_in();
        let expected: Vec<_> = meaning(&all)
            .into_iter()
            .filter(|entry| entry.0.starts_with("openai-") && entry.0 != "openai-admin-key")
            .collect();
        let some = Registry::built_in().select(&["openai-*"], &["openai-admin-key"]).expect("a selection");
        assert!(!expected.is_empty());
        assert_eq!(meaning(&some), expected);
        assert_eq!(some.len(), some.detectors().len());
        assert!(some.get("openai-project-key").is_some());
        assert!(some.get("openai-admin-key").is_none());
        assert!(some.anchors.iter().all(|anchor| !anchor.rules.is_empty()));
    }

    #[test]
    fn a_glob_that_names_nothing_and_a_selection_of_nothing_are_errors() {
        let select = |include: &[&str], exclude: &[&str]| Registry::built_in().select(include, exclude);
        assert!(matches!(select(&["no-such-*"], &[]), Err(Error::NoDetectors(_))));
        assert!(matches!(select(&[], &["no-such-*"]), Err(Error::NoDetectors(_))));
        assert!(matches!(select(&["openai-*"], &["*"]), Err(Error::NoDetectors(_))));
        assert_eq!(select(&[], &[]).expect("all").len(), Registry::built_in().len());
    }

    #[test]
    fn a_folder_adds_its_detectors_to_the_built_in_ones() {
        let folder = folder(&[("b.toml", file("zeta", "zeta-x")), ("a.toml", file("alpha-x", "alpha-y"))]);
        let registry = Registry::with_folder(folder.path()).expect("a registry");
        let built_in = Registry::built_in();
        assert_eq!(registry.len(), built_in.len() + 2);
        assert!(registry.detectors().windows(2).all(|pair| pair[0].id < pair[1].id));
        let mut expected = meaning(&built_in);
        let added = meaning(&registry.clone().select(&["zeta-x", "alpha-y"], &[]).expect("the added"));
        assert!(added.len() > 4, "two detectors, each in several forms");
        expected.extend(added);
        expected.sort();
        assert_eq!(meaning(&registry), expected);
    }

    #[test]
    fn a_folder_at_fault_gives_no_registry() {
        let missing = Path::new("/no/such/folder");
        assert!(Registry::with_folder(missing).is_err());
        assert!(Registry::with_folder(folder(&[("x.txt", String::new())]).path()).is_err());
        let broken = folder(&[("a.toml", file("zeta", "zeta-x")), ("b.toml", "provider = 1".into())]);
        let error = Registry::with_folder(broken.path()).expect_err("a fault").to_string();
        assert!(error.contains("b.toml:1"), "{error}");
        let twice = folder(&[("a.toml", file("zeta", "zeta-x")), ("b.toml", file("zeta", "zeta-x"))]);
        let error = Registry::with_folder(twice.path()).expect_err("a double").to_string();
        assert!(error.contains("a.toml") && error.contains("b.toml"), "{error}");
        let known = Registry::built_in().detectors()[0].clone();
        let again = folder(&[("a.toml", file("zeta", &known.id))]);
        let error = Registry::with_folder(again.path()).expect_err("a double").to_string();
        assert!(error.contains("a.toml:3"), "{error}");
        assert!(error.contains(&known.id) && error.contains(&known.provider_name) && error.contains("zeta"), "{error}");
    }
}
