//! Where hits of a repository occur: in a blob at a path, in a message, in a commit's header.

use super::archives::{Member, Unpacked};
use super::collect::{Hit, Scene};
use super::text::TextHits;
use crate::finding::SourceKind;
use crate::source::git::object::{ObjectId, ObjectKind};
use crate::source::git::provenance::commits::{Commits, parse_commit};

/// An object with something in it.
pub(super) struct Found {
    pub(super) id: ObjectId,
    pub(super) kind: ObjectKind,
    /// For commits and tags: where the message begins.
    pub(super) message: usize,
    /// The path of the member that it was found in, where the blob is an archive; else empty.
    pub(super) member: Vec<u8>,
    pub(super) hits: TextHits,
}

impl Found {
    /// What stands in an object itself.
    pub(super) fn in_object(id: ObjectId, kind: ObjectKind, data: &[u8], hits: TextHits) -> Self {
        Self { id, kind, message: message_start(kind, data), member: Vec::new(), hits }
    }

    /// What stands in the members of a blob that is an archive.
    pub(super) fn in_members(id: ObjectId, unpacked: Unpacked) -> impl Iterator<Item = Self> {
        let found = move |member: Member| Self {
            id,
            kind: ObjectKind::Blob,
            message: 0,
            member: member.path,
            hits: member.hits,
        };
        unpacked.members.into_iter().map(found)
    }

    /// The path of what was found in a blob that lies at `path`.
    pub(super) fn path(&self, path: &[u8]) -> Vec<u8> {
        [path, &self.member].concat()
    }

    /// What sort of object, in words.
    pub(super) fn kind_name(&self) -> &'static str {
        match self.kind {
            ObjectKind::Commit => "commit",
            ObjectKind::Tree => "tree",
            ObjectKind::Blob => "blob",
            ObjectKind::Tag => "tag",
        }
    }
}

/// Where the message of a commit or tag begins in its bytes; zero for other objects.
fn message_start(kind: ObjectKind, data: &[u8]) -> usize {
    match kind {
        ObjectKind::Commit => data.len() - parse_commit(data).message.len(),
        ObjectKind::Tag => memchr::memmem::find(data, b"\n\n").map_or(data.len(), |end| end + 2),
        ObjectKind::Tree | ObjectKind::Blob => 0,
    }
}

/// What is known of all places of a repository.
pub(super) struct Scenes<'scan> {
    /// The target as it was given.
    pub(super) target: &'scan str,
    /// Authors and dates.
    pub(super) commits: &'scan Commits,
}

impl Scenes<'_> {
    /// Adds the hits in a commit's or tag's own text.
    pub(super) fn message_hits(&self, found: &Found, hits: &mut Vec<Hit>) {
        for located in &found.hits.located {
            let in_message = located.candidate.start >= found.message;
            let path: &[u8] = match (found.kind, in_message) {
                (ObjectKind::Tag, _) => b"<tag message>",
                (_, true) => b"<commit message>",
                (_, false) => b"<commit header>",
            };
            let mut scene = self.scene(path, found, Some(&found.id));
            scene.blob = None;
            hits.push(scene.hit(located, 0));
        }
    }

    pub(super) fn scene(&self, path: &[u8], found: &Found, commit: Option<&ObjectId>) -> Scene {
        let mut scene = Scene::plain(SourceKind::Git, self.target, &found.path(path));
        scene.blob = Some(found.id.to_string());
        scene.commit = commit.map(ToString::to_string);
        if let Some(known) = commit.and_then(|commit| self.commits.get(commit)) {
            scene.author = Some(String::from_utf8_lossy(known.author).into_owned());
            let date = known.author_time.and_then(|time| time.rfc3339());
            scene.date = Some(date.unwrap_or_else(|| "invalid".into()));
        }
        scene
    }
}
