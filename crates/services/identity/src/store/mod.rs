//! SQL and nothing else.

pub(crate) mod accounts;
pub(crate) mod audit;
pub(crate) mod columns;
pub(crate) mod recoveries;
pub(crate) mod sessions;
pub(crate) mod signups;
