//! The service over HTTP, with its real database on both engines, and its reactions.

#![allow(clippy::unwrap_used, clippy::panic)]

mod collection;
mod journey;
mod privacy;
mod refusals;
mod schema;
mod shop;
mod staff;
