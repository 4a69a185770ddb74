//! Each engine is started and spoken to by the client that Souk uses.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // A test ends where its ground gives way.

mod nats;
mod postgres;
mod redis;
mod s3;
mod server;
mod smtp;
