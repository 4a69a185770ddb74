//! What the service does.

mod collect;
mod export;
mod open_events;
mod seal;

pub(crate) use collect::collect;
pub(crate) use export::{Export, export};
pub(crate) use open_events::{RawEvent, open_events};
pub(crate) use seal::{PERSONAL, seal_personal};
