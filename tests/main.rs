//! The integration tests: the program as its users run it, against the contract of its command line.
//!
//! One binary, one module a theme, so that it links once. What a library test can prove stays in the library; these
//! prove wiring, and what an attacker or an accident can do from outside. Keys are made up at run time from shapes: no
//! file of this project holds a string that credtrace would report.
//!
//! `CREDTRACE_TEST_BIN` names another binary to test, for example a release build.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on must panic")]
#![allow(clippy::print_stderr, reason = "a test that cannot run here says why")]

mod harness;
mod suite;
