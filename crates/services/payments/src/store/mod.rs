//! SQL and nothing else.

pub(crate) mod attempts;
pub mod columns;
pub(crate) mod payments;
pub(crate) mod refunds;
pub(crate) mod webhooks;

/// The tables of this service, in its own database.
pub(crate) const MIGRATIONS: &[database::Migration] =
    &database::migrations!["0001_init", "0002_sandbox", "0003_webhook_age"];

#[cfg(test)]
mod tests;
