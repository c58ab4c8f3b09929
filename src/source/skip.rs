//! Why something is not scanned although nothing failed.

/// A reason to skip, each counted in the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Skip {
    /// It is larger than the limit.
    TooLarge,
    /// A symbolic link; what it points at is scanned where it lies.
    Symlink,
    /// A pipe, socket or device.
    Special,
    /// It was gone or another file by the time it was read.
    ChangedDuringScan,
    /// Further candidates of one detector in one text, beyond the cap.
    MatchCap,
    /// A stretch of text so full of beginnings of credentials that not all of them were looked at.
    WorkCap,
    /// What a shallow or partial clone does not have.
    NotInClone,
    /// A path longer or deeper than the limit.
    TooDeep,
    /// A member of an archive is larger than the limit; its beginning was scanned.
    ArchiveMember,
    /// More came out of an archive than the limit for all of it; what came before was scanned.
    ArchiveTotal,
    /// Far more came out of a decoder than went in; what came before was scanned.
    ArchiveRatio,
    /// An archive has more members than the limit.
    ArchiveEntries,
    /// Archives lie deeper in each other than the limit; the innermost was scanned as it is.
    ArchiveDepth,
    /// An archive within another, or a decoder, needs more memory than the limit.
    ArchiveMemory,
    /// A member of an archive is encrypted.
    ArchiveEncrypted,
    /// An archive, or a member of one, is packed in a way that is not read.
    ArchiveFormat,
    /// An archive, or a member of one, cannot be decoded; its bytes were scanned as they are.
    ArchiveDamaged,
}

impl Skip {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Symlink => "symlink",
            Self::Special => "special-file",
            Self::ChangedDuringScan => "changed-during-scan",
            Self::MatchCap => "match-cap",
            Self::WorkCap => "work-cap",
            Self::NotInClone => "not-in-clone",
            Self::TooDeep => "too-deep",
            Self::ArchiveMember => "archive-member-size",
            Self::ArchiveTotal => "archive-total-size",
            Self::ArchiveRatio => "archive-ratio",
            Self::ArchiveEntries => "archive-entries",
            Self::ArchiveDepth => "archive-depth",
            Self::ArchiveMemory => "archive-memory",
            Self::ArchiveEncrypted => "archive-encrypted",
            Self::ArchiveFormat => "archive-format",
            Self::ArchiveDamaged => "archive-damaged",
        }
    }

    /// Whether it is a limit that `--strict` turns into an incomplete scan.
    pub fn is_limit(self) -> bool {
        !matches!(self, Self::Symlink | Self::Special)
    }
}
