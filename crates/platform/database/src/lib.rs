#![doc = include_str!("../README.md")]

pub mod columns;
mod config;
mod connection;
pub mod consistency;
mod database;
mod due;
mod error;
pub mod idempotency;
mod inbox;
mod lease;
mod migrate;
mod outbox;
mod postgres;
mod retry;
mod row;
pub mod search;
mod signals;
mod sql;
mod sqlite;
mod transaction;
mod trim;
mod value;

pub use config::{DatabaseConfig, EmbeddedConfig, PostgresConfig};
pub use connection::Connection;
pub use database::{Database, Stats};
pub use due::{Away, BoxError, Due, DueItem, Next, WorkOptions};
pub use error::{Error, Source};
pub use lease::Lease;
pub use migrate::Migration;
pub use outbox::OutboxEntry;
pub use row::{Column, FromRow, Row};
pub use signals::Changes;
pub use sql::Sql;
pub use transaction::{Done, Isolation, Reader, Tx};
pub use trim::Trimmed;
pub use value::{Cell, FromValue, Value};

/// Implementation details of the macros; not for direct use.
#[doc(hidden)]
pub mod __private {
    pub use uuid::Uuid;

    pub use crate::migrate::number_of;
}
