//! Detectors: what is known of each credential, as data, and the checks that keep it true.

pub mod compile;
