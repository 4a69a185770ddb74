#![doc = include_str!("../README.md")]

mod config;
mod error;
mod jobs;
mod model;
mod ops;
mod reactions;
mod routes;
mod service;
mod sources;
mod store;

pub use config::{Config, ConfigError, Source};
pub use routes::openapi;
pub use service::Service;
pub use store::COLUMNS;
