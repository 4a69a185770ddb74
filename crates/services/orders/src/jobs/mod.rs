//! Work that outlives the request that asked for it.

pub(crate) mod checkout;
pub(crate) mod expire_carts;
pub(crate) mod mail;
