use std::time::Duration;

use database::Database;
use host::Shutdown;

use crate::store;

const BATCH: u32 = 2_000;
const EVERY: Duration = Duration::from_secs(60);

/// Deletes what is older than `keep`, batch by batch, until `shutdown`.
pub(crate) async fn keep_short(database: Database, keep: Duration, shutdown: Shutdown) {
    while !shutdown.is_set() {
        let pause = match trim(&database, keep).await {
            Ok(deleted) if deleted >= u64::from(BATCH) => Duration::ZERO,
            Ok(_) => EVERY,
            Err(error) => {
                tracing::warn!(%error, "the log cannot be kept short");
                EVERY
            }
        };
        tokio::select! {
            () = shutdown.wait() => {}
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Deletes one batch; answers with how many changes went.
pub(crate) async fn trim(database: &Database, keep: Duration) -> Result<u64, database::Error> {
    let before = database.clock().now().minus(keep);
    database
        .write(|mut tx| async move {
            let deleted = store::trim(&mut tx, before, BATCH).await?;
            tx.commit(deleted).await
        })
        .await
}
