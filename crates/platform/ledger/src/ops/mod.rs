//! One verb per file.

pub(crate) mod balance;
pub(crate) mod expire;
pub(crate) mod open_accounts;
pub(crate) mod transfer;
pub(crate) mod verify;
