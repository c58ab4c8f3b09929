//! How the program ends: the one place where results become exit codes.

use std::process::ExitCode;

use super::args::FailOn;
use crate::finding::{Finding, IdentityStatus, Liveness, Report};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Complete, and nothing to report.
    Clean,
    /// Complete, and something to report.
    Findings,
    /// Not everything that was asked could be done.
    Failed,
    /// A person stopped it.
    Interrupted,
}

impl Status {
    /// The status of a report: what is incomplete wins over what was found.
    pub fn of(report: &Report, fail_on: FailOn) -> Self {
        let counts = |finding: &Finding| match fail_on {
            // What a policy fails on is asked before; nothing else counts then.
            FailOn::Any => true,
            FailOn::Policy => false,
            FailOn::Unlinked => finding.identity.status != IdentityStatus::Linked,
            FailOn::Live => matches!(finding.verification.state, Liveness::Live | Liveness::Limited),
        };
        match (report.summary.complete, report.findings.iter().any(counts)) {
            (false, _) => Self::Failed,
            (true, true) => Self::Findings,
            (true, false) => Self::Clean,
        }
    }

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings => 1,
            Self::Failed => 2,
            Self::Interrupted => 130,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}

/// Whether an error only says that the reader of our output has gone.
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<std::io::Error>())
        .any(|cause| cause.kind() == std::io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_the_documented_ones() {
        let codes = [Status::Clean, Status::Findings, Status::Failed, Status::Interrupted].map(Status::code);
        assert_eq!(codes, [0, 1, 2, 130]);
    }
}
