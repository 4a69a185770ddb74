#![doc = include_str!("../README.md")]

mod config;
mod headers;
mod proxy;
mod rate_limits;
mod routes;
mod server;
mod service;
mod tls;

pub use config::{ConfigError, CorsConfig, GatewayConfig, RateLimit, ServerConfig, TlsConfig};
pub use routes::{PREFIXES, service_of};
pub use server::{Server, ServerError};
pub use service::{Gateway, GatewayError, Target, Upstream};
