//! Whether a credential still works: asked of its provider, of the provider alone, and only where a person asked for it.
//!
//! Data flows one way: a policy decides whether and whom to ask, a request is made of the detector's own description, the
//! client sends it, and the answer is judged by the statuses and fields that the provider documents. Everything else is
//! unknown. This module finds no credentials and writes no report.

pub mod address;
mod answer;
pub mod cache;
pub mod canary;
pub mod client;
mod der;
mod dial;
pub mod endpoints;
pub mod exchange;
mod guard;
mod login;
mod offline;
pub mod pace;
pub mod plan;
mod published;
mod request;
pub mod revoke;
pub mod run;
mod sign;

#[cfg(test)]
mod proof_tests;
#[cfg(test)]
pub(crate) mod testing;

#[cfg(test)]
#[path = "../../tests/harness/server.rs"]
pub(crate) mod test_server;

#[cfg(test)]
#[path = "../../tests/harness/rsa_key.rs"]
pub(crate) mod test_key;
