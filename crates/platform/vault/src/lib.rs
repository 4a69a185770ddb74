#![doc = include_str!("../README.md")]

mod config;
mod crypto;
mod error;
mod keys;
mod ops;
mod signing;
mod store;
mod vault;

pub use config::{SigningConfig, VaultConfig};
pub use crypto::MasterKey;
pub use error::VaultError;
pub use ops::rotate_master::Rotated;
pub use ops::seal::{Plain, Sealed};
pub use ops::signing_keys::SigningKeys;
pub use signing::SigningKey;
pub use store::COLUMNS;
pub use vault::Vault;
