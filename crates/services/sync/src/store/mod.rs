//! The log's tables.

mod columns;
mod log;

pub use columns::COLUMNS;
pub(crate) use log::{append, between, epoch, forget, newest, since, trim, trimmed};
