//! Small applications made of this crate's pieces, spoken to over HTTP.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod bodies;
mod callers;
mod codes;
mod documents;
mod edges;
mod idempotency;
mod local_channels;
mod queries;
mod remote_channels;
mod revocations;
mod support;
mod versions;
