//! The command line of credtrace: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    credtrace::cli::main(std::env::args_os()).into()
}
