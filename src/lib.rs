//! credtrace finds the API keys and tokens that AI workloads authenticate with, wherever they leaked.
//!
//! Data flows one way, and a module knows those to its left and none to its right:
//!
//! ```text
//! source -> blob -> anchors -> windows -> candidates -> filters -> findings -> report
//! ```

pub mod cli;
pub mod detector;
pub mod error;
pub mod filter;
pub mod finding;
pub mod matcher;
pub mod report;
pub mod scan;
pub mod secret;
pub mod source;

pub use error::{Error, Problem, Result};
