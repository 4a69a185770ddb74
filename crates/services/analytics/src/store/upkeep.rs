use database::{Error, Tx, params};
use kernel::{CustomerId, Timestamp};

/// Deletes up to `limit` raw events from before `before`; answers with how many went.
pub(crate) async fn trim_events(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM events WHERE id IN \
         (SELECT id FROM events WHERE received_at < $1 ORDER BY received_at LIMIT $2)",
        &params![before, limit],
    )
    .await
}

/// Deletes up to `limit` refused events from before `before`; answers with how many went.
pub(crate) async fn trim_rejected(tx: &mut Tx, before: Timestamp, limit: u32) -> Result<u64, Error> {
    tx.execute(
        "DELETE FROM rejected_events WHERE id IN \
         (SELECT id FROM rejected_events WHERE received_at < $1 ORDER BY received_at LIMIT $2)",
        &params![before, limit],
    )
    .await
}

/// Deletes a customer's raw events, and those that their browsers sent without saying who they were.
pub(crate) async fn forget(tx: &mut Tx, customer: CustomerId) -> Result<(), Error> {
    tx.execute(
        "DELETE FROM events WHERE user_id IS NULL AND anonymous_id IN \
         (SELECT anonymous_id FROM events WHERE customer_id = $1 AND anonymous_id IS NOT NULL)",
        &params![customer],
    )
    .await?;
    tx.execute("DELETE FROM events WHERE customer_id = $1", &params![customer]).await?;
    tx.execute("DELETE FROM rejected_events WHERE customer_id = $1", &params![customer]).await?;
    Ok(())
}
