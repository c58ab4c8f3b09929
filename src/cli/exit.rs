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
    let kind = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref::<std::io::Error>() {
        Some(cause) => Some(cause.kind()),
        // It hides the error that it passes on.
        None => cause.downcast_ref::<serde_json::Error>()?.io_error_kind(),
    };
    error.chain().any(|cause| kind(cause) == Some(std::io::ErrorKind::BrokenPipe))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_the_documented_ones() {
        let codes = [Status::Clean, Status::Findings, Status::Failed, Status::Interrupted].map(Status::code);
        assert_eq!(codes, [0, 1, 2, 130]);
    }

    #[test]
    fn a_reader_that_has_gone_is_no_fault_however_it_was_written_to() {
        struct Gone;
        impl std::io::Write for Gone {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let json = serde_json::to_writer(Gone, "text").expect_err("nobody reads");
        assert!(is_broken_pipe(&json.into()));
        assert!(is_broken_pipe(&std::io::Error::from(std::io::ErrorKind::BrokenPipe).into()));
        assert!(!is_broken_pipe(&std::io::Error::other("full").into()));
    }
}
