//! The catalogue over HTTP, on its real database, cache and file store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod imports;
mod listing;
mod media;
mod products;
mod race;
mod reservations;
mod schema;
mod staff;
mod stock;
mod support;
