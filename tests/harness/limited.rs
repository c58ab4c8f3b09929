//! Runs under limits of the system, and how large the tests are.

use std::ffi::OsString;

use super::Invocation;

/// How many times larger than by default the tests with much data are: `CREDTRACE_TEST_SCALE`, for release builds.
pub(crate) fn scale() -> usize {
    std::env::var("CREDTRACE_TEST_SCALE").ok().and_then(|scale| scale.parse().ok()).unwrap_or(1)
}

impl Invocation {
    /// Gives the program so many mebibytes of addresses and no more; maps of files, stacks and code count too.
    pub(crate) fn within_memory(self, mebibytes: usize) -> Self {
        self.limited(&format!("ulimit -v {}", mebibytes << 10))
    }

    /// Gives the program so many seconds of processor time, over all threads; what else the machine does is not counted.
    pub(crate) fn within_processor_time(self, seconds: u64) -> Self {
        self.limited(&format!("ulimit -t {seconds}"))
    }

    fn limited(mut self, limit: &str) -> Self {
        let script = format!("{limit} && exec \"$@\"");
        let mut arguments: Vec<OsString> = vec!["-c".into(), script.into(), "sh".into()];
        arguments.push(std::mem::replace(&mut self.program, "sh".into()).into());
        arguments.append(&mut self.arguments);
        self.arguments = arguments;
        self
    }
}
