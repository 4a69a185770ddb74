//! The consumer's own tables.

use contracts::Envelope;
use database::{Connection, Error, FromRow, Row, Tx, params};
use kernel::{EventId, Timestamp};

/// An event that waits to be tried again, or is dead.
pub(crate) struct Parked {
    pub(crate) envelope: Envelope,
    pub(crate) attempts: i64,
    pub(crate) last_error: String,
    pub(crate) parked_at: Timestamp,
}

impl FromRow for Parked {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let envelope: serde_json::Value = row.get("envelope")?;
        Ok(Self {
            envelope: serde_json::from_value(envelope).map_err(|_| not_an_event())?,
            attempts: row.get("attempts")?,
            last_error: row.get("last_error")?,
            parked_at: row.get("parked_at")?,
        })
    }
}

fn not_an_event() -> Error {
    Error::Type { what: "bus_parked.envelope".to_owned(), wanted: "an event" }
}

const COLUMNS: &str = "envelope, attempts, last_error, parked_at";

pub(crate) async fn position(
    connection: &mut Connection,
    consumer: &str,
    source: &str,
    epoch: &str,
) -> Result<i64, Error> {
    let row: Option<(i64,)> = connection
        .fetch_optional(
            "SELECT position FROM bus_positions WHERE consumer = $1 AND source = $2 AND epoch = $3",
            &params![consumer, source, epoch],
        )
        .await?;
    Ok(row.map_or(0, |(position,)| position))
}

/// Up to where somebody has read an outbox, whatever they have done with it.
pub(crate) async fn passed(connection: &mut Connection, consumer: &str, source: &str) -> Result<i64, Error> {
    let row: Option<(i64,)> = connection
        .fetch_optional(
            "SELECT position FROM bus_positions WHERE consumer = $1 AND source = $2",
            &params![consumer, source],
        )
        .await?;
    Ok(row.map_or(0, |(position,)| position))
}

pub(crate) async fn set_position(
    tx: &mut Tx,
    consumer: &str,
    source: &str,
    epoch: &str,
    position: i64,
) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO bus_positions (consumer, source, epoch, position) VALUES ($1, $2, $3, $4)
         ON CONFLICT (consumer, source) DO UPDATE SET epoch = excluded.epoch, position = excluded.position",
        &params![consumer, source, epoch, position],
    )
    .await?;
    Ok(())
}

/// The keys behind which events of `consumer` wait.
pub(crate) async fn blocked_keys(connection: &mut Connection, consumer: &str) -> Result<Vec<String>, Error> {
    let rows: Vec<(String,)> = connection
        .fetch_all(
            "SELECT DISTINCT event_key FROM bus_parked WHERE consumer = $1 AND state = 'waiting'",
            &params![consumer],
        )
        .await?;
    Ok(rows.into_iter().map(|(key,)| key).collect())
}

pub(crate) async fn park(
    tx: &mut Tx,
    consumer: &str,
    event: &Envelope,
    attempts: i64,
    next_at: Timestamp,
    error: &str,
) -> Result<(), Error> {
    let envelope = serde_json::to_value(event).map_err(|_| not_an_event())?;
    let now = tx.database().clock().now();
    tx.execute(
        "INSERT INTO bus_parked
             (consumer, event_id, event_key, sequence, envelope, state, attempts, next_at, last_error, parked_at)
         VALUES ($1, $2, $3, (SELECT COALESCE(MAX(sequence), 0) + 1 FROM bus_parked WHERE consumer = $1),
                 $4, 'waiting', $5, $6, $7, $8)
         ON CONFLICT (consumer, event_id) DO NOTHING",
        &params![consumer, event.id, event.subject.as_str(), envelope, attempts, next_at, error, now],
    )
    .await?;
    Ok(())
}

/// The first waiting event of each key that is due; later ones of the key wait behind it.
pub(crate) async fn due(
    connection: &mut Connection,
    consumer: &str,
    now: Timestamp,
    limit: i64,
) -> Result<Vec<Parked>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM bus_parked AS first
         WHERE consumer = $1 AND state = 'waiting' AND next_at <= $2
           AND NOT EXISTS (SELECT 1 FROM bus_parked AS earlier
                           WHERE earlier.consumer = first.consumer AND earlier.state = 'waiting'
                             AND earlier.event_key = first.event_key AND earlier.sequence < first.sequence)
         ORDER BY sequence LIMIT $3"
    );
    connection.fetch_all(&sql, &params![consumer, now, limit]).await
}

/// When the next parked event can be tried.
pub(crate) async fn next_due(
    connection: &mut Connection,
    consumer: &str,
) -> Result<Option<Timestamp>, Error> {
    let row: Option<(Option<Timestamp>,)> = connection
        .fetch_optional(
            "SELECT MIN(next_at) FROM bus_parked WHERE consumer = $1 AND state = 'waiting'",
            &params![consumer],
        )
        .await?;
    Ok(row.and_then(|(at,)| at))
}

pub(crate) async fn unpark(tx: &mut Tx, consumer: &str, event: EventId) -> Result<(), Error> {
    tx.execute("DELETE FROM bus_parked WHERE consumer = $1 AND event_id = $2", &params![consumer, event])
        .await?;
    Ok(())
}

pub(crate) async fn failed_again(
    tx: &mut Tx,
    consumer: &str,
    event: EventId,
    dead: bool,
    next_at: Timestamp,
    error: &str,
) -> Result<(), Error> {
    let state = if dead { "dead" } else { "waiting" };
    tx.execute(
        "UPDATE bus_parked SET attempts = attempts + 1, state = $3, next_at = $4, last_error = $5
         WHERE consumer = $1 AND event_id = $2",
        &params![consumer, event, state, next_at, error],
    )
    .await?;
    Ok(())
}

/// Dead letters of every consumer, oldest first, after the event `after` when given.
pub(crate) async fn dead(
    connection: &mut Connection,
    after: Option<EventId>,
    limit: i64,
) -> Result<Vec<(String, Parked)>, Error> {
    let after = after.map_or(uuid::Uuid::nil(), EventId::uuid);
    let sql = format!(
        "SELECT consumer, {COLUMNS} FROM bus_parked
         WHERE state = 'dead' AND event_id > $1 ORDER BY event_id, consumer LIMIT $2"
    );
    let rows: Vec<Row> = connection.fetch_all(&sql, &params![after, limit]).await?;
    rows.iter().map(|row| Ok((row.get("consumer")?, Parked::from_row(row)?))).collect()
}

/// Puts a dead letter back in the queue; `false` when there is none such.
pub(crate) async fn revive(
    tx: &mut Tx,
    consumer: &str,
    event: EventId,
    now: Timestamp,
) -> Result<bool, Error> {
    let changed = tx
        .execute(
            "UPDATE bus_parked SET state = 'waiting', attempts = 0, next_at = $3
             WHERE consumer = $1 AND event_id = $2 AND state = 'dead'",
            &params![consumer, event, now],
        )
        .await?;
    Ok(changed == 1)
}
