//! Background work: following the log for all listeners, and keeping it short.

mod follow;
mod hub;
mod trim;

pub(crate) use follow::follow;
pub(crate) use hub::{Hub, Listening};
pub(crate) use trim::keep_short;
