#![doc = include_str!("../README.md")]

mod config;
mod context;
mod error;
mod hashing;
mod jobs;
mod model;
mod ops;
mod passwords;
mod reactions;
mod routes;
mod service;
mod store;
mod tokens;

pub use config::{
    Config, ConfigError, HashingConfig, LimitConfig, LinkConfig, PasswordConfig, RangeConfig, SessionConfig,
};
pub use model::audit::AuditId;
pub use ops::chain_audit::AuditCheck;
pub use service::{OperationError, Service, openapi};
pub use store::columns::COLUMNS;
pub use tokens::AUDIENCE;
