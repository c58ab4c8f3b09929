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
    /// What a shallow or partial clone does not have.
    NotInClone,
    /// A path longer or deeper than the limit.
    TooDeep,
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
            Self::NotInClone => "not-in-clone",
            Self::TooDeep => "too-deep",
        }
    }

    /// Whether it is a limit that `--strict` turns into an incomplete scan.
    pub fn is_limit(self) -> bool {
        !matches!(self, Self::Symlink | Self::Special)
    }
}
