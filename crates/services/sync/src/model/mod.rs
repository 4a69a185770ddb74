//! Topics, changes and positions: plain data.

mod position;
mod topic;

pub(crate) use position::{Epoch, Resume, resume};
pub(crate) use topic::{Channel, Topic};

/// One change, as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) position: i64,
    pub(crate) channel: Channel,
    /// What listeners see as the event's type.
    pub(crate) kind: String,
    /// JSON in one line.
    pub(crate) data: String,
}
