//! The ledger on real databases.

#![allow(clippy::unwrap_used, clippy::panic)]

#[macro_use]
mod support;
mod against_naive;
mod concurrency;
mod integrity;
mod naive;
mod transfers;
