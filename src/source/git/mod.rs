//! Git repositories, read by objects and never by diffs.
//!
//! [`repository`] opens one; [`objects::Objects`] is every object store of it as one, and [`object`] the interface through
//! which a walk hands objects out; [`refs`] and [`provenance`] say where a blob occurs, [`index`] and [`staged`] what the
//! next commit adds. The other modules are parts of the walk and know nothing of refs, paths or commits.

mod alternates;
mod buffers;
mod delta;
#[doc(hidden)]
pub mod floor;
mod forest;
pub mod index;
mod index_file;
mod loose;
pub mod object;
pub mod objects;
mod pack;
pub mod provenance;
pub mod range;
pub mod refs;
pub mod repository;
pub mod staged;
mod tree_walk;
mod walk;

#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod pack_builder;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod walk_tests;
