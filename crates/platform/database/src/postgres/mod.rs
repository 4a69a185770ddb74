//! The full engine: PostgreSQL with a pool per service, maybe a replica, one schema per service.

mod connect;
mod decode;
mod encode;
mod engine;
mod errors;
mod migrate;
mod pool;
mod replica;
mod session;
mod tls;

pub(crate) use engine::{Engine, ReadSession, WriteSession};
