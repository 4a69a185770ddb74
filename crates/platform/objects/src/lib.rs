#![doc = include_str!("../README.md")]

mod checksum;
mod config;
mod engine;
mod error;
mod key;
mod objects;
mod read;
mod record;
mod upload;

pub use checksum::Checksum;
pub use config::{FolderConfig, ObjectsConfig, S3Config};
pub use error::ObjectsError;
pub use key::MAX_KEY_BYTES;
pub use objects::{Content, Entry, MAX_OBJECT_BYTES, Meta, Objects};
