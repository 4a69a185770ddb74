#![doc = include_str!("../README.md")]

mod channel;
mod event;
mod sealed;

pub mod analytics;
pub mod catalog;
pub mod customers;
pub mod feedback;
pub mod identity;
pub mod import;
pub mod orders;
pub mod payments;

pub use channel::{CallError, Channel, ChannelError, Rejection};
pub use event::{Envelope, Event, ReadEvent};
pub use sealed::Sealed;
