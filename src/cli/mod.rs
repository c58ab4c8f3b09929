//! The command line: the only part that knows clap, the environment, standard streams and exit codes.

pub mod accepted;
pub mod actor;
pub mod args;
pub mod commands;
pub mod enrich;
pub mod exit;
pub mod home;
pub mod panics;
pub mod progress;
pub mod resolve;
pub mod verifying;

use std::ffi::OsString;

use clap::Parser;

use self::args::{Arguments, Command};
use self::exit::Status;

/// Runs the program on its arguments and returns how it ends. A panic is an end too: see [`panics`].
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> Status {
    panics::guarded(|| run(arguments))
}

fn run(arguments: impl IntoIterator<Item = OsString>) -> Status {
    let parsed = match Arguments::try_parse_from(arguments) {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version are answers, anything else is a fault of usage.
            let status = if error.use_stderr() { Status::Failed } else { Status::Clean };
            return if error.print().is_ok() { status } else { Status::Failed };
        }
    };
    let result = match parsed.command {
        Command::Scan(arguments) => commands::scan::run(*arguments),
        Command::Hook(arguments) => commands::hook::run(&arguments),
        Command::Inventory(arguments) => commands::inventory::run(&arguments),
        Command::Enroll(arguments) => commands::enroll::run(&arguments),
        Command::Who(arguments) => commands::who::run(&arguments),
        Command::Map(arguments) => commands::map::run(&arguments),
        Command::Blast(arguments) => commands::blast::run(&arguments),
        Command::Check(arguments) => commands::check::run(&arguments),
        Command::Review(arguments) => commands::review::run(&arguments),
        Command::Offboard(arguments) => commands::offboard::run(&arguments),
        Command::Evidence(arguments) => commands::evidence::run(&arguments),
        Command::Runbook(arguments) => commands::runbook::run(&arguments),
        Command::Verify(arguments) => commands::verify::run(&arguments),
        Command::Link(arguments) => commands::link::run(&arguments),
        Command::Detectors(arguments) => commands::detectors::run(&arguments),
        Command::Revoke(arguments) => commands::revoke::run(&arguments),
        Command::Generate(arguments) => commands::generate::run(&arguments),
    };
    result.unwrap_or_else(|error| {
        if exit::is_broken_pipe(&error) {
            return Status::Clean;
        }
        // An error quotes what a person or a repository named, which may be anything.
        talk(&format!("credtrace: {}", crate::report::escape::terminal(&format!("{error:#}"))));
        Status::Failed
    })
}

/// Says something on standard error. Where even that fails there is nobody left to tell.
pub fn talk(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}
