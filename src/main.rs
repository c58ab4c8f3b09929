//! The command line of credtrace.

fn main() {}
