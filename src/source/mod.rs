//! Where text comes from: trees of files, standard input, archives and git. A source hands out bytes and knows nothing of secrets.

pub mod archive;
pub mod file;
pub mod git;
pub(crate) mod mmap;
mod skip;

pub use skip::Skip;
