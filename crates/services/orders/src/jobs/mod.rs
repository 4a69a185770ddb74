//! Work that outlives the request that asked for it.

pub(crate) mod checkout;
pub(crate) mod mail;
pub(crate) mod upkeep;
