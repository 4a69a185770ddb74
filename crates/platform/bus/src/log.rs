pub(crate) mod nats;
pub(crate) mod outbox;

use std::time::Duration;

use contracts::Envelope;

use crate::error::BusError;

/// The events of one service, readable by position.
pub(crate) enum Log {
    Outbox(outbox::OutboxLog),
    Nats(Box<nats::NatsLog>),
}

/// An event and where it stands in its log.
pub(crate) struct Entry {
    pub(crate) position: i64,
    pub(crate) envelope: Envelope,
}

impl Log {
    /// The service whose events these are.
    pub(crate) fn source(&self) -> &str {
        match self {
            Self::Outbox(log) => log.source(),
            Self::Nats(log) => log.source(),
        }
    }

    /// Changes when positions begin anew, because the log was lost and made again.
    pub(crate) fn epoch(&self) -> &str {
        match self {
            Self::Outbox(_) => outbox::EPOCH,
            Self::Nats(log) => log.epoch(),
        }
    }

    /// Up to `limit` events after `position`, in order.
    pub(crate) async fn read_after(&mut self, position: i64, limit: u32) -> Result<Vec<Entry>, BusError> {
        match self {
            Self::Outbox(log) => log.read_after(position, limit).await,
            Self::Nats(log) => log.read_after(position, limit).await,
        }
    }

    /// Whether more may stand in the log than the `read` that came when `limit` were asked for. An outbox tells
    /// of whatever is written from then on; NATS hands over what it has in parts.
    pub(crate) const fn may_have_more(&self, read: usize, limit: u32) -> bool {
        match self {
            Self::Outbox(_) => read >= limit as usize,
            Self::Nats(_) => read > 0,
        }
    }

    /// Returns when there may be events after what was read, at the latest after `wait`.
    pub(crate) async fn changed(&mut self, wait: Duration) {
        match self {
            Self::Outbox(log) => log.changed(wait).await,
            Self::Nats(log) => log.changed(wait).await,
        }
    }
}
