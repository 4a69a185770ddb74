//! Streams over HTTP, fed by the reactions, on both engines.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod listener;
mod streams;
