//! One suite for every way of carrying events: the outbox on both databases, and NATS.

mod delivery;
mod reactions;
mod setup;
