//! Which objects folders a repository reads from: its own, those handed in, and those that `info/alternates` of each names.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::source::file::open_of_git;
use crate::source::git::object::{Unread, UnreadReason};

/// Git itself follows alternates no deeper.
const DEEPEST: usize = 5;
/// A longer list is no list of folders.
const LONGEST_FILE: u64 = 1 << 20;
/// So many folders are more than anybody has, and few enough to be opened.
const MOST_FOLDERS: usize = 1000;

/// Returns all folders to read, each once and the repository's own first. What is named but cannot be read is appended to
/// `unread`.
pub(crate) fn object_folders(own: &Path, extra: &[PathBuf], unread: &mut Vec<Unread>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut waiting: Vec<(PathBuf, usize)> = vec![(own.into(), 0)];
    waiting.extend(extra.iter().map(|folder| (folder.clone(), 0)));
    let mut next = 0;
    while next < waiting.len() {
        let (folder, depth) = waiting[next].clone();
        next += 1;
        match folder.canonicalize().and_then(|real| std::fs::read_dir(&real).map(|_| real)) {
            Err(error) => unread.push(fault(&folder, format!("this folder of objects cannot be read: {error}"))),
            Ok(real) if !seen.insert(real.clone()) => {}
            Ok(_) if found.len() == MOST_FOLDERS => {
                unread.push(fault(&folder, format!("more than {MOST_FOLDERS} folders of objects are not followed")));
                break;
            }
            Ok(real) => {
                let named = named_by(&real, depth, unread);
                waiting.extend(named.into_iter().map(|folder| (folder, depth + 1)));
                found.push(folder);
            }
        }
    }
    found
}

/// Returns the folders that the alternates file of one folder names.
fn named_by(folder: &Path, depth: usize, unread: &mut Vec<Unread>) -> Vec<PathBuf> {
    let file = folder.join("info").join("alternates");
    let lines = match read_lines(&file) {
        Ok(lines) => lines,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            unread.push(fault(&file, error.to_string()));
            return Vec::new();
        }
    };
    if depth >= DEEPEST && !lines.is_empty() {
        unread.push(fault(&file, format!("alternates of alternates are followed {DEEPEST} deep, as git does")));
        return Vec::new();
    }
    let mut folders = Vec::new();
    for line in lines {
        match unquote(&line) {
            Some(path) => folders.push(folder.join(path)),
            None => unread.push(fault(&file, "a quoted path in it is malformed".into())),
        }
    }
    folders
}

/// Returns the lines that are neither empty nor comments.
fn read_lines(file: &Path) -> io::Result<Vec<Vec<u8>>> {
    let mut bytes = Vec::new();
    open_of_git(file)?.take(LONGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST_FILE {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "too long for a list of folders"));
    }
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#"));
    Ok(lines.map(<[u8]>::to_vec).collect())
}

/// Takes git's quotes off a path that has them.
fn unquote(line: &[u8]) -> Option<PathBuf> {
    let Some(quoted) = line.strip_prefix(b"\"") else {
        return path(line.to_vec());
    };
    let mut plain = Vec::new();
    let mut bytes = quoted.iter().copied();
    loop {
        match bytes.next()? {
            b'"' => return path(plain),
            b'\\' => plain.push(unescape(&mut bytes)?),
            byte => plain.push(byte),
        }
    }
}

fn unescape(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    Some(match bytes.next()? {
        b'a' => 7,
        b'b' => 8,
        b't' => b'\t',
        b'n' => b'\n',
        b'v' => 11,
        b'f' => 12,
        b'r' => b'\r',
        plain @ (b'"' | b'\\') => plain,
        high @ b'0'..=b'3' => {
            let mut digit = || bytes.next().filter(|digit| (b'0'..=b'7').contains(digit)).map(|digit| digit - b'0');
            (high - b'0') << 6 | digit()? << 3 | digit()?
        }
        _ => return None,
    })
}

#[cfg(unix)]
fn path(bytes: Vec<u8>) -> Option<PathBuf> {
    let name: OsString = std::os::unix::ffi::OsStringExt::from_vec(bytes);
    Some(name.into())
}

#[cfg(not(unix))]
fn path(bytes: Vec<u8>) -> Option<PathBuf> {
    String::from_utf8(bytes).ok().map(OsString::from).map(PathBuf::from)
}

fn fault(path: &Path, how: String) -> Unread {
    Unread { id: None, place: path.display().to_string(), reason: UnreadReason::Damaged(how) }
}
