//! The service's tables.

mod columns;
mod daily;
mod events;
mod rejected;
mod upkeep;

pub use columns::COLUMNS;
pub(crate) use daily::{
    CountFilter, DailyCount, DailyTakings, TakingsFilter, add_takings, count, counts, takings,
};
pub(crate) use events::{EventFilter, NewEvent, StoredEvent, insert, recent};
pub(crate) use rejected::{RejectedEvent, RejectedFilter, quarantine, rejected};
pub(crate) use upkeep::{forget, trim_events, trim_rejected};
