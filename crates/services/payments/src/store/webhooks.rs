use database::{Error, FromRow, Row, Tx, params};
use kernel::{CustomerId, PaymentId, Timestamp, WebhookId};
use serde_json::Value;

/// A notification that has come in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Webhook {
    pub(crate) id: WebhookId,
    pub(crate) provider: &'static str,
    /// The provider's name for it.
    pub(crate) event_id: String,
    pub(crate) kind: String,
    pub(crate) payment_id: Option<PaymentId>,
    pub(crate) occurred_at: Timestamp,
    /// What it says, in our terms.
    pub(crate) subject: Value,
    /// As it came, without what must not be kept.
    pub(crate) body: String,
    pub(crate) received_at: Timestamp,
}

/// A notification that waits to be acted upon.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Waiting {
    pub(crate) id: WebhookId,
    pub(crate) provider: String,
    pub(crate) kind: String,
    pub(crate) subject: Value,
}

impl FromRow for Waiting {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.get("id")?,
            provider: row.get("provider")?,
            kind: row.get("kind")?,
            subject: row.get("subject")?,
        })
    }
}

/// Keeps a notification; `false` when the provider has delivered it before.
pub(crate) async fn insert(tx: &mut Tx, webhook: &Webhook) -> Result<bool, Error> {
    let inserted = tx
        .execute(
            "INSERT INTO webhooks (id, provider, event_id, kind, payment_id, occurred_at, subject, body, \
             received_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
             ON CONFLICT (provider, event_id) DO NOTHING",
            &params![
                webhook.id,
                webhook.provider,
                &webhook.event_id,
                &webhook.kind,
                webhook.payment_id,
                webhook.occurred_at,
                &webhook.subject,
                &webhook.body,
                webhook.received_at,
            ],
        )
        .await?;
    Ok(inserted == 1)
}

/// Up to `limit` notifications about a payment that wait, in the order in which it all happened.
pub(crate) async fn waiting(tx: &mut Tx, payment: PaymentId, limit: i64) -> Result<Vec<Waiting>, Error> {
    tx.fetch_all(
        "SELECT id, provider, kind, subject FROM webhooks WHERE payment_id = $1 AND processed_at IS NULL \
         ORDER BY occurred_at, id LIMIT $2",
        &params![payment, limit],
    )
    .await
}

/// Writes down what became of a notification, and lets go of what it said.
pub(crate) async fn finish(
    tx: &mut Tx,
    webhook: WebhookId,
    outcome: &str,
    now: Timestamp,
) -> Result<(), Error> {
    let sql = "UPDATE webhooks SET processed_at = $2, outcome = $3, subject = NULL WHERE id = $1";
    tx.execute(sql, &params![webhook, now, outcome]).await?;
    Ok(())
}

/// Forgets the notifications about a person's payments as they came: a provider may have written
/// more into them than we read.
pub(crate) async fn erase_bodies(tx: &mut Tx, customer: CustomerId) -> Result<u64, Error> {
    let sql = "UPDATE webhooks SET body = NULL WHERE payment_id IN (SELECT id FROM payments WHERE customer_id = $1)";
    tx.execute(sql, &params![customer]).await
}

/// Throws away up to `limit` notifications that came in before `before` and were acted upon, and says how
/// many those were.
pub(crate) async fn forget(tx: &mut Tx, before: Timestamp, limit: i64) -> Result<u64, Error> {
    let sql = "DELETE FROM webhooks WHERE id IN (SELECT id FROM webhooks \
               WHERE processed_at IS NOT NULL AND received_at < $1 ORDER BY received_at LIMIT $2)";
    tx.execute(sql, &params![before, limit]).await
}
