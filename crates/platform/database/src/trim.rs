use std::time::Duration;

use crate::database::Database;
use crate::error::Error;
use crate::idempotency;
use crate::transaction::Isolation;

const TRIM_AT_ONCE: u32 = 1_000;

/// What [`Database::trim`] deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trimmed {
    /// Notes that an event was seen.
    pub seen: u64,
    /// Idempotency keys, with the answers kept under them.
    pub keys: u64,
}

impl Database {
    /// Deletes what the platform's own tables no longer need: notes of events that were seen longer than
    /// `keep_seen` ago, which must be longer than an event can still be delivered again, and idempotency keys
    /// that have expired. In small transactions, and several copies may do it at once.
    ///
    /// The outbox is trimmed by the bus, which knows who has read it; due work and leases go by themselves.
    ///
    /// # Errors
    /// As [`crate::Connection::execute`].
    pub async fn trim(&self, keep_seen: Duration) -> Result<Trimmed, Error> {
        let now = self.clock().now();
        let seen = self.inbox_trim(now.minus(keep_seen)).await?;
        let mut keys = 0;
        loop {
            let deleted = self
                .write_with(Isolation::ReadCommitted, |mut tx| async move {
                    let deleted = idempotency::trim(&mut tx, now, TRIM_AT_ONCE).await?;
                    tx.commit(deleted).await
                })
                .await?;
            keys += deleted;
            if deleted < u64::from(TRIM_AT_ONCE) {
                return Ok(Trimmed { seen, keys });
            }
        }
    }
}
