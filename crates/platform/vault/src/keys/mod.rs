//! Keys in memory and on disk.

mod data_keys;
mod file;
mod ring;
mod watch;

pub(crate) use data_keys::{DataKey, DataKeys, Entry};
pub(crate) use ring::{Ring, Wrapping};
pub(crate) use watch::Watch;
