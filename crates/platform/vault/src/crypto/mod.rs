//! The cryptography, without any I/O.

mod derivation;
mod master_key;
mod sealed;

pub(crate) use derivation::Root;
pub use master_key::MasterKey;
pub(crate) use master_key::MasterKeyId;
pub(crate) use sealed::{Binding, KeyId, key_id_of, open, seal};
