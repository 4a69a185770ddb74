use std::time::Duration;

use database::Database;
use host::Shutdown;

use crate::store;

const BATCH: u32 = 2_000;
const EVERY: Duration = Duration::from_secs(600);

/// Forgets orders that are not asked about any more, batch by batch, until `shutdown`.
pub(crate) async fn forget_expired(database: Database, shutdown: Shutdown) {
    while !shutdown.is_set() {
        let pause = match trim(&database).await {
            Ok(deleted) if deleted >= u64::from(BATCH) => Duration::ZERO,
            Ok(_) => EVERY,
            Err(error) => {
                tracing::warn!(%error, "orders that are not asked about any more cannot be forgotten");
                EVERY
            }
        };
        tokio::select! {
            () = shutdown.wait() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

async fn trim(database: &Database) -> Result<u64, database::Error> {
    let now = database.clock().now();
    database
        .write(|mut tx| async move {
            let deleted = store::purchases::trim(&mut tx, now, BATCH).await?;
            tx.commit(deleted).await
        })
        .await
}
