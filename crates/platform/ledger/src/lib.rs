#![doc = include_str!("../README.md")]

mod error;
mod model;
mod ops;
mod store;

pub use error::LedgerError;
pub use model::{
    Account, Balance, Guard, MAX_SLICE, MAX_TEXT_LEN, Movement, Refusal, Shortfall, Transfer, TransferKind,
};
pub use ops::balance::{balance, balances};
pub use ops::expire::expire_due;
pub use ops::open_accounts::open_accounts;
pub use ops::transfer::transfer;
pub use ops::verify::{Discrepancy, verify};
pub use store::COLUMNS;

/// The ledger's tables, for the owning service: `db.migrate("ledger", ledger::MIGRATIONS)`.
pub const MIGRATIONS: &[database::Migration] = &database::migrations!["0001_ledger"];
