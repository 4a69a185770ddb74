#![doc = include_str!("../README.md")]

mod config;
pub mod error;
mod jobs;
mod model;
mod ops;
mod reactions;
mod routes;
mod service;
mod shop;
mod store;

pub use config::{Config, ConfigError, Shipping};
pub use error::Error;
pub use service::{Service, openapi};
pub use store::columns::COLUMNS;

#[cfg(test)]
#[path = "../tests/it/stack/mod.rs"]
mod stack;
