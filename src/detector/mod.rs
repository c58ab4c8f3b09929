//! Detectors: what is known of each credential, as data, and the checks that keep it true.

pub mod checksum;
pub mod claims;
pub mod compile;
pub mod example;
pub mod registry;

#[cfg(test)]
mod built_in_tests;

pub use registry::Registry;
