//! SQL. The owner is a parameter of every query on somebody's data.

pub(crate) mod answers;
mod columns;
pub(crate) mod polls;
pub(crate) mod purchases;
pub(crate) mod tallies;

use database::Migration;

pub use columns::COLUMNS;

pub(crate) const MIGRATIONS: &[Migration] = &database::migrations!["0001_feedback"];
