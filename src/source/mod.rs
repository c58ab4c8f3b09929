//! Where text comes from: trees of files, standard input and git. A source hands out bytes and knows nothing of secrets.

pub mod file;
pub mod git;
pub(crate) mod mmap;
mod skip;

pub use skip::Skip;
