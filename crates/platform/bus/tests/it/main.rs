//! One suite for every way of carrying events: the outbox on both databases, and NATS.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod delivery;
mod reactions;
mod setup;
