use std::time::Duration;

use kernel::Timestamp;

use super::{Claimed, Due, DueItem};
use crate::database::Database;
use crate::error::Error;
use crate::params;
use crate::sql::Sql;
use crate::transaction::{Isolation, Tx};

impl Tx {
    /// Schedules work: it will be done if and only if this transaction commits. The same queue and key again
    /// replaces what was scheduled; when that is being done right now, the new work follows it.
    ///
    /// # Errors
    /// As [`crate::Connection::execute`].
    pub async fn schedule(&mut self, due: &Due) -> Result<(), Error> {
        self.execute(
            "INSERT INTO platform_due (queue, item_key, payload, due_at, attempts) VALUES ($1, $2, $3, $4, 0) \
             ON CONFLICT (queue, item_key) DO UPDATE SET payload = excluded.payload, attempts = 0, last_error = NULL, \
             again_at = CASE WHEN platform_due.claim IS NULL THEN NULL ELSE excluded.due_at END, \
             due_at = CASE WHEN platform_due.claim IS NULL THEN excluded.due_at ELSE platform_due.due_at END",
            &params![due.queue, &due.key, &due.payload, due.at],
        )
        .await?;
        self.touched().due(due.queue, due.at);
        Ok(())
    }

    /// Takes back scheduled work; `false` when there was none. A handler that is at it is not stopped.
    ///
    /// # Errors
    /// As [`crate::Connection::execute`].
    pub async fn unschedule(&mut self, queue: &str, key: &str) -> Result<bool, Error> {
        let deleted = self
            .execute("DELETE FROM platform_due WHERE queue = $1 AND item_key = $2", &params![queue, key])
            .await?;
        Ok(deleted == 1)
    }

    /// Marks the item as done in the transaction that has its effect; `false` when the claim has run out and
    /// somebody else may be at it, in which case roll back. The handler then returns [`super::Next::Done`].
    ///
    /// # Errors
    /// As [`crate::Connection::execute`].
    pub async fn complete(&mut self, item: &DueItem) -> Result<bool, Error> {
        let deleted = self
            .execute(
                "DELETE FROM platform_due WHERE queue = $1 AND item_key = $2 AND claim = $3 AND again_at IS NULL",
                &params![item.queue, &item.key, item.claim],
            )
            .await?;
        if deleted == 1 {
            return Ok(true);
        }
        let again: Option<(Timestamp,)> = self
            .fetch_optional(
                "UPDATE platform_due SET due_at = again_at, again_at = NULL, claim = NULL, attempts = 0 \
                 WHERE queue = $1 AND item_key = $2 AND claim = $3 RETURNING due_at",
                &params![item.queue, &item.key, item.claim],
            )
            .await?;
        if let Some((at,)) = again {
            self.touched().due(item.queue, at);
        }
        Ok(again.is_some())
    }
}

impl Database {
    /// When the next item of `queue` is due.
    pub(super) async fn next_due(&self, queue: &str) -> Result<Option<Timestamp>, Error> {
        let mut reader = self.read_primary().await?;
        let (next,) = reader
            .fetch_one("SELECT MIN(due_at) FROM platform_due WHERE queue = $1", &params![queue])
            .await?;
        Ok(next)
    }

    /// Claims up to `limit` items that are due, until `lease` has passed. Of a claim that ran out, what was scheduled
    /// meanwhile for later is put back for then.
    pub(super) async fn claim(
        &self,
        queue: &'static str,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<DueItem>, Error> {
        let now = self.clock().now();
        let claim = self.rng().uuid_v7(now);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let until = now.plus(lease);
        let claimed: Vec<Claimed> = self
            .write_with(Isolation::ReadCommitted, |mut tx| async move {
                let next = [
                    "SELECT item_key, payload, attempts + 1 AS attempts, again_at FROM platform_due \
                     WHERE queue = $1 AND due_at <= $2 ORDER BY due_at LIMIT $3 ",
                    tx.skip_locked(),
                ];
                let found: Vec<Claimed> = tx.fetch_all(&next.concat(), &params![queue, now, limit]).await?;
                let (later, claimed): (Vec<_>, Vec<_>) =
                    found.into_iter().partition(|item| item.again_at.is_some_and(|at| at > now));
                for item in &later {
                    tx.execute(
                        "UPDATE platform_due SET due_at = again_at, again_at = NULL, claim = NULL \
                         WHERE queue = $1 AND item_key = $2",
                        &params![queue, &item.key],
                    )
                    .await?;
                }
                if claimed.is_empty() {
                    return tx.commit(claimed).await;
                }
                let mut sql = Sql::new("UPDATE platform_due SET claim = ");
                sql.bind(claim).push(", due_at = ").bind(until);
                sql.push(", again_at = NULL, attempts = attempts + 1 WHERE queue = ").bind(queue);
                sql.push(" AND item_key IN ").bind_list(claimed.iter().map(|item| item.key.as_str()));
                sql.execute(&mut tx).await?;
                tx.commit(claimed).await
            })
            .await?;
        Ok(claimed
            .into_iter()
            .map(|Claimed { key, payload, attempts, .. }| DueItem { queue, key, payload, attempts, claim })
            .collect())
    }

    /// Keeps a claim alive; `false` when it was lost.
    pub(super) async fn renew(&self, item: &DueItem, until: Timestamp) -> Result<bool, Error> {
        self.write_with(Isolation::ReadCommitted, |mut tx| async move {
            let rows = tx
                .execute(
                    "UPDATE platform_due SET due_at = $4 WHERE queue = $1 AND item_key = $2 AND claim = $3",
                    &params![item.queue, &item.key, item.claim, until],
                )
                .await?;
            tx.commit(rows == 1).await
        })
        .await
    }

    /// Puts the item back for `at`, with what went wrong if something did, and how often.
    pub(super) async fn put_back(
        &self,
        item: &DueItem,
        at: Timestamp,
        error: Option<&str>,
        attempts: u32,
    ) -> Result<(), Error> {
        self.write_with(Isolation::ReadCommitted, |mut tx| async move {
            tx.execute(
                "UPDATE platform_due SET due_at = COALESCE(again_at, $4), again_at = NULL, claim = NULL, \
                 last_error = $5, attempts = CASE WHEN again_at IS NULL THEN $6 ELSE 0 END \
                 WHERE queue = $1 AND item_key = $2 AND claim = $3",
                &params![item.queue, &item.key, item.claim, at, error, attempts],
            )
            .await?;
            // It may have been scheduled anew meanwhile, for then or for before.
            tx.touched().due(item.queue, Timestamp::EPOCH);
            tx.commit(()).await
        })
        .await
    }

    pub(super) async fn done(&self, item: &DueItem) -> Result<(), Error> {
        self.write_with(Isolation::ReadCommitted, |mut tx| async move {
            tx.complete(item).await?;
            tx.commit(()).await
        })
        .await
    }
}
