//! The ledger on real databases.

mod support;
mod transfers;
