//! Git repositories, read by objects and never by diffs.
//!
//! [`objects::Objects`] is every object store of one repository as one; [`object`] is the interface through which a walk
//! hands objects out. The other modules are parts of the walk and know nothing of refs, paths or commits.

mod alternates;
mod buffers;
mod delta;
mod forest;
mod index_file;
mod loose;
pub mod object;
pub mod objects;
mod pack;
pub mod provenance;
pub mod range;
pub mod refs;
mod tree_walk;
mod walk;

#[cfg(test)]
mod fixtures;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod pack_builder;
#[cfg(test)]
mod walk_tests;
