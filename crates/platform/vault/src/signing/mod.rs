//! Keys that sign tokens.

mod key;
mod schedule;

pub use key::SigningKey;
pub(crate) use schedule::{Scheduled, current, is_due, published};
