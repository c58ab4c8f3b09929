//! credtrace finds the API keys and tokens that AI workloads authenticate with, wherever they leaked.
//!
//! Most people want the program; its README is the way in. This page is for those who put the scanner into a program of
//! their own.
//!
//! # Text in memory
//!
//! A [`Registry`](detector::registry::Registry) holds the detectors, a [`TextScanner`](scan::text::TextScanner) is shared by
//! all threads, and each thread has a worker. What is found comes with its place, and its secret comes out only where
//! [`Secret::expose`](secret::Secret::expose) is called.
//!
//! ```
//! use credtrace::detector::example::{Generator, expand};
//! use credtrace::detector::registry::Registry;
//! use credtrace::matcher::engine::{EngineChoice, Workload};
//! use credtrace::scan::text::TextScanner;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = Registry::built_in();
//! let scanner = TextScanner::new(&registry, EngineChoice::Fastest, Workload::Small, false)?;
//!
//! // A made-up key: no file of ours holds one.
//! let text = expand("log line\nexport KEY=sk-ant-api03-{93:url}AA\n", &mut Generator::new(1))?;
//! let hits = scanner.worker()?.scan(&text)?;
//!
//! let found = &hits.located[0];
//! assert_eq!(registry.detector(found.candidate.detector).provider, "anthropic");
//! assert_eq!((found.line, found.column), (2, 12));
//! assert!(found.candidate.secret.redacted(found.candidate.head).starts_with("sk-ant-api03-…"));
//! # Ok(())
//! # }
//! ```
//!
//! # Folders, repositories, files
//!
//! [`scan::run()`] is the whole scan behind `credtrace scan`. It never fails halfway: what could not be done stands in the
//! report, whose summary says whether it is complete.
//!
//! ```
//! use credtrace::detector::registry::Registry;
//! use credtrace::scan::{self, NoProgress, ScanOptions};
//! use credtrace::secret::FingerprintKey;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! std::fs::write(folder.path().join("notes.txt"), "nothing secret\n")?;
//!
//! let options = ScanOptions::new(vec![folder.path().into()], FingerprintKey::ephemeral()?);
//! let outcome = scan::run(&options, &Registry::built_in(), &NoProgress, &mut std::io::empty());
//!
//! assert!(outcome.report.summary.complete && outcome.report.findings.is_empty());
//! assert_eq!(outcome.report.summary.blobs_scanned, 1);
//! # Ok(())
//! # }
//! ```
//!
//! # Inside
//!
//! Data flows one way, and a module knows those to its left and none to its right:
//!
//! ```text
//! source -> blob -> anchors -> windows -> candidates -> filters -> findings -> (verify) -> (identity) -> report
//! ```
//!
//! [`verify`] asks providers and is the only module that opens sockets; [`identity`] says whose a credential is. It reads
//! [`inventory`], the records of people, identities and credentials, which lie in [`store`], one SQLite file. Both are left
//! out unless a program calls them: [`scan::run()`] alone sends nothing and opens no store.

pub mod baseline;
pub mod cli;
pub mod credential;
pub mod detector;
pub mod error;
pub mod filter;
pub mod finding;
pub mod identity;
pub mod inventory;
pub mod matcher;
pub mod report;
pub mod scan;
pub mod secret;
pub mod source;
pub mod store;
mod sync;
pub mod verify;

pub use error::{Error, Problem, Result};
