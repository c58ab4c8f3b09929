//! The command line: the only part that knows clap, the environment, standard streams and exit codes.

pub mod actor;
pub mod agents;
pub mod args;
pub mod commands;
pub mod enrich;
pub mod exit;
pub mod home;
pub mod known;
pub mod narration;
pub mod panics;
pub mod progress;
pub mod quiet;
pub mod resolve;
pub mod value;
pub mod verifying;
pub mod words;

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
            return if error.use_stderr() { misused(&error) } else { answered(&error) };
        }
    };
    let result = match parsed.command {
        Command::Scan(arguments) => commands::scan::run(*arguments),
        Command::Baseline(arguments) => commands::baseline::run(&arguments),
        Command::Merge(arguments) => commands::merge::run(&arguments),
        Command::Diff(arguments) => commands::diff::run(&arguments),
        Command::Scrub(arguments) => commands::scrub::run(&arguments),
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
        talk(&format!("credtrace: {}", words::of_error(&error)));
        Status::Failed
    })
}

/// Prints help or the version.
fn answered(answer: &clap::Error) -> Status {
    match answer.print() {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Status::Failed,
        _ => Status::Clean,
    }
}

/// Says what is wrong with the arguments, which it quotes: one of them may be a credential.
fn misused(error: &clap::Error) -> Status {
    let plain = error.render().to_string();
    let safe = words::without_credentials(&plain);
    if safe == plain {
        // In colours, on a terminal.
        let _ = error.print();
    } else {
        talk(safe.trim_end());
    }
    Status::Failed
}

/// Says something on standard error. Where even that fails there is nobody left to tell.
pub fn talk(text: &str) {
    use std::io::Write;
    // In one piece, or the lines of two threads would run into each other.
    let _ = std::io::stderr().write_all(format!("{text}\n").as_bytes());
}
