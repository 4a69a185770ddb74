#![doc = include_str!("../README.md")]

mod cache;
mod config;
mod engine;
mod error;
mod policy;
mod subscription;

pub use cache::{Cache, MAX_CHANNELS, MAX_KEY_BYTES, MAX_MESSAGE_BYTES, MAX_VALUE_BYTES};
pub use config::{CacheConfig, MemoryConfig, RedisConfig};
pub use error::CacheError;
pub use policy::{MAX_QUOTA, MAX_WINDOW, Policy, Verdict};
pub use subscription::{Delivery, Subscription};
