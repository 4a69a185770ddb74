use kernel::{EventId, Timestamp};

use crate::database::Database;
use crate::error::Error;
use crate::params;
use crate::transaction::Tx;

const TRIM_AT_ONCE: i64 = 1_000;

impl Tx {
    /// Whether `consumer` sees `event` for the first time. It counts as seen if and only if this transaction
    /// commits, so the event's effect belongs into the same one.
    ///
    /// # Errors
    /// As [`crate::Connection::execute`].
    pub async fn first_time(&mut self, consumer: &str, event: EventId) -> Result<bool, Error> {
        let now = self.database().clock().now();
        let new = self
            .execute(
                "INSERT INTO platform_inbox (consumer, event_id, seen_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (consumer, event_id) DO NOTHING",
                &params![consumer, event, now],
            )
            .await?;
        Ok(new == 1)
    }
}

impl Database {
    /// Forgets events that were seen before `before`, which must be longer ago than an event can still be
    /// delivered again. Returns how many.
    ///
    /// # Errors
    /// As [`crate::Connection::execute`].
    pub async fn inbox_trim(&self, before: Timestamp) -> Result<u64, Error> {
        let mut total = 0;
        loop {
            let deleted = self
                .write(|mut tx| async move {
                    let deleted = tx
                        .execute(
                            "DELETE FROM platform_inbox WHERE (consumer, event_id) IN \
                             (SELECT consumer, event_id FROM platform_inbox WHERE seen_at < $1 LIMIT $2)",
                            &params![before, TRIM_AT_ONCE],
                        )
                        .await?;
                    tx.commit(deleted).await
                })
                .await?;
            total += deleted;
            if deleted < TRIM_AT_ONCE.unsigned_abs() {
                return Ok(total);
            }
        }
    }
}
