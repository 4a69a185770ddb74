#![doc = include_str!("../README.md")]

mod config;
pub mod error;
mod jobs;
mod model;
mod ops;
mod reactions;
mod routes;
mod service;
mod store;

pub use config::{Config, ConfigError};
pub use routes::openapi;
pub use service::Service;
pub use store::COLUMNS;
