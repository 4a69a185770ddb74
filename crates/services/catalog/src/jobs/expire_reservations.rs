use std::time::Duration;

use database::Database;
use host::{Shutdown, Worker};

use crate::Error;
use crate::ops::expire_reservations::expire_reservations;
use crate::store;

/// Ends reservations whose time is over, soon after it is.
pub(crate) fn worker(database: &Database, interval: Duration) -> Worker {
    let database = database.clone();
    Worker::new("catalog.expire_reservations", move |shutdown| run(database.clone(), interval, shutdown))
}

async fn run(database: Database, interval: Duration, shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = shutdown.wait() => return,
            () = tokio::time::sleep(interval) => {}
        }
        if let Err(error) = expire_if_due(&database).await {
            // Nothing is lost: the stock is free already, and the next round tells of it.
            tracing::warn!(%error, "reservations could not be ended");
        }
    }
}

/// Looks before it writes, so that an idle shop writes nothing.
async fn expire_if_due(database: &Database) -> Result<(), Error> {
    let mut reader = database.read_primary().await?;
    let next = store::reservations::next_expiry(&mut reader).await?;
    drop(reader);
    if next.is_some_and(|at| at <= database.clock().now()) {
        expire_reservations(database).await?;
    }
    Ok(())
}
