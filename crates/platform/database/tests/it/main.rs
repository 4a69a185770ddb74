//! The database crate on real engines: one suite, run on SQLite and on PostgreSQL.

#![allow(clippy::unwrap_used, clippy::panic)]

mod due;
mod group_commit;
mod idempotency;
mod inbox;
mod leases;
mod migrations;
mod outbox;
mod postgres;
mod replica;
mod search;
mod statements;
mod tables;
mod transactions;
mod trim;
mod values;
