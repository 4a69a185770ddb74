use database::{Connection, Error, FromRow, Row, Tx, params};
use kernel::{Currency, Money, PaymentId, RefundId, Timestamp};

use crate::model::{Attempt, AttemptId, Ended, Operation};

const COLUMNS: &str = "attempts.id, payment_id, refund_id, operation, number, attempts.amount, payments.currency, \
     idempotency_key, started_at, answer_by, settles_at";

impl FromRow for Attempt {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let currency: Currency = row.get("currency")?;
        Ok(Self {
            id: row.get("id")?,
            payment_id: row.get("payment_id")?,
            refund_id: row.get("refund_id")?,
            operation: row.get("operation")?,
            number: row.get("number")?,
            amount: Money::new(row.get("amount")?, currency),
            key: row.get("idempotency_key")?,
            started_at: row.get("started_at")?,
            answer_by: row.get("answer_by")?,
            settles_at: row.get("settles_at")?,
        })
    }
}

/// Writes down a call before it is made.
pub(crate) async fn insert(tx: &mut Tx, attempt: &Attempt) -> Result<(), Error> {
    tx.execute(
        "INSERT INTO attempts (id, payment_id, refund_id, operation, number, amount, idempotency_key, started_at, \
         answer_by, settles_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        &params![
            attempt.id,
            attempt.payment_id,
            attempt.refund_id,
            attempt.operation,
            attempt.number,
            attempt.amount.amount,
            &attempt.key,
            attempt.started_at,
            attempt.answer_by,
            attempt.settles_at,
        ],
    )
    .await?;
    Ok(())
}

/// Writes down how a call ended; nothing when it had ended.
pub(crate) async fn end(tx: &mut Tx, attempt: AttemptId, ended: Ended, now: Timestamp) -> Result<(), Error> {
    tx.execute(
        "UPDATE attempts SET ended_at = $2, outcome = $3 WHERE id = $1 AND ended_at IS NULL",
        &params![attempt, now, ended.as_str()],
    )
    .await?;
    Ok(())
}

/// The calls for a payment and its refunds that have not ended, oldest first.
pub(crate) async fn open(connection: &mut Connection, payment: PaymentId) -> Result<Vec<Attempt>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM attempts JOIN payments ON payments.id = payment_id \
         WHERE payment_id = $1 AND ended_at IS NULL ORDER BY started_at, attempts.id"
    );
    connection.fetch_all(&sql, &params![payment]).await
}

/// How often `operation` was attempted for a payment, or for one of its refunds.
pub(crate) async fn count(
    tx: &mut Tx,
    payment: PaymentId,
    refund: Option<RefundId>,
    operation: Operation,
) -> Result<i64, Error> {
    let (count,) = match refund {
        None => {
            let sql = "SELECT COUNT(*) FROM attempts WHERE payment_id = $1 AND operation = $2 AND refund_id IS NULL";
            tx.fetch_one(sql, &params![payment, operation]).await?
        }
        Some(refund) => {
            let sql =
                "SELECT COUNT(*) FROM attempts WHERE payment_id = $1 AND operation = $2 AND refund_id = $3";
            tx.fetch_one(sql, &params![payment, operation, refund]).await?
        }
    };
    Ok(count)
}
