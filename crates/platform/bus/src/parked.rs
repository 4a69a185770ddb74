use contracts::Envelope;
use database::Database;
use kernel::{EventId, Timestamp};

use crate::error::BusError;
use crate::store;

/// An event that a consumer gave up on.
#[derive(Clone, Debug)]
pub struct DeadLetter {
    /// Who gave up.
    pub consumer: String,
    /// On what.
    pub event: Envelope,
    /// After how many tries.
    pub attempts: i64,
    /// What went wrong the last time.
    pub last_error: String,
    /// When it failed first.
    pub parked_at: Timestamp,
}

/// The dead letters of the service whose database this is, oldest first; `after` pages on from
/// the last event seen.
///
/// # Errors
/// When the database fails.
pub async fn dead_letters(
    database: &Database,
    after: Option<EventId>,
    limit: i64,
) -> Result<Vec<DeadLetter>, BusError> {
    let mut reader = database.read_primary().await?;
    let rows = store::dead(&mut reader, after, limit).await?;
    Ok(rows
        .into_iter()
        .map(|(consumer, parked)| DeadLetter {
            consumer,
            event: parked.envelope,
            attempts: parked.attempts,
            last_error: parked.last_error,
            parked_at: parked.parked_at,
        })
        .collect())
}

/// Puts a dead letter back in the queue, to be tried at once; `false` when there is none such.
///
/// # Errors
/// When the database fails.
pub async fn replay(database: &Database, consumer: &str, event: EventId) -> Result<bool, BusError> {
    let revived = database
        .write::<bool, database::Error, _, _>(|mut tx| async move {
            let now = tx.database().clock().now();
            let revived = store::revive(&mut tx, consumer, event, now).await?;
            tx.commit(revived).await
        })
        .await?;
    Ok(revived)
}
