#![doc = include_str!("../README.md")]

mod config;
pub mod error;
mod jobs;
mod model;
mod ops;
mod routes;
mod service;
mod store;

pub use config::{Config, ConfigError};
pub use error::Error;
pub use service::{Service, openapi};
pub use store::COLUMNS;
