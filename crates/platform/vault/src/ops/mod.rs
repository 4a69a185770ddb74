//! What a vault does, one verb per file.

mod destroy;
mod open;
pub(crate) mod rotate_master;
pub(crate) mod seal;
pub(crate) mod signing_keys;
mod start;
