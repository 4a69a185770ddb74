//! Throws away what nobody needs any more.

use std::time::Duration;

use database::{BoxError, Due, Isolation, Next};
use kernel::Timestamp;
use serde_json::Value;

use crate::ops::Payments;
use crate::store;

/// The queue with the one item that comes back every hour.
pub(crate) const QUEUE: &str = "payments.upkeep";

const EVERY: Duration = Duration::from_secs(3_600);
/// How many rows one transaction throws away.
const BATCH: u32 = 500;

/// Makes sure that the work stands; it is done at once, then every hour.
///
/// # Errors
/// What the database says.
pub(crate) async fn schedule(payments: &Payments) -> Result<(), database::Error> {
    let due = &Due { queue: QUEUE, key: "sweep".to_owned(), payload: Value::Null, at: payments.now() };
    payments
        .database
        .write(|mut tx| async move {
            tx.schedule(due).await?;
            tx.commit(()).await
        })
        .await
}

/// Throws away notifications that were acted upon and came in longer than `days` ago.
pub(crate) async fn run(payments: &Payments, days: u32) -> Result<Next, BoxError> {
    let now = payments.now();
    let before = now.minus(Duration::from_secs(86_400 * u64::from(days)));
    while forget(payments, before).await? == u64::from(BATCH) {}
    Ok(Next::At(now.plus(EVERY)))
}

async fn forget(payments: &Payments, before: Timestamp) -> Result<u64, database::Error> {
    payments
        .database
        .write_with(Isolation::ReadCommitted, |mut tx| async move {
            let forgotten = store::webhooks::forget(&mut tx, before, BATCH.into()).await?;
            tx.commit(forgotten).await
        })
        .await
}
