//! Lists a staged change with git itself, for an index that only git can read: split, sparse, or newer than this reader.
//!
//! A repository's configuration can name programs. The command is one that needs none, every setting that could start
//! one is shut off, the user's and the system's configuration are left out, and so is the environment.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Error, Result, StagedRepository};
use crate::source::git::index::EntryKind;
use crate::source::git::object::ObjectId;

#[cfg(windows)]
const NULL_FILE: &str = "NUL";
#[cfg(not(windows))]
const NULL_FILE: &str = "/dev/null";
/// No file orders the paths: one that the configuration names and that is missing would stop the command.
#[cfg(windows)]
const NO_ORDER_FILE: &str = "-ONUL";
#[cfg(not(windows))]
const NO_ORDER_FILE: &str = "-O/dev/null";

/// Compares the index with HEAD, by ids.
const DIFFERENCE: [&str; 13] = [
    "diff",
    "--cached",
    "--raw",
    "-z",
    "--no-renames",
    "--abbrev=40",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "--ita-invisible-in-index",
    "--ignore-submodules=all",
    NO_ORDER_FILE,
];

/// One entry of the index that is not as in HEAD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) path: Vec<u8>,
    pub(super) mode: u32,
    pub(super) kind: EntryKind,
    pub(super) id: ObjectId,
}

/// Lists what the index changes or adds; `form` says why git is asked.
pub(super) fn list(repository: &StagedRepository, form: &str) -> Result<Vec<Listed>> {
    let Some(program) = &repository.git_program else {
        return Err(failure(repository, &format!("{form}, and the git program was not found")));
    };
    if !program.is_absolute() {
        return Err(failure(repository, &format!("{form}, and the git program is not named by its absolute path")));
    }
    let unreadable = || failure(repository, "git listed the staged files in a form that is not understood");
    let raw = run(repository, program, &DIFFERENCE)?;
    let (mut listing, unmerged) = parse_difference(&raw).ok_or_else(unreadable)?;
    if unmerged {
        let raw = run(repository, program, &["ls-files", "--unmerged", "--full-name", "-z"])?;
        listing.extend(parse_unmerged(&raw).ok_or_else(unreadable)?);
    }
    Ok(listing)
}

fn run(repository: &StagedRepository, program: &Path, arguments: &[&str]) -> Result<Vec<u8>> {
    let mut command = Command::new(program);
    command.current_dir(&repository.work_tree).stdin(Stdio::null()).env_clear();
    command.env("GIT_DIR", repository.git_dir()).env("GIT_WORK_TREE", &repository.work_tree);
    command.env("GIT_INDEX_FILE", &repository.index_file);
    if let Some(folder) = &repository.object_directory {
        command.env("GIT_OBJECT_DIRECTORY", folder);
    }
    if let Some(alternates) = alternates(repository)? {
        command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", alternates);
    }
    command.env("GIT_CONFIG_GLOBAL", NULL_FILE).env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("GIT_ATTR_NOSYSTEM", "1").env("GIT_NO_REPLACE_OBJECTS", "1").env("GIT_NO_LAZY_FETCH", "1");
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_OPTIONAL_LOCKS", "0").env("LC_ALL", "C");
    command.args(["--no-pager", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-c"]);
    command.arg(format!("core.hooksPath={NULL_FILE}")).args(arguments);
    let output = command.output().map_err(Error::io(program))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        let words = words.lines().next().unwrap_or("it said nothing").escape_debug().to_string();
        return Err(failure(repository, &format!("git could not list the staged files ({}): {words}", output.status)));
    }
    Ok(output.stdout)
}

fn alternates(repository: &StagedRepository) -> Result<Option<OsString>> {
    if repository.alternates.is_empty() {
        return Ok(None);
    }
    let joined = std::env::join_paths(&repository.alternates);
    joined.map(Some).map_err(|error| failure(repository, &format!("the alternate object folders: {error}")))
}

/// Reads `:OLDMODE MODE OLDID ID STATUS NUL PATH NUL`. Says also whether there are conflicts, which this form names
/// without their blobs.
fn parse_difference(raw: &[u8]) -> Option<(Vec<Listed>, bool)> {
    let mut listing = Vec::new();
    let mut unmerged = false;
    let mut fields = raw.split(|&byte| byte == 0);
    while let Some(change) = fields.next().filter(|change| !change.is_empty()) {
        let words: Vec<&[u8]> = change.strip_prefix(b":")?.split(|&byte| byte == b' ').collect();
        let [_, mode, _, id, status] = words[..] else { return None };
        let path = fields.next().filter(|path| !path.is_empty())?;
        match status.first()? {
            b'D' => {}
            b'U' => unmerged = true,
            b'A' | b'M' | b'T' => listing.push(listed(mode, id, path)?),
            _ => return None,
        }
    }
    fields.next().is_none().then_some((listing, unmerged))
}

/// Reads `MODE ID STAGE TAB PATH NUL`.
fn parse_unmerged(raw: &[u8]) -> Option<Vec<Listed>> {
    let records = raw.split(|&byte| byte == 0).filter(|record| !record.is_empty());
    let parse = |record: &[u8]| {
        let tab = memchr::memchr(b'\t', record)?;
        let words: Vec<&[u8]> = record[..tab].split(|&byte| byte == b' ').collect();
        let [mode, id, _] = words[..] else { return None };
        listed(mode, id, &record[tab + 1..])
    };
    records.map(parse).collect()
}

fn listed(mode: &[u8], id: &[u8], path: &[u8]) -> Option<Listed> {
    let mode = u32::from_str_radix(std::str::from_utf8(mode).ok()?, 8).ok()?;
    let kind = EntryKind::from_mode(mode)?;
    Some(Listed { path: path.to_vec(), mode, kind, id: ObjectId::from_hex(id)? })
}

fn failure(repository: &StagedRepository, reason: &str) -> Error {
    Error::Repository { path: repository.index_file.clone(), reason: reason.to_owned() }
}
