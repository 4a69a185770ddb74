#![doc = include_str!("../README.md")]

mod config;
mod connectors;
mod error;
mod jobs;
mod model;
mod ops;
mod reactions;
mod routes;
mod sandbox;
mod service;
mod store;

pub use config::{Config, ConfigError, SandboxConfig, WorkersConfig};
pub use service::{Service, openapi};
pub use store::columns::COLUMNS;
