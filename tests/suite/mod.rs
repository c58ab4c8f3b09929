//! The themes of the integration tests; `project` checks that none is forgotten here.

mod boundaries;
mod broken;
mod cli;
mod corpora;
mod detectors;
mod determinism;
mod files;
mod history;
mod hook;
mod hook_failures;
mod hostile_files;
mod hostile_repository;
mod output;
mod places;
mod project;
mod setup;
