//! The importers on samples in the providers' documented forms, each with its awkward cases.

mod lists;
mod providers;
mod samples;
