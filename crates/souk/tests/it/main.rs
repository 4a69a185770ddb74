//! The whole shop over HTTP: the journey of the public API, on every stack.
//!
//! The real binary runs in processes of its own; every answer is held against the API document.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod api;
mod browser;
mod document;
mod imports;
mod journey;
mod mailbox;
mod pages;
mod proofs;
mod shop;
mod storefront;
mod stream;
