//! Mail as its callers see it: one suite over the folder and a real server, then what only a server can do.

#![allow(clippy::unwrap_used)]

mod conformance;
mod server;
