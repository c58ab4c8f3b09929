//! The entries of a tree object, read one by one, tolerant of damage.

use crate::source::git::object::ObjectId;

/// What a tree entry names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum EntryKind {
    /// A file or a symbolic link; also an entry with a mode that git never writes, since its id may name a blob.
    Blob,
    /// A folder.
    Tree,
    /// A commit of another repository.
    Submodule,
}

/// One entry: mode in octal digits, a space, the name, a zero byte, the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry<'data> {
    pub(crate) kind: EntryKind,
    pub(crate) name: &'data [u8],
    pub(crate) id: ObjectId,
    /// Where the next entry begins.
    pub(crate) end: usize,
}

/// No mode is longer than six digits; some room for leading zeros.
const LONGEST_MODE: usize = 12;

/// Reads the entry that begins at `start`; `None` where it is cut off or none at all.
pub(crate) fn entry_at(data: &[u8], start: usize) -> Option<Entry<'_>> {
    let rest = data.get(start..)?;
    let space = rest.iter().take(LONGEST_MODE + 1).position(|&byte| byte == b' ')?;
    let after = &rest[space + 1..];
    let zero = memchr::memchr(0, after)?;
    let id = ObjectId::from_bytes(after.get(zero + 1..zero + 21)?)?;
    let kind = kind_of(&rest[..space]);
    Some(Entry { kind, name: &after[..zero], id, end: start + space + 1 + zero + 21 })
}

fn kind_of(mode: &[u8]) -> EntryKind {
    let digits = mode.iter().all(|digit| (b'0'..=b'7').contains(digit));
    let value = mode.iter().fold(0_u64, |value, digit| value << 3 | u64::from(digit & 7));
    match value & 0o170_000 {
        0o040_000 if digits => EntryKind::Tree,
        0o160_000 if digits => EntryKind::Submodule,
        _ => EntryKind::Blob,
    }
}

/// All entries of a tree. The second part tells whether bytes were left that are no entry.
pub(crate) fn entries(data: &[u8]) -> (Vec<Entry<'_>>, bool) {
    let mut found = Vec::new();
    let mut position = 0;
    while let Some(entry) = entry_at(data, position) {
        position = entry.end;
        found.push(entry);
    }
    (found, position < data.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(mode: &str, name: &str, id: u8) -> Vec<u8> {
        [mode.as_bytes(), b" ", name.as_bytes(), b"\0", &[id; 20]].concat()
    }

    #[test]
    fn modes_tell_files_folders_and_submodules_apart() {
        let cases = [
            ("100644", EntryKind::Blob),
            ("120000", EntryKind::Blob),
            ("40000", EntryKind::Tree),
            ("040000", EntryKind::Tree),
            ("160000", EntryKind::Submodule),
            ("", EntryKind::Blob),
            ("4000x", EntryKind::Blob),
            ("777777777777", EntryKind::Blob),
        ];
        let data: Vec<u8> = cases.iter().flat_map(|(mode, _)| entry(mode, "n", 3)).collect();
        let (found, damaged) = entries(&data);
        assert!(!damaged);
        assert_eq!(found.iter().map(|entry| entry.kind).collect::<Vec<_>>(), cases.map(|(_, kind)| kind));
    }

    #[test]
    fn a_tree_cut_anywhere_keeps_its_whole_entries() {
        let one = entry("100644", "a b", 0);
        let data = [one.clone(), entry("40000", "d", b' ')].concat();
        for cut in 0..data.len() {
            let (found, damaged) = entries(&data[..cut]);
            assert_eq!(found.len(), usize::from(cut >= one.len()), "{cut}");
            assert_eq!(damaged, cut != 0 && cut != one.len(), "{cut}");
        }
        assert_eq!(entries(&data).0[0].name, b"a b");
    }

    #[test]
    fn what_is_no_entry_ends_the_tree() {
        assert_eq!(entries(b"no zero byte in here at all........."), (vec![], true));
        assert_eq!(entries(&[b'1'; 64]), (vec![], true));
    }
}
