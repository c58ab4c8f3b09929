//! The importers on samples in the providers' documented forms, each with its awkward cases.

mod hostile;
mod lists;
mod pages;
mod providers;
mod samples;
mod store;
