//! The ledger's SQL, and nothing else.

mod accounts;
mod audit;
mod columns;
mod transfers;

pub(crate) use accounts::{
    balances_at, find_accounts, insert_accounts, lock_accounts, lock_for_slice, update_balances,
};
pub(crate) use audit::{misresolved_transfers, misstated_accounts, unbalanced_units, unknown_accounts};
pub use columns::COLUMNS;
pub(crate) use transfers::{find_due, find_due_among, find_transfers, upsert_transfers};
