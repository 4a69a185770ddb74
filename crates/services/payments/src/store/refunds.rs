use contracts::payments::Decline;
use database::{Connection, Error, FromRow, Row, Sql, Tx, params};
use kernel::{Currency, CustomerId, Money, PaymentId, RefundId, Timestamp};

use crate::model::{Refund, RefundStatus};

/// `SELECT` of everything, to which conditions are added.
const SELECT: &str = "SELECT id, payment_id, currency, amount, reason, status, attempt_id, failure_reason, \
     provider_reason, provider_reference, requested_by, version, created_at, updated_at FROM refunds";

impl FromRow for Refund {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let currency: Currency = row.get("currency")?;
        let failure: Option<String> = row.get("failure_reason")?;
        let provider_reason = row.get("provider_reason")?;
        Ok(Self {
            id: row.get("id")?,
            payment_id: row.get("payment_id")?,
            amount: Money::new(row.get("amount")?, currency),
            reason: row.get("reason")?,
            status: row.get("status")?,
            attempt: row.get("attempt_id")?,
            failure: failure.map(|reason| Decline { reason, provider_reason }),
            provider_reference: row.get("provider_reference")?,
            requested_by: row.get("requested_by")?,
            version: row.get("version")?,
            created_at: row.get("created_at")?,
            updated_at: row.get("updated_at")?,
        })
    }
}

/// Stores a new refund. `request_key` tells a repetition of the request, when it had a key.
pub(crate) async fn insert(tx: &mut Tx, refund: &Refund, request_key: Option<[u8; 32]>) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO refunds (id, payment_id, currency, amount, reason, status, attempt_id, requested_by, \
         request_key, version, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        &params![
            refund.id,
            refund.payment_id,
            refund.amount.currency,
            refund.amount.amount,
            &refund.reason,
            refund.status,
            refund.attempt,
            &refund.requested_by,
            request_key,
            refund.version,
            refund.created_at,
            refund.updated_at,
        ],
    )
    .await?;
    Ok(())
}

/// Stores what a refund, whose payment is locked in this transaction, has become.
pub(crate) async fn update(tx: &mut Tx, refund: &Refund) -> Result<(), Error> {
    let failure = refund.failure.as_ref();
    tx.execute(
        "UPDATE refunds SET status = $2, attempt_id = $3, failure_reason = $4, provider_reason = $5, \
         provider_reference = $6, version = $7, updated_at = $8 WHERE id = $1",
        &params![
            refund.id,
            refund.status,
            refund.attempt,
            failure.map(|failure| failure.reason.clone()),
            failure.and_then(|failure| failure.provider_reason.clone()),
            refund.provider_reference.clone(),
            refund.version,
            refund.updated_at,
        ],
    )
    .await?;
    Ok(())
}

/// The refund with this id.
pub(crate) async fn get(connection: &mut Connection, refund: RefundId) -> Result<Option<Refund>, Error> {
    connection.fetch_optional(&format!("{SELECT} WHERE id = $1"), &params![refund]).await
}

/// The refund that a request with this key made.
pub(crate) async fn by_request_key(tx: &mut Tx, key: [u8; 32]) -> Result<Option<Refund>, Error> {
    tx.fetch_optional(&format!("{SELECT} WHERE request_key = $1"), &params![key]).await
}

/// The refunds of a payment of which the provider has not yet said how they end, oldest first.
pub(crate) async fn open(connection: &mut Connection, payment: PaymentId) -> Result<Vec<Refund>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push(" WHERE payment_id = ").bind(payment).push(" AND status IN ");
    sql.bind_list([RefundStatus::Pending, RefundStatus::Unknown]).push(" ORDER BY created_at, id");
    sql.fetch_all(connection).await
}

/// Where a page of a list ends: the newest come first.
pub(crate) type Key = (Timestamp, RefundId);

/// Up to `limit` refunds of a payment after `after`.
pub(crate) async fn list(
    connection: &mut Connection,
    payment: PaymentId,
    after: Option<Key>,
    limit: i64,
) -> Result<Vec<Refund>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push(" WHERE payment_id = ").bind(payment);
    if let Some((at, id)) = after {
        sql.push(" AND (created_at, id) < (").bind(at).push(", ").bind(id).push(")");
    }
    sql.push(" ORDER BY created_at DESC, id DESC LIMIT ").bind(limit);
    sql.fetch_all(connection).await
}

/// All refunds of these payments, the newest first.
pub(crate) async fn of_payments(
    connection: &mut Connection,
    payments: &[PaymentId],
) -> Result<Vec<Refund>, Error> {
    let mut sql = Sql::new(SELECT);
    sql.push(" WHERE payment_id IN ")
        .bind_list(payments.iter().copied())
        .push(" ORDER BY created_at DESC, id DESC");
    sql.fetch_all(connection).await
}

/// Forgets why a person's money was given back: the words are somebody's and may be about them.
pub(crate) async fn erase_reasons(tx: &mut Tx, customer: CustomerId) -> Result<u64, Error> {
    let sql =
        "UPDATE refunds SET reason = $2 WHERE payment_id IN (SELECT id FROM payments WHERE customer_id = $1)";
    tx.execute(sql, &params![customer, ""]).await
}
