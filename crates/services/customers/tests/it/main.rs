//! Journeys over HTTP on the service's own router, on both engines.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod addresses;
mod consents;
mod document;
mod erasure;
mod export;
mod import;
mod profile;
mod shop;
mod staff;
