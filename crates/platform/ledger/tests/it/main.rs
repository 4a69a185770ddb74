//! The ledger on real databases.

#![allow(clippy::unwrap_used, clippy::panic)]

mod against_naive;
mod concurrency;
mod integrity;
mod naive;
mod support;
mod transfers;
