#![doc = include_str!("../README.md")]
// A test ends where its ground gives way, so this crate panics where others return errors.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod certificates;
pub mod client;
pub mod database;
pub mod engines;
pub mod platform;
pub mod proxy;

pub use client::{Answer, Client};
pub use database::TestDatabase;
pub use platform::TestPlatform;
