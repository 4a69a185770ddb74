use std::sync::Arc;
use std::time::Duration;

use database::Database;
use host::Shutdown;

use super::Hub;
use crate::store;

const BATCH: u32 = 1_000;

/// After a failure of the database there is nothing to do but wait.
const PAUSE: Duration = Duration::from_millis(500);

/// Reads what is new in the log, once for all listeners, until `shutdown`. While nobody listens,
/// nothing is read.
pub(crate) async fn follow(database: Database, hub: Arc<Hub>, poll: Duration, shutdown: Shutdown) {
    while !shutdown.is_set() {
        let pause = match step(&database, &hub).await {
            Ok(full) => {
                if full {
                    Duration::ZERO
                } else {
                    poll
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the log cannot be followed");
                PAUSE
            }
        };
        if hub.is_idle() {
            tokio::select! {
                () = shutdown.wait() => return,
                () = hub.wanted.notified() => {}
            }
        }
        tokio::select! {
            () = shutdown.wait() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Sends one batch; `true` when there may be more.
async fn step(database: &Database, hub: &Hub) -> Result<bool, database::Error> {
    let mut reader = database.read_primary().await?;
    if hub.is_idle() {
        // Whoever comes reads the log up to its end; older changes need nobody.
        hub.start_at(store::newest(&mut reader).await?);
        return Ok(false);
    }
    let changes = store::since(&mut reader, hub.sent(), BATCH).await?;
    let full = changes.len() == BATCH as usize;
    hub.send(changes);
    Ok(full)
}
