//! Messages of the tracking protocol, the shop's own events, and what they count for: plain data.

mod journey;
mod message;
mod personal;
mod vocabulary;

pub(crate) use journey::{Takings, order_cancelled, order_completed, order_refunded, signed_in, signed_up};
pub(crate) use message::{Defaults, Kind, MAX_EVENT_BYTES, Message};
pub(crate) use personal::take_personal;

/// The source of the shop's own events.
pub(crate) const SERVER: &str = "server";
