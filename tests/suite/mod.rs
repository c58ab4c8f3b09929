//! The themes of the integration tests; `project` checks that none is forgotten here.

mod boundaries;
mod broken;
mod changing_files;
mod cli;
mod control_characters;
mod corpora;
mod detectors;
mod determinism;
mod encodings;
mod engines;
mod files;
mod fuzz;
mod history;
mod hook;
mod hook_failures;
mod hook_hangs;
mod hostile_files;
mod hostile_objects;
mod hostile_repository;
mod hostile_text;
mod leaks;
mod output;
mod places;
mod project;
mod readme;
mod setup;
