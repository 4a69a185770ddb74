//! The front door over real connections: TLS, limits, and services here and elsewhere.
#![allow(clippy::unwrap_used, clippy::panic)]

mod connections;
mod door;
mod forwarding;
mod manners;
