//! Refs in all the forms in which git leaves them, written by hand and by git.

use super::*;

fn id(byte: u8) -> ObjectId {
    ObjectId([byte; 20])
}

fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn read(folder: &tempfile::TempDir) -> Refs {
    Refs::read_folders(folder.path(), folder.path()).unwrap()
}

fn named(refs: &Refs) -> Vec<(&str, RefKind, ObjectId, Option<ObjectId>)> {
    refs.refs.iter().map(|one| (std::str::from_utf8(&one.name).unwrap(), one.kind, one.id, one.peeled)).collect()
}

#[test]
fn packed_refs_keep_what_tags_lead_to_and_loose_refs_replace_them() {
    let packed = format!(
        "# pack-refs with: peeled fully-peeled sorted \n{} refs/heads/main\n{} refs/pull/1/head\n{} refs/tags/v1\n^{}\n\
         rubbish\n{}refs/heads/x\n",
        id(1),
        id(2),
        id(3),
        id(4),
        id(5)
    );
    let folder = folder(&[
        ("HEAD", "ref: refs/heads/main\n".to_owned()),
        ("packed-refs", packed),
        ("refs/heads/main", format!("{}\n", id(9))),
        ("refs/heads/main.lock", format!("{}\n", id(8))),
        ("refs/heads/odd", "nothing".to_owned()),
        ("refs/remotes/origin/HEAD", "ref: refs/heads/main".to_owned()),
        ("refs/remotes/origin/gone", "ref: refs/heads/gone".to_owned()),
        ("refs/stash", format!("{}\n", id(7))),
    ]);
    let refs = read(&folder);
    assert_eq!(refs.head, Some(id(9)));
    let expected = [
        ("HEAD", RefKind::Head, id(9), None),
        ("refs/heads/main", RefKind::Branch, id(9), None),
        ("refs/pull/1/head", RefKind::Other, id(2), None),
        ("refs/remotes/origin/HEAD", RefKind::RemoteBranch, id(9), None),
        ("refs/stash", RefKind::Stash, id(7), None),
        ("refs/tags/v1", RefKind::Tag, id(3), Some(id(4))),
    ];
    assert_eq!(named(&refs), expected);
    assert_eq!(refs.problems.len(), 2, "{:?}", refs.problems);
}

#[test]
fn heads_of_every_sort_and_reflogs_are_read() {
    let log = |old: u8, new: u8| format!("{} {} A <a@example.org> 1 +0000\tcommit: x\n", id(old), id(new));
    let long = format!("{} {} A <a@example.org> 1 +0000\t{}\n", id(7), id(6), "x".repeat(200_000));
    let folder = folder(&[
        ("HEAD", format!("{}\n", id(1))),
        ("FETCH_HEAD", format!("{}\t\tbranch 'a' of x\n{}\tnot-for-merge\tbranch 'b' of x\n", id(2), id(3))),
        ("ORIG_HEAD", format!("{}\n", id(4))),
        ("logs/HEAD", log(0, 1) + &long + &log(1, 5)),
        ("logs/refs/stash", log(0, 8)),
        ("worktrees/side/HEAD", "ref: refs/heads/side\n".to_owned()),
        ("worktrees/side/refs/bisect/bad", format!("{}\n", id(10))),
        ("worktrees/side/logs/HEAD", log(0, 11)),
        ("refs/heads/side", format!("{}\n", id(12))),
        ("config", "HEAD".to_owned()),
    ]);
    let refs = read(&folder);
    let names: Vec<_> = refs.refs.iter().map(|one| String::from_utf8_lossy(&one.name).into_owned()).collect();
    let expected = [
        "FETCH_HEAD",
        "FETCH_HEAD#2",
        "HEAD",
        "ORIG_HEAD",
        "refs/heads/side",
        "worktrees/side/HEAD",
        "worktrees/side/refs/bisect/bad",
    ];
    assert_eq!(names, expected);
    assert_eq!(refs.refs[0].kind, RefKind::Pseudo);
    assert_eq!((refs.refs[5].kind, refs.refs[5].id), (RefKind::WorkTree, id(12)));
    assert_eq!(refs.reflog_ids, [1, 5, 6, 7, 8, 11].map(id));
    assert_eq!(refs.problems, []);
    let side = folder.path().join("worktrees/side");
    assert_eq!(Refs::read_folders(&side, folder.path()).unwrap().head, Some(id(12)));
}

#[test]
fn an_unborn_head_is_none_and_a_missing_or_looping_one_is_told() {
    let unborn = folder(&[("HEAD", "ref: refs/heads/main\n".to_owned())]);
    assert_eq!(read(&unborn).head, None);
    let looping = folder(&[
        ("HEAD", "ref: refs/heads/a\n".to_owned()),
        ("refs/heads/a", "ref: refs/heads/b\n".to_owned()),
        ("refs/heads/b", "ref: refs/heads/a\n".to_owned()),
    ]);
    assert_eq!((read(&looping).head, read(&looping).refs.len()), (None, 0));
    for files in [vec![], vec![("HEAD", "zzz".to_owned())], vec![("HEAD", String::new())]] {
        let folder = folder(&files);
        assert!(Refs::read_folders(folder.path(), folder.path()).is_err(), "{files:?}");
    }
    let tables = folder(&[("HEAD", format!("{}\n", id(1))), ("reftable/tables.list", String::new())]);
    let error = Refs::read_folders(tables.path(), tables.path()).unwrap_err();
    assert!(error.to_string().contains("reftable"), "{error}");
}
