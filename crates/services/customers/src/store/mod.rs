//! SQL and nothing else. Whoever reads somebody's data names whose it is in the query.

pub(crate) mod access_log;
pub(crate) mod addresses;
pub(crate) mod columns;
pub(crate) mod consents;
pub(crate) mod customers;
pub(crate) mod import;

/// The tables of this service.
pub(crate) const MIGRATIONS: &[database::Migration] = &database::migrations!["0001_init"];
