use contracts::Envelope;
use kernel::{EventId, Timestamp};
use opentelemetry::trace::TraceContextExt as _;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::connection::Engine;
use crate::database::Database;
use crate::error::Error;
use crate::params;
use crate::row::{FromRow, Row};
use crate::transaction::{Isolation, Tx};

/// The most entries that are deleted in one transaction.
const TRIM_AT_ONCE: i64 = 1_000;

/// The most entries that are given positions in one transaction.
const SEQUENCE_AT_ONCE: i64 = 10_000;

/// An event in the outbox.
#[derive(Clone, Debug, PartialEq)]
pub struct OutboxEntry {
    /// Where it stands. Positions only grow, and none below one that was ever seen appears later.
    pub position: i64,
    /// The event as it travels. Its `source` is the path of the service.
    pub envelope: Envelope,
}

impl FromRow for OutboxEntry {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            position: row.get("position")?,
            envelope: Envelope {
                id: row.get("id")?,
                source: String::new(),
                specversion: "1.0".to_owned(),
                kind: row.get("kind")?,
                subject: row.get("subject")?,
                time: row.get("written_at")?,
                datacontenttype: "application/json".to_owned(),
                data: row.get("data")?,
                traceparent: row.get("traceparent")?,
            },
        })
    }
}

impl Tx {
    /// Writes `event` to the outbox: it is published if and only if this transaction commits.
    ///
    /// # Errors
    /// As [`crate::Connection::execute`].
    pub async fn emit<E: contracts::Event>(&mut self, event: &E) -> Result<EventId, Error> {
        let now = self.database().clock().now();
        let id = EventId::new(now, self.database().rng());
        let data = serde_json::to_value(event).map_err(Error::json)?;
        self.execute(
            "INSERT INTO platform_outbox (id, kind, subject, written_at, data, traceparent) \
             VALUES ($1, $2, $3, $4, $5, $6)",
            &params![id, E::TYPE, event.key(), now, data, traceparent()],
        )
        .await?;
        self.touched().outbox = true;
        Ok(id)
    }
}

impl Database {
    /// The first `limit` events after `position`, oldest first. Following positions, a reader sees every
    /// committed event once, and events of one key in the order in which their transactions committed.
    ///
    /// # Errors
    /// As [`crate::Connection::fetch_all`].
    pub async fn outbox_after(&self, position: i64, limit: u32) -> Result<Vec<OutboxEntry>, Error> {
        let entries = self.read_outbox(position, limit).await?;
        if entries.len() < limit as usize && self.sequence_outbox().await? {
            return self.read_outbox(position, limit).await;
        }
        Ok(entries)
    }

    async fn read_outbox(&self, position: i64, limit: u32) -> Result<Vec<OutboxEntry>, Error> {
        let mut reader = self.read_primary().await?;
        let mut entries: Vec<OutboxEntry> = reader
            .fetch_all(
                "SELECT position, id, kind, subject, written_at, data, traceparent FROM platform_outbox \
                 WHERE position > $1 ORDER BY position LIMIT $2",
                &params![position, limit],
            )
            .await?;
        for entry in &mut entries {
            entry.envelope.source = format!("/{}", self.name());
        }
        Ok(entries)
    }

    /// Gives positions to the events that have none yet; `false` when there are none such.
    ///
    /// PostgreSQL's transactions commit in another order than they draw numbers from a sequence, so a reader
    /// that followed such numbers would pass over events whose transactions are still open. Here numbers are
    /// drawn only for events that are committed, by one sequencer at a time, which commits before the next one
    /// begins: they become visible in order. SQLite has one writer, so its row ids do.
    async fn sequence_outbox(&self) -> Result<bool, Error> {
        if self.engine() == Engine::Sqlite {
            return Ok(false);
        }
        let unsequenced: Option<(i64,)> = self
            .read_primary()
            .await?
            .fetch_optional("SELECT sequence FROM platform_outbox WHERE position IS NULL LIMIT 1", &[])
            .await?;
        if unsequenced.is_none() {
            return Ok(false);
        }
        self.write_with(Isolation::ReadCommitted, |mut tx| async move {
            tx.lock_key("platform_outbox").await?;
            tx.execute(
                "UPDATE platform_outbox SET position = numbered.position FROM \
                 (SELECT sequence, nextval('platform_outbox_position') AS position FROM \
                 (SELECT sequence FROM platform_outbox WHERE position IS NULL ORDER BY sequence LIMIT $1) AS next) \
                 AS numbered WHERE platform_outbox.sequence = numbered.sequence",
                &params![SEQUENCE_AT_ONCE],
            )
            .await?;
            tx.commit(true).await
        })
        .await
    }

    /// Deletes the events up to and including `position` that were written before `before`, from the oldest
    /// on and up to the first that is younger. Returns how many.
    ///
    /// # Errors
    /// As [`crate::Connection::execute`].
    pub async fn outbox_trim(&self, position: i64, before: Timestamp) -> Result<u64, Error> {
        let mut total = 0;
        loop {
            let deleted = self
                .write(|mut tx| async move {
                    // Looking at the oldest alone keeps a look at an outbox of millions short.
                    let oldest: Vec<(i64, Timestamp)> = tx
                        .fetch_all(
                            "SELECT position, written_at FROM platform_outbox WHERE position <= $1 \
                             ORDER BY position LIMIT $2",
                            &params![position, TRIM_AT_ONCE],
                        )
                        .await?;
                    let Some((last, _)) = oldest.iter().take_while(|(_, at)| *at < before).last() else {
                        return tx.rollback(0).await;
                    };
                    let deleted = tx
                        .execute("DELETE FROM platform_outbox WHERE position <= $1", &params![*last])
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

/// The W3C trace context of the span that the task is in, if it is being traced.
fn traceparent() -> Option<String> {
    let context = tracing::Span::current().context();
    let span = context.span();
    let span = span.span_context();
    span.is_valid()
        .then(|| format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8()))
}
