use std::sync::Arc;
use std::time::Duration;

use database::Database;
use host::Shutdown;

use crate::config::Config;
use crate::store;

const BATCH: u32 = 2_000;
const EVERY: Duration = Duration::from_secs(60);

/// Deletes raw and refused events that have expired, batch by batch, until `shutdown`.
pub(crate) async fn keep_short(database: Database, config: Arc<Config>, shutdown: Shutdown) {
    while !shutdown.is_set() {
        let pause = match trim(&database, &config).await {
            Ok(deleted) if deleted >= u64::from(BATCH) => Duration::ZERO,
            Ok(_) => EVERY,
            Err(error) => {
                tracing::warn!(%error, "expired events cannot be deleted");
                EVERY
            }
        };
        tokio::select! {
            () = shutdown.wait() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Deletes one batch of each; answers with the larger number that went.
pub(crate) async fn trim(database: &Database, config: &Config) -> Result<u64, database::Error> {
    let now = database.clock().now();
    let (events_before, rejected_before) = (now.minus(config.keep()), now.minus(config.keep_rejected()));
    database
        .write(|mut tx| async move {
            let events = store::trim_events(&mut tx, events_before, BATCH).await?;
            let rejected = store::trim_rejected(&mut tx, rejected_before, BATCH).await?;
            tx.commit(events.max(rejected)).await
        })
        .await
}
