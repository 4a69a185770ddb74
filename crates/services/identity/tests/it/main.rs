//! Journeys over HTTP on the service's own router, with its real database, vault, cache and mail folder.
// A test says what it expects by unwrapping.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod abuse;
mod api;
mod audit;
mod erasure;
mod import;
mod keys;
mod passwords;
mod refresh;
mod sessions;
mod shop;
mod signin;
mod signup;
mod staff;
mod upkeep;
