use std::time::Duration;

use database::Database;
use tokio_util::sync::CancellationToken;

use crate::error::BusError;
use crate::{relay, store};

/// Somebody who reads an outbox directly, and where its position is kept.
pub(crate) struct OutboxReader {
    pub(crate) database: Database,
    pub(crate) consumer: &'static str,
}

impl OutboxReader {
    /// The relay, which keeps its position beside the outbox.
    pub(crate) fn relay(source: &Database) -> Self {
        Self { database: source.clone(), consumer: relay::RELAY }
    }
}

/// How often old events are looked for.
const EVERY: Duration = Duration::from_secs(600);

/// Deletes the events that every reader is past and that were kept long enough, until `shutdown`.
pub(crate) async fn run(
    source: Database,
    readers: Vec<OutboxReader>,
    keep: Duration,
    shutdown: CancellationToken,
) {
    loop {
        if let Err(error) = trim(&source, &readers, keep).await {
            tracing::warn!(source = source.name(), error = %error, "old events could not be deleted");
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn trim(source: &Database, readers: &[OutboxReader], keep: Duration) -> Result<u64, BusError> {
    let mut passed = i64::MAX;
    for reader in readers {
        let mut connection = reader.database.read_primary().await?;
        let position = store::passed(&mut connection, reader.consumer, source.name()).await?;
        passed = passed.min(position);
    }
    let before = source.clock().now().minus(keep);
    Ok(source.outbox_trim(passed, before).await?)
}
