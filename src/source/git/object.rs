//! Names of what git stores, and the interface through which a walk hands objects out.

use std::fmt;

/// The id of an object: a SHA-1 of 20 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub [u8; 20]);

impl ObjectId {
    /// Reads an id from exactly 20 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Reads an id from exactly 40 hexadecimal digits.
    pub fn from_hex(text: &[u8]) -> Option<Self> {
        if text.len() != 40 {
            return None;
        }
        let mut bytes = [0; 20];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = hex_digit(pair[0])? << 4 | hex_digit(pair[1])?;
        }
        Some(Self(bytes))
    }
}

fn hex_digit(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

impl fmt::Display for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// What sort of object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectKind {
    /// A commit.
    Commit,
    /// A tree.
    Tree,
    /// A file's content.
    Blob,
    /// An annotated tag.
    Tag,
}

/// A stretch of an object that is the same bytes as a stretch of its delta base. Neighbouring copies that are contiguous
/// in both are joined; runs are in order of `start` and do not overlap in the child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CopiedRun {
    /// Where it begins in the object.
    pub start: usize,
    /// Where it begins in the base.
    pub base_start: usize,
    /// How many bytes.
    pub length: usize,
}

/// What an object takes over from its delta base.
#[derive(Debug)]
pub struct Inherited<'walk, State> {
    /// What the visitor made of the base.
    pub base: &'walk State,
    /// The base's length in bytes.
    pub base_length: usize,
    /// The bytes that both share.
    pub runs: &'walk [CopiedRun],
}

/// One object, whole.
#[derive(Debug)]
pub struct Object<'walk, State> {
    /// Its id.
    pub id: ObjectId,
    /// Its sort.
    pub kind: ObjectKind,
    /// Its bytes.
    pub data: &'walk [u8],
    /// Its base, where it is stored as a delta against an object that was visited just before.
    pub inherited: Option<Inherited<'walk, State>>,
}

/// Takes objects in the order in which a pack is cheapest to read, on several threads.
pub trait Visitor: Sync {
    /// Buffers of one thread.
    type Worker: Send;
    /// What a delta child may take over from its base.
    type State: Send;

    /// Makes the buffers of one thread.
    fn worker(&self) -> Self::Worker;

    /// Takes one object; what it returns is handed to the object's delta children.
    fn visit(&self, worker: &mut Self::Worker, object: Object<'_, Self::State>) -> Self::State;
}

/// What a walk could not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The object, where its id is known.
    pub id: Option<ObjectId>,
    /// Where it is stored.
    pub place: String,
    /// Why.
    pub reason: UnreadReason,
}

/// Why an object was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnreadReason {
    /// It is larger than the declared limit: counted as skipped, not as a fault.
    TooLarge {
        /// Its size in bytes.
        size: u64,
    },
    /// It is damaged; the text says how.
    Damaged(String),
}
