#![doc = include_str!("../README.md")]

mod config;
mod context;
mod error;
mod model;
mod ops;
mod reactions;
mod routes;
mod service;
mod store;

pub use config::{Config, ConfigError};
pub use error::Error;
pub use routes::openapi;
pub use service::Service;
pub use store::columns::COLUMNS;
